"""What compiled FIX code is made with: functions that become part of their callers, and the numbers that they work with."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeVar, cast

import numpy as np
from numba.cpython.unsafe.numbers import trailing_zeros

from wire.compiled import compiled

F = TypeVar("F", bound=Callable[..., Any])

signed: Callable[[Any], int] = cast(Any, np.int64)
"""A signed 64-bit number: what arithmetic with bytes begins with."""
zeros_below: Callable[[int], Any] = cast(Any, trailing_zeros)
"""How many bits are 0 below the lowest that is 1."""


def inlined(function: F) -> F:
    """:func:`~wire.compiled.compiled`, and part of every compiled function that calls it: 125 ns instead of 205. A decorator."""
    return compiled(function, inline="always")
