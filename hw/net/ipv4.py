"""IPv4 (RFC 791)."""

from amaranth.hdl import Cat, Module, Mux, Signal
from amaranth.lib import stream, wiring
from amaranth.lib.wiring import In, Out, connect, flipped

from hw.net import checksum
from hw.net.checksum import Checksum
from hw.net.segment import Segment, Verdict
from hw.net.strip import Strip
from wire.ipv4 import FRAGMENT_MASK, IPV4, UDP_PROTOCOL

HEADER_WORDS = IPV4.length // 4


def big_endian(value):
    """The integer in bytes that lie low byte first."""
    return Cat(*reversed([value[n : n + 8] for n in range(0, len(value), 8)]))


class Ipv4(wiring.Component):
    """Takes the IPv4 header and its options off, and what is behind the total length.

    Members
    -------
    i : In(stream of Segment)
        Packets.
    o : Out(stream of Segment)
        A beat with source and destination address as they lie in the header, then the payload: the addresses
        are part of UDP's checksum. Verdicts: TRUNCATED, NOT_IPV4, BAD_IP_CHECKSUM, FRAGMENT, NOT_UDP.

    Latency 2 cycles, one beat per cycle and 5 cycles more per packet, in which the checksum is judged.
    """

    i: In(stream.Signature(Segment))
    o: Out(stream.Signature(Segment))

    def elaborate(self, platform):
        m = Module()
        m.submodules.strip = strip = Strip(lanes=(0, 4), wait=checksum.LATENCY)
        m.submodules.header_sum = header_sum = Checksum()
        connect(m, flipped(self.i), strip.i)
        connect(m, strip.o, flipped(self.o))

        beat = self.i.payload.data
        version, words, length = Signal(4), Signal(4), Signal(16)
        fragment, udp = Signal(), Signal()
        source = Signal(32)
        have = Signal(17)  # bytes of the frame behind the Ethernet header; stays where it is from 2^16 on
        left = Signal(16)  # of the total length, from this beat on
        with m.If(strip.taken):
            m.d.sync += left.eq(Mux(left < 8, 0, left - 8))
            with m.If(~have[16]):
                m.d.sync += have.eq(have + self.i.payload.count)
            with m.Switch(strip.number):
                with m.Case(0):
                    total = big_endian(beat[16:32])
                    m.d.sync += [
                        have.eq(self.i.payload.count),
                        words.eq(beat[0:4]),
                        version.eq(beat[4:8]),
                        length.eq(total),
                        left.eq(Mux(total < 8, 0, total - 8)),
                        fragment.eq((big_endian(beat[48:64]) & FRAGMENT_MASK) != 0),
                    ]
                with m.Case(1):
                    m.d.sync += [udp.eq(beat[8:16] == UDP_PROTOCOL), source.eq(beat[32:])]

        m.d.comb += [
            strip.count.eq(
                Mux((strip.number == 0) | (left >= self.i.payload.count), self.i.payload.count, left)
            ),
            strip.begin.eq((strip.number == words[1:]) & (strip.number >= 2)),
            strip.lane.eq(Cat(0, 0, words[0])),
            strip.inject.eq(strip.number == 2),
            strip.inject_data.eq(Cat(source, beat[:32])),
        ]

        in_header = Signal(4)
        with m.Switch(strip.number):
            with m.Case(0, 1):
                m.d.comb += in_header.eq(8)
            with m.Default():
                with m.If(strip.number < words[1:]):
                    m.d.comb += in_header.eq(8)
                with m.Elif((strip.number == words[1:]) & words[0]):
                    m.d.comb += in_header.eq(4)
        m.d.comb += [
            header_sum.data.eq(beat),
            header_sum.count.eq(in_header),
            header_sum.add.eq(strip.taken),
            header_sum.first.eq(strip.number == 0),
        ]

        # The first that fails has its say.
        short, bad_length = Signal(), Signal()
        m.d.sync += [
            short.eq(have < IPV4.length),
            bad_length.eq((words < HEADER_WORDS) | (Cat(0, 0, words) > length) | (length > have)),
        ]
        with m.If(short):
            m.d.comb += strip.verdict.eq(Verdict.TRUNCATED)
        with m.Elif(version != 4):
            m.d.comb += strip.verdict.eq(Verdict.NOT_IPV4)
        with m.Elif(bad_length):
            m.d.comb += strip.verdict.eq(Verdict.TRUNCATED)
        with m.Elif(~header_sum.good):
            m.d.comb += strip.verdict.eq(Verdict.BAD_IP_CHECKSUM)
        with m.Elif(fragment):
            m.d.comb += strip.verdict.eq(Verdict.FRAGMENT)
        with m.Elif(~udp):
            m.d.comb += strip.verdict.eq(Verdict.NOT_UDP)
        return m
