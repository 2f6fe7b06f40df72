"""A card in the small world: the engine behind wires of its own, and the driver through which a host reaches it.

The card takes its feeds and its order connection from the wire whether a host lives or not. Through the driver go commands and
recovery packets in, and events out, which wait in a ring until they are fetched.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

from drivers import commands
from drivers.commanded import CommandedDevice
from drivers.device import Batch, DeviceError, Identity
from drivers.software import SoftwareDevice
from sim.faults.clockwork import Clockwork, Life
from sim.faults.exchange import SimulatedExchange
from sim.faults.network import Stream
from wire.records import EVENT, INPUT, OUTPUT, Port

TICK = 10_000_000
"""ns between two ticks of a device."""
RING = 1 << 14
"""Events that wait for the host."""
_NOTHING = np.zeros(0, EVENT.dtype)


class Board:
    """A device on wires.

    Parameters
    ----------
    clockwork : Clockwork
    life : Life
        Of whoever runs it: a card's power, or a process.
    counts : Counter
    symbols, levels, orders : int
        Sizes of the device.

    Attributes
    ----------
    device : SoftwareDevice
    stream : Stream or None
        To the exchange.
    is_set : bool
        Whether a host has configured it.
    on_send : callable or None
        Told when bytes go out.
    """

    def __init__(self, clockwork: Clockwork, life: Life, counts: Counter[str], *, symbols: int, levels: int, orders: int) -> None:
        self._clockwork, self.life, self._counts = clockwork, life, counts
        self.device = SoftwareDevice(symbols=symbols, levels=levels, orders=orders)
        self.device.subscribe(self._take)
        self.stream: Stream | None = None
        self.is_set = False
        self.on_send: Callable[[bytes], None] | None = None
        self._ring: list[NDArray[np.void]] = []
        self._waiting = 0
        clockwork.every(TICK, self._tick, life=life)

    def feed(self, port: Port) -> Callable[[bytes], None]:
        """What takes the frames of a feed."""

        def arrive(frame: bytes) -> None:
            if not self.life.is_over:
                self.put(port, frame)

        return arrive

    def put(self, port: Port, data: bytes) -> Batch:
        """One input, now."""
        return self.device.process(np.array([(self._clockwork.now, 0, len(data), port)], INPUT), data)

    def _tick(self) -> None:
        self.put(Port.TICK, b"")

    def _take(self, batch: Batch) -> None:
        for number in range(len(batch.outputs)):
            octets = batch.output(number)
            self._counts["packets to the exchange"] += 1
            if self.on_send is not None:
                self.on_send(octets)
            if self.stream is not None:
                self.stream.send(0, octets)
        if len(batch.events):
            if self._waiting + len(batch.events) > RING:
                self._counts["events lost"] += len(batch.events)
                return
            self._ring.append(batch.events)
            self._waiting += len(batch.events)

    def told(self) -> NDArray[np.void]:
        """Events since the last call."""
        found = np.concatenate(self._ring) if self._ring else _NOTHING
        self._ring.clear()
        self._waiting = 0
        return found

    # -- the order connection ----------------------------------------------------------------------

    def received(self, data: bytes) -> None:
        """Bytes of the exchange."""
        if not self.life.is_over:
            self.put(Port.SESSION, data)

    def lost(self) -> None:
        """The order connection is gone."""
        self.stream = None
        if not self.life.is_over:
            self.put(Port.COMMAND, commands.session_down())

    def connect(self, exchange: SimulatedExchange) -> bool:
        """Open an order connection; whether somebody is there."""
        self.stream = exchange.connect(0, self)
        return self.stream is not None

    def hang_up(self) -> None:
        """Close the order connection, if there is one."""
        if self.stream is not None:
            self.stream.close(0)
            self.lost()

    def power_off(self) -> None:
        """It does nothing any more. Its connection stands, as far as the other side knows."""
        self.life.end()
        if self.stream is not None:
            self.stream.is_half_open = True


class Driver(CommandedDevice):
    """A host's access to a board.

    Parameters
    ----------
    board : Board
    life : Life
        Of the driver's process: without it the board is out of reach.
    """

    def __init__(self, board: Board, life: Life) -> None:
        super().__init__()
        self.board, self.life = board, life
        self._next_event = -1
        board.told()  # to somebody before us

    def identify(self) -> Identity:
        """What the board is."""
        return self.board.device.identify()

    def counters(self) -> dict[str, int]:
        """Every counter by name."""
        self._reach()
        return self.board.device.counters()

    def close(self) -> None:
        """Let go of the board, which goes on."""

    @property
    def is_there(self) -> bool:
        """Whether the board can be reached."""
        return not self.life.is_over and not self.board.life.is_over

    @property
    def clock(self) -> int:
        """Stamp of the board's last input, ns."""
        return self.board.device.clock

    @property
    def mapped(self) -> tuple[int, ...]:
        """The symbols that have a stock, in ascending order."""
        return self.board.device.mapped

    def poll(self) -> None:
        """Take what was told, and hand it to the subscribers.

        Raises
        ------
        DeviceError
            The board is out of reach.
        """
        self._reach()
        events = self.board.told()
        if len(events):
            self._deliver(Batch(events, np.zeros(0, OUTPUT), np.zeros(0, np.uint8)))

    def _holes(self, events: NDArray[np.void]) -> int:
        if self._next_event < 0 and len(events):  # what a host before this one took is not lost
            self._next_event = int(events["sequence"][0])
        return super()._holes(events)

    def _check(self, inputs: NDArray[np.void], length: int) -> None:
        wrong = ~np.isin(inputs["port"], (Port.RECOVERY, Port.COMMAND))
        if wrong.any():
            raise ValueError(f"input {int(wrong.argmax())}: feeds, session and clock a board has by itself")

    def _exchange(self, inputs: NDArray[np.void], buffer: NDArray[np.uint8]) -> Batch:
        self._reach()
        for row in inputs:
            at = int(row["offset"])
            self.board.put(Port(int(row["port"])), buffer[at : at + int(row["length"])].tobytes())
        return Batch(self.board.told(), np.zeros(0, OUTPUT), np.zeros(0, np.uint8))

    def _reach(self) -> None:
        if self.life.is_over:
            raise DeviceError("the driver's process is gone")
        if self.board.life.is_over:
            raise DeviceError("the card does not answer")
