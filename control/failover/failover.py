"""From the card to the engine: wait until the card cannot send any more, take its session, settle, go on.

A machine without sockets and threads of its own: `tick` it, at least every few milliseconds, from the thread that owns the pair.

Fencing. A card whose host is silent stops by itself after ``heartbeat_ns`` (HOST_HEARTBEAT, proved in ``hw/formal``): it takes
back what is open and sends nothing more. So the session is only asked for when that time is over since the last heartbeat that
the card may have had. The exchange lets one in at a time, so as long as the card's connection stands the login is refused, and
tried again.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from enum import StrEnum
from typing import Protocol

from control.failover.pair import Inheritance, Pair
from control.failover.takeover import Takeover
from control.failover.view import ExchangeView
from control.gateway.ouch import Ouch
from control.gateway.soupbin import Client, SessionError


class Stage(StrEnum):
    """How far it is."""

    WATCHING = "watching"
    FENCING = "fencing"
    TAKING = "taking over"
    DONE = "taken over"


class Line(Protocol):
    """A connection to the order port."""

    def send(self, data: bytes) -> None:
        """Send bytes."""

    def close(self) -> None:
        """Close it."""


class Failover:
    """Watches a pair, and takes over when its card is given up.

    Parameters
    ----------
    pair : Pair
    ouch : Ouch
        As the card's session speaks.
    account : (username, password)
    connect : callable
        Opens a connection to an order port of the session; what comes goes to `received` and `lost`. None if nobody is there.
    symbols : mapping
        The device's symbol by stock.
    began : mapping
        Position and cash that each symbol began the day with; none is nothing.
    settle : callable
        Told the exchange's whole account when it is known, before anybody trades again.
    hand_over : callable
        Called when the shadow is the device: connect it, and log in to this session from this message on.
    fence_ns : int
        So long after its last heartbeat the card has stopped.
    retry_ns : int
        Between two attempts to connect.

    Attributes
    ----------
    stage : Stage
    times : dict
        When each stage began, ns.
    attempts : int
        Connections that were tried.
    takeover : Takeover or None
    """

    def __init__(
        self,
        pair: Pair,
        ouch: Ouch,
        account: tuple[str, str],
        connect: Callable[[Failover], Line | None],
        symbols: Mapping[str, int],
        settle: Callable[[ExchangeView], None],
        hand_over: Callable[[str, int], None],
        *,
        fence_ns: int,
        began: Mapping[int, tuple[int, int]] | None = None,
        retry_ns: int = 20_000_000,
    ) -> None:
        self._pair, self._ouch, self._account, self._connect = pair, ouch, account, connect
        self._symbols, self._settle, self._hand_over = symbols, settle, hand_over
        self._fence, self._retry, self._began = fence_ns, retry_ns, dict(began or {})
        self._line: Line | None = None
        self._due = 0
        self._now = 0
        self.stage = Stage.WATCHING
        self.times: dict[Stage, int] = {}
        self.attempts = 0
        self.takeover: Takeover | None = None

    def tick(self, now: int) -> None:
        """Time goes on."""
        self._now = now
        if self.stage is Stage.WATCHING and self._pair.failed is not None:
            self._enter(Stage.FENCING)
            self._due = now + self._fence
        if self.stage is Stage.FENCING and now >= self._due:
            username, password = self._account
            self.takeover = Takeover(Client(username, password, sequence=1), self._ouch, self._pair.ledger.orders, now)
            self._enter(Stage.TAKING)
        if self.stage is not Stage.TAKING or self.takeover is None:
            return
        if self._line is None:
            self._open()
        else:
            self._do(lambda takeover: takeover.tick(now))

    def received(self, data: bytes) -> None:
        """Bytes of the exchange."""
        if self._line is not None:
            self._do(lambda takeover: takeover.receive(data, self._now))

    def lost(self) -> None:
        """The connection is gone, or was refused."""
        self._line = None
        self._due = self._now + self._retry

    def _open(self) -> None:
        if self._now < self._due:
            return
        self.attempts += 1
        self._due = self._now + self._retry
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
        self._pair.promote(self._inheritance(view, takeover))
        self._enter(Stage.DONE)
        self._hand_over(takeover.session, takeover.sequence)

    def _inheritance(self, view: ExchangeView, takeover: Takeover) -> Inheritance:
        shares, cash, marks = view.positions(), view.cash(), view.marks()
        positions = {}
        for stock, symbol in self._symbols.items():
            position, money = self._began.get(symbol, (0, 0))
            positions[symbol] = position + shares.get(stock, 0), money + cash.get(stock, 0), marks.get(stock, 0)
        generation = max(view.generation, self._pair.ledger.generation)
        return Inheritance(positions, view.executed_notional, generation, takeover.session, takeover.sequence)

    def _enter(self, stage: Stage) -> None:
        self.stage = stage
        self.times[stage] = self._now
