"""The slots of own orders."""

from amaranth.hdl import Cat, Module, Signal
from amaranth.lib import data, memory, wiring
from amaranth.lib.wiring import In, Out

from hw.block_memory import read_block
from hw.parameters import Parameters
from wire.records import ORDER_ID_BITS, SLOT_BITS, SLOTS

SIDES = 2
PLACES = SIDES * SLOTS
"""Slots of a symbol. A place is ``side << 2 | slot``; symbol and place are the slot number."""

GENERATION_BITS = ORDER_ID_BITS - SLOT_BITS

Slot = data.StructLayout(
    {
        "state": 3,  # wire.records.SlotState
        "cancel_wanted": 1,
        "marking": 2,  # hw.risk.gate.Marking
        "strategy": 4,
        "generation": GENERATION_BITS,  # upper part of the order id; the lower one is the slot number
        "price": 32,
        "remaining": 32,
        "chain_executed": 32,
        "pending_generation": GENERATION_BITS,
        "pending_price": 32,
        "pending_shares": 32,
        "time_in_force": 32,
        "tag": 32,
        # what follows from the above, for the risk gate
        "open": 32,  # shares that may still trade at worst
        "worst_price": 32,  # the more aggressive one of price and pending price
        "notional": 64,  # part of the open notional
    }
)


class SlotStore(wiring.Component):
    """All slots of all symbols.

    Parameters
    ----------
    parameters : Parameters

    Members
    -------
    next_symbol, next_place : In
        The slot to be read.
    slot : Out(Slot)
        Its row, one cycle later.
    symbol, store, store_place, store_slot : In
        Writes a row of ``symbol``.
    occupied : Out(8)
        Bit of each place of ``symbol`` whose slot is not IDLE.
    stored_occupied : Out(8)
        The same with what is written in this cycle.
    early, early_occupied, ahead, ahead_occupied : In, Out(8)
        The same of two other symbols.
    busy : Out(symbols)
        Symbols that have a slot which is not IDLE.

    A row that is written can be read two cycles later. One read and one write per cycle.
    """

    def __init__(self, parameters: Parameters):
        self.parameters = parameters
        super().__init__(
            {
                "next_symbol": In(parameters.symbol_bits),
                "next_place": In(3),
                "slot": Out(Slot),
                "symbol": In(parameters.symbol_bits),
                "store": In(1),
                "store_place": In(3),
                "store_slot": In(Slot),
                "occupied": Out(PLACES),
                "early": In(parameters.symbol_bits),
                "early_occupied": Out(PLACES),
                "ahead": In(parameters.symbol_bits),
                "ahead_occupied": Out(PLACES),
                "stored_occupied": Out(PLACES),
                "busy": Out(parameters.symbols),
            }
        )

    def elaborate(self, platform):
        m = Module()
        symbols = self.parameters.symbols
        m.submodules.rows = rows = memory.Memory(shape=Slot.size, depth=PLACES * symbols, init=[])
        write = rows.write_port()
        m.d.comb += [
            self.slot.as_value().eq(read_block(m, rows, Cat(self.next_place, self.next_symbol))),
            write.addr.eq(Cat(self.store_place, self.symbol)),
            write.data.eq(self.store_slot),
            write.en.eq(self.store),
        ]

        m.submodules.places = places = memory.Memory(shape=PLACES, depth=symbols, init=[])
        look, mark = places.read_port(domain="comb"), places.write_port()
        look_early, look_ahead = (places.read_port(domain="comb") for _ in range(2))
        bit, used = Signal(PLACES), Signal()
        m.d.comb += [
            look.addr.eq(self.symbol),
            self.occupied.eq(look.data),
            look_early.addr.eq(self.early),
            self.early_occupied.eq(look_early.data),
            look_ahead.addr.eq(self.ahead),
            self.ahead_occupied.eq(look_ahead.data),
            bit.eq(1 << self.store_place),
            used.eq(self.store_slot.state != 0),
            mark.addr.eq(self.symbol),
            self.stored_occupied.eq((look.data & ~bit) | bit & used.replicate(PLACES)),
            mark.data.eq(self.stored_occupied),
            mark.en.eq(self.store),
        ]
        with m.If(self.store):
            m.d.sync += self.busy.bit_select(self.symbol, 1).eq(mark.data.any())
        return m
