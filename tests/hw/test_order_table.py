"""The order table against a dictionary, on references that are made to collide."""

import random

import pytest

from hw.book.order_table import CHOICES, STASH, WAYS, OrderTable
from hw.parameters import Parameters
from tests.hw.simulation import simulate

pytestmark = pytest.mark.gateware

PARAMETERS = Parameters(symbols=2, levels=64, orders=64, locates=64)


async def cleared(ctx, dut):
    while ctx.get(dut.busy):
        await ctx.tick()


async def look(ctx, dut, reference):
    ctx.set(dut.reference, reference)
    ctx.set(dut.start, 1)
    await ctx.tick()
    ctx.set(dut.start, 0)
    await ctx.tick().until(dut.done)


async def store(ctx, dut, keep, quantity=0):
    ctx.set(dut.new.quantity, quantity)
    ctx.set(dut.keep, keep)
    ctx.set(dut.store, 1)
    await ctx.tick()
    ctx.set(dut.store, 0)


@pytest.mark.parametrize("number", range(3))
def test_a_stored_order_is_found_until_it_is_removed_and_not_after(number):
    seed = random.Random(number)
    dut = OrderTable(PARAMETERS)
    alive: dict[int, int] = {}
    refused = 0

    async def run(ctx):
        nonlocal refused
        await cleared(ctx, dut)
        # Few bits that vary: buckets and stash fill up, and references differ in tags only.
        pool = [seed.randrange(16) << seed.choice((0, 16, 40, 60)) | seed.randrange(8) << 12 for _ in range(150)]
        for _ in range(1200):
            reference = seed.choice(pool)
            await look(ctx, dut, reference)
            assert ctx.get(dut.found) == (reference in alive)
            if reference in alive:
                assert ctx.get(dut.order.quantity) == alive[reference]
                quantity = seed.choice((0, seed.randrange(1, 1 << 32)))
                await store(ctx, dut, quantity != 0, quantity)
                alive[reference] = quantity
                if not quantity:
                    del alive[reference]
            elif ctx.get(dut.room):
                alive[reference] = seed.randrange(1, 1 << 32)
                await store(ctx, dut, 1, alive[reference])
            else:
                refused += 1
        for reference in pool:
            await look(ctx, dut, reference)
            assert ctx.get(dut.found) == (reference in alive)

    simulate(dut, run)
    assert refused, "the pool does not fill the table"


def test_one_pair_of_buckets_and_the_stash_fill_up_then_there_is_no_room():
    """References that are equal but for words that the folds see not at all: one bucket of each choice."""
    dut = OrderTable(PARAMETERS)

    async def run(ctx):
        await cleared(ctx, dut)
        stored = 0
        for n in range(1 << 16):
            # The lowest word undoes what the second one does to the first fold; the second fold turns it by 5.
            reference = n << 16 | n
            folded = (n ^ ((n << 5 | n >> 11) & 0xFFFF)) >> 12
            if folded:
                continue
            await look(ctx, dut, reference)
            assert not ctx.get(dut.found)
            if not ctx.get(dut.room):
                break
            await store(ctx, dut, 1, n)
            stored += 1
        assert stored == CHOICES * WAYS + STASH

    simulate(dut, run)
