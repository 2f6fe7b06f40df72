"""A SoupBinTCP session for an errand: logged in, what it says read, logged out; on a thread that may wait."""

from __future__ import annotations

import socket
import time
from collections.abc import Iterator
from types import TracebackType
from typing import NamedTuple, Self

from control.gateway.soupbin import Client, Ended, Event, LoggedIn, Message, Refused, SessionError
from wire import soupbintcp


class Address(NamedTuple):
    """Host and port."""

    host: str
    port: int

    def __str__(self) -> str:
        return f"{self.host}:{self.port}"


class UnreachableError(RuntimeError):
    """Nobody answers there, or not in time, or not in this protocol."""


class RefusedError(RuntimeError):
    """A login that was refused; ``reason`` is ``A``, not authorised, or ``S``, no such session."""

    def __init__(self, address: Address, reason: str) -> None:
        super().__init__(f"{address}: login refused ({reason})")
        self.reason = reason


class Conversation:
    """A connection with a login, for as long as it is a context.

    Parameters
    ----------
    address : Address
    client : Client
        Who logs in, and what is wanted; it counts messages.
    seconds : float
        How long all of it may take.

    Attributes
    ----------
    login : LoggedIn
    sequence : int
        Number of the message that `message` gives next; the client's counts what has arrived.

    Raises
    ------
    UnreachableError, RefusedError
        Here and in all methods.
    """

    def __init__(self, address: Address, client: Client, seconds: float) -> None:
        self.address, self.client = address, client
        self._end = time.monotonic() + seconds
        self._waiting: list[Event] = []
        try:
            self._socket = socket.create_connection(address, timeout=seconds)
            self._socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            self._socket.sendall(client.connect(time.monotonic_ns()))
        except OSError as error:
            raise UnreachableError(f"{address}: {error}") from error
        try:
            login = next(self._events())
            if isinstance(login, Refused):
                raise RefusedError(address, login.reason)
            if not isinstance(login, LoggedIn):
                raise UnreachableError(f"{address}: {login} instead of a login")
            self.login, self.sequence = login, login.sequence
        except BaseException:
            self._socket.close()
            raise

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        try:
            if self.client.logged_in:
                self._socket.sendall(soupbintcp.logout_request())
        except OSError:
            pass  # it is over either way
        self._socket.close()

    def send(self, message: bytes) -> None:
        """Send an unsequenced message."""
        try:
            self._socket.sendall(self.client.send(message, time.monotonic_ns()))
        except (OSError, SessionError) as error:
            raise UnreachableError(f"{self.address}: {error}") from error

    def message(self) -> bytes:
        """The next sequenced message."""
        for event in self._events():
            if isinstance(event, Message):
                self.sequence = event.sequence + 1
                return event.payload
            if isinstance(event, Ended):
                break
        raise UnreachableError(f"{self.address}: the session has ended")

    def _events(self) -> Iterator[Event]:
        while True:
            while self._waiting:
                yield self._waiting.pop(0)
            left = self._end - time.monotonic()
            if left <= 0:
                raise UnreachableError(f"{self.address}: no answer in time")
            try:
                self._socket.settimeout(left)
                data = self._socket.recv(1 << 16)
                if not data:
                    raise UnreachableError(f"{self.address}: it closed the connection")
                self._waiting = self.client.receive(data, time.monotonic_ns())
            except (OSError, SessionError) as error:
                raise UnreachableError(f"{self.address}: {error}") from error


def newest(address: Address, username: str, password: str, session: str, seconds: float) -> LoggedIn:
    """Which session there is, and the number of its next message.

    Raises
    ------
    UnreachableError, RefusedError
    """
    with Conversation(address, Client(username, password, session=session, sequence=0), seconds) as talk:
        return talk.login


def everything(address: Address, username: str, password: str, seconds: float) -> tuple[LoggedIn, list[bytes]]:
    """All messages of a session so far, and where it goes on.

    Raises
    ------
    UnreachableError, RefusedError
    """
    now = newest(address, username, password, "", seconds)
    found: list[bytes] = []
    if now.sequence > 1:
        with Conversation(address, Client(username, password, session=now.session), seconds) as talk:
            found = [talk.message() for _ in range(now.sequence - 1)]
    return now, found
