"""The book: ITCH messages to a full order book (L3, queue order kept) and its price ladder, all symbols.

``docs/architecture.md``, "Semantics", sections 3 and 4. :func:`apply` takes one message, whatever its type,
and says in a :class:`Change` mask what it did; what belongs to it stands in ``result``. Messages that are not
for the book (system event, trading action, halts, short sale restriction, MWCB) are counted and handed back
as they are.

A :class:`Book` (`engine.memory`) is passed to compiled code as it is. Prices are 1e-4, quantities shares, an
*index* is a price in ticks above the symbol's base price. Nothing raises or allocates but :func:`create`.
"""

from __future__ import annotations

from enum import IntFlag
from typing import Any

import numpy as np

from engine.ladder import append, index_of_place, place_of, reduce, side_of_place, symbol_of_place, unlink
from engine.memory import MAX_LEVELS, MAX_ORDERS, MAX_SYMBOLS, ORDER, Book, create, rows
from engine.offsets import (
    BREACH_AT,
    EVENT_AT,
    EXECUTION_PRICE_AT,
    HALT_AT,
    LOCATE_AT,
    MARKET_AT,
    MATCH_AT,
    NEW_AT,
    NEW_PRICE_AT,
    NEW_SHARES_AT,
    PRICE_AT,
    PRINTABLE_AT,
    REFERENCE_AT,
    REG_SHO_AT,
    SHARES_AT,
    SIDE_AT,
    TAKEN_AT,
    TRADE_MATCH_AT,
    TRADE_PRICE_AT,
    TRADE_SHARES_AT,
    TRADE_SIDE_AT,
    TRADING_STATE_AT,
)
from engine.orders import BEYOND, DEEP, IN_BAND, find, insert, order_at, read_place, remove
from engine.symbols import (
    best_index,
    best_quantity,
    beyond_orders,
    is_mapped,
    is_trusted,
    levels,
    live_orders,
    map_symbol,
    price_of,
    queue,
    read_base,
    read_beyond,
    read_live,
    read_quantity,
    read_reciprocal,
    read_span,
    read_strict,
    read_tick,
    read_top,
    set_all_ok,
    set_strict,
    set_symbol_ok,
    symbol_at,
    symbol_of,
    symbol_ok,
    write_beyond,
    write_live,
    write_top,
)
from wire import itch
from wire.buffers import reader
from wire.compiled import merged
from wire.counters import ITCH_PREFIX, NUMBER
from wire.layout import Record
from wire.records import Side, TrustCause

__all__ = [
    "MAX_LEVELS",
    "MAX_ORDERS",
    "MAX_SYMBOLS",
    "Book",
    "Change",
    "apply",
    "best_index",
    "best_quantity",
    "beyond_orders",
    "create",
    "is_mapped",
    "is_trusted",
    "levels",
    "live_orders",
    "map_symbol",
    "price_of",
    "queue",
    "rows",
    "set_all_ok",
    "set_strict",
    "set_symbol_ok",
    "symbol_of",
    "symbol_ok",
]

write_quantity = ORDER.writer("quantity")
write_place = ORDER.writer("place")
read_band, write_band = ORDER.reader("band"), ORDER.writer("band")


class Change(IntFlag):
    """What a message did; the result of :func:`apply`. In the order in which its events are due."""

    TRUST = 1
    """Local trust changed: TRUSTED, CAUSE."""
    TRADE = 2
    """TYPE, SIDE, PRICE, SHARES, MATCH, PRINTABLE."""
    TOP = 4
    """The best bid or offer changed."""
    STATE = 8
    """TYPE is ``H``, ``Y`` or ``h`` (market code Q), VALUE its trading state, action or halt action."""
    MARKET = 16
    """TYPE is ``S`` or ``W``, VALUE the event code or level. SYMBOL is not set."""


# Fields of ``result``, an int64 vector
SYMBOL, TYPE, TRUSTED, CAUSE, SIDE, PRICE, SHARES, MATCH, PRINTABLE, VALUE = range(10)
RESULT_LENGTH = 10


# -- messages --------------------------------------------------------------------------------------

_ADD, _TAKE, _ALL, _FILL, _TRADE, _STATE, _MARKET = 1, 2, 4, 8, 16, 32, 64
_ACTIONS = {
    "A": _ADD, "F": _ADD,
    "E": _TAKE | _FILL, "C": _TAKE | _FILL, "X": _TAKE,
    "D": _TAKE | _ALL, "U": _TAKE | _ALL | _ADD,
    "P": _TRADE,
    "H": _STATE, "Y": _STATE, "h": _STATE,
    "S": _MARKET, "W": _MARKET,
}  # fmt: skip


def _entry(record: Record) -> int:
    """What :func:`apply` has to know of a type, in one word: length, counter, actions."""
    code = str(record.code)
    return record.length | NUMBER[f"{ITCH_PREFIX}{code}"] << 8 | _ACTIONS.get(code, 0) << 16


_TABLE = np.zeros(256, np.int64)
_TABLE[list(itch.ITCH.by_code)] = [_entry(record) for record in itch.ITCH.by_code.values()]
_TABLE.flags.writeable = False


_read_16 = reader(0, 2, False, "big")
_read_32 = reader(0, 4, False, "big")
_read_64 = reader(0, 8, True, "big")

_ONE = np.uint64(1)
_UNKNOWN, _BAD_LENGTH, _UNMAPPED = (NUMBER[n] for n in ("itch_unknown", "itch_bad_length", "messages_unmapped"))
_ADDED, _OVERFLOW, _DUPLICATE = (NUMBER[n] for n in ("orders_added", "order_overflow", "duplicate_reference"))
_UNKNOWN_REFERENCE, _OVER_EXECUTION = NUMBER["unknown_reference"], NUMBER["over_execution"]
_BAD_VALUE, _OUT_OF_BAND, _TOP_CHANGES = (NUMBER[n] for n in ("bad_value", "out_of_band", "top_changes"))

_BUY, _SELL = Side.BUY.value, Side.SELL.value
_B, _S, _C, _E, _H, _Y, _W, _Q = b"BSCEHYWQ"
_CAUSE_OVERFLOW, _CAUSE_DUPLICATE = TrustCause.OVERFLOW.value, TrustCause.DUPLICATE_REFERENCE.value
_CAUSE_UNKNOWN, _CAUSE_OVER = TrustCause.UNKNOWN_REFERENCE.value, TrustCause.OVER_EXECUTION.value
_CAUSE_VALUE, _CAUSE_BEYOND = TrustCause.BAD_VALUE.value, TrustCause.BEYOND.value
_CHANGE_TRUST, _CHANGE_TRADE, _CHANGE_TOP = Change.TRUST.value, Change.TRADE.value, Change.TOP.value
_CHANGE_STATE, _CHANGE_MARKET = Change.STATE.value, Change.MARKET.value


@merged
def apply(book: Any, buffer: Any, at: int, length: int, counters: Any, result: Any) -> int:
    """Takes one message of ``length`` bytes at ``at``; what it did, as a :class:`Change` mask.

    ``counters`` is the ``uint64`` vector of `wire.counters`, ``result`` an ``int64`` vector of
    ``RESULT_LENGTH``. Fields of ``result`` that no bit of the mask names are left as they were, but SYMBOL,
    which is set for every mapped message.
    """
    if length <= 0:
        counters[_UNKNOWN] += _ONE
        return 0
    entry = _TABLE[buffer[at]]
    if length != entry & 0xFF:
        counters[_UNKNOWN if entry == 0 else _BAD_LENGTH] += _ONE
        return 0
    counters[(entry >> 8) & 0xFF] += _ONE
    actions = entry >> 16
    if actions & (_TAKE | _ADD) == 0:
        return _pass_on(book, buffer, at, actions, counters, result)
    symbol = symbol_of(book, _read_16(buffer, at + LOCATE_AT))
    if symbol < 0:
        counters[_UNMAPPED] += _ONE
        return 0
    result[SYMBOL] = symbol
    memory, base = book.memory, symbol_at(book, symbol)
    change, cause, beyond = 0, 0, 0

    if actions & _TAKE:
        order = find(book, _read_64(buffer, at + REFERENCE_AT))
        mine = order_at(book, order)
        place = read_place(memory, mine)
        if order == 0 or symbol_of_place(book, place) != symbol:
            counters[_UNKNOWN_REFERENCE] += _ONE
            return _settle(book, symbol, _CAUSE_UNKNOWN, 0, result) if read_strict(memory, 0) else 0
        available = read_quantity(memory, mine)
        taken = available
        if actions & _ALL == 0:
            taken = _read_32(buffer, at + TAKEN_AT)
            if taken > available:
                counters[_OVER_EXECUTION] += _ONE
                cause = _CAUSE_OVER
                taken = available
            elif taken == 0:
                return 0
        side, band = side_of_place(place), read_band(memory, mine)
        before = read_top(book, symbol, side)
        top = before
        if actions & _FILL:
            _trade(book, buffer, at, place, band, taken, result)
            change = _CHANGE_TRADE
        if taken == available:
            if band == IN_BAND:
                top = unlink(book, place, order, taken, top)
            elif band == BEYOND:
                beyond -= 1
            remove(book, order)
            write_live(memory, base, read_live(memory, base) - 1)
        else:
            write_quantity(memory, mine, available - taken)
            if band == IN_BAND:
                top = reduce(book, place, taken, top)
    else:
        side = _SELL if buffer[at + SIDE_AT] == _S else _BUY
        before = read_top(book, symbol, side)
        top = before

    if actions & _ADD:
        replaces = actions & _TAKE != 0
        reference = _read_64(buffer, at + (NEW_AT if replaces else REFERENCE_AT))
        quantity = _read_32(buffer, at + (NEW_SHARES_AT if replaces else SHARES_AT))
        price = _read_32(buffer, at + (NEW_PRICE_AT if replaces else PRICE_AT))
        unsided = not replaces and side == _BUY and buffer[at + SIDE_AT] != _B
        if quantity == 0 or unsided:
            counters[_BAD_VALUE] += _ONE
            cause = _CAUSE_VALUE
        elif find(book, reference) != 0:
            counters[_DUPLICATE] += _ONE
            cause = _CAUSE_DUPLICATE
        else:
            order = insert(book, reference)
            if order == 0:
                counters[_OVERFLOW] += _ONE
                cause = _CAUSE_OVERFLOW
            else:
                counters[_ADDED] += _ONE
                write_live(memory, base, read_live(memory, base) + 1)
                mine = order_at(book, order)
                write_quantity(memory, mine, quantity)
                distance, span = price - read_base(memory, base), read_span(memory, base)
                inside = distance >= 0 and distance < span
                index = (distance * read_reciprocal(memory, base)) >> 32 if inside else 0
                if inside and index * read_tick(memory, base) == distance:
                    place = place_of(book, symbol, index, side)
                    write_place(memory, mine, place)
                    write_band(memory, mine, IN_BAND)
                    top = append(book, place, order, quantity, top)
                else:
                    counters[_OUT_OF_BAND] += _ONE
                    best = inside or (distance >= span if side == _BUY else distance < 0)
                    write_place(memory, mine, place_of(book, symbol, 0, side))
                    write_band(memory, mine, BEYOND if best else DEEP)
                    beyond += 1 if best else 0

    write_top(book, symbol, side, top)
    changed = 1 if top != before else 0
    counters[_TOP_CHANGES] += np.uint64(changed)
    change |= changed * _CHANGE_TOP
    if cause != 0 or beyond != 0:
        change |= _settle(book, symbol, cause, beyond, result)
    return change


@merged
def _settle(book: Any, symbol: int, cause: int, beyond: int, result: Any) -> int:
    """Takes trust away for a cause, and counts orders beyond the ladder; TRUST if local trust changed."""
    before = is_trusted(book, symbol)
    at = symbol_at(book, symbol)
    write_beyond(book.memory, at, read_beyond(book.memory, at) + beyond)
    if cause != 0:
        set_symbol_ok(book, symbol, False)
    after = is_trusted(book, symbol)
    if before == after:
        return 0
    result[TRUSTED] = after
    result[CAUSE] = cause if cause != 0 else _CAUSE_BEYOND
    return _CHANGE_TRUST


@merged
def _trade(book: Any, buffer: Any, at: int, place: int, band: int, quantity: int, result: Any) -> None:
    """The trade that an execution of an order in the book is."""
    code = buffer[at]
    price = price_of(book, symbol_of_place(book, place), index_of_place(book, place)) if band == IN_BAND else 0
    printable = True
    if code == _C:
        price = _read_32(buffer, at + EXECUTION_PRICE_AT)
        printable = buffer[at + PRINTABLE_AT] == _Y
    result[TYPE] = code
    result[SIDE] = side_of_place(place)
    result[PRICE] = price
    result[SHARES] = quantity
    result[MATCH] = _read_64(buffer, at + MATCH_AT)
    result[PRINTABLE] = printable


@merged
def _pass_on(book: Any, buffer: Any, at: int, actions: int, counters: Any, result: Any) -> int:
    """Messages that are not for the book: trades off the book and trading state."""
    if actions == 0:
        return 0
    code = buffer[at]
    result[TYPE] = code
    if actions & _MARKET:
        result[VALUE] = buffer[at + (BREACH_AT if code == _W else EVENT_AT)]
        return _CHANGE_MARKET
    symbol = symbol_of(book, _read_16(buffer, at + LOCATE_AT))
    if symbol < 0:
        counters[_UNMAPPED] += _ONE
        return 0
    result[SYMBOL] = symbol
    if actions & _TRADE:
        result[SIDE] = _BUY if buffer[at + TRADE_SIDE_AT] == _B else _SELL
        result[PRICE] = _read_32(buffer, at + TRADE_PRICE_AT)
        result[SHARES] = _read_32(buffer, at + TRADE_SHARES_AT)
        result[MATCH] = _read_64(buffer, at + TRADE_MATCH_AT)
        result[PRINTABLE] = 1
        return _CHANGE_TRADE
    if code == _H:
        result[VALUE] = buffer[at + TRADING_STATE_AT]
    elif code == _Y:
        result[VALUE] = buffer[at + REG_SHO_AT]
    elif buffer[at + MARKET_AT] == _Q:
        result[VALUE] = buffer[at + HALT_AT]
    else:
        return 0
    return _CHANGE_STATE
