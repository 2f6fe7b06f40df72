"""A tape as columns for the venue: every reference resolved once, every price a place in a sorted list.

What a message acts on is then an index, and the venue's inner loop needs no table look-up.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from sim.sources.tape import LOCATES, Listing, Tape, Vector
from wire import itch
from wire.compiled import compiled

# Columns of a message. KIND is the type, 0 where the message is of no concern to the venue.
TIME, KIND, STOCK, ORDER, CREATED, SHARES, VALUE = range(7)
"""ORDER is the order acted on, CREATED the one that comes in, -1 for none. VALUE is the price of P and C, the event
code of S, the trading state of H."""
WIDTH = 8
NONE = -1

_LENGTHS = itch.ITCH.lengths
_A, _F, _E, _C, _X, _D, _U, _P, _H, _S = (ord(c) for c in "AFECXDUPHS")
_locate = itch.ADD_ORDER.reader("stock_locate")
_reference = itch.ADD_ORDER.reader("order_reference")
_side = itch.ADD_ORDER.reader("side")
_shares = itch.ADD_ORDER.reader("shares")
_price = itch.ADD_ORDER.reader("price")
_executed = itch.ORDER_EXECUTED.reader("executed_shares")
_match = itch.ORDER_EXECUTED.reader("match_number")
_execution_price = itch.ORDER_EXECUTED_WITH_PRICE.reader("execution_price")
_cancelled = itch.ORDER_CANCEL.reader("cancelled_shares")
_new_reference = itch.ORDER_REPLACE.reader("new_order_reference")
_new_shares = itch.ORDER_REPLACE.reader("shares")
_new_price = itch.ORDER_REPLACE.reader("price")
_trade_shares = itch.TRADE.reader("shares")
_trade_price = itch.TRADE.reader("price")
_trade_match = itch.TRADE.reader("match_number")
_trading_state = itch.TRADING_ACTION.reader("trading_state")
_event_code = itch.SYSTEM_EVENT.reader("event_code")


@dataclass(frozen=True, slots=True)
class Columns:
    """The messages of a tape, and the orders and prices that occur in it.

    Attributes
    ----------
    messages : int64, (n, WIDTH)
        See the names above; TIME is that of the tape. An execution of an order that the tape does not have is of no concern.
    order_stock, order_level : int32
        Of each order in the sequence in which they came in: the index is the time priority.
    order_side : int8
    prices : int64
        All prices of all stocks, ascending within a stock; a level is an index of it.
    first_level : int64
        Where a stock's prices begin, one more than there are stocks.
    listings : Listing
        Of each stock.
    last_reference, last_match : int
        The largest on the tape.
    """

    messages: Vector
    order_stock: Vector
    order_level: Vector
    order_side: Vector
    prices: Vector
    first_level: Vector
    listings: tuple[Listing, ...]
    last_reference: int
    last_match: int


def resolve(tape: Tape) -> Columns:
    """The columns of a tape."""
    listings = tuple(tape.listings())
    stocks = np.full(LOCATES, NONE, np.int64)
    stocks[[listing.stock_locate for listing in listings]] = np.arange(len(listings))
    messages = np.zeros((len(tape), WIDTH), np.int64)
    messages[:, (STOCK, ORDER, CREATED)] = NONE
    messages[:, TIME] = tape.timestamps
    room = int(np.isin(tape.types, (_A, _F, _U)).sum())
    order_stock, order_side = np.zeros(room, np.int32), np.zeros(room, np.int8)
    order_price, last = np.zeros(room, np.int64), np.zeros(2, np.int64)
    bits = max(4, (2 * room).bit_length())
    table, keys = np.full(1 << bits, NONE, np.int32), np.zeros(1 << bits, np.uint64)
    count = _resolve(
        tape.buffer,
        tape.offsets,
        tape.lengths,
        stocks,
        messages,
        (order_stock, order_side, order_price),
        (table, keys, 64 - bits),
        last,
    )
    order_stock, order_side, order_price = order_stock[:count], order_side[:count], order_price[:count]
    known, level = np.unique(order_stock.astype(np.int64) << 32 | order_price, return_inverse=True)
    first_level = np.searchsorted(known, np.arange(len(listings) + 1, dtype=np.int64) << 32)
    return Columns(
        messages=messages,
        order_stock=order_stock,
        order_level=level.astype(np.int32),
        order_side=order_side,
        prices=known & 0xFFFFFFFF,
        first_level=first_level,
        listings=listings,
        last_reference=int(last[0]),
        last_match=int(last[1]),
    )


@compiled
def _slot(table: Any, keys: Any, shift: int, reference: np.uint64) -> int:
    """Where a reference is, or the free place where it belongs."""
    at = np.int64((reference * np.uint64(0x9E3779B97F4A7C15)) >> np.uint64(shift))
    mask = len(table) - 1
    while table[at] != NONE and keys[at] != reference:
        at = (at + 1) & mask
    return at


@compiled
def _resolve(
    buffer: Any, offsets: Any, lengths: Any, stocks: Any, messages: Any, orders: Any, lookup: Any, last: Any
) -> int:
    """Number of orders that came in."""
    order_stock, order_side, order_price = orders
    table, keys, shift = lookup
    count = 0
    for i in range(len(offsets)):
        at = offsets[i]
        if lengths[i] == 0:
            continue
        kind = np.int64(buffer[at])
        if lengths[i] != _LENGTHS[kind]:
            continue
        if kind == _A or kind == _F:
            stock, side = stocks[_locate(buffer, at)], _side(buffer, at)
            shares = _shares(buffer, at)
            if stock == NONE or shares == 0 or (side != 66 and side != 83):
                continue
            reference = _reference(buffer, at)
            place = _slot(table, keys, shift, reference)
            table[place], keys[place] = count, reference
            order_stock[count], order_side[count] = stock, side == 83
            order_price[count] = _price(buffer, at)
            messages[i, STOCK], messages[i, CREATED], messages[i, SHARES] = stock, count, shares
            last[0] = max(last[0], np.int64(reference))
            count += 1
        elif kind == _E or kind == _C or kind == _X or kind == _D or kind == _U:
            o = np.int64(table[_slot(table, keys, shift, _reference(buffer, at))])
            if o == NONE:
                continue
            messages[i, STOCK], messages[i, ORDER] = order_stock[o], o
            if kind == _E or kind == _C:
                messages[i, SHARES] = _executed(buffer, at)
                last[1] = max(last[1], np.int64(_match(buffer, at)))
                if kind == _C:
                    messages[i, VALUE] = _execution_price(buffer, at)
            elif kind == _X:
                messages[i, SHARES] = _cancelled(buffer, at)
            elif kind == _U and _new_shares(buffer, at) > 0:
                reference = _new_reference(buffer, at)
                place = _slot(table, keys, shift, reference)
                table[place], keys[place] = count, reference
                order_stock[count], order_side[count] = order_stock[o], order_side[o]
                order_price[count] = _new_price(buffer, at)
                messages[i, CREATED], messages[i, SHARES] = count, _new_shares(buffer, at)
                last[0] = max(last[0], np.int64(reference))
                count += 1
        elif kind == _P:
            messages[i, STOCK], messages[i, SHARES] = stocks[_locate(buffer, at)], _trade_shares(buffer, at)
            messages[i, VALUE] = _trade_price(buffer, at)
            last[1] = max(last[1], np.int64(_trade_match(buffer, at)))
        elif kind == _H:
            messages[i, STOCK], messages[i, VALUE] = stocks[_locate(buffer, at)], _trading_state(buffer, at)
        elif kind == _S:
            messages[i, VALUE] = _event_code(buffer, at)
        else:
            continue
        messages[i, KIND] = kind
    return count
