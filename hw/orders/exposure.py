"""What the other own orders of a symbol mean for a new one."""

from amaranth.hdl import Module, Signal
from amaranth.lib import wiring
from amaranth.lib.wiring import In, Out

from hw.orders.slots import PLACES, Slot


class ExposureScan(wiring.Component):
    """Sums over the slots of a symbol, as seen by an order.

    Members
    -------
    start : In(1)
        Begin. ``occupied``, ``side``, ``target`` and ``replace`` are held until ``done``.
    occupied : In(8)
        Places in use.
    side : In(1)
        Side of the order.
    target, replace : In(3), In(1)
        The place that the order replaces, and whether it does.
    place : Out(3)
        The slot to be read.
    slot : In(Slot)
        Its row, a cycle later.
    done : Out(1)
        The sums are complete, in this cycle for the first time.
    others : Out(34)
        Worst-case shares of the side, without the target.
    opposite, opposite_price : Out(1), Out(32)
        Whether the other side has an order, and its most aggressive price.

    Latency 3 cycles and one more per slot in use. The sums are held until the next start.
    """

    def __init__(self):
        super().__init__(
            {
                "start": In(1),
                "occupied": In(PLACES),
                "side": In(1),
                "target": In(3),
                "replace": In(1),
                "place": Out(3),
                "slot": In(Slot),
                "done": Out(1),
                "others": Out(34),
                "opposite": Out(1),
                "opposite_price": Out(32),
            }
        )

    def elaborate(self, platform):
        m = Module()
        todo = Signal(PLACES)
        first = Signal(PLACES)
        m.d.comb += first.eq(todo & -todo)
        for place in range(PLACES):
            with m.If(first[place]):
                m.d.comb += self.place.eq(place)

        running, here, same_side, replaced = Signal(2), Signal(), Signal(), Signal()
        m.d.sync += [
            todo.eq(todo & ~first),
            here.eq(todo.any()),
            same_side.eq(self.place[2] == self.side),
            replaced.eq(self.replace & (self.place == self.target)),
            running.eq(running << 1),
        ]
        with m.If(todo.any() | here):
            m.d.sync += running.eq(1)
        m.d.comb += self.done.eq(running[1] & ~running[0])

        with m.If(here & same_side & ~replaced):
            m.d.sync += self.others.eq(self.others + self.slot.open)
        with m.If(here & ~same_side):
            m.d.sync += self.opposite.eq(1)
            lower = self.slot.worst_price < self.opposite_price
            with m.If(~self.opposite | (lower ^ self.side)):
                m.d.sync += self.opposite_price.eq(self.slot.worst_price)
        with m.If(self.start):
            m.d.sync += [todo.eq(self.occupied), running.eq(1), here.eq(0), self.others.eq(0), self.opposite.eq(0)]
        return m
