"""One order: the facts about it, and what follows from them.

Reports may come in any order and more than once: by the order's own connection, by the drop copy, by a resend, from the
journal. So an order keeps facts, each once, and works out the rest. The status is a function of the set of facts and not of
the way they came in, and no execution can be lost or counted twice.
"""

from __future__ import annotations

from dataclasses import dataclass, field

from control.oms.entries import Asked, Ordered, Report
from control.oms.rules import Status, What


@dataclass(slots=True)
class Order:
    """An order.

    Parameters
    ----------
    ordered : Ordered
        As it was asked for.

    Attributes
    ----------
    requests : list of Asked
        Replaces and cancels, by their number from 1 on.
    executions : dict
        Shares and price by venue and match number; those that are void are in ``busts`` too.
    terms : int
        Number of the request whose price and quantity are in force: 0, or the last replace that was confirmed.
    traded : int
        Shares of all executions, those that are void among them.
    children : list of Order
        Of a parent.
    """

    ordered: Ordered
    sent: Asked | None = None
    requests: list[Asked] = field(default_factory=list)
    accepted: Report | None = None
    ended: Report | None = None  # REFUSED or REJECTED: it never was at the exchange
    executions: dict[tuple[int, int], Report] = field(default_factory=dict)
    busts: set[tuple[int, int]] = field(default_factory=set)
    cancels: dict[tuple[int, int], Report] = field(default_factory=dict)
    replaced: dict[int, Report] = field(default_factory=dict)  # by number of the request
    failed: dict[int, Report] = field(default_factory=dict)  # requests that were rejected, by number
    withdrawn: bool = False  # taken back before it was sent; a parent that gets no more children
    children: list[Order] = field(default_factory=list)
    terms: int = 0
    traded: int = 0
    # Sums and what has no answer yet, kept as the facts come: a quote may be replaced a hundred thousand times.
    _executed: int = 0
    _notional: int = 0
    _unanswered: dict[int, Asked] = field(default_factory=dict)
    _names: dict[int, int] = field(default_factory=dict)

    @property
    def order_id(self) -> int:
        """Our number of it."""
        return self.ordered.order_id

    # -- facts -----------------------------------------------------------------------------------

    def ask(self, request: Asked) -> None:
        """A request goes out."""
        if request.venue_order_id:
            self._names[request.number] = request.venue_order_id
        if request.what is What.SEND:
            if request.number == 0:
                self.sent = request
        elif self.sent is None:
            self.withdrawn = True
        else:
            self.requests.append(request)
            if request.number not in self.failed and request.number not in self.replaced:
                self._unanswered[request.number] = request

    def knows(self, report: Report) -> bool:
        """Whether a report says nothing new."""
        key = report.venue, report.report_id
        match report.what:
            case What.EXECUTED:
                return key in self.executions
            case What.BUSTED:
                return key in self.busts
            case What.CANCELLED:
                return key in self.cancels
            case What.ACCEPTED:
                return self.accepted is not None
            case What.REPLACED:
                return report.number in self.replaced
        if report.what is What.REJECTED or report.number == 0:
            return self.ended is not None
        return report.number in self.failed

    def hear(self, report: Report) -> None:
        """Take a report that is new."""
        key = report.venue, report.report_id
        match report.what:
            case What.EXECUTED:
                self.executions[key] = report
                self.traded += report.quantity
                if key not in self.busts:
                    self._count(report, 1)
            case What.BUSTED:
                self.busts.add(key)
                if key in self.executions:
                    self._count(self.executions[key], -1)
            case What.CANCELLED:
                self.cancels[key] = report
            case What.ACCEPTED:
                self.accepted = report
            case What.REPLACED:
                self.replaced[report.number] = report
                self._unanswered.pop(report.number, None)
                self.terms = max(self.terms, report.number)
                for number in [number for number in self._names if number < self.terms]:
                    del self._names[number]
            case _ if report.what is What.REJECTED or report.number == 0:
                self.ended = report
            case _:
                self.failed[report.number] = report
                self._unanswered.pop(report.number, None)

    def _count(self, execution: Report, sign: int) -> None:
        self._executed += sign * execution.quantity
        self._notional += sign * execution.quantity * execution.price

    # -- what follows ------------------------------------------------------------------------------

    @property
    def price(self) -> int:
        """Price in force, 1e-4."""
        if self.replaced:
            return self.replaced[self.terms].price
        return self.ordered.price if self.accepted is None or not self.accepted.price else self.accepted.price

    @property
    def quantity(self) -> int:
        """All shares of the order under the terms in force, those executed among them."""
        if self.replaced:
            return self.replaced[self.terms].quantity
        if self.accepted is None or not self.accepted.quantity:
            return self.ordered.quantity
        return self.accepted.quantity

    @property
    def venue_order_id(self) -> int:
        """The id under which the exchange knows it under the terms in force, 0 where it has none."""
        return self._names.get(self.terms, 0)

    @property
    def client_order_id(self) -> str:
        """The client's id of the terms in force."""
        asked = self.requests[self.terms - 1].client_order_id if 0 < self.terms <= len(self.requests) else ""
        return asked or self.ordered.client_order_id

    @property
    def executed(self) -> int:
        """Shares executed, without those of executions that are void."""
        return sum(child.executed for child in self.children) if self.ordered.is_parent else self._executed

    @property
    def notional(self) -> int:
        """Price times shares of what was executed, 1e-4."""
        return sum(child.notional for child in self.children) if self.ordered.is_parent else self._notional

    @property
    def gone(self) -> int:
        """Shares that are open no more: traded (also if the trade is void: the exchange does not put them back), or cancelled
        under the terms in force. What was cancelled before a replace is not among the shares of the new terms.
        """
        if not self.cancels:
            return self.traded
        return self.traded + sum(each.quantity for each in self.cancels.values() if each.number >= self.terms)

    @property
    def open(self) -> int:
        """Shares that may still trade, of a parent: in the market through its children."""
        if self.ordered.is_parent:
            return sum(child.open for child in self.children)
        if self.ended is not None or self.withdrawn:
            return 0
        return max(self.quantity - self.gone, 0)

    @property
    def free(self) -> int:
        """Shares of a parent that no child has."""
        return 0 if self.withdrawn else self.ordered.quantity - self.executed - self.open

    @property
    def pending(self) -> Asked | None:
        """The last request that has no answer yet."""
        return next(reversed(self._unanswered.values()), None)

    @property
    def unanswered(self) -> tuple[Asked, ...]:
        """The requests that have no answer yet, by number."""
        return tuple(self._unanswered.values())

    @property
    def status(self) -> Status:
        """Where it stands."""
        if self.ordered.is_parent:
            return self._parent_status
        # An order that was at the exchange was not refused, whatever somebody says.
        was_there = self.accepted is not None or bool(self.executions) or bool(self.cancels) or bool(self.replaced)
        if self.ended is not None and not was_there:
            return Status.REJECTED
        if self.sent is None and not was_there:
            return Status.CANCELLED if self.withdrawn else Status.NEW
        if self.gone >= self.quantity:
            return Status.FILLED if self.executed >= self.quantity else Status.CANCELLED
        pending = self.pending
        if pending is not None:
            return Status.PENDING_CANCEL if pending.what is What.CANCEL else Status.PENDING_REPLACE
        if self.executed:
            return Status.PARTIALLY_FILLED
        return Status.LIVE if was_there else Status.PENDING_NEW

    @property
    def _parent_status(self) -> Status:
        if self.executed >= self.ordered.quantity:
            return Status.FILLED
        if self.withdrawn:
            return Status.PENDING_CANCEL if self.open else Status.CANCELLED
        if self.executed:
            return Status.PARTIALLY_FILLED
        return Status.LIVE if any(child.sent for child in self.children) else Status.NEW
