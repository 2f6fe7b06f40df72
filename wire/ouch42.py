"""Nasdaq OUCH 4.2 (revision 2018-12-07): inbound is client to exchange, outbound exchange to client.

One message per SoupBinTCP packet. Prices are unsigned 32-bit with 4 implied decimals.
"""

from wire.layout import Family, Record, field

_STAMPED = (
    field("type", 1, "alpha"),
    field("timestamp", 8, "int", "ns since midnight"),
)

ENTER_ORDER = Record(
    "Enter Order",
    field("type", 1, "alpha"),
    field("order_token", 14, "alpha"),
    field("side", 1, "alpha", "B S T E"),
    field("shares", 4, "int", "1..999,999"),
    field("stock", 8, "alpha"),
    field("price", 4, "int", "1e-4; 4 decimals; market for cross 0x7FFFFFFF; max 0x7735939C"),
    field("time_in_force", 4, "int", "seconds; 0 IOC, 99998 market hours, 99999 system hours"),
    field("firm", 4, "alpha"),
    field("display", 1, "alpha", "A Y N P I M W L O T Q m n"),
    field("capacity", 1, "alpha", "A P R O"),
    field("intermarket_sweep_eligibility", 1, "alpha", "Y N y"),
    field("minimum_quantity", 4),
    field("cross_type", 1, "alpha", "N O C H S R E"),
    field("customer_type", 1, "alpha", "R N space; field added 2013-01-10"),
    code="O",
)
REPLACE_ORDER = Record(
    "Replace Order",
    field("type", 1, "alpha"),
    field("existing_order_token", 14, "alpha"),
    field("replacement_order_token", 14, "alpha"),
    field("shares", 4, "int", "total liable for the chain"),
    field("price", 4, "int", "1e-4"),
    field("time_in_force", 4),
    field("display", 1, "alpha"),
    field("intermarket_sweep_eligibility", 1, "alpha"),
    field("minimum_quantity", 4),
    code="U",
)
CANCEL_ORDER = Record(
    "Cancel Order",
    field("type", 1, "alpha"),
    field("order_token", 14, "alpha"),
    field("shares", 4, "int", "new intended order size; 0 = cancel all"),
    code="X",
)
MODIFY_ORDER = Record(
    "Modify Order",
    field("type", 1, "alpha"),
    field("order_token", 14, "alpha"),
    field("side", 1, "alpha", "only S/T/E transitions"),
    field("shares", 4),
    code="M",
)
TRADE_NOW_REQUEST = Record(
    "Trade Now",
    field("type", 1, "alpha"),
    field("order_token", 14, "alpha"),
    code="N",
)
SYSTEM_EVENT = Record(
    "System Event",
    *_STAMPED,
    field("event_code", 1, "alpha", "S E"),
    code="S",
)
ACCEPTED = Record(
    "Accepted",
    *_STAMPED,
    field("order_token", 14, "alpha"),
    field("side", 1, "alpha"),
    field("shares", 4),
    field("stock", 8, "alpha"),
    field("price", 4, "int", "1e-4"),
    field("time_in_force", 4),
    field("firm", 4, "alpha"),
    field("display", 1, "alpha", "adds Z"),
    field("order_reference", 8),
    field("capacity", 1, "alpha"),
    field("intermarket_sweep", 1, "alpha"),
    field("minimum_quantity", 4),
    field("cross_type", 1, "alpha"),
    field("order_state", 1, "alpha", "L live, D dead"),
    field("bbo_weight_indicator", 1, "alpha", "0-3 space S N"),
    code="A",
)
REPLACED = Record(
    "Replaced",
    *_STAMPED,
    field("replacement_order_token", 14, "alpha"),
    field("side", 1, "alpha"),
    field("shares", 4, "int", "outstanding"),
    field("stock", 8, "alpha"),
    field("price", 4, "int", "1e-4"),
    field("time_in_force", 4),
    field("firm", 4, "alpha"),
    field("display", 1, "alpha"),
    field("order_reference", 8),
    field("capacity", 1, "alpha"),
    field("intermarket_sweep", 1, "alpha"),
    field("minimum_quantity", 4),
    field("cross_type", 1, "alpha"),
    field("order_state", 1, "alpha"),
    field("previous_order_token", 14, "alpha"),
    field("bbo_weight_indicator", 1, "alpha"),
    code="U",
)
CANCELED = Record(
    "Canceled",
    *_STAMPED,
    field("order_token", 14, "alpha"),
    field("decrement_shares", 4, "int", "incremental"),
    field("reason", 1, "alpha", "U I T S D Q Z C K H X E F G"),
    code="C",
)
AIQ_CANCELLED = Record(
    "AIQ Cancelled",
    *_STAMPED,
    field("order_token", 14, "alpha"),
    field("decrement_shares", 4),
    field("reason", 1, "alpha", "Q"),
    field("quantity_prevented_from_trading", 4),
    field("execution_price", 4, "int", "1e-4"),
    field("liquidity_flag", 1, "alpha"),
    code="D",
)
EXECUTED = Record(
    "Executed",
    *_STAMPED,
    field("order_token", 14, "alpha"),
    field("executed_shares", 4),
    field("execution_price", 4, "int", "1e-4"),
    field("liquidity_flag", 1, "alpha"),
    field("match_number", 8),
    code="E",
)
BROKEN_TRADE = Record(
    "Broken Trade",
    *_STAMPED,
    field("order_token", 14, "alpha"),
    field("match_number", 8),
    field("reason", 1, "alpha", "E C S X"),
    code="B",
)
EXECUTED_WITH_REFERENCE_PRICE = Record(
    "Executed with Reference Price",
    *_STAMPED,
    field("order_token", 14, "alpha"),
    field("executed_shares", 4),
    field("execution_price", 4, "int", "1e-4"),
    field("liquidity_flag", 1, "alpha"),
    field("match_number", 8),
    field("reference_price", 4, "int", "1e-4"),
    field("reference_price_type", 1, "alpha", "I"),
    code="G",
)
TRADE_CORRECTION = Record(
    "Trade Correction",
    *_STAMPED,
    field("order_token", 14, "alpha"),
    field("executed_shares", 4),
    field("execution_price", 4, "int", "1e-4"),
    field("liquidity_flag", 1, "alpha"),
    field("match_number", 8),
    field("reason", 1, "alpha", "N"),
    code="F",
)
REJECTED = Record(
    "Rejected",
    *_STAMPED,
    field("order_token", 14, "alpha"),
    field("reason", 1, "alpha", "T H Z S D C L M R X N O W o q u; PRM a-n"),
    code="J",
)
CANCEL_PENDING = Record(
    "Cancel Pending",
    *_STAMPED,
    field("order_token", 14, "alpha"),
    code="P",
)
CANCEL_REJECT = Record(
    "Cancel Reject",
    *_STAMPED,
    field("order_token", 14, "alpha"),
    code="I",
)
ORDER_PRIORITY_UPDATE = Record(
    "Order Priority Update",
    *_STAMPED,
    field("order_token", 14, "alpha"),
    field("price", 4, "int", "1e-4"),
    field("display", 1, "alpha"),
    field("order_reference", 8),
    code="T",
)
ORDER_MODIFIED = Record(
    "Order Modified",
    *_STAMPED,
    field("order_token", 14, "alpha"),
    field("side", 1, "alpha"),
    field("shares", 4),
    code="M",
)
TRADE_NOW = Record(
    "Trade Now",
    *_STAMPED,
    field("order_token", 14, "alpha"),
    code="N",
)

INBOUND = Family(
    "OUCH 4.2 inbound",
    ENTER_ORDER,
    REPLACE_ORDER,
    CANCEL_ORDER,
    MODIFY_ORDER,
    TRADE_NOW_REQUEST,
)

OUTBOUND = Family(
    "OUCH 4.2 outbound",
    SYSTEM_EVENT,
    ACCEPTED,
    REPLACED,
    CANCELED,
    AIQ_CANCELLED,
    EXECUTED,
    BROKEN_TRADE,
    EXECUTED_WITH_REFERENCE_PRICE,
    TRADE_CORRECTION,
    REJECTED,
    CANCEL_PENDING,
    CANCEL_REJECT,
    ORDER_PRIORITY_UPDATE,
    ORDER_MODIFIED,
    TRADE_NOW,
)
