"""The ladder: rows of price levels, one per symbol and side; each level with quantity, count and queue.

A *place* numbers a level of the whole ladder: a symbol's stride, a power of two, of four buy levels, four
sell levels, four buy levels and so on, so that a cache line holds four levels of one side and its neighbour
those of the other. Which levels are occupied stands in bit maps over *keys*: the index for buys, ``stride - 1
- index`` for sells, so that on both sides the best level is the highest key, and one code without a branch
for the side serves both.

The top of a row is one word: quantity, and above it key + 1; 0 is an empty row.
"""

from __future__ import annotations

from typing import Any

from engine.intrinsics import highest_bit
from engine.memory import LEVEL, LEVEL_SHIFT, LEVEL_SKEW, OCCUPIED_SKEW, ORDER, WORD_SHIFT
from engine.orders import order_at
from wire.buffers import reader, writer
from wire.compiled import merged

KEY_SHIFT = 32
LOW = (1 << KEY_SHIFT) - 1

read_word, write_word = reader(0, 1 << WORD_SHIFT, True, "little"), writer(0, 1 << WORD_SHIFT, "little")
read_total, write_total = LEVEL.reader("quantity"), LEVEL.writer("quantity")
read_count, write_count = LEVEL.reader("count"), LEVEL.writer("count")
read_first, write_first = LEVEL.reader("head"), LEVEL.writer("head")
read_tail, write_tail = LEVEL.reader("tail"), LEVEL.writer("tail")
read_previous, write_previous = ORDER.reader("previous"), ORDER.writer("previous")
read_next, write_next = ORDER.reader("next"), ORDER.writer("next")


@merged
def place_of(book: Any, symbol: int, index: int, side: int) -> int:
    """The number of a level."""
    return (symbol << (book.stride_bits + 1)) | (index & -4) << 1 | side << 2 | index & 3


@merged
def level_at(book: Any, place: int) -> int:
    """Where a level begins."""
    return book.levels + (place << LEVEL_SHIFT) + symbol_of_place(book, place) * LEVEL_SKEW


@merged
def symbol_of_place(book: Any, place: int) -> int:
    """The symbol that a level belongs to."""
    return place >> (book.stride_bits + 1)


@merged
def side_of_place(place: int) -> int:
    """A level's side."""
    return (place >> 2) & 1


@merged
def index_of_place(book: Any, place: int) -> int:
    """A level's index."""
    return (place >> 1) & ((1 << book.stride_bits) - 4) | place & 3


@merged
def mirrored(book: Any, side: int, index: int) -> int:
    """The key of an index, or the index of a key."""
    return index ^ (-side & ((1 << book.stride_bits) - 1))


@merged
def occupied_at(book: Any, row: int) -> int:
    """Where the bit map of a row begins."""
    return book.occupied + (row << (book.word_bits + WORD_SHIFT)) + (row >> 1) * OCCUPIED_SKEW


@merged
def word_at(book: Any, place: int) -> int:
    """Where the word with the bit of a level stands."""
    key = mirrored(book, side_of_place(place), index_of_place(book, place))
    row = (symbol_of_place(book, place) << 1) + side_of_place(place)
    return occupied_at(book, row) + ((key >> 6) << WORD_SHIFT)


@merged
def below(book: Any, row: int, key: int) -> int:
    """The highest occupied key of a row (``symbol * 2 + side``) below ``key``, -1 if there is none."""
    if key <= 0:
        return -1
    memory = book.memory
    occupied = occupied_at(book, row)
    last = key - 1
    word = last >> 6
    bits = read_word(memory, occupied + (word << WORD_SHIFT)) & ((2 << (last & 63)) - 1)
    if bits != 0:
        return (word << 6) + highest_bit(bits)
    summary = book.summary + (row << (book.summary_bits + WORD_SHIFT))
    group = word >> 6
    words = read_word(memory, summary + (group << WORD_SHIFT)) & ((1 << (word & 63)) - 1)
    while words == 0:
        if group == 0:
            return -1
        group -= 1
        words = read_word(memory, summary + (group << WORD_SHIFT))
    word = (group << 6) + highest_bit(words)
    return (word << 6) + highest_bit(read_word(memory, occupied + (word << WORD_SHIFT)))


@merged
def mark(book: Any, row: int, key: int, is_occupied: bool) -> None:
    """Sets or clears the bit of a key."""
    memory = book.memory
    at = occupied_at(book, row) + ((key >> 6) << WORD_SHIFT)
    above = book.summary + (((row << book.summary_bits) + (key >> 12)) << WORD_SHIFT)
    bit, word = 1 << (key & 63), read_word(memory, at)
    if is_occupied:
        write_word(memory, at, word | bit)
        if word == 0:
            write_word(memory, above, read_word(memory, above) | 1 << ((key >> 6) & 63))
    else:
        write_word(memory, at, word & ~bit)
        if word == bit:
            write_word(memory, above, read_word(memory, above) & ~(1 << ((key >> 6) & 63)))


@merged
def append(book: Any, place: int, order: int, quantity: int, top: int) -> int:
    """Puts an order at the end of a level's queue; the row's top after it."""
    memory = book.memory
    at, mine = level_at(book, place), order_at(book, order)
    key = mirrored(book, side_of_place(place), index_of_place(book, place))
    total = (read_total(memory, at) + quantity) & LOW
    count, tail = read_count(memory, at), read_tail(memory, at)
    write_total(memory, at, total)
    write_count(memory, at, count + 1)
    write_first(memory, at, order if count == 0 else read_first(memory, at))
    write_tail(memory, at, order)
    write_previous(memory, mine, tail)
    write_next(memory, mine, 0)
    write_next(memory, order_at(book, tail), order)  # behind nobody: into row 0, which nobody reads
    if count == 0:
        mark(book, (symbol_of_place(book, place) << 1) + side_of_place(place), key, True)
    best = total | ((key + 1) << KEY_SHIFT)
    return best if key + 1 >= top >> KEY_SHIFT else top


@merged
def reduce(book: Any, place: int, quantity: int, top: int) -> int:
    """Takes shares from a level whose orders stay; the row's top after it."""
    memory, at = book.memory, level_at(book, place)
    key = mirrored(book, side_of_place(place), index_of_place(book, place))
    total = (read_total(memory, at) - quantity) & LOW
    write_total(memory, at, total)
    best = total | ((key + 1) << KEY_SHIFT)
    return best if key + 1 == top >> KEY_SHIFT else top


@merged
def unlink(book: Any, place: int, order: int, quantity: int, top: int) -> int:
    """Takes an order with all it has from wherever it stands in its level's queue; the row's top after it."""
    memory = book.memory
    at, mine = level_at(book, place), order_at(book, order)
    side = side_of_place(place)
    key = mirrored(book, side, index_of_place(book, place))
    total, count = (read_total(memory, at) - quantity) & LOW, read_count(memory, at) - 1
    write_total(memory, at, total)
    write_count(memory, at, count)
    previous, following = read_previous(memory, mine), read_next(memory, mine)
    write_next(memory, order_at(book, previous), following)  # at the ends of the queue: into row 0
    write_previous(memory, order_at(book, following), previous)
    write_first(memory, at, following if previous == 0 else read_first(memory, at))
    write_tail(memory, at, previous if following == 0 else read_tail(memory, at))
    best = total | ((key + 1) << KEY_SHIFT)
    if count == 0:
        symbol = symbol_of_place(book, place)
        row = (symbol << 1) + side
        mark(book, row, key, False)
        if key + 1 == top >> KEY_SHIFT:
            key = below(book, row, key)
            place = place_of(book, symbol, mirrored(book, side, key), side)
            best = read_total(memory, level_at(book, place)) | ((key + 1) << KEY_SHIFT) if key >= 0 else 0
            return best
        return top
    return best if key + 1 == top >> KEY_SHIFT else top
