"""Orders out as OUCH 4.2 or 5.0: enter, replace, cancel."""

from amaranth.hdl import Array, Cat, Const, Module, Mux, Value
from amaranth.lib import wiring
from amaranth.lib.wiring import In, Out

from hw.ouch.message import Kind, OrderFields
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


class OuchEncoder(wiring.Component):
    """The bytes of an order message.

    Members
    -------
    ouch : In(OuchVersion)
    kind : In(Kind)
        NEW, REPLACE or CANCEL.
    order : In(OrderFields)
    o : Out
        The message, first byte in bits 0..7, and behind it zeros.
    length : Out
        Its bytes.

    Combinational: four levels of logic.
    """

    LONGEST = ouch50.ENTER_ORDER.length + sum(appendage.element(name).length for name in ("firm", "expire_time"))

    def __init__(self):
        super().__init__(
            {
                "ouch": In(OuchVersion),
                "kind": In(Kind),
                "order": In(OrderFields),
                "o": Out(8 * self.LONGEST),
                "length": Out(range(self.LONGEST + 1)),
            }
        )

    def elaborate(self, platform):
        m = Module()
        side = Array(text(each) for each in SIDES)[self.order.marking]
        named = token(self.order.token_prefix, self.order.order_id)
        versions = {OuchVersion.V4_2: self._messages_42(side, named), OuchVersion.V5_0: self._messages_50(side, named)}
        with m.Switch(self.ouch):
            for version, messages in versions.items():
                with m.Case(version), m.Switch(self.kind):
                    for kind, (octets, length) in messages.items():
                        with m.Case(kind):
                            m.d.comb += [self.o.eq(octets), self.length.eq(length)]
        return m

    def _messages_42(self, side, named):
        """Message and length by kind."""
        order = self.order
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

    def _messages_50(self, side, named):
        """The same. An order has its firm as an option always, and when it expires if that is said in seconds."""
        order = self.order
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
