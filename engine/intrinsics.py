"""What Numba has no name for: machine instructions, memory that costs nothing until touched."""

from __future__ import annotations

import mmap
from collections.abc import Callable
from typing import Any, cast

import numpy as np
from llvmlite import ir
from numba import types
from numba.core import cgutils
from numba.extending import intrinsic
from numba.np.arrayobj import make_array

Vector = np.ndarray[Any, np.dtype[Any]]

_HUGE = 1 << 21
_POINTER = ir.IntType(8).as_pointer()
_INT, _BIT = ir.IntType(32), ir.IntType(1)


def zeros(size: int, *huge: tuple[int, int]) -> Vector:
    """``size`` bytes of zeros from a boundary of 2 MiB on; a page is taken when it is first touched.

    Each of ``huge`` is a range of bytes that is used all over, and gets pages of 2 MiB where the machine has
    them.
    """
    memory = mmap.mmap(-1, size + _HUGE, flags=mmap.MAP_PRIVATE | mmap.MAP_ANONYMOUS)
    octets = np.frombuffer(memory, np.uint8)
    begin = -octets.ctypes.data % _HUGE
    if hasattr(mmap, "MADV_HUGEPAGE"):
        for first, last in huge:
            first, last = begin + first & -mmap.PAGESIZE, begin + last
            memory.madvise(mmap.MADV_HUGEPAGE, first, last - first)
    return octets[begin : begin + size]


def _highest_bit(typing_context: Any, word: Any) -> Any:
    """Number of the highest bit set in a 64-bit word that is not 0."""

    def lower(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        return builder.sub(ir.Constant(arguments[0].type, 63), builder.ctlz(arguments[0], ir.Constant(_BIT, 1)))

    return (types.int64(types.int64), lower) if word in (types.int64, types.uint64) else None


def _prefetch(typing_context: Any, memory: Any, at: Any) -> Any:
    """Asks for the cache line of ``memory[at]``, which is about to be read and written. Never faults."""

    def lower(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        base = make_array(signature.args[0])(context, builder, arguments[0]).data
        place = cgutils.pointer_add(builder, base, context.cast(builder, arguments[1], signature.args[1], types.intp))
        function = cgutils.get_or_insert_function(
            builder.module, ir.FunctionType(ir.VoidType(), [_POINTER, _INT, _INT, _INT]), "llvm.prefetch.p0"
        )
        builder.call(function, [place, ir.Constant(_INT, 0), ir.Constant(_INT, 3), ir.Constant(_INT, 1)])
        return context.get_dummy_value()

    return (types.void(memory, at), lower) if isinstance(at, types.Integer) else None


highest_bit = cast(Callable[[int], int], intrinsic(_highest_bit))
prefetch = cast(Callable[[Any, int], None], intrinsic(_prefetch))
