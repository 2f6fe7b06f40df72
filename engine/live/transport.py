"""Frames of the feeds by kernel sockets: ``recvmmsg`` into places whose headers stand there already.

The engine takes Ethernet frames. A socket gives the UDP payload alone, so each place has Ethernet, IPv4 and UDP headers in front,
of which the lengths and the IPv4 checksum are written for every packet; the UDP checksum is left out, which is right
(RFC 768), as the kernel has looked at it.
"""

from __future__ import annotations

import socket
import struct
from typing import Any, NamedTuple

import numpy as np

from engine.live.kernel import MSG_DONTWAIT, recvmmsg
from engine.unsigned import word
from wire.compiled import uncounted
from wire.ethernet import ETHERNET, IPV4_TYPE
from wire.ipv4 import IPV4, UDP_PROTOCOL
from wire.udp import UDP

Vector = np.ndarray[Any, np.dtype[Any]]

BATCH = 32
"""Packets of one call."""
PLACE = 2048
"""Bytes of the buffer that a packet has to itself."""
IP_AT = ETHERNET.length
UDP_AT = IP_AT + IPV4.length
HEADERS = UDP_AT + UDP.length

_MESSAGE = np.dtype(
    [
        ("name", "u8"), ("name_length", "u8"), ("vectors", "u8"), ("vector_count", "u8"),
        ("control", "u8"), ("control_length", "u8"), ("flags", "u8"), ("length", "u4"), ("padding", "u4"),
    ]
)  # fmt: skip
"""``struct mmsghdr`` of 64-bit Linux."""
_VECTOR = np.dtype([("base", "u8"), ("length", "u8")])

_write_total_length = IPV4.writer("total_length")
_write_checksum = IPV4.writer("checksum")
_write_udp_length = UDP.writer("length")
IP_LENGTH, UDP_LENGTH = IPV4.length, UDP.length


class Receiver(NamedTuple):
    """What ``recvmmsg`` needs for one socket, made once."""

    file: int
    messages: Vector
    vectors: Vector
    at: int  # of the first place in the buffer
    partial_sum: int  # of the IPv4 header without its length and checksum


NO_RECEIVER = Receiver(-1, np.zeros(0, _MESSAGE), np.zeros(0, _VECTOR), 0, 0)
"""In the place of a receiver where frames come another way."""


def receiver(sock: socket.socket, buffer: Vector, at: int) -> Receiver:
    """A receiver for a UDP socket, whose packets go to ``buffer[at:]``, `BATCH` places."""
    address, port = sock.getsockname()[:2]
    ethernet = ETHERNET.pack(ethertype=IPV4_TYPE)
    ip = IPV4.pack(
        version_length=0x45, time_to_live=1, protocol=UDP_PROTOCOL, destination=int.from_bytes(socket.inet_aton(address), "big")
    )
    headers = np.frombuffer(ethernet + ip + UDP.pack(destination_port=port), np.uint8)
    vectors, messages = np.zeros(BATCH, _VECTOR), np.zeros(BATCH, _MESSAGE)
    for n in range(BATCH):
        place = at + n * PLACE
        buffer[place : place + HEADERS] = headers
        vectors[n] = buffer.ctypes.data + place + HEADERS, PLACE - HEADERS
        messages[n]["vectors"] = vectors.ctypes.data + n * _VECTOR.itemsize
        messages[n]["vector_count"] = 1
    partial = sum(struct.unpack(f">{IP_LENGTH // 2}H", ip))
    return Receiver(sock.fileno(), messages, vectors, at, partial)


@uncounted
def receive(receiver: Any, buffer: Any) -> int:
    """Takes the packets that wait; how many, or -1 if there are none. Their frames stand in the places."""
    file, most, flags = np.int32(receiver.file), np.uint32(BATCH), np.int32(MSG_DONTWAIT)
    count = word(recvmmsg(file, receiver.messages.ctypes.data, most, flags, np.uintp(0)))
    for n in range(count):
        place = receiver.at + n * PLACE
        total = word(receiver.messages[n].length) + IP_LENGTH + UDP_LENGTH
        _write_total_length(buffer, place + IP_AT, total)
        _write_udp_length(buffer, place + UDP_AT, total - IP_LENGTH)
        folded = receiver.partial_sum + total
        folded = (folded & 0xFFFF) + (folded >> 16)
        folded = (folded & 0xFFFF) + (folded >> 16)
        _write_checksum(buffer, place + IP_AT, ~folded & 0xFFFF)
    return count


@uncounted
def frame_length(receiver: Any, n: int) -> int:
    """Bytes of the frame in place ``n``."""
    return word(receiver.messages[n].length) + HEADERS
