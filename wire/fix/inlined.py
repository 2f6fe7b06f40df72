"""``inlined``: compiled into its callers before Numba counts references.

A call passes arrays with their reference counts, which cost more than what these small functions do.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeVar

from wire.compiled import compiled

F = TypeVar("F", bound=Callable[..., Any])


def inlined(function: F) -> F:
    """:func:`~wire.compiled.compiled`, and part of every compiled function that calls it. A decorator."""
    return compiled(function, inline="always")
