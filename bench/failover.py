"""From a killed process to a trading shadow, as `hairpin serve --device pair` has them: how long each step takes.

An exchange, the engine's process that trades, and this process with its shadow, all on this machine. The engine's process is
killed with SIGKILL while its quotes stand in the market. Then positions are compared with the exchange's drop copy.
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
from pathlib import Path
from typing import Any

from bench.figures import Figure, write
from control.configuration import Configuration
from control.failover.pair import Pair
from control.failover.takeover import Phase
from control.layers import load
from control.wired.market import LiveMarket
from drivers.process import EngineProcess
from wire.records import EventType, SessionState, SlotState

COMMAND = "make bench ONLY=failover"
RUNS = 5
HOST = "127.0.0.1"
STOCKS = ("HPNA", "HPNB")
GROUPS = ("239.7.1.1", "239.7.1.2")
TCP = ("order", "snapshot", "drop_copy")
UDP = ("a", "b", "rerequest")


def free_ports() -> dict[str, int]:
    """Ports that nobody has."""
    kinds = dict.fromkeys(TCP, socket.SOCK_STREAM) | dict.fromkeys(UDP, socket.SOCK_DGRAM)
    made = {name: socket.socket(socket.AF_INET, kind) for name, kind in kinds.items()}
    for each in made.values():
        each.bind((HOST, 0))
    found = {name: int(each.getsockname()[1]) for name, each in made.items()}
    for each in made.values():
        each.close()
    return found


def exchange(folder: Path, ports: dict[str, int]) -> subprocess.Popen[str]:
    """An exchange in a process of its own, whose ports are open."""
    path = folder / "exchange.toml"
    path.write_text(
        f"""
[[venues]]
name = "ALPHA"
symbols = {list(STOCKS)}
auction = false
flow = {{seed = 3, rate = 800, orders = 80, messages = 100000}}
feeds = [{{address = "{GROUPS[0]}", port = {ports["a"]}}}, {{address = "{GROUPS[1]}", port = {ports["b"]}}}]
rerequest_ports = [{ports["rerequest"]}]
snapshot_port = {ports["snapshot"]}
drop_copy_port = {ports["drop_copy"]}
ports = [{{protocol = "ouch42", port = {ports["order"]}, username = "HAIR", password = "PIN", firm = "HRPN"}}]
"""
    )
    command = [sys.executable, "-m", "control.cli", "exchange", str(path)]
    process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True)
    assert process.stderr is not None
    process.stderr.readline()
    return process


def configuration(ports: dict[str, int]) -> Configuration:
    """Ours."""
    return load(
        environment={},
        flags={
            "device": {"symbols": 2, "tick_ns": 10_000_000},
            "feed": {
                "session": "ALPHA", "address_a": GROUPS[0], "address_b": GROUPS[1], "port_a": ports["a"], "port_b": ports["b"],
            },
            "market": {
                "kind": "live", "interface": HOST, "idle_us": 50, "process_patience_ns": 5_000_000_000,
                "orders": [f"{HOST}:{ports['order']}"], "rerequests": [f"{HOST}:{ports['rerequest']}"],
                "snapshot": f"{HOST}:{ports['snapshot']}", "drop_copy": f"{HOST}:{ports['drop_copy']}",
            },
            "venue": {"username": "HAIR", "password": "PIN"},
            "quoter": {"enabled": True, "size": 100},
            "limits": {"max_position": 50_000},
            "global": {"stale_ns": 0},
        },
    )  # fmt: skip


class Scene:
    """The market, and what happens in it."""

    def __init__(self, market: LiveMarket) -> None:
        assert market.pair is not None
        self.market, self.pair = market, market.pair
        self.traded = 0
        self.pair.subscribe(lambda batch: self._count(batch.events))

    def _count(self, events: Any) -> None:
        self.traded += int((events["type"] == EventType.EXECUTED).sum())

    def until(self, done: Callable[[], bool], seconds: float = 30.0) -> int:
        """Look after everything until something is so; when that was, ns."""
        end = time.monotonic() + seconds
        while not done():
            if time.monotonic() > end:
                raise TimeoutError(f"not in {seconds} s; {self.market.status()}")
            self.market.advance(0)
            time.sleep(self.market.IDLE_SECONDS)
        return self.pair.now

    def run(self) -> dict[str, Any]:
        """Kill the process with quotes in the market, and have its shadow take over."""
        pair, orders = self.pair, self.market.orders
        self.until(lambda: self.traded >= 10 and _quotes(pair) >= 2 and pair.checks > 0)
        known, before = len(pair.ledger.orders), self.traded
        assert isinstance(pair.card, EngineProcess)
        killed = pair.now
        os.kill(pair.card.pid, signal.SIGKILL)
        detected = self.until(lambda: pair.failed is not None)
        handed = self.until(lambda: pair.active is pair.shadow)
        logged_in = self.until(lambda: orders.state is SessionState.UP)
        self.until(lambda: self.traded > before + 3)
        takeover = self.market.succession.takeover if self.market.succession is not None else None
        assert takeover is not None
        self.until(self._agrees)
        return {
            "open_orders": known,
            "detected_ms": (detected - killed) / 1e6,
            "cancelled_ms": (takeover.times[Phase.SETTLING] - killed) / 1e6,
            "taken_over_ms": (handed - killed) / 1e6,
            "logged_in_ms": (logged_in - killed) / 1e6,
            "left_open": len(takeover.view.open),
            "account_messages": takeover.sequence - 1,
            "positions": self.market.status()["positions"],
        }

    def _agrees(self) -> bool:
        status = self.market.status()
        return not status["drop_copy"]["waiting"] and all(
            each["device"] == each["drop_copy"] for each in status["positions"].values()
        )


def _quotes(pair: Pair) -> int:
    return sum(entry.state is SlotState.LIVE for entry in pair.ledger.orders.values())


def once() -> dict[str, Any]:
    """One kill."""
    with tempfile.TemporaryDirectory(dir="/dev/shm") as name:
        ports = free_ports()
        process = exchange(Path(name), ports)
        try:
            market = LiveMarket(configuration(ports), lambda text: None, pair=True)
            try:
                market.open()
                return Scene(market).run()
            finally:
                market.close()
        finally:
            process.terminate()
            process.communicate(timeout=20)


def main() -> None:
    """Measure, and write the figures."""
    found = []
    for run in range(RUNS):
        print(f"failover: {run + 1} of {RUNS}", file=sys.stderr, flush=True)
        found.append(once())
    names = {
        "detected_ms": "Failover: engine's process killed to detection",
        "cancelled_ms": "Failover: killed to all its orders cancelled",
        "logged_in_ms": "Failover: killed to the shadow logged in with the exchange's positions",
    }
    write("bench", [
        Figure(text, round(statistics.median(each[name] for each in found), 1), "ms", COMMAND) for name, text in names.items()
    ])  # fmt: skip
    print(json.dumps(found, indent=2))


if __name__ == "__main__":
    main()
