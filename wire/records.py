"""Records between host and device: ports, commands in, events out. 64 bytes each, little-endian.

What each of them does is in ``docs/architecture.md``, "Semantics".
"""

from __future__ import annotations

from enum import IntEnum, IntFlag

import numpy as np

from wire.layout import Record, field

RECORD_LENGTH = 64
NO_SYMBOL = 0xFFFF
SLOTS = 4  # own orders per symbol and side
QUOTER_SLOT = 0
TAKER_SLOT = 3  # when it is free; a host's order takes the lowest that is, but for the quoter's
HOLD_SLOTS = 4  # packets held per feed port
MAX_PAYLOAD = 1472  # UDP payload of an untagged 1500-byte MTU frame
QUOTER_STRATEGY = 0
TAKER_STRATEGY = 1
STRATEGIES = 16
MAX_ORDER_QUANTITY = 999_999  # OUCH 4.2
MAX_ORDER_PRICE = 1_999_999_900  # OUCH 4.2, $199,999.99
TIME_IN_FORCE_DAY = 99_998  # OUCH 4.2, market hours
TIME_IN_FORCE_SYSTEM = 99_999  # OUCH 4.2, system hours
IMMEDIATE_OR_CANCEL = 0  # OUCH 4.2, time in force
MAX_DECAY = 31  # of the flow signals: periods of 2^8 to 2^39 ns
SESSION_HEARTBEAT_NS = 1_000_000_000  # SoupBinTCP: when nothing was sent for a second
SESSION_TIMEOUT_NS = 15_000_000_000


class Port(IntEnum):
    """Where an input of the device comes in."""

    FEED_A = 0
    FEED_B = 1
    RECOVERY = 2  # MoldUDP64 frames from the re-request server
    SESSION = 3  # bytes of the order session's TCP stream, exchange to us
    COMMAND = 4  # one 64-byte command
    TICK = 5  # the clock: no bytes


class Side(IntEnum):
    """Side of the book, of an order, of a trade's resting order."""

    BUY = 0
    SELL = 1
    NONE = 2


class Action(IntEnum):
    """What an order message does."""

    NEW = 1
    REPLACE = 2
    CANCEL = 3


class SlotState(IntEnum):
    """State of one of the device's own orders."""

    IDLE = 0
    PENDING_NEW = 1
    LIVE = 2
    PENDING_REPLACE = 3
    PENDING_CANCEL = 4


class SessionState(IntEnum):
    """State of the order session (SoupBinTCP)."""

    DOWN = 0
    LOGIN_SENT = 1
    UP = 2


class OuchVersion(IntEnum):
    """What the order session speaks."""

    V4_2 = 0
    V5_0 = 1


# One input of the device: ``length`` bytes at ``offset`` of a buffer that goes with the array.
INPUT = np.dtype([("timestamp", "<u8"), ("offset", "<u8"), ("length", "<u4"), ("port", "<u4")])
# One SoupBinTCP packet that the device sent, with the stamp and the market-data sequence number that caused it.
OUTPUT = np.dtype([("timestamp", "<u8"), ("cause", "<u8"), ("offset", "<u8"), ("length", "<u4"), ("reserved", "<u4")])


class EventType(IntEnum):
    """Types of :data:`EVENT`; the fields each uses are listed in docs/architecture.md."""

    BOOK_TOP = 1
    TRADE = 2
    ORDER_SENT = 3
    ORDER_REFUSED = 4
    ACCEPTED = 5
    REPLACED = 6
    EXECUTED = 7
    CANCELLED = 8
    EXCHANGE_REJECT = 9
    GAP = 10
    TRUST_LOST = 11
    TRUST_REGAINED = 12
    FAULT = 13
    HEARTBEAT = 14
    SESSION = 15
    KILL = 16
    TRADING_STATE = 17
    COMMAND = 18
    BOOK_LEVEL = 19
    POSITION = 20
    OPEN_ORDER = 21
    SNAPSHOT_END = 22
    SIGNALS = 23


EVENT = Record(
    "Event",
    field("sequence", 4, "int", "+1 per event, from 0, wraps; a hole means lost events"),
    field("type", 1, "int", "EventType"),
    field("side", 1, "int", "Side"),
    field("symbol", 2, "int", "local symbol index, NO_SYMBOL where there is none"),
    field("timestamp", 8, "int", "ns; stamp of the input that caused it"),
    field("cause", 8, "int", "feed sequence number of the message that caused it, 0 where none did"),
    field("order_id", 8),
    field("value", 8),
    field("price", 4, "int", "1e-4"),
    field("quantity", 4, "int", "shares"),
    field("price2", 4, "int", "1e-4"),
    field("quantity2", 4, "int", "shares"),
    field("tag", 4, "int", "the host's mark on a command or on the order it made"),
    field("info", 4),
    order="little",
)


class TrustCause(IntEnum):
    """Why trust was lost or regained (``info`` of TRUST_LOST, TRUST_REGAINED)."""

    GAP = 1
    JOINED = 2  # the feed was joined in mid-session
    RESUMED = 3  # the host gave up a gap
    OVERFLOW = 4
    DUPLICATE_REFERENCE = 5
    UNKNOWN_REFERENCE = 6
    OVER_EXECUTION = 7
    BAD_VALUE = 8
    BEYOND = 9  # an order that could be the best lies outside the ladder
    HOST = 10


class Fault(IntEnum):
    """``info`` of FAULT."""

    UNKNOWN_TOKEN = 1
    SESSION_MALFORMED = 2
    BROKEN_TRADE = 3
    TRADE_CORRECTION = 4


class Opcode(IntEnum):
    """What a command asks for; its fields are in `COMMANDS`."""

    HEARTBEAT = 1
    SET_SYMBOL = 2
    SET_LIMITS = 3
    SET_QUOTER = 4
    SET_GLOBAL = 5
    SET_FEED = 6
    SET_TRADING = 7
    SET_POSITION = 8
    NEW_ORDER = 9
    REPLACE_ORDER = 10
    CANCEL_ORDER = 11
    CANCEL_ALL = 12
    KILL = 13
    CLEAR_KILL = 14
    LOGIN = 15
    LOGOUT = 16
    SESSION_DOWN = 17
    RESUME_FEED = 18
    TRUST = 19
    SNAPSHOT = 20
    SET_TAKER = 21


class CommandError(IntEnum):
    """``info`` of the COMMAND event that answers every command except HEARTBEAT."""

    NONE = 0
    UNKNOWN_OPCODE = 1
    BAD_SYMBOL = 2
    BAD_VALUE = 3
    BUSY = 4  # the symbol has orders in the book or of its own; LOGIN: some symbol has own ones of the other OUCH
    UNKNOWN_ORDER = 5
    ORDER_PENDING = 6  # a replace of an order that is waiting for the exchange
    REFUSED = 7  # the risk gate said no; the mask is in ORDER_REFUSED


class KillScope(IntEnum):
    """What a kill switch stops."""

    GLOBAL = 0
    STRATEGY = 1
    SYMBOL = 2


class SnapshotPart(IntFlag):
    """What a SNAPSHOT answers with."""

    BOOK = 1
    POSITION = 2
    ORDERS = 4
    SIGNALS = 8


def _command(opcode: Opcode, *fields: tuple[str, int, str, str]) -> Record:
    head = (
        field("opcode", 1, "int", "Opcode"),
        field("flags", 1),
        field("symbol", 2, "int", "local symbol index, NO_SYMBOL where there is none"),
        field("tag", 4, "int", "comes back in the events that the command causes"),
    )
    used = sum(width for _, width, _, _ in (*head, *fields))
    if used > RECORD_LENGTH:
        raise ValueError(f"{opcode.name}: {used} bytes do not fit {RECORD_LENGTH}")
    pad = (field("reserved", RECORD_LENGTH - used, "raw"),) if used < RECORD_LENGTH else ()
    return Record(opcode.name, *head, *fields, *pad, order="little")  # type: ignore[arg-type]


HEARTBEAT = _command(Opcode.HEARTBEAT)
SET_SYMBOL = _command(
    Opcode.SET_SYMBOL,
    field("stock", 8, "alpha", "as in OUCH"),
    field("stock_locate", 2),
    field("enabled", 1, "int", "0 or 1"),
    field("trading_state", 1, "alpha", "state before the feed says one: H P Q T"),
    field("base_price", 4, "int", "1e-4; price of ladder level 0"),
    field("tick", 4, "int", "1e-4; price step of the ladder"),
    field("tick_reciprocal", 4, "int", "2^32 // tick + 1"),
    field("span", 4, "int", "1e-4; levels * tick; span * tick < 2^32"),
)
SET_LIMITS = _command(
    Opcode.SET_LIMITS,
    field("max_notional", 8, "int", "1e-4 x shares, one order"),
    field("loss_limit", 8, "int", "1e-4 x shares, realised and marked, the symbol"),
    field("max_quantity", 4, "int", "shares, one order"),
    field("max_position", 4, "int", "shares, long or short, worst case"),
    field("collar", 4, "int", "1e-4; distance beyond the best bid and offer"),
    field("locate_quantity", 4, "int", "shares that may be sold short"),
    field("rate_interval", 4, "int", "ns per message, sustained; 0 no limit"),
    field("rate_burst", 4, "int", "ns of tolerance"),
    field("duplicate_window", 4, "int", "ns; 0 no check"),
    field("max_repeats", 2, "int", "identical orders in a row; 0 no check"),
    field("max_open_orders", 2, "int", "orders, both sides"),
)
SET_QUOTER = _command(
    Opcode.SET_QUOTER,
    field("offset", 4, "signed", "ticks, Q16.16; fair value above the microprice"),
    field("half_spread", 4, "int", "ticks, Q16.16"),
    field("skew", 4, "signed", "ticks per share of position, Q16.16"),
    field("size", 4, "int", "shares"),
    field("min_change", 4, "int", "ticks; smaller moves leave the order"),
    field("enabled", 1, "int", "0 or 1"),
    field("decay", 1, "int", "0 to 31; the flow signals lose an eighth in 2^(8 + decay) ns"),
    field("reserved0", 2, "raw"),
    field("min_life", 4, "int", "ns; a quote stays where it is for as long after the last order of its side"),
    field("ofi_weight", 4, "signed", "ticks, Q16.16, per share of order flow imbalance"),
    field("trade_weight", 4, "signed", "ticks, Q16.16, per share of trade imbalance"),
    field("variance_weight", 4, "int", "ticks, Q16.16, per half tick squared of realised variance, on the half spread"),
)
SET_TAKER = _command(
    Opcode.SET_TAKER,
    field("value", 4, "int", "1e-4; what the host holds the stock to be worth"),
    field("edge", 4, "int", "1e-4; by how much the market has to be past that"),
    field("size", 4, "int", "shares, at most"),
    field("enabled", 1, "int", "0 or 1"),
    field("reserved0", 3, "raw"),
    field("max_age", 8, "int", "ns for which the value holds; 0 for ever"),
)
SET_GLOBAL = _command(
    Opcode.SET_GLOBAL,
    field("max_gross", 8, "int", "1e-4 x shares; open orders and positions of all symbols"),
    field("credit", 8, "int", "1e-4 x shares; open orders and executions of the day"),
    field("loss_limit", 8, "int", "1e-4 x shares, all symbols"),
    field("stale_ns", 8, "int", "ns without a packet; 0 no check"),
    field("heartbeat_ns", 8, "int", "ns without a HEARTBEAT; 0 no check"),
    field("rate_interval", 4, "int", "ns per message, sustained; 0 no limit"),
    field("rate_burst", 4, "int", "ns of tolerance"),
    field("firm", 4, "alpha", "OUCH firm"),
    field("token_prefix", 2, "alpha", "first two characters of every order token"),
)
SET_FEED = _command(
    Opcode.SET_FEED,
    field("start_sequence", 8, "int", "first sequence number; 0 joins at the first packet, untrusted"),
    field("hold_ns", 8, "int", "ns that a packet ahead of sequence waits before the gap is declared"),
    field("session", 10, "alpha", "MoldUDP64 session; blank takes any"),
    field("port_a", 2, "int", "UDP port of feed A; 0 any"),
    field("address_a", 4, "int", "IPv4 destination of feed A; 0 any"),
    field("address_b", 4, "int", "IPv4 destination of feed B; 0 any"),
    field("port_b", 2, "int", "UDP port of feed B; 0 any"),
    field("strict", 1, "int", "1: an unknown order reference makes the symbol untrusted"),
)
SET_TRADING = _command(
    Opcode.SET_TRADING,
    field("enabled", 1, "int", "0 or 1, 2 leaves it"),
    field("trading_state", 1, "alpha", "H P Q T, blank leaves it"),
    field("reg_sho", 1, "alpha", "0 1 2, blank leaves it"),
    field("market_open", 1, "int", "0 or 1, 2 leaves it; for all symbols"),
)
SET_POSITION = _command(
    Opcode.SET_POSITION,
    field("cash", 8, "signed", "1e-4 x shares"),
    field("position", 4, "signed", "shares"),
    field("mark", 4, "int", "1e-4"),
)
NEW_ORDER = _command(
    Opcode.NEW_ORDER,
    field("side", 1, "int", "Side"),
    field("strategy", 1, "int", "0..15"),
    field("reserved0", 2, "raw"),
    field("price", 4, "int", "1e-4"),
    field("quantity", 4, "int", "shares"),
    field("time_in_force", 4, "int", "OUCH: seconds; 0 immediate or cancel, 99998 market hours"),
)
REPLACE_ORDER = _command(
    Opcode.REPLACE_ORDER,
    field("order_id", 8),
    field("price", 4, "int", "1e-4"),
    field("quantity", 4, "int", "shares to be open after the replace"),
)
CANCEL_ORDER = _command(Opcode.CANCEL_ORDER, field("order_id", 8))
CANCEL_ALL = _command(Opcode.CANCEL_ALL)
KILL = _command(Opcode.KILL, field("scope", 1, "int", "KillScope"), field("strategy", 1, "int", "0..15"))
CLEAR_KILL = _command(Opcode.CLEAR_KILL, field("scope", 1, "int", "KillScope"), field("strategy", 1, "int", "0..15"))
LOGIN = _command(
    Opcode.LOGIN,
    field("username", 6, "alpha"),
    field("password", 10, "alpha"),
    field("session", 10, "alpha", "blank: the current one"),
    field("sequence", 20, "alpha", "ASCII number, right-justified; next sequenced message wanted"),
    field("ouch", 1, "int", "OuchVersion, until the next login"),
)
LOGOUT = _command(Opcode.LOGOUT)
SESSION_DOWN = _command(Opcode.SESSION_DOWN)
RESUME_FEED = _command(Opcode.RESUME_FEED, field("sequence", 8, "int", "next sequence number to take"))
TRUST = _command(Opcode.TRUST)
SNAPSHOT = _command(
    Opcode.SNAPSHOT,
    field("parts", 1, "int", "SnapshotPart"),
    field("depth", 1, "int", "book levels per side"),
)

COMMANDS: dict[Opcode, Record] = {
    Opcode.HEARTBEAT: HEARTBEAT,
    Opcode.SET_SYMBOL: SET_SYMBOL,
    Opcode.SET_LIMITS: SET_LIMITS,
    Opcode.SET_QUOTER: SET_QUOTER,
    Opcode.SET_GLOBAL: SET_GLOBAL,
    Opcode.SET_FEED: SET_FEED,
    Opcode.SET_TRADING: SET_TRADING,
    Opcode.SET_POSITION: SET_POSITION,
    Opcode.NEW_ORDER: NEW_ORDER,
    Opcode.REPLACE_ORDER: REPLACE_ORDER,
    Opcode.CANCEL_ORDER: CANCEL_ORDER,
    Opcode.CANCEL_ALL: CANCEL_ALL,
    Opcode.KILL: KILL,
    Opcode.CLEAR_KILL: CLEAR_KILL,
    Opcode.LOGIN: LOGIN,
    Opcode.LOGOUT: LOGOUT,
    Opcode.SESSION_DOWN: SESSION_DOWN,
    Opcode.RESUME_FEED: RESUME_FEED,
    Opcode.TRUST: TRUST,
    Opcode.SNAPSHOT: SNAPSHOT,
    Opcode.SET_TAKER: SET_TAKER,
}


def command(opcode: Opcode, /, symbol: int = NO_SYMBOL, tag: int = 0, **values: object) -> bytes:
    """The 64 bytes of a command.

    Raises
    ------
    wire.errors.FieldError
        A name that the command does not have, or a value that does not fit.
    """
    return COMMANDS[opcode].pack(opcode=int(opcode), symbol=symbol, tag=tag, **values)


# -- order identity ---------------------------------------------------------------------------

SLOT_BITS = 12  # symbol << 3 | side << 2 | slot
ORDER_ID_BITS = 48  # generation << SLOT_BITS | slot number; 12 hex digits in the OUCH token
USER_REFERENCE_BITS = 32  # OUCH 5.0 names an order by so many low bits of its id, and has no orders whose id has more
LAST_GENERATION = (1 << USER_REFERENCE_BITS - SLOT_BITS) - 1  # of a session of OUCH 5.0


def slot_number(symbol: int, side: int, slot: int) -> int:
    """Number of an own-order slot, the low bits of every order id that it ever holds."""
    return symbol << 3 | side << 2 | slot


def token(prefix: str, order_id: int) -> str:
    """OUCH 4.2 order token, OUCH 5.0 client order id: two characters of prefix and the order id as 12 hex digits."""
    return f"{prefix:2.2}{order_id:012X}"
