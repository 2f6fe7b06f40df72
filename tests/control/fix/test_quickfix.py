"""Sessions with the real QuickFIX, in both roles: orders, reports, lost connections, what was sent meanwhile."""

import asyncio
import importlib.util
import sys
from pathlib import Path

import pytest

from control.gateway.fix.acceptor import Acceptor
from control.gateway.fix.initiator import Initiator
from control.gateway.fix.session import Session, State
from control.gateway.fix.settings import Identity, Settings
from control.gateway.fix.store import FileStore
from tests.control.fix.loopback import PATIENCE, free_port, order, until
from tests.shared_data import ROOT
from wire.fix.message import Message

pytestmark = [
    pytest.mark.oracle,
    pytest.mark.skipif(importlib.util.find_spec("quickfix") is None, reason="quickfix-ssl is not installed"),
]
VERSIONS = ["FIX.4.2", "FIX.4.4", "FIX.5.0SP2"]
ORDERS = 50


class Desk:
    """Answers every order with a report, keeps what came in."""

    def __init__(self) -> None:
        self.orders: list[str] = []
        self.reports: list[str] = []

    def on_logon(self, session: Session) -> None: ...

    def on_logout(self, session: Session, reason: str) -> None: ...

    def may_resend(self, session: Session, message: Message) -> bool:
        return True

    def on_message(self, session: Session, message: Message) -> None:
        order_id = message.text(11)
        if message.type == b"8":
            self.reports.append(order_id)
            return
        self.orders.append(order_id)
        number = len(self.orders)
        body = [(37, f"O{number}"), (17, f"E{number}"), (150, "0"), (39, "0"), (11, order_id), (55, "MSFT"), (54, "1")]
        body += [(20, "0")] if session.settings.identity.version == "FIX.4.2" else []
        session.send("8", [*body, (151, 100), (14, 0), (6, 0)])


class QuickFix:
    """The peer's process: commands in, events out."""

    def __init__(self, process: asyncio.subprocess.Process) -> None:
        self._process = process
        self.events: list[str] = []
        self._reading = asyncio.ensure_future(self._read())

    @classmethod
    async def start(
        cls, role: str, version: str, port: int | str, folder: Path, sender: str, target: str,
        module: str = "tests.control.fix.quickfix_peer",
    ) -> "QuickFix":  # fmt: skip
        words = [sys.executable, "-m", module, role, version, str(port), str(folder), sender, target]
        pipe = asyncio.subprocess.PIPE
        peer = cls(await asyncio.create_subprocess_exec(*words, stdin=pipe, stdout=pipe, cwd=ROOT))
        await until(lambda: "ready" in peer.events)
        return peer

    async def _read(self) -> None:
        assert self._process.stdout is not None
        async for line in self._process.stdout:
            self.events.append(line.decode().strip())

    def tell(self, *words: str) -> None:
        assert self._process.stdin is not None
        self._process.stdin.write((" ".join(words) + "\n").encode())

    def ids(self, event: str) -> list[str]:
        return [line.split()[1] for line in self.events if line.split()[0] == event]

    async def stop(self) -> None:
        self.tell("stop")
        await asyncio.wait_for(self._process.wait(), PATIENCE)
        await self._reading


async def converse(ours: Session, desk: Desk, peer: QuickFix) -> None:
    """Orders both ways, and a report for each."""
    names = [f"Q{n}" for n in range(ORDERS)]
    for name in names:
        peer.tell("send", name)
    mine = [f"H{n}" for n in range(ORDERS)]
    for name in mine:
        order(ours, name)
    await until(lambda: len(desk.reports) == ORDERS and len(peer.ids("report")) == ORDERS)
    assert (desk.orders, peer.ids("report")) == (names, names)
    assert (peer.ids("order"), desk.reports) == (mine, mine)


async def catch_up(ours: Session, desk: Desk, peer: QuickFix) -> None:
    """What either side sent while they were apart has arrived, once, in order."""
    await until(lambda: ours.state == State.LOGGED_ON)
    await until(lambda: len(desk.reports) == ORDERS + 3 and len(peer.ids("report")) == ORDERS + 3)
    assert peer.ids("order")[ORDERS:] == ["apart-0", "apart-1", "apart-2"]
    assert desk.orders[ORDERS:] == ["away-0", "away-1", "away-2"]
    assert desk.reports[ORDERS:] == ["apart-0", "apart-1", "apart-2"]
    assert not [line for line in peer.events if line.startswith(("reject", "other"))]


def apart(ours: Session, peer: QuickFix) -> None:
    for n in range(3):
        order(ours, f"apart-{n}")
        peer.tell("send", f"away-{n}")


@pytest.mark.parametrize("version", VERSIONS)
def test_our_acceptor_and_their_initiator(version: str, tmp_path: Path) -> None:
    async def scenario() -> None:
        desk = Desk()
        store = FileStore(tmp_path / "ours")
        session = Session(Settings(Identity(version, "HAIRPIN", "QF")), store, desk)
        acceptor = Acceptor([session])
        await acceptor.start()
        port = acceptor.port
        peer = await QuickFix.start("initiator", version, port, tmp_path, "QF", "HAIRPIN")
        await until(lambda: session.state == State.LOGGED_ON)
        await converse(session, desk, peer)
        for link in list(acceptor._links):
            link.close("cut")
        await until(lambda: session.state == State.DISCONNECTED)
        apart(session, peer)
        await catch_up(session, desk, peer)
        peer.tell("logout")
        await until(lambda: session.state == State.DISCONNECTED)
        await peer.stop()
        await acceptor.stop()
        store.close()

    asyncio.run(scenario())


@pytest.mark.parametrize("version", VERSIONS)
def test_our_initiator_and_their_acceptor(version: str, tmp_path: Path) -> None:
    async def scenario() -> None:
        desk = Desk()
        store = FileStore(tmp_path / "ours")
        session = Session(Settings(Identity(version, "HAIRPIN", "QF"), initiator=True, heartbeat=5), store, desk)
        port = free_port()
        peer = await QuickFix.start("acceptor", version, port, tmp_path, "QF", "HAIRPIN")
        initiator = Initiator(session, "127.0.0.1", port, backoff=(0.2, 1.0))
        running = asyncio.ensure_future(initiator.run())
        await until(lambda: session.state == State.LOGGED_ON)
        await converse(session, desk, peer)
        assert initiator._link is not None
        initiator._link.close("cut")
        await until(lambda: session.state == State.DISCONNECTED)
        apart(session, peer)
        await catch_up(session, desk, peer)
        await initiator.stop()
        await running
        await peer.stop()
        store.close()

    asyncio.run(scenario())
