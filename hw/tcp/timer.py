"""The timer of a connection: retransmission with exponential backoff (RFC 6298), or the end of TIME_WAIT."""

from amaranth.hdl import Cat, Module, Mux, Signal
from amaranth.lib import wiring
from amaranth.lib.wiring import In, Out

from hw.tcp.segment import TIMER_BITS


class Timer(wiring.Component):
    """Says when something has taken too long.

    Members
    -------
    tick_us : In(1)
        Pulse each microsecond, not in two cycles running.
    initial, maximum : In(TIMER_BITS)
        Microseconds of the first time-out, and what its doubling ends at.
    linger : In(TIMER_BITS)
        Microseconds of a time-out while ``lingering``.
    run : In(1)
        Something is waited for. Without it everything begins anew.
    lingering : In(1)
        ``linger`` is waited for.
    restart : In(1)
        Pulse: it came, or another thing is waited for.
    expired : Out(1)
        Pulse: a time-out, at most a microsecond late.

    Latency of a time-out 2 cycles. After each the next is twice as long.
    """

    tick_us: In(1)
    initial: In(TIMER_BITS)
    maximum: In(TIMER_BITS)
    linger: In(TIMER_BITS)
    run: In(1)
    lingering: In(1)
    restart: In(1)
    expired: Out(1)

    def elaborate(self, platform):
        m = Module()
        timeout, doubled, left, over = Signal(TIMER_BITS), Signal(TIMER_BITS), Signal(TIMER_BITS), Signal()
        begin = Signal(TIMER_BITS)
        m.d.sync += [
            doubled.eq(Mux((timeout << 1) > self.maximum, self.maximum, timeout << 1)),
            begin.eq(Mux(self.lingering, self.linger, self.initial)),
            over.eq(left == 0),
        ]
        # A wait that begins takes its time from ``begin``, which is a cycle late.
        lingering = Signal(2)
        m.d.sync += lingering.eq(Cat(self.lingering, lingering))
        anew = ~self.run | self.restart | (self.lingering & ~lingering.all())
        m.d.comb += self.expired.eq(self.tick_us & over & ~anew)
        with m.If(anew):
            m.d.sync += [left.eq(begin), timeout.eq(begin), over.eq(0)]
        with m.Elif(self.expired):
            m.d.sync += [left.eq(doubled), timeout.eq(doubled), over.eq(0)]
        with m.Elif(self.tick_us & ~over):
            m.d.sync += left.eq(left - 1)
        return m
