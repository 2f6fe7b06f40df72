"""A market out there: an exchange on sockets, with the engine on sockets in it.

Everything here runs on the thread that owns the device, a step at a time; what has to wait for somebody (a snapshot, a
connection) waits on another thread, and is looked at when it is done.
"""

from __future__ import annotations

import contextlib
import logging
import time
from collections.abc import Callable, Mapping
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from control.configuration import Configuration
from control.failover.pair import Inheritance
from control.failover.takeover import Takeover
from control.failover.view import ExchangeView
from control.gateway.soupbin import SessionError
from control.market import RunError
from control.oms.reconcile import Break
from control.wired.books import Brought, bring, send
from control.wired.conversation import Address, RefusedError, UnreachableError
from control.wired.copies import Copies
from control.wired.devices import device_for
from control.wired.doubt import Doubt
from control.wired.gaps import Gaps, Recovered
from control.wired.memory import Memory
from control.wired.opening import Holding, Opening, UnpricedError, patiently, prepare
from control.wired.orders import OrderLink
from control.wired.pair import WiredPair
from control.wired.settlement import Account, NewSessionError
from control.wired.setup import setting_up, with_credit_left
from control.wired.snapshot import Snapshot, fetch
from control.wired.succession import Succession
from drivers import commands, settings
from drivers.device import Answer, Batch, Device, DeviceError, Position
from drivers.snapshots import read_snapshot
from wire.records import (
    COMMANDS,
    NO_SYMBOL,
    EventType,
    Opcode,
    SessionState,
    SlotState,
    SnapshotPart,
)

log = logging.getLogger("hairpin.market")

OPENING_SECONDS = 20.0
SNAPSHOT_SECONDS = 5.0
CLOSING_SECONDS = 1.0
"""For so long a logout waits for orders to be confirmed cancelled."""
AGAIN_NS = 200_000_000
"""Until a server that did not answer is asked again."""
_HEARD = (EventType.SESSION, EventType.ACCEPTED, EventType.REPLACED, EventType.EXECUTED)


class LiveMarket:
    """An exchange, and the device that trades there.

    Parameters
    ----------
    configuration : Configuration
        With ``market.kind`` ``live``.
    say : callable
        Told what is being done.
    pair : bool
        Whether an engine in a process of its own trades, with the one here as its shadow, which takes over when it has to.

    Attributes
    ----------
    recovered : list of Recovered
    brought : list of Brought
        Snapshots that went into the device.
    sessions : int
        Sessions of the exchange that were traded in.
    succession : Succession or None
        Of a pair: what follows when its process is gone.

    Raises
    ------
    RunError
        An address that can't be used, a server that does not answer, a value that does not fit.
    """

    IDLE_SECONDS = 0.0005

    def __init__(self, configuration: Configuration, say: Callable[[str], None], *, pair: bool = False) -> None:
        market, feed = configuration.market, configuration.feed
        self.configuration, self._say = configuration, say
        venue = configuration.venue
        self._account = Account(venue.username, venue.password, venue.version, configuration.portfolio.token_prefix)
        self._feed = settings.Feed(
            start_sequence=1, hold_ns=feed.hold_ns, session=feed.session, strict=feed.strict,
            address_a=int(feed.address_a), port_a=feed.port_a, address_b=int(feed.address_b), port_b=feed.port_b,
        )  # fmt: skip
        self._alarms: list[str] = []
        say(f"asking {market.snapshot} for the day's stocks")
        try:
            self._opening = patiently(configuration, self._account, say)
            self._device, self._feeds = device_for(configuration, self._alarm, pair=pair)
        except (UnreachableError, RefusedError, UnpricedError, OSError, RuntimeError) as error:
            raise RunError(str(error)) from error
        except ValueError as error:
            raise RunError(str(error), used_wrongly=True) from error
        self._device.subscribe(self._see)
        self._executor = ThreadPoolExecutor(4, thread_name_prefix="errand")
        self.recovered: list[Recovered] = []
        self._gaps: list[Gaps] = []
        self.succession: Succession | None = None
        self._order_ports = [Address(*each) for each in market.order_addresses]
        self.orders = OrderLink(self._device, self._order_ports, self._account, self._executor, self._own_orders)
        self.memory = Memory()
        self._news: list[NDArray[np.void]] = []
        self._halt: Callable[[str | None, str], None] = lambda stock, reason: log.error("%s: %s", stock, reason)
        self._settle: Callable[[ExchangeView], object] = lambda view: None
        self._copies: Copies | None = None
        self._books: Future[Snapshot] | None = None
        self._reopening: Future[Opening] | None = None
        self._books_wanted, self._books_good = True, False
        self._books_not_before = self._reopen_not_before = self._beat = 0
        self._doubt: Doubt | None = None
        self._carried: dict[str, int] = {}
        self._now = self._device.now
        self.finished = False
        self.sessions = 0
        self.brought: list[Brought] = []

    def _alarm(self, text: str) -> None:
        log.critical("%s", text)
        self._alarms.append(text)

    # -- Market ------------------------------------------------------------------------------------

    @property
    def device(self) -> Device:
        """The device."""
        return self._device

    @property
    def now(self) -> int:
        """When it was looked after last: ns since midnight UTC, never back."""
        return self._now

    @property
    def setups(self) -> Mapping[int, settings.SymbolSetup]:
        """The ladder of every symbol that the device follows."""
        return self._opening.setups

    @property
    def pair(self) -> WiredPair | None:
        """The device, if it is two."""
        return self._device if isinstance(self._device, WiredPair) else None

    def halted_by(self, halt: Callable[[str | None, str], None]) -> None:
        """Have ``halt`` called to stop a stock, or everything (None), and with why."""
        self._halt = halt

    def settled_by(self, settle: Callable[[ExchangeView], object]) -> None:
        """Have ``settle`` called with the account of the order session, now and whenever another session is opened."""
        self._settle = settle
        settle(self.account)

    @property
    def account(self) -> ExchangeView:
        """The account of the order session, as it was when it was opened."""
        return self._opening.orders.view

    def open(self, before: Mapping[str, Holding] | None = None) -> None:
        """Configure the device, bring the books in, and log in.

        Parameters
        ----------
        before : mapping, optional
            By stock what was held before the exchange's session began.

        Raises
        ------
        RunError
            It did not come to that in time, or a value does not fit.
        """
        try:
            self._begin(before or {})
        except (DeviceError, ValueError) as error:
            raise RunError(str(error), used_wrongly=isinstance(error, ValueError)) from error
        self._say("bringing in the books, logging in")
        end = time.monotonic() + OPENING_SECONDS
        while not (self._books_good and self.orders.state is SessionState.UP):
            if time.monotonic() > end:
                missing = "books" if not self._books_good else f"order session at {', '.join(self.configuration.market.orders)}"
                raise RunError(f"no {missing} in {OPENING_SECONDS} s: {self.orders.problem or 'no answer'}")
            self.advance(0)
            time.sleep(self.IDLE_SECONDS)

    def advance(self, to: int) -> None:
        """Look after everything once; time passes by itself."""
        now = self._device.now
        self._device.poll()
        if now >= self._beat:
            self._beat = now + max(self.configuration.portfolio.heartbeat_ns // 3, 1_000_000)
            self._device.heartbeat()
        self._hear(now)
        if not self.finished:
            try:
                self._look_after(now)
            except (NewSessionError, SessionError) as error:
                self._abandon(str(error))
        self._now = self._device.now

    def command(self, data: bytes) -> Answer:
        """Hand the device a command now."""
        if not self._books_good and data[0] == Opcode.SET_TRADING:
            # Nothing is enabled before the books are right; what is asked for holds from then on.
            fields = COMMANDS[Opcode.SET_TRADING].unpack(data)
            if fields["symbol"] != NO_SYMBOL and fields["enabled"] == 1:
                self.memory.note(data)
                data = COMMANDS[Opcode.SET_TRADING].pack(fields | {"enabled": commands.LEAVE})
        answer = self._device.command(with_credit_left(data, self.account.executed_notional))
        if answer.ok:
            self.memory.note(data)
        return answer

    def close(self) -> None:
        """Log out and give everything back."""
        self.orders.end()
        if self._copies is not None:
            self._copies.close()
        try:
            if self.orders.state is SessionState.UP:
                self._device.kill()  # and not cancel_all: the quoters would quote on
                self._wait_for_cancels()
                self._device.logout()
        except DeviceError as error:
            log.warning("%s", error)
        if self.succession is not None:
            self.succession.end()
        self._executor.shutdown(wait=False, cancel_futures=True)
        for gaps in self._gaps:
            gaps.close()
        self._device.close()
        for feeds in self._feeds:
            feeds.close()

    def _wait_for_cancels(self) -> None:
        end = time.monotonic() + CLOSING_SECONDS
        while self._own_orders() and time.monotonic() < end:
            time.sleep(self.IDLE_SECONDS)

    # -- what happens ------------------------------------------------------------------------------

    def _see(self, batch: Batch) -> None:
        """Keep what the device told until it is looked at: here nothing may be asked of it."""
        heard = batch.events[np.isin(batch.events["type"], _HEARD)]
        if len(heard):
            self._news.append(heard)

    def _hear(self, now: int) -> None:
        news, self._news = self._news, []
        for events in news:
            if self._copies is not None:
                self._copies.executed(events)
            for event in events:
                self._heard(event, now)

    def _heard(self, event: np.void, now: int) -> None:
        if event["type"] == EventType.SESSION:
            lost = self.orders.lost
            self.orders.heard(int(event["info"]), now)
            if self.orders.lost > lost and self._books is None:
                self._device.record(True)
                self._doubt = Doubt(self._feed.session, now, self._device.expected())

    def _look_after(self, now: int) -> None:
        if self._reopening is not None or self._reopen_not_before:
            self._reopen(now)
            return
        self._stop_if_diverged()
        is_orphaned = self.succession is not None and self.succession.poll(now)
        for gaps in self._gaps:
            gaps.poll(now)
            self._books_wanted = self._books_wanted or gaps.needs_snapshot
        self._bring_books(now)
        self._resolve_doubt()
        if self._doubt is None and not is_orphaned:
            self._keep_connected(now)
        if self._copies is not None:
            self._copies.poll()
            if self._copies.ended:
                self._end_day()

    def _keep_connected(self, now: int) -> None:
        pair = self.pair
        try:
            self.orders.poll(now)
        except DeviceError:
            if pair is None or not pair.is_orphaned:
                raise  # else it has just been given up, and is followed in the next turn

    def _stop_if_diverged(self) -> None:
        alarms, self._alarms = self._alarms, []
        pair = self.pair
        if alarms and pair is not None and pair.diverged is not None:
            self._halt(None, f"process and shadow differ: {pair.diverged}")

    def _resolve_doubt(self) -> None:
        if self._doubt is not None and self._books is None and self._doubt.resolved(self._device.tape(), self._device.now):
            self._device.record(False)
            self._doubt = None

    # -- books -------------------------------------------------------------------------------------

    def _bring_books(self, now: int) -> None:
        if self._books is None:
            if self._books_wanted and now >= self._books_not_before:
                self._device.record(True)
                where = Address(*self.configuration.market.snapshot_address)
                self._books = self._executor.submit(fetch, where, SNAPSHOT_SECONDS)
            return
        if not self._books.done():
            return
        books, self._books = self._books, None
        try:
            snapshot = books.result()
            expected = self._device.expected()
            if self._books_good and snapshot.sequence < expected:
                raise NewSessionError(f"a snapshot for message {snapshot.sequence}, and {expected - 1} came already")
            self._books_good = False
            enabled = [
                symbol for symbol, setup in self.setups.items() if self.memory.enabled.get(symbol, setup.enabled)
            ]
            locates = {symbol: setup.stock_locate for symbol, setup in self.setups.items()}
            brought = bring(self._device, snapshot, self._feed, locates, enabled)
        except (UnreachableError, RefusedError, DeviceError) as error:
            log.error("no books: %s", error)
            self._books_not_before = now + AGAIN_NS
            return
        self._books_wanted, self._books_good, self._doubt = False, True, None
        self.brought.append(brought)
        log.info("%s", brought)
        for gaps in self._gaps:
            gaps.bridged(self._device.now, whole=brought.whole)

    # -- sessions ----------------------------------------------------------------------------------

    def _begin(self, positions: Mapping[str, Holding]) -> None:
        """Configure a device that knows nothing, and have it brought into the session of the opening."""
        opening, made = self._opening, self.configuration
        held = opening.held(positions)
        send(self._device, setting_up(made, opening, held, self.memory))
        self._device.begin_after(max(opening.orders.last, self._device.generation))
        stocks = {symbol: setup.stock for symbol, setup in opening.setups.items()}
        self._carried = {stock: held[stock].shares if stock in held else 0 for stock in stocks.values()}
        self._copies = Copies(
            Address(*made.market.drop_copy_address), self._account.username, opening.copies_session, opening.copies_sequence,
            stocks, self._broken, self._stop, lambda: self._device.now, patience_ns=made.market.patience_ns,
        )  # fmt: skip
        self._copies.start()
        self._listen(positions)
        self.orders.begin(opening.orders.session, opening.orders.sequence)
        self._books_wanted, self._books_good, self._books_not_before = True, False, 0
        self.sessions += 1

    def _listen(self, before: Mapping[str, Holding]) -> None:
        """To the gaps of every device that is here, and to the end of the one that trades."""
        pair = self.pair
        for gaps in self._gaps:
            gaps.close()
        devices = [self._device] if pair is None else [pair.card, pair.shadow]
        servers = [Address(*each) for each in self.configuration.market.rerequest_addresses]
        self._gaps = [Gaps(each, self._device, servers, self._feed.session, self.recovered) for each in devices]
        if pair is None:
            return
        symbols = {setup.stock: symbol for symbol, setup in self.setups.items()}
        began = {symbols[stock]: (each.shares, each.cash) for stock, each in before.items() if stock in symbols}
        self.succession = Succession(pair, self._account, self._order_ports, symbols, began, self._inherited, self._succeed)

    def _inherited(self, view: ExchangeView, takeover: Takeover) -> None:
        """The exchange's account of a session whose owner is gone, before another one trades in it."""
        pair, session, sequence = self.pair, self.orders.session, self.orders.sequence
        assert pair is not None
        entries = pair.ledger.orders.values()
        unknown = [each for each in entries if each.state is not SlotState.PENDING_NEW and each.order_id not in view.orders]
        if unknown:
            raise NewSessionError(f"{session!r} has accepted order {unknown[0].order_id:X}, and knows nothing of it")
        if takeover.session != session or takeover.sequence < sequence:
            at = f"message {takeover.sequence} of {takeover.session!r} is next"
            raise NewSessionError(f"{at}, and {sequence - 1} of {session!r} came already")
        self._settle(view)
        if self._copies is not None:
            self._copies.inherited(view, self.account)

    def _succeed(self, inherited: Inheritance) -> None:
        pair = self.pair
        assert pair is not None
        # What was spent before the day was opened is not in the credit that the pair was given.
        pair.promote(
            replace(inherited, executed_notional=inherited.executed_notional - self.account.executed_notional)
        )
        for gaps in self._gaps:
            if gaps.device is pair.card:
                gaps.close()
        self._gaps = [gaps for gaps in self._gaps if gaps.device is pair.shadow]
        self.orders.forget()
        self.orders.begin(inherited.session, inherited.sequence)

    def _abandon(self, reason: str) -> None:
        """The session that we trade in is no more: stop, say so, and come back to the new one, stopped."""
        log.error("the exchange has begun another session: %s", reason)
        self._halt(None, f"another session of the exchange: {reason}")
        self.orders.end()
        if self.succession is not None:
            self.succession.end()
            self.succession = None
        self._device.connect(None)
        with contextlib.suppress(DeviceError):  # nobody has the session
            self._device.session_down()
        self._close_day()
        self._books, self._books_wanted, self._doubt = None, False, None
        self._reopen_not_before = self._device.now

    def _reopen(self, now: int) -> None:
        if self._reopening is None:
            if now >= self._reopen_not_before:
                stocks = [setup.stock for _, setup in sorted(self.setups.items())]
                self._reopening = self._executor.submit(prepare, self.configuration, self._account, stocks)
            return
        if not self._reopening.done():
            return
        reopening, self._reopening = self._reopening, None
        try:
            opening = reopening.result()
        except (UnreachableError, RefusedError, UnpricedError, ValueError) as error:
            log.warning("not back yet: %s", error)
            self._reopen_not_before = now + AGAIN_NS
            return
        positions = {
            stock: Holding(each.position, each.cash, each.mark) for stock, each in self.positions().items()
        }
        self._opening, self._reopen_not_before = opening, 0
        self._settle(opening.orders.view)
        self._device.restart()
        self._news.clear()
        self.orders.forget()
        self._begin(positions)
        log.warning("back in session %s at message %d, stopped", opening.orders.session, opening.orders.sequence)

    # -- executions --------------------------------------------------------------------------------

    def _stop(self, stock: str) -> None:
        self._halt(stock, "the drop copy differs")

    def _broken(self, found: Break) -> None:
        log.error("%s", found)
        self._halt(found.stock, str(found))

    def _end_day(self) -> None:
        """The exchange has ended its session."""
        self.finished = True
        self.orders.end()
        self._close_day()

    def _close_day(self) -> None:
        """Compare the positions of both sides, and read the drop copy no more."""
        copies, self._copies = self._copies, None
        if copies is None:
            return
        copies.close()
        found = copies.reconciler.close_day(
            {stock: each.position for stock, each in self.positions().items()},
            {stock: shares + self._carried.get(stock, 0) for stock, shares in copies.positions().items()},
            self._device.now,
        )
        log.info("the day's executions: %d matched, %d breaks", copies.reconciler.matched, len(found))

    def positions(self) -> dict[str, Any]:
        """The device's positions, by stock; of one that is gone, as its events said."""
        pair = self.pair
        try:
            found = read_snapshot([self._answer(symbol, SnapshotPart.POSITION) for symbol in self.setups], {}).positions
        except DeviceError:
            if pair is None or not pair.is_orphaned:
                raise
            holdings = pair.ledger.holdings
            found = {symbol: Position(each.position, each.cash, 0, 0, 0) for symbol, each in holdings.items()}
        return {setup.stock: found[symbol] for symbol, setup in self.setups.items() if symbol in found}

    def _own_orders(self) -> Any:
        return read_snapshot([self._answer(symbol, SnapshotPart.ORDERS) for symbol in self.setups], {}).orders

    def _answer(self, symbol: int, parts: SnapshotPart) -> NDArray[np.void]:
        return self._device.command(commands.snapshot(symbol, parts)).batch.events

    def status(self) -> dict[str, Any]:
        """How it stands, for people and programs."""
        orders = self.orders
        return {
            "sessions": self.sessions,
            "books": "good" if self._books_good else "wanted",
            "recovered": [{"by": each.by, "ns": each.ns} for each in self.recovered],
            "requests": sum(gaps.requests for gaps in self._gaps),
            "snapshots": len(self.brought),
            "orders": {"at": str(orders.at), "connections": orders.connections, "lost": orders.lost, "back_ns": orders.back_ns},
            "drop_copy": None if self._copies is None else self._copies.status(),
            "positions": {
                stock: {
                    "device": each.position,
                    "drop_copy": None if self._copies is None else self._copies.positions()[stock] + self._carried[stock],
                }
                for stock, each in self.positions().items()
            },
            "pair": None if self.succession is None else self.succession.status(),
        }
