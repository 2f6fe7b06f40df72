"""The matching engine: orders per second on one core, beside nanobook from PyPI in the same run.

Both are given the same commands: limit orders, immediate ones and cancels. Without cancels they must report the same
trades and the same book. With them nanobook 0.19.2 does not: a cancelled order stays in its queue, trades 0 shares with
who comes, and whoever would take more than it never comes back. So its time is measured with takers of one round
lot, and its answers are compared in a load without cancels.

nanobook is called from Python one order at a time, as it is made to be; our core takes batches, as the exchange has
them from a tape. exchange-core publishes 5 million operations per second (Java, one order book, its own machine); it
is not run here.

The ports are measured in this process, without sockets: an order comes in as bytes and is accepted, and its answer is written.
FIX goes through its session and the store of that (in memory), OUCH has no more than its message.
"""

import json
import statistics
import tempfile
import time
from pathlib import Path
from typing import Any

import numpy as np

from bench import peers
from bench.figures import BUILD, Figure, times_better, write
from control.gateway.fix.connection import Connection
from control.gateway.fix.session import Session
from control.gateway.fix.settings import Identity, Settings
from control.gateway.fix.store import MemoryStore
from sim.exchange.drive import TapeDriver
from sim.exchange.fix import Fix
from sim.exchange.fix_terms import DIALECTS
from sim.exchange.matching.core import Core, command, run
from sim.exchange.matching.state import (
    ALL_SHOWN,
    E_OTHER_TOKEN,
    E_PRICE,
    E_SHARES,
    E_TOKEN,
    EVENTS,
    IMMEDIATE,
    KIND,
    PENDING,
    REFERENCE,
    SLOT_BITS,
    WIDTH,
    Command,
    Event,
)
from sim.exchange.ouch42 import Ouch42
from sim.exchange.publication import Publication
from sim.exchange.venue import Venue
from sim.ladder import ladder_for
from sim.sources.flow import FlowConfig, flow
from wire import ouch42
from wire.fix.message import Message
from wire.fix.numbers import price_text, timestamp
from wire.fix.write import message

COMMAND = "make bench ONLY=exchange"
ORDERS, RUNS, SEED = 300_000, 9, 11
PORT_ORDERS = 3_000
TICK, LEVELS, MIDDLE = 100, 4096, 1_000_000
EXCHANGE_CORE = "exchange-core's published 5 million"

PEER_SCRIPT = """
import json, sys, time, importlib.metadata
import nanobook
rows = json.load(open(sys.argv[1]))
runs = int(sys.argv[2])
BUY, SELL = "buy", "sell"
ops = [(k, BUY if s == 0 else SELL, p // 100, q, "ioc" if f else "gtc", t) for k, s, p, q, f, t in rows]
seconds = []
for run in range(runs):
    exchange = nanobook.Exchange()
    submit, cancel = exchange.submit_limit, exchange.cancel
    begin = time.perf_counter()
    for kind, side, price, quantity, force, target in ops:
        if kind == 1:
            submit(side, price, quantity, force)
        else:
            cancel(target)
    seconds.append(time.perf_counter() - begin)
exchange = nanobook.Exchange()
trades = []
for kind, side, price, quantity, force, target in ops:
    if kind == 1:
        for trade in exchange.submit_limit(side, price, quantity, force).trades:
            trades.append([trade.passive_order_id, trade.aggressor_order_id, trade.price * 100, trade.quantity])
    else:
        exchange.cancel(target)
book = exchange.full_book()
sides = [[[l.price * 100, l.quantity, l.order_count] for l in side] for side in (book.bids, book.asks)]
print(json.dumps({"seconds": seconds, "trades": trades, "book": sides, "version": importlib.metadata.version("nanobook")}))
"""


def load(count: int, seed: int, *, cancels: bool = True) -> np.ndarray[Any, Any]:
    """Commands of one symbol, half of them cancels at rest. ``token`` of a new order is its number from 1 on, ``reference``
    of a cancel its target's token: see :func:`linked`.

    With cancels, immediate orders are of 100 shares (above: why).
    """
    rng = np.random.default_rng(seed)
    rows = np.zeros((count, WIDTH), np.int64)
    entered: list[int] = []
    token = 0
    distance = np.minimum(rng.pareto(1.5, count) * 6, 400).astype(np.int64)
    side, lots = rng.integers(0, 2, count), 1 + rng.pareto(1.6, count)
    what, pick = rng.random(count), rng.random(count)
    for i in range(count):
        if cancels and what[i] < 0.47 and len(entered) > 500:
            at = int(pick[i] * len(entered))
            entered[at], entered[-1] = entered[-1], entered[at]
            rows[i] = command(Command.CANCEL, reference=entered.pop())
            continue
        immediate = what[i] > 0.95
        away = -2 - distance[i] % 3 if immediate else distance[i]
        price = MIDDLE + (-(away + 1) if side[i] == 0 else away + 1) * TICK
        token += 1
        round_lots = 1 if immediate and cancels else int(min(lots[i], 100))
        rows[i] = command(
            Command.ENTER, side=int(side[i]), price=int(price), shares=100 * round_lots,
            display=ALL_SHOWN, flags=IMMEDIATE if immediate else 0, token=token,
        )  # fmt: skip
        if not immediate:
            entered.append(token)
    return rows


def linked(rows: np.ndarray[Any, Any]) -> np.ndarray[Any, Any]:
    """The commands with our references in the cancels: found by running them once, one by one."""
    core, out, references = core_of(), rows.copy(), {}
    for row in out:
        if row[KIND] == Command.CANCEL:
            row[REFERENCE] = references[int(row[REFERENCE])]
        core.process(row[None])
        if row[KIND] == Command.ENTER:
            references[int(row[10])] = core.last_reference
    return out


def core_of(events: int = 1 << 21) -> Core:
    """An empty exchange of one symbol."""
    core = Core(1, LEVELS, min(1 << 18, (1 << SLOT_BITS) - 1), events)
    core.open_symbol(0, MIDDLE - LEVELS // 2 * TICK, TICK, MIDDLE)
    return core


def trades(events: np.ndarray[Any, Any]) -> list[list[int]]:
    """Passive and aggressive token, price and shares of every execution."""
    found = events[events[:, KIND] == Event.EXECUTED]
    return found[:, [E_TOKEN, E_OTHER_TOKEN, E_PRICE, E_SHARES]].tolist()


def as_json(rows: np.ndarray[Any, Any]) -> str:
    """The commands as nanobook's script reads them: kind, side, price, shares, flags, target."""
    return json.dumps([[r[0], r[3], r[4], r[5], r[7], r[11]] for r in rows.tolist()])


def peer(rows: np.ndarray[Any, Any], runs: int) -> Any:
    """Answers and times of nanobook; errors as :func:`bench.peers.measure`."""
    BUILD.mkdir(exist_ok=True)
    with tempfile.NamedTemporaryFile("w", dir=BUILD, suffix=".json") as file:
        file.write(as_json(rows))
        file.flush()
        return peers.measure(PEER_SCRIPT, [Path(file.name), str(runs)])


def seconds_of(commands: np.ndarray[Any, Any]) -> float:
    """How long our core takes for all of them. Who reads the events does so in the buffer, whenever it is full."""
    core, first = core_of(1 << 14), 0
    core.process(commands[:1000])
    core = core_of(1 << 14)
    begin = time.perf_counter()
    while first < len(commands) or core.memory[PENDING]:
        first = int(run(core.memory, core.events, commands, first))
        core.memory[EVENTS] = 0
    return time.perf_counter() - begin


def flow_rates() -> tuple[list[float], list[float]]:
    """Million commands per second of the order-flow model on four symbols: matched alone, and published as ITCH too."""
    tape = flow(FlowConfig(messages=ORDERS, seed=SEED))
    stocks = tuple(listing.stock for listing in tape.listings())
    alone, published = [], []
    for _ in range(RUNS):
        for rates, publishes in ((alone, False), (published, True)):
            core = Core(len(stocks), LEVELS, 1 << 18, 1 << 14)
            for symbol, stock in enumerate(stocks):
                made = ladder_for(tape, stock, levels=LEVELS, tick=50)
                core.open_symbol(symbol, made.base_price, made.tick, made.base_price)
            driver = TapeDriver(core, tape, {stock: symbol for symbol, stock in enumerate(stocks)})
            publication = Publication(stocks)
            begin = time.perf_counter()
            while (events := driver.step(1 << 62)) is not None:
                if publishes:
                    publication.add(events)
            rates.append(driver.counters["entered"] / (time.perf_counter() - begin) / 1e6)
            assert core.memory[EVENTS] == 0
    return alone, published


class Desk:
    """What a FIX session hands its messages to: an order port."""

    def __init__(self, entry: Fix) -> None:
        self.entry = entry

    def on_logon(self, session: Session) -> None: ...

    def on_logout(self, session: Session, reason: str) -> None: ...

    def on_message(self, session: Session, message: Message) -> None:
        self.entry.take(message)

    def may_resend(self, session: Session, message: Message) -> bool:
        return True


def venue_of() -> Venue:
    """A venue of one symbol, AAA."""
    return Venue(("AAA",), core_of(1 << 10))


def ouch_rate(count: int) -> float:
    """Thousand orders a second by OUCH 4.2."""
    venue = venue_of()
    entry = Ouch42(venue, venue.account("OUCH", "FIRM"))
    fields = {
        "shares": 100, "stock": "AAA", "time_in_force": 99_998, "firm": "FIRM", "display": "Y", "capacity": "P",
        "intermarket_sweep_eligibility": "N", "minimum_quantity": 0, "cross_type": "N", "customer_type": " ", "side": "B",
    }  # fmt: skip
    orders = [
        ouch42.ENTER_ORDER.pack(fields, order_token=f"T{n}", price=MIDDLE - n % 100 * TICK) for n in range(count)
    ]  # fmt: skip
    begin = time.perf_counter()
    for order in orders:
        entry.receive(order)
    seconds = time.perf_counter() - begin
    assert venue.core.counters["orders_open"] == count
    return count / seconds / 1e3


def fix_rate(count: int) -> float:
    """Thousand orders a second by FIX 4.4, its session included."""
    venue = venue_of()
    entry = Fix(venue, venue.account("FIX", "FIRM"), DIALECTS["fix44"])
    session = Session(Settings(Identity("FIX.4.4", "VENUE", "CLIENT")), MemoryStore(), Desk(entry))
    entry.plug(session.send)
    connection = Connection(choose=lambda _: session)
    now = time.time_ns()
    moment, sides = timestamp(now), ((49, "CLIENT"), (56, "VENUE"))

    def framed(number: int, kind: str, *body: tuple[int, Any]) -> bytes:
        return message(b"FIX.4.4", [(35, kind), (34, number), *sides, (52, moment), *body])

    orders = [
        framed(
            n + 2, "D", (11, f"T{n}"), (55, "AAA"), (54, "1"), (60, moment), (38, 100), (40, "2"),
            (44, price_text(MIDDLE - n % 100 * TICK)),
        )
        for n in range(count)
    ]  # fmt: skip
    connection.receive(framed(1, "A", (98, 0), (108, 30)), now)
    begin = time.perf_counter()
    for order in orders:
        connection.receive(order, now)
        connection.take_output()
    seconds = time.perf_counter() - begin
    assert venue.core.counters["orders_open"] == count
    return count / seconds / 1e3


def main() -> None:
    """Measure, check that both say the same, print, keep the figures."""
    rows = load(ORDERS, SEED)
    commands = linked(rows)
    same = load(ORDERS // 10, SEED, cancels=False)
    core = core_of()
    ours = trades(core.process(same))
    times = [seconds_of(commands) for _ in range(RUNS)]
    name, rate_of_peer, version = EXCHANGE_CORE, None, ""
    try:
        answer, seconds = peer(same, 1), peer(rows, RUNS)["seconds"]
    except FileNotFoundError as error:
        print(f"nanobook is not measured: {error}")
    else:
        if answer["trades"] != ours or answer["book"] != [[list(r) for r in core.depth(0, side)] for side in (0, 1)]:
            raise AssertionError("our trades or our book and nanobook's differ")
        rate_of_peer, version = ORDERS / statistics.median(seconds) / 1e6, answer["version"]
        name = f"nanobook {version}: {rate_of_peer:.2f}; {EXCHANGE_CORE}"
        times += [seconds_of(commands) for _ in range(RUNS)]
    rate = ORDERS / statistics.median(times) / 1e6
    alone, published = flow_rates()
    by_ouch = statistics.median(ouch_rate(PORT_ORDERS) for _ in range(RUNS))
    by_fix = statistics.median(fix_rate(PORT_ORDERS) for _ in range(RUNS))
    unit = "million orders/s"
    if rate_of_peer:
        print(f"{len(same):,} orders without cancels: {len(ours):,} trades and the book are the same in both")
    print(f"{ORDERS:,} commands with cancels:")
    low, high = ORDERS / max(times) / 1e6, ORDERS / min(times) / 1e6
    print(f"hairpin            {rate:8.2f} {unit}, of {len(times)} runs {low:.2f} to {high:.2f}")
    if rate_of_peer:
        print(f"nanobook {version:<9} {rate_of_peer:8.2f} {unit}")
    print(f"flow, 4 symbols    {statistics.median(alone):8.2f} {unit}; published as ITCH {statistics.median(published):.2f}")
    print(f"through a port, accepted and answered: OUCH 4.2 {by_ouch:.1f}, FIX 4.4 {by_fix:.1f} thousand orders/s")
    print(f"({EXCHANGE_CORE}, not run here)")
    ratio = round(times_better(rate, rate_of_peer, better="higher"), 2) if rate_of_peer else None
    write(
        "bench",
        [
            Figure("orders matched, one symbol, one core", round(rate, 2), unit, COMMAND, name if ratio else None, ratio),
            Figure("orders of the flow matched, 4 symbols, one core", round(statistics.median(alone), 2), unit, COMMAND),
            Figure(
                "orders of the flow matched and published as ITCH", round(statistics.median(published), 2), unit, COMMAND
            ),
            Figure("orders through an OUCH 4.2 port of the exchange", round(by_ouch, 1), "thousand orders/s", COMMAND),
            Figure("orders through a FIX 4.4 port, session included", round(by_fix, 1), "thousand orders/s", COMMAND),
        ],
        exchange={"hairpin": [round(ORDERS / each / 1e6, 3) for each in times]},
    )


if __name__ == "__main__":
    main()
