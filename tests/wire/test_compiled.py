"""Compiled code is loaded from the cache in a fresh process, and made anew when a declaration it used
changes.
"""

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

import wire
from wire.compiled import sources_stamp

ROOT = Path(wire.__file__).parents[1]

CALLER = '''
"""A module that uses a record's fields in compiled code."""
import numpy as np
from wire.compiled import compiled
from wire.layout_of_test import SAMPLE

_price = SAMPLE.reader("price")

@compiled
def read(buffer):
    return _price(buffer, 0)

buffer = np.arange(16, dtype=np.uint8)
print(read(buffer), sum(read.stats.cache_hits.values()), sum(read.stats.cache_misses.values()))
'''
DECLARATION = """
from wire.layout import Record, field
SAMPLE = Record("Sample", {fields})
"""


@pytest.fixture
def checkout(tmp_path: Path) -> Path:
    """A copy of `wire` beside a caller of its own."""
    shutil.copytree(ROOT / "wire", tmp_path / "wire", ignore=shutil.ignore_patterns("__pycache__"))
    (tmp_path / "caller.py").write_text(CALLER)
    return tmp_path


def run(checkout: Path, fields: str) -> list[int]:
    """Value read, cache hits, cache misses of one start of the caller."""
    (checkout / "wire" / "layout_of_test.py").write_text(DECLARATION.format(fields=fields))
    environment = {**os.environ, "PYTHONPATH": str(checkout), "NUMBA_CACHE_DIR": str(checkout / "cache")}
    environment["PYTHONDONTWRITEBYTECODE"] = "1"  # Python's own cache does not see a change within a second
    done = subprocess.run(
        [sys.executable, "caller.py"],
        cwd=checkout,
        env=environment,
        capture_output=True,
        text=True,
        check=True,
    )
    return [int(word) for word in done.stdout.split()]


def test_a_fresh_process_loads_from_the_cache_until_a_declaration_changes(checkout: Path) -> None:
    before = 'field("type", 1), field("price", 2)'
    after = 'field("type", 4), field("price", 2)'
    assert run(checkout, before) == [0x0102, 0, 1]
    assert run(checkout, before) == [0x0102, 1, 0]
    assert run(checkout, after) == [0x0405, 0, 1]
    assert run(checkout, after) == [0x0405, 1, 0]


def test_the_stamp_covers_what_is_imported_at_any_depth(checkout: Path) -> None:
    sample = checkout / "wire" / "layout_of_test.py"
    sample.write_text(DECLARATION.format(fields='field("a", 1)'))
    program = (
        "from pathlib import Path; from wire.compiled import sources_stamp; "
        "print(sources_stamp(Path('caller.py').resolve()))"
    )
    environment = {**os.environ, "PYTHONPATH": str(checkout)}

    def stamp() -> str:
        command = [sys.executable, "-c", program]
        return subprocess.run(
            command, cwd=checkout, env=environment, capture_output=True, text=True, check=True
        ).stdout

    first = stamp()
    assert stamp() == first
    with open(checkout / "wire" / "errors.py", "a") as file:  # imported by layout, not by the caller
        file.write("\n")
    assert stamp() != first


def test_a_source_that_is_not_there_has_a_stamp() -> None:
    assert sources_stamp(Path("<stdin>")) == sources_stamp(Path("<stdin>"))
