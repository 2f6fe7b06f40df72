"""What the feed says, passed on to book and trader: ITCH messages, and the items of the arbiter.

Semantics sections 3 to 5.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from engine.book import (
    CAUSE,
    MATCH,
    PRICE,
    PRINTABLE,
    SHARES,
    SIDE,
    SYMBOL,
    TYPE,
    VALUE,
    Change,
    apply,
    best_index,
    best_quantity,
    is_trusted,
    set_all_ok,
)
from engine.events import GAP, NO_SIDE, TRADING_STATE, TRUST_LOST, TRUST_REGAINED, claim, write, write_top
from engine.signals import follow, order_flow
from engine.stage import stage
from engine.trader import evaluate, sweep
from wire.records import NO_SYMBOL, EventType, Side, TrustCause

TRADE = EventType.TRADE.value
BUY, SELL = Side.BUY.value, Side.SELL.value
CAUSE_GAP, CAUSE_JOINED, CAUSE_RESUMED = TrustCause.GAP.value, TrustCause.JOINED.value, TrustCause.RESUMED.value
CHANGED_TRUST, CHANGED_TRADE, CHANGED_TOP = Change.TRUST.value, Change.TRADE.value, Change.TOP.value
CHANGED_STATE, CHANGED_MARKET = Change.STATE.value, Change.MARKET.value
OPENED, CLOSED, BREACHED = b"QMW"
HALTED, RESUMED = b"HT"
STATE_ACTION, REG_SHO_ACTION = b"HY"


@stage
def refresh(book: Any, symbol: Any) -> None:
    """Takes top and trust of a symbol over from its book."""
    bid, ask = best_index(book, symbol.number, BUY), best_index(book, symbol.number, SELL)
    symbol.has_bid = 1 if bid >= 0 else 0
    symbol.bid_index = max(bid, 0)
    symbol.bid_quantity = best_quantity(book, symbol.number, BUY)
    symbol.has_ask = 1 if ask >= 0 else 0
    symbol.ask_index = max(ask, 0)
    symbol.ask_quantity = best_quantity(book, symbol.number, SELL)
    refresh_trust(book, symbol)


@stage
def refresh_trust(book: Any, symbol: Any) -> bool:
    """Takes the local trust of a symbol over from its book; whether it changed."""
    before = symbol.trusted
    symbol.trusted = 1 if is_trusted(book, symbol.number) else 0
    return symbol.trusted != before


@stage
def trust_all(book: Any, symbols: Any, ok: bool) -> None:
    """Every symbol's ``symbol_ok``."""
    set_all_ok(book, ok)
    for number in range(len(symbols)):
        refresh_trust(book, symbols[number])


# -- ITCH ------------------------------------------------------------------------------------------


@stage
def message(core: Any, out: Any, symbols: Any, book: Any, packets: Any, at: int, length: int) -> None:
    """One ITCH message and all that follows from it."""
    result = core.result
    change = apply(book, packets, at, length, core.counters, result)
    if change == 0:
        return
    if change & CHANGED_MARKET:
        _market(core, out, symbols, result[TYPE], result[VALUE])
        return
    number = result[SYMBOL]
    symbol = symbols[number]
    if change & CHANGED_STATE:
        _trading_state(core, out, symbol, result[TYPE], result[VALUE])
        return
    if change & (CHANGED_TRADE | CHANGED_TOP):
        _follow(core, symbol, book, change, result)
    elif change & CHANGED_TRUST:
        refresh(book, symbol)
    if change & CHANGED_TRUST:
        write(core, out, TRUST_REGAINED if symbol.trusted else TRUST_LOST, number, result[CAUSE])
    if change & CHANGED_TRADE:
        event = out.events[claim(core, out, TRADE, result[SIDE], number)]
        event.value = result[MATCH]
        event.price = result[PRICE]
        event.quantity = result[SHARES]
        event.info = result[TYPE] | result[PRINTABLE] << 8
    if change & CHANGED_TOP:
        write_top(core, out, number, symbol)
    if change & (CHANGED_TRUST | CHANGED_TOP):
        evaluate(core, out, symbol)


@stage
def _follow(core: Any, symbol: Any, book: Any, change: int, result: Any) -> None:
    """Takes the book over, and what its change and the trade say into the flow signals."""
    has_bid, bid, bid_quantity = symbol.has_bid, symbol.bid_index, symbol.bid_quantity
    has_ask, ask, ask_quantity = symbol.has_ask, symbol.ask_index, symbol.ask_quantity
    refresh(book, symbol)
    flow = traded = moved = 0
    if change & CHANGED_TOP:
        flow = order_flow(symbol, has_bid, bid, bid_quantity, has_ask, ask, ask_quantity)
        if has_bid and has_ask and symbol.has_bid and symbol.has_ask:
            moved = symbol.bid_index + symbol.ask_index - bid - ask
    if change & CHANGED_TRADE and result[PRINTABLE]:
        traded = result[SHARES] if result[SIDE] == SELL else -result[SHARES]
    follow(symbol, core.stamp, flow, traded, moved)


@stage
def _market(core: Any, out: Any, symbols: Any, kind: int, code: int) -> None:
    """S and W: the whole market opens or closes."""
    if kind == BREACHED:
        is_open, code = 0, BREACHED
    elif code == OPENED:
        is_open = 1
    elif code == CLOSED:
        is_open = 0
    else:
        return
    if core.market_open != is_open:
        core.market_open = is_open
        write(core, out, TRADING_STATE, NO_SYMBOL, code)
        sweep(core, out, symbols)


@stage
def _trading_state(core: Any, out: Any, symbol: Any, kind: int, value: int) -> None:
    """H, Y and h of Nasdaq's own market."""
    if kind == STATE_ACTION:
        symbol.trading_state = value
    elif kind == REG_SHO_ACTION:
        symbol.reg_sho = value
    elif value == HALTED:
        symbol.operational_halt = 1
    elif value == RESUMED:
        symbol.operational_halt = 0
    info = symbol.trading_state | symbol.operational_halt << 8 | symbol.reg_sho << 16
    write(core, out, TRADING_STATE, symbol.number, info)
    evaluate(core, out, symbol)


# -- the arbiter's items ---------------------------------------------------------------------------


@stage
def alive(core: Any) -> None:
    """The feed said something."""
    core.last_feed = core.stamp


@stage
def gap(core: Any, out: Any, symbols: Any, repeat: int) -> None:
    """Messages are missing and have been waited for long enough."""
    event = out.events[claim(core, out, GAP, NO_SIDE, NO_SYMBOL)]
    event.value = core.expected
    event.quantity = np.uint32(core.highest - core.expected)
    event.info = repeat
    if not repeat:
        core.feed_whole = 0
        write(core, out, TRUST_LOST, NO_SYMBOL, CAUSE_GAP)
        sweep(core, out, symbols)


@stage
def whole(core: Any, out: Any, symbols: Any) -> None:
    """What was missing came."""
    core.feed_whole = 1
    write(core, out, TRUST_REGAINED, NO_SYMBOL, CAUSE_GAP)
    sweep(core, out, symbols)


@stage
def joined(core: Any, out: Any, symbols: Any, book: Any) -> None:
    """The feed was joined in mid-session: the books are not what the exchange has."""
    trust_all(book, symbols, False)
    write(core, out, TRUST_LOST, NO_SYMBOL, CAUSE_JOINED)
    sweep(core, out, symbols)


@stage
def resumed(core: Any, out: Any, symbols: Any, book: Any) -> None:
    """The host gave up what is missing."""
    trust_all(book, symbols, False)
    core.feed_whole = 1
    write(core, out, TRUST_LOST, NO_SYMBOL, CAUSE_RESUMED)
    sweep(core, out, symbols)
