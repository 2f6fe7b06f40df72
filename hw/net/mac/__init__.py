"""Ethernet MACs (IEEE 802.3): frames on the wire to beats and back.

``xgmii`` is 64 bits wide at 156.25 MHz, for 10G; ``gmii`` is 8 bits at 125 MHz, geared to the same beats, and ``rgmii``
its form with half the pins. A receiver cannot be held up: it gives :class:`hw.net.mac.frame.Received`, with a verdict
at the end of each frame. A transmitter takes :class:`hw.streams.Beat`.
"""
