"""Transmission to GMII (IEEE 802.3 clauses 3, 4 and 35)."""

from amaranth.hdl import Module, Mux, Signal
from amaranth.lib import enum, stream, wiring
from amaranth.lib.wiring import In, Out

from hw.net.mac.crc import INITIAL, STEP, WIDTH
from hw.net.mac.frame import DELIMITER, FCS_BYTES, GAP_BYTES, MINIMUM_BYTES, PREAMBLE, PREAMBLE_BYTES
from hw.streams import BEAT_BYTES, Beat

COUNTERS = ("frames_sent", "underruns")
"""What a transmitter counts, each a member ``count_...``."""


class Phase(enum.Enum, shape=3):
    """What is sent in the next cycle."""

    IDLE = 0
    PREAMBLE = 1
    DATA = 2
    PAD = 3
    SEQUENCE = 4
    GAP = 5


class GmiiTransmitter(wiring.Component):
    """Frames onto GMII.

    Members
    -------
    i : In(stream of Beat)
        Frames without preamble and frame check sequence; what is shorter than 60 bytes is padded with zeros. A beat is
        taken when the one before it is on its way: every 8 cycles.
    tx_data, tx_enable, tx_error : Out(8), Out(1), Out(1)
        GMII, from registers.
    sfd : Out(1)
        Pulse: the start frame delimiter is at ``tx_data``.
    count_frames_sent : Out(1)
        Pulse: a frame with its frame check sequence.
    count_underruns : Out(1)
        Pulse: no beat when one was needed. The frame ends with four bytes with ``tx_error``, and the rest of it is taken
        and dropped.

    On an idle line the preamble begins in the cycle after the first beat was offered, and the first byte of it follows 8
    cycles later. The gap is 12 bytes, never less. ``i`` is not ready while a frame ends and in the gap.
    """

    def __init__(self):
        super().__init__(
            {
                "i": In(stream.Signature(Beat)),
                "tx_data": Out(8),
                "tx_enable": Out(1),
                "tx_error": Out(1),
                "sfd": Out(1),
                **{f"count_{name}": Out(1) for name in COUNTERS},
            }
        )

    def elaborate(self, platform):
        m = Module()
        phase = Signal(Phase)
        beat, count, last = Signal(8 * BEAT_BYTES), Signal(range(BEAT_BYTES + 1)), Signal()
        state = Signal(WIDTH)  # of the CRC
        length = Signal(range(MINIMUM_BYTES - FCS_BYTES + 1))  # 60 from there on
        timer = Signal(range(GAP_BYTES))
        failed, dropping = Signal(), Signal()
        enough = length >= MINIMUM_BYTES - FCS_BYTES - 1  # with the byte at work

        idle, sending = phase == Phase.IDLE, phase == Phase.DATA
        starts = idle & ~dropping & self.i.valid
        empties = sending & (count <= 1) & ~last
        taken = starts | (empties & self.i.valid)
        fails = empties & ~self.i.valid
        m.d.comb += self.i.ready.eq((idle & ~dropping) | empties | dropping)

        octet = Signal(8)
        m.d.sync += [self.tx_enable.eq(starts | (~idle & (phase != Phase.GAP))), self.tx_error.eq(0), self.tx_data.eq(octet)]
        m.d.sync += self.sfd.eq((phase == Phase.PREAMBLE) & (timer == 0))

        with m.If(taken):
            m.d.sync += [beat.eq(self.i.payload.data), count.eq(self.i.payload.count), last.eq(self.i.payload.last)]
        with m.Elif(sending):
            m.d.sync += [beat.eq(beat >> 8), count.eq(count - 1)]
        with m.If(sending | (phase == Phase.PAD)):
            m.d.sync += state.eq(state >> 8 ^ STEP(state[:8] ^ octet))
            with m.If(length < MINIMUM_BYTES - FCS_BYTES):
                m.d.sync += length.eq(length + 1)
        with m.If(timer != 0):
            m.d.sync += timer.eq(timer - 1)

        def become(which, cycles=1):
            return [phase.eq(which), timer.eq(cycles - 1)]

        with m.Switch(phase):
            with m.Case(Phase.IDLE):
                m.d.comb += octet.eq(Mux(starts, PREAMBLE, 0))
                m.d.sync += [state.eq(INITIAL), length.eq(0), failed.eq(0)]
                with m.If(starts):
                    m.d.sync += become(Phase.PREAMBLE, PREAMBLE_BYTES - 1)
            with m.Case(Phase.PREAMBLE):
                m.d.comb += octet.eq(Mux(timer == 0, DELIMITER, PREAMBLE))
                with m.If(timer == 0):
                    m.d.sync += become(Phase.DATA)
            with m.Case(Phase.DATA):
                m.d.comb += octet.eq(Mux(count == 0, 0, beat[:8]))  # a frame of no bytes is one of a zero
                with m.If(fails):
                    m.d.sync += [*become(Phase.SEQUENCE, FCS_BYTES), failed.eq(1)]
                with m.Elif((count <= 1) & (last | (self.i.payload.last & (self.i.payload.count == 0)))):
                    m.d.sync += become(Phase.PAD)
                    with m.If(enough):
                        m.d.sync += become(Phase.SEQUENCE, FCS_BYTES)
            with m.Case(Phase.PAD):
                with m.If(enough):
                    m.d.sync += become(Phase.SEQUENCE, FCS_BYTES)
            with m.Case(Phase.SEQUENCE):
                m.d.comb += octet.eq(~state[:8])
                m.d.sync += [state.eq(state >> 8), self.tx_error.eq(failed)]
                with m.If(timer == 0):
                    m.d.sync += become(Phase.GAP, GAP_BYTES)
            with m.Case(Phase.GAP):
                with m.If(timer == 0):
                    m.d.sync += become(Phase.IDLE)

        with m.If(fails):
            m.d.sync += dropping.eq(1)
        with m.Elif(self.i.valid & self.i.payload.last):
            m.d.sync += dropping.eq(0)
        m.d.sync += [
            self.count_frames_sent.eq((phase == Phase.SEQUENCE) & (timer == 0) & ~failed),
            self.count_underruns.eq(fails),
        ]
        return m
