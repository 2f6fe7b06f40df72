"""The order pool: an order is made, enters the book, is reduced, shows more of its reserve, and ends.

Each function keeps the counts by which no share gets lost: ENTERED = EXECUTED + CANCELLED + OPENED.
"""

from __future__ import annotations

from typing import Any

from sim.exchange.matching.ladder import append, is_empty, level_at, occupy, order_at, symbol_at, unlink, vacate
from sim.exchange.matching.state import (
    ATTRIBUTED,
    BASE,
    CANCELLED,
    CROSS_QUEUES,
    E_ATTRIBUTION,
    E_DETAIL,
    E_DISPLAYED,
    E_LEFT,
    E_MATCH,
    E_OTHER,
    E_OTHER_OWNER,
    E_OTHER_TOKEN,
    E_OWNER,
    E_PRICE,
    E_REFERENCE,
    E_SHARES,
    E_SHOWN,
    E_TOKEN,
    EVENTS,
    EXECUTED,
    FREE,
    HIDDEN,
    IN_AUCTION,
    IN_SYMBOL,
    KIND,
    LEVEL_COUNT,
    LIVE,
    MARKET,
    MARKET_PRICE,
    NOW,
    O_DISPLAY,
    O_DISPLAYED,
    O_FIRM,
    O_FLAGS,
    O_KEY,
    O_NEXT,
    O_OPEN,
    O_OWNER,
    O_REFERENCE,
    O_SHOWN,
    O_SIDE,
    O_SYMBOL,
    O_TOKEN,
    ON_CROSS,
    ON_OPEN,
    OPENED,
    POOL,
    QUANTITY,
    SERIAL,
    SIDE,
    SLOT_BITS,
    SYMBOL,
    TICK,
    TIME,
    USED,
    Event,
)
from wire.compiled import inner, merged

_REFRESHED, _CANCELLED = Event.REFRESHED.value, Event.CANCELLED.value


@merged
def new_reference(memory: Any, slot: int) -> int:
    """A reference that nothing had before."""
    memory[SERIAL] += 1
    return memory[SERIAL] << SLOT_BITS | slot


@merged
def find(memory: Any, reference: int) -> int:
    """The slot of a live order, 0 if there is none of this reference."""
    slot = reference & ((1 << SLOT_BITS) - 1)
    if reference <= 0 or slot == 0 or slot > memory[USED]:
        return 0
    return slot if memory[order_at(memory, slot) + O_REFERENCE] == reference else 0


@inner
def take_slot(memory: Any) -> int:
    """A free slot, 0 if the pool is full."""
    slot = memory[FREE]
    if slot != 0:
        memory[FREE] = memory[order_at(memory, slot) + O_NEXT]
    elif memory[USED] < memory[POOL]:
        memory[USED] += 1
        slot = memory[USED]
    return slot


@merged
def symbol_of(memory: Any, slot: int) -> int:
    """Where the symbol of an order stands."""
    return symbol_at(memory, memory[order_at(memory, slot) + O_SYMBOL])


@merged
def price_of_key(memory: Any, symbol: int, side: int, key: int) -> int:
    """The price of a level."""
    at = symbol_at(memory, symbol)
    return memory[at + BASE] + (key ^ (-side & (memory[LEVEL_COUNT] - 1))) * memory[at + TICK]


@merged
def price_of(memory: Any, order: int) -> int:
    """The price of the order that stands at ``order``."""
    if memory[order + O_FLAGS] & MARKET:
        return MARKET_PRICE
    return price_of_key(memory, memory[order + O_SYMBOL], memory[order + O_SIDE], memory[order + O_KEY])


@merged
def begin(memory: Any, events: Any, kind: int) -> int:
    """A new event without an order; its row."""
    n = memory[EVENTS]
    memory[EVENTS] = n + 1
    for i in range(16):
        events[n, i] = 0
    events[n, KIND], events[n, TIME] = kind, memory[NOW]
    return n


@merged
def begin_for(memory: Any, events: Any, kind: int, order: int) -> int:
    """A new event of the order that stands at ``order``; its row."""
    n = memory[EVENTS]
    memory[EVENTS] = n + 1
    events[n, KIND], events[n, TIME] = kind, memory[NOW]
    events[n, SYMBOL], events[n, SIDE] = memory[order + O_SYMBOL], memory[order + O_SIDE]
    events[n, E_REFERENCE], events[n, E_SHOWN] = memory[order + O_REFERENCE], memory[order + O_SHOWN]
    events[n, E_PRICE], events[n, E_SHARES] = price_of(memory, order), 0
    events[n, E_LEFT] = memory[order + O_OPEN]
    events[n, E_OWNER], events[n, E_TOKEN] = memory[order + O_OWNER], memory[order + O_TOKEN]
    events[n, E_MATCH], events[n, E_OTHER], events[n, E_OTHER_OWNER] = 0, 0, 0
    events[n, E_OTHER_TOKEN], events[n, E_DETAIL] = 0, 0
    return n


@merged
def attribution(memory: Any, order: int) -> int:
    """The firm that the book may name."""
    return memory[order + O_FIRM] if memory[order + O_FLAGS] & ATTRIBUTED else 0


@merged
def row_of(memory: Any, order: int) -> int:
    """The row that an order belongs to."""
    return memory[order + O_SYMBOL] * 2 + memory[order + O_SIDE]


@inner
def rest(memory: Any, slot: int) -> None:
    """Puts an order behind the others at its price: what it shows among the displayed ones, else among the hidden."""
    order = order_at(memory, slot)
    row, key = row_of(memory, order), memory[order + O_KEY]
    level = level_at(memory, row, key)
    if is_empty(memory, level):
        occupy(memory, row, key)
    shown = min(memory[order + O_OPEN], memory[order + O_DISPLAY])
    memory[order + O_DISPLAYED] = shown
    if shown > 0:
        if memory[order + O_SHOWN] == 0:
            memory[order + O_SHOWN] = memory[order + O_REFERENCE]
        append(memory, level, slot, shown)
    else:
        memory[order + O_SHOWN] = 0
        append(memory, level + HIDDEN, slot, memory[order + O_OPEN])


@inner
def withdraw(memory: Any, slot: int) -> None:
    """Takes an order out of its queue, in the book or waiting for an auction."""
    order = order_at(memory, slot)
    flags = memory[order + O_FLAGS]
    if flags & ON_CROSS and not flags & IN_AUCTION:
        queue = cross_queue(memory, memory[order + O_SYMBOL], flags)
        unlink(memory, queue, slot, memory[order + O_OPEN])
        return
    row, key = row_of(memory, order), memory[order + O_KEY]
    level = level_at(memory, row, key)
    if memory[order + O_DISPLAYED] > 0:
        unlink(memory, level, slot, memory[order + O_DISPLAYED])
    else:
        unlink(memory, level + HIDDEN, slot, memory[order + O_OPEN])
    if is_empty(memory, level):
        vacate(memory, row, key)


@merged
def cross_queue(memory: Any, symbol: int, flags: int) -> int:
    """Where the orders wait that are for the opening or the closing cross."""
    return symbol_at(memory, symbol) + CROSS_QUEUES + (0 if flags & ON_OPEN else 4)


@inner
def end(memory: Any, slot: int) -> None:
    """An order that stands in no queue any more is no more."""
    order = order_at(memory, slot)
    memory[symbol_of(memory, slot) + IN_SYMBOL] -= 1
    memory[LIVE] -= 1
    memory[order + O_REFERENCE] = 0
    memory[order + O_NEXT] = memory[FREE]
    memory[FREE] = slot


@inner
def fill(memory: Any, events: Any, slot: int, shares: int) -> None:
    """An execution takes ``shares`` of a resting order: no more than it shows, or than it has if it is hidden.

    A reserve that has nothing to show any more shows the next part, behind the others.
    """
    order = order_at(memory, slot)
    row, key = row_of(memory, order), memory[order + O_KEY]
    level = level_at(memory, row, key)
    left = memory[order + O_OPEN] - shares
    memory[order + O_OPEN] = left
    memory[EXECUTED] += shares
    memory[OPENED] -= shares
    displayed = memory[order + O_DISPLAYED]
    queue = level if displayed > 0 else level + HIDDEN
    if displayed > shares:
        memory[order + O_DISPLAYED] = displayed - shares
        memory[queue + QUANTITY] -= shares
    elif displayed == 0 and left > 0:
        memory[queue + QUANTITY] -= shares
    else:
        unlink(memory, queue, slot, shares)
        if left > 0:
            shown = min(left, memory[order + O_DISPLAY])
            memory[order + O_DISPLAYED] = shown
            memory[order + O_SHOWN] = new_reference(memory, slot)
            append(memory, level, slot, shown)
            n = begin_for(memory, events, _REFRESHED, order)
            events[n, E_DISPLAYED], events[n, E_ATTRIBUTION] = shown, attribution(memory, order)
            return
        if is_empty(memory, level):
            vacate(memory, row, key)
        end(memory, slot)


@inner
def fill_incoming(memory: Any, order: int, shares: int) -> None:
    """An execution takes ``shares`` of an order that stands in no queue."""
    memory[order + O_OPEN] -= shares
    memory[EXECUTED] += shares
    memory[OPENED] -= shares


@inner
def cancel(memory: Any, events: Any, slot: int, shares: int, reason: int) -> None:
    """Takes ``shares`` of a queued order away, its reserve first; without any left it ends."""
    order = order_at(memory, slot)
    left, displayed = memory[order + O_OPEN] - shares, memory[order + O_DISPLAYED]
    unseen = memory[order + O_OPEN] - displayed
    seen = max(shares - unseen, 0) if displayed > 0 else 0
    n = begin_for(memory, events, _CANCELLED, order)
    events[n, E_SHARES], events[n, E_LEFT], events[n, E_DISPLAYED] = shares, left, seen
    events[n, E_DETAIL] = reason
    memory[CANCELLED] += shares
    memory[OPENED] -= shares
    if left == 0:
        withdraw(memory, slot)
        end(memory, slot)
    else:
        reduce(memory, order, shares, seen)


@inner
def reduce(memory: Any, order: int, shares: int, seen: int) -> None:
    """Makes a queued order smaller without moving it: ``seen`` of the shares were displayed."""
    flags = memory[order + O_FLAGS]
    memory[order + O_OPEN] -= shares
    if flags & ON_CROSS and not flags & IN_AUCTION:
        memory[cross_queue(memory, memory[order + O_SYMBOL], flags) + QUANTITY] -= shares
        return
    level = level_at(memory, row_of(memory, order), memory[order + O_KEY])
    if memory[order + O_DISPLAYED] > 0:
        memory[order + O_DISPLAYED] -= seen
        memory[level + QUANTITY] -= seen
    else:
        memory[level + HIDDEN + QUANTITY] -= shares


@inner
def drop_incoming(memory: Any, events: Any, slot: int, reason: int) -> None:
    """What is left of an order that stands in no queue is cancelled, and the order ends."""
    order = order_at(memory, slot)
    left = memory[order + O_OPEN]
    n = begin_for(memory, events, _CANCELLED, order)
    events[n, E_SHARES], events[n, E_LEFT], events[n, E_SHOWN] = left, 0, 0
    events[n, E_DETAIL] = reason
    memory[CANCELLED] += left
    memory[OPENED] -= left
    end(memory, slot)
