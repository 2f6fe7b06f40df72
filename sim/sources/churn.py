"""The worst market for a card: nothing but Adds and Deletes, each of which changes the best price or what is offered at it."""

from __future__ import annotations

from typing import Any

import numpy as np

from sim.sources import messages
from sim.sources.tape import Tape
from wire.compiled import compiled

TICK = 100
BUY, SELL = b"BS"


def churn(count: int, *, stocks: tuple[str, ...], levels: int = 256, orders: int = 4096, per_level: int = 16) -> Tape:
    """Rounds of orders that come, each as good as the best one or better, and then go, the best first.

    Parameters
    ----------
    count : int
        Messages, at least; whole rounds.
    stocks : tuple of str
        They take turns, message by message.
    levels : int
        Prices of the ladder, which begins at ``base``; the middle one is between the sides.
    orders : int
        Orders that are there at the end of a round's first half, all stocks together.
    per_level : int
        Orders at each price.

    Returns
    -------
    Tape
        Stock ``i`` has stock locate ``i + 1`` and the ladder's base price ``base(i)``. One order of each side stays: there is a
        market all the time. All times are 0.
    """
    per_side = orders // (2 * len(stocks)) - 1
    deepest = (per_side - 1) // per_level + 2
    if per_side < 1 or deepest > levels // 2:
        raise ValueError(f"{orders} orders of {len(stocks)} stocks on {levels} levels")
    names = np.array([messages.stock_key(stock) for stock in stocks], np.int64)
    in_round = 4 * len(stocks) * per_side
    rounds = -(-count // in_round)
    out = np.empty((rounds * in_round + 2 * len(stocks)) * messages.LONGEST, np.uint8)
    end = _write(out, rounds, per_side, per_level, deepest, levels // 2, names)
    tape = messages.tape_of(out[:end])
    return Tape(tape.buffer, tape.offsets, tape.lengths, np.zeros(len(tape), np.int64))


@compiled
def base(stock: int) -> int:
    """Base price of a stock's ladder."""
    return 1_000_000 + 200_000 * stock


@compiled
def _price(stock: int, side: int, middle: int, behind: int) -> int:
    """The price so many levels behind the middle."""
    return base(stock) + TICK * (middle - 1 - behind if side == BUY else middle + behind)


@compiled
def _write(out: Any, rounds: int, per_side: int, per_level: int, deepest: int, middle: int, names: Any) -> int:
    at, reference = 0, 0
    for stock in range(len(names)):
        for side in (BUY, SELL):
            reference += 1
            at = messages.add(out, at, stock + 1, 0, reference, side, 100, names[stock], _price(stock, side, middle, deepest))
    for _ in range(rounds):
        first = reference + 1
        for number in range(per_side):
            level = deepest - 1 - number // per_level
            for side in (BUY, SELL):
                for stock in range(len(names)):
                    reference += 1
                    price = _price(stock, side, middle, level)
                    at = messages.add(out, at, stock + 1, 0, reference, side, 100, names[stock], price)
        for number in range(reference, first - 1, -1):
            stock = (number - first) % len(names)
            at = messages.delete(out, at, stock + 1, 0, number)
    return at
