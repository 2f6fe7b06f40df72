"""The limit state: a displayed bid at the upper price band, or a displayed offer at the lower one, while a symbol trades.

The core keeps since when a symbol has been in it, to the command: what follows from that is :mod:`sim.exchange.luld`'s. The
collar of the auction that ends a pause is only told.
"""

from __future__ import annotations

from typing import Any

from sim.exchange.matching.ladder import level_at, symbol_at
from sim.exchange.matching.orders import begin
from sim.exchange.matching.state import (
    BAND,
    BUY,
    COUNT,
    E_DETAIL,
    E_MATCH,
    E_OTHER,
    E_PRICE,
    E_SHARES,
    FLAGS,
    LIMIT_SINCE,
    NOW,
    PRICE,
    SELL,
    SHARES,
    STATE,
    SYMBOL,
    TRADING,
    UPPER,
    VALUE,
    Event,
)
from wire.compiled import inner, merged

_BANDS = Event.BANDS.value


@merged
def limit_side(memory: Any, symbol: int) -> int:
    """BUY for a bid at the upper band, SELL for an offer at the lower one, -1 for neither."""
    at = symbol_at(memory, symbol)
    if memory[at + UPPER] == 0 or memory[at + STATE] != TRADING:
        return -1
    for side in (BUY, SELL):
        if memory[level_at(memory, symbol * 2 + side, memory[at + BAND + side]) + COUNT] > 0:
            return side
    return -1


@inner
def watch(memory: Any, symbol: int) -> None:
    """Something has happened to a symbol: it may have come into its limit state, or left it."""
    since = symbol_at(memory, symbol) + LIMIT_SINCE
    if limit_side(memory, symbol) < 0:
        memory[since] = 0
    elif memory[since] == 0:
        memory[since] = max(memory[NOW], 1)


@inner
def tell_collar(memory: Any, events: Any, command: Any) -> None:
    """Says between which prices a coming auction may be."""
    symbol = command[SYMBOL]
    n = begin(memory, events, _BANDS)
    events[n, SYMBOL], events[n, E_PRICE], events[n, E_OTHER] = symbol, command[PRICE], command[VALUE]
    events[n, E_MATCH], events[n, E_DETAIL] = command[SHARES], memory[symbol_at(memory, symbol) + STATE]
    events[n, E_SHARES] = command[FLAGS]
