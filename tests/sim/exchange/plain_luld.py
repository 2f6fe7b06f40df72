"""Limit Up-Limit Down as one would tell it: time goes by in tenths of a second, and everything is reckoned anew each time.

Written from the rules in the docstring of `sim.exchange.luld`, on the slow market of `plain_market`. Times are tenths of a second
since the open.
"""

from __future__ import annotations

from fractions import Fraction
from typing import Any

from tests.sim.exchange.plain_market import PlainMarket

SECOND = 10


class PlainLuld:
    """One symbol. ``log`` is what has been said, with its time."""

    def __init__(self, market: PlainMarket, tier: int, close: int, end: int) -> None:
        self.market, self.tier, self.before, self.end = market, tier, close, end
        self.log: list[tuple[Any, ...]] = []
        self.trades: list[tuple[int, int]] = []
        self.reference, self.reference_since = 0, 0
        self.limit_since: int | None = None
        self.resumes: int | None = None
        self.auction = self.widened = self.step = 0
        self.collar = (0, 0)

    def look(self, time: int) -> None:
        """After anything that may have happened in the market."""
        market = self.market
        for entry in market.log:
            if entry[0] == "executed" and entry[4] >= 100:
                self.trades.append((time, entry[3]))
            if entry[0] == "cross" and entry[3] >= 100:
                self.trades.append((time, entry[2]))
            if entry[0] == "cross":
                self.log.append((time, *entry))
        market.log = []
        shown = [o for o in market.orders if o.displayed and not o.waits]
        at_band = [o for o in shown if o.price == (market.upper if o.side == 0 else market.lower)]
        if market.state == "T" and market.upper and at_band:
            self.limit_since = time if self.limit_since is None else self.limit_since
        else:
            self.limit_since = None

    def rules(self, time: int) -> None:
        """What is due at this tenth of a second, orders of the same having gone before."""
        if time >= self.end:
            return
        if self.resumes is not None:
            if time == self.resumes:
                self.reopen(time)
        elif self.limit_since is not None and time >= self.limit_since + 15 * SECOND:
            self.pause(time)
        elif time % SECOND == 0:
            self.follow(time)

    def follow(self, time: int) -> None:
        recent = [price for when, price in self.trades if time - 300 * SECOND < when <= time]
        mean = sum(recent) // len(recent) if recent else 0
        if not self.reference:
            self.reference, self.reference_since = self.market.last, time
        elif mean and time - self.reference_since >= 30 * SECOND and abs(mean - self.reference) >= Fraction(self.reference, 100):
            self.reference, self.reference_since = mean, time
        self.set_bands(time)

    def set_bands(self, time: int) -> None:
        twice = 2 if time < 900 * SECOND or time >= self.end - 1_500 * SECOND else 1
        if self.before > 30_000:
            width = Fraction(self.reference * (5 if self.tier == 1 else 10) * twice, 100)
        elif self.before >= 7_500:
            width = Fraction(self.reference * 20 * twice, 100)
        else:
            width = min(Fraction(1_500), Fraction(self.reference * 75, 100)) * twice
        tick = self.market.tick

        def nearest(price: int) -> int:
            return int(Fraction(price, tick) + Fraction(1, 2)) * tick

        lower, upper = nearest(max(self.reference - int(width), 0)), nearest(self.reference + int(width))
        if (lower, upper) != (self.market.lower, self.market.upper):
            self.log.append((time, "bands", lower, upper))
            self.market.set_bands(lower, upper)
            self.look(time)

    def pause(self, time: int) -> None:
        market = self.market
        up = any(o.displayed and o.side == 0 and o.price == market.upper for o in market.orders)
        self.auction = market.upper if up else market.lower
        self.step = self.auction * 5 // 100 if self.auction > 30_000 else 1_500
        self.collar = (market.lower, market.upper + self.step) if up else (max(market.lower - self.step, 0), market.upper)
        self.resumes, self.widened = time + 300 * SECOND, 0
        self.log.append((time, "bands", 0, 0))
        market.set_bands(0, 0)
        market.state = "Q"
        self.log += [(time, "state", "P"), (time, "state", "Q"), (time, "collar", *self.collar, self.auction, 0)]
        self.look(time)

    def reopen(self, time: int) -> None:
        price, _, _ = self.market.chosen("H", self.auction)
        low, high = self.collar
        if price and (price < low or price > high):
            self.collar = (low, high + self.step) if price > high else (max(low - self.step, 0), high)
            self.widened += 1
            self.resumes = time + 300 * SECOND
            self.log.append((time, "collar", *self.collar, self.auction, self.widened))
            return
        self.resumes, self.trades = None, []
        self.market.cross("H", self.auction)
        self.look(time)
        self.log.append((time, "state", "T"))
        self.reference, self.reference_since = price or self.reference, time
        self.set_bands(time)
