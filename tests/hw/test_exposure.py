"""Sums over own orders against the orders themselves."""

import numpy as np
import pytest

from hw.orders.exposure import Exposure
from hw.parameters import PROFILES
from tests.hw.test_quoter import simulate
from wire.records import SLOTS

pytestmark = pytest.mark.gateware

CHANGE_CYCLES = 9


def expected(orders, symbol, side):
    """Open shares, whether there are any, and the most aggressive price."""
    found = [orders[key] for key in orders if key[:2] == (symbol, side)]
    prices = [price for _, price in found]
    return sum(shares for shares, _ in found), bool(found), (min if side else max)(prices, default=None)


def test_sums_are_those_of_the_orders(rng: np.random.Generator):
    parameters = PROFILES["small"]
    dut = Exposure(parameters)
    seen = set()

    async def process(ctx):
        orders = {}
        for symbol in range(parameters.symbols):
            ctx.set(dut.symbol, symbol)
            ctx.set(dut.clear, 1)
            await ctx.tick()
        ctx.set(dut.clear, 0)
        for _ in range(1500):
            symbol, side, slot = int(rng.integers(parameters.symbols)), int(rng.integers(2)), int(rng.integers(SLOTS))
            if rng.random() < 0.6:
                orders[symbol, side, slot] = (int(rng.integers(1 << 32)), int(rng.choice([0, 7, rng.integers(1 << 32)])))
            else:
                orders.pop((symbol, side, slot), None)
            shares, price = orders.get((symbol, side, slot), (int(rng.integers(1 << 32)), 5))
            occupied = sum(1 << (s * SLOTS + n) for of, s, n in orders if of == symbol)
            ctx.set(dut.symbol, symbol)
            ctx.set(dut.place, side * SLOTS + slot)
            ctx.set(dut.open, shares)
            ctx.set(dut.price, price)
            ctx.set(dut.occupied, occupied)
            ctx.set(dut.store, 1)
            await ctx.tick()
            # Another change is not looked at meanwhile, and the symbol may be another one.
            looked = symbol if rng.random() < 0.5 else int(rng.integers(parameters.symbols))
            ctx.set(dut.next_symbol, looked)
            ctx.set(dut.open, 1)
            ctx.set(dut.store, int(rng.integers(2)))
            cycles = 1
            while not ctx.get(dut.ready):
                await ctx.tick()
                cycles += 1
                assert cycles <= CHANGE_CYCLES
                if cycles == CHANGE_CYCLES - 1:
                    ctx.set(dut.store, 0)
            assert cycles == CHANGE_CYCLES
            for side in range(2):
                total, any_order, best = expected(orders, looked, side)
                sums = dut.sums[side]
                assert (ctx.get(sums.open), ctx.get(sums.any)) == (total, any_order)
                if any_order:
                    assert ctx.get(sums.price) == best
                seen.add((any_order, total >= 1 << 32))

    simulate(dut, process)
    assert seen == {(False, False), (True, False), (True, True)}
