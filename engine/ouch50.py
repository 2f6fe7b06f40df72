"""OUCH 5.0: our orders as its messages, and the fields of what the exchange says. Semantics sections 9 and 10.

A UserRefNum is the low 32 bits of an order id. The upper ones are 0: see :func:`engine.risk.session_mask`.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from engine.ouch42 import CAPACITY, CROSS, DISPLAY, SWEEP, write_token
from engine.soupbin import UNSEQUENCED, open_packet
from engine.stage import stage
from engine.unsigned import word
from wire import ouch50
from wire.appendage import BY_NAME, EXPIRE_TIME_LIMIT, element, has_appendage
from wire.buffers import reader
from wire.records import IMMEDIATE_OR_CANCEL, TIME_IN_FORCE_DAY

_ENTER, _REPLACE, _CANCEL = ouch50.ENTER_ORDER, ouch50.REPLACE_ORDER_REQUEST, ouch50.CANCEL_ORDER_REQUEST
_FIRM, _EXPIRY = element("firm"), element("expire_time")
FIRM_HEAD, EXPIRY_HEAD = BY_NAME["firm"].head, BY_NAME["expire_time"].head
FIRM_LENGTH, EXPIRY_LENGTH = _FIRM.length, _EXPIRY.length
ENTER_LENGTH, REPLACE_LENGTH, CANCEL_LENGTH = _ENTER.length, _REPLACE.length, _CANCEL.length
ENTER, REPLACE, CANCEL = b"OUX"
DAY, IMMEDIATE, EXTENDED, UNTIL = (
    ord(ouch50.DAY),
    ord(ouch50.IMMEDIATE_OR_CANCEL),
    ord(ouch50.EXTENDED_HOURS),
    ord(ouch50.UNTIL_TIME),
)

_enter_type = _ENTER.writer("type")
_enter_reference = _ENTER.writer("user_reference_number")
_enter_side = _ENTER.writer("side")
_enter_quantity = _ENTER.writer("quantity")
_enter_symbol = _ENTER.writer("symbol")
_enter_price = _ENTER.writer("price")
_enter_time_in_force = _ENTER.writer("time_in_force")
_enter_display = _ENTER.writer("display")
_enter_capacity = _ENTER.writer("capacity")
_enter_sweep = _ENTER.writer("intermarket_sweep_eligibility")
_enter_cross = _ENTER.writer("cross_type")
_enter_appendage = _ENTER.writer("appendage_length")
_replace_type = _REPLACE.writer("type")
_replace_original = _REPLACE.writer("original_user_reference_number")
_replace_reference = _REPLACE.writer("user_reference_number")
_replace_quantity = _REPLACE.writer("quantity")
_replace_price = _REPLACE.writer("price")
_replace_time_in_force = _REPLACE.writer("time_in_force")
_replace_display = _REPLACE.writer("display")
_replace_sweep = _REPLACE.writer("intermarket_sweep_eligibility")
_replace_appendage = _REPLACE.writer("appendage_length")
_cancel_type = _CANCEL.writer("type")
_cancel_reference = _CANCEL.writer("user_reference_number")
_cancel_quantity = _CANCEL.writer("quantity")
_firm_head, _firm_value = _FIRM.writer("head"), _FIRM.writer("value")
_expiry_head, _expiry_value = _EXPIRY.writer("head"), _EXPIRY.writer("value")
ENTER_CLIENT_ID, REPLACE_CLIENT_ID = _ENTER.offset("client_order_id"), _REPLACE.offset("client_order_id")


# -- out -------------------------------------------------------------------------------------------


@stage
def time_in_force(seconds: int) -> int:
    """The letter for a time in force of OUCH 4.2. What is longer than a day is for all hours of this one."""
    if seconds == IMMEDIATE_OR_CANCEL:
        return IMMEDIATE
    if seconds == TIME_IN_FORCE_DAY:
        return DAY
    return UNTIL if seconds < EXPIRE_TIME_LIMIT else EXTENDED


@stage
def _write_expiry(payload: Any, at: int, seconds: int) -> None:
    _expiry_head(payload, at, EXPIRY_HEAD)
    _expiry_value(payload, at, seconds)


@stage
def write_enter(core: Any, out: Any, symbol: Any, slot: Any) -> None:
    """Enter Order for a slot. The firm is always there, so that most of them have one length."""
    payload = out.payload
    good = time_in_force(slot.time_in_force)
    options = FIRM_LENGTH + (EXPIRY_LENGTH if good == UNTIL else 0)
    at = open_packet(core, out, UNSEQUENCED, ENTER_LENGTH + options)
    _enter_type(payload, at, ENTER)
    _enter_reference(payload, at, slot.id)
    _enter_side(payload, at, slot.marking)
    _enter_quantity(payload, at, slot.remaining)
    _enter_symbol(payload, at, symbol.stock)
    _enter_price(payload, at, slot.price)
    _enter_time_in_force(payload, at, good)
    _enter_display(payload, at, DISPLAY)
    _enter_capacity(payload, at, CAPACITY)
    _enter_sweep(payload, at, SWEEP)
    _enter_cross(payload, at, CROSS)
    write_token(core, payload, at + ENTER_CLIENT_ID, slot.id)
    _enter_appendage(payload, at, options)
    _firm_head(payload, at + ENTER_LENGTH, FIRM_HEAD)
    _firm_value(payload, at + ENTER_LENGTH, core.firm)
    if good == UNTIL:
        _write_expiry(payload, at + ENTER_LENGTH + FIRM_LENGTH, slot.time_in_force)


@stage
def write_replace(core: Any, out: Any, slot: Any) -> None:
    """Replace Order Request for a slot, by its pending id, price and shares."""
    payload = out.payload
    good = time_in_force(slot.time_in_force)
    options = EXPIRY_LENGTH if good == UNTIL else 0
    at = open_packet(core, out, UNSEQUENCED, REPLACE_LENGTH + options)
    _replace_type(payload, at, REPLACE)
    _replace_original(payload, at, slot.id)
    _replace_reference(payload, at, slot.pending_id)
    _replace_quantity(payload, at, slot.pending_shares)
    _replace_price(payload, at, slot.pending_price)
    _replace_time_in_force(payload, at, good)
    _replace_display(payload, at, DISPLAY)
    _replace_sweep(payload, at, SWEEP)
    write_token(core, payload, at + REPLACE_CLIENT_ID, slot.pending_id)
    _replace_appendage(payload, at, options)
    if good == UNTIL:
        _write_expiry(payload, at + REPLACE_LENGTH, slot.time_in_force)


@stage
def write_cancel(core: Any, out: Any, slot: Any) -> None:
    """Cancel Order Request for all that a slot has."""
    at = open_packet(core, out, UNSEQUENCED, CANCEL_LENGTH)
    _cancel_type(out.payload, at, CANCEL)
    _cancel_reference(out.payload, at, slot.id)
    _cancel_quantity(out.payload, at, 0)


# -- in --------------------------------------------------------------------------------------------

_A, _U, _E, _C, _D, _J, _B = b"AUECDJB"
_ACCEPTED, _REPLACED, _EXECUTED = ouch50.ORDER_ACCEPTED, ouch50.ORDER_REPLACED, ouch50.ORDER_EXECUTED
_CANCELED, _AIQ_CANCELED = ouch50.ORDER_CANCELED, ouch50.AIQ_CANCELED
LENGTHS = ouch50.OUTBOUND.lengths
HAS_APPENDAGE = np.zeros(256, np.bool_)
HAS_APPENDAGE[[code for code, record in ouch50.OUTBOUND.by_code.items() if has_appendage(record)]] = True

_appendage_length = reader(-2, 2, False, "big")  # the last field of a fixed part
_reference = _ACCEPTED.reader("user_reference_number")
_replaced_reference = _REPLACED.reader("user_reference_number")
_accepted_quantity = _ACCEPTED.reader("quantity")
_accepted_price = _ACCEPTED.reader("price")
_accepted_reference = _ACCEPTED.reader("order_reference")
_accepted_state = _ACCEPTED.reader("order_state")
_replaced_quantity = _REPLACED.reader("quantity")
_replaced_price = _REPLACED.reader("price")
_replaced_order_reference = _REPLACED.reader("order_reference")
_replaced_state = _REPLACED.reader("order_state")
_executed_quantity = _EXECUTED.reader("quantity")
_executed_price = _EXECUTED.reader("price")
_liquidity_flag = _EXECUTED.reader("liquidity_flag")
_match_number = _EXECUTED.reader("match_number")
_decrement = _CANCELED.reader("quantity")
_cancel_reason = _CANCELED.reader("reason")
if [_AIQ_CANCELED.offset(name) for name in ("decrement_shares", "reason")] != [
    _CANCELED.offset(name) for name in ("quantity", "reason")
]:
    raise AssertionError("AIQ Canceled has shares and reason where Canceled has them")
_reject_reason = ouch50.REJECTED.reader("reason")
_broken_match = ouch50.BROKEN_TRADE.reader("match_number")
MASK_32 = 0xFFFFFFFF


@stage
def is_whole(stream: Any, at: int, length: int) -> bool:
    """Whether so many bytes are a message, with a price, if it has one that matters, of 32 bits."""
    code = word(stream[at]) if length > 0 else 0
    fixed = word(LENGTHS[code])
    if fixed == 0 or length < fixed:
        return False
    options = _appendage_length(stream, at + fixed) if HAS_APPENDAGE[code] else 0
    _, price, _, _ = fields(stream, at)
    return length == fixed + options and 0 <= price <= MASK_32


@stage
def order_id(stream: Any, at: int) -> int:
    """The id that a UserRefNum stands for."""
    return _replaced_reference(stream, at) if stream[at] == _U else _reference(stream, at)


@stage
def fields(stream: Any, at: int) -> tuple[int, int, int, int]:
    """Shares, price, value (order reference or match number) and info (order state, liquidity flag or reason)."""
    code = word(stream[at])
    if code == _A:
        shares, price = _accepted_quantity(stream, at), word(_accepted_price(stream, at))
        return shares, price, word(_accepted_reference(stream, at)), _accepted_state(stream, at)
    if code == _U:
        shares, price = _replaced_quantity(stream, at), word(_replaced_price(stream, at))
        return shares, price, word(_replaced_order_reference(stream, at)), _replaced_state(stream, at)
    if code == _E:
        shares, price = _executed_quantity(stream, at), word(_executed_price(stream, at))
        return shares, price, word(_match_number(stream, at)), _liquidity_flag(stream, at)
    if code == _C or code == _D:
        return _decrement(stream, at), 0, 0, _cancel_reason(stream, at)
    if code == _J:
        return 0, 0, 0, _reject_reason(stream, at) & 0xFF
    if code == _B:
        return 0, 0, word(_broken_match(stream, at)), 0
    return 0, 0, 0, 0
