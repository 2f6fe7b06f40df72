"""The last stage of the book: price levels, best bid and offer, trust."""

from amaranth.hdl import Module, Mux, Signal
from amaranth.lib import data, memory, stream, wiring
from amaranth.lib.wiring import In, Out

from hw.book.ladder import Ladder
from hw.book.orders import Change, OrderItem
from hw.book.symbol_map import TICK_BITS
from hw.items import Best, BookItem, ItemKind
from hw.parameters import Parameters
from wire.records import (
    NO_SYMBOL,
    SET_SYMBOL,
    SNAPSHOT,
    TRUST,
    CommandError,
    Opcode,
    Side,
    SnapshotPart,
    TrustCause,
)


class Levels(wiring.Component):
    """Applies to the ladder what came to and went from the orders; says what it did to the top and to trust.

    Parameters
    ----------
    parameters : Parameters

    Members
    -------
    i : In(stream of OrderItem)
    o : Out(stream of BookItem)
        Every item, in order; before a SNAPSHOT the levels that it asks for.
    known : In(symbols)
        Which symbols are mapped.
    busy : Out(1)
        An item is inside, or the ladder is being cleared after reset.
    count_top_changes : Out(1)

    An item that touches no level takes 4 cycles, a change away from the top or that leaves the best level
    occupied 14, one that empties the best level 30; a replace has two changes. One item at a time. A level of
    a snapshot takes about 15.
    """

    def __init__(self, parameters: Parameters):
        self.parameters = parameters
        super().__init__(
            {
                "i": In(stream.Signature(OrderItem(parameters))),
                "o": Out(stream.Signature(BookItem(parameters))),
                "known": In(parameters.symbols),
                "busy": Out(1),
                "count_top_changes": Out(1),
            }
        )

    def elaborate(self, platform):
        m = Module()
        parameters = self.parameters
        depth = max(2, parameters.symbols)
        best = Best(parameters)
        both = data.StructLayout({"bid": best, "ask": best})
        m.submodules.ladder = ladder = Ladder(parameters)
        # Neither is cleared: ``written`` and ``strayed`` say for which symbols there is something in them.
        m.submodules.tops = tops = memory.Memory(shape=both, depth=depth, init=[])
        m.submodules.beyonds = beyonds = memory.Memory(shape=parameters.order_bits, depth=depth, init=[])
        top_read, top_write = tops.read_port(domain="comb"), tops.write_port()
        beyond_read, beyond_write = beyonds.read_port(domain="comb"), beyonds.write_port()
        written, strayed = Signal(parameters.symbols), Signal(parameters.symbols)
        ok = Signal(parameters.symbols, init=(1 << parameters.symbols) - 1)

        item = Signal(OrderItem(parameters))  # what came in
        out = Signal(BookItem(parameters))
        mapped, cause = item.mapped, item.cause
        symbol = mapped.symbol
        message, command = mapped.item.payload.message, mapped.item.payload.command
        m.d.comb += [
            self.o.payload.eq(out),
            self.o.payload.item.eq(mapped.item),
            self.o.payload.symbol.eq(symbol),
            self.o.payload.mapped.eq(mapped.mapped),
            self.o.payload.error.eq(mapped.error),
            *(port.addr.eq(symbol) for port in (top_read, top_write, beyond_read, beyond_write)),
        ]
        here = Signal(parameters.symbols)  # one-hot
        trusted_before = Signal(parameters.symbols)

        # -- the change in hand: of a replace first what is taken, then what is added ----------------
        adding, side = Signal(), Signal()
        change = Signal(Change(parameters))
        top, before, current = Signal(both), Signal(best), Signal(best)  # of the side: before, and now
        better, same = Signal(), Signal()
        m.d.comb += [
            change.eq(Mux(adding, item.added, item.taken)),
            ladder.symbol.eq(symbol),
            ladder.side.eq(side),
            ladder.index.eq(change.index),
            ladder.quantity.eq(change.quantity),
            ladder.take.eq(~adding),
            ladder.order.eq(change.order),
        ]
        m.d.sync += [
            same.eq(current.has & (change.index == current.index)),
            better.eq(
                ~current.has
                | Mux(side == Side.BUY, change.index > current.index, change.index < current.index)
            ),
        ]
        gone, come = Signal(), Signal()  # beyond the ladder
        stray = Signal(parameters.order_bits)

        # -- price of a level: 2 cycles behind ``index`` ---------------------------------------------
        index, offset, price = Signal(parameters.index_bits), Signal(32), Signal(32)
        m.d.sync += [offset.eq(index * mapped.tick[:TICK_BITS]), price.eq(mapped.base + offset)]
        waiting = Signal(2)

        rank = Signal(8)
        snapshot_depth = SNAPSHOT.bits(command, "depth")

        with m.FSM() as fsm:
            with m.State("CLEAR"), m.If(~ladder.busy):
                m.next = "IDLE"
            with m.State("IDLE"):
                m.d.comb += self.i.ready.eq(1)
                m.d.sync += [
                    item.eq(self.i.payload),
                    out.eq(0),
                    here.eq(1 << self.i.payload.mapped.symbol),
                    trusted_before.eq(ok & ~strayed),
                    *(signal.eq(0) for signal in (adding, gone, come, rank)),
                ]
                with m.If(self.i.valid):
                    m.next = "START"
            with m.State("START"):
                m.d.sync += [
                    top.eq(Mux((written & here).any(), top_read.data, 0)),
                    stray.eq(Mux((strayed & here).any(), beyond_read.data, 0)),
                    side.eq(Mux(item.taken.valid, item.taken.side, item.added.side)),
                    index.eq(item.taken.index),
                    *(
                        out.trade[name].eq(item.trade[name])
                        for name in ("valid", "side", "price", "quantity")
                    ),
                ]
                m.next = "FINISH"
                with m.Switch(mapped.item.kind):
                    with m.Case(ItemKind.MESSAGE):
                        m.next = "BEFORE"
                    with m.Case(ItemKind.COMMAND):
                        m.next = "COMMAND"
                    with m.Case(ItemKind.JOINED, ItemKind.RESUMED):
                        m.d.sync += ok.eq(0)

            # -- levels ------------------------------------------------------------------------------
            with m.State("BEFORE"):
                was = Mux(side == Side.BUY, top.bid, top.ask)
                m.d.sync += [before.eq(was), current.eq(was)]
                m.next = "TRUST"
                with m.If(item.taken.valid | item.added.valid):
                    m.next = "CHANGE"
            with m.State("CHANGE"):
                m.next = "CHANGED"
                with m.If(change.valid & change.in_band):
                    m.d.comb += ladder.apply.eq(1)
                    m.next = "APPLY"
                with m.Elif(change.valid & change.order & change.beyond):
                    m.d.sync += [gone.eq(gone | ~adding), come.eq(adding)]
            with m.State("APPLY"), m.If(ladder.done):
                m.next = "CHANGED"
                with m.If(item.trade.at_level & ~adding):
                    m.d.sync += out.trade.price.eq(price)
                with m.If(ladder.has & (better | same)):
                    m.d.sync += [
                        current.has.eq(1),
                        current.index.eq(change.index),
                        current.quantity.eq(ladder.total),
                    ]
                    with m.If(~same):
                        m.d.sync += current.price.eq(message.price)
                with m.Elif(~ladder.has & same):
                    m.next = "SEARCH"
            with m.State("SEARCH"):
                m.d.comb += ladder.search.eq(1)
                m.next = "FOUND"
            with m.State("FOUND"):
                m.d.sync += [index.eq(ladder.best), waiting.eq(1)]
                with m.If(ladder.done):
                    m.next = "PRICE"
                    with m.If(~ladder.has):
                        m.d.sync += current.eq(0)
                        m.next = "CHANGED"
            with m.State("PRICE"):
                m.d.sync += waiting.eq(waiting - 1)
                m.d.sync += [current.index.eq(index), current.quantity.eq(ladder.total)]
                with m.If(waiting == 0):
                    m.next = "PRICED"
            with m.State("PRICED"):
                m.d.sync += current.price.eq(price)
                m.next = "CHANGED"
            with m.State("CHANGED"):
                m.d.sync += adding.eq(1)
                m.next = "CHANGE"
                with m.If(adding):
                    m.next = "COMPARE"
            with m.State("COMPARE"):
                m.d.sync += out.top_changed.eq(
                    (current.has != before.has)
                    | (current.index != before.index)
                    | (current.quantity != before.quantity)
                )
                with m.If(side == Side.BUY):
                    m.d.sync += top.bid.eq(current)
                with m.Else():
                    m.d.sync += top.ask.eq(current)
                m.next = "TOP"
            with m.State("TOP"):
                m.d.comb += [
                    self.count_top_changes.eq(out.top_changed),
                    top_write.en.eq(1),
                    top_write.data.eq(top),
                ]
                m.d.sync += [written.eq(written | here), stray.eq(stray + come - gone)]
                m.next = "TRUST"

            # -- trust -------------------------------------------------------------------------------
            with m.State("TRUST"):
                m.d.comb += [beyond_write.data.eq(stray), beyond_write.en.eq(mapped.mapped)]
                with m.If(mapped.mapped):
                    m.d.sync += strayed.eq(Mux(stray != 0, strayed | here, strayed & ~here))
                    with m.If(cause != 0):
                        m.d.sync += ok.eq(ok & ~here)
                m.next = "JUDGE"
            with m.State("JUDGE"):
                m.d.sync += [
                    out.trust_changed.eq((ok & ~strayed) ^ trusted_before),
                    out.trust_cause.eq(Mux(cause != 0, cause, TrustCause.BEYOND)),
                ]
                m.next = "FINISH"

            # -- commands ----------------------------------------------------------------------------
            with m.State("COMMAND"):
                m.next = "FINISH"
                with m.Switch(SET_SYMBOL.bits(command, "opcode")):
                    with (
                        m.Case(Opcode.SET_SYMBOL),
                        m.If(mapped.mapped & (mapped.error == CommandError.NONE)),
                    ):
                        m.d.sync += ok.eq(ok | here)
                    with m.Case(Opcode.SET_FEED):
                        m.d.sync += ok.eq(~0)
                    with m.Case(Opcode.TRUST):
                        with m.If(TRUST.bits(command, "symbol") == NO_SYMBOL):
                            m.d.sync += ok.eq(ok | self.known)
                        with m.Elif(mapped.mapped):
                            m.d.sync += ok.eq(ok | here)
                        m.next = "TRUSTED"
                    with m.Case(Opcode.SNAPSHOT):
                        wanted = SNAPSHOT.bits(command, "parts") & SnapshotPart.BOOK
                        m.d.sync += side.eq(Side.BUY)
                        with m.If(mapped.mapped & (wanted != 0) & (snapshot_depth != 0)):
                            m.next = "WALK"
            with m.State("TRUSTED"):
                m.d.sync += [
                    out.trust_changed.eq((ok & ~strayed) ^ trusted_before),
                    out.trust_cause.eq(TrustCause.HOST),
                ]
                m.next = "FINISH"

            # -- snapshot ----------------------------------------------------------------------------
            with m.State("WALK"):
                m.d.comb += ladder.search.eq(1)
                m.next = "RANK"
            with m.State("RANK"):
                m.d.sync += [index.eq(ladder.best), waiting.eq(2)]
                with m.If(ladder.done):
                    m.next = "LEVEL"
                    with m.If(~ladder.has):
                        m.next = "WALKED"
            with m.State("LEVEL"):
                m.d.sync += [
                    waiting.eq(waiting - 1),
                    out.is_level.eq(1),
                    out.level.side.eq(side),
                    out.level.price.eq(price),
                    out.level.quantity.eq(ladder.total),
                    out.level.orders.eq(ladder.orders),
                    out.level.rank.eq(rank),
                ]
                with m.If(waiting == 0):
                    m.next = "SEND LEVEL"
            with m.State("SEND LEVEL"):
                m.d.comb += self.o.valid.eq(1)
                with m.If(self.o.ready):
                    m.d.sync += rank.eq(rank + 1)
                    m.next = "FURTHER"
            with m.State("FURTHER"):
                m.next = "WALKED"
                with m.If(rank != snapshot_depth):
                    m.d.comb += ladder.following.eq(1)
                    m.next = "RANK"
            with m.State("WALKED"):
                m.d.sync += [out.is_level.eq(0), out.level.eq(0), rank.eq(0), side.eq(Side.SELL)]
                m.next = "WALK"
                with m.If(side == Side.SELL):
                    m.next = "FINISH"

            with m.State("FINISH"):
                m.d.sync += [out.trusted.eq(ok & ~strayed), out.top.eq(top)]
                m.next = "SEND"
            with m.State("SEND"):
                m.d.comb += self.o.valid.eq(1)
                with m.If(self.o.ready):
                    m.next = "IDLE"

        m.d.comb += self.busy.eq(~fsm.ongoing("IDLE") | self.i.valid)
        return m
