"""What the steps of the trader share: registers, memories, and the components that they use."""

from contextlib import contextmanager
from functools import reduce
from operator import or_

from amaranth.hdl import Array, Cat, Mux, Signal, Value
from amaranth.lib import data, enum

from hw.arithmetic import Product32
from hw.host.ring import Event
from hw.items import Change, is_evaluated
from hw.orders.exposure import Exposure, sums_without
from hw.orders.slots import GENERATION_BITS, PLACES, Slot, SlotStore
from hw.ouch.encoder import SIDES, text, time_in_force_letter
from hw.ouch.message import Inbound
from hw.pipeline import delayed
from hw.quoter.quoter import QuoterParameters
from hw.risk.gate import RiskGate
from hw.risk.release import Release
from hw.trader.backlog import Backlog
from hw.trader.rows import Account, GlobalLimits, Last, Limits, Listing, Market, Rows, Taking, top_layout
from hw.trader.valuation import LATENCY as QUOTE_READY
from hw.trader.valuation import Money, Quotes, Valuation
from wire.reasons import REASON_COUNT
from wire.records import (
    LAST_GENERATION,
    NO_SYMBOL,
    ORDER_ID_BITS,
    QUOTER_STRATEGY,
    SLOT_BITS,
    STRATEGIES,
    OuchVersion,
    SessionState,
    Side,
)

GROUPS = 4
"""Groups of steps that tell events, about as many each."""
TAKE_READY = 3
"""``Desk.age`` from which on the gate can look at the taker's order."""
STATE_SETTLE = 4
"""Cycles from a store that the gate's state reasons hang on until they show it."""
LATER = 2
"""Cycles from a store until the row shows it, and from a change of state until the comparisons below do."""


class Back(enum.Enum, shape=3):
    """Where to go on when an order has been dealt with."""

    NEXT_SLOT = 0
    REQUOTED = 1
    ORDERED = 2
    NEXT_CANCEL = 3
    EVALUATE = 4
    MARK = 5


class Order(data.Struct):
    """The order that is asked for; ``free``: there is a slot for a new one."""

    replace: 1
    price: 32
    quantity: 32
    strategy: 8
    tag: 32
    time_in_force: 32
    free: 1


class Desk:
    """The trader's registers, wired to what works on them.

    Parameters
    ----------
    m : Module
        The trader's.
    trader : Trader
    """

    def __init__(self, m, trader):
        self.trader, self.parameters = trader, trader.parameters
        self.entry = trader.i.payload
        item = self.item = self.entry.item
        self.command, self.message, self.report = item.payload.command, item.payload.message, item.payload.feed
        self.inbound = data.View(Inbound, item.payload.session[: data.Layout.cast(Inbound).size])
        self._declare_work()
        self._declare_card()
        self._declare_memories(m)
        self._connect_slots(m)
        self._connect_gate(m)
        self._connect_valuation(m)
        self._connect_backlog(m)
        self._connect_release(m)
        self._connect_events(m)
        self._compare(m)

    # -- registers -----------------------------------------------------------------------------------

    def _declare_work(self):
        """The symbol, slot and order at work."""
        self.symbol = Signal(self.parameters.symbol_bits)
        self.place = Signal(3)
        self.side = self.place[2]
        # The symbol and place whose slot and sums are read: in the cycle in which an item is taken those that will be at work.
        # Other rows follow a cycle later.
        self.next_symbol, self.next_place = Signal.like(self.symbol), Signal.like(self.place)
        self.early_symbol = Signal.like(self.symbol)  # the same, but for items that are no messages about a book
        self.resting = Signal()  # there was nothing to attend to a cycle ago
        self.stamp, self.cause = Signal(64), Signal(64)
        # The item is a message about the book: what it changed is in ``change``, and it is no longer at the port.
        self.direct, self.change = Signal(), Signal(Change(self.parameters))
        # It was taken from the backlog, and nothing is to be done but to tell of it.
        self.told_only = Signal()
        # The next one, on its way to the valuation, and whether it is known that the taker wants an order from it.
        self.first, self.first_valid, self.first_new_stamp = Signal(Change(self.parameters)), Signal(), Signal()
        self.looked, self.first_wanted = Signal(), Signal()
        # The symbol of the message that will be in ``first``, else the one at work.
        self.ahead = Signal(self.parameters.symbol_bits)
        # The item at the port, which is no message about a book, is attended to.
        self.attending = Signal()
        self.attaches = Signal()  # a message is taken from ``first``, and the steps begin with it
        # The taker wants the order at work; the gate has it; what the gate said is in ``mask``.
        self.taking, self.take_judging, self.take_judged = Signal(), Signal(), Signal()
        # Cycles since symbol, place and rows stand still.
        self.age = Signal(range(QUOTE_READY + 1))
        # Cycles until the gate's state reasons have settled.
        self.unsettled = Signal(range(STATE_SETTLE + 1))
        self.slot = Signal(Slot)
        self.loads = Signal()  # with this clock edge it becomes the row of the place at work, as it is in the store
        self.order = Signal(Order)
        self.mask = Signal(REASON_COUNT)
        self.marking = Signal(2)
        # Profit and loss that orders are judged on; as they are marked now; both quotes.
        self.money = Signal(Money)
        self.marked, self.is_marked = Signal(Money), Signal()
        self.quotes, self.is_quoted = Signal(Quotes), Signal()
        self.refused = Signal()
        self.judging, self.wanted = Signal(), Signal()  # the gate has an order; it is to go if it may
        self.back = Signal(Back)
        self.todo = Signal(PLACES)
        self.sweeping = Signal()
        self.unswept = Signal(self.parameters.symbols)
        self.factors = Signal(data.StructLayout({"a": 32, "b": 32}))

    def _declare_card(self):
        """State that belongs to no symbol."""
        self.mapped = Signal(self.parameters.symbols)
        self.everywhere = Signal(GlobalLimits, init={"firm": 0x20202020, "token_prefix": 0x2020})
        self.market_open, self.feed_whole = Signal(), Signal(init=1)
        self.killed, self.killed_strategies = Signal(), Signal(STRATEGIES)
        self.session_state, self.session_sequence = Signal(SessionState), Signal(64)
        self.session_up = self.session_state == SessionState.UP
        self.ouch = Signal(OuchVersion)
        self.expected = Signal(64)
        self.last_feed, self.last_heartbeat = Signal(64), Signal(64)
        # What the feed says, whatever the steps are at, a cycle late.
        self.heard, self.heard_message, self.heard_stamp, self.heard_cause = Signal(), Signal(), Signal(64), Signal(64)
        self.last_sent, self.last_received = Signal(64), Signal(64)
        self.generation = Signal(GENERATION_BITS)
        self.position_notional, self.open_notional, self.executed_notional = Signal(64), Signal(64), Signal(64)
        self.tat_everywhere = Signal(64)

    def _declare_memories(self, m):
        """The rows of the symbol at work, and the multiplier."""

        def rows(name, shape, count=self.parameters.symbols, at=self.symbol):
            m.submodules[name] = each = Rows(shape, count)
            m.d.comb += [each.at.eq(at), each.store_at.eq(self.symbol)]
            return each

        self.listing = rows("listing", Listing)
        self.market = rows("market", Market)
        self.limits = rows("limits", Limits)
        self.quoting = rows("quoting", QuoterParameters)
        self.account = rows("account", Account)
        self.tat = rows("tat", 64)
        self.taker = rows("taker", Taking, at=self.ahead)
        self.last = Rows(Last, 2 * self.parameters.symbols)
        m.submodules.last = self.last
        m.d.comb += [self.last.at.eq(Cat(self.place[2], self.symbol)), self.last.store_at.eq(self.last.at)]
        self.rows = [self.listing, self.market, self.limits, self.quoting, self.account, self.tat, self.taker, self.last]

        m.submodules.product = product = Product32()
        m.d.comb += [product.a.eq(self.factors.a), product.b.eq(self.factors.b)]
        self.product = product.o

        m.submodules.valuation = self.valuation = Valuation(self.parameters)
        m.submodules.backlog = self.backlog = Backlog(self.parameters)

        # The top of the symbol's book.
        self.best = Signal(top_layout(self.parameters))
        m.d.comb += self.best.eq(Mux(self.direct, self.change.top, self.valuation.top))

    # -- components ----------------------------------------------------------------------------------

    def _connect_slots(self, m):
        m.submodules.slots = slots = self.slots = SlotStore(self.parameters)
        m.submodules.exposure = exposure = self.exposure = Exposure(self.parameters)
        m.d.comb += [
            self.trader.slots_busy.eq(slots.busy),
            slots.next_symbol.eq(self.next_symbol),
            slots.next_place.eq(self.next_place),
            slots.early.eq(self.early_symbol),
            slots.ahead.eq(self.ahead),
            slots.symbol.eq(self.symbol),
            slots.store_place.eq(self.place),
            slots.store_slot.eq(self.slot),
            exposure.next_symbol.eq(self.early_symbol),
            exposure.symbol.eq(self.symbol),
            exposure.place.eq(self.place),
            exposure.open.eq(self.slot.open),
            exposure.price.eq(self.slot.worst_price),
            exposure.occupied.eq(slots.stored_occupied),
        ]
        self.occupied, self.ahead_occupied = Signal(PLACES), Signal(PLACES)  # a cycle behind the symbol
        m.d.sync += [self.occupied.eq(slots.early_occupied), self.ahead_occupied.eq(slots.ahead_occupied)]
        # What the other orders have open, for a new order and for one that replaces the slot at work.
        self.others, self.opposite = sums_without(m, exposure, self.side, self.slot, self.order.replace)
        self.slot_id, self.next_id = Signal(ORDER_ID_BITS), Signal(ORDER_ID_BITS)
        self.number = Signal(SLOT_BITS)
        m.d.comb += [
            self.number.eq(Cat(self.place, self.symbol)),
            self.slot_id.eq(Cat(self.number, self.slot.generation)),
            self.next_id.eq(Cat(self.number, (self.generation + 1)[:GENERATION_BITS])),
        ]

    def _connect_gate(self, m):
        m.submodules.gate = gate = self.gate = RiskGate()
        order, slot, everywhere = self.order, self.slot, self.everywhere
        market, limits, account = self.market.row, self.limits.row, self.account.row
        top, last = self.best, self.last.row
        trusted, open_orders = Signal(), Signal(range(PLACES + 1))
        self.numbered = numbered = Signal()
        # Whether the next order has a UserRefNum, if it needs one.
        m.d.sync += numbered.eq((self.ouch != OuchVersion.V5_0) | (self.generation < LAST_GENERATION))
        m.d.sync += open_orders.eq(sum(self.occupied))
        here = Mux(self.direct, self.change.trusted, self.entry.trusted.bit_select(self.symbol, 1))
        m.d.sync += trusted.eq(self.feed_whole & here)
        m.d.comb += gate.kill.eq(self.trader.kill)

        def fill(port, values):
            m.d.comb += [port[name].eq(value) for name, value in values.items()]

        asked = ("replace", "price", "quantity", "strategy")
        fill(gate.order, {"side": self.side, **{name: order[name] for name in asked}})
        fill(
            gate.state,
            {
                "stamp": self.stamp,
                "killed": self.killed,
                "killed_symbol": market.killed,
                "killed_strategies": self.killed_strategies,
                "enabled": market.enabled,
                "trading_state": market.trading_state,
                "operational_halt": market.operational_halt,
                "market_open": self.market_open,
                "trusted": trusted,
                "session_up": self.session_up & numbered,
                "last_feed": Mux(self.direct, self.stamp, self.last_feed),  # a later message may have come already
                "stale_ns": everywhere.stale_ns,
                "last_heartbeat": self.last_heartbeat,
                "heartbeat_ns": everywhere.heartbeat_ns,
                "pnl": self.money.pnl,
                "loss_limit": limits.loss_limit,
                "pnl_total": self.money.pnl_total,
                "loss_limit_total": everywhere.loss_limit,
            },
        )
        own = ("max_quantity", "max_notional", "max_position", "collar", "locate_quantity", "rate_burst")
        own += ("duplicate_window", "max_repeats", "max_open_orders")
        fill(
            gate.bounds,
            {
                **{name: limits[name] for name in own},
                **{f"last_{name}": last[name] for name in ("valid", "price", "quantity", "repeats", "time")},
                "has_bid": top.bid.has,
                "has_ask": top.ask.has,
                "best_bid": top.bid.price,
                "best_ask": top.ask.price,
                "reg_sho": market.reg_sho,
                "position": account.position,
                "tat": self.tat.row,
                "tat_global": self.tat_everywhere,
                "rate_burst_global": everywhere.rate_burst,
                "max_gross": everywhere.max_gross,
                "credit": everywhere.credit,
                "position_notional": self.position_notional,
                "open_notional": self.open_notional,
                "executed_notional": self.executed_notional,
            },
        )
        fill(
            gate.exposure,
            {
                "others": self.others,
                "opposite": self.opposite.any,
                "opposite_price": self.opposite.price,
                "open_orders": open_orders,
                "free": order.free,
                "remaining": Mux(order.replace, slot.remaining, 0),
                "notional": Mux(order.replace, slot.notional, 0),
                "marking": slot.marking,
            },
        )

    def _connect_valuation(self, m):
        """A message goes in from ``first``, an evaluation of the symbol at work with the top that it has."""
        valuation, first, asked = self.valuation, self.first, self.valuation.i
        m.d.comb += [
            valuation.ahead.eq(self.ahead),
            asked.symbol.eq(Mux(self.attending, self.symbol, first.symbol)),
            asked.stamp.eq(Mux(self.attending, self.stamp, first.stamp)),
            asked.new_stamp.eq(self.attending | self.first_new_stamp),
            asked.counts.eq(~self.attending),
            asked.marks.eq(self.attending | is_evaluated(first)),
            asked.alone.eq(self.attending | self.attaches),
            asked.top.eq(Mux(self.attending, valuation.top, first.top)),
            asked.trade.valid.eq(first.trade.valid & first.printable),
            asked.trade.side.eq(first.trade.side),
            asked.trade.quantity.eq(first.trade.quantity),
            valuation.store_at.eq(self.symbol),
        ]
        for name, rows in (("quoting", self.quoting), ("listing", self.listing), ("account", self.account)):
            m.d.comb += [getattr(valuation, f"store_{name}").eq(rows.store), getattr(valuation, name).eq(rows.new)]
        with m.If((self.age == LATER) & ~self.direct):
            m.d.sync += [self.money.pnl.eq(valuation.pnl), self.money.pnl_total.eq(valuation.pnl_total)]
        with m.If(valuation.money_done & valuation.money_alone):
            m.d.sync += [self.marked.eq(valuation.money), self.is_marked.eq(1)]
        self.quoted_now = valuation.done & valuation.alone
        with m.If(self.quoted_now):
            m.d.sync += [self.quotes.eq(valuation.quotes), self.is_quoted.eq(1)]

    def _connect_backlog(self, m):
        backlog, valuation, everywhere = self.backlog, self.valuation, self.everywhere
        slot, limits, put = self.slot, self.limits, Signal()
        m.d.sync += put.eq(valuation.go & ~valuation.i.alone)  # ``first`` stands for a cycle more
        m.d.comb += [
            backlog.put.eq(put),
            backlog.change.eq(self.first),
            backlog.money_put.eq(valuation.money_done & ~valuation.money_alone),
            backlog.money.eq(valuation.money),
            backlog.quotes_put.eq(valuation.done & ~valuation.alone),
            backlog.quotes.eq(valuation.quotes),
            backlog.store_at.eq(self.symbol),
            backlog.store_slot.eq(self.slots.store),
            backlog.place.eq(self.place),
            backlog.slot_state.eq(slot.state),
            backlog.slot_price.eq(slot.price),
            backlog.cancel_wanted.eq(slot.cancel_wanted),
            backlog.store_last.eq(self.last.store),
            backlog.side.eq(self.side),
            backlog.last_time.eq(self.last.new.time),
            backlog.store_market.eq(self.market.store),
            backlog.market.eq(self.market.new),
            backlog.store_life.eq(self.quoting.store),
            backlog.min_life.eq(self.quoting.new.min_life),
            backlog.store_loss_limit.eq(limits.store),
            backlog.loss_limit.eq(limits.new.loss_limit),
            backlog.state.session_up.eq(self.session_up),
            backlog.state.killed.eq(self.killed | self.trader.kill),
            backlog.state.closed.eq(~(self.market_open & self.feed_whole & self.numbered)),
            backlog.state.strategy_killed.eq(self.killed_strategies.any()),
            backlog.state.quoter_killed.eq(self.killed_strategies[QUOTER_STRATEGY]),
            backlog.state.last_heartbeat.eq(self.last_heartbeat),
            backlog.state.heartbeat_ns.eq(everywhere.heartbeat_ns),
            backlog.state.loss_limit.eq(everywhere.loss_limit),
        ]

    def _connect_release(self, m):
        m.submodules.release = release = self.release = Release()
        order, direct = self.order, release.direct.payload.body.order
        chain, letter = Signal(32), Signal(8)
        time_in_force = Mux(order.replace, self.slot.time_in_force, order.time_in_force)
        m.d.sync += [
            chain.eq(self.slot.chain_executed + order.quantity),
            letter.eq(time_in_force_letter(time_in_force)),
        ]
        self.pending_shares = chain
        for fields in (release.order, direct):
            m.d.comb += [
                fields.stock.eq(self.listing.row.stock),
                fields.firm.eq(self.everywhere.firm),
                fields.token_prefix.eq(self.everywhere.token_prefix),
            ]
        m.d.comb += [
            release.passed.eq(self.gate.passed),
            release.wanted.eq(self.wanted),
            release.replace.eq(order.replace),
            release.stamp.eq(self.stamp),
            release.cause.eq(self.cause),
            release.order.order_id.eq(self.next_id),
            release.order.previous_id.eq(self.slot_id),
            release.order.marking.eq(self.gate.marking),
            release.order.shares.eq(Mux(order.replace, chain, order.quantity)),
            release.order.price.eq(order.price),
            release.order.time_in_force.eq(time_in_force),
            release.order.time_in_force_letter.eq(letter),
            direct.order_id.eq(self.slot_id),
            self.trader.o.valid.eq(release.o.valid),
            self.trader.o.payload.eq(release.o.payload),
            release.o.ready.eq(self.trader.o.ready),
        ]

    def _connect_events(self, m):
        """Every group of steps tells its events into a register of its own; what they hold together is the event.

        A group that has nothing to tell holds zeros: fields whose usual value is another are kept inverted.
        """
        self.told = [Signal(Event, name=f"told_{group}") for group in range(GROUPS)]
        self.tells = Signal(GROUPS)
        kept = [delayed(m, each, f"event_{group}") for group, each in enumerate(self.told)]
        together = data.View(Event, reduce(or_, (Value.cast(each) for each in kept)))
        event, out = self.trader.events.payload, self.trader.events
        stamp, cause = delayed(m, self.stamp, "event_stamp"), delayed(m, self.cause, "event_cause")
        self.telling = Signal()
        m.d.sync += [self.telling.eq(self.tells.any()), out.valid.eq(self.telling), event.eq(together)]
        m.d.sync += [event.timestamp.eq(stamp), event.cause.eq(cause)]
        m.d.sync += [event.symbol.eq(together.symbol ^ NO_SYMBOL), event.side.eq(together.side ^ Side.NONE)]

    def _compare(self, m):
        """Sums and comparisons that a step finds ready, ``LATER`` cycles behind what they are about."""

        def next_tat(tat, interval, name):
            base, following = Signal(64, name=f"{name}_base"), Signal(64, name=f"{name}_next")
            m.d.sync += [base.eq(Mux(tat > self.stamp, tat, self.stamp)), following.eq(base + interval)]
            return following

        def age(since, name):
            value = Signal(64, name=name)
            m.d.sync += value.eq(self.stamp - since)
            return value

        self.tat_next = next_tat(self.tat.row, self.limits.row.rate_interval, "tat")
        self.tat_everywhere_next = next_tat(self.tat_everywhere, self.everywhere.rate_interval, "tat_everywhere")
        self.since_sent = age(self.last_sent, "since_sent")
        self.since_received = age(self.last_received, "since_received")

        last, order = self.last.row, self.order
        since_order, self.young = Signal(64), Signal()
        m.d.sync += [since_order.eq(self.stamp - last.time), self.young.eq(since_order < self.quoting.row.min_life)]
        same = Signal()
        m.d.sync += same.eq(last.valid & (last.price == order.price) & (last.quantity == order.quantity))
        self.repeats = Mux(same, Mux(last.repeats.all(), last.repeats, last.repeats + 1), 1)

    # -- steps ---------------------------------------------------------------------------------------

    def begin(self, m, change):
        """The message that changed this is attended to."""
        m.d.sync += [
            self.symbol.eq(change.symbol),
            self.stamp.eq(change.stamp),
            self.cause.eq(change.cause),
            self.change.eq(change),
        ]

    def emit(self, m, kind, **fields):
        """Sends an event."""
        event = self.told[self.group]
        usual = {"symbol": NO_SYMBOL, "side": Side.NONE.value}
        m.d.comb += [self.tells[self.group].eq(1), event.type.eq(kind)]
        m.d.comb += [getattr(event, name).eq(value ^ usual.get(name, 0)) for name, value in fields.items()]

    @contextmanager
    def send(self, m, kind, login=None):
        """Sends a message that needs no gate; the body is what follows when it has been taken."""
        direct = self.release.direct
        m.d.comb += [direct.valid.eq(1), direct.payload.kind.eq(kind)]
        if login is not None:
            m.d.comb += direct.payload.body.login.eq(login)
        with m.If(direct.ready):
            yield

    def judge(self, m):
        """Shows the order to the gate, if it can be sent and the sums of the symbol's other orders are there."""
        m.d.comb += self.gate.start.eq(self.release.ready & self.exposure.ready)
        m.d.sync += self.judging.eq(self.gate.start)

    def submit(self, m):
        """The order that was shown to the gate is to go."""
        m.next = "SUBMIT_GATE"
        with m.If(self.judging):
            m.d.sync += self.wanted.eq(1)
            m.next = "SUBMIT_JUDGED"

    def multiply(self, m, a, b):
        """Puts factors in; ``product`` shows the result 3 cycles later."""
        m.d.sync += [self.factors.a.eq(a), self.factors.b.eq(b)]

    def store(self, m, rows, new=None, **changes):
        """Writes the row of the symbol at work: ``new``, or the row as it is with changes."""
        m.d.comb += [rows.store.eq(1), rows.new.eq(rows.row if new is None else new)]
        m.d.comb += [getattr(rows.new, name).eq(value) for name, value in changes.items()]

    @staticmethod
    def pause(m, name, cycles, then):
        """States that only wait: ``name`` and its followers, ``cycles`` in all."""
        for n in range(cycles):
            with m.State(f"{name}_{n}" if n else name):
                m.next = f"{name}_{n + 1}" if n < cycles - 1 else then

    def magnitude(self, position):
        """Absolute value of a position, as a factor."""
        return Mux(position < 0, -position, position)[:32]

    @staticmethod
    def letter(marking):
        """A marking as OUCH's side."""
        return Array(text(each) for each in SIDES)[marking]
