"""All orders: journal first, then the state."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, replace

from control.oms.entries import ORDER_KIND, REPORT_KIND, REQUEST_KIND, Asked, Ordered, Report
from control.oms.order import Order
from control.oms.rules import ALLOWED, Status, What
from control.store import Record
from wire.records import Side


class OmsError(RuntimeError):
    """An order or a request that is not taken. Nothing was written."""


class UnknownOrderError(OmsError):
    """There is no such order."""


class DuplicateOrderError(OmsError):
    """The client used this id for another order."""


class IllegalRequestError(OmsError):
    """The order's status does not allow the request."""


class OverAllocationError(OmsError):
    """The children of an order would be more than the order."""


@dataclass(frozen=True, slots=True)
class Violation:
    """A report that does not belong to the status of its order, or leaves it with more shares than it has."""

    report: Report
    status: Status
    text: str


Append = Callable[[int, bytes, int], object]
"""``append(kind, payload, timestamp)`` of a journal; when it comes back the entry is as safe as its caller wants it."""


class Oms:
    """The orders.

    Parameters
    ----------
    append : callable
        Writes an entry into the journal. Whatever it raises leaves the state as it was.
    entries : iterable of Record
        The journal so far: they are what the state is rebuilt from. Kinds of others are passed over.

    Attributes
    ----------
    violations : list of Violation
        What the exchange said and cannot be. It is kept all the same: an execution is a position.
    duplicates : int
        Reports that were known already.
    marks : dict
        Price of the last execution by stock, 1e-4.
    """

    def __init__(self, append: Append, entries: Iterable[Record] = ()) -> None:
        self._append = append
        self.orders: dict[int, Order] = {}
        self.marks: dict[str, int] = {}
        self._number = 0
        self._by_client: dict[tuple[str, str], tuple[int, int]] = {}
        self._by_venue: dict[tuple[int, int], tuple[int, int]] = {}
        self.violations: list[Violation] = []
        self.duplicates = 0
        for entry in entries:
            self.replay(entry)

    # -- orders and requests -------------------------------------------------------------------------

    def order(self, ordered: Ordered, timestamp: int) -> Order:
        """Take an order. The same one again, known by its client and the client's id, is the one that is there.

        ``order_id`` 0 is given a number.

        Raises
        ------
        DuplicateOrderError
            The client's id stands for another order.
        UnknownOrderError, IllegalRequestError, OverAllocationError
            The parent is not there, takes no children, or has too few shares left.
        """
        known = self._by_client.get((ordered.client, ordered.client_order_id))
        if known is not None:
            order_id, number = known
            if number or not self.orders[order_id].ordered.same_as(ordered):
                name = f"client order id {ordered.client_order_id!r} of {ordered.client!r}"
                raise DuplicateOrderError(f"{name}: it is order {order_id}, which is another one")
            return self.orders[order_id]
        if ordered.order_id == 0:
            ordered = replace(ordered, order_id=self._number + 1)
        elif ordered.order_id in self.orders:
            raise DuplicateOrderError(f"order id {ordered.order_id}: it is taken")
        if ordered.parent_id:
            self._check_child(ordered)
        self._append(ORDER_KIND, ordered.pack(), timestamp)
        return self._enter(ordered)

    def _check_child(self, ordered: Ordered) -> None:
        parent = self[ordered.parent_id]
        if not parent.ordered.is_parent or parent.status.is_final or parent.withdrawn:
            raise IllegalRequestError(f"order {parent.order_id}: {parent.status}, it takes no child")
        if (ordered.stock, ordered.side) != (parent.ordered.stock, parent.ordered.side):
            what = f"{parent.ordered.side.name} {parent.ordered.stock}"
            raise IllegalRequestError(f"order {parent.order_id}: {what}, its child is not")
        if ordered.quantity > parent.free:
            raise OverAllocationError(f"order {parent.order_id}: {parent.free} shares left, its child wants {ordered.quantity}")

    def send(
        self, order_id: int, *, venue: int, venue_order_id: int, timestamp: int, marking: int = 0, stamp: int = 0
    ) -> Asked:
        """The order goes out under an id of the exchange.

        Raises
        ------
        UnknownOrderError, IllegalRequestError
        """
        sent = Asked(order_id, What.SEND, 0, venue, venue_order_id, marking=marking, stamp=stamp)
        return self._ask(sent, timestamp)

    def cancel(self, order_id: int, timestamp: int, client_order_id: str = "") -> Asked:
        """Take an order back. One that was not sent is done with at once; a parent takes no more children.

        Raises
        ------
        UnknownOrderError, IllegalRequestError
        DuplicateOrderError
            The client used the id before.
        """
        order = self[order_id]
        venue = order.sent.venue if order.sent is not None else 0
        number = len(order.requests) + 1
        return self._ask(Asked(order_id, What.CANCEL, number, venue, client_order_id=client_order_id), timestamp)

    def replace(
        self,
        order_id: int,
        *,
        price: int,
        quantity: int,
        timestamp: int,
        venue_order_id: int = 0,
        client_order_id: str = "",
    ) -> Asked:
        """Change price and quantity (all shares of the order, those executed among them).

        Without an id of the exchange, `note` says it when it went out.

        Raises
        ------
        UnknownOrderError, IllegalRequestError
            The latter also if no share would be left.
        OverAllocationError
        DuplicateOrderError
            The client used the id before.
        """
        order = self[order_id]
        if quantity <= order.executed:
            text = f"order {order_id}: {order.executed} shares are executed, a replace to {quantity} leaves none"
            raise IllegalRequestError(text)
        if order.ordered.parent_id:
            parent = self[order.ordered.parent_id]
            if quantity - order.executed > parent.free + order.open:
                raise OverAllocationError(
                    f"order {parent.order_id}: {parent.free + order.open} shares left for order {order_id}, which wants"
                    f" {quantity - order.executed}"
                )
        venue = order.sent.venue if order.sent is not None else 0
        number = len(order.requests) + 1
        request = Asked(
            order_id, What.REPLACE, number, venue, venue_order_id, price, quantity, client_order_id=client_order_id
        )
        return self._ask(request, timestamp)

    def _ask(self, request: Asked, timestamp: int) -> Asked:
        order = self[request.order_id]
        allowed = request.what in ALLOWED[order.status]
        if order.ordered.is_parent and request.what is not What.CANCEL:
            allowed = False
        if order.withdrawn or not allowed:
            raise IllegalRequestError(f"order {order.order_id}: {order.status}, no {request.what.name.lower()} now")
        if request.client_order_id and (order.ordered.client, request.client_order_id) in self._by_client:
            raise DuplicateOrderError(f"client order id {request.client_order_id!r} of {order.ordered.client!r}: it was used")
        return self.note(request, timestamp)

    def note(self, request: Asked, timestamp: int) -> Asked:
        """A request that went out already, whatever the order's status: the device made it by itself, or says its id.

        Raises
        ------
        UnknownOrderError
        """
        self[request.order_id]
        self._append(REQUEST_KIND, request.pack(), timestamp)
        self._take(request)
        return request

    # -- reports ---------------------------------------------------------------------------------------

    def report(self, report: Report, timestamp: int) -> bool:
        """Take what the exchange, or the gate, said; whether it is new.

        Raises
        ------
        UnknownOrderError
            It is about none of ours: nothing was written, and somebody has to look.
        """
        order = self[report.order_id]
        if order.knows(report):
            self.duplicates += 1
            return False
        self._append(REPORT_KIND, report.pack(), timestamp)
        self._hear(report)
        return True

    def find(self, venue: int, venue_order_id: int) -> tuple[Order, int]:
        """The order that the exchange knows by an id, and the number of the request that gave it.

        Raises
        ------
        UnknownOrderError
        """
        known = self._by_venue.get((venue, venue_order_id))
        if known is None:
            raise UnknownOrderError(f"venue {venue}: no order with the id {venue_order_id:X}")
        return self.orders[known[0]], known[1]

    def names(self, venue: int) -> list[int]:
        """All ids under which a venue ever knew an order."""
        return [name for at, name in self._by_venue if at == venue]

    def by_client(self, client: str, client_order_id: str) -> tuple[Order, int] | None:
        """The order that a client's id stands for, and the number of the request that had it (0: the order itself)."""
        known = self._by_client.get((client, client_order_id))
        return None if known is None else (self.orders[known[0]], known[1])

    # -- what there is -----------------------------------------------------------------------------------

    def __getitem__(self, order_id: int) -> Order:
        """An order by our number.

        Raises
        ------
        UnknownOrderError
        """
        order = self.orders.get(order_id)
        if order is None:
            raise UnknownOrderError(f"order {order_id}: there is none")
        return order

    def __iter__(self) -> Iterator[Order]:
        """All orders, by their number."""
        return iter(self.orders.values())

    def positions(self) -> dict[str, int]:
        """Shares by stock, from all executions that are not void."""
        found: Counter[str] = Counter()
        for order in self.orders.values():
            if not order.ordered.is_parent:
                found[order.ordered.stock] += order.executed if order.ordered.side is Side.BUY else -order.executed
        return dict(found)

    def cash(self) -> dict[str, int]:
        """Money by stock that all executions brought, 1e-4 x shares; bought is negative."""
        found: Counter[str] = Counter()
        for order in self.orders.values():
            if not order.ordered.is_parent:
                found[order.ordered.stock] += -order.notional if order.ordered.side is Side.BUY else order.notional
        return dict(found)

    # -- state ---------------------------------------------------------------------------------------------

    def replay(self, entry: Record) -> Report | None:
        """Take an entry that the journal has; the report that it is, if it is one."""
        if entry.kind == ORDER_KIND:
            self._enter(Ordered.unpack(entry.payload))
        elif entry.kind == REQUEST_KIND:
            self._take(Asked.unpack(entry.payload))
        elif entry.kind == REPORT_KIND:
            report = Report.unpack(entry.payload)
            self._hear(report)
            return report
        return None

    def _enter(self, ordered: Ordered) -> Order:
        order = self.orders[ordered.order_id] = Order(ordered)
        self._number = max(self._number, ordered.order_id)
        self._by_client[ordered.client, ordered.client_order_id] = ordered.order_id, 0
        if ordered.parent_id:
            self.orders[ordered.parent_id].children.append(order)
        return order

    def _take(self, request: Asked) -> None:
        order = self.orders[request.order_id]
        order.ask(request)
        if request.venue_order_id:
            self._by_venue[request.venue, request.venue_order_id] = request.order_id, request.number
        if request.client_order_id:
            self._by_client[order.ordered.client, request.client_order_id] = request.order_id, request.number

    def _hear(self, report: Report) -> None:
        order = self.orders[report.order_id]
        status = order.status
        crossed = report.what is What.REFUSED and report.number > 0  # a request that came too late
        if order.ordered.is_parent or not (crossed or report.what in ALLOWED[status]):
            self.violations.append(Violation(report, status, f"{report.what.name.lower()} of an order that is {status}"))
        order.hear(report)
        if report.what is What.EXECUTED:
            self.marks[order.ordered.stock] = report.price
        if not order.ordered.is_parent and order.gone > order.quantity:
            text = f"{order.gone} shares of {order.quantity} are executed or cancelled"
            self.violations.append(Violation(report, status, text))

