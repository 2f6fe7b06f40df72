"""The command ring against a host that writes it: every command comes out once, whole, in order, and not before the host
has put it there; what an error spoils does not come out.
"""

from __future__ import annotations

import gc
import random
import warnings

import pytest
from amaranth.hdl import UnusedElaboratable

from hw.host.dma import CommandFetcher
from tests.hw.host_benches.memory import Channel, ReadMemory, WriteMemory
from tests.hw.simulation import simulate
from tests.hw.verilated import Model

pytestmark = [pytest.mark.gateware, pytest.mark.twin]

BEATS, SLOTS = 8, 4
INDEX = 0x55_0000_0FF8
OFFSETS = {"enable": 0, "reset": 1, "base": 2, "size": 66, "index": 71}
RUNNING, STOPPING, BUS_ERROR, BAD_INDEX, BAD_SETUP = (1 << n for n in range(5))


@pytest.fixture(scope="module")
def shared() -> Model:
    return Model(CommandFetcher(SLOTS))


def word(number: int, n: int) -> int:
    return number << 8 | n if n else number * 0x9E3779B97F4A7C15 % (1 << 64)


class Host:
    """A host that puts commands into its memory and rings the bell, and a card that takes them.

    ``greed`` is how likely the card is to take a beat, ``rate`` how likely the host is to add commands.
    """

    def __init__(self, model: Model, rng: random.Random, *, size: int, base: int, pace: float = 0.7, refuse=None):
        self.model, self.rng, self.size, self.base = model, rng, size, base
        self.greed, self.rate, self.limit = 1.0, 0.0, 1 << 40
        self.refuse = refuse or (lambda address: False)
        self.words: dict[int, int] = {}
        self.reads = ReadMemory(model, "axi", rng, lambda address: self.words[address], refuse=self.refused_read, pace=pace)
        self.writes = WriteMemory(
            model, "index", rng, self.land, early=lambda _: True, refuse=self.refuse, identified=False, pace=pace
        )
        self.out = Channel(model, "o", "valid", "ready", ("payload",))
        self.put, self.seen, self.first = 0, 0, 0  # commands in the ring; that the card is done with, says memory; tag of 0
        self.got: list[int] = []
        self.beats: list[int] = []
        self.failures, self.errors, self.bad_bursts = 0, 0, set()

    def refused_read(self, address: int) -> bool:
        bad = self.refuse(address)
        if bad:
            self.bad_bursts.add(self.seen_burst(address))
        return bad

    def seen_burst(self, address: int) -> int:
        return (address - self.base) // 64

    def setup(self, **values: int) -> None:
        setup = self.model["setup"].value
        for name, value in values.items():
            width = {"enable": 1, "reset": 1, "size": 5}.get(name, 64)
            setup = setup & ~(((1 << width) - 1) << OFFSETS[name]) | value << OFFSETS[name]
        self.model["setup"].value = setup

    def start(self) -> None:
        self.setup(base=self.base, size=self.size, index=INDEX, enable=1, reset=0)
        self.run(lambda: self.model["status"].value == RUNNING, 10)

    def stop(self) -> None:
        self.setup(enable=0)
        self.run(lambda: not self.model["status"].value & (RUNNING | STOPPING), 5000)

    def restart(self) -> None:
        self.setup(reset=1, enable=0)
        self.run(lambda: not self.model["status"].value & (RUNNING | STOPPING), 5000)
        self.run(cycles=3)
        assert self.model["status"].value == self.model["consumer"].value == 0
        self.model["producer"].value = 0
        self.first += self.put
        self.put = self.seen = 0
        self.words.clear()
        self.start()

    def land(self, address: int, value: int) -> None:
        assert address == INDEX
        assert self.seen < value <= len(self.got) - self.first, "the host heard of a command that was not taken"
        self.seen = value

    def add(self) -> None:
        """More commands in the ring, and the bell."""
        room = (1 << self.size) - (self.put - self.seen)
        many = min(self.rng.randint(0, room), self.limit - self.first - self.put)
        for _ in range(many):
            at = self.base + 64 * (self.put % (1 << self.size))
            self.words |= {at + 8 * n: word(self.first + self.put, n) for n in range(BEATS)}
            self.put += 1
        self.model["producer"].value = self.put

    def cycle(self) -> None:
        model, rng = self.model, self.rng
        if rng.random() < self.rate:
            self.add()
        self.out.ready(rng.random() < self.greed)
        self.reads.drive()
        self.writes.drive()
        model.settle()
        self.reads.sample()
        self.writes.sample()
        self.failures += model["failure"].value
        self.errors += model["count_bus_errors"].value
        if (taken := self.out.taken()) is not None:
            payload = taken[0]
            self.beats.append(payload & (1 << 64) - 1)
            last, count = payload >> 64 & 1, payload >> 65
            assert count == BEATS
            assert last == (len(self.beats) == BEATS)
            if last:
                number = len(self.got) if not self.got else self.got[-1] + 1
                number = max(number, self.first)
                assert self.beats == [word(number, n) for n in range(BEATS)]
                self.got.append(number)
                self.beats.clear()
        model.step()

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
        self.rate, self.greed = 0.0, 1.0
        self.run(lambda: self.seen == self.put, 200_000)
        self.run(cycles=50)
        assert self.got == list(range(self.first + self.put))
        assert self.model["consumer"].value == self.put


@pytest.fixture
def host(shared: Model, seed: int):
    def host(**chosen) -> Host:
        model = shared
        for name in ("setup", "producer", "axi__arready", "axi__rvalid", "index__awready", "index__wready", "index__bvalid"):
            model[name].value = 0
        model["rst"].value = 1
        model.step()
        model["rst"].value = 0
        model.settle()
        rng = random.Random(seed)
        size = chosen.pop("size", 4)
        base = chosen.pop("base", 0x7F_0000_0000_0000 + (64 << size) * rng.randrange(1000))
        return Host(model, rng, size=size, base=base, **chosen)

    return host


@pytest.mark.parametrize("pace", [1.0, 0.7, 0.3])
@pytest.mark.parametrize("size", [1, 2, 4, 7, 16])
def test_every_command_comes_out_once_and_in_order(host, size, pace):
    host = host(size=size, pace=pace)
    host.limit = 1500
    host.start()
    while host.put < host.limit:
        host.rate, host.greed = host.rng.choice([0.001, 0.02, 1.0]), host.rng.choice([0.05, 0.5, 1.0])
        host.run(cycles=400)
        assert host.reads.bursts - len(host.got) <= SLOTS, "asked for more than there is room"
    host.finish()
    assert host.reads.bursts == host.limit
    assert host.errors == host.failures == 0
    assert host.model["status"].value == RUNNING


def test_a_command_takes_eight_cycles_when_nobody_waits(host):
    host = host(size=10, pace=1.0)
    host.reads.delay = 0
    host.limit, host.rate = 900, 1.0
    host.start()
    host.run(cycles=100)
    before, cycles = len(host.got), 4000
    host.run(cycles=cycles)
    assert len(host.got) - before >= cycles // BEATS - 2
    host.finish()


def test_nothing_is_asked_for_while_the_card_does_not_take(host):
    host = host(size=6)
    host.limit, host.rate, host.greed = 60, 1.0, 0.0
    host.start()
    host.run(cycles=1000)
    assert host.reads.bursts == SLOTS
    assert host.model["consumer"].value == 0
    host.finish()


def test_a_stopped_ring_gives_out_what_it_has_asked_for_and_goes_on_later(host):
    host = host(size=4)
    for turn in range(40):
        host.start()
        host.rate, host.greed = 0.1, host.rng.choice([0.1, 1.0])
        host.run(cycles=host.rng.randrange(500))
        host.rate = 0.0
        host.stop()
        assert host.model["status"].value == 0
        assert host.reads.bursts == len(host.got), "a command was asked for and not given out"
        assert host.seen == host.model["consumer"].value, "it stopped before the host knew all"
        bursts, given = host.reads.bursts, len(host.got)
        host.add()
        host.run(cycles=200)
        assert (host.reads.bursts, len(host.got)) == (bursts, given)
        host.start()
        host.finish()
        if turn % 3 == 0:
            host.restart()
            host.stop()


@pytest.mark.parametrize("broken", ["data", "index"])
def test_after_an_error_on_the_bus_no_command_behind_it_comes_out(host, broken):
    def refuse(address: int) -> bool:
        return host.refusing and (address == INDEX) == (broken == "index") and host.rng.random() < 0.3

    host = host(size=5, refuse=refuse)
    for _ in range(40):
        host.refusing = False
        host.start()
        host.rate, host.greed = 0.05, host.rng.choice([0.3, 1.0])
        host.failures = host.errors = host.writes.errors = 0
        host.bad_bursts.clear()
        host.run(cycles=host.rng.randrange(500))
        host.refusing = True
        host.run(lambda: host.failures, 5000)
        host.rate = 0.0
        host.run(lambda: not host.model["status"].value & (RUNNING | STOPPING), 5000)
        assert host.model["status"].value == BUS_ERROR
        bursts, given = host.reads.bursts, len(host.got)
        host.add()
        host.run(cycles=200)
        assert (host.reads.bursts, len(host.got)) == (bursts, given)
        assert host.failures == 1
        assert host.errors == len(host.bad_bursts) + host.writes.errors >= 1
        done = len(host.got) - host.first
        assert host.model["consumer"].value == done
        if broken == "data":
            # What came out is what stood before the first that was spoilt.
            assert done % (1 << host.size) in host.bad_bursts
            assert host.seen <= done
        host.put = done  # what was not taken the host forgets
        host.restart()
        host.stop()


def test_an_index_of_the_host_that_cannot_be_stops_the_ring(host):
    host = host(size=3)
    host.start()
    host.limit, host.rate = 20, 0.1
    host.run(lambda: host.put == 20, 20_000)
    host.finish()
    host.model["producer"].value = host.put + 9
    host.run(cycles=300)
    assert host.model["status"].value == BAD_INDEX
    assert host.failures == 1
    host.first = len(host.got) - host.put
    host.restart()
    host.limit = 40
    host.rate = 0.1
    host.run(lambda: host.first + host.put == 40, 20_000)
    host.finish()


@pytest.mark.parametrize("wrong", [{"size": 0}, {"size": 31}, {"base": 0x1000_0040}, {"base": 0x1008}, {"index": 4}])
def test_a_ring_that_cannot_be_does_not_start(host, wrong):
    host = host(size=4, base=0x1000_0000)
    host.setup(**{"base": host.base, "size": 4, "index": INDEX, "enable": 1} | wrong)
    host.model["producer"].value = 3
    host.run(cycles=100)
    assert host.model["status"].value == BAD_SETUP
    assert host.reads.bursts == 0
    assert host.failures == 1


def test_latencies_are_those_of_the_docstring():
    dut, at = CommandFetcher(), {}

    async def process(ctx):
        ctx.set(dut.setup, {"enable": 1, "base": 1 << 20, "size": 4, "index": 8})
        for ready in (dut.axi.arready, dut.index.awready, dut.index.wready, dut.o.ready):
            ctx.set(ready, 1)
        await ctx.tick().repeat(6)
        assert ctx.get(dut.status.running)
        ctx.set(dut.producer, 1)
        for cycle in range(50):
            ctx.set(dut.axi.rvalid, 10 <= cycle < 18)
            for name, signal in {"ask": dut.axi.arvalid, "give": dut.o.valid, "index": dut.index.wvalid}.items():
                if ctx.get(signal):
                    at.setdefault(name, cycle)
            await ctx.tick()

    simulate(dut, process)
    # The last beat came in in cycle 17 and went out in 19 + 7; the index follows as in the event ring.
    assert at == {"ask": 2, "give": 19, "index": 29}


@pytest.mark.parametrize("outstanding", [1, 3])
def test_an_impossible_number_of_places_is_refused(outstanding):
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", UnusedElaboratable)
        with pytest.raises(ValueError, match=f"outstanding is {outstanding}"):
            CommandFetcher(outstanding)
        gc.collect()
