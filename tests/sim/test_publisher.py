"""Packets of a tape, read back with the Python codecs."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sim.publisher import FEED_A, FEED_B, SESSION, FeedConfig, Store, publish
from sim.sources.flow import FlowConfig, flow
from sim.sources.tape import Tape, from_bytes
from wire import frames, ipv4, itch, moldudp64
from wire.ethernet import multicast_mac
from wire.moldudp64 import Kind

SECOND = 1_000_000_000


@pytest.fixture(scope="module")
def tape() -> Tape:
    return flow(FlowConfig(seed=6, messages=5_000))


def times_to_tape(times: list[int]) -> Tape:
    return from_bytes([itch.ORDER_DELETE.pack(timestamp=time, order_reference=i) for i, time in enumerate(times)])


def test_every_message_is_published_once_in_sequence_on_both_feeds(tape: Tape) -> None:
    for config in (FEED_A, FEED_B):
        packets, number = publish(tape, config), 1
        found = []
        for i in range(len(packets)):
            frame = frames.parse(packets[i])
            assert (frame.destination, frame.destination_port) == (config.address, config.port)
            assert (frame.source, frame.destination_mac) == (config.source, multicast_mac(config.address))
            assert frame.transport_checksum is None  # right
            packet = moldudp64.unpack(frame.payload)
            assert packet.session == SESSION
            assert packet.sequence_number == number == packets.sequences[i]
            assert len(packet.messages) == packets.counts[i]
            number = packet.next_sequence_number
            found += packet.messages
        assert found == list(tape)
        assert number == len(tape) + 1


@given(
    st.lists(st.integers(0, 300), max_size=60), st.sampled_from([0, 1, 50, 1000]), st.sampled_from([42, 64, 200, 1472])
)
@settings(max_examples=60)
def test_a_packet_has_what_its_window_and_size_allow_and_no_less(steps: list[int], window: int, size: int) -> None:
    times = np.cumsum(steps, dtype=np.int64).tolist()
    tape = times_to_tape(times)
    packets = publish(tape, FeedConfig(window_ns=window, max_payload=size), heartbeat_ns=0, end_packets=0)
    first = 0
    for i in range(len(packets)):
        count, leaves = int(packets.counts[i]), int(packets.timestamps[i])
        last = first + count
        length = len(packets[i]) - 42
        assert count > 0
        assert length == 20 + 21 * count <= size
        assert times[last - 1] <= leaves <= times[first] + window
        if last < len(times):  # the next message did not fit, or came too late
            in_time = times[last] <= times[first] + window
            full = in_time and length + 21 > size
            assert full or not in_time
            assert leaves == (times[last - 1] if full else times[first] + window)
        first = last
    assert first == len(times)
    assert (np.diff(packets.timestamps) >= 0).all()


def test_silence_is_filled_with_heartbeats_and_the_day_ends() -> None:
    tape = times_to_tape([0, SECOND, 4 * SECOND + 1, 4 * SECOND + 2])
    packets = publish(tape, end_packets=2)
    found = []
    for i in range(len(packets)):
        packet = moldudp64.unpack(frames.parse(packets[i]).payload)
        found.append((int(packets.timestamps[i]), packet.kind, packet.sequence_number))
    assert found == [
        (0, Kind.DATA, 1),
        (SECOND, Kind.DATA, 2),
        (2 * SECOND, Kind.HEARTBEAT, 3),
        (3 * SECOND, Kind.HEARTBEAT, 3),
        (4 * SECOND, Kind.HEARTBEAT, 3),
        (4 * SECOND + 1, Kind.DATA, 3),
        (4 * SECOND + 2, Kind.DATA, 4),
        (5 * SECOND + 2, Kind.END_OF_SESSION, 5),
        (6 * SECOND + 2, Kind.END_OF_SESSION, 5),
    ]


def test_checksums_can_be_left_out(tape: Tape) -> None:
    packets = publish(tape.part(0, 50), FeedConfig(checksummed=False))
    assert all(frames.parse(packets[i]).transport_checksum == 0 for i in range(len(packets)))


@given(st.integers(-5, 5_100), st.integers(0, 400))
@settings(max_examples=40)
def test_the_store_repeats_what_is_asked_for(tape: Tape, first: int, count: int) -> None:
    packets = Store(tape).answer(first, count)
    found, following = [], max(first, 1)
    for i in range(len(packets)):
        frame = frames.parse(packets[i])
        packet = moldudp64.unpack(frame.payload)
        assert packet.sequence_number == following
        following = packet.next_sequence_number
        found += packet.messages
        assert len(frame.payload) <= 1472
        assert frame.destination == ipv4.address("10.0.0.2")
    begin = max(first, 1) - 1
    assert found == list(tape.part(begin, max(first - 1 + count, begin)))


def test_a_request_is_answered_with_what_fits_one_packet(tape: Tape) -> None:
    store = Store(tape)
    packet = moldudp64.unpack(store.request(moldudp64.request(SESSION, 100, 1_000)))
    assert packet.sequence_number == 100
    count = len(packet.messages)
    assert packet.messages == tuple(tape.part(99, 99 + count))
    assert 20 + sum(2 + len(m) for m in tape.part(99, 100 + count)) > 1472
    assert store.request(moldudp64.request("OTHER", 100, 10)) == b""
    assert store.request(moldudp64.request(SESSION, len(tape) + 1, 10)) == b""


def test_what_cannot_be_published_is_refused() -> None:
    long = from_bytes([bytes(100)])
    with pytest.raises(ValueError, match="message 0 of 100 bytes"):
        publish(long, FeedConfig(max_payload=100))
    for wrong in ({"max_payload": 1473}, {"max_payload": 22}, {"window_ns": -1}):
        with pytest.raises(ValueError, match=next(iter(wrong))):
            FeedConfig(**wrong)
