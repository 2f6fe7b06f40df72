"""Messages of the stream: what goes in comes out, and what is none is told."""

import random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from control.failover.message import HEADER, MOST_PARTS, MOST_RECORDS, Message, MessageError, unpack
from control.store.record import RECORD_BYTES

U64 = st.integers(0, 2**64 - 1)


@given(epoch=U64, first=st.integers(1, 2**63), before=st.binary(min_size=32, max_size=32), stamp=U64, size=st.integers(0, 5))
def test_what_goes_in_comes_out_again(epoch: int, first: int, before: bytes, stamp: int, size: int) -> None:
    message = Message(epoch, first, before, stamp, random.Random(size).randbytes(size * RECORD_BYTES))
    assert unpack(message.pack()) == message
    assert message.last == first + size - 1
    assert message.digest == (message.records[-32:] if size else before)


def test_the_largest_message_fits_what_a_server_takes_untold() -> None:
    assert HEADER.size + MOST_RECORDS * RECORD_BYTES < 1 << 20
    assert MOST_PARTS < MOST_RECORDS


@pytest.mark.parametrize(
    ("change", "text"),
    [
        (lambda data: data[:50], "50 bytes: a message has at least 72"),
        (lambda data: b"X" + data[1:], "begins with b'XAIRPIN"),
        (lambda data: data[:-1], "583 bytes, and 2 records take 584"),
        (lambda data: data[:24] + bytes(8) + data[32:], "first record 0"),
    ],
)
def test_what_is_no_message_is_told(change, text: str) -> None:
    with pytest.raises(MessageError, match=text):
        unpack(change(Message(1, 1, bytes(32), 0, bytes(2 * RECORD_BYTES)).pack()))
