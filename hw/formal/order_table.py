"""The order table: a stored order is found until it is deleted, and not after."""

from amaranth.hdl import Assert, Assume, Cat, Const, Module, Mux, ResetSignal, Signal
from amaranth.lib import wiring
from amaranth.lib.wiring import In

from hw.book.order_table import OrderTable
from hw.parameters import Parameters

SMALLEST = Parameters(symbols=1, levels=64, orders=64, locates=2)
"""16 buckets for each choice."""

LATENCY = 4
FREE_BITS = 2
SPREAD = 16
"""Of a reference these bits are free: 0 and 16. All others are 0. Of the four references two share either bucket of the first
choice, and all share one of the second.
"""


class StoredIsFound(wiring.Component):
    """The smallest order table, with any sequence of lookups, stores and removals, from power on.

    Asserted: when a reference comes out, ``alive`` says whether it was stored and not removed since, ``order`` is what was
    stored last, and there is ``room``: there are fewer references than places. One of the references, whichever it is, is
    followed. Bounded: a reference takes 4 cycles, what is stored is in the memory for one that comes 6 later, so every way
    past the memory and the way through it are among the cycles that are looked at. There is no reset but the first.

    Parameters
    ----------
    mutation : str, optional
        ``removed``: a removal only takes the order's quantity. ``other``: an order is stored for the reference behind it.
        ``lost``: a store is not looked at. Each must be caught.
    """

    MUTATIONS = ("removed", "other", "lost")

    def __init__(self, mutation: str | None = None):
        if mutation is not None and mutation not in self.MUTATIONS:
            raise ValueError(f"{mutation!r} is no mutation of this proof")
        self.mutation = mutation
        super().__init__(
            {
                "reference": In(FREE_BITS),
                "look": In(1),
                "store": In(1),
                "keep": In(1),
                "quantity": In(2),
                "watched": In(FREE_BITS),
            }
        )

    def elaborate(self, platform):
        m = Module()
        m.submodules.table = table = OrderTable(SMALLEST)
        mutation = self.mutation

        # Which reference is followed is free, and stays.
        begun, watched = Signal(), Signal(FREE_BITS)
        m.d.sync += [begun.eq(1), watched.eq(self.watched)]
        m.d.comb += [Assume(~begun | (watched == self.watched)), Assume(~ResetSignal())]

        # ``look`` belongs to the reference of the cycle before.
        reference, looks = [self.reference], [None, self.look]
        for n in range(1, LATENCY + 1):
            reference.append(Signal(FREE_BITS, name=f"passing_{n}"))
            m.d.sync += reference[n].eq(reference[n - 1])
        for n in range(2, LATENCY + 1):
            looks.append(Signal(name=f"looks_{n}"))
            m.d.sync += looks[n].eq(looks[n - 1])
        here, store = Signal(), Signal()
        m.d.comb += [
            here.eq(looks[LATENCY] & (reference[LATENCY] == self.watched)),
            store.eq(self.store & looks[LATENCY] & (table.alive | table.room)),
            table.reference.eq(Cat(self.reference[0], Const(0, SPREAD - 1), self.reference[1])),
            table.look.eq(self.look),
            table.store.eq(store & ~((self.quantity == 3) & ~self.keep) if mutation == "lost" else store),
            table.keep.eq(1 if mutation == "removed" else self.keep),
            table.new.quantity.eq(self.quantity),
        ]
        if mutation == "other":
            m.d.comb += table.new.quantity.eq(Mux(reference[LATENCY] == reference[LATENCY - 1], self.quantity, ~self.quantity))

        alive, quantity = Signal(), Signal(2)
        with m.If(store & here):
            m.d.sync += [alive.eq(self.keep), quantity.eq(self.quantity)]
        with m.If(here):
            m.d.comb += [
                Assert(table.alive == alive),
                Assert(~alive | (table.order.quantity == quantity)),
                Assert(table.room),
            ]
        return m
