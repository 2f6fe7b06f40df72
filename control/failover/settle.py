"""The exchange's account of a session into our orders: what it knows and we do not becomes a report, what only we know never
was.

Used when an account was read whole and nothing is on its way any more: after a take-over, and after a restart.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from control.failover.view import ExchangeView, Execution, Seen
from control.oms import Asked, Oms, Order, Ordered, Report, UnknownOrderError, What
from control.oms.entries import NO_SUCH_ORDER

DEVICE = "device"
"""Client of orders that no client asked for, as far as is known."""
_BY_ACCOUNT = 1 << 62
"""Report ids of cancels that were found by comparing: the account says how many shares, not in which message."""


@dataclass(slots=True)
class Settled:
    """What it took: reports that were new, orders that nobody here knew, requests and orders that never arrived."""

    reports: int = 0
    adopted: int = 0
    never_arrived: int = 0


def settle(oms: Oms, view: ExchangeView, *, venue: int, timestamp: int) -> Settled:
    """Bring the orders of a venue to what its account says.

    Parameters
    ----------
    oms : Oms
    view : ExchangeView
        Of the whole session.
    venue : int
    timestamp : int
        Of the entries in the journal.
    """
    done = Settled()

    def tell(report: Report) -> None:
        done.reports += oms.report(report, timestamp)

    traded: dict[int, list[Execution]] = {}
    for each in view.executions.values():
        traded.setdefault(each.order_id, []).append(each)
    executed: dict[int, int] = {0: 0}
    heard: set[tuple[int, int]] = set()
    for seen in view.orders.values():
        before = executed.get(seen.previous_id, 0)
        order, number = _named(oms, seen, venue, timestamp, before, done)
        heard.add((order.order_id, number))

        def report(what: What, report_id: int, price: int = 0, quantity: int = 0, reason: int = 0) -> None:
            tell(Report(order.order_id, what, report_id, venue, number, price, quantity, reason))  # noqa: B023

        report(What.REPLACED if number else What.ACCEPTED, seen.reference, seen.price, seen.quantity + before)
        for each in traded.get(seen.order_id, ()):
            before += each.quantity
            report(What.EXECUTED, each.match_number, each.price, each.quantity)
        executed[seen.order_id] = before
        known = sum(told.quantity for told in order.cancels.values() if told.number == number)
        if seen.cancelled > known:
            report(What.CANCELLED, _BY_ACCOUNT | seen.order_id, seen.price, seen.cancelled - known, ord(seen.reason[:1] or " "))
    _break(oms, view, venue, timestamp, done)
    for order in list(oms):
        if order.sent is not None and order.sent.venue == venue and not order.status.is_final:
            for each_report in _unheard(order, order.sent.venue_order_id, view, heard):
                done.never_arrived += 1
                tell(each_report)
    return done


def _named(oms: Oms, seen: Seen, venue: int, timestamp: int, executed: int, done: Settled) -> tuple[Order, int]:
    """The order, and the number of the request, that a name at the exchange stands for; both are made where nobody knew."""
    try:
        return oms.find(venue, seen.order_id)
    except UnknownOrderError:
        done.adopted += 1
    try:
        order, _ = oms.find(venue, seen.previous_id)
    except UnknownOrderError:
        made = Ordered(0, DEVICE, f"{seen.order_id:X}", seen.stock, seen.side, seen.price, seen.quantity)
        order = oms.order(made, timestamp)
        oms.send(order.order_id, venue=venue, venue_order_id=seen.order_id, timestamp=timestamp)
        return order, 0
    number = len(order.requests) + 1
    shares = seen.quantity + executed
    oms.note(Asked(order.order_id, What.REPLACE, number, venue, seen.order_id, seen.price, shares), timestamp)
    return order, number


def _break(oms: Oms, view: ExchangeView, venue: int, timestamp: int, done: Settled) -> None:
    for order in list(oms):
        for key in sorted(order.executions.keys() - order.busts):
            if key[0] == venue and key[1] in view.broken:
                done.reports += oms.report(Report(order.order_id, What.BUSTED, key[1], venue), timestamp)


def _unheard(order: Order, sent_as: int, view: ExchangeView, heard: set[tuple[int, int]]) -> Iterator[Report]:
    """Reports about what the exchange rejected or never heard of."""
    assert order.sent is not None
    venue, number = order.sent.venue, order.order_id
    if not any((number, each) in heard for each in range(len(order.requests) + 1)):
        reason = view.rejected.get(sent_as)
        if reason is not None:
            yield Report(number, What.REJECTED, sent_as, venue, reason=ord(reason[:1] or " "))
        else:
            yield Report(number, What.REFUSED, sent_as, venue, reason=NO_SUCH_ORDER)
        return
    for request in order.requests:
        answered = request.number in order.replaced or request.number in order.failed
        if request.what is What.REPLACE and not answered and (number, request.number) not in heard:
            yield Report(number, What.REPLACE_REJECTED, number << 20 | request.number, venue, request.number)
