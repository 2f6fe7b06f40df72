"""The TCP engine against Linux's own TCP, over a line that loses, doubles, delays and damages frames."""

from __future__ import annotations

import random
import socket
import struct
import subprocess
from collections.abc import Iterator
from contextlib import suppress
from itertools import pairwise
from pathlib import Path

import pytest

from hw.tcp.segment import State
from tests.hw.tcp_card import LOCAL_MAC, LOCAL_PORT, REMOTE_PORT, Card
from tests.hw.tcp_line import Faults
from tests.hw.tcp_linux import Network, Peers, unavailable
from wire.frames import parse
from wire.tcp import Flag

pytestmark = [
    pytest.mark.gateware,
    pytest.mark.twin,
    pytest.mark.oracle,
    pytest.mark.skipif(unavailable() is not None, reason=unavailable() or ""),
]

NEVER = (1 << 28) - 1  # a time-out that is longer than any test


@pytest.fixture
def network() -> Iterator[Network]:
    network = Network()
    yield network
    network.close()


def packet(seed: random.Random) -> bytes:
    """A SoupBinTCP packet of a random length."""
    body = seed.randbytes(seed.choice((1, 1, 19, 22, 48, 50, 62, seed.randrange(1, 63))))
    return len(body).to_bytes(2, "big") + body


def connected(peers: Peers, server: socket.socket) -> socket.socket:
    """Opens the connection; the kernel's end of it."""
    accepted: list[socket.socket] = []

    def accept() -> bool:
        try:
            accepted.append(server.accept()[0])
        except BlockingIOError:
            return False
        return peers.card.state is State.ESTABLISHED

    peers.card.pulse("connect")
    peers.until(lambda: accepted or accept())
    peers.until(lambda: peers.card.state is State.ESTABLISHED)
    accepted[0].setblocking(False)
    peers.network.sockets.append(accepted[0])
    return accepted[0]


def exchange(peers: Peers, end: socket.socket, outward: list[bytes], inward: list[bytes]) -> None:
    """Packets from the card and pieces from the kernel, at the same time; every byte must come through, once."""
    card = peers.card
    wanted_out, wanted_in = b"".join(outward), b"".join(inward)
    got, start = bytearray(), len(card.received)
    for each in outward:
        card.order(each)
    left = list(reversed(inward))

    def step() -> bool:
        if left:
            try:
                sent = end.send(left[-1])
                left[-1] = left[-1][sent:]
                if not left[-1]:
                    left.pop()
            except BlockingIOError:
                pass
        with suppress(BlockingIOError):
            got.extend(end.recv(65536))
        return len(got) >= len(wanted_out) and len(card.received) - start >= len(wanted_in)

    peers.until(step)
    assert bytes(got) == wanted_out
    assert bytes(card.received[start:]) == wanted_in


def sent_again(card: Card) -> int:
    """Frames of the card that repeat a sequence number; each must repeat its bytes too."""
    known: dict[int, bytes] = {}
    again = 0
    for _, data in card.frames:
        frame = parse(data)
        syn_fin = frame.flags & (Flag.SYN | Flag.FIN)
        if frame.payload or syn_fin:
            said = bytes([syn_fin]) + frame.payload
            if known.setdefault(frame.sequence_number, said) != said:
                raise AssertionError(f"{frame.sequence_number} was sent with other bytes")
            again += 1
    return again - len(known)


def check_counts(card: Card, peers: Peers, **more: int) -> None:
    """The counters that follow from what was on the line, and those given."""
    card.run(len(card.inbox) + 50)
    card.until(lambda: card.get("count_segments_sent") == len(card.frames))
    counts = card.counts()
    flipped = peers.inward.done["flipped"]
    assert counts.pop("segments_sent") == len(card.frames)
    assert counts.pop("segments_received", 0) == peers.inward.done["passed"] - flipped
    assert counts.pop("retransmissions", 0) == sent_again(card)
    assert counts.pop("bad_checksum", 0) == flipped
    for name in ("duplicate_acks", "out_of_order", "window_full"):
        if name not in more:
            counts.pop(name, None)
    assert counts == {name: count for name, count in more.items() if count}


def acknowledged(peers: Peers) -> None:
    """Lets both ends acknowledge everything."""
    peers.until(lambda: peers.card.get("unacknowledged") == 0)
    for _ in range(10):
        peers.run()


def reset(end: socket.socket) -> None:
    """Closes with a RST."""
    end.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    end.close()


def test_thousands_of_packets_both_ways(network, seed):
    draw = random.Random(seed)
    card = Card()
    card.configure(rto_initial=NEVER)
    peers = Peers(card, network)
    end = connected(peers, network.listen(REMOTE_PORT))
    outward = [packet(draw) for _ in range(4000)]
    inward = [draw.randbytes(draw.choice((3, 40, 80, 1460, draw.randrange(1, 4000)))) for _ in range(1000)]
    exchange(peers, end, outward, inward)
    assert card.get("unacknowledged") < 4096
    peers.until(lambda: card.get("unacknowledged") == 0)
    check_counts(card, peers, duplicate_acks=0, out_of_order=0)


@pytest.mark.parametrize("number", range(4))
def test_every_byte_comes_through_a_bad_line(network, number, tmp_path):
    draw = random.Random(number)
    card = Card()
    card.configure(rto_initial=600, rto_maximum=4000, initial_sequence=(1 << 32) - draw.randrange(1, 30_000))
    faults = {"loss": 0.03, "duplication": 0.03, "delay": 0.05, "flip": 0.02}
    peers = Peers(card, network, Faults(2 * number, **faults), Faults(2 * number + 1, **faults))
    end = connected(peers, network.listen(REMOTE_PORT))
    outward = [packet(draw) for _ in range(1200)]
    inward = [draw.randbytes(draw.choice((3, 40, 80, 1460, draw.randrange(1, 4000)))) for _ in range(200)]
    exchange(peers, end, outward, inward)
    card.pulse("close")
    peers.until(lambda: card.state in (State.FIN_WAIT_1, State.FIN_WAIT_2))

    def ended() -> bool:
        try:
            return end.recv(1) == b""
        except BlockingIOError:
            return False

    peers.until(ended)
    end.close()
    peers.until(lambda: card.state is State.CLOSED)
    assert sent_again(card) > 20
    assert all(peers.inward.done[name] > 5 for name in ("lost", "flipped"))
    # What was late meets a kernel that has forgotten the connection.
    resets = sum((data[47] & Flag.RST) != 0 for _, data in peers.capture if data[:6] == LOCAL_MAC.to_bytes(6, "big"))
    check_counts(card, peers, closed=1, resets=card.get("count_resets") if resets else 0)
    path = tmp_path / "line.pcap"
    peers.write(path)
    assert_dissected(path, len(peers.capture))


def assert_dissected(path: Path, frames: int) -> None:
    """Wireshark finds nothing malformed in a capture, and every checksum right."""
    command = ["tshark", "-r", str(path), "-o", "tcp.check_checksum:TRUE", "-o", "ip.check_checksum:TRUE"]

    def number(display: str) -> int:
        done = subprocess.run([*command, "-Y", display], check=True, capture_output=True, text=True)
        return len(done.stdout.splitlines())

    assert number("tcp") == frames
    assert number("_ws.malformed || tcp.checksum.status != 1 || ip.checksum.status != 1") == 0


def test_the_peers_window_closes_and_opens(network, seed):
    draw = random.Random(seed)
    card = Card()
    card.configure(rto_initial=600, rto_maximum=4000)
    peers = Peers(card, network)
    end = connected(peers, network.listen(REMOTE_PORT, receive_buffer=4096))
    outward = [packet(draw) for _ in range(400)]
    for each in outward:
        card.order(each)
    peers.until(lambda: card.get("remote_window") < 64)
    for _ in range(500):
        peers.run()
    assert len(card.outbox) > 100
    got = bytearray()

    def read() -> bool:
        with suppress(BlockingIOError):
            got.extend(end.recv(256))
        return len(got) == sum(map(len, outward))

    peers.until(read)
    assert bytes(got) == b"".join(outward)
    assert card.get("count_window_full") > 0
    check_counts(card, peers)


def test_a_slow_session_holds_up_the_peer(network, seed):
    draw = random.Random(seed)
    card = Card()
    card.configure(rto_initial=NEVER)
    card.receive_ready = lambda now: int((now >> 15) % 3 == 0 or draw.random() < 0.01)
    peers = Peers(card, network)
    end = connected(peers, network.listen(REMOTE_PORT))
    exchange(peers, end, [], [draw.randbytes(60_000)])
    card.receive_ready = None
    assert min(parse(data).window for _, data in card.frames) < 4096 - 1460
    check_counts(card, peers, duplicate_acks=0)


@pytest.mark.parametrize("first", ["card", "server"])
def test_closing(network, first):
    card = Card()
    card.configure(rto_initial=NEVER)
    peers = Peers(card, network)
    end = connected(peers, network.listen(REMOTE_PORT))
    exchange(peers, end, [b"\0\1R"], [b"\0\1H"])

    def at_end() -> bool:
        try:
            return end.recv(1) == b""
        except BlockingIOError:
            return False

    if first == "card":
        card.pulse("close")
        peers.until(at_end)
        peers.until(lambda: card.state is State.FIN_WAIT_2)
        exchange(peers, end, [], [b"\0\1Z"])  # half closed: the other half still carries
        end.close()
        peers.until(lambda: card.state is State.TIME_WAIT)
    else:
        end.shutdown(socket.SHUT_WR)
        peers.until(lambda: card.state is State.CLOSE_WAIT)
        exchange(peers, end, [b"\0\1O"], [])
        card.pulse("close")
        peers.until(at_end)
        end.close()
    peers.until(lambda: card.state is State.CLOSED)
    check_counts(card, peers, closed=1, duplicate_acks=0, out_of_order=0)


def test_a_second_connection_from_the_same_port(network):
    card = Card()
    card.configure(rto_initial=NEVER)
    peers = Peers(card, network)
    server = network.listen(REMOTE_PORT)
    for number in range(3):
        card.configure(initial_sequence=1000 + 100_000 * number, local_port=LOCAL_PORT + number // 2)
        end = connected(peers, server)
        exchange(peers, end, [b"\0\1R"] * 20, [b"\0\1H"] * 20)
        acknowledged(peers)
        if number == 1:
            card.pulse("abort")
            with pytest.raises(ConnectionResetError):
                peers.until(lambda end=end: recv_or_none(end) is not None)
        else:
            reset(end)
            peers.until(lambda: card.state is State.CLOSED)
    check_counts(card, peers, closed=3, reset_received=2, resets=2)


def recv_or_none(end: socket.socket) -> bytes | None:
    try:
        return end.recv(1)
    except BlockingIOError:
        return None


def test_a_reset_ends_the_connection(network):
    card = Card()
    card.configure(rto_initial=NEVER)
    peers = Peers(card, network)
    end = connected(peers, network.listen(REMOTE_PORT))
    exchange(peers, end, [b"\0\1R"], [b"\0\1H"])
    acknowledged(peers)
    reset(end)
    peers.until(lambda: card.state is State.CLOSED)
    check_counts(card, peers, closed=1, reset_received=1, resets=1, duplicate_acks=0)


def test_nobody_listens(network):
    card = Card()
    card.configure(rto_initial=NEVER)
    peers = Peers(card, network)
    card.pulse("connect")
    peers.until(lambda: card.state is State.SYN_SENT)
    peers.until(lambda: card.state is State.CLOSED)
    check_counts(card, peers, closed=1, reset_received=1, resets=1)


@pytest.mark.parametrize("when", ["from the start", "later"])
def test_a_silent_peer_is_given_up(network, when):
    card = Card(retries=8)
    card.configure(rto_initial=50, rto_maximum=400)
    peers = Peers(card, network)
    if when == "later":
        card.configure(rto_initial=NEVER)
        end = connected(peers, network.listen(REMOTE_PORT))
        exchange(peers, end, [b"\0\1R"], [])
        peers.until(lambda: card.get("unacknowledged") == 0)
        card.configure(rto_initial=50)
        card.run(20)
    peers.outward.loss = 1.0
    before = len(card.frames)
    if when == "later":
        card.order(b"\0\1R")
        card.run(50)
        assert card.get("unacknowledged") == 3
    else:
        card.pulse("connect")
        card.until(lambda: card.state is State.SYN_SENT)
    peers.until(lambda: card.state is State.CLOSED)
    times = [cycle for cycle, _ in card.frames[before:]]
    assert len(times) == 9
    gaps = [(after - first) / 8 for first, after in pairwise(times)]
    wanted = [50, 100, 200, 400, 400, 400, 400, 400]
    assert all(wait <= gap <= wait + 3 for gap, wait in zip(gaps, wanted, strict=True)), gaps
    check_counts(card, peers, closed=1, timed_out=1)
