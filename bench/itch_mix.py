"""ITCH for the book's benchmark: the message mix of a real day over any number of symbols, from a seed.

`sim.sources.flow` makes a market; this makes a load. Symbols are drawn evenly, which no real day is unkind
enough to do to a cache. Of the cancellations 30 % take any live order, the rest a recent one, its age even on
a log scale. References rise by 4 in four interleaved rows, as Nasdaq's do. The books are consistent: every
reference is alive, nothing is over-executed, no side crosses the other.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from sim.sources.randomness import below, pick, quantiles, seeded
from wire.binaryfile import PREFIX
from wire.buffers import writer
from wire.compiled import compiled
from wire.itch import (
    ADD_ORDER,
    ITCH,
    ORDER_EXECUTED,
    ORDER_EXECUTED_WITH_PRICE,
    ORDER_REPLACE,
    STOCK_DIRECTORY,
    TRADE,
)

TICK = 100
MIX = {
    "A": 43.6, "F": 0.6, "D": 42.5, "U": 8.1, "E": 2.1, "X": 1.0, "P": 0.5, "C": 0.04, "I": 1.56,
}  # fmt: skip
"""Percent of the messages after the warm-up: Nasdaq's 2019-12-30, NOII for all that is not for the book."""
NEAREST = 0.16
"""Probability that a new order goes no further than the level it is at, from one tick off the middle."""
RECENT = 70
"""Percent of the cancellations and executions that are of a recent order."""
ROWS = 4

_KINDS = np.frombuffer("".join(MIX).encode(), np.uint8)
_MIXED = quantiles(lambda share: _KINDS[np.searchsorted(np.cumsum(list(MIX.values())) / sum(MIX.values()), share)])
_DISTANCES = quantiles(lambda share: np.ceil(np.log1p(-share) / np.log1p(-NEAREST)))
_A, _F, _D, _U, _E, _X, _P, _C, _I = _KINDS.tolist()
_LENGTHS = ITCH.lengths

_write_length = writer(0, PREFIX, "big")
_write_16, _write_32, _write_48, _write_64 = (writer(0, width, "big") for width in (2, 4, 6, 8))
_LOCATE, _TIME, _REFERENCE, _SIDE, _QUANTITY, _STOCK, _PRICE = map(
    ADD_ORDER.offset, ("stock_locate", "timestamp", "order_reference", "side", "shares", "stock", "price")
)
_NEW, _NEW_QUANTITY, _NEW_PRICE = map(ORDER_REPLACE.offset, ("new_order_reference", "shares", "price"))
_TAKEN, _MATCH = map(ORDER_EXECUTED.offset, ("executed_shares", "match_number"))
_PRINTABLE, _AT_PRICE = map(ORDER_EXECUTED_WITH_PRICE.offset, ("printable", "execution_price"))
_TRADE_MATCH = TRADE.offset("match_number")


@dataclass(frozen=True, slots=True)
class Load:
    """A BinaryFILE in memory. ``middles`` is the middle price of each symbol, by stock locate - 1."""

    data: np.ndarray[Any, np.dtype[np.uint8]]
    messages: int
    middles: np.ndarray[Any, np.dtype[np.int64]]
    live: int


def make(symbols: int, messages: int, live: int, seed: int = 1) -> Load:
    """A stock directory, ``live`` orders, then ``messages`` in the mix, around that many live orders."""
    rng = np.random.default_rng(seed)
    middles = rng.integers(1_000, 50_000, symbols) * TICK
    names = [f"S{n:05}" for n in range(symbols)]
    directory = b"".join(
        STOCK_DIRECTORY.length.to_bytes(PREFIX, "big") + STOCK_DIRECTORY.pack(stock_locate=n + 1, stock=name)
        for n, name in enumerate(names)
    )
    total = messages + live
    stocks = np.frombuffer("".join(name.ljust(8) for name in names).encode(), np.uint8)
    starts = np.sort(rng.integers(1, 2_500_000, ROWS)) * ROWS + np.arange(ROWS)
    orders = np.zeros((total + 1, 6), np.int64)
    buffer = np.zeros(total * (int(max(_LENGTHS)) + PREFIX), np.uint8)
    stop = np.zeros(2, np.int64)
    alive = np.zeros(total, np.int64)
    _fill(seeded(seed), symbols, messages, live, middles, stocks, starts, orders, alive, buffer, stop)
    data = np.concatenate([np.frombuffer(directory, np.uint8), buffer[: stop[0]]])
    return Load(data, symbols + total, middles, int(stop[1]))


_REF, _OWNER, _WAY, _PAID, _LEFT, _SEAT = range(6)


@compiled
def _fill(
    random: Any,
    symbols: int,
    messages: int,
    target: int,
    middles: Any,
    stocks: Any,
    references: Any,
    orders: Any,
    alive: Any,
    buffer: Any,
    stop: Any,
) -> None:
    """Writes the messages; ``alive`` lists the rows of ``orders`` that live."""
    made, live, at, time = 0, 0, 0, 34_200_000_000_000
    for n in range(messages + target):
        kind = _A if n < target else pick(random, _MIXED)
        if kind == _D and live < target * 0.98:
            kind = _A
        elif kind == _A and live > target * 1.02:
            kind = _D
        time += 1 + below(random, 4_000)
        begin = at + PREFIX
        length = np.int64(_LENGTHS[kind])
        _write_length(buffer, at, length)
        at = begin + length
        buffer[begin] = kind
        _write_48(buffer, begin + _TIME, time)
        order = 0
        if kind in (_D, _U, _E, _X, _C):
            order = _choose(random, orders, alive, made, live)
            symbol = orders[order, _OWNER]
            _write_64(buffer, begin + _REFERENCE, orders[order, _REF])
        else:
            symbol = below(random, symbols)
        _write_16(buffer, begin + _LOCATE, symbol + 1)

        if kind in (_E, _X, _C):
            whole = kind == _E and below(random, 100) < 70
            taken = orders[order, _LEFT] if whole else (orders[order, _LEFT] + 1) // 2
            _write_32(buffer, begin + _TAKEN, taken)
            if kind != _X:
                _write_64(buffer, begin + _MATCH, n)
            if kind == _C:
                buffer[begin + _PRINTABLE] = 89
                _write_32(buffer, begin + _AT_PRICE, orders[order, _PAID])
            orders[order, _LEFT] -= taken
        if kind in (_D, _U):
            orders[order, _LEFT] = 0
        if order != 0 and orders[order, _LEFT] == 0:
            live -= 1
            seat, last = orders[order, _SEAT], alive[live]
            alive[seat] = last
            orders[last, _SEAT] = seat
        if kind in (_A, _F, _U, _P):
            side = orders[order, _WAY] if kind == _U else below(random, 2)
            distance = pick(random, _DISTANCES)
            price = middles[symbol] + (distance if side == 1 else -distance) * TICK
            shares = 100 * (1 + below(random, 9))
            if kind == _U:
                _write_32(buffer, begin + _NEW_QUANTITY, shares)
                _write_32(buffer, begin + _NEW_PRICE, price)
            else:
                buffer[begin + _SIDE] = 66 if side == 0 else 83
                _write_32(buffer, begin + _QUANTITY, shares)
                buffer[begin + _STOCK : begin + _STOCK + 8] = stocks[8 * symbol : 8 * symbol + 8]
                _write_32(buffer, begin + _PRICE, price)
            if kind == _P:
                _write_64(buffer, begin + _TRADE_MATCH, n)
                continue
            row = symbol % ROWS
            references[row] += ROWS
            _write_64(buffer, begin + (_NEW if kind == _U else _REFERENCE), references[row])
            made += 1
            orders[made, _REF] = references[row]
            orders[made, _OWNER] = symbol
            orders[made, _WAY] = side
            orders[made, _PAID] = price
            orders[made, _LEFT] = shares
            orders[made, _SEAT] = live
            alive[live] = made
            live += 1
    stop[0] = at
    stop[1] = live


@compiled
def _choose(random: Any, orders: Any, alive: Any, made: int, live: int) -> int:
    """A live order: mostly a recent one."""
    if below(random, 100) < RECENT:
        powers = 0
        while live >> powers > 1:
            powers += 1
        for _ in range(8):
            age = below(random, 1 << (1 + below(random, powers)))
            if age < made and orders[made - age, _LEFT] > 0:
                return made - age
    return alive[below(random, live)]
