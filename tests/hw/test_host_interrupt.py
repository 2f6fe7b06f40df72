"""The interrupt: each cause, cleared and coming back, and a host that sleeps between interrupts and misses no event."""

from __future__ import annotations

import gc
import random
import warnings

import pytest
from amaranth.hdl import UnusedElaboratable
from amaranth.lib.data import Layout

from hw.host.interrupt import Causes, Interrupts
from hw.host.register_map import INTERRUPT_ENABLE, INTERRUPT_PENDING
from tests.hw.simulation import simulate

pytestmark = pytest.mark.gateware

NAMES = ("events", "overrun", "dma", "link", "fault")


async def settled(ctx, dut) -> dict[str, int]:
    await ctx.tick().repeat(4)
    return {name: getattr(ctx.get(dut.pending), name) for name in NAMES}


@pytest.mark.parametrize("name", NAMES)
def test_a_cause_is_pending_until_it_is_cleared_and_raises_the_line_if_it_is_enabled(name):
    dut = Interrupts(links=2)

    async def process(ctx):
        for enabled in (False, True):
            ctx.set(dut.enable, {each: enabled == (each == name) for each in NAMES})
            if name == "events":
                ctx.set(dut.threshold, 3)
                ctx.set(dut.level, 3)
            elif name == "link":
                ctx.set(dut.link, 1 ^ ctx.get(dut.link))
            else:
                ctx.set(getattr(dut, name), 1)
            await ctx.tick()
            for each, idle in {"overrun": 0, "dma": 0, "fault": 0}.items():
                ctx.set(getattr(dut, each), idle)
            assert await settled(ctx, dut) == {each: int(each == name) for each in NAMES}
            assert ctx.get(dut.interrupt) == enabled
            ctx.set(dut.level, 0)
            ctx.set(dut.clear, {each: each != name for each in NAMES})
            assert (await settled(ctx, dut))[name], "another's clear"
            ctx.set(dut.clear, {name: 1})
            await ctx.tick()
            ctx.set(dut.clear, {})
            assert not any((await settled(ctx, dut)).values())
            assert not ctx.get(dut.interrupt)

    simulate(dut, process)


def test_a_cause_in_the_cycle_of_its_clear_stays():
    dut = Interrupts()

    async def process(ctx):
        for name in ("overrun", "dma", "fault"):
            ctx.set(getattr(dut, name), 1)
            ctx.set(dut.clear, {name: 1})
            await ctx.tick()
            ctx.set(getattr(dut, name), 0)
            ctx.set(dut.clear, {})
            assert (await settled(ctx, dut))[name]

    simulate(dut, process)


def test_few_events_wait_for_the_timeout_many_do_not():
    dut = Interrupts()

    async def until(ctx, limit=500):
        for cycle in range(limit):
            if ctx.get(dut.interrupt):
                return cycle
            await ctx.tick()
        return None

    async def process(ctx):
        ctx.set(dut.enable, {"events": 1})
        ctx.set(dut.level, 1)
        assert await until(ctx) is None, "neither threshold nor timeout is set"
        ctx.set(dut.level, 0)
        await ctx.tick().repeat(3)
        ctx.set(dut.threshold, 10)
        ctx.set(dut.timeout, 100)
        await ctx.tick().repeat(3)
        for level, low, high in ((10, 2, 4), (200, 2, 4), (9, 100, 105), (1, 100, 105)):
            ctx.set(dut.level, level)
            assert low <= await until(ctx) <= high, level
            # Cleared with events left over: it comes again after the timeout, or at once.
            ctx.set(dut.clear, {"events": 1})
            await ctx.tick()
            ctx.set(dut.clear, {})
            await ctx.tick()
            assert (await until(ctx) < 3) if level >= 10 else (100 <= await until(ctx) <= 105)
            ctx.set(dut.level, 0)
            await ctx.tick().repeat(2)
            ctx.set(dut.clear, {"events": 1})
            await ctx.tick()
            ctx.set(dut.clear, {})
            await ctx.tick().repeat(2)
            assert not ctx.get(dut.interrupt)
        ctx.set(dut.threshold, 0)
        ctx.set(dut.level, 5000)
        assert 100 <= await until(ctx) <= 105, "no number is worth one, the timeout is"

    simulate(dut, process)


def test_a_host_that_sleeps_until_the_interrupt_misses_no_event(seed):
    """It clears, reads all there is and sleeps; events come at any time, also between those."""
    dut, rng = Interrupts(), random.Random(seed)
    waiting, read, came, calls = [0], [0], [0], [0]
    bound = 80 + 60

    async def card(ctx):
        for _ in range(300):
            await ctx.tick().repeat(rng.choice([1, 2, 3, 10, 200]))
            came[0] += 1
            waiting[0] += 1
            ctx.set(dut.level, waiting[0])
        await ctx.tick().repeat(bound + 10)
        assert read[0] == came[0]

    async def host(ctx):
        ctx.set(dut.enable, {"events": 1})
        ctx.set(dut.threshold, 4)
        ctx.set(dut.timeout, 80)
        while read[0] < 300:
            slept = 0
            while not ctx.get(dut.interrupt):
                await ctx.tick()
                slept = slept + 1 if waiting[0] else 0
                assert slept < bound, "events wait and nobody calls"
                if came[0] == read[0] == 300:
                    return
            calls[0] += 1
            await ctx.tick().repeat(1 + rng.randrange(30))
            ctx.set(dut.clear, {"events": 1})
            await ctx.tick()
            ctx.set(dut.clear, {})
            await ctx.tick().repeat(1 + rng.randrange(10))
            read[0] += waiting[0]
            waiting[0] = 0
            ctx.set(dut.level, 0)
            await ctx.tick()

    simulate(dut, card, host)
    assert 20 < calls[0] < 300


def test_causes_are_in_the_order_of_the_registers():
    for register in (INTERRUPT_ENABLE, INTERRUPT_PENDING):
        assert [(each.name, each.low) for each in register.fields] == [(name, n) for n, name in enumerate(NAMES)]
    assert [name for name, _ in Layout.cast(Causes)] == list(NAMES)


def test_no_link_is_refused():
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", UnusedElaboratable)
        with pytest.raises(ValueError, match="links is 0"):
            Interrupts(0)
        gc.collect()
