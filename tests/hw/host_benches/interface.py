"""The whole host interface: cocotbext-axi's memory as the host's, its AXI4-Lite master, and a driver in Python between them.

The driver does what the register page tells it to, and nothing else: it sees registers, its own memory and the interrupt.
"""

import random

import cocotb
import numpy as np
from cocotb.clock import Clock
from cocotb.triggers import ReadOnly, RisingEdge
from cocotbext.axi import AxiBus, AxiLiteBus, AxiLiteMaster, AxiRam, AxiResp

from drivers import registers
from tests.hw.cocotb_runner import parameters
from wire.records import EVENT, RECORD_LENGTH

MEMORY = 1 << 20
EVENTS, COMMANDS, EVENT_INDEX, COMMAND_INDEX = 0x4_0000, 0x8_0000, 0x1000, 0x1008
HIGH = 0x77_0000_0000  # above 32 bits; the memory repeats itself
EVENT_ID, EVENT_INDEX_ID, COMMAND_INDEX_ID = range(3)


class Bench:
    """The card's other side, and what must be so in every cycle."""

    def __init__(self, dut, seed):
        self.dut, self.rng = dut, random.Random(seed)
        self.lite = AxiLiteMaster(AxiLiteBus.from_prefix(dut, "axil_"), dut.clk, dut.rst)
        self.ram = AxiRam(AxiBus.from_prefix(dut, "axi_"), dut.clk, dut.rst, size=MEMORY)
        self.refused: list[int] = []  # addresses that were answered with an error
        self.refuse = lambda address: False
        self.indices: list[tuple[int, int]] = []  # each index that came: of which ring, and its value
        self.answered = [0, 0, 0]  # good responses to each writer
        self.at_offer: dict[int, int] = {}  # events answered when an index was first offered
        self.commands: list[bytes] = []
        self.command = bytearray()
        self.taking = 1.0
        self.ram.write_if._write, self.ram.read_if._read = self._write, self._read

    async def start(self):
        dut = self.dut
        cocotb.start_soon(Clock(dut.clk, 6, "ns").start())
        for name in ("rate", "pulse", "sample__valid", "link", "fault", "command__ready"):
            getattr(dut, name).value = 0
        dut.rst.value = 1
        await self.cycles(5)
        dut.rst.value = 0
        await self.cycles(5)
        cocotb.start_soon(self._watch())
        cocotb.start_soon(self._take())

    async def cycles(self, many):
        for _ in range(many):
            await RisingEdge(self.dut.clk)

    # -- the host's memory ---------------------------------------------------------------------------

    async def _write(self, address, data):
        where = address % MEMORY
        if self.refuse(address):
            if not self.refused or self.refused[-1] // RECORD_LENGTH != address // RECORD_LENGTH:
                self.refused.append(address)
            raise OSError("refused")
        if where in (EVENT_INDEX, COMMAND_INDEX):
            assert len(data) == 8
            self.indices.append((where, int.from_bytes(data[:4], "little")))
            if where == EVENT_INDEX:
                index, answered = self.indices[-1][1], self.at_offer.pop(min(self.at_offer))
                assert index <= answered, f"index {index} went out when {answered} events had been answered"
            else:
                assert self.indices[-1][1] <= len(self.commands)
        self.ram.write(where, data)

    async def _read(self, address, length):
        if self.refuse(address):
            if not self.refused or self.refused[-1] // RECORD_LENGTH != address // RECORD_LENGTH:
                self.refused.append(address)
            raise OSError("refused")
        return self.ram.read(address % MEMORY, length)

    def pauses(self, chances=(0.0, 0.3, 0.8)):
        """Every channel waits at random, some of them never."""

        def generator(chance):
            while True:
                yield self.rng.random() < chance

        write, read, lite = self.ram.write_if, self.ram.read_if, self.lite
        for channel in (
            *(write.aw_channel, write.w_channel, write.b_channel, read.ar_channel, read.r_channel),
            *(lite.write_if.aw_channel, lite.write_if.w_channel, lite.write_if.b_channel),
            *(lite.read_if.ar_channel, lite.read_if.r_channel),
        ):
            channel.set_pause_generator(generator(self.rng.choice(chances)))
        self.taking = 1 - self.rng.choice(chances)

    async def _watch(self):
        """Responses, and what was known when an index went out."""
        dut, offers, standing = self.dut, 0, False
        while True:
            await RisingEdge(dut.clk)
            await ReadOnly()
            if dut.axi__bvalid.value and dut.axi__bready.value and not int(dut.axi__bresp.value) & 2:
                self.answered[int(dut.axi__bid.value)] += 1
            offered = bool(dut.axi__awvalid.value)
            if offered and not standing and int(dut.axi__awid.value) == EVENT_INDEX_ID:
                self.at_offer[offers] = self.answered[EVENT_ID]
                offers += 1
            standing = offered and not dut.axi__awready.value

    async def _take(self):
        """The card's command reader, which waits as it likes."""
        dut = self.dut
        while True:
            dut.command__ready.value = ready = self.rng.random() < self.taking
            await ReadOnly()
            valid, payload = dut.command__valid.value, dut.command__payload.value
            if valid and ready:
                word = int(payload)
                self.command += (word & (1 << 64) - 1).to_bytes(8, "little")
                assert word >> 65 == 8
                assert (word >> 64 & 1) == (len(self.command) == RECORD_LENGTH)
                if word >> 64 & 1:
                    self.commands.append(bytes(self.command))
                    self.command.clear()
            await RisingEdge(dut.clk)


class Driver:
    """The driver of a card with a host interface."""

    def __init__(self, bench):
        self.bench, self.memory, self.rng = bench, bench.ram, bench.rng
        self.events: list[np.ndarray] = []
        self.sent: list[bytes] = []
        self.consumer = self.put = self.base_sent = 0
        self.mask = 0

    async def read(self, name, field=None):
        register = getattr(registers, name)
        got = await self.bench.lite.read(register.address, 4)
        assert got.resp == AxiResp.OKAY
        word = int.from_bytes(got.data, "little")
        return word if field is None else register[field].of(word)

    async def write(self, name, word=None, **fields):
        register = getattr(registers, name)
        for field, value in fields.items():
            word = register[field].put(word or 0, value)
        assert (await self.bench.lite.write(register.address, word.to_bytes(4, "little"))).resp == AxiResp.OKAY

    async def write_wide(self, name, value):
        await self.write(f"{name}_LOW", value & 0xFFFFFFFF)
        await self.write(f"{name}_HIGH", value >> 32)

    async def read_wide(self, name):
        return await self.read(f"{name}_LOW") | await self.read(f"{name}_HIGH") << 32

    async def open(self, events=6, commands=4):
        """Rings of so many records (log2), from the beginning."""
        self.event_records, self.command_records = 1 << events, 1 << commands
        for ring, size, base, index in (
            ("EVENT_RING", events, HIGH + EVENTS, HIGH + EVENT_INDEX),
            ("COMMAND_RING", commands, HIGH + COMMANDS, HIGH + COMMAND_INDEX),
        ):
            await self.write(f"{ring}_CONTROL", reset=1)
            while await self.read(f"{ring}_STATUS"):
                pass
            await self.write_wide(f"{ring}_BASE", base)
            await self.write_wide(f"{ring}_INDEX", index)
            await self.write(f"{ring}_SIZE", records_log2=size)
        await self.write("EVENT_RING_CONSUMER", 0)
        await self.write("COMMAND_RING_PRODUCER", 0)
        self.memory.write(EVENT_INDEX, bytes(16))
        self.bench.indices.clear()
        self.bench.at_offer.clear()
        self.bench.answered[:] = [0, 0, 0]
        self.consumer = self.put = 0
        self.bench.commands.clear()
        self.sent.clear()
        for ring in ("EVENT_RING", "COMMAND_RING"):
            await self.write(f"{ring}_CONTROL", enable=1)
            while not await self.read(f"{ring}_STATUS", "running"):
                pass

    async def close(self):
        for ring in ("EVENT_RING", "COMMAND_RING"):
            await self.write(f"{ring}_CONTROL", enable=0)
            while await self.read(f"{ring}_STATUS") & 3:
                pass

    def index(self, at):
        return int.from_bytes(self.memory.read(at, 4), "little")

    def lost(self):
        """Events lost, as the card wrote it beside the index."""
        return self.index(EVENT_INDEX + 4)

    async def take_events(self, most=1 << 30):
        """Reads what the index in memory says is there, and tells the card."""
        ready = min(self.index(EVENT_INDEX) - self.consumer, most)
        assert 0 <= ready <= self.event_records
        for number in range(self.consumer, self.consumer + ready):
            at = EVENTS + RECORD_LENGTH * (number % self.event_records)
            self.events.append(np.frombuffer(self.memory.read(at, RECORD_LENGTH), EVENT.dtype)[0])
            self.memory.write(at, b"\xee" * RECORD_LENGTH)  # so that one that is read twice is seen
        self.consumer += ready
        if ready:
            await self.write("EVENT_RING_CONSUMER", self.consumer)
        else:
            await self.bench.cycles(1)
        return ready

    async def send_commands(self, many):
        """As many commands as there is room for, up to ``many``, and one ring of the bell for them."""
        room = self.command_records - (self.put - self.index(COMMAND_INDEX))
        many = min(many, room)
        for _ in range(many):
            record = self.put.to_bytes(4, "little") + self.rng.randbytes(RECORD_LENGTH - 4)
            self.memory.write(COMMANDS + RECORD_LENGTH * (self.put % self.command_records), record)
            self.sent.append(record)
            self.put += 1
        if many:
            await self.write("COMMAND_RING_PRODUCER", self.put)
        return many

    async def until(self, what, limit=3000):
        for _ in range(limit):
            if what():
                return
            await self.bench.cycles(3)
        raise AssertionError("it did not come to an end")

    def check_events(self, first=0):
        """Every event whole and in order; where the numbers have a hole, one was lost. How many are missing."""
        got = self.events[first:]
        numbers = np.array([each["sequence"] for each in got], np.int64)
        assert (np.diff(numbers) > 0).all()
        for each in got:
            assert each["tag"] == each["sequence"]
            assert each["timestamp"] == int(each["tag"]) << 32 | ~int(each["tag"]) & 0xFFFFFFFF
        return int(numbers[-1] - numbers[0] + 1 - len(numbers)) if len(numbers) else 0


async def opened(dut, **sizes):
    bench = Bench(dut, parameters()["seed"])
    await bench.start()
    driver = Driver(bench)
    await driver.open(**sizes)
    return bench, driver


@cocotb.test()
async def blocks_say_what_they_are(dut):
    bench = Bench(dut, parameters()["seed"])
    await bench.start()
    driver = Driver(bench)
    assert await driver.read("IDENTIFICATION", "magic") == int.from_bytes(b"HPIN", "big")
    for block, word in (("HOST", b"HOST"), ("CLOCK", b"TIME"), ("HISTOGRAM", b"HIST")):
        assert await driver.read(f"{block}_IDENTIFICATION", "magic") == int.from_bytes(word, "big")
        assert await driver.read(f"{block}_VERSION") == 1 << 16
    capabilities = await driver.read("HOST_CAPABILITIES")
    assert [each.of(capabilities) for each in registers.HOST_CAPABILITIES.fields] == [16, 16, 4, 3]
    assert await driver.read("CLOCK_CYCLE") + await driver.read("CLOCK_CYCLE_FRACTION") / 2**32 - 6.4 < 2**-32
    assert await driver.read("HISTOGRAM_BUCKETS", "count") == registers.HISTOGRAM.count == 512
    assert await driver.read("DMA_ERRORS") == await driver.read("EVENT_RING_STATUS") == 0


@cocotb.test()
async def traffic(dut):
    """Events and commands side by side, called by the interrupt, through many turns of both rings."""
    bench, driver = await opened(dut, events=5, commands=3)
    rng = bench.rng
    await driver.write("INTERRUPT_ENABLE", events=1)
    await driver.write("INTERRUPT_THRESHOLD", 6)
    await driver.write("INTERRUPT_TIMEOUT", 300)
    calls, goal = 0, parameters()["events"]
    # Slow enough for the driver: registers take their time. What is lost is tested elsewhere.
    dut.rate.value = rate = 1
    while int(dut.made.value) < goal:
        if rng.random() < 0.02:
            bench.pauses()
        await driver.send_commands(rng.randint(0, 8))
        if dut.interrupt.value:
            calls += 1
            await driver.write("INTERRUPT_PENDING", events=1)
            while await driver.take_events():
                pass
        else:
            await bench.cycles(rng.randint(1, 60))
        if rng.random() < 0.05:
            rate = rng.choice([0, 1, 1, 2])
            dut.rate.value = rate
        if rate == 0 and rng.random() < 0.2:
            dut.rate.value = rate = 1
    dut.rate.value = 0
    bench.pauses((0.0,))
    await driver.until(lambda: driver.index(COMMAND_INDEX) == driver.put)
    await bench.cycles(600)
    while await driver.take_events():
        pass
    assert int(dut.lost.value) == driver.lost() == driver.check_events()
    assert len(driver.events) + driver.lost() == int(dut.made.value)
    assert bench.commands == driver.sent
    assert len(driver.sent) > 8 * 20
    assert calls > 20
    assert await driver.read("COMMAND_RING_CONSUMER") == driver.put
    assert await driver.read("EVENT_RING_PRODUCER") == driver.consumer
    assert await driver.read("EVENT_RING_LOST") == driver.lost()
    assert await driver.read("DMA_ERRORS") == 0
    dut._log.warning(f"{len(driver.events)} events, {driver.lost()} lost, {len(driver.sent)} commands, {calls} interrupts")


@cocotb.test()
async def full_speed(dut):
    """Events as fast as the card makes them, with the driver polling its memory: commands are fetched beside them."""
    bench, driver = await opened(dut, events=9, commands=5)
    dut.rate.value = 256
    while int(dut.made.value) < parameters()["events"]:
        await driver.take_events()
        await driver.send_commands(32)
    dut.rate.value = 0
    await driver.until(lambda: driver.index(COMMAND_INDEX) == driver.put)
    await bench.cycles(500)
    while await driver.take_events():
        pass
    assert int(dut.lost.value) == driver.lost()
    assert len(driver.events) + driver.lost() == int(dut.made.value)
    driver.check_events()
    assert bench.commands == driver.sent
    assert len(driver.sent) > 100
    dut._log.warning(f"{len(driver.events)} events, {driver.lost()} lost, {len(driver.sent)} commands")


@cocotb.test()
async def overrun_and_recovery(dut):
    """A host that does not read: events are lost and counted, the host is told; then it reads, and all is well again."""
    bench, driver = await opened(dut, events=3, commands=2)
    await driver.write("INTERRUPT_ENABLE", overrun=1)
    for turn in range(parameters()["turns"]):
        bench.pauses()
        dut.rate.value = 20
        await driver.until(lambda: dut.interrupt.value)
        assert await driver.read("INTERRUPT_PENDING", "overrun")
        assert await driver.read("EVENT_RING_STATUS", "overrun")
        # Commands go on: they do not wait for a host that does not read.
        done = driver.put + 4
        while driver.put < done:
            await driver.send_commands(done - driver.put)
        await driver.until(lambda: driver.index(COMMAND_INDEX) == driver.put)
        dut.rate.value = 0
        await bench.cycles(2500)
        while await driver.take_events():
            pass
        await driver.write("INTERRUPT_PENDING", overrun=1)
        assert not await driver.read("INTERRUPT_PENDING", "overrun")
        assert not await driver.read("EVENT_RING_STATUS", "overrun")
        assert not dut.interrupt.value
        assert driver.lost() == int(dut.lost.value) == await driver.read("EVENT_RING_LOST") > turn
        assert len(driver.events) + driver.lost() == int(dut.made.value)
        # Now it is asked for a snapshot; its events all come.
        first = len(driver.events)
        dut.rate.value = 1
        before = int(dut.made.value)
        while int(dut.made.value) < before + 5:
            await driver.take_events()
        dut.rate.value = 0
        await bench.cycles(1500)
        while await driver.take_events():
            pass
        assert driver.check_events(first) == 0
        assert len(driver.events) - first == int(dut.made.value) - before
    assert bench.commands == driver.sent
    assert await driver.read("DMA_ERRORS") == 0


@cocotb.test()
async def errors(dut):
    """Errors on the bus, in every place: the ring stops, the host is told, nothing wrong comes out, a reset makes it whole."""
    bench, driver = await opened(dut, events=4, commands=3)
    rng = bench.rng
    await driver.write("INTERRUPT_ENABLE", dma=1)
    counted = 0
    for turn in range(parameters()["turns"]):
        place, length = [(EVENTS, 0x400), (COMMANDS, 0x200), (EVENT_INDEX, 8), (COMMAND_INDEX, 8)][turn % 4]
        ring = "EVENT_RING" if place in (EVENTS, EVENT_INDEX) else "COMMAND_RING"
        other = "COMMAND_RING" if ring == "EVENT_RING" else "EVENT_RING"
        bench.pauses((0.0, 0.5))
        bench.refused.clear()
        first, made, lost = len(driver.events), int(dut.made.value), int(dut.lost.value)
        dut.rate.value = 2
        after = rng.randint(2, 12)
        seen = [0]

        def refuse(address, place=place, length=length, after=after, seen=seen):
            if place <= address % MEMORY < place + length and address % 8 == 0:
                seen[0] += 1
                return seen[0] > 8 * after
            return False

        bench.refuse = refuse
        while not dut.interrupt.value:
            await driver.take_events()
            await driver.send_commands(2)
        dut.rate.value = 0
        assert await driver.read("INTERRUPT_PENDING") & 4
        while await driver.read(f"{ring}_STATUS") & 3:
            pass
        bench.refuse = lambda address: False
        assert await driver.read(f"{ring}_STATUS", "bus_error")
        assert await driver.read(f"{other}_STATUS") & ~32 == 1, "the other ring goes on"
        await bench.cycles(1500)
        counted += len(bench.refused)
        assert await driver.read("DMA_ERRORS") == counted
        while await driver.take_events():
            pass
        if ring == "COMMAND_RING":
            # All before the error, none after it.
            done = await driver.read("COMMAND_RING_CONSUMER")
            assert bench.commands == driver.sent[:done]
            if place == COMMANDS:
                assert done % driver.command_records in {(at % MEMORY - place) // RECORD_LENGTH for at in bench.refused}
        else:
            # In memory, or lost and counted.
            there = await driver.read("EVENT_RING_PRODUCER") - driver.consumer
            assert 0 <= there <= 16
            got = len(driver.events) - first
            assert got + there + int(dut.lost.value) - lost == int(dut.made.value) - made
            assert there == 0 or place == EVENT_INDEX
        await driver.write("INTERRUPT_PENDING", 0x1F)
        await bench.cycles(6)
        assert not dut.interrupt.value
        await driver.open(events=4, commands=3)
    # And it works.
    first, made = len(driver.events), int(dut.made.value)
    dut.rate.value = 1
    while int(dut.made.value) < made + 40:
        await driver.take_events()
        await driver.send_commands(3)
    dut.rate.value = 0
    await driver.until(lambda: driver.index(COMMAND_INDEX) == driver.put)
    await bench.cycles(1000)
    while await driver.take_events():
        pass
    assert driver.check_events(first) == 0
    assert len(driver.events) - first == int(dut.made.value) - made
    assert bench.commands == driver.sent
    assert await driver.read("DMA_ERRORS") == counted


@cocotb.test()
async def wrong_setups_and_clean_stops(dut):
    """What cannot be does not run and says why; a ring that is closed and opened again goes on, or begins anew."""
    bench, driver = await opened(dut)
    await driver.write("INTERRUPT_ENABLE", dma=1)
    for name, value in (("EVENT_RING_CONSUMER", 5), ("COMMAND_RING_PRODUCER", 17)):
        ring = name.rsplit("_", 1)[0]
        await driver.write(name, value)
        await driver.until(lambda: dut.interrupt.value)
        assert await driver.read(f"{ring}_STATUS", "bad_index")
        await driver.write("INTERRUPT_PENDING", dma=1)
        await driver.open()
    for ring in ("EVENT_RING", "COMMAND_RING"):
        await driver.write(f"{ring}_CONTROL", enable=0)
        while await driver.read(f"{ring}_STATUS"):
            pass
        await driver.write(f"{ring}_BASE_LOW", 0x40)
        await driver.write(f"{ring}_CONTROL", enable=1)
        await driver.until(lambda: dut.interrupt.value)
        assert await driver.read(f"{ring}_STATUS", "bad_setup")
        await driver.write("INTERRUPT_PENDING", dma=1)
        await driver.open()
    dut.rate.value = 1
    for _ in range(4):
        await driver.send_commands(5)
        while not await driver.take_events():
            pass
        await driver.close()
        assert driver.index(EVENT_INDEX) == await driver.read("EVENT_RING_PRODUCER")
        assert driver.index(COMMAND_INDEX) == await driver.read("COMMAND_RING_CONSUMER") == len(bench.commands)
        while await driver.take_events():
            pass
        for ring in ("EVENT_RING", "COMMAND_RING"):
            await driver.write(f"{ring}_CONTROL", enable=1)
    dut.rate.value = 0
    await driver.until(lambda: driver.index(COMMAND_INDEX) == driver.put)
    assert bench.commands == driver.sent
    driver.check_events()
    assert await driver.read("DMA_ERRORS") == 0


@cocotb.test()
async def clock(dut):
    """The time is set, stepped, made faster, read, and taken at a pulse."""
    bench = Bench(dut, parameters()["seed"])
    await bench.start()
    driver = Driver(bench)
    when = 1_577_722_500_123_456_789
    await driver.write_wide("CLOCK_VALUE", when)
    await driver.write("CLOCK_COMMAND", set=1)
    await bench.cycles(10)
    first = int(dut.now.value)
    assert when < first < when + 6.4 * 60
    await driver.write("CLOCK_COMMAND", capture=1)
    await bench.cycles(5)
    now = int(dut.now.value)
    captured = await driver.read_wide("CLOCK_NOW")
    assert now - 6.4 * 40 < captured < now
    await driver.write_wide("CLOCK_VALUE", -1_000_000 % (1 << 64))
    await driver.write("CLOCK_COMMAND", step=1)
    await bench.cycles(10)
    assert -1_000_000 < int(dut.now.value) - now < -1_000_000 + 6.4 * 300
    for rate in (1 << 30, -(1 << 30), 0):
        await driver.write("CLOCK_RATE", rate % (1 << 32))
        await bench.cycles(10)
        before = int(dut.now.value)
        await bench.cycles(1000)
        assert abs(int(dut.now.value) - before - 1000 * (6.4 + rate / 2**32)) <= 1
    assert await driver.read("CLOCK_PULSES") == 0
    for pulse in range(1, 4):
        dut.pulse.value = 1
        await RisingEdge(dut.clk)
        await ReadOnly()
        seen = int(dut.now.value)
        await bench.cycles(1)
        dut.pulse.value = 0
        await bench.cycles(20)
        assert await driver.read("CLOCK_PULSES") == 2 * pulse, "the pulse was high for two clock edges"
        assert await driver.read_wide("CLOCK_PULSE") == seen


@cocotb.test()
async def histogram(dut):
    """Samples by the registers: each snapshot has its own, every bucket of it."""
    bench = Bench(dut, parameters()["seed"])
    await bench.start()
    driver = Driver(bench)
    rng = np.random.default_rng(parameters()["seed"])
    for turn in range(2):
        samples = np.where(rng.random(1500) < 0.95, rng.integers(10, 30, 1500), rng.integers(0, 1000, 1500))
        for sample in samples:
            dut.sample__payload.value = int(sample)
            dut.sample__valid.value = 1
            await RisingEdge(dut.clk)
        dut.sample__valid.value = 0
        await driver.write("HISTOGRAM_COMMAND", snapshot=1)
        while await driver.read("HISTOGRAM_STATUS", "busy"):
            pass
        assert await driver.read("HISTOGRAM_STATUS", "snapshots") == turn + 1
        assert await driver.read("HISTOGRAM_COUNT") == len(samples)
        assert await driver.read_wide("HISTOGRAM_SUM") == samples.sum()
        assert await driver.read("HISTOGRAM_MINIMUM") == samples.min()
        assert await driver.read("HISTOGRAM_MAXIMUM") == samples.max()
        expected, _ = np.histogram(np.minimum(samples, 511), bins=np.arange(513))
        base = registers.HISTOGRAM.address
        found = [int.from_bytes((await bench.lite.read(base + 4 * n, 4)).data, "little") for n in range(512)]
        np.testing.assert_array_equal(found, expected)


@cocotb.test()
async def other_causes(dut):
    """Links and faults call the host, if it wants to be called."""
    bench = Bench(dut, parameters()["seed"])
    await bench.start()
    driver = Driver(bench)
    for up in (0b001, 0b101, 0b111, 0b011, 0b000):
        await driver.write("INTERRUPT_ENABLE", link=1)
        dut.link.value = up
        await bench.cycles(6)
        assert dut.interrupt.value
        assert await driver.read("LINKS", "up") == up
        await driver.write("INTERRUPT_PENDING", link=1)
        await bench.cycles(4)
        assert not dut.interrupt.value
    for wanted in (1, 0):
        await driver.write("INTERRUPT_ENABLE", fault=wanted)
        dut.fault.value = 1
        await bench.cycles(1)
        dut.fault.value = 0
        await bench.cycles(6)
        assert dut.interrupt.value == wanted
        assert await driver.read("INTERRUPT_PENDING") == registers.INTERRUPT_PENDING["fault"].mask
        await driver.write("INTERRUPT_PENDING", 0x1F)
        assert await driver.read("INTERRUPT_PENDING") == 0
