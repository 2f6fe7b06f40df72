"""SoupBinTCP: packets however TCP cuts them, logins however they are padded, errors that name their place."""

from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from wire import soupbintcp
from wire.errors import FieldError, LengthError, TypeCodeError
from wire.layout import Family
from wire.soupbintcp import LoginAccepted, LoginRequest, Packet, Splitter, StreamStatus

EVERY = [
    soupbintcp.debug("hello"),
    soupbintcp.login_accepted("S1", 1),
    soupbintcp.login_rejected("A"),
    soupbintcp.sequenced(b"a message"),
    soupbintcp.server_heartbeat(),
    soupbintcp.end_of_session(),
    soupbintcp.login_request("USER", "secret", "S1", 7),
    soupbintcp.unsequenced(b""),
    soupbintcp.client_heartbeat(),
    soupbintcp.logout_request(),
]
TABLES = (
    (soupbintcp.SERVER, soupbintcp.SERVER_LENGTHS),
    (soupbintcp.CLIENT, soupbintcp.CLIENT_LENGTHS),
    (soupbintcp.EITHER, soupbintcp.EITHER_LENGTHS),
)

packet_bytes = st.one_of(
    st.sampled_from(EVERY),
    st.binary(max_size=40).map(soupbintcp.sequenced),
    st.binary(max_size=40).map(soupbintcp.unsequenced),
)


def compiled(stream: bytes, lengths: np.ndarray) -> tuple[list[Packet], int, int]:
    """Packets, what stopped the walk, and where, as compiled code sees a stream."""
    buffer = np.frombuffer(b"\xff" + stream + b"\xff", np.uint8)
    at, end, found = 1, 1 + len(stream), []
    while (size := soupbintcp.next_packet(buffer, at, end, lengths)) > 0:
        found.append(Packet(chr(buffer[at + 2]), buffer[at + 3 : at + size].tobytes()))
        at += size
    return found, size, at - 1


@given(sent=st.lists(packet_bytes, max_size=8), data=st.data())
def test_a_stream_cut_anywhere_gives_the_same_packets(sent: list[bytes], data: st.DataObject) -> None:
    stream = b"".join(sent)
    cuts = sorted({0, len(stream), *data.draw(st.lists(st.integers(0, len(stream)), max_size=8))})
    expected = [Packet(chr(piece[2]), piece[3:]) for piece in sent]
    splitter = Splitter()
    found = [p for a, b in pairwise(cuts) for p in splitter.feed(stream[a:b])]
    splitter.close()
    assert found == expected == soupbintcp.packets(stream)
    assert (splitter.position, splitter.held) == (len(stream), 0)
    assert compiled(stream, soupbintcp.EITHER_LENGTHS) == (expected, StreamStatus.INCOMPLETE, len(stream))


def test_every_type_goes_out_as_length_type_payload() -> None:
    for piece in EVERY:
        assert int.from_bytes(piece[:2], "big") == len(piece) - 2
        assert soupbintcp.packet(chr(piece[2]), piece[3:]) == piece
    assert {piece[2] for piece in EVERY} == soupbintcp.EITHER.by_code.keys()
    assert soupbintcp.packets(EVERY[0])[0].body == b"+hello"


names = st.text(st.characters(min_codepoint=33, max_codepoint=126), max_size=6)


@given(username=names, password=names, session=names, number=st.integers(0, 10**20 - 1))
def test_login_fields_come_back(username: str, password: str, session: str, number: int) -> None:
    (request,) = soupbintcp.packets(soupbintcp.login_request(username, password, session, number))
    assert soupbintcp.parse_login_request(request) == LoginRequest(username, password, session, number)
    (accepted,) = soupbintcp.packets(soupbintcp.login_accepted(session, number))
    assert soupbintcp.parse_login_accepted(accepted) == LoginAccepted(session, number)


def test_numbers_and_sessions_are_padded_on_the_left_and_read_with_either() -> None:
    assert soupbintcp.login_accepted("S1", 7) == b"\0\x1fA" + b"        S1" + b"7".rjust(20)
    right = Packet("A", b"S1        " + b"7".ljust(20))  # what Nasdaq's own nasdaq-protocols sends
    assert soupbintcp.parse_login_accepted(right) == LoginAccepted("S1", 7)
    request = Packet("L", b"user  password  " + b"S1".ljust(10) + b"0".ljust(20))
    assert soupbintcp.parse_login_request(request) == LoginRequest("user", "password", "S1", 0)


@pytest.mark.parametrize("number", [b"", b"-1", b"1 2", b"0x1", b"\xc2\xb2"])
def test_a_login_number_that_is_none_is_refused(number: bytes) -> None:
    with pytest.raises(FieldError) as caught:
        soupbintcp.parse_login_accepted(Packet("A", b"S1".rjust(10) + number.rjust(20)))
    assert (caught.value.field, caught.value.offset) == ("sequence_number", 11)


def test_login_values_that_do_not_fit_are_refused() -> None:
    for make, name in (
        (lambda: soupbintcp.login_request("seven77", ""), "username"),
        (lambda: soupbintcp.login_request("", "eleven char"), "password"),
        (lambda: soupbintcp.login_request("", "", "eleven char"), "requested_session"),
        (lambda: soupbintcp.login_request("", "", "", 10**20), "requested_sequence_number"),
        (lambda: soupbintcp.login_request("", "", "", -1), "requested_sequence_number"),
        (lambda: soupbintcp.login_accepted("S1", -1), "sequence_number"),
        (lambda: soupbintcp.login_rejected("AA"), "reason"),
    ):
        with pytest.raises(FieldError) as caught:
            make()
        assert caught.value.field == name


@pytest.mark.parametrize(("family", "lengths"), TABLES, ids=lambda v: v.name if isinstance(v, Family) else "")
def test_what_the_other_side_may_not_send_is_refused(family: Family, lengths: np.ndarray) -> None:
    first = soupbintcp.debug("first")
    for code in range(256):
        stream = first + b"\0\1" + bytes([code])
        record = family.by_code.get(code)
        packets, status, at = compiled(stream, lengths)
        assert packets[0] == Packet("+", b"first")
        if record is None:
            with pytest.raises(TypeCodeError) as unknown:
                soupbintcp.packets(stream, family)
            assert (unknown.value.record, unknown.value.offset, unknown.value.found) == (
                family.name,
                len(first) + 2,
                code,
            )
            assert (status, at) == (StreamStatus.UNKNOWN_TYPE, len(first))
        elif record.length != 1:
            with pytest.raises(LengthError) as wrong:
                soupbintcp.packets(stream, family)
            assert (wrong.value.record, wrong.value.offset) == (record.name, len(first))
            assert (wrong.value.expected, wrong.value.found) == (record.length, 1)
            assert (status, at) == (StreamStatus.WRONG_LENGTH, len(first))
        else:
            assert len(soupbintcp.packets(stream, family)) == len(packets) == 2


def test_a_wrong_length_is_refused_before_the_payload_is_there() -> None:
    stream = soupbintcp.debug("x") + b"\0\x02H"
    with pytest.raises(LengthError) as caught:
        list(Splitter().feed(stream))
    assert (caught.value.record, caught.value.offset) == ("Server Heartbeat", 4)
    assert compiled(stream, soupbintcp.EITHER_LENGTHS)[1:] == (StreamStatus.WRONG_LENGTH, 4)


def test_a_length_of_nothing_is_refused() -> None:
    stream = soupbintcp.server_heartbeat() + b"\0\0"
    with pytest.raises(LengthError) as caught:
        soupbintcp.packets(stream)
    assert (caught.value.offset, caught.value.expected, caught.value.found) == (3, 1, 0)
    assert compiled(stream, soupbintcp.EITHER_LENGTHS)[1:] == (StreamStatus.EMPTY, 3)


def test_a_stream_that_ends_inside_a_packet_is_refused() -> None:
    stream = soupbintcp.server_heartbeat() + soupbintcp.sequenced(b"abc")
    for cut in range(4, len(stream)):
        with pytest.raises(LengthError) as caught:
            soupbintcp.packets(stream[:cut])
        assert caught.value.offset == 3
        assert compiled(stream[:cut], soupbintcp.EITHER_LENGTHS)[1:] == (StreamStatus.INCOMPLETE, 3)


def test_packets_that_cannot_be_are_not_made() -> None:
    with pytest.raises(TypeCodeError):
        soupbintcp.packet("?")
    with pytest.raises(TypeCodeError):
        soupbintcp.packet("é")
    with pytest.raises(LengthError):
        soupbintcp.packet("H", b"x")
    with pytest.raises(LengthError):
        soupbintcp.sequenced(bytes(soupbintcp.MAX_PAYLOAD + 1))
    assert len(soupbintcp.sequenced(bytes(soupbintcp.MAX_PAYLOAD))) == 0xFFFF + 2


def test_the_compiled_header_is_the_same() -> None:
    for size in (0, 1, 300, soupbintcp.MAX_PAYLOAD):
        expected = soupbintcp.unsequenced(bytes(size))
        buffer = np.zeros(len(expected), np.uint8)
        assert soupbintcp.write_header(buffer, 0, ord("U"), size) == soupbintcp.HEADER_LENGTH
        assert buffer.tobytes() == expected
