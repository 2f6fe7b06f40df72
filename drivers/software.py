"""The engine as a device."""

from __future__ import annotations

import hashlib
from typing import Any

import numpy as np
from numpy.typing import NDArray

from drivers.commanded import CommandedDevice
from drivers.device import Batch, DeviceError, Identity
from wire.counters import COUNTERS
from wire.records import HOLD_SLOTS, SLOTS

VERSION = (1, 0)


def identity_of(engine: Any, kind: str) -> Identity:
    """What a device is that runs an engine."""
    sizes = f"{kind} {VERSION} {engine.symbols} {engine.levels} {engine.orders}"
    return Identity(
        kind=kind,
        version=VERSION,
        build=hashlib.sha256(sizes.encode()).hexdigest()[:8],
        symbols=engine.symbols,
        levels=engine.levels,
        orders=engine.orders,
        slots=SLOTS,
        hold_slots=HOLD_SLOTS,
    )


class SoftwareDevice(CommandedDevice):
    """The path in software, in this process.

    Parameters
    ----------
    symbols, levels, orders : int
        Books, price levels per side of each, orders alive in all of them together.

    Raises
    ------
    ValueError
        Sizes that are not possible.
    """

    def __init__(self, *, symbols: int = 16, levels: int = 4096, orders: int = 16384) -> None:
        super().__init__()
        from engine.path import Engine

        self._engine: Any = Engine(symbols, levels, orders)

    @property
    def _running(self) -> Any:
        if self._engine is None:
            raise DeviceError("the device is closed")
        return self._engine

    def identify(self) -> Identity:
        """What the device is."""
        return identity_of(self._running, "software")

    def counters(self) -> dict[str, int]:
        """Every counter by name."""
        return dict(zip(COUNTERS, self._running.counters.tolist(), strict=True))

    @property
    def session_messages(self) -> int:
        """Sequenced messages of the order session that were ever taken, over all connections."""
        return int(self._running.session_messages)

    @property
    def generation(self) -> int:
        """Number of the last order."""
        return int(self._running.generation)

    def begin_after(self, generation: int) -> None:
        """Let the ids of its orders come after a generation: those up to it are another device's.

        Raises
        ------
        ValueError
            Its own are past that already.
        """
        self._running.begin_after(generation)

    def close(self) -> None:
        """Let the engine go."""
        self._engine = None

    def _exchange(self, inputs: NDArray[np.void], buffer: NDArray[np.uint8]) -> Batch:
        events, outputs, payload = self._running.process(inputs, buffer)
        return Batch(events, outputs, payload)
