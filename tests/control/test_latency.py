"""Distributions: quantiles by their definition, nothing lost in a histogram, and a clock only where one was routed."""

import json
from pathlib import Path

import numpy as np
import pytest

from control.latency import of_batches, of_cycles, routed_clock


def test_cycles_are_counted_exactly(rng: np.random.Generator) -> None:
    cycles = rng.integers(10, 16, 5_000)
    found = of_cycles(cycles, "cycles")
    assert found is not None
    assert found.histogram == [(float(c), int((cycles == c).sum())) for c in range(10, 16)]
    assert (found.count, found.minimum, found.maximum) == (5_000, 10, 15)
    assert found.median == np.sort(cycles)[2_499]


def test_a_batch_counts_as_often_as_it_has_items(rng: np.random.Generator) -> None:
    sizes = rng.integers(1, 50, 400)
    each = rng.lognormal(5, 1, 400)
    found = of_batches(each * sizes, sizes, "ns")
    assert found is not None
    spread = np.sort(np.repeat(each, sizes))
    assert found.count == sizes.sum() == sum(count for _, count in found.histogram)
    for share, value in ((0.5, found.median), (0.99, found.p99), (0.999, found.p999)):
        assert value == round(spread[int(np.ceil(share * len(spread))) - 1], 1)
    assert found.histogram[0][0] <= spread[0] * 1.001
    assert found.histogram[-1][0] * 10 ** (1 / 24) >= spread[-1] * 0.999


def test_nothing_measured_is_nothing() -> None:
    assert of_cycles(np.zeros(0, np.int64), "cycles") is None
    assert of_batches(np.array([5]), np.array([0]), "ns") is None


def test_the_clock_is_the_median_of_the_fastest_grade(tmp_path: Path) -> None:
    def run(device: str, speed: int, seed: int, mhz: float) -> dict[str, object]:
        return {"target": {"device": device, "speed": speed, "seed": seed, "mhz": 156.25}, "mhz": mhz}

    routed = [run("um5g-85k", 8, 1, 150.0), run("um5g-85k", 8, 2, 160.0), run("um5g-85k", 8, 3, 152.5)]
    path = tmp_path / "synth.json"
    path.write_text(json.dumps({"figures": [], "routed": [run("85k", 6, 1, 300.0), *routed]}))
    found = routed_clock(path)
    assert found.mhz == 152.5
    assert "um5g-85k, speed grade 8, median of 3 seeds" in found.source


@pytest.mark.parametrize("text", ["", "{}", '{"routed": []}', '{"routed": [{"mhz": 1}]}', '{"routed": 3}'])
def test_without_a_route_there_is_no_clock(tmp_path: Path, text: str) -> None:
    path = tmp_path / "synth.json"
    path.write_text(text)
    assert routed_clock(path).mhz is None
    assert "not been placed and routed" in routed_clock(tmp_path / "none.json").source
