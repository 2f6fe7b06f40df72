"""Where in ITCH messages the fields stand that the book reads: at one place in types that it treats alike."""

from __future__ import annotations

from wire import itch
from wire.layout import Record


def _same_offset(name: str, *records: Record) -> int:
    """The offset of a field that stands at the same place in all of these."""
    (offset,) = {record.offset(name) for record in records}
    return offset


LOCATE_AT = _same_offset("stock_locate", *itch.ITCH.records)
REFERENCE_AT = _same_offset(
    "order_reference",
    *(itch.ADD_ORDER, itch.ADD_ORDER_ATTRIBUTED, itch.ORDER_DELETE, itch.ORDER_CANCEL),
    *(itch.ORDER_EXECUTED, itch.ORDER_EXECUTED_WITH_PRICE),
)
if itch.ORDER_REPLACE.offset("original_order_reference") != REFERENCE_AT:
    raise AssertionError("a replace has its original order's reference where all others have theirs")
_ADDS = (itch.ADD_ORDER, itch.ADD_ORDER_ATTRIBUTED)
SIDE_AT, SHARES_AT, PRICE_AT = (_same_offset(name, *_ADDS) for name in ("side", "shares", "price"))
NEW_AT, NEW_SHARES_AT, NEW_PRICE_AT = map(itch.ORDER_REPLACE.offset, ("new_order_reference", "shares", "price"))
_FILLS = (itch.ORDER_EXECUTED, itch.ORDER_EXECUTED_WITH_PRICE)
TAKEN_AT = _same_offset("executed_shares", *_FILLS)
if itch.ORDER_CANCEL.offset("cancelled_shares") != TAKEN_AT:
    raise AssertionError("a cancel has its shares where an execution has them")
MATCH_AT = _same_offset("match_number", *_FILLS)
PRINTABLE_AT = itch.ORDER_EXECUTED_WITH_PRICE.offset("printable")
EXECUTION_PRICE_AT = itch.ORDER_EXECUTED_WITH_PRICE.offset("execution_price")
TRADE_SIDE_AT, TRADE_SHARES_AT, TRADE_PRICE_AT, TRADE_MATCH_AT = map(
    itch.TRADE.offset, ("side", "shares", "price", "match_number")
)
TRADING_STATE_AT = itch.TRADING_ACTION.offset("trading_state")
REG_SHO_AT = itch.REG_SHO_RESTRICTION.offset("reg_sho_action")
HALT_AT, MARKET_AT = map(itch.OPERATIONAL_HALT.offset, ("operational_halt_action", "market_code"))
EVENT_AT = itch.SYSTEM_EVENT.offset("event_code")
BREACH_AT = itch.MWCB_STATUS.offset("breached_level")
