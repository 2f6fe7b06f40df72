"""Decimals and times, against `decimal` and `datetime`."""

from datetime import UTC, datetime, timedelta
from decimal import Decimal

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from wire.errors import FieldError
from wire.fix.faults import Fault
from wire.fix.numbers import (
    MAX_UINT32,
    price_text,
    price_units,
    read_decimal,
    read_timestamp,
    timestamp,
    unix_time,
    write_number,
    write_price,
)

SPARE = b"\x0199999999"
EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


def decimal(text: bytes, places: int) -> int:
    """As compiled code reads it, digits and points behind it."""
    return int(read_decimal(np.frombuffer(text + SPARE, np.uint8).copy(), 0, len(text), places))


def model(text: bytes, places: int) -> int:
    """What `decimal` makes of it."""
    characters = set(text) - set(b"0123456789.")
    if characters or text.count(b".") > 1 or not text.strip(b"."):
        return -Fault.NUMBER_FORMAT
    scaled = Decimal(text.decode()).scaleb(places)
    if scaled > MAX_UINT32:  # either fault is right where the number is also too fine
        return -Fault.NUMBER_RANGE
    return int(scaled) if scaled == int(scaled) else -Fault.NUMBER_FORMAT


NUMBERS = st.from_regex(r"\A[0-9]{0,9}(\.[0-9]{0,7})?\Z").map(str.encode)


@given(st.one_of(NUMBERS, st.text("0123456789.-+e ", max_size=14).map(str.encode)), st.sampled_from([0, 4]))
def test_decimals_are_read_exactly(text: bytes, places: int) -> None:
    found, expected = decimal(text, places), model(text, places)
    if expected == -Fault.NUMBER_RANGE:
        assert found in (-Fault.NUMBER_RANGE, -Fault.NUMBER_FORMAT)
    else:
        assert found == expected


@pytest.mark.parametrize("length", range(1, 13))
def test_decimals_of_every_length_and_place_of_the_point(length: int) -> None:
    digits = b"123456789012"[:length]
    for place in range(length + 1):
        text = digits[:place] + b"." + digits[place:]
        for places in (0, 4):
            found, expected = decimal(text, places), model(text, places)
            assert found == expected or (found < 0 and expected < 0), text


@pytest.mark.parametrize("text", [b"/", b":", b"1:", b"\xff", b"1\xb2", b"12345678/", b"1.2.3", b".", b"", b"-1", b"1 "])
def test_what_is_no_number_is_refused(text: bytes) -> None:
    assert decimal(text, 4) == -Fault.NUMBER_FORMAT


@given(st.integers(0, MAX_UINT32))
def test_prices_go_out_and_come_back(units: int) -> None:
    text = price_text(units)
    assert price_units(text) == decimal(text, 4) == units
    assert Decimal(text.decode()) == Decimal(units) / 10_000
    buffer = np.zeros(32, np.uint8)
    assert bytes(buffer[: write_price(buffer, 0, units)]) == text
    buffer[:] = 0
    assert bytes(buffer[: write_number(buffer, 0, units)]) == b"%d" % units


@pytest.mark.parametrize("text", [b"", b".", b"1.00001", b"429496.7296", b"-1", b"+1", b"1e3", b"1,5"])
def test_prices_that_are_none_are_errors(text: bytes) -> None:
    with pytest.raises(FieldError, match=r"1e-4"):
        price_units(text)


def test_units_out_of_range_have_no_text() -> None:
    for units in (-1, MAX_UINT32 + 1):
        with pytest.raises(FieldError, match="unsigned"):
            price_text(units)


def stamp(text: bytes) -> int:
    return int(read_timestamp(np.frombuffer(text + SPARE, np.uint8).copy(), 0, len(text)))


@given(
    st.datetimes(datetime(1970, 1, 1), datetime(2261, 1, 1), timezones=st.just(UTC)), st.sampled_from([0, 3, 6, 9])
)
def test_timestamps_are_read_to_the_nanosecond(moment: datetime, digits: int) -> None:
    nanoseconds = (moment - EPOCH) // timedelta(microseconds=1) * 1_000
    step = 10 ** (9 - digits)
    expected = nanoseconds // step * step
    fraction = f".{nanoseconds % 10**9:09}"[: digits + 1] if digits else ""
    text = f"{moment:%Y%m%d-%H:%M:%S}{fraction}".encode()
    assert stamp(text) == unix_time(text) == expected
    if digits == 3:
        assert timestamp(nanoseconds) == text


WRONG_TIMES = ["20260229-00:00:00", "20261301-00:00:00", "20260100-00:00:00", "20260431-00:00:00", "2026010a-00:00:00"]
WRONG_TIMES += ["20260101 00:00:00", "20260101-24:00:00", "20260101-00:60:00", "20260101-00:00:61", "20260101-00-00:00"]
WRONG_TIMES += ["20260101-00:00:00.1", "20260101-00:00:00,123", "20260101-00:00:00.12x", "20260101-0a:00:00", "20260101"]
WRONG_TIMES += ["20260101-00:00:00.", "", "20260101-00:00:00.1234567890", "20260101-:0:00:00"]


@pytest.mark.parametrize("text", WRONG_TIMES)
def test_what_is_no_time_is_refused(text: str) -> None:
    assert stamp(text.encode()) == -Fault.TIME_FORMAT
    assert unix_time(text.encode()) is None


def test_leap_days_and_leap_seconds() -> None:
    assert stamp(b"20240229-23:59:60") == stamp(b"20240301-00:00:00") == unix_time(b"20240229-23:59:60")
    assert stamp(b"20000229-00:00:00") == int(datetime(2000, 2, 29, tzinfo=UTC).timestamp()) * 10**9
    assert stamp(b"21000229-00:00:00") == -Fault.TIME_FORMAT
