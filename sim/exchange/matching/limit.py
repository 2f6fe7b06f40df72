"""The limit state: a displayed bid at the upper price band, or a displayed offer at the lower one, while a symbol trades.

The core keeps since when a symbol has been in it, to the command: what follows from that is :mod:`sim.exchange.luld`'s.
"""

from __future__ import annotations

from typing import Any

from sim.exchange.matching.ladder import level_at, symbol_at
from sim.exchange.matching.state import BAND, BUY, COUNT, LIMIT_SINCE, NOW, SELL, STATE, TRADING, UPPER
from wire.compiled import inner, merged


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
