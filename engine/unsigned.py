"""Comparison of 64-bit words as unsigned numbers.

State is kept in ``int64`` words, since Numba turns a mix of ``int64`` and ``uint64`` into floating point. Sums and
differences are the same bits either way; what differs is the order, and that is here.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from engine.stage import stage

ONE = np.uint64(1)
"""What a counter counts by: with a plain 1 Numba would add in floating point."""


@stage
def word(value: Any) -> int:
    """Any integer as an ``int64`` word, bit by bit."""
    result: Any = np.int64(value)
    return result


@stage
def above(a: int, b: int) -> bool:
    """Whether ``a > b``, both unsigned."""
    return bool(np.uint64(a) > np.uint64(b))


@stage
def larger(a: int, b: int) -> int:
    """The larger of two unsigned words."""
    return a if np.uint64(a) > np.uint64(b) else b


@stage
def signed32(value: int) -> int:
    """The low 32 bits as a signed number."""
    return ((value & 0xFFFFFFFF) ^ 0x80000000) - 0x80000000
