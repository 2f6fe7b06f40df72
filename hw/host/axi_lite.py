"""The registers on AXI4-Lite."""

from collections.abc import Iterable, Sequence

from amaranth.hdl import Cat, Module, Mux, Signal
from amaranth.lib import wiring
from amaranth.lib.wiring import In, Out

from hw.host.axi import AxiLiteManager, Response
from hw.host.register_map import REGISTERS, Register

EVERY_BYTE = 0b1111


def spans(registers: Iterable[Register]) -> list[tuple[int, int]]:
    """First and last word of each run of registers without a hole."""
    runs: list[tuple[int, int]] = []
    for each in sorted(registers, key=lambda each: each.address):
        first, last = each.address >> 2, (each.address >> 2) + each.count - 1
        if runs and first == runs[-1][1] + 1:
            first = runs.pop()[0]
        runs.append((first, last))
    return runs


class AxiLite(wiring.Component):
    """An AXI4-Lite subordinate in front of the bus of the registers.

    Parameters
    ----------
    address_bits : int
        16 at least: what the registers take.
    registers : sequence of Register
        What is there. Another address is answered with DECERR, a write to a register without a field of the host's with
        SLVERR.
    patience : int
        Cycles from ``read`` to the value, 1 at least. Arrays in block RAM take more than the registers' one.

    Members
    -------
    axi : In(AxiLiteManager(address_bits))
        The low two bits of an address are ignored.
    address, write, write_data, read, read_data
        The bus of :class:`hw.host.bank.RegisterBank`. ``address`` stays until the value has come.

    A write must have all four byte strobes, or none, and then does nothing. Another is refused with SLVERR: registers are
    taken whole, and to put old bytes beside new ones would write 1 to bits that are cleared so.

    The channels are independent: an address waits for its data and the other way round, a read for no write. When both
    wait they take turns. A write is answered 5 cycles after it was taken, a read ``patience + 6``; one access at a time, all
    channels hold what they have until it is taken. Every output comes from a register.
    """

    def __init__(self, address_bits: int = 16, registers: Sequence[Register] = REGISTERS, patience: int = 4):
        if address_bits < 16:
            raise ValueError(f"address_bits is {address_bits}: the registers take 16")
        if patience < 1:
            raise ValueError(f"patience is {patience}: a register's value comes after 1 cycle")
        self.address_bits, self.registers, self.patience = address_bits, registers, patience
        super().__init__(
            {
                "axi": In(AxiLiteManager(address_bits)),
                "address": Out(16),
                "write": Out(1),
                "write_data": Out(32),
                "read": Out(1),
                "read_data": In(32),
            }
        )

    def elaborate(self, platform):
        m = Module()
        axi = self.axi

        # What was taken off each channel and is not yet answered.
        target, targeted = Signal(self.address_bits), Signal()
        word, strobes, worded = Signal(32), Signal(4), Signal()
        source, sourced = Signal(self.address_bits), Signal()
        m.d.comb += [axi.awready.eq(~targeted), axi.wready.eq(~worded), axi.arready.eq(~sourced)]
        with m.If(axi.awvalid & ~targeted):
            m.d.sync += [target.eq(axi.awaddr), targeted.eq(1)]
        with m.If(axi.wvalid & ~worded):
            m.d.sync += [word.eq(axi.wdata), strobes.eq(axi.wstrb), worded.eq(1)]
        with m.If(axi.arvalid & ~sourced):
            m.d.sync += [source.eq(axi.araddr), sourced.eq(1)]
        with m.If(axi.bready):
            m.d.sync += axi.bvalid.eq(0)
        with m.If(axi.rready):
            m.d.sync += axi.rvalid.eq(0)

        at, writing, wait = Signal(self.address_bits), Signal(), Signal(range(self.patience + 1))
        known = self._within(m, at, self.registers)
        kept = self._within(m, at, [each for each in self.registers if any(f.source == "host" for f in each.fields)])
        m.d.comb += self.address.eq(at[:16])
        m.d.sync += [self.write.eq(0), self.read.eq(0)]
        with m.FSM():
            with m.State("IDLE"):
                may_write, may_read = Signal(), Signal()
                m.d.comb += [may_write.eq(targeted & worded & ~axi.bvalid), may_read.eq(sourced & ~axi.rvalid)]
                m.d.sync += self.write_data.eq(word)
                with m.If(may_write | may_read):
                    m.next = "LOOK"
                with m.If(may_write & ~(may_read & writing)):
                    m.d.sync += [writing.eq(1), at.eq(target)]
                with m.Elif(may_read):
                    m.d.sync += [writing.eq(0), at.eq(source)]
            with m.State("LOOK"):
                m.next = "JUDGE"
            with m.State("JUDGE"):
                m.next = "ACT"
            with m.State("ACT"):
                m.next = "IDLE"
                m.d.sync += wait.eq(self.patience)
                with m.If(writing):
                    whole, none = strobes == EVERY_BYTE, strobes == 0
                    m.d.sync += [
                        *(targeted.eq(0), worded.eq(0), axi.bvalid.eq(1)),
                        self.write.eq(kept & whole),
                        axi.bresp.eq(Mux(kept & (whole | none), Response.OKAY, Mux(known, Response.SLVERR, Response.DECERR))),
                    ]
                with m.Else():
                    m.d.sync += [sourced.eq(0), axi.rresp.eq(Mux(known, Response.OKAY, Response.DECERR)), axi.rdata.eq(0)]
                    m.d.sync += [self.read.eq(known), axi.rvalid.eq(~known)]
                    with m.If(known):
                        m.next = "WAIT"
            with m.State("WAIT"):
                m.d.sync += wait.eq(wait - 1)
                with m.If(wait == 0):
                    m.d.sync += [axi.rdata.eq(self.read_data), axi.rvalid.eq(1)]
                    m.next = "IDLE"
        return m

    def _within(self, m: Module, at: Signal, registers: Iterable[Register]) -> Signal:
        """Whether an address is a register's, 2 cycles later."""
        number, found = at[2:], Signal()
        hits = Signal(len(spans(registers)))
        m.d.sync += [
            hits.eq(Cat((number >= first) & (number <= last) for first, last in spans(registers))),
            found.eq(hits.any()),
        ]
        return found
