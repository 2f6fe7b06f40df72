"""The risk gate: docs/architecture.md, Semantics, section 8."""

from functools import partial

from amaranth.hdl import Cat, Const, Module, Mux, Signal, Value, signed
from amaranth.lib import data, wiring
from amaranth.lib.wiring import In, Out

from hw.arithmetic import Product32
from hw.pipeline import delayed
from wire.reasons import REASON_COUNT, Reason
from wire.records import MAX_ORDER_PRICE, MAX_ORDER_QUANTITY, STRATEGIES

LATENCY = 3

Marking = {"buy": 0, "long": 1, "short": 2}
"""Codes of an order's marking: OUCH sides B, S, T."""

Order = data.StructLayout(
    {
        "replace": 1,
        "side": 1,
        "price": 32,
        "quantity": 32,
        "strategy": 8,
    }
)
"""What is asked for. ``side`` is 0 buy, 1 sell."""

State = data.StructLayout(
    {
        "stamp": 64,
        "killed": 1,
        "killed_symbol": 1,
        "killed_strategies": STRATEGIES,
        "enabled": 1,
        "trading_state": 8,
        "operational_halt": 1,
        "market_open": 1,
        "trusted": 1,  # feed whole and symbol locally trusted
        "session_up": 1,
        "last_feed": 64,
        "stale_ns": 64,
        "last_heartbeat": 64,
        "heartbeat_ns": 64,
        "pnl": signed(64),
        "loss_limit": 64,
        "pnl_total": signed(64),
        "loss_limit_total": 64,
    }
)
"""What decides the state reasons: the same for every order of a symbol at one moment."""

Bounds = data.StructLayout(
    {
        "has_bid": 1,
        "has_ask": 1,
        "best_bid": 32,
        "best_ask": 32,
        "max_quantity": 32,
        "max_notional": 64,
        "max_position": 32,
        "collar": 32,
        "locate_quantity": 32,
        "rate_burst": 32,
        "rate_burst_global": 32,
        "duplicate_window": 32,
        "max_repeats": 16,
        "max_open_orders": 16,
        "reg_sho": 8,
        "position": signed(32),
        "tat": 64,
        "tat_global": 64,
        "max_gross": 64,
        "credit": 64,
        "position_notional": 64,  # all symbols
        "open_notional": 64,  # all symbols
        "executed_notional": 64,  # all symbols
        "last_valid": 1,
        "last_price": 32,
        "last_quantity": 32,
        "last_repeats": 16,
        "last_time": 64,
    }
)
"""Limits and running sums of the symbol and the card, and the last order of the symbol's side."""

Exposure = data.StructLayout(
    {
        "others": 34,  # worst-case shares of the side's other slots
        "remaining": 32,  # of the order to be replaced
        "notional": 64,  # of the order to be replaced
        "marking": 2,  # of the order to be replaced
        "open_orders": 4,  # slots of the symbol in use
        "free": 1,  # there is a slot for a new order
        "opposite": 1,  # some slot of the other side is in use
        "opposite_price": 32,  # its most aggressive price
    }
)
"""What the own-order slots of the symbol say about an order. For a new order ``remaining`` and ``notional`` are 0."""


class RiskGate(wiring.Component):
    """All checks on one order, in parallel.

    Parameters
    ----------
    product : Component, optional
        The multiplier, with the members and the latency of :class:`hw.arithmetic.Product32`, which it is if none is given.

    Members
    -------
    start : In(1)
        The inputs are an order to be judged.
    order, state, bounds, exposure : In
        The order and everything that the checks look at. Held until ``done``.
    kill : In(1)
        Emergency kill: acts on ``mask`` and ``state_mask`` in the same cycle.
    done : Out(1)
        ``mask`` and ``marking`` are the decision about the order that was started.
    mask : Out(REASON_COUNT)
        Bit of every reason that failed (``wire.reasons``). 0: the order may go.
    passed : Out(1)
        ``done`` and no bit in ``mask``.
    marking : Out(2)
        0 buy, 1 long sale, 2 short sale.
    state_mask : Out(REASON_COUNT)
        State reasons of ``state``, without KILL_STRATEGY, 2 cycles behind it. It runs whether an order is there or not.

    Latency 3 cycles from ``start`` to ``done``, one order per cycle; there is nothing that could overflow. Sums are
    exact: where the engine's 64 bits would wrap, the check fails.
    """

    def __init__(self, product: wiring.Component | None = None):
        self.product = product or Product32()
        super().__init__(
            {
                "start": In(1),
                "order": In(Order),
                "state": In(State),
                "bounds": In(Bounds),
                "exposure": In(Exposure),
                "kill": In(1),
                "done": Out(1),
                "mask": Out(REASON_COUNT),
                "passed": Out(1),
                "marking": Out(2),
                "state_mask": Out(REASON_COUNT),
            }
        )

    def elaborate(self, platform):
        m = Module()
        order, state, bounds, exposure = self.order, self.state, self.bounds, self.exposure

        register = partial(delayed, m)

        def after(value, stage: int, reason: str) -> Value:
            """The value of a check known at ``stage``, brought to stage 2."""
            for n in range(stage, 3):
                value = register(value, f"{reason}_{n}")
            return value

        def later(value, name: str) -> Value:
            return register(register(value, f"{name}_1"), f"{name}_2")

        failed: dict[Reason, Value] = {}
        buy = ~order.side

        # -- state reasons, registered at stage 2 -------------------------------------------------
        in_state: dict[Reason, Value] = {}

        def silent(since, limit, name):
            age = register(state.stamp - since, f"{name}_age")[:64]
            return register((age > register(limit, f"{name}_limit")) & register(limit != 0, f"{name}_on"), name)

        def lost(pnl, limit, name):
            return register(register(pnl + limit, f"{name}_left")[-1], name)

        in_state[Reason.KILL_GLOBAL] = later(state.killed, "killed")
        in_state[Reason.KILL_SYMBOL] = later(state.killed_symbol, "killed_symbol")
        in_state[Reason.SYMBOL_DISABLED] = later(~state.enabled, "disabled")
        trading = (state.trading_state == ord("T")) & ~state.operational_halt & state.market_open
        in_state[Reason.SYMBOL_HALTED] = later(~trading, "halted")
        in_state[Reason.BOOK_UNTRUSTED] = later(~state.trusted, "untrusted")
        in_state[Reason.STALE_MARKET_DATA] = silent(state.last_feed, state.stale_ns, "stale")
        in_state[Reason.LOSS_LIMIT] = lost(state.pnl, state.loss_limit, "loss") | lost(
            state.pnl_total, state.loss_limit_total, "loss_total"
        )
        in_state[Reason.SESSION_STATE] = later(~state.session_up, "session_down")
        in_state[Reason.HOST_HEARTBEAT] = silent(state.last_heartbeat, state.heartbeat_ns, "heartbeat")
        failed.update(in_state)
        m.d.comb += self.state_mask.eq(
            Cat(in_state.get(reason, Const(0, 1)) for reason in Reason) | (self.kill << Reason.KILL_GLOBAL)
        )
        killed = (state.killed_strategies >> order.strategy[:4])[0] & (order.strategy < STRATEGIES)
        failed[Reason.KILL_STRATEGY] = later(killed, "killed_strategy")

        # -- price ----------------------------------------------------------------------------------
        highest = Mux(bounds.has_ask, bounds.best_ask, bounds.best_bid)
        lowest = Mux(bounds.has_bid, bounds.best_bid, bounds.best_ask)
        price = register(order.price, "price")
        above = price > register(highest + bounds.collar, "collar_high")
        below = register(order.price + bounds.collar, "collar_low") < register(lowest, "lowest")
        blind = register(~bounds.has_bid & ~bounds.has_ask, "no_reference")
        failed[Reason.PRICE_COLLAR] = register(above | below | blind, "outside_collar")

        crosses = Mux(buy, exposure.opposite_price <= order.price, exposure.opposite_price >= order.price)
        failed[Reason.SELF_TRADE] = after(exposure.opposite & crosses, 1, "self_trade")

        # -- quantity -------------------------------------------------------------------------------
        failed[Reason.MAX_QUANTITY] = after(order.quantity > bounds.max_quantity, 1, "max_quantity")
        failed[Reason.INVALID_ORDER] = after(
            (order.quantity == 0)
            | (order.quantity > MAX_ORDER_QUANTITY)
            | (order.price == 0)
            | (order.price > MAX_ORDER_PRICE)
            | (order.strategy >= STRATEGIES),
            1,
            "invalid",
        )
        full = (exposure.open_orders + 1 > bounds.max_open_orders) | ~exposure.free
        failed[Reason.MAX_OPEN_ORDERS] = after(~order.replace & full, 1, "too_many")

        # -- position, worst case: of the greater of two orders each is looked at alone --------------
        taken = register(Mux(buy, bounds.position, -bounds.position) + exposure.others, "taken")
        wanted = register(taken + register(order.quantity, "quantity"), "with_order")
        standing = register(taken + register(exposure.remaining, "remaining"), "with_remaining")
        replace = later(order.replace, "replace")

        def worst(limit) -> Value:
            return (wanted > limit) | (replace & (standing > limit))

        selling = later(order.side, "selling")
        short = selling & worst(0)
        failed[Reason.POSITION] = worst(later(bounds.max_position, "max_position"))
        failed[Reason.LOCATE] = selling & worst(later(bounds.locate_quantity, "locate_quantity"))
        restricted = (bounds.reg_sho == ord("1")) | (bounds.reg_sho == ord("2"))
        at_bid = ~bounds.has_bid | (order.price <= bounds.best_bid)
        failed[Reason.SHORT_SALE_RESTRICTION] = short & later(restricted & at_bid, "restricted")
        marking = Mux(selling, Mux(short, Marking["short"], Marking["long"]), Marking["buy"])
        failed[Reason.SHORT_MARKING] = replace & (marking != later(exposure.marking, "old_marking"))

        # -- money ------------------------------------------------------------------------------------
        m.submodules.product = self.product
        m.d.comb += [self.product.a.eq(order.price), self.product.b.eq(order.quantity)]
        notional = self.product.o
        failed[Reason.MAX_NOTIONAL] = notional > later(bounds.max_notional, "max_notional")

        def beyond(committed, limit, name):
            total = register(committed + bounds.open_notional, f"{name}_total")
            limit_1 = register(limit, f"{name}_limit_1")
            old = register(exposure.notional, f"{name}_old")
            room = register(limit_1 - total + old, f"{name}_room")
            return (notional > room) | (replace & register(total > limit_1, f"{name}_full"))

        failed[Reason.GROSS_EXPOSURE] = beyond(bounds.position_notional, bounds.max_gross, "gross")
        failed[Reason.CREDIT] = beyond(bounds.executed_notional, bounds.credit, "credit")

        # -- rate and repetition ----------------------------------------------------------------------
        def too_fast(tat, burst, name):
            allowed = register(state.stamp + burst, f"{name}_allowed")
            return register(register(tat, f"{name}_tat") > allowed, name)

        failed[Reason.RATE_GLOBAL] = too_fast(bounds.tat_global, bounds.rate_burst_global, "rate_global")
        failed[Reason.RATE_SYMBOL] = too_fast(bounds.tat, bounds.rate_burst, "rate_symbol")
        same = register(
            bounds.last_valid & (order.price == bounds.last_price) & (order.quantity == bounds.last_quantity), "same"
        )
        since = register(state.stamp - bounds.last_time, "since_last")[:64]
        window = register(bounds.duplicate_window, "window")
        failed[Reason.DUPLICATE_ORDER] = register(same & (since < window), "duplicate")
        repeated = (bounds.max_repeats != 0) & (bounds.last_repeats >= bounds.max_repeats)
        failed[Reason.REPETITION] = register(same & register(repeated, "repeated"), "repetition")

        # -- decision: the third register, and the emergency kill behind it ----------------------------
        assert failed.keys() == set(Reason)
        decided = register(Cat(failed[reason] for reason in Reason), "decided")
        running = Signal(LATENCY)
        m.d.sync += [running.eq(Cat(self.start, running)), self.marking.eq(marking)]
        m.d.comb += [
            self.done.eq(running[-1]),
            self.mask.eq(decided | (self.kill << Reason.KILL_GLOBAL)),
            self.passed.eq(self.done & (self.mask == 0)),
        ]
        return m
