"""A book's memory: one block of bytes, the tables in it, and the records that the tables are made of.

One block is one pointer to pass and to prefetch through; a copy of it is a copy of the book. Each table
begins on a boundary of 64 bytes. :func:`rows` shows a table to Python.
"""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np

from engine.intrinsics import Vector, zeros
from wire.layout import Record, field

ORDER_SHIFT, LEVEL_SHIFT, SYMBOL_SHIFT, WORD_SHIFT, HEAD_SHIFT, LOCATE_SHIFT = 5, 4, 6, 3, 2, 1
"""Bytes of one row of each table, as a power of two."""

LEVEL_SKEW, OCCUPIED_SKEW = 33 * 64, 64
"""Bytes between the rows of one symbol and those of the next: of a power of two, the best levels of all
symbols would fall into the same few sets of the cache."""

MAX_SYMBOLS = 16_384
MAX_LEVELS = 1 << 20
MAX_ORDERS = 1 << 30
BLOCK = 64
"""Messages that a replay looks ahead."""

ORDER = Record(
    "Order",
    field("reference", 8, "signed", "its 64 bits"),
    field("quantity", 4),
    field("place", 4, "int", "level; out of band: level 0"),
    field("previous", 4, "int", "in the level's queue; 0 is nobody"),
    field("next", 4),
    field("chain", 4, "int", "next in the chain of the order table, or in the list of free rows"),
    field("band", 4, "int", "IN_BAND, DEEP or BEYOND"),
    order="little",
)
LEVEL = Record(
    "Level",
    field("quantity", 4, "int", "wraps"),
    field("count", 4, "int", "orders"),
    field("head", 4, "int", "first order of the queue; 0 is nobody"),
    field("tail", 4),
    order="little",
)
SYMBOL = Record(
    "Symbol",
    field("top_buy", 8, "signed", "quantity of the best level, and above it key + 1; 0 is an empty side"),
    field("top_sell", 8, "signed"),
    field("reciprocal", 8, "signed", "2^32 // tick + 1"),
    field("base", 4),
    field("span", 4),
    field("tick", 4),
    field("live", 4, "int", "orders in the order table"),
    field("beyond", 4, "int", "of these, beyond the ladder"),
    field("locate", 4, "int", "0 is not mapped"),
    field("ok", 4),
    field("reserved", 12, "raw"),
    order="little",
)
STATE = Record(
    "State",
    field("live", 8, "signed", "orders in the order table"),
    field("free", 8, "signed", "first row to use again; 0 is none"),
    field("used", 8, "signed", "rows used so far"),
    field("strict", 8, "signed"),
    field("reserved", 32, "raw"),
    order="little",
)
AHEAD = Record(
    "Ahead",
    field("begin", 8, "signed", "of a message"),
    field("length", 4),
    field("adds", 4, "int", "not 0: it puts an order into the book"),
    field("order", 8, "signed", "where its chain's head stands, then where the order does"),
    field("place", 8, "signed", "its symbol, then its level"),
    order="little",
)


class Book(NamedTuple):
    """Books of all symbols: the memory, the byte at which each table begins, and the sizes.

    ``state`` is at 0. ``located`` has symbol + 1 by stock locate. ``ahead`` is where a replay keeps what it
    looked up ahead. ``heads`` has the first order of each of ``mask + 1`` chains, ``orders`` the rows from 1
    on. ``occupied`` has a bit for each key and ``summary`` one for each word of it.
    """

    memory: Vector
    ahead: int
    located: int
    symbols: int
    heads: int
    orders: int
    summary: int
    occupied: int
    levels: int
    mask: int
    order_count: int
    symbol_count: int
    level_count: int
    stride_bits: int
    word_bits: int
    summary_bits: int


def stride_bits(levels: int) -> int:
    """Bits of an index: a row of levels is a power of two long, 64 at least."""
    return max(levels - 1, 63).bit_length()


def create(symbols: int, levels: int, orders: int) -> Book:
    """Empty books; no symbol is mapped.

    Parameters
    ----------
    symbols, levels, orders : int
        Symbols, price levels of each, and live orders of all together.

    Memory is reserved, not touched: a level that no order ever stood at costs nothing.

    Raises
    ------
    ValueError
        Symbols above 16,384, levels above 2^20 or 2^31 for all symbols, orders above 2^30, or any below 1.
    """
    if not 1 <= symbols <= MAX_SYMBOLS:
        raise ValueError(f"{symbols} symbols: 1 to {MAX_SYMBOLS} are possible")
    if not 1 <= levels <= MAX_LEVELS or symbols << stride_bits(levels) > 1 << 31:
        raise ValueError(f"{levels} levels of {symbols} symbols: 1 to {MAX_LEVELS}, 2^31 together, are possible")
    if not 1 <= orders <= MAX_ORDERS:
        raise ValueError(f"{orders} orders: 1 to {MAX_ORDERS} are possible")
    stride = stride_bits(levels)
    word_bits = stride - 6
    summary_bits = max(word_bits - 6, 0)
    chains = 1 << max(orders - 1, 63).bit_length()
    sizes = {
        "ahead": BLOCK * AHEAD.length,
        "located": 1 << 16 + LOCATE_SHIFT,
        "symbols": symbols << SYMBOL_SHIFT,
        "heads": chains << HEAD_SHIFT,
        "orders": orders + 1 << ORDER_SHIFT,
        "summary": symbols << 1 + summary_bits + WORD_SHIFT,
        "occupied": (symbols << 1 + word_bits + WORD_SHIFT) + symbols * OCCUPIED_SKEW,
        "levels": (symbols << 1 + stride + LEVEL_SHIFT) + symbols * LEVEL_SKEW,
    }
    begins, at = {}, STATE.length
    for name, size in sizes.items():
        begins[name] = at
        at += size + 63 & ~63
    memory = zeros(at, (0, begins["occupied"]))
    book = Book(
        memory,
        **begins,
        mask=chains - 1,
        order_count=orders,
        symbol_count=symbols,
        level_count=levels,
        stride_bits=stride,
        word_bits=word_bits,
        summary_bits=summary_bits,
    )
    rows(book, "symbols")["ok"] = 1
    return book


def rows(book: Book, table: str) -> Any:
    """``symbols``, ``orders`` or ``levels`` as a structured array, the same memory.

    Levels are by symbol, index // 4, side, index % 4.

    Raises
    ------
    KeyError
        Another table.
    """
    if table == "levels":
        fours, four = 1 << book.stride_bits - 2, 4 * LEVEL.length
        shape, strides = (
            (book.symbol_count, fours, 2, 4),
            (2 * fours * four + LEVEL_SKEW, 2 * four, four, LEVEL.length),
        )
        return np.ndarray(shape, LEVEL.dtype, book.memory, book.levels, strides)
    record, count = {"symbols": (SYMBOL, book.symbol_count), "orders": (ORDER, book.order_count + 1)}[table]
    return np.ndarray(count, record.dtype, book.memory, getattr(book, table))
