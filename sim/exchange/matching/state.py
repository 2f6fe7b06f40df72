"""What the matching engine's memory is made of: one vector of ``int64``, and the places in it.

Rows have fixed widths; the constants here are offsets in a row. A *slot* numbers an order of the pool, 0 is
nobody. A *reference* is a serial number above the slot: references rise through the day, are never used twice,
and lead to their order without a table. A *row* is a symbol's side (``2 * symbol + side``); a *key* numbers a
price level from the worst upwards: the index for buys, ``levels - 1 - index`` for sells, so that the best level
is the highest key on both sides. Keys 0 and ``levels - 1`` take no limit order: the last one is where market
orders wait in an auction.
"""

from __future__ import annotations

from enum import IntEnum
from typing import Any

import numpy as np

from engine.intrinsics import zeros

Vector = np.ndarray[Any, np.dtype[Any]]

BUY, SELL = 0, 1
SLOT_BITS = 22
MAX_ORDERS = (1 << SLOT_BITS) - 1
MAX_LEVELS = 1 << 18
MAX_SHARES = 999_999
"""Of one order, as OUCH has it."""
MARKET_PRICE = 0x7FFFFFFF
ALL_SHOWN = 1 << 40
"""Display size of an order that hides nothing."""
WIDTH = 16
"""Of a command and of an event."""


class Command(IntEnum):
    """What can be asked for. Fields that a kind does not name are 0."""

    ENTER = 1
    """SYMBOL, SIDE, PRICE, SHARES, DISPLAY, FLAGS, FIRM, OWNER, TOKEN, PREVENTION."""
    CANCEL = 2
    """REFERENCE; SHARES that are to stay open; VALUE the :class:`Reason`, 0: the user's wish. OWNER must be the order's."""
    REPLACE = 3
    """REFERENCE, PRICE, SHARES to be open, DISPLAY, FLAGS, TOKEN. OWNER must be the order's."""
    STATE = 4
    """SYMBOL, VALUE: H halted, P paused, Q quotation only, T trading, as a character."""
    BANDS = 5
    """SYMBOL, PRICE the lowest and VALUE the highest at which anything trades; both 0: none."""
    CROSS = 6
    """SYMBOL, VALUE: O opening, C closing, H after a halt. PRICE the benchmark, 0: the middle of bid and offer, or the last
    trade's. SHARES the threshold around it in 1e-4 of it, DISPLAY what it is at least, as a price; both 0: none."""
    IMBALANCE = 7
    """SYMBOL, VALUE, PRICE, SHARES and DISPLAY as for CROSS: what a cross would give now. FLAGS 1: without near and far."""
    SYSTEM = 8
    """VALUE: the ITCH system event."""
    CANCEL_ALL = 9
    """SYMBOL or -1, OWNER or -1; VALUE the :class:`Reason`."""
    COLLAR = 10
    """SYMBOL, PRICE the lowest and VALUE the highest price of its coming auction, SHARES what they were reckoned from, FLAGS
    how often they were widened. It is told, and holds nobody back."""


class Event(IntEnum):
    """What has happened. The order's SYMBOL, SIDE, REFERENCE, OWNER and TOKEN are in every one that has an order."""

    ACCEPTED = 1
    """SHARES at PRICE; with SHOWN it is in the book at once, and DISPLAYED of it is to be seen."""
    REJECTED = 2
    """DETAIL the :class:`Reject`; REFERENCE is that of the order it was about."""
    ADDED = 3
    """What is left of an order that traded on its way in: LEFT, of which DISPLAYED is to be seen under SHOWN."""
    EXECUTED = 4
    """SHARES at PRICE under MATCH; the order here rested, the OTHER one came in. DETAIL is what the latter has left."""
    CANCELLED = 5
    """SHARES of it, DISPLAYED of them seen under SHOWN; LEFT stays open. DETAIL the :class:`Reason`."""
    REPLACED = 6
    """OTHER the reference before, SHOWN how it was seen before, MATCH how it is seen now; 0 where it is not."""
    REFRESHED = 7
    """A reserve shows DISPLAYED again, under a new reference SHOWN."""
    CROSSED = 8
    """SHARES at PRICE in an auction; DETAIL the kind of cross."""
    CROSS = 9
    """The auction itself: SHARES at PRICE under MATCH, DETAIL the kind."""
    IMBALANCE = 10
    """SHARES paired and LEFT over on SIDE (-1 none) at MATCH, the reference, 0: none. PRICE near, OTHER far, DETAIL the kind."""
    STATE = 11
    """DETAIL the trading state."""
    BANDS = 12
    """PRICE the lowest, OTHER the highest, MATCH the last price, DETAIL the trading state. A COLLAR's: MATCH its reference,
    SHARES how often it was widened."""
    SYSTEM = 13
    """DETAIL the system event."""


class Reject(IntEnum):
    """Why something was refused."""

    NONE = 0
    SYMBOL = 1
    SHARES = 2
    PRICE = 3
    HALTED = 4
    DISPLAY = 5
    POST_ONLY = 6
    UNKNOWN_ORDER = 7
    FULL = 8
    SIDE = 9
    CROSS = 10


class Reason(IntEnum):
    """Why an order was cancelled."""

    USER = 1
    IMMEDIATE = 2
    SELF_TRADE = 3
    BAND = 4
    CROSS = 5
    SYSTEM = 6
    TIME = 7
    DISCONNECT = 8
    HALTED = 9


class Prevention(IntEnum):
    """What happens instead of a trade within one firm, as the incoming order says. An auction prevents nothing."""

    NONE = 0
    CANCEL_NEWEST = 1
    CANCEL_OLDEST = 2
    CANCEL_BOTH = 3


POST_ONLY, IMMEDIATE, ATTRIBUTED, ON_OPEN, ON_CLOSE = 1, 2, 4, 8, 16
"""Flags of an order."""
ON_CROSS = ON_OPEN | ON_CLOSE
MARKET, IN_AUCTION = 32, 64
"""Flags that the engine sets."""
GIVEN = POST_ONLY | IMMEDIATE | ATTRIBUTED | ON_CROSS

# A command
KIND, TIME, SYMBOL, SIDE, PRICE, SHARES, DISPLAY, FLAGS, FIRM, OWNER, TOKEN, REFERENCE, PREVENTION, VALUE = range(14)

# An event; KIND to SIDE as in a command
E_REFERENCE, E_SHOWN, E_PRICE, E_SHARES, E_LEFT, E_OWNER, E_TOKEN = range(4, 11)
E_MATCH, E_OTHER, E_OTHER_OWNER, E_OTHER_TOKEN, E_DETAIL = range(11, 16)
E_DISPLAYED = E_OTHER_TOKEN
"""In events of one order."""
E_ATTRIBUTION = E_OTHER_OWNER
"""In ACCEPTED, ADDED, REPLACED and REFRESHED: the firm's name as an integer, 0 where it is not to be told."""

# Header of the memory
(
    SERIAL, FREE, USED, MATCHES, NOW, PENDING, EVENTS, LIVE,
    ENTERED, EXECUTED, CANCELLED, OPENED, LAST_REFERENCE, COMMANDS, SYMBOL_COUNT, LEVEL_COUNT,
    LEVEL_BITS, POOL, SYMBOLS_AT, ORDERS_AT, LEVELS_AT, WORDS_AT, GROUPS_AT, WORD_BITS, GROUP_BITS, SCRATCH_AT,
) = range(26)  # fmt: skip
HEADER = 64

# A symbol
BASE, TICK, STATE, LAST_PRICE, BEST, BAND, LOWER, UPPER, IN_SYMBOL, CROSS_QUEUES = 0, 1, 2, 3, 4, 6, 8, 9, 10, 12
"""BEST and BAND by side: the best key + 1, and the highest key at which that side may trade."""
LIMIT_SINCE = 20
"""Behind the two queues: when the limit state began, 0 if there is none."""
SYMBOL_WIDTH = 24

# An order
(
    O_REFERENCE, O_SHOWN, O_OPEN, O_DISPLAYED, O_DISPLAY, O_SYMBOL, O_SIDE, O_KEY,
    O_FLAGS, O_FIRM, O_OWNER, O_TOKEN, O_PREVIOUS, O_NEXT, O_PREVENTION, O_TIME,
) = range(16)  # fmt: skip
ORDER_WIDTH = 16

# A level has two queues of this kind, displayed and hidden; so has a symbol for orders on open and on close.
QUANTITY, COUNT, FIRST, LAST = range(4)
HIDDEN = 4
LEVEL_WIDTH = 8

HALTED, PAUSED, QUOTING, TRADING = b"HPQT"


def create(symbols: int, levels: int, orders: int) -> Vector:
    """The memory of an exchange on which nothing is listed yet.

    Parameters
    ----------
    symbols, levels, orders : int
        Symbols, price levels of each (rounded up to a power of two, 64 at least), live orders of all together.
        Memory is reserved, not touched.

    Raises
    ------
    ValueError
        None of something, levels above 2^18, or orders above 4,194,303.
    """
    if symbols < 1 or not 1 <= levels <= MAX_LEVELS or not 1 <= orders <= MAX_ORDERS:
        raise ValueError(
            f"{symbols} symbols, {levels} levels, {orders} orders: at least 1, at most {MAX_LEVELS} and {MAX_ORDERS}"
        )
    bits = max(levels - 1, 63).bit_length()
    levels, words = 1 << bits, 1 << bits - 6
    groups = max(words >> 6, 1)
    sizes = (
        (SYMBOLS_AT, symbols * SYMBOL_WIDTH),
        (ORDERS_AT, (orders + 1) * ORDER_WIDTH),
        (LEVELS_AT, 2 * symbols * levels * LEVEL_WIDTH),
        (WORDS_AT, 2 * symbols * words),
        (GROUPS_AT, 2 * symbols * groups),
        (SCRATCH_AT, 2 * levels),
    )
    begins, at = {}, HEADER
    for place, size in sizes:
        begins[place] = at
        at += size + 7 & ~7
    memory = zeros(8 * at).view(np.int64)
    for place, begin in begins.items():
        memory[place] = begin
    memory[SYMBOL_COUNT], memory[LEVEL_COUNT], memory[LEVEL_BITS], memory[POOL] = symbols, levels, bits, orders
    memory[WORD_BITS], memory[GROUP_BITS] = bits - 6, groups.bit_length() - 1
    return memory


def list_symbol(memory: Vector, symbol: int, base: int, tick: int, reference: int, state: int = QUOTING) -> None:
    """Begins a symbol: ``base`` is the price of level 0, ``reference`` what an auction without trades leans on.

    Raises
    ------
    ValueError
        A symbol that there is no room for, a tick below 1, or a ladder that leaves the 32 bits of a price.
    """
    levels = int(memory[LEVEL_COUNT])
    if not 0 <= symbol < memory[SYMBOL_COUNT]:
        raise ValueError(f"symbol {symbol}: 0 to {memory[SYMBOL_COUNT] - 1}")
    if tick < 1 or base < 0 or base + levels * tick > MARKET_PRICE:
        raise ValueError(f"{levels} levels of {tick} from {base} on: below {MARKET_PRICE}, the tick at least 1")
    at = int(memory[SYMBOLS_AT]) + symbol * SYMBOL_WIDTH
    memory[at : at + SYMBOL_WIDTH] = 0
    memory[at + BASE], memory[at + TICK], memory[at + STATE], memory[at + LAST_PRICE] = base, tick, state, reference
    memory[at + BAND : at + BAND + 2] = levels - 1
