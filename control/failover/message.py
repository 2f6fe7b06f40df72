"""What a primary puts into the stream: a run of whole journal entries, or that it takes over.

======  =====  =================================================================================
offset  bytes  field, integers little-endian
======  =====  =================================================================================
0       8      magic
8       4      version
12      4      records: 256 bytes each, behind this header; none where a primary takes over
16      8      epoch of the primary
24      8      first: sequence of the first record; where a primary takes over, of the one to come
32      8      stamp: ns since the epoch (UTC) at which it was sent
40      32     before: digest of the record before ``first``
======  =====  =================================================================================

A message holds whole entries, so that any number of messages gives a journal that is whole.
"""

from __future__ import annotations

import struct
from typing import NamedTuple

from control.store.record import DIGEST_AT, DIGEST_BYTES, RECORD_BYTES

MAGIC, VERSION = b"HAIRPIN\1", 1
HEADER = struct.Struct(f"<8sIIQQQ{DIGEST_BYTES}s")
MOST_RECORDS = 3072
"""In one message: with its header it is less than the 1 MiB that a NATS server takes unless it is told otherwise."""
MOST_PARTS = 2048
"""Records of an entry; the rest of a message is for the heads of segments."""


class MessageError(ValueError):
    """Bytes that are no message; the text says why."""


class Message(NamedTuple):
    """One message of the stream."""

    epoch: int
    first: int
    before: bytes
    stamp: int
    records: bytes = b""

    @property
    def size(self) -> int:
        """Records in it."""
        return len(self.records) // RECORD_BYTES

    @property
    def last(self) -> int:
        """Sequence of the last record that is in the stream with this message."""
        return self.first + self.size - 1

    @property
    def digest(self) -> bytes:
        """Digest of that record."""
        return self.records[-RECORD_BYTES:][DIGEST_AT:] if self.records else self.before

    @property
    def name(self) -> str:
        """The same for the same content, whenever it is sent."""
        return f"{self.epoch}-{self.last}-{self.digest.hex()}"

    def pack(self) -> bytes:
        """As bytes."""
        return HEADER.pack(MAGIC, VERSION, self.size, self.epoch, self.first, self.stamp, self.before) + self.records


def unpack(data: bytes) -> Message:
    """A message.

    Raises
    ------
    MessageError
        It is none.
    """
    if len(data) < HEADER.size:
        raise MessageError(f"{len(data)} bytes: a message has at least {HEADER.size}")
    magic, version, count, epoch, first, stamp, before = HEADER.unpack_from(data)
    if magic != MAGIC or version != VERSION:
        raise MessageError(f"begins with {magic!r} version {version}, not with {MAGIC!r} version {VERSION}")
    if len(data) != HEADER.size + count * RECORD_BYTES:
        raise MessageError(f"{len(data)} bytes, and {count} records take {HEADER.size + count * RECORD_BYTES}")
    if first == 0:
        raise MessageError("first record 0: records are numbered from 1")
    return Message(epoch, first, before, stamp, data[HEADER.size :])
