"""One seed: a site, a day, the faults of its plan, and what has to hold afterwards."""

from __future__ import annotations

import random
import shutil
import tempfile
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Any

from control.configuration import Configuration
from control.desk import DeviceRefusedError
from control.failover.failover import Stage
from control.layers import load
from control.rehearsal.board import Board
from control.rehearsal.clients import Client
from control.rehearsal.host import Host, Site
from control.rehearsal.judge import judge, judge_journals
from control.rehearsal.machine import Machine
from control.rehearsal.replication import Nats
from control.store import Journal
from drivers import settings
from drivers.device import DeviceError
from sim.exchange.config import Flow, OrderPort, VenueConfig
from sim.exchange.day import Day
from sim.exchange.entry import Ticket
from sim.faults.clockwork import Clockwork, Life
from sim.faults.exchange import SimulatedExchange
from sim.faults.network import Line, Weather
from sim.faults.plan import Fault, Kind, plan
from sim.ladder import ladder_for
from wire.frames import udp_frame
from wire.records import QUOTER_STRATEGY, Port, SessionState, Side

MILLISECOND, SECOND = 1_000_000, 1_000_000_000
STOCKS = ("HPNA", "HPNB")
LEVELS, ORDERS = 1024, 4096
LASTS = 8 * SECOND
CALM = SECOND
PATIENCE = 40 * SECOND
"""After the last fault: a session that is half-open has to time out before somebody else can have it."""
FAULTS = 6
MAX_POSITION = 1_500
MAX_QUANTITY = 400
JUDGED = 5
RATE = 120
"""Messages per second of the market."""
_BOTH = (Port.FEED_A, Port.FEED_B)
_WEATHER = {
    Kind.LOSS_A: ("loss", (Port.FEED_A,)),
    Kind.LOSS_B: ("loss", (Port.FEED_B,)),
    Kind.LOSS: ("loss", _BOTH),
    Kind.DUPLICATION: ("duplication", _BOTH),
    Kind.REORDERING: ("reordering", _BOTH),
    Kind.CORRUPTION: ("corruption", _BOTH),
}
FIRST_ALONE = 200 * MILLISECOND
"""ns until the second machine is started, so that the one with the card is the first to have the lease."""


@dataclass
class Outcome:
    """What became of a seed."""

    seed: int
    faults: list[Fault]
    counts: Counter[str]
    violations: list[str] = field(default_factory=list)
    alarms: list[str] = field(default_factory=list)
    journal: str = ""

    def as_dict(self) -> dict[str, Any]:
        """For JSON."""
        return {
            "seed": self.seed,
            "faults": [f"{fault.at / SECOND:.3f} s: {fault.kind}" for fault in self.faults],
            "counts": dict(sorted(self.counts.items())),
            "violations": self.violations,
            "alarms": self.alarms,
            "journal": self.journal,
        }


def play(seed: int, kinds: tuple[Kind, ...] = tuple(Kind)) -> Outcome:
    """Everything that a seed stands for."""
    with _folder() as folder:
        return World(seed, folder, kinds).run()


@contextmanager
def _folder() -> Iterator[Path]:
    memory = Path("/dev/shm")
    folder = Path(tempfile.mkdtemp(prefix="hairpin-", dir=memory if memory.is_dir() else None))
    try:
        yield folder
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def _day(seed: int) -> Day:
    """A small market, with an order port of ours."""
    flow = Flow(seed=seed, rate=RATE, orders=60, messages=int(RATE * (LASTS + PATIENCE) / SECOND) + RATE)
    ports = (OrderPort(protocol="ouch42"),)
    return Day(VenueConfig(symbols=STOCKS, auction=False, flow=flow, ports=ports, levels=2 * LEVELS, tick=100))


def _configuration() -> Configuration:
    values: dict[str, Any] = {
        "input": {"symbols": list(STOCKS)},
        "device": {"symbols": len(STOCKS), "levels": LEVELS, "orders": ORDERS, "tick_ns": 10 * MILLISECOND},
        "feed": {"session": "HAIRPIN", "hold_ns": 3 * MILLISECOND},
        "quoter": {"enabled": True, "size": 50},
        "limits": {"max_position": MAX_POSITION, "max_quantity": MAX_QUANTITY, "max_open_orders": 8},
        "global": {"heartbeat_ns": 200 * MILLISECOND, "stale_ns": 3 * SECOND},
    }
    return load(environment={}, flags=values)


def ladders(day: Day, levels: int) -> dict[int, settings.SymbolSetup]:
    """The ladder of each stock of a day, which trades already."""
    assert day.tape is not None
    setups = {}
    for symbol, stock in enumerate(STOCKS):
        ladder = ladder_for(day.tape, stock, levels=levels)
        setups[symbol] = settings.SymbolSetup(
            stock=stock, stock_locate=symbol + 1, base_price=ladder.base_price, tick=ladder.tick, trading_state="T"
        )
    return setups


class World:
    """A seed's day.

    Parameters
    ----------
    seed : int
    folder : Path
        For the journal.
    kinds : tuple of Kind
        Of which faults are drawn.
    """

    def __init__(self, seed: int, folder: Path, kinds: tuple[Kind, ...]) -> None:
        dice, self.seed = random.Random(seed), seed
        self.counts: Counter[str] = Counter()
        self.violations: list[str] = []
        day = _day(seed)
        self.clockwork = Clockwork(day.start)
        self.exchange = SimulatedExchange(self.clockwork, day, random.Random(dice.random()), self.counts)
        self.exchange.cancel_on_disconnect = dice.random() < 0.3
        self.exchange.watch = self._look
        self._dice = random.Random(dice.random())
        self._servers_down: set[int] = set()
        self._tickets: list[Ticket] = []
        self._shares, self._seen = [0] * len(STOCKS), 0
        configuration = _configuration()
        self.site = Site(
            self.clockwork, self._dice, self.counts, configuration, ladders(day, LEVELS), self.exchange, self._ask_again
        )
        self.weathers = {Port.FEED_A: Weather(), Port.FEED_B: Weather()}
        self.nats = Nats()
        without = Life("no card")
        without.end()
        self.machines = [
            Machine("first", self.site, self.nats, folder / "first", self._board(Life("card")), self._board),
            Machine("second", self.site, self.nats, folder / "second", self._board(without), self._board),
        ]
        self.machines[0].start()
        self.clockwork.after(FIRST_ALONE, self.machines[1].start)
        self.client = Client(
            self.clockwork, random.Random(dice.random()), self.counts, lambda: self.host, STOCKS, self._middle
        )
        begin = day.open + SECOND // 2
        self.faults = plan(random.Random(dice.random()), begin, begin + LASTS, FAULTS, kinds)
        for fault in self.faults:
            self.clockwork.at(fault.at, self._strike, fault)
        self.end = begin + LASTS

    # -- what there is -----------------------------------------------------------------------------

    def _board(self, life: Life) -> Board:
        board = Board(self.clockwork, life, self.counts, symbols=len(STOCKS), levels=LEVELS, orders=ORDERS)
        feed = self.site.configuration.feed
        for port, address, number in (
            (Port.FEED_A, feed.address_a, feed.port_a),
            (Port.FEED_B, feed.address_b, feed.port_b),
        ):
            wrap = partial(udp_frame, source=1, source_port=1, destination=int(address), destination_port=number)
            line = Line(self.clockwork, self._dice, board.feed(port), self.counts, wrap=wrap)
            line.weather = self.weathers[port]
            self.exchange.lines.append(line)
        return board

    @property
    def primary(self) -> Machine | None:
        """The machine that has a host, if one has."""
        return next((machine for machine in self.machines if machine.host is not None), None)

    @property
    def host(self) -> Host | None:
        """The host there is, if any."""
        return None if self.primary is None else self.primary.host

    def _middle(self, stock: str) -> int:
        """Between the best prices at the exchange, in cents."""
        venue = self.exchange.day.venue
        symbol = venue.symbols[stock]
        best = [levels[0][0] for side in (0, 1) if (levels := venue.core.depth(symbol, side, 1))]
        return (sum(best) // len(best) if best else self.site.setups[symbol].base_price + LEVELS * 50) // 100 * 100

    def _ask_again(self, server: int, request: bytes, answer: Callable[[bytes], None], life: Life) -> None:
        """A re-request and its answer on their ways; either may be lost when the feeds are."""

        def way() -> int:
            return self._dice.randrange(30_000, 120_000)

        def arrive() -> None:
            if server not in self._servers_down:
                self.exchange.rerequest(request, lambda data: self.clockwork.after(way(), answer, data, life=life))

        if self._dice.random() >= self.weathers[Port.FEED_A].loss / 4:
            self.clockwork.after(way(), arrive)

    # -- faults ------------------------------------------------------------------------------------

    def _strike(self, fault: Fault) -> None:
        self.counts[f"fault: {fault.kind}"] += 1
        host, kind, later = self.host, fault.kind, self.clockwork.after
        if kind in _WEATHER:
            name, ports = _WEATHER[kind]
            for port in ports:
                setattr(self.weathers[port], name, 0.5 * fault.size)
                later(fault.duration, setattr, self.weathers[port], name, 0.0)
        elif kind is Kind.RE_REQUEST_SERVER:
            server = int(2 * fault.size)
            self._servers_down.add(server)
            later(fault.duration, self._servers_down.discard, server)
        elif kind is Kind.EXCHANGE:
            self.exchange.die()
            later(fault.duration, self.exchange.come_back)
        elif kind is Kind.CLOCK:
            self.site.clock_step += int((fault.size - 0.5) * 7_200 * SECOND)
        elif kind is Kind.CARD:
            self.machines[0].card.power_off()
        elif kind in (Kind.CONTROL, Kind.ENGINE, Kind.STANDBY):
            machine = self._standby if kind is Kind.STANDBY else self.primary
            if machine is not None:
                machine.end()
                later(fault.duration, machine.start)
        elif kind is Kind.MACHINE and (machine := self.primary) is not None:
            machine.power_off()
        elif kind is Kind.NATS:
            self.nats.is_up = False
            later(fault.duration, setattr, self.nats, "is_up", True)
        elif host is not None and kind is Kind.DRIVER:
            host.driver.life.end()
            self.site.driver_back = self.clockwork.now + fault.duration
        elif host is not None and kind is Kind.DISK:
            host.disk.is_full = True
            later(fault.duration + 200 * MILLISECOND, self._replace_disk, self.primary, host)
        elif host is not None:
            self._strike_line(fault, host.active)

    @property
    def _standby(self) -> Machine | None:
        return next((machine for machine in self.machines if machine.runs and machine.host is None), None)

    def _replace_disk(self, machine: Machine, host: Host) -> None:
        """Somebody makes room, and starts the process again."""
        if machine.host is host:
            machine.end()
            machine.start()

    def _strike_line(self, fault: Fault, board: Board) -> None:
        stream = board.stream
        if stream is None:
            return
        if fault.kind is Kind.CUT:
            stream.cut()
        elif fault.kind is Kind.HALF_OPEN:
            stream.is_half_open = True
        elif fault.kind is Kind.SLOW:
            stream.slow_ns = int(300 * MILLISECOND * fault.size)
            self.clockwork.after(fault.duration, setattr, stream, "slow_ns", 0)
        elif fault.kind is Kind.CUT_BEFORE_ACK:

            def cut(_: bytes) -> None:
                board.on_send = None
                if board.stream is not None:
                    self.clockwork.after(int(200_000 * fault.size), board.stream.cut)

            board.on_send = cut

    # -- what has to hold --------------------------------------------------------------------------

    def _look(self) -> None:
        """After every message of ours, at the exchange: no order is too large, and nothing that may trade breaks the limit."""
        known = self.exchange.day.entries[0].by_key
        self._tickets += [known[key] for key in list(known)[self._seen :]]
        self._seen = len(known)
        for ticket in self._tickets:
            if not ticket.open:
                self._shares[ticket.terms.symbol] += -ticket.executed if ticket.terms.side else ticket.executed
            if ticket.terms.shares > MAX_QUANTITY:
                self.violations.append(f"{self._time}: an order of {ticket.terms.shares} shares")
        self._tickets = [ticket for ticket in self._tickets if ticket.open]
        for symbol, stock in enumerate(STOCKS):
            tickets = [ticket for ticket in self._tickets if ticket.terms.symbol == symbol]
            position = self._shares[symbol] + sum(
                -ticket.executed if ticket.terms.side else ticket.executed for ticket in tickets
            )
            for side, sign in ((Side.BUY, 1), (Side.SELL, -1)):
                opened = sum(ticket.open for ticket in tickets if bool(ticket.terms.side) == (side is Side.SELL))
                if sign * position + opened > MAX_POSITION:
                    self.violations.append(f"{self._time}: {stock}: {position} shares, {opened} more to {side.name.lower()}")

    def run(self) -> Outcome:
        """The whole day."""
        self.clockwork.run(self.end + 2 * CALM)
        while not self._is_at_rest and self.clockwork.now < self.end + PATIENCE:
            self.clockwork.run(self.clockwork.now + CALM)
        primary, host = self.primary, self.host
        if primary is None or host is None:
            self.violations.append("nobody is primary")
            return self._outcome(self.machines[0])
        self.client.is_trading = False
        self.exchange.day.driver = None  # the market stands still, and quotes are gone, so that nothing is on its way
        with suppress(DeviceError, DeviceRefusedError):
            host.desk.kill("the day is over", strategy=QUOTER_STRATEGY, who="rehearsal")
        self.clockwork.run(self.clockwork.now + CALM)
        found = judge(host, self.exchange, self.client.acknowledged)
        for _ in range(JUDGED):  # an answer may be on its way at one moment, not at all of them
            if not found:
                break
            self.clockwork.run(self.clockwork.now + CALM // 10)
            found = judge(host, self.exchange, self.client.acknowledged)
        self.violations += found
        for machine in self.machines:
            machine.end()
        self.violations += judge_journals(
            [machine.folder for machine in self.machines if machine.is_on], primary.folder, self.exchange
        )
        return self._outcome(primary)

    def _outcome(self, machine: Machine) -> Outcome:
        journal = Journal(machine.folder)
        digest = journal.digest.hex()
        journal.close()
        return Outcome(self.seed, self.faults, self.counts, self.violations, self.site.alarms, digest)

    @property
    def _is_at_rest(self) -> bool:
        """Whether a host has a session, on a line that is whole."""
        host = self.host
        if host is None or host.failover.stage is not Stage.IDLE or host.desk.watch.session is not SessionState.UP:
            return False
        stream = host.active.stream
        return stream is not None and stream.is_open and not stream.is_half_open

    @property
    def _time(self) -> str:
        return f"{(self.clockwork.now - self.exchange.day.open) / SECOND:.6f} s"
