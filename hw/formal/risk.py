"""The risk gate against its table: docs/architecture.md, Semantics, section 8."""

from amaranth.hdl import Assert, Assume, Cat, Module, Mux, Signal, Value
from amaranth.lib import stream, wiring
from amaranth.lib.wiring import In, Out

from hw.formal.harness import stands
from hw.ouch.message import Kind, OrderFields, Outbound
from hw.pipeline import delayed
from hw.risk.gate import LATENCY, Bounds, Exposure, Marking, Order, RiskGate, State
from hw.risk.release import Direct, Release
from wire.reasons import REASON_COUNT, Reason


class AnyProduct(wiring.Component):
    """In the place of :class:`hw.arithmetic.Product32`: whatever ``any`` was 2 cycles ago, not ``a * b``.

    What holds with it holds with every multiplier, so with the one that multiplies.
    """

    a: In(32)
    b: In(32)
    any: In(64)
    o: Out(64)

    def elaborate(self, platform):
        m = Module()
        m.d.comb += self.o.eq(delayed(m, self.any, "any", 2))
        return m


def few(*structures, bits: int = 10) -> Value:
    """Assumption that numbers are small. A mutation that is found among these is found: it is only sooner."""
    numbers = [Value.cast(each[name]) for each in structures for name, _ in each.shape()]
    return Assume(~Cat(number[bits:] for number in numbers if len(number) >= 32).any())


def judge(order, state, bounds, exposure, notional: Value) -> tuple[dict[Reason, Value], Value]:
    """What of the table fails, line by line and without a register, and the order's marking.

    Integers are exact, but for ages, which are 64 bits as section 13 says. ``notional`` is price * quantity. ``remaining`` and
    ``notional`` of a new order are 0. Of ``this`` and ``new`` of a REPLACE, which are the greater of two, each is looked at, and
    sums of money are compared with the room that the limit leaves: z3 does not see through sums of four that are
    ordered in another way.
    """
    sell = order.side
    age = {name: (state.stamp - since)[:64] for name, since in (("feed", state.last_feed), ("host", state.last_heartbeat))}
    since_last = (state.stamp - bounds.last_time)[:64]

    def position_above(limit) -> Value:
        position = Mux(sell, -bounds.position, bounds.position)
        return (position + exposure.others + order.quantity > limit) | (
            order.replace & (position + exposure.others + exposure.remaining > limit)
        )

    def money_above(limit, committed) -> Value:
        room = limit - (committed + bounds.open_notional) + exposure.notional
        return (notional > room) | (order.replace & (exposure.notional - room > 0))

    is_short = sell & position_above(0)
    marking = Mux(sell, Mux(is_short, Marking["short"], Marking["long"]), Marking["buy"])
    high = Mux(bounds.has_ask, bounds.best_ask, bounds.best_bid)
    low = Mux(bounds.has_bid, bounds.best_bid, bounds.best_ask)
    same = bounds.last_valid & (bounds.last_price == order.price) & (bounds.last_quantity == order.quantity)
    return {
        Reason.KILL_GLOBAL: state.killed,
        Reason.KILL_STRATEGY: (state.killed_strategies >> order.strategy)[0],
        Reason.KILL_SYMBOL: state.killed_symbol,
        Reason.SYMBOL_DISABLED: ~state.enabled,
        Reason.SYMBOL_HALTED: (state.trading_state != ord("T")) | state.operational_halt | ~state.market_open,
        Reason.BOOK_UNTRUSTED: ~state.trusted,
        Reason.STALE_MARKET_DATA: (state.stale_ns != 0) & (age["feed"] > state.stale_ns),
        Reason.LOSS_LIMIT: (-state.pnl > state.loss_limit) | (-state.pnl_total > state.loss_limit_total),
        Reason.SESSION_STATE: ~state.session_up,
        Reason.HOST_HEARTBEAT: (state.heartbeat_ns != 0) & (age["host"] > state.heartbeat_ns),
        Reason.PRICE_COLLAR: ~(bounds.has_bid | bounds.has_ask)
        | (order.price > high + bounds.collar)
        | (order.price + bounds.collar < low),
        Reason.MAX_QUANTITY: order.quantity > bounds.max_quantity,
        Reason.MAX_NOTIONAL: notional > bounds.max_notional,
        Reason.POSITION: position_above(bounds.max_position),
        Reason.GROSS_EXPOSURE: money_above(bounds.max_gross, bounds.position_notional),
        Reason.CREDIT: money_above(bounds.credit, bounds.executed_notional),
        Reason.RATE_GLOBAL: bounds.tat_global > state.stamp + bounds.rate_burst_global,
        Reason.RATE_SYMBOL: bounds.tat > state.stamp + bounds.rate_burst,
        Reason.DUPLICATE_ORDER: same & (since_last < bounds.duplicate_window),
        Reason.REPETITION: (bounds.max_repeats != 0) & same & (bounds.last_repeats >= bounds.max_repeats),
        Reason.SELF_TRADE: exposure.opposite
        & Mux(sell, exposure.opposite_price >= order.price, exposure.opposite_price <= order.price),
        Reason.SHORT_SALE_RESTRICTION: is_short
        & ((bounds.reg_sho == ord("1")) | (bounds.reg_sho == ord("2")))
        & (~bounds.has_bid | (order.price <= bounds.best_bid)),
        Reason.LOCATE: is_short & position_above(bounds.locate_quantity),
        Reason.MAX_OPEN_ORDERS: ~order.replace & ((exposure.open_orders + 1 > bounds.max_open_orders) | ~exposure.free),
        Reason.INVALID_ORDER: (order.quantity == 0)
        | (order.quantity > 999_999)
        | (order.price == 0)
        | (order.price > 1_999_999_900)
        | (order.strategy > 15),
        Reason.SHORT_MARKING: order.replace & (marking != exposure.marking),
    }, marking


class OrdersPassEveryCheck(wiring.Component):
    """Gate and release as the trader connects them, against the table of the semantics; all else is free.

    Asserted, for every sequence of inputs, unbounded: an order's mask and marking are those of :func:`judge` on the inputs of the
    cycle in which it was started, and it is done 3 cycles later; an order that appears at the release is one that was
    wanted and in which nothing failed, it has the price, shares, marking, id and all the rest of that order, and it stays until
    it is sent. Assumed is that an order, and what else goes into its message, stands until ``done``, and that ``remaining`` and
    ``notional`` of a new one are 0. The state, the limits and the sums may change in every cycle.

    Parameters
    ----------
    mutation : str, optional
        ``drop``: an order goes against which nothing but its credit speaks. ``limit``: the position is compared with the
        limit of one order's quantity. ``sum``: the side's other orders are those of a cycle ago. ``order``: the message has the
        price of another order. ``moves``: the order is another one before ``done``. ``wanted``: every order that
        passes goes. Each must be caught.
    """

    MUTATIONS = ("drop", "limit", "sum", "order", "moves", "wanted")

    def __init__(self, mutation: str | None = None):
        if mutation is not None and mutation not in self.MUTATIONS:
            raise ValueError(f"{mutation!r} is no mutation of this proof")
        self.mutation = mutation
        super().__init__(
            {
                "kill": In(1),
                "start": In(1),
                "wanted": In(1),
                "order": In(Order),
                "state": In(State),
                "bounds": In(Bounds),
                "exposure": In(Exposure),
                "notional": In(64),
                "executed": In(32),
                "fields": In(OrderFields),
                "direct": In(stream.Signature(Direct)),
                "o": Out(stream.Signature(Outbound)),
            }
        )

    def elaborate(self, platform):
        m = Module()
        m.submodules.gate = gate = RiskGate(AnyProduct())
        m.submodules.release = release = Release()
        order, exposure, mutation = self.order, self.exposure, self.mutation
        shares = Mux(order.replace, self.executed + order.quantity, order.quantity)[:32]
        only_credit = gate.done & (gate.mask == 1 << Reason.CREDIT)
        m.d.comb += [
            gate.kill.eq(self.kill),
            gate.start.eq(self.start),
            gate.order.eq(order),
            gate.state.eq(self.state),
            gate.bounds.eq(self.bounds),
            gate.exposure.eq(exposure),
            gate.product.any.eq(self.notional),
            release.passed.eq(gate.passed | (only_credit if mutation == "drop" else 0)),
            release.wanted.eq(1 if mutation == "wanted" else self.wanted),
            release.replace.eq(order.replace),
            release.order.eq(self.fields),
            release.order.price.eq(self.fields.price if mutation == "order" else order.price),
            release.order.shares.eq(shares),
            release.order.marking.eq(gate.marking),
        ]
        if mutation == "limit":
            m.d.comb += gate.bounds.max_position.eq(self.bounds.max_quantity)
        if mutation == "sum":
            m.d.comb += gate.exposure.others.eq(delayed(m, exposure.others, "others"))
        wiring.connect(m, wiring.flipped(self.direct), release.direct)
        wiring.connect(m, release.o, wiring.flipped(self.o))

        if mutation is not None:
            m.d.comb += [few(order, self.state, self.bounds, exposure), Assume(self.notional < 1024)]

        # An order stands until it is done.
        running, asked = Signal(LATENCY), Cat(order, self.executed, self.fields)
        m.d.sync += running.eq(Cat(self.start, running))
        m.d.comb += Assume(~self.start | order.replace | ((exposure.remaining == 0) & (exposure.notional == 0)))
        if mutation != "moves":
            m.d.comb += Assume(~running.any() | (asked == delayed(m, asked, "asked")))

        # What the table says of it, and what was asked for, when it is done and a cycle later.
        failed, marking = judge(order, self.state, self.bounds, exposure, self.notional)
        mask = Cat(failed[reason] for reason in Reason)
        mask, marking = delayed(m, mask, "mask", LATENCY), delayed(m, marking, "marking", LATENCY)
        killed = Signal(REASON_COUNT)
        m.d.comb += [
            killed[Reason.KILL_GLOBAL].eq(self.kill),
            Assert(gate.done == running[-1]),
            Assert(gate.passed == (gate.done & ~gate.mask.any())),
            Assert(~gate.done | (gate.marking == marking)),
        ]
        for reason in Reason:
            expected = mask[reason] | killed[reason]
            m.d.comb += Assert(~gate.done | (gate.mask[reason] == expected))

        may, standing = Signal(), Signal()
        m.d.sync += [
            may.eq(running[-1] & self.wanted & ~(mask | killed).any()),
            standing.eq(self.o.valid & ~self.o.ready),
        ]
        leaves, told = self.o.payload, self.o.payload.body.order
        is_order = (leaves.kind == Kind.NEW) | (leaves.kind == Kind.REPLACE)
        written = {name: self.fields[name] for name in OrderFields.__annotations__}
        written.update(price=order.price, shares=shares)
        written = {name: delayed(m, value, f"its_{name}", LATENCY + 1) for name, value in written.items()}
        written["marking"] = delayed(m, marking, "its_marking")
        replaces = delayed(m, order.replace, "replaces", LATENCY + 1)
        with m.If(self.o.valid & ~standing & is_order):
            m.d.comb += [
                Assert(may),
                Assert((leaves.kind == Kind.REPLACE) == replaces),
                *(Assert(told[name] == value) for name, value in written.items()),
            ]
        m.d.comb += Assert(stands(m, self.o.valid, self.o.ready, leaves.as_value()))
        return m
