"""From stock locate to symbol, and the ladders' prices."""

from amaranth.hdl import Cat, Module, Signal
from amaranth.lib import data, memory, wiring
from amaranth.lib.wiring import In, Out
from amaranth.utils import ceil_log2

from hw.parameters import Parameters

TICK_BITS = 16
"""A tick is below 2^16, because levels * tick * tick is below 2^32."""


class Ticks(data.Struct):
    """The prices of a ladder: level n is at ``base`` + n * ``tick``, the last one at ``last``, the first price
    above it is ``end``.

    ``tick`` is ``odd`` << ``shift``. ``inverse`` is the inverse of ``odd`` modulo 2^32, ``offset`` is
    ``base`` * ``inverse`` modulo 2^32.
    """

    base: 32
    last: 32
    end: 32
    tick: TICK_BITS
    shift: 4
    inverse: 32
    offset: 32


class SymbolMap(wiring.Component):
    """Finds the symbol of a stock locate: every symbol compares its own.

    Parameters
    ----------
    parameters : Parameters

    Members
    -------
    locate : In(16)
        Cycle 0: a stock locate.
    symbol, mapped : Out
        Cycle 1: the symbol that it is mapped to, if it is.
    known : Out(symbols)
        Which symbols are mapped.
    set, number, own, ticks : In
        Maps ``own`` to symbol ``number``, in place of what that was mapped to before.
    places : Out(Ticks)
        The prices of the symbol that ``symbol`` says.
    price_symbol, prices : In, Out(Ticks)
        The prices of any symbol, in the same cycle.

    Latency 1 cycle, a locate per cycle.
    """

    def __init__(self, parameters: Parameters):
        self.parameters = parameters
        super().__init__(
            {
                "locate": In(16),
                "symbol": Out(parameters.symbol_bits),
                "mapped": Out(1),
                "known": Out(parameters.symbols),
                "set": In(1),
                "number": In(parameters.symbol_bits),
                "own": In(16),
                "ticks": In(Ticks),
                "places": Out(Ticks),
                "price_symbol": In(parameters.symbol_bits),
                "prices": Out(Ticks),
            }
        )

    def elaborate(self, platform):
        m = Module()
        symbols = self.parameters.symbols
        locate_bits = ceil_log2(self.parameters.locates)
        depth = max(2, symbols)
        m.submodules.ticks = ticks = memory.Memory(shape=Ticks, depth=depth, init=[])
        writer = ticks.write_port()
        m.d.comb += [writer.addr.eq(self.number), writer.data.eq(self.ticks), writer.en.eq(self.set)]
        for symbol, prices in ((self.symbol, self.places), (self.price_symbol, self.prices)):
            reader = ticks.read_port(domain="comb")
            m.d.comb += [reader.addr.eq(symbol), prices.eq(reader.data)]

        owned = [Signal(locate_bits, name=f"locate_{n}") for n in range(symbols)]
        hits = Signal(symbols)
        with m.If(self.set):
            m.d.sync += self.known.bit_select(self.number, 1).eq(1)
            for n, each in enumerate(owned):
                with m.If(self.number == n):
                    m.d.sync += each.eq(self.own)
        m.d.sync += hits.eq(Cat(self.known[n] & (self.locate == each) for n, each in enumerate(owned)))
        m.d.comb += [
            self.mapped.eq(hits.any()),
            self.symbol.eq(
                Cat(
                    Cat(hits[n] for n in range(symbols) if n >> bit & 1).any()
                    for bit in range(self.parameters.symbol_bits)
                )
            ),
        ]
        return m
