"""Rings of 64-byte records in shared memory: one producer, one consumer, no lock.

A ring is a file (in ``/dev/shm`` it is memory alone). Its counters have cache lines of their own, so that neither side
takes the other's away. Who produces never waits: a record that finds the ring full is counted lost, and records that are
numbered, as events are, show where.

======  ====================================================================
offset  int64 words, each at the beginning of 128 bytes
======  ====================================================================
0       magic, then record length and capacity
128     produced: records that were ever put in
256     consumed: records that were ever taken out
384     lost: records that found no room
512     the records, at ``number % capacity``
======  ====================================================================
"""

from __future__ import annotations

import mmap
import os
from pathlib import Path
from typing import Any

import numpy as np

from engine.live.kernel import load_acquire, store_release
from wire.compiled import compiled
from wire.records import RECORD_LENGTH

Vector = np.ndarray[Any, np.dtype[Any]]

MAGIC = int.from_bytes(b"HPRING01", "little")
WORDS = RECORD_LENGTH // 8
PRODUCED, CONSUMED, LOST, FIRST = 16, 32, 48, 64
"""Places in words."""


class RingError(RuntimeError):
    """A file that is no ring, or not the one that was expected."""


class Ring:
    """A ring in a file.

    Parameters
    ----------
    path : Path
    capacity : int, optional
        A power of two: the ring is made anew. Without it, it has to be there.

    Attributes
    ----------
    words : int64
        All of it, for compiled code.

    Raises
    ------
    RingError
        No ring, or of another record length.
    ValueError
        A capacity that is no power of two.
    """

    def __init__(self, path: Path, capacity: int | None = None) -> None:
        if capacity is not None:
            if capacity < 2 or capacity & capacity - 1:
                raise ValueError(f"a capacity of {capacity} records: a power of two, at least 2")
            path.unlink(missing_ok=True)
        file = os.open(path, os.O_RDWR | (os.O_CREAT | os.O_EXCL if capacity is not None else 0), 0o600)
        try:
            if capacity is not None:
                os.ftruncate(file, 8 * (FIRST + capacity * WORDS))
            size = os.fstat(file).st_size
            if size < 8 * FIRST:
                raise RingError(f"{path}: {size} bytes are no ring")
            self._memory = mmap.mmap(file, size)
        finally:
            os.close(file)
        self.path, self.words = path, np.frombuffer(self._memory, np.int64)
        if capacity is not None:
            self.words[1:3] = RECORD_LENGTH, capacity
            self.words[0] = MAGIC
        magic, length, self.capacity = self.words[:3].tolist()
        if magic != MAGIC or length != RECORD_LENGTH or size != 8 * (FIRST + self.capacity * WORDS):
            raise RingError(f"{path}: no ring of {RECORD_LENGTH}-byte records")

    @property
    def lost(self) -> int:
        """Records that found no room."""
        return int(read(self.words, LOST))

    def __len__(self) -> int:
        """Records that wait."""
        return int(read(self.words, PRODUCED)) - int(read(self.words, CONSUMED))

    def put(self, record: bytes) -> bool:
        """Put a record in; False if there is no room, and it counts as lost."""
        if len(record) != RECORD_LENGTH:
            raise ValueError(f"a record of {len(record)} bytes, not {RECORD_LENGTH}")
        return bool(put(self.words, np.frombuffer(record, np.int64), 0))

    def take(self, most: int = 1 << 16) -> Vector:
        """Take out what waits, ``most`` records at most: ``uint8``, a row each."""
        found = np.zeros((min(most, len(self)), WORDS), np.int64)
        words = found.reshape(-1)
        for n in range(len(found)):
            take(self.words, words, n * WORDS)
        return found.view(np.uint8)


@compiled
def read(ring: Any, at: int) -> int:
    """A counter of a ring."""
    return load_acquire(ring, at)


@compiled
def put(ring: Any, words: Any, at: int) -> bool:
    """Puts in the record whose words begin at ``words[at]``; False if there is no room."""
    produced = ring[PRODUCED]
    capacity = ring[2]
    if produced - load_acquire(ring, CONSUMED) >= capacity:
        store_release(ring, LOST, ring[LOST] + 1)
        return False
    place = FIRST + (produced & capacity - 1) * WORDS
    for n in range(WORDS):
        ring[place + n] = words[at + n]
    store_release(ring, PRODUCED, produced + 1)
    return True


@compiled
def take(ring: Any, words: Any, at: int) -> bool:
    """Takes the next record out to ``words[at]``; False if there is none."""
    consumed = ring[CONSUMED]
    if load_acquire(ring, PRODUCED) == consumed:
        return False
    place = FIRST + (consumed & ring[2] - 1) * WORDS
    for n in range(WORDS):
        words[at + n] = ring[place + n]
    store_release(ring, CONSUMED, consumed + 1)
    return True
