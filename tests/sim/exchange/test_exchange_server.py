"""The exchange on loopback: orders over TCP, both feeds over UDP, a lossy one repaired by re-requests, a snapshot."""

from __future__ import annotations

import asyncio
import socket
from collections.abc import Awaitable, Callable
from typing import Any

import pytest

from sim.exchange.config import Feed, Flow, OrderPort, VenueConfig
from sim.exchange.day import Day
from sim.exchange.server import Plug, Server
from tests.sim.exchange.test_exchange_day import Books
from tests.sim.exchange.test_exchange_ports import enter42, enter50
from wire import appendage, moldudp64, ouch42, ouch50, soupbintcp

PATIENCE = 120.0


def receiver() -> socket.socket:
    made = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    made.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 1 << 22)
    made.bind(("127.0.0.1", 0))
    made.setblocking(False)
    return made


class Client:
    """A SoupBinTCP client."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.reader, self.writer = reader, writer
        self.splitter = soupbintcp.Splitter(soupbintcp.SERVER)
        self.packets: list[soupbintcp.Packet] = []

    @classmethod
    async def login(cls, port: int, user: str = "", password: str = "", number: int = 0, host: str = "127.0.0.1") -> Client:
        made = cls(*await asyncio.open_connection(host, port))
        made.writer.write(soupbintcp.login_request(user, password, "", number))
        return made

    def send(self, message: bytes) -> None:
        self.writer.write(soupbintcp.unsequenced(message))

    async def until_ends(self, code: bytes) -> list[bytes]:
        """All payloads up to one that begins so."""
        while not self.packets or self.packets[-1].payload[:1] != code:
            self.packets += self.splitter.feed(await asyncio.wait_for(self.reader.read(65_536), PATIENCE))
        return [p.payload for p in self.packets]

    async def until(self, count: int) -> list[bytes]:
        """The payloads of ``count`` packets that are no heartbeats."""
        while len([p for p in self.packets if p.code != "H"]) < count:
            data = await asyncio.wait_for(self.reader.read(65_536), PATIENCE)
            if not data:
                break
            self.packets += self.splitter.feed(data)
        return [p.payload for p in self.packets if p.code != "H"][:count]


def with_server(
    config: VenueConfig, body: Callable[[Server], Awaitable[Any]], plug: Plug | None = None, patience: float = PATIENCE
) -> Server:
    """A server for as long as ``body`` takes."""

    async def whole() -> Server:
        server = Server(Day(config), plug)
        await server.start()
        running = asyncio.create_task(server.run())
        try:
            await asyncio.wait_for(body(server), patience)
        finally:
            running.cancel()
            await server.stop()
        return server

    return asyncio.run(whole())


QUIET = {"symbols": ("AAA",), "auction": False, "tick": 100}
MINE = OrderPort(username="me", password="secret")


def test_orders_of_two_protocols_meet_and_a_client_that_comes_back_hears_what_it_missed() -> None:
    ports = (MINE, OrderPort(protocol="ouch50"))
    config = VenueConfig(**QUIET, flow=Flow(source="none"), ports=ports, order_latency_us=300, answer_latency_us=200)

    async def body(server: Server) -> None:
        old, new = (each["port"] for each in server.ports["orders"])
        stranger = await Client.login(old, "me", "wrong")
        assert await stranger.until(1) == [b"A"]
        first, other = await Client.login(old, "ME", "SECRET"), await Client.login(new)
        first.send(enter42("A1", "B", 100))
        assert [m[:1] for m in (await first.until(2))[1:]] == [b"A"]
        twice = await Client.login(old, "me", "secret")
        assert await twice.until(1) == [b"S"]
        first.writer.close()
        await asyncio.sleep(0.05)
        other.send(enter50(1, "S", 40))
        told = (await other.until(3))[1:]
        assert [appendage.unpack(ouch50.OUTBOUND, m)[1]["type"] for m in told] == ["A", "E"]
        again = await Client.login(old, "me", "secret", 2)
        told = (await again.until(3))[1:]
        assert [ouch42.OUTBOUND.unpack(m)["type"] for m in told] == ["A", "E"]
        copies = await Client.login(server.ports["drop_copy"], number=1)
        assert len(await copies.until(3)) == 3

    server = with_server(config, body)
    assert server.day.venue.core.counters["matches"] == 1


def test_what_a_port_has_open_is_cancelled_when_it_leaves_if_it_says_so() -> None:
    config = VenueConfig(
        **QUIET, flow=Flow(source="none"), ports=(OrderPort(cancel_on_disconnect=True), OrderPort()),
    )  # fmt: skip

    async def body(server: Server) -> None:
        for n, each in enumerate(server.ports["orders"]):
            client = await Client.login(each["port"])
            client.send(enter42(f"A{n}", "B", 100))
            await client.until(2)
            client.writer.close()
        await asyncio.sleep(0.1)

    server = with_server(config, body)
    assert [server.day.entries[n].account.counts["cancelled"] for n in (0, 1)] == [1, 0]


def test_two_feeds_one_of_them_lossy_make_the_book_and_a_snapshot_makes_it_later() -> None:
    a, b = receiver(), receiver()
    feeds = (
        Feed(port=a.getsockname()[1], loss=0.2),
        Feed(port=b.getsockname()[1], delay_us=500, jitter_us=500),
    )
    flow = Flow(messages=4000, orders=50, rate=4000.0, speed=4.0)
    config = VenueConfig(symbols=("HPNA",), flow=flow, feeds=feeds, luld_tiers=(1,))
    heard: dict[int, dict[int, bytes]] = {0: {}, 1: {}}
    late: list[bytes] = []

    def take(feed: int, payload: bytes) -> None:
        packet = moldudp64.unpack(payload)
        for n, message in enumerate(packet.messages, packet.sequence_number):
            assert heard[feed].setdefault(n, message) == message

    async def listen(feed: int, made: socket.socket) -> None:
        loop = asyncio.get_running_loop()
        while True:
            take(feed, await loop.sock_recv(made, 2048))

    async def body(server: Server) -> None:
        loop = asyncio.get_running_loop()
        tasks = [asyncio.create_task(listen(n, made)) for n, made in enumerate((a, b))]
        while server.day.venue.core.counters["commands"] < 1500:
            await asyncio.sleep(0.01)
        client = await Client.login(server.ports["snapshot"])
        late.extend(await client.until_ends(b"G"))
        while not server.day.is_over:
            await asyncio.sleep(0.01)
        await asyncio.sleep(0.1)
        count = len(server.day.venue.publication)
        asker = receiver()
        for n in range(1, count + 1):
            while n not in heard[0]:
                request = moldudp64.request("HAIRPIN", n, 10)
                await loop.sock_sendto(asker, request, ("127.0.0.1", server.ports["rerequests"][0]))
                take(0, await asyncio.wait_for(loop.sock_recv(asker, 2048), 2))
        asker.close()
        for task in tasks:
            task.cancel()
        assert {task.cancelled() or not task.done() for task in tasks} == {True}

    server = with_server(config, body)
    a.close()
    b.close()
    day, publication = server.day, server.day.venue.publication
    again = Day(config)
    again.run()
    assert again.venue.result() == day.venue.result(), "what the clock did has no part in it"
    assert server.feed_counts["lost"] > 0
    assert server.feed_counts["rerequests"] > 0
    assert [heard[0][n] for n in range(1, len(publication) + 1)] == [publication[i] for i in range(len(publication))]
    assert heard[0].items() >= heard[1].items()
    books = Books(day)
    for message in late[1:-1]:
        books.take(message)
    for n in range(int(late[-1][1:]), len(publication) + 1):
        books.take(heard[0][n])
    books.check()


def test_a_session_goes_on_at_its_other_port_when_one_dies() -> None:
    config = VenueConfig(**QUIET, flow=Flow(source="none"), ports=(OrderPort(backup_port=0), OrderPort()))

    async def body(server: Server) -> None:
        mine, theirs = server.ports["orders"]
        first, other = await Client.login(mine["port"], number=1), await Client.login(theirs["port"])
        first.send(enter42("A1", "B", 100))
        await first.until(3)
        second = await Client.login(mine["backup_port"])
        assert await second.until(1) == [b"S"], "one session at a time, whichever the port"
        server.lose(mine["port"])
        assert await asyncio.wait_for(first.reader.read(), PATIENCE) == b""
        with pytest.raises(ConnectionRefusedError):
            await Client.login(mine["port"])
        other.send(enter42("B1", "S", 60))
        await other.until(3)
        second = await Client.login(mine["backup_port"], number=3)
        assert [payload[:1] for payload in (await second.until(2))[1:]] == [b"E"], "what happened meanwhile, and only that"
        second.send(enter42("A2", "B", 10))
        assert (await second.until(3))[2][:1] == b"A"
        for client in (first, second, other):
            client.writer.close()

    server = with_server(config, body)
    account = server.day.entries[0].account
    assert (account.counts["accepted"], account.counts["executed"]) == (2, 1)


def test_a_re_request_server_serves_when_the_other_one_is_dead() -> None:
    config = VenueConfig(**QUIET, flow=Flow(source="none"), rerequest_ports=(0, 0, 0))

    async def body(server: Server) -> None:
        loop, asker = asyncio.get_running_loop(), receiver()
        ports = server.ports["rerequests"]
        assert len(set(ports)) == 3
        server.lose_rerequests(ports[0])
        await asyncio.sleep(0)
        answers = []
        for port in ports:
            await loop.sock_sendto(asker, moldudp64.request("HAIRPIN", 1, 3), ("127.0.0.1", port))
        for _ in ports[1:]:
            answer, source = await asyncio.wait_for(loop.sock_recvfrom(asker, 2048), PATIENCE)
            answers.append((source[1], moldudp64.unpack(answer).messages))
        asker.close()
        publication = server.day.venue.publication
        wanted = tuple(publication[i] for i in range(3))
        assert sorted(answers) == [(port, wanted) for port in sorted(ports[1:])]
        # What comes last, and has been answered, says that the dead one kept silent.
        assert server.feed_counts["rerequests"] == 2

    with_server(config, body)


def test_a_fix_port_without_a_session_layer_is_refused() -> None:
    async def start() -> None:
        server = Server(Day(VenueConfig(**QUIET, flow=Flow(source="none"), ports=(OrderPort(), OrderPort(protocol="fix44")))))
        with pytest.raises(ValueError, match="HAIRPIN, port 2: no session layer for fix44"):
            await server.start()
        await server.stop()

    asyncio.run(start())
