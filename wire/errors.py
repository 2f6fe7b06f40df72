"""What the codecs raise: each names record, field and offset."""

from __future__ import annotations

from typing import Any


class WireError(ValueError):
    """Bytes that are not what the protocol allows. ``offset`` is the byte where it was noticed, or None."""

    def __init__(self, message: str, *, record: str, offset: int | None) -> None:
        super().__init__(message)
        self.record, self.offset = record, offset


class LengthError(WireError):
    """Too few or too many bytes."""

    def __init__(self, record: str, offset: int, *, expected: int, found: int) -> None:
        super().__init__(
            f"{record} at byte {offset}: {expected} bytes expected, {found} found",
            record=record,
            offset=offset,
        )
        self.expected, self.found = expected, found


class TypeCodeError(WireError):
    """A type character that the protocol, or this record, does not have."""

    def __init__(self, record: str, offset: int, *, expected: str, found: int) -> None:
        super().__init__(
            f"{record} at byte {offset}: type {bytes([found])!r}, expected one of {expected!r}",
            record=record,
            offset=offset,
        )
        self.expected, self.found = expected, found


class FieldError(WireError):
    """A value that a field can't hold."""

    def __init__(self, record: str, field: str, offset: int | None, value: Any, reason: str) -> None:
        where = "" if offset is None else f" (byte {offset})"
        super().__init__(f"{record}.{field}{where}: {value!r}: {reason}", record=record, offset=offset)
        self.field, self.value = field, value


class ChecksumError(WireError):
    """A checksum that does not match."""

    def __init__(self, record: str, offset: int, *, expected: int, found: int) -> None:
        super().__init__(
            f"{record} at byte {offset}: checksum {found:#06x}, computed {expected:#06x}",
            record=record,
            offset=offset,
        )
        self.expected, self.found = expected, found
