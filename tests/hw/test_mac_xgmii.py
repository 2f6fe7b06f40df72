"""The 10G MAC against cocotbext-eth, zlib and a receiver that takes the standard literally."""

import pytest
from amaranth.hdl import Module
from amaranth.lib import stream, wiring
from amaranth.lib.wiring import In, Out, connect, flipped

from hw.net.mac.frame import Received
from hw.net.mac.xgmii import XgmiiReceiver, XgmiiTransmitter, receiver, transmitter
from hw.streams import Beat
from tests.hw.cocotb_runner import names, run
from tests.hw.mac_benches import xgmii_fuzz, xgmii_loop, xgmii_receiver, xgmii_transmitter

pytestmark = [pytest.mark.gateware, pytest.mark.twin]


class Loop(wiring.Component):
    """A transmitter whose XGMII goes into a receiver."""

    def __init__(self):
        counters = [*transmitter.COUNTERS, *receiver.COUNTERS]
        super().__init__(
            {
                "i": In(stream.Signature(Beat)),
                "o": Out(stream.Signature(Received, always_ready=True)),
                "sfd": Out(1),
                **{f"count_{name}": Out(1) for name in counters},
            }
        )

    def elaborate(self, platform):
        m = Module()
        m.submodules.transmitter = sending = XgmiiTransmitter()
        m.submodules.receiver = receiving = XgmiiReceiver()
        connect(m, flipped(self.i), sending.i)
        connect(m, receiving.o, flipped(self.o))
        m.d.comb += [
            receiving.rx_data.eq(sending.tx_data),
            receiving.rx_control.eq(sending.tx_control),
            sending.local_fault.eq(receiving.local_fault),
            sending.remote_fault.eq(receiving.remote_fault),
            self.sfd.eq(receiving.sfd),
        ]
        for source, counters in ((sending, transmitter.COUNTERS), (receiving, receiver.COUNTERS)):
            m.d.comb += [getattr(self, f"count_{name}").eq(getattr(source, f"count_{name}")) for name in counters]
        return m


@pytest.mark.parametrize("test", names(xgmii_receiver))
def test_receiver(test):
    run(XgmiiReceiver(), xgmii_receiver, tests=[test], parameters={"maximum": 1526})


def test_receiver_of_longer_frames():
    run(XgmiiReceiver(9622), xgmii_receiver, tests=["oversize"], parameters={"maximum": 9622})


@pytest.mark.fuzz
@pytest.mark.parametrize("maximum", [64, 71, 76])
def test_receiver_of_anything(maximum):
    run(XgmiiReceiver(maximum), xgmii_fuzz, parameters={"maximum": maximum, "streams": 25, "seed": maximum})


@pytest.mark.slow
@pytest.mark.fuzz
@pytest.mark.parametrize("maximum", [64, *range(65, 80), 100, 1526])
def test_receiver_of_anything_at_length(maximum):
    run(XgmiiReceiver(maximum), xgmii_fuzz, parameters={"maximum": maximum, "streams": 200, "seed": 1000 + maximum})


@pytest.mark.parametrize("test", names(xgmii_transmitter))
def test_transmitter(test):
    run(XgmiiTransmitter(), xgmii_transmitter, tests=[test])


def test_loop():
    run(Loop(), xgmii_loop)


def test_a_maximum_below_the_minimum_is_refused():
    with pytest.raises(ValueError, match="maximum is 63"):
        XgmiiReceiver(63)
