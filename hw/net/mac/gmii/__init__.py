"""The MAC for 1G: GMII (IEEE 802.3 clause 35), 8 bits at 125 MHz, geared to beats of 64 bits."""

from hw.net.mac.gmii.receiver import GmiiReceiver
from hw.net.mac.gmii.transmitter import GmiiTransmitter

__all__ = ["GmiiReceiver", "GmiiTransmitter"]
