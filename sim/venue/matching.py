"""The book of the venue: real orders as the tape has them, and ours among them as if they had been there.

The tape is never changed. What our orders take from it and what takes from them is remembered instead:

* A resting order of ours has the orders of its level that were there before it ``AHEAD`` of it, in shares. These
  shrink by what happens to just those orders.
* It trades with an execution of a real order of its side at a worse price, or at the same price behind it; with a real
  order that comes in on the other side at its price or better; and with a hidden trade at a worse price. Always at its
  own price, and only as far as these shares are more than what is ahead of it.
* An order of ours that comes in takes the displayed orders of the other side up to its limit, the best price first and
  the oldest first. Shares taken once are used up, for that order and for what replaces it.

So what fills of ours an event makes never exceeds the shares of that event. Our orders don't trade with each other.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from sim.venue import answers
from sim.venue.state import BUY, NONE, SELL, Mine, Now, Real, Stock
from wire.compiled import inner

# -- real orders -----------------------------------------------------------------------------------


@inner
def enter(book: Any, o: int, shares: int, used: int) -> None:
    """A real order joins the queue of its level; ``used`` of its shares we have already."""
    orders, queues = book.orders, book.queues
    side, level = orders[o, Real.SIDE], orders[o, Real.LEVEL]
    queue = 2 * level + side
    orders[o, Real.QUANTITY], orders[o, Real.AVAILABLE] = shares, shares - used
    tail = queues[queue, 1]
    orders[o, Real.FORWARD], orders[o, Real.BACK] = NONE, tail
    if tail == NONE:
        queues[queue, 0] = o
    else:
        orders[tail, Real.FORWARD] = o
    queues[queue, 1] = o
    stock = orders[o, Real.STOCK]
    if side == BUY:
        book.stocks[stock, Stock.BEST_BUY] = max(book.stocks[stock, Stock.BEST_BUY], level)
    else:
        book.stocks[stock, Stock.BEST_SELL] = min(book.stocks[stock, Stock.BEST_SELL], level)


@inner
def reduce(book: Any, own: Any, o: int, shares: int) -> int:
    """A real order loses shares, as many as it has; what it lost. Ours behind it move up."""
    orders, queues = book.orders, book.queues
    shares = min(shares, orders[o, Real.QUANTITY])
    if shares == 0:
        return 0
    orders[o, Real.QUANTITY] -= shares
    use(book, own, o, shares)
    if orders[o, Real.QUANTITY] == 0:
        queue = 2 * orders[o, Real.LEVEL] + orders[o, Real.SIDE]
        forward, back = orders[o, Real.FORWARD], orders[o, Real.BACK]
        if back == NONE:
            queues[queue, 0] = forward
        else:
            orders[back, Real.FORWARD] = forward
        if forward == NONE:
            queues[queue, 1] = back
        else:
            orders[forward, Real.BACK] = back
    return shares


@inner
def use(book: Any, own: Any, o: int, shares: int) -> None:
    """Shares of a real order are no longer there for us. Ours that stand behind it move up."""
    before = max(book.orders[o, Real.AVAILABLE], 0)
    book.orders[o, Real.AVAILABLE] -= shares
    gone = before - max(book.orders[o, Real.AVAILABLE], 0)
    mine = book.stocks[book.orders[o, Real.STOCK], Stock.FIRST_OWN]
    while mine != NONE:
        if (
            own.orders[mine, Mine.LEVEL] == book.orders[o, Real.LEVEL]
            and own.orders[mine, Mine.SIDE] == book.orders[o, Real.SIDE]
            and o < own.orders[mine, Mine.JOINED]
        ):
            own.orders[mine, Mine.AHEAD] -= gone
        mine = own.orders[mine, Mine.NEXT]


@inner
def best_level(book: Any, stock: int, side: int) -> int:
    """Level of the best real order of a side; one beyond the stock's prices when there is none."""
    if side == BUY:
        level, first = book.stocks[stock, Stock.BEST_BUY], book.stocks[stock, Stock.FIRST_LEVEL]
        while level >= first and book.queues[2 * level, 0] == NONE:
            level -= 1
        book.stocks[stock, Stock.BEST_BUY] = level
    else:
        level, end = book.stocks[stock, Stock.BEST_SELL], book.stocks[stock, Stock.END_LEVEL]
        while level < end and book.queues[2 * level + 1, 0] == NONE:
            level += 1
        book.stocks[stock, Stock.BEST_SELL] = level
    return level


# -- our orders ------------------------------------------------------------------------------------


@inner
def is_better(side: int, price: int, than: int) -> bool:
    """Whether an order of a side has priority by its price."""
    return price > than if side == BUY else price < than


@inner
def level_of(book: Any, stock: int, price: int) -> int:
    """The level of a price, -1 where the tape never has an order at it."""
    low, end = book.stocks[stock, Stock.FIRST_LEVEL], book.stocks[stock, Stock.END_LEVEL]
    high = end
    while low < high:
        middle = (low + high) >> 1
        if book.prices[middle] < price:
            low = middle + 1
        else:
            high = middle
    return low if low < end and book.prices[low] == price else NONE


@inner
def rest(book: Any, own: Any, now: Any, mine: int) -> None:
    """An order of ours joins the queue of its price, behind all real orders that are there."""
    orders = own.orders
    stock, side = orders[mine, Mine.STOCK], orders[mine, Mine.SIDE]
    level = level_of(book, stock, orders[mine, Mine.PRICE])
    ahead = np.int64(0)
    if level != NONE:
        o = book.queues[2 * level + side, 0]
        while o != NONE:
            ahead += max(book.orders[o, Real.AVAILABLE], 0)
            o = book.orders[o, Real.FORWARD]
    orders[mine, Mine.ALIVE], orders[mine, Mine.LEVEL], orders[mine, Mine.AHEAD] = 1, level, ahead
    orders[mine, Mine.JOINED] = now[Now.CAME_IN]
    first = book.stocks[stock, Stock.FIRST_OWN]
    orders[mine, Mine.NEXT], orders[mine, Mine.PREVIOUS] = first, NONE
    if first != NONE:
        orders[first, Mine.PREVIOUS] = mine
    book.stocks[stock, Stock.FIRST_OWN] = mine
    now[Now.LIVE] += 1


@inner
def remove(book: Any, own: Any, now: Any, mine: int) -> None:
    """A resting order of ours leaves the book."""
    orders = own.orders
    following, previous = orders[mine, Mine.NEXT], orders[mine, Mine.PREVIOUS]
    if previous == NONE:
        book.stocks[orders[mine, Mine.STOCK], Stock.FIRST_OWN] = following
    else:
        orders[previous, Mine.NEXT] = following
    if following != NONE:
        orders[following, Mine.PREVIOUS] = previous
    orders[mine, Mine.ALIVE] = 0
    now[Now.LIVE] -= 1


@inner
def cancel(book: Any, own: Any, wire: Any, now: Any, mine: int, shares: int, reason: int) -> None:
    """So many shares less of a resting order of ours."""
    own.orders[mine, Mine.REMAINING] -= shares
    answers.canceled(wire, now, own, mine, shares, reason)
    if own.orders[mine, Mine.REMAINING] == 0:
        remove(book, own, now, mine)


@inner
def fill(
    own: Any, wire: Any, now: Any, mine: int, price: int, shares: int, flag: int, tape: int, against: int
) -> None:
    """An execution of an order of ours."""
    own.orders[mine, Mine.REMAINING] -= shares
    own.orders[mine, Mine.EXECUTED] += shares
    answers.executed(wire, now, own, mine, price, shares, flag, tape, against)


@inner
def trade_resting(
    book: Any, own: Any, wire: Any, now: Any, stock: int, side: int, price: int, shares: int, tape: int, against: int,
    executed: bool, through: bool,
) -> int:  # fmt: skip
    """Lets our resting orders of a side trade with ``shares`` that came to ``price``; how many they traded.

    Parameters
    ----------
    tape, against : int
        Where on the tape it says so, and the real order it is about, -1 for none.
    executed : bool
        ``against`` is of the same side and was executed: ours at its price but behind it get nothing.
    through : bool
        Only orders of a better price than ``price``.
    """
    orders, left = own.orders, shares
    while left > 0:
        found, amount = NONE, np.int64(0)
        mine = book.stocks[stock, Stock.FIRST_OWN]
        while mine != NONE:
            if orders[mine, Mine.SIDE] == side:
                possible = left - orders[mine, Mine.AHEAD]
                limit = orders[mine, Mine.PRICE]
                if limit == price:
                    if through or (executed and against < orders[mine, Mine.JOINED]):
                        possible = np.int64(0)
                elif not is_better(side, limit, price):
                    possible = np.int64(0)
                if possible > 0 and (
                    found == NONE
                    or is_better(side, limit, orders[found, Mine.PRICE])
                    or (limit == orders[found, Mine.PRICE] and orders[mine, Mine.RANK] < orders[found, Mine.RANK])
                ):
                    found, amount = mine, min(possible, orders[mine, Mine.REMAINING])
            mine = orders[mine, Mine.NEXT]
        if found == NONE:
            break
        fill(own, wire, now, found, orders[found, Mine.PRICE], amount, answers.ADDED, tape, against)
        if orders[found, Mine.REMAINING] == 0:
            remove(book, own, now, found)
        left -= amount
    return shares - left


@inner
def take(book: Any, own: Any, wire: Any, now: Any, mine: int, shares: int, room: int) -> int:
    """An order of ours that came in takes what is displayed up to its limit; how many of ``shares`` are left.

    ``room`` is the most executions it may have; with 0 it takes nothing, the result only says what it could.
    """
    stock, side = own.orders[mine, Mine.STOCK], own.orders[mine, Mine.SIDE]
    limit = own.orders[mine, Mine.PRICE]
    other = SELL if side == BUY else BUY
    step = 1 if other == SELL else -1
    level = best_level(book, stock, other)
    dry = room == 0
    while shares > 0 and book.stocks[stock, Stock.FIRST_LEVEL] <= level < book.stocks[stock, Stock.END_LEVEL]:
        if is_better(side, book.prices[level], limit):
            break
        o = book.queues[2 * level + other, 0]
        while o != NONE and shares > 0 and (dry or room > 0):
            amount = min(max(book.orders[o, Real.AVAILABLE], 0), shares)
            if amount > 0:
                shares -= amount
                if not dry:
                    use(book, own, o, amount)
                    fill(own, wire, now, mine, book.prices[level], amount, answers.REMOVED, NONE, o)
                    room -= 1
            o = book.orders[o, Real.FORWARD]
        level += step
    return shares
