"""A tape's orders entered into the matching engine: what a flow model or a recorded day would do to the book.

Adds are entered as day orders, deletes and partial cancels cancel, replaces replace. An execution was somebody who took: an
immediate order of the other side at that price, which finds whoever is first there now, ours among them. A
trade off the book (P) is a hidden order inside the spread and somebody who takes it, where the spread has room. What the
tape says of an order that has traded away meanwhile comes too late, and is counted.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from sim.exchange.matching.core import Core, execute, run
from sim.exchange.matching.ladder import best_at, order_at
from sim.exchange.matching.orders import find, price_of_key
from sim.exchange.matching.state import (
    ALL_SHOWN,
    DISPLAY,
    EVENTS,
    FLAGS,
    IMMEDIATE,
    KIND,
    LAST_REFERENCE,
    O_OPEN,
    O_SYMBOL,
    PENDING,
    PRICE,
    REFERENCE,
    SHARES,
    SIDE,
    STATE,
    SYMBOL,
    SYMBOL_WIDTH,
    SYMBOLS_AT,
    TIME,
    TRADING,
    WIDTH,
    Command,
    Vector,
)
from sim.sources.tape import LOCATES, Tape
from wire import itch
from wire.compiled import inner, uncounted

ENTER, CANCEL, REPLACE = Command.ENTER.value, Command.CANCEL.value, Command.REPLACE.value
_locate = itch.ADD_ORDER.reader("stock_locate")
_reference, _side = itch.ADD_ORDER.reader("order_reference"), itch.ADD_ORDER.reader("side")
_shares, _price = itch.ADD_ORDER.reader("shares"), itch.ADD_ORDER.reader("price")
_executed = itch.ORDER_EXECUTED.reader("executed_shares")
_cancelled = itch.ORDER_CANCEL.reader("cancelled_shares")
_new = itch.ORDER_REPLACE.reader("new_order_reference")
_new_shares, _new_price = itch.ORDER_REPLACE.reader("shares"), itch.ORDER_REPLACE.reader("price")
_trade_shares, _trade_price = itch.TRADE.reader("shares"), itch.TRADE.reader("price")
_A, _F, _E, _C, _X, _D, _U, _P, _S = b"AFECXDUPS"
TOO_LATE, REFUSED, SKIPPED, ENTERED, AT, STEP = range(6)
"""Of ``counts``: orders that were gone, refusals, trades off the book without room, commands; next message; and how far
into a message the driver is (a P is two commands)."""


class TapeDriver:
    """Enters a tape.

    Parameters
    ----------
    core : Core
    tape : Tape
    symbols : dict
        The core's symbols by name; the tape's other stocks are left out.
    """

    def __init__(self, core: Core, tape: Tape, symbols: dict[str, int]) -> None:
        self.core, self.tape = core, tape
        self._symbols = np.full(LOCATES, -1, np.int64)
        for listing in tape.listings():
            self._symbols[listing.stock_locate] = symbols.get(listing.stock, -1)
        adds = int(np.isin(tape.types, (_A, _F, _U)).sum())
        self._map = np.zeros((1 << max(2 * adds, 64).bit_length(), 3), np.int64)
        """Of each of the tape's orders: its reference there and here, and price and side."""
        self._counts = np.zeros(6, np.int64)
        self._row = np.zeros(WIDTH, np.int64)

    @property
    def next_time(self) -> int | None:
        """Time of the next message, None at the end."""
        at = int(self._counts[AT])
        return int(self.tape.timestamps[at]) if at < len(self.tape) else None

    @property
    def counters(self) -> dict[str, int]:
        """What was entered and what could not be."""
        names = ("too_late", "refused", "skipped", "entered", "messages")
        return dict(zip(names, self._counts.tolist(), strict=False))

    def step(self, until: int, count: int = 1 << 62) -> Vector | None:
        """The events of the messages before ``until``, at most ``count`` or an event buffer of them; None if there are none."""
        core, tape = self.core, self.tape
        at = int(self._counts[AT])
        last = min(int(np.searchsorted(tape.timestamps, until)), at + count)
        if at >= last and not core.memory[PENDING]:
            return None
        _enter(
            core.memory, core.events, tape.buffer, tape.offsets, tape.timestamps, last, self._symbols, self._map,
            self._counts, self._row,
        )  # fmt: skip
        events = core.events[: core.memory[EVENTS]].copy()
        core.memory[EVENTS] = 0
        return events


@inner
def _place(table: Any, reference: int) -> int:
    """Where a reference stands in the table, or could."""
    mask = len(table) - 1
    at = (reference * 0x2545F4914F6CDD1D >> 20) & mask
    while table[at, 0] != 0 and table[at, 0] != reference:
        at = (at + 1) & mask
    return at


@inner
def _clear(row: Any, kind: int, time: int) -> None:
    for i in range(len(row)):
        row[i] = 0
    row[KIND], row[TIME] = kind, time


@inner
def _translate(memory: Any, buffer: Any, at: int, time: int, symbols: Any, table: Any, counts: Any, row: Any) -> bool:
    """The command that a message is, in ``row``; False if it is none."""
    code = buffer[at]
    symbol = symbols[_locate(buffer, at)]
    if symbol < 0:
        return False
    if code == _P:
        return _off_book(memory, buffer, at, time, symbol, counts, row)
    if code == _A or code == _F:
        _clear(row, ENTER, time)
        row[SYMBOL], row[SIDE] = symbol, 1 if _side(buffer, at) == _S else 0
        row[PRICE], row[SHARES], row[DISPLAY] = _price(buffer, at), _shares(buffer, at), ALL_SHOWN
        return True
    if not (code == _E or code == _C or code == _X or code == _D or code == _U):
        return False
    place = _place(table, np.int64(_reference(buffer, at)))
    slot = find(memory, table[place, 1]) if table[place, 0] != 0 else 0
    if code == _E or code == _C:
        if table[place, 0] == 0:
            counts[TOO_LATE] += 1
            return False
        # Though the order may be gone, who took it still wants what he wanted.
        _clear(row, ENTER, time)
        row[SYMBOL], row[SHARES], row[FLAGS] = symbol, _executed(buffer, at), IMMEDIATE
        row[SIDE], row[PRICE] = 1 - (table[place, 2] & 1), table[place, 2] >> 1
        return True
    if slot == 0:
        counts[TOO_LATE] += 1
        return False
    order = order_at(memory, slot)
    _clear(row, REPLACE if code == _U else CANCEL, time)
    row[SYMBOL], row[REFERENCE] = memory[order + O_SYMBOL], table[place, 1]
    if code == _X:
        row[SHARES] = max(memory[order + O_OPEN] - _cancelled(buffer, at), 0)
    elif code == _U:
        row[PRICE], row[SHARES], row[DISPLAY] = _new_price(buffer, at), _new_shares(buffer, at), ALL_SHOWN
    return True


@inner
def _off_book(memory: Any, buffer: Any, at: int, time: int, symbol: int, counts: Any, row: Any) -> bool:
    """The first or the second of the two commands that make a trade with a hidden order."""
    price, taker = _trade_price(buffer, at), counts[STEP]
    if taker == 0:
        bid, ask = memory[best_at(memory, symbol * 2)], memory[best_at(memory, symbol * 2 + 1)]
        trades = memory[memory[SYMBOLS_AT] + symbol * SYMBOL_WIDTH + STATE] == TRADING
        inside = (bid == 0 or price > price_of_key(memory, symbol, 0, bid - 1)) and (
            ask == 0 or price < price_of_key(memory, symbol, 1, ask - 1)
        )
        if not (trades and inside):
            counts[SKIPPED] += 1
            return False
    _clear(row, ENTER, time)
    row[SYMBOL], row[SIDE], row[PRICE], row[SHARES] = symbol, taker, price, _trade_shares(buffer, at)
    row[FLAGS] = IMMEDIATE if taker else 0
    return True


@uncounted
def _enter(
    memory: Any, events: Any, buffer: Any, offsets: Any, times: Any, last: int, symbols: Any, table: Any, counts: Any,
    row: Any,
) -> None:  # fmt: skip
    """Messages up to ``last``, until the events have no more room."""
    if memory[PENDING] != 0:
        run(memory, events, row.reshape(1, len(row)), 1)
        if memory[PENDING] != 0:
            return
    while counts[AT] < last:
        i = counts[AT]
        at = offsets[i]
        code = buffer[at]
        if len(events) - memory[EVENTS] < 64:
            return
        if _translate(memory, buffer, at, times[i], symbols, table, counts, row):
            if not execute(memory, events, row):
                return
            counts[ENTERED] += 1
            reference = memory[LAST_REFERENCE]
            entered = code == _A or code == _F or code == _U
            if entered or code == _P:
                counts[REFUSED] += 1 if reference == 0 else 0
            if entered and reference != 0:
                mine = np.int64(_new(buffer, at)) if code == _U else np.int64(_reference(buffer, at))
                place = _place(table, mine)
                table[place, 0], table[place, 1] = mine, reference
                side = row[SIDE] if code != _U else table[_place(table, np.int64(_reference(buffer, at))), 2] & 1
                table[place, 2] = row[PRICE] << 1 | side
            if code == _P and counts[STEP] == 0 and reference != 0:
                counts[STEP] = 1
                if memory[PENDING] != 0:
                    return
                continue
        counts[STEP] = 0
        counts[AT] = i + 1
        if memory[PENDING] != 0:
            return
