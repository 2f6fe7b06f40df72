"""What a segment brings about: RFC 9293 section 3.10.7, with RFC 5961's answers to what may be forged."""

from amaranth.hdl import Module, Mux, Signal
from amaranth.lib import wiring
from amaranth.lib.wiring import In, Out

from hw.tcp.judge import Judged
from hw.tcp.segment import State

SYNCHRONIZED = tuple(each for each in State if each not in (State.CLOSED, State.SYN_SENT))
RECEIVING = (State.SYN_RECEIVED, State.ESTABLISHED, State.FIN_WAIT_1, State.FIN_WAIT_2)

PULSES = (
    "moves", "acknowledge", "update", "syn", "fin", "owed", "urgent", "duplicate", "refuse", "reset", "alive", "repeated",
    "early",
)  # fmt: skip


def one_of(state, states):
    """The state is one of those."""
    found = 0
    for each in states:
        found = found | (state == each)
    return found


class Decision(wiring.Component):
    """Decides about one segment.

    Members
    -------
    good : In(1)
        Pulse: ``judged`` is about a segment of this connection.
    judged : In(Judged)
        Held in the next cycle too.
    state : In(State)
    outstanding : In(1)
        Something is not acknowledged.
    moves, next_state : Out
        The state to go to.
    acknowledge : Out(1)
        The segment acknowledges something new.
    update : Out(1)
        Its window counts.
    take : Out(16)
        So many of its bytes are taken; 0 without ``good``.
    syn, fin : Out(1)
        Its SYN or its FIN is taken.
    owed, urgent : Out(1)
        It is to be acknowledged: some time, or now.
    duplicate : Out(1)
        It acknowledges nothing new, and does nothing else (RFC 5681 section 2).
    refuse : Out(1)
        It is to be answered by a RST.
    reset : Out(1)
        Its RST ends the connection.
    alive : Out(1)
        What we sent came through, or could not because the window is closed.
    repeated : Out(1)
        In TIME_WAIT: the peer's FIN again.
    early : Out(1)
        It was dropped because a hole is before it.

    All outputs are pulses in the cycle after ``good``, but ``next_state``, which is valid with ``moves``.
    """

    def __init__(self):
        super().__init__(
            {
                "good": In(1),
                "judged": In(Judged),
                "state": In(State),
                "outstanding": In(1),
                "next_state": Out(State),
                "take": Out(16),
                **{name: Out(1) for name in PULSES},
            }
        )

    def elaborate(self, platform):
        m = Module()
        judged, header, state = self.judged, self.judged.header, self.state

        def named(name, value):
            signal = Signal(name=name)
            m.d.comb += signal.eq(value)
            return signal

        synchronized = named("synchronized", one_of(state, SYNCHRONIZED))
        receiving = named("receiving", one_of(state, RECEIVING))
        half, asking = named("half", state == State.SYN_RECEIVED), named("asking", state == State.SYN_SENT)
        dishonest = named("dishonest", judged.beyond | judged.ancient)
        valid = named("valid", synchronized & judged.acceptable & ~header.rst & ~header.syn & header.ack)
        proceeds = named("proceeds", valid & ~dishonest & ~(half & ~judged.fresh))
        answered = named("answered", asking & header.syn & ~header.rst & (judged.complete | ~header.ack))
        # A RST in TIME_WAIT answers an old duplicate and must not cut the wait short (RFC 1337).
        ending = named("ending", state == State.TIME_WAIT)
        reset = named(
            "resets",
            header.rst & ((synchronized & ~ending & judged.exact) | (asking & header.ack & judged.complete)),
        )
        takes = named("takes", proceeds & receiving & judged.delivers)
        closes = named("closes", proceeds & receiving & judged.fin)
        finished = named("finished", proceeds & judged.finishes)
        challenged = synchronized & Mux(
            header.rst,
            judged.acceptable & ~judged.exact,
            header.syn | ~judged.acceptable | (header.ack & dishonest & ~half),
        )

        def now(**signals):
            m.d.sync += [getattr(self, name).eq(self.good & value) for name, value in signals.items()]

        now(
            acknowledge=(proceeds & judged.fresh) | (answered & header.ack),
            update=(proceeds & ~judged.old & judged.newer) | (answered & header.ack),
            syn=answered,
            fin=closes,
            owed=takes & ~judged.clipped & ~closes,
            urgent=challenged
            | closes
            | (answered & header.ack)
            | (proceeds & judged.occupies & (judged.clipped | ~takes)),
            duplicate=proceeds & ~judged.fresh & ~judged.old & ~judged.occupies & judged.same_window & self.outstanding,
            refuse=~header.rst
            & (
                (state == State.CLOSED)
                | (asking & header.ack & ~judged.complete)
                | (half & valid & (dishonest | ~judged.fresh))
            ),
            reset=reset,
            alive=proceeds & (judged.fresh | (header.window == 0) | ~self.outstanding),
            repeated=ending & header.fin,
            early=proceeds & judged.early,
        )
        m.d.sync += self.take.eq(Mux(self.good & takes, judged.take, 0))

        moves = Signal()
        m.d.sync += self.moves.eq(self.good & moves)

        def move(condition, target):
            with m.If(condition):
                m.d.comb += moves.eq(1)
                m.d.sync += self.next_state.eq(target)

        with m.Switch(state):
            with m.Case(State.SYN_SENT):
                move(answered, Mux(header.ack, State.ESTABLISHED, State.SYN_RECEIVED))
            with m.Case(State.SYN_RECEIVED):
                move(proceeds, Mux(closes, State.CLOSE_WAIT, State.ESTABLISHED))
            with m.Case(State.ESTABLISHED):
                move(closes, State.CLOSE_WAIT)
            with m.Case(State.FIN_WAIT_1):
                move(closes, Mux(finished, State.TIME_WAIT, State.CLOSING))
                move(finished & ~closes, State.FIN_WAIT_2)
            with m.Case(State.FIN_WAIT_2):
                move(closes, State.TIME_WAIT)
            with m.Case(State.CLOSING):
                move(finished, State.TIME_WAIT)
            with m.Case(State.LAST_ACK):
                move(finished, State.CLOSED)
        move(reset, State.CLOSED)
        return m
