"""Decoding into columns against the one message at a time of `wire`."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine import itch
from tests.shared_data import shared_data
from wire.counters import COUNTER_COUNT, NUMBER
from wire.itch import ITCH

LONGER = {
    "reference": ("order_reference", "original_order_reference"),
    "new_reference": ("new_order_reference",),
}
NAMES = LONGER | {
    "price": ("price", "execution_price"),
    "shares": ("shares", "executed_shares", "cancelled_shares"),
    "side": ("side",),
}


def decoded(data: bytes, rows: int) -> tuple[list[dict[str, int]], dict[str, int], int]:
    """Rows, counters that are not 0, and where it stopped; taken ``rows`` at a time."""
    buffer, counters = np.frombuffer(data, np.uint8), np.zeros(COUNTER_COUNT, np.uint64)
    columns, stop = itch.columns(rows), np.zeros(1, np.int64)
    found: list[dict[str, int]] = []
    while n := itch.decode(buffer, int(stop[0]), len(data), counters, columns, stop):
        found += [{name: int(values[i]) for name, values in columns._asdict().items()} for i in range(n)]
    return found, {name: int(counters[i]) for name, i in NUMBER.items() if counters[i]}, int(stop[0])


def expected(message: bytes, position: int) -> dict[str, int]:
    record = ITCH.of(message)
    fields = record.unpack(message)
    row = {"position": position, "timestamp": fields["timestamp"], "stock_locate": fields["stock_locate"]}
    row["type"] = message[0]
    for column, names in NAMES.items():
        width = {"side": 1, "price": 4, "shares": 4}.get(column, 8)
        values = [fields[name] for name in names if name in fields and record[name].width == width]
        value = values[0] if values else 0
        row[column] = ord(value) if isinstance(value, str) else value
    return row


def framed(messages: list[bytes]) -> bytes:
    return b"".join(len(message).to_bytes(2) + message for message in messages)


def random_message(code: int) -> st.SearchStrategy[bytes]:
    record = ITCH.by_code[code]
    numbers = {f.name: st.integers(0, 256**f.width - 1) for f in record.fields if f.kind == "int"}
    sides = {"side": st.sampled_from("BS")} if any(f.name == "side" for f in record.fields) else {}
    return st.fixed_dictionaries(numbers | sides).map(record.pack)


messages = st.sampled_from(list(ITCH.by_code)).flatmap(random_message)
malformed = st.one_of(
    st.binary(min_size=1, max_size=60).filter(lambda m: m[0] not in ITCH.by_code or len(m) != ITCH.of(m).length)
)


@given(st.lists(st.one_of(messages, messages, malformed), max_size=30), st.integers(1, 40))
def test_columns_hold_what_each_message_says(stream: list[bytes], rows: int) -> None:
    found, counters, stop = decoded(framed(stream), rows)
    wanted, at, counted = [], 0, dict.fromkeys(NUMBER, 0)
    for message in stream:
        record = ITCH.by_code.get(message[0])
        if record is None:
            counted["itch_unknown"] += 1
        elif len(message) != record.length:
            counted["itch_bad_length"] += 1
        else:
            counted[f"itch_{record.code}"] += 1
            wanted.append(expected(message, at + 2))
        at += 2 + len(message)
    assert found == wanted
    assert counters == {name: count for name, count in counted.items() if count}
    assert stop == at


@pytest.mark.parametrize("cut", range(1, 21))
def test_a_message_that_is_not_whole_is_left(cut: int) -> None:
    data = framed([ITCH.by_code[ord("D")].pack()] * 2)
    found, _, stop = decoded(data[:-cut], 8)
    assert (len(found), stop) == (1, 21)


def test_a_length_of_0_ends_the_session() -> None:
    delete = ITCH.by_code[ord("D")].pack()
    found, _, stop = decoded(framed([delete, b"", delete]), 8)
    assert (len(found), stop) == (1, 21)


@pytest.mark.oracle
@pytest.mark.parametrize(
    "name", ["12302019_first_1000msgs.NASDAQ_ITCH50", "12302019_SNIPPET_open_1000msgs.NASDAQ_ITCH50"]
)
def test_genuine_snippets_decode_to_the_last_byte(name: str) -> None:
    data = shared_data(f"itch/{name}").read_bytes()
    found, counters, stop = decoded(data, 300)
    assert (len(found), stop) == (1_000, len(data))
    assert sum(counters.values()) == 1_000
    for row, following in zip(found, [*found[1:], None], strict=True):
        end = following["position"] - 2 if following else len(data)
        assert row == expected(data[row["position"] : end], row["position"])
