"""Between the order session and its connection: no order waits for a connection, no session outlives one."""

from amaranth.hdl import Array, Const, Module, Mux, Signal
from amaranth.lib import stream, wiring
from amaranth.lib.wiring import In, Out

from hw.streams import BEAT_BYTES, Beat
from hw.tcp.segment import State
from wire.records import RECORD_LENGTH, Opcode, command
from wire.soupbintcp import LENGTH, LOGIN_REQUEST

TYPE_BIT = 8 * LENGTH.length
TAG = 0xFFFF_FFFF
"""Of the command that the card gives itself."""


class SessionLink(wiring.Component):
    """Lets packets through to a connection that a login was sent on, and ends the session when its connection ends.

    Members
    -------
    i : In(stream of Beat)
        SoupBinTCP packets, one per ``last``.
    o : Out(stream of Beat)
        Those that go out, unchanged.
    state : In(State)
        The connection's.
    closed : In(1)
        Pulse: the connection has ended.
    command : Out(stream of Beat)
        SESSION_DOWN with the tag 0xFFFFFFFF, for the card's command port, when a connection ends that a login was sent on.
    login : Out(1)
        One was sent on this connection.
    count_packets_unsent : Out(1)
        Pulse: a packet was dropped.

    A packet that finds no connection is taken and dropped, and so is one that is not a Login Request on a connection without
    one: an order that was made for a session that is gone never reaches the next. A packet that has begun is never cut.

    No latency. ``i`` waits for ``o``, and for nothing when there is no connection.
    """

    i: In(stream.Signature(Beat))
    o: Out(stream.Signature(Beat))
    state: In(State)
    closed: In(1)
    command: Out(stream.Signature(Beat))
    login: Out(1)
    count_packets_unsent: Out(1)

    def __init__(self):
        super().__init__()
        # A packet is to begin; the rest of this one is dropped. Proofs look at it (hw.formal.session).
        self.first, self.dropping = Signal(init=1), Signal()

    def elaborate(self, platform):
        m = Module()
        first, dropping = self.first, self.dropping
        is_login, may, passes = Signal(), Signal(), Signal()
        m.d.comb += [
            is_login.eq(self.i.payload.data[TYPE_BIT:][:8] == ord(LOGIN_REQUEST.code)),
            may.eq((self.state != State.CLOSED) & (self.login | is_login)),
            passes.eq(Mux(first, may, ~dropping)),
            self.o.payload.eq(self.i.payload),
            self.o.valid.eq(self.i.valid & passes),
            self.i.ready.eq(~passes | self.o.ready),
        ]
        moves = self.i.valid & self.i.ready
        m.d.sync += self.count_packets_unsent.eq(moves & first & ~may)
        with m.If(moves):
            m.d.sync += first.eq(self.i.payload.last)
            with m.If(first):
                m.d.sync += dropping.eq(~may)
                with m.If(may):
                    m.d.sync += self.login.eq(1)

        record = command(Opcode.SESSION_DOWN, tag=TAG)
        beats = Array(
            Const(int.from_bytes(record[at : at + BEAT_BYTES], "little"), 64) for at in range(0, RECORD_LENGTH, BEAT_BYTES)
        )
        ended, at = Signal(), Signal(range(len(beats)))
        m.d.comb += [
            self.command.valid.eq(ended),
            self.command.payload.data.eq(beats[at]),
            self.command.payload.last.eq(at == len(beats) - 1),
            self.command.payload.count.eq(BEAT_BYTES),
        ]
        with m.If(ended & self.command.ready):
            m.d.sync += [at.eq(at + 1), ended.eq(at != len(beats) - 1)]
        with m.If(self.closed):
            m.d.sync += self.login.eq(0)
            with m.If(self.login | (moves & first & may)):
                m.d.sync += ended.eq(1)
        return m
