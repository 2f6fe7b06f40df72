"""Messages that wait for the trader's steps, and whether those would find anything to do."""

from amaranth.hdl import Cat, Module, Mux, Signal
from amaranth.lib import data, memory, wiring
from amaranth.lib.wiring import In, Out

from hw.arithmetic import distance
from hw.items import Change, is_evaluated
from hw.orders.slots import PLACES
from hw.parameters import Parameters
from hw.trader.rows import Market
from hw.trader.valuation import Money, Quotes
from wire.records import SLOTS, SlotState

DEPTH = 16
SIDES = ("buy", "sell")

CardState = data.StructLayout(
    {
        "session_up": 1,
        "killed": 1,
        "closed": 1,  # the market, the feed has a gap, or the order ids are used up
        "strategy_killed": 1,  # any
        "quoter_killed": 1,
        "last_heartbeat": 64,
        "heartbeat_ns": 64,
        "loss_limit": 64,
    }
)
"""What an evaluation looks at that belongs to no symbol. Stands still while a message waits."""


class Backlog(wiring.Component):
    """A queue of messages with their values. Those that call for no order are told from those that do.

    Parameters
    ----------
    parameters : Parameters

    Members
    -------
    put, change : In(1), In(Change)
        A message.
    room : Out(1)
        Two more fit.
    money_put, money, quotes_put, quotes : In
        Its values, later, in the same order.
    state : In(CardState)
    open : In(1)
        Orders, limits and parameters stand still: what they say can be looked at.
    valid, calls, take : Out(1), Out(1), In(1)
        The first one is there; its evaluation may have something to do; it is taken.
    first, first_money, first_quotes : Out
        The first one.
    empty : Out(1)
        None waits; it may be a cycle late to say so.
    store_at : In
        The symbol of which something is stored.
    store_slot, place, slot_state, slot_price, cancel_wanted : In
        An own order.
    store_last, side, last_time : In
        When the last order of a side was sent.
    store_market, market, store_life, min_life, store_loss_limit, loss_limit : In
    clear : In(1)
        Everything stored to 0.

    3 cycles from the last of a message's values to ``valid``, II 1. Behind one that calls, the next ones are looked at
    anew when ``open`` is high again. It never overflows: who puts looks at ``room``.
    """

    def __init__(self, parameters: Parameters):
        self.parameters = parameters
        change = Change(parameters)
        super().__init__(
            {
                "put": In(1),
                "change": In(change),
                "room": Out(1),
                "money_put": In(1),
                "money": In(Money),
                "quotes_put": In(1),
                "quotes": In(Quotes),
                "state": In(CardState),
                "open": In(1),
                "valid": Out(1),
                "calls": Out(1),
                "take": In(1),
                "first": Out(change),
                "first_money": Out(Money),
                "first_quotes": Out(Quotes),
                "empty": Out(1, init=1),
                "store_at": In(parameters.symbol_bits),
                "store_slot": In(1),
                "place": In(3),
                "slot_state": In(3),
                "slot_price": In(32),
                "cancel_wanted": In(1),
                "store_last": In(1),
                "side": In(1),
                "last_time": In(64),
                "store_market": In(1),
                "market": In(Market),
                "store_life": In(1),
                "min_life": In(32),
                "store_loss_limit": In(1),
                "loss_limit": In(64),
                "clear": In(1),
            }
        )

    def elaborate(self, platform):
        m = Module()
        pointer = range(2 * DEPTH)
        self.at, self.looking = Signal(pointer), Signal()  # what is looked at, that it goes into the first stage
        first_at, put_at, money_at, quotes_at = (
            Signal(pointer, name=name) for name in ("first_at", "put_at", "money_at", "quotes_at")
        )

        def queue(name, shape, put, at, value):
            m.submodules[name] = kept = memory.Memory(shape=shape, depth=DEPTH, init=[])
            write = kept.write_port()
            m.d.comb += [write.en.eq(put), write.addr.eq(at[:-1]), write.data.eq(value)]
            with m.If(put):
                m.d.sync += at.eq(at + 1)
            found = []
            for where in (self.at, first_at):
                read = kept.read_port(domain="comb")
                m.d.comb += read.addr.eq(where[:-1])
                found.append(read.data)
            return found

        change, first = queue("changes", self.change.shape(), self.put, put_at, self.change)
        money, first_money = queue("money", Money, self.money_put, money_at, self.money)
        quotes, first_quotes = queue("quotes", Quotes, self.quotes_put, quotes_at, self.quotes)
        stages = Signal(3)
        forward = ~stages[2] | self.take
        m.d.comb += [
            self.first.eq(first),
            self.first_money.eq(first_money),
            self.first_quotes.eq(first_quotes),
            self.valid.eq(stages[2]),
            self.room.eq((put_at - first_at)[: len(put_at)] < DEPTH - 2),
            self.looking.eq(self.open & forward & (self.at != quotes_at)),
        ]
        m.d.sync += self.empty.eq((put_at == first_at) & ~self.put)  # a cycle late, when it becomes empty
        with m.If(forward):
            m.d.sync += stages.eq(Cat(self.looking, stages[:2]))
        with m.If(self.looking):
            m.d.sync += self.at.eq(self.at + 1)
        with m.If(self.take):
            m.d.sync += first_at.eq(first_at + 1)
            with m.If(self.calls):
                m.d.sync += [stages.eq(0), self.at.eq(first_at + 1)]
        self._judge(m, change, money, quotes, forward)
        return m

    def _judge(self, m, change, money, quotes, forward):
        """Whether an evaluation would send or withdraw something: docs/architecture.md, Semantics, sections 6 and 7."""
        def stage(value, name):
            kept = Signal.like(value, name=name, reset_less=True)
            with m.If(forward):
                m.d.sync += kept.eq(value)
            return kept

        def row(name, shape, store, value):
            m.submodules[name] = rows = memory.Memory(shape=shape, depth=self.parameters.symbols, init=[])
            write, read = rows.write_port(), rows.read_port(domain="comb")
            m.d.comb += [
                write.en.eq(store | self.clear),
                write.addr.eq(self.store_at),
                write.data.eq(Mux(self.clear, 0, value)),
                read.addr.eq(change.symbol),
            ]
            return stage(read.data, f"{name}_1")

        state = self.state
        stamp = stage(change.stamp, "stamp_1")
        market = row("markets", Market, self.store_market, self.market)
        loss_limit = row("loss_limits", 64, self.store_loss_limit, self.loss_limit)
        life = stage(row("lives", 32, self.store_life, self.min_life), "life_2")

        # The symbol and the card.
        trading = (market.trading_state == ord("T")) & ~market.operational_halt & market.enabled
        trusted, evaluated = stage(change.trusted, "trusted_1"), stage(is_evaluated(change), "evaluated_1")
        shut = stage(~trading | state.closed | ~trusted, "shut_2")
        killed = stage(market.killed | state.killed, "killed_2")
        pnl, pnl_total = stage(money.pnl, "pnl_1"), stage(money.pnl_total, "pnl_total_1")
        left, left_total = stage(pnl + loss_limit, "left_2"), stage(pnl_total + state.loss_limit, "left_total_2")
        age = stage((stamp - state.last_heartbeat)[:64], "age_2")
        silent = (age > state.heartbeat_ns) & state.heartbeat_ns.any()
        gone = stage(killed | left[-1] | left_total[-1] | silent, "gone_3")
        bad = stage(shut, "shut_3") | gone

        # The orders: those in use, those that wait to be withdrawn.
        used, wanted = [], []
        for place in range(PLACES):
            store = self.store_slot & (self.place == place)
            used.append(row(f"used_{place}", 1, store, self.slot_state != SlotState.IDLE))
            wanted.append(row(f"cancel_{place}", 1, store, self.cancel_wanted & (self.slot_state == SlotState.LIVE)))
        any_used, any_wanted = (
            stage(stage(Cat(bits).any(), f"{name}_2"), f"{name}_3") for bits, name in ((used, "used"), (wanted, "cancel"))
        )
        withdraws = any_wanted | (any_used & (gone | state.strategy_killed))

        # Both quotes.
        moves = []
        for number, side in enumerate(SIDES):
            store = self.store_slot & (self.place == number * SLOTS)
            standing = row(f"{side}_state", 3, store, self.slot_state)
            price = row(f"{side}_price", 32, store, self.slot_price)
            last = row(f"{side}_time", 64, self.store_last & (self.side == number), self.last_time)
            quote = stage(quotes[side], f"{side}_quote_1")
            apart = stage(distance(quote.price, price), f"{side}_apart_2")
            threshold = stage(stage(quotes.threshold, f"{side}_threshold_1"), f"{side}_threshold_2")
            since = stage((stamp - last)[:64], f"{side}_since_2")
            far, old = stage(apart >= threshold, f"{side}_far_3"), stage(since >= life, f"{side}_old_3")
            idle, live, want = (
                stage(stage(value, f"{side}_{name}_2"), f"{side}_{name}_3")
                for name, value in (
                    ("idle", standing == SlotState.IDLE),
                    ("live", standing == SlotState.LIVE),
                    ("want", quote.want),
                )
            )
            wants = want & ~bad & ~state.quoter_killed
            moves.append((idle & wants) | (live & (~wants | (far & old))))
        evaluated = stage(stage(evaluated, "evaluated_2"), "evaluated_3")
        m.d.comb += self.calls.eq(evaluated & state.session_up & (withdraws | Cat(moves).any()))
