"""The TCP engine's latency to the cycle, its judgement of frames, and its stream through anything a line can do."""

from __future__ import annotations

import random
from collections import Counter, deque
from itertools import pairwise

import pytest

from hw.tcp.engine import COUNTERS
from hw.tcp.segment import State
from tests.hw.tcp_card import LOCAL_ADDRESS, LOCAL_MAC, LOCAL_PORT, REMOTE_ADDRESS, REMOTE_MAC, REMOTE_PORT, Card
from tests.hw.tcp_line import Faults
from tests.hw.tcp_model import WRAP, Habits, ModelPeer, Witness
from tests.hw.tcp_peer import Peer
from wire.errors import ChecksumError
from wire.frames import Frame, build, parse
from wire.ipv4 import TCP_PROTOCOL
from wire.tcp import Flag

pytestmark = [pytest.mark.gateware, pytest.mark.twin]

ORDERS = {"cancel": 22, "replace": 50, "enter": 52}
"""Bytes of OUCH 4.2 messages in SoupBinTCP."""

EFFECT = 11
"""Cycles from a segment's last beat until its window counts."""

LIMIT = 3_000_000
"""Cycles that a connection of the random tests may take."""


def soup(draw: random.Random, length: int) -> bytes:
    return (length - 2).to_bytes(2, "big") + draw.randbytes(length - 2)


@pytest.fixture
def card() -> Card:
    return Card()


# -- latency -------------------------------------------------------------------------------------------------------


def test_a_packet_leaves_in_as_many_cycles_as_its_length_says_always(card):
    """On an idle line: minimum and maximum over every length, what is acknowledged and when; the frame is right."""
    draw = random.Random(1)
    peer = Peer(card, window=60_000)
    peer.connect()
    found: dict[int, set[int]] = {length: set() for length in range(3, 65)}
    for round_number in range(6):
        lengths = list(found)
        draw.shuffle(lengths)
        for length in lengths:
            packet = soup(draw, length)
            if draw.random() < 0.5:  # what it acknowledges has changed, and the acknowledgement alone has gone
                card.arrive(peer.segment("PA", b"x").ljust(60, b"\0"))
                peer.sequence += 1
            card.run(60 + draw.randrange(20))
            peer.heard()
            (frame,) = peer.order(packet, wait=40)
            assert frame.payload == packet
            assert frame.sequence == peer.expected % WRAP
            peer.expected += length
            offered, taken = card.accepted[-1]
            assert offered == taken
            found[length].add(frame.cycle - offered)
            if length % 7 == round_number:
                card.arrive(peer.segment("A").ljust(60, b"\0"))
    assert {length: sorted(seen) for length, seen in found.items()} == {
        length: [1 if length <= 48 else 2 if length <= 56 else 3] for length in found
    }
    assert [found[length] for length in ORDERS.values()] == [{1}, {2}, {2}]


def test_packets_follow_each_other_without_a_pause(card):
    draw = random.Random(2)
    peer = Peer(card, window=60_000)
    peer.connect()
    for _ in range(30):
        card.order(soup(draw, 52))
    card.run(30 * 16)
    frames = peer.heard()
    gaps = {after.cycle - before.cycle for before, after in pairwise(frames)}
    assert gaps == {14 + 1}  # beats of the frame, and one because it begins in the second cycle


def test_received_bytes_come_out_in_a_constant_time(card):
    peer = Peer(card)
    peer.connect()
    for length in (1, 7, 8, 55, 200, 1460, 1, 4, 3, 9):
        data = peer.segment("PA", bytes(length)).ljust(60, b"\0")
        card.arrive(data)
        last = card.cycles + len(card.inbox) - 1
        before = len(card.received)
        card.until(lambda before=before: len(card.received) > before)
        assert card.cycles - 1 - last == 19 + (before % 8 != 0)  # words are turned where the stream is not at a whole one
        card.run(300)
        peer.sequence += length


# -- what is a segment ---------------------------------------------------------------------------------------------


def good_frame(draw: random.Random, **fields: object) -> Frame:
    """A segment of the connection that changes nothing: it acknowledges what is acknowledged, and is old."""
    given = {
        "destination_mac": LOCAL_MAC, "source_mac": REMOTE_MAC, "protocol": TCP_PROTOCOL, "source": REMOTE_ADDRESS,
        "destination": LOCAL_ADDRESS, "source_port": REMOTE_PORT, "destination_port": LOCAL_PORT, "flags": Flag.ACK,
        "sequence_number": draw.randrange(WRAP), "acknowledgment_number": draw.randrange(WRAP),
        "window": draw.randrange(1 << 16), "payload": draw.randbytes(draw.choice((0, 0, 1, 5, 8, 30, 300))),
        "ip_options": draw.randbytes(4 * draw.choice((0, 0, 0, 1, 2, 10))),
        "tcp_options": draw.randbytes(4 * draw.choice((0, 0, 0, 1, 2, 10))),
        "trailer": draw.randbytes(draw.choice((0, 0, 3, 17))),
    }  # fmt: skip
    return Frame(**(given | fields))


def random_frame(draw: random.Random) -> bytes:
    """A frame that is good, or wrong in a way or two."""
    fields: dict[str, object] = {}
    for name, values in {
        "destination_mac": (LOCAL_MAC ^ 1, LOCAL_MAC ^ 1 << 47, (1 << 48) - 1),
        "source": (REMOTE_ADDRESS ^ 1, LOCAL_ADDRESS),
        "destination": (LOCAL_ADDRESS ^ 1 << 31, REMOTE_ADDRESS),
        "source_port": (REMOTE_PORT ^ 1, 0),
        "destination_port": (LOCAL_PORT ^ 1 << 15, 0),
        "protocol": (17,),
        "flags_fragment": (0x2000, 1, 0x1FFF, 0x4000, 0x8000, 0),
        "ip_checksum": (0, 0x1234),
        "transport_checksum": (0, 0xFFFF),
    }.items():
        if draw.random() < 0.04:
            fields[name] = draw.choice(values)
    data = bytearray(build(good_frame(draw, **fields)))
    fault = draw.random()
    if fault < 0.15:
        data[draw.randrange(12, min(len(data), 80))] ^= 1 << draw.randrange(8)
    elif fault < 0.25:
        data = data[: draw.randrange(1, len(data) + 1)]
    elif fault < 0.3:
        data[12:14] = draw.choice((b"\x08\x06", b"\x86\xdd", b"\x81\x00"))
    elif fault < 0.35:  # a total length, header length or data offset that is wrong with a right header checksum
        place, value = draw.choice(((14, 0x40 | draw.randrange(16)), (17, draw.randrange(256)), (46, draw.randrange(256))))
        if place < len(data):
            data[place] = value
        repair(data)
    return bytes(data)


def repair(data: bytearray) -> None:
    """Makes the IPv4 header checksum right where there is a header."""
    length = 4 * (data[14] & 15)
    if length < 20 or len(data) < 14 + length:
        return
    data[24:26] = bytes(2)
    total = sum(int.from_bytes(data[n : n + 2], "big") for n in range(14, 14 + length, 2))
    while total >> 16:
        total = (total & 0xFFFF) + (total >> 16)
    data[24:26] = (total ^ 0xFFFF).to_bytes(2, "big")


def ones_complement(data: bytes) -> int:
    total = sum(int.from_bytes(data[n : n + 2].ljust(2, b"\0"), "big") for n in range(0, len(data), 2))
    return total % 0xFFFF


def verdict(data: bytes) -> str:
    """Which counter a frame counts, by the RFCs, in the order that the engine promises."""
    if len(data) < 15 or data[:6] != LOCAL_MAC.to_bytes(6, "big") or data[12:14] != b"\x08\x00" or data[14] >> 4 != 4:
        return "not_ours"
    ip = data[14:]
    total = int.from_bytes(ip[2:4].ljust(2, b"\0"), "big")
    header = 4 * (ip[0] & 15)
    if len(ip) < 20 or header < 20 or total < header or total > len(ip):
        return "malformed"
    if ones_complement(ip[:header]):
        return "bad_checksum"
    if ip[9] != TCP_PROTOCOL or ip[12:20] != REMOTE_ADDRESS.to_bytes(4, "big") + LOCAL_ADDRESS.to_bytes(4, "big"):
        return "not_ours"
    tcp = ip[header:total]
    if int.from_bytes(ip[6:8], "big") & 0x3FFF or len(tcp) < 20:
        return "malformed"
    if tcp[:4] != REMOTE_PORT.to_bytes(2, "big") + LOCAL_PORT.to_bytes(2, "big"):
        return "not_ours"
    if not 20 <= 4 * (tcp[12] >> 4) <= len(tcp):
        return "malformed"
    pseudo = ip[12:20] + bytes([0, TCP_PROTOCOL]) + len(tcp).to_bytes(2, "big")
    return "bad_checksum" if ones_complement(pseudo + tcp) else "segments_received"


@pytest.mark.fuzz
@pytest.mark.parametrize("gap", [0, 1, 3])
def test_every_frame_counts_once_and_rightly(card, gap):
    """Frames of all kinds without a pause, or with the shortest that Ethernet knows."""
    draw = random.Random(gap)
    kinds: Counter[str] = Counter()
    card.configure(local_port=LOCAL_PORT)
    for number in range(2500):
        data = random_frame(draw)
        bad = draw.random() < 0.03
        expected = "malformed" if bad else verdict(data)
        if expected == "segments_received":
            assert parse(data).payload is not None
        kinds[expected] += 1
        card.arrive(data, bad=bad, gap=gap)
        if number % 10 == 9:
            card.run(len(card.inbox) + 200)
            counts = card.counts()
            assert {name: counts[name] for name in ("segments_received", "not_ours", "malformed", "bad_checksum")} == {
                name: kinds[name] for name in ("segments_received", "not_ours", "malformed", "bad_checksum")
            }
            kinds.clear()
    assert card.state is State.CLOSED
    assert card.received == b""


@pytest.mark.fuzz
def test_bad_frames_leave_no_trace(card):
    draw = random.Random(9)
    peer = Peer(card)
    peer.connect()
    expected: Counter[str] = Counter()
    for number in range(400):
        data = bytearray(peer.segment("PA", draw.randbytes(draw.randrange(1, 60))).ljust(60, b"\0"))
        bad = number % 4 == 0
        if not bad:
            end = 14 + int.from_bytes(data[16:18], "big")
            data[draw.randrange(14, end)] ^= 1 << draw.randrange(8)
        expected["malformed" if bad else verdict(bytes(data))] += 1
        card.arrive(bytes(data), bad=bad, gap=draw.choice((0, 0, 20)))
    card.run(len(card.inbox) + 200)
    assert peer.heard() == []
    assert card.received == b""
    assert card.counts() == expected
    assert set(expected) == {"malformed", "bad_checksum", "not_ours"}
    peer.give(b"and now a good one")
    assert card.received == b"and now a good one"


# -- the stream ----------------------------------------------------------------------------------------------------


def sound(data: bytes) -> bool:
    """The frame's checksums are right."""
    try:
        parse(data)
    except ChecksumError:
        return False
    return True


def interleaving(seed: int, packets: int, length: int) -> None:
    """One connection from SYN to CLOSED over a line with faults; everything that must hold is asserted on the way."""
    draw = random.Random(seed)
    card = Card()
    initial = draw.choice((draw.randrange(WRAP), WRAP - draw.randrange(1, 3000)))
    card.configure(initial_sequence=initial, rto_initial=draw.choice((100, 300, 800)), rto_maximum=1600, time_wait=400)
    bad = draw.choice((0.0, 0.02, 0.1, 0.25))
    line = {"loss": bad, "duplication": bad, "delay": bad * 2, "flip": bad / 2, "longest_delay": draw.choice((50, 1000, 6000))}
    inward, outward = Faults(seed, **line), Faults(~seed, **line)
    habits = Habits(
        buffer=draw.choice((64, 200, 1000, 4000, 20_000)), takes=draw.choice((0.05, 0.5, 1.0)),
        longest=draw.choice((1, 10, 100, 1460)), time_out=draw.choice((1000, 4000)), idle=draw.choice((0.0, 0.5, 0.9)),
    )  # fmt: skip
    stream = draw.randbytes(length if habits.longest > 10 else length // 10)
    witness = Witness(initial)
    peer = ModelPeer(draw, stream, habits)
    stalls, session, port = random.Random(seed + 1), draw.choice((1.0, 1.0, 0.5, 0.1)), draw.choice((1.0, 1.0, 0.6))
    card.receive_ready = lambda now: int(stalls.random() < session)
    card.tx_ready = lambda now: int(stalls.random() < port)
    arriving: deque[tuple[int, bytes]] = deque()

    def leave(now: int, data: bytes) -> None:
        began = card.frames[-1][0]
        while arriving and arriving[0][0] + EFFECT <= began:
            witness.open(parse(arriving.popleft()[1]))
        witness.see(parse(data))
        outward.put(now, data.ljust(60, b"\0"))

    card.on_frame = leave
    sent = [soup(draw, draw.choice((3, 22, 50, 52, draw.randrange(3, 65)))) for _ in range(packets)]
    waiting = list(reversed(sent))
    card_first, closed = draw.random() < 0.5, False
    card.pulse("connect")
    while card.state is not State.CLOSED or not closed:
        now = card.cycles
        assert now < LIMIT, f"seed {seed}: not done in {LIMIT} cycles, {card.state.name}"
        while waiting and len(card.outbox) < 9:
            card.order(waiting.pop())
        for data in outward.take(now):
            if sound(data):
                peer.hear(parse(data))
        if len(card.inbox) < 300:
            for data in peer.speak(now):
                inward.put(now, data)
        for data in inward.take(now):
            card.arrive(data, gap=draw.choice((0, 1, 3, 20)))
            if sound(data):
                arriving.append((now + len(card.inbox), data))
        card.run(draw.choice((1, 8, 30)))
        if not waiting and not card.outbox and not closed and (card_first or card.state is State.CLOSE_WAIT):
            card.pulse("close")
            closed = True
        peer.closing |= peer.fin_seen or not card_first
    card.run(2000)
    assert bytes(witness.stream) == b"".join(sent)
    assert peer.received == b"".join(sent)
    assert bytes(card.received) == stream
    counts = card.counts()
    assert counts["retransmissions"] == witness.repeated
    assert counts["segments_sent"] == len(card.frames)
    assert counts["segments_received"] + inward.done["flipped"] == inward.done["passed"]
    assert counts["bad_checksum"] == inward.done["flipped"]
    assert set(counts) <= {
        "segments_sent", "segments_received", "retransmissions", "duplicate_acks", "out_of_order", "bad_checksum",
        "window_full", "closed",
    }  # fmt: skip
    assert counts["closed"] == 1


@pytest.mark.parametrize("seed", range(24))
def test_every_byte_is_delivered_once_through_any_interleaving(seed):
    interleaving(seed, packets=60, length=4000)


@pytest.mark.slow
@pytest.mark.parametrize("seed", range(1000, 1300))
def test_every_byte_is_delivered_once_through_many_interleavings(seed):
    interleaving(seed, packets=200, length=20_000)


def test_every_counter_is_counted_somewhere_here():
    """The files of this engine assert each of them."""
    assert set(COUNTERS) == {
        "segments_sent", "segments_received", "retransmissions", "duplicate_acks", "out_of_order", "bad_checksum",
        "malformed", "resets", "not_ours", "window_full",
    }  # fmt: skip
