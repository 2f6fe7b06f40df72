"""SET_LIMITS: an order is judged by one version of the limits."""

from amaranth.hdl import Assert, Assume, Module, Mux, Signal, Value
from amaranth.lib import wiring
from amaranth.lib.wiring import In

from hw.formal.risk import AnyProduct, few, judge
from hw.pipeline import delayed
from hw.risk.gate import LATENCY, Bounds, Exposure, Order, RiskGate, State
from hw.trader.rows import Limits, Rows
from wire.reasons import Reason

SYMBOLS = 2

LATER = 2
"""Cycles from a store until the row shows it."""

BOUND = ("max_quantity", "max_notional", "max_position", "collar", "locate_quantity", "rate_burst", "duplicate_window")
BOUND += ("max_repeats", "max_open_orders")
"""Limits that the gate has among its bounds; ``loss_limit`` is in the state."""

BY_LIMITS = (
    Reason.LOSS_LIMIT,
    Reason.PRICE_COLLAR,
    Reason.MAX_QUANTITY,
    Reason.MAX_NOTIONAL,
    Reason.POSITION,
    Reason.RATE_SYMBOL,
    Reason.DUPLICATE_ORDER,
    Reason.REPETITION,
    Reason.LOCATE,
    Reason.MAX_OPEN_ORDERS,
)
"""What depends on the limits of the symbol."""


class SeenRows(Rows):
    """Rows whose contents are seen: ``kept`` has them all."""

    def __init__(self, shape, count):
        super().__init__(shape, count)
        self.kept = [Signal(self.width, name=f"kept_{n}") for n in range(count)]

    def elaborate(self, platform):
        m = super().elaborate(platform)
        for n, kept in enumerate(self.kept):
            port = m.submodules.rows.read_port(domain="comb")
            m.d.comb += [port.addr.eq(n), kept.eq(port.data)]
        return m


class LimitsAreOneVersion(wiring.Component):
    """The memory of the limits, with two symbols, and the gate behind it; what is stored, orders and all else are free.

    The trader handles an item to its end before the next, so it stores no limits from ``LATER`` cycles before it shows an
    order to the gate until that is done, and works on one symbol that long. That much is assumed. Asserted, for every sequence of
    inputs, unbounded: whatever is stored when, the row that is shown is one that was stored whole for its symbol; from the start
    of an order until it is done it is the one that was stored last and stands still; and the order's mask is that of
    :func:`hw.formal.risk.judge` with that version, for all reasons that depend on it.

    Parameters
    ----------
    mutation : str, optional
        ``torn``: the halves of a row are stored one after the other. ``flight``: limits are stored while an order is under way.
        ``late``: an order is started right behind a store. ``symbol``: the row is another symbol's. Each must be caught.
    """

    MUTATIONS = ("torn", "flight", "late", "symbol")

    def __init__(self, mutation: str | None = None):
        if mutation is not None and mutation not in self.MUTATIONS:
            raise ValueError(f"{mutation!r} is no mutation of this proof")
        self.mutation = mutation
        super().__init__(
            {
                "symbol": In(1),
                "store": In(1),
                "store_at": In(1),
                "new": In(Limits),
                "start": In(1),
                "order": In(Order),
                "state": In(State),
                "bounds": In(Bounds),
                "exposure": In(Exposure),
                "notional": In(64),
            }
        )

    def elaborate(self, platform):
        m = Module()
        m.submodules.rows = rows = SeenRows(Limits, SYMBOLS)
        m.submodules.gate = gate = RiskGate(AnyProduct())
        mutation, size = self.mutation, Limits.size
        m.d.comb += [
            rows.at.eq(~self.symbol if mutation == "symbol" else self.symbol),
            rows.store.eq(self.store),
            rows.store_at.eq(self.store_at),
            rows.new.eq(self.new),
            gate.start.eq(self.start),
            gate.order.eq(self.order),
            gate.state.eq(self.state),
            gate.state.loss_limit.eq(rows.row.loss_limit),
            gate.bounds.eq(self.bounds),
            *(gate.bounds[name].eq(rows.row[name]) for name in BOUND),
            gate.exposure.eq(self.exposure),
            gate.product.any.eq(self.notional),
        ]

        if mutation is not None:
            m.d.comb += [few(self.order, self.state, self.bounds, self.exposure, self.new), Assume(self.notional < 1024)]

        # The version of each symbol, and the one that was stored for the symbol that was asked for a cycle ago.
        versions = [Signal(size, name=f"version_{n}", reset_less=True) for n in range(SYMBOLS)]
        for n, version in enumerate(versions):
            with m.If(self.store & (self.store_at == n)):
                m.d.sync += version.eq(self.new)
        if mutation == "torn":  # the upper half comes a cycle later
            half = size // 2
            before, late = Signal(size), Signal()
            m.d.sync += [before.eq(self.new), late.eq(self.store)]
            kept = Mux(self.store_at, versions[1], versions[0])
            m.d.comb += [
                Assume(~(late & self.store)),
                Assume(~late | (self.store_at == delayed(m, self.store_at, "stored_at"))),
                rows.store.eq(self.store | late),
                Value.cast(rows.new)[half:].eq(Mux(late, before[half:], kept[half:])),
                Value.cast(rows.new)[:half].eq(Mux(late, before[:half], Value.cast(self.new)[:half])),
            ]
        version = Mux(self.symbol, versions[1], versions[0])
        shown = delayed(m, version, "shown")
        m.d.comb += [
            Assert(Value.cast(rows.row) == shown),
            *(Assert(kept == each) for kept, each in zip(rows.kept, versions, strict=True)),  # what makes it inductive
        ]

        # What the trader does: one symbol, no store.
        running, since = Signal(LATENCY), Signal(range(LATER + 1))
        m.d.sync += running.eq(Value.cast(running << 1 | self.start)[:LATENCY])
        under_way = self.start | running.any()
        with m.If(self.store):
            m.d.sync += since.eq(0)
        with m.Elif(since != LATER):
            m.d.sync += since.eq(since + 1)
        stood = delayed(m, self.symbol, "symbol_before")
        m.d.comb += [
            Assume(~under_way | (self.symbol == stood)),
            Assume(~self.start | self.order.replace | ((self.exposure.remaining == 0) & (self.exposure.notional == 0))),
        ]
        if mutation != "late":
            m.d.comb += Assume(~self.start | (since >= LATER - 1))
        if mutation != "flight":
            m.d.comb += Assume(~(under_way & self.store))

        last = Signal(Limits)
        bounds, state = Signal(Bounds), Signal(State)
        m.d.comb += [
            last.eq(version),
            bounds.eq(self.bounds),
            *(bounds[name].eq(last[name]) for name in BOUND),
            state.eq(self.state),
            state.loss_limit.eq(last.loss_limit),
        ]
        with m.If(under_way):
            m.d.comb += Assert(Value.cast(rows.row) == Value.cast(last))
        m.d.comb += Assert(~running.any() | (Value.cast(rows.row) == delayed(m, rows.row, "row_before")))
        failed, _ = judge(self.order, state, bounds, self.exposure, self.notional)
        for reason in BY_LIMITS:
            expected = delayed(m, failed[reason], f"expected_{reason.name}", LATENCY)
            m.d.comb += Assert(~gate.done | (gate.mask[reason] == expected))
        return m
