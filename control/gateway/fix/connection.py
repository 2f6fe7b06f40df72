"""One connection: bytes in, bytes out. Which session it belongs to, an acceptor learns from the first message."""

from __future__ import annotations

from collections.abc import Callable

from control.gateway.fix.session import LOGON, Session, State
from wire.fix.faults import Fault
from wire.fix.message import Garbled, Message, Reader

Choose = Callable[[Message], Session | None]


class Connection:
    """The bytes of one TCP connection.

    Parameters
    ----------
    session : Session or None
        An initiator's own.
    choose : callable
        For an acceptor: the session that a first message asks for, None to close the connection. A session that has a
        connection keeps it: the second one is closed.
    """

    def __init__(self, session: Session | None = None, choose: Choose = lambda message: None) -> None:
        self.session, self._choose, self._reader = session, choose, Reader()
        self._refused = False
        self.reason = ""

    @property
    def closing(self) -> bool:
        """Whether to close once the output has gone out."""
        return self._refused or (self.session is not None and self.session.closing)

    def receive(self, data: bytes | bytearray | memoryview, now: int) -> None:
        """Takes in bytes of the stream."""
        for found in self._reader.feed(data):
            if self.closing:
                continue
            if isinstance(found, Garbled):
                if self.session is not None:
                    self.session.garbled(found, now)
                elif found.fault != Fault.LEADING:
                    self._refuse(f"garbled first message: {found.fault.name.lower()}")
            elif self.session is not None or self._open(found, now):
                assert self.session is not None
                self.session.handle(found, now)

    def _open(self, message: Message, now: int) -> bool:
        if message.type != LOGON:
            self._refuse("first message is no logon")
            return False
        session = self._choose(message)
        if session is None:
            self._refuse("no such session")
            return False
        if session.state != State.DISCONNECTED:
            self._refuse("session is connected already")
            return False
        self.session = session
        session.connect(now)
        return True

    def _refuse(self, reason: str) -> None:
        self._refused, self.reason = True, reason

    def take_output(self) -> bytes:
        """Bytes to write."""
        return self.session.take_output() if self.session is not None else b""

    def lost(self, now: int, reason: str = "connection lost") -> None:
        """The connection is closed."""
        if self.session is not None:
            self.session.disconnected(now, reason)
            self.session = None
