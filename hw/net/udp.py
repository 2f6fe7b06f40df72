"""UDP (RFC 768)."""

from amaranth.hdl import Cat, Const, Module, Mux, Signal
from amaranth.lib import stream, wiring
from amaranth.lib.wiring import In, Out, connect, flipped

from hw.net import checksum
from hw.net.checksum import Checksum
from hw.net.ipv4 import big_endian
from hw.net.segment import Segment, Verdict
from hw.net.strip import Strip
from wire.ipv4 import UDP_PROTOCOL
from wire.records import MAX_PAYLOAD
from wire.udp import ABSENT, UDP

ADDRESS_BYTES = 8
"""The beat with both addresses that comes before the header."""


class Udp(wiring.Component):
    """Takes the UDP header off, and what is behind its length; passes what is for one address and port.

    Members
    -------
    i : In(stream of Segment)
        The addresses, then a datagram, as :class:`hw.net.ipv4.Ipv4` gives them.
    o : Out(stream of Segment)
        The payload. Verdicts: TRUNCATED, FILTERED, OVERSIZE, BAD_UDP_CHECKSUM.
    address, port : In(32), In(16)
        The destination wanted; 0 takes any.

    Latency 2 cycles, one beat per cycle and 5 cycles more per datagram, in which the checksum is judged.
    """

    i: In(stream.Signature(Segment))
    o: Out(stream.Signature(Segment))
    address: In(32)
    port: In(16)

    def elaborate(self, platform):
        m = Module()
        m.submodules.strip = strip = Strip(lanes=(0,), wait=checksum.LATENCY)
        m.submodules.sum = datagram_sum = Checksum()
        connect(m, flipped(self.i), strip.i)
        connect(m, strip.o, flipped(self.o))

        beat = self.i.payload.data
        address, port = Signal(32), Signal(16)
        length, absent = Signal(16), Signal()
        have = Signal(17)  # addresses and datagram
        left = Signal(16)  # of the datagram, from this beat on
        header_length = big_endian(beat[32:48])
        with m.If(strip.taken):
            m.d.sync += left.eq(Mux(left < 8, 0, left - 8))
            with m.If(~have[16]):
                m.d.sync += have.eq(have + self.i.payload.count)
            with m.Switch(strip.number):
                with m.Case(0):
                    m.d.sync += [have.eq(self.i.payload.count), address.eq(big_endian(beat[32:]))]
                with m.Case(1):
                    m.d.sync += [
                        port.eq(big_endian(beat[16:32])),
                        length.eq(header_length),
                        left.eq(Mux(header_length < UDP.length, 0, header_length - UDP.length)),
                        absent.eq(beat[48:64] == ABSENT),
                    ]
        counted = Signal(4)
        m.d.comb += counted.eq(
            Mux((strip.number < 2) | (left >= self.i.payload.count), self.i.payload.count, left)
        )
        m.d.comb += [
            strip.count.eq(counted),
            strip.begin.eq(strip.number == 2),
            datagram_sum.data.eq(beat),
            datagram_sum.count.eq(counted),
            datagram_sum.add.eq(strip.taken),
            datagram_sum.first.eq(strip.number == 0),
            # The rest of the pseudo header: protocol and, once more, the length.
            datagram_sum.more.eq(
                Mux(strip.number == 1, Cat(Const(0, 8), Const(UDP_PROTOCOL, 8), beat[32:48]), 0)
            ),
        ]

        bad_length, filtered, oversize = Signal(), Signal(), Signal()
        m.d.sync += [
            bad_length.eq(
                (have < ADDRESS_BYTES + UDP.length)
                | (length < UDP.length)
                | (length + ADDRESS_BYTES > have)
            ),
            filtered.eq(
                ((self.address != 0) & (self.address != address)) | ((self.port != 0) & (self.port != port))
            ),
            oversize.eq(length > MAX_PAYLOAD + UDP.length),
        ]
        with m.If(bad_length):
            m.d.comb += strip.verdict.eq(Verdict.TRUNCATED)
        with m.Elif(filtered):
            m.d.comb += strip.verdict.eq(Verdict.FILTERED)
        with m.Elif(oversize):
            m.d.comb += strip.verdict.eq(Verdict.OVERSIZE)
        with m.Elif(~absent & ~datagram_sum.good):
            m.d.comb += strip.verdict.eq(Verdict.BAD_UDP_CHECKSUM)
        return m
