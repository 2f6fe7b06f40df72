"""What a MAC hands on, and the sizes of an Ethernet frame (IEEE 802.3 clause 3)."""

from amaranth.lib import data

FCS_BYTES = 4
MINIMUM_BYTES = 64
"""Shortest frame, from destination address to frame check sequence."""

MAXIMUM_BYTES = 1518 + 2 * 4
"""Longest frame with two VLAN tags."""

GAP_BYTES = 12
"""From the end of a frame to the next preamble, on average; up to 3 less where a start needs its lane."""

PREAMBLE, DELIMITER = 0x55, 0xD5
PREAMBLE_BYTES = 8
"""Seven of ``PREAMBLE`` (a PHY may give less) and ``DELIMITER``."""


class Received(data.Struct):
    """A beat of a received frame, without preamble and frame check sequence.

    As :class:`hw.streams.Beat`: ``count`` is 8 but in the beat with ``last``. ``bad`` is valid with ``last``: the frame
    must leave no trace. A bad frame may have any length, and end with a beat of 0 bytes.
    """

    data: 64
    last: 1
    count: 4
    bad: 1
