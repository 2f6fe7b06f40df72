"""Packets to the exchange: SoupBinTCP around OUCH, cut into beats."""

from amaranth.hdl import Cat, Const, Module, Mux, Signal
from amaranth.lib import stream, wiring
from amaranth.lib.wiring import In, Out

from hw.ouch.encoder import OuchEncoder
from hw.ouch.message import Kind, Outbound
from hw.streams import BEAT_BYTES, Beat
from wire import soupbintcp
from wire.records import OuchVersion

_ORDERS = (Kind.NEW, Kind.REPLACE, Kind.CANCEL)
_PLAIN = {
    Kind.LOGIN: soupbintcp.LOGIN_REQUEST,
    Kind.LOGOUT: soupbintcp.LOGOUT_REQUEST,
    Kind.HEARTBEAT: soupbintcp.CLIENT_HEARTBEAT,
}
PACKET_BYTES = soupbintcp.HEADER_LENGTH + max(OuchEncoder.LONGEST, *(record.length - 1 for record in _PLAIN.values()))


class SoupBinSender(wiring.Component):
    """A message in, a packet of beats out.

    Members
    -------
    i : In(stream of Outbound)
    ouch : In(OuchVersion)
        What orders are sent as.
    o : Out(stream of Beat)
        One packet per ``last``.
    stamp, cause : Out(64)
        Those of the message, as long as its packet is at ``o``.
    busy : Out(1)
        A packet is at ``o``.

    First beat 1 cycle after the message, then a beat per cycle. The next message is taken with the last beat.
    """

    def __init__(self):
        super().__init__(
            {
                "i": In(stream.Signature(Outbound)),
                "ouch": In(OuchVersion),
                "o": Out(stream.Signature(Beat)),
                "stamp": Out(64),
                "cause": Out(64),
                "busy": Out(1),
            }
        )

    def elaborate(self, platform):
        m = Module()
        m.submodules.encoder = encoder = OuchEncoder()
        message = self.i.payload
        m.d.comb += [
            encoder.ouch.eq(self.ouch),
            encoder.kind.eq(message.kind),
            encoder.order.eq(message.body.order),
        ]

        packet, length = Signal(8 * PACKET_BYTES), Signal(range(PACKET_BYTES + 1))

        def framed(record, body, size):
            """Length, type, and what follows."""
            header = soupbintcp.LENGTH.octets({"length": 1 + size})
            return [
                packet.eq(Cat(header, Const(ord(record.code), 8), body)),
                length.eq(soupbintcp.HEADER_LENGTH + size),
            ]

        with m.Switch(message.kind):
            with m.Case(*_ORDERS):
                m.d.comb += framed(soupbintcp.UNSEQUENCED_DATA, encoder.o, encoder.length)
            for kind, record in _PLAIN.items():
                with m.Case(kind):
                    size = record.length - 1
                    m.d.comb += framed(record, message.body.login[: 8 * size], size)

        beats, left = Signal(8 * PACKET_BYTES), Signal(range(PACKET_BYTES + 1))
        final = left <= BEAT_BYTES
        m.d.comb += [
            self.o.valid.eq(left != 0),
            self.o.payload.data.eq(beats[: 8 * BEAT_BYTES]),
            self.o.payload.last.eq(final),
            self.o.payload.count.eq(Mux(final, left[:4], BEAT_BYTES)),
            self.i.ready.eq((left == 0) | (final & self.o.ready)),
            self.busy.eq(left != 0),
        ]
        with m.If(self.i.ready):
            m.d.sync += left.eq(0)
            with m.If(self.i.valid):
                m.d.sync += [beats.eq(packet), left.eq(length)]
                m.d.sync += [self.stamp.eq(message.stamp), self.cause.eq(message.cause)]
        with m.Elif(self.o.ready):
            m.d.sync += [beats.eq(beats >> 8 * BEAT_BYTES), left.eq(left - BEAT_BYTES)]
        return m
