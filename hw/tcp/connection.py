"""The state machine of a connection (RFC 9293 sections 3.6 and 3.10): commands, segments and time."""

from amaranth.hdl import Module, Mux, Signal
from amaranth.lib import wiring
from amaranth.lib.wiring import In, Out

from hw.tcp.decide import Decision, one_of
from hw.tcp.judge import Judged
from hw.tcp.segment import State

SENDING = (State.ESTABLISHED, State.CLOSE_WAIT)
OPENING = (State.SYN_SENT, State.SYN_RECEIVED)
RESETTING = (State.SYN_RECEIVED, State.ESTABLISHED, State.FIN_WAIT_1, State.FIN_WAIT_2, State.CLOSE_WAIT)

PREPARING = 4
"""Cycles from the peer's SYN until headers that acknowledge it are prepared, less those from ``permit`` to a packet."""

PULSES = (
    "open_window", "acknowledge", "update", "fin", "owed", "urgent", "duplicate",
    "send_syn", "send_fin", "send_probe", "send_reset", "resend", "restart",
    "reset_received", "closed", "timed_out", "count_out_of_order", "count_resets", "count_resent",
)  # fmt: skip


class Connection(wiring.Component):
    """Opens, keeps and closes one connection.

    Parameters
    ----------
    retries : int
        Time-outs in a row without an answer, after which the next ends the connection.

    Members
    -------
    connect, close, abort : In(1)
        Pulses. ``connect`` is for a closed connection and waits until what was received before is taken; ``close`` and
        ``abort`` are for any other, and take back a ``connect`` that waits.
    begin, judging, good, judged : In
        A segment is being compared; a verdict comes in the next cycle; it is good, and ``judged`` is about it. ``begin``
        comes 3 cycles after ``good`` or later.
    drained : In(1)
        All bytes received are taken.
    stopped : In(1)
        No packet is taken, now or, as long as ``permit`` is low, later; every one that was is counted as sent.
    outstanding, narrow : In(1)
        Something is not acknowledged; the longest packet does not fit the window.
    next : In(32)
        The sequence number behind all that was sent.
    reset_waits : In(1)
        A RST is still to be sent.
    expired : In(1)
        Pulse: the timer's.
    state : Out(State)
    receive_next : Out(32)
    window, window_sequence : Out(16), Out(32)
        The peer's window as it said last, and in which segment.
    fin_sent : Out(1)
    permit : Out(1)
        Packets may be taken.
    clear : Out(1)
        Nothing but the SYN was sent.
    open_window, acknowledge, update, fin : Out(1)
        Pulses for the send window; ``acknowledge`` and ``update`` with what is in ``judged``.
    take : Out(16)
        So many bytes are taken from the segment; 0 in most cycles.
    owed, urgent : Out(1)
        Pulses: an acknowledgement may wait, or not. In the next cycle ``receive_next`` is what it says.
    duplicate : Out(1)
        Pulse: a duplicate acknowledgement.
    send_syn, send_fin, send_probe, send_reset, resend : Out(1)
        Pulses: what is to be sent. ``resend`` is for all packets that are not acknowledged.
    reset_sequence, reset_acknowledges : Out
        With ``send_reset``.
    run, lingering, restart : Out(1)
        For the timer.
    reset_received, closed, timed_out : Out(1)
        Pulses. ``closed`` is there at every end, with another one if the peer reset the connection or did not answer.
    count_out_of_order, count_resets, count_resent : Out(1)
        Pulses: a segment behind a hole, a RST that came in, whether believed or not, a SYN or FIN that is sent again.

    A segment takes effect in the second cycle after ``good``. Commands and the timer wait for it.
    """

    def __init__(self, retries: int = 8):
        if retries < 1:
            raise ValueError(f"retries is {retries}, not 1 or more")
        self.retries = retries
        # A segment does not count; ``connect`` waits. Proofs look at them (hw.formal.tcp).
        self.stale, self.connect_waits = Signal(), Signal()
        super().__init__(
            {
                "connect": In(1),
                "close": In(1),
                "abort": In(1),
                "begin": In(1),
                "judging": In(1),
                "good": In(1),
                "judged": In(Judged),
                "drained": In(1),
                "stopped": In(1),
                "outstanding": In(1),
                "narrow": In(1),
                "next": In(32),
                "reset_waits": In(1),
                "expired": In(1),
                "state": Out(State),
                "receive_next": Out(32),
                "window": Out(16),
                "window_sequence": Out(32),
                "fin_sent": Out(1),
                "permit": Out(1),
                "clear": Out(1),
                "take": Out(16),
                "reset_sequence": Out(32),
                "reset_acknowledges": Out(1),
                "run": Out(1),
                "lingering": Out(1),
                **{name: Out(1) for name in PULSES},
            }
        )

    def elaborate(self, platform):
        m = Module()
        m.submodules.decision = decision = Decision()
        state, judged = self.state, self.judged
        header = judged.header
        probing, alive = Signal(), Signal()
        m.d.comb += alive.eq(state != State.CLOSED)
        m.d.sync += probing.eq(one_of(state, SENDING) & ~self.outstanding & self.narrow)
        m.d.comb += [
            self.clear.eq(one_of(state, (State.CLOSED, *OPENING))),
            self.lingering.eq(state == State.TIME_WAIT),
            self.run.eq(alive & (self.outstanding | probing | self.lingering)),
        ]

        # A segment that was compared before the connection was opened says nothing to it.
        stale, acting, connects = self.stale, Signal(), Signal()
        with m.If(self.begin):
            m.d.sync += stale.eq(state == State.CLOSED)
        with m.Elif(connects):
            m.d.sync += stale.eq(1)
        m.d.comb += [
            decision.good.eq(self.good & ~(stale & alive)),
            decision.judged.eq(judged),
            decision.state.eq(state),
            decision.outstanding.eq(self.outstanding),
        ]
        m.d.sync += [acting.eq(self.good), self.count_resets.eq(self.good & header.rst)]
        m.d.comb += [
            self.take.eq(decision.take),
            self.count_out_of_order.eq(decision.early),
            *(
                getattr(self, name).eq(getattr(decision, name))
                for name in ("acknowledge", "update", "duplicate", "owed", "urgent")
            ),
        ]

        retries, late = Signal(range(self.retries + 1)), Signal()
        connect, close, abort = self.connect_waits, Signal(name="close_wanted"), Signal(name="abort_wanted")
        preparing = Signal(range(PREPARING + 1))
        m.d.sync += self.permit.eq(one_of(state, SENDING) & ~close & ~abort & (preparing == 0))
        with m.If(decision.syn):
            m.d.sync += preparing.eq(PREPARING)
        with m.Elif(preparing != 0):
            m.d.sync += preparing.eq(preparing - 1)

        def end(*pulses):
            m.d.comb += [self.closed.eq(1), *(pulse.eq(1) for pulse in pulses)]
            m.d.sync += [state.eq(State.CLOSED), close.eq(0), abort.eq(0), late.eq(0)]

        # -- the segment ------------------------------------------------------------------------------------------
        with m.If(decision.moves):
            m.d.sync += state.eq(decision.next_state)
            with m.If(decision.next_state == State.CLOSED):
                end()
        m.d.comb += self.reset_received.eq(decision.reset)
        with m.If(decision.syn):
            m.d.sync += self.receive_next.eq(judged.after)
            m.d.comb += self.send_syn.eq(~header.ack)
        with m.Else():
            m.d.sync += self.receive_next.eq(self.receive_next + decision.take + decision.fin)
        with m.If(decision.update | decision.syn):
            m.d.sync += [self.window.eq(header.window), self.window_sequence.eq(header.sequence)]
        with m.If(decision.alive | decision.acknowledge):
            m.d.sync += [retries.eq(0), late.eq(0)]
        with m.If(decision.refuse):
            m.d.comb += [
                self.send_reset.eq(1),
                self.reset_sequence.eq(Mux(header.ack, header.acknowledgment, 0)),
                self.reset_acknowledges.eq(~header.ack),
            ]
            with m.If(state == State.CLOSED):
                m.d.sync += self.receive_next.eq(Mux(header.ack, 0, judged.after))
        m.d.comb += self.restart.eq(decision.acknowledge | decision.repeated)

        # -- time and commands: decided in one cycle, done in the next, and in neither a segment is ---------------------
        expires, aborts, closes = (Signal(name=name) for name in ("expires", "aborts", "closes"))
        quiet = ~(self.judging | self.good | acting | expires | aborts | closes | connects)
        ready_to_stop = quiet & ~late & self.stopped & alive
        m.d.sync += [
            expires.eq(quiet & late),
            aborts.eq(ready_to_stop & abort),
            closes.eq(ready_to_stop & ~abort & close & ((state == State.SYN_SENT) | one_of(state, SENDING))),
            connects.eq(quiet & connect & self.drained & ~self.reset_waits & ~alive),
        ]
        given_up = Signal()
        m.d.sync += given_up.eq(retries == self.retries)
        with m.If(self.expired):
            m.d.sync += late.eq(1)
        with m.If(expires):
            m.d.sync += late.eq(0)
            with m.If(self.lingering):
                end()
            with m.Elif(self.run & given_up):
                end(self.timed_out)
            with m.Elif(self.run):
                m.d.sync += retries.eq(retries + 1)
                with m.If(one_of(state, OPENING)):
                    m.d.comb += [self.send_syn.eq(1), self.count_resent.eq(1)]
                with m.Elif(self.outstanding):
                    m.d.comb += [self.resend.eq(1), self.send_fin.eq(self.fin_sent), self.count_resent.eq(self.fin_sent)]
                with m.Else():
                    m.d.comb += self.send_probe.eq(1)
        with m.If(aborts):
            m.d.comb += [
                self.send_reset.eq(one_of(state, RESETTING)),
                self.reset_sequence.eq(self.next),
                self.reset_acknowledges.eq(1),
            ]
            end()
        with m.If(closes):
            with m.If(state == State.SYN_SENT):
                end()
            with m.Else():
                m.d.comb += [self.fin.eq(1), self.send_fin.eq(1)]
                m.d.sync += [
                    self.fin_sent.eq(1),
                    close.eq(0),
                    state.eq(Mux(state == State.ESTABLISHED, State.FIN_WAIT_1, State.LAST_ACK)),
                ]
        with m.If(connects):
            m.d.comb += [self.open_window.eq(1), self.send_syn.eq(1)]
            m.d.sync += [
                state.eq(State.SYN_SENT),
                connect.eq(0),
                retries.eq(0),
                late.eq(0),
                self.fin_sent.eq(0),
                self.receive_next.eq(0),
            ]
        with m.If(~alive):
            m.d.sync += [close.eq(0), abort.eq(0)]
            with m.If(self.connect & ~connects):
                m.d.sync += connect.eq(1)
            with m.If(self.close | self.abort):
                m.d.sync += connect.eq(0)
        with m.Else():
            with m.If(self.close & ~self.fin_sent):
                m.d.sync += close.eq(1)
            with m.If(self.abort):
                m.d.sync += abort.eq(1)
        return m
