"""The way to the exchange: its MAC address, then the connection."""

from amaranth.hdl import Module, Signal
from amaranth.lib import stream, wiring
from amaranth.lib.wiring import In, Out

from hw.net.local.arp import Resolved

SETTLE = 15
"""Cycles that the engine's addresses stand before it connects; it asks for 8."""


class Opening(wiring.Component):
    """Resolves the exchange's address and has the connection opened.

    Members
    -------
    connect : In(1)
        Pulse. Ignored unless the connection is closed and no way is being looked for.
    closed : In(1)
        The connection is closed.
    address : In(32)
        The exchange's.
    resolve, resolved
        The port's :class:`hw.net.local.responder.LocalResponder`.
    mac : Out(48)
        The next hop's MAC address, held until the next one.
    open : Out(1)
        Pulse, for :class:`hw.tcp.engine.TcpEngine`.
    busy : Out(1)
        The way is being looked for.
    unreachable : Out(1)
        The last ``connect`` found none.
    count_connections_refused : Out(1)
        Pulse: it found none.

    ``open`` comes 17 cycles after the answer.
    """

    connect: In(1)
    closed: In(1)
    address: In(32)
    resolve: Out(stream.Signature(32))
    resolved: In(stream.Signature(Resolved))
    mac: Out(48)
    open: Out(1)
    busy: Out(1)
    unreachable: Out(1)
    count_connections_refused: Out(1)

    def elaborate(self, platform):
        m = Module()
        answer, left = self.resolved.payload, Signal(range(SETTLE + 1))
        m.d.comb += self.resolve.payload.eq(self.address)
        m.d.sync += [self.open.eq(0), self.count_connections_refused.eq(0)]
        with m.FSM() as fsm:
            m.d.comb += self.busy.eq(~fsm.ongoing("REST"))
            with m.State("REST"), m.If(self.connect & self.closed):
                m.d.sync += self.unreachable.eq(0)
                m.next = "ASK"
            with m.State("ASK"):
                m.d.comb += self.resolve.valid.eq(1)
                with m.If(self.resolve.ready):
                    m.next = "HEAR"
            with m.State("HEAR"):
                m.d.comb += self.resolved.ready.eq(1)
                with m.If(self.resolved.valid):
                    m.d.sync += [self.mac.eq(answer.mac), left.eq(SETTLE)]
                    m.next = "SETTLE"
                    with m.If(~answer.found):
                        m.d.sync += [self.unreachable.eq(1), self.count_connections_refused.eq(1)]
                        m.next = "REST"
            with m.State("SETTLE"):
                m.d.sync += left.eq(left - 1)
                with m.If(left == 0):
                    m.d.sync += self.open.eq(1)
                    m.next = "LEAVE"
            with m.State("LEAVE"):  # until the engine has seen it
                m.next = "REST"
        return m
