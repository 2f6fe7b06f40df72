"""Components as the tests see them: the part under test, with what it needs around it."""

from __future__ import annotations

from amaranth.hdl import Module
from amaranth.lib import stream, wiring
from amaranth.lib.wiring import In, Out, connect, flipped

from hw.host.axi import AxiWrite, relay
from hw.host.dma import INDEX_BITS, EventWriter
from hw.host.ring_control import RingSetup, RingStatus
from hw.host.write_arbiter import WriteArbiter


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
