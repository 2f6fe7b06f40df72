"""Compiled writers of the ITCH messages that sources make.

Each writes one whole message at ``at`` and returns the position behind it. Messages stand one behind the other without
length prefix; :func:`tape_of` finds them again, since each is as long as its type says.
"""

from __future__ import annotations

from typing import Any

from sim.sources.tape import Tape, Vector, from_messages
from wire import itch
from wire.binaryfile import Framing, frame_bytes
from wire.compiled import compiled

LONGEST = int(itch.ITCH.lengths.max())
BUY, SELL = ord("B"), ord("S")

_type = itch.ADD_ORDER.writer("type")
_stock_locate = itch.ADD_ORDER.writer("stock_locate")
_tracking_number = itch.ADD_ORDER.writer("tracking_number")
_timestamp = itch.ADD_ORDER.writer("timestamp")
_order_reference = itch.ADD_ORDER.writer("order_reference")
_add_side = itch.ADD_ORDER.writer("side")
_add_shares = itch.ADD_ORDER.writer("shares")
_add_stock = itch.ADD_ORDER.writer("stock")
_add_price = itch.ADD_ORDER.writer("price")
_attribution = itch.ADD_ORDER_ATTRIBUTED.writer("attribution")
_executed_shares = itch.ORDER_EXECUTED.writer("executed_shares")
_execution_match = itch.ORDER_EXECUTED.writer("match_number")
_printable = itch.ORDER_EXECUTED_WITH_PRICE.writer("printable")
_execution_price = itch.ORDER_EXECUTED_WITH_PRICE.writer("execution_price")
_cancelled_shares = itch.ORDER_CANCEL.writer("cancelled_shares")
_new_order_reference = itch.ORDER_REPLACE.writer("new_order_reference")
_replace_shares = itch.ORDER_REPLACE.writer("shares")
_replace_price = itch.ORDER_REPLACE.writer("price")
_trade_side = itch.TRADE.writer("side")
_trade_shares = itch.TRADE.writer("shares")
_trade_stock = itch.TRADE.writer("stock")
_trade_price = itch.TRADE.writer("price")
_trade_match = itch.TRADE.writer("match_number")
_cross_shares = itch.CROSS_TRADE.writer("shares")
_cross_stock = itch.CROSS_TRADE.writer("stock")
_cross_price = itch.CROSS_TRADE.writer("cross_price")
_cross_match = itch.CROSS_TRADE.writer("match_number")
_cross_type = itch.CROSS_TRADE.writer("cross_type")
_event_code = itch.SYSTEM_EVENT.writer("event_code")
_halt_stock = itch.TRADING_ACTION.writer("stock")
_trading_state = itch.TRADING_ACTION.writer("trading_state")
_halt_reserved = itch.TRADING_ACTION.writer("reserved")
_reason = itch.TRADING_ACTION.writer("reason")
_paired_shares = itch.NET_ORDER_IMBALANCE.writer("paired_shares")
_imbalance_shares = itch.NET_ORDER_IMBALANCE.writer("imbalance_shares")
_imbalance_direction = itch.NET_ORDER_IMBALANCE.writer("imbalance_direction")
_imbalance_stock = itch.NET_ORDER_IMBALANCE.writer("stock")
_far_price = itch.NET_ORDER_IMBALANCE.writer("far_price")
_near_price = itch.NET_ORDER_IMBALANCE.writer("near_price")
_reference_price = itch.NET_ORDER_IMBALANCE.writer("current_reference_price")
_imbalance_cross = itch.NET_ORDER_IMBALANCE.writer("cross_type")
_variation = itch.NET_ORDER_IMBALANCE.writer("price_variation_indicator")

ADD, ATTRIBUTED = itch.ADD_ORDER.length, itch.ADD_ORDER_ATTRIBUTED.length
EXECUTED, EXECUTED_PRICE = itch.ORDER_EXECUTED.length, itch.ORDER_EXECUTED_WITH_PRICE.length
CANCEL, DELETE, REPLACE = itch.ORDER_CANCEL.length, itch.ORDER_DELETE.length, itch.ORDER_REPLACE.length
TRADE, CROSS = itch.TRADE.length, itch.CROSS_TRADE.length
SYSTEM, ACTION, IMBALANCE = itch.SYSTEM_EVENT.length, itch.TRADING_ACTION.length, itch.NET_ORDER_IMBALANCE.length
MARKET_PARTICIPANT = int.from_bytes(b"HRPN", "big")


def tape_of(buffer: Vector) -> Tape:
    """The tape of messages that stand one behind the other."""
    messages = frame_bytes(buffer.data, Framing.BARE)
    return from_messages(messages.buffer, messages.offsets, messages.lengths)


def stock_key(stock: str) -> int:
    """A stock's name as the integer that the writers take."""
    return int.from_bytes(stock.ljust(8).encode("ascii"), "big")


def opening(
    locates_stocks: list[tuple[int, str]], start: int, *, halted: frozenset[str] = frozenset()
) -> bytes:
    """What a day begins with: start of messages, each stock's directory entry, trading state and Reg SHO state."""
    head = {"timestamp": start}
    parts = [itch.SYSTEM_EVENT.pack(head, event_code="O")]
    for locate, stock in locates_stocks:
        named = {**head, "stock_locate": locate, "stock": stock}
        parts += (
            itch.STOCK_DIRECTORY.pack(
                named,
                market_category="Q",
                financial_status_indicator="N",
                round_lot_size=100,
                round_lots_only="N",
                issue_classification="C",
                issue_sub_type="Z",
                authenticity="P",
                short_sale_threshold_indicator="N",
                ipo_flag="N",
                luld_reference_price_tier="1",
                etp_flag="N",
                inverse_indicator="N",
            ),
            itch.TRADING_ACTION.pack(named, trading_state="H" if stock in halted else "T"),
            itch.REG_SHO_RESTRICTION.pack(named, reg_sho_action="0"),
        )
    return b"".join(parts)


def system_event(time: int, code: str) -> bytes:
    """One system event."""
    return itch.SYSTEM_EVENT.pack(timestamp=time, event_code=code)


@compiled
def head(buffer: Any, at: int, code: int, locate: int, time: int) -> None:
    """What every message begins with."""
    _type(buffer, at, code)
    _stock_locate(buffer, at, locate)
    _tracking_number(buffer, at, 0)
    _timestamp(buffer, at, time)


@compiled
def add(buffer: Any, at: int, locate: int, time: int, reference: int, side: int, shares: int, stock: int, price: int) -> int:
    """Add Order; ``side`` is the character."""
    head(buffer, at, 65, locate, time)
    _order_reference(buffer, at, reference)
    _add_side(buffer, at, side)
    _add_shares(buffer, at, shares)
    _add_stock(buffer, at, stock)
    _add_price(buffer, at, price)
    return at + ADD


@compiled
def add_attributed(
    buffer: Any, at: int, locate: int, time: int, reference: int, side: int, shares: int, stock: int, price: int
) -> int:
    """Add Order with the attribution of a participant of ours."""
    add(buffer, at, locate, time, reference, side, shares, stock, price)
    _type(buffer, at, 70)
    _attribution(buffer, at, MARKET_PARTICIPANT)
    return at + ATTRIBUTED


@compiled
def execute(buffer: Any, at: int, locate: int, time: int, reference: int, shares: int, match: int) -> int:
    """Order Executed."""
    head(buffer, at, 69, locate, time)
    _order_reference(buffer, at, reference)
    _executed_shares(buffer, at, shares)
    _execution_match(buffer, at, match)
    return at + EXECUTED


@compiled
def execute_at(
    buffer: Any, at: int, locate: int, time: int, reference: int, shares: int, match: int, printable: int, price: int
) -> int:
    """Order Executed With Price."""
    execute(buffer, at, locate, time, reference, shares, match)
    _type(buffer, at, 67)
    _printable(buffer, at, printable)
    _execution_price(buffer, at, price)
    return at + EXECUTED_PRICE


@compiled
def cancel(buffer: Any, at: int, locate: int, time: int, reference: int, shares: int) -> int:
    """Order Cancel: some of an order's shares."""
    head(buffer, at, 88, locate, time)
    _order_reference(buffer, at, reference)
    _cancelled_shares(buffer, at, shares)
    return at + CANCEL


@compiled
def delete(buffer: Any, at: int, locate: int, time: int, reference: int) -> int:
    """Order Delete."""
    head(buffer, at, 68, locate, time)
    _order_reference(buffer, at, reference)
    return at + DELETE


@compiled
def replace(buffer: Any, at: int, locate: int, time: int, reference: int, new: int, shares: int, price: int) -> int:
    """Order Replace."""
    head(buffer, at, 85, locate, time)
    _order_reference(buffer, at, reference)
    _new_order_reference(buffer, at, new)
    _replace_shares(buffer, at, shares)
    _replace_price(buffer, at, price)
    return at + REPLACE


@compiled
def trade(buffer: Any, at: int, locate: int, time: int, side: int, shares: int, stock: int, price: int, match: int) -> int:
    """Trade with an order that was not displayed; ``side`` is the character of that order."""
    head(buffer, at, 80, locate, time)
    _order_reference(buffer, at, 0)
    _trade_side(buffer, at, side)
    _trade_shares(buffer, at, shares)
    _trade_stock(buffer, at, stock)
    _trade_price(buffer, at, price)
    _trade_match(buffer, at, match)
    return at + TRADE


@compiled
def cross(buffer: Any, at: int, locate: int, time: int, shares: int, stock: int, price: int, match: int, kind: int) -> int:
    """Cross Trade."""
    head(buffer, at, 81, locate, time)
    _cross_shares(buffer, at, shares)
    _cross_stock(buffer, at, stock)
    _cross_price(buffer, at, price)
    _cross_match(buffer, at, match)
    _cross_type(buffer, at, kind)
    return at + CROSS


@compiled
def trading_action(buffer: Any, at: int, locate: int, time: int, stock: int, state: int) -> int:
    """Stock Trading Action."""
    head(buffer, at, 72, locate, time)
    _halt_stock(buffer, at, stock)
    _trading_state(buffer, at, state)
    _halt_reserved(buffer, at, 32)
    _reason(buffer, at, 0x20202020)
    return at + ACTION


@compiled
def imbalance(buffer: Any, at: int, locate: int, time: int, stock: int, paired: int, shares: int, side: int, price: int) -> int:
    """Net Order Imbalance Indicator, all three prices the same."""
    head(buffer, at, 73, locate, time)
    _paired_shares(buffer, at, paired)
    _imbalance_shares(buffer, at, shares)
    _imbalance_direction(buffer, at, side)
    _imbalance_stock(buffer, at, stock)
    _far_price(buffer, at, price)
    _near_price(buffer, at, price)
    _reference_price(buffer, at, price)
    _imbalance_cross(buffer, at, 67)
    _variation(buffer, at, 32)
    return at + IMBALANCE
