"""Why the pre-trade risk gate refuses an order: the reasons, their order and their bit numbers.

The mask of a decision has the bit of *every* reason that failed. Gateware, engine, register map and reports take the
numbers from here. ``STATE_REASONS`` do not depend on the order: they are what also makes the quoter pull its quotes.
"""

from __future__ import annotations

from enum import IntEnum


class Reason(IntEnum):
    """Bit number of a reason. Boundaries: a value equal to its limit passes, one more fails."""

    KILL_GLOBAL = 0
    KILL_STRATEGY = 1
    KILL_SYMBOL = 2
    SYMBOL_DISABLED = 3
    SYMBOL_HALTED = 4
    BOOK_UNTRUSTED = 5
    STALE_MARKET_DATA = 6
    PRICE_COLLAR = 7
    MAX_QUANTITY = 8
    MAX_NOTIONAL = 9
    POSITION = 10
    GROSS_EXPOSURE = 11
    CREDIT = 12
    RATE_GLOBAL = 13
    RATE_SYMBOL = 14
    DUPLICATE_ORDER = 15
    REPETITION = 16
    SELF_TRADE = 17
    SHORT_SALE_RESTRICTION = 18
    LOCATE = 19
    MAX_OPEN_ORDERS = 20
    LOSS_LIMIT = 21
    SESSION_STATE = 22
    HOST_HEARTBEAT = 23
    INVALID_ORDER = 24
    SHORT_MARKING = 25

    @property
    def bit(self) -> int:
        """The reason's mask of one bit."""
        return 1 << self


REASON_COUNT = len(Reason)


def _mask(*reasons: Reason) -> int:
    return sum(r.bit for r in reasons)


KILL_REASONS = _mask(Reason.KILL_GLOBAL, Reason.KILL_STRATEGY, Reason.KILL_SYMBOL)
STATE_REASONS = KILL_REASONS | _mask(
    Reason.SYMBOL_DISABLED,
    Reason.SYMBOL_HALTED,
    Reason.BOOK_UNTRUSTED,
    Reason.STALE_MARKET_DATA,
    Reason.LOSS_LIMIT,
    Reason.SESSION_STATE,
    Reason.HOST_HEARTBEAT,
)
# What takes a host order off the market too, not only the quotes.
WITHDRAW_REASONS = KILL_REASONS | _mask(Reason.LOSS_LIMIT, Reason.HOST_HEARTBEAT)


def names(mask: int) -> list[str]:
    """The names of the reasons in a mask, lower case, in bit order."""
    return [r.name.lower() for r in Reason if mask & r.bit]
