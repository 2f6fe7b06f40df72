"""The client's side of SoupBinTCP 3.00: a machine without a socket, and the link that carries it.

The machine knows which message comes next. After a connection is lost, the link logs in again, at the next address, from just
that message on: nothing is missed, nothing comes twice.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass

from wire import soupbintcp
from wire.errors import WireError

HEARTBEAT_NS = 1_000_000_000
"""A heartbeat after so long a silence of ours."""
TIMEOUT_NS = 15_000_000_000
"""The other side is gone after so long a silence of its own."""
TICK_SECONDS = 0.25
log = logging.getLogger("hairpin.soupbin")


@dataclass(frozen=True, slots=True)
class LoggedIn:
    """The login was accepted; ``sequence`` is the number of the next message."""

    session: str
    sequence: int


@dataclass(frozen=True, slots=True)
class Refused:
    """The login was not: ``A`` not authorised, ``S`` no such session."""

    reason: str


@dataclass(frozen=True, slots=True)
class Message:
    """A message of the session, in sequence."""

    sequence: int
    payload: bytes


@dataclass(frozen=True, slots=True)
class Ended:
    """The session is over: no more messages will come, on no connection."""


@dataclass(frozen=True, slots=True)
class Idle:
    """A heartbeat of the server: it had nothing more to send."""


Event = LoggedIn | Refused | Message | Ended | Idle


class SessionError(RuntimeError):
    """The other side does not keep to the protocol, or is silent; the connection is to be closed."""


class Client:
    """One session over any number of connections.

    Parameters
    ----------
    username, password : str
    session : str
        Which one; empty takes the current one, and from then on just that.
    sequence : int
        Number of the first message that is wanted; 0 begins with the next one that the server makes.
    """

    def __init__(self, username: str, password: str, *, session: str = "", sequence: int = 1) -> None:
        self.username, self.password, self.session, self.sequence = username, password, session, sequence
        self.logged_in = self.ended = False
        self._splitter = soupbintcp.Splitter(soupbintcp.SERVER)
        self._sent = self._received = 0

    def connect(self, now: int) -> bytes:
        """A connection was opened; what is to be sent first."""
        self._splitter = soupbintcp.Splitter(soupbintcp.SERVER)
        self.logged_in = False
        self._sent = self._received = now
        return soupbintcp.login_request(self.username, self.password, self.session, self.sequence)

    def receive(self, data: bytes, now: int) -> list[Event]:
        """What the bytes say.

        Raises
        ------
        SessionError
            They are no SoupBinTCP, or something that cannot come now.
        """
        self._received = now
        events: list[Event] = []
        try:
            for packet in self._splitter.feed(data):
                event = self._take(packet)
                if event is not None:
                    events.append(event)
        except WireError as error:
            raise SessionError(str(error)) from error
        return events

    def _take(self, packet: soupbintcp.Packet) -> Event | None:
        match packet.code:
            case "S":
                if not self.logged_in:
                    raise SessionError("a sequenced message before the login was accepted")
                self.sequence += 1
                return Message(self.sequence - 1, packet.payload)
            case "A":
                return self._accepted(soupbintcp.parse_login_accepted(packet))
            case "J":
                return Refused(packet.payload.decode("latin-1"))
            case "Z":
                self.ended = True
                return Ended()
            case "H":
                return Idle()
        return None

    def _accepted(self, accepted: soupbintcp.LoginAccepted) -> LoggedIn:
        if self.logged_in:
            raise SessionError("a second Login Accepted")
        if self.session and accepted.session != self.session:
            raise SessionError(f"logged in to session {accepted.session!r}, asked for {self.session!r}")
        if self.sequence and accepted.sequence_number != self.sequence:
            raise SessionError(f"the next message is {accepted.sequence_number}, asked for {self.sequence}")
        self.session, self.sequence, self.logged_in = accepted.session, accepted.sequence_number, True
        return LoggedIn(self.session, self.sequence)

    def send(self, message: bytes, now: int) -> bytes:
        """The bytes of an unsequenced message.

        Raises
        ------
        SessionError
            Nobody is logged in: it would be lost.
        """
        if not self.logged_in or self.ended:
            raise SessionError("no message without a login")
        self._sent = now
        return soupbintcp.unsequenced(message)

    def tick(self, now: int) -> bytes:
        """What is to be sent because of the time.

        Raises
        ------
        SessionError
            The other side was silent for too long.
        """
        if now - self._received >= TIMEOUT_NS:
            raise SessionError(f"nothing came for {(now - self._received) / 1e9:.1f} s")
        if now - self._sent < HEARTBEAT_NS:
            return b""
        self._sent = now
        return soupbintcp.client_heartbeat()


class Link:
    """A client's connection, made again as often as it is lost, at the next address each time.

    Parameters
    ----------
    client : Client
    addresses : sequence of (host, port)
        In the order in which they are tried.
    take : callable
        Awaited with every event, in order. What it raises ends the link.
    clock : callable
        ns, never back.
    patience : float
        Seconds between two rounds through all addresses, twice as long after each that failed, up to 32 times.
    """

    def __init__(
        self,
        client: Client,
        addresses: Sequence[tuple[str, int]],
        take: Callable[[Event], Awaitable[None]],
        clock: Callable[[], int],
        *,
        patience: float = 0.1,
    ) -> None:
        if not addresses:
            raise ValueError("addresses: at least one")
        self.client, self.addresses, self._take, self._clock, self._patience = client, tuple(addresses), take, clock, patience
        self._writer: asyncio.StreamWriter | None = None
        self.connections = 0
        self.at: tuple[str, int] | None = None

    def send(self, message: bytes) -> None:
        """Send a message.

        Raises
        ------
        SessionError
            There is no connection with a login: it was not sent.
        """
        if self._writer is None:
            raise SessionError("no connection")
        self._writer.write(self.client.send(message, self._clock()))

    async def run(self) -> None:
        """Until the session has ended.

        Raises
        ------
        SessionError
            The login was refused at every address.
        """
        failures, turn = 0, 0
        while not self.client.ended:
            address = self.addresses[turn % len(self.addresses)]
            turn += 1
            refused = await self._connection(address)
            if self.client.logged_in:
                failures = 0
            else:
                failures += 1
            if refused is not None and failures >= len(self.addresses):
                raise SessionError(f"{address[0]}:{address[1]}: login refused ({refused.reason})")
            if failures and failures % len(self.addresses) == 0:
                await asyncio.sleep(self._patience * min(2 ** (failures // len(self.addresses) - 1), 32))

    async def _connection(self, address: tuple[str, int]) -> Refused | None:
        """One connection, to its end."""
        self.client.logged_in = False
        try:
            reader, writer = await asyncio.open_connection(*address)
        except OSError as error:
            log.warning("%s:%d: %s", *address, error)
            return None
        self.connections += 1
        self.at, self._writer = address, writer
        writer.write(self.client.connect(self._clock()))
        ticker = asyncio.create_task(self._tick(writer))
        try:
            return await self._read(reader)
        except (OSError, SessionError) as error:
            log.warning("%s:%d: %s", *address, error)
            return None
        finally:
            ticker.cancel()
            self._writer = None
            writer.transport.abort()

    async def _read(self, reader: asyncio.StreamReader) -> Refused | None:
        while data := await reader.read(1 << 16):
            for event in self.client.receive(data, self._clock()):
                await self._take(event)
                if isinstance(event, Refused):
                    return event
            if self.client.ended:
                return None
        return None

    async def _tick(self, writer: asyncio.StreamWriter) -> None:
        while True:
            await asyncio.sleep(TICK_SECONDS)
            try:
                writer.write(self.client.tick(self._clock()))
            except SessionError as error:
                log.warning("%s", error)
                writer.transport.abort()
                return
