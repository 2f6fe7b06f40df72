"""The FIX initiator: connects, logs on, and comes back when the connection is lost."""

from __future__ import annotations

import asyncio
import contextlib
import logging
import random
import time

from control.gateway.fix.connection import Connection
from control.gateway.fix.link import Clock, Link
from control.gateway.fix.session import Session, State

log = logging.getLogger(__name__)
CONNECT_TIMEOUT = 10.0


class Initiator:
    """Keeps one session connected.

    Parameters
    ----------
    session : Session
        An initiator's.
    host, port
        Where the acceptor listens.
    backoff : (float, float)
        Seconds until the second attempt, and at most; each failure doubles the wait, a logon starts it anew. Up to a
        quarter is added at random, so that many initiators do not come back at once.
    """

    def __init__(
        self,
        session: Session,
        host: str,
        port: int,
        backoff: tuple[float, float] = (1.0, 30.0),
        clock: Clock = time.time_ns,
    ) -> None:
        if not session.settings.initiator:
            raise ValueError(f"{session.settings.identity}: not an initiator's settings")
        self.session, self.host, self.port = session, host, port
        self._backoff, self._clock = backoff, clock
        self._link: Link | None = None
        self._stopping = asyncio.Event()
        self.attempts = 0
        """Connections tried so far."""

    async def run(self) -> None:
        """Connects again and again, until :meth:`stop`."""
        wait = self._backoff[0]
        while not self._stopping.is_set():
            if self._may_connect():
                if await self._once():
                    wait = self._backoff[0]
                elif not self._stopping.is_set():
                    log.info("FIX %s: no session with %s:%s", self.session.settings.identity, self.host, self.port)
            if not self._stopping.is_set():
                await self._pause(wait * random.uniform(1.0, 1.25))
                wait = min(wait * 2, self._backoff[1])

    def _may_connect(self) -> bool:
        schedule = self.session.settings.schedule
        return schedule is None or schedule.period(self._clock()) is not None

    async def _once(self) -> bool:
        """One connection, to its end; whether it came to a logon."""
        self.attempts += 1
        loop = asyncio.get_running_loop()
        try:
            connecting = loop.create_connection(lambda: Link(Connection(self.session), self._clock), self.host, self.port)
            _, link = await asyncio.wait_for(connecting, CONNECT_TIMEOUT)
        except (OSError, TimeoutError):
            return False
        logons = self.session.counters["logons"]
        self._link = link
        if self._stopping.is_set():
            link.close("stopped")
        await link.closed
        self._link = None
        return self.session.counters["logons"] > logons

    async def _pause(self, seconds: float) -> None:
        with contextlib.suppress(TimeoutError):
            await asyncio.wait_for(self._stopping.wait(), seconds)

    async def stop(self, text: str = "") -> None:
        """Logs out, and does not come back. :meth:`run` ends."""
        self._stopping.set()
        link = self._link
        if link is None:
            return
        if self.session.state == State.LOGGED_ON:
            self.session.logout(self._clock(), text)
            link.flush()
        else:
            link.close("stopped")
        limit = self.session.settings.logout_timeout + CONNECT_TIMEOUT
        await asyncio.wait_for(asyncio.shield(link.closed), limit)
