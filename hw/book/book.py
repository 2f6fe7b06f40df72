"""The three stages of the book in a row."""

from amaranth.hdl import Module
from amaranth.lib import stream, wiring
from amaranth.lib.wiring import In, Out, connect, flipped

from hw.book.levels import Levels
from hw.book.orders import COUNTERS as ORDER_COUNTERS
from hw.book.orders import Orders
from hw.book.symbol_map import SymbolMap
from hw.items import BookItem, Item
from hw.parameters import Parameters

COUNTERS = ("messages_unmapped", *ORDER_COUNTERS, "top_changes")


class Book(wiring.Component):
    """Level 3 in, level 2 out, of ``parameters.symbols`` symbols.

    Parameters
    ----------
    parameters : Parameters

    Members
    -------
    i : In(stream of Item)
    o : Out(stream of BookItem)
        Every item, in order; before a SNAPSHOT command the levels that it asks for.
    slots_busy : In(symbols)
        Symbols that have own orders which are not IDLE. SET_SYMBOL looks at it.
    trader_idle : In(1)
        The trader has handled every item that it took, so ``slots_busy`` is the truth. SET_SYMBOL waits for
        it.
    busy : Out(1)
        An item is inside, or the memories are still being cleared after reset.
    count_... : Out(1)
        Pulses of the counters of wire.counters with these names.
    """

    def __init__(self, parameters: Parameters):
        self.parameters = parameters
        super().__init__(
            {
                "i": In(stream.Signature(Item)),
                "o": Out(stream.Signature(BookItem(parameters))),
                "slots_busy": In(parameters.symbols),
                "trader_idle": In(1),
                "busy": Out(1),
                **{f"count_{name}": Out(1) for name in COUNTERS},
            }
        )

    def elaborate(self, platform):
        m = Module()
        m.submodules.symbol_map = symbol_map = SymbolMap(self.parameters)
        m.submodules.orders = orders = Orders(self.parameters)
        m.submodules.levels = levels = Levels(self.parameters)
        connect(m, flipped(self.i), symbol_map.i)
        connect(m, symbol_map.o, orders.i)
        connect(m, orders.o, levels.i)
        connect(m, levels.o, flipped(self.o))
        behind = orders.busy | levels.busy
        m.d.comb += [
            symbol_map.live.eq(orders.live),
            symbol_map.slots_busy.eq(self.slots_busy),
            symbol_map.settled.eq(~behind & self.trader_idle),
            levels.known.eq(symbol_map.mapped),
            self.busy.eq(symbol_map.busy | behind),
            self.count_messages_unmapped.eq(symbol_map.count_messages_unmapped),
            self.count_top_changes.eq(levels.count_top_changes),
            *(getattr(self, f"count_{name}").eq(getattr(orders, f"count_{name}")) for name in ORDER_COUNTERS),
        ]
        return m
