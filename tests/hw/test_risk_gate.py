"""The risk gate against the engine's gate."""

import numpy as np
import pytest
from amaranth.sim import Simulator

from engine.risk import MARK_BUY, MARK_SELL, MARK_SHORT, gate, open_notional, open_shares, symbol_mask
from engine.state import create
from hw.risk.gate import LATENCY, RiskGate
from wire.reasons import REASON_COUNT, Reason, names
from wire.records import MAX_ORDER_PRICE, MAX_ORDER_QUANTITY, Action, SessionState, Side, SlotState

pytestmark = pytest.mark.gateware

MARKINGS = [MARK_BUY, MARK_SELL, MARK_SHORT]
VECTORS = 1500


class Vector:
    """A state of the engine and an order, drawn so that values lie on, above and below what they are compared
    with."""

    def __init__(self, rng):
        self.rng = rng
        state = create(1, 4096, 64)
        core, symbol = state.core[0], state.symbols[0]
        self.core, self.symbol = core, symbol
        symbol["mapped"] = 1
        symbol["base_price"], symbol["tick"] = 1_000_000, 100
        core["stamp"] = t = int(rng.integers(10**9, 10**15))

        self.replace = bool(rng.integers(2))
        self.side = int(rng.integers(2))
        self.strategy = self.rarely(int(rng.integers(16, 256)), int(rng.integers(16)))
        self.quantity = self.pick(1, 100, 500, MAX_ORDER_QUANTITY, MAX_ORDER_QUANTITY + 1, int(rng.integers(1, 2000)))
        self.quantity = self.rarely(self.pick(0, 2**32 - 1), self.quantity)
        for side in ("bid", "ask"):
            symbol[f"has_{side}"] = self.rarely(0, 1)
            symbol[f"{side}_index"] = int(rng.integers(4096)) if symbol[f"has_{side}"] else 0
        self.price = 1_000_000 + int(rng.integers(-50, 4150)) * 100
        if rng.random() < 0.4:
            self.price = 1_000_000 + int(symbol[self.pick("bid_index", "ask_index")]) * 100 + self.near(0)
        self.price = self.rarely(self.pick(0, MAX_ORDER_PRICE, MAX_ORDER_PRICE + 1, 2**32 - 1), self.price)
        self._draw_slots()
        self._draw_state(t)
        self._draw_bounds(t)

    def pick(self, *values):
        return values[int(self.rng.integers(len(values)))]

    def rarely(self, value, otherwise, probability=0.06):
        return value if self.rng.random() < probability else otherwise

    def near(self, value):
        """The value or one beside it."""
        return int(value) + int(self.rng.integers(-1, 2))

    def limit(self, value, width):
        """A limit: mostly out of the way, often at the value, one below or one above."""
        limit = self.near(value) if self.rng.random() < 0.25 else self.pick(0, (1 << width) - 1, (1 << width) - 1)
        return min(max(limit, 0), (1 << width) - 1)

    def best(self, side):
        return 1_000_000 + int(self.symbol[f"{side}_index"]) * 100

    def _draw_slots(self):
        rng, symbol = self.rng, self.symbol
        self.place = 4 * self.side + int(rng.integers(1, 4))

        for number in range(8):
            slot = symbol["slots"][number]
            slot["state"] = SlotState.IDLE if rng.random() < 0.5 else int(rng.integers(1, 5))
            if number == self.place:
                slot["state"] = SlotState.LIVE if self.replace else SlotState.IDLE
            for name in ("price", "pending_price"):
                close = min(max(self.near(self.price), 0), 2**32 - 1)
                slot[name] = self.pick(self.price, close, int(rng.integers(1, 2**31)))
            slot["remaining"] = self.pick(0, 100, min(self.quantity, 10**6), int(rng.integers(10**6)))
            slot["chain_executed"] = self.pick(0, 50, int(rng.integers(1000)))
            slot["pending_shares"] = self.pick(0, 70, 200, int(rng.integers(10**6)))
            slot["marking"] = self.pick(*MARKINGS)
            slot["strategy"] = int(rng.integers(16))
            slot["notional"] = open_notional(slot)

        if self.replace and self.side == Side.BUY:
            symbol["slots"][self.place]["marking"] = self.rarely(MARK_SELL, MARK_BUY)
        if not self.replace and self.rng.random() < 0.1:  # no slot is free
            for number in range(4 * self.side + 1, 4 * self.side + 4):
                if symbol["slots"][number]["state"] == SlotState.IDLE:
                    symbol["slots"][number]["state"] = SlotState.LIVE
                    symbol["slots"][number]["notional"] = open_notional(symbol["slots"][number])
            self.place = -1
        self.core["open_notional"] = sum(int(slot["notional"]) for slot in symbol["slots"])

    def _draw_state(self, t):
        core, symbol = self.core, self.symbol
        core["kill"], symbol["kill"] = self.rarely(1, 0), self.rarely(1, 0)
        core["strategy_kills"] = self.rarely(int(self.rng.integers(1 << 16)), 0)
        symbol["enabled"] = self.rarely(0, 1)
        symbol["trading_state"] = ord(self.rarely(self.pick("H", "P", "Q"), "T"))
        symbol["operational_halt"] = self.rarely(1, 0)
        core["market_open"] = self.rarely(0, 1)
        core["feed_whole"], symbol["trusted"] = self.rarely(0, 1), self.rarely(0, 1)
        core["session"] = self.rarely(self.pick(SessionState.DOWN, SessionState.LOGIN_SENT), SessionState.UP)
        for since, limit in (("last_feed", "stale_ns"), ("last_heartbeat", "heartbeat_ns")):
            core[since] = t - int(self.rng.integers(10**9))
            core[limit] = self.rarely(0, max(self.near(t - int(core[since])), 0), 0.3)
        for account, limits in ((symbol, symbol), (core, core)):
            account["pnl"] = self.pick(0, 10**6, -(10**6), int(self.rng.integers(-(2**40), 2**40)))
            limits["loss_limit"] = max(self.near(max(-int(account["pnl"]), 0)), 0)

    def _draw_bounds(self, t):
        core, symbol, price, quantity = self.core, self.symbol, self.price, self.quantity
        target = symbol["slots"][self.place] if self.replace else None
        notional = price * quantity
        symbol["position"] = self.pick(0, 100, quantity % 2**31, int(self.rng.integers(10**6)), 2**31 - 1)
        if self.rng.random() < 0.5:
            symbol["position"] = -int(symbol["position"])
        others = sum(
            int(open_shares(slot))
            for number, slot in enumerate(symbol["slots"])
            if number // 4 == self.side and not (self.replace and number == self.place)
        )
        this = max(int(target["remaining"]), quantity) if self.replace else quantity
        position = int(symbol["position"]) * (1 if self.side == Side.BUY else -1)
        worst = position + others + this
        symbol["max_quantity"] = self.limit(quantity, 32)
        symbol["max_notional"] = min(self.limit(notional, 64), 2**63 - 1)
        symbol["max_position"] = self.limit(worst, 32)
        symbol["locate_quantity"] = self.limit(worst, 32)
        symbol["reg_sho"] = ord(self.pick("0", "0", "1", "2"))
        symbol["max_open_orders"] = self.limit(1 + sum(int(s["state"]) != 0 for s in symbol["slots"]), 16)
        references = [self.best(side) for side in ("bid", "ask") if symbol[f"has_{side}"]]
        symbol["collar"] = self.limit(min((abs(price - each) for each in references), default=0), 32)
        old = int(target["notional"]) if self.replace else 0
        new = max(int(target["price"]) * int(target["remaining"]), notional) if self.replace else notional
        for total, limit in (("position_notional", "max_gross"), ("executed_notional", "credit")):
            core[total] = int(self.rng.integers(2**50))
            after = int(core[total]) + int(core["open_notional"]) - old + new
            core[limit] = min(self.limit(after, 64), 2**63 - 1)
        for rate in (core, symbol):
            rate["rate_burst"] = self.pick(0, 1000, int(self.rng.integers(2**32)))
            rate["arrival"] = self.rarely(0, max(self.near(t + int(rate["rate_burst"])), 0), 0.3)
        last = symbol["last"][self.side]
        last["valid"] = self.rarely(0, 1, 0.2)
        last["price"] = self.rarely(int(self.rng.integers(2**31)), price, 0.3)
        last["quantity"] = self.rarely(int(self.rng.integers(2**31)), quantity, 0.3)
        last["time"] = t - int(self.rng.integers(10**6))
        last["repeats"] = int(self.rng.integers(1, 10))
        symbol["duplicate_window"] = self.rarely(0, max(self.near(t - int(last["time"])), 0), 0.5)
        symbol["max_repeats"] = self.rarely(0, max(self.near(last["repeats"]), 0), 0.5)

    def expected(self):
        action = Action.REPLACE if self.replace else Action.NEW
        place = -1 if self.place < 0 else self.place
        return gate(
            self.core, self.symbol, action.value, self.side, place, self.price, self.quantity, self.strategy
        )

    def fields(self):
        """What the gateware is given."""
        core, symbol, last = self.core, self.symbol, self.symbol["last"][self.side]
        price = {side: self.best(side) if symbol[f"has_{side}"] else 0 for side in ("bid", "ask")}
        state = {
            "stamp": core["stamp"], "killed": core["kill"], "killed_symbol": symbol["kill"],
            "killed_strategies": core["strategy_kills"], "enabled": symbol["enabled"],
            "trading_state": symbol["trading_state"], "operational_halt": symbol["operational_halt"],
            "market_open": core["market_open"], "trusted": core["feed_whole"] & symbol["trusted"],
            "session_up": core["session"] == SessionState.UP, "pnl": symbol["pnl"], "loss_limit": symbol["loss_limit"],
            "pnl_total": core["pnl"], "loss_limit_total": core["loss_limit"],
            **{name: core[name] for name in ("last_feed", "stale_ns", "last_heartbeat", "heartbeat_ns")},
        }  # fmt: skip
        own = "max_quantity max_notional max_position collar locate_quantity rate_burst duplicate_window max_repeats "
        own += "max_open_orders reg_sho position has_bid has_ask"
        card = "max_gross credit position_notional open_notional executed_notional"
        bounds = {
            **{name: symbol[name] for name in own.split()},
            **{name: core[name] for name in card.split()},
            **{f"last_{name}": last[name] for name in ("valid", "price", "quantity", "repeats", "time")},
            "best_bid": price["bid"], "best_ask": price["ask"], "tat": symbol["arrival"], "tat_global": core["arrival"],
            "rate_burst_global": core["rate_burst"],
        }  # fmt: skip
        order = {
            "replace": self.replace, "side": self.side, "price": self.price, "quantity": self.quantity,
            "strategy": self.strategy,
        }  # fmt: skip
        return [{name: int(value) for name, value in part.items()} for part in (order, state, bounds)]

    def exposure(self):
        """What the own orders say, from the engine's slots."""
        slots = self.symbol["slots"]
        target = slots[self.place] if self.replace else None
        side, opposite = (slots[4 * n : 4 * n + 4] for n in (self.side, 1 - self.side))
        prices = []
        for slot in opposite[opposite["state"] != SlotState.IDLE]:
            pending = slot["state"] == SlotState.PENDING_REPLACE
            both = [int(slot["price"]), *([int(slot["pending_price"])] if pending else [])]
            prices.append(min(both) if self.side == Side.BUY else max(both))
        return {
            "others": sum(int(open_shares(slot)) for slot in side) - (int(open_shares(target)) if self.replace else 0),
            "remaining": int(target["remaining"]) if self.replace else 0,
            "notional": int(target["notional"]) if self.replace else 0,
            "marking": MARKINGS.index(int(slots[self.place]["marking"])),
            "open_orders": int((slots["state"] != SlotState.IDLE).sum()),
            "free": self.place >= 0,
            "opposite": bool(prices),
            "opposite_price": (min if self.side == Side.BUY else max)(prices, default=0),
        }


def simulate(process):
    dut = RiskGate()
    simulator = Simulator(dut)
    simulator.add_clock(6.4e-9)

    async def testbench(ctx):
        await process(ctx, dut)

    simulator.add_testbench(testbench)
    simulator.run()


async def load(ctx, dut, vector):
    """The vector to the ports."""
    order, state, bounds = vector.fields()
    ctx.set(dut.order, order)
    ctx.set(dut.state, state)
    ctx.set(dut.bounds, bounds)
    ctx.set(dut.exposure, vector.exposure())
    await ctx.tick()


async def judge(ctx, dut):
    """Mask and marking, exactly `LATENCY` cycles after the start."""
    ctx.set(dut.start, 1)
    for cycle in range(LATENCY):
        assert not ctx.get(dut.done), cycle
        await ctx.tick()
        ctx.set(dut.start, 0)
    assert ctx.get(dut.done)
    assert ctx.get(dut.passed) == (ctx.get(dut.mask) == 0)
    return ctx.get(dut.mask), MARKINGS[ctx.get(dut.marking)]


def test_every_decision_is_the_engines(rng: np.random.Generator):
    alone, together = np.zeros(REASON_COUNT, int), np.zeros(REASON_COUNT, int)
    passed = 0

    async def process(ctx, dut):
        nonlocal passed
        for number in range(VECTORS):
            vector = Vector(rng)
            await load(ctx, dut, vector)
            mask, marking = await judge(ctx, dut)
            expected, expected_marking = vector.expected()
            assert mask == expected, f"{number}: {names(mask)} is not {names(expected)}: {vector.fields()}"
            assert marking == expected_marking, number
            without_strategy = ctx.get(dut.state_mask)
            assert without_strategy == symbol_mask(vector.core, vector.symbol), number
            passed += expected == 0
            for reason in Reason:
                together[reason] += expected >> reason & 1
                alone[reason] += expected == reason.bit

    simulate(process)
    assert together.min() > 10, [reason.name for reason in Reason if together[reason] <= 10]
    assert passed > 0


def test_emergency_kill_acts_on_the_decision_in_the_same_cycle(rng: np.random.Generator):
    async def process(ctx, dut):
        vector = Vector(rng)
        vector.core["kill"] = 0
        await load(ctx, dut, vector)
        expected, _ = vector.expected()
        assert not expected & Reason.KILL_GLOBAL.bit
        mask, _ = await judge(ctx, dut)
        assert mask == expected
        ctx.set(dut.kill, 1)
        assert ctx.get(dut.mask) == expected | Reason.KILL_GLOBAL.bit
        assert not ctx.get(dut.passed)
        assert ctx.get(dut.state_mask) & Reason.KILL_GLOBAL.bit

    simulate(process)
