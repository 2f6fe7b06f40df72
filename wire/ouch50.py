"""Nasdaq OUCH 5.0 (April 2023): inbound is client to exchange, outbound exchange to client.

Prices are unsigned 64-bit with 4 implied decimals. The fixed part ends with the appendage length where a
message has an appendage.
"""

from wire.layout import Family, Record, field

DAY, IMMEDIATE_OR_CANCEL, EXTENDED_HOURS, UNTIL_TIME = "0356"
"""Times in force. The last one needs the option ExpireTime."""

_STAMPED = (
    field("type", 1, "alpha"),
    field("timestamp", 8, "int", "ns since midnight"),
)

ENTER_ORDER = Record(
    "Enter Order",
    field("type", 1, "alpha"),
    field("user_reference_number", 4, "int", "unique in a day and rising, per account"),
    field("side", 1, "alpha", "B S T E"),
    field("quantity", 4, "int", "1..999,999"),
    field("symbol", 8, "alpha"),
    field("price", 8, "int", "1e-4; 4 decimals; max $199,999.9900; market 0x7FFFFFFF or >= $200,000"),
    field("time_in_force", 1, "alpha", "0 day, 3 IOC, 5 GTX (extended hours), 6 GTT (needs ExpireTime), E after hours"),
    field("display", 1, "alpha", "Y N A"),
    field("capacity", 1, "alpha", "A P R O"),
    field("intermarket_sweep_eligibility", 1, "alpha", "Y N"),
    field("cross_type", 1, "alpha", "N O C H S R E A"),
    field("client_order_id", 14, "alpha"),
    field("appendage_length", 2),
    code="O",
)
REPLACE_ORDER_REQUEST = Record(
    "Replace Order Request",
    field("type", 1, "alpha"),
    field("original_user_reference_number", 4),
    field("user_reference_number", 4, "int", "unique in a day and rising, per account"),
    field("quantity", 4, "int", "total liable for chain"),
    field("price", 8, "int", "1e-4"),
    field("time_in_force", 1, "alpha", "0 3 5 6"),
    field("display", 1, "alpha", "Y N A"),
    field("intermarket_sweep_eligibility", 1, "alpha"),
    field("client_order_id", 14, "alpha"),
    field("appendage_length", 2),
    code="U",
)
CANCEL_ORDER_REQUEST = Record(
    "Cancel Order Request",
    field("type", 1, "alpha"),
    field("user_reference_number", 4, "int", "unique in a day and rising, per account"),
    field("quantity", 4, "int", "new intended size; 0 = all"),
    code="X",
)
MODIFY_ORDER_REQUEST = Record(
    "Modify Order Request",
    field("type", 1, "alpha"),
    field("user_reference_number", 4, "int", "unique in a day and rising, per account"),
    field("side", 1, "alpha", "only S->E, S->T, E->T"),
    field("quantity", 4),
    code="M",
)
ACCOUNT_QUERY_REQUEST = Record(
    "Account Query Request",
    field("type", 1, "alpha"),
    code="Q",
)
SYSTEM_EVENT = Record(
    "System Event",
    *_STAMPED,
    field("event_code", 1, "alpha", "S E"),
    code="S",
)
ORDER_ACCEPTED = Record(
    "Order Accepted",
    *_STAMPED,
    field("user_reference_number", 4, "int", "unique in a day and rising, per account"),
    field("side", 1, "alpha"),
    field("quantity", 4),
    field("symbol", 8, "alpha"),
    field("price", 8, "int", "1e-4"),
    field("time_in_force", 1, "alpha"),
    field("display", 1, "alpha", "Y N A Z"),
    field("order_reference", 8),
    field("capacity", 1, "alpha"),
    field("intermarket_sweep_eligibility", 1, "alpha"),
    field("cross_type", 1, "alpha"),
    field("order_state", 1, "alpha", "L D"),
    field("client_order_id", 14, "alpha"),
    field("appendage_length", 2),
    code="A",
)
ORDER_REPLACED = Record(
    "Order Replaced",
    *_STAMPED,
    field("original_user_reference_number", 4),
    field("user_reference_number", 4, "int", "unique in a day and rising, per account"),
    field("side", 1, "alpha"),
    field("quantity", 4),
    field("symbol", 8, "alpha"),
    field("price", 8, "int", "1e-4"),
    field("time_in_force", 1, "alpha"),
    field("display", 1, "alpha"),
    field("order_reference", 8),
    field("capacity", 1, "alpha"),
    field("intermarket_sweep_eligibility", 1, "alpha"),
    field("cross_type", 1, "alpha"),
    field("order_state", 1, "alpha"),
    field("client_order_id", 14, "alpha"),
    field("appendage_length", 2),
    code="U",
)
ORDER_CANCELED = Record(
    "Order Canceled",
    *_STAMPED,
    field("user_reference_number", 4, "int", "unique in a day and rising, per account"),
    field("quantity", 4, "int", "decrement"),
    field("reason", 1, "alpha", "D E F G H I K Q S T U X Z e"),
    code="C",
)
AIQ_CANCELED = Record(
    "AIQ Canceled",
    *_STAMPED,
    field("user_reference_number", 4, "int", "unique in a day and rising, per account"),
    field("decrement_shares", 4),
    field("reason", 1, "alpha", "Q"),
    field("quantity_prevented_from_trading", 4),
    field("execution_price", 8, "int", "1e-4"),
    field("liquidity_flag", 1, "alpha"),
    field("aiq_strategy", 1, "alpha"),
    code="D",
)
ORDER_EXECUTED = Record(
    "Order Executed",
    *_STAMPED,
    field("user_reference_number", 4, "int", "unique in a day and rising, per account"),
    field("quantity", 4, "int", "incremental"),
    field("price", 8, "int", "1e-4"),
    field("liquidity_flag", 1, "alpha"),
    field("match_number", 8),
    field("appendage_length", 2),
    code="E",
)
BROKEN_TRADE = Record(
    "Broken Trade",
    *_STAMPED,
    field("user_reference_number", 4, "int", "unique in a day and rising, per account"),
    field("match_number", 8),
    field("reason", 1, "alpha", "E C S X"),
    field("client_order_id", 14, "alpha"),
    code="B",
)
REJECTED = Record(
    "Rejected",
    *_STAMPED,
    field("user_reference_number", 4, "int", "unique in a day and rising, per account"),
    field("reason", 2, "int", "0x0001..0x002A, see official Appendix D"),
    field("client_order_id", 14, "alpha"),
    code="J",
)
CANCEL_PENDING = Record(
    "Cancel Pending",
    *_STAMPED,
    field("user_reference_number", 4, "int", "unique in a day and rising, per account"),
    code="P",
)
CANCEL_REJECT = Record(
    "Cancel Reject",
    *_STAMPED,
    field("user_reference_number", 4, "int", "unique in a day and rising, per account"),
    code="I",
)
ORDER_PRIORITY_UPDATE = Record(
    "Order Priority Update",
    *_STAMPED,
    field("user_reference_number", 4, "int", "unique in a day and rising, per account"),
    field("price", 8, "int", "1e-4"),
    field("display", 1, "alpha"),
    field("order_reference", 8),
    code="T",
)
ORDER_MODIFIED = Record(
    "Order Modified",
    *_STAMPED,
    field("user_reference_number", 4, "int", "unique in a day and rising, per account"),
    field("side", 1, "alpha"),
    field("quantity", 4),
    code="M",
)
ORDER_RESTATED = Record(
    "Order Restated",
    *_STAMPED,
    field("user_reference_number", 4, "int", "unique in a day and rising, per account"),
    field("reason", 1, "alpha", "R refresh of display, P displayed price"),
    field("appendage_length", 2),
    code="R",
)
ACCOUNT_QUERY_RESPONSE = Record(
    "Account Query Response",
    *_STAMPED,
    field("next_user_reference_number", 4),
    code="Q",
)

INBOUND = Family(
    "OUCH 5.0 inbound",
    ENTER_ORDER,
    REPLACE_ORDER_REQUEST,
    CANCEL_ORDER_REQUEST,
    MODIFY_ORDER_REQUEST,
    ACCOUNT_QUERY_REQUEST,
)

OUTBOUND = Family(
    "OUCH 5.0 outbound",
    SYSTEM_EVENT,
    ORDER_ACCEPTED,
    ORDER_REPLACED,
    ORDER_CANCELED,
    AIQ_CANCELED,
    ORDER_EXECUTED,
    BROKEN_TRADE,
    REJECTED,
    CANCEL_PENDING,
    CANCEL_REJECT,
    ORDER_PRIORITY_UPDATE,
    ORDER_MODIFIED,
    ORDER_RESTATED,
    ACCOUNT_QUERY_RESPONSE,
)
