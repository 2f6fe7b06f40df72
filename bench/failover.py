"""From a killed card to a trading engine, with real processes: how long each step takes.

An exchange, an engine on sockets in the card's place, and this process with its shadow, all on this machine. The card's process
is killed with SIGKILL while its quotes stand in the market. Then positions and open orders are compared with the exchange's.
"""

from __future__ import annotations

import json
import os
import signal
import socket
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import asdict
from pathlib import Path
from typing import Any

from bench.figures import Figure, write
from control.configuration import Configuration
from control.failover.failover import Failover, Stage
from control.failover.pair import Inheritance, Pair
from control.failover.takeover import Phase
from control.failover.view import ExchangeView
from control.gateway.ouch import Ouch
from control.layers import load
from control.market import commands_for
from control.rehearsal.world import STOCKS, ladders
from control.wired.feeds import Feeds
from drivers.attached import AttachedDevice
from drivers.device import DeviceError, Identity
from drivers.live import LiveDevice
from sim.exchange.config import Flow, OrderPort, VenueConfig
from sim.exchange.day import Day
from wire.records import EventType, Opcode, SlotState

COMMAND = "make bench ONLY=failover"
RUNS = 5
HOST = "127.0.0.1"
SIZES = {"symbols": 2, "levels": 4096, "orders": 16_384}
BEAT = 0.005
"""Seconds between two heartbeats."""
LEASE_NS = 60_000_000
"""A card that hears no heartbeat for so long takes back its orders."""
RATE = 800


def venue(ports: dict[str, int]) -> VenueConfig:
    """The exchange's venue."""
    return VenueConfig(
        symbols=STOCKS, auction=False, flow=Flow(seed=3, rate=RATE, orders=80, messages=60 * RATE), levels=2 * SIZES["levels"],
        tick=100, ports=(OrderPort(protocol="ouch42", port=ports["order"]),),
        feeds=({"address": "239.7.1.1", "port": ports["a"]}, {"address": "239.7.1.2", "port": ports["b"]}),
    )  # fmt: skip


def configuration(ports: dict[str, int]) -> Configuration:
    """Ours."""
    return load(
        environment={},
        flags={
            "input": {"symbols": list(STOCKS)},
            "device": {**SIZES, "tick_ns": 10_000_000},
            "feed": {
                "session": "HAIRPIN", "address_a": "239.7.1.1", "address_b": "239.7.1.2",
                "port_a": ports["a"], "port_b": ports["b"],
            },
            "market": {"interface": HOST},
            "quoter": {"enabled": True, "size": 100},
            "limits": {"max_position": 50_000},
            "global": {"heartbeat_ns": LEASE_NS, "stale_ns": 0},
        },
    )  # fmt: skip


def free_ports() -> dict[str, int]:
    """Ports that nobody has."""
    made = {name: socket.socket(socket.AF_INET, kind) for name, kind in
            (("order", socket.SOCK_STREAM), ("a", socket.SOCK_DGRAM), ("b", socket.SOCK_DGRAM))}  # fmt: skip
    for each in made.values():
        each.bind((HOST, 0))
    found = {name: int(each.getsockname()[1]) for name, each in made.items()}
    for each in made.values():
        each.close()
    return found


def card(folder: Path, ports: dict[str, int]) -> None:
    """The card's process: says what it is, connects when it is told to, and goes on until it is killed."""
    feeds = Feeds(configuration(ports))
    device = LiveDevice(feeds.source, **SIZES, folder=folder, idle_us=50, tick_ns=10_000_000)
    print(json.dumps(asdict(device.identify())), flush=True)
    for _ in sys.stdin:
        device.connect(socket.create_connection((HOST, ports["order"])))
        print("connected", flush=True)


class Line:
    """A connection that is looked at now and then."""

    def __init__(self, failover: Failover, address: tuple[str, int]) -> None:
        self._failover = failover
        self._socket = socket.create_connection(address)
        self._socket.setblocking(False)
        self._socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)

    def send(self, data: bytes) -> None:
        self._socket.sendall(data)

    def close(self) -> None:
        self._socket.close()

    def look(self) -> None:
        with suppress(BlockingIOError):
            data = self._socket.recv(1 << 18)
            if data:
                self._failover.received(data)
            else:
                self._failover.lost()


class Scene:
    """Everything, once."""

    def __init__(self, folder: Path) -> None:
        self.ports = free_ports()
        self.made = configuration(self.ports)
        self.feeds = Feeds(self.made)
        self.shadow = LiveDevice(self.feeds.source, **SIZES, idle_us=50, tick_ns=10_000_000)
        rings = folder / "card"
        rings.mkdir()
        command = [sys.executable, "-m", "bench.failover", "card", str(rings), json.dumps(self.ports)]
        self.process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        assert self.process.stdout is not None
        identity = Identity(**json.loads(self.process.stdout.readline()))
        self.card = AttachedDevice(rings, identity)
        self.alarms: list[tuple[int, str]] = []
        self.pair = Pair(
            self.card, self.shadow, lambda text: self.alarms.append((time.monotonic_ns(), text)), self.shadow.begin_after,
            patience_ns=5_000_000_000,
        )  # fmt: skip
        self.setups = ladders(Day(venue(self.ports)), SIZES["levels"])
        for data in commands_for(self.made, self.setups):
            if Opcode(data[0]) is Opcode.HEARTBEAT:
                self.pair.heartbeat()
            elif Opcode(data[0]) is not Opcode.LOGIN:
                self.pair.command(data)
        self.exchange = _exchange(folder, self.ports)
        self.view: ExchangeView | None = None
        self.device: dict[str, int] = {}
        self.account: dict[str, int] = {}
        self.traded = 0
        self.pair.subscribe(lambda batch: self._count(batch.events))
        account = (self.made.venue.username, self.made.venue.password)
        self.line: Line | None = None
        self.failover = Failover(
            Ouch(self.made.venue.version, self.made.portfolio.token_prefix), account, self._connect,
            {setup.stock: symbol for symbol, setup in self.setups.items()}, self._settle, self._hand_over, lambda: None,
            fence_ns=LEASE_NS,
        )  # fmt: skip

    def _count(self, events: Any) -> None:
        self.traded += int((events["type"] == EventType.EXECUTED).sum())

    def _connect(self, failover: Failover) -> Line | None:
        try:
            self.line = Line(failover, (HOST, self.ports["order"]))
        except OSError:
            self.line = None
        return self.line

    def _settle(self, view: ExchangeView) -> None:
        self.view = view

    def _hand_over(self, inherited: Inheritance) -> None:
        self.line = None
        self.pair.promote(inherited)
        assert self.view is not None
        device = self.shadow.snapshot()
        self.device = {self.setups[symbol].stock: each.position for symbol, each in device.positions.items()}
        self.account = {stock: self.view.positions().get(stock, 0) for stock in STOCKS}
        self.pair.clear_kill()
        self.shadow.connect(socket.create_connection((HOST, self.ports["order"])))
        venue_ = self.made.venue
        self.pair.login(venue_.username, venue_.password, session=inherited.session, sequence=inherited.sequence)

    def start(self) -> None:
        """Log the card in."""
        assert self.process.stdin is not None
        assert self.process.stdout is not None
        self.process.stdin.write("connect\n")
        self.process.stdin.flush()
        assert self.process.stdout.readline() == "connected\n"
        self.pair.login(self.made.venue.username, self.made.venue.password)

    def until(self, done: Callable[[], bool], seconds: float = 30.0) -> None:
        """Look after everything until something is so."""
        end, beat = time.monotonic() + seconds, 0.0
        while not done():
            now = time.monotonic()
            if now > end:
                raise TimeoutError(f"not in {seconds} s; alarms {self.alarms}, {self.failover.stage}, traded {self.traded}")
            with suppress(DeviceError):
                self.card.poll()
            self.shadow.poll()
            if now - beat >= BEAT and self.failover.stage is Stage.IDLE:
                beat = now
                self.pair.heartbeat()
            stamp = time.monotonic_ns()
            if self.pair.failed is not None and self.pair.active is self.card and self.failover.stage is Stage.IDLE:
                ledger = self.pair.ledger
                self.failover.start(self.pair.failed, stamp, known=ledger.orders, generation=ledger.generation)
            self.failover.tick(stamp)
            if self.line is not None:
                self.line.look()
            time.sleep(0.000_2)

    @property
    def _has_quotes(self) -> bool:
        orders = self.pair.ledger.orders.values()
        return self.traded >= 10 and sum(entry.state is SlotState.LIVE for entry in orders) >= 2

    def run(self) -> dict[str, Any]:
        """Kill the card with quotes in the market, and take over."""
        self.start()
        self.until(lambda: self._has_quotes)
        self.pair.check()
        known, before = len(self.pair.ledger.orders), self.traded
        killed = time.monotonic_ns()
        os.kill(self.process.pid, signal.SIGKILL)
        self.until(lambda: self.failover.count == 1)
        handed = time.monotonic_ns()
        self.until(lambda: self.traded > before + 3)
        takeover = self.failover.takeover
        assert takeover is not None
        assert self.view is not None
        return {
            "open_orders": known,
            "detected_ms": (self.failover.times[Stage.FENCING] - killed) / 1e6,
            "fenced_ms": (self.failover.times[Stage.TAKING] - killed) / 1e6,
            "cancelled_ms": (takeover.times[Phase.SETTLING] - killed) / 1e6,
            "taken_over_ms": (handed - killed) / 1e6,
            "left_open": len(self.view.open),
            "account_messages": takeover.sequence - 1,
            "positions": self.device,
            "exchange": self.account,
            "alarms": [text for _, text in self.alarms],
        }

    def close(self) -> None:
        """End everything."""
        self.shadow.close()
        self.feeds.close()
        self.process.kill()
        self.process.wait()
        self.exchange.terminate()
        self.exchange.wait(20)


def _exchange(folder: Path, ports: dict[str, int]) -> subprocess.Popen[str]:
    """An exchange in a process of its own, whose ports are open."""
    made = venue(ports)
    path = folder / "exchange.toml"
    path.write_text(
        f"""
[[venues]]
symbols = {list(made.symbols)}
auction = false
levels = {made.levels}
tick = {made.tick}
flow = {{seed = {made.flow.seed}, rate = {made.flow.rate}, orders = {made.flow.orders}, messages = {made.flow.messages}}}
ports = [{{protocol = "ouch42", port = {ports["order"]}}}]
feeds = [{{address = "239.7.1.1", port = {ports["a"]}}}, {{address = "239.7.1.2", port = {ports["b"]}}}]
"""
    )
    command = [sys.executable, "-m", "control.cli", "exchange", str(path)]
    process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True)
    assert process.stderr is not None
    process.stderr.readline()
    return process


def once() -> dict[str, Any]:
    """One kill."""
    with tempfile.TemporaryDirectory(dir="/dev/shm") as name:
        scene = Scene(Path(name))
        try:
            return scene.run()
        finally:
            scene.close()


def main() -> None:
    """Measure, and write the figures."""
    found = []
    for run in range(RUNS):
        print(f"failover: {run + 1} of {RUNS}", file=sys.stderr, flush=True)
        found.append(once())
    names = {
        "detected_ms": "Failover: card's process killed to detection",
        "cancelled_ms": "Failover: killed to all its orders cancelled",
        "taken_over_ms": "Failover: killed to the engine logged in with the exchange's positions",
    }
    write("bench", [
        Figure(text, round(statistics.median(each[name] for each in found), 1), "ms", COMMAND) for name, text in names.items()
    ])  # fmt: skip
    print(json.dumps(found, indent=2))


if __name__ == "__main__":
    if sys.argv[1:2] == ["card"]:
        card(Path(sys.argv[2]), json.loads(sys.argv[3]))
    else:
        main()
