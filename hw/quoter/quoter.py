"""Fair value and the prices of both quotes."""

from functools import partial

from amaranth.hdl import Cat, Module, Mux, signed
from amaranth.lib import data, wiring
from amaranth.lib.wiring import In, Out

from hw.arithmetic import Product32, clamp32
from hw.pipeline import delayed
from hw.signals import flow, microprice
from hw.signals.flow import Flow
from hw.signals.microprice import Signals, top_layout

LATENCY = microprice.LATENCY + 6
FLOW_AT = microprice.LATENCY - 2
"""Cycles behind the top in which the flow signals are looked at."""
assert flow.LATENCY <= FLOW_AT

LOOKED_AT = {
    "position": FLOW_AT - 2,
    "skew": FLOW_AT - 2,
    "ofi_weight": FLOW_AT,
    "trade_weight": FLOW_AT,
    "variance_weight": FLOW_AT,
    "offset": FLOW_AT + 1,
    "enabled": FLOW_AT + 2,
    "size": FLOW_AT + 2,
    "half_spread": FLOW_AT + 3,
    "min_change": LATENCY - 3,
    "tick": LATENCY - 2,
    "base_price": LATENCY - 1,
}
"""Cycles behind the top in which each of the other inputs is looked at."""

QuoterParameters = data.StructLayout(
    {
        "offset": signed(32),
        "half_spread": 32,
        "skew": signed(32),
        "size": 32,
        "min_change": 32,
        "enabled": 1,
        "decay": 5,
        "min_life": 32,
        "ofi_weight": signed(32),
        "trade_weight": signed(32),
        "variance_weight": 32,
    }
)
"""SET_QUOTER of a symbol."""

Ladder = data.StructLayout({"base_price": 32, "tick": 32})
"""Where the ladder of a symbol begins and how far its levels are apart."""

Quote = data.StructLayout({"want": 1, "price": 32})
"""A side's quote. ``want`` does not know the risk gate's state reasons. ``price`` means nothing without it."""


class Quoter(wiring.Component):
    """Prices of both quotes of a symbol.

    Parameters
    ----------
    index_bits : int
        Bits of a ladder index; the ladder has ``2 ** index_bits`` levels.

    Members
    -------
    top : In
        Best bid and ask.
    parameters : In(QuoterParameters)
    ladder : In(Ladder)
    position : In(signed(32))
        Shares that we have.
    flow : In(Flow)
        Flow signals, ``FLOW_AT`` cycles behind the top; every other input as many as ``LOOKED_AT`` says.
    signals : Signals
        What the quotes are made of; it may be looked at.
    buy, sell : Out(Quote)
        The quotes.
    threshold : Out(64)
        Price change from which on a standing quote is replaced: max(min_change, 1) * tick.

    Latency 14 cycles from the top, one top per cycle.
    """

    def __init__(self, index_bits: int):
        self.index_bits, self.signals = index_bits, Signals(index_bits)
        super().__init__(
            {
                "top": In(top_layout(index_bits)),
                "parameters": In(QuoterParameters),
                "ladder": In(Ladder),
                "position": In(signed(32)),
                "flow": In(Flow),
                "buy": Out(Quote),
                "sell": Out(Quote),
                "threshold": Out(64),
            }
        )

    def elaborate(self, platform):
        m = Module()
        m.submodules.signals = signals = self.signals
        m.d.comb += signals.top.eq(self.top)

        register = partial(delayed, m)

        def product(name, a, b, is_signed=True):
            m.submodules[name] = product = Product32(is_signed)
            m.d.comb += [product.a.eq(a), product.b.eq(b)]
            return product.o

        parameters, ladder = self.parameters, self.ladder
        bid = delayed(m, self.top.bid.index, "bid_index", LATENCY - 4)
        ask = delayed(m, self.top.ask.index, "ask_index", LATENCY - 4)
        skew = register(clamp32(product("skew", self.position, parameters.skew)), "lean")
        shift = register(parameters.offset - skew, "shift")
        change = register(Mux(parameters.min_change == 0, 1, parameters.min_change), "change")
        m.d.comb += self.threshold.eq(product("change_value", change, ladder.tick, is_signed=False))

        # Stage 9: all that the fair value and the spread are made of; stage 10: both.
        ofi = register(clamp32(product("ofi", self.flow.ofi, parameters.ofi_weight)), "ofi_lean")
        trades = register(clamp32(product("trades", self.flow.trades, parameters.trade_weight)), "trades_lean")
        variance = product("variance", self.flow.variance, parameters.variance_weight, is_signed=False) >> 8
        wider = register(Mux(variance[32:].any(), (1 << 32) - 1, variance[:32]), "wider")
        half = register(parameters.half_spread + wider, "half")
        wanted = register(parameters.enabled & parameters.size.any() & signals.valid, "wanted", LATENCY - 1 - microprice.LATENCY)
        fair = register(register(signals.microprice + shift, "base") + ofi + trades, "fair")

        def quote(value, bound, name, o):
            index = register(value >> 16, f"{name}_price_index")
            limit = register(bound, f"{name}_bound")
            behind = index < limit if name == "buy" else index > limit
            bounded = register(Mux(behind, index, limit), f"{name}_bounded")
            inside = register(~bounded[self.index_bits :].any(), f"{name}_inside")
            level = bounded[: self.index_bits]
            low = register(level * ladder.tick[:16], f"{name}_low")
            high = register(level * ladder.tick[16:], f"{name}_high")
            m.d.sync += [o.want.eq(wanted & inside), o.price.eq(ladder.base_price + Cat(low[:16], low[16:] + high))]

        quote(fair - half, ask.as_unsigned() - 1, "buy", self.buy)
        quote(fair + half + 0xFFFF, bid.as_unsigned() + 1, "sell", self.sell)
        return m
