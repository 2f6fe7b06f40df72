"""The engine's book against the naive one: every message, every error path, every field, queue by queue."""

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine import book
from tests.engine.naive_book import BUY, SELL, Event, Fields, NaiveBook, Symbol
from wire.counters import COUNTER_COUNT, NUMBER
from wire.itch import ITCH
from wire.records import TrustCause

LOCATES = (7, 16_383, 300)  # symbols 0 and 1, and one that is not mapped
BASES = (10_000, 0)
TICKS = (100, 7)


class Pair:
    """Both books, fed alike."""

    def __init__(self, *, levels: int, capacity: int, strict: bool) -> None:
        self.naive = NaiveBook(capacity, strict=strict)
        self.book = book.create(symbols=2, levels=levels, orders=capacity)
        book.set_strict(self.book, strict)
        for symbol, (locate, base, tick) in enumerate(zip(LOCATES, BASES, TICKS, strict=False)):
            self.naive.symbols[symbol] = Symbol(base, tick, levels * tick)
            self.naive.located[locate] = symbol
            book.map_symbol(self.book, symbol, locate, base, tick, levels * tick)
        self.counters = np.zeros(COUNTER_COUNT, np.uint64)
        self.result = np.zeros(book.RESULT_LENGTH, np.int64)
        self.levels = np.zeros((levels, 3), np.int64)
        self.references = np.zeros(capacity, np.uint64)
        self.quantities = np.zeros(capacity, np.int64)

    def apply(self, fields: Fields) -> None:
        """One message through both; the events and the tops must be equal."""
        message = ITCH.by_code[ord(fields["type"])].pack(fields)
        buffer = np.frombuffer(b"\xff" * 3 + message, np.uint8)
        change = book.apply(self.book, buffer, 3, len(message), self.counters, self.result)
        expected = self.naive.apply(fields)
        assert self.events(book.Change(change)) == expected
        self.compare_tops()

    def events(self, change: book.Change) -> list[Event]:
        values = dict(zip(RESULT_FIELDS, self.result.tolist(), strict=True))
        symbol, kind = values["symbol"], chr(values["type"])
        found: list[Event] = []
        if book.Change.TRUST in change:
            found.append(("trust", symbol, bool(values["trusted"]), TrustCause(values["cause"])))
        if book.Change.TRADE in change:
            match = values["match"] % 2**64
            fields = (values["side"], values["price"], values["shares"], match, bool(values["printable"]))
            found.append(("trade", symbol, kind, *fields))
        if book.Change.TOP in change:
            found.append(("top", symbol))
        if book.Change.STATE in change:
            found.append(("state", symbol, kind, chr(values["value"])))
        if book.Change.MARKET in change:
            found.append(("market", kind, chr(values["value"])))
        return found

    def compare_tops(self) -> None:
        for symbol in self.naive.symbols:
            found = []
            for side in (BUY, SELL):
                index = book.best_index(self.book, symbol, side)
                quantity = book.best_quantity(self.book, symbol, side)
                assert index >= 0 or quantity == 0
                found.append(None if index < 0 else (book.price_of(self.book, symbol, index), quantity))
            assert found == self.naive.top(symbol)

    def compare(self) -> None:
        """Everything else."""
        assert {n: int(self.counters[i]) for n, i in NUMBER.items() if self.counters[i]} == +self.naive.counters
        for symbol, of in self.naive.symbols.items():
            assert book.live_orders(self.book, symbol) == self.naive.live(symbol)
            assert book.beyond_orders(self.book, symbol) == self.naive.beyond(symbol)
            assert bool(book.symbol_ok(self.book, symbol)) == of.ok
            assert bool(book.is_trusted(self.book, symbol)) == self.naive.is_trusted(symbol)
            for side in (BUY, SELL):
                expected = self.naive.levels(symbol, side)
                n = book.levels(self.book, symbol, side, len(self.levels), self.levels)
                assert list(map(tuple, self.levels[:n].tolist())) == expected
                for price, _, count in expected:
                    index = (price - of.base) // of.tick
                    n = book.queue(self.book, symbol, side, index, self.references, self.quantities)
                    assert n == count
                    queue = zip(self.references[:n].tolist(), self.quantities[:n].tolist(), strict=True)
                    assert list(queue) == self.naive.queue(symbol, side, index)


RESULT_FIELDS = (
    "symbol",
    "type",
    "trusted",
    "cause",
    "side",
    "price",
    "shares",
    "match",
    "printable",
    "value",
)


def test_the_fields_of_the_result_are_where_their_names_say() -> None:
    assert [getattr(book, name.upper()) for name in RESULT_FIELDS] == list(range(book.RESULT_LENGTH))


# Few references, so that they meet: small ones, and pairs that fold to the same chain.
REFERENCES = [0, 1, 2, 3, 0x1_0001, 0x1_0000_0001, 2**63, 2**64 - 1, 64, 128]
PRICES = [
    9_999,
    9_900,
    10_000,
    10_050,
    10_100,
    10_300,
    10_700,
    10_800,
    16_900,
    0,
    7,
    8,
    14,
    49,
    56,
    441,
    2**32 - 1,
]
QUANTITIES = [0, 1, 2, 3, 100, 2**31, 2**32 - 1]

references, prices, quantities = map(st.sampled_from, (REFERENCES, PRICES, QUANTITIES))
locates = st.sampled_from([LOCATES[0]] * 5 + [LOCATES[1]] * 3 + [LOCATES[2]])
sides = st.sampled_from("BBBSSSX")
matches = st.integers(0, 2**64 - 1)


def message(kind: str, **fields: Any) -> st.SearchStrategy[Fields]:
    return st.fixed_dictionaries({"type": st.just(kind), "stock_locate": locates, **fields})


adds = st.one_of(
    *[
        message(kind, order_reference=references, side=sides, shares=quantities, price=prices)
        for kind in ("A", "A", "A", "F")
    ]
)
changes = st.one_of(
    message("E", order_reference=references, executed_shares=quantities, match_number=matches),
    message(
        "C",
        order_reference=references,
        executed_shares=quantities,
        match_number=matches,
        printable=st.sampled_from("YN"),
        execution_price=prices,
    ),
    message("X", order_reference=references, cancelled_shares=quantities),
    message("D", order_reference=references),
    message(
        "U",
        original_order_reference=references,
        new_order_reference=references,
        shares=quantities,
        price=prices,
    ),
)
others = st.one_of(
    message("P", side=sides, shares=quantities, price=prices, match_number=matches),
    message("H", trading_state=st.sampled_from("HPQT")),
    message("Y", reg_sho_action=st.sampled_from("012")),
    message("h", market_code=st.sampled_from("QBX"), operational_halt_action=st.sampled_from("HT")),
    message("S", event_code=st.sampled_from("OSQMEC")),
    message("W", breached_level=st.sampled_from("123")),
    message("Q"),
    message("I"),
)
sequences = st.lists(st.one_of(adds, adds, adds, changes, changes, others), max_size=60)


@given(sequences, st.sampled_from([8, 64, 70]), st.sampled_from([1, 4, 64]), st.booleans())
def test_every_message_does_what_the_naive_book_does(
    messages: list[Fields], levels: int, capacity: int, strict: bool
) -> None:
    pair = Pair(levels=levels, capacity=capacity, strict=strict)
    for fields in messages:
        pair.apply(fields)
        pair.compare()


def random_messages(rng: np.random.Generator, levels: int, alive: Callable[[], list[int]]) -> Any:
    """Messages that mostly make sense, for ever."""
    reference = 1_000
    while True:
        locate = LOCATES[int(rng.choice(3, p=[0.6, 0.38, 0.02]))]
        symbol = LOCATES.index(locate) % 2
        index = int(rng.integers(-1, levels + 1) if rng.random() < 0.5 else levels // 2 + rng.integers(-3, 4))
        price = max(BASES[symbol] + index * TICKS[symbol] + int(rng.random() < 0.01), 0)
        known = alive()
        old = int(rng.choice(known)) if known and rng.random() < 0.98 else int(rng.integers(1, 2_000))
        reference += int(rng.integers(1, 4))
        new = old if rng.random() < 0.02 else reference
        shares = int(rng.integers(0, 12))
        kind = str(rng.choice(list("AFECXDU"), p=[0.40, 0.05, 0.1, 0.05, 0.1, 0.2, 0.1]))
        common = {"type": kind, "stock_locate": locate}
        yield {
            "A": common | {"order_reference": new, "side": "BS"[rng.integers(2)], "shares": shares, "price": price},
            "F": common | {"order_reference": new, "side": "BS"[rng.integers(2)], "shares": shares, "price": price},
            "E": common | {"order_reference": old, "executed_shares": shares, "match_number": reference},
            "C": common
            | {"order_reference": old, "executed_shares": shares, "printable": "N", "execution_price": price}
            | {"match_number": reference},
            "X": common | {"order_reference": old, "cancelled_shares": shares},
            "D": common | {"order_reference": old},
            "U": common
            | {"original_order_reference": old, "new_order_reference": new, "shares": shares, "price": price},
        }[kind]


def run(pair: Pair, levels: int, rng: np.random.Generator, messages: int) -> None:
    for n, fields in zip(range(messages), random_messages(rng, levels, lambda: list(pair.naive.orders)), strict=False):
        pair.apply(fields)
        if n % 50 == 0:
            pair.compare()
    pair.compare()


@pytest.mark.parametrize("levels", [64, 1_000, 4_096, 65_536, 300_000])
def test_ladders_of_any_height_find_the_same_levels(levels: int, rng: np.random.Generator) -> None:
    run(Pair(levels=levels, capacity=300, strict=False), levels, rng, 2_000)


@pytest.mark.parametrize("part", ["quantity", "count", "queue", "top", "order", "reference"])
def test_one_flipped_bit_is_noticed(part: str, rng: np.random.Generator) -> None:
    """The comparison above is worth something: it fails when the book is wrong in any of its parts."""
    pair = Pair(levels=64, capacity=300, strict=False)
    run(pair, 64, rng, 1_000)
    reference, order = next(
        (r, o) for r, o in pair.naive.orders.items() if o.symbol == 0 and o.index(pair.naive.symbols[0]) is not None
    )
    index = order.index(pair.naive.symbols[0]) or 0
    table, row, name = {
        "quantity": ("levels", (0, index // 4, order.side, index % 4), "quantity"),
        "count": ("levels", (0, index // 4, order.side, index % 4), "count"),
        "queue": ("levels", (0, index // 4, order.side, index % 4), "head"),
        "top": ("symbols", 0, "top_sell" if order.side == SELL else "top_buy"),
        "order": ("orders", None, "quantity"),
        "reference": ("orders", None, "reference"),
    }[part]
    rows = book.rows(pair.book, table)
    if row is None:
        (row,) = np.flatnonzero((rows["reference"] == reference) & (rows["quantity"] == order.quantity))
    rows[name][row] ^= 1 << 3
    with pytest.raises(AssertionError):
        run(pair, 64, rng, 500)


@pytest.mark.parametrize(
    ("code", "length", "counter"),
    [
        (b"A", 0, "itch_unknown"),
        (b"z", 36, "itch_unknown"),
        (b"\0", 12, "itch_unknown"),
        (b"\xff", 1, "itch_unknown"),
        (b"A", 35, "itch_bad_length"),
        (b"A", 37, "itch_bad_length"),
        (b"D", 1, "itch_bad_length"),
        (b"D", 19 + 256, "itch_bad_length"),
    ],
)
def test_what_is_no_message_is_counted_and_does_nothing_else(code: bytes, length: int, counter: str) -> None:
    pair = Pair(levels=64, capacity=8, strict=True)
    buffer = np.frombuffer(code + bytes(400), np.uint8)
    assert book.apply(pair.book, buffer, 0, length, pair.counters, pair.result) == 0
    pair.naive.counters[counter] += 1
    pair.compare()


def test_a_symbol_that_is_mapped_anew_forgets_its_locate_and_its_doubts() -> None:
    pair = Pair(levels=64, capacity=8, strict=True)
    pair.apply({"type": "D", "stock_locate": LOCATES[0], "order_reference": 1})
    assert not book.is_trusted(pair.book, 0)
    book.map_symbol(pair.book, 0, 300, 0, 100, 6_400)
    assert [book.symbol_of(pair.book, locate) for locate in LOCATES] == [-1, 1, 0]
    assert book.is_trusted(pair.book, 0)


@pytest.mark.parametrize(
    ("symbols", "levels", "orders"),
    [(0, 64, 1), (20_000, 64, 1), (1, 0, 1), (1, 2**21, 1), (16_384, 2**18, 1), (1, 64, 0)],
)
def test_a_book_that_cannot_be_is_refused(symbols: int, levels: int, orders: int) -> None:
    with pytest.raises(ValueError, match="possible"):
        book.create(symbols, levels, orders)
