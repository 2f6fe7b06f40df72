"""Compilation of the engine's parts, which other compiled code calls.

The arrays of the state outlive every call, and no stage makes one or gives one back: there are no references to count. Without
counting them the path takes half the time.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeVar

from wire.compiled import uncounted

F = TypeVar("F", bound=Callable[..., Any])


def stage(function: F) -> F:
    """``function`` as `uncounted` makes it, for compiled code and for Python. A decorator."""
    return uncounted(function, no_cfunc_wrapper=True)
