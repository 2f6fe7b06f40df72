"""The scanner: messages and their fields in a stream of FIX bytes, as places in the buffer. Nothing is copied.

A message is what begins with ``8=FIX``, has BodyLength (9) second and MsgType (35) third, and ends with the
CheckSum (10) that stands where BodyLength says; length and sum are verified. What is not one is reported as
:class:`~wire.fix.faults.Fault` with the place where it was noticed, and skipped:

* a message whose frame holds but whose sum, type or fields don't, as a whole;
* one whose length leads nowhere, to the end of the first CheckSum after that place, or to the next ``8=FIX``
  if that comes first. A length that is too long so takes the following message with it, as the acceptance
  definitions want (2m);
* anything between messages, to the next ``8=FIX`` that is not the end of a longer tag.

Where a message ends does not depend on how the stream was cut: as long as bytes can still decide, the answer
is "more bytes needed".
"""

from __future__ import annotations

from typing import Any

import numpy as np

from wire import buffers
from wire.compiled import compiled, uncounted
from wire.fix.faults import Fault
from wire.fix.inlined import inlined, signed, zeros_below

SOH, EQUALS, ZERO = 1, 61, 48
MAX_BODY = 1 << 16
"""Longest BodyLength; a longer one is a fault, so that no peer makes us wait for bytes that never come."""
WINDOW = MAX_BODY + 64
"""Bytes that a receive buffer must hold for any message to fit, and that garbage is skipped by at most."""
MAX_TAG = 99_999_999

MESSAGE = np.dtype(
    [
        ("begin", np.int64),
        ("end", np.int64),
        ("where", np.int64),  # of the fault, from the start of the buffer
        ("first", np.int32),  # row of the first field
        ("count", np.int32),  # rows of fields: BeginString to CheckSum
        ("kind", np.int32),  # MsgType as an integer: its bytes, the first one lowest
        ("fault", np.int32),
    ]
)
"""One message, good or not."""

TAG, OFFSET, LENGTH = 0, 1, 2
"""Columns of the rows of fields, ``int32[n, 3]``: tag, where the value begins, how long it is."""

CONSUMED, MESSAGES, FIELDS = 0, 1, 2
"""What :func:`scan` leaves in ``result``: the position after the last message, and how many rows it filled."""

DATA_FIELDS = {
    90: 91, 93: 89, 95: 96, 212: 213, 348: 349, 350: 351, 352: 353, 354: 355, 356: 357, 358: 359, 360: 361,
    362: 363, 364: 365, 445: 446, 618: 619, 621: 622, 1184: 1185, 1277: 1278, 1280: 1281, 1282: 1283,
    1397: 1398, 1401: 1402, 1403: 1404, 1468: 1469, 1621: 1622,
}  # fmt: skip
"""Data fields, which may hold any byte, by the tag of the length field that comes right before."""

DATA_OF = np.zeros(2_048, np.int32)
"""The same for compiled code: 0 where a tag announces no data."""
for _length, _data in DATA_FIELDS.items():
    DATA_OF[_length] = _data
DATA_OF.flags.writeable = False

read_5 = buffers.reader(0, 5, False, "little")
read_8 = buffers.reader(0, 8, True, "little")
read_3 = buffers.reader(0, 3, False, "little")
read_2 = buffers.reader(0, 2, False, "little")
BEGIN_FIX = int.from_bytes(b"8=FIX", "little")
IS_LENGTH = int.from_bytes(b"9=", "little")
IS_TYPE = int.from_bytes(b"35=", "little")
IS_CHECKSUM = int.from_bytes(b"10=", "little")
TRAILER = 7
"""Bytes of ``10=ddd`` and its end."""
INCOMPLETE = -1
EVEN = 0x00FF_00FF_00FF_00FF
EACH = 0x0101_0101_0101_0101
HIGH = -0x7F7F_7F7F_7F7F_7F80
"""The high bit of each byte, as a signed number."""

_LEADING = Fault.LEADING.value


@inlined
def byte_sum(buffer: Any, at: int, end: int) -> int:
    """The sum of ``buffer[at:end]``, modulo 256: FIX's CheckSum."""
    total = signed(0)
    while end - at >= 8:
        lanes = signed(0)  # four of 16 bits each; 128 words of two bytes at most 255 fit
        words = min((end - at) >> 3, 120)
        for _ in range(words):
            word = read_8(buffer, at)
            lanes += (word & EVEN) + ((word >> 8) & EVEN)
            at += 8
        total += (lanes & 0xFFFF) + ((lanes >> 16) & 0xFFFF) + ((lanes >> 32) & 0xFFFF) + ((lanes >> 48) & 0xFFFF)
    while at < end:
        total += buffer[at]
        at += 1
    return total & 0xFF


@inlined
def value_end(buffer: Any, at: int) -> int:
    """The first SOH from ``at`` on. There must be one, and 7 bytes behind it."""
    while True:
        word = read_8(buffer, at) ^ EACH
        found = (word - EACH) & ~word & HIGH  # the lowest bit set is that of the first byte that was 1
        if found != 0:
            return at + (signed(zeros_below(found)) >> 3)
        at += 8


@compiled
def is_start(buffer: Any, at: int, begin: int) -> bool:
    """Whether ``8=FIX`` at ``at`` begins a field; ``begin`` is the first byte that may be looked at."""
    if read_5(buffer, at) != BEGIN_FIX:
        return False
    return at == begin or buffer[at - 1] < ZERO or buffer[at - 1] > ZERO + 9


@compiled
def next_start(buffer: Any, at: int, begin: int, end: int) -> int:
    """The first ``8=FIX`` from ``at`` on; ``INCOMPLETE`` if bytes to come may bring it, at most ``WINDOW`` on."""
    limit = min(end, begin + WINDOW)
    while at + 5 <= limit:
        if buffer[at] == 56 and is_start(buffer, at, begin):
            return at
        at += 1
    return limit if end - begin >= WINDOW else INCOMPLETE


@compiled
def resynchronize(buffer: Any, at: int, begin: int, end: int) -> int:
    """Where the message that began at ``begin`` and is broken ends, looked for from ``at`` on, or ``INCOMPLETE``."""
    limit = min(end, begin + WINDOW)
    whole = end - begin >= WINDOW
    while at + 5 <= limit:
        octet = buffer[at]
        if octet == 56:
            if is_start(buffer, at, begin):
                return at
        elif octet == SOH and read_3(buffer, at + 1) == IS_CHECKSUM:
            for i in range(at + 4, min(at + 12, limit)):
                if buffer[i] == SOH:
                    return i + 1
            if at + 12 > limit:
                return limit if whole else INCOMPLETE
        at += 1
    return limit if whole else INCOMPLETE


@inlined
def frame(buffer: Any, at: int, end: int) -> tuple[int, int, int, int]:
    """What stands at ``at``: ``(fault, where, stop, body)``.

    ``stop`` is the end of the message, or ``INCOMPLETE``; ``body`` is where MsgType begins if the frame holds.
    """
    if end - at < 5:
        return 0, at, INCOMPLETE, at
    if read_5(buffer, at) != BEGIN_FIX:
        return _LEADING, at, next_start(buffer, at + 1, at, end), at
    place = at + 5
    while place < end and place < at + 16 and buffer[place] != SOH:
        place += 1
    if place == at + 16:
        return Fault.BEGIN_STRING.value, place, resynchronize(buffer, at + 5, at, end), at
    if place + 3 > end:
        return 0, at, INCOMPLETE, at
    place += 1
    if read_2(buffer, place) != IS_LENGTH:
        return Fault.BODY_LENGTH_MISSING.value, place, resynchronize(buffer, place - 1, at, end), at
    place += 2
    length, first = 0, place
    while place < end and place < first + 7 and buffer[place] != SOH:
        digit = signed(buffer[place]) - ZERO
        if digit < 0 or digit > 9:
            return Fault.BODY_LENGTH_FORMAT.value, place, resynchronize(buffer, place, at, end), at
        length = length * 10 + digit
        place += 1
    if place == first + 7:
        return Fault.BODY_LENGTH_FORMAT.value, place, resynchronize(buffer, place, at, end), at
    if place == end:
        return 0, at, INCOMPLETE, at
    if place == first:
        return Fault.BODY_LENGTH_FORMAT.value, place, resynchronize(buffer, place, at, end), at
    if length > MAX_BODY:
        return Fault.BODY_LENGTH_LIMIT.value, first, resynchronize(buffer, place, at, end), at
    body = place + 1
    check = body + length
    if check + TRAILER > end:
        return 0, at, INCOMPLETE, at
    if buffer[check - 1] != SOH or read_3(buffer, check) != IS_CHECKSUM:
        return Fault.BODY_LENGTH_WRONG.value, check, resynchronize(buffer, check - 1, at, end), at
    hundreds = signed(buffer[check + 3]) - ZERO
    tens = signed(buffer[check + 4]) - ZERO
    ones = signed(buffer[check + 5]) - ZERO
    wrong = hundreds | tens | ones | (9 - hundreds) | (9 - tens) | (9 - ones)
    if wrong < 0 or buffer[check + 6] != SOH:
        return Fault.CHECKSUM_FORMAT.value, check + 3, resynchronize(buffer, check - 1, at, end), at
    stop = check + TRAILER
    if hundreds * 100 + tens * 10 + ones != byte_sum(buffer, at, check):
        return Fault.CHECKSUM.value, check, stop, body
    if length < 5 or read_3(buffer, body) != IS_TYPE or buffer[body + 3] == SOH:
        return Fault.MESSAGE_TYPE_MISSING.value, body, stop, body
    return 0, at, stop, body


@uncounted
def scan(buffer: Any, at: int, end: int, messages: Any, fields: Any, result: Any) -> int:
    """The messages in ``buffer[at:end]``, to the last whole one or until the rows are full.

    Parameters
    ----------
    buffer : uint8[:]
        Received bytes.
    messages : MESSAGE[:], fields : int32[:, 3]
        Rows to fill. ``fields`` needs room for the fields of one message at least, or that message has the
        fault ``FIELD_LIMIT``.
    result : int64[3]
        See ``CONSUMED``.

    Returns the number of messages. Bytes from ``result[CONSUMED]`` on are to be kept and given again, with
    more behind them.
    """
    count, used = 0, 0
    while count < len(messages):
        fault, where, stop, body = frame(buffer, at, end)
        if stop == INCOMPLETE:
            break
        first, kind = used, 0
        if fault == 0:
            fault, where, used, kind = fields_of(buffer, at, body, stop, fields, first)
            if fault == Fault.FIELD_LIMIT.value and first > 0:
                used = first
                break
        row = messages[count]
        row.begin, row.end, row.where, row.first, row.count = at, stop, where, first, used - first
        row.kind, row.fault = kind, fault
        count += 1
        at = stop
    result[CONSUMED], result[MESSAGES], result[FIELDS] = at, count, used
    return count


@inlined
def fields_of(buffer: Any, begin: int, body: int, stop: int, fields: Any, used: int) -> tuple[int, int, int, int]:
    """The rows of one framed message: ``(fault, where, rows used, type)``."""
    room, data_tag, data_length, first = len(fields), 0, 0, used
    check = stop - TRAILER
    at = begin
    while at < check:
        if used + 1 >= room:
            return Fault.FIELD_LIMIT.value, at, first, 0
        tag, value = tag_of(buffer, at)
        if value < 0:
            return Fault.TAG_FORMAT.value, at, first, 0
        if tag == data_tag and tag > 0:
            place = value + data_length
            if place >= check or buffer[place] != SOH:
                return Fault.DATA_LENGTH.value, value, first, 0
        else:
            place = value_end(buffer, value)
        data_tag = 0
        if tag >= 90 and tag < len(DATA_OF) and DATA_OF[tag] > 0:
            data_length = plain_number(buffer, value, place)
            data_tag = signed(DATA_OF[tag]) if data_length >= 0 else 0
        fields[used, TAG], fields[used, OFFSET], fields[used, LENGTH] = tag, value, place - value
        used += 1
        at = place + 1
    fields[used, TAG], fields[used, OFFSET], fields[used, LENGTH] = 10, check + 3, 3
    return 0, begin, used + 1, type_at(buffer, body + 3)


@inlined
def tag_of(buffer: Any, at: int) -> tuple[int, int]:
    """The tag of the field at ``at``, and where its value begins: -1 if there is no tag. May be 0 or negative."""
    word = read_8(buffer, at)
    one = (word & 0xFF) - ZERO
    two = ((word >> 8) & 0xFF) - ZERO
    three = ((word >> 16) & 0xFF) - ZERO
    if one >= 0 and one <= 9:
        if two == EQUALS - ZERO:
            return one, at + 2
        if two >= 0 and two <= 9:
            if three == EQUALS - ZERO:
                return one * 10 + two, at + 3
            if three >= 0 and three <= 9 and ((word >> 24) & 0xFF) == EQUALS:
                return one * 100 + two * 10 + three, at + 4
    negative = buffer[at] == 45
    place = at + 1 if negative else at
    first, tag = place, 0
    while buffer[place] != EQUALS:
        digit = signed(buffer[place]) - ZERO
        if digit < 0 or digit > 9 or tag > MAX_TAG // 10:
            return 0, -1
        tag = tag * 10 + digit
        place += 1
    if place == first:
        return 0, -1
    return -tag if negative else tag, place + 1


@inlined
def plain_number(buffer: Any, at: int, end: int) -> int:
    """The digits in ``buffer[at:end]`` as a number up to ``MAX_BODY`` and a bit; -1 if it is something else."""
    value = 0
    for i in range(at, end):
        digit = signed(buffer[i]) - ZERO
        if digit < 0 or digit > 9 or value > MAX_BODY:
            return -1
        value = value * 10 + digit
    return value if end > at else -1


@inlined
def type_at(buffer: Any, at: int) -> int:
    """The MsgType whose value begins at ``at``: its bytes as an integer, 0 if there are more than three."""
    word = read_8(buffer, at)
    if (word >> 8) & 0xFF == SOH:
        return word & 0xFF
    if (word >> 16) & 0xFF == SOH:
        return word & 0xFFFF
    return word & 0xFF_FFFF if (word >> 24) & 0xFF == SOH else 0


def kind_of(message_type: str | bytes) -> int:
    """``MESSAGE["kind"]`` of a MsgType; types longer than 3 characters have none.

    Raises
    ------
    ValueError
        Empty, or too long.
    """
    octets = message_type.encode("ascii") if isinstance(message_type, str) else message_type
    if not 1 <= len(octets) <= 3:
        raise ValueError(f"MsgType {message_type!r} has no 1 to 3 characters")
    return int.from_bytes(octets, "little")
