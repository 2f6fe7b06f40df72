"""What a book knows of each symbol: its stock locate and prices, trust, best levels, depth and queues."""

from __future__ import annotations

from typing import Any

from engine.ladder import (
    KEY_SHIFT,
    LOW,
    below,
    level_at,
    mirrored,
    place_of,
    read_count,
    read_first,
    read_next,
    read_total,
    read_word,
    write_word,
)
from engine.memory import LOCATE_SHIFT, ORDER, STATE, SYMBOL, SYMBOL_SHIFT, WORD_SHIFT
from engine.orders import order_at, read_reference
from wire.buffers import reader, writer
from wire.compiled import compiled, merged

read_mapped, write_mapped = (
    reader(0, 1 << LOCATE_SHIFT, False, "little"),
    writer(0, 1 << LOCATE_SHIFT, "little"),
)
read_base, write_base = SYMBOL.reader("base"), SYMBOL.writer("base")
read_span, write_span = SYMBOL.reader("span"), SYMBOL.writer("span")
read_tick, write_tick = SYMBOL.reader("tick"), SYMBOL.writer("tick")
read_reciprocal, write_reciprocal = SYMBOL.reader("reciprocal"), SYMBOL.writer("reciprocal")
read_live, write_live = SYMBOL.reader("live"), SYMBOL.writer("live")
read_beyond, write_beyond = SYMBOL.reader("beyond"), SYMBOL.writer("beyond")
read_locate, write_locate = SYMBOL.reader("locate"), SYMBOL.writer("locate")
read_ok, write_ok = SYMBOL.reader("ok"), SYMBOL.writer("ok")
read_strict, write_strict = STATE.reader("strict"), STATE.writer("strict")
read_quantity = ORDER.reader("quantity")


@merged
def symbol_at(book: Any, symbol: int) -> int:
    """Where the row of a symbol begins."""
    return book.symbols + (symbol << SYMBOL_SHIFT)


@merged
def symbol_of(book: Any, locate: int) -> int:
    """The symbol of a stock locate, -1 if it is not mapped."""
    return read_mapped(book.memory, book.located + (locate << LOCATE_SHIFT)) - 1


@merged
def read_top(book: Any, symbol: int, side: int) -> int:
    """Quantity of the best level, and above it key + 1; 0 if the side is empty."""
    return read_word(book.memory, symbol_at(book, symbol) + (side << WORD_SHIFT))


@merged
def write_top(book: Any, symbol: int, side: int, top: int) -> None:
    """Sets what :func:`read_top` reads."""
    write_word(book.memory, symbol_at(book, symbol) + (side << WORD_SHIFT), top)


@compiled
def map_symbol(book: Any, symbol: int, locate: int, base: int, tick: int, span: int) -> None:
    """Gives a symbol its stock locate and its prices. It must have no live orders; trust is as new."""
    memory, at = book.memory, symbol_at(book, symbol)
    write_mapped(memory, book.located + (read_locate(memory, at) << LOCATE_SHIFT), 0)
    write_mapped(memory, book.located + (locate << LOCATE_SHIFT), symbol + 1)
    write_locate(memory, at, locate)
    write_base(memory, at, base)
    write_tick(memory, at, tick)
    write_span(memory, at, span)
    write_reciprocal(memory, at, (1 << 32) // tick + 1)
    write_ok(memory, at, 1)


@merged
def is_mapped(book: Any, symbol: int) -> bool:
    """Whether the symbol has a stock locate."""
    return read_locate(book.memory, symbol_at(book, symbol)) != 0


@merged
def live_orders(book: Any, symbol: int) -> int:
    """Orders of the symbol in the order table, in band or not."""
    return read_live(book.memory, symbol_at(book, symbol))


@merged
def beyond_orders(book: Any, symbol: int) -> int:
    """Live orders of the symbol outside the ladder that could be the best of their side."""
    return read_beyond(book.memory, symbol_at(book, symbol))


@merged
def symbol_ok(book: Any, symbol: int) -> bool:
    """Whether nothing happened to the symbol's book that makes it doubtful."""
    return read_ok(book.memory, symbol_at(book, symbol)) != 0


@merged
def set_symbol_ok(book: Any, symbol: int, ok: bool) -> None:
    """Takes trust away or gives it back. Emits nothing."""
    write_ok(book.memory, symbol_at(book, symbol), 1 if ok else 0)


@merged
def set_all_ok(book: Any, ok: bool) -> None:
    """:func:`set_symbol_ok` for every symbol."""
    for symbol in range(book.symbol_count):
        set_symbol_ok(book, symbol, ok)


@merged
def is_trusted(book: Any, symbol: int) -> bool:
    """Local trust: ``symbol_ok``, and no order beyond the ladder."""
    return symbol_ok(book, symbol) and beyond_orders(book, symbol) == 0


@merged
def set_strict(book: Any, strict: bool) -> None:
    """Whether an unknown order reference makes its symbol untrusted."""
    write_strict(book.memory, 0, 1 if strict else 0)


@merged
def best_index(book: Any, symbol: int, side: int) -> int:
    """Index of the best level, -1 if the side is empty."""
    top = read_top(book, symbol, side)
    return mirrored(book, side, (top >> KEY_SHIFT) - 1) if top != 0 else -1


@merged
def best_quantity(book: Any, symbol: int, side: int) -> int:
    """Shares on the best level, 0 if the side is empty."""
    return read_top(book, symbol, side) & LOW


@merged
def price_of(book: Any, symbol: int, index: int) -> int:
    """The price of a level."""
    at = symbol_at(book, symbol)
    return read_base(book.memory, at) + index * read_tick(book.memory, at)


@compiled
def levels(book: Any, symbol: int, side: int, depth: int, out: Any) -> int:
    """Writes price, quantity and order count of the best ``depth`` levels, best first, to ``out``.

    ``out`` is ``int64`` of shape (depth or more, 3). Returns the number of rows written.
    """
    key = (read_top(book, symbol, side) >> KEY_SHIFT) - 1
    n = 0
    while key >= 0 and n < depth:
        index = mirrored(book, side, key)
        at = level_at(book, place_of(book, symbol, index, side))
        out[n, 0] = price_of(book, symbol, index)
        out[n, 1] = read_total(book.memory, at)
        out[n, 2] = read_count(book.memory, at)
        n += 1
        key = below(book, (symbol << 1) + side, key)
    return n


@compiled
def queue(book: Any, symbol: int, side: int, index: int, references: Any, quantities: Any) -> int:
    """Writes the orders of one level, first in the queue first, as far as the two vectors reach.

    ``references`` is ``uint64`` or ``int64``. Returns the number of orders in the level.
    """
    memory = book.memory
    order = read_first(memory, level_at(book, place_of(book, symbol, index, side)))
    n = 0
    while order != 0:
        at = order_at(book, order)
        if n < len(references):
            references[n] = read_reference(memory, at)
            quantities[n] = read_quantity(memory, at)
        n += 1
        order = read_next(memory, at)
    return n
