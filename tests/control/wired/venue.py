"""An exchange in a process of its own that can be killed, and ways to it that can be cut."""

from __future__ import annotations

import contextlib
import json
import os
import select
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import httpx
import uvicorn

from control.api import auth
from control.api.app import PREFIX, create
from control.api.context import Context
from control.configuration import Configuration
from control.layers import load
from control.live import Owner
from control.screen import Lines
from control.server import ServeDevice, prepare_live
from control.wired.conversation import Address
from control.wired.market import LiveMarket

HOST = "127.0.0.1"
STOCKS = ("HPNA", "HPNB")
PATIENCE = 60.0


def free_port(kind: int = socket.SOCK_STREAM) -> int:
    with socket.socket(socket.AF_INET, kind) as taken:
        taken.bind((HOST, 0))
        port: int = taken.getsockname()[1]
        return port


def until(done: Callable[[], Any], what: str) -> Any:
    """What is waited for, as soon as it is there."""
    end = time.monotonic() + PATIENCE
    while not (found := done()):
        assert time.monotonic() < end, what
        time.sleep(0.01)
    return found


class Exchange:
    """``hairpin exchange`` on ports that stay the same, however often it is killed."""

    def __init__(
        self,
        folder: Path,
        *,
        loss: float = 0.0,
        rate: float = 150.0,
        ouch: str = "ouch42",
        groups: tuple[str, str] = (HOST, HOST),
        **flow: Any,
    ) -> None:
        self.groups = groups
        names = ("order", "rerequest", "snapshot", "drop_copy")
        kinds = {"rerequest": socket.SOCK_DGRAM}
        self.ports = {name: free_port(kinds.get(name, socket.SOCK_STREAM)) for name in names}
        self.feeds = [free_port(socket.SOCK_DGRAM) for _ in range(2)]
        self.file = folder / "exchange.toml"
        stocks = json.dumps(STOCKS)
        extra = "".join(f", {name} = {json.dumps(value)}" for name, value in flow.items())
        self.file.write_text(
            f"""[[venues]]
name = "ALPHA"
symbols = {stocks}
auction = false
flow = {{seed = 7, rate = {rate}, messages = 200000, orders = 40{extra}}}
feeds = [
    {{address = "{groups[0]}", port = {self.feeds[0]}, loss = {loss}}},
    {{address = "{groups[1]}", port = {self.feeds[1]}, loss = {loss}, delay_us = 150}},
]
rerequest_ports = [{self.ports["rerequest"]}]
snapshot_port = {self.ports["snapshot"]}
drop_copy_port = {self.ports["drop_copy"]}
ports = [{{protocol = "{ouch}", port = {self.ports["order"]}, username = "HAIR", password = "PIN", firm = "HRPN"}}]
"""
        )
        self.start()

    def start(self) -> None:
        """Begin a day; it is there when this returns."""
        ours = ["env", "--default-signal=INT"]  # who runs the tests may ignore it
        command = [*ours, sys.executable, "-m", "control.cli", "exchange", str(self.file)]
        self.process = subprocess.Popen(command, stderr=subprocess.PIPE, text=True, env=os.environ)
        assert self.process.stderr is not None
        told = self.process.stderr.readline()
        assert told.startswith("{"), told + self.process.stderr.read()
        self._reader = threading.Thread(target=self.process.stderr.read, daemon=True)
        self._reader.start()

    def _ended(self) -> None:
        self.process.wait(20)
        self._reader.join(20)
        assert self.process.stderr is not None
        self.process.stderr.close()

    def kill(self) -> None:
        """Without a word."""
        self.process.send_signal(signal.SIGKILL)
        self._ended()

    def end(self) -> None:
        """As it should be: every session is ended."""
        self.process.send_signal(signal.SIGINT)
        self.process.wait(20)

    def close(self) -> None:
        self.process.terminate()
        self._ended()


class TcpWay:
    """A TCP port that leads to another, until it is cut."""

    def __init__(self, port: int) -> None:
        self.to, self.port = port, free_port()
        self._pairs: list[tuple[socket.socket, socket.socket]] = []
        self.swallow = False
        """What the client sends is taken, and goes nowhere."""
        self.open()

    def open(self) -> None:
        self._listener = socket.create_server((HOST, self.port))
        self._stop, self._wake = socket.socketpair()
        self._thread = threading.Thread(target=self._run, daemon=True)
        self._thread.start()

    def cut(self) -> None:
        """Nobody listens there any more, and connections are lost."""
        self._wake.send(b"x")
        self._thread.join(10)

    def _run(self) -> None:
        listener, stop = self._listener, self._stop
        while True:
            both = {each for pair in self._pairs for each in pair}
            ready, _, _ = select.select([listener, stop, *both], [], [])
            if stop in ready:
                break
            if listener in ready:
                near, _ = listener.accept()
                try:
                    far = socket.create_connection((HOST, self.to))
                except OSError:
                    near.close()
                    continue
                for each in (near, far):
                    each.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
                self._pairs.append((near, far))
            for near, far in list(self._pairs):
                for here, there in ((near, far), (far, near)):
                    if here in ready and (near, far) in self._pairs:
                        self._carry(here, there, near, far)
        for near, far in self._pairs:
            near.close()
            far.close()
        self._pairs.clear()
        for each in (listener, self._stop, self._wake):
            each.close()

    def _carry(self, here: socket.socket, there: socket.socket, near: socket.socket, far: socket.socket) -> None:
        try:
            data = here.recv(1 << 16)
            if data:
                if not (self.swallow and here is near):
                    there.sendall(data)
                return
        except OSError:
            pass
        self._pairs.remove((near, far))
        near.close()
        far.close()


class UdpWay:
    """A UDP port that leads to another and back, until it is cut."""

    def __init__(self, port: int) -> None:
        self.to, self.dead, self.asked = port, False, 0
        self._socket = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self._socket.bind((HOST, 0))
        self.port = self._socket.getsockname()[1]
        threading.Thread(target=self._run, daemon=True).start()

    def _run(self) -> None:
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as out:
            out.settimeout(0.2)
            while True:
                try:
                    data, client = self._socket.recvfrom(1 << 16)
                except OSError:
                    return
                self.asked += 1
                if self.dead:
                    continue
                with contextlib.suppress(OSError):
                    out.sendto(data, (HOST, self.to))
                    self._socket.sendto(out.recv(1 << 16), client)

    def close(self) -> None:
        self._socket.close()


class Ways:
    """Two of each, as an exchange would have them."""

    def __init__(self, exchange: Exchange) -> None:
        self.exchange = exchange
        self.orders = [TcpWay(exchange.ports["order"]) for _ in range(2)]
        self.rerequests = [UdpWay(exchange.ports["rerequest"]) for _ in range(2)]
        self.snapshot = Address(HOST, exchange.ports["snapshot"])

    def configuration(self, **sections: dict[str, Any]) -> Configuration:
        """That of a market behind these."""
        exchange = self.exchange
        made: dict[str, dict[str, Any]] = {
            "market": {
                "kind": "live",
                "interface": HOST,
                "rerequests": [f"{HOST}:{each.port}" for each in self.rerequests],
                "orders": [f"{HOST}:{each.port}" for each in self.orders],
                "snapshot": str(self.snapshot),
                "drop_copy": f"{HOST}:{exchange.ports['drop_copy']}",
                "idle_us": 200,
                "patience_ns": 20_000_000_000,
            },
            "feed": {
                "session": "ALPHA",
                "address_a": exchange.groups[0], "port_a": exchange.feeds[0],
                "address_b": exchange.groups[1], "port_b": exchange.feeds[1],
            },
            "venue": {"username": "HAIR", "password": "PIN"},
            "limits": {"max_position": 500, "max_quantity": 200},
            "global": {"stale_ns": 0, "heartbeat_ns": 30_000_000_000},
        }  # fmt: skip
        for name, values in sections.items():
            made[name] = made.get(name, {}) | values
        return load(environment={}, flags=made)

    def close(self) -> None:
        for way in self.orders:
            if way._thread.is_alive():
                way.cut()
        for each in self.rerequests:
            each.close()


@contextlib.contextmanager
def serving(
    configuration: Configuration, state: Path, device: ServeDevice = "software"
) -> Iterator[tuple[httpx.Client, Owner, LiveMarket]]:
    """``hairpin serve`` in this process."""
    from rich.console import Console

    kept = configuration.serve.model_copy(update={"state": state})
    owner = prepare_live(configuration.model_copy(update={"serve": kept}), device, Lines(Console(stderr=True, quiet=True)))
    market = owner.desk.market
    assert isinstance(market, LiveMarket)
    owner.start()
    token = auth.token(state)
    app = create(Context(owner, token, owner.desk.configuration, device))
    listener = socket.create_server((HOST, 0))
    server = uvicorn.Server(uvicorn.Config(app, log_level="error", timeout_graceful_shutdown=1))
    thread = threading.Thread(target=server.run, args=([listener],), daemon=True)
    thread.start()
    url = f"http://{HOST}:{listener.getsockname()[1]}{PREFIX}"
    try:
        with httpx.Client(base_url=url, timeout=30, trust_env=False) as client:
            client.headers["Authorization"] = f"Bearer {token.value}"
            yield client, owner, market
    finally:
        server.should_exit = True
        thread.join(20)
        listener.close()
        owner.stop()
        market.close()
        owner.desk.keeper.close()
