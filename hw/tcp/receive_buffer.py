"""The peer's bytes in order, from the moment they are taken until the session takes them."""

from amaranth.hdl import Cat, Const, Module, Mux, Signal
from amaranth.lib import memory, stream, wiring
from amaranth.lib.wiring import In, Out

from hw.streams import BEAT_BYTES, Beat
from hw.tcp.realign import LANES, Realign

PARTS = 4
"""The window moves on in parts of the buffer, 1/4 each, unless the buffer is empty (RFC 9293 section 3.8.6.2.2)."""


class ReceiveBuffer(wiring.Component):
    """A ring of bytes in block RAM.

    Parameters
    ----------
    size : int
        Bytes, a power of 2 from 256 to 32768.

    Members
    -------
    place : In(1)
        Pulse: the bytes of a segment are to be laid down behind those that were taken.
    skip : In(16)
        Bytes of the words that come before them.
    length : In(16)
        How many, at most ``window``.
    word, word_valid : In(64), In(1)
        The segment's words: the first 2 cycles after ``place`` or later, the last at most 2 cycles after its ``take``.
    take : In(16)
        So many of the bytes that were laid down are taken; 0 in most cycles.
    window : Out(16)
        Bytes that may come. 1 cycle behind ``take``.
    offered : Out
        Counts the bytes that ever were in the window.
    drained : Out(1)
        All bytes are taken from ``o``.
    o : Out(stream of Beat)
        The bytes. ``last`` where there were no more to come in their time: always the end of a segment.

    Latency from ``take`` to the first beat 9 cycles, 10 unless the stream is at a whole word, then a beat per cycle. Bytes
    that are not taken are overwritten. It never overflows: what is taken was in the window, and that is what there is room
    for.
    """

    def __init__(self, size: int = 4096):
        if not 256 <= size <= 32768 or size & (size - 1):
            raise ValueError(f"size is {size} bytes, not a power of 2 from 256 to 32768")
        self.size = size
        self.pointer_bits = size.bit_length()
        super().__init__(
            {
                "place": In(1),
                "skip": In(16),
                "length": In(16),
                "word": In(64),
                "word_valid": In(1),
                "take": In(16),
                "window": Out(16),
                "offered": Out(self.pointer_bits),
                "drained": Out(1),
                "o": Out(stream.Signature(Beat)),
            }
        )

    def elaborate(self, platform):
        m = Module()
        bits = self.pointer_bits
        m.submodules.ring = ring = memory.Memory(shape=64, depth=self.size // BEAT_BYTES, init=[])
        m.submodules.laying = laying = Realign(bits)
        m.submodules.reading = reading = Realign(bits)
        write, read = ring.write_port(granularity=8), ring.read_port()

        # Pointers count bytes, with one bit more than the buffer needs: what was taken, and what has left.
        taken, left = Signal(bits), Signal(bits)
        m.d.sync += taken.eq(taken + self.take)

        # -- in ---------------------------------------------------------------------------------------------------
        before = Signal(14)
        following, passing = Signal(len(write.addr)), Signal()
        m.d.comb += [
            laying.start.eq(self.place & (self.length != 0)),
            laying.lane.eq(self.skip[:3]),
            laying.target.eq(taken[:3]),
            laying.length.eq(self.length),
            passing.eq(self.word_valid & (before == 0)),
            laying.i.valid.eq(passing),
            laying.i.payload.eq(self.word),
            laying.o.ready.eq(1),
        ]
        with m.If(self.place):
            m.d.sync += [before.eq(self.skip[3:]), following.eq(taken[3:])]
        with m.Elif(self.word_valid & (before != 0)):
            m.d.sync += before.eq(before - 1)
        with m.If(laying.o.valid):
            m.d.sync += following.eq(following + 1)
        target = Signal(3)
        with m.If(self.place):
            m.d.sync += target.eq(taken[:3])
        laid = laying.o.payload
        m.d.comb += [
            write.addr.eq(following),
            write.data.eq(laid.data),
            write.en.eq(
                Cat(laying.o.valid & (n < laid.end) & (~laid.first | (n >= target)) for n in LANES)
            ),
        ]

        # -- the window -------------------------------------------------------------------------------------------
        freed, free, empty = Signal(bits), Signal(bits), Signal()
        m.d.sync += [
            free.eq(left - freed),
            empty.eq((left == taken) & (self.take == 0)),
        ]
        with m.If(empty | (free >= self.size // PARTS)):
            m.d.sync += freed.eq(left)
        m.d.sync += self.window.eq(self.size - (taken - freed)[:bits])
        m.d.comb += self.offered.eq(freed)

        # -- out --------------------------------------------------------------------------------------------------
        # ``visible`` is what has been written by now. A run is what is visible when it begins.
        visible_next, visible = Signal(bits), Signal(bits)
        run_length, run_end, last_word = Signal(bits), Signal(bits), Signal(bits - 3)
        address, word = Signal(bits - 3), Signal(64)
        fetched, ready, advance = Signal(), Signal(), Signal()
        m.d.sync += [visible_next.eq(taken), visible.eq(visible_next)]
        m.d.comb += [
            reading.lane.eq(left[:3]),
            reading.length.eq(run_length),
            reading.i.payload.eq(word),
            reading.i.valid.eq(ready),
            advance.eq(reading.i.ready | ~ready),
            read.addr.eq(address),
            read.en.eq(advance),
            last_word.eq((run_end - 1)[3:bits]),
        ]
        with m.If(advance):
            m.d.sync += [address.eq(address + 1), fetched.eq(1), word.eq(read.data), ready.eq(fetched)]
        with m.If(reading.i.valid & reading.i.ready):
            m.d.sync += left.eq(Mux(left[3:] == last_word, run_end, Cat(Const(0, 3), (left[3:] + 1)[: bits - 3])))
        with m.FSM():
            with m.State("IDLE"):
                m.d.sync += [run_length.eq(visible - left), run_end.eq(visible)]
                with m.If(visible != left):
                    m.next = "START"
            with m.State("START"):
                m.d.comb += reading.start.eq(1)
                m.d.sync += [address.eq(left[3:]), fetched.eq(0), ready.eq(0)]
                m.next = "RUN"
            with m.State("RUN"):
                with m.If(~reading.busy):
                    m.next = "IDLE"
        given = reading.o.payload
        m.d.comb += [
            self.o.valid.eq(reading.o.valid),
            reading.o.ready.eq(self.o.ready),
            self.o.payload.data.eq(given.data),
            self.o.payload.last.eq(given.last),
            self.o.payload.count.eq(given.end),
        ]
        m.d.sync += self.drained.eq(empty & (visible == taken) & ~reading.busy)
        return m
