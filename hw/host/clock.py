"""The card's clock: nanoseconds, in step with a reference by rate and phase."""

from fractions import Fraction

from amaranth.hdl import Cat, Const, Module, Mux, Signal, signed
from amaranth.lib import wiring
from amaranth.lib.wiring import In, Out

FRACTION_BITS = 32
WHOLE_BITS = 4
NS_AT_10G = Fraction(32, 5)  # 156.25 MHz
NS_AT_1G = Fraction(8)  # 125 MHz


class NanosecondClock(wiring.Component):
    """A free-running count of nanoseconds with a rate and a phase that a servo sets.

    Parameters
    ----------
    period : Fraction
        Nominal length of a cycle in nanoseconds, above 1 and below 15.

    Members
    -------
    rate : In(signed(32))
        Added to the length of a cycle, in units of 2^-32 ns: up to half a nanosecond, 1 unit is 0.036 ppb at 6.4 ns.
    value : In(signed(64))
        Nanoseconds, for ``set`` or ``step``.
    set : In(1)
        The clock goes on from ``value``, fraction 0.
    step : In(1)
        ``value`` is added once. It may be negative.
    capture : In(1)
        Latches ``now``.
    now : Out(64)
        The time in nanoseconds, rounded down.
    captured : Out(64)
        ``now`` in the cycle of the last capture.
    period : Out(36)
        The nominal length of a cycle in units of 2^-32 ns.

    ``now`` never goes back but by a ``set`` or a negative ``step``, and it is never torn: its halves are added up one after
    the other and come out together. ``set`` and ``step`` show 4 cycles later, a new ``rate`` 6. Of both in one cycle
    only ``set`` is done.

    Error: the nominal length is rounded to 2^-32 ns, at most 2^-33 ns per cycle (6.4 ns: 9.3e-11 ns, 15 parts per
    10^12; 8 ns: none). After n cycles ``now`` is within n * 2^-33 ns of the exact time, and less than 1 ns below that.
    """

    def __init__(self, period: Fraction = NS_AT_10G):
        if not 1 < period < 15:
            raise ValueError(f"period is {period} ns: the clock counts cycles of more than 1 and less than 15")
        self.units = round(Fraction(period) * (1 << FRACTION_BITS))
        super().__init__(
            {
                "rate": In(signed(FRACTION_BITS)),
                "value": In(signed(64)),
                "set": In(1),
                "step": In(1),
                "capture": In(1),
                "now": Out(64),
                "captured": Out(64),
                "period": Out(WHOLE_BITS + FRACTION_BITS, init=self.units),
            }
        )

    def elaborate(self, platform):
        m = Module()
        m.d.comb += self.period.eq(self.units)

        # The value and its command, in a register of their own: they may come from far.
        value, jump, leap = Signal(64), Signal(), Signal()
        m.d.sync += [value.eq(self.value), jump.eq(self.set), leap.eq(self.step & ~self.set)]

        # Length of a cycle.
        length, fine = Signal(WHOLE_BITS + FRACTION_BITS, init=self.units), Signal(signed(FRACTION_BITS))
        m.d.sync += [fine.eq(self.rate), length.eq(Const(self.units, len(length)) + fine)]

        # The fraction, and the whole nanoseconds that a cycle brings. A clock that is set begins at fraction 0.
        fraction, carry, whole = Signal(FRACTION_BITS), Signal(), Signal(WHOLE_BITS)
        m.d.sync += [
            Cat(fraction, carry).eq(Mux(jump, 0, fraction) + length[:FRACTION_BITS]),
            whole.eq(length[FRACTION_BITS:]),
        ]

        # What is to be added, then the low half, then the high half: 32 bits each. To set is to add to nothing.
        half = 32
        low_amount, high_amount, replace = Signal(half + 1), Signal(half), Signal()
        m.d.sync += [
            low_amount.eq(Mux(jump | leap, value[:half], 0) + Mux(jump, 0, whole + carry)),
            high_amount.eq(Mux(jump | leap, value[half:], 0)),
            replace.eq(jump),
        ]
        low, low_carry, high_rest, replace_high = Signal(half), Signal(), Signal(half), Signal()
        m.d.sync += [
            Cat(low, low_carry).eq(Mux(replace, 0, low) + low_amount[:half]),
            high_rest.eq(high_amount + low_amount[half]),
            replace_high.eq(replace),
        ]
        low_again, high = Signal(half), Signal(half)
        m.d.sync += [low_again.eq(low), high.eq(Mux(replace_high, 0, high) + high_rest + low_carry)]
        m.d.comb += self.now.eq(Cat(low_again, high))

        with m.If(self.capture):
            m.d.sync += self.captured.eq(self.now)
        return m
