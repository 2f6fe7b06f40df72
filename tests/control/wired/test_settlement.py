"""Settlement against the exchange's own order ports, in both versions of OUCH: every order is answered, none trades by it."""

import asyncio
import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager

import pytest

from control.gateway.soupbin import Client
from control.wired.conversation import Address, Conversation, RefusedError, UnreachableError, everything, newest
from control.wired.settlement import Account, NewSessionError, Orders, Settled, clear, settle
from drivers.device import OpenOrder
from sim.exchange.config import Flow, OrderPort, VenueConfig
from sim.exchange.day import Day
from sim.exchange.server import Server
from wire import appendage, ouch42, ouch50
from wire.records import OuchVersion, Side, SlotState

STOCK, PRICE = "AAA", 1_000_000
BOTH = pytest.mark.parametrize("ouch", list(OuchVersion))


@contextmanager
def exchange(ouch: OuchVersion) -> Iterator[tuple[Address, Account]]:
    protocol = "ouch42" if ouch is OuchVersion.V4_2 else "ouch50"
    port = OrderPort(protocol=protocol, username="me", password="secret")
    server = Server(Day(VenueConfig(symbols=(STOCK,), auction=False, tick=100, flow=Flow(source="none"), ports=(port,))))
    started, stop = threading.Event(), asyncio.Event()
    found: dict[str, object] = {}

    async def whole() -> None:
        await server.start()
        found["loop"] = asyncio.get_running_loop()
        running = asyncio.create_task(server.run())
        started.set()
        await stop.wait()
        running.cancel()
        await server.stop()

    thread = threading.Thread(target=asyncio.run, args=(whole(),), daemon=True)
    thread.start()
    assert started.wait(30)
    try:
        yield Address("127.0.0.1", server.ports["orders"][0]["port"]), Account("ME", "SECRET", ouch, "HP")
    finally:
        found["loop"].call_soon_threadsafe(stop.set)  # type: ignore[attr-defined]
        thread.join(20)


def order(generation: int, state: SlotState, *, pending: int = 0, remaining: int = 100) -> OpenOrder:
    return OpenOrder(generation << 12, 0, Side.BUY, 1, state, 1, PRICE, remaining, 0, pending << 12, PRICE, 0, False)


def enter(account: Account, generation: int, shares: int = 100) -> bytes:
    common = {"side": "B", "price": PRICE, "display": "Y", "capacity": "P", "cross_type": "N"}
    common |= {"intermarket_sweep_eligibility": "N"}
    name = account.speech.name(generation << 12)
    if account.ouch is OuchVersion.V4_2:
        words = {"order_token": name, "shares": shares, "stock": STOCK, "time_in_force": 99_998, "customer_type": " "}
        return ouch42.ENTER_ORDER.pack(common | words)
    words = {"user_reference_number": name, "quantity": shares, "symbol": STOCK, "time_in_force": "0"}
    return appendage.pack(ouch50.ENTER_ORDER, common | words)


def say(address: Address, account: Account, *messages: bytes, answers: int) -> None:
    """What a device would have sent, in a session of its own that reads so many answers."""
    now = newest(address, account.username, account.password, "", 20)
    client = Client(account.username, account.password, session=now.session, sequence=now.sequence)
    with Conversation(address, client, 20) as talk:
        for message in messages:
            talk.send(message)
        for _ in range(answers):
            talk.message()


def told(address: Address, account: Account) -> Orders:
    orders = Orders()
    for message in everything(address, account.username, account.password, 20)[1]:
        orders.take(account.speech.read(message))
    return orders


@BOTH
def test_orders_that_may_be_unknown_are_answered_and_known_ones_left_alone(ouch: OuchVersion) -> None:
    with exchange(ouch) as (address, account):
        begin = newest(address, "ME", "SECRET", "", 20)
        say(address, account, enter(account, 1), enter(account, 2), answers=2)
        waiting = [order(1, SlotState.PENDING_NEW), order(3, SlotState.PENDING_NEW), order(4, SlotState.PENDING_NEW)]
        found = settle(address, account, begin.session, begin.sequence, waiting, 20)
        assert (found.entered, found.cancelled) == (2, 0)
        after = told(address, account)
        assert after.open == {account.speech.name(1 << 12): 100, account.speech.name(2 << 12): 100}
        assert after.done == {account.speech.name(3 << 12), account.speech.name(4 << 12)}
        # What was rejected can't come any more.
        say(address, account, enter(account, 3), answers=0)
        assert told(address, account).open.keys() == after.open.keys()


@BOTH
def test_orders_that_were_to_change_are_cancelled_unless_they_did(ouch: OuchVersion) -> None:
    with exchange(ouch) as (address, account):
        say(address, account, *(enter(account, n) for n in range(1, 5)), answers=4)
        begin = newest(address, "ME", "SECRET", "", 20)
        say(address, account, account.speech.cancel(account.speech.name(2 << 12)), answers=1)
        waiting = [
            order(1, SlotState.PENDING_CANCEL),
            order(2, SlotState.PENDING_CANCEL),
            order(3, SlotState.PENDING_REPLACE, pending=9),
        ]
        found = settle(address, account, begin.session, begin.sequence, waiting, 20)
        assert (found.entered, found.cancelled) == (0, 2)
        assert told(address, account).open == {account.speech.name(4 << 12): 100}


@BOTH
def test_an_earlier_life_leaves_nothing_open_and_its_names_are_not_used_again(ouch: OuchVersion) -> None:
    with exchange(ouch) as (address, account):
        assert clear(address, account, 20).cancelled == 0
        say(address, account, *(enter(account, n) for n in (5, 6, 70)), answers=3)
        found = clear(address, account, 20)
        assert isinstance(found, Settled)
        assert (found.cancelled, found.last) == (3, 70)
        assert told(address, account).open == {}
        assert found.sequence == newest(address, "ME", "SECRET", "", 20).sequence


def test_another_session_is_told_from_the_one_before() -> None:
    with exchange(OuchVersion.V4_2) as (address, account):
        now = newest(address, "ME", "SECRET", "", 20)
        with pytest.raises(NewSessionError, match=f"message {now.sequence} of 'HAIRPIN' is next, and 99 came already"):
            settle(address, account, now.session, 100, [], 20)
        with pytest.raises(RefusedError, match=r"login refused \(S\)"):
            newest(address, "ME", "SECRET", "OTHER", 20)
        with pytest.raises(RefusedError, match=r"login refused \(A\)"):
            newest(address, "ME", "WRONG", "", 20)
    with pytest.raises(UnreachableError, match=f"{address}: "):
        newest(address, "ME", "SECRET", "", 20)


def test_the_silent_are_given_up() -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        where = Address(*listener.getsockname())
        with pytest.raises(UnreachableError, match=r"timed out|in time"):
            newest(where, "ME", "SECRET", "", 0.1)
