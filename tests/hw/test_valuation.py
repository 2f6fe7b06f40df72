"""Values of items on their heels, against the engine, one after the other."""

import numpy as np
import pytest

from engine.own_orders import mark_to_market
from engine.quoter import quote_index
from engine.signals import are_valid, follow, order_flow
from engine.state import create
from hw.parameters import Parameters
from hw.trader import valuation
from hw.trader.valuation import LATENCY, MONEY_LATENCY, THRESHOLD_BITS, Valuation
from tests.hw.test_quoter import simulate
from wire.records import Side

pytestmark = pytest.mark.gateware

PARAMETERS = Parameters(symbols=4, levels=64, orders=64)
ITEMS = 1_500
TOP = ("has", "index", "quantity")


def draw_top(rng, symbol):
    """Another top of a symbol, near the one that it has, if it has one."""
    levels, top = PARAMETERS.levels, {}
    for side, middle in (("bid", 30), ("ask", 33)):
        has = int(rng.random() < 0.93)
        near = symbol[f"{side}_index"] if symbol[f"has_{side}"] else middle
        index = int(np.clip(near + rng.integers(-2, 3), 0, levels - 1)) * has
        quantity = int(rng.choice([100, rng.integers(1, 2**20)])) * has
        price = int(symbol["base_price"] + index * symbol["tick"]) * has
        top[side] = {"has": has, "index": index, "quantity": quantity, "price": price}
    return top


def value(core, symbol, item):
    """What the engine makes of an item."""
    old = [int(symbol[name]) for name in ("has_bid", "bid_index", "bid_quantity", "has_ask", "ask_index", "ask_quantity")]
    for side in ("bid", "ask"):
        for name in TOP:
            symbol[f"has_{side}" if name == "has" else f"{side}_{name}"] = item["top"][side][name]
    both = old[0] and old[3] and symbol["has_bid"] and symbol["has_ask"]
    moved = int(symbol["bid_index"] + symbol["ask_index"] - old[1] - old[4]) if both else 0
    trade = item["trade"]
    traded = (trade["quantity"] if trade["side"] == Side.SELL else -trade["quantity"]) if trade["valid"] else 0
    follow(symbol, item["stamp"], order_flow(symbol, *old), traded, moved)
    mark_to_market(core, symbol)
    quotes = []
    for side in (Side.BUY, Side.SELL):
        usable = symbol["quoter_enabled"] and symbol["size"] and are_valid(symbol)
        index = int(quote_index(symbol, side.value)) if usable else -1
        want = 0 <= index < PARAMETERS.levels
        quotes.append((want, (int(symbol["base_price"]) + index * int(symbol["tick"])) % 2**32 if want else None))
    flow = tuple(int(symbol[name]) for name in ("ofi", "trades", "variance"))
    return {"money": (int(symbol["pnl"]), int(core["pnl"])), "quotes": quotes, "flow": flow}


def run(rng, symbols):
    """Items of so many symbols as close as they may come; how long each waited."""
    dut = Valuation(PARAMETERS)
    state = create(PARAMETERS.symbols, PARAMETERS.levels, PARAMETERS.orders)
    core, records = state.core[0], state.symbols
    waits, money, quotes = [], {}, {}

    async def configure(ctx):
        for number in range(PARAMETERS.symbols):
            symbol = records[number]
            symbol["base_price"], symbol["tick"] = 10_000 + number, 7
            symbol["position"], symbol["cash"] = int(rng.integers(-5000, 5000)), int(rng.integers(-(2**40), 2**40))
            symbol["mark"] = 10_100
            values = {"half_spread": 1 << 15, "skew": 3, "size": 100, "min_change": 2, "ofi_weight": 5, "trade_weight": -3}
            values |= {"variance_weight": 9, "decay": 2, "offset": -700}
            for name, each in values.items():
                symbol[name] = each
            symbol["quoter_enabled"] = 1
            ctx.set(dut.store_at, number)
            ctx.set(dut.quoting, {**values, "enabled": 1})
            ctx.set(dut.listing, {"base_price": int(symbol["base_price"]), "tick": 7})
            ctx.set(dut.account, {"position": int(symbol["position"]), "cash": int(symbol["cash"])})
            ctx.set(dut.new_mark, 10_100)
            for store in (dut.store_quoting, dut.store_listing, dut.store_account):
                ctx.set(store, 1)
            await ctx.tick()
        for store in (dut.store_quoting, dut.store_listing, dut.store_account):
            ctx.set(store, 0)

    def draw(stamp):
        number = int(rng.integers(symbols))
        trade = {"valid": int(rng.random() < 0.2), "side": int(rng.integers(2)), "quantity": int(rng.integers(1, 2**20))}
        return {"symbol": number, "stamp": stamp, "counts": 1, "marks": 1, "top": None, "trade": trade}

    async def process(ctx):
        await configure(ctx)
        stamp, cycle, taken, last, expected = 10**12, 0, 0, None, {}
        item, waited = draw(stamp), 0
        ctx.set(dut.ahead, item["symbol"])
        await ctx.tick()
        while taken < ITEMS or expected:
            if taken < ITEMS:
                if item["top"] is None:
                    item["top"] = draw_top(rng, records[item["symbol"]])
                ctx.set(dut.i, {**item, "new_stamp": int(item["stamp"] != last)})
                go = not ctx.get(dut.clash) and rng.random() < 0.9
            else:
                go = False
            ctx.set(dut.go, int(go))
            if go:
                waits.append(waited)
                found = value(core, records[item["symbol"]], item)
                money[cycle + MONEY_LATENCY] = found["money"]
                quotes[cycle + LATENCY] = expected[cycle + LATENCY] = found["quotes"]
                last, taken, waited = item["stamp"], taken + 1, 0
                stamp += int(rng.choice([0, 0, 0, 150, 5000]))
                item = draw(stamp)
            else:
                waited += 1
            ctx.set(dut.ahead, item["symbol"])
            if ctx.get(dut.money_done):
                assert (ctx.get(dut.money.pnl), ctx.get(dut.money.pnl_total)) == money.pop(cycle)
            if ctx.get(dut.done):
                assert ctx.get(dut.quotes.threshold) == 2 * 7 < 1 << THRESHOLD_BITS
                for quote, (want, price) in zip((dut.quotes.buy, dut.quotes.sell), expected.pop(cycle), strict=True):
                    assert ctx.get(quote.want) == want
                    if want:
                        assert ctx.get(quote.price) == price
            await ctx.tick()
            cycle += 1
        assert ctx.get(dut.idle)
        assert not money
        for number in range(symbols):
            ctx.set(dut.ahead, number)
            await ctx.tick()
            names = ("ofi", "trades", "variance")
            assert [ctx.get(dut.flow[name]) for name in names] == [int(records[number][name]) for name in names]
            assert ctx.get(dut.mark) == records[number]["mark"]

    simulate(dut, process)
    return waits


@pytest.mark.parametrize("symbols", [1, 2, 4])
def test_values_are_the_engines_whatever_is_on_its_way(rng: np.random.Generator, symbols: int):
    waits = run(rng, symbols)
    assert 0 in waits
    assert max(waits) > 3


def test_an_item_that_finds_an_old_row_is_noticed(rng: np.random.Generator, monkeypatch):
    monkeypatch.setattr(valuation, "AGAIN", valuation.AGAIN - 1)
    with pytest.raises(AssertionError):
        run(rng, 1)
