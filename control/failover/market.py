"""Two devices on the same feed have to tell the same market: every change of a best price, every trade, every trading state, and
what they trust, for every message, in order.

They have their own clocks and may lose other packets, so stamps differ and one may be behind. But what a message of the feed does
to a book depends on the messages before it alone: events that a message caused are compared whole, without sequence and stamp.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from wire.records import EVENT, EventType

_TOLD = (EventType.BOOK_TOP, EventType.TRADE, EventType.TRADING_STATE, EventType.TRUST_LOST, EventType.TRUST_REGAINED)
_KINDS = np.array(_TOLD, np.uint8)
_FIELDS = ("type", "side", "symbol", "cause", "order_id", "value", "price", "quantity", "price2", "quantity2", "info")
NAMES = ("card", "shadow")


@dataclass(frozen=True, slots=True)
class Divergence:
    """The two do not tell the same. ``message`` is the feed's sequence number from which on."""

    message: int
    text: str

    def __str__(self) -> str:
        return f"message {self.message}: {self.text}"


class _Side:
    """What one side told and the other did not yet."""

    def __init__(self) -> None:
        self.waiting = np.zeros(0, EVENT.dtype)
        self.since = 0
        self.last = 0

    def add(self, events: NDArray[np.void], now: int) -> None:
        told = events[np.isin(events["type"], _KINDS) & (events["cause"] > 0)].copy()
        if not len(told):
            return
        for name in ("sequence", "timestamp", "tag"):
            told[name] = 0
        if not len(self.waiting):
            self.since = now
        self.last = int(told["cause"][-1])
        self.waiting = np.concatenate([self.waiting, told])

    def drop(self, count: int, now: int) -> None:
        self.waiting, self.since = self.waiting[count:], now


class Comparison:
    """Compares two devices as their events come.

    Parameters
    ----------
    patience_ns : int
        How long one side may know what the other does not.
    behind : int
        Message of the feed behind which it begins.

    Attributes
    ----------
    compared : int
        Events that were the same.
    """

    def __init__(self, patience_ns: int, behind: int = 0) -> None:
        self._patience = patience_ns
        self._sides = (_Side(), _Side())
        self._from = behind
        self._is_held = False
        self.compared = 0

    def see(self, side: int, events: NDArray[np.void], now: int) -> Divergence | None:
        """Take in events of the card (0) or the shadow (1)."""
        self._sides[side].add(events, now)
        return None if self._is_held else self._compare(now)

    def tick(self, now: int) -> Divergence | None:
        """Time goes on."""
        for number, side in enumerate(self._sides):
            if self._is_held:
                side.since = now
            elif len(side.waiting) and now - side.since > self._patience:
                message = int(side.waiting["cause"][0])
                text = f"the {NAMES[not number]} has said nothing of it for {(now - side.since) / 1e6:.0f} ms"
                return Divergence(message, text)
        return None

    def resume(self) -> int:
        """Events were lost: go on behind all that either side has told. The books have to be compared by snapshots.

        Returns
        -------
        int
            The message behind which it goes on.
        """
        self._from = max(side.last for side in self._sides)
        for side in self._sides:
            side.waiting = side.waiting[:0]
        return self._from

    def hold(self) -> None:
        """Keep what both tell from here on, and compare nothing until `go_on`: they are about to be given other books."""
        self._is_held = True
        for side in self._sides:
            side.waiting = side.waiting[:0]

    def go_on(self, behind: int) -> None:
        """Compare what was kept since `hold`, of messages behind this one."""
        self._from, self._is_held = behind, False

    @property
    def waiting(self) -> tuple[int, int]:
        """Events that the card, and the shadow, told alone so far."""
        a, b = self._sides
        return len(a.waiting), len(b.waiting)

    def _compare(self, now: int) -> Divergence | None:
        if self._from:
            for side in self._sides:
                side.waiting = side.waiting[side.waiting["cause"] > self._from]
        a, b = self._sides
        count = min(len(a.waiting), len(b.waiting))
        if not count:
            return None
        theirs, ours = a.waiting[:count], b.waiting[:count]
        same = theirs == ours
        if not same.all():
            first = int(np.argmin(same))
            return Divergence(int(min(theirs[first]["cause"], ours[first]["cause"])), _difference(theirs[first], ours[first]))
        self.compared += count
        a.drop(count, now)
        b.drop(count, now)
        return None


def _difference(card: np.void, shadow: np.void) -> str:
    """What differs between two events."""
    kinds = [EventType(int(each["type"])).name.lower().replace("_", " ") for each in (card, shadow)]
    told = [f"{name} {card[name]} by the card, {shadow[name]} by the shadow" for name in _FIELDS if card[name] != shadow[name]]
    return f"{kinds[0]} by the card, {kinds[1]} by the shadow; {', '.join(told)}"
