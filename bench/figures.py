"""Measured figures, kept as JSON under ``build/``: what a benchmark, place and route or a proof found.

Each of ``build/bench.json``, ``build/synth.json`` and ``build/formal.json`` is one object::

    {"figures": [{"name": ..., "value": ..., "unit": ..., "peer": ..., "ratio": ..., "command": ...,
                  "machine": ..., "measured": ...}],
     "area": ..., "critical_path": ..., "proofs": ...}

``figures`` is what the README shows; what stands beside it is detail that its writer defines. A new figure
replaces the one of the same name, and leaves the others: benchmarks run alone add up to one page.

``hw`` may not import this, so its tools print such an object, and ``make synth`` and ``make formal`` hand it
to ``python -m bench.figures SOURCE``. There a figure needs no more than name, value and unit.
"""

import argparse
import fcntl
import json
import os
import platform
import re
import sys
from collections.abc import Iterable
from dataclasses import asdict, dataclass, field
from datetime import UTC, datetime
from functools import cache
from pathlib import Path
from typing import Any, Literal

ROOT = Path(__file__).resolve().parents[1]
BUILD = ROOT / "build"

Source = Literal["bench", "synth", "formal"]
SOURCES: tuple[Source, ...] = ("bench", "synth", "formal")


@cache
def machine() -> str:
    """The machine in a few words: processor, cores, Python."""
    processor = platform.processor() or platform.machine()
    cpuinfo = Path("/proc/cpuinfo")
    if cpuinfo.exists() and (model := re.search(r"^model name\s*: (.+)$", cpuinfo.read_text(), re.MULTILINE)):
        processor = model[1]
    return f"{processor}, {os.cpu_count()} cores, Python {platform.python_version()}"


@dataclass(frozen=True)
class Figure:
    """One measured number.

    Parameters
    ----------
    name : str
        What was measured, in words: it is the row's title in the README, and its key.
    value : float or str
        The number, in ``unit``. A text ("proved") where the answer is not a number.
    unit : str
        "million messages/s", "ns", "cycles", "MHz"; empty for a text.
    command : str
        The command that measures it again, from a fresh clone: ``make bench ONLY=book``.
    peer : str, optional
        What was measured beside it in the same run, with version and its own number: "itch-book 0.2.1, 13.0".
    ratio : float, optional
        How many times better than the peer; below 1 it is worse. See `times_better`.

    Raises
    ------
    ValueError
        A ratio without a peer, or a command that is no ``make`` target.
    """

    name: str
    value: float | str
    unit: str
    command: str
    peer: str | None = None
    ratio: float | None = None
    machine: str = field(default_factory=machine)
    measured: str = field(default_factory=lambda: datetime.now(UTC).strftime("%Y-%m-%d"))

    def __post_init__(self) -> None:
        if self.ratio is not None and self.peer is None:
            raise ValueError(f"{self.name}: ratio {self.ratio} to no peer")
        if not self.command.startswith("make "):
            raise ValueError(f"{self.name}: {self.command!r} is no make target, so nobody else can run it")


def times_better(ours: float, peers: float, *, better: Literal["higher", "lower"]) -> float:
    """How many times better ``ours`` is than ``peers``, for rates (higher) or durations (lower)."""
    return ours / peers if better == "higher" else peers / ours


def read(source: Source, build: Path = BUILD) -> dict[str, Any]:
    """What ``build/SOURCE.json`` holds; ``{"figures": []}`` where it has not been measured yet."""
    path = build / f"{source}.json"
    return json.loads(path.read_text()) if path.exists() else {"figures": []}


def write(source: Source, figures: Iterable[Figure], build: Path = BUILD, **details: Any) -> Path:
    """Merge figures, and ``details`` as they are, into ``build/SOURCE.json``; the file's path.

    Two writers at once both get in: the file is locked while it is read and replaced.
    """
    build.mkdir(parents=True, exist_ok=True)
    path = build / f"{source}.json"
    with (build / f".{source}.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        held = read(source, build)
        by_name = {each["name"]: each for each in held.get("figures", [])}
        by_name |= {each.name: asdict(each) for each in figures}
        held |= details | {"figures": list(by_name.values())}
        fresh = path.with_suffix(".json.new")
        fresh.write_text(json.dumps(held, indent=2, ensure_ascii=False) + "\n")
        fresh.replace(path)
    return path


def main() -> int:
    """Merge the object that a tool prints on standard input into ``build/SOURCE.json``."""
    parser = argparse.ArgumentParser(prog="python -m bench.figures", description=main.__doc__)
    parser.add_argument("source", choices=SOURCES)
    source = parser.parse_args().source
    details = json.load(sys.stdin)
    figures = [Figure(**{"command": f"make {source}"} | each) for each in details.pop("figures")]
    print(f"{len(figures)} figures in {write(source, figures, **details).relative_to(ROOT)}")
    for figure in figures:
        print(f"  {figure.name}: {figure.value} {figure.unit}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
