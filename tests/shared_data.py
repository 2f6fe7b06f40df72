"""Recorded data that lies beside the checkout and is not part of it."""

import os
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]


def shared_directory() -> Path:
    """Where the recorded data lies: ``../shared/data``, or what ``HAIRPIN_SHARED_DATA`` names."""
    return Path(os.environ.get("HAIRPIN_SHARED_DATA") or ROOT.parent / "shared" / "data")


def shared_data(name: str) -> Path:
    """Path of one recorded file or folder, such as ``itch/AMZN_2012-06-21_level5.itch.gz``.

    The calling test is skipped, saying what it misses, where the data is not there. When the data is
    there but has no such name, that is a mistake in the test: ``FileNotFoundError``.
    """
    directory = shared_directory()
    if not directory.is_dir():
        pytest.skip(f"no recorded data: {name} is looked for in ../shared/data or $HAIRPIN_SHARED_DATA")
    path = directory / name
    if not path.exists():
        raise FileNotFoundError(f"{directory} has no {name}")
    return path
