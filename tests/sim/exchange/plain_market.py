"""A matching engine as one would tell it: lists of orders, sorted anew whenever somebody asks. Not fast, not clever.

Written from the rules in the docstrings of `sim.exchange.matching`, without looking at how it does it.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

MARKET = 0x7FFFFFFF
POST_ONLY, IMMEDIATE, ATTRIBUTED, ON_OPEN, ON_CLOSE = 1, 2, 4, 8, 16


@dataclass
class Order:
    token: int
    owner: int
    firm: int
    side: int
    price: int
    open: int
    display: int
    flags: int
    prevention: int
    arrival: int = 0
    displayed: int = 0

    @property
    def waits(self) -> str:
        return "O" if self.flags & ON_OPEN else "C" if self.flags & ON_CLOSE else ""


@dataclass
class PlainMarket:
    """One symbol. ``log`` is what happened, by the tokens of the orders."""

    base: int
    tick: int
    levels: int
    last: int
    state: str = "T"
    lower: int = 0
    upper: int = 0
    orders: list[Order] = field(default_factory=list)
    log: list[tuple[Any, ...]] = field(default_factory=list)
    clock: int = 0
    entered: int = 0
    executed: int = 0
    cancelled: int = 0

    # -- the book ------------------------------------------------------------------------------------

    def book(self, side: int) -> list[Order]:
        """Who trades first stands first: price, displayed before hidden, then arrival."""
        resting = [o for o in self.orders if o.side == side and not o.waits]
        return sorted(resting, key=lambda o: ((-o.price if side == 0 else o.price), o.displayed == 0, o.arrival))

    def depth(self, side: int) -> list[tuple[int, int, int]]:
        shown = [o for o in self.book(side) if o.displayed]
        prices = list(dict.fromkeys(o.price for o in shown))
        return [
            (p, sum(o.displayed for o in shown if o.price == p), sum(o.price == p for o in shown)) for p in prices
        ]

    def now(self) -> int:
        self.clock += 1
        return self.clock

    def stand(self, order: Order) -> None:
        order.arrival, order.displayed = self.now(), min(order.open, order.display)
        self.orders.append(order)

    # -- commands ------------------------------------------------------------------------------------

    def refusal(self, side: int, price: int, shares: int, display: int, flags: int) -> str:
        if self.state in "HP":
            return "HALTED"
        if not 1 <= shares <= 999_999:
            return "SHARES"
        if display < 0 or 0 < display * 1024 < shares:
            return "DISPLAY"
        on_cross = flags & (ON_OPEN | ON_CLOSE)
        if on_cross == ON_OPEN | ON_CLOSE or (on_cross and flags & (POST_ONLY | IMMEDIATE)):
            return "CROSS"
        if price == MARKET:
            return "PRICE" if flags & POST_ONLY else ""
        index, off = divmod(price - self.base, self.tick)
        if off or not 1 <= index <= self.levels - 2:
            return "PRICE"
        if flags & POST_ONLY and self.state == "T":
            against = self.book(1 - side)
            if against and (against[0].price <= price if side == 0 else against[0].price >= price):
                return "POST_ONLY"
        return ""

    def enter(
        self, token: int, owner: int, firm: int, side: int, price: int, shares: int, display: int, flags: int, prevention: int
    ) -> None:
        if why := self.refusal(side, price, shares, display, flags):
            self.log.append(("rejected", token, why))
            return
        if flags & (ON_OPEN | ON_CLOSE):
            display = 0
        order = Order(token, owner, firm, side, price, shares, display, flags, prevention)
        self.entered += shares
        self.log.append(("accepted", token, shares))
        self.arrive(order)

    def arrive(self, order: Order) -> None:
        if order.waits:
            self.stand(order)
            return
        while self.state == "T" and order.open and (against := self.book(1 - order.side)):
            other = against[0]
            if order.side == 0:
                limit = min(order.price, self.upper or MARKET)
                meets = other.price <= limit
            else:
                limit = max(0 if order.price == MARKET else order.price, self.lower)
                meets = other.price >= limit
            if not meets:
                break
            if order.prevention and order.firm and order.firm == other.firm:
                if order.prevention in (2, 3):
                    self.take_out(other, "SELF_TRADE")
                if order.prevention == 2:
                    continue
                self.give_up(order, "SELF_TRADE")
                return
            shares = min(order.open, other.displayed or other.open)
            self.last = other.price
            self.log.append(("executed", other.token, order.token, other.price, shares))
            order.open -= shares
            self.executed += shares
            self.reduce_resting(other, shares)
        if not order.open:
            return
        if order.flags & IMMEDIATE or order.price == MARKET:
            self.give_up(order, "IMMEDIATE")
        elif self.outside(order):
            self.give_up(order, "BAND")
        else:
            self.stand(order)

    def outside(self, order: Order) -> bool:
        if not self.upper or order.waits:
            return False
        return order.price > self.upper if order.side == 0 else order.price < self.lower

    def reduce_resting(self, order: Order, shares: int) -> None:
        self.executed += shares
        order.open -= shares
        if order.displayed:
            order.displayed -= shares
            if order.open and not order.displayed:
                order.displayed = min(order.open, order.display)
                order.arrival = self.now()
        if not order.open:
            self.orders.remove(order)

    def give_up(self, order: Order, why: str) -> None:
        self.log.append(("cancelled", order.token, order.open, why))
        self.cancelled += order.open
        order.open = 0

    def take_out(self, order: Order, why: str) -> None:
        self.orders.remove(order)
        self.give_up(order, why)

    def find(self, token: int, owner: int) -> Order | None:
        return next((o for o in self.orders if o.token == token and o.owner == owner), None)

    def cancel(self, token: int, owner: int, keep: int) -> None:
        order = self.find(token, owner)
        if order is None:
            self.log.append(("rejected", token, "UNKNOWN_ORDER"))
        elif order.open > keep:
            self.log.append(("cancelled", token, order.open - keep, "USER"))
            self.cancelled += order.open - keep
            order.open = keep
            order.displayed = min(order.displayed, keep)
            if not keep:
                self.orders.remove(order)

    def replace(self, token: int, owner: int, new: int, price: int, shares: int, display: int, flags: int) -> None:
        order = self.find(token, owner)
        if order is None:
            self.log.append(("rejected", new, "UNKNOWN_ORDER"))
            return
        # Its own order is on its own side: it is never what a post-only order would take.
        why = self.refusal(order.side, price, shares, display, flags)
        waiting = flags & (ON_OPEN | ON_CLOSE)
        if not why and waiting != order.flags & (ON_OPEN | ON_CLOSE):
            why = "CROSS"
        if why:
            self.log.append(("rejected", new, why))
            return
        if waiting:
            display = 0
        order.token = new
        self.log.append(("replaced", token, new, shares))
        same = (price, display, flags & ~POST_ONLY) == (order.price, order.display, order.flags & ~POST_ONLY)
        if same and shares <= order.open:
            self.cancelled += order.open - shares
            order.open = shares
            order.displayed = min(order.displayed, shares)
            return
        self.cancelled += order.open
        self.entered += shares
        self.orders.remove(order)
        order.price, order.open, order.display, order.flags = price, shares, display, flags
        order.displayed = 0
        self.arrive(order)

    def set_bands(self, lower: int, upper: int) -> None:
        self.lower, self.upper = lower, upper
        for side in (0, 1):
            for order in self.book(side):
                if self.outside(order):
                    self.take_out(order, "BAND")

    def cancel_all(self, owner: int) -> None:
        gone = [o for o in self.orders if owner < 0 or o.owner == owner]
        for order in gone:
            self.take_out(order, "SYSTEM")

    # -- auctions ------------------------------------------------------------------------------------

    def at(self, price: int, part: list[Order]) -> tuple[int, int]:
        """Shares that would be bought and sold at a price."""
        demand = sum(o.open for o in part if o.side == 0 and o.price >= price)
        return demand, sum(o.open for o in part if o.side == 1 and (o.price == MARKET or o.price <= price))

    def best_of(self, prices: list[int], part: list[Order], middle: float) -> int:
        """Rules (A) to (D), one after the other, and the lower of two."""
        paired = {p: min(self.at(p, part)) for p in prices}
        prices = [p for p in prices if paired[p] == max(paired.values())]
        over = {p: abs(self.at(p, part)[0] - self.at(p, part)[1]) for p in prices}
        prices = [p for p in prices if over[p] == min(over.values())]

        def remains(price: int) -> bool:
            demand, supply = self.at(price, part)
            side = 0 if demand > supply else 1
            return demand != supply and any(o.price == price and o.side == side for o in part)

        prices = [p for p in prices if remains(p)] or prices
        distance = {p: abs(p - middle) for p in prices}
        return min(p for p in prices if distance[p] == min(distance.values()))

    def ladder(self) -> list[int]:
        """The prices at which anything may trade."""
        prices = [self.base + index * self.tick for index in range(1, self.levels - 1)]
        return [p for p in prices if not self.upper or self.lower <= p <= self.upper]

    def inside(self) -> tuple[int, int] | None:
        depths = [self.depth(side) for side in (0, 1)]
        return (depths[0][0][0], depths[1][0][0]) if all(depths) else None

    def benchmark(self, given: int) -> float:
        if given:
            return given
        inside = self.inside()
        return (inside[0] + inside[1]) / 2 if inside else self.last

    def chosen(
        self, kind: str, given: int, threshold: tuple[int, int] = (0, 0), *, book: bool = True
    ) -> tuple[int, int, int]:
        """Price, shares and buyers' surplus of a cross."""
        part = [o for o in self.orders if o.waits == kind or (book and not o.waits)]
        middle, (relative, least) = self.benchmark(given), threshold
        away = max(int(2 * middle) * relative // 10_000, 2 * least) if relative or least else 1 << 60
        prices = [p for p in self.ladder() if abs(2 * p - int(2 * middle)) <= away and min(self.at(p, part))]
        if not prices:
            return 0, 0, sum(o.open if o.side == 0 else -o.open for o in part)
        price = self.best_of(prices, part, middle)
        demand, supply = self.at(price, part)
        return price, min(demand, supply), demand - supply

    def indicated(self, kind: str) -> tuple[int, int, int]:
        """Reference price, shares paired and buyers' surplus of the indicator."""
        inside = self.inside()
        prices = [p for p in self.ladder() if inside and min(inside) <= p <= max(inside)]
        if not prices:
            return 0, 0, 0
        part = [o for o in self.orders if o.waits == kind or (kind != "C" and not o.waits)]
        price = self.best_of(prices, part, sum(inside or ()) / 2)
        demand, supply = self.at(price, part)
        return price, min(demand, supply), demand - supply

    def cross(self, kind: str, given: int, threshold: tuple[int, int] = (0, 0)) -> None:
        price, left, over = self.chosen(kind, given, threshold)
        self.log.append(("cross", kind, price, left))
        if left:
            self.last = price

        def rank(order: Order) -> tuple[int, bool, bool, int]:
            signed = -order.price if order.side == 0 else (0 if order.price == MARKET else order.price)
            return signed, order.displayed == 0, order.waits != "", order.arrival

        while left:
            part = sorted((o for o in self.orders if o.waits in ("", kind)), key=rank)
            buyer, seller = (next(o for o in part if o.side == side) for side in (0, 1))
            shares = min(left, buyer.displayed or buyer.open, seller.displayed or seller.open)
            left -= shares
            for order in (buyer, seller):
                self.log.append(("crossed", order.token, price, shares))
                self.reduce_resting(order, shares)
        for side in (0, 1):
            for order in sorted((o for o in self.orders if o.side == side and o.waits == kind), key=rank):
                self.take_out(order, "CROSS")
        while (books := [self.book(side) for side in (0, 1)]) and all(books) and books[0][0].price >= books[1][0].price:
            self.take_out(books[0 if over > 0 else 1][0], "BAND")
        if kind in "OH":
            self.state = "T"
