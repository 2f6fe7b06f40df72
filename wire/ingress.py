"""Frames as they come in, compiled: where the payload is, or why there is none.

Nothing here raises. Checks come in the order of ``docs/architecture.md``, "Ingest", and the first that fails
gives the status; the names are those of the counters. A frame is ``length`` bytes of ``buffer`` from ``at``,
without frame check sequence; what was found is written to ``out``, an ``int64`` vector of ``OUT_SIZE``
places.
"""

from __future__ import annotations

from enum import IntEnum
from typing import Any

from wire.checksum import checksum, pseudo_header_sum
from wire.compiled import compiled
from wire.ethernet import ETHERNET, IPV4_TYPE, MAX_TAGS, SERVICE_VLAN_TYPE, VLAN, VLAN_TYPE
from wire.ipv4 import FRAGMENT_MASK, IPV4, TCP_PROTOCOL, UDP_PROTOCOL
from wire.tcp import TCP
from wire.udp import ABSENT, UDP


class FrameStatus(IntEnum):
    """What a frame is; the name in lower case is the counter's."""

    OK = 0
    TRUNCATED = 1
    NOT_IPV4 = 2
    BAD_IP_CHECKSUM = 3
    FRAGMENT = 4
    NOT_UDP = 5
    BAD_UDP_CHECKSUM = 6
    NOT_TCP = 7
    BAD_TCP_CHECKSUM = 8


# places in ``out``; positions count from the start of the buffer
PAYLOAD_AT, PAYLOAD_LENGTH = 0, 1
SOURCE, DESTINATION, SOURCE_PORT, DESTINATION_PORT = 2, 3, 4, 5
IP_AT, TRANSPORT_AT, TRANSPORT_LENGTH = 6, 7, 8
SEQUENCE_NUMBER, ACKNOWLEDGMENT_NUMBER, FLAGS, WINDOW = 9, 10, 11, 12
OUT_SIZE = 16

_ethertype = ETHERNET.reader("ethertype")
_tag_ethertype = VLAN.reader("ethertype")
_version_length = IPV4.reader("version_length")
_total_length = IPV4.reader("total_length")
_flags_fragment = IPV4.reader("flags_fragment")
_protocol = IPV4.reader("protocol")
_source = IPV4.reader("source")
_destination = IPV4.reader("destination")
_write_total_length = IPV4.writer("total_length")
_write_ip_checksum = IPV4.writer("checksum")
_udp_source_port = UDP.reader("source_port")
_udp_destination_port = UDP.reader("destination_port")
_udp_length = UDP.reader("length")
_udp_checksum = UDP.reader("checksum")
_write_udp_length = UDP.writer("length")
_write_udp_checksum = UDP.writer("checksum")
_tcp_source_port = TCP.reader("source_port")
_tcp_destination_port = TCP.reader("destination_port")
_tcp_sequence_number = TCP.reader("sequence_number")
_tcp_acknowledgment_number = TCP.reader("acknowledgment_number")
_tcp_data_offset = TCP.reader("data_offset")
_tcp_flags = TCP.reader("flags")
_tcp_window = TCP.reader("window")
_write_tcp_checksum = TCP.writer("checksum")


ETHERNET_LENGTH, VLAN_LENGTH, IPV4_LENGTH = ETHERNET.length, VLAN.length, IPV4.length
UDP_LENGTH, TCP_LENGTH = UDP.length, TCP.length


@compiled
def ip_position(buffer: Any, at: int, length: int) -> int:
    """Where the IPv4 header begins, behind at most two VLAN tags; or a :class:`FrameStatus`, negated."""
    if length < ETHERNET_LENGTH:
        return -FrameStatus.TRUNCATED.value
    position, ethertype = at + ETHERNET_LENGTH, _ethertype(buffer, at)
    for _ in range(MAX_TAGS):
        if ethertype in (VLAN_TYPE, SERVICE_VLAN_TYPE):
            if position + VLAN_LENGTH > at + length:
                return -FrameStatus.TRUNCATED.value
            ethertype = _tag_ethertype(buffer, position)
            position += VLAN_LENGTH
    return position if ethertype == IPV4_TYPE else -FrameStatus.NOT_IPV4.value


@compiled
def ip_payload(buffer: Any, at: int, length: int, out: Any) -> int:
    """Status of the frame down to its IPv4 header; writes the addresses, ``IP_AT`` and the ``TRANSPORT``
    places.
    """
    position = ip_position(buffer, at, length)
    if position < 0:
        return -position
    have = at + length - position
    if have < IPV4_LENGTH:
        return FrameStatus.TRUNCATED.value
    version_length = _version_length(buffer, position)
    if version_length >> 4 != 4:
        return FrameStatus.NOT_IPV4.value
    header_length = 4 * (version_length & 15)
    total_length = _total_length(buffer, position)
    if header_length < IPV4_LENGTH or header_length > total_length or total_length > have:
        return FrameStatus.TRUNCATED.value
    if checksum(buffer, position, header_length, 0) != 0:
        return FrameStatus.BAD_IP_CHECKSUM.value
    if _flags_fragment(buffer, position) & FRAGMENT_MASK != 0:
        return FrameStatus.FRAGMENT.value
    out[IP_AT] = position
    out[SOURCE] = _source(buffer, position)
    out[DESTINATION] = _destination(buffer, position)
    out[TRANSPORT_AT] = position + header_length
    out[TRANSPORT_LENGTH] = total_length - header_length
    return FrameStatus.OK.value


@compiled
def udp_header(buffer: Any, at: int, length: int, out: Any) -> int:
    """Status of the frame but for the UDP checksum; writes ports and payload place."""
    status = ip_payload(buffer, at, length, out)
    if status != FrameStatus.OK.value:
        return status
    if _protocol(buffer, out[IP_AT]) != UDP_PROTOCOL:
        return FrameStatus.NOT_UDP.value
    position, have = out[TRANSPORT_AT], out[TRANSPORT_LENGTH]
    if have < UDP_LENGTH:
        return FrameStatus.TRUNCATED.value
    size = _udp_length(buffer, position)
    if size < UDP_LENGTH or size > have:
        return FrameStatus.TRUNCATED.value
    out[SOURCE_PORT] = _udp_source_port(buffer, position)
    out[DESTINATION_PORT] = _udp_destination_port(buffer, position)
    out[PAYLOAD_AT] = position + UDP_LENGTH
    out[PAYLOAD_LENGTH] = size - UDP_LENGTH
    return FrameStatus.OK.value


@compiled
def udp_checksum(buffer: Any, out: Any) -> int:
    """Status of the UDP checksum of a frame that :func:`udp_header` found ``OK``; absent is right."""
    position = out[TRANSPORT_AT]
    if _udp_checksum(buffer, position) == ABSENT:
        return FrameStatus.OK.value
    size = out[PAYLOAD_LENGTH] + UDP_LENGTH
    start = pseudo_header_sum(out[SOURCE], out[DESTINATION], UDP_PROTOCOL, size)
    if checksum(buffer, position, size, start) != 0:
        return FrameStatus.BAD_UDP_CHECKSUM.value
    return FrameStatus.OK.value


@compiled
def udp_payload(buffer: Any, at: int, length: int, out: Any) -> int:
    """A :class:`FrameStatus`; when ``OK``, ``out`` says where the UDP payload is and whose."""
    status = udp_header(buffer, at, length, out)
    return status if status != FrameStatus.OK.value else udp_checksum(buffer, out)


@compiled
def tcp_payload(buffer: Any, at: int, length: int, out: Any) -> int:
    """A :class:`FrameStatus`; when ``OK``, ``out`` says where the TCP payload is and what the header says."""
    status = ip_payload(buffer, at, length, out)
    if status != FrameStatus.OK.value:
        return status
    if _protocol(buffer, out[IP_AT]) != TCP_PROTOCOL:
        return FrameStatus.NOT_TCP.value
    position, have = out[TRANSPORT_AT], out[TRANSPORT_LENGTH]
    if have < TCP_LENGTH:
        return FrameStatus.TRUNCATED.value
    header_length = 4 * (_tcp_data_offset(buffer, position) >> 4)
    if header_length < TCP_LENGTH or header_length > have:
        return FrameStatus.TRUNCATED.value
    if (
        checksum(buffer, position, have, pseudo_header_sum(out[SOURCE], out[DESTINATION], TCP_PROTOCOL, have))
        != 0
    ):
        return FrameStatus.BAD_TCP_CHECKSUM.value
    out[SOURCE_PORT] = _tcp_source_port(buffer, position)
    out[DESTINATION_PORT] = _tcp_destination_port(buffer, position)
    out[SEQUENCE_NUMBER] = _tcp_sequence_number(buffer, position)
    out[ACKNOWLEDGMENT_NUMBER] = _tcp_acknowledgment_number(buffer, position)
    out[FLAGS] = _tcp_flags(buffer, position)
    out[WINDOW] = _tcp_window(buffer, position)
    out[PAYLOAD_AT] = position + header_length
    out[PAYLOAD_LENGTH] = have - header_length
    return FrameStatus.OK.value


@compiled
def seal(buffer: Any, at: int, length: int) -> int:
    """Writes the lengths and checksums of a frame made from a template: headers in place, payload up to its
    end.

    No padding may follow the payload. The status says what is not a frame that can be sealed; then nothing is
    written.
    """
    position = ip_position(buffer, at, length)
    if position < 0:
        return -position
    total_length = at + length - position
    if total_length < IPV4_LENGTH or total_length > 0xFFFF:
        return FrameStatus.TRUNCATED.value
    version_length, protocol = _version_length(buffer, position), _protocol(buffer, position)
    if version_length >> 4 != 4:
        return FrameStatus.NOT_IPV4.value
    header_length = 4 * (version_length & 15)
    size = total_length - header_length
    if protocol != UDP_PROTOCOL and protocol != TCP_PROTOCOL:
        return FrameStatus.NOT_UDP.value
    if header_length < IPV4_LENGTH or size < (UDP_LENGTH if protocol == UDP_PROTOCOL else TCP_LENGTH):
        return FrameStatus.TRUNCATED.value
    _write_total_length(buffer, position, total_length)
    _write_ip_checksum(buffer, position, 0)
    _write_ip_checksum(buffer, position, checksum(buffer, position, header_length, 0))
    begin = position + header_length
    start = pseudo_header_sum(_source(buffer, position), _destination(buffer, position), protocol, size)
    if protocol == UDP_PROTOCOL:
        _write_udp_length(buffer, begin, size)
        _write_udp_checksum(buffer, begin, 0)
        value = checksum(buffer, begin, size, start)
        _write_udp_checksum(buffer, begin, value if value != ABSENT else 0xFFFF)
    else:
        _write_tcp_checksum(buffer, begin, 0)
        _write_tcp_checksum(buffer, begin, checksum(buffer, begin, size, start))
    return FrameStatus.OK.value
