"""Fair value and the prices of both quotes."""

from amaranth.hdl import Module, Mux, Signal, Value, signed
from amaranth.lib import data, wiring
from amaranth.lib.wiring import In, Out

from hw.signals import microprice
from hw.signals.microprice import Signals, top_layout

LATENCY = microprice.LATENCY + 5

QuoterParameters = data.StructLayout(
    {
        "offset": signed(32),
        "half_spread": 32,
        "skew": signed(32),
        "size": 32,
        "min_change": 32,
        "enabled": 1,
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
    buy, sell : Out(Quote)
        The quotes.
    threshold : Out(64)
        Price change from which on a standing quote is replaced: max(min_change, 1) * tick.

    Latency 13 cycles; the inputs stand still until then.
    """

    def __init__(self, index_bits: int):
        self.index_bits = index_bits
        super().__init__(
            {
                "top": In(top_layout(index_bits)),
                "parameters": In(QuoterParameters),
                "ladder": In(Ladder),
                "position": In(signed(32)),
                "buy": Out(Quote),
                "sell": Out(Quote),
                "threshold": Out(64),
            }
        )

    def elaborate(self, platform):
        m = Module()
        m.submodules.signals = signals = Signals(self.index_bits)
        m.d.comb += signals.top.eq(self.top)

        def register(value, name, cycles=1) -> Value:
            value = Value.cast(value)
            for n in range(cycles):
                kept = Signal(value.shape(), name=f"{name}_{n}" if cycles > 1 else name, reset_less=True)
                m.d.sync += kept.eq(value)
                value = kept
            return value

        # The inputs stand still, so only what comes out of the signals has to be followed stage by stage.
        parameters, ladder, top = self.parameters, self.ladder, self.top
        lowest, highest = -(1 << 31), (1 << 31) - 1
        product = register(self.position * parameters.skew, "skew", 3)
        fits = ~product[31:].any() | product[31:].all()
        lean = register(Mux(fits, product[:32], Mux(product[-1], lowest, highest)[:32]).as_signed(), "lean")
        shift = register(parameters.offset - lean, "shift")
        change = register(Mux(parameters.min_change == 0, 1, parameters.min_change), "change")
        m.d.comb += self.threshold.eq(register(change * ladder.tick, "threshold", 3))

        wanted = register(parameters.enabled & parameters.size.any() & signals.valid, "wanted")
        fair = register(signals.microprice + shift, "fair")

        def quote(value, bound, name, o):
            index = register(value >> 16, f"{name}_index")
            behind = index < bound if name == "buy" else index > bound
            bounded = register(Mux(behind, index, bound), f"{name}_bounded")
            inside = register(~bounded[self.index_bits :].any(), f"{name}_inside")
            offset = register(bounded[: self.index_bits] * ladder.tick, f"{name}_offset")
            m.d.sync += [o.want.eq(wanted & inside), o.price.eq(ladder.base_price + offset)]

        quote(fair - parameters.half_spread, top.ask.index.as_unsigned() - 1, "buy", self.buy)
        quote(fair + parameters.half_spread + 0xFFFF, top.bid.index.as_unsigned() + 1, "sell", self.sell)
        return m
