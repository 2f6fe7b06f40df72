"""The host's side of the card: registers on AXI4-Lite, rings by AXI4, interrupt, clock and latency histogram."""

from collections.abc import Sequence
from fractions import Fraction

from amaranth.hdl import Cat, Module, Mux, Signal, Value, ValueLike
from amaranth.lib import stream, wiring
from amaranth.lib.data import Layout
from amaranth.lib.wiring import In, Out, connect, flipped

from hw.host.axi import AxiLiteManager, AxiManager, relay
from hw.host.axi_lite import AxiLite
from hw.host.clock import FRACTION_BITS, NS_AT_10G, NanosecondClock
from hw.host.dma import INDEX_BITS, CommandFetcher, EventWriter
from hw.host.histogram import BITS, LatencyHistogram
from hw.host.interrupt import Causes, Interrupts
from hw.host.register_block import RegisterBlock
from hw.host.register_map import HISTOGRAM, HOST_IDENTIFICATION, LINKS, REGISTERS, Register
from hw.host.ring_control import SIZE_BITS, RingStatus
from hw.host.write_arbiter import WriteArbiter
from hw.streams import Beat

VERSION = 1, 0
ID_BITS = 2
FIRST = HOST_IDENTIFICATION.address
OWN = tuple(each for each in REGISTERS if each.address >= FIRST)
"""The registers of this interface; the rest are the card's."""


def magic(word: str) -> int:
    """Four letters as an identification register has them."""
    return int.from_bytes(word.encode("ascii"), "big")


class HostInterface(wiring.Component):
    """Registers, rings, interrupt, clock and histogram, as the host sees them.

    Its own registers are in it, those from 0x8000 on; the card's are behind the bus of a :class:`hw.host.bank.RegisterBank`, and
    so are those beyond its own.

    Parameters
    ----------
    period : Fraction
        Nanoseconds in a clock cycle.
    address_bits : int
        Of ``axi_lite``.
    events_outstanding, commands_outstanding : int
        See :class:`EventWriter` and :class:`CommandFetcher`.
    beyond : sequence of Register
        Registers at higher addresses than its own that the card has.

    Members
    -------
    axi : Out(AxiManager(2))
        The host's memory. Events have identifier 0, their index 1, the commands' index 2; commands are read with 0.
    axi_lite : In(AxiLiteManager(address_bits))
        The registers.
    interrupt : Out(1)
        High while something is pending that the host wants to know.
    event : In(stream of unsigned(64))
        Events of 64 bytes, 8 beats each, as :class:`hw.host.ring.EventRing` gives them. Held up for as long as the bus holds
        up the interface, never by a host that does not read.
    event_lost : In(1)
        The card lost an event before it came here.
    command : Out(stream of Beat)
        Commands of 64 bytes, ``last`` with the eighth beat.
    now : Out(64)
        Nanoseconds.
    pulse : In(1)
        A pulse of the reference, in this clock domain: its time is kept for the host.
    sample : In(stream of unsigned(32))
        A latency in cycles. ``ready`` is always high.
    link : In(3)
        Which links are up: feed A, feed B, order port.
    fault : In(1)
        Something is wrong, in this cycle.
    count_events_lost : Out(2)
        How many events were lost here in this cycle.
    address, write, write_data, read, read_data
        The bus of the card's registers: accesses below 0x8000, and to those ``beyond``. ``read_data`` comes up to 4 cycles
        after ``read``; the address stays until then.

    Latencies: see the parts. Two cycles more on the way to ``axi`` when no other writer has it.
    """

    def __init__(
        self,
        period: Fraction = NS_AT_10G,
        *,
        address_bits: int = 16,
        events_outstanding: int = 16,
        commands_outstanding: int = 4,
        beyond: Sequence[Register] = (),
    ):
        self.period, self.address_bits, self.beyond = period, address_bits, tuple(beyond)
        self.events_outstanding, self.commands_outstanding = events_outstanding, commands_outstanding
        super().__init__(
            {
                "axi": Out(AxiManager(ID_BITS)),
                "axi_lite": In(AxiLiteManager(address_bits)),
                "interrupt": Out(1),
                "event": In(stream.Signature(64)),
                "event_lost": In(1),
                "command": Out(stream.Signature(Beat)),
                "now": Out(64),
                "pulse": In(1),
                "sample": In(stream.Signature(BITS)),
                "link": In(LINKS["up"].width),
                "fault": In(1),
                "count_events_lost": Out(2),
                "address": Out(16),
                "write": Out(1),
                "write_data": Out(32),
                "read": Out(1),
                "read_data": In(32),
            }
        )

    def elaborate(self, platform):
        m = Module()
        m.submodules.lite = lite = AxiLite(self.address_bits, (*REGISTERS, *self.beyond))
        m.submodules.events = events = EventWriter(self.events_outstanding)
        m.submodules.commands = commands = CommandFetcher(self.commands_outstanding)
        m.submodules.arbiter = arbiter = WriteArbiter(3)
        m.submodules.interrupts = interrupts = Interrupts(LINKS["up"].width)
        m.submodules.clock = clock = NanosecondClock(self.period)
        m.submodules.histogram = histogram = LatencyHistogram(HISTOGRAM.count)
        m.submodules.registers = registers = RegisterBlock(OWN)

        card, apart = Signal(), Signal(32)
        last = max(each.address + 4 * (each.count - 1) for each in OWN)
        m.d.sync += [card.eq((lite.address < FIRST) | (lite.address > last)), apart.eq(self.read_data)]
        connect(m, flipped(self.axi_lite), lite.axi)
        m.d.comb += [
            self.address.eq(lite.address),
            self.write.eq(lite.write & card),
            self.write_data.eq(lite.write_data),
            self.read.eq(lite.read & card),
            registers.address.eq(lite.address),
            registers.write.eq(lite.write),
            registers.write_data.eq(lite.write_data),
            lite.read_data.eq(Mux(card, apart, registers.read_data)),
        ]
        self._rings(m, registers, events, commands, arbiter)
        self._interrupts(m, registers, events, commands, interrupts)
        self._clock(m, registers, clock)
        self._histogram(m, registers, histogram)
        return m

    def _rings(self, m, registers, events, commands, arbiter):
        for number, writer in enumerate((events.axi, events.index, commands.index)):
            connect(m, writer, arbiter.i[number])
        relay(m, self.axi, arbiter.o)
        relay(m, self.axi, commands.axi)
        connect(m, flipped(self.event), events.i)
        connect(m, commands.o, flipped(self.command))
        m.d.comb += [
            events.dropped.eq(self.event_lost),
            events.consumer.eq(registers.event_ring_consumer_index),
            commands.producer.eq(registers.command_ring_producer_index),
            self.count_events_lost.eq(events.count_events_lost),
        ]
        for prefix, ring in (("event_ring", events), ("command_ring", commands)):

            def word(name, prefix=prefix):
                return getattr(registers, f"{prefix}_{name}")

            m.d.comb += [
                ring.setup.enable.eq(word("control_enable")),
                ring.setup.reset.eq(word("control_reset")),
                ring.setup.base.eq(Cat(word("base_low_address"), word("base_high_address"))),
                ring.setup.size.eq(word("size_records_log2")),
                ring.setup.index.eq(Cat(word("index_low_address"), word("index_high_address"))),
            ]
            _report(m, registers, {f"{prefix}_status_{name}": ring.status[name] for name, _ in Layout.cast(RingStatus)})
        errors = Signal(INDEX_BITS)
        m.d.sync += errors.eq(errors + (events.count_bus_errors + commands.count_bus_errors))
        _report(
            m,
            registers,
            {
                "host_identification_magic": magic("HOST"),
                "host_version_major": VERSION[0],
                "host_version_minor": VERSION[1],
                "host_capabilities_size_max": SIZE_BITS,
                "host_capabilities_events_outstanding": self.events_outstanding,
                "host_capabilities_commands_outstanding": self.commands_outstanding,
                "host_capabilities_links": len(self.link),
                "event_ring_status_overrun": events.overrun,
                "event_ring_producer_index": events.producer,
                "event_ring_lost_events": events.lost,
                "command_ring_consumer_index": commands.consumer,
                "dma_errors_count": errors,
                "links_up": self.link,
            },
        )

    def _interrupts(self, m, registers, events, commands, interrupts):
        waiting = Signal(INDEX_BITS)
        seen, clear = Signal(Causes), Signal(Causes)
        # An overrun is acknowledged a cycle before it is cleared: if there is one in that cycle, it stays pending.
        m.d.comb += Value.cast(seen).eq(Mux(registers.interrupt_pending_written, registers.written_data, 0))
        m.d.sync += [waiting.eq(events.published - events.consumer), clear.eq(seen)]
        m.d.comb += [
            events.acknowledge.eq(seen.overrun),
            interrupts.level.eq(waiting),
            interrupts.threshold.eq(registers.interrupt_threshold_events),
            interrupts.timeout.eq(registers.interrupt_timeout_cycles),
            interrupts.overrun.eq(events.overrun),
            interrupts.dma.eq(events.failure | commands.failure),
            interrupts.fault.eq(self.fault),
            interrupts.link.eq(self.link),
            interrupts.clear.eq(clear),
            self.interrupt.eq(interrupts.interrupt),
            *(interrupts.enable[name].eq(getattr(registers, f"interrupt_enable_{name}")) for name, _ in Layout.cast(Causes)),
        ]
        _report(m, registers, {"interrupt_pending_data": Value.cast(interrupts.pending)})

    def _clock(self, m, registers, clock):
        pulses, pulsed = Signal(INDEX_BITS), Signal(64)
        with m.If(self.pulse):
            m.d.sync += [pulses.eq(pulses + 1), pulsed.eq(clock.now)]
        m.d.comb += [
            clock.rate.eq(registers.clock_rate_fraction),
            clock.value.eq(Cat(registers.clock_value_low_nanoseconds, registers.clock_value_high_nanoseconds)),
            clock.set.eq(registers.clock_command_written & registers.clock_command_set),
            clock.step.eq(registers.clock_command_written & registers.clock_command_step),
            clock.capture.eq(registers.clock_command_written & registers.clock_command_capture),
            self.now.eq(clock.now),
        ]
        _report(
            m,
            registers,
            {
                "clock_identification_magic": magic("TIME"),
                "clock_version_major": VERSION[0],
                "clock_version_minor": VERSION[1],
                "clock_cycle_nanoseconds": clock.period[FRACTION_BITS:],
                "clock_cycle_fraction_fraction": clock.period[:FRACTION_BITS],
                "clock_now_low_nanoseconds": clock.captured[:32],
                "clock_now_high_nanoseconds": clock.captured[32:],
                "clock_pulse_low_nanoseconds": pulsed[:32],
                "clock_pulse_high_nanoseconds": pulsed[32:],
                "clock_pulses_count": pulses,
            },
        )

    def _histogram(self, m, registers, histogram):
        connect(m, flipped(self.sample), histogram.i)
        m.d.comb += [
            histogram.snapshot.eq(registers.histogram_command_written & registers.histogram_command_snapshot),
            histogram.index.eq(registers.histogram_index),
        ]
        _report(
            m,
            registers,
            {
                "histogram_identification_magic": magic("HIST"),
                "histogram_version_major": VERSION[0],
                "histogram_version_minor": VERSION[1],
                "histogram_buckets_count": histogram.buckets,
                "histogram_status_busy": histogram.busy,
                "histogram_status_snapshots": histogram.snapshots,
                "histogram_count_samples": histogram.count,
                "histogram_sum_low_cycles": histogram.sum[:32],
                "histogram_sum_high_cycles": histogram.sum[32:],
                "histogram_minimum_cycles": histogram.minimum,
                "histogram_maximum_cycles": histogram.maximum,
                "histogram_data": histogram.data,
            },
        )


def _report(m: Module, registers: RegisterBlock, values: dict[str, ValueLike]) -> None:
    m.d.comb += [getattr(registers, name).eq(value) for name, value in values.items()]
