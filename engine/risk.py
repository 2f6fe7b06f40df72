"""The pre-trade risk gate: every check on every order, and a bit for each that failed.

Semantics section 8. Nothing here changes any state: :func:`gate` judges, :mod:`engine.own_orders` sends or refuses.
"""

from __future__ import annotations

from typing import Any

from engine.stage import stage
from engine.state import SIDES
from engine.unsigned import above, larger
from wire.reasons import WITHDRAW_REASONS, Reason
from wire.records import (
    LAST_GENERATION,
    MAX_ORDER_PRICE,
    MAX_ORDER_QUANTITY,
    SLOTS,
    STRATEGIES,
    Action,
    OuchVersion,
    SessionState,
    Side,
    SlotState,
)

KILL_GLOBAL, KILL_STRATEGY, KILL_SYMBOL = (
    Reason.KILL_GLOBAL.value,
    Reason.KILL_STRATEGY.value,
    Reason.KILL_SYMBOL.value,
)
SYMBOL_DISABLED, SYMBOL_HALTED = Reason.SYMBOL_DISABLED.value, Reason.SYMBOL_HALTED.value
BOOK_UNTRUSTED, STALE_MARKET_DATA = Reason.BOOK_UNTRUSTED.value, Reason.STALE_MARKET_DATA.value
PRICE_COLLAR, MAX_QUANTITY, MAX_NOTIONAL = (
    Reason.PRICE_COLLAR.value,
    Reason.MAX_QUANTITY.value,
    Reason.MAX_NOTIONAL.value,
)
POSITION, GROSS_EXPOSURE, CREDIT = Reason.POSITION.value, Reason.GROSS_EXPOSURE.value, Reason.CREDIT.value
RATE_GLOBAL, RATE_SYMBOL = Reason.RATE_GLOBAL.value, Reason.RATE_SYMBOL.value
DUPLICATE_ORDER, REPETITION = Reason.DUPLICATE_ORDER.value, Reason.REPETITION.value
SELF_TRADE, SHORT_SALE_RESTRICTION = Reason.SELF_TRADE.value, Reason.SHORT_SALE_RESTRICTION.value
LOCATE, MAX_OPEN_ORDERS = Reason.LOCATE.value, Reason.MAX_OPEN_ORDERS.value
LOSS_LIMIT, SESSION_STATE = Reason.LOSS_LIMIT.value, Reason.SESSION_STATE.value
HOST_HEARTBEAT, INVALID_ORDER = Reason.HOST_HEARTBEAT.value, Reason.INVALID_ORDER.value
SHORT_MARKING = Reason.SHORT_MARKING.value
WITHDRAW = WITHDRAW_REASONS

BUY, SELL = Side.BUY.value, Side.SELL.value
IDLE, PENDING_REPLACE = SlotState.IDLE.value, SlotState.PENDING_REPLACE.value
UP = SessionState.UP.value
V5_0 = OuchVersion.V5_0.value
NEW = Action.NEW.value
TRADING = ord("T")
RESTRICTED_INTRADAY, RESTRICTED = ord("1"), ord("2")
MARK_BUY, MARK_SELL, MARK_SHORT = ord("B"), ord("S"), ord("T")


@stage
def lost(pnl: int, limit: int) -> int:
    """1 if more than ``limit`` is lost."""
    return 1 if pnl < 0 and above(-pnl, limit) else 0


@stage
def state_mask(core: Any, symbol: Any, strategy: int) -> int:
    """The reasons that do not depend on the order."""
    return symbol_mask(core, symbol) | strategy_mask(core, strategy)


@stage
def strategy_mask(core: Any, strategy: int) -> int:
    """The part of :func:`state_mask` that hangs on the strategy."""
    return (core.strategy_kills >> strategy & 1) << KILL_STRATEGY if strategy < STRATEGIES else 0


@stage
def symbol_mask(core: Any, symbol: Any) -> int:
    """The part of :func:`state_mask` that hangs on the symbol."""
    t = core.stamp
    mask = core.kill << KILL_GLOBAL | symbol.kill << KILL_SYMBOL
    if not symbol.enabled:
        mask |= 1 << SYMBOL_DISABLED
    if symbol.trading_state != TRADING or symbol.operational_halt or not core.market_open:
        mask |= 1 << SYMBOL_HALTED
    if not (core.feed_whole and symbol.trusted):
        mask |= 1 << BOOK_UNTRUSTED
    if core.stale_ns != 0 and above(t - core.last_feed, core.stale_ns):
        mask |= 1 << STALE_MARKET_DATA
    mask |= (lost(symbol.pnl, symbol.loss_limit) | lost(core.pnl, core.loss_limit)) << LOSS_LIMIT
    mask |= session_mask(core)
    if core.heartbeat_ns != 0 and above(t - core.last_heartbeat, core.heartbeat_ns):
        mask |= 1 << HOST_HEARTBEAT
    return mask


@stage
def session_mask(core: Any) -> int:
    """The part of :func:`symbol_mask` that an order may change: the session is not up, or has no UserRefNum left."""
    left = core.ouch != V5_0 or core.generation < LAST_GENERATION
    return 0 if core.session == UP and left else 1 << SESSION_STATE


@stage
def open_shares(slot: Any) -> int:
    """The most that may still trade of an own order."""
    if slot.state == PENDING_REPLACE:
        return max(slot.remaining, slot.pending_shares - slot.chain_executed)
    return 0 if slot.state == IDLE else slot.remaining


@stage
def open_notional(slot: Any) -> int:
    """The most that an own order may still cost."""
    if slot.state == PENDING_REPLACE:
        pending = max(slot.pending_shares - slot.chain_executed, 0)
        return larger(slot.price * slot.remaining, slot.pending_price * pending)
    return 0 if slot.state == IDLE else slot.price * slot.remaining


@stage
def marking(side: int, worst: int) -> int:
    """How a sale is marked: ``worst`` is how far short the symbol could get with it."""
    if side == BUY:
        return MARK_BUY
    return MARK_SHORT if worst > 0 else MARK_SELL


@stage
def gate(
    core: Any, symbol: Any, action: int, side: int, place: int, price: int, quantity: int, strategy: int
) -> tuple[int, int]:
    """All reasons against an order, 0 if it may go, and its marking.

    ``place`` is the slot among the symbol's: a REPLACE's target, a NEW's free one, -1 if there is none.
    """
    t = core.stamp
    mask = state_mask(core, symbol, strategy)

    # own orders
    occupied = others = crossing = 0
    for number in range(SIDES * SLOTS):
        slot = symbol.slots[number]
        if slot.state != IDLE:
            occupied += 1
            if slot.side == side:
                if action == NEW or number != place:
                    others += open_shares(slot)
            else:
                resting = slot.price
                if slot.state == PENDING_REPLACE:
                    if side == BUY:
                        resting = min(resting, slot.pending_price)
                    else:
                        resting = max(resting, slot.pending_price)
                if (side == BUY and resting <= price) or (side == SELL and resting >= price):
                    crossing = 1
    mask |= crossing << SELF_TRADE

    notional = price * quantity
    this, before, after = quantity, 0, notional
    marked = 0
    if action != NEW:
        slot = symbol.slots[place]
        this = max(slot.remaining, quantity)
        before = slot.notional
        after = larger(slot.price * slot.remaining, notional)
        marked = slot.marking
    elif place < 0 or occupied + 1 > symbol.max_open_orders:
        mask |= 1 << MAX_OPEN_ORDERS

    # the order itself
    if (
        quantity == 0
        or quantity > MAX_ORDER_QUANTITY
        or price == 0
        or price > MAX_ORDER_PRICE
        or strategy >= STRATEGIES
    ):
        mask |= 1 << INVALID_ORDER
    if quantity > symbol.max_quantity:
        mask |= 1 << MAX_QUANTITY
    if above(notional, symbol.max_notional):
        mask |= 1 << MAX_NOTIONAL

    # exposure
    worst = (symbol.position if side == BUY else -symbol.position) + others + this
    if worst > symbol.max_position:
        mask |= 1 << POSITION
    exposure = core.open_notional - before + after
    if above(core.position_notional + exposure, core.max_gross):
        mask |= 1 << GROSS_EXPOSURE
    if above(core.executed_notional + exposure, core.credit):
        mask |= 1 << CREDIT

    # market
    best_bid = symbol.base_price + symbol.bid_index * symbol.tick
    best_ask = symbol.base_price + symbol.ask_index * symbol.tick
    if symbol.has_bid or symbol.has_ask:
        ceiling = (best_ask if symbol.has_ask else best_bid) + symbol.collar
        floor = best_bid if symbol.has_bid else best_ask
        if price > ceiling or price + symbol.collar < floor:
            mask |= 1 << PRICE_COLLAR
    else:
        mask |= 1 << PRICE_COLLAR

    # messages
    if above(core.arrival, t + core.rate_burst):
        mask |= 1 << RATE_GLOBAL
    if above(symbol.arrival, t + symbol.rate_burst):
        mask |= 1 << RATE_SYMBOL
    last = symbol.last[side]
    if last.valid and last.price == price and last.quantity == quantity:
        if above(symbol.duplicate_window, t - last.time):
            mask |= 1 << DUPLICATE_ORDER
        if symbol.max_repeats != 0 and last.repeats >= symbol.max_repeats:
            mask |= 1 << REPETITION

    # short sales
    mark = marking(side, worst)
    if mark == MARK_SHORT:
        restricted = symbol.reg_sho == RESTRICTED_INTRADAY or symbol.reg_sho == RESTRICTED
        if restricted and (not symbol.has_bid or price <= best_bid):
            mask |= 1 << SHORT_SALE_RESTRICTION
        if worst > symbol.locate_quantity:
            mask |= 1 << LOCATE
    if action != NEW and mark != marked:
        mask |= 1 << SHORT_MARKING
    return mask, mark
