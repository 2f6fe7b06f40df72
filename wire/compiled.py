"""Compilation of the hot paths: Numba, cached on disk, compiled anew when what they are made of changes.

Numba's own cache looks at one file only, the one a function stands in. What it took in from other files (a
field's offset, a constant table, a function that was inlined) stays as it was when they change. Here the
cache is stamped with the sources of every module of ours that the function's file imports, directly or not.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Callable
from functools import cache
from pathlib import Path
from typing import Any, TypeVar, cast

from numba import njit
from numba.core.caching import IndexDataCacheFile

F = TypeVar("F", bound=Callable[..., Any])

_ROOT = Path(__file__).resolve().parents[1]
_IMPORT = re.compile(
    r"^[ \t]*(?:from[ \t]+([\w.]+)[ \t]+import[ \t]+(\([^)]*\)|[^\n]*)|import[ \t]+([\w., \t]+))",
    re.MULTILINE,
)


def compiled(function: F, **options: bool | str) -> F:
    """``function`` compiled in nopython mode, without the GIL, cached; ``options`` are Numba's.

    A decorator. Inside, nothing raises: results say what was wrong. Integer arithmetic wraps.
    """
    dispatcher = cast(Any, njit)(cache=True, nogil=True, **options)(function)
    kept: Any = getattr(dispatcher, "_cache", None)
    if hasattr(kept, "_impl"):  # absent under NUMBA_DISABLE_JIT
        stamp = sources_stamp(Path(function.__code__.co_filename))
        # In the files' names too: what other sources left there may name types that are no more, and not even load.
        name = f"{kept._impl.filename_base}-{stamp[:16]}"
        kept._cache_file = IndexDataCacheFile(kept._cache_path, name, stamp)
    return cast(F, dispatcher)


def uncounted(function: F, **options: bool | str) -> F:
    """`compiled` without counting references to arrays. A decorator.

    For functions that are given all their arrays, make none and give none back. Numba counts atomically, around every call that
    takes an array: that costs more than what a small function does.
    """
    return compiled(function, _nrt=False, **options)


def inner(function: F) -> F:
    """`uncounted` for what only compiled code calls. A decorator.

    It has no way in from Python, which takes as long to compile as the function itself: a call from Python ends the process.
    """
    return uncounted(function, no_cpython_wrapper=True, no_cfunc_wrapper=True)


def merged(function: F) -> F:
    """`uncounted`, and part of every compiled function that calls it: for inner loops and a few instructions. A decorator."""
    return uncounted(function, forceinline=True)


@cache
def sources_stamp(path: Path) -> str:
    """Digest of a source file and of all our modules that it imports, directly or not."""
    seen: dict[Path, bytes] = {}
    waiting = [path]
    while waiting:
        file = waiting.pop()
        if file not in seen:
            seen[file], imports = _source(file)
            waiting += imports
    digest = hashlib.sha256()
    for file in sorted(seen):
        digest.update(f"{file.name}\0".encode() + seen[file])
    return digest.hexdigest()


@cache
def _source(path: Path) -> tuple[bytes, tuple[Path, ...]]:
    """Digest of one file, and the files of our modules that it imports."""
    try:
        text = path.read_text(encoding="utf-8")
    except OSError:  # a notebook or an interpreter line has no file
        return b"", ()
    found: set[Path] = set()
    for module, names, plain in _IMPORT.findall(text):
        dotted = [name.split()[0] for name in plain.split(",") if name.strip()] if plain else [module]
        if names:
            dotted += [f"{module}.{name}" for name in re.findall(r"\w+", names)]
        for name in dotted:
            place = _ROOT.joinpath(*name.split("."))
            found.update(file for file in (place.with_suffix(".py"), place / "__init__.py") if file.is_file())
    return hashlib.sha256(text.encode()).digest(), tuple(found)
