"""One port of the feed: Ethernet frames in, the messages of good packets in buffers."""

from amaranth.hdl import Array, Cat, Module, Signal
from amaranth.lib import data, memory, stream, wiring
from amaranth.lib.wiring import In, Out, connect, flipped

from hw.block_memory import read_block
from hw.host.register_slice import RegisterSlice
from hw.itch.collector import Collector, Stored
from hw.moldudp64.blocks import Blocks
from hw.net.datagram import Datagram
from hw.net.verdict import Verdict
from hw.streams import Beat
from wire.moldudp64 import END_OF_SESSION, HEARTBEAT, MOST_MESSAGES
from wire.records import HOLD_SLOTS

BUFFERS = HOLD_SLOTS + 1
"""One for each packet that the arbiter holds, and one that is being filled."""

PLACES = 512
COUNTERS = ("frames", *(verdict.name.lower() for verdict in Verdict if verdict is not Verdict.OK))


class Packet(data.Struct):
    """A good packet. Its ``count`` messages are in a buffer; HEARTBEAT and END_OF_SESSION have none.

    ``end`` is the number of the message behind them.
    """

    stamp: 64
    sequence: 64
    count: 16
    end: 64
    buffer: range(BUFFERS)


class FeedPort(wiring.Component):
    """Receives frames, checks them while they pass, and keeps the messages of those that are good.

    Nothing of a frame is seen outside before all of it, its frame check sequence included, was found good.

    Members
    -------
    i : In(stream of Beat)
        Frames without preamble and frame check sequence. Never held up.
    bad : In(1)
        With the last beat: the frame is to leave no trace.
    stamp : In(64)
        The clock. A packet's stamp is the clock when the first beat of its frame came.
    address, port : In(32), In(16)
        The destination wanted; 0 takes any.
    session : In(80)
        The session wanted, first character in the low bits; blank takes any.
    packet : Out(stream of Packet)
    give_back, give_back_buffer : In(1), In(range(BUFFERS))
        A packet's buffer is needed no more.
    read, read_buffer, read_number : In
        A message of a packet; ``message`` is what it says, 2 cycles later in which ``read_advance`` was high. Without ``read``
        it is 0 from the next cycle on: the messages of several ports can be put together by OR.
    busy : Out(1)
        A frame is inside, or a packet waits.
    count_... : Out(1)
        ``count_frames``, ``count_packets``, a pulse for each reason to drop a frame, and ``count_packets_dropped`` for
        a good packet for which there was no buffer: the arbiter held and kept waiting too many.

    A packet comes out 5 cycles behind the last beat of its frame, whatever the frame. One beat per cycle, frames without a
    gap, however small their messages.
    """

    def __init__(self):
        super().__init__(
            {
                "i": In(stream.Signature(Beat)),
                "bad": In(1),
                "stamp": In(64),
                "address": In(32),
                "port": In(16),
                "session": In(80),
                "packet": Out(stream.Signature(Packet)),
                "give_back": In(1),
                "give_back_buffer": In(range(BUFFERS)),
                "read": In(1, init=1),
                "read_buffer": In(range(BUFFERS)),
                "read_number": In(7),
                "read_advance": In(1, init=1),
                "message": Out(Stored),
                "busy": Out(1),
                "count_packets": Out(1),
                "count_packets_dropped": Out(1),
                **{f"count_{name}": Out(1) for name in COUNTERS},
            }
        )

    def elaborate(self, platform):
        m = Module()
        m.submodules.datagram = datagram = Datagram()
        m.submodules.blocks = blocks = Blocks()
        m.submodules.collector = collector = Collector()
        m.d.comb += [
            datagram.i.payload.eq(self.i.payload),
            datagram.i.valid.eq(self.i.valid),
            self.i.ready.eq(1),
            datagram.bad.eq(self.bad),
            datagram.address.eq(self.address),
            datagram.port.eq(self.port),
            datagram.session.eq(self.session),
            blocks.count.eq(datagram.count),
        ]
        connect(m, datagram.o, blocks.i)
        connect(m, blocks.o, collector.i)

        # -- buffers: which are free, and which is filled ----------------------------------------------------
        m.submodules.buffer = buffer = memory.Memory(shape=Stored.as_shape().size, depth=PLACES, init=[])
        free, filling, have = Signal(BUFFERS, init=(1 << BUFFERS) - 2), Signal(range(BUFFERS)), Signal(init=1)
        base = Array(n * MOST_MESSAGES for n in range(BUFFERS))
        write = buffer.write_port()
        m.d.comb += [
            write.addr.eq(base[filling] + collector.number),
            write.data.eq(collector.o.payload),
            write.en.eq(collector.o.valid & have),
        ]
        place = Signal(range(PLACES))
        m.d.comb += place.eq(base[self.read_buffer] + self.read_number)
        # A packet is offered when its messages are written: never the place that is read.
        read = read_block(m, buffer, place, self.read_advance)
        with m.If(~self.read):
            m.d.sync += self.message.eq(0)
        with m.Elif(self.read_advance):
            m.d.sync += self.message.eq(read)

        # -- packets ---------------------------------------------------------------------------------------
        m.submodules.queue = queue = RegisterSlice(Packet)
        between, began, ended = Signal(init=1), Signal(64), Signal(64)
        with m.If(self.i.valid):
            m.d.sync += between.eq(self.i.payload.last)
            with m.If(between):
                m.d.sync += began.eq(self.stamp)
        with m.If(datagram.o.valid & datagram.o.payload.beat.last):
            m.d.sync += ended.eq(began)
        complete = Signal()  # a cycle ago
        m.d.sync += complete.eq(blocks.complete)

        # Sequence and count are there long before the verdict.
        verdict, lost, carries, messages, end = Signal(Verdict), Signal(), Signal(), Signal(16), Signal(64)
        m.d.sync += carries.eq((datagram.count != HEARTBEAT) & (datagram.count != END_OF_SESSION))
        m.d.comb += messages.eq(datagram.count & carries.replicate(16))
        m.d.sync += end.eq(datagram.sequence + messages)
        with m.If((datagram.verdict == Verdict.OK) & (~complete | datagram.sequence[-1])):
            m.d.comb += verdict.eq(Verdict.PACKETS_MALFORMED)
        with m.Else():
            m.d.comb += verdict.eq(datagram.verdict)
        good = datagram.judged & (verdict == Verdict.OK)
        packet = queue.i.payload
        m.d.comb += [
            lost.eq(carries & ~have | ~queue.i.ready),
            queue.i.valid.eq(good & ~lost),
            packet.stamp.eq(ended),
            packet.sequence.eq(datagram.sequence),
            packet.count.eq(datagram.count),
            packet.end.eq(end),
            packet.buffer.eq(filling),
            self.count_packets.eq(good),
            self.count_packets_dropped.eq(good & lost),
            self.count_frames.eq(datagram.judged),
        ]
        connect(m, queue.o, flipped(self.packet))

        taken, next_free = Signal(), Signal(range(BUFFERS))
        m.d.comb += taken.eq(queue.i.valid & carries)
        for n in reversed(range(BUFFERS)):
            with m.If(free[n]):
                m.d.comb += next_free.eq(n)
        chosen = Signal(BUFFERS)
        with m.If(taken | ~have):
            m.d.sync += [filling.eq(next_free), have.eq(free.any())]
            m.d.comb += chosen.eq(free & -free)
        back = Signal(BUFFERS)
        m.d.comb += back.eq(self.give_back << self.give_back_buffer)
        m.d.sync += free.eq((free & ~chosen) | back)

        with m.If(datagram.judged), m.Switch(verdict):
            for each in Verdict:
                if each is not Verdict.OK:
                    with m.Case(each):
                        m.d.comb += getattr(self, f"count_{each.name.lower()}").eq(1)

        # -- whether anything is on its way --------------------------------------------------------------------
        passing = Signal(6)  # cycles since a beat came
        m.d.sync += passing.eq(Cat(self.i.valid, passing))
        m.d.comb += self.busy.eq(self.i.valid | passing.any() | ~between | queue.o.valid)
        return m
