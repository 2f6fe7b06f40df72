"""Everything that a port does for itself."""

from amaranth.hdl import Module, Mux, Signal
from amaranth.lib import data, stream, wiring
from amaranth.lib.wiring import In, Out, connect, flipped

from hw.net.local.arbiter import FrameArbiter
from hw.net.local.arp import Arp, Resolved
from hw.net.local.arrival import Kind
from hw.net.local.frame_buffer import FrameBuffer
from hw.net.local.icmp import Icmp
from hw.net.local.igmp import Group, Igmp
from hw.net.local.put import Put
from hw.net.local.reader import Reader
from hw.net.local.transmitter import Transmitter
from hw.net.mac.frame import Received
from hw.streams import Beat

COUNTERS = (
    "arp_replies",
    "arp_requests_sent",
    "arp_resolved",
    "arp_timeouts",
    "icmp_replies",
    "icmp_dropped",
    "igmp_reports",
    "igmp_queries",
    "local_dropped",
    "local_bad_checksum",
    "local_malformed",
)
MS_PER_SECOND = 1000


class LocalResponder(wiring.Component):
    """ARP, ICMP echo and IGMP of one port.

    Parameters
    ----------
    groups : int
        Places in the table of multicast groups, 2 to 8; 0 leaves IGMP out.
    arp, icmp : dict
        Parameters of :class:`Arp` and :class:`Icmp`.

    Members
    -------
    rx : In(stream of Received, always_ready)
        All frames of the port, read beside the fast paths.
    tx : Out(stream of Beat)
        Our frames, for a low input of the port's :class:`FrameArbiter`. Not padded.
    mac : In(48)
        Our MAC address, the first byte highest.
    address, netmask, gateway : In(32)
        With address 0 the port answers nobody; it still reports its groups.
    groups : In(Array(groups) of Group)
        The multicast groups of the port, if it has any.
    tick_ms : In(1)
        Pulse, each millisecond.
    announce : In(1)
        Pulse: the link has come up, or the address is new. Sends a gratuitous ARP and reports all groups.
    resolve : In(stream of unsigned(32))
        IPv4 addresses to send to.
    resolved : Out(stream of Resolved)
        For each the MAC address of it or of the gateway, or that none answers.
    count_... : Out(1)
        A pulse for each of ``COUNTERS``. Frames for the port that found the buffer full are ``local_dropped``,
        wrong checksums ``local_bad_checksum``, other nonsense ``local_malformed``.

    The first beat of an ARP reply comes less than 230 cycles after the request's last, of an echo reply less than 180
    and half a cycle more for each byte of payload behind 18. One frame at a time; the buffer holds the next ones, up
    to 4 KB and 8 frames, and more are dropped and counted: ``rx`` never waits. A frame that is bad leaves no trace.
    """

    def __init__(self, groups: int = 8, *, arp: dict | None = None, icmp: dict | None = None):
        self.protocols = {Kind.ARP: Arp(**(arp or {})), Kind.ICMP: Icmp(**(icmp or {}))}
        if groups:
            self.protocols[Kind.IGMP] = Igmp(groups)
        super().__init__(
            {
                "rx": In(stream.Signature(Received, always_ready=True)),
                "tx": Out(stream.Signature(Beat)),
                "mac": In(48),
                "address": In(32),
                "netmask": In(32),
                "gateway": In(32),
                **({"groups": In(data.ArrayLayout(Group, groups))} if groups else {}),
                "tick_ms": In(1),
                "announce": In(1),
                "resolve": In(stream.Signature(32)),
                "resolved": Out(stream.Signature(Resolved)),
                **{f"count_{name}": Out(1) for name in COUNTERS},
            }
        )

    def elaborate(self, platform):
        m = Module()
        m.submodules.buffer = buffer = FrameBuffer()
        m.submodules.reader = reader = Reader()
        m.submodules.arp = arp = self.protocols[Kind.ARP]
        m.submodules.icmp = icmp = self.protocols[Kind.ICMP]
        m.submodules.puts = puts = FrameArbiter(len(self.protocols), Put)
        m.submodules.transmitter = transmitter = Transmitter()

        tick_second, passed = Signal(), Signal(range(MS_PER_SECOND))
        with m.If(self.tick_ms):
            m.d.sync += passed.eq(Mux(passed == MS_PER_SECOND - 1, 0, passed + 1))
        m.d.sync += tick_second.eq(self.tick_ms & (passed == MS_PER_SECOND - 1))

        connect(m, flipped(self.rx), buffer.rx)
        connect(m, buffer.frame, reader.frame)
        connect(m, puts.o, transmitter.i)
        connect(m, transmitter.o, flipped(self.tx))
        connect(m, flipped(self.resolve), arp.resolve)
        connect(m, arp.resolved, flipped(self.resolved))
        found = reader.o.payload
        m.d.comb += [
            buffer.mac.eq(self.mac),
            buffer.rewind.eq(reader.rewind | transmitter.rewind),
            buffer.advance.eq(reader.advance | transmitter.advance),
            reader.word.eq(buffer.word),
            reader.address.eq(self.address),
            reader.netmask.eq(self.netmask),
            transmitter.word.eq(buffer.word),
            transmitter.mac.eq(self.mac),
            transmitter.address.eq(self.address),
            transmitter.sender.eq(found.mac),
            transmitter.source.eq(found.source),
            arp.address.eq(self.address),
            arp.netmask.eq(self.netmask),
            arp.gateway.eq(self.gateway),
            arp.tick_second.eq(tick_second),
            arp.announce.eq(self.announce),
            reader.o.ready.eq(1),  # a frame that nobody wants is gone at once
        ]
        for n, (kind, protocol) in enumerate(self.protocols.items()):
            connect(m, protocol.o, puts.i[n])
            m.d.comb += [
                protocol.i.payload.eq(found),
                protocol.i.valid.eq(reader.o.valid & (found.kind == kind)),
                protocol.tick_ms.eq(self.tick_ms),
            ]
            with m.If(found.kind == kind):
                m.d.comb += reader.o.ready.eq(protocol.i.ready)

        m.d.comb += [
            self.count_arp_replies.eq(arp.count_replies),
            self.count_arp_requests_sent.eq(arp.count_requests_sent),
            self.count_arp_resolved.eq(arp.count_resolved),
            self.count_arp_timeouts.eq(arp.count_timeouts),
            self.count_icmp_replies.eq(icmp.count_replies),
            self.count_icmp_dropped.eq(icmp.count_dropped),
            self.count_local_dropped.eq(buffer.count_dropped),
            self.count_local_bad_checksum.eq(reader.count_bad_checksum),
            self.count_local_malformed.eq(reader.count_malformed),
        ]
        if Kind.IGMP in self.protocols:
            m.submodules.igmp = igmp = self.protocols[Kind.IGMP]
            m.d.comb += [
                igmp.groups.eq(self.groups),
                igmp.mac.eq(self.mac),
                igmp.tick_second.eq(tick_second),
                igmp.announce.eq(self.announce),
                self.count_igmp_reports.eq(igmp.count_reports),
                self.count_igmp_queries.eq(igmp.count_queries),
                self.count_local_malformed.eq(reader.count_malformed | igmp.count_malformed),
            ]
        return m
