"""What the own orders of a symbol mean for a new one."""

from amaranth.hdl import Cat, Module, Mux, Signal, Value
from amaranth.lib import data, memory, wiring
from amaranth.lib.wiring import In, Out

from hw.orders.slots import PLACES, SIDES
from hw.parameters import Parameters
from wire.records import SLOTS

Sums = data.StructLayout({"open": 34, "any": 1, "price": 32})
"""Of the orders of one side: worst-case shares, whether there is an order, and the most aggressive price if there is."""

_Standing = data.StructLayout({"open": 32, "price": 32})


class Exposure(wiring.Component):
    """Sums over the slots of every symbol and side, brought up to date behind every change of a slot.

    Parameters
    ----------
    parameters : Parameters

    Members
    -------
    next_symbol : In
        The symbol that is asked about.
    sums : Out(Sums), one per side
        A cycle behind ``next_symbol``.
    symbol, store : In, In(1)
        A slot of that symbol changed: ``place``, its worst-case shares ``open`` and its more aggressive ``price``.
        ``occupied`` are the places in use with this change.
    clear : In(1)
        The symbol has no orders.
    ready : Out(1)
        ``sums`` were those of the last change a cycle ago already; ``store`` is taken.

    A change takes 9 cycles, in which ``store`` is not looked at.
    """

    def __init__(self, parameters: Parameters):
        self.parameters = parameters
        super().__init__(
            {
                "next_symbol": In(parameters.symbol_bits),
                "symbol": In(parameters.symbol_bits),
                "sums": Out(Sums).array(SIDES),
                "store": In(1),
                "place": In(3),
                "open": In(32),
                "price": In(32),
                "occupied": In(PLACES),
                "clear": In(1),
                "ready": Out(1),
            }
        )

    def elaborate(self, platform):
        m = Module()
        symbols = self.parameters.symbols
        m.submodules.standing = standing = memory.Memory(shape=_Standing, depth=PLACES * symbols, init=[])
        read, write = standing.read_port(), standing.write_port()

        # The place that is read; a cycle later it is added up.
        symbol, side, mask = Signal.like(self.symbol), Signal(), Signal(SLOTS)
        at, reading, here, counts, last = Signal(range(SLOTS)), Signal(), Signal(), Signal(), Signal()
        total, done, settling = Signal(Sums), Signal(), Signal(2)
        changing = reading | here | done
        # What a proof looks at.
        self.work = {"symbol": symbol, "side": side, "mask": mask, "at": at, "total": total}
        self.work |= {"reading": reading, "here": here, "done": done, "settling": settling}
        more_aggressive = (read.data.price < total.price) ^ ~side
        m.d.comb += [
            read.addr.eq(Cat(at, side, symbol)),
            write.addr.eq(Cat(self.place, self.symbol)),
            write.data.open.eq(self.open),
            write.data.price.eq(self.price),
            write.en.eq(self.store & self.ready),
            self.ready.eq(~(changing | settling.any())),
        ]
        m.d.sync += [
            at.eq(at + 1),
            reading.eq(reading & ~at.all()),
            here.eq(reading),
            last.eq(at.all()),
            counts.eq(mask.bit_select(at, 1)),
            done.eq(here & last),
            settling.eq(Cat(changing, settling)),
        ]
        with m.If(here & counts):
            m.d.sync += [total.open.eq(total.open + read.data.open), total.any.eq(1)]
            with m.If(~total.any | more_aggressive):
                m.d.sync += total.price.eq(read.data.price)
        with m.If(self.store & self.ready):
            m.d.sync += [
                symbol.eq(self.symbol),
                side.eq(self.place[2]),
                mask.eq(Mux(self.place[2], self.occupied[SLOTS:], self.occupied[:SLOTS])),
                at.eq(0),
                reading.eq(1),
                total.open.eq(0),
                total.any.eq(0),
            ]

        for each in range(SIDES):
            m.submodules[f"sums_{each}"] = rows = memory.Memory(shape=Sums, depth=symbols, init=[])
            look, keep = rows.read_port(), rows.write_port()
            m.d.comb += [
                look.addr.eq(self.next_symbol),
                self.sums[each].eq(look.data),
                keep.addr.eq(Mux(self.clear, self.symbol, symbol)),
                keep.data.eq(total),
                keep.en.eq(self.clear | (done & (side == each))),
            ]
            with m.If(self.clear):
                m.d.comb += keep.data.eq(0)
        return m


def sums_without(m: Module, exposure: Exposure, side, slot, replace) -> tuple[Value, data.View]:
    """What the gate looks at: shares of the other orders of ``side``, without ``slot`` if that is replaced; the opposite sums.

    A cycle behind ``sums``, ``side`` and ``slot``.
    """
    same, other_side = (data.View(Sums, Mux(side, exposure.sums[n], exposure.sums[1 - n])) for n in (1, 0))
    others, others_replaced = Signal(34), Signal(34)
    opposite = Signal(Sums)
    m.d.sync += [others.eq(same.open), others_replaced.eq(same.open - slot.open), opposite.eq(other_side)]
    return Mux(replace, others_replaced, others), opposite
