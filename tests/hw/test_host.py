"""The host's side of the card: registers, counters, command reader, event ring."""

import gc
import warnings

import numpy as np
import pytest
from amaranth.hdl import UnusedElaboratable
from amaranth.sim import Simulator

from hw.host import generate, register_map
from hw.host.bank import RegisterBank
from hw.host.counters import CounterBank
from hw.host.ring import EventRing
from hw.items import ItemKind
from hw.sequencer.commands import CommandReader
from wire.counters import COUNTER_COUNT
from wire.records import EVENT, EventType, Opcode, command

pytestmark = pytest.mark.gateware


def simulate(dut, *processes):
    simulator = Simulator(dut)
    simulator.add_clock(6.4e-9)
    for each in processes:
        simulator.add_testbench(each, background=each is not processes[0])
    simulator.run()


# -- registers -------------------------------------------------------------------------------------


def test_generated_files_are_current():
    assert generate.stale() == [], "run python -m hw.host.generate"


def test_drivers_and_gateware_have_the_same_map():
    texts = [path.read_text() for path in generate.files() if path.name in ("registers.py", "register_map.py")]
    assert len(texts) == 2
    assert texts[0] == texts[1]


def test_no_two_registers_share_an_address():
    words = [each.address + 4 * n for each in register_map.REGISTERS for n in range(each.count)]
    assert len(set(words)) == len(words)
    assert register_map.COUNTER.count == COUNTER_COUNT


def test_a_field_goes_into_a_word_and_out_again():
    field = register_map.STATUS["session"]
    word = field.put(0xFFFFFFFF, 1)
    assert field.of(word) == 1
    assert word == 0xFFFFFDFF
    with pytest.raises(ValueError, match="session: 4"):
        field.put(0, 4)


def test_registers_read_back_and_only_host_fields_can_be_written():
    dut = RegisterBank()

    async def process(ctx):
        async def read(address):
            ctx.set(dut.address, address)
            ctx.set(dut.read, 1)
            await ctx.tick()
            ctx.set(dut.read, 0)
            return ctx.get(dut.read_data)

        async def write(address, value):
            ctx.set(dut.address, address)
            ctx.set(dut.write_data, value)
            ctx.set(dut.write, 1)
            await ctx.tick()
            ctx.set(dut.write, 0)

        assert await read(register_map.IDENTIFICATION.address) == int.from_bytes(b"HPIN", "big")
        ctx.set(dut.status_session, 2)
        ctx.set(dut.status_killed_strategies, 0xBEEF)
        assert await read(register_map.STATUS.address) == 0xBEEF0200
        for register in register_map.REGISTERS:
            if register.external:
                continue
            before = await read(register.address)
            writable = sum(each.mask for each in register.fields if each.source == "host")
            for value in (0xFFFFFFFF, 0, 0x5A5A5A5A):
                await write(register.address, value)
                assert await read(register.address) == value & writable | before & ~writable, register.name
        ctx.set(dut.counter_data, 12345)
        last = register_map.COUNTER.address + 4 * (register_map.COUNTER.count - 1)
        assert await read(last) == 12345
        assert ctx.get(dut.counter_index) == register_map.COUNTER.count - 1
        assert await read(last + 4) == 0

    simulate(dut, process)


# -- counters --------------------------------------------------------------------------------------


def test_counters_are_exact_at_every_moment(rng: np.random.Generator):
    count = 37
    dut = CounterBank(count)

    async def process(ctx):
        total = behind = np.zeros(count, int)  # ``behind``: without the steps of the last cycle
        for cycle in range(3000):
            index = int(rng.integers(count))
            ctx.set(dut.index, index)
            steps = rng.integers(0, 4, count) if cycle % 500 < 400 else np.full(count, 3)
            ctx.set(dut.steps, steps.tolist())
            await ctx.tick()
            assert ctx.get(dut.data) == behind[index]
            behind, total = total, total + steps
        ctx.set(dut.steps, [0] * count)
        await ctx.tick().repeat(2)
        for index in range(count):
            ctx.set(dut.index, index)
            await ctx.tick()
            assert ctx.get(dut.data) == total[index]

    simulate(dut, process)


# -- commands --------------------------------------------------------------------------------------


def test_commands_become_items_with_the_stamp_of_their_first_beat():
    dut = CommandReader()
    records = [command(Opcode.HEARTBEAT, tag=7), command(Opcode.KILL, 3, scope=2), bytes(range(64))]
    got = []

    async def offer(ctx):
        for number, record in enumerate([*records, records[0][:40], records[0] + bytes(8)]):
            for at in range(0, len(record), 8):
                ctx.set(dut.stamp, 1000 * number + at)
                data = int.from_bytes(record[at : at + 8], "little")
                beat = {"data": data, "last": at + 8 == len(record), "count": 8}
                ctx.set(dut.i.payload, beat)
                ctx.set(dut.i.valid, 1)
                await ctx.tick().until(dut.i.ready)
            ctx.set(dut.i.valid, 0)
        await ctx.tick().repeat(20)
        assert not ctx.get(dut.busy)

    async def take(ctx):
        while True:
            ready = not ctx.get(dut.o.ready)
            ctx.set(dut.o.ready, ready)
            _, _, valid, payload = await ctx.tick().sample(dut.o.valid, dut.o.payload)
            if valid and ready:
                got.append((payload.kind, payload.stamp, payload.payload.command))

    simulate(dut, offer, take)
    assert [kind for kind, _, _ in got] == [ItemKind.COMMAND] * 5
    assert [stamp for _, stamp, _ in got] == [0, 1000, 2000, 3000, 4000]
    assert [bits.to_bytes(64, "little") for _, _, bits in got[:3]] == records
    assert [bits & 0xFF for _, _, bits in got[3:]] == [0, 0], "a command of another length has no opcode"


# -- events ----------------------------------------------------------------------------------------


async def emit(ctx, dut, kind, tag):
    ctx.set(dut.i.payload, {"type": int(kind), "tag": tag, "timestamp": tag << 32, "symbol": 0xFFFF})
    ctx.set(dut.i.valid, 1)
    await ctx.tick()
    ctx.set(dut.i.valid, 0)


def drain(dut, beats, pause=None):
    async def process(ctx):
        while True:
            if pause is not None and pause():
                ctx.set(dut.o.ready, 0)
                await ctx.tick()
                continue
            ctx.set(dut.o.ready, 1)
            _, _, valid, beat = await ctx.tick().sample(dut.o.valid, dut.o.payload)
            if valid:
                beats.append(beat)

    return process


def events(beats):
    whole = b"".join(beat.to_bytes(8, "little") for beat in beats)
    return np.frombuffer(whole, EVENT.dtype)


def test_events_that_are_drained_every_cycle_are_never_lost(rng: np.random.Generator):
    """As many as it holds, in a row, and one more for every eight cycles."""
    dut, beats, lost = EventRing(records=16), [], []
    kinds = rng.choice([int(kind) for kind in EventType], 400).tolist()

    async def process(ctx):
        free, cycle = 16, 0
        for tag, kind in enumerate(kinds):
            await emit(ctx, dut, kind, tag)
            free, cycle = free - 1, cycle + 1
            while free == 0 or rng.random() < 0.05:
                pause = int(rng.integers(9, 200))
                await ctx.tick().repeat(pause)
                free = min(16, free + pause // 9)
        while not ctx.get(dut.empty):
            await ctx.tick()
        assert ctx.get(dut.sequence) == len(kinds)

    async def watch(ctx):
        while True:
            _, _, one_more = await ctx.tick().sample(dut.count_events_lost)
            lost.extend([1] * one_more)

    simulate(dut, process, drain(dut, beats), watch)
    got = events(beats)
    assert not lost
    assert got["sequence"].tolist() == got["tag"].tolist() == list(range(len(kinds)))
    assert got["type"].tolist() == kinds
    assert (got["symbol"] == 0xFFFF).all()


def test_lost_events_are_counted_and_leave_a_hole(rng: np.random.Generator):
    dut, beats, lost, stop = EventRing(records=2), [], [], [True]
    sent = 50

    async def process(ctx):
        for tag in range(sent):
            stop[0] = tag < 20 or rng.random() < 0.5
            await emit(ctx, dut, EventType.TRADE, tag)
        stop[0] = False
        while not ctx.get(dut.empty):
            await ctx.tick()

    async def watch(ctx):
        while True:
            _, _, one_more = await ctx.tick().sample(dut.count_events_lost)
            lost.extend([1] * one_more)

    simulate(dut, process, drain(dut, beats, lambda: stop[0]), watch)
    got = events(beats)
    assert got["sequence"].tolist() == got["tag"].tolist()
    assert len(got) + len(lost) == sent
    assert len(lost) > 10
    assert len(got) >= 3


def test_disabled_events_take_no_number():
    dut, beats = EventRing(), []

    async def process(ctx):
        ctx.set(dut.enable, 0xFFFFFFFF & ~(1 << EventType.BOOK_TOP))
        for tag, kind in enumerate([EventType.TRADE, EventType.BOOK_TOP, EventType.GAP]):
            await emit(ctx, dut, kind, tag)
        while not ctx.get(dut.empty):
            await ctx.tick()

    simulate(dut, process, drain(dut, beats))
    assert events(beats)["tag"].tolist() == [0, 2]
    assert events(beats)["sequence"].tolist() == [0, 1]


@pytest.mark.parametrize("sizes", [{"records": 3}, {"records": 1}])
def test_a_ring_of_an_impossible_size_is_refused(sizes):
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", UnusedElaboratable)
        with pytest.raises(ValueError, match=str(*sizes.values())):
            EventRing(**sizes)
        gc.collect()
