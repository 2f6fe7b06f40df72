"""ITCH 5.0 messages, decoded into items."""

from amaranth.hdl import Module, Signal
from amaranth.lib import stream, wiring
from amaranth.lib.wiring import In, Out

from hw.arbiter.arbiter import PacketHead
from hw.items import Item, ItemKind
from hw.streams import BEAT_BYTES, Beat
from wire import itch
from wire.itch import ITCH
from wire.layout import Record
from wire.records import Side

LONGEST = max(record.length for record in ITCH.records)
BEATS = -(-LONGEST // BEAT_BYTES)

CODES = {"S": "event_code", "H": "trading_state", "Y": "reg_sho_action", "h": "market_code"}
"""The field of each type that goes to ``Message.code``."""

FIELDS: dict[str, dict[str, str]] = {
    "order_reference": dict.fromkeys("AFECXD", "order_reference") | {"U": "original_order_reference"},
    "new_order_reference": {"U": "new_order_reference"},
    "match_number": dict.fromkeys("ECP", "match_number"),
    "quantity": dict.fromkeys("AFUP", "shares")
    | dict.fromkeys("EC", "executed_shares")
    | {"X": "cancelled_shares"},
    "price": dict.fromkeys("AFUP", "price") | {"C": "execution_price"},
    "code": CODES,
    "action": {"h": "operational_halt_action"},
}
"""Where the fields of :class:`hw.items.Message` come from, type by type."""

SIDED = "AFP"
PRINTED = "EP"


class Decoder(wiring.Component):
    """Takes the fields out of messages and numbers the messages.

    Members
    -------
    i : In(stream of Beat)
        Messages, one after the other.
    head, start : In(PacketHead), In(1)
        The packet that the messages from now on belong to, with ``start``.
    o : Out(stream of Item)
        A MESSAGE for each, also for those of unknown type or wrong length, but for those that the packet head
        skips.
    busy : Out(1)
        A message is inside.
    count_messages, count_itch_unknown, count_itch_bad_length : Out(1)
        Pulses of the counters.
    count_itch, count_itch_index : Out
        A message of a known type with the right length, and the type's place in ``wire.itch.ITCH.records``.

    A message comes out 2 cycles after its last beat. One beat per cycle, and a cycle more per message.
    """

    i: In(stream.Signature(Beat))
    head: In(PacketHead)
    start: In(1)
    o: Out(stream.Signature(Item))
    busy: Out(1)
    count_messages: Out(1)
    count_itch_unknown: Out(1)
    count_itch_bad_length: Out(1)
    count_itch: Out(1)
    count_itch_index: Out(range(len(ITCH.records)))

    def elaborate(self, platform):
        m = Module()
        octets = Signal(8 * BEAT_BYTES * BEATS)
        number, length = Signal(range(BEATS + 1)), Signal(range(BEAT_BYTES * (BEATS + 1) + 1))
        whole = Signal()
        sequence, skip = Signal(64), Signal(16)
        free = Signal()
        m.d.comb += [
            free.eq(self.o.ready | ~self.o.valid),
            self.i.ready.eq(~whole),
            self.busy.eq(self.i.valid | whole | self.o.valid | (number != 0)),
        ]
        with m.If(free):
            m.d.sync += self.o.valid.eq(0)
        with m.If(self.start):
            m.d.sync += [sequence.eq(self.head.sequence), skip.eq(self.head.skip)]

        with m.If(self.i.valid & self.i.ready):
            with m.Switch(number):
                for n in range(BEATS):
                    with m.Case(n):
                        m.d.sync += octets.word_select(n, 64).eq(self.i.payload.data)
            with m.If(number != BEATS):
                m.d.sync += number.eq(number + 1)
            # From BEATS beats on it is too long for every type, however long it is.
            m.d.sync += length.eq(number * BEAT_BYTES + self.i.payload.count)
            m.d.sync += whole.eq(self.i.payload.last)

        message = self.o.payload.payload.message
        known, right_length, index = Signal(), Signal(), Signal(range(len(ITCH.records)))
        type_code = octets[:8]

        def each(codes):
            return [ord(code) for code in codes]

        with m.Switch(type_code):
            for n, record in enumerate(ITCH.records):
                with m.Case(ord(record.code)):
                    m.d.comb += [
                        known.eq(length != 0),
                        index.eq(n),
                        right_length.eq(length == record.length),
                    ]

        def source(record: Record, name: str):
            return record.bits(octets, name)

        with m.If(whole & free):
            m.d.sync += [whole.eq(0), number.eq(0), sequence.eq(sequence + 1)]
            with m.If(skip != 0):
                m.d.sync += skip.eq(skip - 1)
            with m.Else():
                m.d.comb += [
                    self.count_messages.eq(1),
                    self.count_itch_unknown.eq(~known),
                    self.count_itch_bad_length.eq(known & ~right_length),
                    self.count_itch.eq(known & right_length),
                    self.count_itch_index.eq(index),
                ]
                m.d.sync += [
                    self.o.valid.eq(1),
                    self.o.payload.kind.eq(ItemKind.MESSAGE),
                    self.o.payload.stamp.eq(self.head.stamp),
                    self.o.payload.cause.eq(sequence),
                    message.type.eq(type_code),
                    message.index.eq(index),
                    message.unknown.eq(~known),
                    message.bad_length.eq(known & ~right_length),
                    message.stock_locate.eq(source(itch.ADD_ORDER, "stock_locate")),
                    message.printable.eq(0),
                    message.side.eq(Side.NONE),
                ]
                for name, sources in FIELDS.items():
                    m.d.sync += message[name].eq(0)
                    with m.Switch(type_code):
                        for code, field in sources.items():
                            with m.Case(ord(code)):
                                m.d.sync += message[name].eq(source(ITCH.by_code[ord(code)], field))
                side = source(itch.ADD_ORDER, "side")
                with m.Switch(type_code), m.Case(*each(SIDED)), m.Switch(side):
                    with m.Case(ord("B")):
                        m.d.sync += message.side.eq(Side.BUY)
                    with m.Case(ord("S")):
                        m.d.sync += message.side.eq(Side.SELL)
                with m.Switch(type_code):
                    with m.Case(*each(PRINTED)):
                        m.d.sync += message.printable.eq(1)
                    with m.Case(ord("C")):
                        m.d.sync += message.printable.eq(
                            source(itch.ORDER_EXECUTED_WITH_PRICE, "printable") == ord("Y")
                        )
        return m
