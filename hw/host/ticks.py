"""Time for those who count it: pulses each microsecond and millisecond, and the card's ticks."""

from fractions import Fraction

from amaranth.hdl import Module, Mux, Signal
from amaranth.lib import stream, wiring
from amaranth.lib.wiring import In, Out

from hw.host.clock import NS_AT_10G

PER_MILLISECOND = 1000
NS_PER_MICROSECOND = 1000


class Ticks(wiring.Component):
    """Pulses made of clock cycles.

    Parameters
    ----------
    microsecond : Fraction
        Cycles, 2 at least. A bench takes fewer than there are.

    Members
    -------
    period : In(16)
        Microseconds from one ``tick`` to the next; 0: none.
    us, ms : Out(1)
        Pulses.
    tick : Out(stream of unsigned(1))
        That the time went on. One that was not taken when the next is due stands for both.

    A microsecond that is no whole number of cycles is right on average: its pulses are at most a cycle off.
    """

    def __init__(self, microsecond: Fraction = NS_PER_MICROSECOND / NS_AT_10G):
        if microsecond < 2:
            raise ValueError(f"microsecond is {microsecond} cycles, less than 2")
        self.microsecond = Fraction(microsecond)
        super().__init__({"period": In(16), "us": Out(1), "ms": Out(1), "tick": Out(stream.Signature(1))})

    def elaborate(self, platform):
        m = Module()
        whole, part = self.microsecond.numerator, self.microsecond.denominator
        passed, wraps = Signal(range(whole)), Signal()
        m.d.comb += wraps.eq(passed >= whole - part)
        m.d.sync += [self.us.eq(wraps), passed.eq(passed + Mux(wraps, part - whole, part))]

        microseconds, last = Signal(range(PER_MILLISECOND)), Signal()
        m.d.comb += last.eq(microseconds == PER_MILLISECOND - 1)
        m.d.sync += self.ms.eq(self.us & last)
        with m.If(self.us):
            m.d.sync += microseconds.eq(Mux(last, 0, microseconds + 1))

        since, due = Signal(16), Signal()
        m.d.sync += due.eq(since >= self.period)
        with m.If(self.tick.ready):
            m.d.sync += self.tick.valid.eq(0)
        with m.If(self.period == 0):
            m.d.sync += since.eq(1)
        with m.Elif(self.us):
            m.d.sync += since.eq(Mux(due, 1, since + 1))
            with m.If(due):
                m.d.sync += self.tick.valid.eq(1)
        return m
