"""What a TCP segment says, and the states of a connection (RFC 9293)."""

from amaranth.lib import data, enum

TIMER_BITS = 28
"""Of a time in microseconds: 268 seconds, more than two segment lifetimes."""

LONGEST_PACKET = 64
"""Bytes of the longest packet that is sent in one segment."""


FIRST_BYTE = 16
"""Where the part of a segment begins that is kept until the header is judged: before any payload, at a whole word."""


class State(enum.Enum, shape=4):
    """RFC 9293 section 3.3.2, without LISTEN: a card opens its connections itself."""

    CLOSED = 0
    SYN_SENT = 1
    SYN_RECEIVED = 2
    ESTABLISHED = 3
    FIN_WAIT_1 = 4
    FIN_WAIT_2 = 5
    CLOSE_WAIT = 6
    CLOSING = 7
    LAST_ACK = 8
    TIME_WAIT = 9


class Header(data.Struct):
    """A segment but for its bytes.

    ``length`` counts bytes of payload. The payload begins ``offset`` words of 4 bytes behind the header's first byte.
    """

    sequence: 32
    acknowledgment: 32
    window: 16
    length: 16
    offset: 4
    fin: 1
    syn: 1
    rst: 1
    ack: 1
