"""What a message does to the orders of the book: finds them, reduces, removes and adds them."""

from amaranth.hdl import Cat, Module, Mux, Signal
from amaranth.lib import data, memory, stream, wiring
from amaranth.lib.wiring import In, Out

from hw.book.order_table import Order, OrderTable
from hw.book.symbol_map import MappedItem
from hw.items import ItemKind
from hw.parameters import Parameters
from wire.records import SET_FEED, Opcode, Side, TrustCause

ADDS, TAKES, FILLS, WHOLE = "AF", "ECXDU", "EC", "DU"
COUNTERS = (
    "orders_added",
    "order_overflow",
    "duplicate_reference",
    "unknown_reference",
    "over_execution",
    "bad_value",
    "out_of_band",
)


class Change(data.StructLayout):
    """Shares that came to or went from the book, and whether an order did with them."""

    def __init__(self, parameters: Parameters):
        super().__init__(
            {
                "valid": 1,
                "order": 1,
                "side": 1,
                "in_band": 1,
                "beyond": 1,
                "index": parameters.index_bits,
                "quantity": 32,
            }
        )


class OrderItem(data.StructLayout):
    """An item with what it did to the orders.

    First ``taken`` goes from the book, then ``added`` comes. ``cause`` is what makes the symbol untrusted, 0
    if nothing does. ``trade`` is one, at ``price`` or, if ``at_level``, at that of the level that ``taken``
    names.
    """

    def __init__(self, parameters: Parameters):
        super().__init__(
            {
                "mapped": MappedItem(parameters),
                "taken": Change(parameters),
                "added": Change(parameters),
                "cause": TrustCause,
                "trade": data.StructLayout(
                    {"valid": 1, "side": 1, "quantity": 32, "at_level": 1, "price": 32}
                ),
            }
        )


class Orders(wiring.Component):
    """Applies A, F, E, C, X, D, U and P to the order table.

    Parameters
    ----------
    parameters : Parameters

    Members
    -------
    i : In(stream of MappedItem)
    o : Out(stream of OrderItem)
        Every item, in order.
    live : Out(symbols)
        Which symbols have orders in the table.
    busy : Out(1)
        An item is inside, or the table is being cleared after reset.
    count_... : Out(1)
        Pulses of the counters.

    A message that has an order takes 11 cycles, a replace 18, everything else 3. One item at a time. A new
    order that finds the table full, or both its buckets and the stash, is not stored: it counts, and the
    symbol is not trusted any more.
    """

    def __init__(self, parameters: Parameters):
        self.parameters = parameters
        super().__init__(
            {
                "i": In(stream.Signature(MappedItem(parameters))),
                "o": Out(stream.Signature(OrderItem(parameters))),
                "live": Out(parameters.symbols),
                "busy": Out(1),
                **{f"count_{name}": Out(1) for name in COUNTERS},
            }
        )

    def elaborate(self, platform):
        m = Module()
        parameters = self.parameters
        m.submodules.table = table = OrderTable(parameters)
        # How many orders a symbol has, if any: ``live`` says whether it has.
        m.submodules.counts = counts = memory.Memory(
            shape=parameters.order_bits, depth=max(2, parameters.symbols), init=[]
        )
        count_read, count_write = counts.read_port(domain="comb"), counts.write_port()

        out = Signal(OrderItem(parameters))
        strict, total = Signal(), Signal(parameters.order_bits)
        live = Signal(parameters.symbols)
        mapped = out.mapped
        message, symbol = mapped.item.payload.message, mapped.symbol
        m.d.comb += [self.o.payload.eq(out), self.live.eq(live)]

        def is_type(types):
            return Cat(message.type == ord(code) for code in types).any()

        side, quantity = Signal(), Signal(32)  # of the order that is added
        taken, rest, over = Signal(32), Signal(32), Signal()
        replaces = Signal()
        order = Signal(Order(parameters))  # as it was found
        mine = Signal()
        place = mapped.place
        beyond = Signal()
        m.d.comb += beyond.eq(~place.in_band & ~Mux(side == Side.BUY, place.below, place.above))

        # -- how many orders a symbol has --------------------------------------------------------
        count = Signal(parameters.order_bits)
        m.d.comb += [
            count_read.addr.eq(symbol),
            count_write.addr.eq(symbol),
        ]

        def recount(change):
            m.d.comb += [count_write.en.eq(1), count_write.data.eq(count + change)]
            m.d.sync += [
                count.eq(count + change),
                total.eq(total + change),
                live.bit_select(symbol, 1).eq(count + change != 0),
            ]

        def lookup(reference, following):
            m.d.comb += [table.start.eq(1), table.reference.eq(reference)]
            m.next = following

        def untrust(cause):
            m.d.sync += out.cause.eq(cause)

        with m.FSM() as fsm:
            with m.State("CLEAR"), m.If(~table.busy):
                m.next = "IDLE"
            with m.State("IDLE"):
                m.d.comb += self.i.ready.eq(1)
                m.d.sync += [
                    out.eq(0),
                    out.mapped.eq(self.i.payload),
                    replaces.eq(0),
                ]
                with m.If(self.i.valid):
                    m.next = "SEND"
                    with m.If(self.i.payload.item.kind == ItemKind.COMMAND):
                        m.next = "COMMAND"
                    with m.Elif((self.i.payload.item.kind == ItemKind.MESSAGE) & self.i.payload.mapped):
                        m.next = "MESSAGE"
            with m.State("COMMAND"):
                command = mapped.item.payload.command
                with m.If(SET_FEED.bits(command, "opcode") == Opcode.SET_FEED):
                    m.d.sync += strict.eq(SET_FEED.bits(command, "strict") != 0)
                m.next = "SEND"

            with m.State("MESSAGE"):
                m.d.sync += [
                    side.eq(message.side == Side.SELL),
                    quantity.eq(message.quantity),
                    count.eq(Mux(live.bit_select(symbol, 1), count_read.data, 0)),
                ]
                m.next = "SEND"
                with m.If(is_type(ADDS)):
                    m.next = "CHECK"
                with m.Elif(is_type(TAKES)):
                    lookup(message.order_reference, "FIND")
                with m.Elif(is_type("P")):
                    m.d.sync += [
                        out.trade.valid.eq(1),
                        out.trade.side.eq(message.side != Side.BUY),
                        out.trade.quantity.eq(message.quantity),
                        out.trade.price.eq(message.price),
                    ]

            # -- an order that is there ----------------------------------------------------------
            with m.State("FIND"):
                m.d.sync += [order.eq(table.order), mine.eq(table.found & (table.order.symbol == symbol))]
                with m.If(table.done):
                    m.next = "AMOUNT"
            with m.State("AMOUNT"):
                more = message.quantity > order.quantity
                m.d.sync += [
                    over.eq(~is_type(WHOLE) & more),
                    taken.eq(Mux(is_type(WHOLE) | more, order.quantity, message.quantity)),
                ]
                m.next = "TAKE"
                with m.If(~mine):
                    m.d.comb += self.count_unknown_reference.eq(1)
                    with m.If(strict):
                        untrust(TrustCause.UNKNOWN_REFERENCE)
                    m.next = "SEND"
                with m.Elif(~is_type(WHOLE) & (message.quantity == 0)):
                    m.next = "SEND"
            with m.State("TAKE"):
                m.d.comb += self.count_over_execution.eq(over)
                with m.If(over):
                    untrust(TrustCause.OVER_EXECUTION)
                m.d.sync += [
                    rest.eq(order.quantity - taken),
                    side.eq(order.side),
                    out.taken.valid.eq(1),
                    out.taken.order.eq(order.quantity == taken),
                    out.taken.side.eq(order.side),
                    out.taken.in_band.eq(order.in_band),
                    out.taken.beyond.eq(order.beyond),
                    out.taken.index.eq(order.index),
                    out.taken.quantity.eq(taken),
                ]
                with m.If(is_type(FILLS)):
                    m.d.sync += [
                        out.trade.valid.eq(1),
                        out.trade.side.eq(order.side),
                        out.trade.quantity.eq(taken),
                        out.trade.at_level.eq(is_type("E") & order.in_band),
                        out.trade.price.eq(message.price),  # 0 in E
                    ]
                m.next = "KEEP"
            with m.State("KEEP"):
                m.d.comb += [
                    table.store.eq(1),
                    table.keep.eq(~out.taken.order),
                    table.new.eq(order),
                    table.new.quantity.eq(rest),
                ]
                with m.If(out.taken.order):
                    recount(-1)
                m.next = "SEND"
                with m.If(is_type("U")):
                    m.d.sync += replaces.eq(1)
                    m.next = "CHECK"

            # -- a new order ---------------------------------------------------------------------
            with m.State("CHECK"):
                lookup(Mux(replaces, message.new_order_reference, message.order_reference), "SEEK")
                with m.If((quantity == 0) | (~replaces & (message.side == Side.NONE))):
                    m.d.comb += [self.count_bad_value.eq(1), table.start.eq(0)]
                    untrust(TrustCause.BAD_VALUE)
                    m.next = "SEND"
            with m.State("SEEK"), m.If(table.done):
                m.next = "ADD"
            with m.State("ADD"):
                m.next = "SEND"
                with m.If(table.found):
                    m.d.comb += self.count_duplicate_reference.eq(1)
                    untrust(TrustCause.DUPLICATE_REFERENCE)
                with m.Elif((total == parameters.orders) | ~table.room):
                    m.d.comb += self.count_order_overflow.eq(1)
                    untrust(TrustCause.OVERFLOW)
                with m.Else():
                    m.d.comb += [
                        self.count_orders_added.eq(1),
                        self.count_out_of_band.eq(~place.in_band),
                        table.store.eq(1),
                        table.keep.eq(1),
                        table.new.symbol.eq(symbol),
                        table.new.side.eq(side),
                        table.new.in_band.eq(place.in_band),
                        table.new.beyond.eq(beyond),
                        table.new.index.eq(Mux(place.in_band, place.index, 0)),
                        table.new.quantity.eq(quantity),
                    ]
                    recount(1)
                    m.d.sync += [
                        out.added.valid.eq(1),
                        out.added.order.eq(1),
                        out.added.side.eq(side),
                        out.added.in_band.eq(place.in_band),
                        out.added.beyond.eq(beyond),
                        out.added.index.eq(place.index),
                        out.added.quantity.eq(quantity),
                    ]

            with m.State("SEND"):
                m.d.comb += self.o.valid.eq(1)
                with m.If(self.o.ready):
                    m.next = "IDLE"

        m.d.comb += self.busy.eq(~fsm.ongoing("IDLE") | self.i.valid)
        return m
