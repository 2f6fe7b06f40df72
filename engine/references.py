"""The orders that are alive in the books, by reference: what has to be deleted before a snapshot can be put in."""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np

from engine.ladder import index_of_place, mirrored, side_of_place, symbol_of_place
from engine.memory import HEAD_SHIFT
from engine.orders import order_at, read_chain, read_head, read_place, read_reference
from wire.compiled import compiled

Vector = np.ndarray[Any, np.dtype[Any]]


class Alive(NamedTuple):
    """Orders: reference and symbol of each, the worst price of its side first."""

    references: Vector
    symbols: Vector


def alive(book: Any) -> Alive:
    """The orders in the books of an engine that does not change them meanwhile."""
    found = np.zeros((3, book.order_count), np.int64)
    count = int(_collect(book, *found))
    references, symbols, keys = found[:, :count]
    order = np.argsort(keys, kind="stable")
    return Alive(references[order].astype(np.uint64), symbols[order])


@compiled
def _collect(book: Any, references: Any, symbols: Any, keys: Any) -> int:
    """Writes every order's reference, symbol and key (higher is better); how many there are."""
    memory, count = book.memory, 0
    for chain in range(book.mask + 1):
        order = read_head(memory, book.heads + (chain << HEAD_SHIFT))
        while order != 0:
            at = order_at(book, order)
            place = read_place(memory, at)
            references[count] = read_reference(memory, at)
            symbols[count] = symbol_of_place(book, place)
            keys[count] = mirrored(book, side_of_place(place), index_of_place(book, place))
            count += 1
            order = read_chain(memory, at)
    return count
