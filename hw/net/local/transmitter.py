"""Frames laid out half word by half word, then sent."""

from amaranth.hdl import Cat, Module, Mux, Signal, Value
from amaranth.lib import memory, stream, wiring
from amaranth.lib.wiring import In, Out

from hw.net.local.put import FROM_FRAME, LENGTH_BITS, MAX_HALVES, TAIL, Operand, Put, halves
from hw.streams import BEAT_BYTES, Beat

TAIL_WORDS = TAIL // BEAT_BYTES
OPERAND_HALVES = 5
"""Half words of a MAC and an IPv4 address."""


class Transmitter(wiring.Component):
    """Collects the half words of a frame, works out its checksums, sends it.

    Members
    -------
    i : In(stream of Put)
    mac, address : In(48), In(32)
        Ours.
    sender, source : In(48), In(32)
        MAC and IPv4 address of whom the frame at hand came from.
    rewind, advance, word : Out(1), Out(1), In(64)
        The reading side of the buffer with the frame at hand; touched only when some of it is sent.
    o : Out(stream of Beat)
        Frames, as short as they are: padding is the MAC's. Once one has begun there is no hole in it.

    A half word takes 4 cycles, the first beat comes 5 cycles after the ``Put`` that sends, then one per cycle. ``i`` is
    ready for one cycle when its ``Put`` is done, whoever looks.
    """

    i: In(stream.Signature(Put))
    mac: In(48)
    address: In(32)
    sender: In(48)
    source: In(32)
    rewind: Out(1)
    advance: Out(1)
    word: In(64)
    o: Out(stream.Signature(Beat))

    def elaborate(self, platform):
        m = Module()
        m.submodules.header = header = memory.Memory(shape=64, depth=MAX_HALVES // 4, init=[])
        write, read = header.write_port(granularity=16), header.read_port(domain="comb")

        put, ours, theirs, value = Signal(Put), Signal(16), Signal(16), Signal(16)
        total = Signal(17)
        which, whose = Value.cast(put.operand)[:3], Value.cast(put.operand)[3:]
        for half, whole in ((ours, Cat(self.address, self.mac)), (theirs, Cat(self.source, self.sender))):
            with m.Switch(which):
                for n, each in enumerate(halves(whole)):
                    with m.Case(n):
                        m.d.sync += half.eq(each)
                with m.Default():
                    m.d.sync += half.eq(0)
        with m.Switch(whose):
            for n, each in enumerate((put.data, ~total[:16], ours, theirs)):
                with m.Case(n):
                    m.d.sync += value.eq(each)
        m.d.comb += [
            write.addr.eq(put.index[2:]),
            write.data.eq(Cat(value[8:], value[:8]).replicate(4)),
        ]

        # One sum, its carry added back a cycle later; what is put first counts first.
        adding, clearing = Signal(), Signal()
        with m.If(clearing):
            m.d.sync += total.eq(0)
        with m.Else():
            m.d.sync += total.eq((Cat(total[16], total[:16]) + Cat(total[16], Mux(adding, value, 0)))[1:])

        o = self.o
        length, from_frame = put.data[:LENGTH_BITS], put.data[FROM_FRAME]
        number, final, tail = Signal(LENGTH_BITS - 3), Signal(LENGTH_BITS - 3), Signal()
        m.d.comb += read.addr.eq(number[: len(read.addr)])
        with m.If(o.ready):
            m.d.sync += o.valid.eq(0)
        with m.FSM():
            with m.State("WAIT"):
                m.d.sync += [put.eq(self.i.payload), number.eq(0), tail.eq(0)]
                with m.If(self.i.valid):
                    m.next = "LOOK"
            with m.State("LOOK"):
                m.d.sync += final.eq((length - 1)[3:])
                m.next = "CHOOSE"
                with m.If(put.last):
                    m.d.comb += self.rewind.eq(from_frame)
                    m.next = "FETCH"
            with m.State("CHOOSE"):
                m.next = "WRITE"
            with m.State("WRITE"):
                m.d.comb += [
                    write.en.eq(1 << put.index[:2]),
                    adding.eq(whose != Operand.CHECKSUM.value >> 3),
                    clearing.eq(~adding),
                    self.i.ready.eq(1),
                ]
                m.next = "WAIT"
            with m.State("FETCH"):
                m.d.comb += [self.advance.eq(from_frame), clearing.eq(1)]
                m.next = "LOAD"
            with m.State("LOAD"):
                m.d.comb += self.advance.eq(from_frame)
                m.next = "SEND"
            with m.State("SEND"):
                with m.If(o.ready | ~o.valid):
                    m.d.comb += self.advance.eq(from_frame)
                    m.d.sync += [
                        o.valid.eq(1),
                        o.payload.data.eq(Mux(tail, self.word, read.data)),
                        o.payload.last.eq(0),
                        o.payload.count.eq(BEAT_BYTES),
                        number.eq(number + 1),
                    ]
                    with m.If((number == TAIL_WORDS - 1) & from_frame):
                        m.d.sync += tail.eq(1)
                    with m.If(number == final):
                        m.d.sync += [
                            o.payload.last.eq(1),
                            o.payload.count.eq(Cat(length[:3], ~length[:3].any())),
                        ]
                        m.next = "DONE"
            with m.State("DONE"):
                m.d.comb += self.i.ready.eq(1)
                m.next = "WAIT"
        return m
