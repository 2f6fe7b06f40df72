"""Whole files through the book: :func:`replay` applies message after message, looking ahead where that pays.

A book of many orders is larger than any cache, and each message asks for rows of it that nothing foretells
but the messages themselves. A file has the next ones at hand. Results are those of :func:`engine.book.apply`,
one by one.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from engine.book import apply
from engine.intrinsics import prefetch
from engine.ladder import level_at, place_of, read_next, read_previous, read_tail, side_of_place, word_at
from engine.memory import AHEAD, BLOCK
from engine.offsets import LOCATE_AT, NEW_PRICE_AT, PRICE_AT, REFERENCE_AT, SIDE_AT
from engine.orders import head_at, order_at, read_head, read_live
from engine.orders import read_place as read_order_place
from engine.symbols import read_base, read_reciprocal, symbol_at, symbol_of
from wire import itch
from wire.buffers import reader
from wire.compiled import merged
from wire.records import Side

LOOK_AHEAD_FROM = 1 << 15
"""Live orders from which looking ahead pays: fewer are in the cache anyway."""

_STEP = AHEAD.length
read_begin, write_begin = AHEAD.reader("begin"), AHEAD.writer("begin")
read_length, write_length = AHEAD.reader("length"), AHEAD.writer("length")
read_adds, write_adds = AHEAD.reader("adds"), AHEAD.writer("adds")
read_order, write_order = AHEAD.reader("order"), AHEAD.writer("order")
read_place, write_place = AHEAD.reader("place"), AHEAD.writer("place")
_read_16, _read_32, _read_64 = (reader(0, width, width == 8, "big") for width in (2, 4, 8))
_BUY, _SELL, _S = Side.BUY.value, Side.SELL.value, ord("S")

PREFIX = 2
REACH = 2 * (PREFIX + max(record.length for record in itch.ITCH.records))
_PRICES = np.zeros(256, np.int64)
_PRICES[[ord("A"), ord("F"), ord("U")]] = PRICE_AT, PRICE_AT, NEW_PRICE_AT
_PRICES.flags.writeable = False


@merged
def _look_ahead(book: Any, buffer: Any, at: int, end: int) -> int:
    """Number of messages from ``at`` on, at most a block, whose rows are on their way into the cache.

    Four passes that hardly branch: chain and symbol, then the order, then its level and its neighbours in the
    queue, then the level's last order and bit map. Memory answers to a whole pass at a time, not to one
    message after another. Where the messages begin stays in ``ahead``. Nothing here changes the book.
    """
    memory, ahead = book.memory, book.ahead
    n, last = 0, end - REACH
    while n < BLOCK and at < last:
        length = _read_16(buffer, at)
        at += PREFIX
        write_begin(memory, ahead, at)
        write_length(memory, ahead, length)
        head = head_at(book, _read_64(buffer, at + REFERENCE_AT))
        write_order(memory, ahead, head)
        prefetch(memory, head)
        symbol = max(symbol_of(book, _read_16(buffer, at + LOCATE_AT)), 0)
        write_place(memory, ahead, symbol)
        prefetch(memory, symbol_at(book, symbol))
        at += length
        ahead += _STEP
        n += 1
    for i in range(n):
        ahead = book.ahead + i * _STEP
        mine = order_at(book, read_head(memory, read_order(memory, ahead)))
        write_order(memory, ahead, mine)
        prefetch(memory, mine)
    for i in range(n):
        ahead = book.ahead + i * _STEP
        at = read_begin(memory, ahead)
        mine, symbol = read_order(memory, ahead), read_place(memory, ahead)
        old = read_order_place(memory, mine)
        prefetch(memory, order_at(book, read_previous(memory, mine)))
        prefetch(memory, order_at(book, read_next(memory, mine)))
        base, price_at = symbol_at(book, symbol), _PRICES[buffer[at]]
        distance = _read_32(buffer, at + price_at) - read_base(memory, base)
        index = ((distance * read_reciprocal(memory, base)) >> 32) & (1 << book.stride_bits) - 1
        side = _SELL if buffer[at + SIDE_AT] == _S else _BUY
        side = side_of_place(old) if price_at == NEW_PRICE_AT else side
        place = old if price_at == 0 else place_of(book, symbol, index, side)
        prefetch(memory, level_at(book, place))
        write_place(memory, ahead, place)
        write_adds(memory, ahead, price_at)
    for i in range(n):
        ahead = book.ahead + i * _STEP
        place = read_place(memory, ahead)
        tail = read_tail(memory, level_at(book, place))
        prefetch(memory, order_at(book, tail if read_adds(memory, ahead) != 0 else 0))
        prefetch(memory, word_at(book, place))
    return n


@merged
def replay(book: Any, buffer: Any, at: int, end: int, limit: int, counters: Any, result: Any, out: Any) -> int:
    """Applies the BinaryFILE messages (2-byte length each) from ``at``, at most ``limit``; their number.

    Stops before ``end``, at a message that is not whole, or at a length of 0 (end of session). ``out[0]`` is
    where.
    """
    n = 0
    while n < limit and at + PREFIX <= end:
        ahead = _look_ahead(book, buffer, at, end) if read_live(book.memory, 0) >= LOOK_AHEAD_FROM else 0
        for i in range(ahead):
            row = book.ahead + i * _STEP
            begin, length = read_begin(book.memory, row), read_length(book.memory, row)
            if length == 0 or n >= limit or begin + length > end:
                break
            apply(book, buffer, begin, length, counters, result)
            at = begin + length
            n += 1
        if n >= limit or at + PREFIX > end:
            break
        length = _read_16(buffer, at)
        if length == 0 or at + PREFIX + length > end:
            break
        apply(book, buffer, at + PREFIX, length, counters, result)
        at += PREFIX + length
        n += 1
    out[0] = at
    return n
