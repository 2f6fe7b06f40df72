"""A second account of the device's own orders: Semantics section 10 in plain Python, for the tests to compare with.

It knows nothing of wire formats and nothing of the engine. It is told what the device sent and what the exchange said.
"""

from __future__ import annotations

from dataclasses import dataclass, field


@dataclass
class Order:
    """One own order, as far as what the exchange said makes it."""

    side: int
    identity: int
    price: int
    open: int
    state: str = "new"  # new, live, replacing, cancelling
    filled: int = 0
    next_identity: int = 0
    next_price: int = 0
    next_total: int = 0
    wanted: bool = False

    @property
    def worst(self) -> int:
        """Shares that may still trade."""
        return max(self.open, self.next_total - self.filled) if self.state == "replacing" else self.open

    @property
    def worst_notional(self) -> int:
        now = self.price * self.open
        if self.state != "replacing":
            return now
        return max(now, self.next_price * max(self.next_total - self.filled, 0))


@dataclass
class Account:
    """Orders, position and cash of one symbol."""

    position: int = 0
    cash: int = 0
    executed: int = 0
    orders: dict[int, Order] = field(default_factory=dict)  # by slot number

    def find(self, identity: int, *, pending: bool) -> Order | None:
        """The order that a message is about. ``pending``: it may only be, or may also be, about a replacement."""
        for order in self.orders.values():
            if order.identity == identity and not pending:
                return order
            if pending and order.state == "replacing" and order.next_identity == identity:
                return order
        return None

    def drop(self, order: Order) -> None:
        self.orders = {number: other for number, other in self.orders.items() if other is not order}

    # what the device did

    def sent_new(self, number: int, side: int, identity: int, price: int, quantity: int) -> None:
        assert number not in self.orders, "the slot was free"
        self.orders[number] = Order(side, identity, price, quantity)

    def sent_replace(self, number: int, identity: int, price: int, quantity: int) -> None:
        order = self.orders[number]
        assert order.state == "live"
        order.state, order.next_identity, order.next_price = "replacing", identity, price
        order.next_total = order.filled + quantity

    def sent_cancel(self, number: int) -> None:
        order = self.orders[number]
        assert order.state == "live"
        order.state, order.wanted = "cancelling", False

    # what the exchange said; whether it was about an order of ours

    def accepted(self, identity: int, shares: int, price: int, dead: bool) -> bool:
        order = self.find(identity, pending=False)
        if order is None:
            return False
        order.price, order.open = price, shares
        if dead:
            self.drop(order)
        elif order.state == "new":
            order.state = "live"
        return True

    def replaced(self, identity: int, shares: int, price: int, dead: bool) -> bool:
        order = self.find(identity, pending=True)
        if order is None:
            return False
        order.identity, order.price, order.open, order.state = identity, price, shares, "live"
        if dead or shares == 0:
            self.drop(order)
        return True

    def executed_shares(self, identity: int, shares: int, price: int) -> bool:
        order = self.find(identity, pending=False)
        if order is None:
            return False
        shares = min(shares, order.open)
        order.open -= shares
        order.filled += shares
        self.position += shares if order.side == 0 else -shares
        self.cash += -shares * price if order.side == 0 else shares * price
        self.executed += shares * price
        if order.open == 0:
            self.drop(order)
        return True

    def cancelled(self, identity: int, shares: int) -> bool:
        order = self.find(identity, pending=False)
        if order is None:
            return False
        order.open -= min(shares, order.open)
        if order.open == 0:
            self.drop(order)
        elif order.state == "cancelling":
            order.state = "live"
        return True

    def rejected(self, identity: int) -> bool:
        order = self.find(identity, pending=True)
        if order is not None:
            order.state = "live"
            return True
        order = self.find(identity, pending=False)
        if order is not None and order.state == "new":
            self.drop(order)
        return order is not None

    def cancel_rejected(self, identity: int) -> bool:
        order = self.find(identity, pending=False)
        if order is not None and order.state == "cancelling":
            order.state = "live"
        return order is not None
