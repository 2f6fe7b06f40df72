"""System calls for compiled code, resolved when it is linked, so that it can be kept in the cache.

Addresses are integers. A call that fails gives -1; :func:`last_error` says why, in the same thread.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, cast

import numpy as np
from llvmlite import ir
from numba import types
from numba.extending import intrinsic
from numba.np.arrayobj import make_array

from wire.compiled import compiled

EAGAIN, EINTR = 11, 4
MSG_DONTWAIT, MSG_NOSIGNAL = 0x40, 0x4000
CLOCK_MONOTONIC = 1

_int, _long, _address = types.int32, types.int64, types.uintp
recvmmsg: Any = types.ExternalFunction("recvmmsg", _int(_int, _address, types.uint32, _int, _address))
recv: Any = types.ExternalFunction("recv", _long(_int, _address, types.uint64, _int))
send: Any = types.ExternalFunction("send", _long(_int, _address, types.uint64, _int))
usleep: Any = types.ExternalFunction("usleep", _int(types.uint32))
_clock_gettime: Any = types.ExternalFunction("clock_gettime", _int(_int, _address))
_errno_location: Any = types.ExternalFunction("__errno_location", _address())


def _load(typing_context: Any, memory: Any, at: Any) -> Any:
    """A number of an integer array, with what was written before it was stored (acquire)."""

    def lower(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        base = make_array(signature.args[0])(context, builder, arguments[0]).data
        place = builder.gep(base, [context.cast(builder, arguments[1], signature.args[1], types.intp)])
        return builder.load_atomic(place, "acquire", memory.dtype.bitwidth // 8)

    return (memory.dtype(memory, at), lower) if isinstance(at, types.Integer) else None


def _store(typing_context: Any, memory: Any, at: Any, value: Any) -> Any:
    """Stores a number in an integer array after everything that was written before (release)."""

    def lower(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        base = make_array(signature.args[0])(context, builder, arguments[0]).data
        place = builder.gep(base, [context.cast(builder, arguments[1], signature.args[1], types.intp)])
        number = context.cast(builder, arguments[2], signature.args[2], memory.dtype)
        builder.store_atomic(number, place, "release", memory.dtype.bitwidth // 8)
        return context.get_dummy_value()

    return (types.void(memory, at, value), lower) if isinstance(at, types.Integer) else None


def _peek(typing_context: Any, address: Any) -> Any:
    """The 32-bit number at an address."""

    def lower(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        number = ir.IntType(32)
        return builder.load(builder.inttoptr(arguments[0], number.as_pointer()))

    return (types.int32(types.uintp), lower) if isinstance(address, types.Integer) else None


load_acquire = cast(Callable[[Any, int], int], intrinsic(_load))
store_release = cast(Callable[[Any, int, int], None], intrinsic(_store))
peek = cast(Callable[[int], int], intrinsic(_peek))


@compiled
def last_error() -> int:
    """``errno`` of this thread."""
    return peek(_errno_location())


@compiled
def monotonic(scratch: Any) -> int:
    """CLOCK_MONOTONIC in ns. ``scratch`` has two int64 words."""
    _clock_gettime(np.int32(CLOCK_MONOTONIC), scratch.ctypes.data)
    return scratch[0] * 1_000_000_000 + scratch[1]
