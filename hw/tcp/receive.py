"""Segments out of frames: Ethernet II, IPv4 (RFC 791) and TCP (RFC 9293) headers read while the frame passes."""

from amaranth.hdl import Cat, Const, Module, Mux, Signal
from amaranth.lib import enum, stream, wiring
from amaranth.lib.wiring import In, Out

from hw.net.mac.frame import Received
from hw.tcp.checksum import RunningSum
from hw.tcp.segment import Header
from wire.ethernet import ETHERNET, IPV4_TYPE
from wire.ipv4 import FRAGMENT_MASK, IPV4, TCP_PROTOCOL
from wire.tcp import TCP, Flag

DELAY = 6
"""Cycles that words wait for what is decided from the header."""

VERDICT = 8
"""Cycles from the register that holds a frame's last beat to the verdict on the frame."""


class Fault(enum.Enum, shape=2):
    """Why a frame is no segment of the connection."""

    NONE = 0
    NOT_OURS = 1
    MALFORMED = 2
    BAD_CHECKSUM = 3


def field(record, name, word, number):
    """A field of a header whose bytes from ``8 * number`` on are in ``word``."""
    return record.bits(Cat(Const(0, 64 * number), word), name)


class SegmentReceiver(wiring.Component):
    """Takes segments of one connection out of the frames of a port.

    Members
    -------
    rx : In(stream of Received, always ready)
        All frames of the port, without VLAN tags.
    local_mac, local_address, remote_address, local_port, remote_port : In
        The connection. Held while a frame is inside.
    header : Out(Header)
        From ``begin`` on, as long as the next frame's has not come in: 7 cycles at least.
    begin : Out(1)
        Pulse: a header is there. It may still turn out to be wrong, or another connection's.
    word : Out(64)
        The segment from its byte 16 on, 8 bytes at a time.
    word_valid : Out(1)
    judging : Out(1)
        Pulse: the verdict on a frame comes in the next cycle.
    good : Out(1)
        Pulse: the last header is that of a segment of this connection, and all of it came in whole.
    count_not_ours, count_malformed, count_bad_checksum : Out(1)
        Pulse: a frame was dropped. One of these or ``good`` comes for every frame, for the first reason in this order:
        ``bad`` (malformed); other MAC address, not IPv4 (not ours); lengths that cannot be (malformed); IPv4 header
        checksum; other addresses or protocol (not ours); fragment or TCP header that cannot be (malformed); other ports
        (not ours); TCP checksum.

    Takes every beat, frames without a gap between them. ``good`` is 9 cycles behind a frame's last beat, and at least 4
    behind ``begin``; ``word`` is at least 5 cycles behind ``begin`` and at most 2 behind ``good``.
    """

    rx: In(stream.Signature(Received, always_ready=True))
    local_mac: In(48)
    local_address: In(32)
    remote_address: In(32)
    local_port: In(16)
    remote_port: In(16)
    header: Out(Header)
    begin: Out(1)
    word: Out(64)
    word_valid: Out(1)
    judging: Out(1)
    good: Out(1)
    count_not_ours: Out(1)
    count_malformed: Out(1)
    count_bad_checksum: Out(1)

    def elaborate(self, platform):
        m = Module()
        m.submodules.ip_sum = ip_sum = RunningSum()
        m.submodules.tcp_sum = tcp_sum = RunningSum()

        def later(value, cycles, name):
            """``value`` as it was so many cycles ago."""
            for n in range(cycles):
                register = Signal.like(value, name=f"{name}_{n}")
                m.d.sync += register.eq(value)
                value = register
            return value

        # -- the beat, in a register; its link header -------------------------------------------------------------
        beat, valid, number, whole = Signal(Received), Signal(), Signal(4), Signal(13)
        m.d.sync += [valid.eq(self.rx.valid), beat.eq(self.rx.payload)]
        octets = beat.data
        mac_low, mac_high, kind = Signal(), Signal(), Signal()
        previous = Signal(64)
        with m.If(valid):
            m.d.sync += [
                previous.eq(octets),
                number.eq(Mux(beat.last, 0, number + ~number.all())),
                whole.eq(Mux(beat.last, 0, whole + ~whole.all())),
            ]
            with m.If(number == 0):
                mine = ETHERNET.octets({"destination": self.local_mac})
                m.d.sync += [
                    mac_low.eq(octets[:24] == mine[:24]),
                    mac_high.eq(octets[24:48] == mine[24:48]),
                    kind.eq(0),
                ]
            with m.If(number == 1):
                ipv4 = field(ETHERNET, "ethertype", octets, 1) == IPV4_TYPE
                m.d.sync += kind.eq(ipv4 & (octets[52:56] == 4) & (beat.count >= 7))
        ended = valid & beat.last
        bad = later(ended & beat.bad, 4, "bad")
        link = later(mac_low & mac_high & kind, 3, "link")
        have = Signal(17)
        m.d.sync += have.eq(Cat(Const(0, 3), whole) + beat.count - ETHERNET.length)

        # -- from byte 14 on: the IPv4 packet, word by word -------------------------------------------------------
        # A beat completes a word with the last two bytes of the one before; the last beat may have a word's begin too.
        completes, rests = Signal(), Signal()
        m.d.comb += completes.eq(valid & (number >= 2))
        m.d.sync += rests.eq(ended & (number >= 2) & (beat.count > 6))
        ip, ip_valid, ip_last, ip_number = Signal(64), Signal(), Signal(), Signal(4)
        m.d.sync += [
            ip.eq(Cat(previous[48:], octets[:48])),
            ip_valid.eq(completes | rests),
            ip_last.eq(rests | (ended & (beat.count <= 6))),
        ]
        with m.If(completes & (number == 2)):
            m.d.sync += ip_number.eq(0)
        with m.Elif((completes | rests) & ~ip_number.all()):
            m.d.sync += ip_number.eq(ip_number + 1)

        previous_ip = Signal(64)
        header_words, total, length = Signal(4), Signal(16), Signal(17)
        fragment, tcp, source, destination = Signal(), Signal(), Signal(), Signal()
        header_left, left = Signal(6), Signal(16)
        header_bytes = Cat(Const(0, 2), header_words)
        with m.If(ip_valid):
            m.d.sync += [previous_ip.eq(ip), header_left.eq(Mux(header_left < 8, 0, header_left - 8))]
            with m.Switch(ip_number):
                with m.Case(0):
                    m.d.sync += [
                        header_words.eq(ip[:4]),
                        header_left.eq(Mux(ip[:4] < 2, 0, Cat(Const(0, 2), ip[:4]) - 8)),
                        total.eq(field(IPV4, "total_length", ip, 0)),
                        fragment.eq((field(IPV4, "flags_fragment", ip, 0) & FRAGMENT_MASK) != 0),
                    ]
                with m.Case(1):
                    m.d.sync += [
                        length.eq(total - header_bytes),
                        left.eq(total - header_bytes),
                        tcp.eq(field(IPV4, "protocol", ip, 1) == TCP_PROTOCOL),
                        source.eq(field(IPV4, "source", ip, 1) == self.remote_address),
                    ]
                with m.Case(2):
                    m.d.sync += destination.eq(field(IPV4, "destination", ip, 2) == self.local_address)
        m.d.comb += [
            ip_sum.data.eq(ip),
            ip_sum.first.eq(ip_number == 0),
            ip_sum.add.eq(ip_valid & ((ip_number == 0) | (header_left != 0))),
            ip_sum.count.eq(Mux((ip_number == 0) | (header_left >= 8), 8, header_left)),
        ]

        # -- behind the IPv4 header: the segment, word by word ----------------------------------------------------
        odd = header_words[0]
        at = Signal(4)
        m.d.sync += at.eq((header_words + 1) >> 1)
        inside, remains = Signal(), Signal()
        begins, step = Signal(), Signal()
        m.d.comb += [
            begins.eq(ip_valid & (ip_number == at) & (ip_number >= 2)),
            step.eq((ip_valid & (begins | inside)) | remains),
        ]
        m.d.sync += remains.eq(ip_valid & ip_last & (begins | inside) & odd)
        with m.If(ip_valid):
            m.d.sync += inside.eq((begins | (inside & (ip_number != 0))) & ~ip_last)
        word, word_valid, word_count, word_number = Signal(64), Signal(), Signal(4), Signal(2)
        more = left >= 8
        m.d.sync += [
            word.eq(Mux(odd, Cat(previous_ip[32:], ip[:32]), ip)),
            word_valid.eq(step & (left != 0)),
            word_count.eq(Mux(more, 8, left)),
        ]
        with m.If(step):
            m.d.sync += [
                left.eq(Mux(more, left - 8, 0)),
                word_number.eq(Mux(begins, 0, word_number + ~word_number.all())),
            ]
        pseudo = [
            IPV4.octets({"source": self.remote_address})[8 * IPV4.offset("source") :][:32],
            IPV4.octets({"destination": self.local_address})[8 * IPV4.offset("destination") :][:32],
            Cat(Const(0, 8), Const(TCP_PROTOCOL, 8), length[8:16], length[:8]),
        ]
        m.d.comb += [
            tcp_sum.data.eq(word),
            tcp_sum.add.eq(word_valid),
            tcp_sum.count.eq(word_count),
            tcp_sum.first.eq(word_number == 0),
            tcp_sum.more.eq(Mux(word_number == 0, pseudo[0], Mux(word_number == 1, pseudo[1], 0))),
        ]
        with m.If(word_number == 2):
            m.d.comb += tcp_sum.more.eq(pseudo[2])

        # -- the TCP header ---------------------------------------------------------------------------------------
        header, ports, known = self.header, Signal(), Signal()
        with m.If(word_valid & (word_number == 0)):
            m.d.sync += [
                ports.eq(
                    (field(TCP, "source_port", word, 0) == self.remote_port)
                    & (field(TCP, "destination_port", word, 0) == self.local_port)
                ),
                header.sequence.eq(field(TCP, "sequence_number", word, 0)),
            ]
        m.d.sync += known.eq(word_valid & (word_number == 1))
        with m.If(word_valid & (word_number == 1)):
            flags = field(TCP, "flags", word, 1)
            m.d.sync += [
                header.acknowledgment.eq(field(TCP, "acknowledgment_number", word, 1)),
                header.offset.eq(field(TCP, "data_offset", word, 1)[4:]),
                header.window.eq(field(TCP, "window", word, 1)),
                Cat(header.fin, header.syn, header.rst, header.ack).eq(
                    Cat((flags & flag).any() for flag in (Flag.FIN, Flag.SYN, Flag.RST, Flag.ACK))
                ),
            ]
        payload = Signal(17)
        m.d.comb += payload.eq(length[:16] - Cat(Const(0, 2), header.offset))
        offset_bad = Signal()
        with m.If(known):
            m.d.sync += [header.length.eq(payload), offset_bad.eq(payload[16] | (header.offset < TCP.length // 4))]
        m.d.sync += self.begin.eq(known)
        m.d.comb += [
            self.word.eq(later(word, DELAY, "word")),
            self.word_valid.eq(later(word_valid & word_number[1], DELAY, "word_valid")),
        ]

        # -- the verdict: read when all of the frame has passed and before anything of the next has ---------------
        cut, small = Signal(), Signal()
        have_later = later(have, 2, "have")
        m.d.sync += [
            cut.eq((total > have_later[:16]) | have_later[16]),
            small.eq((have_later[:16] < IPV4.length) | have_later[16]),
        ]
        early, late = Signal(Fault), Signal(Fault)
        m.d.sync += [early.eq(Fault.NONE), late.eq(Fault.NONE)]
        with m.If(bad):
            m.d.sync += early.eq(Fault.MALFORMED)
        with m.Elif(~link):
            m.d.sync += early.eq(Fault.NOT_OURS)
        with m.Elif(small | cut | (header_words < IPV4.length // 4) | length[16]):
            m.d.sync += early.eq(Fault.MALFORMED)
        with m.If(~(tcp & source & destination)):
            m.d.sync += late.eq(Fault.NOT_OURS)
        with m.Elif(fragment | (length[:16] < TCP.length)):
            m.d.sync += late.eq(Fault.MALFORMED)
        with m.Elif(~ports):
            m.d.sync += late.eq(Fault.NOT_OURS)
        with m.Elif(offset_bad):
            m.d.sync += late.eq(Fault.MALFORMED)
        early_then, late_then = later(early, 2, "early"), later(late, 2, "late")
        header_good = later(ip_sum.good, 1, "header_good")
        judging = self.judging
        m.d.comb += judging.eq(later(ended, VERDICT - 1, "ended"))
        fault = Signal(Fault)
        with m.If(early_then != Fault.NONE):
            m.d.comb += fault.eq(early_then)
        with m.Elif(~header_good):
            m.d.comb += fault.eq(Fault.BAD_CHECKSUM)
        with m.Elif(late_then != Fault.NONE):
            m.d.comb += fault.eq(late_then)
        with m.Elif(~tcp_sum.good):
            m.d.comb += fault.eq(Fault.BAD_CHECKSUM)
        m.d.sync += [
            self.good.eq(judging & (fault == Fault.NONE)),
            self.count_not_ours.eq(judging & (fault == Fault.NOT_OURS)),
            self.count_malformed.eq(judging & (fault == Fault.MALFORMED)),
            self.count_bad_checksum.eq(judging & (fault == Fault.BAD_CHECKSUM)),
        ]
        return m
