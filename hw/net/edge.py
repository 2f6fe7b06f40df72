"""A port of the card: the MAC, what the port does for itself, and the line that both share."""

from amaranth.hdl import Module, Signal
from amaranth.lib import data, stream, wiring
from amaranth.lib.wiring import In, Out, connect, flipped

from hw.net.local.arbiter import FrameArbiter
from hw.net.local.arp import Resolved
from hw.net.local.igmp import Group
from hw.net.local.responder import COUNTERS as LOCAL
from hw.net.local.responder import LocalResponder
from hw.net.mac.frame import Received
from hw.net.mac.xgmii import XgmiiReceiver, XgmiiTransmitter
from hw.net.mac.xgmii.characters import LANES
from hw.net.mac.xgmii.receiver import COUNTERS as RECEIVER
from hw.net.mac.xgmii.transmitter import COUNTERS as TRANSMITTER
from hw.streams import Beat

COUNTERS = (*RECEIVER, *TRANSMITTER, *LOCAL)


class NetworkPort(wiring.Component):
    """A 10G port with ARP, ICMP echo and IGMP.

    Parameters
    ----------
    groups : int
        Multicast groups, 2 to 8, or 0.

    Members
    -------
    rx_data, rx_control, tx_data, tx_control : In(64), In(8), Out(64), Out(8)
        XGMII.
    rx : Out(stream of Received, always ready)
        All frames.
    tx : In(stream of Beat)
        Frames that go before the port's own. Behind the first beat the others follow without a hole.
    tx_sfd : Out(1)
        Pulse: the start frame delimiter of a frame is at ``tx_data``.
    tx_begins : Out(1)
        Pulse: the first beat of a frame of ``tx`` is taken. ``tx_sfd`` follows it, before it comes again.
    own_begins : Out(1)
        Pulse: the first beat of one of the port's own frames is taken.
    up : Out(1)
        Neither end reports a fault of the link.
    mac, address, netmask, gateway, groups, tick_ms, resolve, resolved
        As :class:`LocalResponder` has them.
    announce : In(1)
        Pulse: say who we are. Done by itself when the link comes up.
    count_... : Out(1)
        A pulse for each of ``COUNTERS``.

    2 cycles from XGMII to ``rx``, 1 from ``tx`` to XGMII on an idle line. A frame of ``tx`` waits for at most one of the port's
    own that has begun: 1540 bytes.
    """

    def __init__(self, groups: int = 8):
        self.responder = LocalResponder(groups)
        super().__init__(
            {
                "rx_data": In(8 * LANES),
                "rx_control": In(LANES),
                "tx_data": Out(8 * LANES),
                "tx_control": Out(LANES),
                "rx": Out(stream.Signature(Received, always_ready=True)),
                "tx": In(stream.Signature(Beat)),
                "tx_sfd": Out(1),
                "tx_begins": Out(1),
                "own_begins": Out(1),
                "up": Out(1, init=1),
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
        m.submodules.receiver = receiver = XgmiiReceiver()
        m.submodules.transmitter = transmitter = XgmiiTransmitter()
        m.submodules.responder = responder = self.responder
        m.submodules.arbiter = arbiter = FrameArbiter(2)
        connect(m, receiver.o, flipped(self.rx))
        connect(m, flipped(self.tx), arbiter.i[0])
        connect(m, responder.tx, arbiter.i[1])
        connect(m, arbiter.o, transmitter.i)
        connect(m, flipped(self.resolve), responder.resolve)
        connect(m, responder.resolved, flipped(self.resolved))

        up, begins = Signal(init=1), Signal()
        m.d.sync += [self.up.eq(~receiver.local_fault & ~receiver.remote_fault), up.eq(self.up)]
        m.d.comb += begins.eq(arbiter.o.valid & arbiter.o.ready & ~arbiter.inside)
        m.d.comb += [
            receiver.rx_data.eq(self.rx_data),
            receiver.rx_control.eq(self.rx_control),
            responder.rx.payload.eq(receiver.o.payload),
            responder.rx.valid.eq(receiver.o.valid),
            transmitter.local_fault.eq(receiver.local_fault),
            transmitter.remote_fault.eq(receiver.remote_fault),
            self.tx_data.eq(transmitter.tx_data),
            self.tx_control.eq(transmitter.tx_control),
            self.tx_sfd.eq(transmitter.sfd),
            self.tx_begins.eq(begins & (arbiter.owner == 0)),
            self.own_begins.eq(begins & (arbiter.owner != 0)),
            responder.announce.eq(self.announce | (self.up & ~up)),
            *(getattr(responder, name).eq(getattr(self, name)) for name in ("mac", "address", "netmask", "gateway", "tick_ms")),
        ]
        if "groups" in self.signature.members:
            m.d.comb += responder.groups.eq(self.groups)
        for part, counters in ((receiver, RECEIVER), (transmitter, TRANSMITTER), (responder, LOCAL)):
            m.d.comb += [getattr(self, f"count_{name}").eq(getattr(part, f"count_{name}")) for name in counters]
        return m
