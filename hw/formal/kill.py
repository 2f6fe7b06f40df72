"""Kill asserted: no order leaves."""

from amaranth.hdl import Assert, Const, Module, Signal
from amaranth.lib import stream, wiring
from amaranth.lib.wiring import In, Out

from hw.ouch.message import Kind, OrderFields, Outbound
from hw.risk.gate import Bounds, Exposure, Order, RiskGate, State
from hw.risk.release import Direct, Release


class KillStopsOrders(wiring.Component):
    """Gate and release as the trader connects them, with all else free.

    Asserted, for every sequence of inputs, unbounded: an order (NEW or REPLACE) that appears at the release in a
    cycle was passed by the gate in the cycle before, with no reason against it and with the kill bit low. So once
    kill is high, no order appears from the next cycle on.

    Parameters
    ----------
    mutation : str, optional
        ``kill``: the gate does not see the kill bit. ``decision``: the release does not look at the gate's decision.
        Either must be caught.
    """

    def __init__(self, mutation: str | None = None):
        if mutation not in (None, "kill", "decision"):
            raise ValueError(f"{mutation!r} is no mutation of this proof")
        self.mutation = mutation
        super().__init__(
            {
                "kill": In(1),
                "start": In(1),
                "wanted": In(1),
                "order": In(Order),
                "state": In(State),
                "bounds": In(Bounds),
                "exposure": In(Exposure),
                "fields": In(OrderFields),
                "direct": In(stream.Signature(Direct)),
                "o": Out(stream.Signature(Outbound)),
            }
        )

    def elaborate(self, platform):
        m = Module()
        m.submodules.gate = gate = RiskGate()
        m.submodules.release = release = Release()
        m.d.comb += [
            gate.kill.eq(Const(0) if self.mutation == "kill" else self.kill),
            gate.start.eq(self.start),
            gate.order.eq(self.order),
            gate.state.eq(self.state),
            gate.bounds.eq(self.bounds),
            gate.exposure.eq(self.exposure),
            release.passed.eq(gate.done if self.mutation == "decision" else gate.passed),
            release.wanted.eq(self.wanted),
            release.replace.eq(self.order.replace),
            release.order.eq(self.fields),
        ]
        wiring.connect(m, wiring.flipped(self.direct), release.direct)
        wiring.connect(m, release.o, wiring.flipped(self.o))

        killed, refused, standing = Signal(), Signal(), Signal()
        m.d.sync += [
            killed.eq(self.kill),
            refused.eq(~gate.done | gate.mask.any()),
            standing.eq(self.o.valid & ~self.o.ready),
        ]
        is_order = (self.o.payload.kind == Kind.NEW) | (self.o.payload.kind == Kind.REPLACE)
        appears = self.o.valid & ~standing & is_order
        m.d.comb += [Assert(~(appears & killed)), Assert(~(appears & refused))]
        return m
