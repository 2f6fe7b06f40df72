"""One FIX message in its buffer, and the reader that takes messages out of a stream. Values are not copied."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from wire.errors import FieldError
from wire.fix.dictionary import Members
from wire.fix.faults import Fault
from wire.fix.numbers import price_units
from wire.fix.scan import CONSUMED, MESSAGE, WINDOW, scan

FIELD_ROWS = 4_096
"""Fields of the largest message that is read."""
MESSAGE_ROWS = 64
MAX_DIGITS = 18
"""Of a whole number: what 64 bits hold for certain."""


class Message:
    """A view of one message: fields by tag, without copies.

    ``rows`` has every field in order as ``[tag, offset, length]``. A message that a :class:`Reader` gave is good until
    the next one is asked for; :meth:`copy` outlives it.
    """

    __slots__ = ("_places", "begin", "data", "end", "rows")

    def __init__(self, data: memoryview, rows: list[list[int]], begin: int, end: int) -> None:
        self.data, self.rows, self.begin, self.end = data, rows, begin, end
        self._places: dict[int, tuple[int, int]] | None = None

    @classmethod
    def parse(cls, octets: bytes | bytearray | memoryview) -> Message:
        """The message that these bytes are.

        Raises
        ------
        FieldError
            They are malformed, or more or less than one message.
        """
        found = list(Reader().feed(octets))
        if len(found) != 1 or isinstance(found[0], Garbled):
            reason = found[0].fault.name if found and isinstance(found[0], Garbled) else f"{len(found)} messages"
            raise FieldError("FIX", "message", None, bytes(octets[:40]), reason.lower().replace("_", " "))
        message = found[0]
        if message.end != len(octets):
            raise FieldError("FIX", "message", message.end, bytes(octets[:40]), "bytes behind the message")
        return message

    def copy(self) -> Message:
        """The same message in memory of its own."""
        data = memoryview(bytes(self.data[self.begin : self.end]))
        rows = [[tag, offset - self.begin, length] for tag, offset, length in self.rows]
        return Message(data, rows, 0, len(data))

    def __repr__(self) -> str:
        text = bytes(self).replace(b"\x01", b"|").decode("latin-1")
        return f"Message({text!r})"

    def __bytes__(self) -> bytes:
        return bytes(self.data[self.begin : self.end])

    def __iter__(self) -> Iterator[tuple[int, memoryview]]:
        data = self.data
        return ((tag, data[offset : offset + length]) for tag, offset, length in self.rows)

    def __contains__(self, tag: int) -> bool:
        return tag in self.places

    def __getitem__(self, tag: int) -> memoryview:
        """The first value of ``tag``.

        Raises
        ------
        KeyError
            The message has no such field.
        """
        offset, length = self.places[tag]
        return self.data[offset : offset + length]

    @property
    def places(self) -> dict[int, tuple[int, int]]:
        """Offset and length by tag, of the first field with that tag."""
        if self._places is None:
            self._places = {tag: (offset, length) for tag, offset, length in reversed(self.rows)}
        return self._places

    @property
    def type(self) -> bytes:
        """MsgType (35)."""
        _, offset, length = self.rows[2]
        return bytes(self.data[offset : offset + length])

    def get(self, tag: int) -> bytes | None:
        """A copy of the first value of ``tag``, or None."""
        place = self.places.get(tag)
        return None if place is None else bytes(self.data[place[0] : place[0] + place[1]])

    def text(self, tag: int, missing: str = "") -> str:
        """The value as text (Latin-1), ``missing`` where there is none."""
        value = self.get(tag)
        return missing if value is None else value.decode("latin-1")

    def number(self, tag: int) -> int | None:
        """The value as a whole number of up to 18 digits, None where there is none or it is something else."""
        value = self.get(tag)
        digits = value[1:] if value and value[:1] == b"-" else value
        return int(value) if value and digits and digits.isdigit() and len(digits) <= MAX_DIGITS else None

    def price(self, tag: int) -> int:
        """The value in units of 1e-4.

        Raises
        ------
        KeyError
            No such field.
        FieldError
            No decimal number, finer than 1e-4, or over 32 bits.
        """
        return price_units(bytes(self[tag]))

    def flag(self, tag: int) -> bool:
        """Whether the value is ``Y``."""
        return self.get(tag) == b"Y"

    def groups(self, count_tag: int, members: Members) -> list[Message]:
        """The entries of a repeating group, each a view of its own rows, its nested groups inside.

        ``members`` is the message's or the entry's declaration. What does not belong to the group ends it.
        """
        group = members.tags[count_tag]
        at = next((n for n, row in enumerate(self.rows) if row[0] == count_tag), None)
        if group is None or at is None:
            return []
        inside = frozenset(group.every_tag())
        entries: list[Message] = []
        for row in self.rows[at + 1 :]:
            if row[0] == group.first:
                entries.append(Message(self.data, [], row[1], row[1]))
            elif not entries or row[0] not in inside:
                break
            entries[-1].rows.append(row)
        return entries


@dataclass(frozen=True, slots=True)
class Garbled:
    """Bytes of a stream that are no message: what is wrong, where in the stream it was noticed, and the bytes."""

    fault: Fault
    where: int
    octets: bytes


class Reader:
    """Messages out of a stream, however it is cut, through one buffer that is used again and again."""

    def __init__(self) -> None:
        self._buffer = np.zeros(2 * WINDOW, np.uint8)
        self._view = memoryview(self._buffer)  # type: ignore[arg-type]
        self._begin = self._end = 0
        self.position = 0
        """Bytes of the stream before those in the buffer."""
        self._messages = np.zeros(MESSAGE_ROWS, MESSAGE)
        self._fields = np.zeros((FIELD_ROWS, 3), np.int32)
        self._result = np.zeros(3, np.int64)

    @property
    def held(self) -> int:
        """Bytes of what is not whole yet."""
        return self._end - self._begin

    def feed(self, data: bytes | bytearray | memoryview) -> Iterator[Message | Garbled]:
        """The messages, and what is none, that ``data`` completes. To be read to its end before the next call."""
        at = 0
        while at < len(data):
            if self._begin:
                self._buffer[: self.held] = self._buffer[self._begin : self._end].copy()
                self.position += self._begin
                self._begin, self._end = 0, self.held
            size = min(len(data) - at, len(self._buffer) - self._end)
            self._view[self._end : self._end + size] = data[at : at + size]
            self._end += size
            at += size
            yield from self._scan()

    def _scan(self) -> Iterator[Message | Garbled]:
        while True:
            count = int(
                scan(self._buffer, self._begin, self._end, self._messages, self._fields, self._result)
            )
            self._begin = int(self._result[CONSUMED])
            for begin, end, where, first, rows, _, fault in self._messages[:count].tolist():
                if fault:
                    yield Garbled(Fault(fault), self.position + where, bytes(self._view[begin:end]))
                else:
                    yield Message(self._view, self._fields[first : first + rows].tolist(), begin, end)
            if not count:
                return

