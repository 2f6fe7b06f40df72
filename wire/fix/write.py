"""The writer: fields into a preallocated buffer, length and checksum filled in at the end.

Compiled code calls :func:`begin`, then ``put_*`` for each field, then :func:`finish`; :func:`new_orders` writes
whole batches from columns. Python says :func:`message`, which gives bytes.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from wire.compiled import uncounted
from wire.errors import FieldError
from wire.fix.inlined import inlined, signed
from wire.fix.numbers import write_number, write_price
from wire.fix.scan import EQUALS, MAX_BODY, SOH, ZERO, byte_sum

LENGTH_DIGITS = 5
"""BodyLength is written with leading zeros, which FIX allows, so that its place is known before its value."""

Value = bytes | str | int


@inlined
def put_octets(buffer: Any, at: int, octets: Any, first: int, last: int) -> int:
    """Copies ``octets[first:last]``; where it ends."""
    for i in range(first, last):
        buffer[at] = octets[i]
        at += 1
    return at


@inlined
def put_tag(buffer: Any, at: int, tag: int) -> int:
    """The beginning of a field; where its value goes."""
    at = write_number(buffer, at, tag)
    buffer[at] = EQUALS
    return at + 1


@inlined
def put_text(buffer: Any, at: int, tag: int, octets: Any, first: int, last: int) -> int:
    """A field whose value is ``octets[first:last]`` up to the first zero byte; where it ends."""
    at = put_tag(buffer, at, tag)
    i = first
    while i < last and octets[i] != 0:
        buffer[at] = octets[i]
        at += 1
        i += 1
    buffer[at] = SOH
    return at + 1


@inlined
def put_number(buffer: Any, at: int, tag: int, value: int) -> int:
    """A field with a whole number from 0 on; where it ends."""
    at = write_number(buffer, put_tag(buffer, at, tag), value)
    buffer[at] = SOH
    return at + 1


@inlined
def put_price(buffer: Any, at: int, tag: int, units: int) -> int:
    """A field with a price in units of 1e-4; where it ends."""
    at = write_price(buffer, put_tag(buffer, at, tag), units)
    buffer[at] = SOH
    return at + 1


@inlined
def put_character(buffer: Any, at: int, tag: int, code: int) -> int:
    """A field of one character; where it ends."""
    at = put_tag(buffer, at, tag)
    buffer[at] = code
    buffer[at + 1] = SOH
    return at + 2


@inlined
def begin(buffer: Any, at: int, begin_string: Any) -> int:
    """BeginString and room for BodyLength at ``at``; where the body begins."""
    buffer[at] = 56
    buffer[at + 1] = EQUALS
    at = put_octets(buffer, at + 2, begin_string, 0, len(begin_string))
    buffer[at] = SOH
    buffer[at + 1] = 57
    buffer[at + 2] = EQUALS
    at += 3 + LENGTH_DIGITS
    buffer[at] = SOH
    return at + 1


@inlined
def finish(buffer: Any, start: int, body: int, at: int) -> int:
    """BodyLength and CheckSum of the message that began at ``start``; where it ends."""
    rest = at - body
    for i in range(body - 2, body - 2 - LENGTH_DIGITS, -1):
        tens = rest // 10
        buffer[i] = ZERO + rest - tens * 10
        rest = tens
    total = byte_sum(buffer, start, at)
    buffer[at] = 49
    buffer[at + 1] = 48
    buffer[at + 2] = EQUALS
    buffer[at + 3] = ZERO + total // 100
    buffer[at + 4] = ZERO + total // 10 % 10
    buffer[at + 5] = ZERO + total % 10
    buffer[at + 6] = SOH
    return at + 7


@uncounted
def new_orders(
    buffer: Any,
    begin_string: Any,
    header: Any,
    first_number: int,
    sending_time: Any,
    client_order_ids: Any,
    symbols: Any,
    width: int,
    sides: Any,
    quantities: Any,
    prices: Any,
) -> int:
    """NewOrderSingle (D) limit orders for the day, one per row; how many bytes they take in ``buffer``.

    ``header`` holds SenderCompID and TargetCompID as fields, ``sending_time`` 21 characters for both times;
    ids and symbols are ``uint8`` columns of ``width`` bytes a row, filled up with zeros. 256 bytes a message
    are enough.
    """
    at = 0
    for row in range(len(sides)):
        start = at
        body = begin(buffer, at, begin_string)
        at = put_character(buffer, body, 35, 68)
        at = put_number(buffer, at, 34, first_number + row)
        at = put_octets(buffer, at, header, 0, len(header))
        at = put_text(buffer, at, 52, sending_time, 0, 21)
        at = put_text(buffer, at, 11, client_order_ids, row * width, (row + 1) * width)
        at = put_text(buffer, at, 55, symbols, row * width, (row + 1) * width)
        at = put_character(buffer, at, 54, sides[row])
        at = put_text(buffer, at, 60, sending_time, 0, 21)
        at = put_number(buffer, at, 38, signed(quantities[row]))
        at = put_character(buffer, at, 40, 50)
        at = put_price(buffer, at, 44, signed(prices[row]))
        at = put_character(buffer, at, 59, 48)
        at = finish(buffer, start, body, at)
    return at


def message(begin_string: bytes, fields: Iterable[tuple[int, Value]]) -> bytes:
    """A whole message from its fields after BodyLength; the first one is MsgType.

    BodyLength is written as short as it is. Data fields are the caller's to precede by their length.

    Raises
    ------
    FieldError
        A value that is empty, or holds SOH outside a data field (one after its own length); a body over
        ``MAX_BODY``.
    """
    parts: list[bytes] = []
    announced = -1
    for tag, value in fields:
        octets = value if isinstance(value, bytes) else str(value).encode("latin-1")
        if not octets or (b"\x01" in octets and len(octets) != announced):
            raise FieldError("FIX", str(tag), None, value, "empty, or holds the end of a field")
        announced = int(octets) if octets.isdigit() and len(octets) < 7 else -1
        parts.append(b"%d=%b\x01" % (tag, octets))
    body = b"".join(parts)
    if len(body) > MAX_BODY:
        raise FieldError("FIX", "BodyLength", None, len(body), f"over {MAX_BODY}")
    framed = b"8=%b\x019=%d\x01%b" % (begin_string, len(body), body)
    return b"%b10=%03d\x01" % (framed, sum(framed) & 0xFF)
