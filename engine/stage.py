"""Compilation of the engine's parts, which other compiled code calls.

Numba counts references to arrays atomically, around every call that takes one. The arrays of the state outlive every
call, and neither a stage nor what is merged into one makes an array or gives one back: there is nothing to count.
Without it the path takes half the time.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeVar

from wire.compiled import compiled

F = TypeVar("F", bound=Callable[..., Any])


def stage(function: F) -> F:
    """``function`` as `compiled` makes it, but without counting references. A decorator."""
    return compiled(function, _nrt=False, no_cfunc_wrapper=True)


def merged(function: F) -> F:
    """``function`` compiled into its callers, and without counting references. A decorator, for the inner loops."""
    return compiled(function, _nrt=False, forceinline=True)
