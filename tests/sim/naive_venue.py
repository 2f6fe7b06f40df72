"""Where our orders stand among the real ones, worked out share by share from the messages; slow and plain.

It knows the tape as fields of messages and the queue of a price as a list of orders, and shares nothing with the venue but
what the rules say.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

Fields = dict[str, Any]


@dataclass
class Shown:
    """A real order: what is displayed, and what of it we took."""

    side: str
    price: int
    shares: int
    taken: int = 0
    stock: int = 0

    @property
    def left(self) -> int:
        return max(self.shares - self.taken, 0)


@dataclass
class Ours:
    """A resting order of ours, with the real orders that were in its queue before it."""

    token: str
    side: str
    price: int
    shares: int
    stock: int
    before: list[Shown] = field(default_factory=list)

    @property
    def ahead(self) -> int:
        return sum(order.left for order in self.before)


class NaiveVenue:
    """Replays messages; ``fills`` are (token, price, shares)."""

    def __init__(self) -> None:
        self.shown: dict[int, Shown] = {}
        self.ours: list[Ours] = []
        self.fills: list[tuple[str, int, int]] = []

    def rest(self, token: str, side: str, price: int, shares: int, stock: int) -> int:
        """An order of ours comes in: it takes, then rests; how many shares it took."""
        want = shares
        other = [
            (order.price if side == "B" else -order.price, reference, order)
            for reference, order in self.shown.items()
            if order.side != side and order.stock == stock
        ]
        place = {reference: n for n, reference in enumerate(self.shown)}
        for _, _, order in sorted(other, key=lambda row: (row[0], place[row[1]])):
            reaches = order.price <= price if side == "B" else order.price >= price
            amount = min(want, order.left) if reaches else 0
            if amount:
                self.fills.append((token, order.price, amount))
                order.taken += amount
                want -= amount
        if want:
            before = [o for o in self.shown.values() if (o.side, o.price, o.stock) == (side, price, stock)]
            self.ours.append(Ours(token, side, price, want, stock, before))
        return shares - want

    def cancel(self, token: str) -> int:
        gone = [order for order in self.ours if order.token == token]
        self.ours = [order for order in self.ours if order.token != token]
        return sum(order.shares for order in gone)

    def _reach(self, side: str, price: int, shares: int, stock: int, past: Shown | None, through: bool) -> int:
        """``shares`` arrive at ``price`` for our orders of a side; how many they traded."""
        sign = 1 if side == "B" else -1
        left = shares
        # Best price first, then the oldest: the list is in the order of age, and sorting is stable.
        for order in sorted(self.ours, key=lambda o: -sign * o.price):
            if order.side != side or order.stock != stock or sign * order.price < sign * price:
                continue
            same = order.price == price
            if same and (through or (past is not None and any(past is o for o in order.before))):
                continue
            amount = min(order.shares, max(left - order.ahead, 0))
            if amount:
                self.fills.append((order.token, order.price, amount))
                order.shares -= amount
                left -= amount
        self.ours = [order for order in self.ours if order.shares]
        return shares - left

    def message(self, m: Fields) -> None:
        kind, stock = m["type"], m["stock_locate"]
        if kind in "AF":
            self._add(m["order_reference"], Shown(m["side"], m["price"], m["shares"], 0, stock))
        elif kind in "EC":
            order = self.shown[m["order_reference"]]
            order.shares -= m["executed_shares"]
            self._reach(order.side, order.price, m["executed_shares"], stock, order, False)
            if not order.shares:
                del self.shown[m["order_reference"]]
        elif kind == "X":
            self.shown[m["order_reference"]].shares -= m["cancelled_shares"]
        elif kind == "D":
            self.shown.pop(m["order_reference"]).shares = 0
        elif kind == "U":
            old = self.shown.pop(m["original_order_reference"])
            old.shares, taken = 0, old.taken
            new = Shown(old.side, m["price"], m["shares"], min(taken, m["shares"]), stock)
            self._add(m["new_order_reference"], new)
        elif kind == "P":
            traded = self._reach("B", m["price"], m["shares"], stock, None, True)
            self._reach("S", m["price"], m["shares"] - traded, stock, None, True)

    def _add(self, reference: int, order: Shown) -> None:
        self.shown[reference] = order
        other = "S" if order.side == "B" else "B"
        order.taken += self._reach(other, order.price, order.left, order.stock, None, False)
