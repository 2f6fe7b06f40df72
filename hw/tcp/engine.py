"""The TCP engine: one connection, opened by the card."""

from amaranth.hdl import Cat, Module, Mux, Signal
from amaranth.lib import stream, wiring
from amaranth.lib.wiring import In, Out, connect, flipped

from hw.net.mac.frame import Received
from hw.streams import Beat
from hw.tcp.connection import Connection
from hw.tcp.control import Control
from hw.tcp.judge import Judge
from hw.tcp.receive import SegmentReceiver
from hw.tcp.receive_buffer import ReceiveBuffer
from hw.tcp.recovery import Recovery
from hw.tcp.replay import Replay
from hw.tcp.segment import TIMER_BITS, State
from hw.tcp.send_window import SendWindow
from hw.tcp.template import DATA_FLAGS, Template
from hw.tcp.timer import Timer
from hw.tcp.transmit import Transmitter

COUNTERS = (
    "segments_sent", "segments_received", "retransmissions", "duplicate_acks", "out_of_order", "bad_checksum", "malformed",
    "resets", "not_ours", "window_full",
)  # fmt: skip


class TcpEngine(wiring.Component):
    """One TCP connection between the order session and an exchange.

    Parameters
    ----------
    slots : int
        Packets that may be sent and not acknowledged, plus one; a power of 2 from 4 on. 64 bytes of block RAM each.
    receive_bytes : int
        What the peer may send before it is taken; a power of 2 from 256 to 32768.
    maximum_segment : int
        The MSS that is announced: bytes of payload in the longest frame that the port takes.
    ack_delay : int
        Microseconds that an acknowledgement waits for data to travel with, at least 1.
    retries : int
        Time-outs in a row without an answer, after which the next ends the connection.

    Members
    -------
    rx : In(stream of Received, always ready)
        All frames of the order port, untagged. What is not a good segment of this connection is counted and leaves no
        trace.
    tx : Out(stream of Beat)
        Ethernet frames without padding and frame check sequence. Once one has begun, its beats come without a hole as
        long as ``ready`` is high.
    tx_fresh : Out(1)
        With the first beat of a frame: it carries a packet for the first time.
    send : In(stream of Beat)
        SoupBinTCP packets of 3 to 64 bytes, one per ``last``. Once one has begun its beats come without a hole. ``ready``
        is high when a packet can leave at once: the connection is ESTABLISHED or CLOSE_WAIT, the packet fits the peer's
        window, there is a place to keep it, and no frame is being built.
    receive : Out(stream of Beat)
        The peer's bytes, in order, each once. ``last`` where no more had come yet: always at the end of a segment. They
        stay when the connection ends.
    local_mac, remote_mac, local_address, remote_address, local_port, remote_port : In
        The two ends, and the next hop's MAC address. These and the following are held while the connection is open, and
        for 8 cycles before ``connect``.
    initial_sequence : In(32)
        Sequence number of the SYN.
    rto_initial, rto_maximum, time_wait : In(28)
        In microseconds: the first time-out, what its doubling ends at, and how long TIME_WAIT is.
    tick_us : In(1)
        Pulse each microsecond, not in two cycles running.
    connect, close, abort : In(1)
        Pulses. ``connect`` opens a closed connection, as soon as all that it received is taken and its RST is sent;
        ``close`` sends a FIN behind all packets; ``abort`` sends a RST.
    state : Out(State)
    established : Out(1)
        It is ESTABLISHED.
    remote_window : Out(16)
        The peer's window as it said last.
    unacknowledged : Out(16)
        Bytes that were sent and not acknowledged; SYN and FIN count as one.
    reset_received, closed, timed_out : Out(1)
        Pulses. ``closed`` comes at every end of a connection, together with another one if the peer reset it or gave no
        answer.
    count_... : Out(1)
        A pulse for each: frame sent; good segment received; packet, SYN or FIN sent again; duplicate acknowledgement
        (RFC 5681) received; segment dropped because a hole was before it; frame with a wrong IPv4 or TCP checksum; frame
        that was ``bad``, a fragment or of impossible lengths; RST received, believed or not; frame that is none of this
        connection; packet that found the peer's window too small.

    Latency, with an idle line: a packet's first beat at ``send`` to its frame's first beat at ``tx`` 1 cycle for packets of up
    to 48 bytes, 2 for up to 56, 3 for up to 64: the checksum in the frame's seventh beat covers the packet's last.
    Last beat at ``rx`` to first beat at ``receive`` 19 cycles, 20 unless the stream is at a multiple of 8 bytes. A beat per
    cycle in both directions; on the way in no frame is ever lost to another.

    Priority on the line: packets, then packets again, then segments without data; frames are not cut. Lost packets are sent
    again from the oldest on (go-back-N) when the time is out, one by one after three duplicate acknowledgements. A
    receiver of go-back-N too: segments behind a hole are dropped and acknowledged at once. A closed window is probed as long as
    the peer answers.
    """

    def __init__(
        self,
        *,
        slots: int = 64,
        receive_bytes: int = 4096,
        maximum_segment: int = 1460,
        ack_delay: int = 2,
        retries: int = 8,
    ):
        self.slots, self.receive_bytes, self.maximum_segment = slots, receive_bytes, maximum_segment
        self.ack_delay, self.retries = ack_delay, retries
        super().__init__(
            {
                "rx": In(stream.Signature(Received, always_ready=True)),
                "tx": Out(stream.Signature(Beat)),
                "tx_fresh": Out(1),
                "send": In(stream.Signature(Beat)),
                "receive": Out(stream.Signature(Beat)),
                "local_mac": In(48),
                "remote_mac": In(48),
                "local_address": In(32),
                "remote_address": In(32),
                "local_port": In(16),
                "remote_port": In(16),
                "initial_sequence": In(32),
                "rto_initial": In(TIMER_BITS),
                "rto_maximum": In(TIMER_BITS),
                "time_wait": In(TIMER_BITS),
                "tick_us": In(1),
                "connect": In(1),
                "close": In(1),
                "abort": In(1),
                "state": Out(State),
                "established": Out(1),
                "remote_window": Out(16),
                "unacknowledged": Out(16),
                "reset_received": Out(1),
                "closed": Out(1),
                "timed_out": Out(1),
                **{f"count_{name}": Out(1) for name in COUNTERS},
            }
        )

    def elaborate(self, platform):
        m = Module()
        m.submodules.receiver = receiver = SegmentReceiver()
        m.submodules.judge = judge = Judge()
        m.submodules.buffer = buffer = ReceiveBuffer(self.receive_bytes)
        m.submodules.connection = connection = Connection(self.retries)
        m.submodules.timer = timer = Timer()
        m.submodules.recovery = recovery = Recovery()
        m.submodules.window = window = SendWindow()
        m.submodules.control = control = Control(self.maximum_segment)
        m.submodules.template = template = Template(buffer.pointer_bits, self.ack_delay)
        m.submodules.transmitter = transmitter = Transmitter(self.slots, self.maximum_segment)
        m.submodules.replay = replay = Replay(self.slots)

        self._inward(m, receiver, judge, buffer, connection, window, recovery)
        self._outward(m, transmitter, template, window, replay, control)
        judged = judge.o

        # -- the connection and what it moves -----------------------------------------------------------------------
        stopped = Signal()
        m.d.comb += stopped.eq(~connection.permit & ~window.open & ~transmitter.accepted)
        m.d.comb += [
            connection.connect.eq(self.connect),
            connection.close.eq(self.close),
            connection.abort.eq(self.abort),
            connection.drained.eq(buffer.drained),
            connection.stopped.eq(stopped),
            connection.outstanding.eq(window.outstanding),
            connection.narrow.eq(window.narrow),
            connection.next.eq(window.next),
            connection.reset_waits.eq(control.reset_waits),
            connection.expired.eq(timer.expired),
            window.begin.eq(connection.open_window),
            window.initial_sequence.eq(self.initial_sequence),
            window.permit.eq(connection.permit),
            window.room.eq(replay.room),
            window.fin.eq(connection.fin),
            window.acknowledge.eq(connection.acknowledge),
            window.acknowledgment.eq(judged.header.acknowledgment),
            window.update.eq(connection.update),
            window.edge.eq(judged.edge),
            window.shrinks.eq(judged.shrinks),
            recovery.clear.eq(connection.clear),
            recovery.next.eq(window.next),
            recovery.duplicate.eq(connection.duplicate),
            recovery.fresh.eq(connection.acknowledge),
            recovery.recovered.eq(judged.recovered),
            recovery.timed_out.eq(connection.resend),
            replay.clear.eq(connection.clear),
            replay.start.eq(window.next),
            replay.acknowledged.eq(window.unacknowledged),
            replay.resend_all.eq(connection.resend),
            replay.resend_first.eq(recovery.resend),
            control.syn.eq(connection.send_syn),
            control.syn_acknowledges.eq(connection.state == State.SYN_RECEIVED),
            control.fin.eq(connection.send_fin),
            control.probe.eq(connection.send_probe),
            control.reset.eq(connection.send_reset),
            control.reset_sequence.eq(connection.reset_sequence),
            control.reset_acknowledges.eq(connection.reset_acknowledges),
            control.hold_fin.eq(replay.resending),
            control.clear.eq(connection.closed),
            control.next.eq(window.next),
            timer.tick_us.eq(self.tick_us),
            timer.initial.eq(self.rto_initial),
            timer.maximum.eq(self.rto_maximum),
            timer.linger.eq(self.time_wait),
            timer.run.eq(connection.run),
            timer.lingering.eq(connection.lingering),
            timer.restart.eq(connection.restart),
        ]

        # The acknowledgement number and what the window is made of are of one cycle; see ``ReceiveBuffer.window``.
        owed, urgent = Signal(2), Signal(2)
        m.d.sync += [
            template.acknowledgment.eq(connection.receive_next),
            template.offered.eq(buffer.offered),
            owed.eq(Cat(connection.owed, owed)),
            urgent.eq(Cat(connection.urgent, urgent)),
        ]
        # The peer hears of a window that has opened when it is half of the buffer more than it knows.
        news, opened = Signal(buffer.pointer_bits), Signal()
        m.d.sync += [
            news.eq(buffer.offered - template.announced),
            opened.eq((news >= self.receive_bytes // 2) & ~connection.clear),
        ]
        m.d.comb += [
            template.sequence.eq(window.next),
            template.window.eq(buffer.window),
            template.owed.eq(owed[1]),
            template.urgent.eq(urgent[1] | opened),
            template.tick_us.eq(self.tick_us),
            template.started.eq(transmitter.acknowledges),
            template.forget.eq(connection.closed),
        ]

        # -- what is seen from outside ----------------------------------------------------------------------------
        m.d.comb += [
            self.tx_fresh.eq(transmitter.fresh),
            self.state.eq(connection.state),
            self.established.eq(connection.state == State.ESTABLISHED),
            self.remote_window.eq(connection.window),
            self.unacknowledged.eq(window.bytes),
            self.reset_received.eq(connection.reset_received),
            self.closed.eq(connection.closed),
            self.timed_out.eq(connection.timed_out),
            self.count_segments_sent.eq(transmitter.started),
            self.count_segments_received.eq(receiver.good),
            self.count_retransmissions.eq(replay.request_taken | connection.count_resent),
            self.count_duplicate_acks.eq(connection.duplicate),
            self.count_out_of_order.eq(connection.count_out_of_order),
            self.count_bad_checksum.eq(receiver.count_bad_checksum),
            self.count_malformed.eq(receiver.count_malformed),
            self.count_resets.eq(connection.count_resets),
            self.count_not_ours.eq(receiver.count_not_ours),
            self.count_window_full.eq(window.count_window_full),
        ]
        return m

    def _inward(self, m, receiver, judge, buffer, connection, window, recovery):
        """From the port to the judge, and bytes from there to ``receive``."""
        expected = judge.expected
        m.d.comb += [
            receiver.rx.payload.eq(self.rx.payload),
            receiver.rx.valid.eq(self.rx.valid),
            *(
                getattr(receiver, name).eq(getattr(self, name))
                for name in ("local_mac", "local_address", "remote_address", "local_port", "remote_port")
            ),
            judge.header.eq(receiver.header),
            judge.begin.eq(receiver.begin),
            judge.window.eq(buffer.window),
            expected.receive_next.eq(connection.receive_next),
            expected.send_unacknowledged.eq(window.unacknowledged),
            expected.send_next.eq(window.next),
            expected.window_edge.eq(window.window_edge),
            expected.window.eq(connection.window),
            expected.window_sequence.eq(connection.window_sequence),
            expected.recover.eq(recovery.recover),
            expected.fin_sent.eq(connection.fin_sent),
            connection.begin.eq(receiver.begin),
            connection.judging.eq(receiver.judging),
            connection.good.eq(receiver.good),
            connection.judged.eq(judge.o),
            buffer.place.eq(judge.place & judge.o.delivers),
            buffer.skip.eq(judge.o.skip),
            buffer.length.eq(judge.o.take),
            buffer.word.eq(receiver.word),
            buffer.word_valid.eq(receiver.word_valid),
            buffer.take.eq(connection.take),
        ]
        connect(m, buffer.o, flipped(self.receive))

    def _outward(self, m, transmitter, template, window, replay, control):
        """From ``send`` and the two who ask for other frames to ``tx``."""
        connect(m, flipped(self.send), transmitter.send)
        connect(m, transmitter.tx, flipped(self.tx))
        addresses = ("local_mac", "remote_mac", "local_address", "remote_address", "local_port", "remote_port")
        for part in (transmitter, template):
            m.d.comb += [getattr(part.addresses, name).eq(getattr(self, name)) for name in addresses]
        request, again = transmitter.request, replay.request_valid
        m.d.comb += [
            transmitter.open.eq(window.open),
            transmitter.prepared.eq(template.o),
            transmitter.request_valid.eq(again | control.valid),
            request.sequence.eq(Mux(again, replay.request_sequence, control.sequence)),
            request.flags.eq(Mux(again, int(DATA_FLAGS), control.flags)),
            request.option.eq(~again & control.option),
            request.length.eq(Mux(again, replay.request_length, Mux(control.option, 4, 0))),
            request.slot.eq(replay.request_slot),
            request.sum.eq(Mux(again, replay.request_sum, control.sum)),
            replay.request_taken.eq(transmitter.request_taken & again),
            control.taken.eq(transmitter.request_taken & ~again),
            control.due.eq(template.due),
            transmitter.write_slot.eq(replay.slot),
            replay.write_enable.eq(transmitter.write_enable),
            replay.write_address.eq(transmitter.write_address),
            replay.write_data.eq(transmitter.write_data),
            replay.read_enable.eq(transmitter.read_enable),
            replay.read_address.eq(transmitter.read_address),
            transmitter.read_data.eq(replay.read_data),
            replay.accepted.eq(transmitter.accepted),
            replay.kept.eq(transmitter.kept),
            replay.kept_slot.eq(transmitter.kept_slot),
            replay.kept_length.eq(transmitter.kept_length),
            replay.kept_sum.eq(transmitter.kept_sum),
            window.send.eq(self.send.payload),
            window.offered.eq(self.send.valid & ~transmitter.taking),
            window.busy.eq(transmitter.busy),
            window.accepted.eq(transmitter.accepted),
            window.length.eq(transmitter.length),
        ]
