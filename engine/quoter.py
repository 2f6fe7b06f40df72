"""The quoter: a price on each side around a fair value, kept while it is near enough, and for a while in any case.

Semantics section 7.
"""

from __future__ import annotations

from typing import Any

from engine.own_orders import IDLE, LIVE, send_cancel, submit_new, submit_replace
from engine.signals import are_valid, clamp32, microprice
from engine.stage import stage
from engine.unsigned import above
from wire.records import QUOTER_SLOT, QUOTER_STRATEGY, SLOTS, TIME_IN_FORCE_DAY, Side

BUY = Side.BUY.value
ALMOST_ONE = (1 << 16) - 1
MASK_32 = 0xFFFFFFFF


@stage
def quote_index(symbol: Any, side: int) -> int:
    """The ladder index to quote at, maybe outside the ladder. Valid signals only."""
    skew = clamp32(symbol.position * symbol.skew)
    flow = clamp32(symbol.ofi * symbol.ofi_weight) + clamp32(symbol.trades * symbol.trade_weight)
    fair = microprice(symbol) + symbol.offset - skew + flow
    half = symbol.half_spread + min(symbol.variance * symbol.variance_weight >> 8, MASK_32)
    if side == BUY:
        return min((fair - half) >> 16, symbol.ask_index - 1)
    return max((fair + half + ALMOST_ONE) >> 16, symbol.bid_index + 1)


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
    young = above(symbol.min_life, core.stamp - symbol.last[side].time)
    if moved and not young and not submit_replace(core, out, symbol, place, price, symbol.size):
        send_cancel(core, out, symbol, slot)
