"""Packets to the exchange: SoupBinTCP around OUCH, cut into beats."""

from amaranth.hdl import Cat, Const, Module, Mux, Signal
from amaranth.lib import stream, wiring
from amaranth.lib.wiring import In, Out

from hw.one_hot import select
from hw.ouch.encoder import orders
from hw.ouch.message import Kind, Outbound
from hw.streams import BEAT_BYTES, Beat
from wire import soupbintcp
from wire.records import OuchVersion

_PLAIN = {
    Kind.LOGIN: soupbintcp.LOGIN_REQUEST,
    Kind.LOGOUT: soupbintcp.LOGOUT_REQUEST,
    Kind.HEARTBEAT: soupbintcp.CLIENT_HEARTBEAT,
}


class SoupBinSender(wiring.Component):
    """A message in, a packet of beats out.

    Members
    -------
    i : In(stream of Outbound)
        It stands as long as its packet has beats to come; it is taken when the last one comes to ``o``.
    ouch : In(OuchVersion)
        What orders are sent as.
    o : Out(stream of Beat)
        One packet per ``last``.
    stamp, cause : Out(64)
        Those of the message, as long as its packet is at ``o``.
    busy : Out(1)
        A packet is at ``o``.

    First beat 1 cycle after the message, then a beat per cycle, also from one packet to the next. A beat is chosen from the
    message as it stands: there is no copy of it to be shifted.
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
        message = self.i.payload
        packets = []  # version where it matters, kind, bytes, and how many count
        for version, messages in orders(message.body.order).items():
            for kind, (octets, size) in messages.items():
                packets.append((version, kind, *framed(soupbintcp.UNSEQUENCED_DATA, octets, size)))
        for kind, record in _PLAIN.items():
            size = record.length - 1
            packets.append((None, kind, *framed(record, message.body.login[: 8 * size], size)))

        count = max(beats_of(octets) for _, _, octets, _ in packets)
        number = Signal(count, init=1)  # of the next beat, a bit for each
        beat, chosen, choices = Signal(Beat), [], []
        for version, kind, octets, size in packets:
            packet, is_it = Signal(len(octets), name=f"packet_{kind.name.lower()}"), Signal(name=f"is_{kind.name.lower()}")
            spoken = Const(1) if version is None else self.ouch == version
            m.d.comb += [packet.eq(octets), is_it.eq((message.kind == kind) & spoken)]
            for n in range(beats_of(octets)):
                begin, end = n * BEAT_BYTES, (n + 1) * BEAT_BYTES
                choice = Signal(Beat, name=f"beat_{kind.name.lower()}_{n}")
                m.d.comb += [
                    choice.data.eq(packet[8 * begin : 8 * end]),
                    choice.last.eq(size <= end),
                    choice.count.eq(Mux(size <= end, size - begin, BEAT_BYTES)),
                ]
                chosen.append(is_it & number[n])
                choices.append(choice)
        choosing = Signal(len(chosen))
        m.d.comb += [choosing.eq(Cat(chosen)), beat.as_value().eq(select(choosing, choices))]
        free = ~self.o.valid | self.o.ready
        m.d.comb += [self.i.ready.eq(free & beat.last), self.busy.eq(self.o.valid)]
        with m.If(free):
            m.d.sync += self.o.valid.eq(self.i.valid)
            with m.If(self.i.valid):
                m.d.sync += [
                    self.o.payload.eq(beat),
                    number.eq(Mux(beat.last, 1, number << 1)),
                    self.stamp.eq(message.stamp),
                    self.cause.eq(message.cause),
                ]
        return m


def beats_of(octets):
    """How many beats a packet has at most."""
    return -(-len(octets) // 8 // BEAT_BYTES)


def framed(record, body, size):
    """A packet: length, type, and what follows, of which ``size`` bytes count; and how many bytes it has."""
    header = soupbintcp.LENGTH.octets({"length": 1 + size})
    return Cat(header, Const(ord(record.code), 8), body), soupbintcp.HEADER_LENGTH + size
