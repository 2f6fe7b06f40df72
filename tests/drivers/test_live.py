"""The device on sockets: the verbs of every device, and what only it has."""

import socket
import time
from collections.abc import Iterator

import numpy as np
import pytest

import drivers.ringed
from drivers.device import Batch, DeviceError
from drivers.live import LiveDevice
from drivers.settings import Feed, SymbolSetup
from wire import itch, moldudp64, soupbintcp
from wire.records import INPUT, CommandError, EventType, Port, SessionState, Side

LEVELS = 4096
BASE = 1_000_000


@pytest.fixture
def feeds() -> Iterator[tuple[socket.socket, socket.socket]]:
    made = [socket.socket(socket.AF_INET, socket.SOCK_DGRAM) for _ in range(2)]
    for each in made:
        each.bind(("127.0.0.1", 0))
    yield made[0], made[1]
    for each in made:
        each.close()


@pytest.fixture
def device(feeds: tuple[socket.socket, socket.socket]) -> Iterator[LiveDevice]:
    with LiveDevice(feeds, levels=LEVELS, idle_us=100) as made:
        made.configure_feed(Feed(session="S"))
        made.configure_symbol(0, SymbolSetup(stock="HPNA", stock_locate=1, base_price=BASE, tick=100))
        yield made


def add(reference: int, side: str, level: int) -> bytes:
    return itch.ADD_ORDER.pack(stock_locate=1, side=side, shares=100, price=BASE + 100 * level, order_reference=reference)


def until(device: LiveDevice, done, *, poll: bool = True) -> None:
    end = time.monotonic() + 30
    while not done():
        if poll:
            device.poll()
        time.sleep(0.001)
        assert time.monotonic() < end


def test_commands_are_answered_and_recovery_frames_make_the_book(device: LiveDevice) -> None:
    told: list[np.ndarray] = []
    device.subscribe(lambda batch: told.append(batch.events))
    device.inject([moldudp64.packet("S", 1, [add(1, "B", 10), add(2, "S", 20)]), moldudp64.packet("S", 3, [add(3, "B", 11)])])
    snapshot = device.snapshot()
    assert [(level.price, level.quantity) for level in snapshot.books[0].bids] == [(BASE + 1100, 100), (BASE + 1000, 100)]
    assert snapshot.counters["packets_recovery"] == 2
    assert device.submit(0, Side.BUY, BASE + 1000, 100).error is CommandError.REFUSED
    events = np.concatenate(told)
    steps = np.diff(events["sequence"].astype(np.int64))
    assert (steps == 1).all()
    assert (events["type"] == EventType.BOOK_TOP).sum() == 3
    assert device.events_lost == 0
    assert sorted(device.alive().references.tolist()) == [1, 2, 3]


def test_what_comes_of_the_feed_is_there_at_the_next_poll(device: LiveDevice, feeds) -> None:
    sender = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    seen: list[Batch] = []
    device.subscribe(seen.append)
    device.record(True)
    for n, feed in enumerate(feeds):
        sender.sendto(moldudp64.packet("S", n + 1, [add(n + 1, "B", 10 + n)]), feed.getsockname())
    until(device, lambda: device.counters()["messages"] == 2)
    device.poll()
    assert sum(int((batch.events["type"] == EventType.BOOK_TOP).sum()) for batch in seen) == 2
    assert len(device.tape()) == 2
    sender.close()


def test_events_that_find_no_room_are_made_up_for_by_a_snapshot(feeds, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(drivers.ringed, "EVENTS", 64)
    with LiveDevice(feeds, levels=LEVELS, idle_us=100) as device:
        device.configure_feed(Feed(session="S"))
        device.configure_symbol(0, SymbolSetup(stock="HPNA", stock_locate=1, base_price=BASE, tick=100))
        batches: list[Batch] = []
        device.subscribe(batches.append)
        sender = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        for first in range(0, 140, 35):
            adds = [add(first + n + 1, "B", first + n) for n in range(35)]
            sender.sendto(moldudp64.packet("S", first + 1, adds), feeds[0].getsockname())
        until(device, lambda: device._rings.events.lost, poll=False)
        until(device, lambda: device.counters()["messages"] == 140, poll=False)
        sender.close()
        device.heartbeat()
        found = [batch for batch in batches if batch.events_lost]
        assert len(found) == 1
        assert device.events_lost == found[0].events_lost > 0
        assert found[0].recovered is not None
        assert found[0].recovered.books[0].bids[0].price == BASE + 139 * 100


def test_only_commands_and_recovery_frames_are_taken(device: LiveDevice) -> None:
    with pytest.raises(ValueError, match="input 1: port 5"):
        device.process(np.array([(0, 0, 64, Port.COMMAND), (0, 0, 0, Port.TICK)], INPUT), bytes(64))
    with pytest.raises(ValueError, match="input 0: behind the buffer of 10 bytes"):
        device.process(np.array([(0, 0, 64, Port.COMMAND)], INPUT), bytes(10))


def test_a_restart_leaves_nothing_but_the_numbers(device: LiveDevice) -> None:
    device.inject([moldudp64.packet("S", 1, [add(1, "B", 10)])])
    device.begin_after(7)
    events: list[np.ndarray] = []
    device.subscribe(lambda batch: events.append(batch.events))
    device.heartbeat()
    device.restart()
    assert device.mapped == ()
    assert not len(device.alive().references)
    device.heartbeat()
    assert device.generation == 7
    numbers = np.concatenate(events)["sequence"].astype(np.int64)
    assert (np.diff(numbers) == 1).all()
    assert device.events_lost == 0


def test_the_order_connection_is_logged_in_and_its_loss_told(device: LiveDevice) -> None:
    listener = socket.create_server(("127.0.0.1", 0))
    client = socket.create_connection(listener.getsockname())
    exchange, _ = listener.accept()
    exchange.settimeout(20)
    device.connect(client)
    device.login("USER", "SECRET", session="DAY", sequence=5)
    request = soupbintcp.login_request("USER", "SECRET", "DAY", 5)
    assert exchange.recv(len(request)) == request
    exchange.sendall(soupbintcp.login_accepted("DAY", 5) + soupbintcp.sequenced(b"S" + bytes(9)))
    until(device, lambda: device.session_messages == 1)
    states: list[int] = []
    device.subscribe(lambda batch: states.extend(batch.events["info"][batch.events["type"] == EventType.SESSION].tolist()))
    exchange.close()
    until(device, lambda: not device.connected)
    until(device, lambda: states[-1:] == [SessionState.DOWN])
    listener.close()


def test_a_closed_device_says_so(feeds) -> None:
    device = LiveDevice(feeds, idle_us=100)
    device.close()
    device.close()
    with pytest.raises(DeviceError, match="closed"):
        device.heartbeat()
