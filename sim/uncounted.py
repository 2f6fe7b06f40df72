"""Compilation of loops over many arrays."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeVar, cast

from numba import njit

from wire.compiled import sources_stamp

F = TypeVar("F", bound=Callable[..., Any])


def uncounted(function: F) -> F:
    """``function`` compiled as by :func:`wire.compiled.compiled`, but without counting references to arrays.

    A decorator, for functions that are given all their arrays and make none: counting them, atomically and
    around every call, costs more than the work.
    """
    return _compiled(function)


def inner(function: F) -> F:
    """:func:`uncounted` for what only compiled code calls: it has no way in from Python, which takes as long to
    compile as the function itself.
    """
    return _compiled(function, no_cpython_wrapper=True, no_cfunc_wrapper=True)


def merged(function: F) -> F:
    """:func:`inner`, compiled into its callers: for what is a few instructions."""
    return _compiled(function, no_cpython_wrapper=True, no_cfunc_wrapper=True, forceinline=True)


def _compiled(function: F, **options: bool) -> F:
    dispatcher = njit(cache=True, nogil=True, _nrt=False, **options)(function)
    file = getattr(getattr(dispatcher, "_cache", None), "_cache_file", None)
    if file is not None:  # absent under NUMBA_DISABLE_JIT
        file._source_stamp = (file._source_stamp, sources_stamp(Path(function.__code__.co_filename)))
    return cast(F, dispatcher)
