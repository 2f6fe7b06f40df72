"""``hairpin run``: one world, each device in it from first message to last, and the report of both."""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from control import VERSION
from control.configuration import Configuration
from control.latency import of_batches, of_cycles, routed_clock
from control.market import RunError, Source, open_device, source, start, world
from control.monitor import Monitor
from control.outcome import Name, Outcome
from control.parity import Answer, compare
from control.report import DeviceReport, DeviceTiming, InputReport, Report
from control.screen import Progress
from control.series import SymbolSeries, of_symbol
from drivers.device import Batch, Device, DeviceError
from drivers.latency import LATENCY, trigger_to_order

if TYPE_CHECKING:
    from sim.run import Run
    from sim.world import World

__all__ = ["Result", "RunError", "execute"]

DEPTH = 10
REPLAY_INPUTS = 512
SOFTWARE_LATENCY = (
    "Wall time of the engine per input (a frame, an answer of the venue, a command or a tick): the run's "
    f"inputs once more, {REPLAY_INPUTS} per call, each call's time divided by its inputs. Single inputs vary "
    "more."
)
CARD_LATENCY = (
    "Clock cycles of the simulated card from the beat with the last byte of the ITCH message to the first "
    "beat of the first order that it caused, inputs one at a time."
)


@dataclass(frozen=True)
class Result:
    """The report, and what its plots are drawn from: the series of the first device by stock."""

    report: Report
    series: Mapping[str, SymbolSeries]


def execute(
    configuration: Configuration,
    devices: Sequence[Name],
    progress: Progress,
    *,
    pcap: Path | None = None,
    waveform: Path | None = None,
) -> Result:
    """Run each of the devices in one world; ``pcap`` takes what the first had on the wire, ``waveform`` the twin's signals.

    Raises
    ------
    RunError
        The source, the world or a device could not be made, or a device failed.
    """
    progress.say("making the market")
    what = source(configuration)
    around = world(configuration, what.tape)
    outcomes: list[Outcome] = []
    inputs = 0
    for name in devices:
        run, outcome = _run(configuration, name, what, around, progress, waveform)
        outcomes.append(outcome)
        inputs = inputs or run.handed
        if pcap is not None and name == devices[0]:
            from control.capture import write

            progress.say(f"writing {pcap}")
            write(pcap, run)
    answers = {outcome.name: outcome.answer for outcome in outcomes}
    parity = None
    if "software" in answers and "twin" in answers:
        parity = compare(answers["software"], answers["twin"], what.stocks)
    parts: list[DeviceReport] = [outcome.report(what.stocks) for outcome in outcomes]
    report = Report(
        version=VERSION,
        created=datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%SZ"),
        input=_input(configuration, what, inputs),
        devices=parts,
        parity=parity,
        configuration=configuration.model_dump(mode="json", by_alias=True),
    )
    events = outcomes[0].answer.events
    return Result(report, {stock: of_symbol(events, i) for i, stock in enumerate(what.stocks)})


def _input(configuration: Configuration, what: Source, inputs: int) -> InputReport:
    tape = what.tape
    return InputReport(
        source=configuration.input.source,
        description=what.description,
        seed=configuration.input.seed,
        stocks=what.stocks,
        messages=len(tape),
        by_type=tape.counts(),
        first_ns=int(tape.timestamps[0]),
        last_ns=int(tape.timestamps[-1]),
        inputs=inputs,
        digest=tape.digest(),
    )


class Stopwatch:
    """A device whose calls are timed: what a world sees of it.

    ``seconds`` is the wall time inside the device; with ``cycles`` every batch's orders are kept in ``latencies``, as
    `drivers.latency.LATENCY`.
    """

    def __init__(self, device: Device, *, cycles: bool) -> None:
        self._device, self._cycles = device, cycles
        self.subscribe = device.subscribe
        self.seconds = 0.0
        self.latencies: list[NDArray[np.void]] = []

    def process(self, inputs: NDArray[np.void], buffer: NDArray[np.uint8]) -> Batch:
        """Hand on, look at the clock."""
        begin = time.perf_counter()
        batch = self._device.process(inputs, buffer)
        self.seconds += time.perf_counter() - begin
        if self._cycles and len(batch.outputs) and batch.outputs["cause"].any():
            self.latencies.append(trigger_to_order(inputs, buffer, batch))
        return batch


def _run(
    configuration: Configuration, name: Name, what: Source, around: World, progress: Progress, waveform: Path | None
) -> tuple[Run, Outcome]:
    """One device through the whole world, and its state at the end."""
    device = open_device(name, configuration, progress.say, waveform=waveform)
    try:
        watch = Stopwatch(device, cycles=name == "twin")
        monitor = Monitor(what.stocks)
        device.subscribe(monitor.take)
        run = start(around, watch, configuration, what.setups, record=True)
        progress.begin(name, monitor, len(what.tape))
        try:
            run.finish(lambda state: progress.step(state.messages))
        finally:
            progress.end()
        snapshot = device.snapshot(depth=DEPTH)
        answer = Answer(run.events, run.outputs, run.payload, device.counters(), snapshot)
        identity, cycles = device.identify(), int(getattr(device, "cycles", 0))
    except DeviceError as error:
        raise RunError(f"{name}: {error}") from error
    finally:
        device.close()
    if name == "software":
        timing = _replayed(configuration, run, answer)
        return run, Outcome(name, identity, answer, timing)
    rows = np.concatenate(watch.latencies) if watch.latencies else np.zeros(0, LATENCY)
    latency = of_cycles(rows["cycles"][rows["rank"] == 0], CARD_LATENCY)
    rate = round(cycles / max(watch.seconds, 1e-9), 1)
    timing = _timing(
        watch.seconds, run.handed, answer.counters["messages"], cycles=cycles, cycles_per_second=rate
    )
    return run, Outcome(name, identity, answer, timing, latency, routed_clock())


def _timing(seconds: float, inputs: int, messages: int, **more: Any) -> DeviceTiming:
    return DeviceTiming(
        seconds=round(seconds, 6),
        inputs_per_second=round(inputs / max(seconds, 1e-9), 1),
        messages_per_second=round(messages / max(seconds, 1e-9), 1),
        **more,
    )


def _replayed(configuration: Configuration, run: Run, answer: Answer) -> DeviceTiming:
    """The software's speed: the inputs that it had, once more, in calls so large that Python counts little.

    Raises
    ------
    RunError
        The replay gave other events: the engine is not deterministic.
    """
    from engine.path import Engine

    sizes = configuration.device
    engine = Engine(sizes.symbols, sizes.levels, sizes.orders)
    inputs, buffer = run.inputs()
    spent, counts, events = [], [], 0
    for first in range(0, len(inputs), REPLAY_INPUTS):
        part = inputs[first : first + REPLAY_INPUTS]
        begin = time.perf_counter_ns()
        made = engine.process(part, buffer)
        spent.append(time.perf_counter_ns() - begin)
        counts.append(len(part))
        if made.events.tobytes() != answer.events[events : events + len(made.events)].tobytes():
            raise RunError("the engine gave other events when its inputs were replayed: it is not deterministic")
        events += len(made.events)
    latency = of_batches(np.array(spent), np.array(counts), SOFTWARE_LATENCY)
    return _timing(sum(spent) / 1e9, len(inputs), answer.counters["messages"], latency=latency)
