"""ITCH 5.0 messages, put together from the pieces that pass, and their fields."""

from amaranth.hdl import Cat, Module, Mux, Signal
from amaranth.lib import data, stream, wiring
from amaranth.lib.wiring import In, Out

from hw.moldudp64.blocks import Piece
from hw.net.datagram import octet
from hw.streams import BEAT_BYTES
from wire import itch
from wire.itch import ITCH
from wire.moldudp64 import MOST_MESSAGES
from wire.records import Side

LONGEST = max(record.length for record in ITCH.records)
WORDS = -(-LONGEST // BEAT_BYTES)
UNKNOWN, BAD_LENGTH = len(ITCH.records), len(ITCH.records) + 1
"""Indices behind those of the types: of an unknown type, or with a length that its type does not have."""

CODES = {"S": "event_code", "H": "trading_state", "Y": "reg_sho_action", "h": "market_code"}
FIELDS: dict[str, dict[str, str]] = {
    "reference": dict.fromkeys("AFECXD", "order_reference") | {"U": "original_order_reference"},
    "second": dict.fromkeys("ECP", "match_number") | {"U": "new_order_reference"},
    "quantity": dict.fromkeys("AFUP", "shares") | dict.fromkeys("EC", "executed_shares") | {"X": "cancelled_shares"},
    "price": dict.fromkeys("AFUP", "price") | {"C": "execution_price"},
    "code": CODES,
    "action": {"h": "operational_halt_action"},
}
"""Where the fields come from, type by type."""


class Stored(data.Struct):
    """A message as it is kept: 216 bits, six block RAMs of 512 places.

    ``index`` is the type's place in ``wire.itch.ITCH.records``, UNKNOWN or BAD_LENGTH; then nothing else means anything.
    ``second`` is the new reference of U and the match number of E, C and P; ``price`` is the execution price of C and in S,
    H, Y and h has ``code`` and ``action`` in its low bytes. What a type does not have is 0, its side NONE.
    """

    index: 5
    printable: 1
    side: Side
    stock_locate: 16
    reference: 64
    second: 64
    quantity: 32
    price: 32


class Collector(wiring.Component):
    """Takes the fields out of messages.

    Members
    -------
    i : In(stream of Piece)
    o : Out(stream of Stored)
        Each message, two cycles behind the piece in which it ends; but for those behind MOST_MESSAGES in a packet.
    number : Out
        Its number in the packet, from 0 on.

    A message per cycle, were there so many.
    """

    i: In(stream.Signature(Piece, always_ready=True))
    o: Out(stream.Signature(Stored, always_ready=True))
    number: Out(7)

    def elaborate(self, platform):
        m = Module()
        piece = self.i.payload
        octets = [[Signal(8, name=f"octet_{BEAT_BYTES * w + n}") for n in range(BEAT_BYTES)] for w in range(WORDS)]

        def turned(beat, phase):
            """The bytes of a beat from lane ``phase`` on, then those before it; by one, two and four lanes."""
            for n, bit in enumerate(phase):
                beat = Mux(bit, beat.rotate_right(8 << n), beat)
            return [octet(beat, n) for n in range(BEAT_BYTES)]

        body = turned(piece.data, piece.phase)
        # The first bytes of a message are put in a cycle later, when its other bytes come: those of the one before are still
        # being read.
        head, head_beat, head_phase = Signal(), Signal(64), Signal(3)
        m.d.sync += [
            head.eq(self.i.valid & piece.head),
            head_beat.eq(piece.data),
            head_phase.eq(piece.next_phase),
        ]
        first = turned(head_beat, head_phase)
        for w in range(WORDS):
            for n in range(BEAT_BYTES):
                # Lanes from ``phase`` on are of this word, those before it of the word before.
                this_word = Mux(piece.phase + n < BEAT_BYTES, piece.word == w, piece.word == w + 1)
                with m.If(self.i.valid & piece.inside & this_word):
                    m.d.sync += octets[w][n].eq(body[n])
                if w == 0:
                    with m.If(head & (head_phase + n < BEAT_BYTES)):
                        m.d.sync += octets[w][n].eq(first[n])

        # -- fields -----------------------------------------------------------------------------------------
        message = Cat(octets)
        ended, length, number = Signal(), Signal(11), Signal(7)
        m.d.sync += [ended.eq(self.i.valid & piece.ends), length.eq(piece.length), number.eq(piece.number)]
        found, stored = Signal(Stored), self.o.payload
        type_code = message[:8]
        m.d.comb += [
            found.index.eq(UNKNOWN),
            found.side.eq(Side.NONE),
            found.stock_locate.eq(itch.ADD_ORDER.bits(message, "stock_locate")),
        ]
        with m.Switch(type_code):
            for n, record in enumerate(ITCH.records):
                with m.Case(ord(record.code)):
                    m.d.comb += found.index.eq(Mux(length == record.length, n, BAD_LENGTH))
        for name in ("reference", "second", "quantity", "price"):
            with m.Switch(type_code):
                for code, field in FIELDS[name].items():
                    with m.Case(ord(code)):
                        m.d.comb += getattr(found, name).eq(ITCH.by_code[ord(code)].bits(message, field))
        with m.Switch(type_code):
            for code, field in FIELDS["code"].items():
                with m.Case(ord(code)):
                    action = FIELDS["action"].get(code)
                    parts = [ITCH.by_code[ord(code)].bits(message, each) for each in (field, action) if each]
                    m.d.comb += found.price.eq(Cat(parts))
        side = itch.ADD_ORDER.bits(message, "side")
        with m.Switch(type_code):
            with m.Case(*map(ord, "AFP")):
                m.d.comb += found.side.eq(
                    Mux(side == ord("B"), Side.BUY, Mux(side == ord("S"), Side.SELL, Side.NONE))
                )
            with m.Case(*map(ord, "E")):
                m.d.comb += found.printable.eq(1)
            with m.Case(ord("C")):
                m.d.comb += found.printable.eq(itch.ORDER_EXECUTED_WITH_PRICE.bits(message, "printable") == ord("Y"))
        with m.Switch(type_code), m.Case(ord("P")):
            m.d.comb += found.printable.eq(1)
        m.d.sync += [self.o.valid.eq(ended & (number < MOST_MESSAGES)), stored.eq(found), self.number.eq(number)]
        return m
