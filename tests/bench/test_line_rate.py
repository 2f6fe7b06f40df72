"""The card at line rate, shorter than `make bench ONLY=line_rate`, and that what it says could be otherwise."""

import pytest

from bench import line_rate
from sim.twin import power_on

pytestmark = [pytest.mark.twin, pytest.mark.gateware]

MESSAGES = 30_000


@pytest.fixture(scope="module")
def twin():
    with power_on(**line_rate.SIZES) as twin:
        yield twin


@pytest.mark.parametrize("alone", [False, True], ids=["largest packets", "smallest packets"])
def test_nothing_is_lost_or_held_up_and_the_books_are_the_engines(twin, alone):
    found = line_rate.whole(twin, MESSAGES, alone)
    assert found["messages"] >= MESSAGES
    assert found["evaluations"] == found["top_changes"] == found["messages"]
    assert (found["lost"], found["stalled"], found["books_equal"]) == (0, 0, True)
    assert found["behind"] < 200


def test_levels_that_go_faster_than_the_ladder_is_searched_are_too_much(twin):
    """The limit that docs/measurements.md states: a best level in 5 cycles, a search takes about 25."""
    found = line_rate.whole(twin, MESSAGES, alone=False, per_level=2)
    assert found["lost"] > 0
    assert not found["books_equal"]


def test_orders_leave_under_load(twin, monkeypatch):
    monkeypatch.setattr(line_rate, "BURSTS", 12)
    rows = line_rate.loaded(twin, alone=True)
    first = rows["cycles"][rows["rank"] == 0]
    assert len(first) > 20
    assert sorted(first)[int(0.99 * len(first))] <= 2 * first.min()
