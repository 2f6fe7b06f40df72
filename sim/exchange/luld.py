"""Limit Up-Limit Down: price bands that follow the trades, limit states, pauses, and the auctions that end them.

After the plan to address extraordinary market volatility (its Appendix A for the percentages) and Nasdaq's rule 4120(c)(10),
Equity 4. The reference price is that of the opening; then the mean of the last five minutes' trades of a round lot and more,
looked at every second, once it has moved by 1 % and the one before has stood for 30 seconds. A bid at the upper band that is
not met for 15 seconds, or an offer at the lower one, brings the symbol to a pause of five minutes, in which orders are taken
and nothing trades. It ends with a cross, if the price lies within the collar; else the collar is widened and the pause goes
on for another five minutes.

Driven by the venue's time, and only by commands: the same orders at the same times give the same day. What it does not know: more
than one venue (the bid and the offer are the venue's), the straddle state, and trades that are reported late.
"""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass, field

from sim.exchange.matching.ladder import symbol_at
from sim.exchange.matching.limit import limit_side
from sim.exchange.matching.state import (
    BUY,
    E_PRICE,
    E_SHARES,
    KIND,
    LAST_PRICE,
    LIMIT_SINCE,
    PAUSED,
    QUOTING,
    SYMBOL,
    TICK,
    TIME,
    Command,
    Event,
    Vector,
)
from sim.exchange.venue import Venue

SECOND = 1_000_000_000
NEVER = 1 << 62
WINDOW, STANDS, LIMIT, PAUSE = 300 * SECOND, 30 * SECOND, 15 * SECOND, 300 * SECOND
OPENING, CLOSING = 900 * SECOND, 1_500 * SECOND
"""After the open and before the close, while the bands are twice as wide."""
ROUND_LOT = 100
THREE_DOLLARS, LOWEST = 30_000, 7_500
HALT_CROSS = ord("H")


def band_width(reference: int, close: int, tier: int, doubled: bool = False) -> int:
    """How far a band is from the reference price; prices and width in 1e-4.

    ``close`` is that of the day before, by which a stock has its percentage. Widths are cut to 1e-4.
    """
    if close > THREE_DOLLARS:
        width = reference * (5 if tier == 1 else 10) * (1 + doubled) // 100
    elif close >= LOWEST:
        width = reference * 20 * (1 + doubled) // 100
    else:
        width = min(1_500 * (1 + doubled), reference * 75 * (1 + doubled) // 100)
    return width


def collar_step(reference: int) -> int:
    """By how much a collar lies beyond the band that was hit, and is widened each time: 5 %, up to $3 15 cents."""
    return reference * 5 // 100 if reference > THREE_DOLLARS else 1_500


@dataclass
class Watched:
    """A symbol under the plan."""

    tier: int
    close: int
    tick: int
    reference: int = 0
    since: int = 0
    """When the reference price became what it is."""
    bands: tuple[int, int] = (0, 0)
    trades: deque[tuple[int, int]] = field(default_factory=deque)
    """Time and price, of the last five minutes."""
    total: int = 0
    resumes: int = 0
    """When the pause ends; 0 without one."""
    auction: int = 0
    collar: tuple[int, int] = (0, 0)
    widened: int = 0

    def forget(self) -> None:
        """Trades of before count no more."""
        self.trades.clear()
        self.total = 0

    def mean(self, time: int) -> int:
        """Of the trades in the five minutes up to ``time``, in 1e-4, cut; 0 without any."""
        while self.trades and self.trades[0][0] <= time - WINDOW:
            self.total -= self.trades.popleft()[1]
        return self.total // len(self.trades) if self.trades else 0


class Luld:
    """The plan, for one venue.

    Parameters
    ----------
    venue : Venue
        Its ``observer`` is this, from now on. The symbols' last prices are the closes of the day before.
    tiers : tuple of int
        Tier 1 or 2, of each symbol.
    open, close : int
        Between which it holds, ns since midnight.
    """

    def __init__(self, venue: Venue, tiers: tuple[int, ...], open: int, close: int) -> None:
        self.venue, self.open, self.close = venue, open, close
        memory = venue.core.memory
        self._places = [int(symbol_at(memory, symbol)) for symbol in range(len(tiers))]
        self.symbols = [
            Watched(tier, int(memory[at + LAST_PRICE]), int(memory[at + TICK]))
            for tier, at in zip(tiers, self._places, strict=True)
        ]
        self._second = open
        venue.observer = self.hear

    def hear(self, events: Vector) -> None:
        """Keeps the trades among the events."""
        kinds = events[:, KIND]
        trades = ((kinds == Event.EXECUTED) | (kinds == Event.CROSS)) & (events[:, E_SHARES] >= ROUND_LOT)
        for time, symbol, price in events[trades][:, [TIME, SYMBOL, E_PRICE]].tolist():
            if symbol < len(self.symbols):
                self.symbols[symbol].trades.append((time, price))
                self.symbols[symbol].total += price

    @property
    def next(self) -> int:
        """When :meth:`act` has something to do next; it changes with every order."""
        memory, due = self.venue.core.memory, self._second
        for symbol, at in zip(self.symbols, self._places, strict=True):
            if memory[at + LIMIT_SINCE] != 0:
                due = min(due, int(memory[at + LIMIT_SINCE]) + LIMIT)
            if symbol.resumes:
                due = min(due, symbol.resumes)
        return due if due < self.close else NEVER

    def act(self, time: int) -> None:
        """What is due at ``time``, which is the venue's."""
        on_the_second = time == self._second
        if on_the_second:
            self._second += SECOND
        for symbol, watched in enumerate(self.symbols):
            if watched.resumes:
                if time >= watched.resumes:
                    self._reopen(symbol, watched, time)
                elif on_the_second:
                    self._indicate(symbol, watched)
                continue
            since = int(self.venue.core.memory[self._places[symbol] + LIMIT_SINCE])
            if since and time >= since + LIMIT:
                self._pause(symbol, watched, time)
            elif on_the_second:
                self._follow(symbol, watched, time)

    def _follow(self, symbol: int, watched: Watched, time: int) -> None:
        """The reference price and the bands as they are to be now."""
        mean = watched.mean(time)
        if not watched.reference:
            at = self._places[symbol]
            watched.reference, watched.since = int(self.venue.core.memory[at + LAST_PRICE]), time
        elif mean and time >= watched.since + STANDS and 100 * abs(mean - watched.reference) >= watched.reference:
            watched.reference, watched.since = mean, time
        doubled = time < self.open + OPENING or time >= self.close - CLOSING
        width, tick = band_width(watched.reference, watched.close, watched.tier, doubled), watched.tick
        # To the nearest tick. The upper band is one at least: 0 would be none.
        lower = max((2 * (watched.reference - width) + tick) // (2 * tick) * tick, 0)
        upper = max((2 * (watched.reference + width) + tick) // (2 * tick) * tick, tick)
        if (lower, upper) != watched.bands:
            watched.bands = lower, upper
            self.venue.submit(Command.BANDS, symbol=symbol, price=lower, value=upper)

    def _pause(self, symbol: int, watched: Watched, time: int) -> None:
        up = limit_side(self.venue.core.memory, symbol) == BUY
        lower, upper = watched.bands
        watched.auction = upper if up else lower
        step = collar_step(watched.auction)
        watched.collar = (lower, upper + step) if up else (max(lower - step, 0), upper)
        watched.resumes, watched.widened, watched.bands = time + PAUSE, 0, (0, 0)
        self.venue.submit(Command.BANDS, symbol=symbol)
        for state in (PAUSED, QUOTING):
            self.venue.submit(Command.STATE, symbol=symbol, value=state)
        self._tell_collar(symbol, watched)

    def _tell_collar(self, symbol: int, watched: Watched) -> None:
        lower, upper = watched.collar
        self.venue.submit(
            Command.COLLAR, symbol=symbol, price=lower, value=upper, shares=watched.auction, flags=watched.widened
        )

    def _indicate(self, symbol: int, watched: Watched) -> int:
        """Publishes what the auction would give; its price, 0 for none."""
        events = self.venue.submit(Command.IMBALANCE, symbol=symbol, value=HALT_CROSS, price=watched.auction)
        return int(events[-1, E_PRICE])

    def _reopen(self, symbol: int, watched: Watched, time: int) -> None:
        """The cross, if its price is within the collar; else the collar is widened on that side."""
        price, (lower, upper) = self._indicate(symbol, watched), watched.collar
        if price and not lower <= price <= upper:
            step = collar_step(watched.auction)
            watched.collar = (lower, upper + step) if price > upper else (max(lower - step, 0), upper)
            watched.widened += 1
            watched.resumes += PAUSE
            self._tell_collar(symbol, watched)
            return
        watched.resumes = 0
        watched.forget()
        self.venue.submit(Command.CROSS, symbol=symbol, value=HALT_CROSS, price=watched.auction)
        watched.reference, watched.since = price or watched.reference, time
        self._follow(symbol, watched, time)
