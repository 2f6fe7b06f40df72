"""TCP: what is sent for the first time."""

from amaranth.hdl import Assert, Assume, Const, Module, Mux, Signal
from amaranth.lib import wiring
from amaranth.lib.wiring import In, Out

from hw.streams import Beat
from hw.tcp.connection import OPENING, SENDING, Connection
from hw.tcp.decide import one_of
from hw.tcp.judge import LATENCY, Judge
from hw.tcp.segment import LONGEST_PACKET, Header, State
from hw.tcp.send_window import SendWindow
from hw.tcp.template import SOUP_LENGTH_BYTES, Template

FRAME_CYCLES = 7
"""A frame is being built for as long at least: it has 7 beats, a packet's frame has 8."""

HEADER_GAP, VERDICT_GAP, VERDICT_WAIT = 7, 3, 4
"""Cycles from one header to the next, from a verdict to the next header, and from a header to its verdict, at least."""

FARTHEST = (1 << 16) + LONGEST_PACKET
"""What may be unacknowledged at most: the largest window, and a FIN beyond it."""


def packet_length(data):
    """Of the SoupBinTCP packet that begins with a beat."""
    return data[8:14] + SOUP_LENGTH_BYTES


class Line(wiring.Component):
    """The transmitter's part in the proofs: it takes a packet that may go, and is busy with it for a while.

    Members
    -------
    offered, data, may : In
        A packet's first beat waits; it may be taken.
    idle : In(1)
        Free: the frame may be done.
    taken : Out(1)
    busy, accepted, length : Out
        As :class:`hw.tcp.transmit.Transmitter` has them.
    done : Out(1)
        Pulse: the frame of a packet is done.
    """

    def __init__(self, cycles: int = FRAME_CYCLES):
        self.cycles = cycles
        self.left = Signal(range(cycles))  # cycles for which a frame is being built at least
        super().__init__(
            {
                "offered": In(1),
                "data": In(64),
                "may": In(1),
                "idle": In(1),
                "taken": Out(1),
                "busy": Out(1),
                "accepted": Out(1),
                "length": Out(7),
                "done": Out(1),
            }
        )

    def elaborate(self, platform):
        m = Module()
        left = self.left
        m.d.comb += [
            self.taken.eq(self.offered & self.may & ~self.busy),
            self.done.eq(self.busy & (left == 0) & self.idle),
        ]
        m.d.sync += self.accepted.eq(self.taken)
        with m.If(self.taken):
            m.d.sync += [self.busy.eq(1), left.eq(self.cycles - 1), self.length.eq(packet_length(self.data))]
        with m.Elif(left != 0):
            m.d.sync += left.eq(left - 1)
        with m.Elif(self.idle):
            m.d.sync += self.busy.eq(0)
        m.d.comb += Assume((self.data[:8] == 0) & (self.data[8:16] >= 1) & (self.data[8:16] <= LONGEST_PACKET - 2))
        return m


class NewDataInWindow(wiring.Component):
    """Judge, connection, send window and template as the engine connects them; segments, packets, commands and time are free.

    Asserted, for every sequence of inputs, unbounded: a packet that is taken begins with the sequence number behind all that
    was sent before, and ends inside the window that the peer's last good segment left; and what is acknowledged was sent.

    Parameters
    ----------
    mutation : str, optional
        ``shrink``: a window that shrinks is not noticed in time. ``beyond``: an acknowledgement of what was never sent is
        taken. ``frame``: packets follow each other faster than sequence numbers settle. Each must be caught.
    """

    def __init__(self, mutation: str | None = None):
        if mutation not in (None, "shrink", "beyond", "frame"):
            raise ValueError(f"{mutation!r} is no mutation of this proof")
        self.mutation = mutation
        super().__init__(
            {
                "header": In(Header),
                "begin": In(1),
                "verdict": In(1),
                "receive_window": In(16),
                "initial_sequence": In(32),
                "offered": In(1),
                "send": In(Beat),
                "room": In(1),
                "idle": In(1),
                "connect": In(1),
                "close": In(1),
                "abort": In(1),
                "drained": In(1),
                "reset_waits": In(1),
                "expired": In(1),
            }
        )

    def elaborate(self, platform):
        m = Module()
        m.submodules.judge = judge = Judge()
        m.submodules.connection = connection = Connection(retries=2)
        m.submodules.window = window = SendWindow()
        m.submodules.template = template = Template(13)
        m.submodules.line = line = Line(2 if self.mutation == "frame" else FRAME_CYCLES)
        judged, expected = judge.o, judge.expected

        # Headers and verdicts come as the receiver's timing says, and a frame may be given up between the two.
        since_header, since_verdict = Signal(range(16), init=15), Signal(range(16), init=15)
        inside, begin, judging, good = Signal(), Signal(), Signal(), Signal()
        m.d.comb += [
            begin.eq(self.begin & (since_header >= HEADER_GAP - 1) & (since_verdict >= VERDICT_GAP) & ~judging),
            judging.eq(self.verdict & inside & (since_header >= VERDICT_WAIT - 2)),
        ]
        m.d.sync += [
            good.eq(judging),
            since_header.eq(Mux(begin, 0, since_header + ~since_header.all())),
            since_verdict.eq(Mux(judging, 0, since_verdict + ~since_verdict.all())),
            inside.eq((inside | begin) & ~judging),
        ]
        m.d.comb += [
            judge.header.eq(self.header),
            judge.begin.eq(begin),
            judge.window.eq(self.receive_window),
            expected.receive_next.eq(connection.receive_next),
            expected.send_unacknowledged.eq(window.unacknowledged),
            expected.send_next.eq(window.next),
            expected.window_edge.eq(window.window_edge),
            expected.window.eq(connection.window),
            expected.window_sequence.eq(connection.window_sequence),
            expected.fin_sent.eq(connection.fin_sent),
            connection.begin.eq(begin),
            connection.judging.eq(judging),
            connection.good.eq(good),
            connection.judged.eq(judged),
            connection.stopped.eq(~connection.permit & ~window.open & ~line.accepted),
            connection.outstanding.eq(window.outstanding),
            connection.narrow.eq(window.narrow),
            connection.next.eq(window.next),
            *(
                getattr(connection, name).eq(getattr(self, name))
                for name in ("connect", "close", "abort", "drained", "reset_waits", "expired")
            ),
            window.begin.eq(connection.open_window),
            window.initial_sequence.eq(self.initial_sequence),
            window.permit.eq(connection.permit),
            window.room.eq(self.room),
            window.send.eq(self.send),
            window.offered.eq(self.offered),
            window.busy.eq(line.busy),
            window.accepted.eq(line.accepted),
            window.length.eq(line.length),
            window.fin.eq(connection.fin),
            window.acknowledge.eq(connection.acknowledge),
            window.acknowledgment.eq(judged.header.acknowledgment),
            window.update.eq(connection.update),
            window.edge.eq(judged.edge),
            window.shrinks.eq(Const(0) if self.mutation == "shrink" else judged.shrinks),
            template.sequence.eq(window.next),
            line.offered.eq(self.offered),
            line.data.eq(self.send.data),
            line.may.eq(window.open),
            line.idle.eq(self.idle),
        ]
        if self.mutation == "beyond":
            m.d.comb += connection.judged.beyond.eq(0)

        # A packet that waits stays the same until it is taken.
        waited, waiting = Signal(), Signal(64)
        m.d.sync += [waited.eq(self.offered & ~line.taken), waiting.eq(self.send.data)]
        m.d.comb += Assume(~waited | (self.offered & (self.send.data == waiting)))

        # The properties. ``sent`` is the number behind everything that was taken, counted apart; ``advertised`` is the edge
        # in the last good segment whose window counts.
        sent, advertised, opened = Signal(32), Signal(32), Signal()
        with m.If(line.taken):
            m.d.sync += sent.eq(sent + packet_length(self.send.data))
        with m.If(connection.fin):
            m.d.sync += sent.eq(sent + 1)
        with m.If(connection.update):
            m.d.sync += advertised.eq(judged.header.acknowledgment + judged.header.window)
        with m.If(connection.open_window):
            m.d.sync += [sent.eq(self.initial_sequence + 1), advertised.eq(self.initial_sequence + 1), opened.eq(1)]
        room = Signal(32)
        m.d.comb += room.eq(advertised - window.next)
        with m.If(line.taken):
            m.d.comb += [
                Assert(template.o.sequence == sent),
                Assert(~room[31] & (room >= packet_length(self.send.data))),
            ]
        flying = Signal(32)
        m.d.comb += [flying.eq(window.next - window.unacknowledged), Assert(flying <= FARTHEST)]

        # What makes them inductive: the window's edge is what was advertised and is not far from what is acknowledged;
        # numbers are counted alike; the judge's answers stay true until they are used.
        pending, ahead, behind = Signal(7), Signal(32), Signal(32)
        m.d.comb += [
            pending.eq(Mux(line.accepted, line.length, 0)),
            ahead.eq(window.window_edge - window.unacknowledged),
            behind.eq(window.next + pending - window.window_edge),
            Assert(window.window_edge == advertised),
            Assert((ahead + (1 << 17))[:32] <= (1 << 17) + (1 << 16)),
            Assert(behind[31] | (behind <= (1 << 16) + connection.fin_sent)),
            Assert(sent == (window.next + pending)[:32]),
            Assert(flying + pending <= (1 << 16) + connection.fin_sent),
        ]
        stale, used = Signal(), Signal()
        with m.If(begin):
            m.d.sync += stale.eq(connection.state == State.CLOSED)
        with m.Elif(connection.open_window):
            m.d.sync += stale.eq(1)
        m.d.comb += [
            Assert(stale == connection.stale),
            Assert(~connection.connect_waits | (connection.state == State.CLOSED)),
            Assert(~connection.fin_sent | ~one_of(connection.state, (*OPENING, *SENDING))),
        ]
        ignored = stale | (connection.state == State.CLOSED)
        m.d.comb += used.eq((inside | good) & (since_header >= LATENCY - 1) & ~ignored)
        news = Signal(32)
        m.d.comb += news.eq(judged.header.acknowledgment - window.unacknowledged)
        with m.If(used):
            m.d.comb += [
                Assert(judged.edge == (judged.header.acknowledgment + judged.header.window)[:32]),
                Assert(judged.old == news[31]),
                Assert(judged.fresh == (~news[31] & (news != 0))),
                Assert(judged.old | judged.beyond | (news <= flying)),
                Assert(~judged.complete | (news <= flying)),
                Assert(judged.shrinks == (judged.edge - window.window_edge)[31]),
            ]
        return m
