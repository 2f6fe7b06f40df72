"""OUCH 4.2 and SoupBinTCP, outward: the packets that leave, one output each. Semantics section 9."""

from __future__ import annotations

from typing import Any

from engine.stage import stage
from engine.state import PACKET_LENGTH
from wire.ouch42 import CANCEL_ORDER, ENTER_ORDER, REPLACE_ORDER
from wire.records import LOGIN
from wire.soupbintcp import HEADER_LENGTH, LOGIN_REQUEST, write_header

UNSEQUENCED, LOGIN_TYPE, LOGOUT_TYPE, HEARTBEAT_TYPE = b"ULOR"
ENTER_LENGTH, REPLACE_LENGTH, CANCEL_LENGTH = ENTER_ORDER.length, REPLACE_ORDER.length, CANCEL_ORDER.length
LOGIN_PAYLOAD = LOGIN_REQUEST.length - 1
LOGIN_AT = LOGIN.offset("username")
if HEADER_LENGTH + max(ENTER_LENGTH, REPLACE_LENGTH, CANCEL_LENGTH, LOGIN_PAYLOAD) > PACKET_LENGTH:
    raise AssertionError(f"a packet is longer than {PACKET_LENGTH} bytes")
if LOGIN.offset("sequence") + 20 - LOGIN_AT != LOGIN_PAYLOAD:
    raise AssertionError("LOGIN has the fields of a Login Request in their order")

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

ENTER, REPLACE, CANCEL = b"OUX"
DISPLAY, CAPACITY, SWEEP, CROSS, CUSTOMER = b"YPNN "


@stage
def open_packet(core: Any, out: Any, code: int, payload_length: int) -> int:
    """A new output with a SoupBinTCP packet of this type and length; where its payload begins in ``out.payload``."""
    output = out.outputs[out.output_count]
    output.timestamp = core.stamp
    output.cause = core.cause
    output.offset = out.payload_length
    output.length = HEADER_LENGTH + payload_length
    output.reserved = 0
    at = write_header(out.payload, out.payload_length, code, payload_length)
    out.output_count += 1
    out.payload_length = at + payload_length
    return at


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


@stage
def write_login(core: Any, out: Any, buffer: Any, command_at: int) -> None:
    """Login Request with the fields of a LOGIN command as they are."""
    at = open_packet(core, out, LOGIN_TYPE, LOGIN_PAYLOAD)
    for position in range(LOGIN_PAYLOAD):
        out.payload[at + position] = buffer[command_at + LOGIN_AT + position]


@stage
def write_plain(core: Any, out: Any, code: int) -> None:
    """A packet without payload: Logout Request or Client Heartbeat."""
    open_packet(core, out, code, 0)
