"""The sums of own orders that an order is judged with are those of the slots."""

from amaranth.hdl import Assert, Assume, Cat, Module, Mux, ResetSignal, Signal
from amaranth.lib import data, wiring
from amaranth.lib.wiring import In

from hw.orders.exposure import Exposure, Sums, sums_without
from hw.orders.slots import PLACES, SIDES, Slot, SlotStore
from hw.parameters import PROFILES
from hw.pipeline import delayed
from wire.records import SLOTS, SlotState

SMALL = PROFILES["small"]
"""Two symbols."""

SUM_BITS = 34

CHANGE_CYCLES = 9
ADDED, KEPT = 2, 6
"""Cycles of a change, and those in which the first slot is added and the new sum is stored."""


class Work(data.StructLayout):
    """What the exposure adds up."""

    def __init__(self, symbol_bits: int):
        what = {"symbol": symbol_bits, "side": 1, "mask": SLOTS, "at": range(SLOTS), "total": Sums}
        super().__init__(what | {"reading": 1, "here": 1, "done": 1, "settling": 2})


class SeenExposure(Exposure):
    """Exposure whose memories are seen: ``standing`` has the shares of each place, ``kept`` the sums of each side."""

    def __init__(self, parameters):
        super().__init__(parameters)
        self.standing = [Signal(32, name=f"standing_{n}") for n in range(PLACES * parameters.symbols)]
        self.kept = [[Signal(SUM_BITS, name=f"kept_{s}_{n}") for n in range(parameters.symbols)] for s in range(SIDES)]
        self.seen = Signal(Work(parameters.symbol_bits))

    def elaborate(self, platform):
        m = super().elaborate(platform)
        memories = [(m.submodules.standing, self.standing)]
        memories += [(m.submodules[f"sums_{side}"], self.kept[side]) for side in range(SIDES)]
        for store, seen in memories:
            for n, each in enumerate(seen):
                port = store.read_port(domain="comb")
                m.d.comb += [port.addr.eq(n), each.eq(port.data.open)]
        m.d.comb += [self.seen[name].eq(value) for name, value in self.work.items()]
        return m


class SeenSlots(SlotStore):
    """Slots of which all places that are in use are seen."""

    def __init__(self, parameters):
        super().__init__(parameters)
        self.used = [Signal(PLACES, name=f"used_{n}") for n in range(parameters.symbols)]

    def elaborate(self, platform):
        m = super().elaborate(platform)
        for n, used in enumerate(self.used):
            port = m.submodules.places.read_port(domain="comb")
            m.d.comb += [port.addr.eq(n), used.eq(port.data)]
        return m


class SumsAreOfTheSlots(wiring.Component):
    """Slots and exposure of two symbols as the trader connects them; what is stored when, and what is asked for, is free.

    The trader holds a slot until the exposure has taken it, and asks for the sums of the symbol at work. Asserted, for every
    sequence of inputs, unbounded: when the exposure is ready, what the gate gets are the shares of all slots of that symbol and
    side that are in use, without the slot that is replaced. There is no reset but the first.

    Parameters
    ----------
    mutation : str, optional
        ``before``: the places in use are those before the change. ``misses``: one slot is taken for empty. ``hurry``: the sums
        are looked at before they are ready. ``side``: the other side's sums. ``symbol``: another symbol's. Each must be caught.
    """

    MUTATIONS = ("before", "misses", "hurry", "side", "symbol")

    def __init__(self, mutation: str | None = None):
        if mutation is not None and mutation not in self.MUTATIONS:
            raise ValueError(f"{mutation!r} is no mutation of this proof")
        self.mutation = mutation
        super().__init__(
            {
                "symbol": In(SMALL.symbol_bits),
                "store": In(1),
                "place": In(range(PLACES)),
                "in_use": In(1),
                "shares": In(32),
                "looked_at": In(SMALL.symbol_bits),
                "side": In(1),
                "replace": In(1),
                "slot": In(Slot),
            }
        )

    def elaborate(self, platform):
        m = Module()
        mutation = self.mutation
        m.submodules.slots = slots = SeenSlots(SMALL)
        m.submodules.exposure = exposure = SeenExposure(SMALL)
        occupied = slots.occupied if mutation == "before" else slots.stored_occupied
        m.d.comb += [
            slots.symbol.eq(self.symbol),
            slots.store.eq(self.store),
            slots.store_place.eq(self.place),
            slots.store_slot.state.eq(Mux(self.in_use, SlotState.LIVE, SlotState.IDLE)),
            exposure.symbol.eq(self.symbol),
            exposure.store.eq(self.store),
            exposure.place.eq(self.place),
            exposure.open.eq(self.shares),
            exposure.occupied.eq(occupied & ~4 if mutation == "misses" else occupied),
            exposure.next_symbol.eq(~self.looked_at if mutation == "symbol" else self.looked_at),
        ]
        others, _ = sums_without(m, exposure, ~self.side if mutation == "side" else self.side, self.slot, self.replace)

        # A slot is held until it is taken.
        asked = Cat(self.store, self.symbol, self.place, self.in_use, self.shares)
        held = delayed(m, self.store & ~exposure.ready, "held")
        begun = Signal()
        m.d.sync += begun.eq(1)
        m.d.comb += [Assume(~ResetSignal()), Assume(~(begun & held) | (asked == delayed(m, asked, "asked")))]

        # What the slots have, and their sums, added up one after the other behind each change.
        shares = [[Signal(32, name=f"shares_{s}_{n}") for n in range(PLACES)] for s in range(SMALL.symbols)]
        with m.If(self.store & exposure.ready):
            for symbol, places in enumerate(shares):
                for n, each in enumerate(places):
                    with m.If((self.symbol == symbol) & (self.place == n)):
                        m.d.sync += each.eq(Mux(self.in_use, self.shares, 0))
        work, phase = exposure.seen, Signal(range(CHANGE_CYCLES))
        with m.If(phase != 0):
            m.d.sync += phase.eq(Mux(phase == CHANGE_CYCLES - 1, 0, phase + 1))
        with m.Elif(self.store):
            m.d.sync += phase.eq(1)
        changed, its_side, summed = Signal.like(self.symbol), Signal(), Signal(SUM_BITS)
        with m.If((phase == 0) & self.store):
            m.d.sync += [changed.eq(self.symbol), its_side.eq(self.place[2]), summed.eq(0)]

        def of_change(values, n):
            return Mux(changed, *(Mux(its_side, each[SLOTS + n], each[n]) for each in values[::-1]))

        row = [of_change(shares, n) for n in range(SLOTS)]
        for n, each in enumerate(row):
            with m.If(phase == n + ADDED):
                m.d.sync += summed.eq(summed + each)
        sums = [[Signal(SUM_BITS, name=f"sum_{s}_{n}") for n in range(SMALL.symbols)] for s in range(SIDES)]
        for s, values in enumerate(sums):
            for n, value in enumerate(values):
                with m.If((phase == KEPT) & (its_side == s) & (changed == n)):
                    m.d.sync += value.eq(summed)

        def of_symbol(values):
            return Mux(delayed(m, self.looked_at, "looked_at"), values[1], values[0])

        # ``others`` are there if all stood for two cycles.
        stood = Cat(self.looked_at, self.side, self.slot, self.replace)
        expected = Mux(self.side, of_symbol(sums[1]), of_symbol(sums[0]))
        stands = begun & (stood == delayed(m, stood, "stood"))
        stands_long = begun & stands & delayed(m, stands, "stands")
        ready = 1 if mutation == "hurry" else exposure.ready
        with m.If(ready & stands_long):
            m.d.comb += Assert(others == Mux(self.replace, (expected - self.slot.open)[:SUM_BITS], expected))

        # What makes it inductive.
        m.d.comb += [
            Assert(phase < CHANGE_CYCLES),
            Assert(exposure.ready == (phase == 0)),
            Assert(work.reading == ((phase >= 1) & (phase <= SLOTS))),
            Assert(work.here == ((phase >= 2) & (phase <= SLOTS + 1))),
            Assert(work.done == (phase == KEPT)),
            Assert(work.settling == Cat((phase >= 2) & (phase <= KEPT + 1), phase >= 3)),
            Assert(~work.reading | (work.at == (phase - 1)[:2])),
        ]
        with m.If(phase != 0):
            m.d.comb += [Assert(work.symbol == changed), Assert(work.side == its_side)]
        with m.If((phase != 0) & (phase <= KEPT)):
            standing = [exposure.standing[s * PLACES : (s + 1) * PLACES] for s in range(SMALL.symbols)]
            for n, each in enumerate(row):
                m.d.comb += Assert(each == Mux(work.mask[n], of_change(standing, n), 0))
            m.d.comb += Assert(work.total.open == summed)
        for s, values in enumerate(sums):
            m.d.comb += [Assert(kept == value) for kept, value in zip(exposure.kept[s], values, strict=True)]
        for symbol, places in enumerate(shares):
            for n, each in enumerate(places):
                used = slots.used[symbol][n]
                pending = self.store & (self.symbol == symbol) & (self.place == n)
                standing = exposure.standing[symbol * PLACES + n]
                m.d.comb += Assert(pending | (each == Mux(used, standing, 0)))
        return m
