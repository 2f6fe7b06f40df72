"""One port of the card, from Ethernet frames to valid MoldUDP64 packets in a packet buffer."""

from amaranth.hdl import Cat, Const, Module, Signal
from amaranth.lib import memory, stream, wiring
from amaranth.lib.wiring import In, Out, connect

from hw.moldudp64.receiver import BUFFER_WORDS, Packet, Receiver
from hw.net.ethernet import Ethernet
from hw.net.ipv4 import Ipv4
from hw.net.segment import Verdict
from hw.net.udp import Udp
from hw.streams import Beat, StreamQueue
from wire.records import HOLD_SLOTS

BUFFERS = HOLD_SLOTS + 1
"""One for each packet that the arbiter holds, and one that is being filled."""

PITCH = 192
"""Words from one buffer to the next: 3/4 of 256, so that five of them fit 1024."""

COUNTERS = ("frames", *(verdict.name.lower() for verdict in Verdict if verdict is not Verdict.OK))


class Ingest(wiring.Component):
    """Receives, checks and keeps packets.

    Members
    -------
    i : In(stream of Beat)
        Frames, without preamble and frame check sequence.
    stamp : In(64)
        The clock. A packet's stamp is the clock when the first beat of its frame was taken.
    address, port : In(32), In(16)
        The destination wanted; 0 takes any.
    session : In(80)
        The session wanted, first character in the low bits; blank takes any.
    packet : Out(stream of Packet)
        A valid packet in the buffer that was ``filling`` before it was taken.
    filling : In(range(BUFFERS))
        The buffer for the next packet.
    read_buffer, read_word : In
        Address of the packet buffers; ``read_data`` is what is there, a cycle later.
    busy : Out(1)
        A frame is inside, or a packet waits.
    count_packets : Out(1)
        Pulse: a valid packet.
    count_... : Out(1)
        ``count_frames`` and a pulse for each reason to drop one.

    A packet comes out about 20 cycles after the last beat of its frame. One beat per cycle, with 5 cycles
    between frames. While a packet waits to be taken the next frame may come in as far as its header; then
    ``i`` is not ready any more: it stalls the port, drops nothing by itself.
    """

    def __init__(self):
        super().__init__(
            {
                "i": In(stream.Signature(Beat)),
                "stamp": In(64),
                "address": In(32),
                "port": In(16),
                "session": In(80),
                "packet": Out(stream.Signature(Packet)),
                "filling": In(range(BUFFERS)),
                "read_buffer": In(range(BUFFERS)),
                "read_word": In(range(BUFFER_WORDS)),
                "read_data": Out(64),
                "busy": Out(1),
                "count_packets": Out(1),
                **{f"count_{name}": Out(1) for name in COUNTERS},
            }
        )

    def elaborate(self, platform):
        m = Module()
        m.submodules.ethernet = ethernet = Ethernet()
        m.submodules.ipv4 = ipv4 = Ipv4()
        m.submodules.udp = udp = Udp()
        m.submodules.receiver = receiver = Receiver()
        m.submodules.stamps = stamps = StreamQueue(64, 4)
        m.submodules.buffer = buffer = memory.Memory(shape=64, depth=1024, init=[])

        first = Signal(init=1)
        m.d.comb += [
            ethernet.i.payload.eq(self.i.payload),
            ethernet.i.valid.eq(self.i.valid & (~first | stamps.i.ready)),
            self.i.ready.eq(ethernet.i.ready & (~first | stamps.i.ready)),
            stamps.i.payload.eq(self.stamp),
            stamps.i.valid.eq(self.i.valid & self.i.ready & first),
        ]
        with m.If(self.i.valid & self.i.ready):
            m.d.sync += first.eq(self.i.payload.last)
        connect(m, ethernet.o, ipv4.i)
        connect(m, ipv4.o, udp.i)
        connect(m, udp.o, receiver.i)
        m.d.comb += [
            udp.address.eq(self.address),
            udp.port.eq(self.port),
            receiver.session.eq(self.session),
        ]

        stamp = Signal(64)
        m.d.comb += stamps.o.ready.eq(receiver.judged)
        with m.If(receiver.judged):
            m.d.sync += stamp.eq(stamps.o.payload)
        m.d.comb += [
            self.packet.payload.eq(receiver.o.payload),
            self.packet.payload.stamp.eq(stamp),
            self.packet.valid.eq(receiver.o.valid),
            receiver.o.ready.eq(self.packet.ready),
        ]

        def address(number, word):
            """``number * PITCH + word``."""
            return (Cat(Const(0, 6), number) + Cat(Const(0, 7), number) + word)[:10]

        write, read = buffer.write_port(), buffer.read_port()
        m.d.comb += [
            write.addr.eq(address(self.filling, receiver.write_address)),
            write.data.eq(receiver.write_data),
            write.en.eq(receiver.write_enable),
            read.addr.eq(address(self.read_buffer, self.read_word)),
            self.read_data.eq(read.data),
            read.en.eq(1),
        ]

        inside = Signal(range(8))  # frames whose verdict is still to come
        entering = self.i.valid & self.i.ready & first
        m.d.sync += inside.eq(inside + entering - receiver.judged)
        m.d.comb += self.busy.eq((inside != 0) | self.i.valid | self.packet.valid)

        m.d.comb += self.count_frames.eq(receiver.judged)
        with m.If(receiver.judged), m.Switch(receiver.verdict):
            with m.Case(Verdict.OK):
                m.d.comb += self.count_packets.eq(1)
            for verdict in Verdict:
                if verdict is not Verdict.OK:
                    with m.Case(verdict):
                        m.d.comb += getattr(self, f"count_{verdict.name.lower()}").eq(1)
        return m
