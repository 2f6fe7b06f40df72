"""The card's registers: addresses in bytes, fields in bits. Made from hw/host/registers.rdl by hw.host.generate."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Field:
    """Bits of a register. ``source``: ``constant``, ``card`` (driven by the gateware) or ``host`` (written by it)."""

    name: str
    low: int
    width: int
    reset: int
    source: str

    @property
    def mask(self) -> int:
        """The field's bits, in place."""
        return ((1 << self.width) - 1) << self.low

    def of(self, word: int) -> int:
        """The field's value in a register's value."""
        return (word & self.mask) >> self.low

    def put(self, word: int, value: int) -> int:
        """A register's value with the field changed."""
        if value < 0 or value >> self.width:
            raise ValueError(f"{self.name}: {value} does not fit {self.width} bits")
        return word & ~self.mask | value << self.low


@dataclass(frozen=True, slots=True)
class Register:
    """A 32-bit register, or ``count`` in a row, at a byte address. ``external``: not kept by the register bank."""

    name: str
    address: int
    count: int
    external: bool
    fields: tuple[Field, ...]

    def __getitem__(self, name: str) -> Field:
        for each in self.fields:
            if each.name == name:
                return each
        raise KeyError(f"{self.name} has no field {name}")

    @property
    def reset(self) -> int:
        """The value after reset, as far as the declaration says it."""
        return sum(each.reset << each.low for each in self.fields)


IDENTIFICATION = Register(
    "identification",
    0x0000,
    1,
    False,
    (
        Field("magic", 0, 32, 0x4850494E, "constant"),
    ),
)
"""Says that this is a Hairpin card. A driver that reads anything else stops here."""

VERSION = Register(
    "version",
    0x0004,
    1,
    False,
    (
        Field("minor", 0, 16, 1, "constant"),
        Field("major", 16, 16, 1, "constant"),
    ),
)
"""A driver refuses a card with another major version."""

BUILD = Register(
    "build",
    0x0008,
    1,
    False,
    (
        Field("hash", 0, 32, 0, "card"),
    ),
)
"""First 32 bits of the hash over the gateware's sources and parameters."""

SYMBOLS = Register(
    "symbols",
    0x0010,
    1,
    False,
    (
        Field("count", 0, 32, 0, "card"),
    ),
)
"""Symbols that the card can trade."""

LEVELS = Register(
    "levels",
    0x0014,
    1,
    False,
    (
        Field("count", 0, 32, 0, "card"),
    ),
)
"""Price levels of a symbol's ladder, per side."""

ORDERS = Register(
    "orders",
    0x0018,
    1,
    False,
    (
        Field("count", 0, 32, 0, "card"),
    ),
)
"""Orders of the market that the order table holds, all symbols together."""

SLOTS = Register(
    "slots",
    0x001C,
    1,
    False,
    (
        Field("order_slots", 0, 8, 0, "card"),
        Field("hold_slots", 8, 8, 0, "card"),
    ),
)
"""Places for own orders and for packets ahead of sequence."""

COUNTERS = Register(
    "counters",
    0x0020,
    1,
    False,
    (
        Field("count", 0, 32, 0, "card"),
    ),
)
"""Number of counters at `counter`."""

STATUS = Register(
    "status",
    0x0030,
    1,
    False,
    (
        Field("idle", 0, 1, 0, "card"),
        Field("ready", 1, 1, 0, "card"),
        Field("feed_whole", 2, 1, 0, "card"),
        Field("killed", 3, 1, 0, "card"),
        Field("session", 8, 2, 0, "card"),
        Field("killed_strategies", 16, 16, 0, "card"),
    ),
)
"""What the card is doing now."""

CONTROL = Register(
    "control",
    0x0034,
    1,
    False,
    (
        Field("kill", 0, 1, 0, "host"),
    ),
)
"""What the host can do without a command."""

EVENT_ENABLE = Register(
    "event_enable",
    0x0038,
    1,
    False,
    (
        Field("types", 0, 32, 0xFFFFFFFF, "host"),
    ),
)
"""Bit n: events of type n (wire.records.EventType) are written. Those that are not take no sequence number."""

SESSION_SEQUENCE = Register(
    "session_sequence",
    0x003C,
    1,
    False,
    (
        Field("messages", 0, 32, 0, "card"),
    ),
)
"""Sequenced messages received from the exchange, modulo 2^32."""

EVENT_SEQUENCE = Register(
    "event_sequence",
    0x0040,
    1,
    False,
    (
        Field("next", 0, 32, 0, "card"),
    ),
)
"""Sequence number of the next event."""

COUNTER = Register(
    "counter",
    0x0400,
    101,
    True,
    (
        Field("value", 0, 32, 0, "card"),
    ),
)
"""Counters in the order of wire/counters.py, modulo 2^32."""

HOST_IDENTIFICATION = Register(
    "host_identification",
    0x8000,
    1,
    False,
    (
        Field("magic", 0, 32, 0, "card"),
    ),
)
"""Says that the card has a host interface: rings by DMA and interrupts."""

HOST_VERSION = Register(
    "host_version",
    0x8004,
    1,
    False,
    (
        Field("minor", 0, 16, 0, "card"),
        Field("major", 16, 16, 0, "card"),
    ),
)
"""Of these registers, from `host_identification` on, and of the rings."""

HOST_CAPABILITIES = Register(
    "host_capabilities",
    0x8008,
    1,
    False,
    (
        Field("size_max", 0, 8, 0, "card"),
        Field("events_outstanding", 8, 8, 0, "card"),
        Field("commands_outstanding", 16, 8, 0, "card"),
        Field("links", 24, 8, 0, "card"),
    ),
)
"""What this card's rings can do."""

EVENT_RING_CONTROL = Register(
    "event_ring_control",
    0x8010,
    1,
    False,
    (
        Field("enable", 0, 1, 0, "host"),
        Field("reset", 1, 1, 0, "host"),
    ),
)
"""Starts, stops and resets the ring."""

EVENT_RING_STATUS = Register(
    "event_ring_status",
    0x8014,
    1,
    False,
    (
        Field("running", 0, 1, 0, "card"),
        Field("stopping", 1, 1, 0, "card"),
        Field("bus_error", 2, 1, 0, "card"),
        Field("bad_index", 3, 1, 0, "card"),
        Field("bad_setup", 4, 1, 0, "card"),
        Field("overrun", 5, 1, 0, "card"),
    ),
)
"""An error stops the ring until it is reset."""

EVENT_RING_BASE_LOW = Register(
    "event_ring_base_low",
    0x8018,
    1,
    False,
    (
        Field("address", 0, 32, 0, "host"),
    ),
)
"""Address of the first record, a multiple of the ring's size in bytes. Addresses and size are taken when it starts."""

EVENT_RING_BASE_HIGH = Register(
    "event_ring_base_high",
    0x801C,
    1,
    False,
    (
        Field("address", 0, 32, 0, "host"),
    ),
)
"""The other half of the one before."""

EVENT_RING_SIZE = Register(
    "event_ring_size",
    0x8020,
    1,
    False,
    (
        Field("records_log2", 0, 5, 0, "host"),
    ),
)
"""Records that the ring holds."""

EVENT_RING_INDEX_LOW = Register(
    "event_ring_index_low",
    0x8024,
    1,
    False,
    (
        Field("address", 0, 32, 0, "host"),
    ),
)
"""Address, a multiple of 8, where the host finds the card's index, 32 bits, and behind it the events lost, 32 bits."""

EVENT_RING_INDEX_HIGH = Register(
    "event_ring_index_high",
    0x8028,
    1,
    False,
    (
        Field("address", 0, 32, 0, "host"),
    ),
)
"""The other half of the one before."""

EVENT_RING_CONSUMER = Register(
    "event_ring_consumer",
    0x802C,
    1,
    False,
    (
        Field("index", 0, 32, 0, "host"),
    ),
)
"""Events that the host has read, from its start on, modulo 2^32. Write 0 before it starts after a reset."""

EVENT_RING_PRODUCER = Register(
    "event_ring_producer",
    0x8030,
    1,
    False,
    (
        Field("index", 0, 32, 0, "card"),
    ),
)
"""Events that are in the host's memory, from the start of the ring on, modulo 2^32."""

EVENT_RING_LOST = Register(
    "event_ring_lost",
    0x8034,
    1,
    False,
    (
        Field("events", 0, 32, 0, "card"),
    ),
)
"""Events that found the ring full, or were under way when it failed, since it was reset, modulo 2^32."""

COMMAND_RING_CONTROL = Register(
    "command_ring_control",
    0x8040,
    1,
    False,
    (
        Field("enable", 0, 1, 0, "host"),
        Field("reset", 1, 1, 0, "host"),
    ),
)
"""Starts, stops and resets the ring."""

COMMAND_RING_STATUS = Register(
    "command_ring_status",
    0x8044,
    1,
    False,
    (
        Field("running", 0, 1, 0, "card"),
        Field("stopping", 1, 1, 0, "card"),
        Field("bus_error", 2, 1, 0, "card"),
        Field("bad_index", 3, 1, 0, "card"),
        Field("bad_setup", 4, 1, 0, "card"),
    ),
)
"""An error stops the ring until it is reset."""

COMMAND_RING_BASE_LOW = Register(
    "command_ring_base_low",
    0x8048,
    1,
    False,
    (
        Field("address", 0, 32, 0, "host"),
    ),
)
"""Address of the first record, a multiple of the ring's size in bytes. Addresses and size are taken when it starts."""

COMMAND_RING_BASE_HIGH = Register(
    "command_ring_base_high",
    0x804C,
    1,
    False,
    (
        Field("address", 0, 32, 0, "host"),
    ),
)
"""The other half of the one before."""

COMMAND_RING_SIZE = Register(
    "command_ring_size",
    0x8050,
    1,
    False,
    (
        Field("records_log2", 0, 5, 0, "host"),
    ),
)
"""Records that the ring holds."""

COMMAND_RING_INDEX_LOW = Register(
    "command_ring_index_low",
    0x8054,
    1,
    False,
    (
        Field("address", 0, 32, 0, "host"),
    ),
)
"""Address, a multiple of 8, where the host finds the card's index, 64 bits."""

COMMAND_RING_INDEX_HIGH = Register(
    "command_ring_index_high",
    0x8058,
    1,
    False,
    (
        Field("address", 0, 32, 0, "host"),
    ),
)
"""The other half of the one before."""

COMMAND_RING_PRODUCER = Register(
    "command_ring_producer",
    0x805C,
    1,
    False,
    (
        Field("index", 0, 32, 0, "host"),
    ),
)
"""The doorbell: commands in the ring, from its start on, modulo 2^32. Write 0 before it starts after a reset."""

COMMAND_RING_CONSUMER = Register(
    "command_ring_consumer",
    0x8060,
    1,
    False,
    (
        Field("index", 0, 32, 0, "card"),
    ),
)
"""Commands that the card has taken, from the start of the ring on, modulo 2^32."""

DMA_ERRORS = Register(
    "dma_errors",
    0x8070,
    1,
    False,
    (
        Field("count", 0, 32, 0, "card"),
    ),
)
"""Responses on the bus that were errors, both rings together, modulo 2^32."""

LINKS = Register(
    "links",
    0x8074,
    1,
    False,
    (
        Field("up", 0, 3, 0, "card"),
    ),
)
"""Which links are up: feed A, feed B, order port."""

INTERRUPT_ENABLE = Register(
    "interrupt_enable",
    0x8080,
    1,
    False,
    (
        Field("events", 0, 1, 0, "host"),
        Field("overrun", 1, 1, 0, "host"),
        Field("dma", 2, 1, 0, "host"),
        Field("link", 3, 1, 0, "host"),
        Field("fault", 4, 1, 0, "host"),
    ),
)
"""Which causes raise the interrupt."""

INTERRUPT_PENDING = Register(
    "interrupt_pending",
    0x8084,
    1,
    True,
    (
        Field("events", 0, 1, 0, "host"),
        Field("overrun", 1, 1, 0, "host"),
        Field("dma", 2, 1, 0, "host"),
        Field("link", 3, 1, 0, "host"),
        Field("fault", 4, 1, 0, "host"),
    ),
)
"""What has happened. Write 1 to clear a bit. The interrupt is high while a bit is 1 here and in `interrupt_enable`."""

INTERRUPT_THRESHOLD = Register(
    "interrupt_threshold",
    0x8088,
    1,
    False,
    (
        Field("events", 0, 32, 0, "host"),
    ),
)
"""Events in the ring that are worth an interrupt. 0: no number is."""

INTERRUPT_TIMEOUT = Register(
    "interrupt_timeout",
    0x808C,
    1,
    False,
    (
        Field("cycles", 0, 32, 0, "host"),
    ),
)
"""Clock cycles that events may wait in the ring before the interrupt comes. 0: for ever."""

CLOCK_IDENTIFICATION = Register(
    "clock_identification",
    0x8100,
    1,
    False,
    (
        Field("magic", 0, 32, 0, "card"),
    ),
)
"""Says that the card has a clock of its own that a servo can steer."""

CLOCK_VERSION = Register(
    "clock_version",
    0x8104,
    1,
    False,
    (
        Field("minor", 0, 16, 0, "card"),
        Field("major", 16, 16, 0, "card"),
    ),
)
"""Of the registers of the clock."""

CLOCK_CYCLE = Register(
    "clock_cycle",
    0x8108,
    1,
    False,
    (
        Field("nanoseconds", 0, 4, 0, "card"),
    ),
)
"""Nominal length of a clock cycle."""

CLOCK_CYCLE_FRACTION = Register(
    "clock_cycle_fraction",
    0x810C,
    1,
    False,
    (
        Field("fraction", 0, 32, 0, "card"),
    ),
)
"""In units of 2^-32 ns."""

CLOCK_RATE = Register(
    "clock_rate",
    0x8110,
    1,
    False,
    (
        Field("fraction", 0, 32, 0, "host"),
    ),
)
"""Added to the length of every cycle, signed, in units of 2^-32 ns. At once."""

CLOCK_VALUE_LOW = Register(
    "clock_value_low",
    0x8114,
    1,
    False,
    (
        Field("nanoseconds", 0, 32, 0, "host"),
    ),
)
"""What `clock_command` sets or adds: nanoseconds, signed, 64 bits."""

CLOCK_VALUE_HIGH = Register(
    "clock_value_high",
    0x8118,
    1,
    False,
    (
        Field("nanoseconds", 0, 32, 0, "host"),
    ),
)
"""The other half of the one before."""

CLOCK_COMMAND = Register(
    "clock_command",
    0x811C,
    1,
    False,
    (
        Field("set", 0, 1, 0, "host"),
        Field("step", 1, 1, 0, "host"),
        Field("capture", 2, 1, 0, "host"),
    ),
)
"""A write does what its bits say, once. It reads as it was last written."""

CLOCK_NOW_LOW = Register(
    "clock_now_low",
    0x8120,
    1,
    False,
    (
        Field("nanoseconds", 0, 32, 0, "card"),
    ),
)
"""The time of the last `capture`, ns."""

CLOCK_NOW_HIGH = Register(
    "clock_now_high",
    0x8124,
    1,
    False,
    (
        Field("nanoseconds", 0, 32, 0, "card"),
    ),
)
"""The other half of the one before."""

CLOCK_PULSE_LOW = Register(
    "clock_pulse_low",
    0x8128,
    1,
    False,
    (
        Field("nanoseconds", 0, 32, 0, "card"),
    ),
)
"""The time of the last pulse at the card's input, ns. Read `clock_pulses` before and after: it must not have moved."""

CLOCK_PULSE_HIGH = Register(
    "clock_pulse_high",
    0x812C,
    1,
    False,
    (
        Field("nanoseconds", 0, 32, 0, "card"),
    ),
)
"""The other half of the one before."""

CLOCK_PULSES = Register(
    "clock_pulses",
    0x8130,
    1,
    False,
    (
        Field("count", 0, 32, 0, "card"),
    ),
)
"""Pulses at the card's input, modulo 2^32."""

HISTOGRAM_IDENTIFICATION = Register(
    "histogram_identification",
    0x8200,
    1,
    False,
    (
        Field("magic", 0, 32, 0, "card"),
    ),
)
"""Says that the card has a latency histogram."""

HISTOGRAM_VERSION = Register(
    "histogram_version",
    0x8204,
    1,
    False,
    (
        Field("minor", 0, 16, 0, "card"),
        Field("major", 16, 16, 0, "card"),
    ),
)
"""Of the registers of the histogram."""

HISTOGRAM_BUCKETS = Register(
    "histogram_buckets",
    0x8208,
    1,
    False,
    (
        Field("count", 0, 32, 0, "card"),
    ),
)
"""Number of buckets at `histogram`. Each is a clock cycle wide, the last has all that is longer."""

HISTOGRAM_COMMAND = Register(
    "histogram_command",
    0x820C,
    1,
    False,
    (
        Field("snapshot", 0, 1, 0, "host"),
    ),
)
"""A write does what its bits say, once. It reads as it was last written."""

HISTOGRAM_STATUS = Register(
    "histogram_status",
    0x8210,
    1,
    False,
    (
        Field("busy", 0, 1, 0, "card"),
        Field("snapshots", 16, 16, 0, "card"),
    ),
)
"""The registers from here on, and the buckets, are those of the last snapshot."""

HISTOGRAM_COUNT = Register(
    "histogram_count",
    0x8214,
    1,
    False,
    (
        Field("samples", 0, 32, 0, "card"),
    ),
)
"""Samples, modulo 2^32."""

HISTOGRAM_SUM_LOW = Register(
    "histogram_sum_low",
    0x8218,
    1,
    False,
    (
        Field("cycles", 0, 32, 0, "card"),
    ),
)
"""Sum of the samples, clock cycles."""

HISTOGRAM_SUM_HIGH = Register(
    "histogram_sum_high",
    0x821C,
    1,
    False,
    (
        Field("cycles", 0, 32, 0, "card"),
    ),
)
"""The other half of the one before."""

HISTOGRAM_MINIMUM = Register(
    "histogram_minimum",
    0x8220,
    1,
    False,
    (
        Field("cycles", 0, 32, 0, "card"),
    ),
)
"""The shortest, clock cycles. All ones if there was no sample."""

HISTOGRAM_MAXIMUM = Register(
    "histogram_maximum",
    0x8224,
    1,
    False,
    (
        Field("cycles", 0, 32, 0, "card"),
    ),
)
"""The longest, clock cycles. 0 if there was no sample."""

HISTOGRAM = Register(
    "histogram",
    0x9000,
    512,
    True,
    (
        Field("samples", 0, 32, 0, "card"),
    ),
)
"""Samples of each length, modulo 2^32."""

NETWORK_IDENTIFICATION = Register(
    "network_identification",
    0xA000,
    1,
    False,
    (
        Field("magic", 0, 32, 0, "card"),
    ),
)
"""Says that the card has its own network ports and a TCP engine."""

NETWORK_VERSION = Register(
    "network_version",
    0xA004,
    1,
    False,
    (
        Field("minor", 0, 16, 0, "card"),
        Field("major", 16, 16, 0, "card"),
    ),
)
"""Of the registers of the network edge."""

NETWORK_COUNTERS = Register(
    "network_counters",
    0xA008,
    1,
    False,
    (
        Field("count", 0, 32, 0, "card"),
    ),
)
"""Number of counters at `network_counter`."""

TICK = Register(
    "tick",
    0xA010,
    1,
    False,
    (
        Field("period", 0, 16, 0, "host"),
    ),
)
"""How often the path is told that time passes: timers of arbiter and session, and a sweep over all symbols."""

RECOVERY_DATA = Register(
    "recovery_data",
    0xA020,
    1,
    False,
    (
        Field("bytes", 0, 32, 0, "host"),
    ),
)
"""Four bytes of a frame with recovered messages, the first in the low bits. Four at a time, 1536 at most."""

RECOVERY_FRAME = Register(
    "recovery_frame",
    0xA024,
    1,
    False,
    (
        Field("length", 0, 11, 0, "host"),
    ),
)
"""A write hands what was written to `recovery_data` to the feed handler as one frame. Ignored while busy."""

RECOVERY_STATUS = Register(
    "recovery_status",
    0xA028,
    1,
    False,
    (
        Field("busy", 0, 1, 0, "card"),
    ),
)
"""The frame before."""

FEED_A_MAC_LOW = Register(
    "feed_a_mac_low",
    0xA100,
    1,
    False,
    (
        Field("bytes", 0, 32, 0, "host"),
    ),
)
"""The last four bytes of the port's MAC address, the first of them highest."""

FEED_A_MAC_HIGH = Register(
    "feed_a_mac_high",
    0xA104,
    1,
    False,
    (
        Field("bytes", 0, 16, 0, "host"),
    ),
)
"""The first two."""

FEED_A_ADDRESS = Register(
    "feed_a_address",
    0xA108,
    1,
    False,
    (
        Field("ipv4", 0, 32, 0, "host"),
    ),
)
"""The port's IPv4 address, first byte highest; 0: it answers nobody."""

FEED_A_NETMASK = Register(
    "feed_a_netmask",
    0xA10C,
    1,
    False,
    (
        Field("ipv4", 0, 32, 0, "host"),
    ),
)
"""Which addresses are on the link."""

FEED_A_GATEWAY = Register(
    "feed_a_gateway",
    0xA110,
    1,
    False,
    (
        Field("ipv4", 0, 32, 0, "host"),
    ),
)
"""Where those go that are not; 0: there is none."""

FEED_A_COMMAND = Register(
    "feed_a_command",
    0xA114,
    1,
    False,
    (
        Field("announce", 0, 1, 0, "host"),
    ),
)
"""A write does what its bits say, once."""

FEED_A_GROUP_0 = Register(
    "feed_a_group_0",
    0xA120,
    1,
    False,
    (
        Field("ipv4", 0, 32, 0, "host"),
    ),
)
"""A group to be a member of, first byte of its address highest; 0: none."""

FEED_A_GROUP_1 = Register(
    "feed_a_group_1",
    0xA124,
    1,
    False,
    (
        Field("ipv4", 0, 32, 0, "host"),
    ),
)
"""A group to be a member of, first byte of its address highest; 0: none."""

FEED_A_GROUP_2 = Register(
    "feed_a_group_2",
    0xA128,
    1,
    False,
    (
        Field("ipv4", 0, 32, 0, "host"),
    ),
)
"""A group to be a member of, first byte of its address highest; 0: none."""

FEED_A_GROUP_3 = Register(
    "feed_a_group_3",
    0xA12C,
    1,
    False,
    (
        Field("ipv4", 0, 32, 0, "host"),
    ),
)
"""A group to be a member of, first byte of its address highest; 0: none."""

FEED_A_GROUP_4 = Register(
    "feed_a_group_4",
    0xA130,
    1,
    False,
    (
        Field("ipv4", 0, 32, 0, "host"),
    ),
)
"""A group to be a member of, first byte of its address highest; 0: none."""

FEED_A_GROUP_5 = Register(
    "feed_a_group_5",
    0xA134,
    1,
    False,
    (
        Field("ipv4", 0, 32, 0, "host"),
    ),
)
"""A group to be a member of, first byte of its address highest; 0: none."""

FEED_A_GROUP_6 = Register(
    "feed_a_group_6",
    0xA138,
    1,
    False,
    (
        Field("ipv4", 0, 32, 0, "host"),
    ),
)
"""A group to be a member of, first byte of its address highest; 0: none."""

FEED_A_GROUP_7 = Register(
    "feed_a_group_7",
    0xA13C,
    1,
    False,
    (
        Field("ipv4", 0, 32, 0, "host"),
    ),
)
"""A group to be a member of, first byte of its address highest; 0: none."""

FEED_B_MAC_LOW = Register(
    "feed_b_mac_low",
    0xA200,
    1,
    False,
    (
        Field("bytes", 0, 32, 0, "host"),
    ),
)
"""The last four bytes of the port's MAC address, the first of them highest."""

FEED_B_MAC_HIGH = Register(
    "feed_b_mac_high",
    0xA204,
    1,
    False,
    (
        Field("bytes", 0, 16, 0, "host"),
    ),
)
"""The first two."""

FEED_B_ADDRESS = Register(
    "feed_b_address",
    0xA208,
    1,
    False,
    (
        Field("ipv4", 0, 32, 0, "host"),
    ),
)
"""The port's IPv4 address, first byte highest; 0: it answers nobody."""

FEED_B_NETMASK = Register(
    "feed_b_netmask",
    0xA20C,
    1,
    False,
    (
        Field("ipv4", 0, 32, 0, "host"),
    ),
)
"""Which addresses are on the link."""

FEED_B_GATEWAY = Register(
    "feed_b_gateway",
    0xA210,
    1,
    False,
    (
        Field("ipv4", 0, 32, 0, "host"),
    ),
)
"""Where those go that are not; 0: there is none."""

FEED_B_COMMAND = Register(
    "feed_b_command",
    0xA214,
    1,
    False,
    (
        Field("announce", 0, 1, 0, "host"),
    ),
)
"""A write does what its bits say, once."""

FEED_B_GROUP_0 = Register(
    "feed_b_group_0",
    0xA220,
    1,
    False,
    (
        Field("ipv4", 0, 32, 0, "host"),
    ),
)
"""A group to be a member of, first byte of its address highest; 0: none."""

FEED_B_GROUP_1 = Register(
    "feed_b_group_1",
    0xA224,
    1,
    False,
    (
        Field("ipv4", 0, 32, 0, "host"),
    ),
)
"""A group to be a member of, first byte of its address highest; 0: none."""

FEED_B_GROUP_2 = Register(
    "feed_b_group_2",
    0xA228,
    1,
    False,
    (
        Field("ipv4", 0, 32, 0, "host"),
    ),
)
"""A group to be a member of, first byte of its address highest; 0: none."""

FEED_B_GROUP_3 = Register(
    "feed_b_group_3",
    0xA22C,
    1,
    False,
    (
        Field("ipv4", 0, 32, 0, "host"),
    ),
)
"""A group to be a member of, first byte of its address highest; 0: none."""

FEED_B_GROUP_4 = Register(
    "feed_b_group_4",
    0xA230,
    1,
    False,
    (
        Field("ipv4", 0, 32, 0, "host"),
    ),
)
"""A group to be a member of, first byte of its address highest; 0: none."""

FEED_B_GROUP_5 = Register(
    "feed_b_group_5",
    0xA234,
    1,
    False,
    (
        Field("ipv4", 0, 32, 0, "host"),
    ),
)
"""A group to be a member of, first byte of its address highest; 0: none."""

FEED_B_GROUP_6 = Register(
    "feed_b_group_6",
    0xA238,
    1,
    False,
    (
        Field("ipv4", 0, 32, 0, "host"),
    ),
)
"""A group to be a member of, first byte of its address highest; 0: none."""

FEED_B_GROUP_7 = Register(
    "feed_b_group_7",
    0xA23C,
    1,
    False,
    (
        Field("ipv4", 0, 32, 0, "host"),
    ),
)
"""A group to be a member of, first byte of its address highest; 0: none."""

ORDER_MAC_LOW = Register(
    "order_mac_low",
    0xA300,
    1,
    False,
    (
        Field("bytes", 0, 32, 0, "host"),
    ),
)
"""The last four bytes of the port's MAC address, the first of them highest."""

ORDER_MAC_HIGH = Register(
    "order_mac_high",
    0xA304,
    1,
    False,
    (
        Field("bytes", 0, 16, 0, "host"),
    ),
)
"""The first two."""

ORDER_ADDRESS = Register(
    "order_address",
    0xA308,
    1,
    False,
    (
        Field("ipv4", 0, 32, 0, "host"),
    ),
)
"""The port's IPv4 address, first byte highest; 0: it answers nobody."""

ORDER_NETMASK = Register(
    "order_netmask",
    0xA30C,
    1,
    False,
    (
        Field("ipv4", 0, 32, 0, "host"),
    ),
)
"""Which addresses are on the link."""

ORDER_GATEWAY = Register(
    "order_gateway",
    0xA310,
    1,
    False,
    (
        Field("ipv4", 0, 32, 0, "host"),
    ),
)
"""Where those go that are not; 0: there is none."""

ORDER_COMMAND = Register(
    "order_command",
    0xA314,
    1,
    False,
    (
        Field("announce", 0, 1, 0, "host"),
    ),
)
"""A write does what its bits say, once."""

TCP_REMOTE_ADDRESS = Register(
    "tcp_remote_address",
    0xA400,
    1,
    False,
    (
        Field("ipv4", 0, 32, 0, "host"),
    ),
)
"""The exchange's IPv4 address. This and what follows stays as it is while the connection is open."""

TCP_PORTS = Register(
    "tcp_ports",
    0xA404,
    1,
    False,
    (
        Field("local", 0, 16, 0, "host"),
        Field("remote", 16, 16, 0, "host"),
    ),
)
"""Of the order session."""

TCP_SEQUENCE = Register(
    "tcp_sequence",
    0xA408,
    1,
    False,
    (
        Field("value", 0, 32, 0, "host"),
    ),
)
"""Of the SYN; one that cannot be guessed (RFC 6528)."""

TCP_TIMEOUT = Register(
    "tcp_timeout",
    0xA40C,
    1,
    False,
    (
        Field("microseconds", 0, 28, 0, "host"),
    ),
)
"""Until what was not acknowledged is sent again for the first time; it doubles each time."""

TCP_TIMEOUT_MAXIMUM = Register(
    "tcp_timeout_maximum",
    0xA410,
    1,
    False,
    (
        Field("microseconds", 0, 28, 0, "host"),
    ),
)
"""What the doubling ends at."""

TCP_TIME_WAIT = Register(
    "tcp_time_wait",
    0xA414,
    1,
    False,
    (
        Field("microseconds", 0, 28, 0, "host"),
    ),
)
"""How long a closed connection lingers."""

TCP_COMMAND = Register(
    "tcp_command",
    0xA418,
    1,
    False,
    (
        Field("connect", 0, 1, 0, "host"),
        Field("close", 1, 1, 0, "host"),
        Field("abort", 2, 1, 0, "host"),
    ),
)
"""A write does what its bits say, once."""

TCP_STATUS = Register(
    "tcp_status",
    0xA41C,
    1,
    False,
    (
        Field("state", 0, 4, 0, "card"),
        Field("opening", 4, 1, 0, "card"),
        Field("unreachable", 5, 1, 0, "card"),
        Field("login", 6, 1, 0, "card"),
    ),
)
"""The connection."""

TCP_WINDOW = Register(
    "tcp_window",
    0xA420,
    1,
    False,
    (
        Field("remote", 0, 16, 0, "card"),
        Field("unacknowledged", 16, 16, 0, "card"),
    ),
)
"""What the exchange takes, and what it has not acknowledged, in bytes."""

NETWORK_COUNTER = Register(
    "network_counter",
    0xB000,
    72,
    True,
    (
        Field("value", 0, 32, 0, "card"),
    ),
)
"""Counters in the order of hw/network_counters.py, modulo 2^32."""

REGISTERS: tuple[Register, ...] = (
    IDENTIFICATION,
    VERSION,
    BUILD,
    SYMBOLS,
    LEVELS,
    ORDERS,
    SLOTS,
    COUNTERS,
    STATUS,
    CONTROL,
    EVENT_ENABLE,
    SESSION_SEQUENCE,
    EVENT_SEQUENCE,
    COUNTER,
    HOST_IDENTIFICATION,
    HOST_VERSION,
    HOST_CAPABILITIES,
    EVENT_RING_CONTROL,
    EVENT_RING_STATUS,
    EVENT_RING_BASE_LOW,
    EVENT_RING_BASE_HIGH,
    EVENT_RING_SIZE,
    EVENT_RING_INDEX_LOW,
    EVENT_RING_INDEX_HIGH,
    EVENT_RING_CONSUMER,
    EVENT_RING_PRODUCER,
    EVENT_RING_LOST,
    COMMAND_RING_CONTROL,
    COMMAND_RING_STATUS,
    COMMAND_RING_BASE_LOW,
    COMMAND_RING_BASE_HIGH,
    COMMAND_RING_SIZE,
    COMMAND_RING_INDEX_LOW,
    COMMAND_RING_INDEX_HIGH,
    COMMAND_RING_PRODUCER,
    COMMAND_RING_CONSUMER,
    DMA_ERRORS,
    LINKS,
    INTERRUPT_ENABLE,
    INTERRUPT_PENDING,
    INTERRUPT_THRESHOLD,
    INTERRUPT_TIMEOUT,
    CLOCK_IDENTIFICATION,
    CLOCK_VERSION,
    CLOCK_CYCLE,
    CLOCK_CYCLE_FRACTION,
    CLOCK_RATE,
    CLOCK_VALUE_LOW,
    CLOCK_VALUE_HIGH,
    CLOCK_COMMAND,
    CLOCK_NOW_LOW,
    CLOCK_NOW_HIGH,
    CLOCK_PULSE_LOW,
    CLOCK_PULSE_HIGH,
    CLOCK_PULSES,
    HISTOGRAM_IDENTIFICATION,
    HISTOGRAM_VERSION,
    HISTOGRAM_BUCKETS,
    HISTOGRAM_COMMAND,
    HISTOGRAM_STATUS,
    HISTOGRAM_COUNT,
    HISTOGRAM_SUM_LOW,
    HISTOGRAM_SUM_HIGH,
    HISTOGRAM_MINIMUM,
    HISTOGRAM_MAXIMUM,
    HISTOGRAM,
)
NETWORK_REGISTERS: tuple[Register, ...] = (
    NETWORK_IDENTIFICATION,
    NETWORK_VERSION,
    NETWORK_COUNTERS,
    TICK,
    RECOVERY_DATA,
    RECOVERY_FRAME,
    RECOVERY_STATUS,
    FEED_A_MAC_LOW,
    FEED_A_MAC_HIGH,
    FEED_A_ADDRESS,
    FEED_A_NETMASK,
    FEED_A_GATEWAY,
    FEED_A_COMMAND,
    FEED_A_GROUP_0,
    FEED_A_GROUP_1,
    FEED_A_GROUP_2,
    FEED_A_GROUP_3,
    FEED_A_GROUP_4,
    FEED_A_GROUP_5,
    FEED_A_GROUP_6,
    FEED_A_GROUP_7,
    FEED_B_MAC_LOW,
    FEED_B_MAC_HIGH,
    FEED_B_ADDRESS,
    FEED_B_NETMASK,
    FEED_B_GATEWAY,
    FEED_B_COMMAND,
    FEED_B_GROUP_0,
    FEED_B_GROUP_1,
    FEED_B_GROUP_2,
    FEED_B_GROUP_3,
    FEED_B_GROUP_4,
    FEED_B_GROUP_5,
    FEED_B_GROUP_6,
    FEED_B_GROUP_7,
    ORDER_MAC_LOW,
    ORDER_MAC_HIGH,
    ORDER_ADDRESS,
    ORDER_NETMASK,
    ORDER_GATEWAY,
    ORDER_COMMAND,
    TCP_REMOTE_ADDRESS,
    TCP_PORTS,
    TCP_SEQUENCE,
    TCP_TIMEOUT,
    TCP_TIMEOUT_MAXIMUM,
    TCP_TIME_WAIT,
    TCP_COMMAND,
    TCP_STATUS,
    TCP_WINDOW,
    NETWORK_COUNTER,
)
NETWORK_COUNTER_NAMES: tuple[str, ...] = (
    "feed_a_frames_received",
    "feed_a_fcs_errors",
    "feed_a_runts",
    "feed_a_oversize",
    "feed_a_coding_errors",
    "feed_a_faults",
    "feed_a_frames_sent",
    "feed_a_underruns",
    "feed_a_arp_replies",
    "feed_a_arp_requests_sent",
    "feed_a_arp_resolved",
    "feed_a_arp_timeouts",
    "feed_a_icmp_replies",
    "feed_a_icmp_dropped",
    "feed_a_igmp_reports",
    "feed_a_igmp_queries",
    "feed_a_local_dropped",
    "feed_a_local_bad_checksum",
    "feed_a_local_malformed",
    "feed_b_frames_received",
    "feed_b_fcs_errors",
    "feed_b_runts",
    "feed_b_oversize",
    "feed_b_coding_errors",
    "feed_b_faults",
    "feed_b_frames_sent",
    "feed_b_underruns",
    "feed_b_arp_replies",
    "feed_b_arp_requests_sent",
    "feed_b_arp_resolved",
    "feed_b_arp_timeouts",
    "feed_b_icmp_replies",
    "feed_b_icmp_dropped",
    "feed_b_igmp_reports",
    "feed_b_igmp_queries",
    "feed_b_local_dropped",
    "feed_b_local_bad_checksum",
    "feed_b_local_malformed",
    "order_frames_received",
    "order_fcs_errors",
    "order_runts",
    "order_oversize",
    "order_coding_errors",
    "order_faults",
    "order_frames_sent",
    "order_underruns",
    "order_arp_replies",
    "order_arp_requests_sent",
    "order_arp_resolved",
    "order_arp_timeouts",
    "order_icmp_replies",
    "order_icmp_dropped",
    "order_igmp_reports",
    "order_igmp_queries",
    "order_local_dropped",
    "order_local_bad_checksum",
    "order_local_malformed",
    "tcp_segments_sent",
    "tcp_segments_received",
    "tcp_retransmissions",
    "tcp_duplicate_acks",
    "tcp_out_of_order",
    "tcp_bad_checksum",
    "tcp_malformed",
    "tcp_resets",
    "tcp_not_ours",
    "tcp_window_full",
    "connections_opened",
    "connections_closed",
    "connections_refused",
    "packets_unsent",
    "recovery_frames",
)
