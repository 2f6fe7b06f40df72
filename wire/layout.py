"""Declarations of fixed-layout records, and what is derived from them.

A :class:`Record` is declared once, field by field. From it come

* ``dtype``: the NumPy structured dtype of the bytes as they lie in memory,
* ``reader(name)`` and ``writer(name)``: Numba functions on a ``uint8`` buffer,
* ``unpack`` and ``pack``: the Python API, with typed errors,
* ``bits(signal, name)`` and ``layout()``: the Amaranth side, byte 0 in the low bits.

Wire protocols are big-endian, records between host and device little-endian.
"""

from __future__ import annotations

import operator
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any, Literal

import numpy as np

from wire import buffers
from wire.errors import FieldError, LengthError, TypeCodeError

if TYPE_CHECKING:
    from collections.abc import Callable

    from amaranth.hdl import Value
    from amaranth.lib import data

type_ = type
Kind = Literal["int", "signed", "alpha", "raw"]
Order = Literal["big", "little"]


@dataclass(frozen=True, slots=True)
class Field:
    """One field: ``kind`` is ``int`` (unsigned), ``signed``, ``alpha`` (padded with spaces) or ``raw``.

    ``offset`` and ``width`` are in bytes. ``doc`` says unit and meaning.
    """

    name: str
    offset: int
    width: int
    kind: Kind
    doc: str = ""

    @property
    def end(self) -> int:
        """Offset of the byte after the field."""
        return self.offset + self.width


def field(name: str, width: int, kind: Kind = "int", doc: str = "") -> tuple[str, int, Kind, str]:
    """A field of a declaration; its offset follows from its place."""
    return (name, width, kind, doc)


class Record:
    """A record of fixed length.

    Parameters
    ----------
    name : str
        The name the specification gives it.
    fields : tuples from :func:`field`
        In wire order, without holes.
    code : str or None
        The type character in byte 0 where the protocol has one.
    order : "big" or "little"
        Byte order of the integers.
    """

    def __init__(
        self, name: str, *fields: tuple[str, int, Kind, str], code: str | None = None, order: Order = "big"
    ) -> None:
        self.name, self.code, self.order = name, code, order
        placed, offset = [], 0
        for field_name, width, kind, doc in fields:
            if width < 1 or (kind in ("int", "signed") and width > 8):
                raise ValueError(f"{name}.{field_name}: width {width} does not fit kind {kind!r}")
            placed.append(Field(field_name, offset, width, kind, doc))
            offset += width
        self.fields: tuple[Field, ...] = tuple(placed)
        self.length = offset
        self._by_name = {f.name: f for f in self.fields}
        if len(self._by_name) != len(self.fields):
            raise ValueError(f"{name}: a field name occurs twice")

    def __repr__(self) -> str:
        return f"Record({self.name!r}, code={self.code!r}, length={self.length})"

    def __getitem__(self, name: str) -> Field:
        return self._by_name[name]

    def offset(self, name: str) -> int:
        """Offset of a field in bytes; a constant for compiled code."""
        return self._by_name[name].offset

    # -- NumPy ---------------------------------------------------------------------------------

    @cached_property
    def dtype(self) -> np.dtype[np.void]:
        """Packed structured dtype of the bytes.

        Raw fields and integers of odd width (3, 5, 6, 7) are ``(u1, width)``.
        """
        mark = ">" if self.order == "big" else "<"

        def of(f: Field) -> Any:
            if f.kind in ("int", "signed") and f.width in (1, 2, 4, 8):
                return f"{mark}{'u' if f.kind == 'int' else 'i'}{f.width}"
            return f"S{f.width}" if f.kind == "alpha" else ("u1", (f.width,))

        return np.dtype([(f.name, of(f)) for f in self.fields])

    # -- Numba ---------------------------------------------------------------------------------

    def reader(self, name: str) -> Callable[[Any, int], int]:
        """Compiled ``read(buffer, at) -> int`` of one field of the record that begins at ``at``.

        ``int64`` for fields of up to 7 bytes, ``uint64`` for 8 unsigned ones: see :mod:`wire.buffers`. An
        alpha field of up to 8 bytes reads as the integer of its bytes, so that a character is its code and a
        name is a key.
        """
        f = self._by_name[name]
        return buffers.reader(f.offset, f.width, f.kind == "signed", self.order)

    def writer(self, name: str) -> Callable[[Any, int, int], None]:
        """Compiled ``write(buffer, at, value)`` of one field, the inverse of :meth:`reader`."""
        f = self._by_name[name]
        return buffers.writer(f.offset, f.width, self.order)

    # -- Python --------------------------------------------------------------------------------

    def unpack(
        self, data_: bytes | bytearray | memoryview, at: int = 0, *, exact: bool = True
    ) -> dict[str, Any]:
        """The fields of the record at ``at``: ``int``, alpha as ``str`` without padding, raw as ``bytes``.

        Raises
        ------
        LengthError
            Too short, or too long when ``exact``.
        TypeCodeError
            Byte 0 is not the record's type character.
        FieldError
            An alpha field is not ASCII.
        """
        have = len(data_) - at
        if have < self.length or (exact and have != self.length):
            raise LengthError(self.name, at, expected=self.length, found=have)
        if self.code is not None and data_[at] != ord(self.code):
            raise TypeCodeError(self.name, at, expected=self.code, found=data_[at])
        out: dict[str, Any] = {}
        for f in self.fields:
            piece = bytes(data_[at + f.offset : at + f.end])
            if f.kind == "raw":
                out[f.name] = piece
            elif f.kind == "alpha":
                try:
                    out[f.name] = piece.decode("ascii").rstrip(" ")
                except UnicodeDecodeError as error:
                    raise FieldError(self.name, f.name, at + f.offset, piece, "not ASCII") from error
            else:
                out[f.name] = int.from_bytes(piece, self.order, signed=f.kind == "signed")
        return out

    def pack(self, values: Mapping[str, Any] | None = None, /, **more: Any) -> bytes:
        """The bytes of a record: integers default to 0, alpha to spaces, the type character is filled in.

        Raises
        ------
        FieldError
            A name that the record does not have, or a value that does not fit its field.
        """
        given = {**(values or {}), **more}
        for name in given.keys() - self._by_name.keys():
            raise FieldError(self.name, name, None, given[name], "no such field")
        out = bytearray(self.length)
        for f in self.fields:
            value = given.get(f.name)
            if f.offset == 0 and self.code is not None:
                if value not in (None, self.code):
                    raise FieldError(self.name, f.name, 0, value, f"the type is {self.code!r}")
                value = self.code
            out[f.offset : f.end] = self._bytes_of(f, value)
        return bytes(out)

    def _bytes_of(self, f: Field, value: Any) -> bytes:
        if f.kind in ("int", "signed"):
            try:
                number = 0 if value is None else operator.index(value)
                return number.to_bytes(f.width, self.order, signed=f.kind == "signed")
            except OverflowError as error:
                raise FieldError(
                    self.name, f.name, f.offset, value, f"does not fit {f.width} bytes"
                ) from error
            except TypeError as error:
                raise FieldError(self.name, f.name, f.offset, value, "not a whole number") from error
        if value is None:
            piece = b""
        elif isinstance(value, str):
            try:
                piece = value.encode("ascii")
            except UnicodeEncodeError as error:
                raise FieldError(self.name, f.name, f.offset, value, "not ASCII") from error
        elif isinstance(value, bytes | bytearray | memoryview):
            piece = bytes(value)
        else:
            raise FieldError(self.name, f.name, f.offset, value, "neither text nor bytes")
        if len(piece) > f.width:
            raise FieldError(self.name, f.name, f.offset, value, f"longer than {f.width} bytes")
        return piece.ljust(f.width, b" " if f.kind == "alpha" else b"\0")

    # -- Amaranth ------------------------------------------------------------------------------

    def bits(self, signal: Value, name: str) -> Value:
        """The field's value in a signal that holds the record with byte 0 in bits 0..7, byte order undone."""
        from amaranth.hdl import Cat

        f = self._by_name[name]
        octets = [signal[8 * i : 8 * i + 8] for i in range(f.offset, f.end)]
        if f.kind in ("int", "signed") and self.order == "big":
            octets.reverse()
        value: Value = Cat(*octets)
        return value.as_signed() if f.kind == "signed" else value

    def octets(self, values: Mapping[str, Value | int | bytes | str]) -> Value:
        """The inverse of :meth:`bits`: ``8 * length`` bits from field values (missing: 0, alpha spaces)."""
        from amaranth.hdl import Cat, Const, Value

        parts: list[Value] = []
        for f in self.fields:
            value = values.get(f.name)
            if f.offset == 0 and self.code is not None and value is None:
                value = self.code
            if value is None or isinstance(value, int | bytes | str):
                piece = self._bytes_of(f, value)
                parts.append(Const(int.from_bytes(piece, "little"), 8 * f.width))
                continue
            whole = Value.cast(value)
            width = 8 * f.width
            wide = (whole | Const(0, width))[:width]  # extended by its own sign
            octets = [wide[8 * i : 8 * i + 8] for i in range(f.width)]
            if f.kind in ("int", "signed") and self.order == "big":
                octets.reverse()
            parts.extend(octets)
        return Cat(*parts)

    def layout(self) -> data.StructLayout:
        """Amaranth struct of the bytes, byte 0 in the low bits; little-endian fields are values."""
        from amaranth.hdl import signed, unsigned
        from amaranth.lib import data as amaranth_data

        return amaranth_data.StructLayout(
            {f.name: (signed if f.kind == "signed" else unsigned)(8 * f.width) for f in self.fields}
        )


class Family:
    """The records of one protocol and direction, found by type character."""

    def __init__(self, name: str, *records: Record) -> None:
        self.name = name
        self.records = records
        self.by_code: dict[int, Record] = {ord(r.code): r for r in records if r.code is not None}

    @cached_property
    def lengths(self) -> np.ndarray[Any, np.dtype[np.uint8]]:
        """Length by type byte, 256 entries, 0 where the protocol has no such type; for compiled code."""
        table = np.zeros(256, np.uint8)
        for code, record in self.by_code.items():
            table[code] = record.length
        table.flags.writeable = False
        return table

    @cached_property
    def indices(self) -> np.ndarray[Any, np.dtype[np.int8]]:
        """Place in ``records`` by type byte, 256 entries, -1 where the protocol has no such type."""
        table = np.full(256, -1, np.int8)
        for i, record in enumerate(self.records):
            if record.code is not None:
                table[ord(record.code)] = i
        table.flags.writeable = False
        return table

    def of(self, data_: bytes | bytearray | memoryview, at: int = 0) -> Record:
        """The record whose type character stands at ``at``.

        Raises
        ------
        LengthError
            Nothing is there.
        TypeCodeError
            The protocol has no such type.
        """
        if len(data_) <= at:
            raise LengthError(self.name, at, expected=1, found=0)
        record = self.by_code.get(data_[at])
        if record is None:
            raise TypeCodeError(self.name, at, expected="".join(map(chr, self.by_code)), found=data_[at])
        return record

    def unpack(self, data_: bytes | bytearray | memoryview, at: int = 0) -> dict[str, Any]:
        """Fields of one whole message; see :meth:`Record.unpack`."""
        return self.of(data_, at).unpack(data_, at)
