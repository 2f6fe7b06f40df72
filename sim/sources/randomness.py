"""Random integers in compiled code: the same from a seed on every machine and every version of Numba.

The generator is SplitMix64 (Steele, Lea, Flood 2014); its state is a ``uint64`` vector of one. Distributions come from
:func:`quantiles`, tables that are looked up with a uniform index, so that no floating point is in the loop.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from sim.sources.tape import Vector
from wire.compiled import compiled

QUANTILES = 1 << 12


def quantiles(inverse: Callable[[Vector], Vector]) -> Vector:
    """A distribution as the ``int64`` values at the middles of equal shares of probability, from its inverse CDF."""
    middles = (np.arange(QUANTILES) + 0.5) / QUANTILES
    return np.rint(inverse(middles)).astype(np.int64)


def seeded(*key: int) -> Vector:
    """The state that belongs to some integers."""
    return np.random.SeedSequence(key).generate_state(1, np.uint64)


@compiled
def draw(state: Any) -> np.uint64:
    """The next 64 random bits."""
    state[0] += np.uint64(0x9E3779B97F4A7C15)
    z = state[0]
    z = (z ^ (z >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
    z = (z ^ (z >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    return z ^ (z >> np.uint64(31))


@compiled
def below(state: Any, n: int) -> int:
    """A uniform integer of 0..n-1; ``n`` is at most 2^31."""
    return np.int64(((draw(state) >> np.uint64(32)) * np.uint64(n)) >> np.uint64(32))


@compiled
def pick(state: Any, table: Any) -> int:
    """A draw from a table of :func:`quantiles`."""
    return table[np.int64(draw(state) >> np.uint64(52))]
