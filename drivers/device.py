"""The ``Device``: what the control plane trades with, be it a card, the card in simulation or the engine.

A device takes *inputs* (frames, bytes of the order session, commands, clock ticks) in batches and gives
events and order packets. Everything that it is told in words (`configure_symbol`, `submit`, `kill`, ...)
becomes a command, an input like the others: a device sees nothing else, which is what makes a recorded run
replay exactly.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from drivers.settings import Feed, GlobalLimits, Limits, Quoter, SymbolSetup, Taker
from wire import reasons
from wire.records import NO_SYMBOL, TIME_IN_FORCE_DAY, CommandError, OuchVersion, Side, SlotState

Octets = bytes | bytearray | memoryview | NDArray[np.uint8]


@dataclass(frozen=True, slots=True)
class Identity:
    """What a device is.

    ``build`` says which: a hash of sources and parameters. ``slots`` are own orders per symbol and side,
    ``hold_slots`` packets held per feed port.
    """

    kind: str
    version: tuple[int, int]
    build: str
    symbols: int
    levels: int
    orders: int
    slots: int
    hold_slots: int


@dataclass(frozen=True, slots=True)
class Level:
    """A price of a book: 1e-4, shares, number of orders."""

    price: int
    quantity: int
    orders: int


@dataclass(frozen=True, slots=True)
class Book:
    """The levels of a symbol, best first."""

    bids: tuple[Level, ...]
    asks: tuple[Level, ...]


@dataclass(frozen=True, slots=True)
class Position:
    """Where a symbol stands: shares, cash and P&L in 1e-4 x shares, mark in 1e-4.

    ``blocked_by`` is the mask of the reasons why the quoter may not trade it (`wire.reasons`).
    """

    position: int
    cash: int
    mark: int
    pnl: int
    blocked_by: int


@dataclass(frozen=True, slots=True)
class OpenOrder:
    """One of the device's own orders that is not done. ``remaining`` and ``executed`` in shares, prices in
    1e-4.
    """

    order_id: int
    symbol: int
    side: Side
    slot: int
    state: SlotState
    strategy: int
    price: int
    remaining: int
    executed: int
    pending_id: int
    pending_price: int
    tag: int
    cancel_wanted: bool


@dataclass(frozen=True, slots=True)
class Snapshot:
    """A device's state: books and positions by symbol, open orders, counters by name."""

    books: Mapping[int, Book]
    positions: Mapping[int, Position]
    orders: tuple[OpenOrder, ...]
    counters: Mapping[str, int]


@dataclass(frozen=True, slots=True)
class Batch:
    """What came out of a batch of inputs.

    Parameters
    ----------
    events : array of wire.records.EVENT.dtype
    outputs : array of wire.records.OUTPUT
        Packets for the exchange, with offsets into ``payload``.
    payload : uint8
    input_cycles : uint64, one row per input, optional
        Clock cycles in which its first and last beat were taken. Devices without a clock of their own have
        none.
    output_cycles : uint64, one per output, optional
        Clock cycle of its first beat.
    events_lost : int
        Holes in the sequence of events.
    recovered : Snapshot, optional
        The state after the batch, taken because events were lost.
    """

    events: NDArray[np.void]
    outputs: NDArray[np.void]
    payload: NDArray[np.uint8]
    input_cycles: NDArray[np.uint64] | None = None
    output_cycles: NDArray[np.uint64] | None = None
    events_lost: int = 0
    recovered: Snapshot | None = None

    def output(self, number: int) -> bytes:
        """The bytes of one packet for the exchange."""
        row = self.outputs[number]
        start = int(row["offset"])
        return self.payload[start : start + int(row["length"])].tobytes()


@dataclass(frozen=True, slots=True)
class Answer:
    """What the device said to a command.

    ``order_id`` is that of the order sent (0 if none was), ``refused_by`` the mask of the risk gate's
    reasons. ``batch`` has all that came out: orders among it are for the exchange, whoever asked for them.
    """

    error: CommandError
    order_id: int
    refused_by: int
    batch: Batch

    @property
    def ok(self) -> bool:
        """Whether it was done."""
        return self.error is CommandError.NONE

    @property
    def reasons(self) -> list[str]:
        """Names of the reasons why the risk gate refused."""
        return reasons.names(self.refused_by)


class DeviceError(RuntimeError):
    """A device that cannot be used, or did what it must not."""


class CommandRefusedError(DeviceError):
    """A command that the device answered with an error; ``answer`` has the answer."""

    def __init__(self, command: str, answer: Answer) -> None:
        super().__init__(f"{command}: {answer.error.name}")
        self.answer = answer


class Device(Protocol):
    """One contract for card, twin and software.

    ``at`` is the stamp of a command in ns; without it the stamp of the last input. Stamps never go back.
    Verbs that configure raise `CommandRefusedError`; those that trade give the refusal in the `Answer`,
    since it is what trading is about.
    """

    @property
    def clock(self) -> int:
        """Stamp of the last input, ns."""
        ...

    @property
    def events_lost(self) -> int:
        """Events that were lost since the device was opened."""
        ...

    def identify(self) -> Identity:
        """What the device is."""
        ...

    def process(self, inputs: NDArray[np.void], buffer: Octets) -> Batch:
        """Hand over inputs (`wire.records.INPUT`, offsets into ``buffer``), in this order, and take what
        comes out.

        Raises
        ------
        ValueError
            A stamp goes back, or an input reaches behind the buffer.
        """
        ...

    def subscribe(self, listener: Callable[[Batch], None]) -> Callable[[], None]:
        """Call ``listener`` with every batch, whoever caused it, in order. Calling the answer ends it."""
        ...

    def command(self, data: bytes, at: int | None = None) -> Answer:
        """Hand over one command from `drivers.commands`."""
        ...

    def configure_symbol(self, symbol: int, setup: SymbolSetup, *, at: int | None = None) -> Answer:
        """Map a stock to a book."""
        ...

    def configure_limits(self, symbol: int, limits: Limits, *, at: int | None = None) -> Answer:
        """Set a symbol's limits."""
        ...

    def configure_quoter(self, symbol: int, quoter: Quoter, *, at: int | None = None) -> Answer:
        """Set a symbol's quoter."""
        ...

    def configure_taker(self, symbol: int, taker: Taker, *, at: int | None = None) -> Answer:
        """Set a symbol's taker. The value's age counts from here."""
        ...

    def configure_global(self, limits: GlobalLimits, *, at: int | None = None) -> Answer:
        """Set the limits over all symbols."""
        ...

    def configure_feed(self, feed: Feed, *, at: int | None = None) -> Answer:
        """Start the feed anew."""
        ...

    def set_trading(self, symbol: int = NO_SYMBOL, *, at: int | None = None, **state: Any) -> Answer:
        """Set what may trade; ``state`` as in `drivers.commands.set_trading`."""
        ...

    def set_position(
        self, symbol: int, *, position: int, cash: int = 0, mark: int = 0, at: int | None = None
    ) -> Answer:
        """Say where a symbol stands."""
        ...

    def submit(
        self,
        symbol: int,
        side: Side,
        price: int,
        quantity: int,
        *,
        strategy: int = 1,
        time_in_force: int = TIME_IN_FORCE_DAY,
        tag: int = 0,
        at: int | None = None,
    ) -> Answer:
        """Send an order through the risk gate."""
        ...

    def replace(
        self, order_id: int, price: int, quantity: int, *, tag: int = 0, at: int | None = None
    ) -> Answer:
        """Change an order's price and open quantity, through the risk gate."""
        ...

    def cancel(self, order_id: int, *, tag: int = 0, at: int | None = None) -> Answer:
        """Take an order back."""
        ...

    def cancel_all(self, symbol: int = NO_SYMBOL, *, at: int | None = None) -> Answer:
        """Take back all orders, or all of a symbol."""
        ...

    def login(
        self,
        username: str,
        password: str,
        *,
        session: str = "",
        sequence: int = 1,
        ouch: OuchVersion = OuchVersion.V4_2,
        at: int | None = None,
    ) -> Answer:
        """Log in to the order session, to speak ``ouch``."""
        ...

    def logout(self, *, at: int | None = None) -> Answer:
        """End the order session."""
        ...

    def session_down(self, *, at: int | None = None) -> Answer:
        """Say that the order session's connection is lost."""
        ...

    def resume_feed(self, sequence: int, *, at: int | None = None) -> Answer:
        """Give up what is missing of the feed before ``sequence``."""
        ...

    def trust(self, symbol: int = NO_SYMBOL, *, at: int | None = None) -> Answer:
        """Vouch for a book, or for all."""
        ...

    def heartbeat(self, *, at: int | None = None) -> Batch:
        """Say that the host is alive."""
        ...

    def tick(self, at: int) -> Batch:
        """Let the clock go on to ``at``."""
        ...

    def kill(
        self, *, symbol: int | None = None, strategy: int | None = None, at: int | None = None
    ) -> Answer:
        """Stop everything, one symbol or one strategy; open orders are taken back."""
        ...

    def clear_kill(
        self, *, symbol: int | None = None, strategy: int | None = None, at: int | None = None
    ) -> Answer:
        """Undo `kill` of the same scope."""
        ...

    def snapshot(self, *, depth: int = 5, at: int | None = None) -> Snapshot:
        """Books to ``depth`` levels, positions, open orders and counters of every mapped symbol."""
        ...

    def counters(self) -> dict[str, int]:
        """Every counter of `wire.counters` by name."""
        ...

    def close(self) -> None:
        """Give back what the device holds."""
        ...
