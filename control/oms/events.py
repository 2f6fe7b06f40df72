"""The device's events as what they say of orders; docs/architecture.md, sections 8 to 12."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from control.oms.entries import Asked, Ordered, Report
from control.oms.oms import UnknownOrderError
from control.oms.order import Order
from control.oms.rules import What
from wire.records import (
    IMMEDIATE_OR_CANCEL,
    QUOTER_STRATEGY,
    TAKER_SLOT,
    TIME_IN_FORCE_DAY,
    Action,
    EventType,
    Fault,
    Side,
)

if TYPE_CHECKING:
    from control.oms.flow import OrderFlow

log = logging.getLogger("hairpin.orders")

VENUE = 1
"""Number of the exchange behind the device."""
DEVICE = "device"
"""The client of orders that the device sends by itself."""
_ID_BITS = 48
_SHARES_BITS = 20  # an order has at most 999,999
_DEAD = ord("D")
_NEW, _REPLACE, _CANCEL = Action.NEW.value, Action.REPLACE.value, Action.CANCEL.value
_CANCEL_REJECT = ord("I")

Row = tuple[int, ...]
"""An event's fields: sequence, type, side, symbol, timestamp, cause, order_id, value, price, quantity, price2, quantity2, tag,
info."""


def identity(name: int) -> int:
    """The device's id in an id for ever (`OrderFlow.name`)."""
    return name & (1 << _ID_BITS) - 1


def cancel_id(number: int, left: int) -> int:
    """Report id of a cancel, which has no number at the exchange: shares of the order become fewer, so what was left under which
    terms is said once, whoever tells it.
    """
    return number << _SHARES_BITS | left


class EventReader:
    """Turns a batch of events into requests that went out and reports that came in."""

    def __init__(self, flow: OrderFlow) -> None:
        self._flow, self._oms = flow, flow.oms
        self._stocks = flow.desk.stocks
        self._read = {
            EventType.ORDER_SENT.value: self._sent,
            EventType.ORDER_REFUSED.value: self._refused,
            EventType.ACCEPTED.value: self._accepted,
            EventType.REPLACED.value: self._replaced,
            EventType.EXECUTED.value: self._executed,
            EventType.CANCELLED.value: self._cancelled,
            EventType.EXCHANGE_REJECT.value: self._rejected,
            EventType.FAULT.value: self._fault,
        }
        self._wanted = np.zeros(256, np.bool_)
        self._wanted[list(self._read)] = True

    def read(self, events: NDArray[np.void]) -> None:
        """Take a batch. An event about an order that is not known is counted and passed over."""
        wanted = self._wanted[events["type"]]
        if not wanted.any():
            return
        for row in events[wanted].tolist():
            try:
                self._read[row[1]](row)
            except UnknownOrderError:
                self._flow.strangers += 1
                log.warning("%s about order %012X, which is none of ours", EventType(row[1]).name.lower(), row[6])

    def _find(self, device_id: int) -> tuple[Order, int]:
        return self._oms.find(VENUE, self._flow.name(device_id))

    # -- what went out ---------------------------------------------------------------------------

    def _sent(self, row: Row) -> None:
        action = row[13] & 0xFF
        if action == _NEW:
            self._new(row)
        elif action == _REPLACE:
            self._replace(row)
        elif action == _CANCEL:
            order, _ = self._find(row[6])
            if order.pending is None or order.pending.what is not What.CANCEL:
                self._note(Asked(order.order_id, What.CANCEL, len(order.requests) + 1, VENUE, stamp=row[4]))

    def _new(self, row: Row) -> None:
        _, _, side, symbol, stamp, _, device_id, _, price, quantity, _, _, tag, info = row
        order = self._oms.orders.get(tag) if tag else None
        if order is not None and order.sent is None and order.ordered.stock == self._stocks[symbol]:
            self._flow.sent(order, device_id, info >> 8 & 0xFF, stamp)
            return
        taken = tag == 0 and device_id & 3 == TAKER_SLOT and info >> 16 & 0xFF != QUOTER_STRATEGY
        ordered = Ordered(
            0,
            DEVICE,
            f"{self._flow.run}-{device_id:012X}",
            self._stocks[symbol],
            Side(side),
            price,
            quantity,
            info >> 16 & 0xFF,
            IMMEDIATE_OR_CANCEL if taken else TIME_IN_FORCE_DAY,
        )
        self._flow.sent(self._oms.order(ordered, self._flow.desk.clock()), device_id, info >> 8 & 0xFF, stamp)

    def _replace(self, row: Row) -> None:
        order, _ = self._find(row[7])
        name, marking, stamp = self._flow.name(row[6]), row[13] >> 8 & 0xFF, row[4]
        asked = self._flow.replacing.pop(order.order_id, None)
        if asked is not None:
            self._note(Asked(order.order_id, What.SEND, asked, VENUE, name, marking=marking, stamp=stamp))
            return
        quantity, number = row[9] + order.traded, len(order.requests) + 1
        self._note(Asked(order.order_id, What.REPLACE, number, VENUE, name, row[8], quantity, marking, stamp))

    def _note(self, request: Asked) -> None:
        self._oms.note(request, self._flow.desk.clock())

    # -- what came in ----------------------------------------------------------------------------

    def _hear(
        self, order: Order, what: What, row: Row, *, number: int = 0, price: int = 0, quantity: int = 0, reason: int = 0,
        report_id: int | None = None,
    ) -> None:  # fmt: skip
        unique = self._flow.name(row[0]) if report_id is None else report_id
        self._flow.hear(Report(order.order_id, what, unique, VENUE, number, price, quantity, reason, row[4]))

    def _refused(self, row: Row) -> None:
        if row[13] & 0xFF == _NEW:
            order = self._oms.orders.get(row[12]) if row[12] else None
            if order is not None and order.sent is None and order.ordered.stock == self._stocks[row[3]]:
                self._hear(order, What.REFUSED, row, reason=row[7])
            return  # a quote that was not sent is no order
        order, _ = self._find(row[6])
        asked = self._flow.replacing.pop(order.order_id, None)
        if asked is not None:
            self._hear(order, What.REFUSED, row, number=asked, reason=row[7])

    def _accepted(self, row: Row) -> None:
        order, _ = self._find(row[6])
        self._hear(order, What.ACCEPTED, row, price=row[8], quantity=row[9] + order.traded)
        if row[13] & 0xFF == _DEAD:
            self._dead(order, row)

    def _replaced(self, row: Row) -> None:
        order, number = self._find(row[6])
        self._hear(order, What.REPLACED, row, number=number, price=row[8], quantity=row[9] + order.traded)
        if row[13] & 0xFF == _DEAD:
            self._dead(order, row)

    def _dead(self, order: Order, row: Row) -> None:
        """Accepted and gone in one message: no other one comes."""
        if order.open:
            gone = cancel_id(order.terms, 0)
            self._hear(
                order, What.CANCELLED, row, number=order.terms, price=row[8], quantity=order.open, reason=_DEAD, report_id=gone
            )

    def _executed(self, row: Row) -> None:
        order, _ = self._find(row[6])
        self._hear(order, What.EXECUTED, row, reason=row[13] & 0xFF, report_id=row[7], **_terms(order, row))

    def _cancelled(self, row: Row) -> None:
        order, _ = self._find(row[6])
        gone = cancel_id(order.terms, row[11])
        self._hear(order, What.CANCELLED, row, reason=row[13] & 0xFF, report_id=gone, **_terms(order, row))

    def _rejected(self, row: Row) -> None:
        order, number = self._find(row[6])
        reason = row[13] & 0xFF
        if row[13] >> 8 & 0xFF == _CANCEL_REJECT:
            cancels = [each.number for each in order.unanswered if each.what is What.CANCEL]
            number = cancels[-1] if cancels else len(order.requests) + 1  # of none that is known: kept as what it is
            self._hear(order, What.CANCEL_REJECTED, row, number=number, reason=reason)
        elif number:
            self._hear(order, What.REPLACE_REJECTED, row, number=number, reason=reason)
        else:
            self._hear(order, What.REJECTED, row, reason=reason)

    def _fault(self, row: Row) -> None:
        """An execution that became void. One that was corrected, or is of an order that is done, a person has to look at."""
        if row[13] == Fault.BROKEN_TRADE:
            order, _ = self._find(row[6])
            self._hear(order, What.BUSTED, row, report_id=row[7])
            self._flow.correct(order.ordered.stock)
        elif row[13] in (Fault.TRADE_CORRECTION, Fault.UNKNOWN_TOKEN):
            self._flow.strangers += 1
            log.error("%s of order %012X, value %d", Fault(row[13]).name.lower(), row[6], row[7])


def _terms(order: Order, row: Row) -> dict[str, int]:
    return {"number": order.terms, "price": row[8], "quantity": row[9]}
