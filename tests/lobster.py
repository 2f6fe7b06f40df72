"""LOBSTER's order books of 2012-06-21, and how a device is asked for its own after the same messages."""

import gzip
import zipfile
from typing import Any

import numpy as np

from drivers import commands
from sim.sources.csv_numbers import parse
from sim.sources.tape import Tape
from tests.scenarios.build import mold_frame
from tests.shared_data import shared_data
from wire.records import INPUT, EventType, Port, Side, SnapshotPart

DAY = "2012-06-21"
NO_ASK, NO_BID = 9_999_999_999, -9_999_999_999
AMZN, AAPL, MSFT = (f"{stock}_{DAY}_{rest}" for stock, rest in (
    ("AMZN", "full_day_level5"), ("AAPL", "first_hour_level50"), ("MSFT", "1000rows_level50"),
))  # fmt: skip
"""The ITCH files in ``itch/``."""
BOOKS = {
    AMZN: f"lobster/LOBSTER_SampleFile_AMZN_{DAY}_5.zip",
    AAPL: "lobster/AAPL_level50_first_hour/first672_orderbook_50.csv",
    MSFT: "lobster/MSFT_level50_1000rows/orderbook_50.csv",
}
APPLES_TOPS = "lobster/AAPL_level50_first_hour/AAPL_best_bid_ask_row_aligned.csv.gz"
AT_ONCE = 20  # messages per packet, at most


def order_book(name: str) -> np.ndarray:
    """LOBSTER's rows, ``int64``: ask price, ask size, bid price, bid size of each level, the best first."""
    path = shared_data(name)
    if path.suffix == ".zip":
        with zipfile.ZipFile(path) as archive:
            (inside,) = (each for each in archive.namelist() if "_orderbook_" in each)
            return parse(archive.read(inside))
    return parse(gzip.decompress(path.read_bytes()) if path.suffix == ".gz" else path.read_bytes())


def after(name: str) -> list[int]:
    """How many messages of ``itch/NAME.itch.gz`` go before each row."""
    return [int(line) for line in shared_data(f"itch/{name}.itch.rows").read_text().split()]


def asked(tape: Tape, ends: list[int], depth: int, done: int = 0) -> tuple[Any, Any]:
    """Inputs and buffer: messages from number ``done`` on as packets of feed A, and behind each of ``ends`` (numbers of
    messages) a SNAPSHOT of symbol 0's book.
    """
    snapshot = commands.snapshot(0, SnapshotPart.BOOK, depth=depth)
    rows, data = [], bytearray()
    for end in ends:
        stamp = int(tape.timestamps[max(end - 1, 0)])
        while done < end:
            part = [tape[i] for i in range(done, min(end, done + AT_ONCE))]
            frame = mold_frame(done + 1, part)
            rows.append((stamp, len(data), len(frame), Port.FEED_A))
            data += frame
            done += len(part)
        rows.append((stamp, len(data), 64, Port.COMMAND))
        data += snapshot
    return np.array(rows, INPUT), np.frombuffer(bytes(data), np.uint8)


def answered(events: Any, depth: int) -> np.ndarray:
    """The books that the SNAPSHOTs were answered with, as LOBSTER writes them."""
    row = np.cumsum(events["type"] == EventType.SNAPSHOT_END)
    out = np.zeros((int(row[-1]), depth, 4), np.int64)
    out[:, :, 0], out[:, :, 2] = NO_ASK, NO_BID
    for side, at in ((Side.SELL, 0), (Side.BUY, 2)):
        chosen = (events["type"] == EventType.BOOK_LEVEL) & (events["side"] == side)
        for column, name in enumerate(("price", "quantity")):
            out[row[chosen], events["info"][chosen], at + column] = events[name][chosen]
    return out.reshape(len(out), 4 * depth)


def differences(found: np.ndarray, expected: np.ndarray) -> list[int]:
    """The rows that are not the same."""
    assert found.shape == expected.shape
    return np.flatnonzero((found != expected).any(axis=1)).tolist()
