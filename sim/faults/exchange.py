"""A venue in the small world: it trades, publishes on both feeds, answers re-requests, keeps order sessions, tells executions by
drop copy; and it can be slow, or die and come back.

When it comes back it has everything that it had (an exchange recovers its own journal): books, orders, sessions and their
numbers. What was on its way to it is gone, and so are all connections.
"""

from __future__ import annotations

import contextlib
import random
from collections import Counter
from collections.abc import Callable
from typing import Any

from sim.exchange.day import Day
from sim.exchange.entry import OrderEntry
from sim.exchange.feed import Packer
from sim.exchange.matching.state import Reason
from sim.exchange.snapshot import snapshot
from sim.exchange.soup import Admit, SoupServer
from sim.faults.clockwork import Clockwork, Life
from sim.faults.network import End, Line, Stream
from wire.errors import WireError

SECOND = 1_000_000_000
STEP = 1_000_000
"""ns between two looks at the timetable."""


class SimulatedExchange:
    """One venue.

    Parameters
    ----------
    clockwork : Clockwork
        Begins at the day's start.
    day : Day
    dice : Random
    counts : Counter

    Attributes
    ----------
    lines : list of Line
        Both feeds; who listens sets them.
    is_up : bool
    cancel_on_disconnect : bool
        Orders of an account whose connection is lost are taken out.
    watch : callable or None
        Called after every message of an order port.
    """

    def __init__(self, clockwork: Clockwork, day: Day, dice: random.Random, counts: Counter[str]) -> None:
        self.clockwork, self.day, self._dice, self.counts = clockwork, day, dice, counts
        self.packer = Packer(day.venue.publication, day.config.name)
        self.lines: list[Line] = []
        self.is_up = True
        self.cancel_on_disconnect = False
        self.connections: list[Connection] = []
        self.watch: Callable[[], None] | None = None
        self._life = Life("exchange")
        clockwork.every(STEP, self.turn, life=self._life)

    # -- time --------------------------------------------------------------------------------------

    def turn(self) -> None:
        """What should have happened by now happens, and is put on the wire."""
        self.day.advance(max(self.clockwork.now, self.day.venue.time))
        self.flush()

    def flush(self) -> None:
        """Puts everything new on the wire."""
        now = self.clockwork.now / SECOND
        for payload in self.packer.packets(now):
            for line in self.lines:
                line.send(payload)
        for connection in list(self.connections):
            connection.pump(now)

    # -- who asks ----------------------------------------------------------------------------------

    def rerequest(self, payload: bytes, answer: Callable[[bytes], None]) -> None:
        """A re-request, as it reaches the server."""
        if not self.is_up:
            return
        with contextlib.suppress(WireError):
            told = self.packer.answer(payload)
            self.counts["re-requests"] += 1
            if told:
                answer(told)

    def snapshot(self) -> list[bytes] | None:
        """The messages of a snapshot of now; None if nobody is there."""
        if not self.is_up:
            return None
        self.turn()
        self.counts["snapshots"] += 1
        return snapshot(self.day.venue)

    def connect(self, account: int, client: End, *, drop_copy: bool = False) -> Stream | None:
        """A connection to an order port, or to the drop copy; None if nobody is there."""
        if not self.is_up:
            return None
        stream = Stream(self.clockwork, self._dice)
        stream.attach(0, client)
        entry = self.day.entries[account]
        connection = Connection(self, stream, entry, drop_copy=drop_copy)
        stream.attach(1, connection)
        self.connections.append(connection)
        return stream

    # -- faults ------------------------------------------------------------------------------------

    def die(self) -> None:
        """It is killed."""
        self.is_up = False
        self._life.end()
        for connection in list(self.connections):
            connection.stream.close(1)
        self.connections.clear()

    def come_back(self) -> None:
        """It is started again; what the timetable had for the meantime happens now."""
        if not self.is_up:
            self.is_up, self._life = True, Life("exchange")
            self.clockwork.every(STEP, self.turn, life=self._life)

    def owner(self, account: int) -> Any:
        """Connections that are logged in to an account's order port: one, or none."""
        entry = self.day.entries[account]
        return [each for each in self.connections if each.entry is entry and each.is_in and not each.drop_copy]


class Connection:
    """One that somebody has to it."""

    def __init__(self, exchange: SimulatedExchange, stream: Stream, entry: OrderEntry, *, drop_copy: bool) -> None:
        self.exchange, self.stream, self.entry, self.drop_copy = exchange, stream, entry, drop_copy
        admit: Admit = (lambda _: exchange.day.venue.drop_copy) if drop_copy else self._admit
        self.soup = SoupServer(exchange.day.config.name, admit, exchange.clockwork.now / SECOND)

    @property
    def is_in(self) -> bool:
        """Whether somebody is logged in here."""
        return self.soup.is_logged_in

    def _admit(self, _: object) -> list[bytes] | str:
        others = (each for each in self.exchange.connections if each is not self and not each.drop_copy)
        if any(each.entry is self.entry and each.is_in for each in others):
            self.exchange.counts["second logins refused"] += 1
            return "S"
        return self.entry.account.journal

    def received(self, data: bytes) -> None:
        """Bytes of the client."""
        exchange = self.exchange
        exchange.day.advance(max(exchange.clockwork.now, exchange.day.venue.time))
        for message in self.soup.receive(data, exchange.clockwork.now / SECOND):
            if not self.drop_copy:
                self.entry.receive(message)
                if exchange.watch is not None:
                    exchange.watch()
        exchange.flush()

    def pump(self, now: float) -> None:
        """Sends what there is to send."""
        self.stream.send(1, self.soup.pump(now))
        if self.soup.is_closed:
            self._leave()
            self.stream.close(1)

    def lost(self) -> None:
        """The connection is gone."""
        self.soup.is_closed = True
        self._leave()

    def _leave(self) -> None:
        if self in self.exchange.connections:
            self.exchange.connections.remove(self)
            if self.exchange.cancel_on_disconnect and not self.drop_copy and self.soup.journal is not None:
                self.entry.cancel_everything(Reason.DISCONNECT)
                self.exchange.flush()
