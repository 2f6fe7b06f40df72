"""Headers of feed frames, read while the frames pass: Ethernet II, IEEE 802.1Q, IPv4 (RFC 791), UDP (RFC 768), MoldUDP64.

Nothing is realigned. All headers are made of 32-bit words, and the first of IPv4 begins at byte 14, 18 or 22 of the frame.
So a beat holds, in this order, the second half of one word, a whole one and the first half of a third; with the last two
bytes of the beat before there are two whole words. They are numbered from the IPv4 header on, and from the UDP header on;
which number the first of the two has is worked out a beat before, a bit for each number that matters.
"""

from amaranth.hdl import Cat, Const, Module, Mux, Signal, signed
from amaranth.lib import data, stream, wiring
from amaranth.lib.wiring import In, Out

from hw.arithmetic import below
from hw.net.sum import DatagramSum
from hw.net.verdict import Verdict
from hw.streams import Beat
from wire.ethernet import IPV4_TYPE, SERVICE_VLAN_TYPE, VLAN_TYPE
from wire.ipv4 import IPV4, UDP_PROTOCOL
from wire.moldudp64 import END_OF_SESSION, HEADER_LENGTH, HEARTBEAT
from wire.records import MAX_PAYLOAD
from wire.udp import ABSENT, UDP

IP_WORDS, UDP_WORDS, MOLD_WORDS = IPV4.length // 4, UDP.length // 4, HEADER_LENGTH // 4
FAR = 30
"""Where ``word`` stops, or one behind: behind any IPv4 header."""


class Passing(data.Struct):
    """A beat on its way, and what was found out about it.

    ``begin``: the message blocks begin in it, at lane 6 or else 2. ``carries``: there are any.
    ``left``: bytes of the datagram from lane 0 on, 15 where there are more.
    """

    beat: Beat
    first: 1
    begin: 1
    lane_6: 1
    carries: 1
    left: 4


def octet(beat, lane):
    """Byte ``lane`` of a beat's data."""
    return beat[8 * lane : 8 * lane + 8]


def big_endian(*octets):
    """The number whose bytes come in this order."""
    return Cat(*reversed(octets))


class Datagram(wiring.Component):
    """Says of every frame where its message blocks are, and what is wrong with it.

    Members
    -------
    i : In(stream of Beat)
        Frames without preamble and frame check sequence. Never held up.
    bad : In(1)
        With the last beat: the frame is to leave no trace.
    address, port : In(32), In(16)
        The destination wanted; 0 takes any.
    session : In(80)
        The session wanted, first character in the low bits; blank takes any.
    o : Out(stream of Passing)
        The beats, 1 cycle later.
    sequence, count : Out(64), Out(16)
        Of the packet; there with the beat behind the one with ``begin``.
    judged : Out(1)
        The verdict on a frame is there: one pulse per frame that was not ``bad``, 3 cycles behind its last beat at ``o``.
    verdict : Out(Verdict)
        But for the blocks themselves, which are the splitter's to judge.

    A beat per cycle, frames without a gap. Latency as above, whatever the frame.
    """

    def __init__(self):
        super().__init__(
            {
                "i": In(stream.Signature(Beat, always_ready=True)),
                "bad": In(1),
                "address": In(32),
                "port": In(16),
                "session": In(80),
                "o": Out(stream.Signature(Passing, always_ready=True)),
                "sequence": Out(64),
                "count": Out(16),
                "judged": Out(1),
                "verdict": Out(Verdict),
            }
        )

    def elaborate(self, platform):
        m = Module()
        m.submodules.sum = datagram_sum = DatagramSum()
        raw, passing = self.i.payload, self.o.payload

        # -- first register: the beat, and comparisons that need nothing but its bytes ----------------
        def kind_at(lane):
            """Whether an IPv4 EtherType and whether a tag's lies there, both a cycle later."""
            value = big_endian(octet(raw.data, lane), octet(raw.data, lane + 1))
            ipv4, tag = Signal(name=f"ipv4_{lane}"), Signal(name=f"tag_{lane}")
            m.d.sync += [ipv4.eq(value == IPV4_TYPE), tag.eq((value == VLAN_TYPE) | (value == SERVICE_VLAN_TYPE))]
            return ipv4, tag

        def none_at(lane):
            """Whether a message count lies there that says none, a cycle later."""
            value = big_endian(octet(raw.data, lane), octet(raw.data, lane + 1))
            none = Signal(name=f"none_{lane}")
            m.d.sync += none.eq((value == HEARTBEAT) | (value == END_OF_SESSION))
            return none

        ipv4_0, tag_0 = kind_at(0)
        ipv4_4, tag_4 = kind_at(4)
        none_0, none_4 = none_at(0), none_at(4)
        between = Signal(init=1)  # frames
        before = Signal(16)  # the last two bytes of the beat before
        bad, number = Signal(), Signal(2)  # of the beat in its frame, 3 from there on
        two, six = Signal(), Signal()  # so many bytes at least
        beat, valid = passing.beat, self.o.valid
        m.d.sync += valid.eq(self.i.valid)
        with m.If(self.i.valid):
            m.d.sync += [
                beat.eq(raw),
                passing.first.eq(between),
                between.eq(raw.last),
                before.eq(beat.data[48:]),
                bad.eq(self.bad),
                number.eq(Mux(between, 0, number + ~number.all())),
                two.eq(raw.count >= 2),
                six.eq(raw.count >= 6),
            ]

        # -- which words these are ----------------------------------------------------------------------
        tagged, kind_known, is_ipv4 = Signal(), Signal(), Signal()
        started, starts = Signal(), Signal()  # before this beat, in this one
        at_0, at_1 = Signal(), Signal()  # the IPv4 header's first word is the first of the next beat, the second of this one
        with m.If(~started):
            with m.Switch(number):
                with m.Case(1):
                    m.d.comb += at_0.eq(ipv4_4 & six)
                with m.Case(2):
                    m.d.comb += [at_1.eq(tagged & ipv4_0 & two), at_0.eq(tagged & ~ipv4_0 & tag_0 & ipv4_4 & six)]
        m.d.comb += starts.eq(at_0 | at_1)
        inside = started | starts
        goes_on = ~beat.last
        # ``ip[n]`` and ``udp[n]``: the first of the two words is word n of the header.
        word, length = Signal(5), Signal(4, init=IP_WORDS)
        ip, udp = Signal(5), {n: Signal(name=f"udp_{n}") for n in range(-1, UDP_WORDS + MOLD_WORDS)}
        behind = Signal(3)  # the IPv4 header, or not in it: the first of the words, the second, the half behind them
        with m.If(valid):
            m.d.sync += started.eq(inside & goes_on)
            with m.If(~started):
                m.d.sync += word.eq(at_1)
            with m.Elif(word < FAR):
                m.d.sync += word.eq(word + 2)
            m.d.sync += ip.eq(Mux(goes_on, Cat(at_0, at_1, ip), 0))
            # While the length is not known these are past no header, however short.
            m.d.sync += [behind[n].eq(started & goes_on & (word + 2 + n >= length)) for n in range(3)]
            for n, bit in udp.items():
                m.d.sync += bit.eq(goes_on & (udp[n - 2] if n > 0 else started & (word + 2 - n == length)))
            # What is behind the addresses: IPv4, something else, or not enough to tell.
            with m.Switch(number):
                with m.Case(0):
                    m.d.sync += [tagged.eq(0), kind_known.eq(0), is_ipv4.eq(0)]
                with m.Case(1), m.If(six):
                    m.d.sync += [tagged.eq(tag_4), kind_known.eq(~tag_4), is_ipv4.eq(ipv4_4)]
                with m.Case(2), m.If(tagged & two):
                    m.d.sync += [kind_known.eq(~tag_0), is_ipv4.eq(ipv4_0)]
                    with m.If(tag_0 & six):
                        m.d.sync += [kind_known.eq(1), is_ipv4.eq(ipv4_4)]

        words = [
            big_endian(before[:8], before[8:], octet(beat.data, 0), octet(beat.data, 1)),
            big_endian(*(octet(beat.data, lane) for lane in range(2, 6))),
        ]

        # Words with even numbers come first, or those with odd ones.
        turned = Mux(started, word[0], at_1)
        udp_turned = word[0] ^ length[0]

        def in_header(n):
            """Whether word n of the IPv4 header is there; and the word."""
            return ip[n] | (ip[n - 1] if n else at_1), Mux(turned ^ (n % 2), words[1], words[0])

        def in_datagram(n):
            """The same from the UDP header on."""
            return udp[n] | udp[n - 1], Mux(udp_turned ^ (n % 2), words[1], words[0])

        # -- IPv4 ---------------------------------------------------------------------------------------
        # The header's length in words. Until it is known it is that of the frame before: it says no more than that the
        # first words are header.
        total, version_bad, length_bad, fragment, protocol_bad, address_bad = (
            Signal(16), Signal(), Signal(), Signal(), Signal(), Signal(),
        )  # fmt: skip
        ip_left = Signal(16)  # bytes of the datagram from the next beat's lane 0 on
        with m.If(valid):
            m.d.sync += ip_left.eq(Mux(ip_left[3:] == 0, 0, ip_left - 8))
            there, value = in_header(0)
            with m.If(there):
                m.d.sync += [
                    length.eq(Mux(below(value[24:28], IP_WORDS), IP_WORDS, value[24:28])),
                    length_bad.eq(below(value[24:28], IP_WORDS)),
                    version_bad.eq(value[28:] != 4),
                    total.eq(value[:16]),
                    # This beat has 10 bytes of it, or 6. Less than that is less than a header: nothing else matters then.
                    ip_left.eq(value[:16] - Mux(turned, 6, 10)),
                ]
            there, value = in_header(1)
            with m.If(there):
                m.d.sync += fragment.eq((value[:13] != 0) | value[13])
            there, value = in_header(2)
            with m.If(there):
                m.d.sync += protocol_bad.eq(value[16:24] != UDP_PROTOCOL)
            there, value = in_header(4)
            with m.If(there):
                m.d.sync += address_bad.eq((self.address != 0) & (value != self.address))

        # -- UDP ----------------------------------------------------------------------------------------
        udp_length, absent, port_bad = Signal(16), Signal(), Signal()
        tiny, small, large = Signal(), Signal(), Signal()  # less than its header, less than MoldUDP64's, more than is taken
        left = Signal(16)  # bytes of the datagram's UDP from the next beat's lane 0 on
        counts, mine = Signal(), Signal(8, init=0xFF)  # ``left`` is this frame's; the lanes that are not behind the datagram
        with m.If(valid):
            m.d.sync += left.eq(Mux(left[3:] == 0, 0, left - 8))
            ends_soon = counts & (left[4:] == 0)
            m.d.sync += [mine[n].eq(~ends_soon | (left[3] & (left[:3] > n))) for n in range(8)]
            with m.If(beat.last):
                m.d.sync += [counts.eq(0), mine.eq(0xFF)]
            there, value = in_datagram(0)
            with m.If(there):
                m.d.sync += port_bad.eq((self.port != 0) & (value[:16] != self.port))
            there, value = in_datagram(1)
            with m.If(there):
                m.d.sync += [
                    udp_length.eq(value[16:]),
                    absent.eq(value[:16] == ABSENT),
                    tiny.eq(below(value[16:], UDP.length)),
                    small.eq(below(value[16:], UDP.length + HEADER_LENGTH)),
                    large.eq(~below(value[16:], MAX_PAYLOAD + UDP.length + 1)),
                    left.eq(value[16:] - Mux(udp_turned, 14, 10)),
                    counts.eq(goes_on),
                    mine.eq(0xFF),  # the next beat is full, or the datagram too small for anything of it to matter
                ]

        # -- MoldUDP64 ----------------------------------------------------------------------------------
        blank = int.from_bytes(b" " * 10, "little")
        any_session, differs = Signal(), Signal(3)
        wanted = [big_endian(*(self.session[8 * n : 8 * n + 8] for n in range(at, at + 4))) for at in (0, 4)]
        m.d.sync += any_session.eq(self.session == blank)
        last_two = big_endian(self.session[64:72], self.session[72:])
        session, number_at = UDP_WORDS, UDP_WORDS + 2
        with m.If(valid):
            for n in range(2):
                there, value = in_datagram(session + n)
                with m.If(there):
                    m.d.sync += differs[n].eq(value != wanted[n])
            there, value = in_datagram(number_at)
            with m.If(there):
                m.d.sync += [differs[2].eq(value[16:] != last_two), self.sequence[48:].eq(value[:16])]
            there, value = in_datagram(number_at + 1)
            with m.If(there):
                m.d.sync += self.sequence[16:48].eq(value)
            there, value = in_datagram(number_at + 2)
            with m.If(there):
                m.d.sync += [self.sequence[:16].eq(value[16:]), self.count.eq(value[:16])]
        # The count's two bytes lie before the blocks: they are the second half of the first of the words, or of the second.
        first_block, second_block = udp[number_at + 2], udp[number_at + 1]
        m.d.comb += [
            passing.begin.eq(first_block | second_block),
            passing.lane_6.eq(second_block),
            passing.carries.eq(Mux(second_block, ~none_4, ~none_0)),
            passing.left.eq(Mux(left[4:].any(), 15, left[:4])),
        ]

        # -- sums: a half of a word of 16 bits counts where its word does ------------------------------------
        halves = [0, 1, 1, 2]  # of which word each half of the beat is, from the first of the words on
        header = [started & ~behind[0], (started & ~behind[1]) | at_1, (started & ~behind[2]) | starts]
        pseudo = [ip[3] | ip[4], ip[2] | ip[3], ip[1] | ip[2]]
        m.d.comb += [
            datagram_sum.data.eq(beat.data),
            datagram_sum.first.eq(starts),
            datagram_sum.add.eq(valid & inside),
            datagram_sum.header.eq(Cat(header[n] for n in halves)),
            datagram_sum.pseudo.eq(Cat(pseudo[n] for n in halves)),
            datagram_sum.body.eq(Cat(behind[n] for n in halves)),
            datagram_sum.mine.eq(mine),
            # The pseudo header has the length once more.
            datagram_sum.again.eq(Cat(udp[0], udp[-1])),
        ]

        # -- verdict --------------------------------------------------------------------------------------
        # One cycle after the last beat: all but the sums. The next frame's first beat has changed nothing yet.
        ends = Signal()
        short, cut, wrong = Signal(), Signal(), Signal(Verdict)
        have = 4 * word[:3] + 2 + beat.count  # bytes of the header, when they are few
        ended_bad = Signal()
        with m.If(valid & beat.last):
            m.d.sync += [
                short.eq(~started | ((word < IP_WORDS) & (have < IPV4.length))),
                cut.eq(ip_left[4:].any() | (ip_left[:4] > beat.count)),
                ended_bad.eq(bad),
            ]
        m.d.sync += ends.eq(valid & beat.last)

        # Behind a header that is not short there are a beat or two more than what this takes.
        header_bytes, rest, rest_tiny = Cat(Const(0, 2), length), Signal(signed(17)), Signal()
        m.d.sync += [rest.eq(total - header_bytes), rest_tiny.eq(below(rest[:16], UDP.length))]
        with m.If(~kind_known):
            m.d.comb += wrong.eq(Verdict.TRUNCATED)
        with m.Elif(~is_ipv4):
            m.d.comb += wrong.eq(Verdict.NOT_IPV4)
        with m.Elif(short):
            m.d.comb += wrong.eq(Verdict.TRUNCATED)
        with m.Elif(version_bad):
            m.d.comb += wrong.eq(Verdict.NOT_IPV4)
        with m.Elif(length_bad | rest[-1] | cut):
            m.d.comb += wrong.eq(Verdict.TRUNCATED)

        later = Signal(Verdict)  # what is looked at behind the IPv4 header's sum
        with m.If(fragment):
            m.d.comb += later.eq(Verdict.FRAGMENT)
        with m.Elif(protocol_bad):
            m.d.comb += later.eq(Verdict.NOT_UDP)
        with m.Elif(rest_tiny | tiny | (udp_length > rest[:16].as_unsigned())):
            m.d.comb += later.eq(Verdict.TRUNCATED)
        with m.Elif(address_bad | port_bad):
            m.d.comb += later.eq(Verdict.FILTERED)
        with m.Elif(large):
            m.d.comb += later.eq(Verdict.OVERSIZE)
        with m.Elif(small):
            m.d.comb += later.eq(Verdict.PACKETS_MALFORMED)
        other_session = differs.any() & ~any_session

        # Two cycles after it the sums are there.
        judging, wrong_first, wrong_then = Signal(), Signal(Verdict), Signal(Verdict)
        absent_then, other_then = Signal(), Signal()
        m.d.sync += [
            judging.eq(ends & ~ended_bad),
            wrong_first.eq(wrong),
            wrong_then.eq(later),
            absent_then.eq(absent),
            other_then.eq(other_session),
        ]
        m.d.sync += self.judged.eq(judging)
        with m.If(wrong_first != Verdict.OK):
            m.d.sync += self.verdict.eq(wrong_first)
        with m.Elif(~datagram_sum.header_good):
            m.d.sync += self.verdict.eq(Verdict.BAD_IP_CHECKSUM)
        with m.Elif(wrong_then != Verdict.OK):
            m.d.sync += self.verdict.eq(wrong_then)
        with m.Elif(~absent_then & ~datagram_sum.good):
            m.d.sync += self.verdict.eq(Verdict.BAD_UDP_CHECKSUM)
        with m.Elif(other_then):
            m.d.sync += self.verdict.eq(Verdict.PACKETS_OTHER_SESSION)
        with m.Else():
            m.d.sync += self.verdict.eq(Verdict.OK)
        return m
