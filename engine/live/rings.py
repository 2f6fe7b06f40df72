"""Rings in shared memory: one producer, one consumer, no lock. Of records of 64 bytes, or of packets.

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

The record of a packet has `PACKET` bytes: the length, the device's port, then the packet.
"""

from __future__ import annotations

import mmap
import os
from pathlib import Path
from typing import Any

import numpy as np

from engine.live.kernel import load_acquire, store_release
from wire.compiled import uncounted
from wire.records import RECORD_LENGTH

Vector = np.ndarray[Any, np.dtype[Any]]

MAGIC = int.from_bytes(b"HPRING01", "little")
WORDS = RECORD_LENGTH // 8
PRODUCED, CONSUMED, LOST, FIRST = 16, 32, 48, 64
"""Places in words."""
PACKET, PACKET_AT = 2048, 16
"""Bytes of a packet's record, and of what stands in front of the packet there."""


class RingError(RuntimeError):
    """A file that is no ring, or not the one that was expected."""


def shared_words(path: Path, count: int | None = None) -> Vector:
    """Words of ``int64`` in a file: that many, made anew, or all that are there.

    Raises
    ------
    OSError
        There is no such file.
    """
    if count is not None:
        path.unlink(missing_ok=True)
    file = os.open(path, os.O_RDWR | (os.O_CREAT | os.O_EXCL if count is not None else 0), 0o600)
    try:
        if count is not None:
            os.ftruncate(file, 8 * count)
        return np.frombuffer(mmap.mmap(file, os.fstat(file).st_size), np.int64)
    finally:
        os.close(file)


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

    length = RECORD_LENGTH
    """Bytes of a record."""

    def __init__(self, path: Path, capacity: int | None = None) -> None:
        if capacity is not None and (capacity < 2 or capacity & capacity - 1):
            raise ValueError(f"a capacity of {capacity} records: a power of two, at least 2")
        made = None if capacity is None else FIRST + capacity * self.length // 8
        size = path.stat().st_size if made is None else 8 * made
        if size < 8 * FIRST or size % 8:
            raise RingError(f"{path}: {size} bytes are no ring")
        self.path, self.words = path, shared_words(path, made)
        if capacity is not None:
            self.words[1:3] = self.length, capacity
            self.words[0] = MAGIC
        magic, length, self.capacity = self.words[:3].tolist()
        if magic != MAGIC or length != self.length or size != 8 * FIRST + self.capacity * self.length:
            raise RingError(f"{path}: no ring of {self.length}-byte records")

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
        take_all(self.words, found.reshape(-1))
        return found.view(np.uint8)


class PacketRing(Ring):
    """A ring of packets, of up to ``PACKET - PACKET_AT`` bytes each; parameters as `Ring`'s.

    Attributes
    ----------
    octets : uint8
        The same memory as ``words``.
    """

    length = PACKET

    def __init__(self, path: Path, capacity: int | None = None) -> None:
        super().__init__(path, capacity)
        self.octets = self.words.view(np.uint8)

    def put_packet(self, packet: bytes, port: int) -> bool:
        """Put a packet in; False if there is no room, and it counts as lost."""
        if not 0 < len(packet) <= PACKET - PACKET_AT:
            raise ValueError(f"a packet of {len(packet)} bytes: 1 to {PACKET - PACKET_AT}")
        return bool(put_packet(self.words, self.octets, np.frombuffer(packet, np.uint8), 0, len(packet), port))

    def take_packets(self, most: int = 1 << 16) -> list[tuple[int, bytes]]:
        """Take out what waits, ``most`` packets at most: port and packet of each."""
        found: list[tuple[int, bytes]] = []
        place = np.zeros(PACKET, np.uint8)
        while len(found) < most and (length := int(take_packet(self.words, self.octets, place, PACKET_AT))) > 0:
            found.append((int(place[:8].view(np.int64)[0]), place[PACKET_AT : PACKET_AT + length].tobytes()))
        return found


@uncounted
def read(ring: Any, at: int) -> int:
    """A counter of a ring."""
    return load_acquire(ring, at)


@uncounted
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


@uncounted
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


@uncounted
def take_all(ring: Any, words: Any) -> None:
    """Takes records out until ``words`` is full, or none is left."""
    for at in range(0, len(words), WORDS):
        if not take(ring, words, at):
            return


@uncounted
def put_packet(ring: Any, octets: Any, packet: Any, at: int, length: int, port: int) -> bool:
    """Puts in the packet of ``length`` bytes at ``packet[at]``; False if there is no room."""
    produced = ring[PRODUCED]
    capacity = ring[2]
    if produced - load_acquire(ring, CONSUMED) >= capacity:
        store_release(ring, LOST, ring[LOST] + 1)
        return False
    begin = 8 * FIRST + (produced & capacity - 1) * PACKET
    ring[begin // 8] = length
    ring[begin // 8 + 1] = port
    for n in range(length):
        octets[begin + PACKET_AT + n] = packet[at + n]
    store_release(ring, PRODUCED, produced + 1)
    return True


@uncounted
def take_packet(ring: Any, octets: Any, buffer: Any, at: int) -> int:
    """Takes the next packet out to ``buffer[at]``, its port to the word 16 bytes before that; its length, 0 if there is none."""
    consumed = ring[CONSUMED]
    if load_acquire(ring, PRODUCED) == consumed:
        return 0
    begin = 8 * FIRST + (consumed & ring[2] - 1) * PACKET
    length = ring[begin // 8]
    for n in range(8):
        buffer[at - PACKET_AT + n] = octets[begin + 8 + n]
    for n in range(length):
        buffer[at + n] = octets[begin + PACKET_AT + n]
    store_release(ring, CONSUMED, consumed + 1)
    return length
