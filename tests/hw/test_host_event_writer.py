"""The event ring against a host that reads it from memory: no event is seen before it is there, none twice, none out of
order, and each that is missing is counted.
"""

from __future__ import annotations

import gc
import itertools
import random
import warnings
from collections import deque

import pytest
from amaranth.hdl import UnusedElaboratable

from hw.host.dma import EventWriter
from tests.hw.host_benches.memory import WriteMemory
from tests.hw.host_benches.tops import EventTop
from tests.hw.simulation import simulate
from tests.hw.verilated import Model

pytestmark = [pytest.mark.gateware, pytest.mark.twin]

BEATS = 8
INDEX = 0x1_2345_6008
FIELDS = ("enable", "reset", "base", "size", "index")
OFFSETS = dict(zip(FIELDS, (0, 1, 2, 66, 71), strict=True))
RUNNING, STOPPING, BUS_ERROR, BAD_INDEX, BAD_SETUP = (1 << n for n in range(5))


@pytest.fixture(scope="module")
def shared() -> Model:
    return Model(EventTop())


class Host:
    """Card and host: events go in, the host reads what the index in its memory says.

    ``greed`` is how likely the host is to read in a cycle, ``rate`` how likely the card is to have an event.
    """

    def __init__(
        self, model: Model, rng: random.Random, *, size: int, base: int, refuse=lambda address: False, pace: float = 0.7
    ):
        self.model, self.rng, self.size, self.base = model, rng, size, base
        self.greed, self.rate = 1.0, 0.0
        self.words: dict[int, int] = {}
        self.memory = WriteMemory(model, "axi", rng, self.land, early=lambda address: address == INDEX, refuse=refuse, pace=pace)
        self.pending: deque[int] = deque()
        self.sent, self.counted, self.failures, self.errors = 0, 0, 0, 0
        self.consumer, self.indices, self.lost = 0, [], 0
        self.got: list[int] = []
        self.reading = True

    def setup(self, **values: int) -> None:
        word = self.model["setup"].value
        for name, value in values.items():
            width = {"enable": 1, "reset": 1, "size": 5}.get(name, 64)
            word = word & ~(((1 << width) - 1) << OFFSETS[name]) | value << OFFSETS[name]
        self.model["setup"].value = word

    def start(self) -> None:
        self.setup(base=self.base, size=self.size, index=INDEX, enable=1, reset=0)
        self.run(lambda: self.model["status"].value == RUNNING, 10)
        self.run(cycles=2)

    def restart(self) -> None:
        """Reset as the register page says it, and start again."""
        self.setup(reset=1, enable=0)
        self.run(lambda: not self.model["status"].value & (RUNNING | STOPPING), 2000)
        self.run(cycles=3)
        assert self.model["status"].value == 0
        assert [self.model[name].value for name in ("producer", "published", "lost", "overrun")] == [0, 0, 0, 0]
        self.consumer, self.lost, self.model["consumer"].value = 0, 0, 0
        self.indices.clear()
        self.start()

    def land(self, address: int, word: int) -> None:
        if address != INDEX:
            assert self.base <= address < self.base + (64 << self.size)
            self.words[address] = word
            return
        producer, lost = word & 0xFFFFFFFF, word >> 32
        before = self.indices[-1] if self.indices else 0
        assert before <= producer <= before + (1 << self.size)
        assert producer - self.consumer <= 1 << self.size
        assert lost >= self.lost
        for number in range(before, producer):
            self.event(number)  # it must be there already
        self.indices.append(producer)
        self.lost = lost

    def event(self, number: int) -> int:
        """The event at an index, which must be whole."""
        at = self.base + 64 * (number % (1 << self.size))
        words = [self.words[at + 8 * n] for n in range(BEATS)]
        tag = words[0]
        assert words == [beat(tag, n) for n in range(BEATS)]
        return tag

    def offer(self) -> None:
        """An event at the card."""
        self.pending.extend(beat(self.sent, n) for n in range(BEATS))
        self.sent += 1

    def cycle(self) -> None:
        model, rng = self.model, self.rng
        if not self.pending and rng.random() < self.rate:
            self.offer()
        model["i__valid"].value = valid = bool(self.pending) and rng.random() < max(self.rate, 0.3)
        if valid:
            model["i__payload"].value = self.pending[0]
        self.memory.drive()
        model.settle()
        self.memory.sample()
        self.counted += model["count_events_lost"].value
        self.failures += model["failure"].value
        self.errors += model["count_bus_errors"].value
        if valid and model["i__ready"].value:
            self.pending.popleft()
        model.step()
        if self.reading and self.indices and self.consumer < self.indices[-1] and rng.random() < self.greed:
            many = rng.randint(1, self.indices[-1] - self.consumer)
            self.got += [self.event(number) for number in range(self.consumer, self.consumer + many)]
            self.consumer += many
            model["consumer"].value = self.consumer

    def run(self, until=None, limit: int = 0, *, cycles: int = 0) -> None:
        for _ in range(cycles):
            self.cycle()
        if until is not None:
            for _ in range(limit):
                if until():
                    return
                self.cycle()
            raise AssertionError("it did not come to an end")

    def finish(self) -> None:
        """No more events; all that is under way arrives and is read."""
        self.rate, self.greed, self.reading = 0.0, 1.0, True
        model = self.model
        self.run(lambda: not self.pending and self.memory.under_way == 0, 5000)
        self.run(cycles=100)
        assert self.memory.under_way == 0
        assert self.consumer == (self.indices[-1] if self.indices else 0) == model["producer"].value == model["published"].value


def beat(tag: int, n: int) -> int:
    return tag if n == 0 else (tag * 0x9E3779B97F4A7C15 + n) % (1 << 64)


def fresh(model: Model) -> Model:
    """The model after a reset."""
    for name in ("i__valid", "dropped", "setup", "consumer", "acknowledge", "axi__awready", "axi__wready", "axi__bvalid"):
        model[name].value = 0
    model["rst"].value = 1
    model.step()
    model["rst"].value = 0
    model.settle()
    return model


@pytest.fixture
def host(shared: Model, seed: int):
    def host(**chosen) -> Host:
        rng = random.Random(seed)
        size = chosen.pop("size", 4)
        base = chosen.pop("base", 0x7F_0000_0000_0000 + (64 << size) * rng.randrange(1000))
        return Host(fresh(shared), rng, size=size, base=base, **chosen)

    return host


def increasing(values: list[int]) -> bool:
    return all(a < b for a, b in itertools.pairwise(values))


@pytest.mark.parametrize("pace", [1.0, 0.7, 0.3])
@pytest.mark.parametrize("size", [1, 3, 8, 16])
def test_a_host_that_keeps_up_gets_every_event_in_order(host, size, pace):
    host = host(size=size, pace=pace)
    host.start()
    # A small ring is full between one turn of the bus and the next: there the card may not be faster.
    host.rate = {1: 0.002, 3: 0.01}.get(size, 1.0)
    host.run(lambda: host.sent >= (60 << size if size <= 3 else 2000), 200_000)
    host.finish()
    assert host.got == list(range(host.sent))
    assert host.memory.most <= 16 + 2
    assert host.counted == host.lost == host.model["lost"].value == host.errors == host.failures == 0
    assert not host.model["overrun"].value


def test_a_beat_moves_in_every_cycle_and_the_index_covers_what_gathered(host):
    host = host(size=12, pace=1.0)
    host.memory.delay = 60
    host.start()
    host.rate = 1.0
    host.run(cycles=100)
    before, indices, cycles = host.sent, len(host.indices), 8000
    host.run(cycles=cycles)
    written = len(host.indices) - indices
    # 8 beats an event, and 2 cycles for each write of the index that comes between.
    assert host.sent - before >= (cycles - 2 * written) // BEATS - 2
    assert 0 < written < (host.sent - before) / 4
    host.finish()
    assert host.got == list(range(host.sent))


@pytest.mark.parametrize("size", [1, 2, 5])
def test_a_slow_host_loses_events_that_are_counted_and_gets_the_others(host, size):
    host = host(size=size)
    host.start()
    holes = 0
    for _ in range(120):
        host.rate, host.greed = host.rng.choice([0.02, 0.2, 1.0]), host.rng.choice([0.0, 0.003, 0.1, 1.0])
        host.reading = host.greed > 0
        before = host.counted
        host.run(cycles=host.rng.randrange(200, 1500))
        if host.counted > before:
            holes += 1
            assert host.model["overrun"].value
            host.model["acknowledge"].value = 1
            host.run(cycles=1)
            host.model["acknowledge"].value = 0
    host.finish()
    assert holes > 10
    assert increasing(host.got)
    assert len(host.got) + host.counted == host.sent
    assert host.lost == host.model["lost"].value == host.counted
    assert len(host.got) > 200
    assert host.errors == host.failures == 0
    # The host is served again: from now on nothing is missing.
    host.model["acknowledge"].value = 1
    host.run(cycles=1)
    host.model["acknowledge"].value = 0
    seen, sent = len(host.got), host.sent
    host.rate = 0.002
    host.run(cycles=5000)
    host.finish()
    assert host.got[seen:] == list(range(sent, host.sent))
    assert not host.model["overrun"].value


def test_what_was_lost_before_is_lost_in_the_count(host):
    host = host(size=8)
    host.start()
    host.rate = 0.05
    for _ in range(3):
        host.model["dropped"].value = 1
        host.run(cycles=1)
        host.model["dropped"].value = 0
        host.run(cycles=50)
    host.finish()
    assert host.lost == host.model["lost"].value == 3
    assert host.counted == 0
    assert host.model["overrun"].value
    assert host.got == list(range(host.sent))


def test_a_stopped_ring_goes_on_where_it_was_and_a_reset_one_from_the_beginning(host):
    host = host(size=4)
    host.start()
    for turn in range(40):
        seen, sent = len(host.got), host.sent
        host.rate, host.greed = 0.03, 1.0
        host.run(cycles=600)
        host.finish()
        assert host.got[seen:] == list(range(sent, host.sent))
        assert host.counted == 0
        host.rate = 1.0
        host.run(cycles=host.rng.randrange(40))
        host.setup(enable=0)
        host.run(lambda: host.model["status"].value == 0, 2000)
        assert host.memory.under_way == 0
        assert (host.indices or [0])[-1] == host.model["producer"].value, "it stopped before the host knew all"
        counted = host.counted
        host.run(cycles=200)  # these vanish
        assert host.counted == counted
        seen, bursts = host.sent, host.memory.bursts
        host.rate = 0.0
        host.run(lambda: not host.pending, 5000)
        assert host.memory.bursts == bursts
        host.counted = host.lost = 0
        if turn % 2:
            host.restart()
        else:
            host.start()
            host.finish()
            if host.model["lost"].value:
                host.restart()


@pytest.mark.parametrize("broken", ["data", "index"])
def test_an_error_on_the_bus_stops_the_ring_and_every_event_is_accounted_for(host, broken):
    host = host(size=6, refuse=lambda address: host.refusing and (address == INDEX) == (broken == "index"))
    host.refusing = False
    for _ in range(30):
        host.start()
        host.rate, host.sent, host.counted, host.errors, host.failures, host.memory.errors = 0.5, 0, 0, 0, 0, 0
        host.got.clear()
        host.greed = 0.02
        host.run(cycles=host.rng.randrange(500, 1500))
        host.refusing = True
        host.run(lambda: host.failures, 3000)
        host.run(lambda: not host.model["status"].value & (RUNNING | STOPPING), 3000)
        host.refusing = False
        assert host.model["status"].value == BUS_ERROR
        assert host.model["overrun"].value or host.memory.errors == host.errors
        bursts = host.memory.bursts
        host.run(cycles=300)
        host.rate = 0.0
        host.run(lambda: not host.pending, 5000)
        host.run(cycles=3)
        assert host.memory.bursts == bursts, "a ring that failed wrote again"
        assert host.failures == 1
        assert host.errors == host.memory.errors >= 1
        assert host.model["published"].value == (host.indices or [0])[-1] <= host.model["producer"].value
        in_memory = [host.event(number) for number in range(host.consumer, host.model["producer"].value)]
        assert increasing(host.got + in_memory)
        assert len(host.got) + len(in_memory) + host.counted == host.sent
        assert host.model["lost"].value == host.counted > 0
        assert host.model["overrun"].value
        host.setup(enable=0)
        host.run(cycles=20)
        host.setup(enable=1)
        host.run(cycles=20)
        assert host.model["status"].value == BUS_ERROR, "only a reset forgets an error"
        host.rate = 0.0
        host.restart()


def test_an_index_of_the_host_that_cannot_be_stops_the_ring(host):
    host = host(size=3)
    host.start()
    host.rate = 0.01
    host.run(lambda: len(host.got) > 4, 20_000)
    host.rate = 0.0
    host.run(cycles=200)
    host.reading = False
    host.model["consumer"].value = host.consumer + 1  # read what was not written
    host.run(cycles=200)
    assert host.model["status"].value == BAD_INDEX
    assert host.failures == 1
    assert host.errors == 0
    host.restart()
    host.reading, host.rate, host.greed = True, 0.01, 1.0
    host.got.clear()
    sent = host.sent
    host.run(cycles=2000)
    host.finish()
    assert host.got == list(range(sent, host.sent))


@pytest.mark.parametrize(
    "wrong", [{"size": 0}, {"size": 17}, {"base": 0x1000_0040}, {"base": 0x1000_0200}, {"base": 0x1001}, {"index": 12}]
)
def test_a_ring_that_cannot_be_does_not_start(host, wrong):
    host = host(size=4, base=0x1000_0000)
    host.setup(**{"base": host.base, "size": 4, "index": INDEX, "enable": 1} | wrong)
    host.rate = 1.0
    host.run(cycles=100)
    assert host.model["status"].value == BAD_SETUP
    assert host.failures == 1
    assert host.memory.bursts == 0
    assert host.counted > 0
    host.rate = 0.0
    host.run(lambda: not host.pending, 100)
    host.restart()
    assert host.model["status"].value == RUNNING


def test_indices_wrap_at_two_to_the_32(host):
    """Not by counting that far: the difference of two indices is all that the ring looks at, and it is taken modulo 2^32."""
    host = host(size=2)
    host.start()
    host.model["consumer"].value = 0xFFFFFFFE  # two events are in the ring, it says
    host.rate, host.reading = 1.0, False
    host.run(cycles=300)
    assert host.model["producer"].value == 2
    assert host.model["status"].value == RUNNING
    assert host.counted > 10


def test_latencies_are_those_of_the_docstring():
    dut, at = EventWriter(), {}

    async def process(ctx):
        ctx.set(dut.setup, {"enable": 1, "base": 1 << 20, "size": 4, "index": 8})
        for port in (dut.axi, dut.index):
            ctx.set(port.awready, 1)
            ctx.set(port.wready, 1)
        await ctx.tick().repeat(3)
        assert ctx.get(dut.status.running)
        await ctx.tick().repeat(2)
        ctx.set(dut.i.valid, 1)
        for cycle in range(40):
            signals = {"address": dut.axi.awvalid, "data": dut.axi.wvalid, "last": dut.axi.wvalid & dut.axi.wlast,
                       "index": dut.index.awvalid, "word": dut.index.wvalid}  # fmt: skip
            for name, signal in signals.items():
                if ctx.get(signal):
                    at.setdefault(name, cycle)
            ctx.set(dut.i.valid, cycle < 8)
            ctx.set(dut.axi.bvalid, cycle == 20)
            await ctx.tick()

    simulate(dut, process)
    assert at == {"address": 1, "data": 2, "last": 9, "index": 23, "word": 23}


def test_less_than_two_events_outstanding_are_refused():
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", UnusedElaboratable)
        with pytest.raises(ValueError, match="outstanding is 1"):
            EventWriter(1)
        gc.collect()
