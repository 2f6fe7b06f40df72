"""The engine on sockets: what it does is what the engine does with the same inputs, and lost connections stop it."""

import contextlib
import os
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

from bench.trigger import triggers
from engine.live.live import Interface, LiveEngine
from engine.live.loop import PENDING, Control, _hand_out
from engine.live.rings import Ring
from engine.live.transport import HEADERS
from engine.live.xdp import XdpError
from engine.path import Engine
from wire.records import EVENT, INPUT, EventType, Port, SessionState

LEVELS = 4096
NEAR, FAR = "198.18.79.1", "198.18.79.2"


class Exchange:
    """Both feeds and the order port, on loopback."""

    def __init__(self) -> None:
        self.feeds = [socket.socket(socket.AF_INET, socket.SOCK_DGRAM) for _ in range(2)]
        for feed in self.feeds:
            feed.bind(("127.0.0.1", 0))
        self.where: tuple[socket.socket, socket.socket] | Interface = (self.feeds[0], self.feeds[1])
        self.sender = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        listener = socket.create_server(("127.0.0.1", 0))
        self.client = socket.create_connection(listener.getsockname())
        self.order, _ = listener.accept()
        self.order.setblocking(False)
        listener.close()
        self.received = bytearray()

    def publish(self, port: Port, payload: bytes) -> None:
        self.sender.sendto(payload, self.feeds[port].getsockname())

    def take(self) -> bytes:
        with contextlib.suppress(BlockingIOError):
            while data := self.order.recv(1 << 16):
                self.received += data
        return bytes(self.received)

    def close(self) -> None:
        for each in (*self.feeds, self.sender, self.client, self.order):
            each.close()


@pytest.fixture
def exchange() -> Iterator[Exchange]:
    made = Exchange()
    yield made
    made.close()


def live_engine(exchange: Exchange, folder: Path, **options) -> tuple[LiveEngine, Ring, Ring]:
    commands, events = Ring(folder / "commands", 256), Ring(folder / "events", 1 << 14)
    live = LiveEngine(Engine(16, LEVELS, 16384), exchange.where, commands, events, tick_ns=10**15, **options)
    live.connect(exchange.client)
    live.turn(1)  # the first tick is due at once
    return live, commands, events


@pytest.fixture
def interface() -> Iterator[str]:
    """An end of a pair of virtual interfaces; what is sent from the other end, in a namespace of its own, comes in here."""
    name = f"hp{os.getpid() % 10_000}"
    steps = [
        f"ip netns add {name}",
        f"ip link add {name}a type veth peer name {name}b netns {name}",
        f"ip addr add {NEAR}/30 dev {name}a",
        f"ip link set {name}a up",
        f"ip -n {name} addr add {FAR}/30 dev {name}b",
        f"ip -n {name} link set {name}b up",
    ]
    try:
        for step in steps:
            done = subprocess.run(step.split(), capture_output=True, text=True, check=False)
            if done.returncode:
                pytest.skip(f"no virtual interface: {done.stderr.strip()}")
        yield name
    finally:
        subprocess.run(["ip", "netns", "del", name], capture_output=True, check=False)


RELAY = """
import array, fcntl, socket, struct, sys
there = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
# No real card is behind this interface that would write the checksum: the kernel has to (ETHTOOL_STXCSUM, off).
off = array.array("B", struct.pack("II", 0x17, 0))
fcntl.ioctl(there, 0x8946, struct.pack("16sP16x", sys.argv[2].encode(), off.buffer_info()[0]))
for line in sys.stdin:
    port, payload = line.split()
    there.sendto(bytes.fromhex(payload), (sys.argv[1], int(port)))
"""


def test_frames_past_the_kernel_s_stack_give_the_same_orders(exchange: Exchange, interface: str, tmp_path: Path) -> None:
    """AF_XDP on a virtual interface; packets that are not the feeds' go the kernel's way."""
    made, _ = triggers(LEVELS)
    rows, octets = made.rows[:200], bytes(made.bytes)
    inputs = np.array(rows, INPUT)
    expected = Engine(16, LEVELS, 16384).process(inputs, np.frombuffer(octets, np.uint8))
    exchange.where = Interface(f"{interface}a", 30_001, 30_002)
    try:
        live, commands, events = live_engine(exchange, tmp_path)
    except XdpError as error:
        pytest.skip(str(error))
    plain = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    plain.bind((NEAR, 30_003))
    plain.settimeout(10)
    recorder = Recorder(live)
    relay = ["ip", "netns", "exec", interface, sys.executable, "-c", RELAY, NEAR, f"{interface}b"]
    with subprocess.Popen(relay, stdin=subprocess.PIPE, text=True) as sender:
        assert sender.stdin is not None

        def publish(port: int, payload: bytes) -> None:
            print(30_001 + port, payload.hex() or "-", file=sender.stdin, flush=True)

        exchange.publish = publish  # type: ignore[method-assign]
        publish(2, b"not the feed")
        assert plain.recv(100) == b"not the feed"
        play(exchange, recorder, commands, rows, octets, both=True)
        sender.stdin.close()
    plain.close()
    assert exchange.take() == expected.payload.tobytes()
    again = Engine(16, LEVELS, 16384).process(*recorder.arrays()).events
    found = events.take().reshape(-1).view(EVENT.dtype)
    assert np.array_equal(found[len(found) - len(again) :], again)
    assert live.control[Control.PACKETS] == 2 * sum(port < Port.RECOVERY for *_, port in rows)
    live.close()


class Recorder:
    """The inputs of every turn, as one run."""

    def __init__(self, live: LiveEngine) -> None:
        self.live, self.rows, self.octets = live, [], bytearray()

    def turn(self) -> int:
        before = self.live.control[Control.BUSY_TURNS]
        if self.live.turn(1):
            assert self.live.control[Control.BUSY_TURNS] == before + 1
            count = int(self.live.engine.state.core["next_input"][0])
            for row in self.live.wires.inputs[:count]:
                at, length = int(row["offset"]), int(row["length"])
                self.rows.append((int(row["timestamp"]), len(self.octets), length, int(row["port"])))
                self.octets += self.live.wires.buffer[at : at + length].tobytes()
            return count
        return 0

    def until(self, inputs: int) -> None:
        deadline = time.monotonic() + 20
        while inputs > 0:
            inputs -= self.turn()
            assert time.monotonic() < deadline, f"{inputs} inputs did not come"

    def arrays(self) -> tuple[np.ndarray, np.ndarray]:
        return np.array(self.rows, INPUT), np.frombuffer(bytes(self.octets), np.uint8)


def play(exchange: Exchange, recorder: Recorder, commands: Ring, rows, octets: bytes, *, both: bool) -> None:
    for _, at, length, port in rows:
        content = octets[at : at + length]
        if port == Port.COMMAND:
            assert commands.put(content)
        elif port == Port.SESSION:
            exchange.order.setblocking(True)
            exchange.order.sendall(content)
            exchange.order.setblocking(False)
        else:
            exchange.publish(Port.FEED_A, content[HEADERS:])
            if both:
                exchange.publish(Port.FEED_B, content[HEADERS:])
        recorder.until(2 if both and port < Port.RECOVERY else 1)


@pytest.mark.parametrize("both", [False, True])
def test_orders_and_events_are_those_of_the_engine(exchange: Exchange, tmp_path: Path, both: bool) -> None:
    made, _ = triggers(LEVELS)
    reference = Engine(16, LEVELS, 16384)
    expected = reference.process(np.array(made.rows, INPUT), np.frombuffer(bytes(made.bytes), np.uint8))
    live, commands, events = live_engine(exchange, tmp_path)
    recorder = Recorder(live)
    play(exchange, recorder, commands, made.rows, bytes(made.bytes), both=both)
    assert exchange.take() == expected.payload.tobytes()
    assert len(expected.outputs) > 200
    # And event by event, with what came in when it came in.
    again = Engine(16, LEVELS, 16384)
    told = again.process(*recorder.arrays()).events
    found = events.take().reshape(-1).view(EVENT.dtype)
    skipped = len(found) - len(told)  # of the first tick, before the recorder
    assert 0 <= skipped <= 1
    assert np.array_equal(found[skipped:], told)
    assert (events.lost, live.control[Control.SENT]) == (0, len(expected.payload))


def test_a_lost_connection_takes_the_session_down_and_nothing_more_is_sent(exchange: Exchange, tmp_path: Path) -> None:
    made, found = triggers(LEVELS)
    live, commands, events = live_engine(exchange, tmp_path)
    recorder = Recorder(live)
    first, *_ = found
    play(exchange, recorder, commands, made.rows[:first], bytes(made.bytes), both=False)
    exchange.take()
    exchange.order.close()
    recorder.until(1)
    assert not live.connected
    assert live.control[Control.CONNECTIONS_LOST] == 1
    told = events.take().reshape(-1).view(EVENT.dtype)
    last = told[told["type"] == EventType.SESSION][-1]
    assert last["info"] == SessionState.DOWN
    sent = int(live.control[Control.SENT])
    play(exchange, recorder, commands, made.rows[first : first + 1], bytes(made.bytes), both=False)
    assert live.control[Control.SENT] == sent
    assert not (events.take().reshape(-1).view(EVENT.dtype)["type"] == EventType.ORDER_SENT).any()


def test_it_runs_in_a_thread_of_its_own_and_stops(exchange: Exchange, tmp_path: Path) -> None:
    made, _ = triggers(LEVELS)
    expected = Engine(16, LEVELS, 16384).process(np.array(made.rows, INPUT), np.frombuffer(bytes(made.bytes), np.uint8))
    live, commands, events = live_engine(exchange, tmp_path)
    live.start(core=min(os.sched_getaffinity(0)))
    try:
        for _, at, length, port in made.rows[:60]:
            content = bytes(made.bytes[at : at + length])
            handled = int(live.control[Control.BUSY_TURNS])
            if port == Port.COMMAND:
                commands.put(content)
            elif port == Port.SESSION:
                exchange.order.send(content)
            else:
                exchange.publish(Port.FEED_A, content[HEADERS:])
            deadline = time.monotonic() + 20
            while live.control[Control.BUSY_TURNS] == handled:
                time.sleep(0.0005)
                assert time.monotonic() < deadline
    finally:
        live.stop()
    orders = exchange.take()
    assert orders
    assert expected.payload.tobytes().startswith(orders)
    assert len(events) > 0
    assert live.error is None


def test_what_the_exchange_does_not_take_waits_and_comes_whole(exchange: Exchange, tmp_path: Path) -> None:
    """Its window is small and it does not read: packets wait in the order in which they were made."""
    live, *_ = live_engine(exchange, tmp_path)
    exchange.client.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, 4096)
    out = live.engine.state.out[0]
    made = bytearray()
    chooser = np.random.default_rng(1)
    for _ in range(200):
        piece = chooser.integers(0, 256, int(chooser.integers(1, 5000)), np.uint8)
        out["payload"][: len(piece)] = piece
        out["payload_length"], out["output_count"] = len(piece), 1
        made += piece.tobytes()
        _hand_out(live.wires, live.engine.state.out)
    assert live.control[Control.PENDING_BYTES] > 0
    deadline = time.monotonic() + 20
    while len(exchange.received) < len(made):
        exchange.take()
        live.turn(1)
        assert time.monotonic() < deadline
    assert bytes(exchange.received) == made
    assert live.control[Control.PENDING_BYTES] == 0


def test_an_exchange_that_takes_nothing_is_given_up(exchange: Exchange, tmp_path: Path) -> None:
    live, *_ = live_engine(exchange, tmp_path)
    out = live.engine.state.out[0]
    for _ in range(PENDING // 100_000 + 60):
        out["payload_length"], out["output_count"] = 100_000, 1
        _hand_out(live.wires, live.engine.state.out)
    live.turn(1)
    assert not live.connected
    assert live.control[Control.PENDING_BYTES] == 0
    assert live.control[Control.CONNECTIONS_LOST] == 1
