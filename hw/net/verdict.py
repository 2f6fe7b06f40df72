"""What can be wrong with a frame of a feed."""

from enum import IntEnum


class Verdict(IntEnum):
    """The first thing that is wrong. The names, in lower case, are those of the counters."""

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
