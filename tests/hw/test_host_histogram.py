"""The latency histogram against NumPy: every sample in exactly one snapshot, in its bucket, at one sample per cycle."""

from __future__ import annotations

import gc
import itertools
import warnings

import numpy as np
import pytest
from amaranth.hdl import UnusedElaboratable

from hw.host.histogram import LatencyHistogram
from tests.hw.verilated import Model

pytestmark = [pytest.mark.gateware, pytest.mark.twin]

BUCKETS = 64
NONE = 0xFFFFFFFF


@pytest.fixture(scope="module")
def shared() -> Model:
    return Model(LatencyHistogram(BUCKETS))


@pytest.fixture
def model(shared: Model) -> Model:
    """Power on again: what is in the memories stays, so the first snapshot clears both banks."""
    shared["i__valid"].value = shared["snapshot"].value = 0
    snapshot(shared, [])
    snapshot(shared, [])
    return shared


def feed(model: Model, samples, taken: list[int]) -> None:
    """Samples, one a cycle; -1 is a cycle without."""
    valid, payload, ready = (model[f"i__{name}"] for name in ("valid", "payload", "ready"))
    for sample in samples:
        valid.value = sample >= 0
        if sample >= 0:
            payload.value = sample
            taken.append(sample)
        model.settle()
        assert ready.value
        model.step()
    valid.value = 0


def snapshot(model: Model, samples: list[int]) -> tuple[list[int], list[int]]:
    """Asks for a snapshot while samples go on; those that are in it, and those that are in the next."""
    inside, after = [], []
    made, waiting = model["snapshots"].value, list(samples)
    model["snapshot"].value = 1
    for cycle in itertools.count():
        # The sweep begins a cycle after the request, and the banks change places when it has ended.
        feed(model, [waiting.pop(0) if waiting else -1], inside if cycle <= BUCKETS else after)
        model["snapshot"].value = 0
        if not model["busy"].value:
            break
    feed(model, waiting, after)
    assert model["snapshots"].value == (made + 1) % (1 << 16)
    model.step()
    return inside, after


def buckets(model: Model) -> np.ndarray:
    """The buckets of the snapshot, read as a host does, one after the other."""
    found = []
    for number in range(BUCKETS + 4):
        model["index"].value = min(number, BUCKETS - 1)
        model.step()
        found.append(model["data"].value)
    return np.array(found[3:-1])


def check(model: Model, samples: list[int]) -> None:
    """The snapshot holds these samples and no others."""
    array = np.array(samples, np.uint64)
    expected, _ = np.histogram(np.minimum(array, BUCKETS - 1), bins=np.arange(BUCKETS + 1))
    np.testing.assert_array_equal(buckets(model), expected)
    assert model["count"].value == len(array)
    assert model["sum"].value == int(array.sum())
    assert model["minimum"].value == (int(array.min()) if len(array) else NONE)
    assert model["maximum"].value == (int(array.max()) if len(array) else 0)


KINDS = {
    "one length, every cycle": lambda rng, n: np.full(n, rng.integers(0, BUCKETS)),
    "two lengths in turn": lambda rng, n: np.tile(rng.integers(0, BUCKETS, 2), n)[:n],
    "three lengths in turn": lambda rng, n: np.tile(rng.integers(0, BUCKETS, 3), n)[:n],
    "four lengths in turn": lambda rng, n: np.tile(rng.integers(0, BUCKETS, 4), n)[:n],
    "a few lengths": lambda rng, n: rng.integers(10, 14, n),
    "all lengths": lambda rng, n: rng.integers(0, BUCKETS + 10, n),
    "far beyond": lambda rng, n: rng.integers(0, 1 << 32, n),
    "with pauses": lambda rng, n: np.where(rng.random(n) < 0.6, rng.integers(8, 12, n), -1),
    "none": lambda rng, n: np.full(n, -1),
}


@pytest.mark.parametrize("kind", KINDS)
def test_every_sample_is_counted_in_its_bucket(model, rng, kind):
    waiting: list[int] = []
    for _ in range(5):
        samples = [int(each) for each in KINDS[kind](rng, int(rng.integers(500, 3000)))]
        feed(model, samples, waiting)
        snapshot(model, [])
        check(model, waiting)
        waiting.clear()


@pytest.mark.parametrize("kind", KINDS)
def test_a_snapshot_loses_nothing_and_counts_nothing_twice_while_samples_go_on(model, rng, kind):
    waiting: list[int] = []
    for _ in range(8):
        during = [int(each) for each in KINDS[kind](rng, 2 * BUCKETS + int(rng.integers(0, 40)))]
        inside, later = snapshot(model, during)
        check(model, waiting + inside)
        waiting = later
        feed(model, [int(each) for each in KINDS[kind](rng, int(rng.integers(0, 300)))], waiting)


def test_a_snapshot_stands_still_until_the_next(model, rng):
    waiting = [int(each) for each in rng.integers(0, 20, 400)]
    feed(model, waiting, [])
    snapshot(model, [])
    for _ in range(3):
        check(model, waiting)
        feed(model, [int(each) for each in rng.integers(0, 20, 400)], [])


def test_a_snapshot_while_one_is_made_is_none(model):
    feed(model, [5] * 10, [])
    made = model["snapshots"].value
    model["snapshot"].value = 1
    for _ in range(3 * BUCKETS):
        model.step()
        if model["snapshots"].value != made:
            break
    model["snapshot"].value = 0
    assert model["snapshots"].value == made + 1
    assert not model["busy"].value
    check(model, [5] * 10)


@pytest.mark.parametrize("wrong", [2, 48])
def test_an_impossible_number_of_buckets_is_refused(wrong):
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", UnusedElaboratable)
        with pytest.raises(ValueError, match=f"buckets is {wrong}"):
            LatencyHistogram(wrong)
        gc.collect()
