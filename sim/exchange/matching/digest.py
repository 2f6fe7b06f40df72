"""A hash of everything that matters to what happens next, and the book as Python lists."""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np

from sim.exchange.matching.ladder import below, best_at, level_at, order_at, symbol_at
from sim.exchange.matching.orders import price_of, price_of_key
from sim.exchange.matching.state import (
    BAND,
    CROSS_QUEUES,
    FIRST,
    HIDDEN,
    LAST_PRICE,
    LEVEL_COUNT,
    MATCHES,
    O_DISPLAYED,
    O_NEXT,
    O_OPEN,
    O_REFERENCE,
    O_SHOWN,
    O_TIME,
    SERIAL,
    STATE,
    SYMBOL_COUNT,
    Vector,
)
from wire.compiled import inner, uncounted


class Resting(NamedTuple):
    """An order in the book. ``shown`` is 0 if nothing of it is."""

    reference: int
    shown: int
    price: int
    open: int
    displayed: int


def queue(memory: Vector, symbol: int, side: int) -> list[Resting]:
    """A side of the book in the order in which it trades."""
    found, row = [], symbol * 2 + side
    key = int(_best(memory, row))
    while key >= 0:
        level = int(_level_at(memory, row, key))
        for first in (memory[level + FIRST], memory[level + HIDDEN + FIRST]):
            found += _orders(memory, int(first))
        key = int(_below(memory, row, key))
    return found


def waiting(memory: Vector, symbol: int) -> tuple[list[Resting], list[Resting]]:
    """The orders that wait for the opening and for the closing cross, in the order of their coming."""
    at = int(_symbol_at(memory, symbol)) + CROSS_QUEUES
    return _orders(memory, int(memory[at + FIRST])), _orders(memory, int(memory[at + 4 + FIRST]))


def _orders(memory: Vector, slot: int) -> list[Resting]:
    found = []
    while slot:
        order = int(_order_at(memory, slot))
        row = memory[order : order + O_TIME].tolist()
        found.append(
            Resting(row[O_REFERENCE], row[O_SHOWN], int(_price(memory, order)), row[O_OPEN], row[O_DISPLAYED])
        )
        slot = row[O_NEXT]
    return found


@uncounted
def _level_at(memory: Any, row: int, key: int) -> int:
    return level_at(memory, row, key)


@uncounted
def _below(memory: Any, row: int, key: int) -> int:
    return below(memory, row, key)


@uncounted
def _symbol_at(memory: Any, symbol: int) -> int:
    return symbol_at(memory, symbol)


@uncounted
def _order_at(memory: Any, slot: int) -> int:
    return order_at(memory, slot)


@uncounted
def _price(memory: Any, order: int) -> int:
    return price_of(memory, order)


@uncounted
def _best(memory: Any, row: int) -> int:
    return memory[best_at(memory, row)] - 1


@inner
def _mixed(digest: np.uint64, value: int) -> np.uint64:
    """SplitMix64's finish over the digest and one more number."""
    z = (digest ^ np.uint64(value)) + np.uint64(0x9E3779B97F4A7C15)
    z = (z ^ (z >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
    z = (z ^ (z >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    return z ^ (z >> np.uint64(31))


@inner
def _mixed_queue(memory: Any, digest: np.uint64, slot: int) -> np.uint64:
    while slot != 0:
        order = order_at(memory, slot)
        for i in range(O_TIME):
            if i < 12 or i > O_NEXT:
                digest = _mixed(digest, memory[order + i])
        slot = memory[order + O_NEXT]
    return _mixed(digest, -1)


@uncounted
def state_hash(memory: Any) -> np.uint64:
    """64 bits over serial and match numbers, every symbol's state, and every order in the order in which it trades."""
    digest = _mixed(_mixed(np.uint64(0), memory[SERIAL]), memory[MATCHES])
    for symbol in range(memory[SYMBOL_COUNT]):
        at = symbol_at(memory, symbol)
        digest = _mixed(_mixed(digest, memory[at + STATE]), memory[at + LAST_PRICE])
        digest = _mixed(_mixed(digest, memory[at + BAND]), memory[at + BAND + 1])
        for i in range(2):
            digest = _mixed_queue(memory, digest, memory[at + CROSS_QUEUES + 4 * i + FIRST])
        for side in range(2):
            row, key = symbol * 2 + side, memory[LEVEL_COUNT]
            while True:
                key = below(memory, row, key)
                if key < 0:
                    break
                level = level_at(memory, row, key)
                digest = _mixed_queue(memory, digest, memory[level + FIRST])
                digest = _mixed_queue(memory, digest, memory[level + HIDDEN + FIRST])
    return digest


@uncounted
def depth(memory: Any, symbol: int, side: int, out: Any) -> int:
    """Displayed price, shares and orders of the best levels into the rows of ``out``; how many there are."""
    row, n = symbol * 2 + side, 0
    key = memory[LEVEL_COUNT]
    while n < len(out):
        key = below(memory, row, key)
        if key < 0:
            break
        level = level_at(memory, row, key)
        if memory[level + 1] > 0:
            out[n, 0], out[n, 1], out[n, 2] = price_of_key(memory, symbol, side, key), memory[level], memory[level + 1]
            n += 1
    return n
