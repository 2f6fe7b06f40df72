"""Engine and twin over real Nasdaq order flow: AMZN on 2012-06-21, the messages of `shared/data`."""

import csv
import io
import itertools
import zipfile

import numpy as np
import pytest

from drivers import commands
from drivers.settings import Feed, SymbolSetup
from sim.sources import itch_file
from tests.parity.stimulus import Config, Recording, record
from tests.scenarios.build import mold_frame
from tests.shared_data import shared_data
from wire.records import INPUT, EventType, Port, Side, SnapshotPart

pytestmark = [pytest.mark.parity, pytest.mark.twin, pytest.mark.gateware]

SIZES = {"symbols": 16, "levels": 4096, "orders": 16384}  # the profile `twin`
DAY = "itch/AMZN_2012-06-21_full_day_level5.itch"
BOOKS = "lobster/LOBSTER_SampleFile_AMZN_2012-06-21_5.zip"
SETUP = SymbolSetup(stock="AMZN", stock_locate=1, base_price=2_000_000, tick=100)
NO_PRICE = {9_999_999_999, -9_999_999_999}
DEPTH = 5


def tape(messages):
    return itch_file.read(shared_data(f"{DAY}.gz"), messages=messages)


@pytest.mark.timeout(3600)
def test_a_hundred_thousand_messages_with_loss_have_one_answer(power_on):
    config = Config(
        seed=2012, symbols={0: SETUP}, tick_ns=250_000_000, common_loss=0.0001, strict=False,
        host_orders=2_000, host_changes=200, odd_frames=1_000, revivals=1_000,
    )  # fmt: skip
    recording = record(tape(101_000), config, symbols=SIZES["symbols"], orders=SIZES["orders"])
    pair = power_on(**SIZES)
    ours, _ = pair.run(recording)
    counters = pair.software.counters()
    assert counters["messages"] >= 100_000
    assert counters["packets_duplicate"] > 0
    assert counters["gaps"] > 0
    assert len(ours.outputs) > 20_000
    assert counters["orders_refused"] > 5_000


def lobster_rows():
    """LOBSTER's order book, row by row: bids and asks as (price, quantity), best first."""
    with zipfile.ZipFile(shared_data(BOOKS)) as archive:
        (name,) = [each for each in archive.namelist() if "orderbook" in each]
        for row in csv.reader(io.StringIO(archive.read(name).decode())):
            levels = [tuple(map(int, row[4 * i : 4 * i + 4])) for i in range(DEPTH)]
            yield (
                [(price, size) for _, _, price, size in levels if price not in NO_PRICE],
                [(price, size) for price, size, _, _ in levels if price not in NO_PRICE],
            )


def books(events):
    """The books that SNAPSHOT commands were answered with."""
    chosen = events[np.isin(events["type"], [EventType.BOOK_LEVEL, EventType.SNAPSHOT_END])]
    book = ([], [])
    for kind, side, price, quantity in zip(
        *(chosen[name].tolist() for name in ("type", "side", "price", "quantity")), strict=True
    ):
        if kind == EventType.SNAPSHOT_END:
            yield book
            book = ([], [])
        else:
            book[0 if side == Side.BUY else 1].append((price, quantity))


@pytest.mark.oracle
@pytest.mark.timeout(3600)
def test_books_equal_lobster_after_fifty_thousand_messages(power_on):
    count = 50_000
    messages = tape(count)
    rows = [int(line) for line in shared_data(f"{DAY}.rows").read_text().split()]
    ends = [end for end in rows if end <= count]
    pair = power_on(**SIZES)
    for device in (pair.software, pair.card):
        device.configure_feed(Feed(), at=1)
        device.configure_symbol(0, SETUP)

    snapshot = commands.snapshot(0, SnapshotPart.BOOK, depth=DEPTH)
    records, data = [], bytearray()
    for before, end in itertools.pairwise([0, *ends]):
        stamp = int(messages.timestamps[max(end - 1, 0)])
        for first in range(before, end, 20):
            part = [messages[i] for i in range(first, min(end, first + 20))]
            frame = mold_frame(first + 1, part)
            records.append((stamp, len(data), len(frame), Port.FEED_A))
            data += frame
        records.append((stamp, len(data), 64, Port.COMMAND))
        data += snapshot
    recording = Recording(np.array(records, INPUT), np.frombuffer(bytes(data), np.uint8))
    _, twin = pair.run(recording)
    checked = 0
    for row, (got, expected) in enumerate(zip(books(twin.events), lobster_rows(), strict=False)):
        assert got == expected, f"row {row}, after message {ends[row]}"
        checked += 1
    assert checked == len(ends) > 40_000
