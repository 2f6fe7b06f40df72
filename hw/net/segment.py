"""What travels between the layers of a port: bytes of a frame, and at its end the verdict on it."""

from enum import IntEnum

from amaranth.lib import data


class Verdict(IntEnum):
    """What is wrong with a frame. The names, in lower case, are those of the counters."""

    OK = 0
    TRUNCATED = 1
    NOT_IPV4 = 2
    BAD_IP_CHECKSUM = 3
    FRAGMENT = 4
    NOT_UDP = 5
    FILTERED = 6
    OVERSIZE = 7
    BAD_UDP_CHECKSUM = 8
    PACKETS_MALFORMED = 9
    PACKETS_OTHER_SESSION = 10


class Segment(data.Struct):
    """Up to eight bytes of a frame from some layer on.

    As :class:`hw.streams.Beat`; a frame that has nothing behind the layer's header is one segment of 0 bytes.
    ``verdict`` is valid with ``last``: the first layer that does not like the frame says why, and the layers
    behind leave it so.
    """

    data: 64
    last: 1
    count: 4
    verdict: Verdict
