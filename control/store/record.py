"""The journal's records: 256 bytes each, whatever they hold.

======  =====  ===================================================================================================
offset  bytes  field, integers little-endian
======  =====  ===================================================================================================
0       8      sequence: +1 per record, from 1 in the first segment; 0 where nothing was written
8       8      timestamp: ns since the epoch, given by whoever appends
16      2      kind: what the payload is; 0 is the journal's own
18      2      length: bytes of the payload
20      2      part: 0 but for an entry that takes more than one record
22      2      parts: records of the entry
24      8      group: sequence of the first record that was written together with this one
32      4      checksum: CRC-32 of the record without digest and checksum
36      4      0
40      184    payload, zeros behind it
224     32     digest: BLAKE2b-256 of the digest before it, and of the record up to ``group`` and from ``payload`` on
======  =====  ===================================================================================================

The chain says that nothing was changed, left out or put in. ``group`` is no part of it: how records are gathered for one
write depends on the machine's speed, and the same entries must give the same digests. The checksum covers it, and
tells a record that was written whole from one that was not even where the chain is broken before it.
"""

from __future__ import annotations

import struct
from hashlib import blake2b
from typing import NamedTuple
from zlib import crc32

RECORD_BYTES = 256
PAYLOAD_AT, PAYLOAD_BYTES = 40, 184
DIGEST_AT, DIGEST_BYTES = PAYLOAD_AT + PAYLOAD_BYTES, 32
MOST_PARTS = 0xFFFF
SEGMENT_KIND = 0
"""Kind of the record that begins a segment."""

_CHAINED = struct.Struct("<QQHHHH")
_GROUP = struct.Struct("<QII")
_EMPTY = bytes(RECORD_BYTES)
EMPTY_HASH = blake2b(digest_size=DIGEST_BYTES)
"""A copy of it is quicker than a new one."""

assert _CHAINED.size + _GROUP.size == PAYLOAD_AT
assert DIGEST_AT + DIGEST_BYTES == RECORD_BYTES


class Record(NamedTuple):
    """An entry of the journal; ``sequence`` is that of its last record."""

    sequence: int
    timestamp: int
    kind: int
    payload: bytes


class Parsed(NamedTuple):
    """One record of a file that was written whole."""

    sequence: int
    timestamp: int
    kind: int
    part: int
    parts: int
    group: int
    payload: bytes
    digest: bytes


def build(
    previous: bytes, sequence: int, timestamp: int, kind: int, payload: bytes, group: int, part: int = 0, parts: int = 1
) -> bytes:
    """A record that follows the one with the digest ``previous``."""
    chained = _CHAINED.pack(sequence, timestamp, kind, len(payload), part, parts)
    body = payload.ljust(PAYLOAD_BYTES, b"\0")
    checksum = crc32(body, crc32(chained + group.to_bytes(8, "little")))
    link = EMPTY_HASH.copy()
    link.update(previous + chained + body)
    return b"".join((chained, _GROUP.pack(group, checksum, 0), body, link.digest()))


def parse(data: bytes) -> Parsed | None:
    """A record; None if it was not written, or not whole."""
    sequence, timestamp, kind, length, part, parts = _CHAINED.unpack_from(data)
    group, checksum, zero = _GROUP.unpack_from(data, _CHAINED.size)
    body = data[PAYLOAD_AT:DIGEST_AT]
    expected = crc32(body, crc32(data[_CHAINED.size : _CHAINED.size + 8], crc32(data[: _CHAINED.size])))
    if sequence == 0 or checksum != expected or zero or length > PAYLOAD_BYTES or part >= parts or group > sequence:
        return None
    return Parsed(sequence, timestamp, kind, part, parts, group, body[:length], data[DIGEST_AT:])


def is_empty(data: bytes) -> bool:
    """Whether nothing was written there."""
    return data == _EMPTY
