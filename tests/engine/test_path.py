"""The compiled loop: what comes out does not depend on how it is called."""

from __future__ import annotations

import resource
import subprocess
import sys

import numpy as np
import pytest

from engine.path import Batch, Engine
from engine.path import run as loop
from engine.state import SIDES
from tests.scenarios import fuzz
from tests.scenarios.build import Script, add, mold_frame, run
from tests.scenarios.reasons import LEVELS, LOCATE, market
from wire.records import EVENT, INPUT, OUTPUT, EventType, KillScope, Opcode, Port, SlotState

SEEDS = range(8)


def fresh(**changes: int) -> Engine:
    return Engine(2, LEVELS, 64, **changes)


def same(one: Batch, other: Batch) -> None:
    for name, a, b in zip(Batch._fields, one, other, strict=True):
        assert a.dtype == b.dtype
        assert np.array_equal(a, b), name


def joined(batches: list[Batch]) -> Batch:
    at = 0
    for batch in batches:
        batch.outputs["offset"] += np.uint64(at)
        at += len(batch.payload)
    return Batch(*(np.concatenate(parts) for parts in zip(*batches, strict=True)))


@pytest.mark.parametrize("seed", SEEDS)
def test_a_full_event_buffer_changes_nothing(seed: int) -> None:
    one, other = fresh(), fresh(event_capacity=1)
    script = fuzz.script(seed, fresh())
    same(one.process(*script.arrays()), other.process(*script.arrays()))
    assert np.array_equal(one.counters, other.counters)
    assert one.digest() == other.digest()


@pytest.mark.parametrize("seed", SEEDS)
def test_inputs_one_by_one_are_the_same_as_all_at_once(seed: int) -> None:
    one, other = fresh(), fresh()
    inputs, buffer = fuzz.script(seed, fresh()).arrays()
    batches = [other.process(inputs[n : n + 1], buffer) for n in range(len(inputs))]
    same(one.process(inputs, buffer), joined(batches))
    assert one.digest() != fresh().digest()


@pytest.mark.parametrize("seed", SEEDS)
def test_sums_are_the_sums_of_their_parts(seed: int) -> None:
    engine = fresh()
    result = run(engine, fuzz.script(seed, fresh(), 600))
    core, symbols = engine.state.core[0], engine.state.symbols
    assert core["pnl"] == symbols["pnl"].sum()
    assert core["position_notional"] == symbols["position_notional"].sum()
    assert core["open_notional"] == symbols["slots"]["notional"].sum()
    idle = symbols["slots"]["state"] == SlotState.IDLE
    assert (symbols["slots"]["notional"][idle] == 0).all()
    assert (symbols["slots"]["remaining"][~idle] >= 0).all()
    assert np.array_equal(np.diff(result.events["sequence"]), np.ones(len(result.events) - 1))
    sent = result.of(EventType.ORDER_SENT)
    assert len(sent) == len(result.orders)
    generations = [int(e["order_id"]) >> 12 for e in sent if int(e["info"]) & 0xFF != 3]
    assert generations == list(range(1, len(generations) + 1))


@pytest.mark.parametrize("seed", SEEDS)
def test_after_a_kill_nothing_leaves_but_cancels(seed: int) -> None:
    script, engine = fuzz.script(seed, fresh()), fresh()
    inputs, buffer = script.arrays()
    half = len(inputs) // 2
    engine.process(inputs[:half], buffer)
    kill = Script(int(inputs["timestamp"][half - 1])).command(Opcode.KILL, scope=KillScope.GLOBAL)
    run(engine, kill)
    clears = inputs["port"] == Port.COMMAND
    clears &= np.array([buffer[int(at)] == Opcode.CLEAR_KILL for at in inputs["offset"] % max(len(buffer), 1)])
    batch = engine.process(inputs[half:][~clears[half:]], buffer)
    sent = batch.events[batch.events["type"] == EventType.ORDER_SENT]
    assert ((sent["info"] & 0xFF) == 3).all()


def test_one_packet_can_make_more_events_than_the_buffer_holds() -> None:
    """Every message of full packets closes or opens the market, and every symbol answers."""
    from tests.scenarios.build import system_event

    engine = Engine(16, LEVELS, 64, event_capacity=64)
    script = Script().set_global()
    for n in range(16):
        script.set_symbol(n, n + 1, base=990_000, tick=100, levels=LEVELS)
    script.command(Opcode.SET_FEED, start_sequence=1)
    messages = [system_event("QM"[n % 2]) for n in range(100)]
    for n in range(3):  # held, and played together
        script.packet(101 + 100 * n, *messages)
    result = run(engine, script.packet(1, *messages))
    assert len(result.of(EventType.TRADING_STATE)) == 400
    assert result.counters["messages"] == 400


def test_arrays_of_any_kind_are_taken_and_compiled_once() -> None:
    inputs, buffer = market().arrays()
    expected = fresh().process(inputs, buffer)
    spread = np.zeros(2 * len(inputs), INPUT)
    spread[::2] = inputs
    writable = buffer.copy()
    same(expected, fresh().process(inputs.copy(), writable))
    same(expected, fresh().process(spread[::2], writable))
    assert writable.flags.writeable
    assert len(loop.signatures) == 1


def test_no_inputs_make_nothing() -> None:
    batch = fresh().process(np.zeros(0, INPUT), np.zeros(0, np.uint8))
    assert [len(part) for part in batch] == [0, 0, 0]
    assert (batch.events.dtype, batch.outputs.dtype) == (EVENT.dtype, OUTPUT)


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"offset": 60}, "buffer of 64"),
        ({"offset": (1 << 64) - 1}, "buffer of 64"),
        ({"length": 63}, "64 bytes"),
        ({"port": 6}, "port 6"),
    ],
)
def test_inputs_that_can_not_be_are_refused(change: dict[str, int], words: str) -> None:
    inputs = np.array([(1, 0, 64, Port.COMMAND)], INPUT)
    for name, value in change.items():
        inputs[name] = value
    with pytest.raises(ValueError, match=words):
        fresh().process(inputs, np.zeros(64, np.uint8))


@pytest.mark.parametrize("sizes", [(0, 64, 64), (513, 64, 64), (1, 0, 64), (1, 64, 0)])
def test_sizes_that_can_not_be_are_refused(sizes: tuple[int, int, int]) -> None:
    with pytest.raises(ValueError, match="are possible"):
        Engine(*sizes)


def test_the_most_symbols_that_order_ids_can_number() -> None:
    engine = Engine(512, LEVELS, 64, event_capacity=1)
    script = Script().set_global()
    for n in range(512):
        script.set_symbol(n, n + 1, base=990_000, tick=100, levels=LEVELS)
    result = run(engine, script.open_market().tick())
    assert result.counters["evaluations"] == 512 * 3


def test_the_state_of_a_symbol_has_a_place_for_each_slot() -> None:
    slots = fresh().state.symbols["slots"]
    assert slots["number"].reshape(-1).tolist() == list(range(2 * SIDES * 4))


def test_a_second_start_takes_less_than_three_seconds_of_processor_time() -> None:
    run(fresh(), market().feed(add(LOCATE, 3, "B", 1, 991_000)))  # compiled by now
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    code = (
        "import numpy as np; from engine.path import Engine; from wire.records import INPUT;"
        "Engine(2, 64, 64).process(np.zeros(1, INPUT), np.zeros(0, np.uint8))"
    )
    subprocess.run([sys.executable, "-c", code], check=True)
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    assert after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime < 3


def test_frames_of_a_dead_port_stay_where_they_are() -> None:
    """An input of no bytes is a frame that is too short."""
    result = run(fresh(), Script().frame(b"", Port.FEED_B).frame(mold_frame(1, []), Port.FEED_B))
    assert result.counters["truncated"] == 1
    assert result.counters["packets_b"] == 1
