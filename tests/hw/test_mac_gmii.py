"""The 1G MAC against cocotbext-eth and zlib: GMII, and RGMII on both edges of its clock."""

import pytest
from amaranth.hdl import Cat, ClockDomain, ClockSignal, Module, Mux, Signal
from amaranth.lib import stream, wiring
from amaranth.lib.wiring import In, Out, connect, flipped

from hw.net.mac.frame import Received
from hw.net.mac.gmii import GmiiReceiver, GmiiTransmitter, receiver, transmitter
from hw.net.mac.rgmii import DdrInput, DdrOutput, RgmiiReceiver, RgmiiTransmitter, Speed
from hw.streams import Beat
from tests.hw.cocotb_runner import names, run
from tests.hw.mac_benches import gmii_receiver, gmii_transmitter, rgmii
from tests.hw.simulation import simulate

pytestmark = [pytest.mark.gateware, pytest.mark.twin]


class Receiving(wiring.Component):
    """A receiver behind pins that are sampled at both edges."""

    def __init__(self):
        super().__init__(
            {
                "rxd": In(4),
                "rx_ctl": In(1),
                "o": Out(stream.Signature(Received, always_ready=True)),
                "sfd": Out(1),
                **{f"count_{name}": Out(1) for name in receiver.COUNTERS},
            }
        )

    def elaborate(self, platform):
        m = Module()
        m.domains.falling = ClockDomain(clk_edge="neg", reset_less=True, local=True)
        m.submodules.mac = mac = RgmiiReceiver()
        m.d.comb += ClockSignal("falling").eq(ClockSignal())
        first, second = Signal(5), Signal(5)
        m.d.sync += first.eq(Cat(self.rxd, self.rx_ctl))
        m.d.falling += second.eq(Cat(self.rxd, self.rx_ctl))
        m.d.sync += [
            mac.rx_data.eq(Cat(first[:4], second[:4])),
            mac.rx_control.eq(Cat(first[4], second[4])),
        ]
        connect(m, mac.o, flipped(self.o))
        m.d.comb += self.sfd.eq(mac.sfd)
        m.d.comb += [getattr(self, f"count_{name}").eq(getattr(mac, f"count_{name}")) for name in receiver.COUNTERS]
        return m


class Sending(wiring.Component):
    """A transmitter before pins that change at both edges."""

    def __init__(self):
        super().__init__(
            {
                "i": In(stream.Signature(Beat)),
                "txd": Out(4),
                "tx_ctl": Out(1),
                "txc": In(1),
                "sfd": Out(1),
                **{f"count_{name}": Out(1) for name in transmitter.COUNTERS},
            }
        )

    def elaborate(self, platform):
        m = Module()
        m.submodules.mac = mac = RgmiiTransmitter()
        connect(m, flipped(self.i), mac.i)
        clock = ClockSignal()
        m.d.comb += [
            self.txd.eq(Mux(clock, mac.tx_data[:4], mac.tx_data[4:])),
            self.tx_ctl.eq(Mux(clock, mac.tx_control[0], mac.tx_control[1])),
            self.sfd.eq(mac.sfd),
        ]
        m.d.comb += [getattr(self, f"count_{name}").eq(getattr(mac, f"count_{name}")) for name in transmitter.COUNTERS]
        return m


@pytest.mark.parametrize("test", names(gmii_receiver))
def test_receiver(test):
    run(GmiiReceiver(), gmii_receiver, tests=[test], parameters={"maximum": 1526})


@pytest.mark.parametrize("test", names(gmii_transmitter))
def test_transmitter(test):
    run(GmiiTransmitter(), gmii_transmitter, tests=[test])


def test_rgmii_receiver():
    run(Receiving(), rgmii, tests=["receives"])


def test_rgmii_transmitter():
    run(Sending(), rgmii, tests=["sends"])


def test_the_status_between_frames_is_the_links():
    dut = RgmiiReceiver()

    async def testbench(ctx):
        assert (ctx.get(dut.link_up), ctx.get(dut.full_duplex)) == (0, 0)
        for up in (0, 1):
            for speed in Speed:
                for full in (0, 1):
                    ctx.set(dut.rx_control, 0)
                    ctx.set(dut.rx_data, 0x11 * (up | speed.value << 1 | full << 3))
                    await ctx.tick()
                    # Neither a frame nor a carrier says anything about the link.
                    for control, octet in ((0b11, 0x55), (0b01, 0x00), (0b10, 0x0E)):
                        ctx.set(dut.rx_control, control)
                        ctx.set(dut.rx_data, octet)
                        await ctx.tick()
                        assert (ctx.get(dut.link_up), ctx.get(dut.link_speed), ctx.get(dut.full_duplex)) == (up, speed, full)

    simulate(dut, testbench)


@pytest.mark.parametrize("cell", [DdrInput, DdrOutput])
@pytest.mark.parametrize("delay", [-100, 3188])
def test_a_delay_beyond_the_cells_is_refused(cell, delay):
    with pytest.raises(ValueError, match=f"a delay of {delay} ps"):
        cell(4, delay)


def test_a_maximum_below_the_minimum_is_refused():
    with pytest.raises(ValueError, match="maximum is 63"):
        GmiiReceiver(63)
