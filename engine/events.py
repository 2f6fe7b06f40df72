"""The event writer: fixed records to the host, in the order in which things happened."""

from __future__ import annotations

from typing import Any

from engine.stage import stage
from wire.records import NO_SYMBOL, EventType, Side

NO_SIDE = Side.NONE.value
GAP, FAULT = EventType.GAP.value, EventType.FAULT.value
TRUST_LOST, TRUST_REGAINED = EventType.TRUST_LOST.value, EventType.TRUST_REGAINED.value
SESSION, KILL = EventType.SESSION.value, EventType.KILL.value
TRADING_STATE, COMMAND = EventType.TRADING_STATE.value, EventType.COMMAND.value
BOOK_TOP = EventType.BOOK_TOP.value


@stage
def claim(core: Any, out: Any, kind: int, side: int, symbol: int) -> int:
    """Place in ``out.events`` of a new event: stamp and cause of the item, every other field 0."""
    place = out.event_count
    event = out.events[place]
    event.sequence = core.event_sequence
    event.type = kind
    event.side = side
    event.symbol = symbol
    event.timestamp = core.stamp
    event.cause = core.cause
    event.order_id = 0
    event.value = 0
    event.price = 0
    event.quantity = 0
    event.price2 = 0
    event.quantity2 = 0
    event.tag = 0
    event.info = 0
    core.event_sequence = (core.event_sequence + 1) & 0xFFFFFFFF
    out.event_count = place + 1
    return place


@stage
def write(core: Any, out: Any, kind: int, symbol: int, info: int) -> None:
    """An event that says no more than ``info``."""
    out.events[claim(core, out, kind, NO_SIDE, symbol)].info = info


@stage
def write_fault(core: Any, out: Any, fault: int, order_id: int, value: int) -> None:
    """A FAULT, which belongs to no symbol."""
    event = out.events[claim(core, out, FAULT, NO_SIDE, NO_SYMBOL)]
    event.order_id = order_id
    event.value = value
    event.info = fault


@stage
def write_top(core: Any, out: Any, number: int, symbol: Any) -> None:
    """BOOK_TOP: the best bid and offer of a symbol as they are now."""
    event = out.events[claim(core, out, BOOK_TOP, NO_SIDE, number)]
    if symbol.has_bid:
        event.price = symbol.base_price + symbol.bid_index * symbol.tick
        event.quantity = symbol.bid_quantity
    if symbol.has_ask:
        event.price2 = symbol.base_price + symbol.ask_index * symbol.tick
        event.quantity2 = symbol.ask_quantity
    event.info = symbol.has_bid | symbol.has_ask << 1 | symbol.trusted << 2
