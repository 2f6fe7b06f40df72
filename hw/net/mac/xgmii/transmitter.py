"""Transmission to XGMII (IEEE 802.3 clauses 3, 4 and 46)."""

from amaranth.hdl import Cat, Const, Module, Mux, Signal
from amaranth.lib import data, stream, wiring
from amaranth.lib.wiring import In, Out

from hw.net.mac.crc import FrameCheckSequence
from hw.net.mac.frame import DELIMITER, FCS_BYTES, MINIMUM_BYTES, PREAMBLE
from hw.net.mac.xgmii.characters import ERROR, IDLE, LANES, REMOTE_FAULT, SEQUENCE, START, TERMINATE
from hw.streams import Beat

HALF = LANES // 2
PADDED_BEATS, PADDED_BYTES = divmod(MINIMUM_BYTES - FCS_BYTES, LANES)

COUNTERS = ("frames_sent", "underruns")
"""What a transmitter counts, each a member ``count_...``."""

PREAMBLE_WORD = [START, *[PREAMBLE] * 6, DELIMITER]
REMOTE_FAULT_SET = [SEQUENCE, 0, 0, REMOTE_FAULT]


class Lane(data.Struct):
    """What goes out in a lane: the exclusive-or of all that is here."""

    octet: 8
    sequence: FCS_BYTES
    """Which byte of the frame check sequence, if any."""
    terminate: 1
    error: 1
    idle: 1


Lanes = data.ArrayLayout(Lane, LANES)


class XgmiiTransmitter(wiring.Component):
    """Frames onto XGMII.

    Members
    -------
    i : In(stream of Beat)
        Frames without preamble and frame check sequence; what is shorter than 60 bytes is padded with zeros. Behind the
        first beat the others must follow without a hole.
    local_fault, remote_fault : In(1)
        State of the link, as the receiver reports it. A frame that has begun is ended, then no other is begun; while
        the fault is local, remote fault ordered sets are sent, else idle (clause 46.3.4.3).
    tx_data, tx_control : Out(64), Out(8)
        XGMII, from registers.
    sfd : Out(1)
        Pulse: the start frame delimiter is at ``tx_data``.
    count_frames_sent : Out(1)
        Pulse: a frame with its frame check sequence.
    count_underruns : Out(1)
        Pulse: a hole within a frame. Four error characters and terminate are sent in its place, and the rest of the
        frame is taken and dropped.

    On an idle line the preamble is at ``tx_data`` in the cycle after the first beat was offered, in lanes 0 to 7; a
    beat is sent 2 cycles after it was taken. One beat per cycle. The gap from terminate (included) to start is 12
    bytes on average: a frame starts in lane 0 or 4, up to 3 bytes early, as long as no more than 3 bytes are owed
    (deficit idle count). ``i`` is not ready while a frame ends and in the gap.
    """

    def __init__(self):
        super().__init__(
            {
                "i": In(stream.Signature(Beat)),
                "local_fault": In(1),
                "remote_fault": In(1),
                "tx_data": Out(8 * LANES, init=int.from_bytes([IDLE] * LANES, "little")),
                "tx_control": Out(LANES, init=(1 << LANES) - 1),
                "sfd": Out(1),
                **{f"count_{name}": Out(1) for name in COUNTERS},
            }
        )

    def elaborate(self, platform):
        m = Module()
        m.submodules.sequence = sequence = FrameCheckSequence()

        # One of these is high.
        idle = Signal(init=1)  # may start a frame
        framing, padding = Signal(), Signal()
        tail = Signal()  # the cycle behind the last beat: the rest of that is being sent
        gap = Signal()

        def become(phase):
            return [each.eq(each is phase) for each in (idle, framing, padding, tail, gap)]

        middle = Signal()  # the frame starts in lane 4: its beats lie across words
        beats = Signal(range(PADDED_BEATS))  # of the frame before this one, modulo 8
        exactly, enough = Signal(), Signal()  # with this one the frame has 8 beats, at least 8
        dropping = Signal()  # the rest of a frame with a hole
        local, fault, fault_before = Signal(), Signal(), Signal()
        m.d.sync += [
            local.eq(self.local_fault),
            fault.eq(self.local_fault | self.remote_fault),
            fault_before.eq(fault),
        ]

        beat = self.i.payload
        can_start = idle & ~dropping & ~fault & ~fault_before
        starts = can_start & self.i.valid
        fails = framing & ~self.i.valid
        enters = starts | (framing & self.i.valid) | padding
        ends = ((framing & self.i.valid & beat.last) | padding) & enough
        padded = exactly & (padding | (beat.count < PADDED_BYTES))
        size, size_kept = Signal(range(LANES + 1)), Signal(range(LANES + 1))
        m.d.comb += [
            self.i.ready.eq(can_start | framing | dropping),
            size.eq(Mux(padded, PADDED_BYTES, beat.count)),
        ]

        # In half words: how far behind the word of the last beat the next frame may start, less four; ``owed`` bytes
        # too early.
        owed, halves, deficit = Signal(range(LANES)), Signal(range(LANES)), Signal(range(HALF))
        next_middle, wait = Signal(), Signal(2)
        m.d.comb += [
            owed.eq(deficit + size_kept[:2]),
            halves.eq(size_kept[2:] + middle + owed[2]),
        ]

        with m.If(enters):
            m.d.sync += [become(framing), beats.eq(beats + 1)]
            with m.If(padding | beat.last):
                m.d.sync += become(padding)
            m.d.sync += exactly.eq((beats == PADDED_BEATS - 1) & ~enough)
            with m.If(beats == PADDED_BEATS - 1):
                m.d.sync += enough.eq(1)
        with m.If(ends | fails):
            m.d.sync += [become(tail), size_kept.eq(Mux(fails, 0, size))]
        with m.If(tail):
            m.d.sync += [become(gap), deficit.eq(owed[:2]), next_middle.eq(halves[0]), wait.eq(halves[1:])]
        with m.If(gap):
            m.d.sync += [wait.eq(wait - 1), beats.eq(0), exactly.eq(0), enough.eq(0)]
            with m.If(wait == 0):
                m.d.sync += [become(idle), middle.eq(next_middle)]
        with m.If(idle & ~starts):  # later than it might have started: nothing is owed any more
            m.d.sync += [middle.eq(0), deficit.eq(0)]
        with m.If(fails):
            m.d.sync += dropping.eq(1)
        with m.Elif(self.i.valid & beat.last):
            m.d.sync += dropping.eq(0)
        m.d.sync += [self.count_frames_sent.eq(ends), self.count_underruns.eq(fails)]

        # What a beat becomes, lane by lane, and what follows the last one.
        whole = Signal(Lanes)
        m.d.comb += [
            sequence.data.eq(beat.data),
            sequence.count.eq(size),
            sequence.add.eq(enters),
        ]
        for n in range(LANES):
            keep = Signal(name=f"keep_{n}")
            octet, rest = beat.data.word_select(n, 8), sequence.rest.word_select(n, 8) if n < FCS_BYTES else 0
            m.d.comb += [
                keep.eq(~padding & (~beat.last | (beat.count > n))),
                sequence.keep[n].eq(keep),
                whole[n].octet.eq(Mux(keep, octet, Mux(ends & ~padded, rest, 0))),
            ]

            def behind(offset, n=n):
                """Whether the lane is so many bytes behind those of the frame."""
                here = ends & (size == n - offset) if n >= offset else 0
                return here | (tail & (size_kept == LANES + n - offset))

            m.d.comb += [
                whole[n].sequence.eq(Cat(behind(offset) for offset in range(FCS_BYTES))),
                whole[n].terminate.eq(behind(FCS_BYTES) | (fails & (n == FCS_BYTES))),
                whole[n].error.eq(fails & (n < FCS_BYTES)),
                whole[n].idle.eq(
                    Mux(ends, size + FCS_BYTES < n, 0)
                    | (tail & (size_kept < HALF + n))
                    | (fails & (n > FCS_BYTES))
                    | gap
                    | (idle & ~starts)
                ),
            ]
            with m.If(~enters):
                m.d.comb += whole[n].octet.eq(0)

        # Where the frame starts in lane 4, half of it comes a word later, the first behind half of a preamble.
        late = Signal(data.ArrayLayout(Lane, HALF))
        across, tail_before = Signal(), Signal()
        m.d.sync += tail_before.eq(tail)
        m.d.comb += across.eq(middle & (starts | framing | padding | tail | tail_before))
        for n in range(HALF):
            m.d.sync += late[n].eq(whole[HALF + n])
            with m.If((idle & ~starts) | gap):
                m.d.sync += [late[n].eq(0), late[n].octet.eq(PREAMBLE_WORD[HALF + n])]
        word, ordered = Signal(Lanes), Signal()
        for n in range(LANES):
            m.d.sync += word[n].eq(Mux(across, late[n] if n < HALF else whole[n - HALF], whole[n]))
        m.d.sync += ordered.eq(idle & local)
        with m.If(idle & local):
            for n in range(LANES):
                m.d.sync += [word[n].eq(0), word[n].octet.eq(REMOTE_FAULT_SET[n % HALF])]

        # A start changes the idle word that goes out then: no frame begins earlier than two words behind another.
        delimiter_follows = Signal()
        for n in range(LANES):
            lane = word[n]
            octet = lane.octet ^ Mux(starts & ~middle, PREAMBLE_WORD[n] ^ IDLE, 0)
            if n >= HALF:
                octet ^= Mux(starts & middle, PREAMBLE_WORD[n - HALF] ^ IDLE, 0)
            for character, here in ((IDLE, lane.idle), (TERMINATE, lane.terminate), (ERROR, lane.error)):
                octet ^= Mux(here, Const(character, 8), 0)
            for each in range(FCS_BYTES):
                octet ^= Mux(lane.sequence[each], sequence.fcs.word_select(each, 8), 0)
            becomes_data = (starts & ~middle if n > 0 else 0) | (starts & middle if n > HALF else 0)
            control = lane.terminate | lane.error | (lane.idle & ~becomes_data) | (ordered if n % HALF == 0 else 0)
            m.d.sync += [self.tx_data.word_select(n, 8).eq(octet), self.tx_control[n].eq(control)]
        m.d.sync += [delimiter_follows.eq(starts & middle), self.sfd.eq((starts & ~middle) | delimiter_follows)]
        return m
