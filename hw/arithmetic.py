"""Products and clamps of 32-bit numbers, comparisons with constants."""

from amaranth.hdl import Cat, Const, Module, Mux, Shape, Signal, Value
from amaranth.lib import wiring
from amaranth.lib.wiring import In, Out


def clamp32(value: Value) -> Value:
    """The nearest number of 32 bits with a sign."""
    fits = ~value[31:].any() | value[31:].all()
    return Mux(fits, value[:32], Cat((~value[-1]).replicate(31), value[-1])).as_signed()


def below(value: Value, limit: int) -> Value:
    """Whether ``value < limit``, in few LUTs: a comparison by ``<`` is a carry chain, however simple the limit."""
    less: Value = Const(0)
    for n, bit in enumerate(value):
        less = (~bit | less) if limit >> n & 1 else (~bit & less)
    return less


def distance(a: Value, b: Value) -> Value:
    """The difference of two numbers without a sign, made positive. Both ways at once: one carry chain, not two."""
    forth, back = a - b, b - a
    return Mux(forth < 0, back, forth)[:-1]


class Product32(wiring.Component):
    """Product of 32-bit numbers from four 16 x 16 multipliers.

    Parameters
    ----------
    signed : bool
        Whether the factors have a sign.

    Members
    -------
    a, b : In(32)
        Factors.
    o : Out(64)
        ``a * b``, 2 cycles behind.

    Latency 2 cycles, one product per cycle.
    """

    def __init__(self, signed: bool = False):
        self.factor = Shape(32, signed)
        super().__init__({"a": In(self.factor), "b": In(self.factor), "o": Out(Shape(64, signed))})

    def elaborate(self, platform):
        m = Module()

        def halves(x):
            high = x[16:]
            return x[:16], high.as_signed() if self.factor.signed else high

        (a_low, a_high), (b_low, b_high) = halves(self.a), halves(self.b)
        low, cross_1, cross_2, high = parts = [
            Signal(Shape(32 + (name != "ll" and self.factor.signed), name != "ll" and self.factor.signed), name=name)
            for name in ("ll", "lh", "hl", "hh")
        ]
        factors = ((a_low, b_low), (a_low, b_high), (a_high, b_low), (a_high, b_high))
        m.d.sync += [part.eq(x * y) for part, (x, y) in zip(parts, factors, strict=True)]
        upper = Cat(low[16:], high)
        upper = (upper.as_signed() if self.factor.signed else upper) + cross_1 + cross_2
        m.d.sync += self.o.eq(Cat(low[:16], upper))
        return m
