"""The one way to the order port."""

from amaranth.hdl import Module, Mux
from amaranth.lib import data, enum, stream, wiring
from amaranth.lib.wiring import In, Out

from hw.ouch.message import Body, Kind, OrderFields, Outbound


class Harmless(enum.Enum, shape=2):
    """What needs no gate, because it adds no risk. There is no code here for an order."""

    CANCEL = 0
    LOGIN = 1
    LOGOUT = 2
    HEARTBEAT = 3


class Direct(data.Struct):
    """A message that needs no gate."""

    kind: Harmless
    body: Body


class Release(wiring.Component):
    """What may leave: orders that the gate has just passed, and messages that need no gate.

    Members
    -------
    passed : In(1)
        The gate's decision in this cycle: the order may go. ``ready`` must have been high when it was started.
    wanted : In(1)
        The order is to go if it may: the gate may be asked before that is known.
    replace : In(1)
        The order is a REPLACE, else a NEW.
    order : In(OrderFields)
        The order that was judged.
    direct : In(stream of Direct)
        Messages that need no gate.
    stamp, cause : In(64)
        Of the item at work.
    ready : Out(1)
        An order or a message can be taken.
    o : Out(stream of Outbound)

    Latency 1 cycle. An order that was passed is never taken back: it stands at ``o`` until it is sent.
    """

    def __init__(self):
        super().__init__(
            {
                "passed": In(1),
                "wanted": In(1),
                "replace": In(1),
                "order": In(OrderFields),
                "direct": In(stream.Signature(Direct)),
                "stamp": In(64),
                "cause": In(64),
                "ready": Out(1),
                "o": Out(stream.Signature(Outbound)),
            }
        )

    def elaborate(self, platform):
        m = Module()
        o = self.o.payload
        goes = self.passed & self.wanted
        # An order that may still go keeps others out, whatever becomes of it: no path from the gate to who waits here.
        m.d.comb += [self.ready.eq(~self.o.valid), self.direct.ready.eq(self.ready & ~self.wanted)]
        with m.If(self.o.ready):
            m.d.sync += self.o.valid.eq(0)
        with m.If(self.ready & (goes | (self.direct.valid & ~self.wanted))):
            m.d.sync += [self.o.valid.eq(1), o.stamp.eq(self.stamp), o.cause.eq(self.cause)]
        with m.If(self.ready):
            with m.If(self.wanted):
                m.d.sync += [o.kind.eq(Mux(self.replace, Kind.REPLACE, Kind.NEW)), o.body.order.eq(self.order)]
            with m.Else():
                m.d.sync += o.body.eq(self.direct.payload.body)
                with m.Switch(self.direct.payload.kind):
                    for each in Harmless:
                        with m.Case(each):
                            m.d.sync += o.kind.eq(Kind[each.name])
        return m
