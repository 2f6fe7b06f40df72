"""The book against books that nobody here made: LOBSTER's of 2012-06-21, and genuine Nasdaq snippets."""

import gzip
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pytest

from engine import book
from engine.replay import replay
from tests import lobster
from tests.lobster import BOOKS, NO_ASK, NO_BID, differences, order_book
from tests.shared_data import shared_data
from wire.counters import COUNTER_COUNT, NUMBER
from wire.itch import ITCH
from wire.records import Side

pytestmark = pytest.mark.oracle

TICK = 100
LEVELS = 1 << 18  # there is an offer of Apple at 2,000 dollars


class Replay:
    """One symbol's book, fed from a BinaryFILE as far as one is told."""

    def __init__(self, path: Path, orders: int) -> None:
        opened = gzip.open if path.suffix == ".gz" else open
        with opened(path, "rb") as file:
            self.data = np.frombuffer(file.read(), np.uint8)
        self.book = book.create(symbols=1, levels=LEVELS, orders=orders)
        book.map_symbol(self.book, 0, 1, 0, TICK, LEVELS * TICK)
        self.counters = np.zeros(COUNTER_COUNT, np.uint64)
        self.result = np.zeros(book.RESULT_LENGTH, np.int64)
        self.stop = np.zeros(1, np.int64)
        self.done = 0

    def count(self, name: str) -> int:
        return int(self.counters[NUMBER[name]])

    def until(self, messages: int) -> None:
        """Applies messages until that many have been."""
        at, wanted = int(self.stop[0]), messages - self.done
        assert wanted == replay(self.book, self.data, at, len(self.data), wanted, self.counters, self.result, self.stop)
        self.done = messages

    def rows(self, after: list[int], depth: int) -> np.ndarray:
        """The book after each number of messages, as LOBSTER writes it: ask, size, bid, size by level."""
        out = np.zeros((len(after), depth, 4), np.int64)
        out[:, :, 0], out[:, :, 2] = NO_ASK, NO_BID
        found = np.zeros((depth, 3), np.int64)
        for row, messages in zip(out, after, strict=True):
            self.until(messages)
            for side, columns in ((Side.SELL, slice(0, 2)), (Side.BUY, slice(2, 4))):
                n = book.levels(self.book, 0, int(side), depth, found)
                row[:n, columns] = found[:n, :2]
        return out.reshape(len(after), 4 * depth)


@dataclass(frozen=True)
class Case:
    name: str
    orders: int

    def replay(self) -> Replay:
        return Replay(shared_data(f"itch/{self.name}.itch.gz"), self.orders)

    def after(self) -> list[int]:
        return lobster.after(self.name)


AMZN = Case(lobster.AMZN, orders=4_096)
AAPL = Case(lobster.AAPL, orders=16_384)
MSFT = Case(lobster.MSFT, orders=4_096)


def test_amazons_day_equals_lobsters_book_in_every_row_on_five_levels() -> None:
    amazon = AMZN.replay()
    expected = order_book(BOOKS[lobster.AMZN])
    assert expected.shape == (155_935, 20)
    assert differences(amazon.rows(AMZN.after(), 5), expected) == []
    assert amazon.count("orders_added") == amazon.count("itch_A") == 84_256
    for name in (
        "unknown_reference",
        "over_execution",
        "duplicate_reference",
        "out_of_band",
        "order_overflow",
    ):
        assert amazon.count(name) == 0, name
    assert book.is_trusted(amazon.book, 0)


def test_apples_first_hour_has_lobsters_best_bid_and_offer_with_their_sizes() -> None:
    apple = AAPL.replay()
    expected = order_book(lobster.APPLES_TOPS)
    found = differences(apple.rows(AAPL.after(), 1), expected)
    assert len(expected) == 91_997
    assert (len(expected) - len(found), found[0]) == (91_907, 54_606)
    assert apple.count("unknown_reference") == 0  # the 46 events on unknown orders were left out of the file


def test_apples_first_rows_equal_lobsters_on_forty_levels() -> None:
    expected = order_book(BOOKS[lobster.AAPL])
    assert len(expected) == 672
    assert differences(AAPL.replay().rows(AAPL.after()[:672], 40), expected[:, :160]) == []


def test_microsofts_rows_equal_lobsters_on_forty_levels() -> None:
    expected = order_book(BOOKS[lobster.MSFT])
    assert len(expected) == 1_000
    assert differences(MSFT.replay().rows(MSFT.after(), 40), expected[:, :160]) == []


def test_a_bit_flipped_in_amazons_ladder_is_seen_in_the_rows() -> None:
    amazon = AMZN.replay()
    after = AMZN.after()[:2_000]
    before = amazon.rows(after[:1_000], 5)
    index = book.best_index(amazon.book, 0, int(Side.BUY))
    book.rows(amazon.book, "levels")["quantity"][0, index // 4, Side.BUY, index % 4] ^= 1
    rest = amazon.rows(after[1_000:], 5)
    whole = AMZN.replay().rows(after, 5)
    assert differences(before, whole[:1_000]) == []
    assert differences(rest, whole[1_000:])


def messages_of(data: bytes) -> list[bytes]:
    """BinaryFILE, read in the plainest way."""
    found, at = [], 0
    while at < len(data):
        length = int.from_bytes(data[at : at + 2])
        found.append(data[at + 2 : at + 2 + length])
        at += 2 + length
    return found


@pytest.mark.parametrize(
    "name",
    [
        "12302019_first_1000msgs.NASDAQ_ITCH50",
        "12302019_SNIPPET_open_1000msgs.NASDAQ_ITCH50",
        "07302019_filtered_500_order_msgs_0400",
    ],
)
def test_genuine_snippets_of_many_symbols_are_counted_message_by_message(name: str) -> None:
    """References to orders from before the snippet are unknown, each of them, and nothing else is."""
    data = shared_data(f"itch/{name}").read_bytes()
    expected = dict.fromkeys(NUMBER, 0)
    alive: set[int] = set()
    locates: dict[int, int] = {}
    messages = messages_of(data)
    for message in messages:
        fields = ITCH.unpack(message)
        kind = fields["type"]
        expected[f"itch_{kind}"] += 1
        if fields["stock_locate"]:
            locates.setdefault(fields["stock_locate"], len(locates))
        if kind in "AF":
            alive.add(fields["order_reference"])
            expected["orders_added"] += 1
        elif kind in "ECX":
            expected["unknown_reference"] += fields["order_reference"] not in alive
        elif kind == "D":
            expected["unknown_reference"] += fields["order_reference"] not in alive
            alive.discard(fields["order_reference"])
        elif kind == "U" and fields["original_order_reference"] not in alive:
            expected["unknown_reference"] += 1
        elif kind == "U":
            alive.discard(fields["original_order_reference"])
            alive.add(fields["new_order_reference"])
            expected["orders_added"] += 1

    whole = book.create(symbols=len(locates), levels=4_096, orders=4_096)
    for locate, symbol in locates.items():
        book.map_symbol(whole, symbol, locate, 0, TICK, 4_096 * TICK)
    counters = np.zeros(COUNTER_COUNT, np.uint64)
    result, stop = np.zeros(book.RESULT_LENGTH, np.int64), np.zeros(1, np.int64)
    buffer = np.frombuffer(data, np.uint8)
    assert replay(whole, buffer, 0, len(buffer), 10_000, counters, result, stop) == len(messages)
    assert stop[0] == len(data)
    for counter in ("out_of_band", "top_changes"):
        expected[counter] = int(counters[NUMBER[counter]])
    assert {n: int(counters[i]) for n, i in NUMBER.items()} == expected
    assert sum(book.live_orders(whole, symbol) for symbol in range(len(locates))) <= len(alive)
