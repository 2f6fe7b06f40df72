"""Two of our own engines: no application message is lost, none comes twice, whatever happens to the connection."""

import random
from pathlib import Path

import pytest

from control.gateway.fix.session import State
from tests.control.fix.pair import Pair

VERSIONS = ["FIX.4.2", "FIX.4.4", "FIX.5.0SP2"]


def check(pair: Pair) -> None:
    one, two = pair.sides
    assert two.inbox.texts == one.sent
    assert one.inbox.texts == two.sent
    for side in pair.sides:
        names = [name for name in side.session.counters if name.startswith(("rejected", "refused", "garbled"))]
        assert not names


@pytest.mark.fuzz
@pytest.mark.parametrize("version", VERSIONS)
@pytest.mark.parametrize("crashes", [False, True], ids=["cuts", "crashes"])
@pytest.mark.parametrize("run", range(8))
def test_nothing_is_lost_and_nothing_comes_twice(
    version: str, crashes: bool, run: int, seed: int, tmp_path: Path
) -> None:
    pair = Pair(version, tmp_path if crashes else None)
    rng = random.Random(seed)
    pair.trouble(rng, 400, crashes)
    pair.settle()
    pair.tick(1)
    pair.settle()
    check(pair)
    assert sum(len(side.sent) for side in pair.sides) > 50


def test_a_cut_after_every_single_byte(seed: int) -> None:
    """An order each way, with the connection cut at each point of the exchange."""
    whole = Pair()
    whole.settle()
    for cut in range(0, 700, 3):
        pair = Pair()
        pair.settle()
        for side in pair.sides:
            side.order(pair.now)
        pair.collect()
        left = cut
        for to in (0, 1):
            size = min(left, len(pair.flying[to]))
            pair.deliver(to, size)
            left -= size
        pair.cut()
        pair.settle()
        check(pair)


def test_a_silent_peer_is_asked_and_then_left() -> None:
    pair = Pair()
    pair.settle()
    one = pair.sides[0].session
    pair.now = one.deadline() or 0
    one.tick(pair.now)
    one.tick(pair.now + 6_100_000_000)
    assert b"\x0135=1\x01" in pair.sides[0].connection.take_output()
    one.tick(pair.now + 50_000_000_000)
    assert one.closing
    assert one.reason == "peer is silent"


def test_logout_from_either_side_ends_both() -> None:
    for first in (0, 1):
        pair = Pair()
        pair.settle()
        pair.sides[first].session.logout(pair.now, "good night")
        pair.collect()
        pair.deliver(1 - first, 10_000)
        pair.deliver(first, 10_000)
        assert all(side.connection is not None and side.connection.closing for side in pair.sides)
        pair.cut()
        assert all(side.session.state == State.DISCONNECTED for side in pair.sides)
        assert pair.sides[1 - first].inbox.events[-1] == "good night"


def test_reset_on_logon_begins_anew_on_both_sides() -> None:
    pair = Pair(reset_on_logon=True)
    pair.settle()
    for _ in range(3):
        pair.sides[0].order(pair.now)
    pair.collect()
    pair.settle()
    pair.cut()
    pair.settle()
    assert [(side.store.next_sent, side.store.next_expected) for side in pair.sides] == [(2, 2), (2, 2)]


def test_a_message_that_may_not_be_resent_is_filled_over() -> None:
    pair = Pair()
    pair.settle()
    pair.cut()
    one, two = pair.sides
    one.order(pair.now)
    one.order(pair.now)
    one.inbox.may_resend = lambda session, message: message.text(11) != "ONE-0"  # type: ignore[method-assign]
    pair.settle()
    assert two.inbox.texts == ["ONE-1"]
    assert one.store.next_sent == two.store.next_expected


def test_a_gap_that_stays_open_is_asked_for_again() -> None:
    pair = Pair()
    pair.settle()
    one, two = pair.sides
    one.order(pair.now)
    pair.collect()
    pair.flying[1].clear()
    one.order(pair.now)
    pair.collect()
    pair.deliver(1, 10_000)
    pair.flying[0].clear()
    assert two.session.counters["gaps"] == 1
    pair.tick(two.settings.resend_timeout + 0.1)
    assert two.session.counters["gaps"] == 2
    pair.settle()
    check(pair)
