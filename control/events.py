"""The device's events in words: one JSON object each, the same for the WebSocket, ``GET /events`` and the
report.

Only fields that a type uses are there (docs/architecture.md, section 12): prices and cash as decimal text in
currency, quantities in shares, times in ns.
"""

from __future__ import annotations

import struct
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from control.parameters import currency
from wire.reasons import names
from wire.records import (
    EVENT,
    NO_SYMBOL,
    Action,
    CommandError,
    EventType,
    Fault,
    Opcode,
    SessionState,
    Side,
    SlotState,
    TrustCause,
)

Json = dict[str, Any]

_UNPACK = struct.Struct("<IBBHQQQQIIIIII")
_FIELDS = tuple(f.name for f in EVENT.fields)
if _UNPACK.size != EVENT.length or len(_FIELDS) != 14:
    raise ImportError(f"control.events does not know this EVENT: {EVENT!r}")


def raw(event: np.void | bytes) -> Json:
    """The fields of a record as they are."""
    return dict(zip(_FIELDS, _UNPACK.unpack(event if isinstance(event, bytes) else event.tobytes()), strict=True))


def described(event: np.void | bytes, stocks: Sequence[str] = (), sequence: int | None = None) -> Json:
    """One event in words.

    Parameters
    ----------
    event : one element of an ``EVENT`` array, or its 64 bytes
    stocks : the stock of each symbol index, as far as they are known
    sequence : the event's number without the 32-bit wrap, where the caller counts it
    """
    e = raw(event)
    kind = _member(EventType, e["type"])
    out: Json = {
        "sequence": e["sequence"] if sequence is None else sequence,
        "type": kind,
        "timestamp_ns": e["timestamp"],
    }
    if e["cause"]:
        out["cause"] = e["cause"]
    if e["symbol"] != NO_SYMBOL:
        known = e["symbol"] < len(stocks)
        out["stock"] = stocks[e["symbol"]] if known else f"#{e['symbol']}"
    if e["side"] != Side.NONE:
        out["side"] = _member(Side, e["side"])
    if e["tag"]:
        out["tag"] = e["tag"]
    describe = _DESCRIBE.get(e["type"])
    return out | (describe(e) if describe else {name: e[name] for name in _FIELDS[6:]})


def price(value: int) -> str:
    """A price or an amount of money as decimal text."""
    return str(currency(value))


def identity(order_id: int) -> str:
    """An order's id as its OUCH token has it: 12 upper-case hex digits."""
    return f"{order_id:012X}"


def signed(value: int, bits: int) -> int:
    """An unsigned field as the signed number it stands for."""
    return value - (1 << bits) if value >> (bits - 1) else value


def _member(kind: Any, value: int) -> str:
    try:
        return str(kind(value).name).lower()
    except ValueError:
        return str(value)


def _letter(value: int) -> str:
    return chr(value) if 0x20 < value < 0x7F else str(value)


def _level(there: int, at: int, quantity: int) -> Json | None:
    return {"price": price(at), "quantity": quantity} if there else None


def _book_top(e: Json) -> Json:
    return {
        "bid": _level(e["info"] & 1, e["price"], e["quantity"]),
        "ask": _level(e["info"] >> 1 & 1, e["price2"], e["quantity2"]),
        "trusted": bool(e["info"] >> 2 & 1),
    }


def _trade(e: Json) -> Json:
    return {
        "price": price(e["price"]),
        "quantity": e["quantity"],
        "match_number": e["value"],
        "message": _letter(e["info"] & 0xFF),
        "printable": bool(e["info"] >> 8 & 1),
    }


def _order(e: Json) -> Json:
    return {
        "action": _member(Action, e["info"] & 0xFF),
        "marking": _letter(e["info"] >> 8 & 0xFF),
        "strategy": e["info"] >> 16 & 0xFF,
        "price": price(e["price"]),
        "quantity": e["quantity"],
    }


def _sent(e: Json) -> Json:
    previous = {"previous_id": identity(e["value"])} if e["value"] else {}
    return {"id": identity(e["order_id"]), **previous, **_order(e)}


def _refused(e: Json) -> Json:
    target = {"id": identity(e["order_id"])} if e["order_id"] else {}
    return {**target, "reasons": names(e["value"]), **_order(e)}


def _acknowledged(e: Json) -> Json:
    return {
        "id": identity(e["order_id"]),
        "reference": e["value"],
        "price": price(e["price"]),
        "quantity": e["quantity"],
        "state": _letter(e["info"] & 0xFF),
    }


def _executed(e: Json) -> Json:
    return {
        "id": identity(e["order_id"]),
        "match_number": e["value"],
        "price": price(e["price"]),
        "quantity": e["quantity"],
        "remaining": e["quantity2"],
        "liquidity": _letter(e["info"] & 0xFF),
    }


def _cancelled(e: Json) -> Json:
    return {
        "id": identity(e["order_id"]),
        "price": price(e["price"]),
        "quantity": e["quantity"],
        "remaining": e["quantity2"],
        "reason": _letter(e["info"] & 0xFF),
    }


def _exchange_reject(e: Json) -> Json:
    of = {"J": "order", "I": "cancel"}.get(chr(e["info"] >> 8 & 0xFF), "order")
    code = e["info"] & 0xFF  # a letter in OUCH 4.2, a number below the letters in 5.0
    reason = {"reason": chr(code) if chr(code).isalpha() else str(code)} if code else {}
    return {"id": identity(e["order_id"]), "of": of, **reason}


def _fault(e: Json) -> Json:
    order = {"id": identity(e["order_id"])} if e["order_id"] else {}
    return {"fault": _member(Fault, e["info"]), "value": e["value"], **order}


def _session(e: Json) -> Json:
    reason = {"reason": _letter(e["value"])} if e["value"] else {}
    return {"state": _member(SessionState, e["info"]), **reason}


def _kill(e: Json) -> Json:
    mask = e["info"] >> 16
    return {
        "global": bool(e["info"] & 1),
        "symbol": bool(e["info"] >> 1 & 1),
        "strategies": [n for n in range(16) if mask >> n & 1],
    }


def _trading_state(e: Json) -> Json:
    if e["symbol"] == NO_SYMBOL:
        return {"system_event": _letter(e["info"] & 0xFF)}
    return {
        "trading_state": _letter(e["info"] & 0xFF),
        "operational_halt": bool(e["info"] >> 8 & 0xFF),
        "reg_sho": _letter(e["info"] >> 16 & 0xFF),
    }


def _command(e: Json) -> Json:
    order = {"id": identity(e["order_id"])} if e["order_id"] else {}
    return {"command": _member(Opcode, e["value"]), "error": _member(CommandError, e["info"]), **order}


def _position(e: Json) -> Json:
    return {
        "position": signed(e["quantity"], 32),
        "cash": price(signed(e["value"], 64)),
        "mark": price(e["price"]),
        "pnl": price(signed(e["order_id"], 64)),
        "blocked_by": names(e["info"]),
    }


def _open_order(e: Json) -> Json:
    pending = {}
    if e["value"]:
        pending = {"pending_id": identity(e["value"]), "pending_price": price(e["price2"])}
    return {
        "id": identity(e["order_id"]),
        "state": _member(SlotState, e["info"] & 0xFF),
        "slot": e["info"] >> 8 & 0xFF,
        "strategy": e["info"] >> 16 & 0xFF,
        "cancel_wanted": bool(e["info"] >> 24 & 1),
        "price": price(e["price"]),
        "remaining": e["quantity"],
        "executed": e["quantity2"],
        **pending,
    }


def _signals(e: Json) -> Json:
    """Shares, squared half ticks, and where the book has two sides ticks and fractions."""

    def signed(value: int, bits: int) -> int:
        return value - (1 << bits) * (value >> bits - 1)

    book = {}
    if e["info"]:
        book = {
            "microprice": signed(e["order_id"], 64) / 65536,
            "imbalance": signed(e["quantity"], 32) / 65536,
            "spread": e["quantity2"],
        }
    return {
        "order_flow": signed(e["value"] & 0xFFFFFFFF, 32),
        "trade_flow": signed(e["value"] >> 32, 32),
        "variance": e["price"] / 256,
        **book,
    }


_DESCRIBE: dict[int, Callable[[Json], Json]] = {
    EventType.BOOK_TOP: _book_top,
    EventType.TRADE: _trade,
    EventType.ORDER_SENT: _sent,
    EventType.ORDER_REFUSED: _refused,
    EventType.ACCEPTED: _acknowledged,
    EventType.REPLACED: _acknowledged,
    EventType.EXECUTED: _executed,
    EventType.CANCELLED: _cancelled,
    EventType.EXCHANGE_REJECT: _exchange_reject,
    EventType.GAP: lambda e: {"first": e["value"], "count": e["quantity"], "repeated": bool(e["info"])},
    EventType.TRUST_LOST: lambda e: {"cause_of_loss": _member(TrustCause, e["info"])},
    EventType.TRUST_REGAINED: lambda e: {"cause_of_loss": _member(TrustCause, e["info"])},
    EventType.FAULT: _fault,
    EventType.HEARTBEAT: lambda e: {"expected": e["value"]},
    EventType.SESSION: _session,
    EventType.KILL: _kill,
    EventType.TRADING_STATE: _trading_state,
    EventType.COMMAND: _command,
    EventType.BOOK_LEVEL: lambda e: {
        "rank": e["info"],
        "price": price(e["price"]),
        "quantity": e["quantity"],
        "orders": e["quantity2"],
    },
    EventType.POSITION: _position,
    EventType.OPEN_ORDER: _open_order,
    EventType.SIGNALS: _signals,
    EventType.SNAPSHOT_END: lambda e: {},
}
