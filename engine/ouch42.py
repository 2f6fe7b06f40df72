"""OUCH 4.2: our orders as its messages, and the fields of what the exchange says. Semantics sections 9 and 10."""

from __future__ import annotations

from typing import Any

from engine.soupbin import UNSEQUENCED, open_packet
from engine.stage import stage
from engine.unsigned import word
from wire.ouch42 import (
    ACCEPTED,
    AIQ_CANCELLED,
    BROKEN_TRADE,
    CANCEL_ORDER,
    CANCELED,
    ENTER_ORDER,
    EXECUTED,
    EXECUTED_WITH_REFERENCE_PRICE,
    OUTBOUND,
    REJECTED,
    REPLACE_ORDER,
    REPLACED,
    TRADE_CORRECTION,
)

ENTER_LENGTH, REPLACE_LENGTH, CANCEL_LENGTH = ENTER_ORDER.length, REPLACE_ORDER.length, CANCEL_ORDER.length
ENTER, REPLACE, CANCEL = b"OUX"
DISPLAY, CAPACITY, SWEEP, CROSS, CUSTOMER = b"YPNN "
TOKEN_PREFIX, TOKEN_DIGITS = 2, 12

_enter_type = ENTER_ORDER.writer("type")
_enter_side = ENTER_ORDER.writer("side")
_enter_shares = ENTER_ORDER.writer("shares")
_enter_stock = ENTER_ORDER.writer("stock")
_enter_price = ENTER_ORDER.writer("price")
_enter_time_in_force = ENTER_ORDER.writer("time_in_force")
_enter_firm = ENTER_ORDER.writer("firm")
_enter_display = ENTER_ORDER.writer("display")
_enter_capacity = ENTER_ORDER.writer("capacity")
_enter_sweep = ENTER_ORDER.writer("intermarket_sweep_eligibility")
_enter_minimum = ENTER_ORDER.writer("minimum_quantity")
_enter_cross = ENTER_ORDER.writer("cross_type")
_enter_customer = ENTER_ORDER.writer("customer_type")
_replace_type = REPLACE_ORDER.writer("type")
_replace_shares = REPLACE_ORDER.writer("shares")
_replace_price = REPLACE_ORDER.writer("price")
_replace_time_in_force = REPLACE_ORDER.writer("time_in_force")
_replace_display = REPLACE_ORDER.writer("display")
_replace_sweep = REPLACE_ORDER.writer("intermarket_sweep_eligibility")
_replace_minimum = REPLACE_ORDER.writer("minimum_quantity")
_cancel_type = CANCEL_ORDER.writer("type")
_cancel_shares = CANCEL_ORDER.writer("shares")
ENTER_TOKEN = ENTER_ORDER.offset("order_token")
REPLACE_EXISTING = REPLACE_ORDER.offset("existing_order_token")
REPLACE_REPLACEMENT = REPLACE_ORDER.offset("replacement_order_token")
CANCEL_TOKEN = CANCEL_ORDER.offset("order_token")


# -- out -------------------------------------------------------------------------------------------


@stage
def write_token(core: Any, payload: Any, at: int, order_id: int) -> None:
    """The order token: prefix and 12 upper-case hex digits of the id."""
    payload[at] = core.token_prefix >> 8
    payload[at + 1] = core.token_prefix & 0xFF
    for digit in range(TOKEN_DIGITS):
        value = order_id >> (4 * (TOKEN_DIGITS - 1 - digit)) & 15
        payload[at + TOKEN_PREFIX + digit] = value + (48 if value < 10 else 55)


@stage
def write_enter(core: Any, out: Any, symbol: Any, slot: Any) -> None:
    """Enter Order for a slot."""
    payload = out.payload
    at = open_packet(core, out, UNSEQUENCED, ENTER_LENGTH)
    _enter_type(payload, at, ENTER)
    write_token(core, payload, at + ENTER_TOKEN, slot.id)
    _enter_side(payload, at, slot.marking)
    _enter_shares(payload, at, slot.remaining)
    _enter_stock(payload, at, symbol.stock)
    _enter_price(payload, at, slot.price)
    _enter_time_in_force(payload, at, slot.time_in_force)
    _enter_firm(payload, at, core.firm)
    _enter_display(payload, at, DISPLAY)
    _enter_capacity(payload, at, CAPACITY)
    _enter_sweep(payload, at, SWEEP)
    _enter_minimum(payload, at, 0)
    _enter_cross(payload, at, CROSS)
    _enter_customer(payload, at, CUSTOMER)


@stage
def write_replace(core: Any, out: Any, slot: Any) -> None:
    """Replace Order for a slot, by its pending id, price and shares."""
    payload = out.payload
    at = open_packet(core, out, UNSEQUENCED, REPLACE_LENGTH)
    _replace_type(payload, at, REPLACE)
    write_token(core, payload, at + REPLACE_EXISTING, slot.id)
    write_token(core, payload, at + REPLACE_REPLACEMENT, slot.pending_id)
    _replace_shares(payload, at, slot.pending_shares)
    _replace_price(payload, at, slot.pending_price)
    _replace_time_in_force(payload, at, slot.time_in_force)
    _replace_display(payload, at, DISPLAY)
    _replace_sweep(payload, at, SWEEP)
    _replace_minimum(payload, at, 0)


@stage
def write_cancel(core: Any, out: Any, slot: Any) -> None:
    """Cancel Order for all that a slot has."""
    payload = out.payload
    at = open_packet(core, out, UNSEQUENCED, CANCEL_LENGTH)
    _cancel_type(payload, at, CANCEL)
    write_token(core, payload, at + CANCEL_TOKEN, slot.id)
    _cancel_shares(payload, at, 0)


# -- in --------------------------------------------------------------------------------------------

_A, _U, _E, _G, _C, _D, _J, _B, _F = b"AUEGCDJBF"
LENGTHS = OUTBOUND.lengths


def _same_offset(name: str, *records: Any) -> int:
    (offset,) = {record.offset(name) for record in records}
    return offset


TOKEN_AT = _same_offset("order_token", *(r for r in OUTBOUND.records if r not in (REPLACED, OUTBOUND.records[0])))
if REPLACED.offset("replacement_order_token") != TOKEN_AT:
    raise AssertionError("Replaced has its token where all others have theirs")

_confirmed_shares = ACCEPTED.reader("shares")
_confirmed_price = ACCEPTED.reader("price")
_confirmed_reference = ACCEPTED.reader("order_reference")
_confirmed_state = ACCEPTED.reader("order_state")
for _name in ("shares", "price", "order_reference", "order_state"):
    _same_offset(_name, ACCEPTED, REPLACED)
_executed_shares = EXECUTED.reader("executed_shares")
_execution_price = EXECUTED.reader("execution_price")
_liquidity_flag = EXECUTED.reader("liquidity_flag")
_match_number = EXECUTED.reader("match_number")
for _name in ("executed_shares", "execution_price", "liquidity_flag", "match_number"):
    _same_offset(_name, EXECUTED, EXECUTED_WITH_REFERENCE_PRICE)
_decrement_shares = CANCELED.reader("decrement_shares")
_cancel_reason = CANCELED.reader("reason")
for _name in ("decrement_shares", "reason"):
    _same_offset(_name, CANCELED, AIQ_CANCELLED)
_reject_reason = REJECTED.reader("reason")
_broken_match = BROKEN_TRADE.reader("match_number")
_corrected_match = TRADE_CORRECTION.reader("match_number")


@stage
def is_whole(stream: Any, at: int, length: int) -> bool:
    """Whether so many bytes are a message."""
    return length > 0 and LENGTHS[stream[at]] == length


@stage
def order_id(core: Any, stream: Any, at: int) -> tuple[int, bool]:
    """The id in the order token, 0 if its last 12 characters are not upper-case hex digits; whether it can be ours."""
    at += TOKEN_AT
    prefix = word(stream[at]) << 8 | word(stream[at + 1])
    found = 0
    for position in range(at + TOKEN_PREFIX, at + TOKEN_PREFIX + TOKEN_DIGITS):
        digit = word(stream[position])
        if 48 <= digit <= 57:
            digit -= 48
        elif 65 <= digit <= 70:
            digit -= 55
        else:
            return 0, False
        found = found << 4 | digit
    return found, prefix == core.token_prefix


@stage
def fields(stream: Any, at: int) -> tuple[int, int, int, int]:
    """Shares, price, value (order reference or match number) and info (order state, liquidity flag or reason)."""
    code = word(stream[at])
    if code == _A or code == _U:
        shares, price = _confirmed_shares(stream, at), _confirmed_price(stream, at)
        return shares, price, word(_confirmed_reference(stream, at)), _confirmed_state(stream, at)
    if code == _E or code == _G:
        shares, price = _executed_shares(stream, at), _execution_price(stream, at)
        return shares, price, word(_match_number(stream, at)), _liquidity_flag(stream, at)
    if code == _C or code == _D:
        return _decrement_shares(stream, at), 0, 0, _cancel_reason(stream, at)
    if code == _J:
        return 0, 0, 0, _reject_reason(stream, at)
    if code == _B:
        return 0, 0, word(_broken_match(stream, at)), 0
    if code == _F:
        return 0, 0, word(_corrected_match(stream, at)), 0
    return 0, 0, 0, 0
