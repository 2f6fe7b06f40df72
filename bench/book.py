"""ITCH to full order books, and decoding alone: beside itch-book and itchcpp from PyPI.

Two loads from `bench.itch_mix`: 500 symbols with 24,000 live orders, and 8,000 with 344,000, which no cache
holds. Each program gets the same bytes in memory and builds every symbol's book from nothing; making the
empty book is not counted, touching its memory for the first time is. Ours and the peers take turns, round by
round, on one core each. At the end the best bids and offers of all symbols must be equal.
"""

from __future__ import annotations

import statistics
import sys
import tempfile
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

from bench import peers
from bench.figures import BUILD, Figure, times_better, write
from bench.itch_mix import TICK, Load, make
from engine import book, itch
from engine.replay import replay
from wire.counters import COUNTER_COUNT, NUMBER
from wire.records import Side

COMMAND = "make bench ONLY=book"
ROUNDS = 3
LEVELS = 4_096
DECODED_AT_ONCE = 4_096

PEER_SCRIPT = """
import json, sys, time
import itch_book, itchcpp, itchcpp.book
import numpy as np

data = np.fromfile(sys.argv[1], np.uint8)
octets, runs, symbols = data.tobytes(), int(sys.argv[2]), int(sys.argv[3])
seconds = {"itch-book": [], "itchcpp": []}
for _ in range(runs):
    session = itch_book.Session(tables=[], depth=0, symbols=[])
    begin = time.perf_counter()
    session.feed(data)
    seconds["itch-book"].append(time.perf_counter() - begin)
    manager = itchcpp.book.BookManager()
    begin = time.perf_counter()
    manager.process_stream(octets)
    seconds["itchcpp"].append(time.perf_counter() - begin)
tops = []
for n in range(symbols):
    top = manager.book_for_symbol(f"S{n:05}").bbo()
    tops.append([[round(top.bid_price * 10_000), top.bid_shares] if top.has_bid else None,
                 [round(top.ask_price * 10_000), top.ask_shares] if top.has_ask else None])
print(json.dumps({"seconds": seconds, "tops": tops, "live": session.stats()["live_orders"],
                  "versions": {"itch-book": itch_book.__version__, "itchcpp": itchcpp.__version__}}))
"""


@dataclass(frozen=True)
class Size:
    symbols: int
    messages: int
    live: int
    runs: int


@dataclass
class Measured:
    """Seconds of every run, by program."""

    messages: int
    seconds: dict[str, list[float]] = field(default_factory=dict)

    def add(self, program: str, seconds: list[float]) -> None:
        self.seconds.setdefault(program, []).extend(seconds)

    def rates(self, program: str) -> list[float]:
        """Million messages per second, sorted."""
        return sorted(self.messages / each / 1e6 for each in self.seconds[program])

    def median(self, program: str) -> float:
        return statistics.median(self.rates(program))


SIZES = (
    Size(500, 1_000_000, 24_000, 9),
    Size(8_000, 10_000_000, 344_000, 3),
)


class Ours:
    """Our book of one load."""

    def __init__(self, load: Load) -> None:
        self.load = load
        self.counters = np.zeros(COUNTER_COUNT, np.uint64)
        self.stop = np.zeros(1, np.int64)

    def book(self) -> Any:
        symbols = len(self.load.middles)
        made = book.create(symbols, LEVELS, 1 << (self.load.live * 2).bit_length())
        for symbol, middle in enumerate(self.load.middles.tolist()):
            book.map_symbol(made, symbol, symbol + 1, max(middle - LEVELS // 2 * TICK, 0), TICK, LEVELS * TICK)
        return made

    def run(self, messages: int = 1 << 62) -> tuple[Any, float]:
        """The book after the load, and how long it took."""
        made, result = self.book(), np.zeros(book.RESULT_LENGTH, np.int64)
        self.counters[:] = 0
        data = self.load.data
        begin = time.perf_counter()
        replay(made, data, 0, len(data), messages, self.counters, result, self.stop)
        return made, time.perf_counter() - begin

    def decode(self) -> float:
        """How long decoding alone took, into columns that are used again and again."""
        columns, data = itch.columns(DECODED_AT_ONCE), self.load.data
        self.stop[:] = 0
        begin = time.perf_counter()
        while itch.decode(data, int(self.stop[0]), len(data), self.counters, columns, self.stop):
            pass
        return time.perf_counter() - begin


def tops(made: Any) -> list[list[list[int] | None]]:
    """Best bid and offer of every symbol, price and shares."""
    found: list[list[list[int] | None]] = []
    for symbol in range(made.symbol_count):
        row: list[list[int] | None] = []
        for side in (int(Side.BUY), int(Side.SELL)):
            index = book.best_index(made, symbol, side)
            best = [book.price_of(made, symbol, index), book.best_quantity(made, symbol, side)]
            row.append(best if index >= 0 else None)
        found.append(row)
    return found


def measure(size: Size, say: Callable[[str], None]) -> tuple[Measured, dict[str, str]]:
    """Both programs' and our own runs over one load.

    Raises
    ------
    AssertionError
        The books at the end are not the same.
    """
    load = make(size.symbols, size.messages, size.live)
    ours, measured, versions = Ours(load), Measured(load.messages), {}
    ours.run(messages=1)
    ours.decode()
    BUILD.mkdir(exist_ok=True)
    with tempfile.TemporaryDirectory(dir=BUILD) as folder:
        path = Path(folder) / "load.itch"
        load.data.tofile(path)
        for round_ in range(ROUNDS):
            for _ in range(size.runs):
                made, seconds = ours.run()
                measured.add("hairpin", [seconds])
            measured.add("decode", [ours.decode() for _ in range(size.runs)])
            answer = peers.measure(PEER_SCRIPT, [path, str(size.runs), str(size.symbols)])
            for name, taken in answer["seconds"].items():
                measured.add(name, taken)
            versions = answer["versions"]
            say(f"{size.symbols:,} symbols, round {round_ + 1} of {ROUNDS}")
    for name in (
        "unknown_reference",
        "over_execution",
        "duplicate_reference",
        "order_overflow",
        "out_of_band",
    ):
        if ours.counters[NUMBER[name]]:
            raise AssertionError(f"{name}: {ours.counters[NUMBER[name]]}")
    if tops(made) != answer["tops"] or answer["live"] != load.live:
        raise AssertionError("our books and itchcpp's differ")
    return measured, versions


def figures(size: Size, measured: Measured, versions: dict[str, str]) -> list[Figure]:
    """What the README quotes."""
    of = f"{size.symbols:,} symbols"
    book_rate, peer = measured.median("hairpin"), measured.median("itch-book")
    others = ", ".join(f"{name} {versions[name]}: {measured.median(name):.1f}" for name in ("itch-book", "itchcpp"))
    unit = "million messages/s"
    ratio = round(times_better(book_rate, peer, better="higher"), 2)
    return [
        Figure(f"ITCH to full order books, {of}, one core", round(book_rate, 1), unit, COMMAND, others, ratio),
        Figure(f"ITCH decoded into columns, {of}, one core", round(measured.median("decode"), 1), unit, COMMAND),
    ]


def main() -> int:
    """Measure, print the table, keep the figures."""
    found: list[Figure] = []
    details: dict[str, Any] = {}
    print(f"{'million messages/s':<36}{'median':>9}{'lowest':>9}{'highest':>9}{'runs':>6}")
    for size in SIZES:
        measured, versions = measure(size, lambda text: print(f"  {text}", file=sys.stderr))
        for program in ("hairpin", "itch-book", "itchcpp", "decode"):
            rates = measured.rates(program)
            name = f"{program} {versions.get(program, '')}".strip()
            row = f"{name}, {size.symbols:,} symbols"
            print(f"{row:<36}{measured.median(program):>9.2f}{rates[0]:>9.2f}{rates[-1]:>9.2f}{len(rates):>6}")
            details[row] = [round(rate, 3) for rate in rates]
        found += figures(size, measured, versions)
    path = write("bench", found, book=details)
    print(f"all best bids and offers equal itchcpp's; figures in {path.relative_to(BUILD.parent)}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
