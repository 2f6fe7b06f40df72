"""What may be sent: RFC 9293's send variables, and whether the next packet fits the peer's window."""

from amaranth.hdl import Module, Signal
from amaranth.lib import wiring
from amaranth.lib.wiring import In, Out

from hw.streams import Beat
from hw.tcp.segment import LONGEST_PACKET
from hw.tcp.template import SOUP_LENGTH_BYTES

SETTLE = 2
"""Cycles from the variables to what ``open`` is made of."""


class SendWindow(wiring.Component):
    """Keeps SND.UNA, SND.NXT and the window's edge, and opens the way for a packet that fits.

    Members
    -------
    begin : In(1)
        Pulse: the connection begins with ``initial_sequence``, the SYN counted as sent. The window is empty.
    initial_sequence : In(32)
    permit : In(1)
        The connection takes packets.
    room : In(1)
        There is a place to keep one.
    send : In(Beat), offered : In(1)
        The first beat of the packet that waits, if one does; of no meaning while one is coming in.
    busy : In(1)
        A frame is being built, so that no packet is taken.
    accepted, length : In(1), In(7)
        Pulse: a packet of so many bytes was taken in the cycle before.
    fin : In(1)
        Pulse: the FIN is sent, never together with ``accepted``.
    acknowledge, acknowledgment : In(1), In(32)
        Pulse: the peer has acknowledged all before this number, which is not beyond ``next``.
    update, edge, shrinks : In(1), In(32), In(1)
        Pulse: from this number on the peer's window is closed; that is less than before.
    unacknowledged, next, window_edge : Out(32)
    outstanding : Out(1)
        Something is not acknowledged. 1 cycle behind.
    bytes : Out(32)
        How much. 1 cycle behind.
    narrow : Out(1)
        The longest packet would not fit.
    open : Out(1)
        The packet at ``send`` may be taken in this cycle: it fits.
    count_window_full : Out(1)
        Pulse: a packet finds the window too small for it.

    When the window is wide enough for any packet ``open`` is there before a packet is; else 1 cycle after it. It follows
    the variables in 3 cycles, and goes in the very cycle in which a window shrinks.
    """

    def __init__(self):
        super().__init__(
            {
                "begin": In(1),
                "initial_sequence": In(32),
                "permit": In(1),
                "room": In(1),
                "send": In(Beat),
                "offered": In(1),
                "busy": In(1),
                "accepted": In(1),
                "length": In(7),
                "fin": In(1),
                "acknowledge": In(1),
                "acknowledgment": In(32),
                "update": In(1),
                "edge": In(32),
                "shrinks": In(1),
                "unacknowledged": Out(32),
                "next": Out(32),
                "window_edge": Out(32),
                "outstanding": Out(1),
                "bytes": Out(32),
                "narrow": Out(1),
                "open": Out(1),
                "count_window_full": Out(1),
            }
        )

    def elaborate(self, platform):
        m = Module()
        with m.If(self.accepted):
            m.d.sync += self.next.eq(self.next + self.length)
        with m.Elif(self.fin):
            m.d.sync += self.next.eq(self.next + 1)
        with m.If(self.acknowledge):
            m.d.sync += self.unacknowledged.eq(self.acknowledgment)
        with m.If(self.update):
            m.d.sync += self.window_edge.eq(self.edge)

        distance = Signal(32)
        m.d.sync += [
            distance.eq(self.window_edge - self.next),
            self.bytes.eq(self.next - self.unacknowledged),
            self.outstanding.eq(self.next != self.unacknowledged),
        ]
        wide, small, level = Signal(), Signal(), Signal(range(LONGEST_PACKET))
        m.d.sync += [
            wide.eq(~distance[31] & (distance >= LONGEST_PACKET)),
            small.eq(~distance[31] & (distance < LONGEST_PACKET)),
            level.eq(distance),
        ]
        m.d.comb += self.narrow.eq(~wide)

        # ``level`` is compared with a packet that already waits: it stays the same until it is taken.
        length = self.send.data[8:14] + SOUP_LENGTH_BYTES
        fits, settling = Signal(), Signal(range(SETTLE + 1))
        m.d.comb += fits.eq(wide | (small & self.offered & (length <= level)))
        with m.If(settling != 0):
            m.d.sync += settling.eq(settling - 1)
        m.d.sync += self.open.eq(fits & self.permit & self.room & (settling == 0))

        refused, counted = Signal(), Signal()
        m.d.sync += refused.eq(self.offered & ~self.busy & self.permit & (settling == 0) & ~fits)
        m.d.comb += self.count_window_full.eq(refused & ~counted)
        with m.If(refused):
            m.d.sync += counted.eq(1)
        with m.If(self.accepted | self.begin):
            m.d.sync += counted.eq(0)

        with m.If(self.update & self.shrinks):
            m.d.sync += [settling.eq(SETTLE), self.open.eq(0)]
        with m.If(self.begin):
            m.d.sync += [
                self.unacknowledged.eq(self.initial_sequence),
                self.next.eq(self.initial_sequence + 1),
                self.window_edge.eq(self.initial_sequence + 1),
                settling.eq(SETTLE),
                self.open.eq(0),
            ]
        return m
