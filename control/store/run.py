"""Runs of records, handled many at once: packed, verified, given to another group.

A digest needs the one before it, so a chain is made link by link. It is *verified* without waiting: each link is compared with
the hash of the link that stands before it in the file. Everything but the two hashes is done in columns.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from hashlib import blake2b
from typing import Any, NamedTuple
from zlib import crc32

import numpy as np
from numpy.typing import NDArray

from control.store.record import DIGEST_AT, DIGEST_BYTES, PAYLOAD_AT, PAYLOAD_BYTES, RECORD_BYTES, SEGMENT_KIND, Parsed

RECORD = np.dtype(
    [
        ("sequence", "<u8"),
        ("timestamp", "<u8"),
        ("kind", "<u2"),
        ("length", "<u2"),
        ("part", "<u2"),
        ("parts", "<u2"),
        ("group", "<u8"),
        ("checksum", "<u4"),
        ("zero", "<u4"),
        ("payload", f"V{PAYLOAD_BYTES}"),
        ("digest", f"V{DIGEST_BYTES}"),
    ]
)
"""The layout of :mod:`control.store.record`, for NumPy."""
assert RECORD.itemsize == RECORD_BYTES

Records = NDArray[Any]
_CHAINED_END, _CHECKED_END = 24, 32
_LINK = DIGEST_BYTES + _CHAINED_END + PAYLOAD_BYTES
_CHECKED = _CHECKED_END + PAYLOAD_BYTES


class Verified(NamedTuple):
    """How much of a run is good."""

    records: int
    """Records from the first on that continue the chain and were written whole."""
    whole: bool
    """Whether the record behind them, if there is one, was written whole: it belongs to another chain."""


def as_records(data: bytes | bytearray | memoryview) -> Records:
    """Raw records as a table; what is left over at the end is left out."""
    return np.frombuffer(data, RECORD, len(data) // RECORD_BYTES)


class Entry(NamedTuple):
    """What is appended."""

    kind: int
    payload: bytes
    timestamp: int


def pack(previous: bytes, sequence: int, group: int, entries: Sequence[Entry]) -> bytes:
    """Entries of one record each, chained: byte for byte what :func:`control.store.record.build` makes of them one by one."""
    count = len(entries)
    records = np.zeros(count, RECORD)
    kinds, payloads, timestamps = zip(*entries, strict=True)
    records["sequence"] = np.arange(sequence, sequence + count, dtype=np.uint64)
    records["timestamp"], records["kind"] = np.array(timestamps, np.uint64), np.array(kinds, np.uint16)
    records["length"], records["parts"], records["group"] = [len(each) for each in payloads], 1, group
    raw = _bytes(records)
    bodies = b"".join([each.ljust(PAYLOAD_BYTES, b"\0") for each in payloads])
    raw[:, PAYLOAD_AT:DIGEST_AT] = np.frombuffer(bodies, np.uint8).reshape(count, PAYLOAD_BYTES)
    records["checksum"] = checksums(records)
    chained = raw[:, :_CHAINED_END].tobytes()
    links = []
    for head, body in zip(range(0, len(chained), _CHAINED_END), range(0, len(bodies), PAYLOAD_BYTES), strict=True):
        link = previous + chained[head : head + _CHAINED_END] + bodies[body : body + PAYLOAD_BYTES]
        previous = blake2b(link, digest_size=DIGEST_BYTES).digest()
        links.append(previous)
    raw[:, DIGEST_AT:] = np.frombuffer(b"".join(links), np.uint8).reshape(count, DIGEST_BYTES)
    return records.tobytes()


def verify(previous: bytes, sequence: int, records: Records) -> Verified:
    """How many of the records continue a chain whose next record is ``sequence`` and whose last digest is ``previous``."""
    count = len(records)
    if count == 0:
        return Verified(0, False)
    sums_differ = checksums(records) != records["checksum"]
    good = ~sums_differ & (records["zero"] == 0) & (records["length"] <= PAYLOAD_BYTES)
    good &= (records["part"] < records["parts"]) & (records["group"] <= records["sequence"]) & (records["sequence"] > 0)
    whole = good.copy()
    good &= records["sequence"] == np.arange(sequence, sequence + count, dtype=np.uint64)
    first_bad = int(np.argmin(good)) if not good.all() else count
    if first_bad:
        links = digests(previous, records[:first_bad])
        differ = np.flatnonzero((links != _bytes(records)[:first_bad, DIGEST_AT:]).any(axis=1))
        first_bad = int(differ[0]) if len(differ) else first_bad
    return Verified(first_bad, bool(first_bad < count and whole[first_bad]))


def digests(previous: bytes, records: Records) -> NDArray[np.uint8]:
    """What each record's digest has to be, given the digests that stand in the records before it: (n, 32)."""
    raw = _bytes(records)
    links = np.empty((len(records), _LINK), np.uint8)
    links[0, :DIGEST_BYTES] = np.frombuffer(previous, np.uint8)
    links[1:, :DIGEST_BYTES] = raw[:-1, DIGEST_AT:]
    links[:, DIGEST_BYTES : DIGEST_BYTES + _CHAINED_END] = raw[:, :_CHAINED_END]
    links[:, DIGEST_BYTES + _CHAINED_END :] = raw[:, PAYLOAD_AT:DIGEST_AT]
    data = memoryview(links.tobytes())
    found = b"".join(
        [blake2b(data[at : at + _LINK], digest_size=DIGEST_BYTES).digest() for at in range(0, len(data), _LINK)]
    )
    return np.frombuffer(found, np.uint8).reshape(-1, DIGEST_BYTES)


def checksums(records: Records) -> NDArray[np.uint32]:
    """The checksum that belongs into each record."""
    raw = _bytes(records)
    checked = np.empty((len(records), _CHECKED), np.uint8)
    checked[:, :_CHECKED_END] = raw[:, :_CHECKED_END]
    checked[:, _CHECKED_END:] = raw[:, PAYLOAD_AT:DIGEST_AT]
    data = memoryview(checked.tobytes())
    return np.array([crc32(data[at : at + _CHECKED]) for at in range(0, len(data), _CHECKED)], np.uint32)


def unpacked(records: Records) -> Iterator[Parsed]:
    """The records one by one."""
    raw = records.tobytes()
    names = ("sequence", "timestamp", "kind", "part", "parts", "group", "length")
    columns = (records[name].tolist() for name in names)
    for index, (sequence, timestamp, kind, part, parts, group, length) in enumerate(zip(*columns, strict=True)):
        at = index * RECORD_BYTES
        payload = raw[at + PAYLOAD_AT : at + PAYLOAD_AT + length]
        yield Parsed(sequence, timestamp, kind, part, parts, group, payload, raw[at + DIGEST_AT : at + RECORD_BYTES])


def regrouped(records: Records, group: int) -> bytes:
    """The same records, written together with the record ``group``. No digest changes."""
    out = records.copy()
    out["group"] = group
    out["checksum"] = checksums(out)
    return out.tobytes()


def whole_entries(records: Records) -> int:
    """Records up to the end of the last entry that is complete."""
    ends = np.flatnonzero(entry_ends(records))
    return int(ends[-1]) + 1 if len(ends) else 0


def entry_ends(records: Records) -> NDArray[np.bool_]:
    """Which of the records end an entry."""
    return np.asarray((records["kind"] != SEGMENT_KIND) & (records["part"] + np.uint32(1) == records["parts"]))


def _bytes(records: Records) -> NDArray[np.uint8]:
    return np.ascontiguousarray(records).view(np.uint8).reshape(-1, RECORD_BYTES)
