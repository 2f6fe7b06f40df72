"""The order session and its connection: nothing leaves that was made for another one."""

from amaranth.hdl import Assert, Assume, Const, Module, Signal
from amaranth.lib import stream, wiring
from amaranth.lib.wiring import In, Out, connect, flipped

from hw.streams import Beat
from hw.tcp.segment import State
from hw.tcp.session_link import TYPE_BIT, SessionLink


class OrdersNeedALogin(wiring.Component):
    """The link between session and connection, with packets, line and connection free.

    Asserted, for every sequence of inputs, unbounded: the first packet that leaves on a connection is a Login Request; a packet
    leaves only on a connection that is not closed, whole, and in the cycle in which it is taken; nothing waits for a connection
    that is closed; and when a connection ends that a packet left on, the card is told to end the session.

    Parameters
    ----------
    mutation : str, optional
        ``end``: the link does not see that a connection ends. ``type``: it takes every packet for a Login Request. Either must be
        caught.
    """

    def __init__(self, mutation: str | None = None):
        if mutation not in (None, "end", "type"):
            raise ValueError(f"{mutation!r} is no mutation of this proof")
        self.mutation = mutation
        super().__init__(
            {
                "i": In(stream.Signature(Beat)),
                "o": Out(stream.Signature(Beat)),
                "command": Out(stream.Signature(Beat)),
                "state": In(State),
                "closed": In(1),
            }
        )

    def elaborate(self, platform):
        m = Module()
        m.submodules.link = link = SessionLink()
        connect(m, flipped(self.i), link.i)
        connect(m, link.o, flipped(self.o))
        connect(m, link.command, flipped(self.command))
        m.d.comb += [link.state.eq(self.state), link.closed.eq(Const(0) if self.mutation == "end" else self.closed)]
        is_login = self.i.payload.data[TYPE_BIT:][:8] == ord("L")
        if self.mutation == "type":
            m.d.comb += link.i.payload.data[TYPE_BIT:][:8].eq(ord("L"))

        # What is offered stays. A connection that was there and is not has ended, and is not there before it was opened.
        offered, before = Signal(), Signal(Beat)
        m.d.sync += [offered.eq(self.i.valid & ~self.i.ready), before.eq(self.i.payload)]
        m.d.comb += Assume(~offered | (self.i.valid & (self.i.payload.as_value() == before.as_value())))
        was_open, ended = Signal(), Signal()
        open_now = self.state != State.CLOSED
        m.d.sync += [was_open.eq(open_now), ended.eq(self.closed)]
        m.d.comb += [Assume(ended == (was_open & ~open_now)), Assume(~self.closed | open_now)]

        first, logged, leaving, told = Signal(init=1), Signal(), Signal(), Signal()
        taken, leaves = self.i.valid & self.i.ready, self.o.valid & self.o.ready
        with m.If(taken):
            m.d.sync += first.eq(self.i.payload.last)
            with m.If(first):
                m.d.sync += leaving.eq(leaves)
        begins = self.o.valid & first
        with m.If(leaves & first):
            m.d.sync += logged.eq(1)
        with m.If(self.closed):
            m.d.sync += logged.eq(0)
        m.d.sync += told.eq(self.closed & (logged | (leaves & first)))
        m.d.comb += [
            Assert(~begins | open_now),
            Assert(~begins | logged | is_login),
            Assert(~self.o.valid | (self.i.valid & (self.o.payload.data == self.i.payload.data))),
            Assert(leaves == (taken & (first & self.o.valid | ~first & leaving))),
            Assert(open_now | ~first | self.i.ready),
            Assert(~told | self.command.valid),
            # What makes it inductive.
            Assert(logged == link.login),
            Assert(first == link.first),
            Assert(first | (leaving == ~link.dropping)),
            Assert(~logged | open_now),
        ]
        return m
