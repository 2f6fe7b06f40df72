"""The whole card against the engine on one small session, and what only the card has."""

import pytest

from engine.path import Engine
from hw.parameters import Parameters
from tests.hw.card import run
from tests.parity.differences import counter_difference, first_difference
from tests.scenarios.build import Script, add, delete, execute, order_id, replace, system_event, trading_action
from wire.counters import COUNTERS
from wire.records import EventType, KillScope, Opcode, Side, SnapshotPart

pytestmark = [pytest.mark.gateware, pytest.mark.parity]

SIZES = {"symbols": 2, "levels": 64, "orders": 64}
BASE, TICK = 1_000_000, 100


def session() -> Script:
    """A quoter that quotes, is filled, moves and is killed; a host that trades beside it."""
    script = Script().set_global()
    for symbol in range(2):
        script.set_symbol(symbol, 10 + symbol, base=BASE, tick=TICK, levels=64).set_limits(symbol, max_position=1000)
    script.command(Opcode.SET_QUOTER, 0, half_spread=2 << 16, size=100, skew=-300, min_change=1, enabled=1)
    script.command(Opcode.SET_FEED, start_sequence=1, hold_ns=1_000_000).log_in()
    script.feed(system_event("Q"), add(10, 1, "B", 300, BASE + 20 * TICK), add(10, 2, "S", 200, BASE + 26 * TICK))
    bid, ask = order_id(1, 0, Side.BUY, 0), order_id(2, 0, Side.SELL, 0)
    script.accepted(bid, 100, BASE + 20 * TICK).accepted(ask, 100, BASE + 26 * TICK)
    script.wait(1000).feed(execute(10, 1, 50), add(10, 3, "B", 900, BASE + 21 * TICK), add(12, 4, "B", 1, BASE))
    script.executed(bid, 40, BASE + 20 * TICK).wait(1000)
    script.new_order(1, Side.BUY, BASE + 10 * TICK, 10, tag=77)
    script.feed(add(11, 5, "B", 10, BASE + 9 * TICK), add(11, 6, "S", 10, BASE + 11 * TICK))
    script.new_order(1, Side.BUY, BASE + 10 * TICK, 10, tag=78)
    script.command(Opcode.SNAPSHOT, 0, 5, parts=SnapshotPart.BOOK | SnapshotPart.POSITION | SnapshotPart.ORDERS, depth=3)
    script.feed(replace(10, 3, 7, 100, BASE + 19 * TICK), delete(10, 2), add(10, 8, "S", 5, BASE + 30 * TICK))
    script.packet(script.sequence + 3).wait(1_100_000_000).tick()
    script.feed(trading_action(10, "H"), trading_action(10, "T"))
    script.command(Opcode.KILL, scope=KillScope.GLOBAL).command(Opcode.CANCEL_ALL)
    script.command(Opcode.CLEAR_KILL, scope=KillScope.GLOBAL)
    return script.command(Opcode.LOGOUT)


def test_a_session_gives_the_engines_answer():
    inputs, buffer = session().arrays()
    engine = Engine(**SIZES)
    ours = engine.process(inputs, buffer)
    theirs = run(Parameters(**SIZES, locates=64), inputs, buffer)
    assert first_difference(inputs, buffer, ours, theirs) is None
    counters = {name: int(value) for name, value in zip(COUNTERS, engine.counters, strict=True)}
    assert counter_difference(counters, theirs.counters) is None
    kinds = {EventType(int(kind)).name for kind in ours.events["type"]}
    assert {"ORDER_SENT", "ORDER_REFUSED", "EXECUTED", "TRADE", "BOOK_TOP", "GAP", "POSITION", "BOOK_LEVEL"} <= kinds
