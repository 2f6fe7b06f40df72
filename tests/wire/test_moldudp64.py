"""MoldUDP64 packets: what goes in comes out, and nothing that does not fill its payload exactly passes."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from wire import moldudp64
from wire.errors import FieldError, LengthError
from wire.moldudp64 import Kind, Packet, PacketStatus

sessions = st.text(st.characters(min_codepoint=33, max_codepoint=126), max_size=10)
numbers = st.integers(0, (1 << 64) - 1)
payloads = st.lists(st.binary(max_size=60), max_size=12)


def compiled(payload: bytes, at: int = 3) -> tuple[int, list[bytes] | None]:
    """Status and messages as compiled code sees them, the packet with other bytes around it."""
    buffer = np.frombuffer(b"\xff" * at + payload + b"\xff" * 3, np.uint8)
    offsets, lengths = np.zeros(64, np.int64), np.zeros(64, np.int32)
    count = moldudp64.split(buffer, at, len(payload), offsets, lengths)
    found = None
    if count >= 0:
        found = [buffer[o : o + n].tobytes() for o, n in zip(offsets[:count], lengths[:count], strict=True)]
    return moldudp64.check(buffer, at, len(payload)), found


@given(session=sessions, number=numbers, messages=payloads)
def test_messages_come_back_in_both_paths(session: str, number: int, messages: list[bytes]) -> None:
    payload = moldudp64.packet(session, number, messages)
    kind = Kind.DATA if messages else Kind.HEARTBEAT
    packet = moldudp64.unpack(payload)
    assert packet == Packet(session, number, tuple(messages), kind)
    assert packet.next_sequence_number == number + len(messages)
    assert compiled(payload) == (PacketStatus.OK, messages)


@given(session=sessions, number=numbers)
def test_a_packet_without_messages_is_a_heartbeat_or_the_end(session: str, number: int) -> None:
    for payload, kind in (
        (moldudp64.heartbeat(session, number), Kind.HEARTBEAT),
        (moldudp64.end_of_session(session, number), Kind.END_OF_SESSION),
    ):
        assert len(payload) == moldudp64.HEADER_LENGTH
        assert moldudp64.unpack(payload) == Packet(session, number, (), kind)
        assert compiled(payload) == (PacketStatus.OK, [])


def test_a_request_names_what_is_wanted() -> None:
    payload = moldudp64.request("S1", 77, 5)
    assert payload == b"S1        " + (77).to_bytes(8, "big") + (5).to_bytes(2, "big")
    assert moldudp64.REQUEST.unpack(payload) == {"session": "S1", "sequence_number": 77, "message_count": 5}


@given(messages=payloads, data=st.data())
def test_a_packet_cut_anywhere_is_malformed(messages: list[bytes], data: st.DataObject) -> None:
    payload = moldudp64.packet("S1", 1, messages)
    length = data.draw(st.integers(0, len(payload) - 1))
    with pytest.raises(LengthError) as caught:
        moldudp64.unpack(payload[:length])
    short = length < moldudp64.HEADER_LENGTH
    status = PacketStatus.SHORT_HEADER if short else PacketStatus.BLOCK_OVERRUN
    assert compiled(payload[:length]) == (status, None)
    assert caught.value.record == (moldudp64.DOWNSTREAM.name if short else moldudp64.BLOCK.name)
    if short:
        assert (caught.value.offset, caught.value.found) == (0, length)
    else:  # the block that the cut goes through
        begins, at = [], moldudp64.HEADER_LENGTH
        for message in messages:
            begins.append(at)
            at += moldudp64.BLOCK_LENGTH + len(message)
        assert caught.value.offset == max(begin for begin in begins if begin <= length)


@pytest.mark.parametrize(
    "payload",
    [
        moldudp64.packet("S1", 1, [b"abc", b"de"]),
        moldudp64.heartbeat("S1", 1),
        moldudp64.end_of_session("S1", 1),
    ],
    ids=["data", "heartbeat", "end of session"],
)
def test_bytes_behind_the_last_block_are_malformed(payload: bytes) -> None:
    with pytest.raises(LengthError) as caught:
        moldudp64.unpack(payload + b"\0")
    assert (caught.value.record, caught.value.offset, caught.value.expected, caught.value.found) == (
        moldudp64.DOWNSTREAM.name,
        len(payload),
        0,
        1,
    )
    assert compiled(payload + b"\0") == (PacketStatus.TRAILING_BYTES, None)


def test_a_block_that_runs_over_is_named_by_its_place() -> None:
    payload = bytearray(moldudp64.packet("S1", 1, [b"abc", b"de"]))
    payload[26] = 5  # the second block's length: 2 becomes 5
    with pytest.raises(LengthError) as caught:
        moldudp64.unpack(payload)
    assert (caught.value.record, caught.value.offset, caught.value.expected, caught.value.found) == (
        moldudp64.BLOCK.name,
        25,
        7,
        4,
    )
    assert compiled(bytes(payload)) == (PacketStatus.BLOCK_OVERRUN, None)


def test_message_blocks_says_how_many_were_whole() -> None:
    buffer = np.frombuffer(moldudp64.packet("S1", 1, [b"abc", b"", b"de"]), np.uint8)
    blocks = len(buffer) - moldudp64.HEADER_LENGTH
    for count, length, expected in (
        (3, blocks, 3),
        (3, blocks - 1, -3),
        (3, 1, -1),
        (2, blocks, -3),
        (4, blocks, -4),
    ):
        assert moldudp64.message_blocks(buffer, moldudp64.HEADER_LENGTH, length, count) == expected


def test_what_does_not_fit_a_packet_is_refused() -> None:
    for make, name in (
        (lambda: moldudp64.packet("S1", 1, [b""] * 0xFFFF), "message_count"),
        (lambda: moldudp64.packet("S1", 1, [bytes(0x10000)]), "length"),
        (lambda: moldudp64.packet("longer than ten", 1, []), "session"),
        (lambda: moldudp64.packet("S1", 1 << 64, []), "sequence_number"),
        (lambda: moldudp64.request("S1", 1, 0x10000), "message_count"),
    ):
        with pytest.raises(FieldError) as caught:
            make()
        assert caught.value.field == name
    assert moldudp64.unpack(moldudp64.packet("S1", 1, [b""] * 0xFFFE)).next_sequence_number == 0xFFFF
