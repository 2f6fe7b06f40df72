"""The exchange's messages: fields out of the bytes of one packet."""

from amaranth.hdl import Cat, Module, Mux, Signal
from amaranth.lib import wiring
from amaranth.lib.wiring import In, Out

from hw.one_hot import select
from hw.ouch.message import Inbound
from wire import ouch42, ouch50
from wire.appendage import has_appendage
from wire.records import OuchVersion
from wire.soupbintcp import SERVER

FAMILIES = {OuchVersion.V4_2: ouch42.OUTBOUND, OuchVersion.V5_0: ouch50.OUTBOUND}
PACKET_BYTES = 1 + max(record.length for family in FAMILIES.values() for record in family.records)
PRICE_BITS = 32
TOKEN_PREFIX_BYTES, TOKEN_DIGITS = 2, 12

# Where the trader's fields come from, by OUCH type.
_FIELDS = {
    OuchVersion.V4_2: {
        "shares": {"A": "shares", "U": "shares", "E": "executed_shares", "G": "executed_shares",
                   "C": "decrement_shares", "D": "decrement_shares"},
        "price": {"A": "price", "U": "price", "E": "execution_price", "G": "execution_price"},
        "value": {"A": "order_reference", "U": "order_reference", "E": "match_number", "G": "match_number",
                  "B": "match_number", "F": "match_number"},
        "info": {"A": "order_state", "U": "order_state", "E": "liquidity_flag", "G": "liquidity_flag", "C": "reason",
                 "D": "reason", "J": "reason"},
    },
    OuchVersion.V5_0: {
        "shares": {"A": "quantity", "U": "quantity", "E": "quantity", "C": "quantity", "D": "decrement_shares"},
        "price": {"A": "price", "U": "price", "E": "price"},
        "value": {"A": "order_reference", "U": "order_reference", "E": "match_number", "B": "match_number"},
        "info": {"A": "order_state", "U": "order_state", "E": "liquidity_flag", "C": "reason", "D": "reason",
                 "J": "reason"},
    },
}  # fmt: skip


def _type(version, code):
    """Type and version as one number."""
    return version << 8 | ord(code)


def _places(name):
    """Where a field may stand: a record, its field's name, and the types of all messages that have it there."""
    places = {}
    for version, fields in _FIELDS.items():
        for code, source in fields[name].items():
            record = FAMILIES[version].by_code[ord(code)]
            _, _, types = places.setdefault((record[source].offset, record[source].width), (record, source, []))
            types.append(_type(version, code))
    return list(places.values())


class OuchDecoder(wiring.Component):
    """Fields of a SoupBinTCP packet from the exchange, and of the OUCH message in it.

    Members
    -------
    ouch : In(OuchVersion)
        What the message is read as.
    packet : In(8 * PACKET_BYTES)
        The packet from its type on, first byte in bits 0..7. Bytes beyond ``length`` mean nothing.
    length : In(16)
        Its bytes. A packet may be longer than ``packet``.
    o : Out(Inbound)

    Latency 2 cycles, one packet per cycle.
    """

    def __init__(self):
        super().__init__(
            {"ouch": In(OuchVersion), "packet": In(8 * PACKET_BYTES), "length": In(16), "o": Out(Inbound)}
        )

    def elaborate(self, platform):
        m = Module()
        ouch = Signal(8 * (PACKET_BYTES - 1))
        code, type_, empty = Signal(8), Signal(8), Signal()
        # Stage 1: the message stands still while its type is looked up.
        coming = Signal(8)
        m.d.comb += coming.eq(Mux(self.length < 2, 0, self.packet[8:16]))
        m.d.sync += [
            ouch.eq(self.packet[8:]),
            code.eq(Mux(self.length == 0, 0, self.packet[:8])),
            type_.eq(coming),
            empty.eq(self.length == 0),
        ]
        fits = self._measure(m)
        known = Cat(code == each for each in SERVER.by_code).any() & ~empty
        sequenced = code == ord("S")
        o = self.o
        m.d.sync += [
            o.code.eq(code),
            o.reason.eq(type_),
            o.type.eq(Mux(sequenced, type_, 0)),
            o.malformed.eq(~known | (sequenced & ~fits)),
        ]
        self._name(m, type_, ouch)
        for name in _FIELDS[OuchVersion.V4_2]:
            places = _places(name)
            at = Signal(len(places), name=f"{name}_at")
            m.d.sync += [
                at.eq(Cat(Cat(Cat(coming, self.ouch) == each for each in types).any() for _, _, types in places)),
                getattr(o, name).eq(select(at, (record.bits(ouch, source) for record, source, _ in places))),
            ]
        return m

    def _measure(self, m):
        """Whether the message is one, by its length and, in OUCH 5.0, that of its appendage and the size of its price."""
        known, beyond = Signal(), Signal()
        spare, options = Signal(17), Signal(16)  # spare: bytes behind the fixed part
        m.d.sync += [known.eq(0), beyond.eq(0), options.eq(0)]
        fixed = Signal(range(PACKET_BYTES))
        message = self.packet[8:]
        with m.Switch(Cat(message[:8], self.ouch)):
            for version, family in FAMILIES.items():
                for record in family.records:
                    with m.Case(_type(version, record.code)):
                        m.d.sync += known.eq(1)
                        m.d.comb += fixed.eq(record.length)
                        if has_appendage(record):
                            m.d.sync += options.eq(record.bits(message, "appendage_length"))
                        if version is OuchVersion.V5_0 and record.code in _FIELDS[version]["price"]:
                            m.d.sync += beyond.eq(record.bits(message, "price")[PRICE_BITS:].any())
        m.d.sync += spare.eq(self.length - 1 - fixed)
        return known & (spare == options) & ~beyond

    def _name(self, m, type_, ouch):
        """Which order the message is about."""
        o = self.o
        token = ouch42.ACCEPTED.bits(ouch, "order_token")
        digits, valid = [], []
        for position in range(TOKEN_PREFIX_BYTES, TOKEN_PREFIX_BYTES + TOKEN_DIGITS):
            character = token.word_select(position, 8)
            decimal = (character >= ord("0")) & (character <= ord("9"))
            letter = (character >= ord("A")) & (character <= ord("F"))
            digits.append(Mux(decimal, character[:4], character[:4] + 9)[:4])
            valid.append(decimal | letter)
        token_valid = Cat(valid).all()
        replaced, accepted = ouch50.ORDER_REPLACED, ouch50.ORDER_ACCEPTED
        reference = Mux(
            type_ == ord(replaced.code),
            replaced.bits(ouch, "user_reference_number"),
            accepted.bits(ouch, "user_reference_number"),
        )
        m.d.sync += o.token_prefix.eq(token[: 8 * TOKEN_PREFIX_BYTES])
        with m.If(self.ouch == OuchVersion.V5_0):
            m.d.sync += [o.token_valid.eq(1), o.order_id.eq(reference)]
        with m.Else():
            m.d.sync += [o.token_valid.eq(token_valid), o.order_id.eq(Mux(token_valid, Cat(reversed(digits)), 0))]
