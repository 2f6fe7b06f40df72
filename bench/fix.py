"""FIX parsed into columns and written, beside QuickFIX and simplefix from PyPI.

Two loads made from a seed, NewOrderSingle and ExecutionReport of FIX 4.4. Each program gets the same bytes in memory,
and takes the same fields out of every message: ours into columns, the peers field by field, from Python. Written are
orders from the same columns. Ours and the peers take turns, round by round, each on one core; times are of the processor,
so that what else runs on the machine does not count. What was parsed must be what went in, in every program; what was
written must be read by QuickFIX.

QuickFIX here is quickfix-ssl, the same C++ engine with a wheel. Called natively, without Python, it needs 524 ns for a
NewOrderSingle by its own benchmark on this kind of machine: that one is not part of this run.
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
from control.gateway.fix.connection import Connection
from control.gateway.fix.session import Session
from control.gateway.fix.settings import Identity, Settings
from control.gateway.fix.store import FileStore
from wire.fix.columns import EXECUTIONS, NEW_ORDERS, Columns, parse
from wire.fix.message import Message
from wire.fix.numbers import price_text
from wire.fix.scan import MESSAGE, MESSAGES, scan
from wire.fix.write import message, new_orders

COMMAND = "make bench ONLY=fix"
ROUNDS = 5
MESSAGES_OF = {"NewOrderSingle": 100_000, "ExecutionReport": 100_000}
AT_ONCE = 1_000
SESSION_MESSAGES = 2_000
PEER_MESSAGES = {"quickfix": 40_000, "simplefix": 3_000}
MOMENT = b"20261126-12:00:00.123"
HEAD = ((49, b"CLIENT"), (56, b"HAIRPIN"), (52, MOMENT))

PEER_SCRIPT = """
import json, sys, time
from importlib.metadata import version
import quickfix, simplefix

stream, counts = open(sys.argv[1], "rb").read(), {"quickfix": int(sys.argv[2]), "simplefix": int(sys.argv[3])}
tags = [int(tag) for tag in sys.argv[4].split(",")]
orders = sys.argv[5] == "D"
texts, at = [], 0
while at < len(stream) and len(texts) < max(counts.values()):
    end = stream.index(b"\\x0110=", at) + 8
    texts.append(stream[at:end])
    at = end

def with_quickfix(text):
    message = quickfix.Message(text, False)
    header = message.getHeader()
    return [(header if tag in (34, 49) else message).getField(tag) for tag in tags]

def with_simplefix(octets):
    parser = simplefix.FixParser()
    parser.append_buffer(octets)
    message = parser.get_message()
    return [message.get(tag).decode() for tag in tags]

def rate(function, inputs):
    begin = time.process_time()
    for each in inputs:
        function(each)
    return len(inputs) / (time.process_time() - begin)

def split_quickfix(text):
    quickfix.Message(text, False)

as_text = [octets.decode() for octets in texts[: counts["quickfix"]]]
answer = {"versions": {"quickfix": version("quickfix-ssl"), "simplefix": version("simplefix")}}
answer["parse"] = {"quickfix": rate(with_quickfix, as_text), "simplefix": rate(with_simplefix, texts[: counts["simplefix"]])}
answer["split"] = {"quickfix": rate(split_quickfix, as_text)}
answer["fields"] = {"quickfix": [with_quickfix(text) for text in as_text[:200]],
                    "simplefix": [with_simplefix(octets) for octets in texts[:200]]}

def write_quickfix(row):
    message = quickfix.Message()
    header = message.getHeader()
    header.setField(8, "FIX.4.4"); header.setField(35, "D"); header.setField(34, row[0])
    for tag, value in ((49, "CLIENT"), (56, "HAIRPIN"), (52, "20261126-12:00:00.123")):
        header.setField(tag, value)
    for tag, value in zip((11, 55, 54, 38, 44), row[1:]):
        message.setField(tag, value)
    message.setField(60, "20261126-12:00:00.123"); message.setField(40, "2"); message.setField(59, "0")
    return message.toString()

def write_simplefix(row):
    message = simplefix.FixMessage()
    message.append_pair(8, "FIX.4.4"); message.append_pair(35, "D"); message.append_pair(34, row[0])
    for tag, value in ((49, "CLIENT"), (56, "HAIRPIN"), (52, "20261126-12:00:00.123")):
        message.append_pair(tag, value)
    for tag, value in zip((11, 55, 54, 38, 44), row[1:]):
        message.append_pair(tag, value)
    message.append_pair(60, "20261126-12:00:00.123"); message.append_pair(40, "2"); message.append_pair(59, "0")
    return message.encode()

if orders:
    rows = [[f[tags.index(tag)] for tag in (34, 11, 55, 54, 38, 44)] for f in map(with_quickfix, as_text)]
    answer["write"] = {"quickfix": rate(write_quickfix, rows), "simplefix": rate(write_simplefix, rows[: counts["simplefix"]])}
    written = open(sys.argv[6], "rb").read().split(b"\\x018=FIX")
    first = written[0] + b"\\x01"
    answer["read back"] = with_quickfix(first.decode())
print(json.dumps(answer))
"""


@dataclass
class Load:
    """Messages of one type, and the values that are in them, by column."""

    octets: np.ndarray[Any, Any]
    values: dict[str, np.ndarray[Any, Any]]
    count: int


def orders(count: int) -> Load:
    """NewOrderSingle: limit orders with ids, quantities and prices of the lengths that they have in practice."""
    rng = np.random.default_rng(1)
    values = {
        "sequence_number": np.arange(1, count + 1, dtype=np.uint32),
        "client_order_id": np.array([f"ORD{n:09}" for n in range(count)], "S24"),
        "symbol": rng.choice(np.array(["AAPL", "MSFT", "AMZN", "F", "GOOGL", "BRK.A"], "S24"), count),
        "side": rng.choice(np.frombuffer(b"125", np.uint8), count),
        "quantity": (rng.integers(1, 100, count) * 100).astype(np.uint32),
        "price": (rng.integers(500, 50_000, count) * 100).astype(np.uint32),
    }
    stream = bytearray()
    for number, name, symbol, side, quantity, price in zip(*(each.tolist() for each in values.values()), strict=True):
        body = [(11, name), (21, b"1"), (55, symbol), (54, bytes([side])), (60, MOMENT), (38, quantity), (40, b"2")]
        stream += message(b"FIX.4.4", [(35, b"D"), (34, number), *HEAD, *body, (44, price_text(price)), (59, b"0")])
    return Load(np.frombuffer(stream, np.uint8).copy(), values, count)


def executions(count: int) -> Load:
    """ExecutionReport: fills."""
    rng = np.random.default_rng(2)
    values = {
        "sequence_number": np.arange(1, count + 1, dtype=np.uint32),
        "order_id": np.array([f"X{n:010}" for n in range(count)], "S24"),
        "client_order_id": np.array([f"ORD{n:09}" for n in range(count)], "S24"),
        "execution_id": np.array([f"E{n:010}" for n in range(count)], "S24"),
        "last_quantity": (rng.integers(1, 50, count) * 100).astype(np.uint32),
        "last_price": (rng.integers(500, 50_000, count) * 100).astype(np.uint32),
    }
    stream = bytearray()
    for number, order, name, execution, quantity, price in zip(*(each.tolist() for each in values.values()), strict=True):
        text = price_text(price)
        body = [(37, order), (11, name), (17, execution), (150, b"F"), (39, b"1"), (55, b"MSFT"), (54, b"1")]
        body += [(38, 10_000), (44, text), (32, quantity), (31, text), (151, 10_000 - quantity), (14, quantity), (6, text)]
        stream += message(b"FIX.4.4", [(35, b"8"), (34, number), *HEAD, *body, (60, MOMENT)])
    return Load(np.frombuffer(stream, np.uint8).copy(), values, count)


@dataclass
class Measured:
    """Messages per second of every run, by what was done."""

    rates: dict[str, list[float]] = field(default_factory=dict)

    def add(self, name: str, rate: float) -> None:
        self.rates.setdefault(name, []).append(rate)

    def median(self, name: str) -> float:
        """Million messages per second."""
        return statistics.median(self.rates[name]) / 1e6


class Ours:
    """Our parser and scanner on one load, in blocks that stay in the cache as a socket's would."""

    def __init__(self, load: Load, columns: Columns) -> None:
        self.load, self.columns = load, columns
        self.result, self.scanned = np.zeros(2, np.int64), np.zeros(3, np.int64)
        self.rows, self.fields = np.zeros(AT_ONCE, MESSAGE), np.zeros((AT_ONCE * 40, 3), np.int32)

    def parse(self) -> float:
        at, begin = 0, time.process_time()
        while parse(self.load.octets, self.columns, self.result, at):
            at = int(self.result[0])
        return self.load.count / (time.process_time() - begin)

    def scan(self) -> float:
        at, data, begin = 0, self.load.octets, time.process_time()
        while scan(data, at, len(data), self.rows, self.fields, self.scanned):
            at = int(self.scanned[0])
        return self.load.count / (time.process_time() - begin)

    def check(self) -> None:
        """Raises AssertionError where the columns are not what went in."""
        at, row = 0, 0
        while count := parse(self.load.octets, self.columns, self.result, at):
            at = int(self.result[0])
            assert not self.columns.fault[:count].any()
            for name, expected in self.load.values.items():
                np.testing.assert_array_equal(self.columns[name][:count], expected[row : row + count])
            row += count
        assert row == self.load.count
        scan(self.load.octets, 0, len(self.load.octets), self.rows, self.fields, self.scanned)
        assert self.scanned[MESSAGES] == AT_ONCE


def writer(load: Load) -> tuple[Callable[[], float], np.ndarray[Any, Any]]:
    """Writes the load's orders, block by block; and the buffer that the last block stands in."""
    buffer = np.zeros(AT_ONCE * 256, np.uint8)
    octets = {name: load.values[name].view(np.uint8) for name in ("client_order_id", "symbol")}
    texts = (b"FIX.4.4", b"49=CLIENT\x0156=HAIRPIN\x01", MOMENT)
    begin_string, head, clock = (np.frombuffer(text, np.uint8).copy() for text in texts)
    sides, quantities, prices = (load.values[name] for name in ("side", "quantity", "price"))

    def run() -> float:
        begin = time.process_time()
        for first in range(0, load.count, AT_ONCE):
            last = first + AT_ONCE
            names, symbols = (octets[name][first * 24 : last * 24] for name in ("client_order_id", "symbol"))
            new_orders(
                buffer, begin_string, head, first + 1, clock, names, symbols, 24,
                sides[first:last], quantities[first:last], prices[first:last],
            )  # fmt: skip
        return load.count / (time.process_time() - begin)

    return run, buffer


TAGS = {
    "NewOrderSingle": (34, 11, 55, 54, 38, 44, 60, 40, 59, 49),
    "ExecutionReport": (34, 37, 11, 17, 150, 39, 55, 54, 38, 44, 32, 31, 151, 14, 6, 60),
}
"""What the columns hold, and the peers are asked for."""
COMPARED = {
    "NewOrderSingle": ("sequence_number", "client_order_id", "symbol"),
    "ExecutionReport": ("sequence_number", "order_id", "client_order_id"),
}
"""The columns that are compared with what the peers found: the first of the tags."""


def compare(name: str, load: Load, found: dict[str, list[list[str]]]) -> None:
    """Raises AssertionError where a peer found something else in the messages."""
    for rows in found.values():
        for place, column in enumerate(COMPARED[name]):
            expected = load.values[column][: len(rows)]
            texts = [each.decode() if isinstance(each, bytes) else str(each) for each in expected.tolist()]
            assert [row[place] for row in rows] == texts, (name, column)


def measure(name: str, say: Callable[[str], None]) -> tuple[Measured, dict[str, str]]:
    """All programs on one type of message."""
    load = (orders if name == "NewOrderSingle" else executions)(MESSAGES_OF[name])
    ours = Ours(load, (NEW_ORDERS if name == "NewOrderSingle" else EXECUTIONS).columns(AT_ONCE))
    ours.check()
    measured, versions = Measured(), {}
    write_orders, written = writer(load) if name == "NewOrderSingle" else (None, np.zeros(0, np.uint8))
    BUILD.mkdir(exist_ok=True)
    with tempfile.TemporaryDirectory(dir=BUILD) as folder:
        stream, made = Path(folder) / "stream.fix", Path(folder) / "written.fix"
        load.octets.tofile(stream)
        if write_orders:
            write_orders()
        written.tofile(made)
        for round_ in range(ROUNDS):
            for _ in range(9):
                measured.add("parse", ours.parse())
                measured.add("scan", ours.scan())
                if write_orders:
                    measured.add("write", write_orders())
            kind, tags = ("D" if write_orders else "8"), ",".join(map(str, TAGS[name]))
            counts = [str(each) for each in PEER_MESSAGES.values()]
            answer = peers.measure(PEER_SCRIPT, [stream, *counts, tags, kind, made])
            compare(name, load, answer["fields"])
            for what in ("parse", "write", "split"):
                for peer, rate in answer.get(what, {}).items():
                    measured.add(f"{peer} {what}", rate)
            versions = answer["versions"]
            say(f"{name}, round {round_ + 1} of {ROUNDS}")
    if write_orders:
        last = load.count - AT_ONCE
        assert answer["read back"][:2] == [str(last + 1), load.values["client_order_id"][last].decode()]
    return measured, versions


class Sink:
    """An application that takes everything."""

    def on_logon(self, session: Session) -> None: ...

    def on_logout(self, session: Session, reason: str) -> None: ...

    def on_message(self, session: Session, message: Message) -> None: ...

    def may_resend(self, session: Session, message: Message) -> bool:
        return True


def sessions(measured: Measured) -> None:
    """Orders through two sessions: sent, with the record in a file; received, validated and handed over."""
    BUILD.mkdir(exist_ok=True)
    now = 1_795_694_400_000_000_000
    with tempfile.TemporaryDirectory(dir=BUILD) as folder:
        stores = [FileStore(Path(folder) / name) for name in ("one", "two")]
        names = ("ONE", "TWO")
        one, two = (
            Session(Settings(Identity("FIX.4.4", *sides), initiator=n == 0), stores[n], Sink(), clock=lambda: now)
            for n, sides in enumerate((names, names[::-1]))
        )
        left, right = Connection(one), Connection(choose=lambda message: two)
        one.connect(now)
        right.receive(left.take_output(), now)
        left.receive(right.take_output(), now)
        body = [(11, b"ORD000000001"), (55, b"MSFT"), (54, b"1"), (60, MOMENT), (38, 100), (40, b"2"), (44, b"101.25")]
        for _ in range(2 * ROUNDS):
            begin = time.process_time()
            for _ in range(SESSION_MESSAGES):
                one.send(b"D", body)
            measured.add("session, sent and recorded", SESSION_MESSAGES / (time.process_time() - begin))
            octets = left.take_output()
            begin = time.process_time()
            right.receive(octets, now)
            measured.add("session, received and validated", SESSION_MESSAGES / (time.process_time() - begin))
        assert two.counters["received"] == 2 * ROUNDS * SESSION_MESSAGES + 1
        for store in stores:
            store.close()


def figure(title: str, what: str, measured: Measured, versions: dict[str, str]) -> Figure:
    """A row for the README, beside both peers."""
    ours, unit = measured.median(what), "million messages/s"
    rates = {peer: measured.median(f"{peer} {what}") for peer in PEER_MESSAGES}
    names = {"quickfix": "QuickFIX (quickfix-ssl)", "simplefix": "simplefix"}
    beside = f"QuickFIX without taking fields: {measured.median('quickfix split'):.3f}, " if what == "parse" else ""
    beside += ", ".join(f"{names[peer]} {versions[peer]}, from Python: {rate:.3f}" for peer, rate in rates.items())
    return Figure(title, round(ours, 2), unit, COMMAND, beside, round(times_better(ours, rates["quickfix"], better="higher"), 1))


def main() -> int:
    """Measure, print the table, keep the figures."""
    found: list[Figure] = []
    details: dict[str, Any] = {}
    print(f"{'million messages/s':<44}{'median':>9}{'lowest':>9}{'highest':>9}{'runs':>6}")
    for name in MESSAGES_OF:
        measured, versions = measure(name, lambda text: print(f"  {text}", file=sys.stderr))
        if name == "NewOrderSingle":
            sessions(measured)
        for what, rates in measured.rates.items():
            row = f"{name}, {what}"
            print(f"{row:<44}{measured.median(what):>9.3f}{min(rates) / 1e6:>9.3f}{max(rates) / 1e6:>9.3f}{len(rates):>6}")
            details[row] = sorted(round(rate / 1e6, 4) for rate in rates)
        found.append(figure(f"FIX {name} parsed into columns, one core", "parse", measured, versions))
        if name == "NewOrderSingle":
            found += [
                Figure(f"FIX {what}, one core", round(measured.median(what) * 1_000, 1), "thousand messages/s", COMMAND)
                for what in ("session, sent and recorded", "session, received and validated")
            ]
            found.append(figure("FIX NewOrderSingle written from columns, one core", "write", measured, versions))
    path = write("bench", found, fix=details)
    print(f"fields equal in all programs; figures in {path.relative_to(BUILD.parent)}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
