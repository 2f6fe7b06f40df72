"""LOBSTER files turned into ITCH: the book that they make is LOBSTER's own."""

from pathlib import Path

import numpy as np
import pytest

from engine import book
from engine.replay import replay
from sim.sources import load, lobster
from sim.sources.csv_numbers import parse
from sim.sources.lobster import Conversion
from sim.sources.tape import Tape, Vector
from tests.lobster import NO_ASK, NO_BID, differences, order_book
from tests.shared_data import shared_data
from wire.counters import COUNTER_COUNT, NUMBER
from wire.itch import ITCH
from wire.records import Side

AMZN = "lobster/LOBSTER_SampleFile_AMZN_2012-06-21_5.zip"
AAPL = "lobster/LOBSTER_SampleFile_AAPL_2012-06-21_1.zip"
DEEP = "lobster/AAPL_level50_first_hour/first672_message_50.csv"
MSFT = "lobster/MSFT_level50_1000rows/message_50.csv"
LEVELS, TICK = 1 << 18, 100
BROKEN = ("unknown_reference", "over_execution", "duplicate_reference", "bad_value", "out_of_band")


def rows_of(tape: Tape, after: list[int], depth: int) -> tuple[Vector, dict[str, int]]:
    """The engine's book after each number of messages as LOBSTER writes it; and what it counted."""
    data = np.frombuffer(b"".join(len(m).to_bytes(2, "big") + m for m in tape), np.uint8)
    books = book.create(symbols=1, levels=LEVELS, orders=1 << 15)
    book.map_symbol(books, 0, 1, 0, TICK, LEVELS * TICK)
    counters, result = np.zeros(COUNTER_COUNT, np.uint64), np.zeros(book.RESULT_LENGTH, np.int64)
    stop, found, done = np.zeros(1, np.int64), np.zeros((depth, 3), np.int64), 0
    out = np.zeros((len(after), depth, 4), np.int64)
    out[:, :, 0], out[:, :, 2] = NO_ASK, NO_BID
    for row, messages in zip(out, after, strict=True):
        wanted = messages - done
        assert replay(books, data, int(stop[0]), len(data), wanted, counters, result, stop) == wanted
        done = messages
        for side, columns in ((Side.SELL, slice(0, 2)), (Side.BUY, slice(2, 4))):
            n = book.levels(books, 0, int(side), depth, found)
            row[:n, columns] = found[:n, :2]
    counted = {name: int(counters[number]) for name, number in NUMBER.items()}
    return out.reshape(len(after), 4 * depth), counted


@pytest.mark.oracle
@pytest.mark.parametrize(
    ("name", "stock", "rows", "depth", "unexplained"),
    [(AMZN, None, 155_935, 5, 1), (AAPL, None, 118_497, 1, 0), (DEEP, "AAPL", 672, 50, 0), (MSFT, "MSFT", 1_000, 50, 0)],
)
def test_the_book_equals_lobsters_in_every_row(
    name: str, stock: str | None, rows: int, depth: int, unexplained: int
) -> None:
    made = lobster.convert(shared_data(name), stock=stock)
    expected = order_book(name.replace("message", "orderbook"))
    assert expected.shape == (rows, 4 * depth)
    found, counted = rows_of(made.tape, made.rows.tolist(), depth)
    assert differences(found, expected) == []
    assert {name: counted[name] for name in BROKEN} == dict.fromkeys(BROKEN, 0)
    # What was invented stands for orders out of sight: at prices in view there is nothing to invent.
    assert made.unexplained == unexplained


@pytest.mark.oracle
def test_the_events_are_lobsters_in_their_order() -> None:
    """With the invented messages left out, side by side with the message file."""
    path = shared_data(MSFT)
    made = lobster.convert(path, stock="MSFT")
    events = parse(path.read_bytes(), scaled_column=0, scale=9)
    kinds = {1: "A", 2: "X", 3: "D", 4: "E", 5: "P"}
    begins = np.append(0, made.rows[:-1])
    for k, (time, kind, order, size, price, direction) in enumerate(events.tolist()):
        row = [ITCH.unpack(m) for m in made.tape.part(int(begins[k]), int(made.rows[k]))]
        same = [m for m in row if m["type"] == kinds[kind] and m["timestamp"] == time]
        if kind == 5:
            assert any(
                (m["shares"], m["price"], m["side"]) == (size, price, "BS"[direction < 0]) for m in same
            )
        elif kind == 1:
            assert any(
                (m["order_reference"], m["shares"], m["price"], m["side"])
                == (order, size, price, "BS"[direction < 0])
                for m in same
            )
        else:
            assert any(m["order_reference"] == order for m in same)


EVENTS = [
    "34200.5,1,11,100,1000000,1",
    "34200.6,1,12,200,1010000,-1",
    "34201,2,11,40,1000000,1",
    "34201.000000001,4,12,50,1010000,-1",
    "34201.1,5,0,30,1005000,-1",
    "34201.2,3,7,70,990000,1",
    "34201.3,7,0,0,-1,-1",
    "34201.4,7,0,0,1,-1",
    "34202,6,-1,500,1004000,-1",
    "34203,3,11,60,1000000,1",
]


def made_of(tmp_path: Path, lines: list[str], book_lines: list[str] | None = None) -> Conversion:
    path = tmp_path / "TEST_2020-01-02_34200000_57600000_message_1.csv"
    path.write_text("\n".join(lines) + "\n")
    if book_lines is not None:
        path.with_name(path.name.replace("message", "orderbook")).write_text("\n".join(book_lines) + "\n")
    return lobster.convert(path)


def test_each_event_type_becomes_its_message(tmp_path: Path) -> None:
    made = made_of(tmp_path, EVENTS)
    messages = [ITCH.unpack(m) for m in made.tape]
    assert "".join(m["type"] for m in messages) == "SRHYSSAAXEPADHHQDSSS"
    body = [m for m in messages if m["type"] not in "SRY"][1:]
    assert [m["timestamp"] for m in body][:5] == [
        34_200_500_000_000, 34_200_600_000_000, 34_201_000_000_000, 34_201_000_000_001, 34_201_100_000_000,
    ]  # fmt: skip
    assert [m["trading_state"] for m in messages if m["type"] == "H"] == ["T", "H", "T"]
    assert messages[1]["stock"] == "TEST"
    # Nobody announced order 7: it comes in just before it is deleted.
    added = [m for m in messages if m["type"] == "A"][2]
    assert (added["order_reference"], added["shares"], added["price"], added["side"]) == (7, 70, 990_000, "B")
    assert made.invented == 1
    assert load(tmp_path / "TEST_2020-01-02_34200000_57600000_message_1.csv").digest() == made.tape.digest()


def test_a_level_that_comes_into_view_is_filled_by_the_orders_that_later_events_name(tmp_path: Path) -> None:
    lines = [
        "34200,1,20,100,1000000,1",
        "34201,3,20,100,1000000,1",  # 900,000 comes into view: order 15 of 30, and 45 of nobody
        "34202,4,15,30,900000,1",
        "34203,1,21,10,1000000,1",
        "34204,3,21,10,1000000,1",  # the 45 are gone
    ]
    rows = ["1000000,100", "900000,75", "900000,45", "1000000,10", "-9999999999,0"]
    made = made_of(tmp_path, lines, [f"9999999999,0,{row}" for row in rows])
    body = [ITCH.unpack(m) for m in made.tape][6:-3]
    said = [(m["type"], m.get("order_reference"), m.get("shares", m.get("executed_shares"))) for m in body]
    assert said == [
        ("A", 20, 100),
        ("D", 20, None),
        ("A", 15, 30),
        ("A", 100, 45),
        ("E", 15, 30),
        ("A", 21, 10),
        ("D", 21, None),
        ("D", 100, None),
    ]
    assert (made.invented, made.unexplained) == (3, 0)


def test_what_is_not_lobsters_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="10 events, order book of 1 rows"):
        made_of(tmp_path, EVENTS, ["9999999999,0,1000000,100"])
    with pytest.raises(ValueError, match=r"event types \[9\]"):
        made_of(tmp_path, ["34200.5,9,11,100,1000000,1"], ["9999999999,0,1000000,100"])
    nameless = tmp_path / "events.csv"
    nameless.write_text(EVENTS[0] + "\n")
    with pytest.raises(ValueError, match="name the stock"):
        lobster.convert(nameless)
    assert len(lobster.read(nameless, stock="ABC")) == 10
