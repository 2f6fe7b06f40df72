"""Reception from XGMII (IEEE 802.3 clauses 3, 4 and 46)."""

from amaranth.hdl import Cat, Module, Mux, Signal
from amaranth.lib import enum, stream, wiring
from amaranth.lib.wiring import In, Out

from hw.net.mac.crc import FrameCheck
from hw.net.mac.frame import DELIMITER, MAXIMUM_BYTES, MINIMUM_BYTES, PREAMBLE, Received
from hw.net.mac.xgmii.characters import LANES, START, TERMINATE
from hw.net.mac.xgmii.link import LinkFault

HALF = LANES // 2


class Phase(enum.Enum, shape=2):
    """What the word at work is."""

    OUTSIDE = 0
    SECOND_HALF = 1  # of a preamble that began in lane 4
    INSIDE = 2


class XgmiiReceiver(wiring.Component):
    """Frames off XGMII.

    Parameters
    ----------
    maximum : int
        Longest frame with its frame check sequence, in bytes, at least 64.

    Members
    -------
    rx_data, rx_control : In(64), In(8)
        XGMII, from registers.
    o : Out(stream of Received, always ready)
        Frames. A frame whose delimiter was seen is ended by exactly one beat with ``last``, whatever comes. It is bad
        if its frame check sequence is wrong, if it is shorter than 64 bytes or longer than ``maximum``, or if it ends
        with anything but the terminate character.
    sfd : Out(1)
        Pulse: a frame begins, 2 cycles after the word with its start frame delimiter. One for each ``last``.
    local_fault, remote_fault : Out(1)
        State of the link, as :class:`hw.net.mac.xgmii.link.LinkFault` gives it.
    count_frames_received : Out(1)
        Pulse: a good frame.
    count_fcs_errors, count_runts, count_oversize : Out(1)
        Pulse: a bad frame, for the first of these that holds: it did not end with terminate (a coding error),
        oversize, runt, wrong frame check sequence.
    count_coding_errors : Out(1)
        Pulse: a word that ended a frame with another character than terminate (so also one that cuts a frame off by a
        start or by idle), or that spoilt a preamble, or with a start in a lane other than 0 and 4.
    count_faults : Out(1)
        Pulse: a word with a fault ordered set.

    Latency 2 cycles: bytes whose last one is in the word of cycle n are at ``o`` in cycle n + 2. One beat is held back,
    because the word behind it says whether it is the last: the frame check sequence may lie across both. The verdict:
    the last beat is at ``o`` 3 cycles after the word with terminate. One beat per cycle; it never waits, whatever the
    gap, so nothing can overload it. Beyond ``maximum`` no byte is passed on.

    A start in lane 0 that cuts a frame off ends it a cycle earlier, to make room for the frame that it begins.
    """

    def __init__(self, maximum: int = MAXIMUM_BYTES):
        if maximum < MINIMUM_BYTES:
            raise ValueError(f"maximum is {maximum}, the shortest frame has {MINIMUM_BYTES} bytes")
        self.maximum = maximum
        super().__init__(
            {
                "rx_data": In(8 * LANES),
                "rx_control": In(LANES),
                "o": Out(stream.Signature(Received, always_ready=True)),
                "sfd": Out(1),
                "local_fault": Out(1),
                "remote_fault": Out(1),
                **{f"count_{name}": Out(1) for name in COUNTERS},
            }
        )

    def elaborate(self, platform):
        m = Module()
        m.submodules.link = link = LinkFault()
        m.submodules.check = check = FrameCheck()
        m.d.comb += [
            link.rx_data.eq(self.rx_data),
            link.rx_control.eq(self.rx_control),
            self.local_fault.eq(link.local_fault),
            self.remote_fault.eq(link.remote_fault),
            self.count_faults.eq(link.count_faults),
        ]
        control = self.rx_control
        lanes = [self.rx_data.word_select(lane, 8) for lane in range(LANES)]

        # A word, and what its lanes hold. ``plain[n]``: no control character in lanes 0 to n; behind, the bytes are 0.
        word, plain = Signal(8 * LANES), Signal(LANES)
        terminate, start, preamble, delimiter = Signal(LANES), Signal(LANES), Signal(LANES), Signal(LANES)
        for n, octet in enumerate(lanes):
            data_so_far = ~control[: n + 1].any()
            m.d.sync += [
                plain[n].eq(data_so_far),
                word.word_select(n, 8).eq(Mux(data_so_far, octet, 0)),
                terminate[n].eq(control[n] & (octet == TERMINATE)),
                start[n].eq(control[n] & (octet == START)),
                preamble[n].eq(~control[n] & (octet == PREAMBLE)),
                delimiter[n].eq(~control[n] & (octet == DELIMITER)),
            ]

        phase = Signal(Phase)
        middle = Signal()  # the frame began in lane 4: its beats lie across words
        words = Signal(range(MINIMUM_BYTES // LANES + 1))  # of the frame before this one, from 8 on 8
        left = Signal(range(self.maximum // LANES + 1))  # full words that may come before the final one
        final = Signal()  # no room for a full word
        inside, second = phase == Phase.INSIDE, phase == Phase.SECOND_HALF

        begins = start[0] & preamble[1:7].all() & delimiter[7]
        begins_middle = start[HALF] & preamble[5:8].all()
        completes = second & preamble[:3].all() & delimiter[3]
        room, room_middle = (divmod(self.maximum - before, LANES) for before in (0, HALF))
        beyond = inside & final & Mux(middle, plain[room_middle[1]], plain[room[1]])
        ends = self._ends(inside, completes, beyond, plain[-1])
        ends_well = Cat(terminate[n] & ~plain[n] & (plain[n - 1] if n else 1) for n in range(LANES)).any()
        cuts = ends & ~beyond & ~ends_well
        short = ~inside | ~Mux(middle, words[3] | ((words == 7) & plain[HALF - 1]), words[3])

        m.d.sync += self.sfd.eq(begins | completes)
        with m.If(begins):
            m.d.sync += [phase.eq(Phase.INSIDE), middle.eq(0), words.eq(0), left.eq(room[0]), final.eq(0)]
        with m.Elif(begins_middle):
            m.d.sync += phase.eq(Phase.SECOND_HALF)
        with m.Elif(completes & plain[-1]):
            m.d.sync += [phase.eq(Phase.INSIDE), middle.eq(1), words.eq(0), left.eq(room_middle[0]), final.eq(0)]
        with m.Elif(inside & ~ends):
            m.d.sync += [words.eq(words + ~words[3]), left.eq(left - 1), final.eq(left == 1)]
        with m.Else():
            m.d.sync += phase.eq(Phase.OUTSIDE)

        m.d.comb += [
            check.data.eq(word),
            check.keep.eq(plain),
            check.first.eq(second | (~middle & (words == 0))),
            check.middle.eq(second),
        ]

        # The beat that ends in this word. It is loaded while it may still become the last, and stays until it is sent.
        o = self.o.payload
        before = Signal(8 * HALF)
        m.d.sync += before.eq(word[8 * HALF :])
        with m.If(inside & Mux(middle, plain[0], plain[HALF])):
            m.d.sync += o.data.eq(Mux(middle, Cat(before, word[: 8 * HALF]), word))

        # Any control character in the word that is coming in decides that this beat was the last one.
        more = inside & plain[-1] & ~beyond & ~Mux(middle, control[0], control[: HALF + 1].any())
        count = Signal(range(LANES + 1))
        in_word = Cat(  # how many bytes come before the first control character
            Cat(plain[n] & ~plain[n + 1] for n in range(0, LANES - 1, 2)).any(),
            (plain[1] & ~plain[3]) | (plain[5] & ~plain[7]),
            plain[3],
        )
        with m.If(beyond | ~inside):
            m.d.comb += count.eq(0)
        with m.Elif(Mux(middle, plain[0], plain[HALF])):
            m.d.comb += count.eq(Mux(middle, in_word, in_word[:2]))
        with m.Elif(words != 0):
            m.d.comb += count.eq(Mux(middle, LANES, in_word + HALF))

        at_once = inside & start[0]
        judging = Signal()
        was_cut, was_beyond, was_short, count_before = Signal(), Signal(), Signal(), Signal.like(count)
        m.d.sync += [
            judging.eq(ends & ~at_once),
            was_cut.eq(cuts),
            was_beyond.eq(beyond),
            was_short.eq(short),
            count_before.eq(count),
            self.o.valid.eq(more | at_once | judging),
            o.last.eq(at_once | judging),
            o.bad.eq(at_once | (judging & (was_cut | was_beyond | was_short | ~check.good))),
        ]
        with m.If(judging):
            m.d.sync += o.count.eq(count_before)
        with m.Else():
            m.d.sync += o.count.eq(Mux(more, LANES, count))

        whole = judging & ~was_cut & ~was_beyond
        spoilt = (
            cuts
            | (start[0] & ~begins)
            | (start[HALF] & ~begins_middle)
            | (second & ~completes)
            | Cat(start[n] for n in range(LANES) if n % HALF).any()
        )
        m.d.sync += [
            self.count_frames_received.eq(whole & ~was_short & check.good),
            self.count_fcs_errors.eq(whole & ~was_short & ~check.good),
            self.count_runts.eq(whole & was_short),
            self.count_oversize.eq(judging & was_beyond),
            self.count_coding_errors.eq(spoilt),
        ]
        return m

    def _ends(self, inside, completes, beyond, whole):
        """Whether a frame ends in the word at work, which is ``whole`` if it has no control character."""
        return (inside & (beyond | ~whole)) | (completes & ~whole)


COUNTERS = ("frames_received", "fcs_errors", "runts", "oversize", "coding_errors", "faults")
"""What a receiver counts, each a member ``count_...``."""
