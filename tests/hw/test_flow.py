"""Flow signals against the engine's, and both against the formulas written down again."""

from fractions import Fraction

import numpy as np
import pytest

from engine.signals import follow, order_flow
from engine.state import create
from hw.signals.flow import LATENCY, FlowSignals
from tests.hw.test_quoter import INDEX_BITS, quantity, simulate, top

pytestmark = pytest.mark.gateware

VECTORS = 1500


def tops(rng):
    """The best levels before and after: often nearly the same."""
    found = []
    for _ in range(2):
        symbol = create(1, 1 << INDEX_BITS, 64).symbols[0]
        for side, index in (("bid", 500), ("ask", 510)):
            has = rng.random() < 0.85
            near = index + int(rng.integers(-2, 3)) if rng.random() < 0.8 else int(rng.integers(0, 1 << INDEX_BITS))
            symbol[f"has_{side}"], symbol[f"{side}_index"] = has, near * has
            symbol[f"{side}_quantity"] = quantity(rng) * has
        found.append(symbol)
    return found


def cont(before, after):
    """Order flow as the paper has it: an empty side is a price beyond all others."""

    def best(symbol, side, nothing):
        return int(symbol[f"{side}_index"]) if symbol[f"has_{side}"] else nothing

    flow = 0
    bid, old_bid = best(after, "bid", -(10**9)), best(before, "bid", -(10**9))
    ask, old_ask = best(after, "ask", 10**9), best(before, "ask", 10**9)
    flow += (bid >= old_bid) * int(after["bid_quantity"]) - (bid <= old_bid) * int(before["bid_quantity"])
    flow += (ask >= old_ask) * int(before["ask_quantity"]) - (ask <= old_ask) * int(after["ask_quantity"])
    return flow


def clamp(value):
    return min(max(value, -(2**31)), 2**31 - 1)


def draw(rng):
    """A row, what comes to it, and what must become of it."""
    before, after = tops(rng)
    decay, time = int(rng.integers(0, 32)), int(rng.integers(0, 2**61))
    periods = rng.choice([0, rng.random() * 3, rng.random() * 63, 63.5 + rng.random(), 64 + rng.random() * 10, 1e5])
    stamp = time + int(float(periods) * (1 << (8 + decay)))
    row = {
        "ofi": int(rng.choice([0, -1, rng.integers(-(10**5), 10**5), -(2**31), 2**31 - 1])),
        "trades": int(rng.choice([0, 1, rng.integers(-(10**5), 10**5), -(2**31), 2**31 - 1])),
        "variance": int(rng.choice([0, 255, rng.integers(0, 2**31), 2**31 - 1])),
    }
    fresh = bool(rng.random() < 0.8)
    trade = {"valid": int(rng.random() < 0.5), "side": int(rng.integers(2)), "quantity": quantity(rng)}

    n = (stamp >> (8 + decay)) - (time >> (8 + decay))
    left = int(Fraction(7, 8) ** n * 65536) if n < 64 else 0
    both = all(symbol[f"has_{side}"] for symbol in (before, after) for side in ("bid", "ask"))
    moved = sum(int(after[f"{side}_index"]) - int(before[f"{side}_index"]) for side in ("bid", "ask")) if both else 0
    traded = (trade["quantity"] if trade["side"] else -trade["quantity"]) if trade["valid"] else 0
    flow = cont(before, after)
    if not fresh:
        flow = traded = moved = 0
    expected = {
        "ofi": clamp(row["ofi"] * left // 65536 + flow),
        "trades": clamp(row["trades"] * left // 65536 + traded),
        "variance": min(row["variance"] * left // 65536 + min(abs(moved), 255) ** 2 * 256, 2**31 - 1),
    }
    return before, after, decay, time, stamp, row, fresh, trade, (flow, traded, moved), expected


def test_the_engine_follows_the_formulas(rng: np.random.Generator):
    counted = 0
    for _ in range(VECTORS):
        before, after, decay, time, stamp, row, fresh, _, (flow, traded, moved), expected = draw(rng)
        sides = [int(before[name.format(side)]) for side in ("bid", "ask") for name in ("has_{}", "{}_index", "{}_quantity")]
        if fresh:
            assert order_flow(after, *sides) == flow
            counted += flow != 0
        after["decay"], after["flow_time"] = decay, time
        for name, value in row.items():
            after[name] = value
        follow(after, stamp, flow, traded, moved)
        assert {name: int(after[name]) for name in expected} == expected
        assert after["flow_time"] == stamp
        follow(after, stamp, 0, 0, 0)  # at the same stamp it changes nothing
        assert {name: int(after[name]) for name in expected} == expected
    assert counted > VECTORS // 2


def test_the_gateware_follows_the_formulas_one_symbol_per_cycle(rng: np.random.Generator):
    dut = FlowSignals(INDEX_BITS)
    vectors = [draw(rng) for _ in range(VECTORS)]

    async def process(ctx):
        for cycle in range(VECTORS + LATENCY):
            if cycle < VECTORS:
                before, after, decay, time, stamp, row, fresh, trade, _, _ = vectors[cycle]
                ctx.set(dut.before, top(before))
                ctx.set(dut.after, top(after))
                ctx.set(dut.decay, decay)
                ctx.set(dut.row, {"flow": row, "time": time})
                ctx.set(dut.stamp, stamp)
                ctx.set(dut.fresh, fresh)
                ctx.set(dut.trade, trade)
            if cycle >= LATENCY:
                expected = vectors[cycle - LATENCY][-1]
                assert {name: ctx.get(dut.o[name]) for name in expected} == expected, cycle - LATENCY
            await ctx.tick()

    simulate(dut, process)
