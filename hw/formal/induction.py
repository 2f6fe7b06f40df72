"""Induction, assertion after assertion: what yosys writes for smtbmc, given to z3 as formulas of bits."""

import os
import re
import shutil
import subprocess
import sysconfig
from itertools import groupby
from pathlib import Path

ASSERTION = re.compile(r"; yosys-smt2-assert (\d+) (\S+) (\S+)")
NAME, STATE = r"(\|[^|]*\|)", r"\|top_s\|"
BITS = "(check-sat-using (then simplify propagate-values solve-eqs elim-uncnstr simplify bit-blast sat))"
SECONDS = 300
SOLVER = shutil.which("z3", path=f"{sysconfig.get_path('scripts')}{os.pathsep}{os.environ.get('PATH', '')}") or "z3"


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


def step(model: Path, depth: int, every: bool = True) -> tuple[bool | None, str]:
    """Whether every assertion holds in a cycle when all held in the ``depth`` cycles before it; and a log.

    An assertion may stand on those before it in the same cycle. One that is not decided in ``SECONDS`` makes it None.
    """
    text = model.read_text()
    known = [unrolled(text, depth)]
    known += [f"(assert |top_a@{n}|)(assert |top_t@{n}|)" for n in range(depth)]
    known += [f"(assert |top_u@{n}|)(assert |top_h@{n}|)" for n in range(depth + 1)]
    holds, log = True, []
    for place, group in groupby(ASSERTION.findall(text), key=lambda each: each[2]):
        its = " ".join(f"|top_a {number}@{depth}|" for number, _, _ in group)
        run = subprocess.run(
            [SOLVER, "-smt2", "-in", f"-T:{SECONDS}"],
            input="\n".join([*known, f"(assert (not (and true {its})))", BITS]),
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            check=False,
        )
        verdict = run.stdout.strip()
        if verdict == "sat":
            holds = False
            log.append(f"Assert failed in top: {place} (induction)")
            if not every:
                break
        elif verdict != "unsat":
            holds = holds and None
            log.append(f"Not decided: {place}: {verdict[:200]}")
        known.append(f"(assert (and true {its}))")
    return holds, "\n".join(log)
