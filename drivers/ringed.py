"""A device at the other end of rings in shared memory: in a thread (`drivers.live`), or in a process (`drivers.process`)."""

from __future__ import annotations

import tempfile
import time
from abc import abstractmethod
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from drivers.device import Batch, DeviceError
from drivers.sockets import SocketDevice
from engine.live.live import CONTROL_WORDS
from engine.live.loop import Control
from engine.live.rings import CONSUMED, PRODUCED, PacketRing, Ring, Vector, read, shared_words
from wire.records import EVENT, OUTPUT, Port

COMMANDS, EVENTS, RECOVERY, TAPE = 1 << 12, 1 << 17, 1 << 8, 1 << 12
"""Capacities of the rings."""
SPINS = 50
NO_OUTPUTS, NO_PAYLOAD = np.zeros(0, OUTPUT), np.zeros(0, np.uint8)


class Rings(NamedTuple):
    """All that is shared with a loop (`engine.live.loop`): its rings, and its words of `Control`."""

    commands: Ring
    events: Ring
    recovery: PacketRing
    tape: PacketRing
    control: Vector

    @classmethod
    def make(cls, folder: Path) -> Rings:
        """New ones, in files of these names."""
        return cls(
            Ring(folder / "commands", COMMANDS), Ring(folder / "events", EVENTS), PacketRing(folder / "recovery", RECOVERY),
            PacketRing(folder / "tape", TAPE), shared_words(folder / "control", CONTROL_WORDS),
        )  # fmt: skip

    @classmethod
    def open(cls, folder: Path) -> Rings:
        """Those that are there.

        Raises
        ------
        OSError, RingError
            They are not.
        """
        return cls(
            Ring(folder / "commands"), Ring(folder / "events"), PacketRing(folder / "recovery"), PacketRing(folder / "tape"),
            shared_words(folder / "control"),
        )  # fmt: skip


def ring_folder() -> Path:
    """A new folder for rings, in memory where there is one."""
    memory = Path("/dev/shm")
    return Path(tempfile.mkdtemp(prefix="hairpin-", dir=memory if memory.is_dir() else None))


class RingDevice(SocketDevice):
    """Commands and recovery frames go in by rings, events come out by a ring.

    Parameters
    ----------
    rings : Rings
    patience : float
        Seconds after which a loop that has taken nothing is dead.
    """

    def __init__(self, rings: Rings, patience: float) -> None:
        super().__init__()
        self._rings, self._patience = rings, patience

    @abstractmethod
    def check_running(self) -> None:
        """Raises DeviceError if nobody is at the other end."""

    @property
    def clock(self) -> int:
        """Stamp of the last turn that had inputs, ns."""
        return int(self._rings.control[Control.STAMP])

    @property
    def now(self) -> int:
        """What the loop would stamp now, ns."""
        return time.monotonic_ns() + int(self._rings.control[Control.OFFSET])

    @property
    def connected(self) -> bool:
        """Whether there is an order connection, so far as the loop knows."""
        return bool(self._rings.control[Control.ORDER_FILE] >= 0)

    def poll(self) -> Batch:
        """Take what was told since the last call, and hand it to the subscribers."""
        self.check_running()
        return self._deliver_rest()

    def record(self, on: bool) -> None:
        """Copy the feeds' packets to the tape, or no more. What it held before is thrown away when it begins."""
        if on:
            self._rings.tape.take_packets()
        self._rings.control[Control.TAPE] = on

    def tape(self) -> list[bytes]:
        """Take the frames that were copied since."""
        return [frame for _, frame in self._rings.tape.take_packets()]

    @property
    def tape_lost(self) -> int:
        """Packets that the tape had no room for, ever."""
        return self._rings.tape.lost

    def _deliver_rest(self) -> Batch:
        """Hand over what was told, even if it was a loop's last word."""
        events = self._told()
        batch = Batch(events, NO_OUTPUTS, NO_PAYLOAD)
        return self._deliver(batch) if len(events) else batch

    def _exchange(self, inputs: NDArray[np.void], buffer: NDArray[np.uint8]) -> Batch:
        self.check_running()
        commands, recovery = self._rings.commands, self._rings.recovery
        told = [self._told()]  # a full ring would have no room for the answer
        before = None
        for row in inputs:
            at, length, port = int(row["offset"]), int(row["length"]), int(row["port"])
            if before not in (None, port):  # two rings: what is in one is to be done before what is in the other
                told += self._until_done()
            before = port
            data = buffer[at : at + length].tobytes()
            if port == Port.COMMAND:
                told += self._until(lambda: len(commands) < commands.capacity)
                commands.put(data)
            else:
                told += self._until(lambda: len(recovery) < recovery.capacity)
                recovery.put_packet(data, port)
        told += self._until_done()
        return Batch(np.concatenate(told), NO_OUTPUTS, NO_PAYLOAD)

    def _until_done(self) -> Iterator[NDArray[np.void]]:
        """Wait until the loop has handled everything that is in the rings; the events meanwhile.

        What it has taken out of a ring belongs to the turn that it is in: with that turn's end, all events of it are there.
        """
        rings, control = (self._rings.commands.words, self._rings.recovery.words), self._rings.control
        yield from self._until(lambda: all(read(ring, PRODUCED) == read(ring, CONSUMED) for ring in rings))
        turns = int(read(control, Control.TURNS.value))
        yield from self._until(lambda: read(control, Control.TURNS.value) > turns)
        yield self._told()

    def _until(self, done: Callable[[], bool]) -> Iterator[NDArray[np.void]]:
        spins, end = 0, time.monotonic() + self._patience
        while not done():
            yield self._told()
            spins += 1
            if spins > SPINS:
                self.check_running()
                if time.monotonic() > end:
                    raise DeviceError(f"the loop took nothing for {self._patience} s")
            time.sleep(0 if spins < SPINS else 0.000_05)

    def _told(self) -> NDArray[np.void]:
        return self._rings.events.take(EVENTS).reshape(-1).view(EVENT.dtype)
