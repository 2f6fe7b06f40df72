"""The book against books that nobody here made: LOBSTER's of 2012-06-21, and genuine Nasdaq snippets."""

import gzip
import zipfile
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pytest

from engine import book
from engine.replay import replay
from tests.shared_data import shared_data
from wire.counters import COUNTER_COUNT, NUMBER
from wire.itch import ITCH
from wire.records import Side

pytestmark = pytest.mark.oracle

DAY = "2012-06-21"
NO_ASK, NO_BID = 9_999_999_999, -9_999_999_999
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
        return [int(line) for line in shared_data(f"itch/{self.name}.itch.rows").read_text().split()]


AMZN = Case(f"AMZN_{DAY}_full_day_level5", orders=4_096)
AAPL = Case(f"AAPL_{DAY}_first_hour_level50", orders=16_384)
MSFT = Case(f"MSFT_{DAY}_1000rows_level50", orders=4_096)


def differences(found: np.ndarray, expected: np.ndarray) -> list[int]:
    return np.flatnonzero((found != expected).any(axis=1)).tolist()


def test_amazons_day_equals_lobsters_book_in_every_row_on_five_levels() -> None:
    amazon = AMZN.replay()
    with (
        zipfile.ZipFile(shared_data(f"lobster/LOBSTER_SampleFile_AMZN_{DAY}_5.zip")) as archive,
        archive.open(f"AMZN_{DAY}_34200000_57600000_orderbook_5.csv") as file,
    ):
        expected = np.loadtxt(file, np.int64, delimiter=",")
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
    with gzip.open(shared_data("lobster/AAPL_level50_first_hour/AAPL_best_bid_ask_row_aligned.csv.gz")) as file:
        expected = np.loadtxt(file, np.int64, delimiter=",")
    found = differences(apple.rows(AAPL.after(), 1), expected)
    assert len(expected) == 91_997
    assert (len(expected) - len(found), found[0]) == (91_907, 54_606)
    assert apple.count("unknown_reference") == 0  # the 46 events on unknown orders were left out of the file


def test_apples_first_rows_equal_lobsters_on_forty_levels() -> None:
    expected = np.loadtxt(
        shared_data("lobster/AAPL_level50_first_hour/first672_orderbook_50.csv"), np.int64, delimiter=","
    )
    assert len(expected) == 672
    assert differences(AAPL.replay().rows(AAPL.after()[:672], 40), expected[:, :160]) == []


def test_microsofts_rows_equal_lobsters_on_forty_levels() -> None:
    expected = np.loadtxt(shared_data("lobster/MSFT_level50_1000rows/orderbook_50.csv"), np.int64, delimiter=",")
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
