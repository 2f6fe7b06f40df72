"""A venue's day: who trades there besides the ports, and what happens when; still without a clock of its own.

Directory and quoting before the open; imbalance messages, then the opening cross; trading; imbalance messages, the
closing cross, everything that is left cancelled, the end. The same configuration, and the same orders at the same
times, give the same messages.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from pathlib import Path

from sim import ladder, sources
from sim.exchange.config import VenueConfig
from sim.exchange.drive import TapeDriver
from sim.exchange.entry import OrderEntry
from sim.exchange.fix import Fix
from sim.exchange.fix_terms import DIALECTS
from sim.exchange.luld import NEVER, Luld
from sim.exchange.matching.core import Core
from sim.exchange.matching.state import HALTED, QUOTING, TRADING, Command, Prevention, Reason
from sim.exchange.ouch42 import Ouch42
from sim.exchange.ouch50 import Ouch50
from sim.exchange.venue import Account, Venue
from sim.sources.flow import TICK, FlowConfig, flow
from sim.sources.tape import Tape

SECOND = 1_000_000_000
PROTOCOLS: dict[str, Callable[[Venue, Account], OrderEntry]] = {
    "ouch42": Ouch42,
    "ouch50": Ouch50,
    **{name: partial(Fix, dialect=dialect) for name, dialect in DIALECTS.items()},
}
"""Order protocols by the name that a configuration calls them."""
PRICE = 1_000_000
_PREVENTIONS = {each.name.lower().replace("_", " "): each for each in Prevention}
_INDICATED = {"O": (300, 120), "C": (600, 300)}
"""Seconds before the opening and the closing cross, from which on the indicator comes every ten seconds and without near and far
price, and from which on every second and whole: 9:25 and 9:28, 15:50 and 15:55."""


class Day:
    """A venue with its order flow, its accounts and its timetable.

    Parameters
    ----------
    config : VenueConfig
    tape : Tape or None
        The order flow; without it, what the configuration names.

    Raises
    ------
    OSError, ValueError
        A recorded file that can't be read, or lacks a symbol.
    """

    def __init__(self, config: VenueConfig, tape: Tape | None = None) -> None:
        self.config = config
        self.tape = _tape(config) if tape is None else tape
        self.venue = Venue(config.symbols, _core(config, self.tape), config.fees)
        self.driver = None if self.tape is None else TapeDriver(self.venue.core, self.tape, self.venue.symbols)
        self.entries: list[OrderEntry] = []
        for name, port in zip(config.accounts, config.ports, strict=True):
            account = self.venue.account(name, port.firm, _PREVENTIONS[port.prevention])
            self.entries.append(PROTOCOLS[port.protocol](self.venue, account))
        self.start, self.open, self.close = _hours(self.tape)
        self.venue.time = self.start
        self._timetable = self._plan()
        self.luld = Luld(self.venue, config.luld_tiers, self.open, self.close) if config.luld_tiers else None
        state = chr(QUOTING if config.auction else TRADING)
        self.venue.publication.opening(self.start, tuple(sorted({port.firm for port in config.ports})), state)
        for entry in self.entries:
            entry.system_event("S")

    def _plan(self) -> list[tuple[int, Command, dict[str, int]]]:
        """The timetable, the last thing first."""
        symbols = range(len(self.config.symbols))
        plan: list[tuple[int, Command, dict[str, int]]] = []

        def at(time: int, kind: Command, **fields: int) -> None:
            plan.append((time, kind, fields))

        def each(time: int, kind: Command, **fields: int) -> None:
            for symbol in symbols:
                at(time, kind, symbol=symbol, **fields)

        at(self.start, Command.SYSTEM, value=ord("S"))
        threshold = {
            "shares": round(self.config.cross_threshold.percent * 100), "display": self.config.cross_threshold.least
        }  # fmt: skip

        def indicate(kind: str, cross: int, first: int) -> None:
            early, late = _INDICATED[kind]
            for before in [*range(early, late, -10), *range(late, 0, -1)]:
                if cross - before * SECOND >= first:
                    flags = int(before > late)
                    each(cross - before * SECOND, Command.IMBALANCE, value=ord(kind), flags=flags, **threshold)

        if self.config.auction:
            indicate("O", self.open, self.start)
        at(self.open, Command.SYSTEM, value=ord("Q"))
        if self.config.auction:
            each(self.open, Command.CROSS, value=ord("O"), **threshold)
            indicate("C", self.close, self.open)
        at(self.close, Command.SYSTEM, value=ord("M"))
        if self.config.auction:
            each(self.close, Command.CROSS, value=ord("C"), **threshold)
        each(self.close, Command.STATE, value=HALTED)
        at(self.close, Command.CANCEL_ALL, symbol=-1, owner=-1, value=int(Reason.SYSTEM))
        at(self.close, Command.SYSTEM, value=ord("E"))
        at(self.close, Command.SYSTEM, value=ord("C"))
        return plan[::-1]

    @property
    def is_over(self) -> bool:
        """Whether everything has happened."""
        return not self._timetable

    def advance(self, until: int) -> None:
        """Everything before ``until``, ns since midnight; at the same time, the tape comes first."""
        while True:
            planned = self._timetable[-1][0] if self._timetable else NEVER
            watched = self.luld.next if self.luld is not None else NEVER
            due = min(planned, watched)
            if due >= until:
                break
            self._flow(due + 1)
            self.venue.advance(due)
            if planned <= watched:
                _, kind, fields = self._timetable.pop()
                self.venue.submit(kind, **fields)
            elif self.luld is not None:
                self.luld.act(due)
        if self._timetable:
            self._flow(until)
            self.venue.advance(until)
        elif self.entries and self.venue.time < until:
            for entry in self.entries:
                entry.system_event("E")
            self.venue.time = until

    def _flow(self, until: int) -> None:
        if self.driver is None:
            return
        while (events := self.driver.step(until)) is not None:
            self.venue.spread(events)

    def run(self) -> None:
        """The whole day at once."""
        self.advance(self.close + 1)

    def result(self) -> dict[str, object]:
        """What happened."""
        found = {"venue": self.config.name, **self.venue.result()}
        if self.driver is not None:
            found["flow"] = self.driver.counters
        return found


def _tape(config: VenueConfig) -> Tape | None:
    source = config.flow
    if source.source == "none":
        return None
    if source.source == "synthetic":
        return flow(
            FlowConfig(
                seed=source.seed, messages=source.messages, stocks=config.symbols, rate=source.rate,
                orders=source.orders, prices=config.prices, levels=max(min(config.levels * config.tick // (2 * TICK), 1024), 256),
            )
        )  # fmt: skip
    tape = sources.load(Path(source.source), config.symbols)
    return tape.part(0, source.messages) if source.messages else tape


def _core(config: VenueConfig, tape: Tape | None) -> Core:
    core = Core(len(config.symbols), config.levels, config.orders)
    state = QUOTING if config.auction else TRADING
    for symbol, stock in enumerate(config.symbols):
        if tape is None:
            price = config.prices[symbol] if config.prices else PRICE
            middle = price // config.tick
            core.open_symbol(symbol, max(middle - config.levels // 2, 0) * config.tick, config.tick, middle * config.tick, state)
        else:
            made = ladder.ladder_for(tape, stock, levels=config.levels, tick=config.tick)
            core.open_symbol(symbol, made.base_price, made.tick, made.base_price + made.span // 2, state)
    return core


def _hours(tape: Tape | None) -> tuple[int, int, int]:
    """When the day starts, the market opens, and the market closes."""
    if tape is None or not len(tape):
        opens = 34_200 * SECOND
        return opens - SECOND, opens, 57_600 * SECOND
    events = {}
    for i in (tape.types == ord("S")).nonzero()[0]:
        events[chr(tape[int(i)][-1])] = int(tape.timestamps[i])
    first, last = int(tape.timestamps[0]), int(tape.timestamps[-1])
    opens = events.get("Q", first)
    return min(first, opens), opens, max(events.get("M", last), opens)
