"""The taker: hits the market when it is past what the host holds the stock to be worth. Semantics section 7."""

from __future__ import annotations

from typing import Any

from engine.own_orders import IDLE, submit_new
from engine.stage import stage
from engine.unsigned import above
from wire.records import IMMEDIATE_OR_CANCEL, SLOTS, TAKER_SLOT, TAKER_STRATEGY, Side

BUY, SELL = Side.BUY.value, Side.SELL.value


@stage
def take(core: Any, out: Any, symbol: Any, mask: int) -> None:
    """Sends at most one order for what is on the best level. ``mask`` is the taker's ``state_mask``."""
    if not symbol.taker_enabled or mask != 0 or symbol.taker_size == 0 or above(core.stamp, symbol.expiry):
        return
    ask = symbol.base_price + symbol.ask_index * symbol.tick
    bid = symbol.base_price + symbol.bid_index * symbol.tick
    if symbol.has_ask and ask <= symbol.highest_buy and symbol.slots[TAKER_SLOT].state == IDLE:
        _hit(core, out, symbol, BUY, ask, symbol.ask_quantity)
    elif symbol.has_bid and bid >= symbol.lowest_sell and symbol.slots[SLOTS + TAKER_SLOT].state == IDLE:
        _hit(core, out, symbol, SELL, bid, symbol.bid_quantity)


@stage
def _hit(core: Any, out: Any, symbol: Any, side: int, price: int, quantity: int) -> None:
    place = side * SLOTS + TAKER_SLOT
    size = min(symbol.taker_size, quantity)
    submit_new(core, out, symbol, side, place, price, size, TAKER_STRATEGY, 0, IMMEDIATE_OR_CANCEL)
