"""The 10G MAC against cocotbext-eth and zlib."""

import pytest

from hw.net.mac.xgmii import XgmiiReceiver, XgmiiTransmitter
from tests.hw.cocotb_runner import names, run
from tests.hw.mac_benches import xgmii_receiver, xgmii_transmitter

pytestmark = [pytest.mark.gateware, pytest.mark.twin]


@pytest.mark.parametrize("test", names(xgmii_receiver))
def test_receiver(test):
    run(XgmiiReceiver(), xgmii_receiver, tests=[test], parameters={"maximum": 1526})


@pytest.mark.parametrize("test", names(xgmii_transmitter))
def test_transmitter(test):
    run(XgmiiTransmitter(), xgmii_transmitter, tests=[test])
