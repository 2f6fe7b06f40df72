"""The world around a device: feeds, faults, venue, re-requests and host, in the order of their time.

A discrete-event loop. The device's inputs are feed packets, bytes of the order session, commands of the host and
clock ticks; all of them have a stamp, and they are handed over in the order of their stamps (at the same stamp in the
order of their ports). What the device does at a stamp comes back ``lookahead`` later at the soonest: the way to the
venue and back, or to the re-request server and back. So everything before the next input's stamp plus that is known and
goes into one call, and no device can tell how it was cut.

Everything follows from the tape and one :class:`WorldConfig`: two runs that get the same orders from their devices give
them the same inputs.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np

from sim import faults, publisher
from sim.faults import CommonLoss, FaultConfig
from sim.publisher import FEED_A, FEED_B, SESSION, FeedConfig, Store
from sim.run import Command, Device, Progress, Run
from sim.sources.tape import Tape, Vector
from sim.venue import VenueConfig
from sim.venue.columns import Columns, resolve
from wire.records import INPUT, Opcode, Port, command

NANOSECONDS = 1_000_000_000
SCRATCH = 1 << 22
"""Bytes of the frame buffer that are kept free for what is made during a run."""


@dataclass(frozen=True, slots=True)
class WorldConfig:
    """Everything but the tape.

    Parameters
    ----------
    seed : int
        Of all that is random.
    session : str
        MoldUDP64 session.
    feed_a, feed_b : FeedConfig
    faults_a, faults_b : FaultConfig
    common_loss : CommonLoss
    feed_heartbeat_ns : int
        A heartbeat packet after so long a silence on a feed; 0 for none.
    venue : VenueConfig
    tick_ns : int
        Between two clock ticks; 0 for none.
    host_heartbeat_ns : int
        Between two HEARTBEAT commands; 0 for none.
    recovery_ns : int or None
        From a gap's declaration to the first answer of the re-request server; None asks nobody.
    recovery_spacing_ns : int
        Between two packets of an answer.
    recovery_loss : float
        Probability that one of them is lost.
    lead_ns, tail_ns : int
        From the beginning to the first packet, and from the last packet to the end.
    """

    seed: int = 1
    session: str = SESSION
    feed_a: FeedConfig = FEED_A
    feed_b: FeedConfig = FEED_B
    faults_a: FaultConfig = FaultConfig()
    faults_b: FaultConfig = FaultConfig(delay_ns=6_000)
    common_loss: CommonLoss = CommonLoss()
    feed_heartbeat_ns: int = NANOSECONDS
    venue: VenueConfig = VenueConfig()
    tick_ns: int = 100_000_000
    host_heartbeat_ns: int = 0
    recovery_ns: int | None = 200_000
    recovery_spacing_ns: int = 1_000
    recovery_loss: float = 0.0
    lead_ns: int = NANOSECONDS
    tail_ns: int = NANOSECONDS

    def __post_init__(self) -> None:
        for name in ("feed_heartbeat_ns", "tick_ns", "host_heartbeat_ns", "recovery_spacing_ns"):
            if getattr(self, name) < 0:
                raise ValueError(f"{name} {getattr(self, name)}: not negative")
        if min(self.lead_ns, self.tail_ns) < 0:
            raise ValueError(f"lead_ns {self.lead_ns}, tail_ns {self.tail_ns}: not negative")
        if self.recovery_ns is not None and self.recovery_ns < 1:
            raise ValueError(f"recovery_ns {self.recovery_ns}: at least 1")
        if not 0.0 <= self.recovery_loss <= 1.0:
            raise ValueError(f"recovery_loss {self.recovery_loss}: a probability is 0 to 1")

    @property
    def lookahead_ns(self) -> int:
        """The soonest that anything comes back after a stamp."""
        return min(self.venue.latency_ns, self.recovery_ns or self.venue.latency_ns)


class World:
    """A day, ready to be run as often as wanted.

    Parameters
    ----------
    tape : Tape
        What the exchange publishes.
    config : WorldConfig

    Attributes
    ----------
    a, b : Arrivals
        The packets as they arrive on the two feeds.
    store : Store
        The re-request server.
    inputs, frames : INPUT and uint8
        What does not depend on the device, in order, and the bytes; from ``scratch`` on :data:`SCRATCH` of them are free.
    begin, end : int
        Time of the first and behind the last of these inputs, ns since midnight.
    """

    def __init__(self, tape: Tape, config: WorldConfig | None = None) -> None:
        if len(tape) == 0:
            raise ValueError("a tape without messages")
        self.tape, self.config = tape, config or WorldConfig()
        config = self.config
        holes = faults.holes(len(tape), config.common_loss, config.seed)
        feeds = ((config.feed_a, config.faults_a), (config.feed_b, config.faults_b))
        self.a, self.b = (
            faults.arrivals(
                publisher.publish(tape, feed, session=config.session, heartbeat_ns=config.feed_heartbeat_ns),
                fault,
                seed=config.seed,
                feed=number,
                holes=holes,
            )
            for number, (feed, fault) in enumerate(feeds)
        )
        self.store = Store(tape, session=config.session)
        first = min(int(a.timestamps[0]) if len(a) else int(tape.timestamps[0]) for a in (self.a, self.b))
        last = max(int(a.timestamps[-1]) if len(a) else int(tape.timestamps[-1]) for a in (self.a, self.b))
        self.begin, self.end = max(first - config.lead_ns, 0), last + config.tail_ns
        self.scratch, self.scratch_size = len(self.a.buffer) + len(self.b.buffer), SCRATCH
        self.inputs, self.frames = self._known_inputs()

    @cached_property
    def columns(self) -> Columns:
        """The tape as the venue wants it."""
        return resolve(self.tape)

    def start(self, device: Device, commands: Iterable[Command] = (), **options: Any) -> Run:
        """A run at its beginning; see :class:`Run`."""
        return Run(self, device, commands, **options)

    def run(
        self,
        device: Device,
        commands: Iterable[Command] = (),
        *,
        progress: Callable[[Progress], None] | None = None,
        **options: Any,
    ) -> Run:
        """A whole run; ``options`` as for :class:`Run`."""
        run = self.start(device, commands, **options)
        run.finish(progress)
        return run

    def _known_inputs(self) -> tuple[Vector, Vector]:
        """What does not depend on the device, in order, and the bytes: feed packets, heartbeats of the host, ticks."""
        config = self.config
        heartbeat = np.frombuffer(command(Opcode.HEARTBEAT), np.uint8)
        frames = np.concatenate([self.a.buffer, self.b.buffer, np.zeros(SCRATCH, np.uint8), heartbeat])
        parts = [
            _inputs(Port.FEED_A, self.a.timestamps, self.a.offsets, self.a.lengths),
            _inputs(Port.FEED_B, self.b.timestamps, self.b.offsets + len(self.a.buffer), self.b.lengths),
        ]
        for port, step, at, length in (
            (Port.COMMAND, config.host_heartbeat_ns, len(frames) - len(heartbeat), len(heartbeat)),
            (Port.TICK, config.tick_ns, 0, 0),
        ):
            if step:
                times = np.arange(self.begin + step, self.end, step)
                parts.append(_inputs(port, times, np.full(len(times), at), np.full(len(times), length)))
        inputs = np.concatenate(parts)
        order = np.argsort(inputs["timestamp"].astype(np.int64) << 3 | inputs["port"], kind="stable")
        return inputs[order], frames


def _inputs(port: Port, times: Vector, offsets: Vector, lengths: Vector) -> Vector:
    inputs = np.zeros(len(times), INPUT)
    inputs["timestamp"], inputs["offset"], inputs["length"], inputs["port"] = times, offsets, lengths, port
    return inputs
