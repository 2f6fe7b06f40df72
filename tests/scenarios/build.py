"""What scenarios are made of: a script of inputs, and a result that can be asked.

A :class:`Script` is written like a log of what happens to the device, each thing at the script's time ``now``. It knows
nothing of the device that will run it.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Protocol

import numpy as np

from wire import frames, itch, moldudp64, ouch42, soupbintcp
from wire.layout import Record
from wire.reasons import names
from wire.records import (
    EVENT,
    INPUT,
    NO_SYMBOL,
    EventType,
    Opcode,
    Port,
    Side,
    command,
    slot_number,
    token,
)

LOGIN_TAG = 0x10610
PREFIX = "HP"
FIRM = "FIRM"
UNLIMITED_64, UNLIMITED_32, UNLIMITED_16 = (1 << 64) - 1, (1 << 32) - 1, (1 << 16) - 1


class Processor(Protocol):
    """A device as far as scenarios need it."""

    def process(self, inputs: np.ndarray, buffer: np.ndarray) -> Any: ...


def order_id(generation: int, symbol: int, side: int, slot: int) -> int:
    """The id of the n-th order that the device makes (NEW and REPLACE count, from 1)."""
    return generation << 12 | slot_number(symbol, side, slot)


# -- ITCH ------------------------------------------------------------------------------------------


def add(locate: int, reference: int, side: str, shares: int, price: int) -> bytes:
    return itch.ADD_ORDER.pack(
        stock_locate=locate, order_reference=reference, side=side, shares=shares, stock="ANY", price=price
    )


def execute(locate: int, reference: int, shares: int, match: int = 1) -> bytes:
    return itch.ORDER_EXECUTED.pack(
        stock_locate=locate, order_reference=reference, executed_shares=shares, match_number=match
    )


def cancel(locate: int, reference: int, shares: int) -> bytes:
    return itch.ORDER_CANCEL.pack(stock_locate=locate, order_reference=reference, cancelled_shares=shares)


def delete(locate: int, reference: int) -> bytes:
    return itch.ORDER_DELETE.pack(stock_locate=locate, order_reference=reference)


def replace(locate: int, original: int, new: int, shares: int, price: int) -> bytes:
    return itch.ORDER_REPLACE.pack(
        stock_locate=locate,
        original_order_reference=original,
        new_order_reference=new,
        shares=shares,
        price=price,
    )


def system_event(code: str) -> bytes:
    return itch.SYSTEM_EVENT.pack(event_code=code)


def trading_action(locate: int, state: str) -> bytes:
    return itch.TRADING_ACTION.pack(stock_locate=locate, stock="ANY", trading_state=state)


def reg_sho(locate: int, action: str) -> bytes:
    return itch.REG_SHO_RESTRICTION.pack(stock_locate=locate, stock="ANY", reg_sho_action=action)


def operational_halt(locate: int, market: str, action: str) -> bytes:
    return itch.OPERATIONAL_HALT.pack(
        stock_locate=locate, stock="ANY", market_code=market, operational_halt_action=action
    )


# -- frames ----------------------------------------------------------------------------------------


def udp_frame(payload: bytes, **changes: Any) -> bytes:
    """A frame to the address that scripts configure nothing about."""
    where: dict[str, Any] = {
        "source": 0x0A000001,
        "destination": 0xE9360C6F,
        "source_port": 40000,
        "destination_port": 26477,
    }
    return frames.udp_frame(payload, **(where | changes))


def mold_frame(sequence: int, messages: list[bytes] | tuple[bytes, ...], session: str = "", **changes: Any) -> bytes:
    """A MoldUDP64 packet as a frame."""
    return udp_frame(moldudp64.packet(session, sequence, messages), **changes)


# -- the script ------------------------------------------------------------------------------------


class Script:
    """Inputs in their order.

    Parameters
    ----------
    now : int
        Time of the first input, ns.
    """

    def __init__(self, now: int = 1_000_000_000) -> None:
        self.now = now
        self.sequence = 1
        """Of the next message that :meth:`feed` sends."""
        self._rows: list[tuple[int, int, int, int]] = []
        self._bytes = bytearray()

    def __len__(self) -> int:
        return len(self._rows)

    def input(self, port: Port, data: bytes = b"") -> Script:
        """Any input."""
        self._rows.append((self.now, len(self._bytes), len(data), port))
        self._bytes += data
        return self

    def wait(self, ns: int) -> Script:
        """Lets time pass."""
        self.now += ns
        return self

    def tick(self) -> Script:
        return self.input(Port.TICK)

    def command(self, opcode: Opcode, /, symbol: int = NO_SYMBOL, tag: int = 0, **values: Any) -> Script:
        return self.input(Port.COMMAND, command(opcode, symbol, tag, **values))

    def frame(self, frame: bytes, port: Port = Port.FEED_A) -> Script:
        return self.input(port, frame)

    def packet(
        self, sequence: int, *messages: bytes, port: Port = Port.FEED_A, session: str = "", **changes: Any
    ) -> Script:
        """One MoldUDP64 packet; without messages a heartbeat."""
        return self.frame(mold_frame(sequence, messages, session, **changes), port)

    def feed(self, *messages: bytes) -> Script:
        """The next messages in sequence, in one packet on feed A."""
        self.packet(self.sequence, *messages)
        self.sequence += len(messages)
        return self

    def session(self, data: bytes) -> Script:
        """Bytes of the order session."""
        return self.input(Port.SESSION, data)

    def ouch(self, record: Record, **values: Any) -> Script:
        """One OUCH message from the exchange."""
        return self.session(soupbintcp.sequenced(record.pack(values)))

    # what the exchange says about an order

    def accepted(self, identity: int, shares: int, price: int, *, state: str = "L", reference: int = 7) -> Script:
        return self.ouch(
            ouch42.ACCEPTED,
            order_token=token(PREFIX, identity),
            shares=shares,
            price=price,
            order_state=state,
            order_reference=reference,
        )

    def replaced(
        self, identity: int, previous: int, shares: int, price: int, *, state: str = "L", reference: int = 8
    ) -> Script:
        return self.ouch(
            ouch42.REPLACED,
            replacement_order_token=token(PREFIX, identity),
            previous_order_token=token(PREFIX, previous),
            shares=shares,
            price=price,
            order_state=state,
            order_reference=reference,
        )

    def executed(self, identity: int, shares: int, price: int, *, match: int = 9, flag: str = "A") -> Script:
        return self.ouch(
            ouch42.EXECUTED,
            order_token=token(PREFIX, identity),
            executed_shares=shares,
            execution_price=price,
            liquidity_flag=flag,
            match_number=match,
        )

    def cancelled(self, identity: int, shares: int, *, reason: str = "U") -> Script:
        return self.ouch(ouch42.CANCELED, order_token=token(PREFIX, identity), decrement_shares=shares, reason=reason)

    def rejected(self, identity: int, *, reason: str = "T") -> Script:
        return self.ouch(ouch42.REJECTED, order_token=token(PREFIX, identity), reason=reason)

    def cancel_rejected(self, identity: int) -> Script:
        return self.ouch(ouch42.CANCEL_REJECT, order_token=token(PREFIX, identity))

    # configuration that most scenarios share

    def set_symbol(self, symbol: int, locate: int, *, base: int, tick: int, levels: int, **changes: Any) -> Script:
        """SET_SYMBOL with all that follows from base, tick and the device's levels."""
        values: dict[str, Any] = {
            "stock": f"SYM{symbol}",
            "stock_locate": locate,
            "enabled": 1,
            "trading_state": "T",
            "base_price": base,
            "tick": tick,
            "tick_reciprocal": (1 << 32) // tick + 1,
            "span": levels * tick,
        }
        return self.command(Opcode.SET_SYMBOL, symbol, **(values | changes))

    def set_limits(self, symbol: int, **changes: int) -> Script:
        """SET_LIMITS that limit nothing but what is named."""
        values = {
            "max_notional": UNLIMITED_64,
            "loss_limit": UNLIMITED_64,
            "max_quantity": UNLIMITED_32,
            "max_position": UNLIMITED_32,
            "collar": UNLIMITED_32,
            "locate_quantity": UNLIMITED_32,
            "max_open_orders": UNLIMITED_16,
        }
        return self.command(Opcode.SET_LIMITS, symbol, **(values | changes))

    def set_global(self, **changes: Any) -> Script:
        """SET_GLOBAL that limits nothing but what is named."""
        values: dict[str, Any] = {
            "max_gross": UNLIMITED_64,
            "credit": UNLIMITED_64,
            "loss_limit": UNLIMITED_64,
            "firm": FIRM,
            "token_prefix": PREFIX,
        }
        return self.command(Opcode.SET_GLOBAL, **(values | changes))

    def open_market(self) -> Script:
        return self.command(Opcode.SET_TRADING, enabled=2, market_open=1)

    def log_in(self) -> Script:
        """LOGIN, and the exchange's answer."""
        self.command(Opcode.LOGIN, tag=LOGIN_TAG, username="USER", password="SECRET", sequence="1".rjust(20))
        return self.session(soupbintcp.login_accepted("", 1))

    def new_order(
        self,
        symbol: int,
        side: Side,
        price: int,
        quantity: int,
        *,
        strategy: int = 1,
        tag: int = 0,
        time_in_force: int = 99_998,
    ) -> Script:
        return self.command(
            Opcode.NEW_ORDER,
            symbol,
            tag,
            side=side,
            price=price,
            quantity=quantity,
            strategy=strategy,
            time_in_force=time_in_force,
        )

    def arrays(self, first: int = 0) -> tuple[np.ndarray, np.ndarray]:
        """Inputs, from the ``first`` on, and buffer as ``process`` takes them."""
        inputs = np.array(self._rows[first:], INPUT)
        begin = int(inputs["offset"][0]) if len(inputs) else 0
        inputs["offset"] -= np.uint64(begin)
        return inputs, np.frombuffer(bytes(self._bytes[begin:]), np.uint8)


# -- results ---------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Result:
    """What came of a script."""

    events: np.ndarray
    packets: tuple[bytes, ...]
    """SoupBinTCP packets that left."""
    counters: dict[str, int]
    """Those that are not 0."""
    read: Callable[[bytes], dict[str, Any]] = ouch42.INBOUND.unpack
    """Makes fields of an OUCH message that left."""

    def of(self, *kinds: EventType) -> np.ndarray:
        """The events of these types, in their order."""
        return self.events[np.isin(self.events["type"], kinds)]

    @property
    def decision(self) -> int:
        """The gate's last mask: 0 if the last order was sent."""
        last = self.of(EventType.ORDER_SENT, EventType.ORDER_REFUSED)[-1]
        return int(last["value"]) if last["type"] == EventType.ORDER_REFUSED else 0

    @property
    def orders(self) -> list[dict[str, Any]]:
        """The OUCH messages that left, field by field."""
        return [self.read(packet[3:]) for packet in self.packets if packet[2:3] == b"U"]


def packets_of(batch: Any) -> list[bytes]:
    """The SoupBinTCP packets of a batch."""
    payload = batch.payload.tobytes()
    return [payload[int(o["offset"]) :][: int(o["length"])] for o in batch.outputs]


def run(device: Any, *scripts: Script) -> Result:
    """Runs scripts one after the other. ``device`` has ``process`` and ``counters``."""
    from wire.counters import COUNTERS

    events, packets = [np.zeros(0, EVENT.dtype)], []
    for script in scripts:
        batch = device.process(*script.arrays())
        events.append(batch.events)
        packets += packets_of(batch)
    counters = {name: int(n) for name, n in zip(COUNTERS, device.counters, strict=True) if n}
    return Result(np.concatenate(events), tuple(packets), counters)


@dataclass(frozen=True)
class Scenario:
    """A script, and what must come of it. ``check`` asserts on the result of a device that was just reset.

    It is for a device of ``symbols`` symbols or more with ``levels`` levels.
    """

    name: str
    script: Script
    check: Callable[[Result], None]
    symbols: int = 2
    levels: int = 64
    orders: int = 64


def decides(mask: int) -> Callable[[Result], None]:
    """A check that the last order met just these reasons; 0: it was sent."""

    def check(result: Result) -> None:
        assert result.decision == mask, f"{names(result.decision)}, not {names(mask)}"

    return check
