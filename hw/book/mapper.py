"""SET_SYMBOL: is what it says right, and the numbers that take a price to its level."""

from math import isqrt

from amaranth.hdl import Cat, Module, Signal, signed
from amaranth.lib import wiring
from amaranth.lib.wiring import In, Out
from amaranth.utils import ceil_log2

from hw.book.symbol_map import TICK_BITS, Ticks
from hw.items import PAYLOAD_BITS
from hw.parameters import Parameters
from wire.records import SET_SYMBOL


class Mapper(wiring.Component):
    """Judges the values of a SET_SYMBOL, and finds the inverse of the tick's odd part modulo 2^32.

    Parameters
    ----------
    parameters : Parameters

    Members
    -------
    start, command : In(1), In(512)
        The command stands still until ``done``.
    elsewhere : In(1)
        Its stock locate is mapped to another symbol.
    done : Out(1)
        Pulse: what follows is valid.
    wrong : Out(1)
        BAD_VALUE.
    ticks : Out(Ticks)

    Latency 51 cycles and one for every 0 at the tick's end.
    """

    def __init__(self, parameters: Parameters):
        self.parameters = parameters
        super().__init__(
            {
                "start": In(1),
                "command": In(PAYLOAD_BITS),
                "elsewhere": In(1),
                "done": Out(1),
                "wrong": Out(1),
                "ticks": Out(Ticks),
            }
        )

    def elaborate(self, platform):
        m = Module()
        bits = self.parameters.index_bits

        def setting(name):
            return SET_SYMBOL.bits(self.command, name)

        base, tick, span = setting("base_price"), setting("tick"), setting("span")
        locate, reciprocal = setting("stock_locate"), setting("tick_reciprocal")
        odd, shift, end = Signal(TICK_BITS), Signal(4), Signal(32)
        last = Signal(32)
        m.d.sync += [end.eq(base + span), last.eq(end - tick)]

        # (reciprocal - 1) * tick, bit by bit of the tick.
        multiplier, factor, product = Signal(TICK_BITS), Signal(32 + TICK_BITS), Signal(33 + TICK_BITS)
        # 1 and base divided by the odd part: whatever is even is halved, whatever is odd becomes even by taking it off.
        rests = [Signal(signed(34), name=f"rest_{n}") for n in range(2)]
        quotients = [Signal(32, name=f"quotient_{n}") for n in range(2)]
        m.d.comb += [
            self.ticks.base.eq(base),
            self.ticks.last.eq(last),
            self.ticks.end.eq(end),
            self.ticks.tick.eq(tick),
            self.ticks.shift.eq(shift),
            self.ticks.inverse.eq(quotients[0]),
            self.ticks.offset.eq(quotients[1]),
        ]
        left = Signal(range(33))
        faults = Signal(7)
        with m.FSM():
            with m.State("IDLE"):
                m.d.sync += [
                    multiplier.eq(tick),
                    factor.eq(reciprocal - 1),
                    product.eq(0),
                    odd.eq(tick),
                    shift.eq(0),
                    rests[0].eq(1),
                    rests[1].eq(base),
                    left.eq(TICK_BITS),
                ]
                with m.If(self.start):
                    m.next = "MULTIPLY"
            with m.State("MULTIPLY"):
                m.d.sync += [left.eq(left - 1), multiplier.eq(multiplier >> 1), factor.eq(factor << 1)]
                with m.If(multiplier[0]):
                    m.d.sync += product.eq(product + factor)
                with m.If(left == 1):
                    m.d.sync += left.eq(32)
                    m.next = "JUDGE"
            with m.State("JUDGE"):
                m.d.sync += faults.eq(
                    Cat(
                        (tick == 0) | (tick > isqrt((1 << 32 - bits) - 1)),  # span * tick is 2^32 or more
                        span != tick << bits,
                        (reciprocal == 0) | (product > 1 << 32),
                        product + tick[:TICK_BITS] <= 1 << 32,
                        (base + span)[32],
                        (locate == 0) | (locate >> ceil_log2(self.parameters.locates) != 0) | self.elsewhere,
                        setting("enabled") > 1,
                    )
                )
                m.next = "ODD"
            with m.State("ODD"):
                m.d.comb += self.wrong.eq(faults.any())
                m.d.sync += [odd.eq(odd >> 1), shift.eq(shift + 1)]
                with m.If(self.wrong):
                    m.d.comb += self.done.eq(1)
                    m.next = "IDLE"
                with m.Elif(odd[0]):
                    m.d.sync += [odd.eq(odd), shift.eq(shift)]
                    m.next = "DIVIDE"
            with m.State("DIVIDE"):
                m.d.sync += left.eq(left - 1)
                for rest, quotient in zip(rests, quotients, strict=True):
                    m.d.sync += [
                        rest.eq((rest - (odd & rest[0].replicate(TICK_BITS))) >> 1),
                        quotient.eq(Cat(quotient[1:], rest[0])),
                    ]
                with m.If(left == 1):
                    m.next = "DONE"
            with m.State("DONE"):
                m.d.comb += self.done.eq(1)
                m.next = "IDLE"
        return m
