"""Registers through cocotbext-axi's AXI4-Lite master, in random order, with pauses on every channel."""

import itertools
import random

import cocotb
from cocotb.clock import Clock
from cocotb.triggers import ReadOnly, RisingEdge
from cocotbext.axi import AxiLiteBus, AxiLiteMaster, AxiResp

from hw.host.register_map import REGISTERS
from tests.hw.cocotb_runner import parameters
from tests.hw.host_benches.tops import shown

KNOWN = {each.address + 4 * n: (each, n) for each in REGISTERS for n in range(each.count)}
UNKNOWN = [at for at in range(0, 1 << 16, 4) if at not in KNOWN]


def writable(register) -> int:
    return sum(each.mask for each in register.fields if each.source == "host")


def pauses(master: AxiLiteMaster, rng: random.Random) -> None:
    """Each channel waits now and then, for as long as it likes."""

    def generator(chance, longest):
        while True:
            for _ in range(rng.randint(1, longest)):
                yield rng.random() < chance
            for _ in range(rng.randint(0, longest)):
                yield False

    write, read = master.write_if, master.read_if
    for channel in (write.aw_channel, write.w_channel, write.b_channel, read.ar_channel, read.r_channel):
        channel.set_pause_generator(generator(rng.choice([0.0, 0.5, 0.9]), 20))


async def watch(dut, counts):
    """What a subordinate must keep to, in every cycle: a response stays until it is taken. Counts strobes and responses."""
    before = {}
    while True:
        await RisingEdge(dut.clk)
        await ReadOnly()
        for channel, names in {"b": ["bresp"], "r": ["rresp", "rdata"]}.items():
            valid, ready = (int(getattr(dut, f"axil__{channel}{name}").value) for name in ("valid", "ready"))
            payload = [int(getattr(dut, f"axil__{name}").value) for name in names] if valid else None
            if before.get(channel) is not None:
                assert payload == before[channel], f"{channel}: a response changed before it was taken"
            before[channel] = payload if valid and not ready else None
            counts[channel] += valid and ready
        counts["write"] += int(dut.count_writes.value)
        counts["read"] += int(dut.count_reads.value)


async def start(dut):
    cocotb.start_soon(Clock(dut.clk, 6, "ns").start())
    dut.rst.value = 1
    master = AxiLiteMaster(AxiLiteBus.from_prefix(dut, "axil_"), dut.clk, dut.rst)
    for _ in range(4):
        await RisingEdge(dut.clk)
    dut.rst.value = 0
    await RisingEdge(dut.clk)
    counts = dict.fromkeys(("b", "r", "write", "read"), 0)
    cocotb.start_soon(watch(dut, counts))
    return master, counts


class Registers:
    """What the registers should hold. Values written are in flight until their response has come."""

    def __init__(self, master):
        self.master = master
        self.value = {at: shown(register, n) for at, (register, n) in KNOWN.items()}
        self.writes = self.reads = self.write_strobes = self.read_strobes = 0

    async def read(self, at: int) -> None:
        got = await self.master.read(at, 4)
        self.reads += 1
        known = at in KNOWN
        self.read_strobes += known
        assert got.resp == (AxiResp.OKAY if known else AxiResp.DECERR), f"{at:#x}"
        word = int.from_bytes(got.data, "little")
        assert word == self.value.get(at, 0), f"{at:#x}: {word:#x}, not {self.value.get(at, 0):#x}"

    async def write(self, at: int, data: bytes, offset: int = 0) -> None:
        """A write of ``data``, ``offset`` bytes into the word: fewer than four bytes are refused."""
        got = await self.master.write(at + offset, data)
        self.writes += 1
        mask = writable(KNOWN[at][0]) if at in KNOWN else 0
        expected = AxiResp.DECERR if at not in KNOWN else AxiResp.OKAY if mask and len(data) == 4 else AxiResp.SLVERR
        assert got.resp == expected, f"{at:#x}: {got.resp}"
        if expected == AxiResp.OKAY:
            self.write_strobes += 1
            if not KNOWN[at][0].external:
                self.value[at] = int.from_bytes(data, "little") & mask | self.value[at] & ~mask


@cocotb.test()
async def every_register(dut):
    """Each register of the map: read, written with three values, read back, with others before and after it."""
    master, counts = await start(dut)
    rng = random.Random(parameters()["seed"])
    registers = Registers(master)
    order = [at for at in KNOWN if KNOWN[at][1] < 3 or KNOWN[at][1] == KNOWN[at][0].count - 1]
    for value in (0xFFFFFFFF, 0, 0x5A5A5A5A):
        pauses(master, rng)
        rng.shuffle(order)
        for at in order:
            await registers.read(at)
            await registers.write(at, value.to_bytes(4, "little"))
            await registers.read(at)
    for at in [*rng.sample(UNKNOWN, 100), 0xFFFC]:
        await registers.read(at)
        await registers.write(at, b"\xff" * 4)
    for at in order:
        await registers.read(at)
    check(registers, counts)


@cocotb.test()
async def random_order(dut):
    """Readers and a writer at once, each with many requests under way, and everything that is refused."""
    master, counts = await start(dut)
    rng = random.Random(parameters()["seed"])
    registers = Registers(master)
    single = [at for at in KNOWN if not KNOWN[at][0].external]
    mine = [at for at in single if writable(KNOWN[at][0])]
    rng.shuffle(mine)
    written, steady = mine[::2], [*(at for at in KNOWN if at not in mine[::2]), *UNKNOWN[:200]]

    async def read(many):
        for _ in range(many):
            await registers.read(rng.choice(steady))

    async def write(many):
        for _ in range(many):
            at, kind = rng.choice(written), rng.random()
            data = rng.randbytes(4)
            if kind < 0.2:  # too few bytes
                length = rng.randint(1, 3)
                await registers.write(at, data[:length], rng.randint(0, 4 - length))
            elif kind < 0.3:
                await registers.write(rng.choice(UNKNOWN), data)
            elif kind < 0.4:
                await registers.write(rng.choice([at for at in single if not writable(KNOWN[at][0])]), data)
            else:
                await registers.write(at, data)
                if rng.random() < 0.5:
                    await registers.read(at)

    for _ in range(parameters()["rounds"]):
        pauses(master, rng)
        tasks = [cocotb.start_soon(each) for each in (read(40), read(40), read(40), write(60))]
        for task in tasks:
            await task
    for at in single:
        await registers.read(at)
    check(registers, counts)


@cocotb.test()
async def addresses_and_data_come_apart(dut):
    """A write's data long before its address, or the other way round, and a read in between is not held up."""
    master, counts = await start(dut)
    registers = Registers(master)
    first, second = [each.address for each in REGISTERS if writable(each) == 0xFFFFFFFF and not each.external][:2]
    for held, value in itertools.product((master.write_if.aw_channel, master.write_if.w_channel), (1, 2, 3)):
        held.pause = True
        write = cocotb.start_soon(registers.write(first, bytes([value] * 4)))
        for _ in range(10):
            await RisingEdge(dut.clk)
            await registers.read(second)
        assert not write.done()
        held.pause = False
        await write
        await registers.read(first)
    for channel in (master.write_if.b_channel, master.read_if.r_channel):
        channel.pause = True
        tasks = [cocotb.start_soon(registers.write(first, b"abcd")), cocotb.start_soon(registers.read(second))]
        for _ in range(60):
            await RisingEdge(dut.clk)
        assert [task.done() for task in tasks] == [channel is not master.write_if.b_channel, channel is master.write_if.b_channel]
        channel.pause = False
        for task in tasks:
            await task
    check(registers, counts)


def check(registers, counts):
    """One response for each request, and one strobe for each that reached a register."""
    assert counts == {
        "b": registers.writes,
        "r": registers.reads,
        "write": registers.write_strobes,
        "read": registers.read_strobes,
    }
