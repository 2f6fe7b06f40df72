"""What the exchange publishes, read by our own engine: at every point it has the displayed book of the core."""

from collections import Counter
from typing import Any

import numpy as np
from hypothesis import given, settings

from engine import book
from engine.book import RESULT_LENGTH
from sim.exchange.matching.state import ALL_SHOWN, Command, Event
from sim.exchange.publication import Publication
from tests.sim.exchange.driving import BASE, LEVELS, PRICES, TICK, Pair, steps
from wire import itch
from wire.counters import COUNTER_COUNT, NUMBER

WRONG = (
    "unknown_reference", "over_execution", "duplicate_reference", "order_overflow", "out_of_band", "itch_bad_length",
    "bad_value",
)  # fmt: skip


class Reader:
    """Our book, fed with what is published."""

    def __init__(self) -> None:
        self.publication = Publication(("AAA",))
        self.read = 0
        self.counters = np.zeros(COUNTER_COUNT, np.uint64)
        self.result = np.zeros(RESULT_LENGTH, np.int64)
        self.book = book.create(1, LEVELS, 512)
        book.map_symbol(self.book, 0, 1, BASE, TICK, LEVELS * TICK)

    def take(self, events: Any) -> list[dict[str, Any]]:
        """Publishes events and reads the messages."""
        self.publication.add(events)
        told = []
        while self.read < len(self.publication):
            message = self.publication[self.read]
            book.apply(self.book, np.frombuffer(message, np.uint8), 0, len(message), self.counters, self.result)
            told.append(itch.ITCH.unpack(message))
            self.read += 1
        return told

    def levels(self, side: int) -> list[tuple[int, int, int]]:
        out = np.zeros((LEVELS, 3), np.int64)
        return [tuple(row) for row in out[: book.levels(self.book, 0, side, LEVELS, out)].tolist()]

    def queue(self, side: int) -> list[tuple[int, int]]:
        found = []
        for price, _, count in self.levels(side):
            references, quantities = np.zeros(count, np.int64), np.zeros(count, np.int64)
            book.queue(self.book, 0, side, (price - BASE) // TICK, references, quantities)
            found += list(zip(references.tolist(), quantities.tolist(), strict=True))
        return found


@given(steps)
@settings(max_examples=300)
def test_our_engine_has_the_displayed_book_at_every_point(actions: list[tuple]) -> None:
    pair, reader = Pair(), Reader()
    traded: Counter[str] = Counter()
    told: Counter[str] = Counter()
    for action in actions:
        pair.do(action)
        for events in pair.events:
            for fields in reader.take(events):
                told[fields["type"]] += fields.get("executed_shares", fields.get("shares", 0))
            for row in events.tolist():
                if row[0] == Event.EXECUTED:
                    traded["E" if row[5] else "P"] += row[7]
                elif row[0] == Event.CROSSED and row[5]:
                    traded["C"] += row[7]
                elif row[0] == Event.CROSS:
                    traded["Q"] += row[7]
        pair.events.clear()
        for side in (0, 1):
            assert reader.levels(side) == pair.core.depth(0, side)
            shown = [(order.shown, order.displayed) for order in pair.core.queue(0, side) if order.shown]
            assert reader.queue(side) == shown
    assert {name: int(reader.counters[NUMBER[name]]) for name in WRONG} == dict.fromkeys(WRONG, 0)
    assert {kind: told[kind] for kind in "EPCQ"} == {kind: traded[kind] for kind in "EPCQ"}


def test_what_each_thing_looks_like() -> None:
    pair, reader = Pair(), Reader()
    core = pair.core

    def types(kind: Command, **fields: int) -> str:
        return "".join(message["type"] for message in reader.take(core.one(kind, **fields)))

    firm = int.from_bytes(b"FIRM", "big")
    low, high = PRICES[0], PRICES[9]
    assert types(Command.ENTER, price=low, shares=100, display=ALL_SHOWN) == "A"
    first = core.last_reference
    assert types(Command.ENTER, price=low, shares=100, display=ALL_SHOWN, flags=4, firm=firm) == "F"
    assert types(Command.ENTER, price=low, shares=100, display=0) == ""
    hidden = core.last_reference
    assert types(Command.ENTER, price=low, shares=100, display=30) == "A"
    assert types(Command.CANCEL, reference=first, shares=60) == "X"
    assert types(Command.REPLACE, reference=first, price=low, shares=50, display=ALL_SHOWN) == "X"
    assert types(Command.REPLACE, reference=first, price=low + 100, shares=50, display=ALL_SHOWN) == "U"
    moved = core.last_reference
    assert types(Command.REPLACE, reference=hidden, price=low, shares=80, display=ALL_SHOWN) == "A"
    assert types(Command.REPLACE, reference=moved, price=low, shares=50, display=0) == "D"
    assert types(Command.ENTER, side=1, price=low, shares=130, display=0, flags=2) == "EEA"
    assert types(Command.ENTER, side=1, price=low, shares=1000, display=0, flags=2) == "EEAEAEP"
    assert types(Command.ENTER, side=1, price=high, shares=10, display=ALL_SHOWN, flags=8) == ""
    assert types(Command.ENTER, side=0, price=high, shares=30, display=ALL_SHOWN) == "A"
    assert types(Command.IMBALANCE, value=ord("O")) == "I"
    assert types(Command.CROSS, value=ord("O")) == "CQH"
    assert types(Command.BANDS, price=low, value=high) == ""
    assert types(Command.STATE, value=ord("P")) == "H"
    assert types(Command.BANDS, price=low, value=high) == "J"
    assert types(Command.SYSTEM, value=ord("M")) == "S"


def test_the_day_begins_with_directory_states_and_market_makers() -> None:
    publication = Publication(("AAA", "BBB"))
    publication.opening(34_000_000_000_000, ("FRMA",), "Q")
    told = [itch.ITCH.unpack(publication[i]) for i in range(len(publication))]
    assert "".join(fields["type"] for fields in told) == "SRHYRHYLL"
    assert {fields["trading_state"] for fields in told if fields["type"] == "H"} == {"Q"}
