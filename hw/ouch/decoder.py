"""The exchange's messages: fields out of the bytes of one packet."""

from amaranth.hdl import Cat, Const, Module, Mux, Signal
from amaranth.lib import wiring
from amaranth.lib.wiring import In, Out

from hw.ouch.message import Inbound
from wire import ouch42
from wire.soupbintcp import SERVER

PACKET_BYTES = 1 + max(record.length for record in ouch42.OUTBOUND.records)
TOKEN_PREFIX_BYTES, TOKEN_DIGITS = 2, 12

# Where the trader's fields come from, by OUCH type.
_FIELDS = {
    "shares": {"A": "shares", "U": "shares", "E": "executed_shares", "G": "executed_shares", "C": "decrement_shares",
               "D": "decrement_shares"},
    "price": {"A": "price", "U": "price", "E": "execution_price", "G": "execution_price"},
    "value": {"A": "order_reference", "U": "order_reference", "E": "match_number", "G": "match_number",
              "B": "match_number", "F": "match_number"},
    "info": {"A": "order_state", "U": "order_state", "E": "liquidity_flag", "G": "liquidity_flag", "C": "reason",
             "D": "reason", "J": "reason"},
}  # fmt: skip


class OuchDecoder(wiring.Component):
    """Fields of a SoupBinTCP packet from the exchange, and of the OUCH 4.2 message in it.

    Members
    -------
    packet : In(8 * PACKET_BYTES)
        The packet from its type on, first byte in bits 0..7. Bytes beyond ``length`` mean nothing.
    length : In(16)
        Its bytes. A packet may be longer than ``packet``.
    o : Out(Inbound)

    Latency 2 cycles, one packet per cycle.
    """

    def __init__(self):
        super().__init__({"packet": In(8 * PACKET_BYTES), "length": In(16), "o": Out(Inbound)})

    def elaborate(self, platform):
        m = Module()
        ouch = Signal(8 * (PACKET_BYTES - 1))
        code, type_, length = Signal(8), Signal(8), Signal(16)
        # Stage 1: the message stands still while its type is looked up.
        m.d.sync += [
            ouch.eq(self.packet[8:]),
            code.eq(Mux(self.length == 0, 0, self.packet[:8])),
            type_.eq(Mux(self.length < 2, 0, self.packet[8:16])),
            length.eq(self.length),
        ]
        known, fits = Signal(), Signal()
        m.d.comb += known.eq(Cat(code == each for each in SERVER.by_code).any() & (length != 0))
        with m.Switch(type_):
            for number, record in ouch42.OUTBOUND.by_code.items():
                with m.Case(number):
                    m.d.comb += fits.eq(length == 1 + record.length)

        sequenced = code == ord("S")
        token = ouch42.ACCEPTED.bits(ouch, "order_token")
        digits, valid = [], []
        for position in range(TOKEN_PREFIX_BYTES, TOKEN_PREFIX_BYTES + TOKEN_DIGITS):
            character = token.word_select(position, 8)
            decimal = (character >= ord("0")) & (character <= ord("9"))
            letter = (character >= ord("A")) & (character <= ord("F"))
            digits.append(Mux(decimal, character[:4], character[:4] + 9)[:4])
            valid.append(decimal | letter)
        token_valid = Cat(valid).all()
        o = self.o
        m.d.sync += [
            o.code.eq(code),
            o.reason.eq(type_),
            o.type.eq(Mux(sequenced, type_, 0)),
            o.malformed.eq(~known | (sequenced & ~fits)),
            o.token_prefix.eq(token[: 8 * TOKEN_PREFIX_BYTES]),
            o.token_valid.eq(token_valid),
            o.order_id.eq(Mux(token_valid, Cat(reversed(digits)), 0)),
        ]
        for name, sources in _FIELDS.items():
            field = getattr(o, name)
            with m.Switch(type_):
                for letter, source in sources.items():
                    with m.Case(ord(letter)):
                        m.d.sync += field.eq(ouch42.OUTBOUND.by_code[ord(letter)].bits(ouch, source))
                with m.Default():
                    m.d.sync += field.eq(Const(0, len(field)))
        return m
