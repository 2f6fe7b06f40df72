"""A frame of the host's, written word by word, read at the rate of a wire."""

from amaranth.hdl import Cat, Module, Signal
from amaranth.lib import memory, stream, wiring
from amaranth.lib.wiring import In, Out

from hw.streams import BEAT_BYTES, Beat

MOST_BYTES = 1536


class FrameMailbox(wiring.Component):
    """A frame's bytes in, the frame out, without a hole.

    Members
    -------
    word, write : In(32), In(1)
        The next four bytes, the first in the low bits. Not while ``busy``.
    length, send : In(11), In(1)
        Pulse: the frame has so many bytes of those that were written, 1 to 1536. What is written next is a new frame.
    busy : Out(1)
        The frame is being given out.
    o : Out(stream of Beat)
        To a port that never waits.
    count_frames : Out(1)
        Pulse: a frame.

    First beat 3 cycles after ``send``, then a beat per cycle. Of more than 1536 bytes the last ones are lost; a length of 0 or
    beyond sends nothing.
    """

    word: In(32)
    write: In(1)
    length: In(11)
    send: In(1)
    busy: Out(1)
    o: Out(stream.Signature(Beat))
    count_frames: Out(1)

    def elaborate(self, platform):
        m = Module()
        words, beats = MOST_BYTES // 4, MOST_BYTES // BEAT_BYTES
        place, at, left = Signal(range(words + 1)), Signal(range(beats + 1)), Signal(11)
        halves = []
        for n in range(2):
            m.submodules[f"half_{n}"] = half = memory.Memory(shape=32, depth=beats, init=[])
            write, read = half.write_port(), half.read_port()
            m.d.comb += [
                write.en.eq(self.write & ~self.busy & (place[0] == n) & (place < words)),
                write.addr.eq(place[1:]),
                write.data.eq(self.word),
                read.addr.eq(at),
            ]
            halves.append(read.data)
        with m.If(self.write & ~self.busy & (place < words)):
            m.d.sync += place.eq(place + 1)

        reading, last, count = Signal(), Signal(), Signal(4)
        final = left <= BEAT_BYTES
        m.d.sync += [reading.eq(self.busy), last.eq(final), count.eq(left)]
        with m.If(~final):
            m.d.sync += count.eq(BEAT_BYTES)
        with m.If(self.busy):
            m.d.sync += [at.eq(at + 1), left.eq(left - BEAT_BYTES), self.busy.eq(~final)]
        with m.Elif(self.send):
            m.d.sync += [at.eq(0), left.eq(self.length), place.eq(0)]
            m.d.sync += self.busy.eq((self.length != 0) & (self.length <= MOST_BYTES))
        m.d.sync += [
            self.o.valid.eq(reading),
            self.o.payload.data.eq(Cat(halves)),
            self.o.payload.last.eq(last),
            self.o.payload.count.eq(count),
            self.count_frames.eq(reading & last),
        ]
        return m
