"""The TCP header (RFC 9293), without options; ``data_offset`` says where the payload begins."""

from enum import IntFlag

from wire.layout import Record, field

TCP = Record(
    "TCP",
    field("source_port", 2),
    field("destination_port", 2),
    field("sequence_number", 4, "int", "of the first byte of payload, or of the SYN"),
    field("acknowledgment_number", 4, "int", "of the next byte expected"),
    field("data_offset", 1, "int", "header length in 4-byte words in the high half"),
    field("flags", 1, "int", "a Flag set"),
    field("window", 2),
    field("checksum", 2, "int", "over pseudo header, header and payload"),
    field("urgent_pointer", 2),
)

DATA_OFFSET = 0x50
"""Five words: a header without options."""


class Flag(IntFlag):
    """Control bits of a segment."""

    FIN = 0x01
    SYN = 0x02
    RST = 0x04
    PSH = 0x08
    ACK = 0x10
    URG = 0x20
    ECE = 0x40
    CWR = 0x80
