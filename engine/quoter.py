"""The quoter: a price on each side around a fair value, kept while it is near enough. Semantics section 7."""

from __future__ import annotations

from typing import Any

from engine.own_orders import IDLE, LIVE, QUOTER_SLOT, send_cancel, submit_new, submit_replace
from engine.signals import are_valid, microprice
from engine.stage import stage
from wire.records import QUOTER_STRATEGY, SLOTS, TIME_IN_FORCE_DAY, Side

BUY = Side.BUY.value
MAX_SKEW = (1 << 31) - 1
MIN_SKEW = -(1 << 31)
ALMOST_ONE = (1 << 16) - 1


@stage
def quote_index(symbol: Any, side: int) -> int:
    """The ladder index to quote at, maybe outside the ladder. Valid signals only."""
    skew = min(max(symbol.position * symbol.skew, MIN_SKEW), MAX_SKEW)
    fair = microprice(symbol) + symbol.offset - skew
    if side == BUY:
        return min((fair - symbol.half_spread) >> 16, symbol.ask_index - 1)
    return max((fair + symbol.half_spread + ALMOST_ONE) >> 16, symbol.bid_index + 1)


@stage
def quote(core: Any, out: Any, symbol: Any, side: int, mask: int) -> None:
    """Puts, moves or pulls the quote of one side. ``mask`` is the quoter's ``state_mask``."""
    place = side * SLOTS + QUOTER_SLOT
    slot = symbol.slots[place]
    if slot.state != IDLE and slot.state != LIVE:
        return
    want = symbol.quoter_enabled == 1 and mask == 0 and symbol.size > 0 and are_valid(symbol)
    index = quote_index(symbol, side) if want else -1
    if index < 0 or index >= core.levels:
        if slot.state == LIVE:
            send_cancel(core, out, symbol, slot)
        return
    price = symbol.base_price + index * symbol.tick
    if slot.state == IDLE:
        submit_new(core, out, symbol, side, place, price, symbol.size, QUOTER_STRATEGY, 0, TIME_IN_FORCE_DAY)
        return
    moved = abs(price - slot.price) >= max(symbol.min_change, 1) * symbol.tick
    if moved and not submit_replace(core, out, symbol, place, price, symbol.size):
        send_cancel(core, out, symbol, slot)
