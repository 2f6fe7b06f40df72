"""What the venue says in OUCH 5.0. Accepted and Replaced have the firm in their appendage."""

from __future__ import annotations

from typing import Any

import numpy as np

from sim.venue.packets import LIVE, copy, message
from sim.venue.requests import DAY, EXTENDED, IMMEDIATE, UNTIL
from sim.venue.state import (
    CLIENT_LENGTH,
    ENTER_LENGTH,
    FIRM_LENGTH,
    TEXT_LENGTH,
    TOKEN_AT,
    Mine,
    Now,
)
from wire import ouch42, ouch50
from wire.appendage import BY_NAME, element
from wire.compiled import inner
from wire.records import IMMEDIATE_OR_CANCEL, TIME_IN_FORCE_DAY, TIME_IN_FORCE_SYSTEM

_ENTER = ouch42.ENTER_ORDER
_ACCEPTED, _REPLACED, _EXECUTED = ouch50.ORDER_ACCEPTED, ouch50.ORDER_REPLACED, ouch50.ORDER_EXECUTED
_CANCELED, _REJECTED, _MODIFIED = ouch50.ORDER_CANCELED, ouch50.REJECTED, ouch50.ORDER_MODIFIED
ACCEPTED_LENGTH, REPLACED_LENGTH, EXECUTED_LENGTH = _ACCEPTED.length, _REPLACED.length, _EXECUTED.length
CANCELED_LENGTH, REJECTED_LENGTH, MODIFIED_LENGTH = _CANCELED.length, _REJECTED.length, _MODIFIED.length
ACCOUNT_LENGTH = ouch50.ACCOUNT_QUERY_RESPONSE.length

# Appendix D, by the letter that OUCH 4.2 has for it; what is not there is Other
OTHER = 0x000F
REASONS = np.full(256, OTHER, np.int64)
for _letter, _number in {"C": 0x0002, "D": 0x0003, "H": 0x0007, "N": 0x000D, "Z": 0x0013, "S": 0x0017, "X": 0x001D}.items():
    REASONS[ord(_letter)] = _number

REFERENCE_LENGTH = _ACCEPTED["user_reference_number"].width
_FROM_CLIENT = ENTER_LENGTH
_TO_REFERENCE, _TO_CLIENT = _ACCEPTED.offset("user_reference_number"), _ACCEPTED.offset("client_order_id")
# Replaced has one number more than Accepted, before all others; the rest of both is the same.
SHIFT = _REPLACED.offset("user_reference_number") - _TO_REFERENCE
if any(_REPLACED.offset(f.name) != f.offset + SHIFT for f in _ACCEPTED.fields if f.offset >= _TO_REFERENCE):
    raise AssertionError("Replaced does not end as Accepted does")
if {r.offset("user_reference_number") for r in (_CANCELED, _EXECUTED, _REJECTED, _MODIFIED)} != {_TO_REFERENCE}:
    raise AssertionError("the UserRefNum does not stand at the same place in all messages")

_text_price, _text_time_in_force = _ENTER.reader("price"), _ENTER.reader("time_in_force")
_quantity = _ACCEPTED.writer("quantity")
_price = _ACCEPTED.writer("price")
_time_in_force = _ACCEPTED.writer("time_in_force")
_reference = _ACCEPTED.writer("order_reference")
_state = _ACCEPTED.writer("order_state")
_appendage = _ACCEPTED.writer("appendage_length")
_firm_head, FIRM_HEAD = element("firm").writer("head"), BY_NAME["firm"].head
_FIRM_AT = element("firm").offset("value")
# What Accepted repeats of Enter Order as it is: (from, to, bytes)
_SAME = tuple(
    (_ENTER.offset(old), _ACCEPTED.offset(new), _ENTER[old].width)
    for old, new in (
        ("side", "side"),
        ("stock", "symbol"),
        ("display", "display"),
        ("capacity", "capacity"),
        ("intermarket_sweep_eligibility", "intermarket_sweep_eligibility"),
        ("cross_type", "cross_type"),
    )
)
_FROM_FIRM, _FIRM_WIDTH = _ENTER.offset("firm"), _ENTER["firm"].width
_decrement = _CANCELED.writer("quantity")
_cancel_reason = _CANCELED.writer("reason")
_executed_quantity = _EXECUTED.writer("quantity")
_executed_price = _EXECUTED.writer("price")
_liquidity = _EXECUTED.writer("liquidity_flag")
_match = _EXECUTED.writer("match_number")
_executed_appendage = _EXECUTED.writer("appendage_length")
_reject_reason, _TO_REJECTED_CLIENT = _REJECTED.writer("reason"), _REJECTED.offset("client_order_id")
_modified_side, _modified_quantity = _MODIFIED.writer("side"), _MODIFIED.writer("quantity")
_next_reference = ouch50.ACCOUNT_QUERY_RESPONSE.writer("next_user_reference_number")


@inner
def _message(wire: Any, now: Any, code: int, length: int, text: Any, begin: int) -> int:
    """Begins a message with the UserRefNum of the order at ``begin`` of ``text``."""
    at = message(wire, now, code, length)
    copy(text, begin + TOKEN_AT, wire.log, at + _TO_REFERENCE, REFERENCE_LENGTH)
    return at


@inner
def _letter(seconds: int) -> int:
    """The time in force that is meant by a number of seconds."""
    if seconds == IMMEDIATE_OR_CANCEL:
        return IMMEDIATE
    if seconds == TIME_IN_FORCE_DAY:
        return DAY
    return EXTENDED if seconds == TIME_IN_FORCE_SYSTEM else UNTIL


@inner
def in_book(wire: Any, now: Any, own: Any, mine: int, previous: int, shares: int) -> None:
    """Accepted, or Replaced if ``previous`` is not -1; ``shares`` are open now."""
    text, log = mine * TEXT_LENGTH, wire.log
    if previous < 0:
        at = message(wire, now, 65, ACCEPTED_LENGTH + FIRM_LENGTH)
    else:
        at = _message(wire, now, 85, REPLACED_LENGTH + FIRM_LENGTH, own.text, previous * TEXT_LENGTH) + SHIFT
    copy(own.text, text + TOKEN_AT, log, at + _TO_REFERENCE, REFERENCE_LENGTH)
    for begin, to, length in _SAME:
        copy(own.text, text + begin, log, at + to, length)
    _quantity(log, at, shares)
    _price(log, at, _text_price(own.text, text))
    _time_in_force(log, at, _letter(_text_time_in_force(own.text, text)))
    _reference(log, at, own.orders[mine, Mine.REFERENCE])
    _state(log, at, LIVE)
    copy(own.text, text + _FROM_CLIENT, log, at + _TO_CLIENT, CLIENT_LENGTH)
    _appendage(log, at, FIRM_LENGTH)
    _firm_head(log, at + ACCEPTED_LENGTH, FIRM_HEAD)
    copy(own.text, text + _FROM_FIRM, log, at + ACCEPTED_LENGTH + _FIRM_AT, _FIRM_WIDTH)


@inner
def canceled(wire: Any, now: Any, own: Any, mine: int, shares: int, reason: int) -> None:
    """Canceled: so many shares less."""
    at = _message(wire, now, 67, CANCELED_LENGTH, own.text, mine * TEXT_LENGTH)
    _decrement(wire.log, at, shares)
    _cancel_reason(wire.log, at, reason)


@inner
def executed(wire: Any, now: Any, own: Any, mine: int, price: int, shares: int, flag: int) -> None:
    """Executed."""
    at = _message(wire, now, 69, EXECUTED_LENGTH, own.text, mine * TEXT_LENGTH)
    _executed_quantity(wire.log, at, shares)
    _executed_price(wire.log, at, price)
    _liquidity(wire.log, at, flag)
    _match(wire.log, at, now[Now.MATCH])
    _executed_appendage(wire.log, at, 0)


@inner
def rejected(wire: Any, now: Any, reason: int) -> None:
    """Rejected, the message at hand, for a reason of OUCH 4.2."""
    at = _message(wire, now, 74, REJECTED_LENGTH, wire.message, 0)
    _reject_reason(wire.log, at, REASONS[reason])
    copy(wire.message, _FROM_CLIENT, wire.log, at + _TO_REJECTED_CLIENT, CLIENT_LENGTH)


@inner
def modified(wire: Any, now: Any, own: Any, mine: int, side: int, shares: int) -> None:
    """Order Modified."""
    at = _message(wire, now, 77, MODIFIED_LENGTH, own.text, mine * TEXT_LENGTH)
    _modified_side(wire.log, at, side)
    _modified_quantity(wire.log, at, shares)


@inner
def account(wire: Any, now: Any) -> None:
    """Account Query Response."""
    at = message(wire, now, 81, ACCOUNT_LENGTH)
    _next_reference(wire.log, at, now[Now.LAST_USER_REFERENCE] + 1)
