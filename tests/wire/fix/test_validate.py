"""What a dictionary allows: the first violation, by reason and tag, beyond what the acceptance definitions send."""

import pytest

from tests.wire.fix.streams import build
from wire.fix.dictionary import dictionary
from wire.fix.message import Message
from wire.fix.validate import RejectReason, UnsupportedType, Violation, validate

R = RejectReason
HEAD = [(34, b"2"), (49, b"A"), (52, b"20261126-12:00:00.000"), (56, b"B")]
ORDER = [(11, b"ID"), (55, b"MSFT"), (54, b"1"), (60, b"20261126-12:00:00"), (38, b"100"), (40, b"2"), (44, b"10.5")]
PARTY = [(448, b"FIRM"), (447, b"D"), (452, b"1")]


def message(body: list[tuple[int, bytes]], kind: bytes = b"D", version: bytes = b"FIX.4.4") -> Message:
    return Message.parse(build(version, [(35, kind), *HEAD, *body]))


def verdict(body: list[tuple[int, bytes]], kind: bytes = b"D", **options: bool) -> tuple[RejectReason, int | None] | None:
    try:
        validate(message(body, kind), dictionary("FIX.4.4"), **options)
    except Violation as violation:
        return violation.reason, violation.tag
    return None


def test_an_order_is_valid() -> None:
    assert verdict(ORDER) is None


def test_groups_in_groups_are_valid() -> None:
    inner = [(802, b"2"), (523, b"DESK"), (803, b"4"), (523, b"ROOM"), (803, b"5")]
    assert verdict([*ORDER, (453, b"2"), *PARTY, *inner, *PARTY]) is None


CASES = {
    "count too high": ([(453, b"2"), *PARTY], R.GROUP_COUNT, 453),
    "count too low": ([(453, b"1"), *PARTY, *PARTY], R.GROUP_COUNT, 453),
    "inner count": ([(453, b"1"), *PARTY, (802, b"2"), (523, b"X"), (803, b"1")], R.GROUP_COUNT, 802),
    "entry begins with another member": ([(453, b"1"), (447, b"D"), (448, b"F")], R.GROUP_OUT_OF_ORDER, 453),
    "member twice in an entry": ([(453, b"1"), *PARTY, (452, b"3")], R.REPEATED_TAG, 452),
    "member without its group": ([(448, b"FIRM")], R.TAG_NOT_DEFINED_FOR_TYPE, 448),
    "value in a group": ([(453, b"1"), (448, b"F"), (447, b"d")], R.VALUE_INCORRECT, 447),
    "count is no number": ([(453, b"x")], R.FORMAT_INCORRECT, 453),
    "negative count": ([(453, b"-1")], R.GROUP_COUNT, 453),
    "field of the trailer in the body": ([(89, b"x"), (58, b"text")], R.OUT_OF_ORDER, 58),
    "one value of several": ([(18, b"1 ? 2")], R.VALUE_INCORRECT, 18),
    "date that is none": ([(432, b"20261301")], R.FORMAT_INCORRECT, 432),
    "month": ([(200, b"202613")], R.FORMAT_INCORRECT, 200),
    "currency": ([(15, b"USDX")], R.FORMAT_INCORRECT, 15),
    "exponent": ([(99, b"1e5")], R.FORMAT_INCORRECT, 99),
    "own field": ([(5001, b"x")], R.INVALID_TAG, 5001),
    "empty value": ([(58, b"")], R.NO_VALUE, 58),
}


@pytest.mark.parametrize("name", CASES)
def test_the_first_violation_is_named(name: str) -> None:
    fields, reason, tag = CASES[name]
    assert verdict([*ORDER, *fields]) == (reason, tag)


@pytest.mark.parametrize("fields", [[(18, b"1 2")], [(453, b"0")], [(432, b"20261126")], [(200, b"202612w3")]])
def test_what_is_allowed_passes(fields: list[tuple[int, bytes]]) -> None:
    assert verdict([*ORDER, *fields]) is None


def test_a_negative_price_is_a_number() -> None:
    assert verdict([*ORDER[:-1], (44, b"-1.5")]) is None


def test_own_fields_pass_where_they_are_agreed_on() -> None:
    assert verdict([*ORDER, (5001, b"x")], user_defined=True) is None


def test_a_type_that_we_do_not_speak_is_told_from_one_that_is_none() -> None:
    with pytest.raises(UnsupportedType, match="V"):
        verdict([(262, b"1")], kind=b"V")
    assert verdict([], kind=b"??") == (R.INVALID_TYPE, None)


def test_entries_of_a_group_are_views() -> None:
    members = dictionary("FIX.4.4").messages[b"D"]
    inner = [(802, b"1"), (523, b"DESK"), (803, b"4")]
    found = message([*ORDER, (453, b"2"), *PARTY, *inner, (448, b"OTHER"), (452, b"3"), (58, b"x")])
    first, second = found.groups(453, members)
    assert (first.get(448), second.get(448), second.get(58)) == (b"FIRM", b"OTHER", None)
    parties = members.tags[453]
    assert parties is not None
    assert [entry.get(523) for entry in first.groups(802, parties)] == [b"DESK"]
    assert second.groups(802, parties) == []
