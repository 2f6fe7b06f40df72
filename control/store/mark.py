"""What was acknowledged last, written beside the journal after every commit.

The mark is not synced: it may be behind, after a loss of power, and it is never ahead. It survives whatever kills the process
alone, and then tells a group that was acknowledged and is broken from one that was torn.
"""

from __future__ import annotations

import os
import struct
from typing import NamedTuple
from zlib import crc32

from control.store.record import DIGEST_BYTES

_MARK = struct.Struct(f"<Q{DIGEST_BYTES}sI")


class Mark(NamedTuple):
    """The last record that was acknowledged."""

    sequence: int
    digest: bytes


def write(file: int, sequence: int, digest: bytes) -> None:
    """Writes the mark."""
    body = _MARK.pack(sequence, digest, 0)[:-4]
    os.pwrite(file, body + crc32(body).to_bytes(4, "little"), 0)


def read(file: int) -> Mark | None:
    """The mark; None if there is none that is whole."""
    data = os.pread(file, _MARK.size, 0)
    if len(data) < _MARK.size or crc32(data[:-4]) != int.from_bytes(data[-4:], "little"):
        return None
    sequence, digest, _ = _MARK.unpack(data)
    return Mark(sequence, digest)
