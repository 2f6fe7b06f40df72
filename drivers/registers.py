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
        Field("minor", 0, 16, 0, "constant"),
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
    100,
    True,
    (
        Field("value", 0, 32, 0, "card"),
    ),
)
"""Counters in the order of wire/counters.py, modulo 2^32."""

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
)
