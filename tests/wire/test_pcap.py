"""Capture files: ours read by scapy, scapy's and hand-made ones read by us, damage named by its place."""

import io
import struct
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from wire import pcap
from wire.errors import FieldError, LengthError
from wire.pcap import Captured

captured = st.lists(
    st.builds(
        lambda stamp, data, more: Captured(stamp, data, len(data) + more),
        st.integers(0, (1 << 32) * 10**9 - 1),
        st.binary(max_size=80),
        st.integers(0, 9),
    ),
    max_size=6,
)


@given(packets=captured, order=st.sampled_from(["little", "big"]), nanoseconds=st.booleans())
def test_packets_come_back(
    tmp_path_factory: Any, packets: list[Captured], order: Any, nanoseconds: bool
) -> None:
    path = tmp_path_factory.mktemp("pcap") / "a.pcap"
    with pcap.Writer(path, order=order, nanoseconds=nanoseconds) as writer:
        for packet in packets:
            writer.write(packet.timestamp, packet.data, packet.original_length)
    unit = 1 if nanoseconds else 1000
    expected = [Captured(p.timestamp // unit * unit, p.data, p.original_length) for p in packets]
    assert pcap.read(path) == expected


@pytest.mark.oracle
@pytest.mark.parametrize("nanoseconds", [True, False])
def test_scapy_reads_what_we_write_and_we_what_it_writes(tmp_path: Path, nanoseconds: bool) -> None:
    pytest.importorskip("scapy")
    from scapy.utils import RawPcapReader, RawPcapWriter

    stamp, data = 1_700_000_000_123_456_000, bytes(range(60))
    with pcap.Writer(tmp_path / "ours.pcap", nanoseconds=nanoseconds) as writer:
        writer.write(stamp, data, 99)
    with RawPcapReader(str(tmp_path / "ours.pcap")) as reader:
        ((found, meta),) = list(reader)
    fraction = stamp % 10**9 // (1 if nanoseconds else 1000)
    assert (found, meta.sec, meta.usec, meta.wirelen) == (data, stamp // 10**9, fraction, 99)
    with RawPcapWriter(str(tmp_path / "theirs.pcap"), nano=nanoseconds, linktype=1) as theirs:
        theirs.write_header(data)
        theirs.write_packet(data, sec=stamp // 10**9, usec=fraction)
    assert pcap.read(tmp_path / "theirs.pcap") == [Captured(stamp, data, len(data))]


def block(order: str, kind: int, body: bytes) -> bytes:
    padded = body + bytes(-len(body) % 4)
    total = struct.pack(order + "I", 12 + len(padded))
    return struct.pack(order + "I", kind) + total + padded + total


def option(order: str, code: int, value: bytes) -> bytes:
    return struct.pack(order + "HH", code, len(value)) + value + bytes(-len(value) % 4)


def section(order: str) -> bytes:
    return block(order, 0x0A0D0D0A, struct.pack(order + "IHHq", 0x1A2B3C4D, 1, 0, -1))


def interface(order: str, options: bytes = b"", snap: int = 0) -> bytes:
    return block(order, 1, struct.pack(order + "HHI", 1, 0, snap) + options)


def enhanced(order: str, number: int, count: int, data: bytes) -> bytes:
    head = struct.pack(order + "IIIII", number, count >> 32, count & 0xFFFFFFFF, len(data), len(data) + 1)
    return block(
        order, 6, head + data + bytes(-len(data) % 4) + option(order, 1, b"a comment") + option(order, 0, b"")
    )


@pytest.mark.parametrize("order", ["<", ">"])
def test_pcapng_is_read_whatever_its_order_and_clock(order: str) -> None:
    name = option(order, 2, b"eth0")
    file = (
        section(order)
        + interface(order, name)  # microseconds by default
        + interface(order, option(order, 9, b"\x09") + option(order, 14, struct.pack(order + "q", 5)))
        + interface(order, option(order, 9, b"\x8a"))  # 2^-10 s
        + block(order, 0x0BAD, b"unknown block")
        + enhanced(order, 0, 1_700_000_000_000_001, b"one")
        + enhanced(order, 1, 1_700_000_000_000_000_002, b"three")
        + enhanced(order, 2, 1 << 40, b"")
        + block(order, 3, struct.pack(order + "I", 5) + b"whole")
        + section(order)
        + interface(order, snap=2)
        + block(order, 3, struct.pack(order + "I", 5) + b"cu")
    )
    assert list(pcap.packets(io.BytesIO(file))) == [
        Captured(1_700_000_000_000_001_000, b"one", 4),
        Captured(1_700_000_005_000_000_002, b"three", 6),
        Captured((1 << 30) * 10**9, b"", 1),
        Captured(0, b"whole", 5),
        Captured(0, b"cu", 5),
    ]


def test_a_file_cut_anywhere_is_an_error_that_names_the_place(tmp_path: Path) -> None:
    with pcap.Writer(tmp_path / "a.pcap") as writer:
        writer.write(1, b"abc")
        writer.write(2, b"defgh")
    classic = (tmp_path / "a.pcap").read_bytes()
    next_generation = section("<") + interface("<") + enhanced("<", 0, 1, b"abc")
    for whole, begins in (
        (classic, [0, 24, 43]),
        (next_generation, [0, len(section("<")), len(section("<")) + len(interface("<"))]),
    ):
        assert list(pcap.packets(io.BytesIO(whole)))
        for cut in range(len(whole)):
            file = io.BytesIO(whole[:cut])
            if cut in begins[1:]:
                list(pcap.packets(file))
                continue
            with pytest.raises(LengthError) as caught:
                list(pcap.packets(file))
            places = {max(b for b in begins if b <= cut), *([40, 59] if whole is classic else [])}
            assert caught.value.offset in places
            assert caught.value.found < caught.value.expected


def test_what_is_no_capture_is_refused() -> None:
    good = section("<") + interface("<")
    length = len(good)
    for data, offset, name in (
        (b"\x1f\x8b\x08\x00", 0, "magic"),
        (
            struct.pack("<IHHiIII", 0xA1B2C3D4, 2, 4, 0, 0, 1, 1) + struct.pack("<IIII", 0, 0, 1 << 31, 0),
            32,
            "captured_length",
        ),
        (good[:8] + b"abcd" + good[12:], 8, "byte_order"),
        (good + struct.pack("<II", 6, 13), length + 4, "length"),
        (good + struct.pack("<III", 6, 12, 16), length + 8, "length"),
        (good + enhanced("<", 1, 0, b""), length + 8, "interface"),
        (section("<") + block("<", 3, bytes(4)), len(section("<")), "interface"),
    ):
        with pytest.raises(FieldError) as caught:
            list(pcap.packets(io.BytesIO(data)))
        assert (caught.value.offset, caught.value.field) == (offset, name)
    for data in (
        good + block("<", 6, bytes(8)),
        good + block("<", 3, b""),
        good + block("<", 3, struct.pack("<I", 9)),
        good + block("<", 6, struct.pack("<IIIII", 0, 0, 0, 9, 9)),
        good + block("<", 1, bytes(4)),
        section("<") + interface("<", struct.pack("<HH", 2, 9)),
    ):
        with pytest.raises(LengthError):
            list(pcap.packets(io.BytesIO(data)))


def test_what_a_capture_cannot_hold_is_refused(tmp_path: Path) -> None:
    with pcap.Writer(tmp_path / "a.pcap") as writer:
        for stamp in (-1, (1 << 32) * 10**9):
            with pytest.raises(FieldError):
                writer.write(stamp, b"")
        with pytest.raises(FieldError):
            writer.write(0, bytes(pcap.MAX_LENGTH + 1))
    assert pcap.read(tmp_path / "a.pcap") == []
