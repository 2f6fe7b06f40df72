"""The MAC for 10G: XGMII (IEEE 802.3 clause 46), 64 bits at 156.25 MHz."""

from hw.net.mac.xgmii.receiver import XgmiiReceiver
from hw.net.mac.xgmii.transmitter import XgmiiTransmitter

__all__ = ["XgmiiReceiver", "XgmiiTransmitter"]
