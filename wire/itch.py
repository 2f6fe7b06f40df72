"""Nasdaq TotalView-ITCH 5.0, all 23 messages (edition 2023-04-28; the wire layout is that of 2026-02-19 too).

Prices are unsigned with 4 implied decimals unless a field says otherwise.
"""

from wire.layout import Family, Record, field

_HEADER = (
    field("type", 1, "alpha"),
    field("stock_locate", 2),
    field("tracking_number", 2),
    field("timestamp", 6, "int", "ns since midnight, US Eastern"),
)

SYSTEM_EVENT = Record(
    "System Event",
    *_HEADER,
    field(
        "event_code",
        1,
        "alpha",
        "O messages start, S system hours, Q market hours; M market ends, E system hours, C messages",
    ),
    code="S",
)
STOCK_DIRECTORY = Record(
    "Stock Directory",
    *_HEADER,
    field("stock", 8, "alpha"),
    field("market_category", 1, "alpha", "Q G S / N A P Z V (2025-06: M) / space"),
    field("financial_status_indicator", 1, "alpha", "D E Q S G H J K C N space"),
    field("round_lot_size", 4),
    field("round_lots_only", 1, "alpha", "Y N"),
    field("issue_classification", 1, "alpha"),
    field("issue_sub_type", 2, "alpha"),
    field("authenticity", 1, "alpha", "P live, T test"),
    field("short_sale_threshold_indicator", 1, "alpha", "Y N space"),
    field("ipo_flag", 1, "alpha", "Y N space (2026-02-19 adds Z = non-IPO new issue)"),
    field("luld_reference_price_tier", 1, "alpha", "1 2 space"),
    field("etp_flag", 1, "alpha", "Y N space"),
    field("etp_leverage_factor", 4),
    field("inverse_indicator", 1, "alpha", "Y N"),
    code="R",
)
TRADING_ACTION = Record(
    "Stock Trading Action",
    *_HEADER,
    field("stock", 8, "alpha"),
    field("trading_state", 1, "alpha", "H halted, P paused, Q quotation only, T trading"),
    field("reserved", 1, "alpha"),
    field("reason", 4, "alpha"),
    code="H",
)
REG_SHO_RESTRICTION = Record(
    "Reg SHO Short Sale Price Test Restricted Indicator",
    *_HEADER,
    field("stock", 8, "alpha"),
    field("reg_sho_action", 1, "alpha", "0 1 2"),
    code="Y",
)
MARKET_PARTICIPANT_POSITION = Record(
    "Market Participant Position",
    *_HEADER,
    field("mpid", 4, "alpha"),
    field("stock", 8, "alpha"),
    field("primary_market_maker", 1, "alpha", "Y N"),
    field("market_maker_mode", 1, "alpha", "N P S R L"),
    field("market_participant_state", 1, "alpha", "A E W S D"),
    code="L",
)
MWCB_DECLINE_LEVEL = Record(
    "MWCB Decline Level",
    *_HEADER,
    field("level_1", 8, "int", "1e-8; 8 implied decimals; Stock Locate always 0"),
    field("level_2", 8, "int", "1e-8"),
    field("level_3", 8, "int", "1e-8"),
    code="V",
)
MWCB_STATUS = Record(
    "MWCB Status",
    *_HEADER,
    field("breached_level", 1, "alpha", "1 2 3"),
    code="W",
)
IPO_QUOTING_PERIOD_UPDATE = Record(
    "IPO Quoting Period Update",
    *_HEADER,
    field("stock", 8, "alpha"),
    field("ipo_quotation_release_time", 4, "int", "seconds since midnight"),
    field("ipo_quotation_release_qualifier", 1, "alpha", "A C"),
    field("ipo_price", 4, "int", "1e-4"),
    code="K",
)
LULD_AUCTION_COLLAR = Record(
    "LULD Auction Collar",
    *_HEADER,
    field("stock", 8, "alpha"),
    field("auction_collar_reference_price", 4, "int", "1e-4"),
    field("upper_auction_collar_price", 4, "int", "1e-4"),
    field("lower_auction_collar_price", 4, "int", "1e-4"),
    field("auction_collar_extension", 4),
    code="J",
)
OPERATIONAL_HALT = Record(
    "Operational Halt",
    *_HEADER,
    field("stock", 8, "alpha"),
    field("market_code", 1, "alpha", "Q B X"),
    field("operational_halt_action", 1, "alpha", "H T"),
    code="h",
)
ADD_ORDER = Record(
    "Add Order - No MPID",
    *_HEADER,
    field("order_reference", 8),
    field("side", 1, "alpha", "B S"),
    field("shares", 4),
    field("stock", 8, "alpha"),
    field("price", 4, "int", "1e-4"),
    code="A",
)
ADD_ORDER_ATTRIBUTED = Record(
    "Add Order - MPID Attribution",
    *_HEADER,
    field("order_reference", 8),
    field("side", 1, "alpha", "B S"),
    field("shares", 4),
    field("stock", 8, "alpha"),
    field("price", 4, "int", "1e-4"),
    field("attribution", 4, "alpha", "MPID"),
    code="F",
)
ORDER_EXECUTED = Record(
    "Order Executed",
    *_HEADER,
    field("order_reference", 8),
    field("executed_shares", 4),
    field("match_number", 8),
    code="E",
)
ORDER_EXECUTED_WITH_PRICE = Record(
    "Order Executed With Price",
    *_HEADER,
    field("order_reference", 8),
    field("executed_shares", 4),
    field("match_number", 8),
    field("printable", 1, "alpha", "Y N"),
    field("execution_price", 4, "int", "1e-4"),
    code="C",
)
ORDER_CANCEL = Record(
    "Order Cancel (partial)",
    *_HEADER,
    field("order_reference", 8),
    field("cancelled_shares", 4),
    code="X",
)
ORDER_DELETE = Record(
    "Order Delete",
    *_HEADER,
    field("order_reference", 8),
    code="D",
)
ORDER_REPLACE = Record(
    "Order Replace",
    *_HEADER,
    field("original_order_reference", 8),
    field("new_order_reference", 8),
    field("shares", 4),
    field("price", 4, "int", "1e-4; side, stock, MPID carried over from the original; loses priority"),
    code="U",
)
TRADE = Record(
    "Trade (Non-Cross)",
    *_HEADER,
    field("order_reference", 8, "int", "0 since 2010-12-06"),
    field("side", 1, "alpha", "always B since 2014-07-14"),
    field("shares", 4),
    field("stock", 8, "alpha"),
    field("price", 4, "int", "1e-4"),
    field("match_number", 8),
    code="P",
)
CROSS_TRADE = Record(
    "Cross Trade",
    *_HEADER,
    field("shares", 8),
    field("stock", 8, "alpha"),
    field("cross_price", 4, "int", "1e-4"),
    field("match_number", 8),
    field("cross_type", 1, "alpha", "O C H"),
    code="Q",
)
BROKEN_TRADE = Record(
    "Broken Trade / Order Execution",
    *_HEADER,
    field("match_number", 8),
    code="B",
)
NET_ORDER_IMBALANCE = Record(
    "NOII",
    *_HEADER,
    field("paired_shares", 8),
    field("imbalance_shares", 8),
    field("imbalance_direction", 1, "alpha", "B S N O P"),
    field("stock", 8, "alpha"),
    field("far_price", 4, "int", "1e-4"),
    field("near_price", 4, "int", "1e-4"),
    field("current_reference_price", 4, "int", "1e-4"),
    field("cross_type", 1, "alpha", "O C H A"),
    field("price_variation_indicator", 1, "alpha", "L 1-9 A B C space"),
    code="I",
)
RETAIL_PRICE_IMPROVEMENT = Record(
    "Retail Price Improvement Indicator",
    *_HEADER,
    field("stock", 8, "alpha"),
    field("interest_flag", 1, "alpha", "B S A N"),
    code="N",
)
DIRECT_LISTING = Record(
    "Direct Listing with Capital Raise Price Discovery",
    *_HEADER,
    field("stock", 8, "alpha"),
    field("open_eligibility_status", 1, "alpha", "N Y"),
    field("minimum_allowable_price", 4, "int", "1e-4"),
    field("maximum_allowable_price", 4, "int", "1e-4"),
    field("near_execution_price", 4, "int", "1e-4"),
    field("near_execution_time", 8),
    field("lower_price_range_collar", 4, "int", "1e-4"),
    field("upper_price_range_collar", 4, "int", "1e-4"),
    code="O",
)

ITCH = Family(
    "ITCH 5.0",
    SYSTEM_EVENT,
    STOCK_DIRECTORY,
    TRADING_ACTION,
    REG_SHO_RESTRICTION,
    MARKET_PARTICIPANT_POSITION,
    MWCB_DECLINE_LEVEL,
    MWCB_STATUS,
    IPO_QUOTING_PERIOD_UPDATE,
    LULD_AUCTION_COLLAR,
    OPERATIONAL_HALT,
    ADD_ORDER,
    ADD_ORDER_ATTRIBUTED,
    ORDER_EXECUTED,
    ORDER_EXECUTED_WITH_PRICE,
    ORDER_CANCEL,
    ORDER_DELETE,
    ORDER_REPLACE,
    TRADE,
    CROSS_TRADE,
    BROKEN_TRADE,
    NET_ORDER_IMBALANCE,
    RETAIL_PRICE_IMPROVEMENT,
    DIRECT_LISTING,
)
