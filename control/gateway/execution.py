"""What the OMS knows of an order as FIX says it: ExecutionReport (8) and OrderCancelReject (9), in the words of each version.

After volume 4 of FIX 4.2, 4.4 and 5.0 SP2. OrderID is our number of the order. ExecID, and of an OrderCancelReject
SecondaryOrderID, is the number of the fact in the journal: it is unique for ever, and says how far a session has been told.
"""

from __future__ import annotations

from typing import NamedTuple

from control.oms import Order, Report, Status, What
from control.oms.entries import Asked, reason_names
from wire.fix.numbers import price_text, timestamp
from wire.fix.write import Value
from wire.reasons import Reason
from wire.records import IMMEDIATE_OR_CANCEL, Side

Fields = list[tuple[int, Value]]
EXECUTION_REPORT, CANCEL_REJECT = b"8", b"9"
FIX_42 = "FIX.4.2"
STATUSES = {
    Status.NEW: "A",
    Status.PENDING_NEW: "A",
    Status.LIVE: "0",
    Status.PARTIALLY_FILLED: "1",
    Status.FILLED: "2",
    Status.PENDING_CANCEL: "6",
    Status.PENDING_REPLACE: "E",
    Status.CANCELLED: "4",
    Status.REJECTED: "8",
}
_EXEC_TYPES = {
    What.REFUSED: "8",
    What.REJECTED: "8",
    What.ACCEPTED: "0",
    What.EXECUTED: "F",
    What.BUSTED: "H",
    What.CANCELLED: "4",
    What.REPLACED: "5",
}
_CANCEL_TEXTS = {
    "U": "as asked",
    "I": "immediate or cancel",
    "T": "time is over",
    "S": "by the exchange",
    "Q": "self-match",
    "R": "found gone after a restart",
}
_LIMITS = sum(
    each.bit
    for each in (
        Reason.MAX_QUANTITY, Reason.MAX_NOTIONAL, Reason.POSITION, Reason.GROSS_EXPOSURE, Reason.CREDIT, Reason.LOCATE,
        Reason.RATE_GLOBAL, Reason.RATE_SYMBOL, Reason.MAX_OPEN_ORDERS, Reason.LOSS_LIMIT,
    )
)  # fmt: skip
OTHER, UNKNOWN_SYMBOL, CLOSED, EXCEEDS_LIMIT, UNKNOWN_ORDER, DUPLICATE, UNSUPPORTED = 99, 1, 2, 3, 5, 6, 11
"""OrdRejReason (103)."""
TOO_LATE, CANCEL_UNKNOWN, ALREADY_PENDING, CANCEL_DUPLICATE, CANCEL_OTHER = 0, 1, 3, 6, 99
"""CxlRejReason (102)."""


class Told(NamedTuple):
    """A message about a fact, without its number: ``execution`` is the key of one that is void, or of the execution itself."""

    kind: bytes
    fields: Fields
    execution: tuple[int, int, int] | None = None
    is_bust: bool = False


def told(order: Order, report: Report, at: int, version: str) -> Told | None:
    """What a fact says to the order's client; None if it is nothing to it.

    The order must be as it was with the report.
    """
    what, number = report.what, report.number
    if what in (What.CANCEL_REJECTED, What.REPLACE_REJECTED) or (what is What.REFUSED and number):
        request = _request(order, number)
        if request is None or not request.client_order_id:
            return None
        text = refusal_text(report)
        body = cancel_reject(
            order, request.client_order_id, is_replace=request.what is What.REPLACE, reason=CANCEL_OTHER, text=text, at=at,
            version=version,
        )  # fmt: skip
        return Told(CANCEL_REJECT, body)
    key = (order.order_id, report.venue, report.report_id)
    body = execution_report(order, report, at, version)
    is_bust = what is What.BUSTED
    return Told(EXECUTION_REPORT, body, key if is_bust or what is What.EXECUTED else None, is_bust)


def execution_report(order: Order, report: Report, at: int, version: str) -> Fields:
    """The body of an ExecutionReport about a fact, without ExecID and ExecRefID."""
    what = report.what
    client_order_id, original = _ids(order, report)
    body = state(order, client_order_id, version)
    if original and original != client_order_id:
        body.append((41, original))
    exec_type = _EXEC_TYPES[what]
    if version == FIX_42:
        body.append((20, "1" if what is What.BUSTED else "0"))
        if what in (What.EXECUTED, What.BUSTED):
            exec_type = STATUSES[order.status]
            exec_type = exec_type if exec_type in "12" else "1"
    body.append((150, exec_type))
    if what is What.EXECUTED:
        body += [(32, report.quantity), (31, price_text(report.price))]
    elif what is What.BUSTED:
        void = order.executions.get((report.venue, report.report_id))
        if void is not None:
            body += [(32, void.quantity), (31, price_text(void.price))]
    elif what in (What.REFUSED, What.REJECTED):
        body += [(103, reject_reason(report, version)), (58, refusal_text(report))]
    elif what is What.CANCELLED and report.reason:
        body.append((58, f"cancelled: {_CANCEL_TEXTS.get(chr(report.reason), chr(report.reason))}"))
    return [*body, (60, timestamp(at))]


def state(order: Order, client_order_id: str, version: str) -> Fields:
    """What every ExecutionReport says of an order as it is."""
    body: Fields = [
        (37, order.order_id),
        (11, client_order_id),
        (39, STATUSES[order.status]),
        (55, order.ordered.stock),
        (54, "1" if order.ordered.side is Side.BUY else "2"),
        (38, order.quantity),
        (40, "2"),
        (44, price_text(order.price)),
        (59, "3" if order.ordered.time_in_force == IMMEDIATE_OR_CANCEL else "0"),
        (151, order.open),
        (14, order.executed),
        (6, average(order.notional, order.executed)),
    ]
    return body


def status_report(order: Order, at: int, version: str, text: str = "") -> Fields:
    """The answer to a request for an order's status. It is no fact: its ExecID is 0."""
    body = [*state(order, order.client_order_id, version), (17, "0")]
    body += [(20, "3"), (150, STATUSES[order.status])] if version == FIX_42 else [(150, "I")]
    if text:
        body.append((58, text))
    return [*body, (60, timestamp(at))]


def rejection(
    asked: Fields, number: str, reason: int, text: str, at: int, version: str, *, is_status: bool = False
) -> Fields:
    """An ExecutionReport about an order that was never taken; ``asked`` has ClOrdID, Symbol, Side and what else was said."""
    body: Fields = [(37, "NONE"), *asked, (17, number), (39, "8"), (151, 0), (14, 0), (6, "0")]
    if version == FIX_42:
        body += [(20, "3" if is_status else "0"), (150, "8")]
    else:
        body.append((150, "I" if is_status else "8"))
    return [*body, (103, _for(version, reason)), (58, text), (60, timestamp(at))]


def cancel_reject(
    order: Order | None,
    client_order_id: str,
    *,
    is_replace: bool,
    reason: int,
    text: str,
    at: int,
    version: str,
    original: str = "",
) -> Fields:
    """The body of an OrderCancelReject; without an order it is about one that there is not."""
    known = 2 if version == FIX_42 and reason > ALREADY_PENDING else reason
    return [
        (37, "NONE" if order is None else order.order_id),
        (11, client_order_id),
        (41, original or (order.client_order_id if order is not None else "NONE")),
        (39, "8" if order is None else STATUSES[order.status]),
        (434, "2" if is_replace else "1"),
        (102, known),
        (58, text),
        (60, timestamp(at)),
    ]


def reject_reason(report: Report, version: str) -> int:
    """OrdRejReason of a refusal: the exchange's is its own, the gate's by what was refused."""
    if report.what is What.REJECTED:
        return 0
    if report.reason & _LIMITS:
        return EXCEEDS_LIMIT
    if report.reason & (Reason.SYMBOL_HALTED.bit | Reason.SESSION_STATE.bit):
        return CLOSED
    if report.reason & (Reason.DUPLICATE_ORDER.bit | Reason.REPETITION.bit):
        return DUPLICATE
    return _for(version, OTHER)


def refusal_text(report: Report) -> str:
    """Why, in words."""
    if report.what is What.REFUSED or report.reason > 0xFF:
        return ", ".join(reason_names(report.reason)) or "refused"
    code = chr(report.reason) if 0x20 < report.reason < 0x7F else str(report.reason)
    return f"rejected by the exchange: {code}" if report.reason else "rejected by the exchange"


def average(notional: int, shares: int) -> str:
    """Average price as decimal text, six places, halves up."""
    if not shares:
        return "0"
    units = (notional * 200 + shares) // (2 * shares)
    whole, rest = divmod(units, 1_000_000)
    return f"{whole}.{rest:06}".rstrip("0").rstrip(".")


def _for(version: str, reason: int) -> int:
    return 0 if version == FIX_42 and reason > 8 else reason


def _request(order: Order, number: int) -> Asked | None:
    return order.requests[number - 1] if 0 < number <= len(order.requests) else None


def _ids(order: Order, report: Report) -> tuple[str, str]:
    """ClOrdID and OrigClOrdID of a report."""
    now = order.client_order_id
    if report.what is What.REPLACED:
        before = max((number for number in order.replaced if number < report.number), default=0)
        request = _request(order, before)
        return now, (request.client_order_id if request else "") or order.ordered.client_order_id
    if report.what is What.CANCELLED:
        for request in reversed(order.unanswered):
            if request.what is What.CANCEL and request.client_order_id:
                return request.client_order_id, now
    return now, ""
