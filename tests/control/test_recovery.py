"""Recovery: what is missing comes, as long as one server gives anything, and else a snapshot is wanted."""

import random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from control.recovery import MOST_MESSAGES, Recovery, Request, Snapshot

TIMEOUT = 1000


class Servers:
    """Two re-request servers that answer with what fits a packet, late, twice, or never."""

    def __init__(self, seed: int, losses: tuple[float, float]) -> None:
        self.random, self.losses = random.Random(seed), losses
        self.on_the_way: list[tuple[int, int, int]] = []

    def take(self, request: Request, now: int) -> None:
        count = min(request.count, self.random.randint(1, 40))
        for _ in range(self.random.choice((1, 1, 2))):
            if self.random.random() >= self.losses[request.server]:
                self.on_the_way.append((now + self.random.randint(1, 2 * TIMEOUT), request.first, count))

    def due(self, now: int) -> list[tuple[int, int]]:
        found = [(first, count) for at, first, count in self.on_the_way if at <= now]
        self.on_the_way = [each for each in self.on_the_way if each[0] > now]
        return found


def play(recovery: Recovery, servers: Servers, count: int) -> tuple[set[int], list[Snapshot]]:
    """Until nothing is missing or a snapshot is wanted; the messages that came."""
    got: set[int] = set()
    asked: list = recovery.gap(100, count, 0)
    for now in range(0, 100_000_000, 50):
        for first, messages in servers.due(now):
            got.update(range(first, first + messages))
            asked += recovery.answered(first, messages, now)
        asked += recovery.tick(now)
        snapshots = [each for each in asked if isinstance(each, Snapshot)]
        if snapshots or got >= set(range(100, 100 + count)):
            return got, snapshots
        for each in asked:
            servers.take(each, now)
        asked = []
    raise AssertionError(f"{len(recovery.missing)} messages are missing for ever")


@settings(max_examples=100, deadline=None)
@given(
    seed=st.integers(0, 2**32),
    count=st.integers(1, 500),
    losses=st.tuples(st.floats(0, 0.6), st.floats(0, 0.6)),
    window=st.integers(1, 6),
)
def test_what_is_missing_comes_though_answers_are_lost_late_or_doubled(seed: int, count: int, losses, window: int) -> None:
    recovery = Recovery(timeout_ns=TIMEOUT, rounds=40, window=window)
    got, snapshots = play(recovery, Servers(seed, losses), count)
    assert got == set(range(100, 100 + count))
    assert not snapshots
    assert window > 1 or not recovery.missing  # of packets that came before their turn it does not know; the device does


@pytest.mark.parametrize("dead", [0, 1])
def test_when_one_server_is_dead_the_other_serves(dead: int) -> None:
    losses = (1.0, 0.0) if dead == 0 else (0.0, 1.0)
    recovery = Recovery(timeout_ns=TIMEOUT)
    got, snapshots = play(recovery, Servers(1, losses), 300)
    assert (len(got), snapshots) == (300, [])


def test_when_both_are_dead_a_snapshot_is_wanted_once() -> None:
    recovery = Recovery(timeout_ns=TIMEOUT, rounds=3)
    _, snapshots = play(recovery, Servers(1, (1.0, 1.0)), 300)
    assert snapshots == [Snapshot(400)]
    assert (recovery.requests, recovery.timeouts) == (6, 6)
    assert recovery.tick(10**9) == recovery.gap(100, 300, 10**9) == []
    recovery.whole()
    assert recovery.gap(500, 2, 10**9) == [Request(recovery.server, 500, 2)]


def test_a_request_asks_for_no_more_than_an_answer_can_count() -> None:
    recovery = Recovery(timeout_ns=TIMEOUT)
    assert recovery.gap(5, 1_000_000, 0) == [Request(0, 5, MOST_MESSAGES)]
    assert recovery.answered(1, 3, 1) == []  # of a request before
    assert recovery.answered(5, 10, 1) == [Request(0, 15, MOST_MESSAGES)]


def test_packets_behind_the_first_are_asked_for_with_it_once_their_size_is_known() -> None:
    recovery = Recovery(timeout_ns=TIMEOUT, window=3)
    assert recovery.gap(100, 200, 0) == [Request(0, 100, 200)]
    assert recovery.answered(100, 40, 1) == [Request(0, 140, 160), Request(0, 180, 120), Request(0, 220, 80)]
    assert recovery.answered(140, 40, 2) == [Request(0, 260, 40)]
    assert recovery.answered(180, 30, 3) == [Request(0, 210, 90), Request(0, 240, 60), Request(0, 270, 30)]  # a short one
    assert recovery.answered(220, 40, 4) == []  # held by the device, which says so when nothing is missing any more
    assert recovery.tick(3 + TIMEOUT) == [Request(1, 210, 90)]
    assert recovery.answered(210, 40, 5 + TIMEOUT) == [Request(1, 250, 50), Request(1, 290, 10)]
    assert recovery.answered(250, 40, 6 + TIMEOUT) == []
    assert list(recovery.missing) == list(range(290, 300))
    assert recovery.answered(290, 10, 7 + TIMEOUT) == []
    assert not recovery.missing


def test_what_the_device_tells_again_is_what_is_missing_now() -> None:
    recovery = Recovery(timeout_ns=TIMEOUT)
    recovery.gap(5, 10, 0)
    assert recovery.gap(5, 20, TIMEOUT // 2) == []  # an answer is on its way
    assert list(recovery.missing) == list(range(5, 25))
    assert recovery.gap(9, 16, 2 * TIMEOUT) == [Request(0, 9, 16)]
    recovery.whole()
    assert not recovery.missing
    assert recovery.tick(10**9) == []


def test_nonsense_is_refused() -> None:
    with pytest.raises(ValueError, match="servers 0"):
        Recovery(0)
