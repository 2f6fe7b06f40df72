"""The engine on sockets as a device: the loop of `engine.live` in a thread of this process."""

from __future__ import annotations

import shutil
import socket
import time
from pathlib import Path

from drivers.device import DeviceError, Identity
from drivers.ringed import RingDevice, Rings, ring_folder
from drivers.sockets import FeedSockets
from drivers.software import identity_of
from engine.live.live import DAY_NS, Interface, LiveEngine
from engine.path import Engine
from engine.references import Alive, alive
from wire.counters import COUNTERS

PATIENCE_SECONDS = 5.0


class LiveDevice(RingDevice):
    """The path in software on real sockets.

    What comes of the feeds and of the order connection the loop takes and stamps itself, and its orders go out without
    anybody else.

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
        feeds: FeedSockets | Interface,
        *,
        symbols: int = 16,
        levels: int = 4096,
        orders: int = 16384,
        core: int | None = None,
        tick_ns: int = 100_000_000,
        idle_us: int = 0,
        folder: Path | None = None,
    ) -> None:
        self._engine = Engine(symbols, levels, orders)
        self._feeds, self._core, self._tick_ns, self._idle_us = feeds, core, tick_ns, idle_us
        self._made: Path | None = None
        if folder is None:
            folder = self._made = ring_folder()
        super().__init__(Rings.make(folder), PATIENCE_SECONDS)
        self._order: socket.socket | None = None
        self._closed = False
        self._offset = time.time_ns() % DAY_NS - time.monotonic_ns()
        self._live = self._started()

    def _started(self) -> LiveEngine:
        rings = self._rings
        live = LiveEngine(
            self._engine, self._feeds, rings.commands, rings.events, recovery=rings.recovery, tape=rings.tape,
            tick_ns=self._tick_ns, idle_us=self._idle_us, offset=self._offset, control=rings.control,
        )  # fmt: skip
        live.start(self._core)
        return live

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
        self._rings.commands.take()
        self._rings.recovery.take_packets()
        self._rings.tape.take_packets()
        self._live = self._started()

    def connect(self, order: socket.socket | None) -> None:
        """Take over an order connection that has no login yet, and close the one before. None: have none."""
        if order is None or not self._closed:
            self._live.connect(order)
        if self._order is not None:
            self._order.close()
        self._order = order

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

    def alive(self) -> Alive:
        """Orders in the books. To be asked only while the feed cannot change them: behind a SET_FEED to another session."""
        return alive(self._engine.state.book)

    def check_running(self) -> None:
        """Raises DeviceError if the loop has ended."""
        if self._closed:
            raise DeviceError("the device is closed")
        if not self._live.running:
            raise DeviceError(f"the loop has ended: {self._live.error!r}")
