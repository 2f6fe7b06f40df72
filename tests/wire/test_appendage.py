"""OUCH 5.0 appendages: options come back, and what may not be there is refused at its byte, in both paths."""

from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.wire.declared import messages_of
from wire import appendage, ouch, ouch42, ouch50
from wire.appendage import AppendageStatus, Option
from wire.errors import FieldError, LengthError, TypeCodeError, WireError


def option_values(option: Option) -> st.SearchStrategy[Any]:
    if option.values:
        return st.sampled_from(option.values)
    if option.kind == "alpha":
        text = st.characters(min_codepoint=32, max_codepoint=126)
        return st.text(text, max_size=option.width).map(lambda value: value.rstrip(" "))
    bits = 8 * option.width
    if option.tag == appendage.EXPIRE_TIME:
        return st.integers(0, 86_399)
    return (
        st.integers(-(1 << bits - 1), (1 << bits - 1) - 1)
        if option.kind == "signed"
        else st.integers(0, (1 << bits) - 1)
    )


chosen = st.lists(st.sampled_from(appendage.OPTIONS), unique=True).flatmap(
    lambda options: st.fixed_dictionaries({option.name: option_values(option) for option in options})
)


def status(data: bytes) -> AppendageStatus:
    return AppendageStatus(appendage.check(np.frombuffer(b"?" + data + b"\xff", np.uint8), 1, len(data)))


@given(values=chosen)
def test_options_come_back_in_order(values: dict[str, Any]) -> None:
    data = appendage.encode(values)
    assert list(appendage.decode(b"??" + data, 2).items()) == list(values.items())
    assert status(data) is AppendageStatus.OK
    buffer = np.frombuffer(b"?" + data + b"\xff", np.uint8)
    for option in appendage.OPTIONS:
        at = appendage.find(buffer, 1, len(data), option.tag)
        assert (at >= 0) == (option.name in values)
        if at >= 0:
            assert buffer[at - 1] == option.tag
            assert buffer[at : at + option.width].tobytes() in data


@pytest.mark.parametrize("family", [ouch50.INBOUND, ouch50.OUTBOUND], ids=lambda f: f.name)
@given(data=st.data(), options=chosen)
def test_whole_messages_come_back(family: Any, data: st.DataObject, options: dict[str, Any]) -> None:
    record, values = data.draw(messages_of(family))
    if appendage.has_appendage(record):
        packed = appendage.pack(record, values, options)
        values["appendage_length"] = len(packed) - record.length
        assert appendage.unpack(family, packed) == (record, values, options)
        for wrong in (packed + b"\0", packed[:-1] if options else packed + b"\0\0"):
            with pytest.raises(LengthError) as caught:
                appendage.unpack(family, wrong)
            assert caught.value.offset == record.offset("appendage_length")
    else:
        assert appendage.unpack(family, record.pack(values)) == (record, values, {})
        with pytest.raises(LengthError):
            appendage.unpack(family, record.pack(values) + b"\0")


S = AppendageStatus
WRONG: list[tuple[bytes, AppendageStatus, type[WireError], int]] = [
    (b"\0", S.OVERRUN, LengthError, 1),
    (b"\1", S.OVERRUN, LengthError, 1),
    (b"\5\2LIM", S.OVERRUN, LengthError, 1),
    (b"\5\2LIME\2", S.OVERRUN, LengthError, 7),
    (b"\2\x08x", S.UNKNOWN_TAG, TypeCodeError, 2),
    (b"\2\xffx", S.UNKNOWN_TAG, TypeCodeError, 2),
    (b"\4\2LIM", S.WRONG_LENGTH, LengthError, 1),
    (b"\3\x0cPP", S.WRONG_LENGTH, LengthError, 1),
    (b"\2\x0cP\2\x0cN", S.REPEATED_TAG, FieldError, 5),
    (b"\2\x0cX", S.BAD_VALUE, FieldError, 3),
    (b"\2\x0c\xff", S.BAD_VALUE, FieldError, 3),
    (b"\5\2LIM\xc3", S.BAD_VALUE, FieldError, 3),
    (b"\5\x0f" + (86_400).to_bytes(4, "big"), S.BAD_VALUE, FieldError, 3),
]


@pytest.mark.parametrize(("data", "expected", "error", "offset"), WRONG)
def test_what_is_wrong_is_named(
    data: bytes, expected: AppendageStatus, error: type[WireError], offset: int
) -> None:
    with pytest.raises(error) as caught:
        appendage.decode(b"?" + data, 1)
    assert (type(caught.value), caught.value.offset) == (error, offset)
    assert status(data) is expected


def test_values_that_an_option_does_not_allow_are_not_written() -> None:
    for name, value in (
        ("nonsense", 1),
        ("firm", "LIMES"),
        ("firm", "é"),
        ("firm", 1),
        ("post_only", "X"),
        ("minimum_quantity", -1),
        ("minimum_quantity", 1 << 32),
        ("minimum_quantity", "1"),
        ("minimum_quantity", 1.0),
        ("peg_offset", 1 << 31),
        ("expire_time", 86_400),
    ):
        with pytest.raises(FieldError) as caught:
            appendage.encode({name: value})
        assert (caught.value.field, caught.value.value) == (name, value)


@pytest.mark.parametrize("option", appendage.OPTIONS, ids=lambda option: option.name)
def test_an_element_is_what_is_encoded(option: Option) -> None:
    record = appendage.element(option.name)
    value = option.values[:1] if option.kind == "alpha" else 1
    assert record.pack(head=option.head, value=value) == appendage.encode({option.name: value})


def test_what_we_send_is_read_in_whichever_version_it_is() -> None:
    enter = appendage.pack(ouch50.ENTER_ORDER, {"quantity": 7}, {"firm": "FIRM", "expire_time": 60})
    assert ouch.unpack(enter)["expire_time"] == 60
    assert ouch.unpack(ouch50.CANCEL_ORDER_REQUEST.pack(quantity=3))["quantity"] == 3
    assert ouch.unpack(ouch42.ENTER_ORDER.pack(shares=7))["shares"] == 7
    for wrong in (b"", b"?", enter[:-1], ouch42.ENTER_ORDER.pack() + b" "):
        with pytest.raises(WireError):
            ouch.unpack(wrong)
