"""A market from a seed: zero-intelligence order flow with the message mix of a real day.

After Smith, Farmer, Gillemot and Krishnamurthy (Quantitative Finance 3, 2003) and Bouchaud, Mezard and Potters
(2002): limit orders, market orders and cancellations come at random and know nothing of a price. A limit order
lies at a distance from the opposite best price that is drawn from a power law, a market order takes from the best
opposite orders, a cancellation takes any live order of the stock. As on real days many new orders and
cancellations are at the best prices: 40 % of the messages change what is there, 2 % change the best price.
Spread, depth and diffusion of the price are what comes out.

Message mix, sizes and burstiness are those of Nasdaq's 2019-12-30 (design page, section 5): the shares are in
:data:`MIX`. Cancellation is proportional to the live orders, so their number returns to ``orders`` per stock, and
there D has its share. Times come in bursts of power-law size, mostly of one stock.

Every reference is valid, no quantity is 0, the book is never crossed or locked, and prices stay within ``levels`` ticks.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any, NamedTuple

import numpy as np

from sim.sources import messages
from sim.sources.randomness import QUANTILES, below, pick, quantiles, seeded
from sim.sources.tape import Tape, Vector, joined
from wire.compiled import compiled

NANOSECONDS = 1_000_000_000
OPEN = 34_200 * NANOSECONDS
TICK = 100
"""One cent."""
MIX = {
    "A": 43.6, "F": 0.6, "D": 42.6, "U": 8.1, "E": 2.1, "X": 1.0, "P": 0.5, "C": 0.04, "I": 1.46,
}  # fmt: skip
"""Percent of all messages. The last one, imbalance messages, stands for all that has no part in the book."""
STOCKS = ("HPNA", "HPNB", "HPNC", "HPND", "HPNE", "HPNF", "HPNG", "HPNH")
MARGIN = 4
_NONE = -1
_BUY, _SELL = 0, 1
_DRAWS = 1 << 30
# A market order is one message or more: so many percent of the events are market orders, so many D at rest.
_MARKET_SHARE = 1.83
_CANCEL_SHARE = 42.42


@dataclass(frozen=True, slots=True)
class FlowConfig:
    """What a market is made from.

    Parameters
    ----------
    seed : int
    messages : int
        Between market open and close, about (the last market order is finished).
    stocks : names
        Their activity falls with their rank.
    rate : float
        Messages per second, mean over bursts and pauses.
    orders : int
        Live orders per stock around which the number stays.
    levels : int
        Ticks of the price range, the opening price in its middle.
    start : int
        Time of the market open, ns since midnight; the directory comes 2 s before.
    activity : float
        Weight of the stock of rank r is ``r ** -activity``.
    """

    seed: int = 1
    messages: int = 100_000
    stocks: tuple[str, ...] = STOCKS[:4]
    rate: float = 2_000.0
    orders: int = 400
    levels: int = 1024
    start: int = OPEN
    activity: float = 0.5
    prices: tuple[int, ...] = field(default=())

    def __post_init__(self) -> None:
        if not self.stocks or len(set(self.stocks)) != len(self.stocks):
            raise ValueError(f"stocks {self.stocks}: at least one, each once")
        if self.orders < 16 or self.levels < 256 or self.rate <= 0 or self.messages < 0:
            raise ValueError(f"{self}: orders >= 16, levels >= 256, rate > 0, messages >= 0")
        if self.prices and len(self.prices) != len(self.stocks):
            raise ValueError(f"{len(self.prices)} opening prices for {len(self.stocks)} stocks")


def flow(config: FlowConfig = FlowConfig()) -> Tape:
    """The day of a market: opening, ``messages`` messages of trading, close."""
    market = OrderFlow(config)
    return joined(market.opening(), market.more(config.messages), market.closing())


class _Orders(NamedTuple):
    """Live orders. A stock has ``4 * orders`` slots; ``live[stock, :count[stock]]`` are the used ones."""

    live: Vector
    count: Vector
    on_side: Vector
    side: Vector
    level: Vector
    quantity: Vector
    reference: Vector
    forward: Vector
    back: Vector
    place: Vector


class _Book(NamedTuple):
    """Price levels: first and last order of each queue by (stock, side, level), and the best level by (stock, side)."""

    head: Vector
    tail: Vector
    best: Vector


class _Model(NamedTuple):
    """What is drawn from, and what does not change."""

    distance: Vector
    size: Vector
    pause: Vector
    gap: Vector
    burst: Vector
    chosen: Vector
    base: Vector
    stock: Vector


class OrderFlow:
    """A market that goes on as long as it is asked; the same calls give the same tapes."""

    def __init__(self, config: FlowConfig) -> None:
        self.config = config
        n, room, levels = len(config.stocks), 4 * config.orders, config.levels
        rng = np.random.default_rng([config.seed, 0x0F10])
        if config.prices:
            opens = np.array(config.prices, np.int64)
        else:
            opens = np.rint(np.exp(rng.uniform(np.log(levels), np.log(40_000), n))).astype(np.int64) * TICK
        base = opens - levels // 2 * TICK
        if base.min() < 0:
            raise ValueError(f"opening prices {opens.tolist()}: at least {levels // 2 * TICK} for {levels} levels")
        weights = np.cumsum(np.arange(1, n + 1, dtype=float) ** -config.activity)
        scale = 6.0 + 6.0 * rng.random(n)
        self._orders = _Orders(
            live=np.tile(np.arange(room, dtype=np.int32), (n, 1)),
            count=np.zeros(n, np.int64),
            on_side=np.zeros((n, 2), np.int64),
            side=np.zeros((n, room), np.int8),
            level=np.zeros((n, room), np.int32),
            quantity=np.zeros((n, room), np.int64),
            reference=np.zeros((n, room), np.int64),
            forward=np.full((n, room), _NONE, np.int32),
            back=np.full((n, room), _NONE, np.int32),
            place=np.tile(np.arange(room, dtype=np.int32), (n, 1)),
        )
        best = np.tile(np.array([_NONE, levels], np.int64), (n, 1))
        self._book = _Book(
            np.full((n, 2, levels), _NONE, np.int32), np.full((n, 2, levels), _NONE, np.int32), best
        )
        burst = quantiles(_burst_sizes)
        pause = NANOSECONDS / config.rate * float(burst.mean()) - float(burst.mean() - 1) * _GAP_MEAN
        self._model = _Model(
            distance=np.stack([quantiles(lambda u, s=s: _distances(u, s)) for s in scale]),
            size=quantiles(_sizes),
            pause=quantiles(lambda u: -max(pause, 1.0) * np.log1p(-u)),
            gap=quantiles(lambda u: -_GAP_MEAN * np.log1p(-u)),
            burst=burst,
            chosen=np.searchsorted(weights / weights[-1], (np.arange(QUANTILES) + 0.5) / QUANTILES),
            base=base,
            stock=np.array([messages.stock_key(stock) for stock in config.stocks], np.int64),
        )
        self._random = seeded(config.seed, 0x0F11)
        # time, last reference, last match number, messages left in the burst, its stock
        self._clock = np.array([config.start - NANOSECONDS, 0, 0, 0, 0], np.int64)

    def opening(self) -> Tape:
        """Directory and states two seconds before the open, the first orders in the last one, then the open."""
        config = self.config
        listed = [(locate, stock) for locate, stock in enumerate(config.stocks, 1)]
        head = messages.opening(listed, config.start - 2 * NANOSECONDS)
        head += messages.system_event(config.start - NANOSECONDS, "S")
        count = len(config.stocks) * config.orders
        step = NANOSECONDS // (count + 1)
        out = np.empty((count + 1) * messages.LONGEST, np.uint8)
        end = _fill(out, self._orders, self._book, self._model, self._random, self._clock, config.orders, step)
        self._clock[0] = config.start
        tail = messages.system_event(config.start, "Q")
        return messages.tape_of(np.concatenate([np.frombuffer(head, np.uint8), out[:end], np.frombuffer(tail, np.uint8)]))

    def more(self, count: int) -> Tape:
        """At least ``count`` messages of trading, from where the last call ended."""
        out = np.empty((count + 64) * messages.LONGEST, np.uint8)
        end = _trade(
            out, count, self._orders, self._book, self._model, self._random, self._clock, _THRESHOLDS, self.config.orders
        )
        return messages.tape_of(out[:end])

    def closing(self) -> Tape:
        """End of market hours, of system hours and of messages, one millisecond later."""
        end = int(self._clock[0]) + 1_000_000
        text = b"".join(messages.system_event(end, code) for code in "MEC")
        return messages.tape_of(np.frombuffer(text, np.uint8))


_GAP_MEAN = 400.0


def _burst_sizes(u: Vector) -> Vector:
    """Messages of a burst: a Pareto tail of exponent 1.2, at most 500."""
    return np.minimum(np.floor((1 - u) ** (-1 / 1.2)), 500)


def _distances(u: Vector, scale: float) -> Vector:
    """Ticks from the opposite best price, at least 1: density falling with the power 1.6, at most 300."""
    end = (1 + 300 / scale) ** -0.6
    return 1 + np.floor(scale * ((1 - u * (1 - end)) ** (-1 / 0.6) - 1))


def _sizes(u: Vector) -> Vector:
    """Shares: 15 % odd lots, the rest round lots with a Pareto tail of exponent 1.6, at most 10,000 shares."""
    odd = 0.15
    lots = np.minimum(np.floor(np.maximum((1 - u) / (1 - odd), 1e-9) ** (-1 / 1.6)), 100)
    return np.where(u < odd, 1 + np.floor(np.minimum(u / odd, 0.999) * 99), 100 * np.maximum(lots, 1))


def _thresholds() -> Vector:
    """Cumulated weights of add, replace, partial cancel, hidden trade, imbalance and market order; then the weight of a
    cancellation at rest, and the chances of F and C.
    """
    shares = [MIX["A"] + MIX["F"], MIX["U"], MIX["X"], MIX["P"], MIX["I"], _MARKET_SHARE]
    edges = np.cumsum([round(share * 10_000) for share in shares])
    attributed = MIX["F"] / (MIX["A"] + MIX["F"])
    priced = MIX["C"] / (MIX["E"] + MIX["C"])
    return np.array([*edges, round(_CANCEL_SHARE * 10_000), round(attributed * _DRAWS), round(priced * _DRAWS)], np.int64)


# Percent: of new orders at the best price, of these inside the spread where there is room, of cancellations the last
# order at the best price.
_NEAR_ADD, _IMPROVE, _NEAR_CANCEL = 36, 50, 40
_THRESHOLDS = _thresholds()
_ADD, _REPLACE, _CANCEL, _HIDDEN, _IMBALANCE, _MARKET, _DELETE, _ATTRIBUTED, _PRICED = range(9)


@compiled
def _fill(
    out: Any, orders: Any, book: Any, model: Any, random: Any, clock: Any, count: int, step: int
) -> int:
    """Opening orders, buy and sell in turn, stocks in turn."""
    at = 0
    for i in range(count):
        for s in range(len(model.base)):
            clock[0] += step
            at = _add(out, at, s, i & 1, False, orders, book, model, random, clock)
    return at


@compiled
def _trade(
    out: Any, count: int, orders: Any, book: Any, model: Any, random: Any, clock: Any, weights: Any, rest: int
) -> int:
    at, done = 0, 0
    fixed = weights[_MARKET]
    while done < count:
        if clock[3] > 0:
            clock[0] += pick(random, model.gap)
            if below(random, 4) == 0:
                clock[4] = pick(random, model.chosen)
        else:
            clock[0] += pick(random, model.pause)
            clock[3] = pick(random, model.burst)
            clock[4] = pick(random, model.chosen)
        clock[3] -= 1
        s = clock[4]
        live = orders.count[s]
        u = below(random, fixed + weights[_DELETE] * live // rest)
        side = below(random, 2)
        begin = at
        if live + 2 >= orders.live.shape[1]:
            at = _remove_any(out, at, s, orders, book, model, random, clock)
        elif orders.on_side[s, _BUY] < 2 or orders.on_side[s, _SELL] < 2:
            side = _BUY if orders.on_side[s, _BUY] < 2 else _SELL
            at = _add(out, at, s, side, False, orders, book, model, random, clock)
        elif u < weights[_ADD]:
            attributed = below(random, _DRAWS) < weights[_ATTRIBUTED]
            at = _add(out, at, s, side, attributed, orders, book, model, random, clock)
        elif u < weights[_REPLACE]:
            at = _change(out, at, s, orders, book, model, random, clock)
        elif u < weights[_CANCEL]:
            at = _reduce(out, at, s, orders, book, model, random, clock)
        elif u < weights[_HIDDEN]:
            clock[2] += 1
            middle = model.base[s] + (book.best[s, 0] + book.best[s, 1]) * TICK // 2
            shares = pick(random, model.size)
            at = messages.trade(out, at, s + 1, clock[0], 66, shares, model.stock[s], middle, clock[2])
        elif u < weights[_IMBALANCE]:
            paired, over = 100 * pick(random, model.size), pick(random, model.size)
            middle = model.base[s] + (book.best[s, 0] + book.best[s, 1]) * TICK // 2
            direction = 66 if side == _BUY else 83
            at = messages.imbalance(out, at, s + 1, clock[0], model.stock[s], paired, over, direction, middle)
        elif u < weights[_MARKET]:
            done -= 1
            while True:
                going = _take(out, at, s, side, orders, book, model, random, clock, weights[_PRICED])
                at, done = abs(going), done + 1
                if going > 0 or orders.on_side[s, side] < 3:
                    break
        else:
            at = _remove_any(out, at, s, orders, book, model, random, clock)
        done += 1 if at > begin else 0
    return at


@compiled
def _any(s: int, orders: Any, random: Any) -> int:
    """A live order, each with the same probability."""
    return np.int64(orders.live[s, below(random, orders.count[s])])


@compiled
def _enter(s: int, side: int, level: int, shares: int, reference: int, orders: Any, book: Any) -> None:
    n = orders.count[s]
    o = orders.live[s, n]
    orders.count[s] = n + 1
    orders.on_side[s, side] += 1
    orders.side[s, o], orders.level[s, o] = side, level
    orders.quantity[s, o], orders.reference[s, o] = shares, reference
    tail = book.tail[s, side, level]
    orders.forward[s, o], orders.back[s, o] = _NONE, tail
    if tail == _NONE:
        book.head[s, side, level] = o
    else:
        orders.forward[s, tail] = o
    book.tail[s, side, level] = o
    best = book.best[s, side]
    book.best[s, side] = max(best, level) if side == _BUY else min(best, level)


@compiled
def _leave(s: int, o: int, orders: Any, book: Any) -> None:
    side, level = np.int64(orders.side[s, o]), np.int64(orders.level[s, o])
    last = orders.count[s] - 1
    place, other = orders.place[s, o], orders.live[s, last]
    orders.live[s, place], orders.live[s, last] = other, o
    orders.place[s, other], orders.place[s, o] = place, last
    orders.count[s] = last
    orders.on_side[s, side] -= 1
    forward, back = orders.forward[s, o], orders.back[s, o]
    if back == _NONE:
        book.head[s, side, level] = forward
    else:
        orders.forward[s, back] = forward
    if forward == _NONE:
        book.tail[s, side, level] = back
    else:
        orders.back[s, forward] = back
    if level == book.best[s, side]:
        step = -1 if side == _BUY else 1
        levels = book.head.shape[2]
        while 0 <= level < levels and book.head[s, side, level] == _NONE:
            level += step
        book.best[s, side] = level


@compiled
def _place(s: int, side: int, book: Any, model: Any, random: Any) -> int:
    """A level: at the best of the own side or one tick better, or so many ticks from the opposite best."""
    levels = book.head.shape[2]
    buy, sell = book.best[s, _BUY], book.best[s, _SELL]
    if buy != _NONE and sell != levels and below(random, 100) < _NEAR_ADD:
        inward = 1 if sell - buy > 1 and below(random, 100) < _IMPROVE else 0
        level = buy + inward if side == _BUY else sell - inward
        if MARGIN <= level < levels - MARGIN:
            return level
    ticks = model.distance[s, below(random, QUANTILES)]
    if side == _BUY:
        opposite = book.best[s, _SELL]
        return max((levels // 2 + 1 if opposite == levels else opposite) - ticks, MARGIN)
    opposite = book.best[s, _BUY]
    return min((levels // 2 - 1 if opposite == _NONE else opposite) + ticks, levels - 1 - MARGIN)


@compiled
def _new_reference(random: Any, clock: Any) -> int:
    """References rise, with holes: those of venues and stocks that are not here."""
    clock[1] += 1 + below(random, 8)
    return clock[1]


@compiled
def _add(
    out: Any, at: int, s: int, side: int, attributed: bool, orders: Any, book: Any, model: Any, random: Any, clock: Any
) -> int:
    level, shares = _place(s, side, book, model, random), pick(random, model.size)
    reference = _new_reference(random, clock)
    _enter(s, side, level, shares, reference, orders, book)
    price, letter = model.base[s] + level * TICK, 66 if side == _BUY else 83
    if attributed:
        return messages.add_attributed(
            out, at, s + 1, clock[0], reference, letter, shares, model.stock[s], price
        )
    return messages.add(out, at, s + 1, clock[0], reference, letter, shares, model.stock[s], price)


@compiled
def _remove_any(out: Any, at: int, s: int, orders: Any, book: Any, model: Any, random: Any, clock: Any) -> int:
    o = _any(s, orders, random)
    if below(random, 100) < _NEAR_CANCEL:
        side = below(random, 2)
        o = np.int64(book.tail[s, side, book.best[s, side]])
    if orders.on_side[s, orders.side[s, o]] < 2:
        return at
    reference = orders.reference[s, o]
    _leave(s, o, orders, book)
    return messages.delete(out, at, s + 1, clock[0], reference)


@compiled
def _change(out: Any, at: int, s: int, orders: Any, book: Any, model: Any, random: Any, clock: Any) -> int:
    """A replace: mostly a small move with the same size, else a new order in place of the old one."""
    o = _any(s, orders, random)
    side, level = np.int64(orders.side[s, o]), np.int64(orders.level[s, o])
    shares, old = orders.quantity[s, o], orders.reference[s, o]
    _leave(s, o, orders, book)
    if below(random, 10) < 7:
        level += (1 + below(random, 2)) * (2 * below(random, 2) - 1)
        level = min(max(level, MARGIN), book.head.shape[2] - 1 - MARGIN)
        if side == _BUY:
            level = min(level, book.best[s, _SELL] - 1)
        else:
            level = max(level, book.best[s, _BUY] + 1)
    else:
        level, shares = _place(s, side, book, model, random), pick(random, model.size)
    reference = _new_reference(random, clock)
    _enter(s, side, level, shares, reference, orders, book)
    return messages.replace(out, at, s + 1, clock[0], old, reference, shares, model.base[s] + level * TICK)


@compiled
def _some(quantity: int, random: Any) -> int:
    """A part of more than one share: round lots where there are two of them."""
    if quantity > 100 and quantity % 100 == 0:
        return 100 * (1 + below(random, quantity // 100 - 1))
    return 1 + below(random, quantity - 1)


@compiled
def _reduce(out: Any, at: int, s: int, orders: Any, book: Any, model: Any, random: Any, clock: Any) -> int:
    o = _any(s, orders, random)
    for _ in range(7):
        if orders.quantity[s, o] < 2:
            o = _any(s, orders, random)
    if orders.quantity[s, o] < 2:
        return at
    shares = _some(orders.quantity[s, o], random)
    orders.quantity[s, o] -= shares
    return messages.cancel(out, at, s + 1, clock[0], orders.reference[s, o], shares)


@compiled
def _take(
    out: Any, at: int, s: int, side: int, orders: Any, book: Any, model: Any, random: Any, clock: Any, priced: int
) -> int:
    """One execution of the first order at the best price; negative when the market order goes on to the next one.

    One market order in four takes a part, the others all of it; one in five of these goes on.
    """
    level = book.best[s, side]
    o = np.int64(book.head[s, side, level])
    quantity, reference = orders.quantity[s, o], orders.reference[s, o]
    whole = quantity == 1 or below(random, 4) != 0
    shares = quantity if whole else _some(quantity, random)
    going = whole and below(random, 5) == 0
    if whole:
        _leave(s, o, orders, book)
    else:
        orders.quantity[s, o] -= shares
    clock[2] += 1
    if below(random, _DRAWS) < priced:
        inward = -TICK // 2 if side == _SELL else TICK // 2
        price = model.base[s] + level * TICK + inward
        at = messages.execute_at(out, at, s + 1, clock[0], reference, shares, clock[2], 89, price)
    else:
        at = messages.execute(out, at, s + 1, clock[0], reference, shares, clock[2])
    return -at if going else at
