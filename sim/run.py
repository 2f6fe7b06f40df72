"""One device in one world, from the first input to the last."""

from __future__ import annotations

import hashlib
import time as clock
from bisect import bisect_left, insort
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Protocol

import numpy as np

from sim.merge import merge
from sim.sources.tape import Vector
from sim.venue import Venue
from sim.venue.state import Now, Sent
from wire.records import EVENT, INPUT, OUTPUT, RECORD_LENGTH, EventType, Port

if TYPE_CHECKING:
    from sim.world import World

Command = tuple[int, bytes]
"""When, ns since midnight, and the command's 64 bytes."""
NEVER = np.iinfo(np.int64).max
_BATCH = 1 << 15
_RECOVERY_LOSS = 0x2EC0
_EVERY = 0.1
_LOG_COUNT, _SENT_TIME = int(Now.LOG_COUNT), int(Sent.TIME)  # looking into an enumeration takes longer than its use
_GAP = int(EventType.GAP)


class Batch(Protocol):
    """What a device makes of inputs: events, packets for the exchange, and the bytes of these."""

    @property
    def events(self) -> Vector:
        """Of ``wire.records.EVENT``."""

    @property
    def outputs(self) -> Vector:
        """Of ``wire.records.OUTPUT``."""

    @property
    def payload(self) -> Vector:
        """``uint8``."""


class Device(Protocol):
    """What can be put into a world: the engine, the twin, any ``drivers.device.Device``."""

    def process(self, inputs: Vector, buffer: Vector) -> Batch:
        """Handles inputs in their order; what they caused."""


@dataclass(frozen=True, slots=True)
class Progress:
    """How far a run is: messages of the tape and of how many, its time, inputs and batches, our seconds."""

    messages: int
    of: int
    time: int
    inputs: int
    batches: int
    seconds: float


class _Rows:
    """Rows that come in batches, in one growing array."""

    def __init__(self, kind: np.dtype[np.void] | type) -> None:
        self.rows, self.count = np.zeros(1 << 12, kind), 0

    def extend(self, rows: Vector) -> None:
        """Appends."""
        end = self.count + len(rows)
        if end > len(self.rows):
            new = np.zeros(max(end, 2 * len(self.rows)), self.rows.dtype)
            new[: self.count] = self.rows[: self.count]
            self.rows = new
        self.rows[self.count : end] = rows
        self.count = end

    @property
    def all(self) -> Vector:
        """All that there are."""
        return self.rows[: self.count]


@dataclass(slots=True)
class _Handed:
    """The inputs in the order in which they were handed over, and the bytes of those that were not known before."""

    parts: list[Vector] = field(default_factory=list)
    octets: list[bytes] = field(default_factory=list)
    size: int = 0


class Run:
    """A device in a world.

    Parameters
    ----------
    world : World
    device : Device
        With a ``subscribe`` method (any ``drivers.device.Device``) others may command it too, at :attr:`now`: what
        comes out then is recorded, and orders reach the venue.
    commands : (time, bytes)
        What the host does, and when. Times before the begin mean the begin.
    react : callable or None
        Given the events of a batch, the commands that the host makes of them. They come ``react_ns`` after the
        last of these events, or later if they say so.
    react_ns : int
        At least 1. Less than the world's lookahead makes more batches.
    record : bool
        Keep all inputs, for :meth:`inputs`.
    keep_events : bool
        Keep all events.

    Attributes
    ----------
    venue : Venue
        Orders, fills and counters of the exchange's side.
    now : int
        All inputs before it were handed over, ns since midnight.
    batches, handed : int
        Calls of the device, and inputs in them.
    requests, recovered : int
        Gaps that were asked for, and packets of the answers.
    """

    def __init__(
        self,
        world: World,
        device: Device,
        commands: Iterable[Command] = (),
        *,
        react: Callable[[Vector], Iterable[Command]] | None = None,
        react_ns: int = 1_000_000,
        record: bool = False,
        keep_events: bool = True,
    ) -> None:
        config = world.config
        if react_ns < 1:
            raise ValueError(f"react_ns {react_ns}: at least 1")
        self.world, self.device, self.now = world, device, world.begin
        self.venue = Venue(world.columns, config.venue, config.seed)
        self.batches = self.handed = self.requests = self.recovered = 0
        self._lookahead = config.lookahead_ns if react is None else min(config.lookahead_ns, react_ns)
        self._react, self._react_ns, self._keep = react, react_ns, keep_events
        self._events, self._outputs = _Rows(EVENT.dtype), _Rows(OUTPUT)
        self._payload, self._handed = _Rows(np.uint8), _Handed() if record else None
        self._times = memoryview(world.inputs["timestamp"].astype(np.int64))
        self._taken = np.zeros(4, np.int64)
        """Rows used of the known inputs, of the venue's packets and of the others; see :func:`sim.merge.merge`."""
        self._merged, self._others, self._octets = np.zeros(_BATCH, INPUT), np.zeros(0, INPUT), np.zeros(0, np.uint8)
        self._due: list[tuple[int, int, int, bytes]] = []
        self._scheduled, self._changed, self._others_at = 0, False, NEVER
        self._random = np.random.default_rng([config.seed, _RECOVERY_LOSS])
        self._answers_until = -1
        self._seconds = 0.0
        for time, data in commands:
            self.schedule(time, data)
        subscribe = getattr(device, "subscribe", None)
        self._unsubscribe: Callable[[], None] | None = subscribe and subscribe(self.take)

    # -- what the host does --------------------------------------------------------------------

    def schedule(self, time: int, data: bytes) -> None:
        """A command at a time; what is over means now.

        Raises
        ------
        ValueError
            Not 64 bytes.
        """
        if len(data) != RECORD_LENGTH:
            raise ValueError(f"a command of {len(data)} bytes, not {RECORD_LENGTH}")
        self._add(time, Port.COMMAND, data)

    def _add(self, time: int, port: Port, data: bytes) -> None:
        self._scheduled += 1
        insort(self._due, (max(int(time), self.now), int(port), self._scheduled, data))
        self._others_at = self._due[0][0]
        self._changed = True

    def _recover(self, event: np.void) -> None:
        """Asks for what is missing, unless the answers to the last request are still on their way."""
        config, stamp = self.world.config, int(event["timestamp"])
        if config.recovery_ns is None or (int(event["info"]) and stamp <= self._answers_until):
            return
        self.requests += 1
        answer = self.world.store.answer(int(event["value"]), int(event["quantity"]))
        time = stamp + config.recovery_ns
        for i in range(len(answer)):
            if not config.recovery_loss or self._random.random() >= config.recovery_loss:
                self._add(time, Port.RECOVERY, answer[i])
                self.recovered += 1
            time += config.recovery_spacing_ns
        self._answers_until = time

    # -- the loop ------------------------------------------------------------------------------

    @property
    def finished(self) -> bool:
        """Whether the end of the world is reached."""
        return self.now >= self.world.end

    def finish(self, progress: Callable[[Progress], None] | None = None) -> None:
        """Everything up to the end; ``progress`` is told about ten times per second."""
        said = clock.perf_counter()
        while not self.finished:
            self._step(self.world.end)
            if progress is not None and self.batches % 64 == 0 and clock.perf_counter() - said > _EVERY:
                said = clock.perf_counter()
                progress(self.progress)
        if progress is not None:
            progress(self.progress)

    def advance(self, to: int) -> None:
        """Everything before ``to``; then it is :attr:`now`."""
        while self.now < to:
            self._step(to)

    def close(self) -> None:
        """Lets go of the device."""
        if self._unsubscribe is not None:
            self._unsubscribe()
            self._unsubscribe = None

    @property
    def progress(self) -> Progress:
        """How far it is."""
        tape = self.world.tape
        done = int(np.searchsorted(tape.timestamps, self.now))
        return Progress(done, len(tape), self.now, self.handed, self.batches, self._seconds)

    def _step(self, to: int) -> None:
        """One batch, of inputs before ``to``; none where nothing is left before it."""
        begin, world, venue, taken = clock.perf_counter(), self.world, self.venue, self._taken
        latency = venue.config.order_latency_ns
        known, answered = int(taken[0]), int(taken[1])
        first = min(self._times[known] if known < len(self._times) else NEVER, self._others_at)
        venue.advance(min(first, to) + latency, answered)
        now, wire = venue.now, venue.wire
        answer_at = int(wire.sent[answered, _SENT_TIME]) if answered < now[_LOG_COUNT] else NEVER
        first = min(first, answer_at)
        if first >= to:
            self.now = max(self.now, to)
            return
        until = min(first + self._lookahead, to)
        if min(self._others_at, answer_at) >= until:
            last = min(bisect_left(self._times, until, known), known + _BATCH)
            inputs, scratch = world.inputs[known:last], world.scratch
            taken[0] = last
        else:
            if self._changed:
                self._arrange()
            taken[3] = now[_LOG_COUNT]
            others = int(taken[2])
            count = merge(
                world.inputs, wire.sent, wire.log, self._others, self._octets, until, self._merged, world.frames,
                world.scratch, world.scratch + world.scratch_size, taken,
            )  # fmt: skip
            inputs, scratch = self._merged[:count], int(taken[3])
            if taken[2] != others:
                del self._due[: int(taken[2]) - others]
                self._others_at = self._due[0][0] if self._due else NEVER
        self.now = int(inputs[-1]["timestamp"])
        if self._handed is not None:
            self._keep_inputs(self._handed, inputs, scratch)
        self.batches += 1
        self.handed += len(inputs)
        batch = self.device.process(inputs, world.frames)
        if self._unsubscribe is None:
            self.take(batch)
        self._seconds += clock.perf_counter() - begin

    def _arrange(self) -> None:
        """Puts what is due into arrays."""
        lengths = np.array([len(data) for *_, data in self._due], np.int64)
        self._others = np.zeros(len(self._due), INPUT)
        self._others["timestamp"] = [time for time, *_ in self._due]
        self._others["port"] = [port for _, port, *_ in self._due]
        self._others["offset"], self._others["length"] = np.cumsum(lengths) - lengths, lengths
        self._octets = np.frombuffer(b"".join(data for *_, data in self._due), np.uint8)
        self._taken[2], self._changed = 0, False

    def take(self, batch: Batch) -> None:
        """What came out of the device: events are recorded, orders go to the venue, the host reacts."""
        events, outputs = batch.events, batch.outputs
        if len(outputs):
            self.venue.submit_all(outputs, batch.payload)
            shift = self._payload.count
            self._payload.extend(batch.payload)
            first = self._outputs.count
            self._outputs.extend(outputs)
            self._outputs.rows["offset"][first : self._outputs.count] += np.uint64(shift)
        if len(events):
            if self._keep:
                self._events.extend(events)
            for event in events[events["type"] == _GAP]:
                self._recover(event)
            if self._react is not None:
                soonest = int(events[-1]["timestamp"]) + self._react_ns
                for time, data in self._react(events):
                    self.schedule(max(time, soonest), data)

    # -- what was recorded ---------------------------------------------------------------------

    @property
    def events(self) -> Vector:
        """All events, ``wire.records.EVENT``; none without ``keep_events``."""
        return self._events.all

    @property
    def outputs(self) -> Vector:
        """All packets to the exchange, ``wire.records.OUTPUT`` with offsets into :attr:`payload`."""
        return self._outputs.all

    @property
    def payload(self) -> Vector:
        """The bytes of :attr:`outputs`."""
        return self._payload.all

    def _keep_inputs(self, handed: _Handed, inputs: Vector, scratch_end: int) -> None:
        """Copies; what lies in the scratch part of the buffer is moved behind the world's own bytes."""
        begin, kept = self.world.scratch, inputs.copy()
        if scratch_end > begin:
            moved = (kept["offset"] >= begin) & (kept["offset"] < scratch_end) & (kept["length"] > 0)
            kept["offset"][moved] += np.uint64(len(self.world.frames) + handed.size - begin)
            handed.octets.append(self.world.frames[begin:scratch_end].tobytes())
            handed.size += scratch_end - begin
        handed.parts.append(kept)

    def inputs(self) -> tuple[Vector, Vector]:
        """All inputs that were handed over, and the buffer that they index: another device takes them as they are.

        Raises
        ------
        ValueError
            They were not recorded.
        """
        if self._handed is None:
            raise ValueError("inputs are kept with record=True")
        octets = np.frombuffer(b"".join(self._handed.octets), np.uint8)
        parts = self._handed.parts or [np.zeros(0, INPUT)]
        return np.concatenate(parts), np.concatenate([self.world.frames, octets])

    def digest(self) -> str:
        """SHA-256 of all events and all packets to the exchange."""
        sha = hashlib.sha256(self.events.tobytes())
        sha.update(np.ascontiguousarray(self.outputs[["timestamp", "cause", "length"]]).tobytes())
        sha.update(self.payload.tobytes())
        return sha.hexdigest()
