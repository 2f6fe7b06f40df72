"""The way into the book: messages become steps, and what takes longer waits until they are through."""

from amaranth.hdl import Cat, Module, Signal
from amaranth.lib import data, stream, wiring
from amaranth.lib.wiring import In, Out

from hw.items import Item, ItemKind
from wire.records import Side

SYMBOL_TYPES = "HYhAFECXDUP"
"""Messages that belong to a symbol."""

ADDS, TAKES, FILLS, WHOLE, EXECUTES, TRADES, REPLACES = "AF", "ECXDU", "EC", "DU", "E", "P", "U"
SLOW = (ItemKind.COMMAND, ItemKind.JOINED, ItemKind.RESUMED)
"""Items that change more than one symbol, or what the steps depend on."""


class Step(data.Struct):
    """One thing that an item asks of the order table, or an item that asks nothing of it.

    A replace is two: ``first`` takes the old order, ``second`` adds the new one. ``has_symbol``: a message
    with a stock locate that matters. The rest is what its type means, and its fields.
    """

    valid: 1
    first: 1
    second: 1
    has_symbol: 1
    adds: 1
    takes: 1
    fills: 1
    whole: 1
    executes: 1
    trades: 1
    buy: 1
    sell: 1
    no_side: 1
    no_quantity: 1
    stock_locate: 16
    order_reference: 64
    quantity: 32
    price: 32


class Intake(wiring.Component):
    """Takes items, and makes steps of all but the slow ones.

    Members
    -------
    i : In(stream of Item)
    room : In(1)
        There is room for two steps.
    drained : In(1)
        All steps are through.
    command_busy : In(1)
        A slow item is being handled.
    step : Out(Step)
        In the cycle in which the item is taken; the second step of a replace in the one after.
    start : Out(1)
        A slow item is being taken: ``i.payload``.

    Latency 0, a step per cycle: a replace takes two. Without room it takes nothing. A slow item waits until
    all steps are through, and the next item until it is handled.
    """

    def __init__(self):
        super().__init__(
            {
                "i": In(stream.Signature(Item)),
                "room": In(1),
                "drained": In(1),
                "command_busy": In(1),
                "step": Out(Step),
                "start": Out(1),
            }
        )

    def elaborate(self, platform):
        m = Module()
        item = self.i.payload
        message = item.payload.message
        is_message, slow, taken = Signal(), Signal(), Signal()
        m.d.comb += [
            is_message.eq((item.kind == ItemKind.MESSAGE) & ~message.unknown & ~message.bad_length),
            slow.eq(Cat(item.kind == kind for kind in SLOW).any()),
        ]

        def is_type(types):
            return is_message & Cat(message.type == ord(code) for code in types).any()

        second, held = Signal(), Signal(Step)
        with m.If(~second & ~self.command_busy):
            with m.If(slow):
                m.d.comb += [self.i.ready.eq(self.drained), self.start.eq(self.drained & self.i.valid)]
            with m.Else():
                m.d.comb += [self.i.ready.eq(self.room), taken.eq(self.room & self.i.valid)]
        step = Signal(Step)
        m.d.comb += [
            step.first.eq(is_type(REPLACES)),
            step.has_symbol.eq(is_type(SYMBOL_TYPES)),
            step.adds.eq(is_type(ADDS)),
            step.takes.eq(is_type(TAKES)),
            step.fills.eq(is_type(FILLS)),
            step.whole.eq(is_type(WHOLE)),
            step.executes.eq(is_type(EXECUTES)),
            step.trades.eq(is_type(TRADES)),
            step.buy.eq(message.side == Side.BUY),
            step.sell.eq(message.side == Side.SELL),
            step.no_side.eq(message.side == Side.NONE),
            step.no_quantity.eq(message.quantity == 0),
            step.stock_locate.eq(message.stock_locate),
            step.order_reference.eq(message.order_reference),
            step.quantity.eq(message.quantity),
            step.price.eq(message.price),
            self.step.eq(step),
            self.step.valid.eq(taken),
        ]
        m.d.sync += [
            second.eq(taken & is_type(REPLACES)),
            held.eq(step),
            held.valid.eq(1),
            held.first.eq(0),
            held.second.eq(1),
            held.takes.eq(0),
            held.whole.eq(0),
            held.adds.eq(1),
            held.order_reference.eq(message.new_order_reference),
        ]
        with m.If(second):
            m.d.comb += self.step.eq(held)
        return m
