"""The order session of a process that is gone: taken, settled, and handed to its shadow (`control.failover.failover`)."""

from __future__ import annotations

import logging
import socket
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from typing import Any

from control.failover.failover import Failover, Stage
from control.failover.pair import Inheritance
from control.failover.takeover import Phase, Takeover
from control.failover.view import ExchangeView
from control.wired.conversation import Address
from control.wired.pair import WiredPair
from control.wired.settlement import Account

log = logging.getLogger("hairpin.failover")

LOGIN_NS = 2_000_000_000
"""A connection that has no login after so long is given up, and the next address is tried."""


class _Line:
    """A connection that is looked at now and then, and never waited for."""

    def __init__(self, address: Address, failover: Failover, now: int) -> None:
        self.since, self._failover, self.is_closed = now, failover, False
        self._out = bytearray()
        self._socket = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
        self._socket.setblocking(False)
        self._socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        with suppress(BlockingIOError):
            self._socket.connect(address)

    def send(self, data: bytes) -> None:
        self._out += data  # `look` sends it

    def _flush(self) -> None:
        with suppress(BlockingIOError):  # it is not connected yet, or the other side takes no more
            while self._out:
                del self._out[: self._socket.send(self._out)]

    def close(self) -> None:
        self._socket.close()
        self.is_closed = True

    def look(self) -> None:
        """Send what waits, and hand on what came.

        Raises
        ------
        OSError
            The connection is lost, or was not to be had.
        """
        self._flush()
        with suppress(BlockingIOError):
            data = self._socket.recv(1 << 18)
            if not data:
                raise ConnectionResetError("closed by the exchange")
            self._failover.received(data)
        if not self.is_closed:
            self._flush()


class Succession:
    """Brings the order session from the process of a pair to its shadow, as soon as the process is given up.

    The process is killed first, and its end waited for: what it had sent is sent, and nothing can follow. So nobody has to wait
    until it would have stopped by itself.

    Parameters
    ----------
    pair : WiredPair
    account : Account
    addresses : sequence of Address
        Order ports of the session.
    symbols : mapping
        The device's symbol by stock.
    began : mapping
        By symbol, position and cash before the session's first message.
    settle : callable
        Given the exchange's account of the session when nothing is open in it; what it raises ends the succession.
    hand_over : callable
        Given what the shadow begins with.

    Attributes
    ----------
    count : int
        How often it was done.
    taken_ns : list of int
        How long each one took, from the process being given up until the shadow may log in.
    takeover : Takeover or None
        The last one.
    """

    def __init__(
        self,
        pair: WiredPair,
        account: Account,
        addresses: Sequence[Address],
        symbols: Mapping[str, int],
        began: Mapping[int, tuple[int, int]],
        settle: Callable[[ExchangeView, Takeover], None],
        hand_over: Callable[[Inheritance], None],
    ) -> None:
        self._pair, self._account, self._addresses = pair, account, tuple(addresses)
        self._symbols, self._began, self._settle, self._hand_over = symbols, began, settle, hand_over
        self._failover: Failover | None = None
        self._line: _Line | None = None
        self._now = 0
        self.count = 0
        self.taken_ns: list[int] = []
        self.takeover: Takeover | None = None

    def poll(self, now: int) -> bool:
        """Go on with it; whether the order session is nobody's.

        Raises
        ------
        whatever ``settle`` raises
        """
        self._now = now
        if not self._pair.is_orphaned:
            return False
        failover = self._failover = self._failover or self._begin(now)
        failover.tick(now)
        self._look(failover, now)
        return self._pair.is_orphaned

    def end(self) -> None:
        """Leave it as it is."""
        if self._line is not None:
            self._line.close()
        self._failover = self._line = None

    def _begin(self, now: int) -> Failover:
        reason, ledger = self._pair.failed or "", self._pair.ledger
        self._pair.let_go()
        failover = Failover(
            self._account.speech, (self._account.username, self._account.password), self._connect, self._symbols,
            self._settled, self._handed_over, lambda: None, fence_ns=0, began=self._began,
        )  # fmt: skip
        failover.start(reason, now, known=sorted(ledger.orders), generation=ledger.generation)
        log.critical("%s: its order session is taken, with %d orders that may be open", reason, len(ledger.orders))
        return failover

    def _connect(self, failover: Failover) -> _Line | None:
        address = self._addresses[(failover.attempts - 1) % len(self._addresses)]
        try:
            self._line = _Line(address, failover, self._now)
        except OSError as error:
            log.warning("%s: %s", address, error)
            self._line = None
        return self._line

    def _look(self, failover: Failover, now: int) -> None:
        line = self._line
        if line is None or line.is_closed:
            self._line = None
            return
        try:
            line.look()
        except OSError as error:
            self._lose(f"{error}")
            return
        takeover = failover.takeover
        if takeover is not None and takeover.phase is Phase.CONNECTING and now - line.since > LOGIN_NS:
            self._lose(takeover.refused or "no answer to the login")

    def _lose(self, reason: str) -> None:
        log.warning("order connection: %s", reason)
        if self._line is not None:
            self._line.close()
            self._line = None
        if self._failover is not None:
            self._failover.lost()

    def _settled(self, view: ExchangeView) -> None:
        assert self._failover is not None
        assert self._failover.takeover is not None
        self._settle(view, self._failover.takeover)

    def _handed_over(self, inherited: Inheritance) -> None:
        failover = self._failover
        assert failover is not None
        began = failover.times[Stage.FENCING]
        self.takeover = failover.takeover
        self._failover = self._line = None
        self._hand_over(inherited)
        self.count += 1
        self.taken_ns.append(self._now - began)
        log.critical("the shadow has the order session, after %.1f ms", self.taken_ns[-1] / 1e6)

    def status(self) -> dict[str, Any]:
        """How it stands, for people and programs."""
        pair = self._pair
        return {
            "trading": "nobody" if pair.is_orphaned else "process" if pair.active is pair.card else "shadow",
            "failed": pair.failed,
            "diverged": pair.diverged,
            "checks": pair.checks,
            "take_overs": self.count,
            "taken_ns": self.taken_ns,
        }
