"""The card's index of a ring, written to where the host looks for it."""

from amaranth.hdl import Cat, Module, Signal, Value
from amaranth.lib import wiring
from amaranth.lib.wiring import In, Out

from hw.host.axi import AxiWrite


class IndexWriter(wiring.Component):
    """A word in the host's memory that follows one of the card's.

    Members
    -------
    value : In(64)
        The card's word.
    address : In(64)
        Where it goes, a multiple of 8.
    enable : In(1)
        A change is written. What has begun ends.
    clear : In(1)
        The host's word is taken for 0. Only while ``busy`` is low.
    axi : Out(AxiWrite())
        Single beats, one at a time.
    published : Out(64)
        What the host has: the last word whose response was good.
    busy : Out(1)
        A write is under way.
    current : Out(1)
        The last word sent is the card's, a cycle late.
    bus_error : Out(1)
        A response was an error.

    A change goes out 2 cycles after it came. What changes while a write is under way goes with the next: however fast
    ``value`` moves, there is one write per turn of the bus.
    """

    value: In(64)
    address: In(64)
    enable: In(1)
    clear: In(1)
    axi: Out(AxiWrite())
    published: Out(64)
    busy: Out(1)
    current: Out(1)
    bus_error: Out(1)

    def elaborate(self, platform):
        m = Module()
        axi, writing, differs = self.axi, Signal(), Signal(2)
        sent = axi.wdata
        m.d.sync += differs.eq(Cat(self.value[:32] != sent[:32], self.value[32:] != sent[32:]))
        m.d.comb += [
            axi.wlast.eq(1),
            axi.bready.eq(1),
            axi.awaddr.eq(self.address),
            self.busy.eq(writing),
            self.current.eq(~differs.any()),
            self.bus_error.eq(axi.bvalid & Value.cast(axi.bresp)[1]),
        ]
        with m.If(axi.awready):
            m.d.sync += axi.awvalid.eq(0)
        with m.If(axi.wready):
            m.d.sync += axi.wvalid.eq(0)
        with m.If(axi.bvalid):
            m.d.sync += writing.eq(0)
            with m.If(~self.bus_error):
                m.d.sync += self.published.eq(sent)
        # After a write ``differs`` is stale for a cycle; the write itself takes longer than that.
        with m.If(~writing & differs.any() & self.enable):
            m.d.sync += [writing.eq(1), axi.awvalid.eq(1), axi.wvalid.eq(1), sent.eq(self.value)]
        with m.If(self.clear):
            m.d.sync += [sent.eq(0), self.published.eq(0)]
        return m
