"""Packets of the exchange's stream, as items."""

from amaranth.hdl import Module, Signal
from amaranth.lib import data, stream, wiring
from amaranth.lib.wiring import In, Out

from hw.items import Item, ItemKind
from hw.ouch.decoder import PACKET_BYTES, OuchDecoder
from hw.ouch.message import Inbound
from hw.soupbin.splitter import Splitter
from hw.streams import BEAT_BYTES, Beat
from wire.records import OuchVersion

LOGIN_BITS = 8  # of the number of LOGIN commands between sequencer and trader, which hold a few items
BEATS = -(-PACKET_BYTES // BEAT_BYTES)


class SessionReceiver(wiring.Component):
    """The order session, inward: a stream of bytes in, a SESSION item per SoupBinTCP packet out.

    Members
    -------
    i : In(stream of Beat)
        Bytes of the stream. ``last`` ends what came in at one time, packets may be cut anywhere.
    stamp : In(64)
        The clock in ns. A packet's stamp is the clock when the first beat was taken of what completed it.
    clear : In(1)
        The stream begins anew: a partial packet is forgotten.
    ouch : In(OuchVersion)
        What the packets are read as.
    login, login_done : In(1)
        Pulses: a LOGIN command has gone ahead; one has been dealt with, ``ouch`` is from the cycle before at the latest
        what it says. No item leaves in between.
    o : Out(stream of Item)
    busy : Out(1)
        A packet is inside, or can come out without more bytes.

    Latency 5 cycles behind the splitter, one packet at a time. It takes no more bytes while the item waits; the
    stream is TCP's.
    """

    def __init__(self):
        super().__init__(
            {
                "i": In(stream.Signature(Beat)),
                "stamp": In(64),
                "clear": In(1),
                "ouch": In(OuchVersion),
                "login": In(1),
                "login_done": In(1),
                "o": Out(stream.Signature(Item)),
                "busy": Out(1),
            }
        )

    def elaborate(self, platform):
        m = Module()
        m.submodules.splitter = splitter = Splitter()
        m.submodules.decoder = decoder = OuchDecoder()

        # What comes later has another stamp: it waits until everything of what came before is out.
        admitted, inside, stamp = Signal(), Signal(), Signal(64)
        working, waiting = Signal(), Signal()
        m.d.comb += [
            splitter.clear.eq(self.clear),
            splitter.i.payload.eq(self.i.payload),
            splitter.i.valid.eq(self.i.valid & admitted),
            self.i.ready.eq(splitter.i.ready & admitted),
        ]
        with m.If(self.i.valid & self.i.ready):
            last = self.i.payload.last
            m.d.sync += [inside.eq(~last), admitted.eq(~last)]
            with m.If(~inside):
                m.d.sync += stamp.eq(self.stamp)
        with m.Elif(self.i.valid & ~(splitter.busy | working | waiting)):
            m.d.sync += admitted.eq(1)

        packet, length, at = Signal(64 * BEATS), Signal(16), Signal(range(BEATS + 1))
        decoded = Signal(2)
        m.d.comb += [
            working.eq(decoded.any()),
            self.busy.eq(splitter.busy | working | waiting | admitted),
            decoder.packet.eq(packet),
            decoder.length.eq(length),
            decoder.ouch.eq(self.ouch),
            splitter.o.ready.eq(~decoded.any() & ~waiting),
        ]
        with m.If(splitter.o.valid & splitter.o.ready):
            with m.If(at < BEATS):
                m.d.sync += [packet.word_select(at, 64).eq(splitter.o.payload.data), at.eq(at + 1)]
            m.d.sync += length.eq(length + splitter.o.payload.count)
            with m.If(at == 0):
                m.d.sync += length.eq(splitter.o.payload.count)
            with m.If(splitter.o.payload.last):
                m.d.sync += [at.eq(0), decoded.eq(1)]
        with m.If(self.clear):
            m.d.sync += at.eq(0)
        # Two cycles for the decoder, then its output stands until the item is taken.
        with m.If(decoded.any()):
            m.d.sync += decoded.eq(decoded << 1)
            with m.If(decoded[1]):
                m.d.sync += [decoded.eq(0), waiting.eq(1)]
        with m.If(self.o.valid & self.o.ready):
            m.d.sync += waiting.eq(0)

        # Until a LOGIN that goes before is done, it is not said what the packet is read as. The decoder goes on reading it.
        logins, held = Signal(LOGIN_BITS), Signal()
        ahead = logins + self.login - self.login_done
        m.d.sync += [logins.eq(ahead), held.eq(ahead[:LOGIN_BITS].any())]
        m.d.comb += self.o.valid.eq(waiting & ~held)

        item = self.o.payload
        session = data.View(Inbound, item.payload.session[: data.Layout.cast(Inbound).size])
        m.d.comb += [item.kind.eq(ItemKind.SESSION), item.stamp.eq(stamp), session.eq(decoder.o)]
        return m
