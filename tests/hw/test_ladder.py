"""The ladder and its encoder against dictionaries."""

import random

import pytest

from hw.book.first_set import FirstSet
from hw.book.ladder import DEPTH, Ladder
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


@pytest.mark.parametrize("levels", [64, 128, 1024, 4096])
def test_levels_hold_what_was_put_there_and_come_best_first(levels):
    """Changes in neighbouring cycles to the same and to neighbouring levels, some of them while it searches."""
    parameters = Parameters(symbols=3, levels=levels, orders=64, locates=64)
    dut = Ladder(parameters)
    seed = random.Random(levels)
    rows = [(symbol, side) for symbol in range(3) for side in range(2)]
    book: dict[tuple[int, int], dict[int, list[int]]] = {row: {} for row in rows}
    places = [0, 1, levels - 1, levels // 2, *(seed.randrange(levels) for _ in range(8))]

    def change(row):
        position = seed.choice(places)
        levels_here = book[row]
        quantity, add, order = seed.choice((1, 100, 0xFFFFFFFF)), 1, 1
        if position in levels_here and seed.random() < 0.6:
            add, order = 0, int(seed.random() < 0.7)
            if order:
                quantity = levels_here[position].pop()
            else:
                levels_here[position][-1] -= quantity
            if not levels_here[position]:
                del levels_here[position]
        else:
            levels_here.setdefault(position, []).append(quantity)
        return {"symbol": row[0], "side": row[1], "position": position, "quantity": quantity, "add": add, "order": order}

    async def search(ctx, row, last, others):
        """The next level; meanwhile levels of other rows change."""
        for name, value in (("symbol", row[0]), ("side", row[1]), ("behind", last is not None), ("last", last or 0)):
            ctx.set(getattr(dut, name), value)
        ctx.set(dut.search, 1)
        for _ in range(200):
            busy = others and seed.random() < 0.7
            ctx.set(dut.valid, busy)
            if busy:
                ctx.set(dut.change, change(seed.choice(others)))
            _, _, done = await ctx.tick().sample(dut.done)
            if done:
                break
        ctx.set(dut.valid, 0)
        ctx.set(dut.search, 0)
        found = tuple(ctx.get(each) for each in (dut.has, dut.position, dut.quantity, dut.orders))
        await ctx.tick()
        return found

    async def run(ctx):
        await ctx.tick().repeat(2)
        for _ in range(25):
            for _ in range(seed.randrange(40)):
                ctx.set(dut.valid, 1)
                ctx.set(dut.change, change(seed.choice(rows)))
                await ctx.tick()
                ctx.set(dut.valid, 0)
                for _ in range(seed.choice((0, 0, 0, 1, 2, 5))):
                    await ctx.tick()
            await ctx.tick().repeat(DEPTH)
            row = seed.choice(rows)
            others = [each for each in rows if each != row]
            last = None
            for position in sorted(book[row]):
                found = await search(ctx, row, last, others)
                here = book[row][position]
                assert found == (1, position, sum(here) & 0xFFFFFFFF, len(here))
                last = position
            assert not (await search(ctx, row, last, others))[0]

    simulate(dut, run)
