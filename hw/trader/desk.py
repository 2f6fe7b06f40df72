"""What the steps of the trader share: registers, memories, and the components that they use."""

from contextlib import contextmanager

from amaranth.hdl import Array, Cat, Mux, Signal, signed
from amaranth.lib import data, enum

from hw.arithmetic import Product32
from hw.host.ring import Event
from hw.orders.exposure import Exposure, Sums
from hw.orders.slots import GENERATION_BITS, PLACES, Slot, SlotStore
from hw.ouch.encoder import SIDES, text, time_in_force_letter
from hw.ouch.message import Inbound
from hw.quoter.quoter import LATENCY as QUOTE_READY
from hw.quoter.quoter import Quoter, QuoterParameters
from hw.risk.gate import RiskGate
from hw.risk.release import Release
from hw.signals.flow import Flow, FlowRow, FlowSignals
from hw.streams import StreamRegister
from hw.trader.rows import Account, GlobalLimits, Last, Limits, Listing, Market, Rows, Taking, top_layout
from wire.reasons import REASON_COUNT
from wire.records import (
    LAST_GENERATION,
    NO_SYMBOL,
    ORDER_ID_BITS,
    SLOT_BITS,
    STRATEGIES,
    OuchVersion,
    SessionState,
    Side,
)

MARK_READY = 6
"""``Desk.age`` from which on the flow signals and the profit and loss at the market's price are there."""
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
        self.stamp, self.cause = item.stamp, item.cause
        self.command, self.message, self.report = item.payload.command, item.payload.message, item.payload.feed
        self.inbound = data.View(Inbound, item.payload.session[: data.Layout.cast(Inbound).size])
        self._declare_work()
        self._declare_card()
        self._declare_memories(m)
        self._connect_slots(m)
        self._connect_gate(m)
        self._connect_flow(m)
        self._connect_quoter(m)
        self._connect_release(m)
        self._connect_events(m)
        self._mark(m)
        self._compare(m)

    # -- registers -----------------------------------------------------------------------------------

    def _declare_work(self):
        """The symbol, slot and order at work."""
        self.symbol = Signal(self.parameters.symbol_bits)
        self.place = Signal(3)
        self.side = self.place[2]
        # The symbol and place whose rows are read: in the cycle in which an item is taken those that will be at work.
        self.next_symbol, self.next_place = Signal.like(self.symbol), Signal.like(self.place)
        # The top of the book is the item's own: it is a message of the symbol at work.
        self.direct, self.next_direct = Signal(), Signal()  # the latter already in the cycle in which it is taken
        # The item is a message that the flow signals do not have yet; they were kept in ``kept_flow``.
        self.fresh, self.followed, self.kept_flow = Signal(), Signal(), Signal(Flow)
        # The taker wants the order at work; the gate has it; what the gate said is in ``mask``.
        self.taking, self.take_judging, self.take_judged = Signal(), Signal(), Signal()
        # Cycles since symbol, place and rows stand still.
        self.age = Signal(range(QUOTE_READY + 1))
        # Cycles until the gate's state reasons have settled.
        self.unsettled = Signal(range(STATE_SETTLE + 1))
        self.slot = Signal(Slot)
        self.order = Signal(Order)
        self.mask = Signal(REASON_COUNT)
        self.marking = Signal(2)
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
        self.last_sent, self.last_received = Signal(64), Signal(64)
        self.generation = Signal(GENERATION_BITS)
        self.pnl_total = Signal(signed(64))
        self.position_notional, self.open_notional, self.executed_notional = Signal(64), Signal(64), Signal(64)
        self.tat_everywhere = Signal(64)

    def _declare_memories(self, m):
        """The rows of the symbol at work, and the multiplier."""

        def rows(name, shape, count=self.parameters.symbols, at=self.next_symbol):
            m.submodules[name] = each = Rows(shape, count)
            m.d.comb += each.at.eq(at)
            return each

        self.listing = rows("listing", Listing)
        self.market = rows("market", Market)
        self.limits = rows("limits", Limits)
        self.quoting = rows("quoting", QuoterParameters)
        self.top = rows("top", top_layout(self.parameters))
        self.account = rows("account", Account)
        self.tat = rows("tat", 64)
        self.flow_row = rows("flow_rows", FlowRow)
        self.taker = rows("taker", Taking)
        self.last = rows("last", Last, 2 * self.parameters.symbols, Cat(self.next_place[2], self.next_symbol))
        self.rows = [self.listing, self.market, self.limits, self.quoting, self.top, self.account, self.tat, self.last]
        self.rows += [self.flow_row, self.taker]

        m.submodules.product = product = Product32()
        m.d.comb += [product.a.eq(self.factors.a), product.b.eq(self.factors.b)]
        self.product = product.o

        # The top of the symbol's book, that of the item before it is stored.
        self.best = Signal(top_layout(self.parameters))
        m.d.comb += self.best.eq(Mux(self.next_direct, self.entry.top, self.top.row))

    # -- components ----------------------------------------------------------------------------------

    def _connect_slots(self, m):
        m.submodules.slots = slots = self.slots = SlotStore(self.parameters)
        m.submodules.exposure = exposure = self.exposure = Exposure(self.parameters)
        m.d.comb += [
            self.trader.slots_busy.eq(slots.busy),
            slots.symbol.eq(self.next_symbol),
            slots.place.eq(self.next_place),
            slots.store_place.eq(self.place),
            slots.store_slot.eq(self.slot),
            exposure.symbol.eq(self.next_symbol),
            exposure.place.eq(self.place),
            exposure.open.eq(self.slot.open),
            exposure.price.eq(self.slot.worst_price),
            exposure.occupied.eq(slots.stored_occupied),
        ]
        self.occupied = Signal(PLACES)  # a cycle behind the symbol
        m.d.sync += self.occupied.eq(slots.occupied)
        # What the other orders have open, for a new order and for one that replaces the slot at work.
        side, replace = self.side, self.order.replace
        same, opposite = (data.View(Sums, Mux(side, exposure.sums[n], exposure.sums[1 - n])) for n in (1, 0))
        others, others_replaced = Signal(34), Signal(34)
        self.opposite = Signal(Sums)
        m.d.sync += [others.eq(same.open), others_replaced.eq(same.open - self.slot.open), self.opposite.eq(opposite)]
        self.others = Mux(replace, others_replaced, others)
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
        trusted, open_orders, numbered = Signal(), Signal(range(PLACES + 1)), Signal()
        # Whether the next order has a UserRefNum, if it needs one.
        m.d.sync += numbered.eq((self.ouch != OuchVersion.V5_0) | (self.generation < LAST_GENERATION))
        m.d.sync += open_orders.eq(sum(self.occupied))
        m.d.sync += trusted.eq(self.feed_whole & self.entry.trusted.bit_select(self.symbol, 1))
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
                "last_feed": self.last_feed,
                "stale_ns": everywhere.stale_ns,
                "last_heartbeat": self.last_heartbeat,
                "heartbeat_ns": everywhere.heartbeat_ns,
                "pnl": account.pnl,
                "loss_limit": limits.loss_limit,
                "pnl_total": self.pnl_total,
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

    def _connect_quoter(self, m):
        m.submodules.quoter = quoter = self.quoter = Quoter(self.parameters.index_bits)
        for side in ("bid", "ask"):
            m.d.comb += [quoter.top[side][name].eq(self.best[side][name]) for name in ("has", "index", "quantity")]
        m.d.comb += [
            quoter.parameters.eq(self.quoting.row),
            quoter.ladder.base_price.eq(self.listing.row.base_price),
            quoter.ladder.tick.eq(self.listing.row.tick),
            quoter.position.eq(self.account.row.position),
            quoter.flow.eq(Mux(self.followed, self.kept_flow, self.flow.o)),
        ]

    def _connect_flow(self, m):
        m.submodules.flow = flow = self.flow = FlowSignals(self.parameters.index_bits)
        for side in ("bid", "ask"):
            for name in ("has", "index", "quantity"):
                m.d.comb += [
                    flow.before[side][name].eq(self.top.row[side][name]),
                    flow.after[side][name].eq(self.best[side][name]),
                ]
        trade = self.entry.trade
        m.d.comb += [
            flow.row.eq(self.flow_row.row),
            flow.stamp.eq(self.stamp),
            flow.decay.eq(self.quoting.row.decay),
            flow.fresh.eq(self.fresh),
            flow.trade.valid.eq(trade.valid & self.message.printable),
            flow.trade.side.eq(trade.side),
            flow.trade.quantity.eq(trade.quantity),
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
        m.submodules.events = register = StreamRegister(Event)
        self.events = register.i
        event, out = self.events.payload, self.trader.events
        m.d.comb += [
            out.valid.eq(register.o.valid),
            out.payload.eq(register.o.payload),
            register.o.ready.eq(out.ready),
            # what an event has unless its step says something else
            event.side.eq(Side.NONE),
            event.symbol.eq(NO_SYMBOL),
            event.timestamp.eq(self.stamp),
            event.cause.eq(self.cause),
        ]

    def _mark(self, m):
        """Profit and loss at the market's price, ``MARK_READY`` cycles behind the rows."""
        account, best = self.account.row, self.best
        long, short = account.position > 0, account.position < 0
        m.submodules.worth = worth = Product32()
        self.marked = Signal(data.StructLayout({"price": 32, "pnl": account.pnl.shape()}))
        price = Mux(long & best.bid.has, best.bid.price, Mux(short & best.ask.has, best.ask.price, account.mark))
        m.d.sync += [
            worth.a.eq(self.magnitude(account.position)),
            worth.b.eq(price),
            self.marked.price.eq(worth.b),
            self.marked.pnl.eq(Mux(short, account.cash - worth.o, account.cash + worth.o)),
        ]

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

    @contextmanager
    def emit(self, m, kind, **fields):
        """Sends an event; the body is what follows when it has been taken."""
        event = self.events.payload
        m.d.comb += [self.events.valid.eq(1), event.type.eq(kind)]
        m.d.comb += [getattr(event, name).eq(value) for name, value in fields.items()]
        with m.If(self.events.ready):
            yield

    @contextmanager
    def send(self, m, kind, login=None):
        """Sends a message that needs no gate; the body is what follows when it has been taken."""
        direct = self.release.direct
        m.d.comb += [direct.valid.eq(1), direct.payload.kind.eq(kind)]
        if login is not None:
            m.d.comb += direct.payload.body.login.eq(login)
        with m.If(direct.ready):
            yield

    def follow(self, m):
        """Keeps the flow signals of the symbol as they are now."""
        self.store(m, self.flow_row, flow=self.flow.o, time=self.stamp)
        m.d.sync += [self.kept_flow.eq(self.flow.o), self.followed.eq(1), self.fresh.eq(0)]

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
