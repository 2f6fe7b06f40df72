"""What the path remembers: one record for the device, one per symbol with its own orders in it, and the book.

All numbers but the counters are ``int64`` words, unsigned ones too (see :mod:`engine.unsigned`), so that compiled code
never mixes types. Yes and no are 1 and 0. ``core``, a symbol and a slot are handed to compiled functions as records,
which are pointers: nothing is copied.
"""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np

from engine import book
from engine.book import RESULT_LENGTH
from wire.counters import COUNTER_COUNT
from wire.ingress import OUT_SIZE
from wire.records import EVENT, HOLD_SLOTS, MAX_PAYLOAD, OUTPUT, SLOT_BITS, SLOTS

Vector = np.ndarray[Any, np.dtype[Any]]

SIDES = 2
FEED_PORTS = 3
HOLDS = FEED_PORTS * HOLD_SLOTS
LOCATES = 16384
BLANK = int.from_bytes(b" " * 8)
MAX_SYMBOLS = 1 << SLOT_BITS - 3
STREAM_LENGTH = 2 + 0xFFFF  # the longest SoupBinTCP packet
PACKET_LENGTH = 64  # the longest packet that we send has 62 bytes
MAX_DEPTH = 255  # of a snapshot

# What one call of the compiled loop can hand out before Python takes it. One item makes at most `item_events` events.
EVENT_CAPACITY = 1 << 15
OUTPUT_CAPACITY = 1 << 13


def _words(*names: str) -> list[tuple[str, str]]:
    return [(name, "i8") for name in names]


SLOT = np.dtype(
    _words("state", "id", "price", "remaining", "chain_executed", "strategy", "tag", "marking", "time_in_force")
    + _words("cancel_wanted", "pending_id", "pending_price", "pending_shares", "notional", "number", "side")
)
"""One of our own orders. ``notional`` is its part of ``open_notional``; ``number`` is the low bits of its ids."""

LAST = np.dtype(_words("valid", "price", "quantity", "time", "repeats"))
"""The last order sent on one side of a symbol."""

SYMBOL = np.dtype(
    [
        # configuration
        *_words("number", "mapped", "stock", "enabled", "base_price", "tick"),
        # state of the market
        *_words("trading_state", "operational_halt", "reg_sho", "trusted"),
        *_words("has_bid", "bid_index", "bid_quantity", "has_ask", "ask_index", "ask_quantity"),
        # limits
        *_words("max_notional", "loss_limit", "max_quantity", "max_position", "collar", "locate_quantity"),
        *_words("rate_interval", "rate_burst", "duplicate_window", "max_repeats", "max_open_orders", "kill"),
        # quoter
        *_words("offset", "half_spread", "skew", "size", "min_change", "quoter_enabled"),
        *_words("decay", "min_life", "ofi_weight", "trade_weight", "variance_weight"),
        # taker: it buys up to ``highest_buy`` and sells down to ``lowest_sell`` as long as the stamp is not past ``expiry``
        *_words("taker_enabled", "highest_buy", "lowest_sell", "taker_size", "expiry"),
        # flow signals, as they were at ``flow_time``
        *_words("ofi", "trades", "variance", "flow_time"),
        # ours
        *_words("position", "cash", "mark", "pnl", "position_notional", "arrival"),
        ("last", LAST, (SIDES,)),
        ("slots", SLOT, (SIDES * SLOTS,)),
    ]
)
"""One symbol. ``trusted`` is the local trust, ``arrival`` the theoretical arrival time (tat) of its rate limit."""

HOLD = np.dtype(_words("used", "sequence", "end", "length"))
"""One packet in a hold slot: its messages are ``sequence`` to ``end - 1``."""

CORE = np.dtype(
    [
        ("counters", "u8", (COUNTER_COUNT,)),
        *_words("symbols", "levels", "stamp", "cause", "event_sequence"),
        # sequencer: where the loop stands
        *_words("next_input", "play_slot", "play_at", "play_left", "draining", "before"),
        *_words("resuming", "resume_symbol", "resume_tag", "stream_at", "stream_left", "stream_length"),
        # feed
        *_words("session_head", "session_tail", "address_a", "address_b", "port_a", "port_b"),
        *_words("expected", "highest", "joined", "recovering", "waiting", "wait_since", "last_stamp", "hold_ns"),
        *_words("feed_whole", "last_feed", "market_open"),
        ("holds", HOLD, (HOLDS,)),
        # order session
        *_words("session", "session_sequence", "last_sent", "last_received", "generation", "ouch"),
        *_words("firm", "token_prefix"),
        # risk
        *_words("kill", "strategy_kills", "last_heartbeat", "stale_ns", "heartbeat_ns"),
        *_words("max_gross", "credit", "loss_limit", "rate_interval", "rate_burst", "arrival"),
        *_words("pnl", "position_notional", "open_notional", "executed_notional"),
        # what a stage hands to the next
        ("frame", "i8", (OUT_SIZE,)),
        ("result", "i8", (RESULT_LENGTH,)),
        ("ranks", "i8", (MAX_DEPTH, 3)),
    ]
)
"""The device."""

OUT = np.dtype(
    [
        *_words("event_count", "output_count", "payload_length"),
        ("events", EVENT.dtype, (EVENT_CAPACITY,)),
        ("outputs", OUTPUT, (OUTPUT_CAPACITY,)),
        ("payload", "u1", (OUTPUT_CAPACITY * PACKET_LENGTH,)),
    ]
)
"""What came out since Python took it last."""


class State(NamedTuple):
    """All of it. ``core`` and ``out`` have one element; ``packets`` are the bytes of the hold slots, ``stream`` those
    of a SoupBinTCP packet that is not complete.
    """

    core: Vector
    symbols: Vector
    packets: Vector
    stream: Vector
    out: Vector
    book: Any


def create(symbols: int, levels: int, orders: int) -> State:
    """The state after a reset.

    Raises
    ------
    ValueError
        More symbols than order ids can number, or sizes that the book does not take.
    """
    if not 1 <= symbols <= MAX_SYMBOLS:
        raise ValueError(f"{symbols} symbols: 1 to {MAX_SYMBOLS} are possible")
    state = State(
        core=np.zeros(1, CORE),
        symbols=np.zeros(symbols, SYMBOL),
        packets=np.zeros(HOLDS * MAX_PAYLOAD, np.uint8),
        stream=np.zeros(STREAM_LENGTH, np.uint8),
        out=np.zeros(1, OUT),
        book=book.create(symbols, levels, orders),
    )
    core = state.core[0]
    core["symbols"], core["levels"], core["feed_whole"] = symbols, levels, 1
    core["session_head"], core["session_tail"] = BLANK, BLANK >> 48
    core["firm"], core["token_prefix"] = BLANK >> 32, BLANK >> 48
    state.symbols["number"] = np.arange(symbols)
    state.symbols["trusted"] = 1
    state.symbols["slots"]["number"] = np.arange(symbols * SIDES * SLOTS).reshape(symbols, -1)
    state.symbols["slots"]["side"] = np.arange(SIDES * SLOTS) // SLOTS
    return state


def item_events(symbols: int) -> int:
    """A bound for the events of one item: a snapshot, or a sweep with every own order sent or refused twice over."""
    return 2 * MAX_DEPTH + 64 + 4 * SIDES * SLOTS * symbols


def item_outputs(symbols: int) -> int:
    """A bound for the packets of one item."""
    return 2 + SIDES * SLOTS * symbols
