"""What the card is plugged into: XGMII by cocotbext-eth on three ports, a host's memory and AXI4-Lite master by cocotbext-axi."""

from __future__ import annotations

import random
from collections import Counter

import cocotb
from cocotb.clock import Clock
from cocotb.triggers import RisingEdge
from cocotbext.axi import AxiBus, AxiLiteBus, AxiLiteMaster, AxiRam
from cocotbext.eth import XgmiiFrame, XgmiiSink, XgmiiSource
from scapy.layers.inet import IP, TCP
from scapy.layers.l2 import ARP, Ether
from scapy.packet import Packet

from drivers import registers
from tests.hw.card_benches.exchange import Exchange
from tests.hw.host_benches.interface import COMMAND_INDEX, COMMANDS, MEMORY, Driver
from wire.counters import COUNTERS
from wire.records import RECORD_LENGTH

PERIOD_PS = 6400
PORTS = ("feed_a", "feed_b", "order")
ADDRESSES = {"feed_a": 0x0A010002, "feed_b": 0x0A020002, "order": 0x0A090002}
MACS = {"feed_a": 0x02_00_00_00_00_0A, "feed_b": 0x02_00_00_00_00_0B, "order": 0x02_00_00_00_00_02}
NETMASK = 0xFFFFFF00
ICMP_PROTOCOL, IGMP_PROTOCOL = 1, 2
LOCAL_PORT = 40123


class Wire:
    """One port of the card. ``sent`` counts what came to the card, good and bad, ``seen`` what the card sent, by kind."""

    def __init__(self, dut, name: str):
        pins = [getattr(dut, f"{name}_{pin}") for pin in ("rx_data", "rx_control", "tx_data", "tx_control")]
        self.source, self.sink = XgmiiSource(*pins[:2], dut.clk, dut.rst), XgmiiSink(*pins[2:], dut.clk, dut.rst)
        self.sent: Counter[str] = Counter()
        self.seen: Counter[str] = Counter()
        self.heard: list[Packet] = []

    def put(self, frame: bytes, *, bad: bool = False) -> XgmiiFrame:
        """A frame onto the line, behind those that wait; ``bad``: with a wrong frame check sequence. When it has left it has the
        time of its delimiter.
        """
        made = XgmiiFrame.from_payload(frame)

        def leave(copy: XgmiiFrame) -> None:
            made.sim_time_sfd = copy.sim_time_sfd

        made.tx_complete = leave
        if bad:
            made.data[-1 - len(frame) % 4] ^= 0x10
        self.sent["bad" if bad else "good"] += 1
        self.source.send_nowait(made)
        return made

    async def send(self, frame: bytes) -> None:
        self.put(frame)

    async def receive(self) -> tuple[int, Packet]:
        """The next frame of the card, and when its delimiter was on the wire, in ps."""
        frame = await self.sink.recv()
        assert frame.check_fcs(), "wrong frame check sequence"
        packet = Ether(bytes(frame.get_payload()))
        self.heard.append(packet)
        self.seen[kind(packet)] += 1
        return frame.sim_time_sfd, packet

    async def listen(self) -> None:
        """Hears what the card sends to nobody in particular."""
        while True:
            await self.receive()


def kind(packet: Packet) -> str:
    """What counts a frame of the card, but for its port."""
    if ARP in packet:
        return "arp_requests_sent" if packet[ARP].op == 1 else "arp_replies"
    if TCP in packet:
        return "segments_sent"
    return {ICMP_PROTOCOL: "icmp_replies", IGMP_PROTOCOL: "igmp_reports"}[packet[IP].proto]


class Board:
    """The card, its wires, the exchange and the host."""

    def __init__(self, dut, seed: int):
        self.dut, self.rng = dut, random.Random(seed)
        self.wires = {name: Wire(dut, name) for name in PORTS}
        self.lite = AxiLiteMaster(AxiLiteBus.from_prefix(dut, "axi_lite_"), dut.clk, dut.rst)
        self.ram = AxiRam(AxiBus.from_prefix(dut, "axi_"), dut.clk, dut.rst, size=MEMORY)
        self.indices, self.at_offer, self.answered, self.commands = [], {}, [0, 0, 0], []  # for the driver
        self.exchange = Exchange(self, self.wires["order"])
        self.driver = CardDriver(self)
        for name in ("feed_a", "feed_b"):
            cocotb.start_soon(self.wires[name].listen())

    async def cycles(self, many: int) -> None:
        for _ in range(many):
            await RisingEdge(self.dut.clk)

    async def start(self) -> Board:
        dut = self.dut
        dut.pulse.value = 0
        dut.rst.value = 1
        cocotb.start_soon(Clock(dut.clk, PERIOD_PS, "ps").start())
        await self.cycles(5)
        dut.rst.value = 0
        await self.cycles(5)
        while not await self.driver.read("STATUS", "ready"):
            await self.cycles(50)
        await self.driver.open(events=9, commands=4)
        for name in PORTS:
            prefix = name.upper()
            await self.driver.write(f"{prefix}_MAC_LOW", MACS[name] & 0xFFFFFFFF)
            await self.driver.write(f"{prefix}_MAC_HIGH", MACS[name] >> 32)
            await self.driver.write(f"{prefix}_ADDRESS", ADDRESSES[name])
            await self.driver.write(f"{prefix}_NETMASK", NETMASK)
        return self

    async def idle(self) -> None:
        """Until the path has nothing in flight, nothing is on a wire, and the events are in memory."""
        await self.cycles(60)
        while not (await self.driver.read("STATUS", "idle") and all(wire.source.empty() for wire in self.wires.values())):
            await self.cycles(20)
        await self.cycles(60)

    async def counters(self) -> dict[str, int]:
        """Every counter of the path."""
        return {name: await self._counter("COUNTER", number) for number, name in enumerate(COUNTERS)}

    async def network_counters(self) -> dict[str, int]:
        """Every counter of the edge that is not 0."""
        assert await self.driver.read("NETWORK_COUNTERS", "count") == len(registers.NETWORK_COUNTER_NAMES)
        got = {name: await self._counter("NETWORK_COUNTER", n) for n, name in enumerate(registers.NETWORK_COUNTER_NAMES)}
        return {name: value for name, value in got.items() if value}

    async def _counter(self, array: str, number: int) -> int:
        got = await self.lite.read(getattr(registers, array).address + 4 * number, 4)
        return int.from_bytes(got.data, "little")


class CardDriver(Driver):
    """The driver of a whole card."""

    async def command(self, record: bytes) -> None:
        """One command; until the card has taken it."""
        self.memory.write(COMMANDS + RECORD_LENGTH * (self.put % self.command_records), record)
        self.put += 1
        await self.write("COMMAND_RING_PRODUCER", self.put)
        await self.until(lambda: self.index(COMMAND_INDEX) == self.put)

    async def set_clock(self, nanoseconds: int) -> None:
        await self.write_wide("CLOCK_VALUE", nanoseconds)
        await self.write("CLOCK_COMMAND", set=1)

    async def connect(self, address: int, port: int, *, sequence: int = 77_000) -> None:
        """Opens the order session's connection; until it is established or the card gives up."""
        await self.write("TCP_REMOTE_ADDRESS", address)
        await self.write("TCP_PORTS", local=LOCAL_PORT, remote=port)
        await self.write("TCP_SEQUENCE", sequence)
        await self.write("TCP_TIMEOUT", 2000)
        await self.write("TCP_TIMEOUT_MAXIMUM", 16000)
        await self.write("TCP_TIME_WAIT", 100)
        await self.write("TCP_COMMAND", connect=1)
        while True:
            status = await self.read("TCP_STATUS")
            state, opening = (registers.TCP_STATUS[name].of(status) for name in ("state", "opening"))
            if not opening and state in (0, 3):
                return
            await self.bench.cycles(20)

    async def all_events(self) -> list:
        while await self.take_events():
            pass
        return self.events
