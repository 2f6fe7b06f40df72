"""The TCP engine and single segments, built and read by scapy: what RFC 9293 and RFC 5961 say about each."""

from __future__ import annotations

import random
from itertools import pairwise

import pytest

from hw.tcp.segment import State
from tests.hw.tcp_card import Card
from tests.hw.tcp_peer import SETTLED, WRAP, Peer, Said

pytestmark = [pytest.mark.gateware, pytest.mark.twin, pytest.mark.oracle]

MICROSECOND = 8
RTO = 200 * MICROSECOND


def soup(length: int, fill: int = 0x55) -> bytes:
    """A SoupBinTCP packet of so many bytes."""
    return (length - 2).to_bytes(2, "big") + bytes((fill + n) & 0xFF for n in range(length - 2))


@pytest.fixture
def card() -> Card:
    return Card(microsecond=MICROSECOND)


@pytest.fixture
def peer(card) -> Peer:
    peer = Peer(card)
    peer.connect()
    return peer


def says(answers: list[Said], *wanted: tuple[str, int, int]) -> None:
    """Flags, sequence and acknowledgment number of all answers."""
    assert [(each.flags, each.sequence, each.ack) for each in answers] == [
        (flags, sequence % WRAP, ack % WRAP) for flags, sequence, ack in wanted
    ]


# -- opening -------------------------------------------------------------------------------------------------------


def test_the_options_of_a_syn_ack_are_ignored(card):
    options = [("MSS", 536), ("SAckOK", b""), ("Timestamp", (7, 0)), ("NOP", None), ("WScale", 9)]
    peer = Peer(card)
    peer.connect(options=options)
    (frame,) = peer.order(soup(20))
    assert frame.options == []
    assert card.get("remote_window") == peer.window


def test_a_syn_ack_with_a_wrong_acknowledgment_is_reset(card):
    peer = Peer(card)
    card.pulse("connect")
    card.run(SETTLED)
    (syn,) = peer.heard()
    for wrong in (syn.sequence, syn.sequence + 2, syn.sequence - 1, syn.sequence + (1 << 31)):
        says(peer.say("SA", ack=wrong), ("R", wrong, 0))
        assert card.state is State.SYN_SENT
    says(peer.say("A", ack=syn.sequence + 77), ("R", syn.sequence + 77, 0))  # half-open: RFC 9293 figure 9
    says(peer.say("R", ack=syn.sequence + 1))  # a RST without ACK is nobody's
    says(peer.say("RA", ack=syn.sequence + 5))  # nor one that acknowledges something else
    assert card.state is State.SYN_SENT
    peer.expected = syn.sequence + 1
    says(peer.say("SA"), ("A", syn.sequence + 1, peer.sequence + 1))
    assert card.state is State.ESTABLISHED
    assert card.counts() == {"segments_sent": 7, "segments_received": 8, "resets": 2}


def test_a_refused_connection(card):
    peer = Peer(card)
    card.pulse("connect")
    card.run(SETTLED)
    (syn,) = peer.heard()
    assert peer.say("RA", seq=0, ack=syn.sequence + 1) == []
    assert card.state is State.CLOSED
    assert card.counts() == {"segments_sent": 1, "segments_received": 1, "resets": 1, "reset_received": 1, "closed": 1}


def test_both_open_at_once(card):
    peer = Peer(card)
    card.pulse("connect")
    card.run(SETTLED)
    (syn,) = peer.heard()
    says(peer.say("S", ack=0), ("SA", syn.sequence, peer.sequence + 1))
    assert card.state is State.SYN_RECEIVED
    peer.expected = syn.sequence + 1
    says(peer.say("SA"), ("A", syn.sequence + 1, peer.sequence + 1))
    peer.sequence += 1
    says(peer.say("A", ack=syn.sequence + 3), ("R", syn.sequence + 3, peer.sequence))
    assert card.state is State.SYN_RECEIVED
    assert peer.say("A") == []
    assert card.state is State.ESTABLISHED
    (frame,) = peer.order(soup(9))
    assert (frame.sequence, frame.payload) == (syn.sequence + 1, soup(9))
    assert card.counts() == {"segments_sent": 5, "segments_received": 4}


def test_a_syn_is_sent_again(card):
    peer = Peer(card)
    card.pulse("connect")
    card.run(3 * RTO + 300)
    syns = peer.heard()
    assert [each.flags for each in syns] == ["S", "S", "S"]
    assert len({each.data for each in syns}) == 1
    gaps = [after.cycle - before.cycle for before, after in pairwise(syns)]
    assert all(wait <= gap < wait + 2 * MICROSECOND for gap, wait in zip(gaps, (RTO, 2 * RTO), strict=True)), gaps
    peer.expected = syns[0].sequence + 1
    peer.say("SA")
    assert card.state is State.ESTABLISHED
    assert card.counts() == {"segments_sent": 4, "segments_received": 1, "retransmissions": 2}


def test_connect_waits_for_the_session_to_take_what_came_before(card, peer):
    card.receive_ready = lambda now: 0
    peer.give(b"last words")
    card.pulse("abort")
    card.run(SETTLED)
    card.pulse("connect")
    card.run(SETTLED)
    assert card.state is State.CLOSED
    card.receive_ready = lambda now: 1
    card.run(SETTLED)
    assert card.state is State.SYN_SENT
    assert card.received == b"last words"


def test_a_segment_of_the_last_connection_says_nothing_to_the_next(card, peer):
    """It is still coming in, its header compared, when the connection is aborted and opened again: found by the proof."""
    card.arrive(peer.segment("RA", bytes(1400)))
    card.run(40)
    card.pulse("abort")
    card.run(20)
    card.pulse("connect")
    card.run(400)
    assert card.state is State.SYN_SENT


def test_connect_twice_is_connect_once(card):
    """A second pulse at any time while the first is obeyed does not open the connection again when it ends."""
    for gap in range(8):
        card.pulse("connect")
        card.run(gap)
        card.pulse("connect")
        card.run(SETTLED)
        assert card.state is State.SYN_SENT
        card.pulse("abort")
        card.run(SETTLED)
        assert card.state is State.CLOSED, gap


# -- receiving -----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("ip_words", [0, 1, 5, 10])
def test_options_before_the_payload(card, peer, ip_words):
    draw = random.Random(ip_words)
    sent = bytearray()
    for words in range(11):
        for length in (1, 7, 8, 9, 41):
            payload = draw.randbytes(length)
            options = [("NOP", None)] * (4 * words)
            if words >= 3 and length == 41:
                options = [("Timestamp", (length, words)), *[("NOP", None)] * (4 * words - 10)]
            answers = peer.give(payload, options=options, ip={"options": b"\1" * 4 * ip_words} if ip_words else None)
            sent += payload
            says(answers, ("A", peer.expected, peer.sequence))
    assert card.received == sent
    assert card.counts() == {"segments_sent": 55, "segments_received": 55}


def test_sack_blocks_are_ignored(card, peer):
    peer.order(soup(30))
    sack = [("NOP", None), ("NOP", None), ("SAck", (peer.expected + 10, peer.expected + 20))]
    assert peer.say("A", options=sack) == []
    assert card.counts() == {"segments_sent": 1, "segments_received": 1, "duplicate_acks": 1}
    assert card.get("unacknowledged") == 30


def test_overlapping_segments_are_trimmed(card, peer):
    stream = bytes(range(200))
    start = peer.sequence
    peer.say("PA", stream[:50])
    says(peer.say("PA", stream[20:90], seq=start + 20), ("A", peer.expected, start + 90))
    says(peer.say("PA", stream[:91], seq=start), ("A", peer.expected, start + 91))
    says(peer.say("PA", stream[40:91], seq=start + 40), ("A", peer.expected, start + 91))
    says(peer.say("PA", stream[91:92], seq=start + 91), ("A", peer.expected, start + 92))
    says(peer.say("PA", stream[84:200], seq=start + 84), ("A", peer.expected, start + 200))
    assert card.received == stream
    assert card.counts() == {"segments_sent": 6, "segments_received": 6}


def test_a_segment_behind_a_hole_is_dropped_and_acknowledged_at_once(card, peer):
    start = peer.sequence
    for _ in range(3):
        card.arrive(peer.segment("PA", b"later", seq=start + 6).ljust(60, b"\0"))
        card.run(40)  # less than the delay of an acknowledgement may take
        says(peer.heard(), ("A", peer.expected, start))
    assert card.received == b""
    peer.say("PA", b"first ")
    says(peer.say("PA", b"later", seq=start + 6), ("A", peer.expected, start + 11))
    assert card.received == b"first later"
    assert card.counts() == {"segments_sent": 5, "segments_received": 5, "out_of_order": 3}


def test_what_is_outside_the_window_is_answered_and_dropped(card, peer):
    start = peer.sequence
    for offset in (-1, -100, -(1 << 31), 4096, 5000, (1 << 31) - 1):
        says(peer.say("PA", b"x", seq=start + offset), ("A", peer.expected, start))
    assert card.counts() == {"segments_sent": 6, "segments_received": 6}
    says(peer.say("PA", b"x", seq=start + 4095), ("A", peer.expected, start))
    assert card.counts() == {"segments_sent": 1, "segments_received": 1, "out_of_order": 1}
    assert card.received == b""


def test_keep_alive_probes_are_answered(card, peer):
    peer.give(b"some bytes")
    for garbage in (b"", b"\0"):
        says(peer.say("A", garbage, seq=peer.sequence - 1), ("A", peer.expected, peer.sequence))
    assert card.received == b"some bytes"
    assert card.counts() == {"segments_sent": 3, "segments_received": 3}


def test_a_window_that_is_full_takes_no_more(card, peer):
    draw = random.Random(1)
    card.receive_ready = lambda now: 0
    start, stream = peer.sequence, draw.randbytes(6000)
    answers = []
    for at in (0, 1460, 2920):
        answers += peer.say("PA", stream[at : at + 1460], seq=start + at, wait=250)
    left = [4096 - (each.ack - start) % WRAP for each in answers]
    assert left[-1] == 0
    # What has been taken out of the buffer to be sent on does not open the window before a quarter of it is free.
    assert [each.window for each in answers] == left
    says(peer.say("PA", stream[4096:4097], seq=start + 4096), ("A", peer.expected, start + 4096))
    peer.order(soup(20))
    peer.expected += 20
    says(peer.say("A", seq=start + 4096))  # acknowledgements count in a closed window
    assert card.get("unacknowledged") == 0
    card.receive_ready = None
    card.set("receive_ready", 1)
    card.run(1500)
    opened = peer.heard()
    assert [each.ack for each in opened] == [(start + 4096) % WRAP] * len(opened)
    assert opened[0].window >= 2048
    peer.sequence = start + 4096
    peer.give(stream[4096:5500], wait=500)
    assert card.received == stream[:5500]


@pytest.mark.parametrize("size", [1, 2, 3, 7, 8, 9, 100, 1460])
def test_frames_without_a_gap(card, peer, size):
    """The shortest frames, unpadded and back to back: each is judged by what the one before has brought about."""
    draw = random.Random(size)
    stream = draw.randbytes(size * (40 if size < 100 else 2))
    card.tx_ready = lambda now: int(draw.random() < 0.7)
    for at in range(0, len(stream), size):
        card.arrive(peer.segment("PA", stream[at : at + size], seq=peer.sequence + at))
        if draw.random() < 0.3:  # again, and behind a hole
            card.arrive(peer.segment("PA", stream[at : at + size], seq=peer.sequence + at))
            card.arrive(peer.segment("PA", b"?" * size, seq=peer.sequence + at + 2 * size))
        if draw.random() < 0.3:
            card.arrive(peer.segment("A", seq=peer.sequence + at + size))
        if draw.random() < 0.3:
            card.arrive(peer.segment("A", seq=peer.sequence + at)[: draw.randrange(1, 54)])
    card.run(len(card.inbox) + size + SETTLED)
    assert card.received == stream
    assert peer.heard()[-1].ack == (peer.sequence + len(stream)) % WRAP


def test_numbers_wrap(card):
    card.configure(initial_sequence=WRAP - 30)
    peer = Peer(card, sequence=WRAP - 100)
    peer.connect()
    draw = random.Random(2)
    sent, got = bytearray(), bytearray()
    for n in range(12):
        packet, payload = soup(3 + 5 * n, n), draw.randbytes(9 + n)
        (frame,) = peer.order(packet)
        assert (frame.sequence, frame.payload) == (peer.expected % WRAP, packet)
        peer.expected += len(packet)
        peer.give(payload)
        sent += payload
        got += packet
    assert card.received == sent
    assert card.get("unacknowledged") == 0
    assert peer.sequence > WRAP
    assert peer.expected > WRAP
    assert card.counts()["retransmissions"] == 0


def test_acknowledgements_wait_for_a_moment_or_for_data(card, peer):
    """Alone after at most 2 us; with data at once; the second segment does not wait."""
    card.arrive(peer.segment("PA", b"abc").ljust(60, b"\0"))
    at = card.cycles + len(card.inbox)
    card.run(SETTLED)
    peer.sequence += 3
    (ack,) = peer.heard()
    assert 9 < ack.cycle - at <= 25 + 2 * MICROSECOND

    card.arrive(peer.segment("PA", b"def").ljust(60, b"\0"))
    card.run(len(card.inbox) + 16)
    peer.sequence += 3
    (frame,) = peer.order(soup(20))
    assert (frame.flags, frame.ack) == ("PA", peer.sequence)

    for _ in range(2):
        card.arrive(peer.segment("PA", b"ghi").ljust(60, b"\0"))
        peer.sequence += 3
    at = card.cycles + len(card.inbox)
    card.run(len(card.inbox) + 30)
    (both,) = peer.heard()
    assert (both.cycle - at, both.ack) == (17, peer.sequence)
    card.run(SETTLED)
    assert peer.heard() == []


# -- sending -------------------------------------------------------------------------------------------------------


def test_a_packet_waits_for_a_window_that_it_fits(card):
    peer = Peer(card, window=40)
    peer.connect()
    assert peer.order(soup(41)) == []
    assert card.outbox
    assert card.counts() == {"window_full": 1}
    assert peer.say("A", window=40) == []
    (frame,) = peer.say("A", window=41)
    assert frame.payload == soup(41)
    peer.expected += 41
    assert peer.order(soup(3)) == []
    assert peer.say("A", window=2) == []
    (frame,) = peer.say("A", window=3)
    assert frame.payload == soup(3)
    assert card.counts() == {"segments_sent": 2, "segments_received": 4, "window_full": 1}


def test_a_closed_window_is_probed(card):
    peer = Peer(card, window=0)
    peer.connect()
    peer.order(soup(20))
    for n in range(14):  # more often than a silent peer would be tried
        card.run(min(RTO << n, 1600 * MICROSECOND) + 100)
        (probe,) = peer.heard()
        assert (probe.flags, probe.sequence, probe.payload) == ("A", peer.expected - 1, b"")
        if n < 12:
            assert peer.say("A", wait=1) == []
    assert card.state is State.ESTABLISHED
    (frame,) = peer.say("A", window=20)
    assert frame.payload == soup(20)
    counts = card.counts()
    assert counts == {"segments_sent": 15, "segments_received": 13, "window_full": 1}


def test_a_closed_window_that_nobody_answers_for_is_given_up(card):
    peer = Peer(card, window=0)
    peer.connect()
    card.until(lambda: card.state is State.CLOSED, 9 * 1700 * MICROSECOND)
    assert card.counts() == {"segments_sent": 8, "timed_out": 1, "closed": 1}


@pytest.mark.parametrize("delay", range(12))
def test_a_window_that_shrinks_is_never_passed(card, delay):
    """The order of a shrinking window and a packet is settled to the cycle."""
    peer = Peer(card, window=64)
    peer.connect()
    card.arrive(peer.segment("A", window=30).ljust(60, b"\0"))
    card.run(len(card.inbox) + delay)
    frames = peer.order(soup(31))
    taken_before = delay <= 9  # the segment takes effect 11 cycles behind its last beat
    assert len(frames) == taken_before
    if taken_before:
        peer.expected += 31
        assert peer.order(soup(3)) == []
    assert card.counts()["window_full"] == 1


def test_old_windows_do_not_count(card, peer):
    peer.give(b"0123456789")
    peer.say("A", window=500)
    assert card.get("remote_window") == 500
    peer.say("A", b"56789", seq=peer.sequence - 5, window=9000)
    assert card.get("remote_window") == 500
    (frame,) = peer.order(soup(20))
    peer.say("A", ack=frame.sequence + 20, window=700)
    assert card.get("remote_window") == 700
    peer.say("A", ack=frame.sequence + 10, window=900)
    assert card.get("remote_window") == 700


def test_an_acknowledgement_of_what_was_never_sent_is_answered_and_ignored(card, peer):
    peer.order(soup(20))
    start = peer.expected
    for wrong in (start + 21, start + (1 << 31) - 1, start - 70_000):
        says(peer.say("A", b"evil", ack=wrong), ("A", start + 20, peer.sequence))
    assert card.get("unacknowledged") == 20
    assert card.received == b""
    assert card.counts() == {"segments_sent": 4, "segments_received": 3}
    peer.say("A", b"good", ack=start - 60_000)  # old, but a sequence number that an honest peer can still have
    assert card.received == b"good"


def test_three_duplicates_bring_the_oldest_packet_at_once(card, peer):
    packets = [soup(10 + n, n) for n in range(6)]
    frames = [peer.order(each)[0] for each in packets]
    start = peer.expected
    assert peer.say("A") == []
    assert peer.say("A") == []
    (again,) = peer.say("A")
    assert again.data == frames[0].data
    assert peer.say("A") == []
    assert peer.say("A") == []
    # An acknowledgement of some of it brings the next (RFC 6582), one of all ends it.
    (again,) = peer.say("A", ack=start + 10 + 11)
    assert again.data == frames[2].data
    assert peer.say("A", ack=start + sum(map(len, packets))) == []
    assert card.get("unacknowledged") == 0
    assert card.counts() == {"segments_sent": 8, "segments_received": 7, "retransmissions": 2, "duplicate_acks": 5}


def test_not_everything_is_a_duplicate(card, peer):
    peer.order(soup(20))
    for fields in ({"window": 7000}, {"window": 7001}, {"payload": b"data"}, {"ack": peer.expected - 1}):
        payload = fields.pop("payload", b"")
        peer.say("A", payload, **fields)
        peer.sequence += len(payload)
    assert card.counts()["duplicate_acks"] == 0


def test_all_packets_are_sent_again_when_the_time_is_out(card, peer):
    packets = [soup(3 + 9 * n, n) for n in range(7)]
    frames = [peer.order(each)[0] for each in packets]
    start = peer.expected
    card.run(RTO - 7 * SETTLED + 300)
    assert [each.data for each in peer.heard()] == [each.data for each in frames]
    card.run(2 * RTO)
    assert [each.data for each in peer.heard()] == [each.data for each in frames]
    # In part acknowledged: whole packets again, with what has come in the meantime acknowledged.
    peer.give(b"news", ack=start + 20)
    peer.heard()
    card.run(RTO + 300)
    again = peer.heard()
    assert [(each.sequence, each.payload) for each in again] == [(each.sequence, each.payload) for each in frames[2:]]
    assert all(each.ack == peer.sequence for each in again)
    assert card.counts()["retransmissions"] == 7 + 7 + 5


def test_an_acknowledgement_stops_what_is_being_sent_again(card, peer):
    packets = [soup(60, n) for n in range(20)]
    for each in packets:
        peer.order(each, wait=20)
    peer.heard()
    card.until(lambda: len(card.frames) > 20 + 2 + 3, 2 * RTO)
    peer.say("A", ack=peer.expected + 60 * 20)
    assert len(card.frames) <= 20 + 2 + 6
    card.run(3 * RTO)
    assert peer.heard() == []
    assert card.get("unacknowledged") == 0


def test_packets_before_repetitions_before_acknowledgements(card, peer):
    """All three wait for a line that is not ready; frames are not cut."""
    first = peer.order(soup(60, 1))[0]
    ready = [1]
    card.tx_ready = lambda now: ready[0]
    ready[0] = 0
    peer.order(soup(60, 2), wait=5)  # its first beat stands at the port
    for _ in range(3):
        card.arrive(peer.segment("A").ljust(60, b"\0"))
    card.arrive(peer.segment("A", b"to be acknowledged", seq=peer.sequence + 5).ljust(60, b"\0"))
    card.order(soup(60, 3))
    card.run(300)
    ready[0] = 1
    card.run(200)
    line = peer.heard()
    assert [each.payload for each in line] == [soup(60, 2), soup(60, 3), soup(60, 1)]
    assert line[2].sequence == first.sequence


def test_no_room_in_the_ring_holds_packets_up(card):
    peer = Peer(card, window=8000)
    peer.connect()
    for n in range(70):
        card.order(soup(20, n))
    card.run(64 * 20)
    assert [each.payload for each in peer.heard()] == [soup(20, n) for n in range(64)]
    assert peer.say("A", ack=peer.expected + 25) == []
    frames = peer.say("A", ack=peer.expected + 60)
    assert [each.payload for each in frames] == [soup(20, n) for n in (64, 65, 66)]
    card.run(RTO + 1000)
    assert [each.payload for each in peer.heard()] == [soup(20, n) for n in range(3, 67)]
    assert card.counts()["window_full"] == 0


# -- closing -------------------------------------------------------------------------------------------------------


def test_both_close_at_once(card, peer):
    card.pulse("close")
    card.run(SETTLED)
    says(peer.heard(), ("FA", peer.expected, peer.sequence))
    says(peer.say("FA"), ("A", peer.expected + 1, peer.sequence + 1))
    assert card.state is State.CLOSING
    peer.sequence += 1
    assert peer.say("A", ack=peer.expected + 1) == []
    assert card.state is State.TIME_WAIT
    card.run(100 * MICROSECOND - 2 * SETTLED)
    says(peer.say("FA", seq=peer.sequence - 1, ack=peer.expected + 1), ("A", peer.expected + 1, peer.sequence))
    peer.say("R")  # RFC 1337
    card.run(100 * MICROSECOND - 3 * SETTLED)
    assert card.state is State.TIME_WAIT
    card.run(3 * SETTLED)
    assert card.state is State.CLOSED
    assert card.counts() == {"segments_sent": 3, "segments_received": 4, "resets": 1, "closed": 1}


def test_fin_and_acknowledgement_in_one_segment(card, peer):
    card.pulse("close")
    card.run(SETTLED)
    says(peer.heard(), ("FA", peer.expected, peer.sequence))
    says(peer.say("FA", ack=peer.expected + 1), ("A", peer.expected + 1, peer.sequence + 1))
    assert card.state is State.TIME_WAIT


def test_a_fin_waits_behind_packets_and_is_sent_again_behind_them(card, peer):
    for n in range(3):
        card.order(soup(30, n))
    card.run(20)
    card.pulse("close")
    card.run(200)
    card.order(soup(3))
    frames = peer.heard()
    assert [each.flags for each in frames] == ["PA"] * (len(frames) - 1) + ["FA"]
    assert card.state is State.FIN_WAIT_1
    card.run(RTO + 200)
    again = peer.heard()
    assert [each.data for each in again] == [each.data for each in frames]
    peer.say("A", ack=frames[-1].sequence)
    card.run(RTO + 200)
    (fin,) = peer.heard()
    assert fin.data == frames[-1].data
    assert peer.say("A", ack=fin.sequence + 1) == []
    assert card.state is State.FIN_WAIT_2
    assert card.outbox  # what comes after close is not taken


def test_the_peer_closes_first(card, peer):
    says(peer.say("FPA", b"bye"), ("A", peer.expected, peer.sequence + 4))
    assert card.state is State.CLOSE_WAIT
    assert card.received == b"bye"
    peer.sequence += 4
    (frame,) = peer.order(soup(20))
    assert frame.payload == soup(20)
    card.pulse("close")
    card.run(SETTLED)
    says(peer.heard(), ("FA", peer.expected + 20, peer.sequence))
    assert card.state is State.LAST_ACK
    peer.say("A", ack=peer.expected + 20)
    assert card.state is State.LAST_ACK
    assert peer.say("A", ack=peer.expected + 21) == []
    assert card.state is State.CLOSED
    assert card.counts() == {"segments_sent": 3, "segments_received": 3, "closed": 1}


def test_a_fin_behind_a_hole_waits(card, peer):
    start = peer.sequence
    says(peer.say("FA", b"end", seq=start + 4), ("A", peer.expected, start))
    assert card.state is State.ESTABLISHED
    says(peer.say("FA", b"the end", seq=start), ("A", peer.expected, start + 8))
    assert card.state is State.CLOSE_WAIT
    assert card.received == b"the end"


def test_resets_are_believed_at_the_very_number_only(card, peer):
    for offset in (1, 100, 4095):
        says(peer.say("R", seq=peer.sequence + offset), ("A", peer.expected, peer.sequence))
    for offset in (-1, 4096, 1 << 31):
        assert peer.say("R", seq=peer.sequence + offset) == []
    assert card.state is State.ESTABLISHED
    assert peer.say("R") == []
    assert card.state is State.CLOSED
    assert card.counts() == {
        "segments_sent": 3, "segments_received": 7, "resets": 7, "reset_received": 1, "closed": 1,
    }  # fmt: skip


def test_a_syn_in_the_middle_is_challenged(card, peer):
    """A peer that was started again asks; our answer shows it the old connection, and it resets that (RFC 5961)."""
    for sequence in (peer.sequence, 5, peer.sequence + 10_000):
        says(peer.say("S", seq=sequence, ack=0), ("A", peer.expected, peer.sequence))
    assert card.state is State.ESTABLISHED
    peer.say("R")
    assert card.state is State.CLOSED


def test_a_segment_without_ack_is_dropped(card, peer):
    assert peer.say("P", b"data") == []
    assert card.received == b""
    assert card.counts() == {"segments_received": 1}


def test_a_closed_card_resets_what_comes(card):
    peer = Peer(card)
    says(peer.say("PA", b"hello", seq=50, ack=1234), ("R", 1234, 0))
    says(peer.say("S", seq=50, ack=0), ("RA", 0, 51))
    says(peer.say("F", b"x", seq=WRAP - 1, ack=0), ("RA", 0, 1))
    assert peer.say("RA") == []
    assert card.counts() == {"segments_sent": 3, "segments_received": 4, "resets": 1}


@pytest.mark.parametrize("state", ["SYN_SENT", "ESTABLISHED", "FIN_WAIT_1", "FIN_WAIT_2", "CLOSE_WAIT", "LAST_ACK"])
def test_abort(card, state):
    peer = Peer(card)
    if state == "SYN_SENT":
        card.pulse("connect")
        card.run(SETTLED)
    else:
        peer.connect()
        peer.order(soup(20))
        peer.expected += 20
        if state in ("CLOSE_WAIT", "LAST_ACK"):
            peer.say("FA")
            peer.sequence += 1
        if state in ("FIN_WAIT_1", "FIN_WAIT_2", "LAST_ACK"):
            card.pulse("close")
            card.run(SETTLED)
            peer.expected += 1
        if state == "FIN_WAIT_2":
            peer.say("A")
    peer.heard()
    assert card.state.name == state
    card.pulse("abort")
    card.run(SETTLED)
    assert card.state is State.CLOSED
    if state in ("SYN_SENT", "LAST_ACK"):
        assert peer.heard() == []
    else:
        says(peer.heard(), ("RA", peer.expected, peer.sequence))
    card.run(4 * RTO)
    assert peer.heard() == []
    counts = card.counts()
    assert counts["closed"] == 1
    assert counts["timed_out"] == counts["reset_received"] == 0


def test_close_and_abort_take_back_a_connect_that_waits(card, peer):
    card.receive_ready = lambda now: 0
    peer.give(b"unread")
    card.pulse("abort")
    card.run(SETTLED)
    for command in ("close", "abort"):
        card.pulse("connect")
        card.run(10)
        card.pulse(command)
    card.receive_ready = lambda now: 1
    card.run(SETTLED)
    assert card.state is State.CLOSED
