"""Nasdaq BinaryFILE: the days of ITCH on disk, plain or gzip, framed in compiled code.

Each message stands behind its 2-byte big-endian length; length 0 ends the session. Files without lengths are
read too, each message as long as its type says. Messages stay where they are: a :class:`Messages` is the
bytes, and where in them each one begins.
"""

from __future__ import annotations

import gzip
import zlib
from collections.abc import Iterable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from enum import IntEnum, StrEnum
from pathlib import Path
from typing import IO, Any

import numpy as np

from wire.buffers import reader
from wire.compiled import compiled
from wire.errors import FieldError, LengthError, TypeCodeError
from wire.itch import ITCH

NAME = "BinaryFILE"
PREFIX = 2
CHUNK = 1 << 24

Vector = np.ndarray[Any, np.dtype[Any]]
_read_length = reader(0, PREFIX, False, "big")
_LENGTHS = ITCH.lengths


class Framing(StrEnum):
    """How a file separates its messages."""

    PREFIXED = "prefixed"
    BARE = "bare"


class FramingStatus(IntEnum):
    """Why framing stopped."""

    WHOLE = 0
    """At the end of the bytes, or inside the message that they end in."""
    END_OF_SESSION = 1
    """At a length of 0."""
    UNKNOWN_TYPE = 2
    """Without lengths: at a type that ITCH does not have."""


@dataclass(frozen=True, slots=True)
class Messages:
    """Messages in one buffer: ``buffer[offsets[i] : offsets[i] + lengths[i]]`` is message ``i``.

    ``buffer`` is ``uint8``, ``offsets`` ``int64``, ``lengths`` ``int32``. ``begin`` is where the buffer
    begins in the file.
    """

    buffer: Vector
    offsets: Vector
    lengths: Vector
    begin: int = 0

    def __len__(self) -> int:
        return len(self.offsets)

    def __iter__(self) -> Iterator[bytes]:
        data = self.buffer.tobytes()
        for at, length in zip(self.offsets.tolist(), self.lengths.tolist(), strict=True):
            yield data[at : at + length]


@compiled
def frame(buffer: Any, at: int, end: int, prefixed: bool, offsets: Any, lengths: Any, out: Any) -> int:
    """Number of messages found from ``at`` to ``end``.

    ``offsets`` and ``lengths`` take them; those beyond their size are counted, not written. ``out``, an
    ``int64`` vector of 2, takes a :class:`FramingStatus` and the place of the first byte that is of no whole
    message.
    """
    n, position = 0, at
    status = FramingStatus.WHOLE.value
    while position < end:
        if prefixed:
            if position + PREFIX > end:
                break
            length = _read_length(buffer, position)
            begin = position + PREFIX
            if length == 0:
                status = FramingStatus.END_OF_SESSION.value
                break
        else:
            length = int(_LENGTHS[buffer[position]])
            begin = position
            if length == 0:
                status = FramingStatus.UNKNOWN_TYPE.value
                break
        if begin + length > end:
            break
        if n < len(offsets):
            offsets[n] = begin
            lengths[n] = length
        n += 1
        position = begin + length
    out[0] = status
    out[1] = position
    return n


def read(path: str | Path, framing: Framing | None = None) -> Messages:
    """All messages of a file, in memory.

    Parameters
    ----------
    path : path
        Plain, or gzip whatever it is called.
    framing : Framing or None
        None takes it from the first byte: a length below 256 begins with 0, a message with a letter.

    Raises
    ------
    LengthError
        The file ends inside a message, or goes on after the end of the session. ``offset`` is that of the
        message.
    TypeCodeError
        Without lengths, a type that ITCH does not have.
    FieldError
        The first byte tells no framing, or the gzip stream is damaged.
    """
    with _opened(path) as file:
        data = _read(file, -1)
    parts = list(_framed(iter((data,)), framing))
    return parts[0] if parts else Messages(*_empty())


def chunks(path: str | Path, framing: Framing | None = None, size: int = CHUNK) -> Iterator[Messages]:
    """The messages of a file of any size, about ``size`` bytes at a time; else as :func:`read`."""
    with _opened(path) as file:
        yield from _framed(iter(lambda: _read(file, size), b""), framing)


def frame_bytes(data: bytes | bytearray | memoryview, framing: Framing | None = None) -> Messages:
    """The messages in bytes that are there already; parameters and errors as :func:`read`."""
    parts = list(_framed(iter((bytes(data),)), framing))
    return parts[0] if parts else Messages(*_empty())


def write(
    path: str | Path,
    messages: Iterable[bytes],
    framing: Framing = Framing.PREFIXED,
    *,
    compress: bool = False,
    end_of_session: bool = False,
) -> int:
    """Writes a file, and returns how many messages went into it. Equal messages make equal files.

    Raises
    ------
    LengthError
        A message of no bytes or more than 65,535; without lengths, of another length than its type's.
    TypeCodeError
        Without lengths, a type that ITCH does not have.
    """
    count = 0
    with ExitStack() as stack:
        file: IO[bytes] | gzip.GzipFile = stack.enter_context(open(path, "wb"))
        if compress:
            file = stack.enter_context(gzip.GzipFile("", "wb", mtime=0, fileobj=file))
        for message in messages:
            if framing is Framing.BARE:
                record = ITCH.of(message)
                if len(message) != record.length:
                    raise LengthError(record.name, 0, expected=record.length, found=len(message))
            elif not 0 < len(message) < 1 << 16:
                raise LengthError(NAME, 0, expected=min(max(len(message), 1), 0xFFFF), found=len(message))
            else:
                file.write(len(message).to_bytes(PREFIX, "big"))
            file.write(message)
            count += 1
        if end_of_session and framing is Framing.PREFIXED:
            file.write(bytes(PREFIX))
    return count


@contextmanager
def _opened(path: str | Path) -> Iterator[IO[bytes] | gzip.GzipFile]:
    with open(path, "rb") as file:
        magic = file.read(2)
        file.seek(0)
        yield gzip.GzipFile(fileobj=file) if magic == b"\x1f\x8b" else file


def _read(file: IO[bytes] | gzip.GzipFile, size: int) -> bytes:
    try:
        return file.read(size)
    except (EOFError, gzip.BadGzipFile, zlib.error) as error:
        raise FieldError(NAME, "gzip", None, str(error), "damaged") from error


def _empty() -> tuple[Vector, Vector, Vector]:
    return np.zeros(0, np.uint8), np.zeros(0, np.int64), np.zeros(0, np.int32)


def _framed(pieces: Iterator[bytes], framing: Framing | None) -> Iterator[Messages]:
    """Each piece's whole messages; what is left over goes before the next piece."""
    left, begin, ended, out = b"", 0, False, np.zeros(2, np.int64)
    for piece in pieces:
        if not piece:
            continue
        if ended:
            raise LengthError(f"{NAME} after the end of session", begin, expected=0, found=len(piece))
        data = left + piece
        framing = framing or _guess(data[0])
        prefixed, buffer = framing is Framing.PREFIXED, np.frombuffer(data, np.uint8)
        _, no_offsets, no_lengths = _empty()
        n = frame(buffer, 0, len(data), prefixed, no_offsets, no_lengths, out)
        offsets, lengths = np.empty(n, np.int64), np.empty(n, np.int32)
        frame(buffer, 0, len(data), prefixed, offsets, lengths, out)
        status, stop = out.tolist()
        if status == FramingStatus.UNKNOWN_TYPE:
            raise TypeCodeError(
                ITCH.name, begin + stop, expected="".join(map(chr, ITCH.by_code)), found=data[stop]
            )
        if n:
            yield Messages(buffer[:stop], offsets, lengths, begin)
        if status == FramingStatus.END_OF_SESSION:
            ended, stop = True, stop + PREFIX
            if stop < len(data):
                place, found = begin + stop, len(data) - stop
                raise LengthError(f"{NAME} after the end of session", place, expected=0, found=found)
        left, begin = data[stop:], begin + stop
    if left:
        size = _whole(left, framing)
        raise LengthError(NAME, begin, expected=size, found=len(left))


def _guess(first: int) -> Framing:
    if first == 0:
        return Framing.PREFIXED
    if first in ITCH.by_code:
        return Framing.BARE
    raise FieldError(NAME, "framing", 0, first, "neither a length below 256 nor an ITCH type")


def _whole(piece: bytes, framing: Framing | None) -> int:
    """Bytes that the message would have that ``piece`` is the beginning of."""
    if framing is Framing.BARE:
        return ITCH.by_code[piece[0]].length
    return PREFIX if len(piece) < PREFIX else PREFIX + int.from_bytes(piece[:PREFIX], "big")
