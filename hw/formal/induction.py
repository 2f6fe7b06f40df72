"""Induction, assertion after assertion: what yosys writes for smtbmc, given to z3 as formulas of bits."""

import re
import subprocess
from itertools import groupby
from pathlib import Path

ASSERTION = re.compile(r"; yosys-smt2-assert (\d+) (\S+) (\S+)")
NAME, STATE = r"(\|[^|]*\|)", r"\|top_s\|"
BITS = "(check-sat-using (then simplify propagate-values solve-eqs elim-uncnstr simplify bit-blast sat))"
SECONDS = 300


def definitions(text: str) -> list[str]:
    """The model's declarations and definitions, without comments."""
    found, depth, begun = [], 0, ""
    for line in text.splitlines():
        if line.startswith(";"):
            continue
        line = re.sub(r"\s; .*$", "", line)
        begun += line + "\n"
        brackets = re.sub(NAME, "", line)
        depth += brackets.count("(") - brackets.count(")")
        if depth == 0:
            found.append(begun)
            begun = ""
    return found


def unrolled(text: str, cycles: int) -> str:
    """Functions of a state as constants of each of so many cycles and of the one behind them."""
    inside, between = [], []
    for cycle in range(cycles + 1):

        def at(match, behind=0, cycle=cycle):
            return f"{match[1][:-1]}@{cycle + behind}|"

        for each in definitions(text):
            if each.startswith("(declare-sort"):
                continue
            steps = "next_state" in each
            if steps and cycle == cycles:
                continue
            each = re.sub(rf"(?<=define-fun ){NAME} \(\(state {STATE}\)[^)]*\)+ ", lambda match: f"{at(match)} () ", each)
            each = re.sub(rf"(?<=declare-fun ){NAME} \({STATE}\)", lambda match: f"{at(match)} ()", each)
            each = re.sub(rf"\({NAME} state\)", at, each)
            each = re.sub(rf"\({NAME} next_state\)", lambda match: at(match, 1), each)
            (between if steps else inside).append(each)
    return "".join(inside + between)


def step(model: Path, depth: int, solver: str | Path) -> tuple[bool | None, str]:
    """Whether every assertion holds in a cycle when all held in the ``depth`` cycles before it; and a log.

    An assertion may stand on those before it in the same cycle. One that is not decided in ``SECONDS`` makes it None.
    """
    text = model.read_text()
    lines = [unrolled(text, depth)]
    lines += [f"(assert |top_a@{n}|)(assert |top_t@{n}|)" for n in range(depth)]
    lines += [f"(assert |top_u@{n}|)(assert |top_h@{n}|)" for n in range(depth + 1)]
    places = []
    for place, group in groupby(ASSERTION.findall(text), key=lambda each: each[2]):
        its = " ".join(f"|top_a {number}@{depth}|" for number, _, _ in group)
        lines += ["(push)", f"(assert (not (and true {its})))", BITS, "(pop)", f"(assert (and true {its}))"]
        places.append(place)
    run = subprocess.run(
        [solver, "-smt2", "-in", f"-t:{SECONDS * 1000}"],
        input="\n".join(lines),
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        check=False,
    )
    verdicts = re.findall(r"^(sat|unsat|unknown|timeout|\(error.*)$", run.stdout, re.MULTILINE)
    log = []
    for place, verdict in zip(places, verdicts, strict=False):
        if verdict == "sat":
            log.append(f"Assert failed in top: {place} (induction)")
        elif verdict != "unsat":
            log.append(f"Not decided: {place}: {verdict}")
    proved = len(verdicts) == len(places) and all(verdict == "unsat" for verdict in verdicts)
    refuted = any(verdict == "sat" for verdict in verdicts)
    return (True if proved else False if refuted else None), "\n".join(log or [run.stdout[-2000:] * (not proved)])
