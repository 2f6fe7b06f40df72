"""Signals of one symbol's book, in ticks of its ladder, Q16.16. Semantics section 7."""

from __future__ import annotations

from typing import Any

import numpy as np

from engine.intrinsics import highest_bit
from wire.compiled import compiled

ONE = 1 << 16
MANTISSA_BITS = 11
PERIOD_BITS = 8
"""The shortest period in which the flow signals lose an eighth is 2^8 ns."""
DECAY = np.array([(7**n << 16) // 8**n for n in range(64)], np.int64)
"""floor(2^16 * (7/8)^n): what is left after n periods. After 64 nothing is."""
DECAY.flags.writeable = False
MAX_RETURN = 255
"""Half ticks: a greater move of the mid price counts as this one."""
MAX_31 = (1 << 31) - 1
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


@compiled
def clamp32(value: int) -> int:
    """The nearest number of 32 bits with a sign."""
    return min(max(value, -(1 << 31)), MAX_31)


@compiled
def order_flow(symbol: Any, has_bid: int, bid: int, bid_quantity: int, has_ask: int, ask: int, ask_quantity: int) -> int:
    """Shares by which a change of the best levels speaks for buyers: Cont, Kukanov, Stoikov (2014), equation 2.

    The values are those before the change. A side that is empty has the worst of all prices and no shares.
    """
    now_bid = symbol.bid_index if symbol.has_bid else -1
    now_ask = symbol.ask_index if symbol.has_ask else ONE
    old_bid = bid if has_bid else -1
    old_ask = ask if has_ask else ONE
    flow = 0
    if now_bid >= old_bid:
        flow += symbol.bid_quantity
    if now_bid <= old_bid:
        flow -= bid_quantity
    if now_ask <= old_ask:
        flow -= symbol.ask_quantity
    if now_ask >= old_ask:
        flow += ask_quantity
    return flow


@compiled
def follow(symbol: Any, stamp: int, flow: int, traded: int, moved: int) -> None:
    """Brings the flow signals to ``stamp``: they decay, then comes what has just happened.

    Parameters
    ----------
    stamp : int
        ns, not before ``flow_time``.
    flow, traded : int
        Shares: see :func:`order_flow`, and what buyers took less what sellers did.
    moved : int
        Half ticks by which the mid price moved.
    """
    shift = PERIOD_BITS + symbol.decay
    periods = (stamp >> shift) - (symbol.flow_time >> shift)
    left = DECAY[periods] if periods < len(DECAY) else 0
    move = min(abs(moved), MAX_RETURN)
    symbol.ofi = clamp32((symbol.ofi * left >> 16) + flow)
    symbol.trades = clamp32((symbol.trades * left >> 16) + traded)
    symbol.variance = min((symbol.variance * left >> 16) + (move * move << 8), MAX_31)
    symbol.flow_time = stamp
