"""The IPv4 header (RFC 791), without options; ``version_length`` says where the payload begins."""

from __future__ import annotations

import ipaddress

from wire.errors import FieldError
from wire.layout import Record, field

IPV4 = Record(
    "IPv4",
    field(
        "version_length",
        1,
        "int",
        "version 4 in the high half, header length in 4-byte words in the low half",
    ),
    field("type_of_service", 1, "int", "DSCP 6 bits, ECN 2 bits"),
    field("total_length", 2, "int", "header and payload, bytes"),
    field("identification", 2),
    field(
        "flags_fragment", 2, "int", "reserved, don't fragment, more fragments; offset 13 bits in 8-byte units"
    ),
    field("time_to_live", 1),
    field("protocol", 1, "int", "6 TCP, 17 UDP"),
    field("checksum", 2, "int", "over the header with its options"),
    field("source", 4),
    field("destination", 4),
)

TCP_PROTOCOL = 6
UDP_PROTOCOL = 17
DONT_FRAGMENT = 0x4000
FRAGMENT_MASK = 0x3FFF
"""More fragments, and the offset: not zero in any piece of a fragmented datagram."""
VERSION_LENGTH = 0x45
"""Version 4, five words: a header without options."""


def address(text: str) -> int:
    """An address from ``"233.54.12.111"``.

    Raises
    ------
    FieldError
        Not four decimal bytes.
    """
    try:
        return int(ipaddress.IPv4Address(text))
    except ValueError as error:
        raise FieldError(IPV4.name, "address", None, text, "not an IPv4 address") from error


def address_text(value: int) -> str:
    """``"233.54.12.111"`` from an address."""
    return str(ipaddress.IPv4Address(value))
