"""The client of SoupBinTCP: no message missed and none twice, whatever happens to its connections."""

import asyncio
import random
import time

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from control.gateway.soupbin import TIMEOUT_NS, Client, Ended, Event, Link, LoggedIn, Message, Refused, SessionError
from wire import soupbintcp

SECOND = 1_000_000_000


def server_stream(first: int, messages: list[bytes]) -> bytes:
    return soupbintcp.login_accepted("S1", first) + b"".join(map(soupbintcp.sequenced, messages))


@settings(max_examples=100, deadline=None)
@given(
    messages=st.lists(st.binary(max_size=40), max_size=20),
    cuts=st.lists(st.integers(1, 30), min_size=1, max_size=60),
    loss=st.integers(0, 900),
)
def test_messages_come_once_and_in_order_over_two_connections(messages, cuts, loss) -> None:
    client, got = Client("user", "secret"), []

    def carry(stream: bytes) -> None:
        at, n = 0, 0
        while at < len(stream):
            step = cuts[n % len(cuts)]
            got.extend(event for event in client.receive(stream[at : at + step], 0) if isinstance(event, Message))
            at, n = at + step, n + 1

    client.connect(0)
    carry(server_stream(1, messages)[:loss])
    request = soupbintcp.parse_login_request(soupbintcp.packets(client.connect(0))[0])
    assert request.sequence_number == 1 + len(got)
    carry(server_stream(request.sequence_number, messages[len(got) :]) + soupbintcp.end_of_session())
    assert got == [Message(n, payload) for n, payload in enumerate(messages, 1)]
    assert client.ended


def test_a_session_once_chosen_is_asked_for_by_name() -> None:
    client = Client("user", "secret", sequence=0)
    client.connect(0)
    assert client.receive(soupbintcp.login_accepted("S1", 17), 0) == [LoggedIn("S1", 17)]
    request = soupbintcp.parse_login_request(soupbintcp.packets(client.connect(0))[0])
    assert (request.session, request.sequence_number) == ("S1", 17)


@pytest.mark.parametrize(
    ("stream", "text"),
    [
        (soupbintcp.sequenced(b"x"), "before the login"),
        (soupbintcp.login_accepted("S1", 1) * 2, "second Login Accepted"),
        (soupbintcp.login_accepted("S1", 5), "next message is 5, asked for 1"),
        (soupbintcp.login_accepted("S2", 1), "session 'S2', asked for 'S1'"),
        (b"\0\1?", "expected one of"),
        (soupbintcp.client_heartbeat(), "expected one of"),
    ],
)
def test_what_cannot_come_ends_the_connection(stream: bytes, text: str) -> None:
    client = Client("user", "secret", session="S1")
    client.connect(0)
    with pytest.raises(SessionError, match=text):
        client.receive(stream, 0)


def test_time() -> None:
    client = Client("user", "secret")
    client.connect(0)
    with pytest.raises(SessionError, match="without a login"):
        client.send(b"x", 0)
    client.receive(soupbintcp.login_accepted("S1", 1), 0)
    assert client.tick(SECOND - 1) == b""
    assert client.send(b"order", SECOND - 1) == soupbintcp.unsequenced(b"order")
    assert client.tick(SECOND) == b""
    assert client.tick(2 * SECOND - 1) == soupbintcp.client_heartbeat()
    client.receive(soupbintcp.server_heartbeat(), 3 * SECOND)
    client.tick(3 * SECOND + TIMEOUT_NS - 1)
    with pytest.raises(SessionError, match=r"nothing came for 15\.0 s"):
        client.tick(3 * SECOND + TIMEOUT_NS)


class Server:
    """A port of an exchange whose connections die after a few packets, now and then before any."""

    def __init__(self, messages: list[bytes], seed: int, *, lives: int, refuses: bool = False) -> None:
        self.messages, self.random, self.lives, self.refuses = messages, random.Random(seed), lives, refuses
        self.served = 0

    async def __aenter__(self) -> "Server":
        self.server = await asyncio.start_server(self._serve, "127.0.0.1", 0)
        self.address = self.server.sockets[0].getsockname()
        return self

    async def __aexit__(self, *_: object) -> None:
        self.server.close()

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.served += 1
        request = soupbintcp.parse_login_request(soupbintcp.packets(await reader.readexactly(49))[0])
        if self.refuses:
            writer.write(soupbintcp.login_rejected("A"))
            writer.close()
            return
        rest = self.messages[request.sequence_number - 1 :]
        stream = soupbintcp.login_accepted("S1", request.sequence_number) + b"".join(map(soupbintcp.sequenced, rest))
        self.lives -= 1
        if self.lives > 0:
            writer.write(stream[: self.random.randrange(len(stream))])
        else:
            writer.write(stream + soupbintcp.end_of_session())
        await writer.drain()
        writer.close()


async def follow(client: Client, addresses: list[tuple[str, int]]) -> tuple[list[Event], Link]:
    events: list[Event] = []

    async def take(event: Event) -> None:
        events.append(event)

    link = Link(client, addresses, take, time.monotonic_ns, patience=0.001)
    await asyncio.wait_for(link.run(), 30)
    return events, link


@pytest.mark.parametrize("seed", range(5))
def test_two_ports_that_die_again_and_again_serve_one_session(seed: int) -> None:
    messages = [n.to_bytes(4, "big") for n in range(300)]

    async def run() -> None:
        async with Server(messages, seed, lives=20) as one, Server(messages, seed + 100, lives=20) as two:
            events, link = await follow(Client("user", "secret"), [one.address, two.address])
            got = [event for event in events if isinstance(event, Message)]
            assert got == [Message(n, payload) for n, payload in enumerate(messages, 1)]
            assert isinstance(events[-1], Ended)
            assert link.connections == one.served + two.served
            assert abs(one.served - two.served) <= 1

    asyncio.run(run())


def test_a_port_that_is_dead_or_refuses_is_passed_over_and_only_all_of_them_end_it() -> None:
    async def run() -> None:
        async with Server([b"x"], 1, lives=1) as good, Server([], 1, lives=9, refuses=True) as bad:
            dead = ("127.0.0.1", 1)
            events, link = await follow(Client("user", "secret"), [dead, bad.address, good.address])
            assert [type(event) for event in events] == [Refused, LoggedIn, Message, Ended]
            assert link.at == good.address
            with pytest.raises(SessionError, match=r"login refused \(A\)"):
                await follow(Client("user", "wrong"), [bad.address])

    asyncio.run(run())
