"""The order management system: every order of the firm, what was asked of it and what the exchange said of it.

``order`` is one order as facts and what follows from them, ``rules`` which request and which report belongs to which status,
``entries`` how both lie in the journal, ``oms`` the whole: journal first, then the state, rebuilt from the journal at a start.
``flow`` takes orders to the device and its ``events`` back, ``reconcile`` compares with the exchange's own account.
"""

from control.oms.entries import Asked, Ordered, Report
from control.oms.oms import (
    DuplicateOrderError,
    IllegalRequestError,
    Oms,
    OmsError,
    OverAllocationError,
    UnknownOrderError,
    Violation,
)
from control.oms.order import Order
from control.oms.rules import Status, What

__all__ = [
    "Asked",
    "DuplicateOrderError",
    "IllegalRequestError",
    "Oms",
    "OmsError",
    "Order",
    "Ordered",
    "OverAllocationError",
    "Report",
    "Status",
    "UnknownOrderError",
    "Violation",
    "What",
]
