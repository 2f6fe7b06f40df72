"""Frames: built as scapy builds them, taken apart as they were put together, refused where they are wrong."""

from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from wire import ethernet, frames, ingress, ipv4, tcp
from wire.errors import ChecksumError, FieldError, LengthError, WireError
from wire.frames import Frame
from wire.ingress import FrameStatus

octets2, octets4, octets6 = (st.integers(0, (1 << 8 * n) - 1) for n in (2, 4, 6))
options = st.integers(0, 10).flatmap(lambda n: st.binary(min_size=4 * n, max_size=4 * n))
tags = st.lists(st.tuples(st.sampled_from([0x8100, 0x88A8]), octets2), max_size=2).map(tuple)
padding = st.binary(max_size=20)
link = {
    "destination_mac": octets6,
    "source_mac": octets6,
    "tags": tags,
    "type_of_service": st.integers(0, 255),
    "identification": octets2,
    "flags_fragment": st.sampled_from([0, 0x4000, 0x8000, 0xC000]),
    "time_to_live": st.integers(0, 255),
    "source": octets4,
    "destination": octets4,
    "ip_options": options,
    "source_port": octets2,
    "destination_port": octets2,
    "payload": st.binary(max_size=80),
    "trailer": padding,
}
udp_frames = st.builds(Frame, **link, rest=padding, transport_checksum=st.sampled_from([None, 0]))
tcp_frames = st.builds(
    Frame,
    **link,
    protocol=st.just(6),
    sequence_number=octets4,
    acknowledgment_number=octets4,
    reserved=st.integers(0, 15),
    flags=st.integers(0, 255),
    window=octets2,
    urgent_pointer=octets2,
    tcp_options=options,
)
UDP_FRAME = Frame(source=1, destination=2, source_port=3, destination_port=4, payload=b"abcd")
TCP_FRAME = replace(UDP_FRAME, protocol=6)


def compiled(data: bytes, parser: Any = ingress.udp_payload) -> tuple[FrameStatus, np.ndarray]:
    """Status and findings for a frame inside a larger buffer, places counted from the frame's start."""
    before = 5
    buffer = np.frombuffer(b"\xff" * before + data + b"\xff" * 4, np.uint8)
    out = np.full(ingress.OUT_SIZE, -1, np.int64)
    status = FrameStatus(parser(buffer, before, len(data), out))
    for place in (ingress.PAYLOAD_AT, ingress.IP_AT, ingress.TRANSPORT_AT):
        out[place] -= before
    return status, out


@given(frame=udp_frames)
def test_udp_frames_come_back_in_both_paths(frame: Frame) -> None:
    data = frames.build(frame)
    assert frames.parse(data) == frame
    status, out = compiled(data)
    assert status is FrameStatus.OK
    at, length = out[ingress.PAYLOAD_AT], out[ingress.PAYLOAD_LENGTH]
    assert data[at : at + length] == frame.payload
    assert out[ingress.SOURCE : ingress.DESTINATION_PORT + 1].tolist() == [
        frame.source,
        frame.destination,
        frame.source_port,
        frame.destination_port,
    ]


@given(frame=tcp_frames)
def test_tcp_frames_come_back_in_both_paths(frame: Frame) -> None:
    data = frames.build(frame)
    assert frames.parse(data) == frame
    status, out = compiled(data, ingress.tcp_payload)
    assert status is FrameStatus.OK
    at, length = out[ingress.PAYLOAD_AT], out[ingress.PAYLOAD_LENGTH]
    assert data[at : at + length] == frame.payload
    assert out[ingress.SEQUENCE_NUMBER : ingress.WINDOW + 1].tolist() == [
        frame.sequence_number,
        frame.acknowledgment_number,
        frame.flags,
        frame.window,
    ]
    assert compiled(data)[0] is FrameStatus.NOT_UDP


@given(frame=st.one_of(udp_frames, tcp_frames))
def test_a_sealed_template_is_the_frame_that_is_built(frame: Frame) -> None:
    frame = replace(frame, rest=b"", trailer=b"", transport_checksum=None)
    data = frames.build(frame)
    template = np.frombuffer(b"??" + frames.build(replace(frame, payload=b"")), np.uint8)
    buffer = np.concatenate([template, np.frombuffer(frame.payload, np.uint8)])
    assert FrameStatus(ingress.seal(buffer, 2, len(data))) is FrameStatus.OK
    assert buffer[2:].tobytes() == data


@pytest.mark.oracle
@given(frame=st.one_of(udp_frames, tcp_frames))
def test_frames_are_what_scapy_builds(frame: Frame) -> None:
    pytest.importorskip("scapy")
    from scapy.layers.inet import IP, TCP, UDP
    from scapy.layers.l2 import Dot1AD, Dot1Q, Ether
    from scapy.packet import Raw

    frame = replace(frame, ip_options=b"", tcp_options=b"", rest=b"", transport_checksum=None)
    packet: Any = Ether(dst=ethernet.mac_text(frame.destination_mac), src=ethernet.mac_text(frame.source_mac))
    for tag, control in frame.tags:
        layer = {0x8100: Dot1Q, 0x88A8: Dot1AD}[tag]
        packet /= layer(prio=control >> 13, dei=control >> 12 & 1, vlan=control & 0xFFF)
    packet /= IP(
        tos=frame.type_of_service,
        id=frame.identification,
        flags=frame.flags_fragment >> 13,
        ttl=frame.time_to_live,
        src=ipv4.address_text(frame.source),
        dst=ipv4.address_text(frame.destination),
    )
    if frame.protocol == 17:
        packet /= UDP(sport=frame.source_port, dport=frame.destination_port)
    else:
        packet /= TCP(
            sport=frame.source_port,
            dport=frame.destination_port,
            seq=frame.sequence_number,
            ack=frame.acknowledgment_number,
            reserved=frame.reserved >> 1,
            flags=frame.flags | (frame.reserved & 1) << 8,
            window=frame.window,
            urgptr=frame.urgent_pointer,
        )
    expected = bytes(packet / Raw(frame.payload)) + frame.trailer
    assert frames.build(frame) == expected


def test_short_frames_are_padded_and_vlans_nested() -> None:
    ends = {"source": 1, "destination": 2, "source_port": 3, "destination_port": 4}
    data = frames.udp_frame(b"x", **ends, vlans=(5, 6))
    assert len(data) == ethernet.MIN_FRAME
    assert frames.parse(data).tags == ((0x88A8, 5), (0x8100, 6))
    assert frames.parse(data).payload == b"x"
    assert frames.parse(frames.udp_frame(b"x", **ends, vlans=(5,))).tags == ((0x8100, 5),)
    assert frames.parse(frames.udp_frame(b"x", **ends, checksummed=False)).transport_checksum == 0
    segment = frames.tcp_frame(
        b"y" * 30, **ends, sequence_number=1, acknowledgment_number=2, flags=tcp.Flag.ACK
    )
    assert (frames.parse(segment).payload, frames.parse(segment).flags) == (b"y" * 30, tcp.Flag.ACK)
    with pytest.raises(FieldError, match="more than 2 tags"):
        frames.udp_frame(b"x", **ends, vlans=(1, 2, 3))


def test_a_computed_udp_checksum_of_zero_goes_out_as_ones() -> None:
    frame = replace(UDP_FRAME, payload=b"\0\0")
    body = frames.build(frame)
    at = 14 + 20
    right = int.from_bytes(body[at + 6 : at + 8], "big")
    zero = replace(frame, payload=right.to_bytes(2, "big"))  # brings the sum to all ones
    data = frames.build(zero)
    assert data[at + 6 : at + 8] == b"\xff\xff"
    assert frames.parse(data) == zero
    assert compiled(data)[0] is FrameStatus.OK
    buffer = np.frombuffer(data, np.uint8).copy()
    ingress.seal(buffer, 0, len(buffer))
    assert buffer.tobytes() == data


def broken(frame: Frame, at: int, value: bytes, *, resum: bool = True) -> bytes:
    """A frame with bytes of its IPv4 part overwritten (``at`` counts from there) and the header checksum put
    right.
    """
    data = bytearray(frames.build(frame))
    begin = 14 + 4 * len(frame.tags)
    data[begin + at : begin + at + len(value)] = value
    if resum:
        length = max(20, 4 * (data[begin] & 15))
        data[begin + 10 : begin + 12] = b"\0\0"
        total = sum(int.from_bytes(data[i : i + 2], "big") for i in range(begin, begin + length, 2))
        while total >> 16:
            total = (total & 0xFFFF) + (total >> 16)
        data[begin + 10 : begin + 12] = (total ^ 0xFFFF).to_bytes(2, "big")
    return bytes(data)


S = FrameStatus
TAGGED = replace(UDP_FRAME, tags=((0x8100, 1),))
WRONG: dict[str, tuple[bytes, FrameStatus, type[WireError], str, int]] = {
    "nothing": (b"", S.TRUNCATED, LengthError, "Ethernet", 0),
    "half an Ethernet header": (frames.build(UDP_FRAME)[:13], S.TRUNCATED, LengthError, "Ethernet", 0),
    "half a tag": (frames.build(TAGGED)[:17], S.TRUNCATED, LengthError, "802.1Q", 14),
    "half a second tag": (
        frames.build(replace(UDP_FRAME, tags=((0x88A8, 1), (0x8100, 2))))[:21],
        S.TRUNCATED,
        LengthError,
        "802.1Q",
        18,
    ),
    "ARP": (b"\xff" * 12 + b"\x08\x06" + bytes(46), S.NOT_IPV4, FieldError, "Ethernet", 12),
    "three tags": (b"\xff" * 12 + b"\x81\0\0\1" * 3 + b"\x08\0", S.NOT_IPV4, FieldError, "Ethernet", 20),
    "half an IPv4 header": (frames.build(TAGGED)[: 18 + 19], S.TRUNCATED, LengthError, "IPv4", 18),
    "version 6": (broken(UDP_FRAME, 0, b"\x65"), S.NOT_IPV4, FieldError, "IPv4", 14),
    "header of four words": (broken(UDP_FRAME, 0, b"\x44"), S.TRUNCATED, LengthError, "IPv4", 14),
    "header beyond the frame": (
        broken(UDP_FRAME, 0, b"\x4f", resum=False),
        S.TRUNCATED,
        LengthError,
        "IPv4",
        14,
    ),
    "total length inside the header": (broken(UDP_FRAME, 2, b"\0\x13"), S.TRUNCATED, LengthError, "IPv4", 16),
    "total length beyond the frame": (broken(UDP_FRAME, 2, b"\0\x21"), S.TRUNCATED, LengthError, "IPv4", 16),
    "IPv4 checksum": (
        broken(UDP_FRAME, 8, b"\x41", resum=False),
        S.BAD_IP_CHECKSUM,
        ChecksumError,
        "IPv4",
        24,
    ),
    "more fragments": (broken(UDP_FRAME, 6, b"\x20\0"), S.FRAGMENT, FieldError, "IPv4", 20),
    "a later fragment": (broken(UDP_FRAME, 6, b"\0\1"), S.FRAGMENT, FieldError, "IPv4", 20),
    "ICMP": (broken(UDP_FRAME, 9, b"\1"), S.NOT_UDP, FieldError, "IPv4", 23),
    "half a UDP header": (broken(UDP_FRAME, 2, b"\0\x1b"), S.TRUNCATED, LengthError, "UDP", 34),
    "UDP length of seven": (broken(UDP_FRAME, 24, b"\0\7", resum=False), S.TRUNCATED, LengthError, "UDP", 38),
    "UDP length beyond IPv4": (
        broken(UDP_FRAME, 24, b"\0\x0d", resum=False),
        S.TRUNCATED,
        LengthError,
        "UDP",
        38,
    ),
    "UDP checksum": (broken(UDP_FRAME, 31, b"x", resum=False), S.BAD_UDP_CHECKSUM, ChecksumError, "UDP", 40),
    "half a TCP header": (broken(TCP_FRAME, 2, b"\0\x27"), S.TRUNCATED, LengthError, "TCP", 34),
    "TCP header of four words": (
        broken(TCP_FRAME, 32, b"\x40", resum=False),
        S.TRUNCATED,
        LengthError,
        "TCP",
        46,
    ),
    "TCP header beyond IPv4": (
        broken(TCP_FRAME, 32, b"\x70", resum=False),
        S.TRUNCATED,
        LengthError,
        "TCP",
        46,
    ),
    "TCP checksum": (broken(TCP_FRAME, 43, b"x", resum=False), S.BAD_TCP_CHECKSUM, ChecksumError, "TCP", 50),
}


@pytest.mark.parametrize(("data", "status", "error", "record", "offset"), WRONG.values(), ids=WRONG.keys())
def test_what_is_wrong_is_named(
    data: bytes, status: FrameStatus, error: type[WireError], record: str, offset: int
) -> None:
    with pytest.raises(error) as caught:
        frames.parse(data)
    assert (type(caught.value), caught.value.record, caught.value.offset) == (error, record, offset)
    parser = ingress.tcp_payload if record == "TCP" else ingress.udp_payload
    assert compiled(data, parser)[0] is status
    if error is ChecksumError:  # its two numbers are those that are there and that belong there
        right = bytearray(data)
        right[offset : offset + 2] = caught.value.expected.to_bytes(2, "big")  # type: ignore[attr-defined]
        assert int.from_bytes(data[offset : offset + 2], "big") == caught.value.found  # type: ignore[attr-defined]
        assert frames.build(frames.parse(right)) == right
        assert frames.build(frames.parse(data, verify=False)) == data


def test_frames_that_cannot_be_are_not_built() -> None:
    for change, name in (
        ({"protocol": 1}, "protocol"),
        ({"ip_options": b"abc"}, "version_length"),
        ({"ip_options": bytes(44)}, "version_length"),
        ({"protocol": 6, "tcp_options": bytes(44)}, "data_offset"),
        ({"payload": bytes(0x10000)}, "length"),
        ({"payload": bytes(0xFFF0)}, "total_length"),
        ({"source_mac": 1 << 48}, "source"),
        ({"ip_checksum": 0x10000}, "checksum"),
        ({"transport_checksum": -1}, "checksum"),
        ({"tags": ((0x8100, 0x10000),)}, "tag_control"),
    ):
        with pytest.raises(FieldError) as caught:
            frames.build(replace(UDP_FRAME, **change))
        assert caught.value.field == name


def test_a_template_that_is_no_frame_is_not_sealed() -> None:
    good = frames.build(replace(UDP_FRAME, payload=b""))
    for data, status in (
        (good[:10], S.TRUNCATED),
        (good[:-1], S.TRUNCATED),
        (b"\xff" * 60, S.NOT_IPV4),
        (broken(UDP_FRAME, 0, b"\x65"), S.NOT_IPV4),
        (broken(UDP_FRAME, 9, b"\1"), S.NOT_UDP),
        (broken(UDP_FRAME, 0, b"\x44"), S.TRUNCATED),
        (good + bytes(0x10000), S.TRUNCATED),
    ):
        buffer = np.frombuffer(data, np.uint8).copy()
        assert FrameStatus(ingress.seal(buffer, 0, len(data))) is status
        assert buffer.tobytes() == data


def test_addresses_are_read_and_written() -> None:
    assert ethernet.mac_text(ethernet.mac("01:00:5E:36:0c-6f".replace("-", ":"))) == "01:00:5e:36:0c:6f"
    group = ipv4.address("233.54.12.111")
    assert ipv4.address_text(group) == "233.54.12.111"
    assert ethernet.mac_text(ethernet.multicast_mac(group)) == "01:00:5e:36:0c:6f"  # the genuine feed's
    for text in ("", "01:02", "01:02:03:04:05:100", "xx:02:03:04:05:06"):
        with pytest.raises(FieldError, match="six hexadecimal bytes"):
            ethernet.mac(text)
    with pytest.raises(FieldError, match="not an IPv4 address"):
        ipv4.address("1.2.3.256")


def test_the_frame_check_sequence_leaves_the_crc_residue() -> None:
    frame = frames.build(UDP_FRAME)
    whole = frame + ethernet.frame_check_sequence(frame)
    assert ethernet.frame_check_sequence(whole) == (0x2144DF1C).to_bytes(4, "little")  # IEEE 802.3's residue
