"""The files of a journal: a run of records each, its space taken before the first is written.

A segment is written with zeros first: a write into it changes no length and needs no new block, so that what is on the disk
after ``fdatasync`` is all there is to know, and a disk that is full says so before anything depends on it.
"""

from __future__ import annotations

import os
import struct
from collections.abc import Callable
from itertools import pairwise
from pathlib import Path

from control.store.record import RECORD_BYTES

SUFFIX = ".journal"
MAGIC, VERSION = b"HAIRPIN\0", 1
HEADER = struct.Struct("<8sIIQ")
"""Payload of a segment's first record: magic, version, number of the segment, sequence of the record itself."""
CHUNK = 1 << 20


class JournalError(RuntimeError):
    """A journal that cannot be used; the text says which file, which record and why."""


class CorruptJournalError(JournalError):
    """Something in the journal is not what was written, and it was acknowledged."""


class ForkError(JournalError):
    """Two journals that should have one history have two; the text names the record from which on."""


class JournalLockedError(JournalError):
    """Another process writes the journal."""


class JournalFullError(JournalError):
    """There is no room for what is to be appended. Nothing of it was acknowledged."""


class JournalFailedError(JournalError):
    """A write or an fsync failed: what is on the disk is known only when the journal is opened anew."""


def path_of(folder: Path, number: int) -> Path:
    """Path of a segment."""
    return folder / f"{number:08d}{SUFFIX}"


def numbers(folder: Path) -> list[int]:
    """Numbers of the segments in a folder, in order.

    Raises
    ------
    CorruptJournalError
        One is missing in between, or a file's name is none of a segment.
    """
    found = []
    for path in folder.glob(f"*{SUFFIX}"):
        if not (path.stem.isdigit() and len(path.stem) == 8):
            raise CorruptJournalError(f"{path}: not a segment's name")
        found.append(int(path.stem))
    found.sort()
    for number, following in pairwise(found):
        if following != number + 1:
            raise CorruptJournalError(f"{folder}: segment {number + 1} is missing, {following} is there")
    return found


def reserve(folder: Path, number: int, records: int, sync: Callable[[int], None]) -> None:
    """Makes an empty segment of so many records. It has its name when all of its space is on the disk.

    Raises
    ------
    JournalFullError
        There is no room for it; nothing is left of it.
    """
    path, part = path_of(folder, number), folder / f"{number:08d}.part"
    size, zeros = records * RECORD_BYTES, bytes(CHUNK)
    try:
        file = os.open(part, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
        try:
            for at in range(0, size, CHUNK):
                write_all(file, zeros[: min(CHUNK, size - at)], at)
            sync(file)
        finally:
            os.close(file)
        part.rename(path)
        sync_folder(folder, sync)
    except OSError as error:
        part.unlink(missing_ok=True)
        raise JournalFullError(f"{path}: no segment of {size} bytes: {error.strerror}") from error


def write_all(file: int, data: bytes | bytearray, at: int) -> None:
    """Writes all of it, or raises OSError."""
    view = memoryview(data)
    while view:
        written = os.pwrite(file, view, at)
        view, at = view[written:], at + written


def sync_folder(folder: Path, sync: Callable[[int], None]) -> None:
    """Makes the names in a folder last."""
    file = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        sync(file)
    finally:
        os.close(file)


def records_in(folder: Path, number: int) -> int:
    """Records that a segment has room for; 0 if it is not there."""
    path = path_of(folder, number)
    return path.stat().st_size // RECORD_BYTES if path.exists() else 0


def clear(folder: Path, number: int, begin: int, sync: Callable[[int], None]) -> None:
    """Writes zeros from a byte on."""
    path = path_of(folder, number)
    file = os.open(path, os.O_RDWR)
    try:
        for at in range(begin, path.stat().st_size, CHUNK):
            write_all(file, bytes(min(CHUNK, path.stat().st_size - at)), at)
        sync(file)
    finally:
        os.close(file)
