"""The optional appendage of OUCH 5.0 messages (April 2023, Appendix B): tagged values behind the fixed part.

An element is a length byte (of what follows it), the tag, and the value. Each tag occurs at most once.
"""

from __future__ import annotations

import operator
from collections.abc import Mapping
from dataclasses import dataclass
from enum import IntEnum
from typing import Any

import numpy as np

from wire.buffers import reader
from wire.compiled import compiled
from wire.errors import FieldError, LengthError, TypeCodeError
from wire.layout import Family, Kind, Record, field

NAME = "OUCH 5.0 Appendage"


@dataclass(frozen=True, slots=True)
class Option:
    """One tagged value: ``values`` are the characters allowed, empty for any."""

    tag: int
    name: str
    width: int
    kind: Kind
    values: str = ""
    doc: str = ""

    @property
    def head(self) -> int:
        """Length and tag, the two bytes before the value, as a big-endian number."""
        return (1 + self.width) << 8 | self.tag


OPTIONS = (
    Option(1, "secondary_order_reference", 8, "int"),
    Option(2, "firm", 4, "alpha"),
    Option(3, "minimum_quantity", 4, "int"),
    Option(4, "customer_type", 1, "alpha", "RN"),
    Option(5, "max_floor", 4, "int"),
    Option(6, "price_type", 1, "alpha", "LPMRQm"),
    Option(7, "peg_offset", 4, "signed", doc="1e-4"),
    Option(9, "discretion_price", 8, "int", doc="1e-4"),
    Option(10, "discretion_price_type", 1, "alpha", "LPMR"),
    Option(11, "discretion_peg_offset", 4, "signed", doc="1e-4"),
    Option(12, "post_only", 1, "alpha", "PN"),
    Option(13, "random_reserves", 4, "int", doc="shares"),
    Option(14, "route", 4, "alpha"),
    Option(15, "expire_time", 4, "int", doc="seconds, below 86,400; with time in force 6"),
    Option(16, "trade_now", 1, "alpha", "YN"),
    Option(17, "handling_instruction", 1, "alpha", "IOTQBDR"),
    Option(18, "bbo_weight_indicator", 1, "alpha", "0123 SN"),
    Option(22, "display_quantity", 4, "int", doc="Order Restated only"),
    Option(23, "display_price", 8, "int", doc="1e-4; Order Restated only"),
    Option(24, "group_id", 2, "int"),
    Option(25, "shares_located", 1, "alpha", "YN"),
)
BY_TAG = {option.tag: option for option in OPTIONS}
BY_NAME = {option.name: option for option in OPTIONS}
EXPIRE_TIME, EXPIRE_TIME_LIMIT = BY_NAME["expire_time"].tag, 86_400


def element(name: str) -> Record:
    """An option with its :attr:`Option.head`, as a record: for appendages in which it always has the same place."""
    option = BY_NAME[name]
    return Record(name, field("head", 2), field("value", option.width, option.kind))


def encode(values: Mapping[str, Any]) -> bytes:
    """The elements of an appendage, in the order of ``values``.

    Raises
    ------
    FieldError
        An option that does not exist, or a value that it does not allow.
    """
    out = b""
    for name, value in values.items():
        option = BY_NAME.get(name)
        if option is None:
            raise FieldError(NAME, name, None, value, "no such option")
        piece = _value_bytes(option, value, len(out) + 2)
        out += option.head.to_bytes(2, "big") + piece
    return out


def decode(data: bytes | bytearray | memoryview, at: int = 0) -> dict[str, Any]:
    """The options from ``at`` to the end of ``data``, in the order they stand in.

    Raises
    ------
    LengthError
        An element that runs over the end or has not its tag's length.
    TypeCodeError
        A tag that does not exist.
    FieldError
        A value that its option does not allow, or a tag twice.
    """
    out: dict[str, Any] = {}
    while at < len(data):
        size, have = data[at], len(data) - at - 1
        if size < 1 or size > have:
            raise LengthError(NAME, at, expected=max(size, 1), found=min(size, have))
        option = BY_TAG.get(data[at + 1])
        if option is None:
            raise TypeCodeError(NAME, at + 1, expected="".join(map(chr, BY_TAG)), found=data[at + 1])
        if size != 1 + option.width:
            raise LengthError(f"{NAME} {option.name}", at, expected=1 + option.width, found=size)
        if option.name in out:
            raise FieldError(NAME, option.name, at + 1, option.tag, "a second time")
        out[option.name] = _value(option, bytes(data[at + 2 : at + 1 + size]), at + 2)
        at += 1 + size
    return out


def pack(record: Record, values: Mapping[str, Any], options: Mapping[str, Any] | None = None) -> bytes:
    """A whole message: fixed part with its ``appendage_length``, then the appendage. Errors as its parts."""
    tail = encode(options or {})
    return record.pack({**values, "appendage_length": len(tail)}) + tail


def unpack(
    family: Family, data: bytes | bytearray | memoryview
) -> tuple[Record, dict[str, Any], dict[str, Any]]:
    """Record, fields and options of a whole message of a family, with or without appendage.

    Raises
    ------
    LengthError
        The bytes behind the fixed part are not as many as ``appendage_length`` says, and as its parts.
    TypeCodeError, FieldError
        As the parts.
    """
    record = family.of(data)
    if not has_appendage(record):
        return record, record.unpack(data), {}
    fields = record.unpack(data, exact=False)
    found = len(data) - record.length
    if fields["appendage_length"] != found:
        place = record.offset("appendage_length")
        raise LengthError(f"{record.name} appendage", place, expected=fields["appendage_length"], found=found)
    return record, fields, decode(data, record.length)


def has_appendage(record: Record) -> bool:
    """Whether a message may carry options."""
    return record.fields[-1].name == "appendage_length"


def _value_bytes(option: Option, value: Any, offset: int) -> bytes:
    if option.kind == "alpha":
        if not isinstance(value, str) or not value.isascii() or len(value) > option.width:
            raise FieldError(NAME, option.name, offset, value, f"not {option.width} ASCII characters")
        _check_allowed(option, value.ljust(option.width), offset)
        return value.ljust(option.width).encode("ascii")
    try:
        number = operator.index(value).to_bytes(option.width, "big", signed=option.kind == "signed")
    except OverflowError as error:
        raise FieldError(NAME, option.name, offset, value, f"does not fit {option.width} bytes") from error
    except TypeError as error:
        raise FieldError(NAME, option.name, offset, value, "not a whole number") from error
    _check_allowed(option, int(value), offset)
    return number


def _value(option: Option, piece: bytes, offset: int) -> Any:
    if option.kind == "alpha":
        if not piece.isascii():
            raise FieldError(NAME, option.name, offset, piece, "not ASCII")
        text = piece.decode("ascii")
        _check_allowed(option, text, offset)
        return text if option.width == 1 else text.rstrip(" ")
    number = int.from_bytes(piece, "big", signed=option.kind == "signed")
    _check_allowed(option, number, offset)
    return number


def _check_allowed(option: Option, value: str | int, offset: int) -> None:
    if option.values and value not in tuple(option.values):
        raise FieldError(NAME, option.name, offset, value, f"not one of {option.values!r}")
    if option.tag == EXPIRE_TIME and isinstance(value, int) and value >= EXPIRE_TIME_LIMIT:
        raise FieldError(NAME, option.name, offset, value, f"not below {EXPIRE_TIME_LIMIT} seconds")


# -- compiled --------------------------------------------------------------------------------------


class AppendageStatus(IntEnum):
    """What :func:`check` finds."""

    OK = 0
    OVERRUN = 1
    UNKNOWN_TAG = 2
    WRONG_LENGTH = 3
    BAD_VALUE = 4
    REPEATED_TAG = 5


def _tables() -> tuple[Any, Any, Any]:
    widths, text = np.zeros(256, np.int64), np.zeros(256, np.bool_)
    allowed = np.zeros((max(BY_TAG) + 1, 256), np.bool_)
    for option in OPTIONS:
        widths[option.tag] = option.width
        text[option.tag] = option.kind == "alpha"
        allowed[option.tag] = not option.values
        allowed[option.tag, [ord(character) for character in option.values]] = True
    for table in (widths, text, allowed):
        table.flags.writeable = False
    return widths, text, allowed


WIDTHS, TEXT, ALLOWED = _tables()
"""By tag: width of the value, 0 where there is no such tag; whether it is ASCII; which first bytes it may
have.
"""
_read_seconds = reader(0, 4, False, "big")


@compiled
def _is_allowed(buffer: Any, at: int, tag: int) -> bool:
    """Whether the value at ``at`` is one that its option, which exists, allows."""
    if TEXT[tag]:
        for i in range(WIDTHS[tag]):
            if buffer[at + i] > 127:
                return False
    if tag == EXPIRE_TIME:
        return _read_seconds(buffer, at) < EXPIRE_TIME_LIMIT
    return bool(ALLOWED[tag, buffer[at]])


@compiled
def check(buffer: Any, at: int, length: int) -> int:
    """An :class:`AppendageStatus` for the ``length`` bytes at ``at``: the first thing that :func:`decode`
    would refuse.
    """
    position, end, seen = at, at + length, np.uint64(0)
    while position < end:
        size = int(buffer[position])
        if size < 1 or position + 1 + size > end:
            return AppendageStatus.OVERRUN.value
        tag = int(buffer[position + 1])
        if WIDTHS[tag] == 0:
            return AppendageStatus.UNKNOWN_TAG.value
        if size != 1 + WIDTHS[tag]:
            return AppendageStatus.WRONG_LENGTH.value
        bit = np.uint64(1) << np.uint64(tag)
        if seen & bit != 0:
            return AppendageStatus.REPEATED_TAG.value
        seen |= bit
        if not _is_allowed(buffer, position + 2, tag):
            return AppendageStatus.BAD_VALUE.value
        position += 1 + size
    return AppendageStatus.OK.value


@compiled
def find(buffer: Any, at: int, length: int, tag: int) -> int:
    """Where the value of ``tag`` begins in an appendage that :func:`check` accepts, -1 if it is not there."""
    position, end = at, at + length
    while position + 1 < end:
        if buffer[position + 1] == tag:
            return position + 2
        position += 1 + int(buffer[position])
    return -1
