"""The device's own orders: slots, positions, and the one way out, through the gate. Semantics sections 8 and 9."""

from __future__ import annotations

from typing import Any

from engine.events import claim
from engine.ouch import write_cancel, write_enter, write_replace
from engine.risk import gate, open_notional
from engine.stage import stage
from engine.state import SIDES
from engine.unsigned import ONE, larger, signed32
from wire.counters import FIRST_REFUSED, NUMBER
from wire.reasons import REASON_COUNT
from wire.records import (
    ORDER_ID_BITS,
    QUOTER_SLOT,
    SLOT_BITS,
    SLOTS,
    Action,
    EventType,
    Side,
    SlotState,
)

ORDER_SENT, ORDER_REFUSED = EventType.ORDER_SENT.value, EventType.ORDER_REFUSED.value
NEW, REPLACE, CANCEL = Action.NEW.value, Action.REPLACE.value, Action.CANCEL.value
IDLE, PENDING_NEW, LIVE = SlotState.IDLE.value, SlotState.PENDING_NEW.value, SlotState.LIVE.value
PENDING_REPLACE, PENDING_CANCEL = SlotState.PENDING_REPLACE.value, SlotState.PENDING_CANCEL.value
BUY = Side.BUY.value

ORDERS_NEW = NUMBER["orders_new"]  # orders_replace and orders_cancel follow, in the order of the actions
ORDERS_REFUSED = NUMBER["orders_refused"]

MAX_REPEATS = 0xFFFF
GENERATION_MASK = (1 << ORDER_ID_BITS - SLOT_BITS) - 1
MASK_32 = 0xFFFFFFFF


# -- slots -----------------------------------------------------------------------------------------


@stage
def revalue(core: Any, slot: Any) -> None:
    """Brings the slot's part of the open notional up to date; after every change of a slot."""
    notional = open_notional(slot)
    core.open_notional += notional - slot.notional
    slot.notional = notional


@stage
def free_slot(symbol: Any, side: int) -> int:
    """The lowest free slot for a host's order, -1 if there is none."""
    for number in range(side * SLOTS + QUOTER_SLOT + 1, (side + 1) * SLOTS):
        if symbol.slots[number].state == IDLE:
            return number
    return -1


@stage
def has_orders(symbol: Any) -> bool:
    """Whether any slot is in use."""
    used = 0
    for number in range(SIDES * SLOTS):
        used += symbol.slots[number].state != IDLE
    return used > 0


# -- positions -------------------------------------------------------------------------------------


@stage
def value_position(core: Any, symbol: Any, price: int) -> None:
    """The position's notional at a price."""
    notional = abs(symbol.position) * price
    core.position_notional += notional - symbol.position_notional
    symbol.position_notional = notional


@stage
def book_execution(core: Any, symbol: Any, slot: Any, shares: int, price: int) -> None:
    """Shares of an own order that traded: position, cash and what hangs on them."""
    signed = shares if slot.side == BUY else -shares
    slot.remaining -= shares
    slot.chain_executed = (slot.chain_executed + shares) & MASK_32
    symbol.position = signed32(symbol.position + signed)
    symbol.cash -= signed * price
    symbol.mark = price
    core.executed_notional += shares * price
    value_position(core, symbol, price)
    symbol.last[slot.side].valid = 0


@stage
def mark_to_market(core: Any, symbol: Any) -> None:
    """Profit and loss at what the position would fetch."""
    if symbol.position > 0 and symbol.has_bid:
        symbol.mark = symbol.base_price + symbol.bid_index * symbol.tick
    elif symbol.position < 0 and symbol.has_ask:
        symbol.mark = symbol.base_price + symbol.ask_index * symbol.tick
    pnl = symbol.cash + symbol.position * symbol.mark
    core.pnl += pnl - symbol.pnl
    symbol.pnl = pnl


# -- orders out ------------------------------------------------------------------------------------


@stage
def submit_new(
    core: Any,
    out: Any,
    symbol: Any,
    side: int,
    place: int,
    price: int,
    quantity: int,
    strategy: int,
    tag: int,
    time_in_force: int,
) -> bool:
    """Sends a NEW into a free slot (-1: there is none) if the gate lets it; whether it did."""
    mask, marking = gate(core, symbol, NEW, side, place, price, quantity, strategy)
    if mask != 0:
        _refuse(core, out, symbol, NEW, side, 0, mask, marking, price, quantity, strategy, tag)
        return False
    slot = symbol.slots[place]
    slot.state = PENDING_NEW
    slot.id = _next_id(core, slot)
    slot.price = price
    slot.remaining = quantity
    slot.chain_executed = 0
    slot.strategy = strategy
    slot.tag = tag
    slot.marking = marking
    slot.time_in_force = time_in_force
    slot.cancel_wanted = 0
    _remember(core, symbol, side, price, quantity)
    _sent(core, out, symbol, slot, NEW, slot.id, 0, price, quantity)
    write_enter(core, out, symbol, slot)
    return True


@stage
def submit_replace(core: Any, out: Any, symbol: Any, place: int, price: int, quantity: int) -> bool:
    """Sends a REPLACE of a live slot if the gate lets it; whether it did."""
    slot = symbol.slots[place]
    mask, marking = gate(core, symbol, REPLACE, slot.side, place, price, quantity, slot.strategy)
    if mask != 0:
        _refuse(core, out, symbol, REPLACE, slot.side, slot.id, mask, marking, price, quantity, slot.strategy, slot.tag)
        return False
    slot.state = PENDING_REPLACE
    slot.pending_id = _next_id(core, slot)
    slot.pending_price = price
    slot.pending_shares = (slot.chain_executed + quantity) & MASK_32
    _remember(core, symbol, slot.side, price, quantity)
    _sent(core, out, symbol, slot, REPLACE, slot.pending_id, slot.id, price, quantity)
    write_replace(core, out, slot)
    return True


@stage
def send_cancel(core: Any, out: Any, symbol: Any, slot: Any) -> None:
    """Cancels a live slot. It needs no gate: it only takes risk away."""
    slot.state = PENDING_CANCEL
    slot.cancel_wanted = 0
    _sent(core, out, symbol, slot, CANCEL, slot.id, 0, slot.price, slot.remaining)
    write_cancel(core, out, slot)


@stage
def _next_id(core: Any, slot: Any) -> int:
    """An order id that was never used."""
    core.generation = (core.generation + 1) & GENERATION_MASK
    return core.generation << SLOT_BITS | slot.number


@stage
def _remember(core: Any, symbol: Any, side: int, price: int, quantity: int) -> None:
    """Keeps the order as the last of its side, for the checks against repetition."""
    last = symbol.last[side]
    same = last.valid and last.price == price and last.quantity == quantity
    last.repeats = min(last.repeats + 1, MAX_REPEATS) if same else 1
    last.price = price
    last.quantity = quantity
    last.time = core.stamp
    last.valid = 1


@stage
def _sent(core: Any, out: Any, symbol: Any, slot: Any, action: int, order_id: int, value: int, price: int, quantity: int) -> None:
    """What every order that leaves has in common: exposure, rates, counter and event."""
    revalue(core, slot)
    core.arrival = larger(core.arrival, core.stamp) + core.rate_interval
    symbol.arrival = larger(symbol.arrival, core.stamp) + symbol.rate_interval
    core.last_sent = core.stamp
    core.counters[ORDERS_NEW + action - NEW] += ONE
    event = out.events[claim(core, out, ORDER_SENT, slot.side, symbol.number)]
    event.order_id = order_id
    event.value = value
    event.price = price
    event.quantity = quantity
    event.tag = slot.tag
    event.info = action | slot.marking << 8 | slot.strategy << 16


@stage
def _refuse(
    core: Any,
    out: Any,
    symbol: Any,
    action: int,
    side: int,
    order_id: int,
    mask: int,
    marking: int,
    price: int,
    quantity: int,
    strategy: int,
    tag: int,
) -> None:
    """Counts every reason and tells the host."""
    core.counters[ORDERS_REFUSED] += ONE
    for reason in range(REASON_COUNT):
        if mask >> reason & 1:
            core.counters[FIRST_REFUSED + reason] += ONE
    event = out.events[claim(core, out, ORDER_REFUSED, side, symbol.number)]
    event.order_id = order_id
    event.value = mask
    event.price = price
    event.quantity = quantity
    event.tag = tag
    event.info = action | marking << 8 | strategy << 16
