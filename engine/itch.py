"""ITCH messages to columns: decoding alone, without a book, for analytics and for backtests.

Which bytes of which message a column takes stands in one table by type, so that there is no branch by type. A
field that a type does not have is 0; what is not in a column is found at ``position``.
"""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np

from engine.intrinsics import Vector
from wire.buffers import reader
from wire.compiled import merged
from wire.counters import ITCH_PREFIX, NUMBER
from wire.itch import ADD_ORDER, ITCH
from wire.layout import Record

PREFIX = 2


class Columns(NamedTuple):
    """One row per message. ``reference`` is the original order's in a replace; side is ``B``, ``S`` or 0."""

    position: Vector
    timestamp: Vector
    reference: Vector
    new_reference: Vector
    price: Vector
    shares: Vector
    stock_locate: Vector
    type: Vector
    side: Vector


def columns(rows: int) -> Columns:
    """Empty columns for ``rows`` messages."""
    kinds = ("i8", "i8", "u8", "u8", "u4", "u4", "u2", "u1", "u1")
    return Columns(*(np.zeros(rows, kind) for kind in kinds))


_NAMES = {
    "reference": {"order_reference", "original_order_reference"},
    "new_reference": {"new_order_reference"},
    "price": {"price", "execution_price"},
    "shares": {"shares", "executed_shares", "cancelled_shares"},
    "side": {"side"},
}
_WIDTHS = {"reference": 8, "new_reference": 8, "price": 4, "shares": 4, "side": 1}
_SHIFTS = {name: 16 + 8 * i for i, name in enumerate(_NAMES)}


def _entry(record: Record) -> int:
    """Length, counter and the five offsets of a type, a byte each."""
    entry = record.length | NUMBER[f"{ITCH_PREFIX}{record.code}"] << 8
    for column, names in _NAMES.items():
        for f in record.fields:
            if f.name in names and f.width == _WIDTHS[column]:
                entry |= f.offset << _SHIFTS[column]
    return entry


_TABLE = np.zeros(256, np.int64)
_TABLE[list(ITCH.by_code)] = [_entry(record) for record in ITCH.by_code.values()]
_TABLE.flags.writeable = False
_REFERENCE, _NEW_REFERENCE, _PRICE, _SHARES, _SIDE = _SHIFTS.values()

_read_length = reader(0, PREFIX, False, "big")
_read_locate, _read_time = ADD_ORDER.reader("stock_locate"), ADD_ORDER.reader("timestamp")
_read_32, _read_64 = reader(0, 4, False, "big"), reader(0, 8, False, "big")
_ONE, _NOTHING = np.uint64(1), np.uint64(0)
_UNKNOWN, _BAD_LENGTH = NUMBER["itch_unknown"], NUMBER["itch_bad_length"]


@merged
def decode(buffer: Any, at: int, end: int, counters: Any, out: Any, stop: Any) -> int:
    """Decodes BinaryFILE messages (2-byte length each) from ``at`` into the columns ``out``; the rows.

    Stops when the columns are full, before ``end``, at a message that is not whole, or at a length of 0 (end
    of session); ``stop[0]`` is where. ``counters`` (`wire.counters`) counts the messages by type, and those
    of an unknown type or a wrong length, which make no row.
    """
    n, rows = 0, len(out.position)
    while n < rows and at + PREFIX <= end:
        length = _read_length(buffer, at)
        begin = at + PREFIX
        if length == 0 or begin + length > end:
            break
        at = begin + length
        code = buffer[begin]
        entry = _TABLE[code]
        if length != entry & 0xFF:
            counters[_UNKNOWN if entry == 0 else _BAD_LENGTH] += _ONE
            continue
        counters[(entry >> 8) & 0xFF] += _ONE
        reference, new_reference = (entry >> _REFERENCE) & 0xFF, (entry >> _NEW_REFERENCE) & 0xFF
        price, shares, side = (entry >> _PRICE) & 0xFF, (entry >> _SHARES) & 0xFF, (entry >> _SIDE) & 0xFF
        out.position[n] = begin
        out.timestamp[n] = _read_time(buffer, begin)
        # An offset of 0 is the message's own first bytes: read, and left out.
        old, new = _read_64(buffer, begin + reference), _read_64(buffer, begin + new_reference)
        out.reference[n] = old if reference != 0 else _NOTHING
        out.new_reference[n] = new if new_reference != 0 else _NOTHING
        paid, quantity, way = (
            _read_32(buffer, begin + price),
            _read_32(buffer, begin + shares),
            buffer[begin + side],
        )
        out.price[n] = paid if price != 0 else 0
        out.shares[n] = quantity if shares != 0 else 0
        out.side[n] = way if side != 0 else 0
        out.stock_locate[n] = _read_locate(buffer, begin)
        out.type[n] = code
        n += 1
    stop[0] = at
    return n
