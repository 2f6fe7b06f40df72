"""Ethernet II (IEEE 802.3, clause 3) and VLAN tags (IEEE 802.1Q); no preamble, no frame check sequence."""

from __future__ import annotations

import zlib

from wire.errors import FieldError
from wire.layout import Record, field

ETHERNET = Record(
    "Ethernet",
    field("destination", 6, "int", "MAC address, the first byte highest"),
    field("source", 6, "int", "MAC address"),
    field("ethertype", 2, "int", "what follows"),
)
VLAN = Record(
    "802.1Q",
    field("tag_control", 2, "int", "priority 3 bits, drop eligible 1, VLAN id 12"),
    field("ethertype", 2, "int", "what follows"),
)

IPV4_TYPE = 0x0800
ARP_TYPE = 0x0806
VLAN_TYPE = 0x8100
SERVICE_VLAN_TYPE = 0x88A8
"""The outer tag of two (802.1ad, QinQ)."""
MAX_TAGS = 2
MIN_FRAME = 60
"""Bytes of the shortest frame, without its frame check sequence; shorter ones are padded with zeros."""


def mac(text: str) -> int:
    """A MAC address from ``"01:00:5e:36:0c:6f"``.

    Raises
    ------
    FieldError
        Not six hexadecimal bytes.
    """
    parts = text.replace("-", ":").split(":")
    try:
        octets = [int(part, 16) for part in parts]
    except ValueError:
        octets = []
    if len(octets) != 6 or any(not 0 <= octet <= 255 for octet in octets):
        raise FieldError(ETHERNET.name, "address", None, text, "not six hexadecimal bytes")
    return int.from_bytes(bytes(octets), "big")


def mac_text(address: int) -> str:
    """``"01:00:5e:36:0c:6f"`` from a MAC address."""
    return address.to_bytes(6, "big").hex(":")


def multicast_mac(group: int) -> int:
    """MAC address of an IPv4 multicast group (RFC 1112): its low 23 bits behind 01:00:5e."""
    return 0x01005E000000 | (group & 0x7FFFFF)


def frame_check_sequence(frame: bytes) -> bytes:
    """The four bytes that follow a frame on the line: CRC-32, least significant byte first."""
    return zlib.crc32(frame).to_bytes(4, "little")
