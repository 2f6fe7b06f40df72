"""The auction: one price for everything that trades, at the open, at the close, and after a halt.

The price is chosen as in Nasdaq's rules 4752(d)(2) and 4754(b)(2), Equity 4: (A) the level at which the most shares trade; of
these (B) the one that leaves the least imbalance; of these (C) an entered price at which shares remain unexecuted: one where
the side that is left over has a limit order; of these (D) the one nearest to the benchmark; of two as near the lower. (E)
Only levels within the threshold around the benchmark are asked, and within the price bands. Market orders count at every
level; orders on open or close count beside the book, their own cross only. The benchmark is the price that is given, else the
middle of the displayed bid and offer, else the last price.

The indicator (NOII) says the price at or within the displayed bid and offer that (A) to (D) choose, what would be paired there
and what left over: of the orders on close before the close, of all orders before the open and after a halt; 0 where there
is no bid or no offer. Beside it stand the prices of the whole cross (near) and of the orders on this cross alone (far).

Executions go by price, at a price displayed before hidden before on-cross orders, then by time; market orders are
first. Orders on open or close that do not trade in their cross are cancelled. A book that was crossed no longer is: at a price
above the chosen one where buyers were left over and sellers were, too, more would have traded. Where the threshold forbade that
price, the side that is left over loses its orders from the best on, until the book is not crossed.
"""

from __future__ import annotations

from typing import Any

from sim.exchange.matching.ladder import append, below, best_at, is_empty, level_at, occupy, order_at, symbol_at
from sim.exchange.matching.orders import begin, begin_for, cancel, fill, price_of_key
from sim.exchange.matching.state import (
    BAND,
    BASE,
    BUY,
    COUNT,
    CROSS_QUEUES,
    DISPLAY,
    E_DETAIL,
    E_DISPLAYED,
    E_LEFT,
    E_MATCH,
    E_OTHER,
    E_PRICE,
    E_SHARES,
    FIRST,
    FLAGS,
    HIDDEN,
    IN_AUCTION,
    LAST,
    LAST_PRICE,
    LEVEL_COUNT,
    MATCHES,
    O_DISPLAYED,
    O_FLAGS,
    O_KEY,
    O_NEXT,
    O_OPEN,
    O_SIDE,
    PRICE,
    QUANTITY,
    SCRATCH_AT,
    SELL,
    SHARES,
    SIDE,
    STATE,
    SYMBOL,
    TICK,
    TRADING,
    VALUE,
    Event,
    Reason,
)
from wire.compiled import inner

_CROSSED, _CROSS, _IMBALANCE, _STATE = (
    Event.CROSSED.value,
    Event.CROSS.value,
    Event.IMBALANCE.value,
    Event.STATE.value,
)
_NOT_CROSSED, _BAND = Reason.CROSS.value, Reason.BAND.value
_ANYWHERE = 1 << 40
_OPENING, _CLOSING, _REOPENING = b"OCH"


@inner
def waiting(memory: Any, symbol: int, kind: int) -> int:
    """The queue of the orders that wait for a kind of cross, -1 for one that nobody can wait for."""
    if kind == _OPENING:
        return symbol_at(memory, symbol) + CROSS_QUEUES
    return symbol_at(memory, symbol) + CROSS_QUEUES + 4 if kind == _CLOSING else -1


@inner
def add_queue(memory: Any, slot: int) -> None:
    """Adds a queue's orders, from ``slot`` on, to what would trade at their level, by side and index."""
    levels = memory[LEVEL_COUNT]
    while slot != 0:
        order = order_at(memory, slot)
        side = memory[order + O_SIDE]
        index = memory[order + O_KEY] ^ (-side & (levels - 1))
        memory[memory[SCRATCH_AT] + side * levels + index] += memory[order + O_OPEN]
        slot = memory[order + O_NEXT]


@inner
def gather(memory: Any, symbol: int, kind: int, with_book: bool) -> None:
    """Shares by side and index in SCRATCH: of the orders on this cross, and of the book."""
    scratch, levels = memory[SCRATCH_AT], memory[LEVEL_COUNT]
    for i in range(2 * levels):
        memory[scratch + i] = 0
    queue = waiting(memory, symbol, kind)
    if queue >= 0:
        add_queue(memory, memory[queue + FIRST])
    if with_book:
        for side in range(2):
            row = symbol * 2 + side
            key = memory[best_at(memory, row)] - 1
            while key >= 0:
                level = level_at(memory, row, key)
                add_queue(memory, memory[level + FIRST])
                add_queue(memory, memory[level + HIDDEN + FIRST])
                key = below(memory, row, key)


@inner
def choose(memory: Any, symbol: int, twice: int, least: int, most: int, floor: int) -> tuple[int, int, int]:
    """Price, shares that trade, and buyers' surplus at it, of what :func:`gather` found; (0, 0, surplus) for no trade.

    ``twice`` is the benchmark, doubled, for the middle of a spread may be half a unit; ``least`` and ``most`` are doubled
    prices, too. More than ``floor`` shares must trade: with -1 a level is chosen though nothing does.
    """
    at, scratch, levels = symbol_at(memory, symbol), memory[SCRATCH_AT], memory[LEVEL_COUNT]
    base, tick = memory[at + BASE], memory[at + TICK]
    last, begin = min(memory[at + BAND], levels - 2), max(levels - 1 - memory[at + BAND + 1], 1)
    demand, supply = 0, 0
    for index in range(levels):
        demand += memory[scratch + index]
    best, price, over, far, entered = floor, 0, demand, 0, False
    for index in range(levels):
        supply += memory[scratch + levels + index]
        here = base + index * tick
        if begin <= index <= last and least <= 2 * here <= most:
            shares, surplus = min(demand, supply), demand - supply
            distance = abs(2 * here - twice)
            remains = memory[scratch + index] if surplus > 0 else memory[scratch + levels + index]
            stays = surplus != 0 and remains > 0
            better = shares > best
            if shares == best and abs(surplus) != abs(over):
                better = abs(surplus) < abs(over)
            elif shares == best and stays != entered:
                better = stays
            elif shares == best:
                better = distance < far
            if shares > floor and better:
                best, price, over, far, entered = shares, here, surplus, distance, stays
        demand -= memory[scratch + index]
    if best == floor:
        return 0, 0, _surplus(memory)
    return price, best, over


@inner
def _surplus(memory: Any) -> int:
    """All buyers' shares less all sellers'."""
    scratch, levels, total = memory[SCRATCH_AT], memory[LEVEL_COUNT], 0
    for index in range(levels):
        total += memory[scratch + index] - memory[scratch + levels + index]
    return total


@inner
def best_displayed(memory: Any, symbol: int, side: int) -> int:
    """The best price at which a side shows something, 0 if there is none."""
    row = symbol * 2 + side
    key = memory[best_at(memory, row)] - 1
    while key >= 0 and memory[level_at(memory, row, key) + COUNT] == 0:
        key = below(memory, row, key)
    return price_of_key(memory, symbol, side, key) if key >= 0 else 0


@inner
def twice_the_benchmark(memory: Any, symbol: int, given: int) -> int:
    """The price that an auction leans on, doubled."""
    if given > 0:
        return 2 * given
    bid, offer = best_displayed(memory, symbol, BUY), best_displayed(memory, symbol, SELL)
    return bid + offer if bid > 0 and offer > 0 else 2 * memory[symbol_at(memory, symbol) + LAST_PRICE]


@inner
def width(twice: int, command: Any) -> int:
    """How far from the benchmark a cross may be, doubled."""
    if command[SHARES] == 0 and command[DISPLAY] == 0:
        return _ANYWHERE
    return max(twice * command[SHARES] // 10_000, 2 * command[DISPLAY])


@inner
def imbalance(memory: Any, events: Any, command: Any) -> None:
    """The indicator, as a command asks for it."""
    symbol, kind = command[SYMBOL], command[VALUE]
    twice = twice_the_benchmark(memory, symbol, command[PRICE])
    around = width(twice, command)
    bid, offer = best_displayed(memory, symbol, BUY), best_displayed(memory, symbol, SELL)
    gather(memory, symbol, kind, False)
    far, _, _ = choose(memory, symbol, twice, twice - around, twice + around, 0)
    reference, paired, over = 0, 0, 0
    if kind == _CLOSING and bid > 0 and offer > 0:
        reference, paired, over = inside(memory, symbol, bid, offer)
    gather(memory, symbol, kind, True)
    near, _, _ = choose(memory, symbol, twice, twice - around, twice + around, 0)
    if kind != _CLOSING and bid > 0 and offer > 0:
        reference, paired, over = inside(memory, symbol, bid, offer)
    n = begin(memory, events, _IMBALANCE)
    side = -1
    if over != 0:
        side = BUY if over > 0 else SELL
    events[n, SYMBOL], events[n, SIDE], events[n, E_SHARES], events[n, E_LEFT] = symbol, side, paired, abs(over)
    events[n, E_MATCH], events[n, E_DETAIL] = reference, kind
    if command[FLAGS] == 0:
        events[n, E_PRICE], events[n, E_OTHER] = near, far


@inner
def inside(memory: Any, symbol: int, bid: int, offer: int) -> tuple[int, int, int]:
    """Reference price at or within bid and offer, shares paired there, buyers' surplus, of what :func:`gather` found."""
    return choose(memory, symbol, bid + offer, 2 * min(bid, offer), 2 * max(bid, offer), -1)


@inner
def cross(memory: Any, events: Any, command: Any) -> None:
    """The auction that a command asks for. After an opening or a halt's one, trading begins."""
    symbol, kind = command[SYMBOL], command[VALUE]
    at, levels = symbol_at(memory, symbol), memory[LEVEL_COUNT]
    gather(memory, symbol, kind, True)
    twice = twice_the_benchmark(memory, symbol, command[PRICE])
    around = width(twice, command)
    price, left, over = choose(memory, symbol, twice, twice - around, twice + around, 0)
    memory[MATCHES] += 1
    match, total = memory[MATCHES], left
    queue = waiting(memory, symbol, kind)
    queue = waiting(memory, symbol, kind)
    if queue >= 0:
        admit(memory, symbol, queue)
    while left > 0:
        buyer, seller = first(memory, symbol * 2), first(memory, symbol * 2 + 1)
        shares = min(min(offered(memory, buyer), offered(memory, seller)), left)
        left -= shares
        execute(memory, events, buyer, shares, price, match, kind)
        execute(memory, events, seller, shares, price, match, kind)
    n = begin(memory, events, _CROSS)
    events[n, SYMBOL], events[n, E_PRICE], events[n, E_SHARES], events[n, E_MATCH] = symbol, price, total, match
    events[n, E_DETAIL] = kind
    if total > 0:
        memory[at + LAST_PRICE] = price
    if queue >= 0:
        dismiss(memory, events, symbol, levels)
    uncross(memory, events, symbol, BUY if over > 0 else SELL)
    if kind == _OPENING or kind == _REOPENING:
        memory[at + STATE] = TRADING
        n = begin(memory, events, _STATE)
        events[n, SYMBOL], events[n, E_DETAIL] = symbol, TRADING


@inner
def admit(memory: Any, symbol: int, queue: int) -> None:
    """Puts the waiting orders into the book for the moment, hidden, behind what is there; market orders at the top."""
    slot = memory[queue + FIRST]
    memory[queue + FIRST], memory[queue + LAST], memory[queue + COUNT], memory[queue + QUANTITY] = 0, 0, 0, 0
    while slot != 0:
        order = order_at(memory, slot)
        following = memory[order + O_NEXT]
        memory[order + O_FLAGS] |= IN_AUCTION
        row, key = symbol * 2 + memory[order + O_SIDE], memory[order + O_KEY]
        level = level_at(memory, row, key)
        if is_empty(memory, level):
            occupy(memory, row, key)
        append(memory, level + HIDDEN, slot, memory[order + O_OPEN])
        slot = following


@inner
def dismiss(memory: Any, events: Any, symbol: int, levels: int) -> None:
    """Cancels the admitted orders that did not trade, or not fully."""
    for side in range(2):
        row = symbol * 2 + side
        key = levels
        while True:
            key = below(memory, row, key)
            if key < 0:
                break
            slot = memory[level_at(memory, row, key) + HIDDEN + FIRST]
            while slot != 0:
                order = order_at(memory, slot)
                following = memory[order + O_NEXT]
                if memory[order + O_FLAGS] & IN_AUCTION:
                    cancel(memory, events, slot, memory[order + O_OPEN], _NOT_CROSSED)
                slot = following


@inner
def uncross(memory: Any, events: Any, symbol: int, side: int) -> None:
    """Cancels the best orders of a side until the book is not crossed."""
    mine, theirs = best_at(memory, symbol * 2 + side), best_at(memory, symbol * 2 + 1 - side)
    while memory[mine] > 0 and memory[theirs] > 0 and memory[mine] + memory[theirs] > memory[LEVEL_COUNT]:
        slot = first(memory, symbol * 2 + side)
        cancel(memory, events, slot, memory[order_at(memory, slot) + O_OPEN], _BAND)


@inner
def first(memory: Any, row: int) -> int:
    """The slot of the order that is first in a row."""
    level = level_at(memory, row, memory[best_at(memory, row)] - 1)
    slot = memory[level + FIRST]
    return slot if slot != 0 else memory[level + HIDDEN + FIRST]


@inner
def offered(memory: Any, slot: int) -> int:
    """The shares of an order that come before the others'."""
    order = order_at(memory, slot)
    displayed = memory[order + O_DISPLAYED]
    return displayed if displayed > 0 else memory[order + O_OPEN]


@inner
def execute(memory: Any, events: Any, slot: int, shares: int, price: int, match: int, kind: int) -> None:
    """One side of what trades."""
    order = order_at(memory, slot)
    n = begin_for(memory, events, _CROSSED, order)
    displayed = memory[order + O_DISPLAYED]
    events[n, E_SHARES], events[n, E_LEFT], events[n, E_PRICE] = shares, memory[order + O_OPEN] - shares, price
    events[n, E_MATCH], events[n, E_DETAIL] = match, kind
    events[n, E_DISPLAYED] = shares if displayed > 0 else 0
    fill(memory, events, slot, shares)
