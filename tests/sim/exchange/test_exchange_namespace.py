"""`hairpin exchange` in a network namespace of its own: multicast, re-requests, a snapshot and orders over a virtual cable."""

from __future__ import annotations

import asyncio
import json
import os
import random
import socket
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.shared_data import ROOT
from tests.sim.exchange.test_exchange_ports import enter42
from tests.sim.exchange.test_exchange_server import Client
from wire import itch, moldudp64, ouch42

PATIENCE = 120.0
NET = f"10.{100 + os.getpid() % 100}.{os.getpid() // 100 % 250}"
NEAR, FAR = f"{NET}.1", f"{NET}.2"
GROUPS, FEED_PORT = ("239.77.1.1", "239.77.1.2"), 26_477

pytestmark = pytest.mark.skipif(os.geteuid() != 0, reason="network namespaces are root's")


@pytest.fixture
def namespace() -> Iterator[str]:
    """A namespace with one end of a cable, whose other end is here."""
    name = f"hx{os.getpid() % 10_000}"
    steps = [
        f"ip netns add {name}",
        f"ip link add {name}a type veth peer name {name}b netns {name}",
        f"ip addr add {NEAR}/30 dev {name}a",
        f"ip link set {name}a up",
        f"ip -n {name} addr add {FAR}/30 dev {name}b",
        f"ip -n {name} link set {name}b up",
        f"ip -n {name} link set lo up",
        f"ip -n {name} route add 224.0.0.0/4 dev {name}b",
    ]
    try:
        for step in steps:
            done = subprocess.run(step.split(), capture_output=True, text=True, check=False)
            if done.returncode:
                pytest.skip(f"no virtual interface: {done.stderr.strip()}")
        yield name
    finally:
        subprocess.run(["ip", "netns", "del", name], capture_output=True, check=False)


class Book:
    """The displayed orders, and what has traded."""

    def __init__(self) -> None:
        self.orders: dict[int, dict[str, Any]] = {}
        self.matches: set[int] = set()
        self.open = False

    def take(self, fields: dict[str, Any]) -> None:
        kind, reference = fields["type"], fields.get("order_reference")
        if kind in "AF":
            self.orders[reference] = {name: fields[name] for name in ("stock", "side", "price", "shares")}
        elif kind in "EC":
            self.matches.add(fields["match_number"])
            self.reduce(reference, fields["executed_shares"])
        elif kind == "X":
            self.reduce(reference, fields["cancelled_shares"])
        elif kind == "D":
            del self.orders[reference]
        elif kind == "U":
            old = self.orders.pop(fields["original_order_reference"])
            self.orders[fields["new_order_reference"]] = old | {"price": fields["price"], "shares": fields["shares"]}
        elif kind == "P":
            self.matches.add(fields["match_number"])
        elif kind == "Q":
            self.open = True

    def reduce(self, reference: int, shares: int) -> None:
        self.orders[reference]["shares"] -= shares
        assert self.orders[reference]["shares"] >= 0
        if not self.orders[reference]["shares"]:
            del self.orders[reference]

    def best_offer(self, stock: str) -> int:
        return min(order["price"] for order in self.orders.values() if (order["stock"], order["side"]) == (stock, "S"))


class Follower:
    """Both feeds, what is missing of them asked for of two servers in turn, and the book."""

    def __init__(self, venue: str, servers: list[int]) -> None:
        self.venue, self.servers = venue, servers
        self.waiting: dict[int, bytes] = {}
        self.next, self.asked, self.repaired = 1, 0, 0
        self.book, self.history = Book(), list[dict[str, Any]]()
        self.tasks: list[asyncio.Task[None]] = []
        self.feeds = [self._join(group) for group in GROUPS]
        self.asker = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self.asker.setblocking(False)

    @staticmethod
    def _join(group: str) -> socket.socket:
        made = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        made.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 1 << 22)
        made.bind((group, FEED_PORT))
        made.setsockopt(socket.IPPROTO_IP, socket.IP_ADD_MEMBERSHIP, socket.inet_aton(group) + socket.inet_aton(NEAR))
        made.setblocking(False)
        return made

    async def listen(self, made: socket.socket) -> None:
        while True:
            payload = await asyncio.get_running_loop().sock_recv(made, 2048)
            packet = moldudp64.unpack(payload)
            self.repaired += len(packet.messages) if made is self.asker else 0
            for n, message in enumerate(packet.messages, packet.sequence_number):
                if n >= self.next:
                    assert self.waiting.setdefault(n, message) == message
            while (message := self.waiting.pop(self.next, None)) is not None:
                self.history.append(itch.ITCH.unpack(message))
                self.book.take(self.history[-1])
                self.next += 1

    async def ask(self) -> None:
        """Asks for the first gap, again and again, each time of the other server."""
        while True:
            await asyncio.sleep(0.01)
            if self.waiting:
                request = moldudp64.request(self.venue, self.next, min(self.waiting) - self.next)
                server = self.servers[self.asked % len(self.servers)]
                self.asked += 1
                await asyncio.get_running_loop().sock_sendto(self.asker, request, (FAR, server))

    async def until(self, condition: Any) -> None:
        """Waits for the condition; an error in what listens is one here."""
        while not condition():
            await asyncio.sleep(0.005)
            for task in self.tasks:
                if task.done():
                    task.result()

    def close(self) -> None:
        for made in (*self.feeds, self.asker):
            made.close()


async def trade(ports: dict[str, Any], seed: int) -> Follower:
    """Follows the feed, buys at the best offer until it has, and compares the book with a snapshot's."""
    follower = Follower(ports["venue"], ports["rerequests"])
    tasks = follower.tasks
    tasks += [asyncio.create_task(follower.listen(made)) for made in (*follower.feeds, follower.asker)]
    tasks.append(asyncio.create_task(follower.ask()))
    client = await Client.login(ports["orders"][0]["port"], host=FAR)
    await follower.until(lambda: follower.book.open)
    dice, filled, tokens = random.Random(seed), list[int](), 0

    def executed() -> list[int]:
        told = [packet.payload for packet in client.packets if packet.code == "S" and packet.payload[:1] == b"E"]
        return [ouch42.OUTBOUND.unpack(message)["match_number"] for message in told]

    while len(filled) < 5:
        tokens += 1
        stock = dice.choice(("HPNA", "HPNB"))
        client.send(enter42(f"T{tokens}", "B", 100, follower.book.best_offer(stock), stock=stock, time_in_force=0))
        # Accepted, then executed or cancelled: both end the order.
        while sum(packet.payload[:1] in (b"E", b"C") for packet in client.packets if packet.code == "S") < tokens:
            client.packets += client.splitter.feed(await asyncio.wait_for(client.reader.read(65_536), PATIENCE))
        filled = executed()
    await follower.until(lambda: follower.book.matches >= set(filled))
    late = await Client.login(ports["snapshot"], host=FAR)
    *state, end = await late.until_ends(b"G")
    number = int(end[1:])
    wanted = [itch.ITCH.unpack(message) for message in state if message[:1] in (b"A", b"F")]
    book = {each["order_reference"]: {name: each[name] for name in ("stock", "side", "price", "shares")} for each in wanted}
    await follower.until(lambda: follower.next >= number)
    then = Book()
    for fields in follower.history[: number - 1]:
        then.take(fields)
    assert then.orders == book
    for task in tasks:
        task.cancel()
    await asyncio.gather(*tasks, return_exceptions=True)
    for each in (client, late):
        each.writer.close()
    follower.close()
    return follower


def test_a_client_outside_follows_re_requests_and_trades(namespace: str, tmp_path: Path) -> None:
    path = tmp_path / "exchange.toml"
    feeds = ", ".join(f'{{address = "{group}", port = {FEED_PORT}, loss = 0.15}}' for group in GROUPS)
    path.write_text(f"""
        [[venues]]
        name = "INSIDE"
        host = "{FAR}"
        symbols = ["HPNA", "HPNB"]
        ports = [{{protocol = "ouch42"}}]
        feeds = [{feeds}]
        flow = {{seed = 3, rate = 1000.0, messages = 200000, orders = 100}}
    """)
    command = ["ip", "netns", "exec", namespace, sys.executable, "-m", "control.cli", "exchange", str(path)]
    with subprocess.Popen(command, cwd=ROOT, stderr=subprocess.PIPE, stdout=subprocess.DEVNULL, text=True) as running:
        try:
            assert running.stderr is not None
            ports = json.loads(running.stderr.readline())
            assert ports["host"] == FAR
            follower = asyncio.run(asyncio.wait_for(trade(ports, 1), PATIENCE))
        finally:
            running.kill()
    assert follower.repaired > 0, "what both feeds had lost came from the re-request servers"
    assert follower.asked >= 2, "of both of them"
