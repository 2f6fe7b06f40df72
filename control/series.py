"""What happened over time, per symbol, out of the device's events: top of the book, quotes, fills,
inventory, P&L.

Columns of NumPy arrays; ``at`` is ns. Prices in 1e-4 of the currency, money in 1e-4 too, NaN where nothing
is. Long series are thinned by `thin`, which keeps every extreme.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from wire.records import SLOT_BITS, SLOTS, Action, EventType, Side

Events = NDArray[np.void]
Numbers = NDArray[np.float64]
Times = NDArray[np.int64]

POINTS = 4_000  # of one drawn line: more than a screen has columns


@dataclass(frozen=True)
class Steps:
    """A value that holds until the next one: ``values[i]`` from ``at[i]`` on."""

    at: Times
    values: Numbers

    def __len__(self) -> int:
        return len(self.at)

    def when(self, at: Times) -> Numbers:
        """The value at each time; NaN before the first."""
        places = np.searchsorted(self.at, at, side="right") - 1
        held = np.full(len(at), np.nan)
        held[places >= 0] = self.values[places[places >= 0]]
        return held


@dataclass(frozen=True)
class Fills:
    """Executions of our own orders."""

    at: Times
    side: NDArray[np.uint8]
    price: Numbers
    quantity: Numbers


@dataclass(frozen=True)
class SymbolSeries:
    """One symbol over time."""

    bid: Steps
    ask: Steps
    our_bid: Steps
    our_ask: Steps
    fills: Fills
    position: Steps
    pnl: Steps
    untrusted: list[tuple[int, int]]


def of_symbol(events: Events, symbol: int, *, position: int = 0, cash: int = 0) -> SymbolSeries:
    """The series of one symbol; ``position`` and ``cash`` are what it began with."""
    own = events[events["symbol"] == symbol]
    tops = own[own["type"] == EventType.BOOK_TOP]
    bid = _side_of_top(tops, "price", 1)
    ask = _side_of_top(tops, "price2", 2)
    done = own[own["type"] == EventType.EXECUTED]
    fills = Fills(
        done["timestamp"].astype(np.int64),
        done["side"].copy(),
        done["price"].astype(np.float64),
        done["quantity"].astype(np.float64),
    )
    signed = np.where(fills.side == Side.BUY, fills.quantity, -fills.quantity)
    held = Steps(fills.at, position + np.cumsum(signed))
    paid = Steps(fills.at, cash - np.cumsum(signed * fills.price))
    return SymbolSeries(
        bid,
        ask,
        _quotes(own, Side.BUY),
        _quotes(own, Side.SELL),
        fills,
        held,
        _pnl(bid, ask, fills, held, paid, position, cash),
        _untrusted(tops),
    )


def total(series: list[Steps]) -> Steps:
    """The sum of several, each as it stands at every time that one of them moves."""
    moved = [each for each in series if len(each)]
    if not moved:
        return Steps(np.zeros(0, np.int64), np.zeros(0))
    at = np.unique(np.concatenate([each.at for each in moved]))
    return Steps(at, np.sum([np.nan_to_num(each.when(at)) for each in moved], axis=0))


def thin(steps: Steps, points: int = POINTS) -> Steps:
    """At most about ``points`` of the steps: of each stretch of time its first, lowest, highest and last."""
    if len(steps) <= points:
        return steps
    buckets = max(points // 4, 1)
    begin, end = int(steps.at[0]), int(steps.at[-1])
    place = ((steps.at - begin) * buckets // max(end - begin + 1, 1)).astype(np.int64)
    firsts = np.flatnonzero(np.diff(place, prepend=-1))
    lasts = np.append(firsts[1:], len(place)) - 1
    low, high = np.nan_to_num(steps.values, nan=np.inf), np.nan_to_num(steps.values, nan=-np.inf)
    order = np.arange(len(place))
    lowest = order[np.lexsort((low, place))][firsts]
    highest = order[np.lexsort((-high, place))][firsts]
    gone = np.flatnonzero(np.isnan(steps.values))  # where a line ends, one end per stretch is enough
    gone = gone[np.unique(place[gone], return_index=True)[1]]
    kept = np.unique(np.concatenate([firsts, lasts, lowest, highest, gone]))
    return Steps(steps.at[kept], steps.values[kept])


def _side_of_top(tops: Events, name: str, bit: int) -> Steps:
    there = (tops["info"] & bit) != 0
    values = np.where(there, tops[name].astype(np.float64), np.nan)
    changed = np.ones(len(values), bool)
    changed[1:] = ~((values[1:] == values[:-1]) | (np.isnan(values[1:]) & np.isnan(values[:-1])))
    return Steps(tops["timestamp"].astype(np.int64)[changed], values[changed])


def _untrusted(tops: Events) -> list[tuple[int, int]]:
    """Stretches in which the symbol's own book was not trusted."""
    if not len(tops):
        return []
    wrong = (tops["info"] & 4) == 0
    edges = np.flatnonzero(np.diff(wrong.astype(np.int8), prepend=0, append=0))
    at = np.append(tops["timestamp"], tops["timestamp"][-1]).astype(np.int64)
    return [(int(at[a]), int(at[b])) for a, b in zip(edges[::2], edges[1::2], strict=True)]


def _quotes(own: Events, side: Side) -> Steps:
    """The price at which the quoter's order rests on one side; NaN where none does."""
    slot = (own["order_id"] & ((1 << SLOT_BITS) - 1)) & (SLOTS - 1)
    rows = own[(own["side"] == side) & (slot == 0)]
    kind = rows["type"]
    rests = np.isin(kind, (EventType.ACCEPTED, EventType.REPLACED)) & ((rows["info"] & 0xFF) != ord("D"))
    ends = np.isin(kind, (EventType.EXECUTED, EventType.CANCELLED)) & (rows["quantity2"] == 0)
    ends |= np.isin(kind, (EventType.ACCEPTED, EventType.REPLACED)) & ((rows["info"] & 0xFF) == ord("D"))
    kept = rests | ends
    values = np.where(rests, rows["price"].astype(np.float64), np.nan)
    return Steps(rows["timestamp"].astype(np.int64)[kept], values[kept])


def _pnl(bid: Steps, ask: Steps, fills: Fills, held: Steps, paid: Steps, position: int, cash: int) -> Steps:
    """Cash and position at the price at which it could be closed, as the device marks it."""
    if not len(fills.at) and position == 0:
        return Steps(np.zeros(0, np.int64), np.zeros(0))
    at = np.unique(np.concatenate([bid.at, ask.at, fills.at]))
    have = np.nan_to_num(held.when(at), nan=position)
    money = np.nan_to_num(paid.when(at), nan=cash)
    mark = np.where(have > 0, bid.when(at), np.where(have < 0, ask.when(at), 0.0))
    last = np.where(np.isnan(mark), 0, np.arange(len(mark)))
    mark = np.nan_to_num(mark[np.maximum.accumulate(last)])
    return Steps(at, money + have * mark)


def counted(events: Events, kinds: Any) -> int:
    """How many events there are of some types."""
    return int(np.isin(events["type"], kinds).sum())


def actions(events: Events, action: Action) -> int:
    """How many orders were sent with one action."""
    sent = events[events["type"] == EventType.ORDER_SENT]
    return int(((sent["info"] & 0xFF) == action).sum())
