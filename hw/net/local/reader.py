"""A frame, 16 bits at a time, and whether it is what it says: Ethernet, ARP (RFC 826), IPv4 (RFC 791)."""

from amaranth.hdl import Cat, Module, Mux, Signal
from amaranth.lib import stream, wiring
from amaranth.lib.wiring import In, Out

from hw.net.local.arrival import Arrival, Kind, Waiting
from hw.net.local.put import LENGTH_BITS
from wire.ipv4 import FRAGMENT_MASK

# Places of half words in the frame.
SOURCE_MAC = 3
PAYLOAD = 7
ARP_OPERATION = 10
ARP_SENDER_MAC = 11
ARP_SENDER = 14
ARP_TARGET = 19
IP_LENGTH = 8
IP_FRAGMENT = 10
IP_SOURCE = 13
IP_DESTINATION = 15
LAST_PLACE = 31

ARP_BEGIN = {7: 0x0001, 8: 0x0800, 9: 0x0604}
"""Hardware type Ethernet, protocol type IPv4, their address lengths."""
ARP_REQUEST = 1
ARP_REPLY = 2
SETTLE = 5
"""Cycles from the last half word to the verdict."""


class Reader(wiring.Component):
    """Reads the oldest frame, drops it if it contradicts itself, hands it to the protocols otherwise.

    Members
    -------
    frame : In(stream of Waiting)
        The oldest frame in the buffer. Taken when the protocols have taken what was in it.
    rewind, advance, word : Out(1), Out(1), In(64)
        The buffer's reading side.
    address, netmask : In(32)
        Ours. With address 0 nothing is ours.
    o : Out(stream of Arrival)
    count_malformed : Out(1)
        Pulse: cut off, lengths that contradict each other, no IPv4, a sender that is a group, another ARP than
        Ethernet and IPv4, request or reply; an IGMP fragment.
    count_bad_checksum : Out(1)
        Pulse: IPv4 header, ICMP or IGMP checksum.

    About 10 cycles and 4 for each 8 bytes; then it waits until ``o`` is taken. ICMP that is not for our address is
    dropped without a trace.
    """

    frame: In(stream.Signature(Waiting))
    rewind: Out(1)
    advance: Out(1)
    word: In(64)
    address: In(32)
    netmask: In(32)
    o: Out(stream.Signature(Arrival))
    count_malformed: Out(1)
    count_bad_checksum: Out(1)

    def elaborate(self, platform):
        m = Module()
        found = self.o.payload
        is_arp, is_icmp = Signal(), Signal()
        m.d.comb += [is_arp.eq(found.kind == Kind.ARP), is_icmp.eq(found.kind == Kind.ICMP)]

        # Stage 1: a half word out of the word, high byte first.
        phase, rest = Signal(2), Signal(LENGTH_BITS)
        half, odd, moving = Signal(16), Signal(), Signal()
        lying = self.word.word_select(phase, 16)
        m.d.sync += [half.eq(Cat(lying[8:], lying[:8])), odd.eq(rest == 1)]

        # Stage 2: fields out of the half word, by its place.
        place = Signal(range(LAST_PLACE + 1))
        header_left = Signal(5)  # half words
        datagram_left = Signal(16)  # bytes
        taken = Signal(3)  # half words of the payload, at most 6
        wrong, complete = Signal(), Signal()
        in_payload = Signal()
        m.d.comb += in_payload.eq(~is_arp & (place > PAYLOAD) & (header_left == 0) & (datagram_left != 0))
        with m.If(moving):
            m.d.sync += place.eq(Mux(place == LAST_PLACE, place, place + 1))
            sender = Mux(is_arp, ARP_SENDER_MAC, SOURCE_MAC)
            with m.If((place >= sender) & (place < sender + 3)):
                m.d.sync += found.mac.eq(Cat(half, found.mac[:32]))
                with m.If((place == sender) & half[8]):
                    m.d.sync += wrong.eq(1)
            source, target = Mux(is_arp, ARP_SENDER, IP_SOURCE), Mux(is_arp, ARP_TARGET, IP_DESTINATION)
            with m.If((place == source) | (place == source + 1)):
                m.d.sync += found.source.eq(Cat(half, found.source[:16]))
            with m.If((place == target) | (place == target + 1)):
                m.d.sync += found.destination.eq(Cat(half, found.destination[:16]))

            with m.If(is_arp):
                with m.Switch(place):
                    for n, value in ARP_BEGIN.items():
                        with m.Case(n), m.If(half != value):
                            m.d.sync += wrong.eq(1)
                    with m.Case(ARP_OPERATION):
                        m.d.sync += found.request.eq(half == ARP_REQUEST)
                        with m.If((half != ARP_REQUEST) & (half != ARP_REPLY)):
                            m.d.sync += wrong.eq(1)
                    with m.Case(ARP_TARGET + 1):
                        m.d.sync += complete.eq(~odd)
            with m.Else():
                with m.Switch(place):
                    with m.Case(PAYLOAD):
                        words = half[8:12]
                        m.d.sync += [
                            found.type_of_service.eq(half[:8]),
                            found.options.eq(words != 5),
                            header_left.eq(Cat(1, words) - 2),
                        ]
                        with m.If((half[12:] != 4) | (words < 5)):
                            m.d.sync += wrong.eq(1)
                    with m.Case(IP_LENGTH):
                        m.d.sync += [found.total_length.eq(half), datagram_left.eq(half - 4)]
                    with m.Case(IP_FRAGMENT):
                        m.d.sync += found.fragment.eq((half & FRAGMENT_MASK) != 0)
                with m.If((place > PAYLOAD) & (header_left != 0)):
                    m.d.sync += header_left.eq(header_left - 1)
                with m.If(place > IP_LENGTH):
                    with m.If((datagram_left < 2) | ((datagram_left == 2) & ~odd)):
                        m.d.sync += datagram_left.eq(0)
                    with m.Else():
                        m.d.sync += datagram_left.eq(datagram_left - Mux(odd, 1, 2))
                whole = (datagram_left > 1) & ~odd
                with m.If(in_payload & whole & (taken < 6)):
                    m.d.sync += taken.eq(taken + 1)
                    with m.If(taken < 4):
                        m.d.sync += found.body.eq(Cat(half, found.body[:48]))
                    with m.If(taken == 3):
                        m.d.sync += [complete.eq(1), found.eight.eq(datagram_left == 2)]
                    with m.If(taken == 5):
                        m.d.sync += found.twelve.eq(1)

        # Stage 3: one sum over the header, then one over the payload.
        term, adding, beginning = Signal(16), Signal(), Signal()
        upper = (place <= IP_LENGTH) | (datagram_left != 0)
        lower = (place <= IP_LENGTH) | ((datagram_left > 1) & ~odd)
        m.d.sync += [
            term.eq(Cat(Mux(lower, half[:8], 0), Mux(upper, half[8:], 0))),
            adding.eq(moving & (place >= PAYLOAD)),
            beginning.eq((place == PAYLOAD) | (in_payload & (taken == 0))),
        ]
        total, good, header_good = Signal(17), Signal(), Signal()
        before = Mux(beginning, 0, total)
        m.d.comb += good.eq(total[1:16].all() & (total[0] ^ total[16]))  # 0xFFFF with the last carry added
        with m.If(adding):
            m.d.sync += total.eq((Cat(before[16], before[:16]) + Cat(before[16], term))[1:])
            with m.If(beginning):
                m.d.sync += header_good.eq(good)

        malformed, payload_good, address_set = Signal(), Signal(), Signal()
        parts, equal, near = [slice(low, low + 8) for low in range(0, 32, 8)], Signal(4), Signal(4)
        m.d.sync += [
            address_set.eq(self.address != 0),
            equal.eq(Cat(found.destination[part] == self.address[part] for part in parts)),
            near.eq(Cat(((found.source ^ self.address) & self.netmask)[part] == 0 for part in parts)),
            found.ours.eq(equal.all() & address_set),
            found.on_link.eq(near.all()),
            malformed.eq(wrong | ~complete | (~is_arp & (datagram_left != 0)) | (~is_arp & ~is_icmp & found.fragment)),
            payload_good.eq(good | found.fragment),
        ]

        settled = Signal(range(SETTLE))
        with m.FSM():
            with m.State("WAIT"):
                m.d.sync += [
                    rest.eq(self.frame.payload.length),
                    found.kind.eq(self.frame.payload.kind),
                    phase.eq(0),
                    place.eq(0),
                    taken.eq(0),
                    wrong.eq(0),
                    complete.eq(0),
                    settled.eq(0),
                    found.fragment.eq(0),
                    found.options.eq(0),
                    found.twelve.eq(0),
                ]
                with m.If(self.frame.valid):
                    m.d.comb += self.rewind.eq(1)
                    m.next = "FETCH"
            with m.State("FETCH"):
                m.d.comb += self.advance.eq(1)
                m.next = "LOAD"
            with m.State("LOAD"):
                m.d.comb += self.advance.eq(1)
                m.next = "READ"
            with m.State("READ"):
                m.d.comb += self.advance.eq(phase == 3)
                m.d.sync += [phase.eq(phase + 1), rest.eq(rest - 2), moving.eq(1)]
                with m.If(rest <= 2):
                    m.next = "SETTLE"
            with m.State("SETTLE"):
                m.d.sync += [moving.eq(0), settled.eq(settled + 1)]
                with m.If(settled == SETTLE - 1):
                    m.next = "JUDGE"
            with m.State("JUDGE"):
                m.next = "RELEASE"
                with m.If(malformed):
                    m.d.comb += self.count_malformed.eq(1)
                with m.Elif(~is_arp & ~header_good):
                    m.d.comb += self.count_bad_checksum.eq(1)
                with m.Elif(~is_icmp | found.ours):
                    with m.If(~is_arp & ~payload_good):
                        m.d.comb += self.count_bad_checksum.eq(1)
                    with m.Else():
                        m.next = "OFFER"
            with m.State("OFFER"):
                m.d.comb += self.o.valid.eq(1)
                with m.If(self.o.ready):
                    m.next = "RELEASE"
            with m.State("RELEASE"):
                # A cycle of its own: no path from a protocol through here into the buffer.
                m.d.comb += self.frame.ready.eq(1)
                m.next = "WAIT"
        return m
