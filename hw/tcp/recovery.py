"""What duplicate acknowledgements tell: fast retransmit and NewReno's recovery (RFC 5681, RFC 6582)."""

from amaranth.hdl import Module, Signal
from amaranth.lib import wiring
from amaranth.lib.wiring import In, Out

DUPLICATES = 3


class Recovery(wiring.Component):
    """Decides when the oldest packet is sent again before its time is out.

    Members
    -------
    clear : In(1)
        Nothing was sent yet.
    next : In(32)
        The sequence number behind all that was sent.
    duplicate : In(1)
        Pulse: a duplicate acknowledgement.
    fresh, recovered : In(1), In(1)
        Pulse: new data was acknowledged; with either pulse, that is all that had been sent when the loss was noticed.
    timed_out : In(1)
        Pulse: everything is sent again because of time. Duplicate acknowledgements of that are no sign of a loss.
    recover : Out(32)
        What had been sent then.
    resend : Out(1)
        Pulse: the oldest packet is to be sent again, 1 cycle after the acknowledgement.

    No congestion window: what an order session has in flight is a few hundred bytes, and the peer's window bounds it.
    """

    clear: In(1)
    next: In(32)
    duplicate: In(1)
    fresh: In(1)
    recovered: In(1)
    timed_out: In(1)
    recover: Out(32)
    resend: Out(1)

    def elaborate(self, platform):
        m = Module()
        duplicates, recovering = Signal(range(DUPLICATES + 1)), Signal()
        m.d.sync += self.resend.eq(0)
        with m.If(self.fresh):
            again = recovering & ~self.recovered
            m.d.sync += [duplicates.eq(0), recovering.eq(again), self.resend.eq(again)]
        with m.Elif(self.duplicate & (duplicates != DUPLICATES)):
            m.d.sync += duplicates.eq(duplicates + 1)
            with m.If((duplicates == DUPLICATES - 1) & self.recovered & ~recovering):
                m.d.sync += [recovering.eq(1), self.recover.eq(self.next), self.resend.eq(1)]
        with m.If(self.timed_out | self.clear):
            m.d.sync += [duplicates.eq(0), recovering.eq(0), self.recover.eq(self.next)]
        return m
