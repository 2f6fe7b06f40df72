"""What an item means for its symbol, in numbers: flow signals, profit and loss, and the prices of both quotes."""

from functools import partial

from amaranth.hdl import Cat, Module, Mux, Signal, signed
from amaranth.lib import data, memory, wiring
from amaranth.lib.wiring import In, Out

from hw.arithmetic import Product32
from hw.block_memory import read_block
from hw.parameters import Parameters
from hw.pipeline import delayed
from hw.quoter import quoter
from hw.quoter.quoter import Quote, Quoter, QuoterParameters
from hw.signals import flow
from hw.signals.flow import Flow, FlowRow, FlowSignals, Trade
from hw.trader.rows import Account, Listing, top_layout

MONEY_LATENCY = 7
LATENCY = quoter.LATENCY
AGAIN = flow.LATENCY + 1
"""Cycles behind an item in which the flow row that is read does not have it yet."""

Money = data.StructLayout({"pnl": signed(64), "pnl_total": signed(64)})
"""Profit and loss of the symbol and of all, at the market's price."""

THRESHOLD_BITS = 34
Quotes = data.StructLayout({"buy": Quote, "sell": Quote, "threshold": THRESHOLD_BITS})
"""Both quotes, and the price change from which on a standing one is replaced; one that none can reach is 2^34 - 1."""


def same_levels(narrow, top):
    """A top as the signals take it, without prices, is that of a book."""
    return [narrow[side][name].eq(top[side][name]) for side in ("bid", "ask") for name in ("has", "index", "quantity")]


class Asked(data.StructLayout):
    """An item as far as it is valued.

    ``new_stamp``: its stamp is not that of the item before. ``counts``: it is a message; its top and trade go into the flow
    signals. ``marks``: profit and loss are brought up to its top. ``alone``: no other is on its way, and its results
    are waited for.
    """

    def __init__(self, parameters: Parameters):
        super().__init__(
            {
                "symbol": parameters.symbol_bits,
                "stamp": 64,
                "new_stamp": 1,
                "counts": 1,
                "marks": 1,
                "alone": 1,
                "top": top_layout(parameters),
                "trade": Trade,
            }
        )


class Valuation(wiring.Component):
    """Values an item per cycle, in order. It is the one writer of flow signals, marks, and profit and loss.

    Parameters
    ----------
    parameters : Parameters

    Members
    -------
    ahead : In
        The symbol of the item that is at ``i`` a cycle later; ``top``, ``flow``, ``mark`` and ``pnl`` are that symbol's.
    i, go : In(Asked), In(1)
        An item, and that it is taken.
    clash : Out(1)
        The item must not be taken yet: one of the same symbol is too close before it.
    money, money_done, money_alone : Out(Money), Out(1), Out(1)
        7 cycles behind the item. The latter: it was ``alone``.
    quotes, done, alone : Out(Quotes), Out(1), Out(1)
        14 cycles behind the item.
    soon : Out(1)
        A cycle before ``done`` of an item that is ``alone``.
    idle : Out(1)
        No item is on its way.
    top, flow, mark, pnl, pnl_total : Out
        What is kept; true when ``idle``.
    signals : Quoter's signals
        8 cycles behind ``top`` when ``idle``.
    store_at : In
        The symbol of which something else is stored. ``idle`` must be high.
    store_quoting, quoting, store_listing, listing, store_account, account, new_mark, store_top, new_top : In
        Parameters of the quoter; base price and tick; position, cash and mark; best levels.
    forget_flow, clear : In(1)
        Flow signals to 0; everything to 0.

    II 1, for items of one symbol and stamp 2. An item of another stamp waits until the symbol's last one is 7 cycles ahead.
    """

    def __init__(self, parameters: Parameters):
        self.parameters = parameters
        symbol, top = parameters.symbol_bits, top_layout(parameters)
        self.quoter = Quoter(parameters.index_bits)
        self.signals = self.quoter.signals
        super().__init__(
            {
                "ahead": In(symbol),
                "i": In(Asked(parameters)),
                "go": In(1),
                "clash": Out(1),
                "money": Out(Money),
                "money_done": Out(1),
                "money_alone": Out(1),
                "quotes": Out(Quotes),
                "done": Out(1),
                "alone": Out(1),
                "soon": Out(1),
                "idle": Out(1, init=1),
                "top": Out(top),
                "flow": Out(Flow),
                "mark": Out(32),
                "pnl": Out(signed(64)),
                "pnl_total": Out(signed(64)),
                "store_at": In(symbol),
                "store_quoting": In(1),
                "quoting": In(QuoterParameters),
                "store_listing": In(1),
                "listing": In(Listing),
                "store_account": In(1),
                "account": In(Account),
                "new_mark": In(32),
                "store_top": In(1),
                "new_top": In(top),
                "forget_flow": In(1),
                "clear": In(1),
            }
        )

    def elaborate(self, platform):
        m = Module()
        self._follow_items(m)
        self._value_flow(m)
        self._value_money(m)
        self._value_quotes(m)
        return m

    # -- items on their way --------------------------------------------------------------------------

    def _follow_items(self, m):
        """``symbol[n]``, ``running[n]``: of the item n cycles behind ``i``."""
        i = self.i
        self.symbol, self.running, alone = [self.ahead, i.symbol], [self.go], [i.alone]
        for n in range(1, LATENCY + 1):
            self.symbol.append(delayed(m, self.symbol[n], f"symbol_{n}"))
            running = Signal(name=f"running_{n}")
            m.d.sync += running.eq(self.running[-1])
            self.running.append(running)
            alone.append(delayed(m, alone[-1], f"alone_{n}"))
        self.symbol = self.symbol[1:]
        m.d.comb += [
            self.money_done.eq(self.running[MONEY_LATENCY]),
            self.money_alone.eq(alone[MONEY_LATENCY]),
            self.done.eq(self.running[LATENCY]),
            self.alone.eq(alone[LATENCY]),
            self.soon.eq(self.running[LATENCY - 1] & alone[LATENCY - 1]),
        ]

        m.d.sync += self.idle.eq(~Cat(self.running[:-1]).any())

        # One of the same symbol is close before it: of another stamp, or right before it.
        same_stamp, clashes, again = self.go, [], []
        for n in range(1, AGAIN + 1):
            kept = Signal(name=f"same_stamp_{n}")
            m.d.sync += kept.eq(same_stamp & ~(self.go & i.new_stamp) if n > 1 else 1)
            same_stamp = kept
            near = self.running[n] & (self.symbol[n] == i.symbol)
            again.append(near)
            clashes.append(near if n == 1 else near & (i.new_stamp | ~same_stamp))
        m.d.comb += self.clash.eq(Cat(clashes).any())
        self.again = Cat(again).any()

    def _rows(self, m, name, shape, store, value, behind=(0,), at=None):
        """A row per symbol; its values so many cycles ``behind`` the item."""
        m.submodules[name] = rows = memory.Memory(shape=shape, depth=self.parameters.symbols, init=[])
        write = rows.write_port()
        m.d.comb += [
            write.en.eq(store | self.clear),
            write.addr.eq(self.store_at if at is None else at),
            write.data.eq(value),
        ]
        with m.If(self.clear):
            m.d.comb += [write.addr.eq(self.store_at), write.data.eq(0)]
        found = [read_block(m, rows, self.ahead if n == 0 else self.symbol[n - 1]) for n in behind]
        return found[0] if len(found) == 1 else found

    # -- values --------------------------------------------------------------------------------------

    def _value_flow(self, m):
        """5 cycles behind the item. Of two at the same stamp the second finds what the first left."""
        i = self.i
        before = self._rows(
            m,
            "tops",
            self.new_top.shape(),
            (self.go & i.marks) | self.store_top,
            Mux(self.store_top, self.new_top, i.top),
            at=Mux(self.store_top, self.store_at, i.symbol),
        )
        m.submodules.flow = signals = FlowSignals(self.parameters.index_bits)
        o, symbol = signals.o, self.symbol[flow.LATENCY]
        stamp = delayed(m, i.stamp, "stamp", flow.LATENCY)
        running = self.running[flow.LATENCY]
        new = FlowRow(Cat(o, stamp))
        m.submodules.flows = rows = memory.Memory(shape=FlowRow, depth=self.parameters.symbols, init=[])
        write, look = rows.write_port(), rows.read_port(domain="comb")
        forget = self.forget_flow | self.clear
        m.d.comb += [
            write.en.eq(running | forget),
            write.addr.eq(Mux(running, symbol, self.store_at)),
            write.data.eq(Mux(running, new, 0)),
            look.addr.eq(self.symbol[flow.LATENCY - 2]),
        ]
        row = read_block(m, rows, self.ahead)
        m.d.comb += [self.top.eq(before), self.flow.eq(row.flow)]
        same = running & (symbol == look.addr)
        m.d.comb += [
            signals.row.eq(row),
            signals.stamp.eq(i.stamp),
            signals.decay.eq(self._rows(m, "decays", 5, self.store_quoting, self.quoting.decay)),
            signals.fresh.eq(i.counts),
            signals.trade.eq(i.trade),
            signals.again.eq(self.again),
        ]
        m.d.comb += signals.now.eq(delayed(m, Mux(same, o, look.data.flow), "now"))
        m.d.comb += [*same_levels(signals.before, before), *same_levels(signals.after, i.top)]
        self.flow_values = o

    def _value_money(self, m):
        """Profit and loss at what the position would fetch."""
        i, account, store = self.i, self.account, self.store_account
        register = partial(delayed, m)
        position, position_late = self._rows(
            m, "positions", signed(32), store, account.position, (0, quoter.LOOKED_AT["position"])
        )
        self.position = position_late
        marks = self.go & i.marks
        price = Signal(32)
        old = self._rows(
            m,
            "marks",
            32,
            marks | store,
            Mux(store, self.new_mark, price),
            at=Mux(store, self.store_at, i.symbol),
        )
        long, short = position > 0, position < 0
        m.d.comb += [
            self.mark.eq(old),
            price.eq(Mux(long & i.top.bid.has, i.top.bid.price, Mux(short & i.top.ask.has, i.top.ask.price, old))),
        ]
        m.submodules.worth = worth = Product32()
        m.d.sync += [worth.a.eq(Mux(short, -position, position)[:32]), worth.b.eq(price)]
        cash = self._rows(m, "cash", signed(64), store, account.cash, (3,))
        is_short, marking = register(short, "short", 3), register(i.marks, "marks", 4)
        pnl = register(Mux(is_short, cash - worth.o, cash + worth.o)[:64].as_signed(), "pnl_now")
        stored = self.running[4] & marking
        before = self._rows(m, "pnls", signed(64), stored, pnl, (4, 0), at=self.symbol[4])
        gained = register(Mux(stored, pnl - before[0], 0), "gained")
        m.d.comb += self.pnl.eq(before[1])
        with m.If(self.running[5]):
            m.d.sync += self.pnl_total.eq(self.pnl_total + gained)
        m.d.comb += [
            self.money.pnl.eq(register(pnl, "pnl_late", 3)),
            self.money.pnl_total.eq(register(self.pnl_total, "pnl_total_late")),
        ]

    def _value_quotes(self, m):
        m.submodules.quoter = quotes = self.quoter
        parameters, listing, i = self.quoting, self.listing, self.i
        m.d.comb += [
            *same_levels(quotes.top, i.top),
            quotes.flow.eq(delayed(m, self.flow_values, "flow_values", quoter.FLOW_AT - flow.LATENCY)),
            quotes.position.eq(self.position),
        ]
        for name, when in quoter.LOOKED_AT.items():
            if name == "tick" or name == "base_price":
                value = self._rows(m, f"{name}s", 32, self.store_listing, listing[name], (when,))
                m.d.comb += quotes.ladder[name].eq(value)
            elif name != "position":
                value = self._rows(m, f"{name}s", parameters[name].shape(), self.store_quoting, parameters[name], (when,))
                m.d.comb += quotes.parameters[name].eq(value)
        threshold = quotes.threshold
        m.d.comb += [
            self.quotes.buy.eq(quotes.buy),
            self.quotes.sell.eq(quotes.sell),
            self.quotes.threshold.eq(
                Mux(threshold[THRESHOLD_BITS:].any(), (1 << THRESHOLD_BITS) - 1, threshold[:THRESHOLD_BITS])
            ),
        ]
