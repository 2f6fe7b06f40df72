"""Integers in ``uint8`` buffers: the readers and writers that every record's fields are made of.

Each is a plain Python function that Numba replaces, where compiled code calls it, by one unaligned load or
store and a byte swap. There is no call, no separate compilation and nothing to cache: a caller compiled with
``cache=True`` loads from its cache in a fresh process.

Results are ``int64`` up to 7 bytes and ``uint64`` for 8 unsigned bytes. Mixing ``uint64`` with ``int64`` in
an expression makes Numba compute in ``float64``: cast first (``np.int64(read(buffer, at))``, free). Nothing
is bounds-checked in compiled code; check the record's length before.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import cache
from typing import Any, Literal

from llvmlite import ir
from numba import types
from numba.core import cgutils
from numba.extending import lower_builtin, type_callable
from numba.np.arrayobj import make_array

Order = Literal["big", "little"]
Read = Callable[[Any, int], int]
Write = Callable[[Any, int, int], None]


@cache
def reader(offset: int, width: int, signed: bool, order: Order) -> Read:
    """``read(buffer, at) -> int`` of the integer of ``width`` bytes at ``at + offset``."""
    _check(width)

    def read(buffer: Any, at: int) -> int:
        begin = at + offset
        if begin < 0 or begin + width > len(buffer):
            raise IndexError(f"bytes {begin} to {begin + width} of a buffer of {len(buffer)}")
        return int.from_bytes(bytes(buffer[begin : begin + width]), order, signed=signed)

    result = types.uint64 if width == 8 and not signed else types.int64

    @type_callable(read)
    def type_read(context: Any) -> Any:
        return lambda buffer, at: result if _is_octets(buffer) and isinstance(at, types.Integer) else None

    @lower_builtin(read, types.Array, types.Integer)
    def lower_read(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        pointer = _pointer(context, builder, signature, arguments, offset, width)
        loaded = builder.load(pointer)
        loaded.align = 1
        wide = loaded if width == 8 else builder.zext(loaded, _WORD)
        spare = ir.Constant(_WORD, 64 - 8 * width)
        if order == "big":
            wide = builder.bswap(wide)
        elif width < 8 and signed:
            wide = builder.shl(wide, spare)
        if width < 8 and (order == "big" or signed):
            wide = builder.ashr(wide, spare) if signed else builder.lshr(wide, spare)
        return wide

    read.__name__ = f"read_{offset}_{width}_{order}"
    return read


@cache
def writer(offset: int, width: int, order: Order) -> Write:
    """``write(buffer, at, value)`` of the low ``8 * width`` bits of ``value`` to ``at + offset``."""
    _check(width)
    mask = (1 << 8 * width) - 1

    def write(buffer: Any, at: int, value: int) -> None:
        begin = at + offset
        if begin < 0 or begin + width > len(buffer):
            raise IndexError(f"bytes {begin} to {begin + width} of a buffer of {len(buffer)}")
        for i, octet in enumerate((int(value) & mask).to_bytes(width, order)):
            buffer[begin + i] = octet

    @type_callable(write)
    def type_write(context: Any) -> Any:
        def typer(buffer: Any, at: Any, value: Any) -> Any:
            whole = isinstance(at, types.Integer) and isinstance(value, types.Integer | types.Boolean)
            return types.none if _is_octets(buffer) and buffer.mutable and whole else None

        return typer

    @lower_builtin(write, types.Array, types.Integer, types.Integer)
    @lower_builtin(write, types.Array, types.Integer, types.Boolean)
    def lower_write(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        pointer = _pointer(context, builder, signature, arguments, offset, width)
        source = signature.args[2]
        wide_type = types.int64 if getattr(source, "signed", False) else types.uint64
        wide = context.cast(builder, arguments[2], source, wide_type)
        if order == "big":
            wide = builder.bswap(wide)
            if width < 8:
                wide = builder.lshr(wide, ir.Constant(_WORD, 64 - 8 * width))
        narrow = wide if width == 8 else builder.trunc(wide, ir.IntType(8 * width))
        builder.store(narrow, pointer).align = 1
        return context.get_dummy_value()

    write.__name__ = f"write_{offset}_{width}_{order}"
    return write


_WORD = ir.IntType(64)


def _check(width: int) -> None:
    if not 1 <= width <= 8:
        raise ValueError(f"an integer of {width} bytes: 1 to 8 are possible")


def _is_octets(buffer: Any) -> bool:
    """A contiguous vector of bytes, writable or not."""
    return (
        isinstance(buffer, types.Array)
        and buffer.ndim == 1
        and buffer.layout == "C"
        and buffer.dtype == types.uint8
    )


def _pointer(context: Any, builder: Any, signature: Any, arguments: Any, offset: int, width: int) -> Any:
    """Pointer to ``buffer[at + offset]`` as an integer of ``width`` bytes."""
    base = make_array(signature.args[0])(context, builder, arguments[0]).data
    at = context.cast(builder, arguments[1], signature.args[1], types.intp)
    place = cgutils.pointer_add(builder, base, builder.add(at, ir.Constant(at.type, offset)))
    return builder.bitcast(place, ir.IntType(8 * width).as_pointer())
