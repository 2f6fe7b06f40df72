"""Capture files: classic libpcap, micro- and nanoseconds, both byte orders, read and written; pcapng read.

Sources: draft-ietf-opsawg-pcap and draft-ietf-opsawg-pcapng (2025). Times are nanoseconds since the epoch.
"""

from __future__ import annotations

import struct
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import IO, Literal

from wire.errors import FieldError, LengthError

ETHERNET_LINK = 1
MAX_LENGTH = 262_144
"""Longest packet that a capture may hold, libpcap's own limit; more is taken for damage."""

_MICROSECONDS, _NANOSECONDS = 0xA1B2C3D4, 0xA1B23C4D
_HEADER, _PACKET = struct.Struct("IHHiIII"), struct.Struct("IIII")
_SECTION, _INTERFACE, _SIMPLE, _ENHANCED = 0x0A0D0D0A, 1, 3, 6
_BYTE_ORDER = 0x1A2B3C4D


@dataclass(frozen=True, slots=True)
class Captured:
    """A captured packet. ``original_length`` is more than ``len(data)`` where the capture cut it."""

    timestamp: int
    data: bytes
    original_length: int
    link: int = ETHERNET_LINK


def read(path: str | Path) -> list[Captured]:
    """All packets of a capture file; errors as :func:`packets`."""
    with open(path, "rb") as file:
        return list(packets(file))


def packets(file: IO[bytes]) -> Iterator[Captured]:
    """The packets of an open capture file, one at a time.

    Raises
    ------
    FieldError
        Not a capture file, or a length that cannot be.
    LengthError
        The file ends inside a header or a packet; ``offset`` is where that one begins.
    """
    source = _Source(file)
    magic = source.take("pcap", 4)
    for order in ("<", ">"):
        (value,) = struct.unpack(order + "I", magic)
        if value in (_MICROSECONDS, _NANOSECONDS):
            return _classic(source, order, magic, 1 if value == _NANOSECONDS else 1000)
        if value == _SECTION:
            return _next_generation(source)
    raise FieldError("pcap", "magic", 0, magic.hex(), "neither pcap nor pcapng")


class Writer:
    """A classic capture file being written; a context manager.

    Parameters
    ----------
    path : path
        Replaced if it is there.
    nanoseconds : bool
        Time stamps in nanoseconds, else in microseconds, rounded down.
    order : "little" or "big"
        Byte order of the headers.
    link : int
        Link type of all packets, 1 for Ethernet.
    """

    def __init__(
        self,
        path: str | Path,
        *,
        nanoseconds: bool = True,
        order: Literal["little", "big"] = "little",
        link: int = ETHERNET_LINK,
    ) -> None:
        self._file = open(path, "wb")  # noqa: SIM115 (closed by close)
        self._unit = 1 if nanoseconds else 1000
        self._packet = struct.Struct(("<" if order == "little" else ">") + _PACKET.format)
        header = struct.Struct(self._packet.format[0] + _HEADER.format)
        magic = _NANOSECONDS if nanoseconds else _MICROSECONDS
        self._file.write(header.pack(magic, 2, 4, 0, 0, MAX_LENGTH, link))

    def write(self, timestamp: int, data: bytes, original_length: int | None = None) -> None:
        """Appends a packet stamped with nanoseconds since the epoch.

        Raises
        ------
        FieldError
            A time before 1970 or after 2106, or a packet of more than 262,144 bytes.
        """
        seconds, rest = divmod(timestamp, 1_000_000_000)
        if not 0 <= seconds < 1 << 32:
            raise FieldError("pcap", "timestamp", None, timestamp, "does not fit 4 bytes of seconds")
        if len(data) > MAX_LENGTH:
            raise FieldError("pcap", "captured_length", None, len(data), f"more than {MAX_LENGTH}")
        length = len(data) if original_length is None else original_length
        self._file.write(self._packet.pack(seconds, rest // self._unit, len(data), length) + data)

    def close(self) -> None:
        """Writes what is buffered and closes the file."""
        self._file.close()

    def __enter__(self) -> Writer:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, value: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()


class _Source:
    """A file read in order, that knows where it is."""

    def __init__(self, file: IO[bytes]) -> None:
        self._file, self.position = file, 0

    def take(self, record: str, size: int, *, at: int | None = None) -> bytes:
        """The next ``size`` bytes; at the end of the file fewer are an error."""
        data = self._file.read(size)
        if len(data) < size:
            place = self.position if at is None else at
            raise LengthError(
                record, place, expected=size + self.position - place, found=len(data) + self.position - place
            )
        self.position += size
        return data

    def take_or_end(self, record: str, size: int) -> bytes:
        """The next ``size`` bytes, or none at the end of the file."""
        data = self._file.read(size)
        if data and len(data) < size:
            raise LengthError(record, self.position, expected=size, found=len(data))
        self.position += len(data)
        return data


def _classic(source: _Source, order: str, magic: bytes, unit: int) -> Iterator[Captured]:
    header = magic + source.take("pcap header", _HEADER.size - 4, at=0)
    link = struct.unpack(order + _HEADER.format, header)[6] & 0xFFFF
    packet = struct.Struct(order + _PACKET.format)
    while head := source.take_or_end("pcap packet header", packet.size):
        seconds, fraction, length, original = packet.unpack(head)
        begin = source.position - packet.size
        if length > MAX_LENGTH:
            raise FieldError("pcap", "captured_length", begin + 8, length, f"more than {MAX_LENGTH}")
        data = source.take("pcap packet", length, at=begin)
        yield Captured(seconds * 1_000_000_000 + fraction * unit, data, original, link)


@dataclass(frozen=True, slots=True)
class _Interface:
    """What a pcapng interface block says: a time is ``offset`` seconds and a count of ``1 / ticks``."""

    link: int
    snap: int
    ticks: int
    offset: int


def _next_generation(source: _Source) -> Iterator[Captured]:
    interfaces: list[_Interface] = []
    order, kind, begin = "<", _SECTION, 0
    while True:
        if kind == _SECTION:
            length_bytes = source.take("pcapng section", 4, at=begin)
            mark = source.take("pcapng section", 4, at=begin)
            order = "<" if struct.unpack("<I", mark)[0] == _BYTE_ORDER else ">"
            if struct.unpack(order + "I", mark)[0] != _BYTE_ORDER:
                raise FieldError("pcapng section", "byte_order", begin + 8, mark.hex(), "no byte order mark")
            interfaces = []
        else:
            length_bytes, mark = source.take("pcapng block", 4, at=begin), b""
        (total,) = struct.unpack(order + "I", length_bytes)
        body_length = total - 12 - len(mark)
        if body_length < 0 or total % 4 or total > 16 * MAX_LENGTH:
            raise FieldError("pcapng block", "length", begin + 4, total, "no block has this length")
        body = source.take("pcapng block", body_length, at=begin)
        (again,) = struct.unpack(order + "I", source.take("pcapng block", 4, at=begin))
        if again != total:
            raise FieldError(
                "pcapng block", "length", source.position - 4, again, f"was {total} at the start"
            )
        if kind == _INTERFACE:
            interfaces.append(_interface(body, order, begin))
        elif kind == _ENHANCED:
            yield _enhanced(body, order, begin, interfaces)
        elif kind == _SIMPLE:
            yield _simple(body, order, begin, interfaces)
        begin = source.position
        head = source.take_or_end("pcapng block", 4)
        if not head:
            return
        (kind,) = struct.unpack(order + "I", head)


def _interface(body: bytes, order: str, begin: int) -> _Interface:
    if len(body) < 8:
        raise LengthError("pcapng interface", begin, expected=20, found=len(body) + 12)
    link, _, snap = struct.unpack_from(order + "HHI", body)
    ticks, offset, at = 1_000_000, 0, 8
    while at + 4 <= len(body):
        code, length = struct.unpack_from(order + "HH", body, at)
        value = body[at + 4 : at + 4 + length]
        if code == 0:
            break
        if len(value) < length:
            raise LengthError("pcapng option", begin + 8 + at, expected=length, found=len(value))
        if code == 9 and length == 1:  # if_tsresol
            ticks = 2 ** (value[0] & 0x7F) if value[0] & 0x80 else 10 ** value[0]
        elif code == 14 and length == 8:  # if_tsoffset
            (offset,) = struct.unpack(order + "q", value)
        at += 4 + -(-length // 4) * 4
    return _Interface(link, snap, ticks, offset)


def _enhanced(body: bytes, order: str, begin: int, interfaces: list[_Interface]) -> Captured:
    if len(body) < 20:
        raise LengthError("pcapng packet", begin, expected=32, found=len(body) + 12)
    number, high, low, length, original = struct.unpack_from(order + "IIIII", body)
    if number >= len(interfaces):
        raise FieldError("pcapng packet", "interface", begin + 8, number, f"{len(interfaces)} are declared")
    if 20 + length > len(body):
        raise LengthError("pcapng packet", begin + 20, expected=length, found=len(body) - 20)
    interface = interfaces[number]
    count = (high << 32 | low) * 1_000_000_000 // interface.ticks
    stamp = interface.offset * 1_000_000_000 + count
    return Captured(stamp, body[20 : 20 + length], original, interface.link)


def _simple(body: bytes, order: str, begin: int, interfaces: list[_Interface]) -> Captured:
    if len(body) < 4:
        raise LengthError("pcapng simple packet", begin, expected=16, found=len(body) + 12)
    if not interfaces:
        raise FieldError("pcapng simple packet", "interface", begin, 0, "none is declared")
    (original,) = struct.unpack_from(order + "I", body)
    length = min(original, interfaces[0].snap or original)
    if 4 + length > len(body):
        raise LengthError("pcapng simple packet", begin + 8, expected=length, found=len(body) - 4)
    return Captured(0, body[4 : 4 + length], original, interfaces[0].link)
