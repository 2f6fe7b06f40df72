"""The feed handler: three ports of frames in, items in order out."""

from amaranth.hdl import Cat, Module, Mux
from amaranth.lib import stream, wiring
from amaranth.lib.wiring import In, Out, connect, flipped

from hw.arbiter.arbiter import COUNTERS as ARBITER_COUNTERS
from hw.arbiter.arbiter import Arbiter
from hw.itch.decoder import Decoder
from hw.itch.splitter import Splitter
from hw.items import Item
from hw.net.ingest import COUNTERS as INGEST_COUNTERS
from hw.net.ingest import Ingest
from hw.streams import Beat, StreamRegister
from wire.itch import ITCH

PACKET_COUNTERS = ("packets_a", "packets_b", "packets_recovery")
DECODER_COUNTERS = ("messages", "itch_unknown", "itch_bad_length")


class Feed(wiring.Component):
    """Ingest of both feeds and of the recovery port, arbiter, splitter and decoder.

    Members
    -------
    a, b, recovery : In(stream of Beat)
        Ethernet frames without preamble and frame check sequence.
    stamp : In(64)
        The clock, in ns. A frame's stamp is the clock when its first beat is taken.
    control : In(stream of Item)
        TICK items, and COMMAND items with SET_FEED or RESUME_FEED. Each comes out of ``o`` again, behind the
        items that it causes.
    o : Out(stream of Item)
        MESSAGE, ALIVE, GAP, WHOLE, JOINED, RESUMED, and what came in at ``control``.
    busy : Out(1)
        Something is on its way. An input of one port that is to be handled before one of another must find it
        low.
    count_... : Out
        Pulses of the counters; those of ingest are 2 bits wide: how many of the three ports count in this
        cycle.
    count_itch, count_itch_index : Out
        A message of a known type with the right length, and the type's place in ``wire.itch.ITCH.records``.
    """

    def __init__(self):
        super().__init__(
            {
                "a": In(stream.Signature(Beat)),
                "b": In(stream.Signature(Beat)),
                "recovery": In(stream.Signature(Beat)),
                "stamp": In(64),
                "control": In(stream.Signature(Item)),
                "o": Out(stream.Signature(Item)),
                "busy": Out(1),
                **{f"count_{name}": Out(2) for name in INGEST_COUNTERS},
                **{f"count_{name}": Out(1) for name in PACKET_COUNTERS + ARBITER_COUNTERS + DECODER_COUNTERS},
                "count_itch": Out(1),
                "count_itch_index": Out(range(len(ITCH.records))),
            }
        )

    def elaborate(self, platform):
        m = Module()
        m.submodules.arbiter = arbiter = Arbiter()
        m.submodules.splitter = splitter = Splitter()
        m.submodules.decoder = decoder = Decoder()
        m.submodules.joint = joint = StreamRegister(Item)
        ports = []
        for name, frames in (("a", self.a), ("b", self.b), ("recovery", self.recovery)):
            m.submodules[name] = port = Ingest()
            ports.append(port)
            connect(m, flipped(frames), port.i)
            m.d.comb += [
                port.stamp.eq(self.stamp),
                port.session.eq(arbiter.configuration.session),
                port.read_buffer.eq(arbiter.read_buffer),
                port.read_word.eq(arbiter.read_word),
                getattr(self, f"count_packets_{name}").eq(port.count_packets),
            ]
        m.d.comb += [
            ports[0].address.eq(arbiter.configuration.address_a),
            ports[0].port.eq(arbiter.configuration.port_a),
            ports[1].address.eq(arbiter.configuration.address_b),
            ports[1].port.eq(arbiter.configuration.port_b),
        ]
        for n, port in enumerate(ports):
            connect(m, port.packet, arbiter.packets[n])
            m.d.comb += [port.filling.eq(arbiter.filling[n]), arbiter.read_data[n].eq(port.read_data)]

        connect(m, flipped(self.control), arbiter.control)
        connect(m, arbiter.blocks, splitter.i)
        connect(m, splitter.o, decoder.i)
        m.d.comb += [
            decoder.head.eq(arbiter.head),
            decoder.start.eq(arbiter.start),
            arbiter.behind.eq(splitter.busy | decoder.busy),
            # The arbiter sends an item only when no message is on the way, so that the two never meet.
            joint.i.valid.eq(decoder.o.valid | arbiter.items.valid),
            joint.i.payload.eq(Mux(decoder.o.valid, decoder.o.payload, arbiter.items.payload)),
            decoder.o.ready.eq(joint.i.ready),
            arbiter.items.ready.eq(joint.i.ready & ~decoder.o.valid),
            self.busy.eq(
                arbiter.busy | arbiter.behind | self.o.valid | Cat(port.busy for port in ports).any()
            ),
        ]
        connect(m, joint.o, flipped(self.o))

        for name in INGEST_COUNTERS:
            counted = [getattr(port, f"count_{name}") for port in ports]
            m.d.comb += getattr(self, f"count_{name}").eq(sum(counted))
        for part, names in (
            (arbiter, ARBITER_COUNTERS),
            (decoder, (*DECODER_COUNTERS, "itch", "itch_index")),
        ):
            m.d.comb += [getattr(self, f"count_{name}").eq(getattr(part, f"count_{name}")) for name in names]
        return m
