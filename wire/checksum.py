"""The Internet checksum (RFC 1071) and its incremental update (RFC 1624, equation 3), compiled.

Sums are of big-endian 16-bit words in ones' complement; a byte left over counts as the high half of a word.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from wire.buffers import reader
from wire.compiled import compiled

_read_64 = reader(0, 8, False, "big")
_read_16 = reader(0, 2, False, "big")


@compiled
def fold(total: int) -> int:
    """A sum of words as one 16-bit word, carries added back; ``total`` is below 2^63 and not negative."""
    total = (total & 0xFFFFFFFF) + (total >> 32)
    total = (total & 0xFFFF) + (total >> 16)
    total = (total & 0xFFFF) + (total >> 16)
    return (total & 0xFFFF) + (total >> 16)


@compiled
def word_sum(buffer: Any, at: int, length: int) -> int:
    """Folded sum of ``length`` bytes from ``at``; the sums of even-length parts may be added and folded
    again.
    """
    total, position = np.int64(0), at
    for _ in range(length >> 3):
        word = _read_64(buffer, position)
        total += np.int64(word >> np.uint64(32)) + np.int64(word & np.uint64(0xFFFFFFFF))
        position += 8
    for _ in range((length & 7) >> 1):
        total += _read_16(buffer, position)
        position += 2
    if length & 1:
        total += np.int64(buffer[position]) << 8
    return fold(int(total))


@compiled
def checksum(buffer: Any, at: int, length: int, start: int) -> int:
    """The checksum field's value over ``length`` bytes from ``at``, its own two bytes being 0.

    ``start`` is the sum of what else is covered, such as :func:`pseudo_header_sum`. Over bytes that hold a
    right checksum the result is 0.
    """
    return fold(word_sum(buffer, at, length) + start) ^ 0xFFFF


@compiled
def pseudo_header_sum(source: int, destination: int, protocol: int, length: int) -> int:
    """Sum of the IPv4 pseudo header that UDP and TCP checksums cover (RFC 768, RFC 9293)."""
    total = (source >> 16) + (source & 0xFFFF) + (destination >> 16) + (destination & 0xFFFF)
    return fold(total + protocol + length)


@compiled
def update(before: int, old: int, new: int) -> int:
    """The checksum after one 16-bit word it covers went from ``old`` to ``new``."""
    return fold((before ^ 0xFFFF) + (old ^ 0xFFFF) + new) ^ 0xFFFF
