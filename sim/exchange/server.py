"""A day on sockets: order ports, two feeds, re-requests, snapshots and drop copies. asyncio, one task for the clock.

Everything that happens at once is put on the wire at once: an order in, its answers and the packets of both feeds
out, before the next order is looked at. Latencies and delays are added by the event loop's clock.

A protocol with a session layer of its own, which is FIX, is carried by a :class:`Gateway` that the server is given a maker of.
"""

from __future__ import annotations

import asyncio
import contextlib
import random
import socket
from collections.abc import Awaitable, Callable
from typing import Any, Protocol

from sim.exchange.config import Feed, OrderPort
from sim.exchange.day import SECOND, Day
from sim.exchange.entry import OrderEntry
from sim.exchange.feed import Packer
from sim.exchange.matching.state import Reason
from sim.exchange.snapshot import snapshot
from sim.exchange.soup import SoupServer
from wire.errors import WireError
from wire.soupbintcp import LoginRequest

TICK = 0.002
"""Seconds between looks at the clock."""


class Gateway(Protocol):
    """What carries the messages of an order port whose protocol has a session layer of its own."""

    async def listen(self, host: str, port: int) -> int:
        """Begins to listen there, too; the port's number."""

    def lose(self, port: int) -> None:
        """Listens there no longer, and cuts the connections that were made there."""

    async def stop(self) -> None:
        """Ends the session."""


Plug = Callable[["Server", int], Gateway]
"""The gateway of a server's order port of this number, from 0."""


class Server:
    """One venue on sockets.

    Parameters
    ----------
    day : Day
    plug : Plug or None
        What makes the gateways of FIX ports.
    """

    def __init__(self, day: Day, plug: Plug | None = None) -> None:
        self.day, self.config = day, day.config
        self._plug = plug
        self._gateways: list[Gateway] = []
        self.packer = Packer(day.venue.publication, self.config.name)
        self.connections: list[Connection] = []
        self.ports: dict[str, Any] = {}
        """Where to reach what, once :meth:`start` is done."""
        self.feed_counts = {"packets": 0, "bytes": 0, "lost": 0, "rerequests": 0}
        self._servers: list[asyncio.Server] = []
        self._feeds: list[tuple[Feed, socket.socket, random.Random, list[float]]] = []
        self._transports: list[asyncio.DatagramTransport] = []
        self._begun = 0.0

    # -- life ------------------------------------------------------------------------------------------

    async def start(self) -> dict[str, Any]:
        """Opens everything; the ports, by name. Port 0 in the configuration is any free one, of a feed none at all.

        Raises
        ------
        OSError
            A port is taken.
        ValueError
            A FIX port, and no ``plug``.
        """
        loop, host = asyncio.get_running_loop(), self.config.host
        orders = []
        for n, (port, entry) in enumerate(zip(self.config.ports, self.day.entries, strict=True)):
            listen = self._gateway(n).listen if port.is_fix else self._orders(port, entry)
            orders.append({"protocol": port.protocol, "port": await listen(host, port.port), "account": entry.account.name})
            if port.backup_port is not None:
                orders[-1]["backup_port"] = await listen(host, port.backup_port)
        snapshots = await self._listen(
            host, self.config.snapshot_port, lambda: Connection(self, self._snapshot, from_start=True)
        )
        copies = await self._listen(host, self.config.drop_copy_port, lambda: Connection(self, self._drop_copy))
        for number in self.config.rerequest_ports:
            transport, _ = await loop.create_datagram_endpoint(lambda: Rerequests(self), local_addr=(host, number))
            self._transports.append(transport)
        for n, feed in enumerate(self.config.feeds):
            if feed.port:
                made = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
                made.setblocking(False)
                made.setsockopt(socket.IPPROTO_IP, socket.IP_MULTICAST_TTL, 1)
                made.setsockopt(socket.IPPROTO_IP, socket.IP_MULTICAST_IF, socket.inet_aton(host))
                self._feeds.append((feed, made, random.Random(f"{self.config.flow.seed} {n}"), [0.0]))
        self._begun = loop.time()
        self.ports = {
            "venue": self.config.name,
            "host": host,
            "orders": orders,
            "snapshot": snapshots,
            "drop_copy": copies,
            "rerequests": [_port_of(transport) for transport in self._transports],
            "feeds": [{"address": feed.address, "port": feed.port} for feed in self.config.feeds],
        }
        return self.ports

    def _gateway(self, n: int) -> Gateway:
        if self._plug is None:
            name = self.config.ports[n].protocol
            raise ValueError(f"venue {self.config.name}, port {n + 1}: no session layer for {name}, the server was given none")
        self._gateways.append(self._plug(self, n))
        return self._gateways[-1]

    def _orders(self, port: OrderPort, entry: OrderEntry) -> Callable[[str, int], Awaitable[int]]:
        """What opens a SoupBinTCP port to an account."""
        return lambda host, number: self._listen(host, number, lambda: OrderConnection(self, port, entry))

    async def _listen(self, host: str, port: int, factory: Callable[[], asyncio.BaseProtocol]) -> int:
        server = await asyncio.get_running_loop().create_server(factory, host, port)
        self._servers.append(server)
        return int(server.sockets[0].getsockname()[1])

    async def run(self, seconds: float | None = None, say: Callable[[Server], None] | None = None) -> None:
        """The day, until it is over or so many seconds have gone; ``say`` is called about once per second."""
        loop, told = asyncio.get_running_loop(), 0.0
        while not self.day.is_over and (seconds is None or loop.time() - self._begun < seconds):
            self.catch_up()
            if say is not None and loop.time() - told >= 1:
                told = loop.time()
                say(self)
            await asyncio.sleep(TICK)

    async def stop(self) -> None:
        """Ends the sessions and closes everything."""
        self.flush()
        for connection in list(self.connections):
            connection.finish()
        for gateway in self._gateways:
            await gateway.stop()
        self._send(self.packer.end())
        await asyncio.sleep(0.02 + max(feed.delay_us + feed.jitter_us for feed in self.config.feeds) / 1e6)
        for server in self._servers:
            server.close()
        for transport in self._transports:
            transport.close()
        for _, made, _, _ in self._feeds:
            made.close()

    def lose(self, port: int) -> None:
        """A TCP port dies: nobody reaches it any more, and its connections are cut without a word."""
        for server in self._servers:
            if port in {made.getsockname()[1] for made in server.sockets}:
                server.close()
        for connection in list(self.connections):
            if connection.transport is not None and _port_of(connection.transport) == port:
                connection.transport.abort()
        for gateway in self._gateways:
            gateway.lose(port)

    def lose_rerequests(self, port: int) -> None:
        """A re-request server dies."""
        for transport in self._transports:
            if _port_of(transport) == port:
                transport.close()

    # -- time ------------------------------------------------------------------------------------------

    @property
    def time(self) -> int:
        """The venue's time now, ns since midnight."""
        gone = asyncio.get_running_loop().time() - self._begun
        return self.day.start + int(gone * self.config.flow.speed * SECOND)

    def advance(self) -> None:
        """Lets happen what should have happened by now."""
        self.day.advance(max(self.time, self.day.venue.time))

    def catch_up(self) -> None:
        """The same, and puts it on the wire."""
        self.advance()
        self.flush()

    def order(self, take: Callable[[], None]) -> None:
        """Something that a client says, in its turn: what is due comes before it, and all of it is put on the wire."""
        self.advance()
        take()
        self.flush()

    def flush(self) -> None:
        """Puts everything new on the wire."""
        now = asyncio.get_running_loop().time()
        for payload in self.packer.packets(now):
            self._send(payload)
        for connection in list(self.connections):
            connection.pump(now)

    def _send(self, payload: bytes) -> None:
        """One packet on both feeds, each as late as it is, none ahead of one before."""
        loop = asyncio.get_running_loop()
        for feed, made, dice, last in self._feeds:
            if feed.loss and dice.random() < feed.loss:
                self.feed_counts["lost"] += 1
                continue
            due = loop.time() + (feed.delay_us + feed.jitter_us * dice.random()) / 1e6
            last[0] = due = max(due, last[0])
            if due <= loop.time():
                self._put(made, payload, feed)
            else:
                loop.call_at(due, self._put, made, payload, feed)

    def _put(self, made: socket.socket, payload: bytes, feed: Feed) -> None:
        # A full socket buffer is a packet lost, as on a real feed: the re-request server has it.
        try:
            made.sendto(payload, (feed.address, feed.port))
            self.feed_counts["packets"] += 1
            self.feed_counts["bytes"] += len(payload)
        except OSError:
            self.feed_counts["lost"] += 1

    # -- who may read what -----------------------------------------------------------------------------

    def _snapshot(self, request: LoginRequest) -> list[bytes] | str:
        self.catch_up()
        return snapshot(self.day.venue)

    def _drop_copy(self, request: LoginRequest) -> list[bytes] | str:
        return self.day.venue.drop_copy

    def result(self) -> dict[str, Any]:
        """What happened, feeds included."""
        return {**self.day.result(), "feeds": dict(self.feed_counts)}


def _port_of(transport: asyncio.BaseTransport) -> int:
    """The local port, -1 of a transport that is closed."""
    name = transport.get_extra_info("sockname")
    return int(name[1]) if name else -1


class Connection(asyncio.Protocol):
    """A SoupBinTCP connection that only listens: a snapshot's or a drop copy's."""

    def __init__(
        self, server: Server, admit: Callable[[LoginRequest], list[bytes] | str], *, from_start: bool = False
    ) -> None:
        self.server = server
        loop = asyncio.get_running_loop()
        self.soup = SoupServer(server.config.name, admit, loop.time(), from_start=from_start)
        self.transport: asyncio.Transport | None = None
        self._due = 0.0

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self.transport = transport  # type: ignore[assignment]
        made = transport.get_extra_info("socket")
        if made is not None:
            made.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self.server.connections.append(self)

    def connection_lost(self, error: Exception | None) -> None:
        self.transport = None
        if self in self.server.connections:
            self.server.connections.remove(self)

    def data_received(self, data: bytes) -> None:
        loop = asyncio.get_running_loop()
        delay = self.server.config.order_latency_us / 1e6
        self._due = max(loop.time() + delay, self._due)
        if delay:
            loop.call_at(self._due, self.take, data)
        else:
            self.take(data)

    def take(self, data: bytes) -> None:
        """Bytes of the client, as they reach the venue."""
        for message in self.soup.receive(data, asyncio.get_running_loop().time()):
            self.hear(message)
        self.server.flush()

    def hear(self, message: bytes) -> None:
        """A message of the client; here it has nothing to say."""

    def pump(self, now: float) -> None:
        """Sends what there is to send."""
        out = self.soup.pump(now)
        if out:
            delay = self.server.config.answer_latency_us / 1e6
            if delay:
                asyncio.get_running_loop().call_later(delay, self.write, out)
            else:
                self.write(out)
        if self.soup.is_closed:
            self.close()

    def write(self, data: bytes) -> None:
        """Bytes to the client, if it is still there."""
        if self.transport is not None and not self.transport.is_closing():
            self.transport.write(data)

    def close(self) -> None:
        """Lets the connection end once everything is sent."""
        if self.transport is not None:
            delay = self.server.config.answer_latency_us / 1e6
            asyncio.get_running_loop().call_later(delay, self.transport.close)

    def finish(self) -> None:
        """The session ends."""
        if self.soup.is_logged_in:
            self.write(self.soup.end())
        self.close()


class OrderConnection(Connection):
    """The connection of an order port."""

    def __init__(self, server: Server, port: OrderPort, entry: OrderEntry) -> None:
        super().__init__(server, self.admit)
        self.port, self.entry = port, entry

    def admit(self, request: LoginRequest) -> list[bytes] | str:
        """The account's journal, for the one who knows its name and password and comes alone."""
        said = request.username.upper(), request.password.upper()
        if self.port.username and said != (self.port.username.upper(), self.port.password.upper()):
            return "A"
        others = (each for each in self.server.connections if isinstance(each, OrderConnection) and each is not self)
        if any(each.entry is self.entry and each.soup.is_logged_in for each in others):
            return "S"
        return self.entry.account.journal

    def hear(self, message: bytes) -> None:
        self.server.advance()
        self.entry.receive(message)

    def connection_lost(self, error: Exception | None) -> None:
        was_in = self.soup.journal is not None
        self.soup.is_closed = True
        super().connection_lost(error)
        if was_in and self.port.cancel_on_disconnect:
            with contextlib.suppress(RuntimeError):
                self.server.order(lambda: self.entry.cancel_everything(Reason.DISCONNECT))


class Rerequests(asyncio.DatagramProtocol):
    """The MoldUDP64 re-request server."""

    def __init__(self, server: Server) -> None:
        self.server = server
        self.transport: asyncio.DatagramTransport | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self.transport = transport  # type: ignore[assignment]

    def datagram_received(self, data: bytes, address: Any) -> None:
        try:
            answer = self.server.packer.answer(data)
        except WireError:
            return
        self.server.feed_counts["rerequests"] += 1
        if answer and self.transport is not None:
            self.transport.sendto(answer, address)
