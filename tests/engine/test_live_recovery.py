"""Rings of packets, the recovery port and the tape of the loop on sockets."""

import socket
from pathlib import Path

import numpy as np
import pytest

from drivers import commands as made
from drivers.settings import Feed, SymbolSetup
from engine.live.live import LiveEngine
from engine.live.loop import Control
from engine.live.rings import PACKET, PACKET_AT, PacketRing, Ring, RingError
from engine.path import Engine
from engine.references import alive
from tests.engine.test_live import LEVELS
from wire import itch, moldudp64
from wire.counters import NUMBER
from wire.frames import udp_frame
from wire.records import Port


def test_packets_come_out_as_they_went_in_and_what_finds_no_room_is_counted(tmp_path: Path, rng: np.random.Generator) -> None:
    ring = PacketRing(tmp_path / "ring", 8)
    other = PacketRing(tmp_path / "ring")
    put = [(int(rng.integers(0, 6)), rng.bytes(int(rng.integers(1, PACKET - PACKET_AT + 1)))) for _ in range(20)]
    found = []
    for n in range(0, 20, 5):
        assert all(ring.put_packet(packet, port) for port, packet in put[n : n + 5])
        found += other.take_packets()
    assert found == put
    assert [ring.put_packet(b"x", 0) for _ in range(10)] == [True] * 8 + [False] * 2
    assert (ring.lost, len(other)) == (2, 8)
    with pytest.raises(ValueError, match="1 to 2032"):
        ring.put_packet(bytes(PACKET), 0)
    with pytest.raises(RingError, match="no ring of 64-byte records"):
        Ring(tmp_path / "ring")


def test_recovery_packets_are_taken_one_a_turn_and_the_tape_has_what_the_feeds_sent(tmp_path: Path) -> None:
    feeds = [socket.socket(socket.AF_INET, socket.SOCK_DGRAM) for _ in range(2)]
    for feed in feeds:
        feed.bind(("127.0.0.1", 0))
    sender = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    recovery, tape = PacketRing(tmp_path / "recovery", 16), PacketRing(tmp_path / "tape", 16)
    commands, events = Ring(tmp_path / "commands", 16), Ring(tmp_path / "events", 256)
    engine = Engine(16, LEVELS, 16384)
    live = LiveEngine(engine, (feeds[0], feeds[1]), commands, events, recovery=recovery, tape=tape, tick_ns=10**15)
    setup = SymbolSetup(stock="HPNA", stock_locate=1, base_price=1_000_000, tick=100)
    for data in (made.set_feed(Feed(session="S")), made.set_symbol(0, setup, LEVELS)):
        commands.put(data)
    live.turn(3)

    def packet(sequence: int) -> bytes:
        price = 1_000_000 + 100 * sequence
        add = itch.ADD_ORDER.pack(stock_locate=1, side="B", shares=100, price=price, order_reference=sequence)
        return moldudp64.packet("S", sequence, [add])

    for sequence in (1, 2, 3):
        frame = udp_frame(packet(sequence), source=0, destination=0, source_port=0, destination_port=0)
        assert recovery.put_packet(frame, Port.RECOVERY)
    for taken in (1, 2, 3):
        live.turn(1)
        assert live.control[Control.RECOVERED] == taken
        assert engine.counters[NUMBER["packets_recovery"]] == taken
    sender.sendto(packet(4), feeds[0].getsockname())
    while not engine.counters[NUMBER["packets_a"]]:
        live.turn(1)
    assert not tape.take_packets()
    live.record(True)
    for port in (0, 1):
        sender.sendto(packet(5), feeds[port].getsockname())
    while not engine.counters[NUMBER["packets_b"]] or engine.counters[NUMBER["packets_a"]] < 2:
        live.turn(1)
    found = tape.take_packets()
    assert sorted(port for port, _ in found) == [Port.FEED_A, Port.FEED_B]
    assert all(frame.endswith(packet(5)) for _, frame in found)
    references, symbols = alive(engine.state.book)
    assert references.tolist() == [1, 2, 3, 4, 5]
    assert not symbols.any()
    live.close()
    for each in (*feeds, sender):
        each.close()
