"""One AXI write port for several writers."""

from amaranth.hdl import Cat, Module, Signal
from amaranth.lib import data, wiring
from amaranth.lib.wiring import In, Out

from hw.host.axi import AxiWrite
from hw.host.register_slice import RegisterSlice


class WriteArbiter(wiring.Component):
    """Writers that take turns at one port, a burst each.

    Parameters
    ----------
    ports : int
        Number of writers, 2 to 4.

    Members
    -------
    i : In(ports x AxiWrite())
        The writers. A response cannot be held up: ``bready`` must be high.
    o : Out(AxiWrite(2))
        Their bursts, with the writer's number as identifier.

    Latency 2 cycles, a beat per cycle and no hole between bursts. The next to write is the first in number after the one
    that wrote, so that none waits for more than a burst of each other. Every output comes from a register.
    """

    def __init__(self, ports: int):
        if not 2 <= ports <= 4:
            raise ValueError(f"ports is {ports}: 2 to 4 writers")
        self.ports = ports
        super().__init__({"i": In(AxiWrite()).array(ports), "o": Out(AxiWrite(2))})

    def elaborate(self, platform):
        m = Module()
        o, ports = self.o, self.ports
        word = data.StructLayout({"data": 64, "strobe": 8, "last": 1})
        m.submodules.words = words = RegisterSlice(word)

        # Who writes; its address and its data go on side by side, whichever is taken first.
        busy, chosen = Signal(), Signal(range(ports))
        addressed, written = Signal(), Signal()
        address, beat, valid = Signal(), Signal(), Signal()
        m.d.comb += [
            address.eq(busy & ~addressed & ~o.awvalid),
            words.i.valid.eq(busy & ~written & valid),
            beat.eq(words.i.valid & words.i.ready),
            o.bready.eq(1),
            o.wvalid.eq(words.o.valid),
            o.wdata.eq(words.o.payload.data),
            o.wstrb.eq(words.o.payload.strobe),
            o.wlast.eq(words.o.payload.last),
            words.o.ready.eq(o.wready),
        ]
        with m.If(o.awready):
            m.d.sync += o.awvalid.eq(0)
        with m.Switch(chosen):
            for number, each in enumerate(self.i):
                with m.Case(number):
                    m.d.comb += [
                        each.awready.eq(address),
                        each.wready.eq(busy & ~written & words.i.ready),
                        valid.eq(each.wvalid),
                        words.i.payload.eq(Cat(each.wdata, each.wstrb, each.wlast)),
                    ]
                    with m.If(address & each.awvalid):
                        m.d.sync += [
                            o.awvalid.eq(1),
                            o.awaddr.eq(each.awaddr),
                            o.awlen.eq(each.awlen),
                            o.awid.eq(number),
                        ]
        finished = ~busy | ((addressed | address) & (written | (beat & words.i.payload.last)))
        m.d.sync += [addressed.eq(addressed | address), written.eq(written | (beat & words.i.payload.last))]

        # The next one, first in number behind the one that writes; whose address goes on now asks for no other yet.
        asking = Signal(ports)
        m.d.comb += asking.eq(Cat(each.awvalid & ~each.awready for each in self.i))
        with m.If(finished):
            m.d.sync += [busy.eq(asking.any()), addressed.eq(0), written.eq(0)]
            with m.Switch(chosen):
                for now in range(ports):
                    with m.Case(now):
                        for step in range(ports, 0, -1):
                            with m.If(asking[(now + step) % ports]):
                                m.d.sync += chosen.eq((now + step) % ports)

        for number, each in enumerate(self.i):
            m.d.sync += [each.bvalid.eq(o.bvalid & (o.bid == number)), each.bresp.eq(o.bresp)]
        return m
