"""Acceptor and initiator over TCP: several sessions, lost connections, errors of an application."""

import asyncio
from pathlib import Path

import pytest

from control.gateway.fix.acceptor import Acceptor
from control.gateway.fix.initiator import Initiator
from control.gateway.fix.session import Session, State
from control.gateway.fix.settings import Identity, Settings
from control.gateway.fix.store import FileStore, MemoryStore
from tests.control.fix.loopback import free_port, order, until
from tests.control.fix.pair import Inbox
from wire.fix.message import Message


def made(version: str, sender: str, target: str, inbox: Inbox, **settings: object) -> Session:
    return Session(Settings(Identity(version, sender, target), **settings), MemoryStore(), inbox)  # type: ignore[arg-type]


def test_several_sessions_share_a_port() -> None:
    async def scenario() -> None:
        clients = [("FIX.4.2", "C1"), ("FIX.4.4", "C1"), ("FIX.5.0SP2", "C1"), ("FIX.4.4", "C2")]
        inboxes = [Inbox() for _ in clients]
        pairs = zip(clients, inboxes, strict=True)
        acceptor = Acceptor([made(version, "HUB", name, inbox) for (version, name), inbox in pairs])
        await acceptor.start()
        sessions = [made(version, name, "HUB", Inbox(), initiator=True) for version, name in clients]
        initiators = [Initiator(each, "127.0.0.1", acceptor.port, (0.05, 0.2)) for each in sessions]
        running = [asyncio.ensure_future(each.run()) for each in initiators]
        await until(lambda: all(each.state == State.LOGGED_ON for each in sessions))
        for n, session in enumerate(sessions):
            order(session, f"order-{n}")
        await until(lambda: all(inbox.texts for inbox in inboxes))
        assert [inbox.texts for inbox in inboxes] == [[f"order-{n}"] for n in range(len(clients))]
        await acceptor.stop("closing time")
        assert all(inbox.events[-1] for inbox in inboxes)
        await asyncio.gather(*(each.stop() for each in initiators), *running)

    asyncio.run(scenario())


def test_an_initiator_comes_back_until_someone_listens(tmp_path: Path) -> None:
    async def scenario() -> None:
        port, inbox = free_port(), Inbox()
        store = FileStore(tmp_path / "client")
        session = Session(Settings(Identity("FIX.4.4", "C", "HUB"), initiator=True), store, Inbox())
        initiator = Initiator(session, "127.0.0.1", port, (0.02, 0.1))
        running = asyncio.ensure_future(initiator.run())
        order(session, "early")
        await until(lambda: initiator.attempts >= 3)
        hub = made("FIX.4.4", "HUB", "C", inbox)
        for _ in range(2):
            acceptor = Acceptor([hub])
            await acceptor.start(port=port)
            await until(lambda: session.state == State.LOGGED_ON)
            await acceptor.stop()
        await until(lambda: inbox.texts == ["early"])
        await initiator.stop()
        await running
        store.close()

    asyncio.run(scenario())


def test_an_error_in_the_application_ends_the_connection_and_the_message_comes_again() -> None:
    class Failing(Inbox):
        failures = 1

        def on_message(self, session: Session, message: Message) -> None:
            if self.failures:
                self.failures -= 1
                raise RuntimeError("not now")
            super().on_message(session, message)

    async def scenario() -> None:
        inbox = Failing()
        acceptor = Acceptor([made("FIX.4.4", "HUB", "C", inbox)])
        await acceptor.start()
        session = made("FIX.4.4", "C", "HUB", Inbox(), initiator=True)
        initiator = Initiator(session, "127.0.0.1", acceptor.port, (0.02, 0.1))
        running = asyncio.ensure_future(initiator.run())
        await until(lambda: session.state == State.LOGGED_ON)
        order(session, "one")
        await until(lambda: inbox.texts == ["one"])
        assert inbox.failures == 0
        assert initiator.attempts == 2
        await initiator.stop()
        await acceptor.stop()
        await running

    asyncio.run(scenario())


def test_a_stranger_is_closed_without_a_word() -> None:
    async def scenario() -> None:
        acceptor = Acceptor([made("FIX.4.4", "HUB", "C", Inbox())])
        await acceptor.start()
        for words in (b"GET / HTTP/1.1\r\n\r\n8=FIX.4.4\x019=5\x0135=0\x0110=163\x01", b"8=FIX.4.4\x019=x\x0110=1\x01"):
            reader, writer = await asyncio.open_connection("127.0.0.1", acceptor.port)
            writer.write(words)
            assert await asyncio.wait_for(reader.read(), 5) == b""
            writer.close()
        await acceptor.stop()

    asyncio.run(scenario())


def test_sessions_must_differ_and_accept() -> None:
    one = made("FIX.4.4", "HUB", "C", Inbox())
    with pytest.raises(ValueError, match="twice"):
        Acceptor([one, made("FIX.4.4", "HUB", "C", Inbox())])
    with pytest.raises(ValueError, match="initiator"):
        Acceptor([made("FIX.4.4", "HUB", "C", Inbox(), initiator=True)])
    with pytest.raises(ValueError, match="initiator"):
        Initiator(one, "127.0.0.1", 1)
