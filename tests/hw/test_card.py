"""The whole card through its pins: XGMII in, XGMII out, AXI to a host's memory; its answers are the engine's."""

from __future__ import annotations

import json
from fractions import Fraction

import numpy as np
import pytest

from engine.path import Engine
from hw.card import Card
from hw.parameters import PROFILES
from tests.hw.card_benches import card as bench
from tests.hw.card_benches.card import BASE, LEVELS, TICK, path_setup, spread_out
from tests.hw.cocotb_runner import run
from tests.scenarios.build import Script, add, delete, execute, order_id, replace, system_event, trading_action
from wire.counters import COUNTERS
from wire.records import KillScope, Opcode, Port, Side, SnapshotPart

pytestmark = [pytest.mark.gateware, pytest.mark.twin, pytest.mark.timeout(1800)]

MICROSECOND = 8
NEAR = 20_000
"""Nanoseconds that the card's stamp may be behind the script's: the way of a packet over the wire, or of a command."""


CARD = Card(PROFILES["small"], microsecond=Fraction(MICROSECOND))


def go(*tests: str, seed: int = 0, **given: object) -> None:
    run(CARD, bench, tests=tests, seed=seed, parameters={"seed": seed, "microsecond": MICROSECOND, **given})


def trading() -> Script:
    """A quoter that quotes, is filled, moves and is killed; a host that trades beside it."""
    script = path_setup().log_in()
    script.feed(system_event("Q"), add(10, 1, "B", 300, BASE + 20 * TICK), add(10, 2, "S", 200, BASE + 26 * TICK))
    bid, ask = order_id(1, 0, Side.BUY, 0), order_id(2, 0, Side.SELL, 0)
    script.accepted(bid, 100, BASE + 20 * TICK).accepted(ask, 100, BASE + 26 * TICK)
    script.feed(execute(10, 1, 50), add(10, 3, "B", 900, BASE + 21 * TICK), add(12, 4, "B", 1, BASE))
    script.executed(bid, 40, BASE + 20 * TICK)
    script.new_order(1, Side.BUY, BASE + 10 * TICK, 10, tag=77)
    script.feed(add(11, 5, "B", 10, BASE + 9 * TICK), add(11, 6, "S", 10, BASE + 11 * TICK))
    script.packet(
        script.sequence - 2, add(11, 5, "B", 10, BASE + 9 * TICK), add(11, 6, "S", 10, BASE + 11 * TICK), port=Port.FEED_B
    )
    script.new_order(1, Side.BUY, BASE + 10 * TICK, 10, tag=78)
    script.command(Opcode.SNAPSHOT, 0, 5, parts=SnapshotPart.BOOK | SnapshotPart.POSITION | SnapshotPart.ORDERS, depth=3)
    script.feed(replace(10, 3, 7, 100, BASE + 19 * TICK), delete(10, 2), add(10, 8, "S", 5, BASE + 30 * TICK))
    script.feed(trading_action(10, "H"), trading_action(10, "T"))
    script.command(Opcode.KILL, scope=KillScope.GLOBAL).command(Opcode.CANCEL_ALL)
    script.command(Opcode.CLEAR_KILL, scope=KillScope.GLOBAL)
    return script.command(Opcode.LOGOUT)


def test_a_session_gives_the_engines_answer(tmp_path, seed):
    inputs, buffer = trading().arrays()
    inputs = spread_out(inputs)
    np.save(tmp_path / "inputs.npy", inputs)
    (tmp_path / "buffer").write_bytes(buffer.tobytes())
    engine = Engine(symbols=2, levels=LEVELS, orders=64)
    ours = engine.process(inputs, buffer)
    go("session", seed=seed, folder=str(tmp_path))

    answer, events = json.loads((tmp_path / "answer.json").read_text()), np.load(tmp_path / "events.npy")
    payload = ours.payload.tobytes()
    packets = [payload[int(o["offset"]) : int(o["offset"]) + int(o["length"])].hex() for o in ours.outputs]
    assert answer["packets"] == packets
    assert len(packets) > 5
    later = events["timestamp"].astype(np.int64) - ours.events["timestamp"].astype(np.int64)
    assert ((later >= 0) & (later < NEAR)).all()
    for name in events.dtype.names:
        if name != "timestamp":
            assert events[name].tolist() == ours.events[name].tolist(), name
    assert answer["counters"] == {name: int(value) for name, value in zip(COUNTERS, engine.counters, strict=True)}


def test_latencies_are_those_on_the_wires(seed):
    go("latencies", seed=seed, turns=12)


def test_ports_live_on_their_links(seed):
    go("neighbours", seed=seed)


@pytest.mark.parametrize("test", ["a_connection_that_ends", "no_way_to_the_exchange", "recovery", "ticks", "interrupts"])
def test_what_only_the_whole_card_does(test, seed):
    go(test, seed=seed)


def test_frames_with_errors_leave_no_trace(seed):
    go("both_feeds_with_errors", seed=seed, packets=60)


@pytest.mark.slow
def test_frames_with_errors_leave_no_trace_for_long(seed):
    go("both_feeds_with_errors", seed=seed, packets=2000)
