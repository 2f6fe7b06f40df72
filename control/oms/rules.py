"""Statuses of an order, and what may happen in each.

After the order state changes of FIX 4.4, volume 4, appendix D. Two kinds of things happen to an order. A *request* is ours: one
that is not allowed in the order's status is refused before anything is written. A *report* is the exchange's: it is a fact
whatever we think of it. One that does not belong to the status is kept, counted, and told as a violation.
"""

from __future__ import annotations

from enum import IntEnum, StrEnum


class Status(StrEnum):
    """Status of an order."""

    NEW = "new"
    PENDING_NEW = "pending new"
    LIVE = "live"
    PARTIALLY_FILLED = "partially filled"
    FILLED = "filled"
    PENDING_CANCEL = "pending cancel"
    PENDING_REPLACE = "pending replace"
    CANCELLED = "cancelled"
    REJECTED = "rejected"

    @property
    def is_final(self) -> bool:
        """Nothing of the order is open any more."""
        return self in (Status.FILLED, Status.CANCELLED, Status.REJECTED)


class What(IntEnum):
    """What happens to an order; those up to ``REPLACE`` are requests."""

    SEND = 1
    CANCEL = 2
    REPLACE = 3
    REFUSED = 4  # by the risk gate, or nobody was there to take it
    ACCEPTED = 5
    EXECUTED = 6
    BUSTED = 7
    CANCELLED = 8
    REPLACED = 9
    REJECTED = 10
    CANCEL_REJECTED = 11
    REPLACE_REJECTED = 12

    @property
    def is_request(self) -> bool:
        """It is ours, not the exchange's."""
        return self <= What.REPLACE


_OPEN = {What.EXECUTED, What.BUSTED, What.CANCELLED}
# An answer to a request that crossed what ended it.
_CROSSED = {What.CANCEL_REJECTED, What.REPLACE_REJECTED}

ALLOWED: dict[Status, frozenset[What]] = {
    Status.NEW: frozenset({What.SEND, What.CANCEL, What.REFUSED}),
    Status.PENDING_NEW: frozenset({What.CANCEL, What.REFUSED, What.ACCEPTED, What.REJECTED, *_OPEN}),
    Status.LIVE: frozenset({What.CANCEL, What.REPLACE, What.ACCEPTED, *_OPEN, *_CROSSED}),
    Status.PARTIALLY_FILLED: frozenset({What.CANCEL, What.REPLACE, What.ACCEPTED, *_OPEN, *_CROSSED}),
    Status.PENDING_CANCEL: frozenset(
        {What.ACCEPTED, What.REJECTED, What.REFUSED, What.CANCEL_REJECTED, What.REPLACED, What.REPLACE_REJECTED, *_OPEN}
    ),
    Status.PENDING_REPLACE: frozenset(
        {What.CANCEL, What.ACCEPTED, What.REFUSED, What.REPLACED, What.REPLACE_REJECTED, What.CANCEL_REJECTED, *_OPEN}
    ),
    # What was on its way when the order ended.
    Status.FILLED: frozenset({What.ACCEPTED, What.EXECUTED, What.BUSTED, What.REPLACED, *_CROSSED}),
    Status.CANCELLED: frozenset({What.ACCEPTED, What.EXECUTED, What.BUSTED, What.REPLACED, *_CROSSED}),
    Status.REJECTED: frozenset(),
}
"""What belongs to each status. A replace that was confirmed may open a filled order again."""
