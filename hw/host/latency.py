"""Two times of the nanosecond clock, as a number of clock cycles."""

from fractions import Fraction

from amaranth.hdl import Module, Mux, Signal
from amaranth.lib import stream, wiring
from amaranth.lib.wiring import In, Out

from hw.host.clock import NS_AT_10G
from hw.host.histogram import BITS

SCALE = 16  # bits behind the point of a cycle's share
LONGEST = 24  # bits of nanoseconds that are counted exactly: 16 ms


class Latency(wiring.Component):
    """How many cycles have passed since a time stamp.

    Parameters
    ----------
    period : Fraction
        Nanoseconds in a clock cycle, 4 or more.

    Members
    -------
    now, stamp : In(64), In(64)
        Nanoseconds, rounded down, as :class:`hw.host.clock.NanosecondClock` gives them.
    take : In(1)
        Pulse: it ends in this cycle.
    o : Out(stream of unsigned(32))
        The cycles from when the clock said ``stamp`` to ``take``: exact, unless the clock was set or stepped in between. All
        ones for 16 ms and more, which nobody asks to the cycle.

    Latency 3 cycles, one per cycle. ``ready`` is not looked at: the histogram is always ready.
    """

    def __init__(self, period: Fraction = NS_AT_10G):
        if period < 4:
            raise ValueError(f"period is {period} ns: below 4 a time in whole nanoseconds does not tell cycles apart")
        self.period = period
        super().__init__({"now": In(64), "stamp": In(64), "take": In(1), "o": Out(stream.Signature(BITS))})

    def elaborate(self, platform):
        m = Module()
        share, half = round((1 << SCALE) / self.period), 1 << (SCALE - 1)
        passed, product, long = Signal(BITS), Signal(LONGEST + SCALE), Signal()
        first, second = Signal(), Signal()
        m.d.sync += [
            passed.eq(self.now - self.stamp),
            first.eq(self.take),
            product.eq(passed[:LONGEST] * share),
            long.eq(passed[LONGEST:].any()),
            second.eq(first),
            self.o.payload.eq(Mux(long, (1 << BITS) - 1, (product + half) >> SCALE)),
            self.o.valid.eq(second),
        ]
        return m
