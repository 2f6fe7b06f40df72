"""The taker: what it hits, and what keeps it from hitting."""

from __future__ import annotations

import pytest

from engine.path import Engine
from tests.scenarios.build import Script, add, delete, order_id, run
from wire.records import IMMEDIATE_OR_CANCEL, TAKER_SLOT, TAKER_STRATEGY, Action, EventType, KillScope, Opcode, Side

LOCATE, BASE, TICK, LEVELS = 10, 990_000, 100, 64
BID, ASK = BASE + 20 * TICK, BASE + 30 * TICK
BUY_ID, SELL_ID = order_id(1, 0, Side.BUY, TAKER_SLOT), order_id(1, 0, Side.SELL, TAKER_SLOT)


def market() -> Script:
    script = Script().set_global().set_symbol(0, LOCATE, base=BASE, tick=TICK, levels=LEVELS).set_limits(0)
    script.command(Opcode.SET_FEED, start_sequence=1).open_market().log_in()
    return script.feed(add(LOCATE, 1, "B", 70, BID), add(LOCATE, 2, "S", 80, ASK))


def takes(script: Script) -> list[tuple[Side, int, int, int]]:
    """(side, price, quantity, order id) of what left."""
    result = run(Engine(1, LEVELS, 64), script)
    sent = result.of(EventType.ORDER_SENT)
    assert all(int(e["info"]) & 0xFF == Action.NEW and int(e["info"]) >> 16 == TAKER_STRATEGY for e in sent)
    return [(Side(e["side"]), int(e["price"]), int(e["quantity"]), int(e["order_id"])) for e in sent]


@pytest.mark.parametrize(
    ("value", "edge", "expected"),
    [
        (ASK + 200, 200, [(Side.BUY, ASK, 80, BUY_ID)]),
        (ASK + 199, 200, []),
        (BID - 200, 200, [(Side.SELL, BID, 70, SELL_ID)]),
        (BID - 199, 200, []),
        (BASE + 25 * TICK, 0, []),
        (100, 200, [(Side.SELL, BID, 70, SELL_ID)]),
        ((1 << 32) - 1, (1 << 32) - 1, []),
    ],
)
def test_it_hits_what_is_past_the_value_by_the_edge(value: int, edge: int, expected: list[tuple[Side, int, int, int]]) -> None:
    assert takes(market().command(Opcode.SET_TAKER, 0, value=value, edge=edge, size=100, enabled=1)) == expected


def test_it_takes_no_more_than_its_size_and_one_order_a_side_at_a_time() -> None:
    script = market().command(Opcode.SET_TAKER, 0, value=ASK, edge=0, size=50, enabled=1)
    script.feed(add(LOCATE, 3, "S", 5, ASK - TICK))
    assert takes(script) == [(Side.BUY, ASK, 50, BUY_ID)]
    script.cancelled(BUY_ID, 50).feed(delete(LOCATE, 3))
    again = order_id(2, 0, Side.BUY, TAKER_SLOT)
    assert takes(script) == [(Side.BUY, ASK, 50, BUY_ID), (Side.BUY, ASK - TICK, 5, again)]


def test_its_orders_are_immediate_or_cancel() -> None:
    result = run(Engine(1, LEVELS, 64), market().command(Opcode.SET_TAKER, 0, value=ASK, size=50, enabled=1))
    assert [order["time_in_force"] for order in result.orders] == [IMMEDIATE_OR_CANCEL]


@pytest.mark.parametrize(
    "hindrance",
    [
        lambda script: script.command(Opcode.KILL, scope=KillScope.GLOBAL),
        lambda script: script.command(Opcode.KILL, scope=KillScope.STRATEGY, strategy=TAKER_STRATEGY),
        lambda script: script.command(Opcode.KILL, 0, scope=KillScope.SYMBOL),
        lambda script: script.command(Opcode.SET_TRADING, 0, enabled=0, market_open=2),
        lambda script: script.command(Opcode.SESSION_DOWN),
    ],
)
def test_what_stops_trading_stops_it_without_a_word(hindrance) -> None:  # type: ignore[no-untyped-def]
    script = hindrance(market()).command(Opcode.SET_TAKER, 0, value=ASK, size=50, enabled=1)
    result = run(Engine(1, LEVELS, 64), script)
    assert len(result.of(EventType.ORDER_SENT)) == len(result.of(EventType.ORDER_REFUSED)) == 0


def test_the_gate_may_refuse_and_the_host_is_told() -> None:
    script = market().set_limits(0, max_quantity=10).command(Opcode.SET_TAKER, 0, value=ASK, size=50, enabled=1)
    result = run(Engine(1, LEVELS, 64), script)
    assert len(result.of(EventType.ORDER_SENT)) == 0
    assert [int(e["quantity"]) for e in result.of(EventType.ORDER_REFUSED)] == [50]


def test_an_old_value_is_no_value() -> None:
    script = market().command(Opcode.SET_TAKER, 0, value=ASK - TICK, size=50, enabled=1, max_age=1)
    script.wait(2).feed(add(LOCATE, 3, "S", 5, ASK - TICK))
    assert takes(script) == []
