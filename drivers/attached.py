"""An engine on sockets that runs in another process, as a device: by its rings.

The process that has the engine may be killed, and so may this one; neither takes the other along.
"""

from __future__ import annotations

import time
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from drivers.commanded import CommandedDevice
from drivers.device import Batch, DeviceError, Identity
from engine.live.rings import PacketRing, Ring, RingError
from wire.records import EVENT, OUTPUT, EventType, Port

PATIENCE_SECONDS = 0.05
_NO_OUTPUTS, _NO_PAYLOAD = np.zeros(0, OUTPUT), np.zeros(0, np.uint8)


class AttachedDevice(CommandedDevice):
    """The rings of a `drivers.live.LiveDevice` of another process.

    Parameters
    ----------
    folder : Path
        Of its rings.
    identity : Identity
        What it is, as its process says.
    patience : float
        Seconds until it is dead that a command was not answered.

    Raises
    ------
    DeviceError
        There are no such rings.
    """

    def __init__(self, folder: Path, identity: Identity, *, patience: float = PATIENCE_SECONDS) -> None:
        super().__init__()
        try:
            self._commands, self._events = Ring(folder / "commands"), Ring(folder / "events")
            self._recovery = PacketRing(folder / "recovery")
        except (OSError, RingError) as error:
            raise DeviceError(f"{folder}: {error}") from error
        self._identity, self._patience = identity, patience
        self._last = 0

    def identify(self) -> Identity:
        """What it is."""
        return self._identity

    def counters(self) -> dict[str, int]:
        """Its counters are its process's: none are to be had here."""
        return {}

    def close(self) -> None:
        """Let go of it; it goes on."""

    @property
    def clock(self) -> int:
        """Stamp of its last event that was taken, ns."""
        return self._last

    def poll(self) -> Batch:
        """Take what was told since the last call, and hand it to the subscribers."""
        events = self._told()
        batch = Batch(events, _NO_OUTPUTS, _NO_PAYLOAD)
        return self._deliver(batch) if len(events) else batch

    def _check(self, inputs: NDArray[np.void], length: int) -> None:
        wrong = ~np.isin(inputs["port"], (Port.RECOVERY, Port.COMMAND))
        if wrong.any():
            raise ValueError(f"input {int(wrong.argmax())}: feeds, order session and clock the engine has by itself")

    def _exchange(self, inputs: NDArray[np.void], buffer: NDArray[np.uint8]) -> Batch:
        asked, before = 0, self._told()  # a full ring would have no room for the answers
        for row in inputs:
            at, length, port = int(row["offset"]), int(row["length"]), int(row["port"])
            data = buffer[at : at + length].tobytes()
            taken = self._commands.put(data) if port == Port.COMMAND else self._recovery.put_packet(data, port)
            if not taken:
                raise DeviceError("the engine takes nothing: its ring is full")
            asked += port == Port.COMMAND
        told, answers, end = [self._told()], 0, time.monotonic() + self._patience
        while True:
            kinds = told[-1]["type"]
            answers += int(np.count_nonzero((kinds == EventType.COMMAND) | (kinds == EventType.HEARTBEAT)))
            if answers >= asked:
                return Batch(np.concatenate([before, *told]), _NO_OUTPUTS, _NO_PAYLOAD)
            if time.monotonic() > end:
                raise DeviceError(f"the engine does not answer: {answers} of {asked} commands in {self._patience * 1e3:.0f} ms")
            time.sleep(0.000_05)
            told.append(self._told())

    def _told(self) -> NDArray[np.void]:
        events = self._events.take(1 << 16).reshape(-1).view(EVENT.dtype)
        if len(events):
            self._last = int(events["timestamp"][-1])
        return events
