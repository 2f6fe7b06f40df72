"""OUCH 4.2 out: Enter Order, Replace Order, Cancel Order."""

from amaranth.hdl import Array, Cat, Const, Module, Value
from amaranth.lib import wiring
from amaranth.lib.wiring import In, Out

from hw.ouch.message import Kind, OrderFields
from wire.ouch42 import CANCEL_ORDER, ENTER_ORDER, REPLACE_ORDER
from wire.records import ORDER_ID_BITS

SIDES = "BST"
"""OUCH's side by ``hw.risk.gate.Marking``."""


def text(character: str) -> Const:
    """One character as a byte."""
    return Const(ord(character), 8)


def token(prefix: Value, order_id: Value) -> Value:
    """Order token: prefix and the order id as upper-case hex digits, the first character in bits 0..7."""

    def digit(nibble: Value) -> Value:
        return Array(text(character) for character in "0123456789ABCDEF")[nibble]

    digits = [digit(order_id[low : low + 4]) for low in range(0, ORDER_ID_BITS, 4)]
    return Cat(prefix, *reversed(digits))


class OuchEncoder(wiring.Component):
    """The bytes of an order message.

    Members
    -------
    kind : In(Kind)
        NEW, REPLACE or CANCEL.
    order : In(OrderFields)
    o : Out
        The message, first byte in bits 0..7; its length is that of the kind's record in ``wire.ouch42``.

    Combinational: three levels of logic.
    """

    def __init__(self):
        super().__init__({"kind": In(Kind), "order": In(OrderFields), "o": Out(8 * ENTER_ORDER.length)})

    def elaborate(self, platform):
        m = Module()
        order = self.order
        named = token(order.token_prefix, order.order_id)
        with m.Switch(self.kind):
            with m.Case(Kind.NEW):
                m.d.comb += self.o.eq(
                    ENTER_ORDER.octets(
                        {
                            "order_token": named,
                            "side": Array(text(each) for each in SIDES)[order.marking],
                            "shares": order.shares,
                            "stock": order.stock,
                            "price": order.price,
                            "time_in_force": order.time_in_force,
                            "firm": order.firm,
                            "display": "Y",
                            "capacity": "P",
                            "intermarket_sweep_eligibility": "N",
                            "cross_type": "N",
                            "customer_type": " ",
                        }
                    )
                )
            with m.Case(Kind.REPLACE):
                m.d.comb += self.o.eq(
                    REPLACE_ORDER.octets(
                        {
                            "existing_order_token": token(order.token_prefix, order.previous_id),
                            "replacement_order_token": named,
                            "shares": order.shares,
                            "price": order.price,
                            "time_in_force": order.time_in_force,
                            "display": "Y",
                            "intermarket_sweep_eligibility": "N",
                        }
                    )
                )
            with m.Case(Kind.CANCEL):
                m.d.comb += self.o.eq(CANCEL_ORDER.octets({"order_token": named, "shares": 0}))
        return m
