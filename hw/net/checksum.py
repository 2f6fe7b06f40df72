"""The Internet checksum (RFC 1071) of a stream of beats."""

from amaranth.hdl import Cat, Module, Mux, Signal
from amaranth.lib import wiring
from amaranth.lib.wiring import In, Out

LATENCY = 4
"""Cycles from the last beat of ``Checksum`` to ``good``."""


class Checksum(wiring.Component):
    """Says whether bytes with a checksum among them are what was sent: their one's complement sum is 0xFFFF.

    The sum is made of the bytes as they lie, low byte first: it does not depend on the byte order.

    Members
    -------
    data : In(64)
        Eight bytes.
    count : In(4)
        How many of them belong to the sum.
    add : In(1)
        Add them.
    first : In(1)
        Forget what was before. With ``add``.
    more : In(32)
        Two more words of 16 bits to add, with ``add``.
    good : Out(1)
        The sum is 0xFFFF, 4 cycles after the last ``add``.

    One beat per cycle. The sum is exact for as many as 2^14 beats.
    """

    data: In(64)
    count: In(4)
    add: In(1)
    first: In(1)
    more: In(32)
    good: Out(1)

    def elaborate(self, platform):
        m = Module()
        octets = [Mux(self.count > n, self.data[8 * n : 8 * n + 8], 0) for n in range(8)]
        words = [Cat(octets[n], octets[n + 1]) for n in range(0, 8, 2)]

        pairs = [Signal(17, name=f"pair_{n}") for n in range(3)]
        adding, beginning = Signal(), Signal()
        m.d.sync += [
            pairs[0].eq(words[0] + words[1]),
            pairs[1].eq(words[2] + words[3]),
            pairs[2].eq(self.more[:16] + self.more[16:]),
            adding.eq(self.add),
            beginning.eq(self.first),
        ]
        beat, beat_adding, beat_beginning = Signal(19), Signal(), Signal()
        m.d.sync += [
            beat.eq(pairs[0] + pairs[1] + pairs[2]),
            beat_adding.eq(adding),
            beat_beginning.eq(beginning),
        ]
        total = Signal(32)
        with m.If(beat_adding):
            m.d.sync += total.eq(Mux(beat_beginning, 0, total) + beat)
        # A sum below 2^32 folds to 17 bits; 0xFFFF is what is left of every multiple of 0xFFFF but 0.
        folded = Signal(17)
        m.d.comb += folded.eq(total[:16] + total[16:])
        m.d.sync += self.good.eq((folded == 0xFFFF) | (folded == 0x1FFFE))
        return m
