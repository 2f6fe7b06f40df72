"""Ethernet II (IEEE 802.3) and VLAN tags (IEEE 802.1Q)."""

from amaranth.hdl import Cat, Module, Mux, Signal
from amaranth.lib import stream, wiring
from amaranth.lib.wiring import In, Out, connect, flipped

from hw.net.segment import Segment, Verdict
from hw.net.strip import Strip
from hw.streams import Beat
from wire.ethernet import IPV4_TYPE, SERVICE_VLAN_TYPE, VLAN_TYPE


class Ethernet(wiring.Component):
    """Takes the Ethernet header and at most two VLAN tags off.

    Members
    -------
    i : In(stream of Beat)
        Frames, without preamble and frame check sequence.
    o : Out(stream of Segment)
        What is behind the headers. Verdicts: TRUNCATED, NOT_IPV4.

    Latency 2 cycles, one beat per cycle and 2 cycles more per frame.
    """

    i: In(stream.Signature(Beat))
    o: Out(stream.Signature(Segment))

    def elaborate(self, platform):
        m = Module()
        m.submodules.strip = strip = Strip(lanes=(2, 6), wait=1)
        connect(m, strip.o, flipped(self.o))
        m.d.comb += [
            strip.i.valid.eq(self.i.valid),
            self.i.ready.eq(strip.i.ready),
            strip.i.payload.data.eq(self.i.payload.data),
            strip.i.payload.last.eq(self.i.payload.last),
            strip.i.payload.count.eq(self.i.payload.count),
            strip.count.eq(self.i.payload.count),
        ]

        def ethertype(lane):
            at = 8 * lane
            word = self.i.payload.data[at : at + 16]
            return Cat(word[8:], word[:8])

        def is_tag(value):
            return (value == VLAN_TYPE) | (value == SERVICE_VLAN_TYPE)

        # The header ends at byte 14, 18 or 22: in beat 1 without a tag, in beat 2 with one or two.
        first, second, third = ethertype(4), ethertype(0), ethertype(4)
        tagged, verdict, have = Signal(), Signal(Verdict), self.i.payload.count
        m.d.comb += strip.verdict.eq(verdict)
        with m.If(strip.taken), m.Switch(strip.number):
            with m.Case(0):
                m.d.sync += [verdict.eq(Verdict.TRUNCATED), tagged.eq(0)]
            with m.Case(1), m.If(have >= 6):
                m.d.sync += verdict.eq(Mux(first == IPV4_TYPE, Verdict.OK, Verdict.NOT_IPV4))
                with m.If(is_tag(first)):
                    m.d.sync += [tagged.eq(1), verdict.eq(Verdict.TRUNCATED)]
            with m.Case(2), m.If(tagged & (have >= 2)):
                m.d.sync += verdict.eq(Mux(second == IPV4_TYPE, Verdict.OK, Verdict.NOT_IPV4))
                with m.If(is_tag(second)):
                    m.d.sync += verdict.eq(Verdict.TRUNCATED)
                    with m.If(have >= 6):
                        m.d.sync += verdict.eq(Mux(third == IPV4_TYPE, Verdict.OK, Verdict.NOT_IPV4))
        with m.Switch(strip.number):
            with m.Case(1):
                m.d.comb += [strip.begin.eq((first == IPV4_TYPE) & (have >= 6)), strip.lane.eq(6)]
            with m.Case(2):
                with m.If(second == IPV4_TYPE):
                    m.d.comb += [strip.begin.eq(tagged & (have >= 2)), strip.lane.eq(2)]
                with m.Elif(is_tag(second) & (third == IPV4_TYPE)):
                    m.d.comb += [strip.begin.eq(tagged & (have >= 6)), strip.lane.eq(6)]
        return m
