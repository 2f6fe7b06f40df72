"""The exchange's own account of an order session, from its messages since the first one: which orders there are, and what
they traded. Nothing of what we believed ourselves is in it.
"""

from __future__ import annotations

from dataclasses import dataclass, field

from control.gateway.ouch import Kind, Told
from wire.records import SLOT_BITS, Side


@dataclass(slots=True)
class Seen:
    """An order by one of its names. ``cancels``: shares, what was left after it, and the reason of each."""

    order_id: int
    stock: str
    side: Side
    price: int
    open: int
    quantity: int
    reference: int
    previous_id: int = 0
    cancels: list[tuple[int, int, str]] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class Execution:
    """Shares that traded, at 1e-4."""

    match_number: int
    order_id: int
    stock: str
    side: Side
    quantity: int
    price: int

    @property
    def shares(self) -> int:
        """What it does to the position."""
        return self.quantity if self.side is Side.BUY else -self.quantity


@dataclass(slots=True)
class ExchangeView:
    """All that a session told.

    Attributes
    ----------
    orders : dict
        By id, those that are done too.
    executions : dict
        By match number and order id: both sides of a trade with oneself have one number. Broken trades are not among them.
    rejected : dict
        Reason by id.
    foreign : int
        Messages about orders whose names are not of our making: somebody else uses the session.
    """

    orders: dict[int, Seen] = field(default_factory=dict)
    executions: dict[tuple[int, int], Execution] = field(default_factory=dict)
    rejected: dict[int, str] = field(default_factory=dict)
    broken: set[int] = field(default_factory=set)
    foreign: int = 0

    def take(self, told: Told) -> None:
        """Take in the next message."""
        if told.kind is Kind.OTHER:
            return
        if told.kind is Kind.BROKEN:
            self._break(told.match_number)
            return
        if told.order_id < 0:
            self.foreign += 1
            return
        if told.kind in (Kind.ACCEPTED, Kind.REPLACED):
            self._enter(told)
        elif told.kind is Kind.REJECTED:
            self.rejected[told.order_id] = told.reason
        seen = self.orders.get(told.order_id)
        if seen is None:
            self.foreign += told.kind not in (Kind.REJECTED, Kind.CANCEL_REJECTED)
        elif told.kind is Kind.EXECUTED:
            seen.open = max(seen.open - told.quantity, 0)
            self._execute(seen, told)
        elif told.kind is Kind.CANCELLED:
            gone = min(told.quantity, seen.open)
            seen.open -= gone
            if gone:
                seen.cancels.append((gone, seen.open, told.reason))

    def _enter(self, told: Told) -> None:
        seen = self.orders[told.order_id] = Seen(
            told.order_id, told.stock, told.side, told.price, told.quantity, told.quantity, told.reference, told.previous_id
        )
        if told.is_dead and seen.open:
            seen.cancels.append((seen.open, 0, "D"))
            seen.open = 0
        previous = self.orders.get(told.previous_id)
        if previous is not None:
            previous.open = 0

    def _execute(self, seen: Seen, told: Told) -> None:
        if told.match_number not in self.broken:
            self.executions[told.match_number, seen.order_id] = Execution(
                told.match_number, seen.order_id, seen.stock, seen.side, told.quantity, told.price
            )

    def _break(self, match_number: int) -> None:
        self.broken.add(match_number)
        for key in [key for key in self.executions if key[0] == match_number]:
            del self.executions[key]

    # -- what follows ------------------------------------------------------------------------------

    @property
    def open(self) -> list[Seen]:
        """Orders that may still trade."""
        return [seen for seen in self.orders.values() if seen.open]

    def positions(self) -> dict[str, int]:
        """Shares by stock, since the session began."""
        found: dict[str, int] = {}
        for each in self.executions.values():
            found[each.stock] = found.get(each.stock, 0) + each.shares
        return found

    def cash(self) -> dict[str, int]:
        """1e-4 x shares by stock, since the session began."""
        found: dict[str, int] = {}
        for each in self.executions.values():
            found[each.stock] = found.get(each.stock, 0) - each.shares * each.price
        return found

    def marks(self) -> dict[str, int]:
        """Price of the last execution by stock, 1e-4."""
        return {each.stock: each.price for each in self.executions.values()}

    @property
    def executed_notional(self) -> int:
        """1e-4 x shares of all executions."""
        return sum(each.quantity * each.price for each in self.executions.values())

    @property
    def generation(self) -> int:
        """Highest of all orders: the next owner's orders have to be above it."""
        return max((*self.orders, *self.rejected), default=0) >> SLOT_BITS
