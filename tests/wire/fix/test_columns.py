"""Messages into columns and columns into messages: against the fields that went in."""

from decimal import Decimal

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.wire.fix.streams import build
from wire.errors import FieldError
from wire.fix.columns import EXECUTIONS, NEW_ORDERS, TEXT_WIDTH, Kind, Selection, parse
from wire.fix.faults import Fault
from wire.fix.message import Message
from wire.fix.numbers import MAX_UINT32, price_text, timestamp
from wire.fix.write import message, new_orders

NOON = 1_795_694_400_000_000_000
ORDER = {35: b"D", 34: b"1", 49: b"C", 11: b"A", 55: b"MSFT", 54: b"1", 40: b"2", 38: b"100", 44: b"101.25"}
ORDER |= {60: b"20261126-12:00:00"}


def order(**changes: bytes | None) -> bytes:
    """An order with some fields replaced, or left out."""
    fields = ORDER | {int(tag[1:]): value for tag, value in changes.items()}
    return build(b"FIX.4.4", [(tag, value) for tag, value in fields.items() if value is not None])


def read(stream: bytes, selection: Selection = NEW_ORDERS, rows: int = 8):
    columns, result = selection.columns(rows), np.zeros(2, np.int64)
    count = parse(np.frombuffer(stream, np.uint8).copy(), columns, result)
    return columns, count, result


texts = st.text("ABCabc019-_", min_size=1, max_size=TEXT_WIDTH).map(str.encode)
prices = st.integers(0, MAX_UINT32)
rows = st.lists(st.tuples(texts, texts, st.booleans(), st.integers(0, MAX_UINT32), st.one_of(st.none(), prices)), max_size=8)


@given(rows)
def test_columns_hold_what_the_messages_say(several: list) -> None:
    stream = b""
    for name, symbol, buy, quantity, price in several:
        side, text = b"1" if buy else b"2", None if price is None else price_text(price)
        stream += order(_11=name, _55=symbol, _54=side, _38=b"%d" % quantity, _44=text)
    columns, count, result = read(stream)
    assert (count, result.tolist()) == (len(several), [len(stream), 0])
    assert not columns.fault[:count].any()
    assert columns["client_order_id"][:count].tolist() == [row[0] for row in several]
    assert columns["symbol"][:count].tolist() == [row[1] for row in several]
    assert columns["side"][:count].tolist() == [ord("1") if row[2] else ord("2") for row in several]
    assert columns["quantity"][:count].tolist() == [row[3] for row in several]
    assert columns["price"][:count].tolist() == [row[4] or 0 for row in several]
    place = list(columns).index("price")
    assert (columns.present[:count] >> place & 1).tolist() == [row[4] is not None for row in several]
    assert set(columns["transact_time"][:count].tolist()) <= {NOON}


def test_rows_that_are_used_again_keep_nothing() -> None:
    columns, result = NEW_ORDERS.columns(1), np.zeros(2, np.int64)
    for stream, account in ((order(_1=b"HOUSE"), b"HOUSE"), (order(), b"")):
        assert parse(np.frombuffer(stream, np.uint8).copy(), columns, result) == 1
        assert columns["account"].tolist() == [account]


FAULTS = {
    "long id": (order(_11=b"x" * 25), Fault.TEXT_LENGTH),
    "empty id": (order(_11=b""), Fault.TEXT_LENGTH),
    "side of two": (order(_54=b"12"), Fault.CHARACTER),
    "quantity with a sign": (order(_38=b"-5"), Fault.NUMBER_FORMAT),
    "half a share": (order(_38=b"0.5"), Fault.NUMBER_FORMAT),
    "price too fine": (order(_44=b"1.00001"), Fault.NUMBER_FORMAT),
    "price too high": (order(_44=b"429496.7296"), Fault.NUMBER_RANGE),
    "no time": (order(_60=b"noon"), Fault.TIME_FORMAT),
    "no symbol": (order(_55=None), Fault.REQUIRED),
    "symbol twice": (build(b"FIX.4.4", [*ORDER.items(), (55, b"AAPL")]), Fault.REPEATED),
    "no tag": (build(b"FIX.4.4", [*ORDER.items()]).replace(b"55=", b"5x="), Fault.CHECKSUM),
}


@pytest.mark.parametrize("name", FAULTS)
def test_a_fault_takes_a_row_and_the_next_message_is_read(name: str) -> None:
    stream, fault = FAULTS[name]
    columns, count, _ = read(stream + order())
    assert (count, columns.fault[:2].tolist()) == (2, [fault, 0])
    assert columns["client_order_id"][1] == b"A"
    if fault == Fault.REQUIRED:
        assert columns.where[0] == 55


def test_other_types_and_data_are_passed_over() -> None:
    raw = build(b"FIX.4.4", [*ORDER.items(), (95, b"6"), (96, b"\x0155=X\x01")])
    stream = build(b"FIX.4.4", [(35, b"0"), (34, b"9")]) + raw + raw[:20]
    columns, count, result = read(stream)
    assert (count, result.tolist()) == (1, [len(stream) - 20, 1])
    assert (columns.fault[0], columns["symbol"][0]) == (0, b"MSFT")


def test_executions() -> None:
    fields = {35: b"8", 34: b"12", 37: b"O1", 17: b"E1", 150: b"F", 39: b"1", 54: b"2", 31: b"10.0001", 32: b"50"}
    fields |= {151: b"50", 14: b"50.00", 6: b"10.0001"}
    columns, count, _ = read(build(b"FIX.4.4", list(fields.items())), EXECUTIONS)
    assert (count, columns.fault[0]) == (1, 0)
    assert (columns["last_price"][0], columns["cumulative_quantity"][0]) == (100_001, 50)
    assert columns["order_id"][0] == b"O1"


def test_the_writer_gives_what_the_parser_reads(rng: np.random.Generator) -> None:
    count = 200
    ids, symbols = (np.array([f"{mark}{n}" for n in range(count)], "S24") for mark in ("ORDER", "S"))
    sides = rng.choice(np.frombuffer(b"125", np.uint8), count)
    quantities, prices_ = rng.integers(0, 1 << 32, (2, count), np.uint32)
    buffer, moment = np.zeros(256 * count, np.uint8), timestamp(NOON + 123_000_000)
    head, begin = (np.frombuffer(octets, np.uint8).copy() for octets in (b"49=ME\x0156=YOU\x01", b"FIX.4.4"))
    clock = np.frombuffer(moment, np.uint8).copy()
    length = new_orders(
        buffer, begin, head, 7, clock, ids.view(np.uint8), symbols.view(np.uint8), 24, sides, quantities, prices_
    )
    columns, result = NEW_ORDERS.columns(count + 1), np.zeros(2, np.int64)
    assert parse(buffer, columns, result, 0, int(length)) == count
    assert not columns.fault.any()
    for name, expected in (("client_order_id", ids), ("symbol", symbols), ("side", sides), ("price", prices_)):
        np.testing.assert_array_equal(columns[name][:count], expected)
    np.testing.assert_array_equal(columns["quantity"][:count], quantities)
    assert columns["sequence_number"][:count].tolist() == list(range(7, 7 + count))
    assert set(columns["transact_time"][:count].tolist()) == {NOON + 123_000_000}


@given(st.lists(st.tuples(st.integers(100, 9_999), st.binary(min_size=1, max_size=9)), max_size=9))
def test_messages_written_from_python_are_read_again(fields: list) -> None:
    fields = [(tag, value.replace(b"\x01", b"|")) for tag, value in fields]
    octets = message(b"FIX.4.4", [(35, "D"), *fields])
    assert octets == build(b"FIX.4.4", [(35, b"D"), *fields])


@pytest.mark.parametrize("value", ["", b"a\x01b"])
def test_values_that_would_break_the_message_are_refused(value: str | bytes) -> None:
    with pytest.raises(FieldError, match="58"):
        message(b"FIX.4.4", [(35, "B"), (58, value)])


def test_data_goes_out_behind_its_length() -> None:
    octets = message(b"FIX.4.4", [(35, "B"), (95, 3), (96, b"a\x01b")])
    assert Message.parse(octets).get(96) == b"a\x01b"


def test_prices_of_a_message() -> None:
    found = Message.parse(order())
    assert found.price(44) == Decimal("101.25") * 10_000
    assert found.number(38) == 100
    assert found.number(11) is None
    assert found.text(58, "nothing") == "nothing"
    with pytest.raises(KeyError):
        found.price(99)


def test_a_selection_refuses_tags_that_it_has_no_place_for() -> None:
    with pytest.raises(ValueError, match="5000"):
        Selection("D", own=(5_000, Kind.TEXT))
