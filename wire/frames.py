"""Whole frames: a UDP datagram or TCP segment in IPv4 in Ethernet, with VLAN tags and all checksums.

``udp_frame`` and ``tcp_frame`` build, ``parse`` takes apart with typed errors. The compiled parsers, which
return a status, are those of :mod:`wire.ingress`; both make the same checks in the same order.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from wire.checksum import checksum, pseudo_header_sum
from wire.errors import ChecksumError, FieldError, LengthError
from wire.ethernet import ETHERNET, IPV4_TYPE, MAX_TAGS, MIN_FRAME, SERVICE_VLAN_TYPE, VLAN, VLAN_TYPE
from wire.ipv4 import DONT_FRAGMENT, FRAGMENT_MASK, IPV4, TCP_PROTOCOL, UDP_PROTOCOL
from wire.layout import Record
from wire.tcp import TCP
from wire.udp import ABSENT, UDP

MAX_OPTIONS = 40
"""Bytes of options that an IPv4 or TCP header has room for."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Frame:
    """One frame, field by field: what :func:`build` lays out and :func:`parse` finds. Lengths follow from it.

    The checksums do too where they are None; a number stands as it is, 0 for a UDP sender that computes none.
    ``tags`` are (EtherType of the tag, tag control), the outer one first. ``rest`` is what stands in the IPv4
    payload behind the UDP length, ``trailer`` what follows the IPv4 total length: padding, or a capture
    device's own words.
    """

    destination_mac: int = 0
    source_mac: int = 0
    tags: tuple[tuple[int, int], ...] = ()
    type_of_service: int = 0
    identification: int = 0
    flags_fragment: int = DONT_FRAGMENT
    time_to_live: int = 64
    protocol: int = UDP_PROTOCOL
    source: int = 0
    destination: int = 0
    ip_checksum: int | None = None
    ip_options: bytes = b""
    source_port: int = 0
    destination_port: int = 0
    transport_checksum: int | None = None
    sequence_number: int = 0
    acknowledgment_number: int = 0
    reserved: int = 0
    flags: int = 0
    window: int = 0
    urgent_pointer: int = 0
    tcp_options: bytes = b""
    payload: bytes = b""
    rest: bytes = b""
    trailer: bytes = b""


def udp_frame(
    payload: bytes,
    *,
    source: int,
    destination: int,
    source_port: int,
    destination_port: int,
    source_mac: int = 0,
    destination_mac: int = 0,
    vlans: Sequence[int] = (),
    identification: int = 0,
    time_to_live: int = 64,
    checksummed: bool = True,
) -> bytes:
    """A frame with one UDP datagram, padded to 60 bytes.

    ``vlans`` are tag controls (a VLAN id is one), the outer one first. Errors as :func:`build`.
    """
    frame = build(
        Frame(
            destination_mac=destination_mac,
            source_mac=source_mac,
            tags=_tags(vlans),
            identification=identification,
            time_to_live=time_to_live,
            source=source,
            destination=destination,
            source_port=source_port,
            destination_port=destination_port,
            transport_checksum=None if checksummed else ABSENT,
            payload=payload,
        )
    )
    return frame.ljust(MIN_FRAME, b"\0")


def tcp_frame(
    payload: bytes,
    *,
    source: int,
    destination: int,
    source_port: int,
    destination_port: int,
    sequence_number: int,
    acknowledgment_number: int,
    flags: int,
    window: int = 0xFFFF,
    options: bytes = b"",
    source_mac: int = 0,
    destination_mac: int = 0,
    vlans: Sequence[int] = (),
    identification: int = 0,
    time_to_live: int = 64,
) -> bytes:
    """A frame with one TCP segment, padded to 60 bytes; ``vlans`` as for :func:`udp_frame`. Errors as
    :func:`build`.
    """
    frame = build(
        Frame(
            destination_mac=destination_mac,
            source_mac=source_mac,
            tags=_tags(vlans),
            identification=identification,
            time_to_live=time_to_live,
            protocol=TCP_PROTOCOL,
            source=source,
            destination=destination,
            source_port=source_port,
            destination_port=destination_port,
            sequence_number=sequence_number,
            acknowledgment_number=acknowledgment_number,
            flags=flags,
            window=window,
            tcp_options=options,
            payload=payload,
        )
    )
    return frame.ljust(MIN_FRAME, b"\0")


def _tags(vlans: Sequence[int]) -> tuple[tuple[int, int], ...]:
    """The outer of two tags is a service tag."""
    types = (SERVICE_VLAN_TYPE, VLAN_TYPE)[-len(vlans) :] if vlans else ()
    if len(vlans) > MAX_TAGS:
        raise FieldError(VLAN.name, "tag_control", None, list(vlans), f"more than {MAX_TAGS} tags")
    return tuple(zip(types, vlans, strict=True))


def build(frame: Frame) -> bytes:
    """The bytes of a frame, lengths and checksums computed.

    Raises
    ------
    FieldError
        A value that does not fit its field, options that are not whole words or too long, a protocol other
        than UDP or TCP.
    """
    _check_options(IPV4, "version_length", frame.ip_options)
    record, transport = _transport(frame)
    header_length = IPV4.length + len(frame.ip_options)
    header = bytearray(
        IPV4.pack(
            version_length=4 << 4 | header_length // 4,
            type_of_service=frame.type_of_service,
            total_length=header_length + len(transport) + len(frame.rest),
            identification=frame.identification,
            flags_fragment=frame.flags_fragment,
            time_to_live=frame.time_to_live,
            protocol=frame.protocol,
            source=frame.source,
            destination=frame.destination,
        )
        + frame.ip_options
    )
    _put_checksum(IPV4, header, _checksum(header, 0) if frame.ip_checksum is None else frame.ip_checksum)
    if frame.transport_checksum is None:
        start = pseudo_header_sum(frame.source, frame.destination, frame.protocol, len(transport))
        _put_checksum(record, transport, _written(record, _checksum(transport, start)))
    else:
        _put_checksum(record, transport, frame.transport_checksum)

    types = [tag for tag, _ in frame.tags] + [IPV4_TYPE]
    link = ETHERNET.pack(destination=frame.destination_mac, source=frame.source_mac, ethertype=types[0])
    for (_, control), following in zip(frame.tags, types[1:], strict=True):
        link += VLAN.pack(tag_control=control, ethertype=following)
    return b"".join((link, header, transport, frame.rest, frame.trailer))


def _transport(frame: Frame) -> tuple[Record, bytearray]:
    """The record of a frame's transport header, and header and payload with checksum 0."""
    if frame.protocol == UDP_PROTOCOL:
        head = UDP.pack(
            source_port=frame.source_port,
            destination_port=frame.destination_port,
            length=UDP.length + len(frame.payload),
        )
        return UDP, bytearray(head + frame.payload)
    if frame.protocol == TCP_PROTOCOL:
        _check_options(TCP, "data_offset", frame.tcp_options)
        head = TCP.pack(
            source_port=frame.source_port,
            destination_port=frame.destination_port,
            sequence_number=frame.sequence_number,
            acknowledgment_number=frame.acknowledgment_number,
            data_offset=(TCP.length + len(frame.tcp_options)) // 4 << 4 | frame.reserved,
            flags=frame.flags,
            window=frame.window,
            urgent_pointer=frame.urgent_pointer,
        )
        return TCP, bytearray(head + frame.tcp_options + frame.payload)
    place = IPV4.offset("protocol")
    raise FieldError(IPV4.name, "protocol", place, frame.protocol, "neither UDP nor TCP")


def _check_options(record: Record, name: str, options: bytes) -> None:
    if len(options) % 4 or len(options) > MAX_OPTIONS:
        raise FieldError(
            record.name, name, record.offset(name), options, "options are 0 to 10 words of 4 bytes"
        )


def _checksum(data: bytes | bytearray, start: int) -> int:
    return int(checksum(np.frombuffer(data, np.uint8), 0, len(data), start))


def _put_checksum(record: Record, data: bytearray, value: int) -> None:
    at = record.offset("checksum")
    if not 0 <= value <= 0xFFFF:
        raise FieldError(record.name, "checksum", at, value, "does not fit 2 bytes")
    data[at : at + 2] = value.to_bytes(2, "big")


def _written(record: Record, value: int) -> int:
    """What a checksum is written as: a UDP checksum of 0 as 0xFFFF, because 0 says that there is none."""
    return 0xFFFF if record is UDP and value == ABSENT else value


def parse(data: bytes | bytearray | memoryview, *, verify: bool = True) -> Frame:
    """A UDP or TCP frame taken apart; ``build`` of the result gives the same bytes.

    With ``verify`` off a wrong checksum is not an error but kept: some published captures have theirs
    blanked.

    Raises
    ------
    LengthError
        Shorter than a header or a length field says.
    FieldError
        Not IPv4, a fragment, or a protocol other than UDP or TCP.
    ChecksumError
        IPv4, UDP or TCP checksum wrong. ``offset`` is that of the checksum field.
    """
    data = bytes(data)
    link = ETHERNET.unpack(data, exact=False)
    tags: list[tuple[int, int]] = []
    at, ethertype = ETHERNET.length, link["ethertype"]
    while ethertype in (VLAN_TYPE, SERVICE_VLAN_TYPE) and len(tags) < MAX_TAGS:
        tag = VLAN.unpack(data, at, exact=False)
        tags.append((ethertype, tag["tag_control"]))
        at, ethertype = at + VLAN.length, tag["ethertype"]
    if ethertype != IPV4_TYPE:
        raise FieldError(ETHERNET.name, "ethertype", at - 2, ethertype, "not IPv4")

    ip = IPV4.unpack(data, at, exact=False)
    if ip["version_length"] >> 4 != 4:
        raise FieldError(IPV4.name, "version_length", at, ip["version_length"], "not version 4")
    header_length, found = 4 * (ip["version_length"] & 15), len(data) - at
    if not IPV4.length <= header_length <= found:
        expected = max(IPV4.length, header_length)
        raise LengthError(IPV4.name, at, expected=expected, found=min(header_length, found))
    if not header_length <= ip["total_length"] <= found:
        raise LengthError(
            IPV4.name, at + IPV4.offset("total_length"), expected=ip["total_length"], found=found
        )
    ip_checksum = _judge(IPV4, data[at : at + header_length], 0, at, ip["checksum"], verify)
    if ip["flags_fragment"] & FRAGMENT_MASK:
        place = at + IPV4.offset("flags_fragment")
        raise FieldError(IPV4.name, "flags_fragment", place, ip["flags_fragment"], "a fragment")
    common = Frame(
        destination_mac=link["destination"],
        source_mac=link["source"],
        tags=tuple(tags),
        type_of_service=ip["type_of_service"],
        identification=ip["identification"],
        flags_fragment=ip["flags_fragment"],
        time_to_live=ip["time_to_live"],
        protocol=ip["protocol"],
        source=ip["source"],
        destination=ip["destination"],
        ip_checksum=ip_checksum,
        ip_options=data[at + IPV4.length : at + header_length],
        trailer=data[at + ip["total_length"] :],
    )
    begin, end = at + header_length, at + ip["total_length"]
    if ip["protocol"] == UDP_PROTOCOL:
        return _parse_udp(common, data[:end], begin, verify)
    if ip["protocol"] == TCP_PROTOCOL:
        return _parse_tcp(common, data[:end], begin, verify)
    place = at + IPV4.offset("protocol")
    raise FieldError(IPV4.name, "protocol", place, ip["protocol"], "neither UDP nor TCP")


def _parse_udp(common: Frame, data: bytes, at: int, verify: bool) -> Frame:
    head = UDP.unpack(data, at, exact=False)
    size, have = head["length"], len(data) - at
    if not UDP.length <= size <= have:
        raise LengthError(
            UDP.name, at + UDP.offset("length"), expected=max(size, UDP.length), found=min(size, have)
        )
    found: int | None = head["checksum"]
    if found != ABSENT:
        start = pseudo_header_sum(common.source, common.destination, UDP_PROTOCOL, size)
        found = _judge(UDP, data[at : at + size], start, at, head["checksum"], verify)
    return replace(
        common,
        source_port=head["source_port"],
        destination_port=head["destination_port"],
        transport_checksum=found,
        payload=data[at + UDP.length : at + size],
        rest=data[at + size :],
    )


def _parse_tcp(common: Frame, data: bytes, at: int, verify: bool) -> Frame:
    head = TCP.unpack(data, at, exact=False)
    header_length, have = 4 * (head["data_offset"] >> 4), len(data) - at
    if not TCP.length <= header_length <= have:
        place = at + TCP.offset("data_offset")
        raise LengthError(
            TCP.name, place, expected=max(header_length, TCP.length), found=min(header_length, have)
        )
    start = pseudo_header_sum(common.source, common.destination, TCP_PROTOCOL, have)
    found = _judge(TCP, data[at:], start, at, head["checksum"], verify)
    return replace(
        common,
        source_port=head["source_port"],
        destination_port=head["destination_port"],
        sequence_number=head["sequence_number"],
        acknowledgment_number=head["acknowledgment_number"],
        reserved=head["data_offset"] & 15,
        flags=head["flags"],
        window=head["window"],
        urgent_pointer=head["urgent_pointer"],
        transport_checksum=found,
        tcp_options=data[at + TCP.length : at + header_length],
        payload=data[at + header_length :],
    )


def _judge(record: Record, covered: bytes, start: int, at: int, found: int, verify: bool) -> int | None:
    """None for the checksum that :func:`build` would write, ``found`` for another that may stand."""
    residue = _checksum(covered, start)
    right = (found + residue) % 0xFFFF
    if residue and verify:
        raise ChecksumError(record.name, at + record.offset("checksum"), expected=right, found=found)
    return None if found == _written(record, right) else found
