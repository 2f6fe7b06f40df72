"""Tick to order in software: from the call that sends a packet of the feed to the return of the one that brings the order.

Beside it, in the same run and with the same packets, the least that a program on sockets can do: a loop in C that answers the
packets that call for an order with as many bytes. Both poll and are pinned to one core, what measures to another. Over loopback,
and, as root, over a pair of virtual interfaces into a network namespace.
"""

from __future__ import annotations

import contextlib
import os
import socket
import statistics
import struct
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np

from bench.figures import BUILD, Figure, times_better, write
from bench.trigger import BASE, LOCATE, PREFIX, TICK, VALUE, Inputs, set_up
from engine.live.live import LiveEngine
from engine.live.rings import Ring
from engine.live.transport import HEADERS
from engine.path import Engine
from wire import itch, ouch42, soupbintcp
from wire.records import TAKER_SLOT, Side, slot_number, token

COMMAND = "make bench ONLY=tick_to_order"
NATIVE = Path(__file__).parent / "native"
TRIGGERS, WARM, RUNS = 3_000, 500, 5
FEED, ORDER = 1, 2
ATTEMPTS = 5
SPOILED = 3  # exit status of the driver
NAMESPACE = "hairpin-bench"
LEVELS = 4096


def build(name: str) -> Path:
    """A program of `bench/native`, compiled."""
    program = BUILD / "native" / name
    program.parent.mkdir(parents=True, exist_ok=True)
    subprocess.run(["cc", "-O2", "-o", str(program), str(NATIVE / f"{name}.c")], check=True)
    return program


def script(*, answered: bool) -> tuple[Inputs, bytes, int]:
    """Commands that set the engine up, what the driver sends, and the bytes of an order.

    Every trigger adds an offer that the taker wants; the exchange deletes the offer and cancels the order. Not ``answered``: the
    packets of the triggers alone, as the echo has no session.
    """
    made = Inputs()
    set_up(made, LEVELS)
    commands, made.rows = list(made.rows), []
    begin = len(made.bytes)
    order = soupbintcp.LENGTH_BYTES + 1 + ouch42.ENTER_ORDER.length
    rows: list[tuple[int, int, bytes]] = []
    if answered:
        login = len(soupbintcp.login_request("USER", "SECRET"))
        rows += [(ORDER, login, b""), (ORDER, 0, soupbintcp.login_accepted("S", 1))]

    def feed(message: bytes, expected: int = 0) -> None:
        made.feed(message)
        _, at, length, _ = made.rows[-1]
        rows.append((FEED, expected, bytes(made.bytes[at + HEADERS : at + length])))

    fields = {"stock_locate": LOCATE, "shares": 100, "stock": "HPNA"}
    if answered:
        feed(itch.ADD_ORDER.pack(**fields, side="B", price=BASE + 100 * TICK, order_reference=1))
    for n in range(TRIGGERS + WARM):
        feed(itch.ADD_ORDER.pack(**fields, side="S", price=VALUE - TICK, order_reference=n + 2), order)
        identity = (n + 1) << 12 | slot_number(0, Side.BUY, TAKER_SLOT)
        done = ouch42.CANCELED.pack(order_token=token(PREFIX, identity), decrement_shares=100, reason="I")
        feed(itch.ORDER_DELETE.pack(stock_locate=LOCATE, order_reference=n + 2))
        if answered:  # behind it: the taker would want the offer again
            rows.append((ORDER, 0, soupbintcp.sequenced(done)))
    made.rows = commands
    del made.bytes[begin:]
    return made, b"".join(struct.pack("<III", kind, expected, len(data)) + data for kind, expected, data in rows), order


@contextlib.contextmanager
def namespace() -> Iterator[tuple[list[str], str, str] | None]:
    """A namespace behind a pair of virtual interfaces: how to run there, its address, and ours. None without the right."""
    near, far = "198.18.77.1", "198.18.77.2"
    steps = [
        f"ip netns add {NAMESPACE}",
        f"ip link add {NAMESPACE}0 type veth peer name {NAMESPACE}1 netns {NAMESPACE}",
        f"ip addr add {near}/30 dev {NAMESPACE}0",
        f"ip link set {NAMESPACE}0 up",
        f"ip -n {NAMESPACE} addr add {far}/30 dev {NAMESPACE}1",
        f"ip -n {NAMESPACE} link set {NAMESPACE}1 up",
        f"ip -n {NAMESPACE} link set lo up",
    ]
    try:
        for step in steps:
            subprocess.run(step.split(), check=True, capture_output=True)
        yield ["ip", "netns", "exec", NAMESPACE], far, near
    except (OSError, subprocess.CalledProcessError) as error:
        print(f"  no virtual interfaces: {error}", file=sys.stderr)
        yield None
    finally:
        subprocess.run(["ip", "netns", "del", NAMESPACE], capture_output=True, check=False)


class SpoiledError(RuntimeError):
    """Something else ran on the core of what was measured for so long that the run says nothing."""


class Driver:
    """The driver with a script, in a namespace or not."""

    def __init__(self, content: bytes, inside: list[str], feed: tuple[str, int], order: tuple[str, int], core: int) -> None:
        script_file = BUILD / "native" / "driver.script"
        script_file.parent.mkdir(parents=True, exist_ok=True)
        script_file.write_bytes(content)
        where = [*map(str, feed), *map(str, order), str(core)]
        self.process = subprocess.Popen(
            [*inside, str(build("driver")), str(script_file), *where], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
        )
        assert self.process.stderr is not None
        if self.process.stderr.readline() != "ready\n":
            raise SystemExit(f"driver: {self.process.stderr.read()}")

    def times(self) -> np.ndarray:
        """Nanoseconds of every answer but the first `WARM`."""
        out, error = self.process.communicate(timeout=120)
        if self.process.returncode == SPOILED:
            raise SpoiledError
        if self.process.returncode:
            raise SystemExit(f"driver: {error}")
        return np.array(out.split(), np.int64)[WARM:]


def free_port(host: str) -> int:
    """A TCP port that nobody uses."""
    with socket.create_server((host, 0)) as taken:
        port: int = taken.getsockname()[1]
        return port


def of_engine(inside: list[str], there: str, here: str, cores: tuple[int, int], folder: Path) -> np.ndarray:
    """One run of the engine."""
    made, content, _ = script(answered=True)
    feeds = [socket.socket(socket.AF_INET, socket.SOCK_DGRAM) for _ in range(2)]
    for feed in feeds:
        feed.bind((here, 0))
    port = free_port("0.0.0.0")
    commands, events = Ring(folder / "commands", 256), Ring(folder / "events", 1 << 16)
    live = LiveEngine(Engine(16, LEVELS, 16384), (feeds[0], feeds[1]), commands, events)
    live.turn(10)
    for _, at, length, _ in made.rows[:-1]:
        commands.put(bytes(made.bytes[at : at + length]))
    live.turn(20)
    driver = Driver(content, inside, feeds[0].getsockname(), (there, port), cores[1])
    with socket.create_connection((there, port)) as order:
        live.connect(order)
        live.start(cores[0])
        _, at, length, _ = made.rows[-1]
        commands.put(bytes(made.bytes[at : at + length]))
        try:
            return driver.times()
        finally:
            live.stop()
            for feed in feeds:
                feed.close()


def of_echo(inside: list[str], there: str, here: str, cores: tuple[int, int]) -> np.ndarray:
    """One run of the echo."""
    _, content, size = script(answered=False)
    feed, port = free_port("0.0.0.0"), free_port("0.0.0.0")
    driver = Driver(content, inside, (here, feed), (there, port), cores[1])
    where = [here, str(feed), there, str(port), str(cores[0]), str(size), "A"]
    with subprocess.Popen([str(build("echo")), *where]) as echo:
        times = driver.times()
        echo.wait(10)
    return times


def unspoiled(measure: Callable[[], np.ndarray]) -> np.ndarray:
    """A run, made again when it was spoiled."""
    for _ in range(ATTEMPTS):
        with contextlib.suppress(SpoiledError):
            return measure()
    raise SystemExit(f"{ATTEMPTS} runs were spoiled: the machine is too busy to measure on it")


def main() -> None:
    """Measure, print, keep the figures."""
    available = sorted(os.sched_getaffinity(0))
    cores = (available[0], available[-1])
    figures = []
    with tempfile.TemporaryDirectory() as name, namespace() as virtual:
        ways = {"loopback": ([], "127.0.0.1", "127.0.0.1")}
        if virtual is not None:
            ways["veth"] = virtual
        for way, where in ways.items():
            found: dict[str, list[np.ndarray]] = {"engine": [], "echo": []}
            for run in range(RUNS):
                print(f"  {way}, run {run + 1} of {RUNS}", file=sys.stderr, flush=True)
                found["echo"].append(of_echo(*where, cores))
                found["engine"].append(unspoiled(lambda where=where: of_engine(*where, cores, Path(name))))
            for what, of in {"p50": 50, "p99": 99, "p99.9": 99.9, "maximum": 100}.items():
                ours, theirs = (statistics.median(np.percentile(times, of) for times in found[who]) for who in ("engine", "echo"))
                print(f"  {way} {what}: {ours / 1000:.1f} us, C echo {theirs / 1000:.1f} us, {ours / theirs:.2f}x")
                ratio = round(times_better(ours, theirs, better="lower"), 2)
                peer = f"C echo of the same packets: {theirs / 1000:.2f} us"
                figure = Figure(f"tick to order over {way}, {what}", round(ours / 1000, 2), "us", COMMAND, peer, ratio)
                figures.append(figure)
    write("bench", figures)


if __name__ == "__main__":
    main()
