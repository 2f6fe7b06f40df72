"""One owner after another of an order session: wait until the old one cannot send any more, take the session, settle, hand it on.

So a card that has failed is followed by its shadow, and so begins every start: whatever ran before, what is open is cancelled,
and positions are the exchange's. A machine without sockets and threads of its own: `tick` it, at least every few milliseconds.

Fencing. A card whose host is silent stops by itself after ``heartbeat_ns`` (HOST_HEARTBEAT, proved in ``hw/formal``): it takes
back what is open and sends nothing more. So the session is only asked for when that time is over since the last heartbeat that
the card may have had. The exchange lets one in at a time, so as long as the card's connection stands the login is refused, and
tried again.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from enum import StrEnum
from typing import Protocol

from control.failover.pair import Inheritance
from control.failover.takeover import Takeover
from control.failover.view import ExchangeView
from control.gateway.ouch import Ouch
from control.gateway.soupbin import Client, SessionError


class Stage(StrEnum):
    """How far it is."""

    IDLE = "idle"
    FENCING = "fencing"
    TAKING = "taking over"


class Line(Protocol):
    """A connection to the order port."""

    def send(self, data: bytes) -> None:
        """Send bytes."""

    def close(self) -> None:
        """Close it."""


class Failover:
    """Takes an order session whenever its owner is gone or in doubt.

    Parameters
    ----------
    ouch : Ouch
        As the session speaks.
    account : (username, password)
    connect : callable
        Opens a connection to an order port of the session; what comes goes to `received` and `lost`. None if nobody is there.
    symbols : mapping
        The device's symbol by stock.
    settle : callable
        Told the exchange's whole account when it is known, before anybody trades again.
    hand_over : callable
        Given what the next owner begins with, when the session is free and has no open order.
    fence : callable
        Does what can be done so that the old owner lets go of the session; called before every attempt to have it.
    fence_ns : int
        So long after its last heartbeat a card has stopped.
    began : mapping
        Position and cash that each symbol began the day with; none is nothing.
    retry_ns : int
        Between two attempts to connect.

    Attributes
    ----------
    stage : Stage
    reason : str
        Of the last time.
    times : dict
        When each stage began, and when it was done (IDLE), ns; of the last time.
    count, attempts : int
        How often it took over; connections that were tried.
    takeover : Takeover or None
    """

    def __init__(
        self,
        ouch: Ouch,
        account: tuple[str, str],
        connect: Callable[[Failover], Line | None],
        symbols: Mapping[str, int],
        settle: Callable[[ExchangeView], None],
        hand_over: Callable[[Inheritance], None],
        fence: Callable[[], object],
        *,
        fence_ns: int,
        began: Mapping[int, tuple[int, int]] | None = None,
        retry_ns: int = 20_000_000,
    ) -> None:
        self._ouch, self._account, self._connect = ouch, account, connect
        self._symbols, self._settle, self._hand_over, self._let_go = symbols, settle, hand_over, fence
        self._fence, self._retry, self._began = fence_ns, retry_ns, dict(began or {})
        self._line: Line | None = None
        self._known: tuple[int, ...] = ()
        self._generation = self._due = self._now = 0
        self.stage, self.reason = Stage.IDLE, ""
        self.times: dict[Stage, int] = {}
        self.count = self.attempts = 0
        self.takeover: Takeover | None = None

    def start(self, reason: str, now: int, *, known: Iterable[int] = (), generation: int = 0) -> None:
        """The session is in doubt. Nobody may have been told a heartbeat since, and nobody is until `hand_over`.

        Parameters
        ----------
        known : iterable of int
            Ids of orders that may be open.
        generation : int
            Highest that an order may have, as far as is known; the account knows of no order that never arrived.
        """
        if self.stage is not Stage.IDLE:
            return
        self.reason, self._now = reason, now
        self._known, self._generation = tuple(known), generation
        self._due = now + self._fence
        self.times.clear()
        self._enter(Stage.FENCING)

    def tick(self, now: int) -> None:
        """Time goes on."""
        self._now = now
        if self.stage is Stage.FENCING and now >= self._due:
            username, password = self._account
            self.takeover = Takeover(Client(username, password, sequence=1), self._ouch, self._known, now)
            self._enter(Stage.TAKING)
        if self.stage is Stage.TAKING:
            if self._line is None:
                self._open()
            else:
                self._do(lambda takeover: takeover.tick(now))

    def received(self, data: bytes) -> None:
        """Bytes of the exchange."""
        self._do(lambda takeover: takeover.receive(data, self._now))

    def lost(self) -> None:
        """The connection is gone."""
        self._line = None
        self._due = self._now + self._retry

    def _open(self) -> None:
        if self._now < self._due:
            return
        self.attempts += 1
        self._due = self._now + self._retry
        self._let_go()
        self._line = self._connect(self)
        if self._line is not None and self.takeover is not None:
            self._line.send(self.takeover.connected(self._now))

    def _do(self, step: Callable[[Takeover], bytes]) -> None:
        """One step of the take-over, and what follows from it."""
        takeover, line = self.takeover, self._line
        if takeover is None or line is None:
            return
        try:
            out = step(takeover)
        except SessionError:
            line.close()
            self.lost()
            return
        if out:
            line.send(out)
        if takeover.refused is not None:
            line.close()
            self.lost()
        elif takeover.is_done:
            line.close()
            self._line = None
            self._finish(takeover)

    def _finish(self, takeover: Takeover) -> None:
        view = takeover.view
        self._settle(view)
        self.count += 1
        self._enter(Stage.IDLE)
        self._hand_over(self._inheritance(view, takeover))

    def _inheritance(self, view: ExchangeView, takeover: Takeover) -> Inheritance:
        shares, cash, marks = view.positions(), view.cash(), view.marks()
        positions = {}
        for stock, symbol in self._symbols.items():
            position, money = self._began.get(symbol, (0, 0))
            positions[symbol] = position + shares.get(stock, 0), money + cash.get(stock, 0), marks.get(stock, 0)
        generation = max(view.generation, self._generation)
        return Inheritance(positions, view.executed_notional, generation, takeover.session, takeover.sequence)

    def _enter(self, stage: Stage) -> None:
        self.stage = stage
        self.times[stage] = self._now
