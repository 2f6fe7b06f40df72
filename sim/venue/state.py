"""What the venue remembers, as few arrays that compiled code takes as they are."""

from __future__ import annotations

from enum import IntEnum
from typing import Any, NamedTuple

import numpy as np

from sim.sources.tape import Vector
from sim.venue.columns import Columns
from wire import ouch42, ouch50
from wire.appendage import element
from wire.compiled import inner, uncounted
from wire.soupbintcp import HEADER_LENGTH

NONE = -1
BUY, SELL = 0, 1
NEVER = np.iinfo(np.int64).max
ENTER_LENGTH = ouch42.ENTER_ORDER.length
CLIENT_LENGTH = ouch50.ENTER_ORDER["client_order_id"].width
TEXT_LENGTH = ENTER_LENGTH + CLIENT_LENGTH
"""Bytes of an order in ``Own.text`` and of a message in ``Wire.message``."""
FIRM_LENGTH = element("firm").length  # the one option that we answer with
LONGEST_ANSWER = HEADER_LENGTH + FIRM_LENGTH + max(r.length for r in (*ouch42.OUTBOUND.records, *ouch50.OUTBOUND.records))
MARGIN = 4096
"""Answers that one thing that happens may have: the room that is kept free for it."""


class Now(IntEnum):
    """Places in the vector of scalars."""

    CURSOR = 0
    CAME_IN = 1
    IN_HEAD = 2
    IN_TAIL = 3
    IN_END = 4
    LAST_ARRIVAL = 5
    LOG_END = 6
    LOG_COUNT = 7
    FILL_COUNT = 8
    OWN_COUNT = 9
    LIVE = 10
    PRIORITY = 11
    REFERENCE = 12
    MATCH = 13
    LAST_SENT = 14
    LOGGED_IN = 15
    SEQUENCE = 16
    MARKET = 17
    NEXT_EXPIRY = 18
    TIME = 19
    ORDER_LATENCY = 20
    ANSWER_LATENCY = 21
    HEARTBEAT = 22
    LOGINS = 23
    ACCEPTED = 24
    REPLACED = 25
    CANCELLED = 26
    REJECTED = 27
    IGNORED = 28
    MALFORMED = 29
    OUCH = 30
    LAST_USER_REFERENCE = 31


BEFORE, OPEN, CLOSED = 0, 1, 2
"""Of MARKET."""


class Real(IntEnum):
    """Columns of a real order. AVAILABLE is what it shows less what we have taken; it may be below 0."""

    STOCK = 0
    SIDE = 1
    LEVEL = 2
    QUANTITY = 3
    AVAILABLE = 4
    FORWARD = 5
    BACK = 6


class Stock(IntEnum):
    """Columns of a stock: its levels, its name as OUCH has it, its trading state, the best levels (not worse than the
    true ones) and the first of our live orders.
    """

    FIRST_LEVEL = 0
    END_LEVEL = 1
    KEY = 2
    TRADING = 3
    BEST_BUY = 4
    BEST_SELL = 5
    FIRST_OWN = 6


class Mine(IntEnum):
    """Columns of an order of ours."""

    ALIVE = 0
    STOCK = 1
    SIDE = 2
    PRICE = 3
    REMAINING = 4
    EXECUTED = 5
    AHEAD = 6
    JOINED = 7
    LEVEL = 8
    EXPIRY = 9
    REFERENCE = 10
    NEXT = 11
    PREVIOUS = 12
    RANK = 13
    ENTERED = 14


class Fill(IntEnum):
    """Columns of a fill; see :data:`sim.venue.FILL`."""

    TIME = 0
    ORDER = 1
    PRICE = 2
    SHARES = 3
    MATCH = 4
    MESSAGE = 5
    AGAINST = 6


class Sent(IntEnum):
    """Columns of the log: when a packet arrives, where it is. NTH of row n is where sequenced message n is."""

    TIME = 0
    AT = 1
    LENGTH = 2
    NTH = 3


class Book(NamedTuple):
    """The real orders: what the tape shows at the moment, and what of it our orders have taken.

    ``queues`` has the first and the last order of a level, in row ``2 * level + side``.
    """

    messages: Vector
    orders: Vector
    prices: Vector
    queues: Vector
    stocks: Vector


class Own(NamedTuple):
    """Our orders, dead ones too: a token is used once.

    ``text`` holds the Enter Order message of each (of a replacement: as if it had been entered so), one after the other, as it
    is in OUCH 4.2, and behind it the client order id of 5.0. ``table`` finds a token. That of an order of 5.0 is the 4 bytes of
    its UserRefNum, and spaces.
    """

    orders: Vector
    text: Vector
    table: Vector


class Wire(NamedTuple):
    """The session: what came in and when (TIME, AT, LENGTH), the log of all that went out, and the fills.

    ``message`` is the OUCH message at hand, as it is in 4.2, and at ``ENTER_LENGTH`` the client order id of 5.0.
    """

    inbound: Vector
    message: Vector
    arrivals: Vector
    log: Vector
    sent: Vector
    fills: Vector


def create_book(columns: Columns) -> Book:
    """The book before the day."""
    orders = np.zeros((len(columns.order_level), len(Real) + 1), np.int64)
    orders[:, Real.STOCK], orders[:, Real.SIDE] = columns.order_stock, columns.order_side
    orders[:, Real.LEVEL] = columns.order_level
    stocks = np.zeros((len(columns.listings), len(Stock) + 1), np.int64)
    stocks[:, Stock.FIRST_LEVEL], stocks[:, Stock.END_LEVEL] = columns.first_level[:-1], columns.first_level[1:]
    stocks[:, Stock.BEST_BUY], stocks[:, Stock.BEST_SELL] = columns.first_level[:-1] - 1, columns.first_level[1:]
    stocks[:, Stock.KEY] = [stock_key(listing.stock) for listing in columns.listings]
    stocks[:, Stock.TRADING], stocks[:, Stock.FIRST_OWN] = ord("T"), NONE
    queues = np.full((2 * len(columns.prices), 2), NONE, np.int64)
    return Book(columns.messages, orders, columns.prices, queues, stocks)


def stock_key(stock: str) -> int:
    """A stock's name as a signed integer."""
    return int.from_bytes(stock.ljust(8).encode("ascii"), "big", signed=True)


def create_own(room: int = 1024) -> Own:
    """Place for ``room`` orders."""
    return Own(
        orders=np.zeros((room, len(Mine) + 1), np.int64),
        text=np.zeros(room * TEXT_LENGTH, np.uint8),
        table=np.full(4 * room, NONE, np.int32),
    )


def grown_own(own: Own, count: int) -> Own:
    """Twice the room; ``count`` orders are there."""
    new = create_own(2 * len(own.orders))
    new.orders[:count] = own.orders[:count]
    new.text[: count * TEXT_LENGTH] = own.text[: count * TEXT_LENGTH]
    _index_tokens(new, count)
    return new


def create_wire() -> Wire:
    """An empty session."""
    return Wire(
        inbound=np.zeros(1 << 16, np.uint8),
        message=np.zeros(TEXT_LENGTH, np.uint8),
        arrivals=np.zeros((1 << 10, 3), np.int64),
        log=np.zeros(4 * MARGIN * LONGEST_ANSWER, np.uint8),
        sent=np.zeros((4 * MARGIN, len(Sent)), np.int64),
        fills=np.zeros((4 * MARGIN, len(Fill)), np.int64),
    )


def grown(vector: Vector, rows: int) -> Vector:
    """The same with room for at least ``rows``, and at least twice as many as before."""
    new = np.zeros((max(rows, 2 * len(vector)), *vector.shape[1:]), vector.dtype)
    new[: len(vector)] = vector
    return new


# -- tokens ----------------------------------------------------------------------------------------
TOKEN_AT = ouch42.ENTER_ORDER.offset("order_token")
TOKEN_LENGTH = ouch42.ENTER_ORDER["order_token"].width


@inner
def token_slot(text: Any, table: Any, buffer: Any, at: int) -> int:
    """Where in the table the token at ``at`` of ``buffer`` is, or the free place where it belongs."""
    key = np.uint64(0xCBF29CE484222325)
    for k in range(TOKEN_LENGTH):
        key = (key ^ np.uint64(buffer[at + k])) * np.uint64(0x100000001B3)
    mask = len(table) - 1
    place = np.int64((key ^ (key >> np.uint64(29))) & np.uint64(mask))
    while table[place] != NONE:
        begin = np.int64(table[place]) * TEXT_LENGTH + TOKEN_AT
        same = True
        for k in range(TOKEN_LENGTH):
            same &= text[begin + k] == buffer[at + k]
        if same:
            break
        place = (place + 1) & mask
    return place


@uncounted
def _index_tokens(own: Any, count: int) -> None:
    for o in range(count):
        own.table[token_slot(own.text, own.table, own.text, o * TEXT_LENGTH + TOKEN_AT)] = o
