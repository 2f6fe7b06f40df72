"""The exchange's FIX ports with the real QuickFIX as the client: trades, refusals, lost ports, what was missed meanwhile."""

import asyncio
import importlib.util
import socket
from collections import Counter
from pathlib import Path

import pytest

from control.exchange_fix import FixGateway
from control.gateway.fix.session import State
from sim.exchange.config import Feed, Flow, OrderPort, VenueConfig
from sim.exchange.server import Server
from tests.control.fix.loopback import until
from tests.control.fix.test_quickfix import QuickFix
from tests.sim.exchange.test_exchange_day import Books
from tests.sim.exchange.test_exchange_ports import MIDDLE, enter42
from tests.sim.exchange.test_exchange_server import QUIET, Client, receiver, with_server
from wire import moldudp64

pytestmark = [
    pytest.mark.oracle,
    pytest.mark.skipif(importlib.util.find_spec("quickfix") is None, reason="quickfix-ssl is not installed"),
]
VERSIONS = {"fix42": "FIX.4.2", "fix44": "FIX.4.4", "fix50": "FIX.5.0SP2"}
PATIENCE = 120.0


class FixPeer:
    """QuickFIX, told in fields and understood in fields."""

    def __init__(self, peer: QuickFix) -> None:
        self.peer = peer

    @classmethod
    async def start(cls, name: str, ports: str, folder: Path) -> "FixPeer":
        made = "tests.sim.exchange.quickfix_client"
        return cls(await QuickFix.start("initiator", VERSIONS[name], ports, folder, "QF", "VENUE", made))

    def send(self, kind: str, **fields: object) -> None:
        given = ({} if kind == "F" else {"t21": "1"}) | {"t55": "AAA", "t54": "1", **fields}
        self.peer.tell("raw", kind, "|".join(f"{name[1:]}={value}" for name, value in given.items()))

    def new(self, name: str, side: str, shares: int, price: str = "100") -> None:
        self.send("D", t11=name, t54=side, t38=shares, t40="2", t44=price)

    @property
    def heard(self) -> list[dict[str, str]]:
        lines = [line.split(" ", 1)[1] for line in self.peer.events if line.startswith("app ")]
        return [dict(pair.split("=", 1) for pair in line.split("|") if "=" in pair) for line in lines]

    async def until(self, count: int) -> list[dict[str, str]]:
        try:
            await until(lambda: len(self.heard) >= count)
        except TimeoutError:
            raise AssertionError(f"{count} wanted: {self.peer.events}") from None
        return self.heard

    def refused(self) -> list[str]:
        return [line for line in self.peer.events if line.startswith("reject")]


def config(name: str, feed: int = 0, **port: object) -> VenueConfig:
    ports = (OrderPort(protocol=name, sender="VENUE", target="QF", firm="FRMC", **port), OrderPort())  # type: ignore[arg-type]
    return VenueConfig(**QUIET, flow=Flow(source="none"), ports=ports, feeds=(Feed(port=feed), Feed()))


async def listen(made: socket.socket, messages: list[bytes]) -> None:
    while True:
        packet = moldudp64.unpack(await asyncio.get_running_loop().sock_recv(made, 2048))
        if packet.sequence_number == len(messages) + 1:
            messages += packet.messages


@pytest.mark.parametrize("name", VERSIONS)
def test_quickfix_trades_and_the_feed_shows_it(name: str, tmp_path: Path) -> None:
    feed, messages = receiver(), list[bytes]()
    fills = ["1", "2"] if name == "fix42" else ["F", "F"]

    async def body(server: Server) -> None:
        listening = asyncio.create_task(listen(feed, messages))
        fix, ouch = (each["port"] for each in server.ports["orders"])
        peer, other = await FixPeer.start(name, str(fix), tmp_path), await Client.login(ouch)
        peer.new("C1", "1", 100)
        await peer.until(1)
        other.send(enter42("S1", "S", 40))
        await peer.until(2)
        peer.send("G", t41="C1", t11="C2", t38=90, t40="2", t44="99.5")
        await peer.until(3)
        other.send(enter42("S2", "S", 20, MIDDLE - 5_000))
        await peer.until(4)
        peer.send("F", t41="C2", t11="X1", t38=90)
        peer.send("F", t41="C2", t11="X2", t38=90)
        peer.new("Z1", "1", 100)
        peer.send("D", t11="Z1", t54="1", t38=10, t40="2", t44="100")
        peer.send("D", t11="Z2", t55="NONE", t38=10, t40="2", t44="100")
        peer.send("G", t41="C1", t11="C9", t38=10, t40="2", t44="100")
        heard = await peer.until(10)
        assert [each["35"] for each in heard] == ["8"] * 5 + ["9", "8", "8", "8", "9"]
        kinds = ["0", fills[0], "5", fills[0], "4", "0", "8", "8"]
        assert [each["150"] for each in heard if each["35"] == "8"] == kinds
        assert [each.get("14") for each in heard[:5]] == ["0", "40", "40", "60", "60"]
        assert [each["151"] for each in heard[:5]] == ["100", "60", "50", "30", "0"]
        assert [each["103"] for each in heard if "103" in each] == ["6", "1"]
        assert [each["102"] for each in heard if each["35"] == "9"] == ["0", "0"]
        ids = [each["17"] for each in heard if each["35"] == "8"]
        assert len(set(ids)) == len(ids)
        assert peer.refused() == []
        await until(lambda: len(messages) == len(server.day.venue.publication))
        books = Books(server.day)
        for message in messages:
            books.take(message)
        books.check()
        assert books.depth(0, 0) == [(MIDDLE, 100, 1)]
        await peer.peer.stop()
        other.writer.close()
        listening.cancel()

    with_server(config(name, feed.getsockname()[1]), body, FixGateway, PATIENCE)
    feed.close()


@pytest.mark.parametrize("name", VERSIONS)
def test_what_happens_while_quickfix_changes_ports_is_told_once(name: str, tmp_path: Path) -> None:
    async def body(server: Server) -> None:
        first, second = server.ports["orders"]
        ports = f"{first['port']},{first['backup_port']}"
        peer, other = await FixPeer.start(name, ports, tmp_path), await Client.login(second["port"])
        for n in range(5):
            peer.new(f"C{n}", "1", 100)
        await peer.until(5)
        server.lose(first["port"])
        gateway = server._gateways[0]
        assert isinstance(gateway, FixGateway)
        await until(lambda: gateway.session.state is State.DISCONNECTED)
        for n in range(7):
            other.send(enter42(f"S{n}", "S", 60))
        await other.until(18)
        peer.new("AWAY", "2", 10, "101")
        heard = await peer.until(5 + 10 + 1)
        await until(lambda: peer.peer.events.count("logon") == 2)
        executed = Counter()
        for each in heard:
            executed[each["11"]] += int(each.get("32", 0))
        assert executed == Counter({"C0": 100, "C1": 100, "C2": 100, "C3": 100, "C4": 20, "AWAY": 0})
        ids = [each["17"] for each in heard]
        assert len(set(ids)) == len(ids) == 16
        assert peer.refused() == []
        assert gateway.session.counters["resent"] > 0
        with pytest.raises(OSError, match=r"."):
            await asyncio.open_connection("127.0.0.1", first["port"])
        await peer.peer.stop()
        other.writer.close()

    with_server(config(name, backup_port=0, store=tmp_path / "ours"), body, FixGateway, PATIENCE)
    assert [path.name for path in (tmp_path / "ours").iterdir()] == [f"HAIRPIN-{name}-VENUE-QF.fix"]


def test_an_exchange_that_was_started_anew_goes_on_with_the_session(tmp_path: Path) -> None:
    ids: list[str] = []

    async def body(server: Server) -> None:
        peer = await FixPeer.start("fix44", str(server.ports["orders"][0]["port"]), tmp_path)
        peer.new("C1", "1", 100)
        (report,) = await peer.until(1)
        assert (report["39"], report["151"]) == ("0", "100"), "orders do not outlive the exchange, their names are free again"
        ids.append(report["17"])
        gateway = server._gateways[0]
        assert isinstance(gateway, FixGateway)
        sent.append(gateway.store.next_sent)
        await peer.peer.stop()

    sent: list[int] = []
    for _ in range(2):
        with_server(config("fix44", store=tmp_path / "ours"), body, FixGateway, PATIENCE)
    assert ids[0] != ids[1], "ExecIDs of two runs differ"
    assert sent[1] > sent[0] > 2, "numbers go on"


def test_latencies_and_cancel_on_disconnect_hold_for_fix_too(tmp_path: Path) -> None:
    settings = config("fix44", cancel_on_disconnect=True).model_copy(
        update={"order_latency_us": 3000.0, "answer_latency_us": 2000.0}
    )

    async def body(server: Server) -> None:
        loop = asyncio.get_running_loop()
        peer = await FixPeer.start("fix44", str(server.ports["orders"][0]["port"]), tmp_path)
        for n in range(20):
            peer.new(f"C{n}", "1", 100)
        heard = await peer.until(20)
        assert [each["11"] for each in heard] == [f"C{n}" for n in range(20)]
        begin = loop.time()
        peer.new("LAST", "1", 100)
        await peer.until(21)
        assert loop.time() - begin > 0.005
        await peer.peer.stop()
        await until(lambda: server.day.venue.core.counters["orders_open"] == 0)

    with_server(settings, body, FixGateway, PATIENCE)
