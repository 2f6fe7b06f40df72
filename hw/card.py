"""The card as it is flashed: the path, three network ports, the order session's TCP, and the host's side."""

from fractions import Fraction

from amaranth.hdl import Cat, Module, Mux, Signal
from amaranth.lib import wiring
from amaranth.lib.wiring import In, Out, connect, flipped

from hw.appliance import Appliance
from hw.host.axi import AxiLiteManager, AxiManager
from hw.host.clock import NS_AT_10G
from hw.host.counters import CounterBank
from hw.host.interface import ID_BITS, HostInterface, magic
from hw.host.latency import Latency
from hw.host.mailbox import FrameMailbox
from hw.host.register_block import RegisterBlock
from hw.host.register_map import NETWORK_REGISTERS
from hw.host.ticks import NS_PER_MICROSECOND, Ticks
from hw.net.edge import COUNTERS as PORT_COUNTERS
from hw.net.edge import NetworkPort
from hw.net.local.arbiter import FrameArbiter
from hw.net.mac.xgmii.characters import LANES
from hw.network_counters import NETWORK_COUNTERS, PORTS
from hw.parameters import Parameters
from hw.tcp.engine import COUNTERS as TCP_COUNTERS
from hw.tcp.engine import TcpEngine
from hw.tcp.opening import Opening
from hw.tcp.segment import State
from hw.tcp.session_link import SessionLink

VERSION = 1, 0
GROUPS = 8
FEEDS = ("feed_a", "feed_b")
HOST_BIT = 15
"""Of a register's address: the path's are below."""


class Card(wiring.Component):
    """Market data in on two ports, orders out on a third, a host beside it.

    Parameters
    ----------
    parameters : Parameters
    build : int
        What the register ``build`` says, 32 bits.
    period : Fraction
        Nanoseconds in a clock cycle.
    microsecond : Fraction, optional
        Cycles that count as one for timers; what ``period`` says by default. A bench takes fewer.

    Members
    -------
    feed_a, feed_b, order : XGMII
        ``..._rx_data``, ``..._rx_control``, ``..._tx_data``, ``..._tx_control`` of each.
    axi : Out(AxiManager(2))
        The host's memory: events and indices are written, commands read.
    axi_lite : In(AxiLiteManager(16))
        The registers (docs/registers.md).
    interrupt : Out(1)
    pulse : In(1)
        Pulse of a reference clock, of this clock domain.

    A frame of a feed enters the path 2 cycles behind the wire; a packet that the path sends leaves on the wire 2 to 4 cycles
    later, when nothing else is being sent. Feed frames whose frame check sequence is wrong leave no trace but in the MAC's
    counter. Time stamps are those of the card's clock: of a frame's first beat, and of the start frame delimiter of an order's
    frame; what lies between goes into the histogram, for packets whose cause is a message of the feed.

    No order waits for a connection: see :class:`hw.tcp.session_link.SessionLink`.
    """

    def __init__(
        self,
        parameters: Parameters,
        build: int = 0,
        *,
        period: Fraction = NS_AT_10G,
        microsecond: Fraction | None = None,
    ):
        self.parameters, self.build, self.period = parameters, build, period
        self.microsecond = microsecond or NS_PER_MICROSECOND / period
        pins = {"rx_data": In(8 * LANES), "rx_control": In(LANES), "tx_data": Out(8 * LANES), "tx_control": Out(LANES)}
        super().__init__(
            {
                **{f"{port}_{pin}": member for port in PORTS for pin, member in pins.items()},
                "axi": Out(AxiManager(ID_BITS)),
                "axi_lite": In(AxiLiteManager(HOST_BIT + 1)),
                "interrupt": Out(1),
                "pulse": In(1),
            }
        )

    def elaborate(self, platform):
        m = Module()
        m.submodules.path = path = Appliance(self.parameters, self.build)
        m.submodules.host = host = HostInterface(self.period, beyond=NETWORK_REGISTERS)
        m.submodules.registers = registers = RegisterBlock(NETWORK_REGISTERS)
        m.submodules.ticks = ticks = Ticks(self.microsecond)
        m.submodules.counters = counters = CounterBank(len(NETWORK_COUNTERS))
        ports = {name: NetworkPort(GROUPS if name in FEEDS else 0) for name in PORTS}
        for name, port in ports.items():
            m.submodules[name] = port
            self._port(m, name, port, registers, ticks)
        pulses = {f"{name}_{each}": getattr(port, f"count_{each}") for name, port in ports.items() for each in PORT_COUNTERS}

        # in
        for n, name in enumerate(FEEDS):
            received, into = ports[name].rx, getattr(path, name)
            m.d.comb += [
                into.valid.eq(received.valid),
                *(into.payload[each].eq(received.payload[each]) for each in ("data", "last", "count")),
                path.feed_bad[n].eq(received.payload.bad),
            ]
        m.submodules.mailbox = mailbox = FrameMailbox()
        connect(m, mailbox.o, path.recovery)
        m.d.comb += [
            mailbox.word.eq(registers.recovery_data_bytes),
            mailbox.write.eq(registers.recovery_data_written),
            mailbox.length.eq(registers.recovery_frame_length),
            mailbox.send.eq(registers.recovery_frame_written),
            registers.recovery_status_busy.eq(mailbox.busy),
        ]
        pulses["recovery_frames"] = mailbox.count_frames
        m.d.comb += ticks.period.eq(registers.tick_period)
        connect(m, ticks.tick, path.tick)

        self._session(m, path, ports["order"], registers, ticks, host, pulses)
        self._host(m, path, host, registers, counters, ports)
        m.d.comb += [counters.steps[n].eq(pulses[name]) for n, name in enumerate(NETWORK_COUNTERS)]
        return m

    def _port(self, m, name, port, registers, ticks):
        """Pins and settings of a port."""

        def word(register, field):
            return getattr(registers, f"{name}_{register}_{field}")

        m.d.comb += [
            port.rx_data.eq(getattr(self, f"{name}_rx_data")),
            port.rx_control.eq(getattr(self, f"{name}_rx_control")),
            getattr(self, f"{name}_tx_data").eq(port.tx_data),
            getattr(self, f"{name}_tx_control").eq(port.tx_control),
            port.mac.eq(Cat(word("mac_low", "bytes"), word("mac_high", "bytes"))),
            port.address.eq(word("address", "ipv4")),
            port.netmask.eq(word("netmask", "ipv4")),
            port.gateway.eq(word("gateway", "ipv4")),
            port.announce.eq(getattr(registers, f"{name}_command_written") & word("command", "announce")),
            port.tick_ms.eq(ticks.ms),
        ]
        if name in FEEDS:
            for n in range(GROUPS):
                group = word(f"group_{n}", "ipv4")
                m.d.comb += [port.groups[n].address.eq(group), port.groups[n].enable.eq(group != 0)]

    def _session(self, m, path, port, registers, ticks, host, pulses):
        """The order session: its connection, and how long its orders took."""
        m.submodules.engine = engine = TcpEngine()
        m.submodules.opening = opening = Opening()
        m.submodules.link = link = SessionLink()
        m.submodules.commands = commands = FrameArbiter(2)
        m.submodules.latency = latency = Latency(self.period)
        connect(m, path.order, link.i)
        connect(m, link.o, engine.send)
        connect(m, engine.tx, port.tx)
        connect(m, engine.receive, path.session_in)
        connect(m, opening.resolve, port.resolve)
        connect(m, port.resolved, opening.resolved)
        connect(m, link.command, commands.i[0])
        connect(m, host.command, commands.i[1])
        connect(m, commands.o, path.command)
        connect(m, latency.o, host.sample)

        asked = registers.tcp_command_written
        held = {
            "local_mac": port.mac,
            "remote_mac": opening.mac,
            "local_address": port.address,
            "remote_address": registers.tcp_remote_address_ipv4,
            "local_port": registers.tcp_ports_local,
            "remote_port": registers.tcp_ports_remote,
            "initial_sequence": registers.tcp_sequence_value,
            "rto_initial": registers.tcp_timeout_microseconds,
            "rto_maximum": registers.tcp_timeout_maximum_microseconds,
            "time_wait": registers.tcp_time_wait_microseconds,
        }
        m.d.comb += [
            *(getattr(engine, name).eq(value) for name, value in held.items()),
            engine.rx.payload.eq(port.rx.payload),
            engine.rx.valid.eq(port.rx.valid),
            engine.tick_us.eq(ticks.us),
            engine.connect.eq(opening.open),
            engine.close.eq(asked & registers.tcp_command_close),
            engine.abort.eq(asked & registers.tcp_command_abort),
            opening.connect.eq(asked & registers.tcp_command_connect),
            opening.closed.eq(engine.state == State.CLOSED),
            opening.address.eq(registers.tcp_remote_address_ipv4),
            link.state.eq(engine.state),
            link.closed.eq(engine.closed),
            registers.tcp_status_state.eq(engine.state),
            registers.tcp_status_opening.eq(opening.busy),
            registers.tcp_status_unreachable.eq(opening.unreachable),
            registers.tcp_status_login.eq(link.login),
            registers.tcp_window_remote.eq(engine.remote_window),
            registers.tcp_window_unacknowledged.eq(engine.unacknowledged),
        ]

        # A packet's stamp waits for its frame: the engine takes no other before that has begun.
        first, stamp, by_feed, leaving = Signal(init=1), Signal(64), Signal(), Signal()
        with m.If(path.order.valid & path.order.ready):
            m.d.sync += first.eq(path.order.payload.last)
            with m.If(first):
                m.d.sync += [stamp.eq(path.order_stamp), by_feed.eq(path.order_cause != 0)]
        with m.If(port.tx_begins | port.own_begins):
            m.d.sync += leaving.eq(port.tx_begins & engine.tx_fresh & by_feed)
        m.d.comb += [latency.now.eq(host.now), latency.stamp.eq(stamp), latency.take.eq(port.tx_sfd & leaving)]

        established = Signal()
        m.d.sync += established.eq(engine.established)
        pulses |= {f"tcp_{name}": getattr(engine, f"count_{name}") for name in TCP_COUNTERS}
        pulses |= {
            "connections_opened": engine.established & ~established,
            "connections_closed": engine.closed,
            "connections_refused": opening.count_connections_refused,
            "packets_unsent": link.count_packets_unsent,
        }

    def _host(self, m, path, host, registers, counters, ports):
        """The host's interface, and two banks of registers on its bus."""
        connect(m, host.axi, flipped(self.axi))
        connect(m, flipped(self.axi_lite), host.axi_lite)
        connect(m, path.event, host.event)
        beyond = host.address[HOST_BIT]
        m.d.comb += [
            path.now.eq(host.now),
            self.interrupt.eq(host.interrupt),
            host.pulse.eq(self.pulse),
            host.link.eq(Cat(port.up for port in ports.values())),
            host.event_lost.eq(path.event_lost),
            host.fault.eq(Cat(port.count_underruns for port in ports.values()).any()),
            path.csr_address.eq(host.address[:HOST_BIT]),
            path.csr_write.eq(host.write & ~beyond),
            path.csr_write_data.eq(host.write_data),
            path.csr_read.eq(host.read & ~beyond),
            registers.address.eq(host.address),
            registers.write.eq(host.write & beyond),
            registers.write_data.eq(host.write_data),
            host.read_data.eq(Mux(beyond, registers.read_data, path.csr_read_data)),
            counters.index.eq(registers.network_counter_index),
            registers.network_counter_data.eq(counters.data),
            registers.network_identification_magic.eq(magic("NETW")),
            registers.network_version_major.eq(VERSION[0]),
            registers.network_version_minor.eq(VERSION[1]),
            registers.network_counters_count.eq(len(NETWORK_COUNTERS)),
        ]
        return m
