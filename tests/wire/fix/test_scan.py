"""The scanner: every field of every message, every fault by name and place, the same however the stream is cut."""

import random

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.wire.fix.streams import SOH, build, messages, read, whole
from wire.errors import FieldError
from wire.fix.faults import Fault
from wire.fix.message import Garbled, Message, Reader
from wire.fix.scan import CONSUMED, MAX_BODY, MESSAGE, WINDOW, kind_of, scan

GOOD = build(b"FIX.4.4", [(35, b"0"), (34, b"7"), (49, b"A"), (56, b"B")])
BODY = b"35=0\x0134=7\x0149=A\x0156=B\x01"


def patched(head: bytes = b"8=FIX.4.4\x01", length: bytes = b"", body: bytes = BODY, check: bytes = b"") -> bytes:
    """A message with one part replaced; the others are right."""
    start = head + (length or b"9=%d\x01" % len(body)) + body
    return start + (check or b"10=%03d\x01" % (sum(start) % 256))


@given(st.lists(messages, min_size=1, max_size=5))
def test_every_field_of_every_message(several: list) -> None:
    built = [whole(message) for message in several]
    stream = b"".join(octets for octets, _ in built)
    assert read(stream) == [*(("message", octets, fields) for octets, fields in built), ("held", b"", None)]


@given(st.lists(messages, min_size=1, max_size=4), st.lists(st.integers(0, 10_000), max_size=20))
def test_cuts_in_the_stream_do_not_show(several: list, cuts: list[int]) -> None:
    stream = b"".join(whole(message)[0] for message in several)
    assert read(stream, cuts) == read(stream)


def mutate(stream: bytes, seed: int, changes: int) -> bytes:
    rng, octets = random.Random(seed), bytearray(stream)
    for _ in range(changes):
        at = rng.randrange(len(octets))
        kind = rng.randrange(4)
        piece = rng.choice([SOH, b"8=FIX", b"10=", b"9=", b"=", b"-", bytes([rng.randrange(256)])])
        if kind == 0:
            octets[at] = rng.randrange(256)
        elif kind == 1:
            octets[at:at] = piece
        elif kind == 2:
            del octets[at : at + rng.randrange(1, 9)]
        else:
            octets[at : at + len(piece)] = piece
        if not octets:
            octets += GOOD
    return bytes(octets)


@pytest.mark.fuzz
@given(
    st.lists(messages, min_size=1, max_size=5),
    st.integers(0, 1 << 32),
    st.integers(1, 6),
    st.lists(st.integers(0, 10_000), max_size=12),
)
def test_broken_streams_are_read_to_their_end(several: list, seed: int, changes: int, cuts: list[int]) -> None:
    stream = mutate(b"".join(whole(message)[0] for message in several), seed, changes)
    found = read(stream)
    assert b"".join(octets for _, octets, _ in found) == stream
    assert read(stream, cuts) == found
    for kind, octets, _ in found:
        if kind == "message":
            assert octets.startswith(b"8=FIX")
            head, body = octets.split(SOH, 2)[:2], octets.split(SOH, 2)[2]
            assert int(head[1][2:]) == len(body) - 7
            assert int(octets[-4:-1]) == sum(octets[:-7]) % 256


@pytest.mark.fuzz
@given(st.binary(max_size=300), st.lists(messages, max_size=2))
def test_any_bytes_between_messages_are_passed_over(garbage: bytes, several: list) -> None:
    garbage = garbage.replace(b"8", b"7")
    stream = garbage + b"".join(whole(message)[0] for message in several)
    found = [octets for kind, octets, _ in read(stream) if kind == "message"]
    if garbage[-1:].isdigit():  # what follows is the end of a longer tag
        found = [*[whole(message)[0] for message in several[:1]], *found]
    assert found == [whole(message)[0] for message in several]


CASES = {
    "leading": (b"noise\x01" + GOOD, Fault.LEADING, 0),
    "begin string": (patched(head=b"8=FIX.4.4.4.4.4.4.4.4\x01"), Fault.BEGIN_STRING, 16),
    "no length": (patched(length=b"34=9\x01"), Fault.BODY_LENGTH_MISSING, 10),
    "length with a letter": (patched(length=b"9=2x\x01"), Fault.BODY_LENGTH_FORMAT, 13),
    "empty length": (patched(length=b"9=\x01"), Fault.BODY_LENGTH_FORMAT, 12),
    "long length": (patched(length=b"9=0000025\x01"), Fault.BODY_LENGTH_FORMAT, 19),
    "huge length": (patched(length=b"9=%d\x01" % (MAX_BODY + 1)), Fault.BODY_LENGTH_LIMIT, 12),
    "short length": (patched(length=b"9=%d\x01" % (len(BODY) - 1)), Fault.BODY_LENGTH_WRONG, 34),
    "sum of two digits": (patched(check=b"10=12\x01") + GOOD, Fault.CHECKSUM_FORMAT, 38),
    "sum with a letter": (patched(check=b"10=12x\x01"), Fault.CHECKSUM_FORMAT, 38),
    "no type": (patched(body=b"34=7\x0135=0\x01"), Fault.MESSAGE_TYPE_MISSING, 15),
    "empty type": (patched(body=b"35=\x0134=7\x01"), Fault.MESSAGE_TYPE_MISSING, 14),
    "wrong sum": (patched(check=b"10=256\x01"), Fault.CHECKSUM, 35),
    "tag with a letter": (patched(body=BODY + b"5x=1\x01"), Fault.TAG_FORMAT, 35),
    "no tag": (patched(body=BODY + b"=1\x01"), Fault.TAG_FORMAT, 35),
    "no equals sign": (patched(body=BODY + b"58\x01"), Fault.TAG_FORMAT, 35),
    "huge tag": (patched(body=BODY + b"999999999999=1\x01"), Fault.TAG_FORMAT, 35),
    "data too long": (patched(body=BODY + b"95=5\x0196=abcd\x01"), Fault.DATA_LENGTH, 43),
    "data too short": (patched(body=BODY + b"95=2\x0196=abcd\x01"), Fault.DATA_LENGTH, 43),
}


@pytest.mark.parametrize("name", CASES)
def test_every_fault_is_named_and_placed(name: str) -> None:
    octets, fault, where = CASES[name]
    found = [each for each in Reader().feed(octets + GOOD) if isinstance(each, Garbled)]
    assert [(each.fault, each.where) for each in found] == [(fault, where)]
    messages_ = [kind for kind, _, _ in read(octets + GOOD) if kind == "message"]
    assert messages_, "the message behind it was lost"


def test_a_length_that_is_too_long_takes_the_next_message_with_it() -> None:
    long = patched(length=b"9=%d\x01" % (len(BODY) + 20))
    assert [kind for kind, _, _ in read(long + GOOD + GOOD)] == ["garbled", "message", "held"]


def test_data_may_hold_ends_of_fields() -> None:
    octets = patched(body=BODY + b"95=8\x0196=a\x0110=1\x01b\x01")
    message = Message.parse(octets)
    assert bytes(message[96]) == b"a\x0110=1\x01b"


def test_values_are_views_of_the_buffer() -> None:
    reader = Reader()
    message = next(each for each in reader.feed(GOOD) if isinstance(each, Message))
    value = message[49]
    assert value == b"A"
    reader._buffer[message.places[49][0]] = ord("Z")
    assert value == b"Z"
    assert message.copy().get(49) == b"Z"


def test_endless_garbage_is_let_go_of() -> None:
    reader = Reader()
    found = [each for _ in range(40) for each in reader.feed(b"x" * 10_000)]
    assert reader.held < WINDOW
    assert {each.fault for each in found if isinstance(each, Garbled)} == {Fault.LEADING}


def test_a_full_table_stops_before_the_message_that_does_not_fit() -> None:
    buffer = np.frombuffer(GOOD * 5, np.uint8).copy()
    rows, fields, result = np.zeros(10, MESSAGE), np.zeros((16, 3), np.int32), np.zeros(3, np.int64)
    assert scan(buffer, 0, len(buffer), rows, fields, result) == 2
    assert result[CONSUMED] == 2 * len(GOOD)
    assert scan(buffer, 0, len(buffer), rows, fields[:4], result) == 5
    assert set(rows["fault"][:5].tolist()) == {Fault.FIELD_LIMIT}


def test_types_are_integers_of_their_bytes() -> None:
    assert kind_of("D") == ord("D")
    assert kind_of("AE") == ord("A") | ord("E") << 8
    with pytest.raises(ValueError, match="1 to 3"):
        kind_of("")


@pytest.mark.parametrize("octets", [b"", GOOD[:-1], GOOD + b"8", GOOD + GOOD, patched(check=b"10=256\x01")])
def test_parse_takes_exactly_one_message(octets: bytes) -> None:
    with pytest.raises(FieldError, match="message"):
        Message.parse(octets)
