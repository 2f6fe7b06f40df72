"""Runs of records, handled many at once: verified, taken apart, given to another group.

Making a chain goes link by link, for a digest needs the one before it. Verifying does not: the link before each record stands
in the file. So all but the two hashes is done in columns. (Packing new records in columns was tried, and is no quicker than
``record.build`` one by one.)
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, NamedTuple
from zlib import crc32

import numpy as np
from numpy.typing import NDArray

from control.store.record import (
    DIGEST_AT,
    DIGEST_BYTES,
    EMPTY_HASH,
    PAYLOAD_AT,
    PAYLOAD_BYTES,
    RECORD_BYTES,
    SEGMENT_KIND,
    Parsed,
)

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
    found = bytearray()
    for at in range(0, len(data), _LINK):
        link = EMPTY_HASH.copy()
        link.update(data[at : at + _LINK])
        found += link.digest()
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
