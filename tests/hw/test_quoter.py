"""Signals and quoter against the engine's."""

import gc
import warnings

import numpy as np
import pytest
from amaranth.hdl import UnusedElaboratable
from amaranth.sim import Simulator

from engine.quoter import quote_index
from engine.signals import are_valid, imbalance, microprice
from engine.state import create
from hw.quoter.quoter import FLOW_AT, LATENCY, LOOKED_AT, Quoter
from hw.signals import microprice as signals
from hw.signals.microprice import Signals
from wire.records import Side

pytestmark = pytest.mark.gateware

INDEX_BITS, VECTORS = 10, 1200


def quantity(rng):
    return int(rng.choice([0, 1, rng.integers(1, 3000), rng.integers(0, 2**32), 2**32 - 1, 2047, 2048]))


def draw(rng):
    """A symbol of the engine with a top, a quoter and a position."""
    symbol = create(1, 1 << INDEX_BITS, 64).symbols[0]
    levels = 1 << INDEX_BITS
    bid, ask = sorted(rng.integers(0, levels, 2).tolist(), reverse=rng.random() < 0.1)
    if rng.random() < 0.3:
        ask = min(bid + int(rng.integers(0, 3)), levels - 1)
    symbol["has_bid"], symbol["has_ask"] = rng.random() < 0.95, rng.random() < 0.95
    symbol["bid_index"], symbol["ask_index"] = bid * symbol["has_bid"], ask * symbol["has_ask"]
    symbol["bid_quantity"], symbol["ask_quantity"] = quantity(rng), quantity(rng)
    symbol["base_price"], symbol["tick"] = int(rng.integers(0, 2**31)), int(rng.choice([1, 100, 500_000]))
    symbol["position"] = int(rng.choice([0, 100, rng.integers(-(2**31), 2**31), -(2**31), 2**31 - 1]))
    symbol["skew"] = int(rng.choice([0, 65, rng.integers(-(2**31), 2**31), -(2**31)]))
    symbol["offset"] = int(rng.choice([0, rng.integers(-(2**17), 2**17), rng.integers(-(2**31), 2**31)]))
    symbol["half_spread"] = int(rng.choice([0, 1, 1 << 16, rng.integers(0, 1 << 18), rng.integers(0, 2**32)]))
    symbol["min_change"] = int(rng.choice([0, 1, 5, 2**32 - 1]))
    symbol["size"] = int(rng.choice([0, 100, 2**32 - 1]))
    for name in ("ofi", "trades", "ofi_weight", "trade_weight"):
        symbol[name] = int(rng.choice([0, rng.integers(-(2**10), 2**10), rng.integers(-(2**31), 2**31), -(2**31)]))
    symbol["variance"] = int(rng.choice([0, rng.integers(0, 2**12), rng.integers(0, 2**31), 2**31 - 1]))
    symbol["variance_weight"] = int(rng.choice([0, rng.integers(0, 2**12), rng.integers(0, 2**32), 2**32 - 1]))
    symbol["quoter_enabled"] = rng.random() < 0.9
    return symbol


def top(symbol):
    names = {"has": "has_{}", "index": "{}_index", "quantity": "{}_quantity"}
    return {
        side: {name: int(symbol[field.format(side)]) for name, field in names.items()} for side in ("bid", "ask")
    }


def simulate(dut, process):
    async def testbench(ctx):
        await process(ctx)

    simulator = Simulator(dut)
    simulator.add_clock(6.4e-9)
    simulator.add_testbench(testbench)
    simulator.run()


def test_signals_are_the_engines_one_top_per_cycle(rng: np.random.Generator):
    dut = Signals(INDEX_BITS)
    symbols = [draw(rng) for _ in range(VECTORS)]

    async def process(ctx):
        for cycle in range(VECTORS + signals.LATENCY):
            if cycle < VECTORS:
                ctx.set(dut.top, top(symbols[cycle]))
            if cycle >= signals.LATENCY:
                symbol = symbols[cycle - signals.LATENCY]
                assert ctx.get(dut.valid) == are_valid(symbol)
                if are_valid(symbol):
                    assert ctx.get(dut.microprice) == microprice(symbol)
                    assert ctx.get(dut.imbalance) == imbalance(symbol)
                    assert ctx.get(dut.spread) == symbol["ask_index"] - symbol["bid_index"]
            await ctx.tick()

    simulate(dut, process)
    assert sum(map(are_valid, symbols)) > VECTORS // 2


def test_quotes_are_the_engines_one_top_per_cycle(rng: np.random.Generator):
    dut = Quoter(INDEX_BITS)
    symbols = [draw(rng) for _ in range(VECTORS)]
    wanted = 0

    async def process(ctx):
        nonlocal wanted
        for cycle in range(VECTORS + LATENCY):
            for port, behind in {"top": 0, "flow": FLOW_AT, **LOOKED_AT}.items():
                if 0 <= cycle - behind < VECTORS:
                    symbol = symbols[cycle - behind]
                    if port == "top":
                        ctx.set(dut.top, top(symbol))
                    elif port == "flow":
                        ctx.set(dut.flow, {name: int(symbol[name]) for name in ("ofi", "trades", "variance")})
                    elif port == "position":
                        ctx.set(dut.position, int(symbol["position"]))
                    elif port in ("base_price", "tick"):
                        ctx.set(dut.ladder[port], int(symbol[port]))
                    else:
                        ctx.set(dut.parameters[port], int(symbol["quoter_enabled" if port == "enabled" else port]))
            if cycle >= LATENCY:
                symbol = symbols[cycle - LATENCY]
                assert ctx.get(dut.threshold) == max(int(symbol["min_change"]), 1) * int(symbol["tick"])
                usable = symbol["quoter_enabled"] and symbol["size"] and are_valid(symbol)
                for side, quote in ((Side.BUY, dut.buy), (Side.SELL, dut.sell)):
                    index = int(quote_index(symbol, side.value)) if usable else -1
                    want = 0 <= index < 1 << INDEX_BITS
                    assert ctx.get(quote.want) == want, (cycle, side)
                    if want:
                        wanted += 1
                        price = (int(symbol["base_price"]) + index * int(symbol["tick"])) % 2**32
                        assert ctx.get(quote.price) == price
            await ctx.tick()

    simulate(dut, process)
    assert wanted > 100


@pytest.mark.parametrize("bits", [0, 13])
def test_an_index_of_another_width_is_refused(bits: int):
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", UnusedElaboratable)
        with pytest.raises(ValueError, match=str(bits)):
            Signals(bits)
        gc.collect()
