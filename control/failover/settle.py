"""The exchange's account of a session into our orders: what it knows and we do not becomes a report, what only we know never
was.

Used when an account was read whole and nothing is on its way any more: after a take-over, and after a restart.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass

from control.failover.view import ExchangeView, Execution, Seen
from control.oms import Asked, Oms, Order, Ordered, Report, Status, UnknownOrderError, What
from control.oms.entries import NO_SUCH_ORDER
from control.oms.events import DEVICE, VENUE, cancel_id, identity
from control.oms.flow import OrderFlow

_SESSION_OVER = ord("S")


@dataclass(slots=True)
class Settled:
    """What it took: reports that were new, orders that nobody here knew, requests and orders that never arrived."""

    reports: int = 0
    adopted: int = 0
    never_arrived: int = 0


def settle(
    oms: Oms,
    view: ExchangeView,
    *,
    venue: int,
    timestamp: int,
    name: Callable[[int], int] = lambda order_id: order_id,
    hear: Callable[[Report], object] | None = None,
) -> Settled:
    """Bring the orders of a venue to what its account says.

    Parameters
    ----------
    oms : Oms
    view : ExchangeView
        Of the whole session.
    venue : int
    timestamp : int
        Of the entries in the journal.
    name : callable
        What an order of the exchange is called in ``oms``.
    hear : callable, optional
        Takes the reports instead of ``oms``, and hands them to it.
    """
    done = Settled()

    def tell(report: Report) -> None:
        done.reports += not oms[report.order_id].knows(report)
        if hear is None:
            oms.report(report, timestamp)
        else:
            hear(report)

    traded: dict[int, list[Execution]] = {}
    for each in view.executions.values():
        traded.setdefault(each.order_id, []).append(each)
    executed: dict[int, int] = {0: 0}
    heard: set[tuple[int, int]] = set()
    for seen in view.orders.values():
        before = executed.get(seen.previous_id, 0)
        order, number = _named(oms, seen, venue, timestamp, before, name, done)
        heard.add((order.order_id, number))

        def report(what: What, report_id: int, price: int = 0, quantity: int = 0, reason: int = 0) -> None:
            tell(Report(order.order_id, what, report_id, venue, number, price, quantity, reason))  # noqa: B023

        report(What.REPLACED if number else What.ACCEPTED, seen.reference, seen.price, seen.quantity + before)
        for each in traded.get(seen.order_id, ()):
            before += each.quantity
            report(What.EXECUTED, each.match_number, each.price, each.quantity)
        executed[seen.order_id] = before
        for gone, left, reason in seen.cancels:
            report(What.CANCELLED, cancel_id(number, left), seen.price, gone, ord(reason[:1] or " "))
    for order in list(oms):
        for key in sorted(order.executions.keys() - order.busts):
            if key[0] == venue and key[1] in view.broken:
                tell(Report(order.order_id, What.BUSTED, key[1], venue))
    rejected = {name(order_id): reason for order_id, reason in view.rejected.items()}
    for order in list(oms):
        if order.sent is not None and order.sent.venue == venue and not order.status.is_final:
            for each_report in _unheard(order, rejected.get(order.sent.venue_order_id), heard):
                done.never_arrived += 1
                tell(each_report)
    return done


def settle_flow(flow: OrderFlow, view: ExchangeView) -> Settled:
    """The same for all orders of a device, whatever process sent them; those of before that never went out are refused.

    An id at the exchange is an order of this life of the device unless an earlier one had it.
    """
    oms = flow.oms
    names = {identity(name): name for name in oms.names(VENUE)}
    done = settle(
        oms, view, venue=VENUE, timestamp=flow.desk.clock(), hear=flow.hear,
        name=lambda order_id: names.get(order_id) or flow.name(order_id),
    )  # fmt: skip
    for order in list(flow.unreconciled.values()):
        if order.status is Status.NEW:
            done.never_arrived += 1
            flow.hear(Report(order.order_id, What.REFUSED, 0, VENUE, reason=NO_SUCH_ORDER))
        flow.reconcile(order.order_id)
    return done


def _named(
    oms: Oms, seen: Seen, venue: int, timestamp: int, executed: int, name: Callable[[int], int], done: Settled
) -> tuple[Order, int]:
    """The order, and the number of the request, that a name at the exchange stands for; both are made where nobody knew."""
    called = name(seen.order_id)
    try:
        return oms.find(venue, called)
    except UnknownOrderError:
        done.adopted += 1
    try:
        order, _ = oms.find(venue, name(seen.previous_id))
    except UnknownOrderError:
        made = Ordered(0, DEVICE, f"{called:X}", seen.stock, seen.side, seen.price, seen.quantity)
        order = _unsent(oms, made) or oms.order(made, timestamp)
        oms.send(order.order_id, venue=venue, venue_order_id=called, timestamp=timestamp)
        return order, 0
    number = len(order.requests) + 1
    shares = seen.quantity + executed
    oms.note(Asked(order.order_id, What.REPLACE, number, venue, called, seen.price, shares), timestamp)
    return order, number


def _unsent(oms: Oms, like: Ordered) -> Order | None:
    """The oldest order that went out, for all it says, without our having written so: a process may have died in between."""
    for order in oms:
        asked = order.ordered
        same = (asked.stock, asked.side, asked.price, asked.quantity) == (like.stock, like.side, like.price, like.quantity)
        if same and order.status is Status.NEW and not asked.is_parent:
            return order
    return None


def _unheard(order: Order, rejected: str | None, heard: set[tuple[int, int]]) -> Iterator[Report]:
    """Reports about what the exchange rejected, for this reason, or never heard of."""
    assert order.sent is not None
    venue, number, sent_as = order.sent.venue, order.order_id, order.sent.venue_order_id
    if not any((number, each) in heard for each in range(len(order.requests) + 1)):
        if order.accepted is not None:  # in a session that is no more
            gone = cancel_id(order.terms, 0)
            yield Report(number, What.CANCELLED, gone, venue, order.terms, order.price, order.open, _SESSION_OVER)
        elif rejected is not None:
            yield Report(number, What.REJECTED, sent_as, venue, reason=ord(rejected[:1] or " "))
        else:
            yield Report(number, What.REFUSED, sent_as, venue, reason=NO_SUCH_ORDER)
        return
    for request in order.requests:
        answered = request.number in order.replaced or request.number in order.failed
        if request.what is What.REPLACE and not answered and (number, request.number) not in heard:
            yield Report(number, What.REPLACE_REJECTED, number << 20 | request.number, venue, request.number)
