"""Compilation of the path's stages, which compiled code calls."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeVar

from wire.compiled import compiled

F = TypeVar("F", bound=Callable[..., Any])


def stage(function: F) -> F:
    """``function`` as `compiled` makes it, but without counting references to arrays. A decorator.

    The arrays of the state outlive every call, so nobody needs the count; without it the path takes
    half the time.
    A stage makes no array and gives none back.
    """
    return compiled(function, _nrt=False, no_cfunc_wrapper=True)
