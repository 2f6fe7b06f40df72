"""The FIX acceptor: one listening port, several sessions, told apart by version and names of the first message."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Iterable

from control.gateway.fix.connection import Connection
from control.gateway.fix.link import Clock, Link
from control.gateway.fix.session import Session, State
from wire.fix.message import Message


class Acceptor:
    """Listens for the initiators of ``sessions``.

    Raises
    ------
    ValueError
        Two sessions of the same version and names, or one that is an initiator's.
    """

    def __init__(self, sessions: Iterable[Session], clock: Clock = time.time_ns) -> None:
        self._clock = clock
        self._sessions: dict[tuple[bytes, bytes, bytes], Session] = {}
        for session in sessions:
            identity = session.settings.identity
            key = (session.dictionary.begin_string, identity.target.encode("latin-1"), identity.sender.encode("latin-1"))
            if key in self._sessions or session.settings.initiator:
                raise ValueError(f"{identity}: an initiator, or there twice")
            self._sessions[key] = session
        self._server: asyncio.Server | None = None
        self._links: set[Link] = set()

    @property
    def port(self) -> int:
        """The port that is listened on."""
        assert self._server is not None
        return int(self._server.sockets[0].getsockname()[1])

    async def start(self, host: str = "127.0.0.1", port: int = 0) -> None:
        """Begins to listen; port 0 is one that is free.

        Raises
        ------
        OSError
            The port is taken.
        """
        self._server = await asyncio.get_running_loop().create_server(self._link, host, port)

    def _link(self) -> Link:
        link = Link(Connection(choose=self._choose), self._clock)
        self._links.add(link)
        link.closed.add_done_callback(lambda _: self._links.discard(link))
        return link

    def _choose(self, message: Message) -> Session | None:
        key = (bytes(message[8]), message.get(49) or b"", message.get(56) or b"")
        return self._sessions.get(key)

    def abort(self) -> None:
        """Listens no longer and cuts every connection without a word, as if the process had died."""
        if self._server is not None:
            self._server.close()
        for link in list(self._links):
            link.close("cut")

    async def stop(self, text: str = "") -> None:
        """Listens no longer, and logs all sessions out; each has its ``logout_timeout`` to answer."""
        if self._server is not None:
            self._server.close()
        for link in list(self._links):
            session = link.connection.session
            if session is not None and session.state == State.LOGGED_ON:
                session.logout(self._clock(), text)
                link.flush()
            else:
                link.close("stopped")
        await asyncio.gather(*(link.closed for link in list(self._links)))
