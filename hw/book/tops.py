"""The best levels of every row, in front of the ladder: best bid and offer without a search."""

from operator import eq, lt

from amaranth.hdl import Cat, Module, Mux, Signal
from amaranth.lib import data, memory, wiring
from amaranth.lib.wiring import In, Out

from hw.book.orders import Effect
from hw.book.symbol_map import TICK_BITS, Ticks
from hw.book.trust import Trust
from hw.items import Best
from hw.parameters import Parameters
from wire.records import Side, TrustCause

RANKS = 4
"""Levels of a row that are kept here."""


class Work(data.StructLayout):
    """What comes here.

    Either the effect of a step; or ``append``: the level of ``orders`` orders that the ladder has next behind
    those here, or, if not ``has``, word that it has no more; or nothing but a symbol and a position, for
    their price: a level of a snapshot if ``is_level``.
    """

    def __init__(self, parameters: Parameters):
        super().__init__(
            {
                "effect": Effect(parameters),
                "append": 1,
                "has": 1,
                "orders": parameters.order_bits,
                "is_level": 1,
            }
        )


class Line(data.StructLayout):
    """The best levels of a row, best first; ``more``: the ladder may have others, behind them."""

    def __init__(self, parameters: Parameters):
        rank = data.StructLayout({"has": 1, "position": parameters.index_bits, "orders": parameters.order_bits})
        super().__init__({"ranks": data.ArrayLayout(rank, RANKS), "more": 1})


class Result(data.StructLayout):
    """What the book says of an item."""

    def __init__(self, parameters: Parameters):
        best = Best(parameters)
        super().__init__(
            {
                "is_level": 1,
                "symbol": parameters.symbol_bits,
                "mapped": 1,
                "trusted": parameters.symbols,
                "trust_changed": parameters.symbols,
                "trust_cause": TrustCause,
                "top_changed": 1,
                "top": data.StructLayout({"bid": best, "ask": best}),
                "trade": 1,
                "trade_side": 1,
                "at_level": 1,
                "quantity": 32,
                "price": 32,
            }
        )


class Tops(wiring.Component):
    """Keeps the best levels of each row in step with the orders, and says what an item did to the top.

    A row here is what the ladder has, from the best level on without a hole. A level that is better than the
    worst one here is therefore here if it is occupied. When levels run out, those that follow are appended
    from the ladder; until then nothing may come that could take the last one (``low``).

    Parameters
    ----------
    parameters : Parameters

    Members
    -------
    advance : In(1)
        Everything goes on by a stage.
    valid, work : In(1), In(Work)
        Cycle 0.
    ticks : In(Ticks)
        Of ``work``'s symbol.
    fires, now, outside, lost : Out(1), Out(Work), Out(1), Out(1)
        Cycle 1: what becomes effective with this clock edge; ``outside``: it changes a level that is not here;
        ``lost``: the last one here has to go, to make room.
    done, result : Out(1), Out(Result)
        Cycle 2: an item is through.
    working, occupied : Out(1)
        Something is in cycle 1; in cycle 1 or 2.
    short, low, lower : Out(2 * symbols)
        Rows (symbol and side, the side in bit 0) that have less than ``RANKS``, 3, 2 levels here, and more in
        the ladder.
    look, line, quantity : In, Out(Line), Out(32)
        A row, as it is before ``now``, and the quantity of its best level if nothing changed it in the last cycle.
    restore, doubt, restored : In, In, Out
        Of the trust.
    appendable, appended : In(1), Out(1)
        Cycle 1: nothing changed since the ladder gave what is to be appended; and that has been judged.
    clear, busy : In(1), Out(1)

    Latency 2 cycles and the register of whom it gives the result to, one piece of work per cycle. Cycle 1
    changes positions and order counts, cycle 2 quantities. When ``advance`` is low all of it stands.
    """

    def __init__(self, parameters: Parameters):
        self.parameters = parameters
        rows = 2 * parameters.symbols
        super().__init__(
            {
                "advance": In(1),
                "valid": In(1),
                "work": In(Work(parameters)),
                "ticks": In(Ticks),
                "fires": Out(1),
                "now": Out(Work(parameters)),
                "outside": Out(1),
                "lost": Out(1),
                "done": Out(1),
                "result": Out(Result(parameters)),
                "working": Out(1),
                "occupied": Out(1),
                "short": Out(rows),
                "low": Out(rows),
                "lower": Out(rows),
                "look": In(parameters.symbol_bits + 1),
                "line": Out(Line(parameters)),
                "quantity": Out(32),
                "restore": In(parameters.symbols),
                "doubt": In(1),
                "restored": Out(parameters.symbols),
                "appendable": In(1),
                "appended": Out(1),
                "clear": In(1),
                "busy": Out(1),
            }
        )

    def elaborate(self, platform):
        m = Module()
        parameters = self.parameters
        rows = 2 * parameters.symbols
        m.submodules.trust = trust = Trust(parameters)
        sweep, clearing = Signal(parameters.symbol_bits + 1), Signal()
        with m.If(self.clear):
            m.d.sync += clearing.eq(1)
        with m.If(clearing):
            m.d.sync += sweep.eq(sweep + 1)
            with m.If(sweep == rows - 1):
                m.d.sync += [clearing.eq(0), sweep.eq(0)]

        valid, work, line = Signal(), Signal(Work(parameters)), Signal(Line(parameters))  # cycle 1
        same, above = Signal(RANKS), Signal(RANKS)  # the position of ``work`` is that of a rank; it is better
        adds, takes, last = Signal(), Signal(), Signal()  # it adds to a level, takes from it, takes an order from it
        effect = work.effect
        after, applied = self._levels(m, work, line, same, above, adds, takes, last)
        fires = Signal()
        m.d.comb += [
            self.busy.eq(clearing),
            self.working.eq(valid),
            fires.eq(valid & self.advance),
            self.fires.eq(fires),
            self.now.eq(work),
            self.outside.eq(applied.outside),
            self.lost.eq(applied.lost),
            self.appended.eq(fires & work.append),
            trust.valid.eq(fires),
            trust.effect.eq(effect),
            trust.restore.eq(self.restore),
            trust.doubt.eq(self.doubt),
            self.restored.eq(trust.restored),
        ]

        # -- cycle 0: the row as it is after what is in cycle 1 -----------------------------------------
        row = Cat(effect.side, effect.symbol)
        m.submodules.lines = lines = memory.Memory(shape=Line(parameters), depth=rows, init=[])
        reader, looker = (lines.read_port(domain="comb") for _ in range(2))
        writer = lines.write_port()
        coming = Cat(self.work.effect.side, self.work.effect.symbol)
        m.d.comb += [
            reader.addr.eq(coming),
            looker.addr.eq(self.look),
            self.line.eq(looker.data),
            writer.addr.eq(Mux(clearing, sweep, row)),
            writer.data.eq(after),
            writer.en.eq(fires),
        ]
        with m.If(clearing):
            m.d.comb += [writer.data.eq(0), writer.en.eq(1)]
        best_price, tick = Signal(32), Signal(TICK_BITS)  # that of position 0
        forwards = valid & (coming == row)
        comes, position = self.work.effect, self.work.effect.position
        for compare, result in ((eq, same), (lt, above)):
            # Where the ranks come from the row in cycle 1, so do the comparisons.
            before = [compare(position, rank.position) for rank in line.ranks]
            after_it = self._moved(applied, before, compare(position, effect.position))
            stored = [compare(position, rank.position) for rank in reader.data.ranks]
            with m.If(self.advance):
                m.d.sync += result.eq(Mux(forwards, Cat(after_it), Cat(stored)))
        with m.If(self.advance):
            m.d.sync += [
                valid.eq(self.valid),
                work.eq(self.work),
                adds.eq(comes.change & comes.add),
                takes.eq(comes.change & ~comes.add),
                last.eq(comes.change & ~comes.add & comes.order),
                line.eq(Mux(forwards, after, reader.data)),
                best_price.eq(Mux(self.work.effect.side == Side.BUY, self.ticks.last, self.ticks.base)),
                tick.eq(self.ticks.tick),
            ]
        with m.If(fires):
            for n in range(rows):
                with m.If(row == n):
                    m.d.sync += [
                        flags[n].eq(after.more & ~after.ranks[rank].has)
                        for rank, flags in ((3, self.short), (2, self.low), (1, self.lower))
                    ]

        self._quantities(m, fires, work, line, applied, after, trust, best_price, tick, clearing, sweep)
        return m

    @staticmethod
    def _moved(applied, ranks, inserted):
        """What belongs to each rank, after the work: what it was before, or ``inserted`` with a new level."""
        values = []
        for n, value in enumerate(ranks):
            value = Mux(applied.gone[n], ranks[n + 1] if n + 1 < RANKS else 0, value)
            if n:
                value = Mux(applied.behind[n], ranks[n - 1], value)
            values.append(Mux(applied.insert[n], inserted, value))
        return values

    def _levels(self, m, work, line, same, above, adds, takes, last):
        """Cycle 1: positions and order counts after the work, and what it did."""
        parameters, effect = self.parameters, work.effect
        ranks = range(RANKS)
        applied = Signal(
            data.StructLayout({"equal": RANKS, "insert": RANKS, "behind": RANKS, "gone": RANKS, "lost": 1, "outside": 1})
        )
        after = Signal(Line(parameters))
        equal, better, behind = (Signal(RANKS, name=name) for name in ("equal", "better", "behind"))
        single, taken, insert = (Signal(RANKS, name=name) for name in ("single", "taken", "insert"))
        append = Signal()
        m.d.comb += append.eq(work.append & work.has & self.appendable)
        for n in ranks:
            rank = line.ranks[n]
            before = behind[n - 1] if n else 0
            m.d.comb += [
                equal[n].eq(rank.has & same[n]),
                better[n].eq(rank.has & above[n]),
                behind[n].eq(~rank.has | better[n]),  # from here on all are
                single[n].eq(rank.orders == 1),
                insert[n].eq(behind[n] & ~before & (better[n] | ~line.more | append)),
                taken[n].eq((equal & single)[: n + 1].any()),  # a level went that was here or before
            ]
        # Levels are here from the best on and in order: whether one comes or goes follows without knowing where.
        has = Cat(rank.has for rank in line.ranks)
        finds, inserts, goes, fresh = Signal(), Signal(), Signal(), Signal(parameters.order_bits)
        m.d.comb += [
            finds.eq(better.any() | (~has[-1] & (~line.more | append))),
            inserts.eq((adds | append) & ~equal.any() & finds),
            goes.eq(last & (equal & single).any()),
            fresh.eq(Mux(work.append, work.orders, 1)),
            applied.equal.eq(Mux(effect.change, equal, 0)),
            applied.insert.eq(Mux(inserts, insert, 0)),
            applied.behind.eq(Mux(inserts, behind, 0)),
            applied.gone.eq(Mux(last, taken, 0)),
            applied.lost.eq(inserts & has[-1]),
            applied.outside.eq(~equal.any() & (takes | (adds & ~finds))),
        ]
        positions = self._moved(applied, [rank.position for rank in line.ranks], effect.position)
        counts = []
        for n in ranks:
            step = applied.equal[n] & effect.order
            counts.append((line.ranks[n].orders + Cat(step, step & ~effect.add).as_signed())[: parameters.order_bits])
        counts = self._moved(applied, counts, fresh)
        for n in ranks:
            one_up, one_down = has[n - 1] if n else 1, has[n + 1] if n + 1 < RANKS else 0
            m.d.comb += [
                after.ranks[n].has.eq(Mux(inserts, one_up, Mux(goes, one_down, has[n]))),
                after.ranks[n].position.eq(positions[n]),
                after.ranks[n].orders.eq(counts[n]),
            ]
        m.d.comb += after.more.eq(line.more | applied.lost | (effect.add & applied.outside))
        with m.If(work.append & ~work.has & self.appendable):
            m.d.comb += after.more.eq(0)
        return after, applied

    def _quantities(self, m, fires, work, line, applied, after, trust, best_price, tick, clearing, sweep):
        """Cycle 2: quantities after the work, and the top."""
        parameters = self.parameters
        effect = work.effect
        best = Best(parameters)
        rows, depth = 2 * parameters.symbols, max(2, parameters.symbols)
        result = self.result

        quantity = Mux(effect.all, effect.held, effect.quantity)

        # What goes from cycle 1 to cycle 2. The top may have changed and changed back in a replace.
        touched, first_touched = Signal(), Signal()
        first = Signal(Effect(parameters))
        m.d.comb += touched.eq(effect.change & (applied.equal[0] | applied.insert[0]))
        with m.If(fires & effect.first):
            m.d.sync += [first_touched.eq(touched), first.eq(effect)]
        undone = first.change & effect.change & (first.position == effect.position)
        undone &= first.held == effect.quantity
        state = data.StructLayout(
            {
                "done": 1,
                "is_level": 1,
                "mapped": 1,
                "symbol": parameters.symbol_bits,
                "side": 1,
                "add": 1,
                "quantity": 32,
                "equal": RANKS,
                "insert": RANKS,
                "behind": RANKS,
                "gone": RANKS,
                "touched": 1,
                "top_changed": 1,
                "has": 1,
                "position": parameters.index_bits,
                "offset": 32,
                "next_offset": 32,
                "best_price": 32,
                "trade": 1,
                "trade_side": 1,
                "at_level": 1,
                "trusted": parameters.symbols,
                "trust_changed": parameters.symbols,
                "trust_cause": TrustCause,
            }
        )
        valid, now = Signal(), Signal(state)
        quantities = Signal(data.ArrayLayout(32, RANKS))
        with m.If(self.advance):
            m.d.sync += [
                valid.eq(fires),
                *(
                    now[name].eq(effect[name])
                    for name in ("mapped", "symbol", "side", "add", "trade", "trade_side", "at_level")
                ),
                *(now[name].eq(applied[name]) for name in ("equal", "insert", "behind", "gone")),
                now.quantity.eq(quantity),
                now.done.eq(effect.final),
                now.is_level.eq(work.is_level),
                now.touched.eq(touched),
                now.top_changed.eq(Mux(effect.second, (touched | first_touched) & ~undone, touched)),
                now.has.eq(after.ranks[0].has),
                now.position.eq(after.ranks[0].position),
                now.offset.eq(effect.position * tick),
                now.next_offset.eq(line.ranks[1].position * tick),
                now.best_price.eq(best_price),
                now.trusted.eq(trust.trusted),
                now.trust_changed.eq(trust.changed),
                now.trust_cause.eq(trust.cause),
            ]

        # -- cycle 2 -------------------------------------------------------------------------------------
        sums, later = (Signal(data.ArrayLayout(32, RANKS), name=name) for name in ("sums", "later"))
        amount = Mux(now.add, Cat(0, now.quantity), Cat(1, ~now.quantity))
        m.d.comb += [
            sums[n].eq((Cat(~now.add, quantities[n]) + amount)[1:]) for n in range(RANKS)
        ]
        held = [Mux(now.equal[n], sums[n], quantities[n]) for n in range(RANKS)]
        m.d.comb += [each.eq(value) for each, value in zip(later, self._moved(now, held, now.quantity), strict=True)]

        # Read in cycle 1, written in cycle 2.
        m.submodules.row_quantities = kept = memory.Memory(shape=quantities.shape(), depth=rows, init=[])
        reader, looker = (kept.read_port(domain="comb") for _ in range(2))
        writer = kept.write_port()
        row = Cat(now.side, now.symbol)
        coming = Cat(effect.side, effect.symbol)
        m.d.comb += [
            reader.addr.eq(coming),
            looker.addr.eq(self.look),
            self.quantity.eq(looker.data[0]),
            writer.addr.eq(row),
            writer.data.eq(later),
            writer.en.eq(valid & self.advance),
        ]
        with m.If(self.advance):
            m.d.sync += quantities.eq(Mux(valid & (coming == row), later, reader.data))

        def price_of(offset):
            """Prices go down with the positions of buys, up with those of sells."""
            down = now.side == Side.BUY
            return (Cat(down, now.best_price) + Mux(down, Cat(1, ~offset), Cat(0, offset)))[1:33]

        # The top of the side may have changed, that of the other one is what it was.
        old, new, price = Signal(best), Signal(best), Signal(32)
        stores = []
        for name in ("bids", "asks"):
            m.submodules[name] = store = memory.Memory(shape=best, depth=depth, init=[])
            stores.append((store.read_port(domain="comb"), store.write_port()))
        m.d.comb += [
            old.eq(Mux(now.side == Side.BUY, stores[0][0].data, stores[1][0].data)),
            price.eq(price_of(now.offset)),
            new.has.eq(now.has),
        ]
        with m.If(now.has):
            m.d.comb += [
                new.index.eq(Mux(now.side == Side.BUY, ~now.position, now.position)),
                new.quantity.eq(later[0]),
                new.price.eq(old.price),
            ]
            with m.If(now.insert[0]):
                m.d.comb += new.price.eq(price)
            with m.If(now.gone[0]):
                m.d.comb += new.price.eq(price_of(now.next_offset))
        for side, top, (reader, writer) in zip(Side, (result.top.bid, result.top.ask), stores, strict=False):
            mine = now.touched & (now.side == side)
            m.d.comb += [
                reader.addr.eq(now.symbol),
                top.eq(Mux(mine, new, reader.data)),
                writer.addr.eq(Mux(clearing, sweep[1:], now.symbol)),
                writer.data.eq(Mux(clearing, 0, new)),
                writer.en.eq((valid & self.advance & mine) | clearing),
            ]
        m.d.comb += [
            *(
                result[name].eq(now[name])
                for name in (
                    "is_level", "symbol", "mapped", "trusted", "trust_changed", "trust_cause",
                    "top_changed", "trade", "trade_side", "at_level", "quantity",
                )
            ),
            result.price.eq(price),
            self.done.eq(valid & now.done),
            self.occupied.eq(self.working | valid),
        ]
