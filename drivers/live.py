"""The engine on sockets as a device: the loop of `engine.live` in a thread, told by rings."""

from __future__ import annotations

import os
import shutil
import socket
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from drivers.commanded import CommandedDevice
from drivers.device import Batch, DeviceError, Identity
from drivers.software import identity_of
from engine.live.live import DAY_NS, Interface, LiveEngine
from engine.live.loop import Control
from engine.live.rings import CONSUMED, PRODUCED, PacketRing, Ring, read
from engine.path import Engine
from engine.references import Alive, alive
from wire.counters import COUNTERS
from wire.frames import udp_frame
from wire.records import EVENT, INPUT, OUTPUT, Port

COMMANDS, EVENTS, RECOVERY, TAPE = 1 << 12, 1 << 17, 1 << 8, 1 << 12
"""Capacities of the rings."""
PATIENCE_SECONDS = 5.0
SPINS = 50
_NO_OUTPUTS, _NO_PAYLOAD = np.zeros(0, OUTPUT), np.zeros(0, np.uint8)


class LiveDevice(CommandedDevice):
    """The path in software on real sockets, in this process.

    What comes of the feeds and of the order connection the loop takes and stamps itself, and its orders go out without
    anybody else; `process` takes commands and frames of the recovery port, whatever stamps they have. What was told in the
    meantime is there at the next call, or at `poll`.

    Parameters
    ----------
    feeds : pair of socket, or Interface
        As `engine.live.live.LiveEngine` takes them. They stay their owner's.
    symbols, levels, orders : int
        Books, price levels per side of each, orders alive in all of them together.
    core : int, optional
        To which the loop is pinned.
    tick_ns : int
        Between two ticks.
    idle_us : int
        Microseconds that the loop sleeps when there is nothing to do; 0: it polls, and needs a core to itself.
    folder : Path, optional
        Of the rings, which other processes can open there; without it one of its own, in memory.

    Raises
    ------
    ValueError
        Sizes that are not possible.
    """

    def __init__(
        self,
        feeds: tuple[socket.socket, socket.socket] | Interface,
        *,
        symbols: int = 16,
        levels: int = 4096,
        orders: int = 16384,
        core: int | None = None,
        tick_ns: int = 100_000_000,
        idle_us: int = 0,
        folder: Path | None = None,
    ) -> None:
        super().__init__()
        self._engine = Engine(symbols, levels, orders)
        self._feeds, self._core, self._tick_ns, self._idle_us = feeds, core, tick_ns, idle_us
        self._made: Path | None = None
        if folder is None:
            memory = Path("/dev/shm")
            folder = self._made = Path(tempfile.mkdtemp(prefix="hairpin-", dir=memory if memory.is_dir() else None))
        self._commands, self._events = Ring(folder / "commands", COMMANDS), Ring(folder / "events", EVENTS)
        self._recovery, self._tape = PacketRing(folder / "recovery", RECOVERY), PacketRing(folder / "tape", TAPE)
        self._order: socket.socket | None = None
        self._closed = False
        self._offset = time.time_ns() % DAY_NS - time.monotonic_ns()
        self._live = self._started()

    def _started(self) -> LiveEngine:
        live = LiveEngine(
            self._engine, self._feeds, self._commands, self._events,
            recovery=self._recovery, tape=self._tape, tick_ns=self._tick_ns, idle_us=self._idle_us, offset=self._offset,
        )  # fmt: skip
        live.start(self._core)
        return live

    # -- the device --------------------------------------------------------------------------------

    @property
    def clock(self) -> int:
        """Stamp of the last turn that had inputs, ns."""
        return int(self._live.control[Control.STAMP])

    @property
    def now(self) -> int:
        """What the loop would stamp now, ns: since midnight UTC when the device was made, never back."""
        return time.monotonic_ns() + self._offset

    def identify(self) -> Identity:
        """What the device is."""
        return identity_of(self._engine, "live")

    def counters(self) -> dict[str, int]:
        """Every counter by name."""
        return dict(zip(COUNTERS, self._engine.counters.tolist(), strict=True))

    def close(self) -> None:
        """End the loop and throw the rings away."""
        if self._closed:
            return
        self._closed = True
        self._live.close()
        self.connect(None)
        if self._made is not None:
            shutil.rmtree(self._made, ignore_errors=True)

    def poll(self) -> Batch:
        """Take what was told since the last call, and hand it to the subscribers."""
        self._check_running()
        events = self._told()
        return self._deliver(Batch(events, _NO_OUTPUTS, _NO_PAYLOAD)) if len(events) else _nothing()

    def restart(self) -> None:
        """Have a new engine in the place of the old one, which is not configured and knows of no order, position or session.

        The numbers of events and of orders go on. What stood in the rings is gone; the order connection is closed.
        """
        self._live.close()
        self.connect(None)
        self._deliver_rest()
        old = self._engine.state.core[0]
        self._engine = Engine(self._engine.symbols, self._engine.levels, self._engine.orders)
        core = self._engine.state.core[0]
        core["event_sequence"], core["generation"] = old["event_sequence"], old["generation"]
        self._mapped.clear()
        self._commands.take()
        self._recovery.take_packets()
        self._tape.take_packets()
        self._live = self._started()

    def _deliver_rest(self) -> None:
        """Hand over what a loop that has ended told last."""
        events = self._told()
        if len(events):
            self._deliver(Batch(events, _NO_OUTPUTS, _NO_PAYLOAD))

    # -- what only a device on sockets has ---------------------------------------------------------

    def connect(self, order: socket.socket | None) -> None:
        """Take over an order connection that has no login yet, and close the one before. None: have none."""
        if order is None or not self._closed:
            self._live.connect(order)
        if self._order is not None:
            self._order.close()
        self._order = order

    @property
    def connected(self) -> bool:
        """Whether there is an order connection, so far as the loop knows."""
        return self._live.connected

    @property
    def session_messages(self) -> int:
        """Sequenced messages of the order session that were ever taken, over all connections."""
        return self._engine.session_messages

    @property
    def generation(self) -> int:
        """Number of the last order."""
        return self._engine.generation

    def begin_after(self, generation: int) -> None:
        """Number the next order behind ``generation``: the ids before it may be known to the exchange from an earlier life.

        Raises
        ------
        ValueError
            There are later orders already.
        """
        self._engine.begin_after(generation)

    def record(self, on: bool) -> None:
        """Copy the feeds' packets to the tape, or no more. What it held before is thrown away when it begins."""
        if on:
            self._tape.take_packets()
        self._live.record(on)

    def tape(self) -> list[bytes]:
        """Take the frames that were copied since."""
        return [frame for _, frame in self._tape.take_packets()]

    @property
    def tape_lost(self) -> int:
        """Packets that the tape had no room for, ever."""
        return self._tape.lost

    def alive(self) -> Alive:
        """Orders in the books. To be asked only while the feed cannot change them: behind a SET_FEED to another session."""
        return alive(self._engine.state.book)

    # -- rings -------------------------------------------------------------------------------------

    def _check(self, inputs: NDArray[np.void], length: int) -> None:
        wrong = ~np.isin(inputs["port"], (Port.RECOVERY, Port.COMMAND))
        if wrong.any():
            port = int(inputs["port"][wrong.argmax()])
            raise ValueError(
                f"input {int(wrong.argmax())}: port {port}; a device on sockets takes commands and recovery frames, "
                "feeds, order session and clock it has by itself"
            )
        ends = inputs["offset"].astype(np.uint64) + inputs["length"]
        if len(inputs) and int(ends.max()) > length:
            raise ValueError(f"input {int(ends.argmax())}: behind the buffer of {length} bytes")

    def _exchange(self, inputs: NDArray[np.void], buffer: NDArray[np.uint8]) -> Batch:
        self._check_running()
        told = [self._told()]  # a full ring would have no room for the answer
        before = None
        for row in inputs:
            at, length, port = int(row["offset"]), int(row["length"]), int(row["port"])
            if before not in (None, port):  # two rings: what is in one is to be done before what is in the other
                told += self._until_done()
            before = port
            data = buffer[at : at + length].tobytes()
            if port == Port.COMMAND:
                told += self._until(lambda: len(self._commands) < self._commands.capacity)
                self._commands.put(data)
            else:
                told += self._until(lambda: len(self._recovery) < self._recovery.capacity)
                self._recovery.put_packet(data, port)
        told += self._until_done()
        return Batch(np.concatenate(told), _NO_OUTPUTS, _NO_PAYLOAD)

    def _answers(self, events: NDArray[np.void], data: bytes) -> NDArray[np.void]:
        """Those of the same kind: the loop has a command of its own, SESSION_DOWN, when it loses the order connection."""
        answers = super()._answers(events, data)
        return answers[answers["value"] == data[0]][-1:]

    def _until_done(self) -> Iterator[NDArray[np.void]]:
        """Wait until the loop has handled everything that is in the rings; the events meanwhile.

        What it has taken out of a ring belongs to the turn that it is in: with that turn's end, all events of it are there.
        """
        rings = self._commands.words, self._recovery.words
        yield from self._until(lambda: all(read(ring, PRODUCED) == read(ring, CONSUMED) for ring in rings))
        turns = int(read(self._live.control, Control.TURNS.value))
        yield from self._until(lambda: read(self._live.control, Control.TURNS.value) > turns)
        yield self._told()

    def _until(self, done: Any) -> Iterator[NDArray[np.void]]:
        spins, end = 0, time.monotonic() + PATIENCE_SECONDS
        while not done():
            yield self._told()
            spins += 1
            if spins > SPINS:
                self._check_running()
                if time.monotonic() > end:
                    raise DeviceError(f"the loop took nothing for {PATIENCE_SECONDS} s")
            time.sleep(0 if spins < SPINS else 0.000_05)

    def _told(self) -> NDArray[np.void]:
        return self._events.take(EVENTS).reshape(-1).view(EVENT.dtype)

    def _check_running(self) -> None:
        if self._closed:
            raise DeviceError("the device is closed")
        if not self._live.running:
            raise DeviceError(f"the loop has ended: {self._live.error!r}")

    def inject(self, payloads: list[bytes]) -> Batch:
        """Hand MoldUDP64 packets to the recovery port, in this order, and take what comes out."""
        frames = [
            udp_frame(each, source=0, destination=0, source_port=0, destination_port=0, checksummed=False) for each in payloads
        ]
        return self.inject_frames(frames)

    def inject_frames(self, frames: list[bytes]) -> Batch:
        """Hand Ethernet frames to the recovery port, in this order, and take what comes out."""
        lengths = np.array([len(each) for each in frames], np.int64)
        inputs = np.zeros(len(frames), INPUT)
        inputs["length"], inputs["offset"], inputs["port"] = lengths, np.cumsum(lengths) - lengths, Port.RECOVERY
        return self.process(inputs, b"".join(frames))


def _nothing() -> Batch:
    return Batch(np.zeros(0, EVENT.dtype), _NO_OUTPUTS, _NO_PAYLOAD)


def spare_core() -> int | None:
    """A core for the loop: the last one, if there are more than two."""
    cores = sorted(os.sched_getaffinity(0))
    return cores[-1] if len(cores) > 2 else None
