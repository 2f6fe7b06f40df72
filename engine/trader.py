"""What is done about a symbol when something changed: take, mark it, pull what must go, quote. Semantics section 6."""

from __future__ import annotations

from typing import Any

from engine.own_orders import LIVE, mark_to_market, send_cancel
from engine.quoter import quote
from engine.risk import UP, WITHDRAW, session_mask, strategy_mask, symbol_mask
from engine.signals import follow
from engine.stage import stage
from engine.state import SIDES
from engine.taker import take
from engine.unsigned import ONE
from wire.counters import NUMBER
from wire.records import QUOTER_SLOT, QUOTER_STRATEGY, SLOTS, TAKER_STRATEGY

EVALUATIONS = NUMBER["evaluations"]


@stage
def evaluate(core: Any, out: Any, symbol: Any) -> None:
    """Brings the orders of one symbol in line with market, limits and state."""
    if not symbol.mapped:
        return
    core.counters[EVALUATIONS] += ONE
    follow(symbol, core.stamp, 0, 0, 0)
    if core.session == UP:
        # By the profit and loss that was marked last: what the message did to it stops the next order.
        take(core, out, symbol, symbol_mask(core, symbol) | strategy_mask(core, TAKER_STRATEGY))
    mark_to_market(core, symbol)
    if core.session != UP:
        return
    common = symbol_mask(core, symbol)
    mask = common | strategy_mask(core, QUOTER_STRATEGY)
    for number in range(SIDES * SLOTS):
        slot = symbol.slots[number]
        if slot.state == LIVE and (slot.cancel_wanted or (common | strategy_mask(core, slot.strategy)) & WITHDRAW != 0):
            send_cancel(core, out, symbol, slot)
        elif number % SLOTS == QUOTER_SLOT:
            # An order of this evaluation may have taken the last number that the session had.
            quote(core, out, symbol, number // SLOTS, mask | session_mask(core))


@stage
def sweep(core: Any, out: Any, symbols: Any) -> None:
    """Evaluates every symbol."""
    for number in range(core.symbols):
        evaluate(core, out, symbols[number])
