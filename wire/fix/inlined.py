"""What compiled FIX code is made with.

``inlined`` functions become part of their callers before Numba counts references: a call passes arrays with their
reference counts, which cost more than what these small functions do.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeVar, cast

import numpy as np
from llvmlite.ir import Constant
from numba import types
from numba.cpython.unsafe.numbers import trailing_zeros
from numba.extending import lower_builtin, type_callable
from numba.np.arrayobj import make_array

from wire.compiled import compiled

F = TypeVar("F", bound=Callable[..., Any])

signed: Callable[[Any], int] = cast(Any, np.int64)
"""A signed 64-bit number: what arithmetic with bytes begins with."""
zeros_below: Callable[[int], Any] = cast(Any, trailing_zeros)
"""How many bits are 0 below the lowest that is 1."""


def unowned(array: Any) -> Any:
    """The array without its reference count: a view that keeps nothing alive.

    What an inlined function is given is counted up and down each time, which costs more than storing a number.
    Only for an argument's own use: the caller holds the array.
    """
    return array


@type_callable(unowned)
def _type_unowned(context: Any) -> Any:
    return lambda array: array if isinstance(array, types.Array) else None


@lower_builtin(unowned, types.Array)
def _lower_unowned(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
    view = make_array(signature.args[0])(context, builder, arguments[0])
    view.meminfo = Constant(view.meminfo.type, None)
    return view._getvalue()


def inlined(function: F) -> F:
    """:func:`~wire.compiled.compiled`, and part of every compiled function that calls it. A decorator."""
    return compiled(function, inline="always")
