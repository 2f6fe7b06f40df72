"""The server's side of a SoupBinTCP 3.00 connection, without a socket: bytes in, bytes out, and a clock that is told.

What is sequenced lies in a journal that outlives the connection; a client that comes back names the number it wants to
go on from. Times are seconds of any clock that does not go back.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator

from wire import soupbintcp
from wire.errors import WireError
from wire.soupbintcp import LoginRequest, Splitter

HEARTBEAT, SILENCE, LOGIN_TIME = 1.0, 15.0, 30.0
"""Seconds: after which silence of ours a heartbeat goes out; after which of the client's it is gone; until its login."""

Admit = Callable[[LoginRequest], list[bytes] | str]
"""The journal that a login may read, or the letter it is refused with: A not authorized, S session not available."""


class SoupServer:
    """One connection.

    Parameters
    ----------
    session : str
    admit : Admit
    now : float
    from_start : bool
        A client that asks for the most recent message (0) gets everything: a snapshot is of no use but whole.
    """

    def __init__(self, session: str, admit: Admit, now: float, *, from_start: bool = False) -> None:
        self.from_start = from_start
        self.session, self.admit = session, admit
        self.journal: list[bytes] | None = None
        self.next = 1
        self.is_closed = False
        self._splitter = Splitter(soupbintcp.CLIENT)
        self._begun = self._heard = self._spoke = now
        self._waiting = b""

    @property
    def is_logged_in(self) -> bool:
        """Whether the client may speak."""
        return self.journal is not None and not self.is_closed

    def receive(self, data: bytes, now: float) -> Iterator[bytes]:
        """The client's messages in ``data``. After a protocol error, and after a logout, the connection is closed."""
        self._heard = now
        try:
            for packet in self._splitter.feed(data):
                if self.is_closed:
                    return
                if packet.code == "L":
                    self._login(soupbintcp.parse_login_request(packet))
                elif packet.code == "O":
                    self.is_closed = True
                elif packet.code == "U" and self.is_logged_in:
                    yield packet.payload
        except WireError:
            self.is_closed = True

    def _login(self, request: LoginRequest) -> None:
        if self.journal is not None:
            self.is_closed = True
            return
        answer: list[bytes] | str = "S"
        if request.session in ("", self.session.strip()):
            answer = self.admit(request)
        if isinstance(answer, list) and request.sequence_number > len(answer) + 1:
            answer = "S"
        if isinstance(answer, str):
            self._waiting += soupbintcp.login_rejected(answer)
            self.is_closed = True
            return
        self.journal = answer
        self.next = request.sequence_number or (1 if self.from_start else len(answer) + 1)
        self._waiting += soupbintcp.login_accepted(self.session, self.next)

    def pump(self, now: float) -> bytes:
        """What is to be sent: the answer to a login, what the journal has more than was sent, or a heartbeat."""
        out = [self._waiting]
        self._waiting = b""
        if self.is_logged_in:
            assert self.journal is not None
            out += [soupbintcp.sequenced(message) for message in self.journal[self.next - 1 :]]
            self.next = len(self.journal) + 1
        told = b"".join(out)
        if not told and self.is_logged_in and now - self._spoke >= HEARTBEAT:
            told = soupbintcp.server_heartbeat()
        if told:
            self._spoke = now
        limit, since = (SILENCE, self._heard) if self.is_logged_in else (LOGIN_TIME, self._begun)
        if now - since > limit:
            self.is_closed = True
        return told

    def end(self) -> bytes:
        """The last packet of the session."""
        self.is_closed = True
        return soupbintcp.end_of_session()
