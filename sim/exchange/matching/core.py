"""The core: commands in, events out, in order."""

from __future__ import annotations

from typing import Any

import numpy as np

from sim.exchange.matching import digest, trading
from sim.exchange.matching.cross import cross, imbalance
from sim.exchange.matching.digest import Resting
from sim.exchange.matching.ladder import order_at
from sim.exchange.matching.limit import tell_collar, watch
from sim.exchange.matching.orders import begin, find
from sim.exchange.matching.state import (
    CANCELLED,
    COMMANDS,
    E_DETAIL,
    ENTERED,
    EVENTS,
    EXECUTED,
    IN_SYMBOL,
    KIND,
    LAST_REFERENCE,
    LEVEL_COUNT,
    LIVE,
    MATCHES,
    MAX_LEVELS,
    MAX_ORDERS,
    NOW,
    O_DISPLAY,
    O_OPEN,
    O_REFERENCE,
    O_SYMBOL,
    OPENED,
    ORDER_WIDTH,
    ORDERS_AT,
    OWNER,
    PENDING,
    PRICE,
    REFERENCE,
    SYMBOL,
    SYMBOL_COUNT,
    SYMBOL_WIDTH,
    SYMBOLS_AT,
    TIME,
    USED,
    VALUE,
    WIDTH,
    Command,
    Event,
    Reason,
    Vector,
    create,
    list_symbol,
)
from wire.compiled import inner, uncounted

_ENTER, _CANCEL, _REPLACE, _STATE, _BANDS, _CROSS, _IMBALANCE, _SYSTEM, _CANCEL_ALL, _COLLAR = (
    each.value for each in Command
)
_SYSTEM_EVENT, _ROOM = Event.SYSTEM.value, 16
_FOR_ALL = Reason.SYSTEM.value


class Core:
    """A matching engine.

    Parameters
    ----------
    symbols, levels, orders : int
        As for :func:`~sim.exchange.matching.state.create`.
    events : int
        Events that are collected before :meth:`process` has to hand them out; it grows where one command needs more.
    """

    def __init__(self, symbols: int = 8, levels: int = 4096, orders: int = 1 << 17, events: int = 1 << 14) -> None:
        self.memory = create(symbols, levels, orders)
        self.events = np.zeros((max(events, 2 * _ROOM), WIDTH), np.int64)

    def open_symbol(self, symbol: int, base: int, tick: int = 100, reference: int = 0, state: int = ord("T")) -> None:
        """Begin a symbol; errors as :func:`~sim.exchange.matching.state.list_symbol`."""
        list_symbol(self.memory, symbol, base, tick, reference, state)

    def process(self, commands: Vector) -> Vector:
        """Everything that the commands cause, as a copy."""
        parts, first = [], 0
        while first < len(commands) or self.memory[PENDING]:
            before = first
            first = int(run(self.memory, self.events, commands, first))
            count = int(self.memory[EVENTS])
            if count:
                parts.append(self.events[:count].copy())
                self.memory[EVENTS] = 0
            elif first == before:
                self.events = np.zeros((2 * len(self.events), WIDTH), np.int64)
        return np.concatenate(parts) if parts else np.zeros((0, WIDTH), np.int64)

    def one(self, kind: Command, **fields: int) -> Vector:
        """One command, its fields by the names of their columns in small letters; what it causes."""
        return self.process(command(kind, **fields)[None])

    def queue(self, symbol: int, side: int) -> list[Resting]:
        """A side of the book in the order in which it trades."""
        return digest.queue(self.memory, symbol, side)

    def depth(self, symbol: int, side: int, levels: int = MAX_LEVELS) -> list[tuple[int, int, int]]:
        """Displayed price, shares and orders of the best levels."""
        out = np.zeros((min(levels, int(self.memory[LEVEL_COUNT])), 3), np.int64)
        return [tuple(row) for row in out[: digest.depth(self.memory, symbol, side, out)].tolist()]

    def is_live(self, reference: int) -> bool:
        """Whether an order of this reference is open."""
        slot = reference & MAX_ORDERS
        at = int(self.memory[ORDERS_AT]) + slot * ORDER_WIDTH
        return 0 < slot <= self.memory[USED] and int(self.memory[at + O_REFERENCE]) == reference

    @property
    def hash(self) -> int:
        """Of the whole state."""
        return int(digest.state_hash(self.memory))

    @property
    def last_reference(self) -> int:
        """Reference of the order that the last command entered or replaced, 0 if it was refused."""
        return int(self.memory[LAST_REFERENCE])

    @property
    def counters(self) -> dict[str, int]:
        """Shares: ``entered = executed + cancelled + open`` (a trade counts on both sides); and numbers of things."""
        places = {
            "commands": COMMANDS,
            "shares_entered": ENTERED,
            "shares_executed": EXECUTED,
            "shares_cancelled": CANCELLED,
            "shares_open": OPENED,
            "orders_open": LIVE,
            "matches": MATCHES,
        }
        return {name: int(self.memory[place]) for name, place in places.items()}


def command(kind: Command, **fields: int) -> Vector:
    """A command's row; fields are named as the columns of :mod:`~sim.exchange.matching.state`, in small letters."""
    row = np.zeros(WIDTH, np.int64)
    row[KIND] = kind
    for name, value in fields.items():
        row[COLUMNS[name]] = value
    return row


COLUMNS = {
    name: at
    for at, name in enumerate(
        (
            "kind", "time", "symbol", "side", "price", "shares", "display", "flags",
            "firm", "owner", "token", "reference", "prevention", "value",
        )
    )
}  # fmt: skip


@inner
def execute(memory: Any, events: Any, row: Any) -> bool:
    """One command; False if it has to come again when there is more room for events."""
    kind, symbol = row[KIND], row[SYMBOL]
    room = len(events) - memory[EVENTS]
    if room < _ROOM:
        return False
    known = symbol >= 0 and symbol < memory[SYMBOL_COUNT]
    if kind == _CROSS or kind == _BANDS:
        if known and room < _ROOM + cross_room(memory, symbol):
            return False
    elif kind == _CANCEL_ALL and room < _ROOM + memory[LIVE]:
        return False
    memory[NOW] = max(memory[NOW], row[TIME])
    memory[COMMANDS] += 1
    about = symbol if known else -1
    if kind == _CANCEL or kind == _REPLACE:
        slot = find(memory, row[REFERENCE])
        about = memory[order_at(memory, slot) + O_SYMBOL] if slot != 0 else -1
    if kind == _ENTER:
        trading.enter(memory, events, row)
    elif kind == _CANCEL:
        trading.cancel_down(memory, events, row)
    elif kind == _REPLACE:
        trading.replace(memory, events, row)
    elif kind == _CANCEL_ALL:
        reason = row[VALUE] if row[VALUE] != 0 else _FOR_ALL
        trading.cancel_all(memory, events, symbol, row[OWNER], reason)
    elif kind == _SYSTEM:
        n = begin(memory, events, _SYSTEM_EVENT)
        events[n, E_DETAIL] = row[VALUE]
    elif known:
        if kind == _STATE:
            trading.set_state(memory, events, symbol, row[VALUE])
        elif kind == _BANDS:
            trading.set_bands(memory, events, symbol, row[PRICE], row[VALUE])
        elif kind == _CROSS:
            cross(memory, events, row)
        elif kind == _IMBALANCE:
            imbalance(memory, events, row)
        elif kind == _COLLAR:
            tell_collar(memory, events, row)
    if kind == _CANCEL_ALL:
        for each in range(memory[SYMBOL_COUNT]):
            watch(memory, each)
    elif about >= 0 and memory[PENDING] == 0:
        watch(memory, about)
    return True


@inner
def cross_room(memory: Any, symbol: int) -> int:
    """Events that a cross writes at most: with every pair of executions one piece of an order that is shown at once is
    used up, and perhaps two are shown; at the end orders are cancelled.
    """
    pieces = 0
    for slot in range(1, memory[USED] + 1):
        order = order_at(memory, slot)
        if memory[order + O_REFERENCE] != 0 and memory[order + O_SYMBOL] == symbol:
            display = memory[order + O_DISPLAY]
            pieces += 1 if display == 0 else (memory[order + O_OPEN] + display - 1) // display
    return 4 * pieces + memory[memory[SYMBOLS_AT] + symbol * SYMBOL_WIDTH + IN_SYMBOL]


@uncounted
def run(memory: Any, events: Any, commands: Any, first: int) -> int:
    """Commands from ``first`` on, until the events have no more room; the next command."""
    while True:
        if memory[PENDING] != 0:
            symbol = memory[order_at(memory, memory[PENDING]) + O_SYMBOL]
            trading.resume(memory, events, memory[PENDING])
            if memory[PENDING] != 0:
                return first
            watch(memory, symbol)
        if first >= len(commands) or not execute(memory, events, commands[first]):
            return first
        first += 1
