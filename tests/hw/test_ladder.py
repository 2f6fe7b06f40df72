"""The ladder and its encoder against dictionaries."""

import random

import pytest

from hw.book.first_set import FirstSet
from hw.book.ladder import Ladder
from hw.parameters import Parameters
from tests.hw.simulation import simulate

pytestmark = pytest.mark.gateware


@pytest.mark.parametrize("width", [1, 5, 8, 16, 64])
def test_first_set_is_the_lowest_bit(width):
    dut = FirstSet(width)
    seed = random.Random(width)

    async def run(ctx):
        for _ in range(200):
            value = seed.getrandbits(width) & seed.getrandbits(width) << seed.randrange(width) & (1 << width) - 1
            value = value or 1 << seed.randrange(width)
            ctx.set(dut.i, value)
            await ctx.tick().repeat(2)
            assert ctx.get(dut.o) == (value & -value).bit_length() - 1

    simulate(dut, run)


@pytest.mark.parametrize("levels", [64, 128, 1024])
def test_levels_hold_what_was_put_there_and_come_best_first(levels):
    parameters = Parameters(symbols=3, levels=levels, orders=64, locates=64)
    dut = Ladder(parameters)
    seed = random.Random(levels)
    book: dict[tuple[int, int], dict[int, list[int]]] = {}

    async def work(ctx, strobe):
        ctx.set(strobe, 1)
        await ctx.tick()
        ctx.set(strobe, 0)
        await ctx.tick().until(dut.done)
        return tuple(ctx.get(port) for port in (dut.has, dut.best, dut.total, dut.orders))

    async def run(ctx):
        while ctx.get(dut.busy):
            await ctx.tick()
        places = [0, 1, levels - 1, levels // 2, *(seed.randrange(levels) for _ in range(8))]
        for _ in range(250):
            symbol, side, index = seed.randrange(3), seed.randrange(2), seed.choice(places)
            row = book.setdefault((symbol, side), {})
            quantity, take, order = seed.choice((1, 100, 0xFFFFFFFF)), 0, 1
            if index in row and seed.random() < 0.6:
                take, order = 1, int(seed.random() < 0.7)
                if order and len(row[index]) == 1:
                    quantity = row[index][0]
                elif order:
                    quantity = row[index].pop()
                    row[index].append(quantity)
            ctx.set(dut.symbol, symbol)
            ctx.set(dut.side, side)
            ctx.set(dut.index, index)
            ctx.set(dut.quantity, quantity)
            ctx.set(dut.take, take)
            ctx.set(dut.order, order)
            found = await work(ctx, dut.apply)
            if not take:
                row.setdefault(index, []).append(quantity)
            elif order:
                row[index].remove(quantity)
                if not row[index]:
                    del row[index]
            else:
                row[index][-1] -= quantity
            here = row.get(index, [])
            assert found[0] == bool(here)
            assert found[2:] == (sum(here) & 0xFFFFFFFF, len(here)) or not here
            if seed.random() < 0.2:
                expected = sorted(row, reverse=side == 0)
                found = await work(ctx, dut.search)
                for best in expected:
                    assert found == (1, best, sum(row[best]) & 0xFFFFFFFF, len(row[best]))
                    found = await work(ctx, dut.following)
                assert not found[0]

    simulate(dut, run)
