"""Price levels: first-in first-out queues, and which levels are occupied (bits, and bits over their words)."""

from __future__ import annotations

from typing import Any

from engine.intrinsics import highest_bit
from sim.exchange.matching.state import (
    BEST,
    COUNT,
    FIRST,
    GROUP_BITS,
    GROUPS_AT,
    HIDDEN,
    LAST,
    LEVEL_BITS,
    LEVEL_WIDTH,
    LEVELS_AT,
    O_NEXT,
    O_PREVIOUS,
    ORDER_WIDTH,
    ORDERS_AT,
    QUANTITY,
    SYMBOL_WIDTH,
    SYMBOLS_AT,
    WORD_BITS,
    WORDS_AT,
)
from wire.compiled import inner, merged


@merged
def order_at(memory: Any, slot: int) -> int:
    """Where an order stands."""
    return memory[ORDERS_AT] + slot * ORDER_WIDTH


@merged
def symbol_at(memory: Any, symbol: int) -> int:
    """Where a symbol stands."""
    return memory[SYMBOLS_AT] + symbol * SYMBOL_WIDTH


@merged
def level_at(memory: Any, row: int, key: int) -> int:
    """Where a level stands."""
    return memory[LEVELS_AT] + ((row << memory[LEVEL_BITS]) + key) * LEVEL_WIDTH


@merged
def best_at(memory: Any, row: int) -> int:
    """Where the best key + 1 of a row stands."""
    return symbol_at(memory, row >> 1) + BEST + (row & 1)


@merged
def append(memory: Any, queue: int, slot: int, shares: int) -> None:
    """Puts an order at the end of a queue."""
    order, tail = order_at(memory, slot), memory[queue + LAST]
    memory[order + O_PREVIOUS], memory[order + O_NEXT] = tail, 0
    if tail == 0:
        memory[queue + FIRST] = slot
    else:
        memory[order_at(memory, tail) + O_NEXT] = slot
    memory[queue + LAST] = slot
    memory[queue + QUANTITY] += shares
    memory[queue + COUNT] += 1


@merged
def unlink(memory: Any, queue: int, slot: int, shares: int) -> None:
    """Takes an order with what it has left from wherever it stands in a queue."""
    order = order_at(memory, slot)
    before, after = memory[order + O_PREVIOUS], memory[order + O_NEXT]
    if before == 0:
        memory[queue + FIRST] = after
    else:
        memory[order_at(memory, before) + O_NEXT] = after
    if after == 0:
        memory[queue + LAST] = before
    else:
        memory[order_at(memory, after) + O_PREVIOUS] = before
    memory[queue + QUANTITY] -= shares
    memory[queue + COUNT] -= 1


@inner
def occupy(memory: Any, row: int, key: int) -> None:
    """A level that was empty has an order."""
    word = memory[WORDS_AT] + (row << memory[WORD_BITS]) + (key >> 6)
    before = memory[word]
    memory[word] = before | 1 << (key & 63)
    if before == 0:
        memory[memory[GROUPS_AT] + (row << memory[GROUP_BITS]) + (key >> 12)] |= 1 << ((key >> 6) & 63)
    best = best_at(memory, row)
    if key >= memory[best]:
        memory[best] = key + 1


@inner
def vacate(memory: Any, row: int, key: int) -> None:
    """A level has lost its last order."""
    word = memory[WORDS_AT] + (row << memory[WORD_BITS]) + (key >> 6)
    left = memory[word] & ~(1 << (key & 63))
    memory[word] = left
    if left == 0:
        memory[memory[GROUPS_AT] + (row << memory[GROUP_BITS]) + (key >> 12)] &= ~(1 << ((key >> 6) & 63))
    best = best_at(memory, row)
    if key + 1 == memory[best]:
        memory[best] = below(memory, row, key) + 1


@inner
def below(memory: Any, row: int, key: int) -> int:
    """The highest occupied key of a row below ``key``, -1 if there is none."""
    if key <= 0:
        return -1
    words = memory[WORDS_AT] + (row << memory[WORD_BITS])
    last = key - 1
    word = last >> 6
    bits = memory[words + word] & ((2 << (last & 63)) - 1)
    if bits != 0:
        return (word << 6) + highest_bit(bits)
    groups = memory[GROUPS_AT] + (row << memory[GROUP_BITS])
    group = word >> 6
    found = memory[groups + group] & ((1 << (word & 63)) - 1)
    while found == 0:
        if group == 0:
            return -1
        group -= 1
        found = memory[groups + group]
    word = (group << 6) + highest_bit(found)
    return (word << 6) + highest_bit(memory[words + word])


@merged
def is_empty(memory: Any, level: int) -> bool:
    """Whether a level has neither a displayed nor a hidden order."""
    return memory[level + COUNT] + memory[level + HIDDEN + COUNT] == 0
