"""From price to ladder position, without a division."""

from amaranth.hdl import Cat, Const, Module, Signal
from amaranth.lib import data, wiring
from amaranth.lib.wiring import In, Out

from hw.book.symbol_map import Ticks
from hw.parameters import Parameters


class Place(data.StructLayout):
    """Where a price lies: on level ``index`` if ``in_band``, else ``below``, ``above``, or between two
    levels.
    """

    def __init__(self, parameters: Parameters):
        super().__init__({"in_band": 1, "below": 1, "above": 1, "index": parameters.index_bits})


class Placer(wiring.Component):
    """The level of a price.

    A tick is odd * 2^shift, and multiplying by the inverse of ``odd`` modulo 2^32 permutes the numbers below
    2^32. It takes ``price - base`` to ``index << shift`` exactly if the price is on level ``index``, so one
    product tells the level, that the price is between the first and the last one, and that it is not between
    two of them.

    Parameters
    ----------
    parameters : Parameters

    Members
    -------
    price, ticks : In(32), In(Ticks)
        Cycle 1: a price, and the ladder it may belong to.
    place : Out(Place)
        Cycle 4.

    Latency 3 cycles, a price per cycle.
    """

    def __init__(self, parameters: Parameters):
        self.parameters = parameters
        super().__init__({"price": In(32), "ticks": In(Ticks), "place": Out(Place(parameters))})

    def elaborate(self, platform):
        m = Module()
        ticks, price = Signal(Ticks), Signal(32)  # cycle 2
        m.d.sync += [ticks.eq(self.ticks), price.eq(self.price)]

        # Cycle 2: products by halves of 16 bits, modulo 2^32; and the bounds.
        low, first, second = Signal(32), Signal(16), Signal(16)
        below, above = (Signal(2, name=name) for name in ("below", "above"))
        offset, shift = Signal(32), [Signal(4, name=f"shift_{n}") for n in (3, 4)]
        m.d.sync += [
            low.eq(price[:16] * ticks.inverse[:16]),
            first.eq(price[:16] * ticks.inverse[16:]),
            second.eq(price[16:] * ticks.inverse[:16]),
            offset.eq(ticks.offset),
            shift[0].eq(ticks.shift),
            shift[1].eq(shift[0]),
            below.eq(Cat(price < ticks.base, below)),
            above.eq(Cat(price >= ticks.end, above)),
        ]

        # Cycle 3: their sum. Where the index is in it; levels * tick * tick is below 2^32, so shifts are few.
        bits = self.parameters.index_bits
        shifts = range((31 - bits) // 2 + 1)
        image, inside = Signal(32), Signal(32)
        m.d.sync += image.eq((low - offset) + Cat(Const(0, 16), (first + second)[:16]))
        with m.Switch(shift[0]):
            for n in shifts:
                with m.Case(n):
                    m.d.sync += inside.eq((self.parameters.levels - 1) << n)

        # Cycle 4: on a level, all others are 0.
        with m.Switch(shift[1]):
            for n in shifts:
                with m.Case(n):
                    m.d.comb += self.place.index.eq(image[n : n + bits])
        m.d.comb += [
            self.place.in_band.eq((image & ~inside) == 0),
            self.place.below.eq(below[1]),
            self.place.above.eq(above[1]),
        ]
        return m
