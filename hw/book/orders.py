"""What a message does to the orders of the book: finds them, reduces, removes and adds them."""

from amaranth.hdl import Module, Mux, Signal
from amaranth.lib import data, memory, wiring
from amaranth.lib.wiring import In, Out

from hw.book.intake import Step
from hw.book.order_table import Order, OrderTable
from hw.book.placer import Placer
from hw.book.symbol_map import Ticks
from hw.parameters import Parameters
from wire.records import Side, TrustCause

COUNTERS = (
    "orders_added",
    "order_overflow",
    "duplicate_reference",
    "unknown_reference",
    "over_execution",
    "bad_value",
    "out_of_band",
)


class Effect(data.StructLayout):
    """What one step of an item does behind the orders.

    ``first`` is the removal of a replace, ``second`` its addition, which follows; ``final`` is the last step of an item.
    The quantity is what the order ``held`` if ``all``, else ``quantity``.
    If ``change``, it comes to (``add``) or goes from the level at ``position``, and an order with it
    if ``order``. ``gone`` and ``come`` are orders beyond the ladder. ``cause`` is what makes the symbol
    untrusted, 0 if nothing does. If ``trade``, it was traded, at the price of the level if ``at_level``.
    """

    def __init__(self, parameters: Parameters):
        super().__init__(
            {
                "first": 1,
                "second": 1,
                "final": 1,
                "mapped": 1,
                "symbol": parameters.symbol_bits,
                "side": 1,
                "position": parameters.index_bits,
                "quantity": 32,
                "held": 32,
                "all": 1,
                "change": 1,
                "add": 1,
                "order": 1,
                "gone": 1,
                "come": 1,
                "cause": TrustCause,
                "trade": 1,
                "trade_side": 1,
                "at_level": 1,
            }
        )


class Orders(wiring.Component):
    """Applies A, F, E, C, X, D, U and P to the order table.

    Parameters
    ----------
    parameters : Parameters

    Members
    -------
    step : In(Step)
        Cycle 0: a step of a message, or none.
    symbol, mapped, ticks : In
        Cycle 1: the symbol of its stock locate, and the ladder's prices.
    strict : In(1)
        An unknown reference costs the symbol its trust.
    valid, effect : Out(1), Out(Effect)
        Cycle 4.
    live : Out(symbols)
        Which symbols have orders in the table; two cycles late.
    clear, busy : In(1), Out(1)
        Of the table's memories.
    count_... : Out(1)
        Pulses of the counters, a cycle after the effect.

    Latency 4 cycles, a step per cycle, never held up. A new order that finds the table full, or both its
    buckets and the stash, is not stored: it counts, and the symbol is not trusted any more.
    """

    def __init__(self, parameters: Parameters):
        self.parameters = parameters
        super().__init__(
            {
                "step": In(Step),
                "symbol": In(parameters.symbol_bits),
                "mapped": In(1),
                "ticks": In(Ticks),
                "strict": In(1),
                "valid": Out(1),
                "effect": Out(Effect(parameters)),
                "live": Out(parameters.symbols),
                "clear": In(1),
                "busy": Out(1),
                "count_messages_unmapped": Out(1),
                **{f"count_{name}": Out(1) for name in COUNTERS},
            }
        )

    def elaborate(self, platform):
        m = Module()
        parameters = self.parameters
        m.submodules.table = table = OrderTable(parameters)
        m.submodules.placer = placer = Placer(parameters)

        step = [self.step, *(Signal(Step, name=f"step_{n}") for n in range(1, 5))]
        symbol = [None, self.symbol, *(Signal(parameters.symbol_bits, name=f"symbol_{n}") for n in range(2, 6))]
        mapped = [None, Signal(name="mapped_1"), *(Signal(name=f"mapped_{n}") for n in range(2, 5))]
        for n in range(1, 5):
            m.d.sync += step[n].eq(step[n - 1])
        for n in range(2, 5):
            m.d.sync += [symbol[n].eq(symbol[n - 1]), mapped[n].eq(mapped[n - 1])]
        m.d.sync += symbol[5].eq(symbol[4])
        m.d.comb += [
            mapped[1].eq(step[1].valid & step[1].has_symbol & self.mapped),
            table.reference.eq(step[0].order_reference),
            table.look.eq(mapped[1] & (step[1].adds | step[1].takes)),
            table.clear.eq(self.clear),
            self.busy.eq(table.busy),
            placer.price.eq(step[1].price),
            placer.ticks.eq(self.ticks),
        ]
        m.d.sync += self.count_messages_unmapped.eq(
            step[1].valid & step[1].has_symbol & ~step[1].second & ~self.mapped
        )

        # -- cycle 4 -------------------------------------------------------------------------------------
        now, mine, place = step[4], mapped[4], placer.place
        order = table.order
        removed, removed_side = Signal(), Signal()  # by the step before, the first of a replace

        # An order that is there.
        found, takes, last, more = Signal(), Signal(), Signal(), Signal()
        m.d.comb += [
            found.eq(mine & now.takes & table.alive & (order.symbol == symbol[4])),
            takes.eq(found & (now.whole | ~now.no_quantity)),
            more.eq(~now.whole & (now.quantity > order.quantity)),
            last.eq(now.whole | (now.quantity >= order.quantity)),
        ]
        m.d.sync += [removed.eq(found), removed_side.eq(order.side)]

        # A new order.
        side, beyond = Signal(), Signal()
        total = Signal(parameters.order_bits)
        wanted, proper, fresh, stored = Signal(), Signal(), Signal(), Signal()
        m.d.comb += [
            side.eq(Mux(now.second, removed_side, now.sell)),
            beyond.eq(~place.in_band & ~Mux(side == Side.BUY, place.below, place.above)),
            wanted.eq(mine & now.adds & (~now.second | removed)),
            proper.eq(wanted & ~now.no_quantity & (now.second | ~now.no_side)),
            fresh.eq(proper & ~table.alive),
            stored.eq(fresh & table.room & ~total[-1]),
        ]
        new = Signal(Order(parameters))
        m.d.comb += [
            new.symbol.eq(symbol[4]),
            new.side.eq(side),
            new.in_band.eq(place.in_band),
            new.beyond.eq(beyond),
            new.position.eq(Mux(place.in_band, Mux(side == Side.BUY, ~place.index, place.index), 0)),
            new.quantity.eq(now.quantity),
            table.store.eq(takes | stored),
            table.keep.eq(~now.takes | ~last),
            table.new.eq(new),
        ]
        with m.If(now.takes):
            m.d.comb += [table.new.eq(order), table.new.quantity.eq(order.quantity - now.quantity)]

        # -- what comes of it ------------------------------------------------------------------------------
        unknown, over = mine & now.takes & ~found, found & more
        effect = self.effect
        m.d.comb += [
            self.valid.eq(now.valid),
            effect.first.eq(now.first),
            effect.second.eq(now.second),
            effect.final.eq(~now.first),
            effect.mapped.eq(mine),
            effect.symbol.eq(symbol[4]),
            effect.side.eq(Mux(now.takes, order.side, side)),
            effect.position.eq(Mux(now.takes, order.position, new.position)),
            effect.quantity.eq(now.quantity),
            effect.held.eq(order.quantity),
            effect.all.eq(now.takes & last),
            effect.change.eq((takes & order.in_band) | (stored & place.in_band)),
            effect.add.eq(~now.takes),
            effect.order.eq(~now.takes | last),
            effect.gone.eq(takes & last & order.beyond),
            effect.come.eq(stored & beyond),
            effect.trade.eq((takes & now.fills) | (mine & now.trades)),
            effect.trade_side.eq(Mux(now.trades, ~now.buy, order.side)),
            effect.at_level.eq(now.executes & order.in_band),
        ]
        with m.If(now.takes):
            with m.If(unknown & self.strict):
                m.d.comb += effect.cause.eq(TrustCause.UNKNOWN_REFERENCE)
            with m.If(over):
                m.d.comb += effect.cause.eq(TrustCause.OVER_EXECUTION)
        with m.Elif(wanted):
            with m.If(~proper):
                m.d.comb += effect.cause.eq(TrustCause.BAD_VALUE)
            with m.Elif(~fresh):
                m.d.comb += effect.cause.eq(TrustCause.DUPLICATE_REFERENCE)
            with m.Elif(~stored):
                m.d.comb += effect.cause.eq(TrustCause.OVERFLOW)
        m.d.sync += [
            self.count_orders_added.eq(stored),
            self.count_order_overflow.eq(fresh & ~stored),
            self.count_duplicate_reference.eq(proper & ~fresh),
            self.count_unknown_reference.eq(unknown),
            self.count_over_execution.eq(over),
            self.count_bad_value.eq(wanted & ~proper),
            self.count_out_of_band.eq(stored & ~place.in_band),
        ]

        # -- how many orders there are, and a symbol has ---------------------------------------------------
        leaves = Signal()
        m.d.comb += leaves.eq(takes & last)
        with m.If(stored):
            m.d.sync += total.eq(total + 1)
        with m.Elif(leaves):
            m.d.sync += total.eq(total - 1)
        came, went = Signal(), Signal()  # cycle 5
        m.d.sync += [came.eq(stored), went.eq(leaves)]
        # A symbol's count means nothing unless it is live.
        m.submodules.counts = counts = memory.Memory(
            shape=parameters.order_bits, depth=max(2, parameters.symbols), init=[]
        )
        reader, writer = counts.read_port(domain="comb"), counts.write_port()
        alive = self.live.bit_select(symbol[5], 1)
        m.d.comb += [
            reader.addr.eq(symbol[5]),
            writer.addr.eq(symbol[5]),
            writer.en.eq(came | went),
            writer.data.eq(Mux(came, Mux(alive, reader.data, 0) + 1, reader.data - 1)),
        ]
        with m.If(came):
            m.d.sync += alive.eq(1)
        with m.If(went & (reader.data == 1)):
            m.d.sync += alive.eq(0)
        return m
