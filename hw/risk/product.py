"""32 x 32 bit product in two stages."""

from amaranth.hdl import Cat, Module, Signal
from amaranth.lib import wiring
from amaranth.lib.wiring import In, Out


class Product32(wiring.Component):
    """Unsigned product of 32-bit numbers from four 16 x 16 multipliers.

    Members
    -------
    a, b : In(32)
        Factors.
    o : Out(64)
        ``a * b``, 2 cycles behind.

    Latency 2 cycles, one product per cycle.
    """

    a: In(32)
    b: In(32)
    o: Out(64)

    def elaborate(self, platform):
        m = Module()
        low, cross_1, cross_2, high = parts = [Signal(32, name=name) for name in ("ll", "lh", "hl", "hh")]
        halves = [(x, y) for x in (self.a[:16], self.a[16:]) for y in (self.b[:16], self.b[16:])]
        m.d.sync += [part.eq(x * y) for part, (x, y) in zip(parts, halves, strict=True)]
        m.d.sync += self.o.eq(Cat(low[:16], Cat(low[16:], high) + cross_1 + cross_2))
        return m
