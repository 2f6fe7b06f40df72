"""Where compiled code is kept: somewhere that can be written to, told to Numba in time."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
SCRIPT = """
import engine, numba
from engine import book
made = book.create(1, 64, 8)
book.map_symbol(made, 0, 1, 0, 100, 6_400)
print(numba.config.CACHE_DIR)
"""


def cache_directory(script: str = SCRIPT, **environment: str | Path) -> Path:
    """What Numba uses in a process of its own."""
    inherited = {name: value for name, value in os.environ.items() if "CACHE" not in name}
    done = subprocess.run(
        [sys.executable, "-c", script],
        env=inherited | {name: str(value) for name, value in environment.items()},
        cwd=ROOT,
        check=True,
        capture_output=True,
        text=True,
    )
    return Path(done.stdout.strip())


@pytest.fixture
def blocked(tmp_path: Path) -> Path:
    """A path below which no folder can be made, not even by root."""
    (tmp_path / "file").touch()
    return tmp_path / "file" / "cache"


def test_it_is_below_what_hairpin_cache_names_and_is_filled(tmp_path: Path) -> None:
    folder = cache_directory(HAIRPIN_CACHE=tmp_path)
    assert folder.parent == tmp_path / "numba"
    assert list(folder.rglob("*.nbi"))


def test_it_is_in_time_when_numba_was_imported_before(tmp_path: Path) -> None:
    assert cache_directory("import wire.compiled" + SCRIPT, HAIRPIN_CACHE=tmp_path).parent == tmp_path / "numba"


def test_what_numba_was_told_by_name_stays(tmp_path: Path) -> None:
    assert cache_directory(NUMBA_CACHE_DIR=tmp_path, HAIRPIN_CACHE=tmp_path / "other") == tmp_path


def test_without_a_folder_to_write_to_it_is_the_users_own(blocked: Path, tmp_path: Path) -> None:
    folder = cache_directory(HAIRPIN_CACHE=blocked, XDG_CACHE_HOME=tmp_path / "home")
    assert folder.parent == tmp_path / "home" / "hairpin" / "numba"


def test_without_any_folder_it_is_a_passing_one(blocked: Path, tmp_path: Path) -> None:
    folder = cache_directory(HAIRPIN_CACHE=blocked, XDG_CACHE_HOME=blocked, TMPDIR=tmp_path)
    assert folder.parent == tmp_path
