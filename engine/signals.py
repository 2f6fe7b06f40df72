"""Signals of one symbol's book, in ticks of its ladder, Q16.16. Semantics section 7."""

from __future__ import annotations

from typing import Any

import numpy as np

from engine.intrinsics import highest_bit
from wire.compiled import compiled

ONE = 1 << 16
MANTISSA_BITS = 11
RECIPROCAL = np.array([(1 << 26) // m for m in range(1024, 2048)], np.int64)
"""floor(2^26 / m) for a mantissa of 1024 and more: it replaces a division, the share is right within 0.2 %."""
RECIPROCAL.flags.writeable = False


@compiled
def are_valid(symbol: Any) -> bool:
    """Whether there is a market: both sides, shares on them, and neither locked nor crossed."""
    both = symbol.has_bid == 1 and symbol.has_ask == 1
    return both and symbol.bid_quantity + symbol.ask_quantity > 0 and symbol.ask_index > symbol.bid_index


@compiled
def bid_share(bid_quantity: int, ask_quantity: int) -> int:
    """The bid's share of the shares on both tops, Q0.16: 0 to 65536. Their sum must not be 0."""
    total = bid_quantity + ask_quantity
    surplus = highest_bit(total) + 1 - MANTISSA_BITS
    if surplus > 0:
        mantissa, bid = total >> surplus, bid_quantity >> surplus
    else:
        mantissa, bid = total << -surplus, bid_quantity << -surplus
    return min((bid * RECIPROCAL[mantissa - 1024]) >> 10, ONE)


@compiled
def imbalance(symbol: Any) -> int:
    """The bid's weight over the ask's, -1 to 1. Valid signals only."""
    return 2 * bid_share(symbol.bid_quantity, symbol.ask_quantity) - ONE


@compiled
def microprice(symbol: Any) -> int:
    """The price between bid and ask that the shares on them speak for, ticks from the base. Valid signals only."""
    spread = symbol.ask_index - symbol.bid_index
    return (symbol.bid_index << 16) + spread * bid_share(symbol.bid_quantity, symbol.ask_quantity)
