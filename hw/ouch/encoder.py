"""Orders out as OUCH 4.2 or 5.0: enter, replace, cancel."""

from amaranth.hdl import Array, Cat, Const, Mux, Value
from amaranth.lib.data import View

from hw.ouch.message import Kind
from wire import appendage, ouch42, ouch50
from wire.records import (
    IMMEDIATE_OR_CANCEL,
    ORDER_ID_BITS,
    TIME_IN_FORCE_DAY,
    USER_REFERENCE_BITS,
    OuchVersion,
)

SIDES = "BST"
"""OUCH's side by ``hw.risk.gate.Marking``."""
CONSTANTS = {"display": "Y", "intermarket_sweep_eligibility": "N"}
ENTER_CONSTANTS = CONSTANTS | {"capacity": "P", "cross_type": "N"}


def text(character: str) -> Const:
    """One character as a byte."""
    return Const(ord(character), 8)


def token(prefix: Value, order_id: Value) -> Value:
    """Order token: prefix and the order id as upper-case hex digits, the first character in bits 0..7."""

    def digit(nibble: Value) -> Value:
        return Array(text(character) for character in "0123456789ABCDEF")[nibble]

    digits = [digit(order_id[low : low + 4]) for low in range(0, ORDER_ID_BITS, 4)]
    return Cat(prefix, *reversed(digits))


def time_in_force_letter(seconds: Value) -> Value:
    """OUCH 5.0's letter for a time in force of 4.2. What is longer than a day is for all hours of this one."""
    timed = Mux(seconds < appendage.EXPIRE_TIME_LIMIT, text(ouch50.UNTIL_TIME), text(ouch50.EXTENDED_HOURS))
    day = Mux(seconds == TIME_IN_FORCE_DAY, text(ouch50.DAY), timed)
    return Mux(seconds == IMMEDIATE_OR_CANCEL, text(ouch50.IMMEDIATE_OR_CANCEL), day)


def orders(order: View) -> dict[OuchVersion, dict[Kind, tuple[Value, Value | int]]]:
    """An order as NEW, REPLACE and CANCEL of both versions: the message, its first byte in bits 0..7, and how many bytes it has.
    Behind them are zeros.
    """
    side = Array(text(each) for each in SIDES)[order.marking]
    named = token(order.token_prefix, order.order_id)
    return {OuchVersion.V4_2: _orders_42(order, side, named), OuchVersion.V5_0: _orders_50(order, side, named)}


def _orders_42(order, side, named):
    enter = {
        "order_token": named,
        "side": side,
        "shares": order.shares,
        "stock": order.stock,
        "price": order.price,
        "time_in_force": order.time_in_force,
        "firm": order.firm,
        "customer_type": " ",
    }
    replace = {
        "existing_order_token": token(order.token_prefix, order.previous_id),
        "replacement_order_token": named,
        "shares": order.shares,
        "price": order.price,
        "time_in_force": order.time_in_force,
    }
    return {
        Kind.NEW: (ouch42.ENTER_ORDER.octets(enter | ENTER_CONSTANTS), ouch42.ENTER_ORDER.length),
        Kind.REPLACE: (ouch42.REPLACE_ORDER.octets(replace | CONSTANTS), ouch42.REPLACE_ORDER.length),
        Kind.CANCEL: (ouch42.CANCEL_ORDER.octets({"order_token": named}), ouch42.CANCEL_ORDER.length),
    }


def _orders_50(order, side, named):
    """An order has its firm as an option always, and when it expires if that is said in seconds."""
    reference, previous = order.order_id[:USER_REFERENCE_BITS], order.previous_id[:USER_REFERENCE_BITS]
    expires = order.time_in_force_letter == ord(ouch50.UNTIL_TIME)

    def option(name, value):
        return appendage.element(name).octets({"head": appendage.BY_NAME[name].head, "value": value})

    firm, expiry = option("firm", order.firm), option("expire_time", order.time_in_force)

    def message(record, values, *options):
        """With the options that are always there, and the one that is there if the order expires."""
        always, sometimes = sum(map(len, options)) // 8, len(expiry) // 8
        size = Mux(expires, always + sometimes, always)
        fixed = record.octets(values | {"appendage_length": size, "client_order_id": named})
        length = Mux(expires, record.length + always + sometimes, record.length + always)
        return Cat(fixed, *options, Mux(expires, expiry, 0)), length

    common = {
        "user_reference_number": reference,
        "quantity": order.shares,
        "price": order.price,
        "time_in_force": order.time_in_force_letter,
    }
    enter = common | ENTER_CONSTANTS | {"side": side, "symbol": order.stock}
    replace = common | CONSTANTS | {"original_user_reference_number": previous}
    cancel = ouch50.CANCEL_ORDER_REQUEST
    return {
        Kind.NEW: message(ouch50.ENTER_ORDER, enter, firm),
        Kind.REPLACE: message(ouch50.REPLACE_ORDER_REQUEST, replace),
        Kind.CANCEL: (cancel.octets({"user_reference_number": reference}), cancel.length),
    }
