"""An order through the risk gate: every check, then the slot, exposure, event and OUCH packet that it makes.

Beside it openpit from PyPI, which is called from Python and has fewer checks: order validation, size limits and a rate
limit per account and for all.
"""

from __future__ import annotations

import statistics
import time
from typing import Any

import numpy as np

from bench import figures, peers
from engine.own_orders import IDLE, revalue, submit_new
from engine.path import Engine
from engine.state import SIDES
from wire.compiled import compiled
from wire.records import INPUT, SLOTS, Opcode, Port, command
from wire.soupbintcp import login_accepted

SYMBOLS, LEVELS = 16, 4096
BASE, TICK = 900_000, 100
BLOCK, BLOCKS = 1_024, 2_000
NO_LIMIT_64, NO_LIMIT_32 = (1 << 63) - 1, (1 << 32) - 1

PEER = """
import json, statistics, time
from importlib.metadata import version
import openpit
from openpit.param import AccountId, Price, Quantity, Side, TradeAmount, Volume
from openpit.pretrade import policies as p
from datetime import timedelta

limit = p.OrderSizeLimit(max_quantity=Quantity("1000000"), max_notional=Volume("1000000000000"))
rate = p.RateLimit(max_orders=10**9, window=timedelta(seconds=1))
account = AccountId.from_int(1)
engine = (
    openpit.Engine.builder()
    .no_sync()
    .builtin(p.build_order_validation())
    .builtin(p.build_order_size_limit().broker_barrier(p.OrderSizeBrokerBarrier(limit=limit)))
    .builtin(p.build_rate_limit().broker_barrier(p.RateLimitBrokerBarrier(limit=rate)))
    .build()
)
orders = [
    openpit.Order(
        operation=openpit.OrderOperation(
            instrument=openpit.Instrument(f"SYM{n % 16}", "USD"),
            account_id=account,
            side=Side.BUY if n & 1 else Side.SELL,
            trade_amount=TradeAmount.quantity(str(100 + n)),
            price=Price(str(100 + n % 7)),
        )
    )
    for n in range(512)
]
blocks = []
for _ in range(200):
    begin = time.perf_counter_ns()
    for order in orders:
        result = engine.execute_pre_trade(order=order)
        result.reservation.commit()
    blocks.append((time.perf_counter_ns() - begin) / len(orders))
assert result.ok
print(json.dumps({"ns": statistics.median(blocks), "version": version("openpit")}))
"""


@compiled
def submit(state: Any, sides: Any, prices: Any, quantities: Any) -> int:
    """Orders one after the other, each in a free slot that is free again afterwards; how many were sent."""
    core, out, symbols = state.core[0], state.out[0], state.symbols
    sent = 0
    for n in range(len(prices)):
        symbol = symbols[n % SYMBOLS]
        side = sides[n]
        place = side * SLOTS + 1 + n % (SLOTS - 1)
        core.stamp += 1_000
        sent += submit_new(core, out, symbol, side, place, prices[n], quantities[n], 1, n, 99_998)
        slot = symbol.slots[place]
        slot.state = IDLE
        revalue(core, slot)
    out.event_count = out.output_count = out.payload_length = 0
    return sent


def device() -> Engine:
    """A market on every symbol, limits that are all checked and never met."""
    engine = Engine(SYMBOLS, LEVELS)
    limits = {
        "max_notional": NO_LIMIT_64,
        "loss_limit": NO_LIMIT_64,
        "max_quantity": 1_000_000,
        "max_position": NO_LIMIT_32,
        "collar": NO_LIMIT_32,
        "locate_quantity": NO_LIMIT_32,
        "rate_interval": 10,
        "rate_burst": NO_LIMIT_32,
        "duplicate_window": 100,
        "max_repeats": 0xFFFF,
        "max_open_orders": 8,
    }
    everywhere = dict.fromkeys(("max_gross", "credit", "loss_limit", "stale_ns", "heartbeat_ns"), NO_LIMIT_64)
    rates = {"rate_interval": 10, "rate_burst": NO_LIMIT_32}
    ladder = {"base_price": BASE, "tick": TICK, "tick_reciprocal": (1 << 32) // TICK + 1, "span": LEVELS * TICK}
    commands = [command(Opcode.SET_GLOBAL, **everywhere, **rates, firm="FIRM", token_prefix="HP")]
    for n in range(SYMBOLS):
        listing = {"stock": f"SYM{n}", "stock_locate": n + 1, "enabled": 1, "trading_state": "T"}
        commands += [command(Opcode.SET_SYMBOL, n, **listing, **ladder), command(Opcode.SET_LIMITS, n, **limits)]
    commands.append(command(Opcode.SET_TRADING, enabled=2, market_open=1))
    commands.append(command(Opcode.LOGIN))
    answer = login_accepted("", 1)
    buffer = np.frombuffer(b"".join(commands) + answer, np.uint8)
    inputs = np.zeros(len(commands) + 1, INPUT)
    inputs["timestamp"], inputs["port"], inputs["length"] = 1_000, Port.COMMAND, 64
    inputs["offset"] = np.arange(len(inputs)) * 64
    inputs["port"][-1], inputs["length"][-1] = Port.SESSION, len(answer)
    engine.process(inputs, buffer)
    symbols = engine.state.symbols
    symbols["has_bid"], symbols["bid_index"], symbols["bid_quantity"] = 1, 1_000, 100
    symbols["has_ask"], symbols["ask_index"], symbols["ask_quantity"] = 1, 1_010, 100
    return engine


def measure(quantity: int) -> tuple[float, int]:
    """Median nanoseconds per order over blocks, and how many of a block were sent."""
    engine, rng = device(), np.random.default_rng(1)
    sides = rng.integers(0, SIDES, BLOCK)
    prices = BASE + TICK * np.where(sides == 0, rng.integers(900, 1_000, BLOCK), rng.integers(1_011, 1_100, BLOCK))
    quantities = quantity + rng.integers(0, 900, BLOCK)
    sent, blocks = submit(engine.state, sides, prices, quantities), []
    for _ in range(BLOCKS):
        begin = time.perf_counter_ns()
        submit(engine.state, sides, prices, quantities)
        blocks.append((time.perf_counter_ns() - begin) / BLOCK)
    return statistics.median(blocks), int(sent)


def main() -> None:
    """Measures, prints and records both figures."""
    passed, sent = measure(100)
    refused, none = measure(2_000_000)
    if (sent, none) != (BLOCK, 0):
        raise SystemExit(f"{sent} and {none} of {BLOCK} orders were sent: this measures something else")
    peer = peers.measure(PEER)
    name = f"openpit {peer['version']}, {peer['ns']:.0f} ns, from Python, 3 policies"
    print(f"order through the gate: {passed:.1f} ns sent, {refused:.1f} ns refused; {name}")
    figures.write(
        "bench",
        [
            figures.Figure(
                name="order through all gates, to the packet",
                value=round(passed, 1),
                unit="ns",
                command="make bench ONLY=gate",
                peer=name,
                ratio=figures.times_better(passed, peer["ns"], better="lower"),
            ),
            figures.Figure(
                name="order refused by the gate", value=round(refused, 1), unit="ns", command="make bench ONLY=gate"
            ),
        ],
    )


if __name__ == "__main__":
    main()
