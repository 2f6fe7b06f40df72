"""Pulses of time, counted against exact fractions."""

import gc
import itertools
import warnings
from fractions import Fraction

import pytest
from amaranth.hdl import UnusedElaboratable

from hw.host.ticks import Ticks
from tests.hw.simulation import simulate

pytestmark = pytest.mark.gateware


def pulses(dut: Ticks, cycles: int, period: int = 0, ready=lambda cycle: 1) -> dict[str, list[int]]:
    """The cycles in which each pulse came, and in which a tick was taken."""
    found = {"us": [], "ms": [], "tick": []}

    async def watch(ctx):
        ctx.set(dut.period, period)
        for cycle in range(cycles):
            ctx.set(dut.tick.ready, ready(cycle))
            for name in ("us", "ms"):
                if ctx.get(getattr(dut, name)):
                    found[name].append(cycle)
            if ctx.get(dut.tick.valid) and ready(cycle):
                found["tick"].append(cycle)
            await ctx.tick()

    simulate(dut, watch)
    return found


@pytest.mark.parametrize("microsecond", [Fraction(625, 4), Fraction(125), Fraction(2), Fraction(25, 3)])
def test_microseconds_are_right_on_average(microsecond):
    came = pulses(Ticks(microsecond), int(40 * microsecond) + 2)["us"]
    assert len(came) in (39, 40)
    for number, cycle in enumerate(came):
        assert abs(cycle - came[0] - number * microsecond) < 1


def test_a_millisecond_is_a_thousand_microseconds():
    found = pulses(Ticks(Fraction(2)), 4100)
    assert [after - before for before, after in zip(found["ms"], found["ms"][1:], strict=False)] == [2000]
    assert sum(cycle < found["ms"][0] for cycle in found["us"]) == 1000


@pytest.mark.parametrize("period", [1, 2, 7])
def test_ticks_come_once_a_period(period):
    came = pulses(Ticks(Fraction(5)), 1000, period)["tick"]
    assert {after - before for before, after in itertools.pairwise(came)} == {5 * period}
    assert 200 // period - 2 <= len(came) <= 200 // period


def test_no_period_no_ticks():
    assert pulses(Ticks(Fraction(5)), 500, 0)["tick"] == []


def test_a_tick_that_is_not_taken_waits_and_stands_for_all():
    came = pulses(Ticks(Fraction(5)), 300, 4, ready=lambda cycle: cycle >= 200)["tick"]
    assert came[0] == 200
    assert {after - before for before, after in itertools.pairwise(came[1:])} == {20}


def test_a_microsecond_has_two_cycles_at_least():
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", UnusedElaboratable)
        with pytest.raises(ValueError, match="microsecond is 3/2 cycles"):
            Ticks(Fraction(3, 2))
        gc.collect()
