"""The order table: from order reference to order.

A hash of chains over rows that are numbered from 1. Exchanges hand out references in rising order; folded by
exclusive or, as in the gateware, references that follow each other stay in one cache line of chain heads.
Rows are used again last in, first out, so that what is used next is what is still in the cache.
"""

from __future__ import annotations

from typing import Any

from engine.memory import HEAD_SHIFT, ORDER, ORDER_SHIFT, STATE
from wire.buffers import reader, writer
from wire.compiled import merged

IN_BAND, DEEP, BEYOND = 0, 1, 2

read_head, write_head = reader(0, 1 << HEAD_SHIFT, False, "little"), writer(0, 1 << HEAD_SHIFT, "little")
read_reference, write_reference = ORDER.reader("reference"), ORDER.writer("reference")
read_place = ORDER.reader("place")
read_chain, write_chain = ORDER.reader("chain"), ORDER.writer("chain")
read_live, write_live = STATE.reader("live"), STATE.writer("live")
read_free, write_free = STATE.reader("free"), STATE.writer("free")
read_used, write_used = STATE.reader("used"), STATE.writer("used")


@merged
def order_at(book: Any, order: int) -> int:
    """Where the row of an order begins."""
    return book.orders + (order << ORDER_SHIFT)


@merged
def head_at(book: Any, reference: int) -> int:
    """Where the first order of a reference's chain stands."""
    folded = reference ^ (reference >> 16) ^ (reference >> 32) ^ (reference >> 48)
    return book.heads + ((folded & book.mask) << HEAD_SHIFT)


@merged
def find(book: Any, reference: int) -> int:
    """The order with a reference, 0 if it is not alive."""
    order = read_head(book.memory, head_at(book, reference))
    while order != 0 and read_reference(book.memory, order_at(book, order)) != reference:
        order = read_chain(book.memory, order_at(book, order))
    return order


@merged
def insert(book: Any, reference: int) -> int:
    """A row for a reference that is not alive, 0 if the table is full. The caller fills in the rest."""
    memory = book.memory
    live = read_live(memory, 0)
    if live >= book.order_count:
        return 0
    write_live(memory, 0, live + 1)
    order = read_free(memory, 0)
    if order != 0:
        write_free(memory, 0, read_chain(memory, order_at(book, order)))
    else:
        order = read_used(memory, 0) + 1
        write_used(memory, 0, order)
    at, head = order_at(book, order), head_at(book, reference)
    write_reference(memory, at, reference)
    write_chain(memory, at, read_head(memory, head))
    write_head(memory, head, order)
    return order


@merged
def remove(book: Any, order: int) -> None:
    """Takes a row that is alive, and in no queue any more, back."""
    memory = book.memory
    at = order_at(book, order)
    head = head_at(book, read_reference(memory, at))
    following, other = read_chain(memory, at), read_head(memory, head)
    if other == order:
        write_head(memory, head, following)
    else:
        while read_chain(memory, order_at(book, other)) != order:
            other = read_chain(memory, order_at(book, other))
        write_chain(memory, order_at(book, other), following)
    write_chain(memory, at, read_free(memory, 0))
    write_free(memory, 0, order)
    write_live(memory, 0, read_live(memory, 0) - 1)
