"""A host in the small world: the control plane's own parts, with nothing simulated but disk, time and wires.

Orders go through :class:`control.oms.flow.OrderFlow` and its journal to a card and its shadow
(:class:`control.failover.pair.Pair`); what is missing of either's feed is asked for again. Whenever the order session is in doubt
:class:`control.failover.failover.Failover` takes it, settles, and hands it back to the card, or on to the shadow.
"""

from __future__ import annotations

import random
from collections import Counter, deque
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path

from control.configuration import Configuration
from control.desk import Desk
from control.entries import Cleared, Killed, Started, read
from control.failover.failover import Failover, Stage
from control.failover.pair import Inheritance, Pair
from control.failover.settle import settle_flow
from control.failover.view import ExchangeView
from control.gateway.ouch import Ouch
from control.keeper import Keeper
from control.market import commands_for
from control.oms import Oms
from control.oms.events import identity
from control.oms.flow import OrderFlow
from control.rehearsal.board import Board, Driver
from control.rehearsal.disk import Disk
from control.rehearsal.feed import Feed
from control.store import Record
from drivers import settings
from drivers.device import Answer, Device, DeviceError
from sim.faults.clockwork import Clockwork, Life
from sim.faults.exchange import SimulatedExchange
from sim.faults.network import Stream
from wire.records import Opcode, SessionState, SlotState

MILLISECOND = 1_000_000
TURN = 4 * MILLISECOND
HEARTBEAT = 40 * MILLISECOND
RETRY = 20 * MILLISECOND
LOGIN_PATIENCE = 1_000 * MILLISECOND
EPOCH = 1_700_000_000_000_000_000
CARD, SHADOW = 0, 1


@dataclass
class Site:
    """What outlives a host: the exchange, and the wires to it."""

    clockwork: Clockwork
    dice: random.Random
    counts: Counter[str]
    configuration: Configuration
    setups: Mapping[int, settings.SymbolSetup]
    exchange: SimulatedExchange
    ask_again: Callable[[int, bytes, Callable[[bytes], None], Life], None]
    """``(server, request, answer, life)``"""
    alarms: list[str] = field(default_factory=list)
    driver_back: int = 0
    """When a driver that died can be started again."""
    clock_step: int = 0
    """ns that the wall clock is wrong."""


class _Market:
    """A pair as `control.desk.Market`: time goes on by itself."""

    finished = False

    def __init__(self, site: Site, pair: Pair) -> None:
        self._site, self._pair = site, pair
        self.setups = site.setups

    @property
    def device(self) -> Device:
        return self._pair

    @property
    def now(self) -> int:
        return self._site.clockwork.now

    def advance(self, to: int) -> None:
        pass

    def command(self, data: bytes) -> Answer:
        return self._pair.command(data)


class _Line:
    """A stream as `control.failover.failover.Line`, and the failover as its end; nothing comes to a host that is gone."""

    def __init__(self, failover: Failover, life: Life) -> None:
        self._failover, self._life = failover, life
        self.stream: Stream | None = None

    def send(self, data: bytes) -> None:
        if self.stream is not None:
            self.stream.send(0, data)

    def close(self) -> None:
        if self.stream is not None:
            self.stream.close(0)

    def received(self, data: bytes) -> None:
        if not self._life.is_over:
            self._failover.received(data)

    def lost(self) -> None:
        if not self._life.is_over:
            self._failover.lost()


class Host:
    """A control plane, from its start to its end.

    Parameters
    ----------
    site : Site
    folder : Path
        Of the journal.
    card, shadow : Board
        The card may be dead, or may have had another host before. The shadow is new, and lives as long as the host.
    life : Life
    """

    def __init__(self, site: Site, folder: Path, card: Board, shadow: Board, life: Life) -> None:
        self.site, self.life, self.card, self.shadow = site, life, card, shadow
        site.counts["hosts started"] += 1
        self.driver = Driver(card, Life("driver"))
        self._later: deque[Callable[[], None]] = deque()
        self._retry = 0
        self._line: Stream | None = None
        self.disk = Disk(site.clockwork, site.dice, life, site.counts, folder)
        entries = list(self.disk.journal.records())
        self.keeper = Keeper(self.disk)  # type: ignore[arg-type]
        self.oms = Oms(self.keeper.append, entries)
        self.pair, self.feeds = self._devices()
        self.desk = Desk(_Market(site, self.pair), site.configuration, self.keeper, clock=self.clock)
        run = 1 + sum(isinstance(read(entry), Started) for entry in entries)
        self.flow = OrderFlow(self.oms, self.desk, run=run, later=self._later.append)
        self.failover = self._failover()
        self.killed = _was_killed(entries)
        self.keeper.append(Started.KIND, Started(run=run, device="rehearsal", version="1").pack(), self.clock())
        self._begin("a host was started")
        site.clockwork.every(TURN, self._turn, life=life)
        site.clockwork.every(HEARTBEAT, self._heartbeat, life=life)

    def clock(self) -> int:
        """What the wall clock says, ns since the epoch. It may be wrong."""
        return EPOCH + self.now + self.site.clock_step

    @property
    def now(self) -> int:
        """The time, ns since midnight."""
        return self.site.clockwork.now

    # -- devices -----------------------------------------------------------------------------------

    def _devices(self) -> tuple[Pair, list[Feed]]:
        """The pair. A card that is set already is told to stop, and to let go of the session; the shadow is set anew."""
        site = self.site
        behind = self._behind = Driver(self.shadow, self.life)
        drivers = (self.driver, behind)
        had = self.card.is_set
        if self.driver.is_there:
            if not had:
                self._set(self.driver)
                self.card.is_set = True
            self.driver.kill()
        self._set(behind)
        behind.kill()
        place = self.driver.expected() if self.driver.is_there else 0
        pair = Pair(
            self.driver, behind, self._alarm, self.shadow.device.begin_after,
            patience_ns=3_000 * MILLISECOND, check_ns=50 * MILLISECOND, behind=place,
        )  # fmt: skip
        if had and self.driver.is_there:
            pair.ledger.restore(self.driver.snapshot())
        return pair, [Feed(driver, site, self.life) for driver in drivers]

    def _set(self, driver: Driver) -> None:
        for data in commands_for(self.site.configuration, self.site.setups):
            if data[0] == Opcode.HEARTBEAT:
                driver.heartbeat()
            elif data[0] != Opcode.LOGIN:
                driver.command(data)

    def _alarm(self, text: str) -> None:
        self.site.alarms.append(text)
        self.site.counts["alarms"] += 1

    # -- the session -------------------------------------------------------------------------------

    def _failover(self) -> Failover:
        site = self.site
        account, portfolio = site.configuration.venue, site.configuration.portfolio
        return Failover(
            Ouch(account.version, portfolio.token_prefix), (account.username, account.password), self._connect,
            {setup.stock: symbol for symbol, setup in site.setups.items()}, self._settle, self._hand_over,
            self._fence, fence_ns=portfolio.heartbeat_ns,
        )  # fmt: skip

    def _begin(self, reason: str) -> None:
        if self.failover.stage is not Stage.IDLE:
            return
        ledger = self.pair.ledger
        known = {identity(order.venue_order_id) for order in self.oms if order.sent is not None and not order.status.is_final}
        self.site.counts["take-overs"] += 1
        self.failover.start(reason, self.now, known=sorted(known | ledger.orders.keys()), generation=ledger.generation)

    def _fence(self) -> None:
        """The card, if anybody can reach it, is to let go of the session. A driver that died is started again for it."""
        driver = self.driver if self.driver.is_there else Driver(self.card, Life("another driver"))
        if not driver.is_there or self.now < self.site.driver_back:
            return
        with suppress(DeviceError):
            driver.kill()
            driver.logout()
        self.card.hang_up()

    def _connect(self, failover: Failover) -> _Line | None:
        line = _Line(failover, self.life)
        line.stream = self._line = self.site.exchange.connect(0, line)
        return None if line.stream is None else line

    def _settle(self, view: ExchangeView) -> None:
        settle_flow(self.flow, view)

    def _hand_over(self, inherited: Inheritance) -> None:
        """The session's next owner: who had it, if it is there and has sent the last order that there was; else the shadow."""
        pair = self.pair
        if pair.active is pair.card:
            if pair.failed is None and not self.driver.is_there:
                pair.give_up("it is not there")
            if pair.failed is None and self.card.device.generation < inherited.generation:
                pair.give_up("others have sent orders since it did")
            if pair.failed is not None:
                pair.promote(inherited)
                self.site.counts["shadows promoted"] += 1
        if not self.killed and pair.diverged is None:
            pair.clear_kill()
        self._log_in()

    @property
    def active(self) -> Board:
        """The board that has the session, or is to have it."""
        return self.card if self.pair.active is self.pair.card else self.shadow

    def _log_in(self) -> None:
        """Open a connection for the active board, and go on with the session from the next message that it wants."""
        board = self.active
        self._retry = self.now + RETRY
        board.hang_up()
        if not board.connect(self.site.exchange):
            return
        self._retry = self.now + LOGIN_PATIENCE
        account = self.site.configuration.venue
        sequence = board.device.session_messages + 1
        with suppress(DeviceError):
            self.pair.login(account.username, account.password, sequence=sequence, ouch=account.version)

    # -- time --------------------------------------------------------------------------------------

    def _turn(self) -> None:
        pair = self.pair
        for driver in (self.driver, self._behind):
            try:
                driver.poll()
            except DeviceError as error:
                pair.give_up(str(error))
        while self._later:
            self._later.popleft()()
        if pair.failed is not None and pair.active is pair.card:
            self._begin(pair.failed)
        pair.check()
        self.failover.tick(self.now)
        for feed in self.feeds:
            feed.tick()
        if self.failover.stage is Stage.IDLE and self.desk.watch.session is SessionState.DOWN and self.now >= self._retry:
            self._log_in_again()

    def _log_in_again(self) -> None:
        """If an order waits for an answer, what became of it has to be known first."""
        waiting = [entry for entry in self.pair.ledger.orders.values() if entry.state is not SlotState.LIVE]
        if waiting:
            self._begin(f"the order connection was lost, {len(waiting)} orders without an answer")
        else:
            self._log_in()

    def _heartbeat(self) -> None:
        if self.failover.stage is Stage.IDLE:
            with suppress(DeviceError):
                self.pair.heartbeat()

    def vanish(self) -> None:
        """Its machine loses its power: nobody hears of it."""
        for stream in (self._line, self.shadow.stream):
            if stream is not None:
                stream.is_half_open = True

    def end(self) -> None:
        """It is killed."""
        self.life.end()
        self.driver.life.end()
        self.disk.close()
        if self._line is not None:
            self._line.close(0)
        self.shadow.hang_up()


def _was_killed(entries: list[Record]) -> bool:
    """Whether the kill switch over everything was left thrown."""
    killed = False
    for entry in entries:
        told = read(entry)
        if isinstance(told, Killed | Cleared) and not told.stock and told.strategy is None:
            killed = isinstance(told, Killed)
    return killed
