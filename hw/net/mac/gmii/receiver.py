"""Reception from GMII (IEEE 802.3 clauses 3, 4 and 35)."""

from amaranth.hdl import Cat, Module, Signal
from amaranth.lib import enum, stream, wiring
from amaranth.lib.wiring import In, Out

from hw.net.mac.crc import INITIAL, RESIDUE, STEP, WIDTH
from hw.net.mac.frame import DELIMITER, FCS_BYTES, MAXIMUM_BYTES, MINIMUM_BYTES, PREAMBLE, Received
from hw.streams import BEAT_BYTES

FALSE_CARRIER = 0x0E
"""What is at ``rx_data`` with ``rx_error`` and without ``rx_valid`` (table 35-2)."""

COUNTERS = ("frames_received", "fcs_errors", "runts", "oversize", "coding_errors", "faults")
"""What a receiver counts, each a member ``count_...``."""


class Phase(enum.Enum, shape=2):
    """What the byte at work is."""

    OUTSIDE = 0
    BEFORE = 1  # in the preamble
    INSIDE = 2
    IGNORED = 3  # until ``rx_valid`` falls


class GmiiReceiver(wiring.Component):
    """Frames off GMII.

    Parameters
    ----------
    maximum : int
        Longest frame with its frame check sequence, in bytes, at least 64.

    Members
    -------
    rx_data, rx_valid, rx_error : In(8), In(1), In(1)
        GMII, from registers.
    o : Out(stream of Received, always ready)
        Frames. A frame whose delimiter was seen is ended by exactly one beat with ``last``. It is bad if its frame
        check sequence is wrong, if it is shorter than 64 bytes or longer than ``maximum``, or if there was an error in
        it, which ends it. The preamble may be shorter than it was sent, down to nothing (clause 35.2.3.2.2).
    sfd : Out(1)
        Pulse: a frame begins, in the cycle after its start frame delimiter. One for each ``last``.
    count_frames_received : Out(1)
        Pulse: a good frame.
    count_fcs_errors, count_runts, count_oversize : Out(1)
        Pulse: a bad frame, for the first of these that holds: there was an error in it, oversize, runt, wrong frame
        check sequence.
    count_coding_errors : Out(1)
        Pulse: a frame that an error ended, or a preamble with an error, with another byte or without a delimiter.
    count_faults : Out(1)
        Pulse: a false carrier begins.

    Latency 6 cycles from the last byte of a beat: four bytes are held back, because they may be the frame check
    sequence, and one more says that the beat is not the last. The verdict: the last beat is at ``o`` in the cycle after
    the first one without ``rx_valid``, which is the second after the frame's last byte. A beat every 8 cycles; it
    never waits, so nothing can overload it. Beyond ``maximum`` no byte is passed on.
    """

    def __init__(self, maximum: int = MAXIMUM_BYTES):
        if maximum < MINIMUM_BYTES:
            raise ValueError(f"maximum is {maximum}, the shortest frame has {MINIMUM_BYTES} bytes")
        self.maximum = maximum
        super().__init__(
            {
                "rx_data": In(8),
                "rx_valid": In(1),
                "rx_error": In(1),
                "o": Out(stream.Signature(Received, always_ready=True)),
                "sfd": Out(1),
                **{f"count_{name}": Out(1) for name in COUNTERS},
            }
        )

    def elaborate(self, platform):
        m = Module()
        phase = Signal(Phase)
        state = Signal(WIDTH)  # of the CRC
        length = Signal(range(self.maximum + 1))
        held = Signal(8 * FCS_BYTES)  # the last bytes, the oldest one in the low bits
        beat, count = Signal(8 * BEAT_BYTES), Signal(range(BEAT_BYTES + 1))

        outside = (phase == Phase.OUTSIDE) | (phase == Phase.BEFORE)
        clean = self.rx_valid & ~self.rx_error
        begins = outside & clean & (self.rx_data == DELIMITER)
        spoils = outside & self.rx_valid & ~begins & (self.rx_error | (self.rx_data != PREAMBLE))
        stops = (phase == Phase.BEFORE) & ~self.rx_valid
        inside = phase == Phase.INSIDE
        beyond = inside & clean & (length == self.maximum)
        error = inside & self.rx_valid & self.rx_error
        ends = inside & (~clean | beyond)
        adds = inside & clean & ~beyond
        confirms = adds & (length >= FCS_BYTES)

        with m.If(begins):
            m.d.sync += phase.eq(Phase.INSIDE)
        with m.Elif(~self.rx_valid):
            m.d.sync += phase.eq(Phase.OUTSIDE)
        with m.Elif(spoils | ends):
            m.d.sync += phase.eq(Phase.IGNORED)
        with m.Elif(outside):
            m.d.sync += phase.eq(Phase.BEFORE)

        with m.If(begins):
            m.d.sync += [state.eq(INITIAL), length.eq(0), count.eq(0)]
        with m.If(adds):
            m.d.sync += [
                state.eq(state >> 8 ^ STEP(state[:8] ^ self.rx_data)),
                length.eq(length + 1),
                held.eq(Cat(held[8:], self.rx_data)),
            ]
        full = count == BEAT_BYTES
        with m.If(confirms):
            m.d.sync += count.eq(count + 1)
            with m.If(full):
                m.d.sync += count.eq(1)
            for n in range(BEAT_BYTES):
                with m.If(count[:3] == n):
                    m.d.sync += beat.word_select(n, 8).eq(held[:8])

        o = self.o.payload
        short = length < MINIMUM_BYTES
        good = state == RESIDUE
        m.d.sync += [
            self.o.valid.eq((confirms & full) | ends),
            o.data.eq(beat),
            o.count.eq(count),
            o.last.eq(ends),
            o.bad.eq(ends & (error | beyond | short | ~good)),
            self.sfd.eq(begins),
        ]

        carrier = ~self.rx_valid & self.rx_error & (self.rx_data == FALSE_CARRIER)
        carrier_before = Signal()
        whole = ends & ~error & ~beyond
        m.d.sync += [
            carrier_before.eq(carrier),
            self.count_frames_received.eq(whole & ~short & good),
            self.count_fcs_errors.eq(whole & ~short & ~good),
            self.count_runts.eq(whole & short),
            self.count_oversize.eq(beyond),
            self.count_coding_errors.eq(error | spoils | stops),
            self.count_faults.eq(carrier & ~carrier_before),
        ]
        return m
