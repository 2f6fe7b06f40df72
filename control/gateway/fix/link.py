"""A FIX connection on asyncio: what carries the bytes between a socket and the state machine, and keeps its time."""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Callable

from control.gateway.fix.connection import Connection
from control.gateway.fix.settings import SECOND

log = logging.getLogger(__name__)
Clock = Callable[[], int]
FIRST_MESSAGE_TIMEOUT = 10.0
"""Seconds that a connection has until its first message."""


class Link(asyncio.Protocol):
    """One TCP connection.

    A peer that does not read is not read from either, until it does. An error in the application, or in the store,
    ends the connection: what could not be recorded is not sent.
    """

    def __init__(self, connection: Connection, clock: Clock = time.time_ns) -> None:
        self.connection, self._clock = connection, clock
        self.closed: asyncio.Future[str] = asyncio.get_running_loop().create_future()
        """Done, with the reason, when the connection is gone."""
        self._transport: asyncio.Transport | None = None
        self._timer: asyncio.TimerHandle | None = None
        self._busy = False
        self._reason = "connection lost"

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """See `asyncio.Protocol`."""
        assert isinstance(transport, asyncio.Transport)
        self._transport = transport
        session = self.connection.session
        if session is None:
            loop = asyncio.get_running_loop()
            self._timer = loop.call_later(FIRST_MESSAGE_TIMEOUT, self.close, "no logon in time")
        else:
            self._do(lambda: session.connect(self._clock()))

    def data_received(self, data: bytes) -> None:
        """See `asyncio.Protocol`."""
        self._do(lambda: self.connection.receive(data, self._clock()))

    def connection_lost(self, exc: Exception | None) -> None:
        """See `asyncio.Protocol`."""
        self._stop_timer()
        if (session := self.connection.session) is not None:
            session.wake = None
        self._reason = (session.reason if session is not None else self.connection.reason) or self._reason
        try:
            self.connection.lost(self._clock(), self._reason)
        except Exception:
            log.exception("FIX: on_logout failed")
        if not self.closed.done():
            self.closed.set_result(self._reason)

    def pause_writing(self) -> None:
        """See `asyncio.Protocol`."""
        if self._transport is not None:
            self._transport.pause_reading()

    def resume_writing(self) -> None:
        """See `asyncio.Protocol`."""
        if self._transport is not None and not self._transport.is_closing():
            self._transport.resume_reading()

    def close(self, reason: str) -> None:
        """Closes without a word."""
        self._reason = reason
        if self._transport is not None:
            self._transport.close()

    def _do(self, action: Callable[[], None]) -> None:
        """Does something with the state machine, then sends what came of it and sets the timer."""
        if self._transport is None or self._transport.is_closing():
            return
        self._busy = True
        try:
            action()
        except Exception as error:
            log.exception("FIX: connection ended by an error")
            self.flush()
            self.close(f"error: {error}")
            return
        finally:
            self._busy = False
        if self.connection.session is not None and self.connection.session.wake is None:
            self.connection.session.wake = self.flush
        self.flush()

    def flush(self) -> None:
        """Sends what the session has to say, unless more is coming."""
        if self._busy or self._transport is None or self._transport.is_closing():
            return
        if octets := self.connection.take_output():
            self._transport.write(octets)
        if self.connection.closing:
            self._stop_timer()
            self._transport.close()
        elif self.connection.session is not None:
            self._set_timer(self.connection.session.deadline())

    def _set_timer(self, deadline: int | None) -> None:
        self._stop_timer()
        if deadline is not None:
            wait = max(deadline - self._clock(), 0) / SECOND
            self._timer = asyncio.get_running_loop().call_later(wait, self._tick)

    def _tick(self) -> None:
        if (session := self.connection.session) is not None:
            self._do(lambda: session.tick(self._clock()))

    def _stop_timer(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
