"""The exchange's FIX ports: the session layer of :mod:`control.gateway.fix` around the orders of :mod:`sim.exchange.fix`."""

from __future__ import annotations

import asyncio
import time
from collections import deque
from collections.abc import Callable

from control.gateway.fix.acceptor import Acceptor
from control.gateway.fix.session import Session
from control.gateway.fix.settings import SECOND, Identity, Settings
from control.gateway.fix.store import FileStore, MemoryStore
from sim.exchange.fix import Fields, Fix
from sim.exchange.matching.state import Reason
from sim.exchange.server import Server
from wire.fix.message import Message

DAY_SECONDS = 86_400


class Delay:
    """Lets things happen later, in the order in which they were asked for."""

    def __init__(self, microseconds: float) -> None:
        self._seconds = microseconds / 1e6
        self._waiting: deque[Callable[[], object]] = deque()

    def __call__(self, action: Callable[[], object]) -> None:
        """Does it, now if there is no delay."""
        if not self._seconds:
            action()
            return
        self._waiting.append(action)
        asyncio.get_running_loop().call_later(self._seconds, self._one)

    def _one(self) -> None:
        if self._waiting:
            self._waiting.popleft()()

    def finish(self) -> None:
        """Does at once what is still to come."""
        while self._waiting:
            self._waiting.popleft()()


class FixGateway:
    """The FIX session of one order port, at however many TCP ports. It is the session's application.

    Venue times count from the midnight (UTC) of the day on which the gateway is made.

    Parameters
    ----------
    server : Server
    number : int
        Which of its order ports, from 0.

    Raises
    ------
    OSError, ValueError
        The store can't be opened, or is another's.
    """

    def __init__(self, server: Server, number: int) -> None:
        self._server, self._port = server, server.config.ports[number]
        entry = server.day.entries[number]
        if not isinstance(entry, Fix):
            raise ValueError(f"venue {server.config.name}, port {number + 1}: {self._port.protocol} is no FIX")
        self._entry = entry
        identity = Identity(entry.dialect.version, *server.config.fix_names(number))
        self.store: FileStore | MemoryStore = MemoryStore()
        if self._port.store is not None:
            self._port.store.mkdir(parents=True, exist_ok=True)
            name = f"{server.config.name}-{self._port.protocol}-{identity.sender}-{identity.target}.fix"
            self.store = FileStore(self._port.store / name)
        self.session = Session(Settings(identity), self.store, self)
        self._acceptors: list[Acceptor] = []
        self._orders, self._answers = Delay(server.config.order_latency_us), Delay(server.config.answer_latency_us)
        now = int(time.time())
        entry.plug(self._say, (now - now % DAY_SECONDS) * SECOND, f"{now:x}-")

    def _say(self, kind: str, body: Fields) -> None:
        self._answers(lambda: self.session.send(kind, body))

    async def listen(self, host: str, port: int) -> int:
        """See :class:`sim.exchange.server.Gateway`."""
        acceptor = Acceptor([self.session])
        await acceptor.start(host, port)
        self._acceptors.append(acceptor)
        return acceptor.port

    def lose(self, port: int) -> None:
        """See :class:`sim.exchange.server.Gateway`."""
        for acceptor in list(self._acceptors):
            if acceptor.port == port:
                self._acceptors.remove(acceptor)
                acceptor.abort()

    async def stop(self) -> None:
        """See :class:`sim.exchange.server.Gateway`."""
        self._orders.finish()
        self._answers.finish()
        for acceptor in self._acceptors:
            await acceptor.stop("end of the day")
        self._answers.finish()
        self.store.close()

    # -- the session's application -----------------------------------------------------------------------

    def on_logon(self, session: Session) -> None:
        """See :class:`control.gateway.fix.application.Application`."""

    def on_message(self, session: Session, message: Message) -> None:
        """See :class:`control.gateway.fix.application.Application`."""
        kept = message.copy() if self._server.config.order_latency_us else message
        self._orders(lambda: self._server.order(lambda: self._entry.take(kept)))

    def on_logout(self, session: Session, reason: str) -> None:
        """See :class:`control.gateway.fix.application.Application`."""
        if self._port.cancel_on_disconnect:
            self._server.order(lambda: self._entry.cancel_everything(Reason.DISCONNECT))

    def may_resend(self, session: Session, message: Message) -> bool:
        """See :class:`control.gateway.fix.application.Application`."""
        return True
