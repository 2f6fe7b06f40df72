"""Components as the tests see them: the part under test, with what it needs around it."""

from __future__ import annotations

import zlib

from amaranth.hdl import Cat, Module, Mux, Signal
from amaranth.lib import stream, wiring
from amaranth.lib.wiring import In, Out, connect, flipped

from hw.host.axi import AxiLiteManager, AxiManager, AxiWrite, relay
from hw.host.axi_lite import AxiLite
from hw.host.bank import RegisterBank
from hw.host.dma import INDEX_BITS, EventWriter
from hw.host.interface import FIRST, HostInterface
from hw.host.register_map import REGISTERS, Register
from hw.host.ring import EventRing
from hw.host.ring_control import RingSetup, RingStatus
from hw.host.write_arbiter import WriteArbiter
from hw.streams import Beat
from wire.records import EventType


class EventTop(wiring.Component):
    """An event writer and its way to memory."""

    def __init__(self, writer: EventWriter | None = None):
        self.writer = writer or EventWriter()
        super().__init__(
            {
                "i": In(stream.Signature(64)),
                "dropped": In(1),
                "setup": In(RingSetup),
                "consumer": In(INDEX_BITS),
                "acknowledge": In(1),
                "axi": Out(AxiWrite(2)),
                "producer": Out(INDEX_BITS),
                "published": Out(INDEX_BITS),
                "lost": Out(INDEX_BITS),
                "overrun": Out(1),
                "status": Out(RingStatus),
                "failure": Out(1),
                "count_events_lost": Out(2),
                "count_bus_errors": Out(2),
            }
        )

    def elaborate(self, platform):
        m = Module()
        m.submodules.writer = writer = self.writer
        m.submodules.arbiter = arbiter = WriteArbiter(2)
        connect(m, flipped(self.i), writer.i)
        connect(m, writer.axi, arbiter.i[0])
        connect(m, writer.index, arbiter.i[1])
        relay(m, self.axi, arbiter.o)
        for name in ("dropped", "setup", "consumer", "acknowledge"):
            m.d.comb += getattr(writer, name).eq(getattr(self, name))
        for name in (
            *("producer", "published", "lost", "overrun", "status", "failure", "count_events_lost", "count_bus_errors"),
        ):
            m.d.comb += getattr(self, name).eq(getattr(writer, name))
        return m


def shown(register: Register, element: int = 0) -> int:
    """What a register reads that :func:`drive` drives: a number made of its name; host fields as after a reset."""
    if register.external:
        return (zlib.crc32(register.name.encode()) + element * element) & sum(each.mask for each in register.fields)
    word = 0
    for field in register.fields:
        value = zlib.crc32(f"{register.name}.{field.name}".encode()) if field.source == "card" else field.reset
        word |= value << field.low & field.mask
    return word


def drive(m: Module, bank: wiring.Component, registers: tuple[Register, ...], delay: int) -> None:
    """Drives what the gateware reports; arrays give their value ``delay`` cycles after the index."""
    for register in registers:
        if register.external:
            index = getattr(bank, f"{register.name}_index")
            value = zlib.crc32(register.name.encode()) + index * index
            for _ in range(delay):
                later = Signal(32)
                m.d.sync += later.eq(value)
                value = later
            m.d.comb += getattr(bank, f"{register.name}_data").eq(value & sum(each.mask for each in register.fields))
            continue
        for field in register.fields:
            if field.source == "card":
                driven = zlib.crc32(f"{register.name}.{field.name}".encode()) & field.mask >> field.low
                m.d.comb += getattr(bank, f"{register.name}_{field.name}").eq(driven)


class LiteTop(wiring.Component):
    """The subordinate with the card's register bank behind it. ``count_writes`` and ``count_reads`` are its strobes."""

    def __init__(self, lite: AxiLite | None = None, delay: int = 3):
        self.lite, self.delay = lite or AxiLite(), delay
        super().__init__({"axil": In(AxiLiteManager(self.lite.address_bits)), "count_writes": Out(1), "count_reads": Out(1)})

    def elaborate(self, platform):
        m = Module()
        m.submodules.lite = lite = self.lite
        m.submodules.bank = bank = RegisterBank()
        connect(m, flipped(self.axil), lite.axi)
        for name in ("address", "write", "write_data", "read"):
            m.d.comb += getattr(bank, name).eq(getattr(lite, name))
        m.d.comb += [lite.read_data.eq(bank.read_data), self.count_writes.eq(lite.write), self.count_reads.eq(lite.read)]
        drive(m, bank, REGISTERS, self.delay)
        return m


class InterfaceTop(wiring.Component):
    """The host interface as the card has it: a register bank behind it, the card's event ring before it.

    Events are made here, as fast as the ring takes them or ``rate`` in 256 cycles; ``tag`` counts them. What is counted in
    pulses is summed up here.
    """

    def __init__(self):
        super().__init__(
            {
                "axi": Out(AxiManager(2)),
                "axil": In(AxiLiteManager(16)),
                "interrupt": Out(1),
                "rate": In(9),
                "made": Out(32),
                "lost": Out(32),
                "command": Out(stream.Signature(Beat)),
                "now": Out(64),
                "pulse": In(1),
                "sample": In(stream.Signature(32)),
                "link": In(3),
                "fault": In(1),
            }
        )

    def elaborate(self, platform):
        m = Module()
        m.submodules.host = host = HostInterface()
        m.submodules.bank = bank = RegisterBank()
        m.submodules.ring = ring = EventRing(records=8)
        connect(m, flipped(self.axil), host.axi_lite)
        connect(m, host.command, flipped(self.command))
        connect(m, flipped(self.sample), host.sample)
        connect(m, ring.o, host.event)
        relay(m, self.axi, host.axi)
        for name in ("address", "write", "write_data", "read"):
            m.d.comb += getattr(bank, name).eq(getattr(host, name))
        m.d.comb += [
            host.read_data.eq(bank.read_data),
            host.event_lost.eq(ring.count_events_lost),
            self.interrupt.eq(host.interrupt),
            self.now.eq(host.now),
            *(getattr(host, name).eq(getattr(self, name)) for name in ("pulse", "link", "fault")),
        ]
        drive(m, bank, tuple(each for each in REGISTERS if each.address < FIRST), 1)

        noise, event = Signal(32, init=1), ring.i.payload
        m.d.sync += [
            noise.eq(Cat(noise[1:], 0) ^ Mux(noise[0], 0xA3000000, 0)),
            self.lost.eq(self.lost + host.count_events_lost + ring.count_events_lost),
        ]
        m.d.comb += [
            ring.i.valid.eq(noise[:8] < self.rate),
            event.type.eq(EventType.TRADE),
            event.tag.eq(self.made),
            event.timestamp.eq(Cat(~self.made, self.made)),
        ]
        with m.If(ring.i.valid):
            m.d.sync += self.made.eq(self.made + 1)
        return m
