"""Times in nanoseconds as cycles, against the exact clock."""

import gc
import random
import warnings
from fractions import Fraction

import pytest
from amaranth.hdl import UnusedElaboratable

from hw.host.clock import NS_AT_1G, NS_AT_10G
from hw.host.latency import Latency
from tests.hw.simulation import simulate

pytestmark = pytest.mark.gateware


def cycles_of(dut: Latency, times: list[tuple[int, int]]) -> list[int]:
    """What it says of each stamp and end, one a cycle."""
    found = []

    async def drive(ctx):
        for stamp, now in [*times, *[(0, 0)] * 4]:
            ctx.set(dut.stamp, stamp)
            ctx.set(dut.now, now)
            ctx.set(dut.take, len(found) < len(times) and (stamp, now) != (0, 0))
            if ctx.get(dut.o.valid):
                found.append(ctx.get(dut.o.payload))
            await ctx.tick()

    simulate(dut, drive)
    return found


@pytest.mark.parametrize("period", [NS_AT_10G, NS_AT_1G, Fraction(4)])
def test_cycles_are_exact(period, seed):
    rng = random.Random(seed)
    longest = int((1 << 24) / period) - 2
    lengths = [*range(200), *(rng.randrange(longest) for _ in range(300)), longest]
    times = []
    for cycles in lengths:
        begin = rng.randrange(1, 1 << 58)
        times.append((int(begin * period), int((begin + cycles) * period)))
    assert cycles_of(Latency(period), times) == lengths


def test_what_is_too_long_is_all_ones():
    assert cycles_of(Latency(), [(5, 5 + (1 << 24)), (7, 7 + (1 << 31)), (9, 9 + 64)]) == [0xFFFFFFFF, 0xFFFFFFFF, 10]


def test_a_period_below_four_is_refused():
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", UnusedElaboratable)
        with pytest.raises(ValueError, match="period is 3 ns"):
            Latency(Fraction(3))
        gc.collect()
