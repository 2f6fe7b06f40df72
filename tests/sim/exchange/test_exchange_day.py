"""Days without sockets: the flow and recorded orders in the matching engine, feeds, re-requests, snapshots."""

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from engine import book
from engine.book import RESULT_LENGTH
from sim.exchange.config import ConfigError, ExchangeConfig, Flow, VenueConfig, load
from sim.exchange.day import Day
from sim.exchange.feed import MAX_PAYLOAD, Packer
from sim.exchange.run import offline
from sim.exchange.snapshot import END_OF_SNAPSHOT, snapshot
from sim.sources.tape import from_bytes
from tests.shared_data import ROOT, shared_data
from tests.sim.exchange.test_exchange_ports import enter42
from wire import itch, moldudp64
from wire.counters import COUNTER_COUNT, NUMBER

SMALL = VenueConfig(symbols=("HPNA", "HPNB"), flow=Flow(messages=20_000, orders=100))


class Books:
    """Our engine's books of a day's symbols."""

    def __init__(self, day: Day) -> None:
        self.day = day
        levels = day.config.levels
        self.book = book.create(len(day.config.symbols), levels, 1 << 15)
        self.counters, self.result = np.zeros(COUNTER_COUNT, np.uint64), np.zeros(RESULT_LENGTH, np.int64)
        for symbol in range(len(day.config.symbols)):
            base, tick = (int(n) for n in day.venue.core.memory[_symbol_at(day, symbol) :][:2])
            book.map_symbol(self.book, symbol, symbol + 1, base, tick, levels * tick)

    def take(self, message: bytes) -> None:
        book.apply(self.book, np.frombuffer(message, np.uint8), 0, len(message), self.counters, self.result)

    def depth(self, symbol: int, side: int) -> list[tuple[int, int, int]]:
        out = np.zeros((self.day.config.levels, 3), np.int64)
        return [tuple(row) for row in out[: book.levels(self.book, symbol, side, len(out), out)].tolist()]

    def check(self) -> None:
        for symbol in range(len(self.day.config.symbols)):
            for side in (0, 1):
                assert self.depth(symbol, side) == self.day.venue.core.depth(symbol, side)
        for name in ("unknown_reference", "over_execution", "duplicate_reference", "order_overflow", "out_of_band"):
            assert self.counters[NUMBER[name]] == 0, name


def _symbol_at(day: Day, symbol: int) -> int:
    from sim.exchange.matching.state import SYMBOL_WIDTH, SYMBOLS_AT

    return int(day.venue.core.memory[SYMBOLS_AT]) + symbol * SYMBOL_WIDTH


def types(day: Day) -> str:
    return "".join(chr(day.venue.publication[i][0]) for i in range(len(day.venue.publication)))


def test_a_day_of_the_flow_is_the_same_again_and_loses_no_share() -> None:
    first, second = offline(ExchangeConfig(venues=(SMALL,))), offline(ExchangeConfig(venues=(SMALL,)))
    for found in (first[0], second[0]):
        found.pop("seconds")
    assert first == second
    counters = first[0]
    assert counters["shares_entered"] == counters["shares_executed"] + counters["shares_cancelled"]
    assert (counters["shares_open"], counters["orders_open"]) == (0, 0)
    assert counters["matches"] > 100
    other = SMALL.model_copy(update={"flow": SMALL.flow.model_copy(update={"seed": 2})})
    assert offline(ExchangeConfig(venues=(other,)))[0]["state_hash"] != counters["state_hash"]


def test_our_engine_follows_a_day_and_its_parts_come_in_their_order() -> None:
    day = Day(SMALL)
    books, read = Books(day), 0
    for time in np.linspace(day.start, day.close + 1, 40).astype(np.int64).tolist():
        day.advance(time)
        while read < len(day.venue.publication):
            books.take(day.venue.publication[read])
            read += 1
        books.check()
    told = types(day)
    assert told.startswith("SRHYRHYLLS")
    assert told.count("Q") == 4
    assert {"A", "D", "U", "X", "E", "P", "I"} <= set(told)
    assert told.endswith(("HHSS", "DSS"))
    assert day.is_over


def test_an_order_of_ours_among_the_flow_trades_and_changes_what_happens() -> None:
    plain, day = Day(SMALL), Day(SMALL)
    plain.run()
    day.advance(day.open + 1_000_000_000)
    entry = day.entries[0]
    bid, ask = (day.venue.core.depth(0, side)[0][0] for side in (0, 1))
    assert bid < ask
    entry.receive(enter42("A1", "B", 500, ask, stock="HPNA", time_in_force=0))
    entry.receive(enter42("A2", "B", 300, bid + 50, stock="HPNA"))
    day.run()
    codes = [chr(message[0]) for message in entry.account.journal]
    assert codes[:3] == ["S", "A", "E"]
    assert entry.account.counts["taken_shares"] > 0
    assert entry.account.counts["made_shares"] == 300, "the flow's sellers find us first"
    assert day.venue.result()["state_hash"] != plain.venue.result()["state_hash"]
    counters = day.venue.core.counters
    assert counters["shares_entered"] == counters["shares_executed"] + counters["shares_cancelled"]


def test_an_execution_on_the_tape_takes_whoever_is_first_now() -> None:
    def at(time: int, **values: Any) -> dict[str, Any]:
        return {"stock_locate": 1, "timestamp": time, **values}

    listed = at(10, stock="AAA")
    tape = from_bytes(
        [
            itch.STOCK_DIRECTORY.pack(listed),
            itch.ADD_ORDER.pack(listed, order_reference=1, price=1_000_000, side="B", shares=100),
            itch.ADD_ORDER.pack(listed, order_reference=2, price=1_010_000, side="S", shares=100),
            itch.ORDER_EXECUTED.pack(at(30), order_reference=1, executed_shares=100, match_number=1),
            itch.ORDER_DELETE.pack(at(40), order_reference=1),
            itch.ORDER_DELETE.pack(at(50), order_reference=1),
        ]
    )
    day = Day(VenueConfig(symbols=("AAA",), auction=False), tape)
    day.advance(20)
    assert [order.open for order in day.venue.core.queue(0, 0)] == [100]
    day.entries[0].receive(enter42("A1", "B", 60, 1_000_050, stock="AAA"))
    day.advance(35)
    assert day.entries[0].account.counts["made_shares"] == 60
    assert [order.open for order in day.venue.core.queue(0, 0)] == [60], "what we did not take went on to the next"
    day.advance(45)
    assert day.venue.core.queue(0, 0) == []
    day.advance(60)
    assert day.driver is not None
    assert day.driver.counters["too_late"] == 1


@pytest.mark.oracle
def test_a_recorded_day_in_the_matching_engine_has_the_recorded_book() -> None:
    """With nobody else there, every recorded order has the fate that it had."""
    from sim import sources

    path = shared_data("itch/AMZN_2012-06-21_full_day_level5.itch.gz")
    tape = sources.load(path, ("AMZN",)).part(0, 60_000)
    config = VenueConfig(symbols=("AMZN",), auction=False, levels=1 << 14, tick=100)
    day = Day(config, tape)
    theirs, ours = Books(day), Books(day)
    for time in np.linspace(int(tape.timestamps[0]), int(tape.timestamps[-1]), 10).astype(np.int64).tolist()[:-1]:
        day.advance(time + 1)
    last = int(np.searchsorted(tape.timestamps, day.venue.time))
    for i in range(last):
        theirs.take(tape[i])
    for i in range(len(day.venue.publication)):
        ours.take(day.venue.publication[i])
    ours.check()
    assert day.driver is not None
    assert day.driver.counters["too_late"] <= last // 1000
    same = [theirs.depth(0, side)[:5] == ours.depth(0, side)[:5] for side in (0, 1)]
    assert same == [True, True]


def test_packets_carry_every_message_once_and_are_repeated_on_request() -> None:
    day = Day(SMALL)
    packer, messages = Packer(day.venue.publication, "HAIRPIN"), []
    for time in np.linspace(day.start, day.close + 1, 30).astype(np.int64).tolist():
        day.advance(time)
        for payload in packer.packets(time / 1e9):
            assert len(payload) <= MAX_PAYLOAD
            packet = moldudp64.unpack(payload)
            assert packet.sequence_number == len(messages) + 1
            messages += packet.messages
    publication = day.venue.publication
    assert messages == [publication[i] for i in range(len(publication))]
    got: list[bytes] = []
    while len(got) < 500:
        answer = moldudp64.unpack(packer.answer(moldudp64.request("HAIRPIN", 1001 + len(got), 500 - len(got))))
        assert answer.sequence_number == 1001 + len(got)
        got += answer.messages
    assert got == messages[1000:1500]
    for session, first, count in (("OTHER", 1, 1), ("HAIRPIN", 0, 1), ("HAIRPIN", len(messages) + 1, 1), ("HAIRPIN", 1, 0)):
        assert packer.answer(moldudp64.request(session, first, count)) == b""


def test_a_snapshot_and_the_feed_from_its_number_on_are_the_whole_feed() -> None:
    day = Day(SMALL)
    day.advance(day.open + 2_000_000_000)
    books = Books(day)
    *state, end = snapshot(day.venue)
    for message in state:
        books.take(message)
    books.check()
    number = int(END_OF_SNAPSHOT.unpack(end)["sequence_number"])
    day.advance(day.close - 1)
    for i in range(number - 1, len(day.venue.publication)):
        books.take(day.venue.publication[i])
    books.check()


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("venues = [", "exchange.toml"),
        ("[[venues]]\nnme = 'X'", "venues.0.nme"),
        ("[[venues]]\nname = 'lower'", "venues.0.name"),
        ("[[venues]]\nname = 'A'\n[[venues]]\nname = 'A'", "each name once"),
        ("[[venues]]\nsymbols = ['A', 'B']\nprices = [1]", "1 prices for 2 symbols"),
        ("[[venues]]\nports = [{protocol = 'fix43'}]", "venues.0.ports.0.protocol"),
        ("[[venues]]\nports = [{protocol = 'fix44', target = 'a/b'}]", "venues.0.ports.0.target"),
        ("[[venues]]\nports = [{protocol = 'fix44', target = 'A'}, {protocol = 'fix44', target = 'A'}]", "FIX sessions"),
        ("[[venues]]\nrerequest_ports = []", "venues.0.rerequest_ports"),
    ],
)
def test_a_configuration_that_is_wrong_says_where(tmp_path: Path, text: str, said: str) -> None:
    path = tmp_path / "exchange.toml"
    path.write_text(text)
    with pytest.raises(ConfigError, match=said):
        load(path)


def test_the_example_is_a_configuration() -> None:
    found = load(ROOT / "examples" / "exchange.toml")
    assert [venue.name for venue in found.venues] == ["ALPHA", "BETA"]


def test_the_command_runs_two_venues_and_says_what_happened(tmp_path: Path) -> None:
    path = tmp_path / "exchange.toml"
    path.write_text(
        """
        [[venues]]
        name = "ONE"
        fees = {maker = -25.0, taker = 30.0}
        flow = {messages = 3000, seed = 3}
        [[venues]]
        name = "TWO"
        symbols = ["HPNA"]
        flow = {messages = 2000, seed = 4, orders = 50}
        """
    )
    command = [sys.executable, "-m", "control.cli", "exchange", str(path), "--offline", "--json"]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True)
    found: list[dict[str, Any]] = json.loads(done.stdout)["venues"]
    assert [each["venue"] for each in found] == ["ONE", "TWO"]
    assert all(each["matches"] > 10 and each["orders_open"] == 0 for each in found)
