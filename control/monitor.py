"""Where a run stands, out of the device's events: what the live screen shows.

Not the device's own snapshot but what its events add up to; both must agree at the end.
"""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from drivers.device import Batch
from wire.reasons import Reason
from wire.records import NO_SYMBOL, SLOT_BITS, SLOTS, Action, EventType, SessionState, Side


@dataclass
class Standing:
    """One stock: best prices and our quotes in 1e-4 (None where there is none), shares, money in 1e-4."""

    stock: str
    bid: tuple[int, int] | None = None
    ask: tuple[int, int] | None = None
    trusted: bool = True
    quotes: list[int | None] = field(default_factory=lambda: [None, None])
    position: int = 0
    cash: int = 0
    fills: int = 0
    refused: int = 0
    mark: int = 0

    @property
    def pnl(self) -> int:
        """Cash and position at the price at which it could be closed."""
        side = self.bid if self.position > 0 else self.ask if self.position < 0 else None
        if side is not None:
            self.mark = side[0]
        return self.cash + self.position * self.mark


class Monitor:
    """Adds up batches of events.

    Parameters
    ----------
    stocks : list of str
        By symbol.
    """

    def __init__(self, stocks: list[str]) -> None:
        self.symbols = [Standing(stock) for stock in stocks]
        self.refused = dict.fromkeys(Reason, 0)
        self.sent = dict.fromkeys(Action, 0)
        self.gaps = 0
        self.fills = 0
        self.session = SessionState.DOWN
        self.clock = 0
        self._waiting: list[NDArray[np.void]] = []

    def take(self, batch: Batch) -> None:
        """Keep a batch until somebody looks: a listener for ``Device.subscribe``."""
        if len(batch.events):
            self._waiting.append(batch.events)

    def look(self) -> None:
        """Add up what came since the last look."""
        if not self._waiting:
            return
        events = np.concatenate(self._waiting)
        self._waiting.clear()
        self.clock = int(events["timestamp"][-1])
        kinds = events["type"]
        self.gaps += int(((kinds == EventType.GAP) & (events["info"] == 0)).sum())
        for event in events[kinds == EventType.SESSION]:
            self.session = SessionState(int(event["info"]))
        sent = events[kinds == EventType.ORDER_SENT]
        for action in Action:
            self.sent[action] += int(((sent["info"] & 0xFF) == action).sum())
        masks = events["value"][kinds == EventType.ORDER_REFUSED]
        for reason in Reason:
            self.refused[reason] += int((masks >> np.uint64(reason) & np.uint64(1)).sum())
        for symbol in np.unique(events["symbol"]):
            if symbol != NO_SYMBOL and symbol < len(self.symbols):
                self._look_at(self.symbols[int(symbol)], events[events["symbol"] == symbol])

    def _look_at(self, standing: Standing, events: NDArray[np.void]) -> None:
        kinds = events["type"]
        tops = events[kinds == EventType.BOOK_TOP]
        if len(tops):
            top = tops[-1]
            info = int(top["info"])
            standing.bid = (int(top["price"]), int(top["quantity"])) if info & 1 else None
            standing.ask = (int(top["price2"]), int(top["quantity2"])) if info & 2 else None
            standing.trusted = bool(info & 4)
        standing.refused += int((kinds == EventType.ORDER_REFUSED).sum())
        fills = events[kinds == EventType.EXECUTED]
        if len(fills):
            signed = fills["quantity"].astype(np.int64) * np.where(fills["side"] == Side.BUY, 1, -1)
            standing.position += int(signed.sum())
            standing.cash -= int((signed * fills["price"].astype(np.int64)).sum())
            standing.fills += len(fills)
            self.fills += len(fills)
        ours = (events["order_id"] & np.uint64((1 << SLOT_BITS) - 1)) & np.uint64(SLOTS - 1) == 0
        for side in (Side.BUY, Side.SELL):
            self._quote(standing, side, events[ours & (events["side"] == side)])

    @staticmethod
    def _quote(standing: Standing, side: Side, events: NDArray[np.void]) -> None:
        kinds = events["type"]
        rests = np.isin(kinds, (EventType.ACCEPTED, EventType.REPLACED))
        ends = np.isin(kinds, (EventType.EXECUTED, EventType.CANCELLED)) & (events["quantity2"] == 0)
        places = np.flatnonzero(rests | ends)
        if len(places):
            last = events[places[-1]]
            alive = rests[places[-1]] and int(last["info"]) & 0xFF != ord("D")
            standing.quotes[side] = int(last["price"]) if alive else None
