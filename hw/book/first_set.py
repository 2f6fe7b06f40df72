"""The lowest bit that is set, in two steps of few gates each."""

from amaranth.hdl import Array, Cat, Module, Signal
from amaranth.lib import wiring
from amaranth.lib.wiring import In, Out

GROUP = 8


class FirstSet(wiring.Component):
    """Number of the lowest bit that is set.

    Parameters
    ----------
    width : int

    Members
    -------
    i : In(width)
        Held for two cycles.
    o : Out(range(width))
        The number of the lowest bit, if one is set.

    Latency 2 cycles: the first finds the group of 8 bits, the second the bit in it.
    """

    def __init__(self, width: int):
        self.width = width
        super().__init__({"i": In(width), "o": Out(range(max(2, width)))})

    def elaborate(self, platform):
        m = Module()
        groups = [self.i[at : at + GROUP] for at in range(0, self.width, GROUP)]

        def lowest(bits, number):
            """``number`` becomes that of the lowest bit."""
            with m.Switch(bits):
                for n in range(len(bits)):
                    with m.Case("-" * (len(bits) - 1 - n) + "1" + "0" * n):
                        m.d.comb += number.eq(n)

        group, chosen = Signal(range(max(2, len(groups)))), Signal(range(max(2, len(groups))))
        occupied = Signal(len(groups))
        m.d.comb += occupied.eq(Cat(bits.any() for bits in groups))
        lowest(occupied, group)
        m.d.sync += chosen.eq(group)

        bits, place = Signal(min(GROUP, self.width)), Signal(range(max(2, min(GROUP, self.width))))
        m.d.comb += bits.eq(Array(groups)[chosen])
        lowest(bits, place)
        m.d.sync += self.o.eq(Cat(place, chosen) if len(groups) > 1 else place)
        return m
