"""What may be for the port itself, out of everything that comes in."""

from amaranth.hdl import Cat, Const, Module, Mux, Signal
from amaranth.lib import fifo, memory, stream, wiring
from amaranth.lib.wiring import In, Out

from hw.net.local.arrival import Kind, Waiting
from hw.net.mac.frame import Received
from wire.ethernet import ARP_TYPE, IPV4_TYPE

FRAMES = 8
BEATS_TO_TELL = 4
"""Beats before the one in which it is known whose frame it is; none that short can be for the protocols."""
MAX_BEATS = 255
ICMP_PROTOCOL = 1
IGMP_PROTOCOL = 2


def lying(value: int, octets: int) -> int:
    """A big-endian constant as it lies in a beat, first byte in the low bits."""
    return int.from_bytes(value.to_bytes(octets, "big"), "little")


class FrameBuffer(wiring.Component):
    """A ring of block RAM with the frames that ARP, ICMP and IGMP may want.

    Taken are, without VLAN tag: ARP to our MAC address or to all, ICMP to our MAC address, IGMP to ours or to any IPv4
    multicast. Not those under 33 bytes.

    Parameters
    ----------
    words : int
        Room in words of 64 bits, a power of 2, at least 256. One word is never used.

    Members
    -------
    rx : In(stream of Received, always_ready)
        All frames of the port.
    mac : In(48)
        Our MAC address, the first byte highest.
    frame : Out(stream of Waiting)
        The oldest frame. Its room is free when it is taken.
    rewind : In(1)
        Begin at the oldest frame's first word. Two ``advance`` later it is at ``word``.
    advance : In(1)
        The next word.
    word : Out(64)
    count_dropped : Out(1)
        Pulse: a good frame found no room (or was longer than 2040 bytes).

    A frame is at ``frame`` 3 cycles after its last beat. One beat per cycle; whatever comes, ``rx`` does not wait. A
    frame that is bad leaves nothing.
    """

    def __init__(self, words: int = 512):
        if words < MAX_BEATS + 1 or words & (words - 1):
            raise ValueError(f"words is {words}, not a power of 2 of at least {MAX_BEATS + 1}")
        self.words = words
        super().__init__(
            {
                "rx": In(stream.Signature(Received, always_ready=True)),
                "mac": In(48),
                "frame": Out(stream.Signature(Waiting)),
                "rewind": In(1),
                "advance": In(1),
                "word": Out(64),
                "count_dropped": Out(1),
            }
        )

    def elaborate(self, platform):
        m = Module()
        m.submodules.words = words = memory.Memory(shape=64, depth=self.words, init=[])
        m.submodules.waiting = waiting = fifo.SyncFIFO(width=Waiting.as_shape().size, depth=FRAMES)

        # A copy of its own, so that the wire's register drives one more flip-flop and no logic of ours.
        beat, valid = Signal(Received), Signal()
        m.d.sync += [beat.eq(self.rx.payload), valid.eq(self.rx.valid)]

        number = Signal(range(BEATS_TO_TELL + 1))
        to_us, to_all, to_group = Signal(3), Signal(3), Signal()
        arp, ipv4, icmp, igmp = Signal(), Signal(), Signal(), Signal()
        ours = Cat(self.mac[low : low + 8] for low in reversed(range(0, 48, 8)))
        parts = [slice(low, low + 16) for low in range(0, 48, 16)]
        with m.If(valid):
            m.d.sync += number.eq(Mux(number == BEATS_TO_TELL, number, number + 1))
            with m.Switch(number):
                with m.Case(0):
                    m.d.sync += [
                        to_us.eq(Cat(beat.data[part] == ours[part] for part in parts)),
                        to_all.eq(Cat(beat.data[part].all() for part in parts)),
                        to_group.eq((beat.data[:24] == lying(0x01005E, 3)) & ~beat.data[31]),
                    ]
                with m.Case(1):
                    ethertype = beat.data[32:48]
                    m.d.sync += [arp.eq(ethertype == lying(ARP_TYPE, 2)), ipv4.eq(ethertype == lying(IPV4_TYPE, 2))]
                with m.Case(2):
                    protocol = beat.data[56:]
                    m.d.sync += [icmp.eq(protocol == ICMP_PROTOCOL), igmp.eq(protocol == IGMP_PROTOCOL)]
            with m.If(beat.last):
                m.d.sync += number.eq(0)

        wanted, kind = Signal(), Signal(Kind)
        wants_arp = arp & (to_us.all() | to_all.all())
        wants_icmp = ipv4 & icmp & to_us.all()
        wants_igmp = ipv4 & igmp & (to_us.all() | to_group)
        m.d.sync += [
            wanted.eq(wants_arp | wants_icmp | wants_igmp),
            kind.eq(Mux(arp, Kind.ARP, Mux(icmp, Kind.ICMP, Kind.IGMP))),
        ]

        # Written as it comes; where it began is where the next one begins, unless it is kept.
        start, at, tail = (Signal(range(self.words), name=name) for name in ("start", "at", "tail"))
        limit = Signal(range(self.words), init=self.words - 1)
        beats, overflow, full = Signal(8), Signal(), Signal()
        m.d.sync += limit.eq(tail - 1)  # late by a cycle: that is safe
        m.d.comb += full.eq((at == limit) | beats.all() | overflow)
        write = words.write_port()
        m.d.comb += [write.addr.eq(at), write.data.eq(beat.data), write.en.eq(valid & ~full)]
        arrived, oldest = Signal(Waiting), Signal(Waiting)
        m.d.comb += [
            arrived.kind.eq(kind),
            arrived.length.eq(Cat(Const(0, 3), beats) + beat.count),
            waiting.w_data.eq(arrived),
        ]
        with m.If(valid):
            m.d.sync += overflow.eq(full)
            with m.If(~full):
                m.d.sync += [at.eq(at + 1), beats.eq(beats + 1)]
            with m.If(beat.last):
                m.d.sync += [at.eq(start), beats.eq(0), overflow.eq(0)]
                with m.If(wanted & (number == BEATS_TO_TELL) & ~beat.bad):
                    with m.If(full | ~waiting.w_rdy):
                        m.d.comb += self.count_dropped.eq(1)
                    with m.Else():
                        m.d.comb += waiting.w_en.eq(1)
                        m.d.sync += [at.eq(at + 1), start.eq(at + 1)]

        m.d.comb += [
            oldest.eq(waiting.r_data),
            self.frame.payload.eq(waiting.r_data),
            self.frame.valid.eq(waiting.r_rdy),
            waiting.r_en.eq(self.frame.ready),
        ]
        with m.If(self.frame.valid & self.frame.ready):
            m.d.sync += tail.eq(tail + oldest.length[3:] + oldest.length[:3].any())

        # A register behind an asynchronous port is what yosys makes the block RAM's own with -no-rw-check. A synchronous
        # port would give the old word when it is written at the same time, which takes 64 flip-flops and multiplexers;
        # here nothing is read before it is all there.
        read, place = words.read_port(domain="comb"), Signal(range(self.words))
        fetched = Signal(64, reset_less=True)
        m.d.comb += read.addr.eq(place)
        with m.If(self.advance):
            m.d.sync += [place.eq(place + 1), fetched.eq(read.data), self.word.eq(fetched)]
        with m.If(self.rewind):
            m.d.sync += place.eq(tail)
        return m
