"""What a session must not forget: both sequence numbers, and the messages it sent.

:class:`FileStore` is one append-only file. Each record is written in one call before what it records takes effect, so a
process that is killed at any point loses nothing that had gone out. A record that was torn off is cut away on opening.
"""

from __future__ import annotations

import fcntl
import os
import struct
import zlib
from collections.abc import Iterator
from pathlib import Path
from typing import Protocol

SENT_APPLICATION, SENT_SESSION, EXPECT, NEXT, RESET = range(5)
_HEAD = struct.Struct("<IIBQ")  # length of the payload, CRC-32 of all that follows, kind, number
MAGIC = b"HAIRPIN FIX 1\n\0\0"
COMPACT_BYTES = 64 << 20
"""A file over this is not kept through a reset, where a new one begins anyway."""


class Store(Protocol):
    """Numbers and sent messages of one session."""

    next_sent: int
    """MsgSeqNum of the next message to send."""
    next_expected: int
    """MsgSeqNum of the next message to come."""
    created: int
    """When the numbers began, in nanoseconds since the epoch; 0 if that is not known."""

    def sent(self, number: int, message: bytes | None) -> None:
        """Keeps a message that is about to go out; None for session messages, which are never sent again."""

    def expect(self, number: int) -> None:
        """Sets ``next_expected``."""

    def set_next(self, number: int) -> None:
        """Sets ``next_sent`` without a message."""

    def reset(self, now: int) -> None:
        """Both numbers are 1 again, and nothing was sent."""

    def messages(self, first: int, last: int) -> Iterator[tuple[int, bytes]]:
        """The application messages sent with numbers from ``first`` to ``last``, in order."""

    def close(self) -> None:
        """Lets go of the file."""


class MemoryStore:
    """A store that ends with the process."""

    def __init__(self) -> None:
        self.next_sent = self.next_expected = 1
        self.created = 0
        self._messages: dict[int, bytes] = {}

    def sent(self, number: int, message: bytes | None) -> None:
        """See :class:`Store`."""
        if message is not None:
            self._messages[number] = message
        self.next_sent = number + 1

    def expect(self, number: int) -> None:
        """See :class:`Store`."""
        self.next_expected = number

    def set_next(self, number: int) -> None:
        """See :class:`Store`."""
        self.next_sent = number

    def reset(self, now: int) -> None:
        """See :class:`Store`."""
        self._messages.clear()
        self.next_sent = self.next_expected = 1
        self.created = now

    def messages(self, first: int, last: int) -> Iterator[tuple[int, bytes]]:
        """See :class:`Store`."""
        return ((n, self._messages[n]) for n in range(first, last + 1) if n in self._messages)

    def close(self) -> None:
        """See :class:`Store`."""


class FileStore:
    """A store in one append-only file, open in one process at a time.

    Parameters
    ----------
    path : Path
        The file; made if it is not there.
    durable : bool
        Also wait for the disk (fdatasync) before a message goes out: it survives the loss of power, at the price of
        a disk write per message. Without it, it survives the death of the process.

    ``repaired`` says how many torn bytes were cut off on opening.

    Raises
    ------
    ValueError
        The file is there and no store.
    BlockingIOError
        Another process, or another store of this one, has it open.
    OSError
        As the system says, also from the calls: what could not be recorded must not be sent.
    """

    def __init__(self, path: Path, *, durable: bool = False) -> None:
        self.path, self.durable = path, durable
        self.next_sent = self.next_expected = 1
        self.created = self.repaired = 0
        self._places: dict[int, tuple[int, int]] = {}
        path.parent.mkdir(parents=True, exist_ok=True)
        if not path.exists():
            self._fresh_file()
        self._file = os.open(path, os.O_RDWR)
        try:
            self._lock()
            self._end = self._load()
        except (ValueError, OSError):
            os.close(self._file)
            raise

    def _lock(self) -> None:
        fcntl.flock(self._file, fcntl.LOCK_EX | fcntl.LOCK_NB)

    def _fresh_file(self, content: bytes = b"") -> None:
        """A new file beside the old one, put in its place at once."""
        fresh = self.path.with_name(self.path.name + ".new")
        fresh.write_bytes(MAGIC + content)
        fresh.replace(self.path)

    def _load(self) -> int:
        """Takes in all records up to the first bad one, cuts off the rest; where the file ends."""
        content = self.path.read_bytes()
        if not content.startswith(MAGIC):
            if content != MAGIC[: len(content)]:
                raise ValueError(f"{self.path} is no store of FIX messages")
            os.pwrite(self._file, MAGIC, 0)
            content = MAGIC
        at = len(MAGIC)
        while at + _HEAD.size <= len(content):
            length, checksum, kind, number = _HEAD.unpack_from(content, at)
            stop = at + _HEAD.size + length
            if stop > len(content) or kind > RESET or zlib.crc32(content[at + 8 : stop]) != checksum:
                break
            self._take(kind, number, at + _HEAD.size, length)
            at = stop
        self.repaired = len(content) - at
        if self.repaired:
            os.ftruncate(self._file, at)
        return at

    def _take(self, kind: int, number: int, place: int, length: int) -> None:
        if kind in (SENT_APPLICATION, SENT_SESSION):
            if kind == SENT_APPLICATION:
                self._places[number] = (place, length)
            self.next_sent = number + 1
        elif kind == EXPECT:
            self.next_expected = number
        elif kind == NEXT:
            self.next_sent = number
        else:
            self._places.clear()
            self.next_sent = self.next_expected = 1
            self.created = number

    def _append(self, kind: int, number: int, payload: bytes = b"") -> None:
        record = _record(kind, number, payload)
        written = os.pwrite(self._file, record, self._end)
        if written != len(record):
            raise OSError(f"{self.path}: {written} of {len(record)} bytes written")
        if self.durable:
            os.fdatasync(self._file)
        self._take(kind, number, self._end + _HEAD.size, len(payload))
        self._end += len(record)

    def sent(self, number: int, message: bytes | None) -> None:
        """See :class:`Store`."""
        self._append(SENT_SESSION if message is None else SENT_APPLICATION, number, message or b"")

    def expect(self, number: int) -> None:
        """See :class:`Store`."""
        self._append(EXPECT, number)

    def set_next(self, number: int) -> None:
        """See :class:`Store`."""
        self._append(NEXT, number)

    def reset(self, now: int) -> None:
        """See :class:`Store`. A large file gives way to a fresh one, in one step."""
        self._append(RESET, now)
        if self._end > COMPACT_BYTES:
            self._fresh_file(_record(RESET, now, b""))
            os.close(self._file)
            self._file, self._end = os.open(self.path, os.O_RDWR), self.path.stat().st_size
            self._lock()

    def messages(self, first: int, last: int) -> Iterator[tuple[int, bytes]]:
        """See :class:`Store`."""
        for number in range(first, last + 1):
            place = self._places.get(number)
            if place is not None:
                yield number, os.pread(self._file, place[1], place[0])

    def close(self) -> None:
        """See :class:`Store`."""
        os.close(self._file)


def _record(kind: int, number: int, payload: bytes) -> bytes:
    tail = struct.pack("<BQ", kind, number) + payload
    return struct.pack("<II", len(payload), zlib.crc32(tail)) + tail
