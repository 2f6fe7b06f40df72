"""Numbers and times as FIX writes them, exactly: decimal text to units of 1e-4, timestamps to nanoseconds."""

from __future__ import annotations

import re
from datetime import UTC, datetime
from typing import Any

import numpy as np

from wire import buffers
from wire.compiled import compiled
from wire.errors import FieldError
from wire.fix.faults import Fault
from wire.fix.inlined import inlined, signed, zeros_below

SCALE = 10_000
"""Units in one: prices are multiples of 1e-4 of the currency."""
MAX_UINT32 = 0xFFFF_FFFF
NANOSECONDS = 1_000_000_000
DAY = 86_400 * NANOSECONDS
ZERO, POINT, MINUS = 48, 46, 45

ONES = 0x0101_0101_0101_0101
HIGH = -0x7F7F_7F7F_7F7F_7F80
"""The high bit of each byte, as a signed number."""
ZEROS, POINTS = ZERO * ONES, POINT * ONES
OVER_NINE = 0x7676_7676_7676_7676
"""Added to a byte over 9, it sets the high bit."""
PAIR = 0x0000_00FF_0000_00FF
CLOCK = int.from_bytes(b"00:00:00", "little")
COLONS = int.from_bytes(b"\0\0\xff\0\0\xff\0\0", "little")

LOW_BYTES = np.array([(1 << 8 * n) - 1 if n < 8 else -1 for n in range(9)], np.int64)
"""Masks of the first bytes of a word, by how many."""
POWERS = np.array([10**n for n in range(9)], np.int64)

read_8 = buffers.reader(0, 8, True, "little")

_FORMAT = Fault.NUMBER_FORMAT.value
_RANGE = Fault.NUMBER_RANGE.value


@inlined
def eight_digits(word: int) -> int:
    """The number whose digits, 0 to 9 and not ASCII, are the bytes of ``word``, the first one lowest.

    -1 if a byte is over 9. Three multiplications: pairs, then fours and eights at once.
    """
    if ((word + OVER_NINE) | word) & HIGH:
        return -1
    word = word * 10 + (word >> 8)
    pairs = (word & PAIR) * (100 + (1_000_000 << 32)) + ((word >> 16) & PAIR) * (1 + (10_000 << 32))
    return (pairs >> 32) & 0xFFFF_FFFF


@inlined
def read_decimal(buffer: Any, at: int, end: int, places: int) -> int:
    """The decimal number in ``buffer[at:end]`` times ``10 ** places``, exactly, from 0 to 2**32 - 1.

    Negative: ``-Fault``. Leading zeros, zeros beyond ``places`` and a bare point at either end are FIX's to
    write; a sign, an exponent and blanks are not. Eight bytes from ``at`` on must be readable.
    """
    length = end - at
    if length > 8:
        return long_decimal(buffer, at, end, places)
    word = read_8(buffer, at) ^ POINTS  # the first point is the lowest byte that is 0
    found = (word - ONES) & ~word & HIGH & LOW_BYTES[length]
    before = (zeros_below(found) >> 3) if found else length
    pointed = 1 if found else 0
    low = LOW_BYTES[before]
    digits = length - pointed
    beyond = digits - before
    if digits < 1:
        return -_FORMAT
    word ^= POINTS ^ ZEROS
    word = (word & low) | (((word >> 8) if pointed else word) & ~low)
    value = eight_digits(word << (8 * (8 - digits)))
    if value < 0:
        return -_FORMAT
    if beyond > places:
        unit = POWERS[beyond - places]
        if value % unit:
            return -_FORMAT
        value //= unit
    else:
        value *= POWERS[places - beyond]
    return value if value <= MAX_UINT32 else -_RANGE


@compiled
def long_decimal(buffer: Any, at: int, end: int, places: int) -> int:
    """:func:`read_decimal` of any length, digit by digit."""
    value, digits, beyond, seen_point = 0, 0, 0, False
    for i in range(at, end):
        octet = signed(buffer[i])
        if octet == POINT:
            if seen_point:
                return -_FORMAT
            seen_point = True
            continue
        digit = octet - ZERO
        if digit < 0 or digit > 9:
            return -_FORMAT
        digits += 1
        if seen_point:
            if beyond == places:
                if digit:
                    return -_FORMAT
                continue
            beyond += 1
        value = value * 10 + digit
        if value > MAX_UINT32:
            value = MAX_UINT32 + 1  # stays out of range, whatever follows
    if digits == 0:
        return -_FORMAT
    while beyond < places:
        value *= 10
        beyond += 1
    return value if value <= MAX_UINT32 else -_RANGE


@compiled
def write_number(buffer: Any, at: int, value: int) -> int:
    """Writes ``value``, 0 or more, in decimal at ``at``; where it ends."""
    digits, rest = 1, value
    while rest >= 10:
        rest //= 10
        digits += 1
    rest = value
    for i in range(at + digits - 1, at - 1, -1):
        tens = rest // 10
        buffer[i] = ZERO + rest - tens * 10
        rest = tens
    return at + digits


@compiled
def write_price(buffer: Any, at: int, value: int) -> int:
    """Writes ``value`` units of 1e-4 as a decimal, without trailing zeros; where it ends."""
    whole = value // SCALE
    rest = value - whole * SCALE
    at = write_number(buffer, at, whole)
    if rest:
        buffer[at] = POINT
        at += 1
        unit = SCALE // 10
        while rest:
            digit = rest // unit
            buffer[at] = ZERO + digit
            rest -= digit * unit
            unit //= 10
            at += 1
    return at


@inlined
def days_of(year: int, month: int, day: int) -> int:
    """Days from 1970-01-01 to a date of the proleptic Gregorian calendar."""
    shifted = year - (1 if month <= 2 else 0)
    era = shifted // 400
    of_era = shifted - era * 400
    of_year = (153 * (month + (-3 if month > 2 else 9)) + 2) // 5 + day - 1
    return era * 146_097 + of_era * 365 + of_era // 4 - of_era // 100 + of_year - 719_468


@inlined
def read_date(buffer: Any, at: int) -> int:
    """Days since the epoch of ``YYYYMMDD`` at ``at``, or -1."""
    date = eight_digits(read_8(buffer, at) ^ ZEROS)
    year, month, day = date // 10_000, date // 100 % 100, date % 100
    if year < 1970 or month < 1 or month > 12 or day < 1 or day > 28:
        if year < 1970 or month < 1 or month > 12 or day < 1 or day > 31:
            return -1
        if days_of(year, month, day) >= days_of(year + month // 12, month % 12 + 1, 1):
            return -1
    return days_of(year, month, day)


@inlined
def read_time(buffer: Any, at: int, end: int) -> int:
    """Nanoseconds since midnight of ``HH:MM:SS`` and 0, 3, 6 or 9 digits behind the point, or -1.

    Second 60 is a leap second and counts as the first of the next minute. Eight bytes behind the last whole
    second must be readable.
    """
    length = end - at
    if length != 8 and length != 12 and length != 15 and length != 18:
        return -1
    word = read_8(buffer, at) ^ CLOCK
    if (((word + OVER_NINE) | word) & HIGH) | (word & COLONS):
        return -1
    tens = word * 10 + (word >> 8)
    hour, minute, second = tens & 0xFF, (tens >> 24) & 0xFF, (tens >> 48) & 0xFF
    if hour > 23 or minute > 59 or second > 60:
        return -1
    nanoseconds = 0
    if length > 8:
        if buffer[at + 8] != POINT:
            return -1
        for i in range(at + 9, end):
            digit = signed(buffer[i]) - ZERO
            if digit < 0 or digit > 9:
                return -1
            nanoseconds = nanoseconds * 10 + digit
        nanoseconds *= 1_000_000 if length == 12 else 1_000 if length == 15 else 1
    return (hour * 3_600 + minute * 60 + second) * NANOSECONDS + nanoseconds


@inlined
def read_timestamp(buffer: Any, at: int, end: int) -> int:
    """Nanoseconds since the epoch (UTC) of ``YYYYMMDD-HH:MM:SS[.sss[sss[sss]]]``, or ``-Fault.TIME_FORMAT``."""
    if end - at < 17 or buffer[at + 8] != MINUS:
        return -Fault.TIME_FORMAT.value
    days, time = read_date(buffer, at), read_time(buffer, at + 9, end)
    if days < 0 or time < 0:
        return -Fault.TIME_FORMAT.value
    return days * DAY + time


def timestamp(nanoseconds: int) -> bytes:
    """``YYYYMMDD-HH:MM:SS.sss`` of nanoseconds since the epoch, UTC, the rest cut off."""
    seconds, rest = divmod(nanoseconds, NANOSECONDS)
    moment = datetime.fromtimestamp(seconds, UTC)
    return f"{moment:%Y%m%d-%H:%M:%S}.{rest // 1_000_000:03}".encode("ascii")


def price_text(units: int) -> bytes:
    """The decimal text of ``units`` of 1e-4, without trailing zeros: 1_012_500 is ``101.25``.

    Raises
    ------
    FieldError
        Negative, or over 32 bits.
    """
    if not 0 <= units <= MAX_UINT32:
        raise FieldError("FIX", "price", None, units, "not an unsigned 32-bit number of 1e-4")
    whole, rest = divmod(units, SCALE)
    return (f"{whole}.{rest:04}".rstrip("0") if rest else f"{whole}").encode("ascii")


def price_units(text: bytes) -> int:
    """The units of 1e-4 in a decimal text, exactly.

    Raises
    ------
    FieldError
        No decimal number, finer than 1e-4, or over 32 bits.
    """
    found = _DECIMAL.fullmatch(text)
    if not found:
        raise FieldError("FIX", "price", None, text, "no decimal number in units of 1e-4")
    units = int(found[1] or found[3] or b"0") * SCALE + int(((found[2] or found[4] or b"") + b"0000")[:4])
    if units > MAX_UINT32:
        raise FieldError("FIX", "price", None, text, "over 32 bits of 1e-4")
    return units


_DECIMAL = re.compile(rb"(\d+)(?:\.(\d{0,4})0*)?|()\.(\d{1,4})0*")


def unix_time(text: bytes) -> int | None:
    """Nanoseconds since the epoch of a UTC timestamp; None if it is none. :func:`read_timestamp` for Python."""
    found = _TIMESTAMP.fullmatch(text)
    if not found:
        return None
    year, month, day, hour, minute, second = (int(piece) for piece in found.groups()[:6])
    try:
        midnight = datetime(year, month, day, tzinfo=UTC)
    except ValueError:
        return None
    seconds = int(midnight.timestamp()) + hour * 3_600 + minute * 60 + second
    return seconds * NANOSECONDS + int(((found[7] or b"") + b"0" * 9)[:9])


_TIMESTAMP = re.compile(rb"(\d{4})(\d\d)(\d\d)-([01]\d|2[0-3]):([0-5]\d):([0-5]\d|60)(?:\.(\d{3}|\d{6}|\d{9}))?")
