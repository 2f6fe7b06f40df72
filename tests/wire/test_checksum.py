"""The Internet checksum against the RFCs' own numbers and a slow sum."""

import numpy as np
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from wire import checksum

words = st.integers(0, 0xFFFF)


def slow_sum(data: bytes) -> int:
    """RFC 1071's definition, word by word with end-around carry."""
    total = 0
    for i in range(0, len(data), 2):
        total += int.from_bytes(data[i : i + 2].ljust(2, b"\0"), "big")
        total = (total & 0xFFFF) + (total >> 16)
    return total


def test_the_example_of_rfc_1071() -> None:
    buffer = np.frombuffer(bytes.fromhex("0001f203f4f5f6f7"), np.uint8)
    assert checksum.word_sum(buffer, 0, 8) == 0xDDF2
    assert checksum.checksum(buffer, 0, 8, 0) == 0x220D


def test_the_example_of_rfc_1624() -> None:
    assert checksum.update(0xDD2F, 0x5555, 0x3285) == 0x0000


@given(data=st.binary(max_size=200), at=st.integers(0, 9), start=words)
def test_the_sum_is_the_definition_s(data: bytes, at: int, start: int) -> None:
    buffer = np.frombuffer(b"\xff" * at + data + b"\xff" * 3, np.uint8)
    assert checksum.word_sum(buffer, at, len(data)) == slow_sum(data)
    total = slow_sum(data) + start
    total = (total & 0xFFFF) + (total >> 16)
    assert checksum.checksum(buffer, at, len(data), start) == total ^ 0xFFFF


@given(total=st.integers(0, (1 << 63) - 1))
@example(total=0x10000_FFFFFFFF)  # carries three times
@example(total=(1 << 63) - 1)
def test_a_folded_sum_is_congruent_and_16_bits(total: int) -> None:
    folded = checksum.fold(total)
    assert 0 <= folded <= 0xFFFF
    assert folded % 0xFFFF == total % 0xFFFF
    assert (folded == 0) == (total == 0)


def test_no_carry_is_lost_in_the_longest_packet() -> None:
    buffer = np.full(0xFFFF, 0xFF, np.uint8)
    assert checksum.word_sum(buffer, 0, len(buffer)) == slow_sum(buffer.tobytes())


@given(data=st.binary(min_size=4, max_size=60), new=words, place=st.integers(0, 100))
def test_an_update_equals_a_new_sum(data: bytes, new: int, place: int) -> None:
    data = data[: len(data) // 2 * 2]
    at = place % (len(data) // 2) * 2
    changed = data[:at] + new.to_bytes(2, "big") + data[at + 2 :]
    before, after = (checksum.checksum(np.frombuffer(d, np.uint8), 0, len(d), 0) for d in (data, changed))
    if any(changed):  # all zeros sum to +0, which an incremental update cannot reach (RFC 1624, section 3)
        assert checksum.update(before, int.from_bytes(data[at : at + 2], "big"), new) == after


@pytest.mark.oracle
@given(source=st.integers(0, 2**32 - 1), destination=st.integers(0, 2**32 - 1), length=words)
def test_the_pseudo_header_is_scapy_s(source: int, destination: int, length: int) -> None:
    pytest.importorskip("scapy")
    from scapy.layers.inet import IP, in4_pseudoheader
    from scapy.utils import checksum as scapy_checksum

    from wire.ipv4 import address_text

    header = IP(src=address_text(source), dst=address_text(destination))
    expected = scapy_checksum(in4_pseudoheader(17, header, length))
    assert checksum.pseudo_header_sum(source, destination, 17, length) ^ 0xFFFF == expected
