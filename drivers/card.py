"""The card: registers, command and event rings over a transport.

The transport is what differs between a card in a slot, one at the end of a cable and one in simulation. The
driver reads what the card is before anything else, and refuses a card that it does not understand.
"""

from __future__ import annotations

from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from drivers import registers
from drivers.commanded import CommandedDevice
from drivers.device import Batch, DeviceError, Identity
from drivers.registers import Register
from wire.counters import COUNTER_COUNT, COUNTERS
from wire.records import HOLD_SLOTS, SLOT_BITS, SLOTS

MAJOR = registers.VERSION["major"].reset
MAGIC = registers.IDENTIFICATION["magic"].reset
MAX_SYMBOLS = 1 << (SLOT_BITS - 3)
_WRAP = 1 << 32


class Results(Protocol):
    """What a transport brings back: see `drivers.device.Batch`. A card whose clock is not seen gives no
    cycles.
    """

    @property
    def events(self) -> NDArray[np.void]: ...  # noqa: D102
    @property
    def outputs(self) -> NDArray[np.void]: ...  # noqa: D102
    @property
    def payload(self) -> NDArray[np.uint8]: ...  # noqa: D102
    @property
    def input_cycles(self) -> NDArray[np.uint64] | None: ...  # noqa: D102
    @property
    def output_cycles(self) -> NDArray[np.uint64] | None: ...  # noqa: D102


class Transport(Protocol):
    """The way to a card."""

    def process(self, inputs: NDArray[np.void], buffer: NDArray[np.uint8]) -> Results:
        """Hand over a batch of inputs, in order, and bring what came out of them."""
        ...

    def csr_read(self, address: int) -> int:
        """A 32-bit register, by byte address."""
        ...

    def csr_write(self, address: int, value: int) -> None:
        """Write a 32-bit register."""
        ...

    def close(self) -> None:
        """Let the card go."""
        ...


class UnknownCardError(DeviceError):
    """A card that this driver does not understand; the message says what it said and what was expected."""


class CardDevice(CommandedDevice):
    """A card behind a transport.

    Parameters
    ----------
    transport : Transport
        Closed with the device, also when the card is refused.
    kind : str
        What `identify` calls it.

    Raises
    ------
    UnknownCardError
        It is no Hairpin card, or one of another version.
    """

    def __init__(self, transport: Transport, *, kind: str = "card") -> None:
        self._transport: Transport | None = transport
        try:
            self._identity = self._identify(kind)
            super().__init__(next_event=self._read(registers.EVENT_SEQUENCE, "next"))
        except BaseException:
            transport.close()
            raise
        # The card counts modulo 2^32, we go on: what was read last, and the sum of what came since.
        self._raw = np.zeros(COUNTER_COUNT, np.int64)
        self._totals = np.zeros(COUNTER_COUNT, np.int64)

    @property
    def _wire(self) -> Transport:
        if self._transport is None:
            raise DeviceError("the device is closed")
        return self._transport

    def _read(self, register: Register, field: str | None = None) -> int:
        word = self._wire.csr_read(register.address)
        return word if field is None else register[field].of(word)

    def _identify(self, kind: str) -> Identity:
        def expect(holds: bool, what: str, found: object, expected: object) -> None:
            if not holds:
                raise UnknownCardError(f"{kind}: {what} is {found}, expected {expected}")

        magic = self._read(registers.IDENTIFICATION, "magic")
        expect(magic == MAGIC, "identification", f"0x{magic:08X}", f"0x{MAGIC:08X}, a Hairpin card")
        version = self._read(registers.VERSION)
        major, minor = registers.VERSION["major"].of(version), registers.VERSION["minor"].of(version)
        expect(major == MAJOR, "version", f"{major}.{minor}", f"{MAJOR}.x")
        counters = self._read(registers.COUNTERS, "count")
        expect(counters == COUNTER_COUNT, "the number of counters", counters, COUNTER_COUNT)
        slots = self._read(registers.SLOTS)
        own, held = registers.SLOTS["order_slots"].of(slots), registers.SLOTS["hold_slots"].of(slots)
        expect(own == SLOTS, "own orders per symbol and side", own, SLOTS)
        expect(held == HOLD_SLOTS, "packets held per feed port", held, HOLD_SLOTS)
        symbols = self._read(registers.SYMBOLS, "count")
        levels = self._read(registers.LEVELS, "count")
        orders = self._read(registers.ORDERS, "count")
        expect(1 <= symbols <= MAX_SYMBOLS, "symbols", symbols, f"1 to {MAX_SYMBOLS}")
        expect(levels >= 1, "levels", levels, "at least 1")
        expect(orders >= 1, "orders", orders, "at least 1")
        return Identity(
            kind=kind,
            version=(major, minor),
            build=f"{self._read(registers.BUILD, 'hash'):08x}",
            symbols=symbols,
            levels=levels,
            orders=orders,
            slots=own,
            hold_slots=held,
        )

    def identify(self) -> Identity:
        """What the card said when it was opened."""
        return self._identity

    def status(self) -> dict[str, int]:
        """The status register, field by field."""
        word = self._read(registers.STATUS)
        return {each.name: each.of(word) for each in registers.STATUS.fields}

    @property
    def cycles(self) -> int:
        """Clock cycles since power on, where the transport sees the card's clock; else 0."""
        return int(getattr(self._wire, "cycles", 0))

    def emergency_kill(self, on: bool = True) -> None:
        """Kill by register, past all queues: while it is on the risk gate refuses every order.

        It takes back no open order; `kill` does.
        """
        register = registers.CONTROL
        word = self._read(register)
        self._wire.csr_write(register.address, register["kill"].put(word, int(on)))

    def counters(self) -> dict[str, int]:
        """Every counter by name. Right as long as none advances by 2^32 between two calls."""
        base = registers.COUNTER.address
        raw = np.array([self._wire.csr_read(base + 4 * i) for i in range(COUNTER_COUNT)], np.int64)
        self._totals += (raw - self._raw) % _WRAP
        self._raw = raw
        return dict(zip(COUNTERS, self._totals.tolist(), strict=True))

    def close(self) -> None:
        """Let the card go."""
        if self._transport is not None:
            self._transport.close()
            self._transport = None

    def _exchange(self, inputs: NDArray[np.void], buffer: NDArray[np.uint8]) -> Batch:
        came = self._wire.process(inputs, buffer)
        return Batch(came.events, came.outputs, came.payload, came.input_cycles, came.output_cycles)
