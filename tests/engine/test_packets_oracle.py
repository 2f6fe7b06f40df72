"""The whole software path, given recorded days as packets: after every row its book is LOBSTER's."""

import numpy as np
import pytest

from drivers import commands
from drivers.settings import Feed, SymbolSetup
from engine.path import Engine
from sim.sources import itch_file
from tests import lobster
from tests.lobster import AAPL, AMZN, BOOKS, MSFT, differences, order_book
from tests.shared_data import shared_data
from wire.counters import NUMBER
from wire.records import INPUT, Port

pytestmark = pytest.mark.oracle

AT_ONCE = 10_000  # rows per call


def books(name: str, base: int, depth: int, rows: int | None = None, levels: int = 4096) -> np.ndarray:
    """The engine's books after the first rows of a file."""
    tape, ends = itch_file.read(shared_data(f"itch/{name}.itch.gz")), lobster.after(name)[:rows]
    engine = Engine(1, levels, 1 << 16)
    setup = SymbolSetup(stock=name[:4], stock_locate=1, base_price=base, tick=100)
    made = [commands.set_feed(Feed()), commands.set_symbol(0, setup, levels)]
    inputs = np.array([(1, 64 * n, 64, Port.COMMAND) for n in range(len(made))], INPUT)
    engine.process(inputs, np.frombuffer(b"".join(made), np.uint8))
    found, done = [], 0
    for first in range(0, len(ends), AT_ONCE):
        part = ends[first : first + AT_ONCE]
        found.append(lobster.answered(engine.process(*lobster.asked(tape, part, depth, done)).events, depth))
        done = part[-1]
    for counter in ("packets_dropped", "gaps", "unknown_reference", "over_execution", "duplicate_reference"):
        assert engine.counters[NUMBER[counter]] == 0, counter
    assert engine.counters[NUMBER["messages"]] == ends[-1]
    return np.concatenate(found)


def test_amazons_day_as_packets_equals_lobsters_book_in_every_row_on_five_levels() -> None:
    expected = order_book(BOOKS[AMZN])
    assert expected.shape == (155_935, 20)
    assert differences(books(AMZN, 2_000_000, 5), expected) == []


def test_apples_hour_as_packets_has_lobsters_best_bid_and_offer() -> None:
    expected = order_book(lobster.APPLES_TOPS)
    different = differences(books(AAPL, 5_650_000, 1), expected)
    # As far as an independent replay agrees: see the README of the data.
    assert (len(expected), len(expected) - len(different), different[0]) == (91_997, 91_907, 54_606)


@pytest.mark.parametrize(
    ("name", "base", "rows", "levels"),
    [(AAPL, 0, 672, 1 << 18), (MSFT, 100_000, 1_000, 4096)],  # there is an offer of Apple at 2,000 dollars
)
def test_first_rows_as_packets_equal_lobsters_on_forty_levels(name: str, base: int, rows: int, levels: int) -> None:
    expected = order_book(BOOKS[name])
    assert len(expected) == rows
    assert differences(books(name, base, 40, rows, levels), expected[:, :160]) == []
