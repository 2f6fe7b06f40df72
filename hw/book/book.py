"""The book: the way of an item through its stages."""

from amaranth.hdl import Cat, Module, Mux, Signal
from amaranth.lib import memory, stream, wiring
from amaranth.lib.wiring import In, Out, connect, flipped

from hw.book.commands import Commands
from hw.book.intake import Intake
from hw.book.ladder import Ladder
from hw.book.orders import COUNTERS as ORDER_COUNTERS
from hw.book.orders import Effect, Orders
from hw.book.refill import Refill
from hw.book.symbol_map import SymbolMap
from hw.book.tops import Tops, Work
from hw.items import BookItem, Item, ItemKind
from hw.parameters import Parameters
from wire.records import TrustCause

COUNTERS = ("messages_unmapped", *ORDER_COUNTERS, "top_changes", "disagreements")
QUEUED = 16
"""Places of the queues: of items, and of effects that wait for the tops."""

INSIDE = 12
"""Steps that may be on their way."""


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
        An item is inside, or the memories are being cleared after a reset.
    count_... : Out(1)
        Pulses of the counters of wire.counters with these names.

    Latency 8 cycles from the cycle in which an item is taken to the one in which ``o`` is valid, 9 for a
    replace; a message per cycle, a replace takes two. Commands, JOINED and RESUMED wait until all steps are
    through, and take about 7 cycles, SET_SYMBOL 60, a level of a snapshot 25. While ``o`` is not taken it goes on
    taking items until 12 steps are inside. A message that takes an order from a row of which only the best levels
    are known, and few, waits behind the tops until the next one has come from the ladder.

    What was in the memories before a reset is cleared after it; after configuration there is nothing in them.
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
        parameters = self.parameters
        m.submodules.intake = intake = Intake()
        m.submodules.symbol_map = symbol_map = SymbolMap(parameters)
        m.submodules.orders = orders = Orders(parameters)
        m.submodules.tops = tops = Tops(parameters)
        m.submodules.ladder = ladder = Ladder(parameters)
        m.submodules.refill = refill = Refill(parameters)
        m.submodules.commands = commands = Commands(parameters)
        connect(m, flipped(self.i), intake.i)

        advance, outstanding = Signal(), Signal(range(QUEUED))
        drained, room, nothing = Signal(), Signal(), Signal()
        # The memories hold something since they were configured, which a reset does not undo.
        used, fresh, clearing = Signal(reset_less=True), Signal(init=1), Signal(init=1)
        m.d.sync += [fresh.eq(0), clearing.eq(orders.busy | tops.busy | ladder.busy | fresh)]
        with m.If(self.i.valid & self.i.ready):
            m.d.sync += used.eq(1)
        m.d.comb += [each.clear.eq(fresh & used) for each in (orders, tops, ladder)]

        # -- steps ---------------------------------------------------------------------------------------
        m.d.comb += [
            advance.eq(~self.o.valid | self.o.ready),
            drained.eq((outstanding == 0) & ~tops.occupied),
            intake.room.eq(room & ~clearing),
            intake.drained.eq(nothing & ~clearing),
            intake.command_busy.eq(commands.busy),
            orders.step.eq(intake.step),
            symbol_map.locate.eq(Mux(commands.busy, commands.locate, intake.step.stock_locate)),
            orders.symbol.eq(symbol_map.symbol),
            orders.mapped.eq(symbol_map.mapped),
            orders.ticks.eq(symbol_map.places),
            orders.strict.eq(commands.strict),
        ]
        issued = self._queue(m, orders, tops, refill, commands, symbol_map, advance)
        m.d.sync += [
            outstanding.eq(outstanding + intake.step.valid - issued),
            # A cycle late, so that nothing behind the intake is in the way of what comes: a step may have come since.
            room.eq(outstanding <= INSIDE - 3),
            nothing.eq(drained & ~intake.step.valid),
        ]
        self._background(m, tops, ladder, refill, commands)
        m.d.comb += refill.hold.eq(commands.hold | clearing)

        # -- commands ------------------------------------------------------------------------------------
        m.d.comb += [
            commands.start.eq(intake.start),
            commands.item.eq(self.i.payload),
            commands.known.eq(symbol_map.known),
            commands.live.eq(orders.live),
            commands.slots_busy.eq(self.slots_busy),
            commands.settled.eq(~self.o.valid & self.trader_idle),
            commands.found.eq(symbol_map.mapped),
            commands.found_symbol.eq(symbol_map.symbol),
            *(getattr(symbol_map, name).eq(getattr(commands, name)) for name in ("set", "number", "own", "ticks")),
            tops.restore.eq(commands.restore),
            tops.doubt.eq(commands.doubt),
            commands.restored.eq(tops.restored),
        ]

        # -- out -----------------------------------------------------------------------------------------
        m.submodules.items = items = memory.Memory(shape=Item, depth=QUEUED, init=[])
        put, get = items.write_port(), items.read_port(domain="comb")
        result, out = tops.result, self.o.payload
        message = get.data.payload.message
        everywhere, somewhere = (Cat(message.type == ord(code) for code in codes).any() for codes in ("SW", "HYh"))
        general = (everywhere | (somewhere & result.mapped)) & ~(message.unknown | message.bad_length)
        m.d.comb += [put.data.eq(self.i.payload), put.en.eq(1)]  # the place is free
        with m.If(self.i.valid & self.i.ready):
            m.d.sync += put.addr.eq(put.addr + 1)
        with m.If(advance):
            m.d.sync += [
                self.o.valid.eq(tops.done),
                out.item.eq(get.data),
                *(
                    out[name].eq(result[name])
                    for name in ("symbol", "mapped", "is_level", "trusted", "top", "top_changed")
                ),
                out.general.eq((get.data.kind == ItemKind.MESSAGE) & general),
                out.level.eq(commands.level),
                out.level.price.eq(result.price),
                out.error.eq(commands.error),
                out.trust_cause.eq(Mux(commands.busy, TrustCause.HOST, result.trust_cause)),
                out.trust_changed.eq(result.trust_changed | commands.trust_changed),
                out.trade.valid.eq(result.trade),
                out.trade.side.eq(result.trade_side),
                out.trade.quantity.eq(result.quantity),
                out.trade.price.eq(Mux(result.at_level, result.price, message.price)),
            ]
            with m.If(tops.done & ~result.is_level):
                m.d.sync += get.addr.eq(get.addr + 1)
        m.d.comb += [
            self.count_top_changes.eq(tops.done & advance & result.top_changed),
            self.count_messages_unmapped.eq(orders.count_messages_unmapped),
            *(getattr(self, f"count_{name}").eq(getattr(orders, f"count_{name}")) for name in ORDER_COUNTERS),
            self.busy.eq(self.i.valid | self.o.valid | ~drained | commands.busy | clearing),
            self.count_disagreements.eq(refill.disagreement),
        ]
        return m

    def _queue(self, m, orders, tops, refill, commands, symbol_map, advance):
        """What goes to the tops next: effects in order, and between them what comes from the slow lane and the ladder.

        Returns whether an effect goes.
        """
        parameters = self.parameters
        m.submodules.effects = effects = memory.Memory(shape=Effect(parameters), depth=QUEUED, init=[])
        put, get = effects.write_port(), effects.read_port(domain="comb")
        level = Signal(range(QUEUED))  # in the memory
        head, waits, may_go = Signal(Effect(parameters)), Signal(), Signal()
        effect, comes_now = Signal(Effect(parameters)), Signal()
        m.d.sync += [effect.eq(orders.effect), comes_now.eq(orders.valid)]
        special, is_special = Signal(Work(parameters)), Signal()

        from_queue, arrives, direct, free = Signal(), Signal(), Signal(), Signal()
        issued = Signal()
        m.d.comb += [
            from_queue.eq(waits & may_go),
            arrives.eq(~waits & comes_now),
            # In cycle 1 may be what takes a level of the row.
            direct.eq(arrives & ~(tops.lower.any() | (tops.low.any() & tops.working))),
            free.eq(is_special & ~from_queue & ~arrives),
            issued.eq(advance & (from_queue | direct)),
            tops.advance.eq(advance),
            tops.valid.eq(from_queue | direct | free),
        ]
        work = Signal(Work(parameters))
        with m.If(from_queue):
            m.d.comb += work.effect.eq(head)
        with m.Elif(arrives):
            m.d.comb += work.effect.eq(effect)
        with m.Else():
            m.d.comb += work.eq(special)
        m.d.comb += [
            tops.work.eq(work),
            symbol_map.price_symbol.eq(work.effect.symbol),
            tops.ticks.eq(symbol_map.prices),
        ]

        # The head of the queue. The last level of a row that is known must not go while the ladder has more of
        # them. Two that take one may be in front; who comes to a row that is short waits until there is none.
        row = Cat(head.side, head.symbol)
        goes, comes, behind = Signal(), Signal(), Signal()
        m.d.comb += [
            goes.eq(advance & from_queue),
            comes.eq(comes_now & ~(advance & direct)),
            behind.eq(level != 0),
            put.data.eq(effect),
            put.en.eq(1),
            refill.urgent.eq(waits & ~may_go),
            refill.urgent_row.eq(row),
        ]
        following = Signal(Effect(parameters))
        m.d.comb += following.eq(Mux(behind, get.data, effect))
        with m.If(goes | ~waits):
            m.d.sync += [
                head.eq(following),
                waits.eq(behind | comes),
                may_go.eq(following.add | ~tops.short.bit_select(Cat(following.side, following.symbol), 1)),
            ]
        with m.Elif(~tops.working & ~free):
            m.d.sync += may_go.eq(~tops.lower.bit_select(row, 1))
        takes, leaves = comes & ~((goes | ~waits) & ~behind), (goes | ~waits) & behind
        m.d.sync += level.eq(level + takes - leaves)
        with m.If(takes):
            m.d.sync += put.addr.eq(put.addr + 1)
        with m.If(leaves):
            m.d.sync += get.addr.eq(get.addr + 1)

        # What is not an effect waits until there is none.
        m.d.comb += [
            commands.ready.eq(~is_special | (free & advance)),
            refill.ready.eq(commands.ready & ~commands.valid),
        ]
        with m.If(commands.ready):
            m.d.sync += [is_special.eq(commands.valid | refill.valid), special.eq(0)]
            with m.If(commands.valid):
                m.d.sync += [
                    special.is_level.eq(commands.is_level),
                    special.effect.final.eq(1),
                    special.effect.mapped.eq(commands.mapped),
                    Cat(special.effect.side, special.effect.symbol).eq(Cat(commands.side, commands.number)),
                    special.effect.position.eq(commands.last),
                ]
            with m.Else():
                m.d.sync += [
                    special.append.eq(1),
                    special.has.eq(refill.has),
                    special.orders.eq(refill.orders),
                    Cat(special.effect.side, special.effect.symbol).eq(refill.look),
                    special.effect.position.eq(refill.position),
                    special.effect.quantity.eq(refill.found_quantity),
                ]
        m.d.comb += commands.idle.eq(~is_special & ~tops.occupied)
        return issued

    def _background(self, m, tops, ladder, refill, commands):
        """The ladder follows the tops; the tops are refilled from it."""
        effect = tops.now.effect
        m.d.comb += [
            ladder.valid.eq(tops.fires & effect.change),
            *(ladder.change[name].eq(effect[name]) for name in ("symbol", "side", "position", "add", "order")),
            ladder.change.quantity.eq(Mux(effect.all, effect.held, effect.quantity)),
            tops.look.eq(refill.look),
            tops.appendable.eq(refill.appendable),
            refill.appended.eq(tops.appended),
            refill.short.eq(tops.short),
            refill.line.eq(tops.line),
            refill.quantity.eq(tops.quantity),
            refill.advance.eq(tops.advance),
            refill.fires.eq(tops.fires),
            refill.row.eq(Cat(effect.side, effect.symbol)),
            refill.changes.eq(effect.change),
            refill.outside.eq(tops.outside),
            refill.lost.eq(tops.lost),
            refill.changed.eq(effect.position),
            commands.held.eq(refill.held),
        ]
        for answer, name in (("found_quantity", "quantity"), *((name, name) for name in ("done", "has", "position", "orders"))):
            m.d.comb += getattr(refill, answer).eq(getattr(ladder, name))
            m.d.comb += getattr(commands, name).eq(getattr(ladder, name))
        m.d.comb += [
            Cat(ladder.side, ladder.symbol).eq(refill.look),
            ladder.search.eq(refill.search),
            ladder.behind.eq(refill.behind),
            ladder.last.eq(refill.last),
        ]
        with m.If(commands.hold & refill.held):
            m.d.comb += [
                ladder.symbol.eq(commands.number),
                *(getattr(ladder, name).eq(getattr(commands, name)) for name in ("search", "side", "behind", "last")),
            ]
