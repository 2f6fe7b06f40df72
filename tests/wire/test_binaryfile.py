"""BinaryFILE: every framing, in memory and in pieces, cut and damaged."""

import gzip
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.wire.declared import messages_of
from wire import binaryfile, itch
from wire.binaryfile import Framing
from wire.errors import FieldError, LengthError, TypeCodeError

itch_messages = st.lists(messages_of(itch.ITCH).map(lambda drawn: drawn[0].pack(drawn[1])), max_size=12)


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("binaryfile")


@given(
    messages=itch_messages, framing=st.sampled_from(Framing), compress=st.booleans(), size=st.integers(1, 99)
)
def test_messages_come_back(
    folder: Path, messages: list[bytes], framing: Framing, compress: bool, size: int
) -> None:
    path = folder / "day"
    assert binaryfile.write(path, messages, framing, compress=compress) == len(messages)
    for found in (binaryfile.read(path), binaryfile.read(path, framing)):
        assert list(found) == messages
        assert len(found) == len(messages)
        assert (found.buffer.dtype, found.offsets.dtype, found.lengths.dtype) == (
            np.uint8,
            np.int64,
            np.int32,
        )
    pieces = list(binaryfile.chunks(path, size=size))
    assert [m for piece in pieces for m in piece] == messages
    prefix = binaryfile.PREFIX if framing is Framing.PREFIXED else 0
    begin = 0
    for piece in pieces:  # every byte of the file belongs to one message of one piece
        assert piece.begin == begin
        begin += int(piece.lengths.sum()) + prefix * len(piece)
    plain = gzip.decompress(path.read_bytes()) if compress else path.read_bytes()
    assert begin == len(plain)


def test_equal_messages_make_equal_files(folder: Path) -> None:
    messages = [itch.SYSTEM_EVENT.pack(event_code="O")]
    for name in ("a", "b"):
        binaryfile.write(folder / name, messages, compress=True)
    assert (folder / "a").read_bytes() == (folder / "b").read_bytes()


@given(messages=itch_messages, framing=st.sampled_from(Framing), size=st.integers(1, 40), data=st.data())
def test_a_file_that_ends_inside_a_message_is_refused_at_its_place(
    folder: Path, messages: list[bytes], framing: Framing, size: int, data: st.DataObject
) -> None:
    path = folder / "cut"
    binaryfile.write(path, messages, framing)
    whole = path.read_bytes()
    prefix = binaryfile.PREFIX if framing is Framing.PREFIXED else 0
    begins = np.cumsum([0, *(prefix + len(m) for m in messages)]).tolist()
    cut = data.draw(st.integers(0, len(whole)))
    path.write_bytes(whole[:cut])
    readers: list[Any] = [
        lambda: list(binaryfile.read(path)),
        lambda: [m for part in binaryfile.chunks(path, size=size) for m in part],
    ]
    for read in readers:
        if cut in begins:
            assert read() == messages[: begins.index(cut)]
        else:
            with pytest.raises(LengthError) as caught:
                read()
            begin = max(b for b in begins if b <= cut)
            assert (caught.value.offset, caught.value.found) == (begin, cut - begin)


def test_a_length_of_nothing_ends_the_session(folder: Path) -> None:
    path, messages = folder / "end", [itch.SYSTEM_EVENT.pack(event_code="C")]
    binaryfile.write(path, messages, end_of_session=True)
    assert list(binaryfile.read(path)) == messages
    assert [list(part) for part in binaryfile.chunks(path, size=5)] == [messages]
    path.write_bytes(path.read_bytes() + b"\0")
    for read in (lambda: binaryfile.read(path), lambda: list(binaryfile.chunks(path, size=1))):
        with pytest.raises(LengthError, match="after the end of session") as caught:
            read()
        assert (caught.value.offset, caught.value.found) == (16, 1)


def test_bare_messages_of_an_unknown_type_are_refused_at_their_place() -> None:
    good = itch.SYSTEM_EVENT.pack(event_code="O")
    for size in (1, 100):
        pieces = [(good + b"~")[i : i + size] for i in range(0, 13, size)]
        with pytest.raises(TypeCodeError) as caught:
            list(binaryfile._framed(iter(pieces), None))
        assert (caught.value.offset, caught.value.found) == (12, ord("~"))


def test_what_tells_no_framing_is_refused() -> None:
    with pytest.raises(FieldError) as caught:
        binaryfile.frame_bytes(b"\x01\x00")
    assert (caught.value.field, caught.value.offset) == ("framing", 0)
    assert len(binaryfile.frame_bytes(b"")) == 0
    assert list(binaryfile.frame_bytes(b"\x01\x00" + bytes(256), Framing.PREFIXED)) == [bytes(256)]


def test_a_damaged_gzip_stream_is_refused(folder: Path) -> None:
    path = folder / "damaged"
    binaryfile.write(path, [itch.ADD_ORDER.pack(stock="AAPL")] * 50, compress=True)
    data = path.read_bytes()
    for wrong in (data[:-9], data[:-8] + b"\0" * 8, data[:12] + b"\xff" * 20 + data[32:]):
        path.write_bytes(wrong)
        for read in (lambda: binaryfile.read(path), lambda: list(binaryfile.chunks(path))):
            with pytest.raises(FieldError) as caught:
                read()
            assert caught.value.field == "gzip"


def test_messages_that_cannot_be_are_not_written(folder: Path) -> None:
    event = itch.SYSTEM_EVENT.pack(event_code="O")
    for message, framing, error in (
        (b"", Framing.PREFIXED, LengthError),
        (bytes(0x10000), Framing.PREFIXED, LengthError),
        (event + b"x", Framing.BARE, LengthError),
        (event[:-1], Framing.BARE, LengthError),
        (b"~", Framing.BARE, TypeCodeError),
    ):
        with pytest.raises(error):
            binaryfile.write(folder / "wrong", [message], framing)
