"""An engine in a process of its own: commands and answers, and what it is like when either process is gone."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

from drivers.device import Batch, DeviceError
from drivers.process import EngineProcess
from drivers.settings import Feed, GlobalLimits, Limits, SymbolSetup
from wire import itch, moldudp64, ouch42, soupbintcp
from wire.records import INPUT, EventType, Port, SessionState, Side

SIZES = {"symbols": 2, "levels": 1024, "orders": 1024, "idle_us": 100}
SETUP = SymbolSetup(stock="HPNA", stock_locate=1, base_price=1_000_000, tick=100)


@pytest.fixture
def feeds() -> Iterator[tuple[socket.socket, socket.socket]]:
    made = tuple(socket.socket(socket.AF_INET, socket.SOCK_DGRAM) for _ in range(2))
    for each in made:
        each.bind(("127.0.0.1", 0))
    yield made
    for each in made:
        each.close()


@pytest.fixture
def device(feeds) -> Iterator[EngineProcess]:
    with EngineProcess(feeds, patience=20, **SIZES) as made:
        yield made


def until(done, seconds: float = 20) -> None:
    end = time.monotonic() + seconds
    while not done():
        assert time.monotonic() < end
        time.sleep(0.001)


def test_commands_are_answered_across_processes(device: EngineProcess) -> None:
    batches: list[Batch] = []
    device.subscribe(batches.append)
    assert device.configure_symbol(1, SETUP).ok
    assert device.mapped == (1,)
    assert device.set_position(1, position=-30, cash=5, mark=7).ok
    assert device.snapshot().positions[1].position == -30
    assert device.events_lost == 0
    events = np.concatenate([batch.events for batch in batches])
    assert (np.diff(events["sequence"].astype(np.int64)) == 1).all()
    assert device.identify().kind == "live"
    assert device.pid != os.getpid()


def test_its_books_and_counters_can_be_asked_for(device: EngineProcess) -> None:
    device.configure_feed(Feed(session="S"))
    device.configure_symbol(0, SETUP)
    add = itch.ADD_ORDER.pack(
        {"side": "B", "stock": "HPNA"}, stock_locate=1, order_reference=77, shares=5, price=1_000_100
    )
    device.record(True)
    device.inject([moldudp64.packet("S", 1, [add])])
    found = device.alive()
    assert (found.references.tolist(), found.symbols.tolist()) == ([77], [0])
    assert device.counters()["messages"] == 1
    assert device.snapshot().books[0].bids[0].price == 1_000_100
    device.begin_after(41)
    assert device.generation == 41
    with pytest.raises(ValueError, match="generation 7: orders up to 41"):
        device.begin_after(7)


def test_a_connection_is_handed_over(device: EngineProcess) -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        device.connect(socket.create_connection(server.getsockname()))
        exchange, _ = server.accept()
    until(lambda: device.connected)
    device.login("HAIR", "PIN")
    exchange.settimeout(20)
    assert exchange.recv(1)
    states: list[int] = []
    device.subscribe(lambda batch: states.extend(batch.events["info"][batch.events["type"] == EventType.SESSION].tolist()))
    exchange.sendall(soupbintcp.login_accepted("S", 1) + soupbintcp.sequenced(b"S" + bytes(9)))
    until(lambda: device.poll() and states[-1:] == [SessionState.UP] and device.session_messages == 1)
    device.connect(None)
    while exchange.recv(1 << 16):
        pass
    exchange.close()


def test_one_that_was_killed_is_told_with_the_signal(device: EngineProcess) -> None:
    device.heartbeat()
    os.kill(device.pid, signal.SIGKILL)
    with pytest.raises(DeviceError, match=r"process \d+ has ended: SIGKILL"):
        until(lambda: device.heartbeat() is None)
    with pytest.raises(DeviceError, match="has ended"):
        device.poll()
    with pytest.raises(DeviceError, match="has ended"):
        _ = device.session_messages


def test_one_that_hangs_is_found_dead(device: EngineProcess) -> None:
    device._patience = 0.05
    os.kill(device.pid, signal.SIGSTOP)
    with pytest.raises(DeviceError, match=r"took nothing for 0\.05 s"):
        device.heartbeat()
    with pytest.raises(DeviceError, match="says nothing"):
        _ = device.generation
    assert not device.has_ended
    device.kill_process()
    assert device.has_ended


def test_another_process_after_a_restart(device: EngineProcess) -> None:
    device.configure_symbol(0, SETUP)
    device.begin_after(12)
    before = device.pid
    device.restart()
    assert device.pid != before
    assert device.mapped == ()
    assert device.generation == 12
    assert device.configure_symbol(0, SETUP).ok
    assert device.events_lost == 0


def test_what_the_engine_has_by_itself_is_not_taken(device: EngineProcess) -> None:
    with pytest.raises(ValueError, match="input 0: port 5"):
        device.process(np.array([(0, 0, 0, Port.TICK)], INPUT), b"")


def test_one_that_does_not_start_is_told(feeds) -> None:
    with pytest.raises(DeviceError, match="has ended: exit code 1"):
        EngineProcess(feeds, symbols=0)


HOST = """
import socket, sys, time
from drivers.process import EngineProcess
from tests.drivers.test_process import SIZES, trading

feeds = tuple(socket.socket(socket.AF_INET, socket.SOCK_DGRAM) for _ in range(2))
for each in feeds:
    each.bind(("127.0.0.1", 0))
device = EngineProcess(feeds, patience=20, **SIZES)
trading(device, int(sys.argv[1]))
print(device.pid, device._folder, flush=True)
time.sleep(1000)
"""


def trading(device: EngineProcess, port: int) -> None:
    """Connected to an exchange at ``port``, with an order there."""
    device.configure_global(GlobalLimits(max_gross=1 << 50, credit=1 << 50, loss_limit=1 << 50, heartbeat_ns=60_000_000_000))
    device.configure_feed(Feed(session="S"))
    device.configure_symbol(0, SETUP)
    device.configure_limits(
        0,
        Limits(
            max_quantity=100, max_position=100, max_notional=1 << 40, loss_limit=1 << 40, collar=100_000, max_open_orders=9
        ),
    )
    sides = [("B", 1_000_000), ("S", 1_000_300)]
    adds = [
        itch.ADD_ORDER.pack({"side": side, "stock": "HPNA"}, stock_locate=1, order_reference=price, shares=50, price=price)
        for side, price in sides
    ]
    device.inject([moldudp64.packet("S", 1, adds)])
    device.set_trading(market_open=True)
    device.connect(socket.create_connection(("127.0.0.1", port)))
    device.login("HAIR", "PIN")
    until(lambda: device.heartbeat() and device.session_messages == 1)
    answer = device.submit(0, Side.BUY, 1_000_100, 10)
    assert answer.ok, answer


def test_an_engine_without_a_host_takes_back_its_orders(tmp_path: Path) -> None:
    """Its host is killed while an order stands: no heartbeat is waited for."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        host = subprocess.Popen(
            [sys.executable, "-c", HOST, str(server.getsockname()[1])], stdout=subprocess.PIPE, text=True
        )
        exchange, _ = server.accept()
    exchange.settimeout(60)
    request = soupbintcp.login_request("HAIR", "PIN", sequence_number=1)
    assert exchange.recv(len(request)) == request
    exchange.sendall(soupbintcp.login_accepted("S", 1) + soupbintcp.sequenced(b"S" + bytes(9)))
    assert host.stdout is not None
    _, folder = host.stdout.readline().split()
    said = b""
    while len(said) < len(soupbintcp.unsequenced(bytes(ouch42.ENTER_ORDER.length))):
        said += exchange.recv(1 << 16)
    order = next(each for each in soupbintcp.packets(said, soupbintcp.CLIENT) if each.code == "U")
    accepted = ouch42.ENTER_ORDER.unpack(order.payload) | {"type": "A", "order_state": "L"}
    names = {each.name for each in ouch42.ACCEPTED.fields}
    told = {name: value for name, value in accepted.items() if name in names}
    exchange.sendall(soupbintcp.sequenced(ouch42.ACCEPTED.pack(told, order_reference=5)))
    host.kill()
    host.communicate()
    killed = time.monotonic()
    said = b""
    while part := exchange.recv(1 << 16):
        said += part
    exchange.close()
    packets = soupbintcp.packets(said, soupbintcp.CLIENT)
    assert [(each.code, each.payload[:1]) for each in packets if each.code != "R"] == [("U", b"X"), ("O", b"")]
    assert time.monotonic() - killed < 20
    until(lambda: not Path(folder).exists())
