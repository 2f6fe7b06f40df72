"""Whether a feed is the one that it was: by what is new, not by what is late."""

import pytest

from control.wired.doubt import PATIENCE_NS, Doubt
from control.wired.settlement import NewSessionError
from wire import moldudp64
from wire.frames import udp_frame

DOUBT = Doubt("DAY", 1_000, 500)


def frame(session: str, sequence: int, messages: int = 0) -> bytes:
    payload = moldudp64.packet(session, sequence, [b"x" * 12] * messages)
    return udp_frame(payload, source=0, destination=0, source_port=0, destination_port=0)


@pytest.mark.parametrize(
    ("told", "resolved"),
    [
        ([], False),
        ([frame("DAY", 490, 9)], False),  # late
        ([frame("DAY", 490, 10)], True),
        ([frame("DAY", 500)], True),  # a heartbeat
        ([frame("DAY", 490, 9), frame("DAY", 600, 1)], True),
        ([frame("OTHER", 600, 1)], False),
    ],
)
def test_what_is_new_shows_that_it_is_the_same(told: list[bytes], resolved: bool) -> None:
    assert DOUBT.resolved(told, DOUBT.since + PATIENCE_NS) is resolved


def test_what_was_known_long_ago_shows_that_it_is_another() -> None:
    later = DOUBT.since + PATIENCE_NS + 1
    with pytest.raises(NewSessionError, match="the feed is at message 12, and 499 came already"):
        DOUBT.resolved([frame("DAY", 10, 2)], later)
    assert not DOUBT.resolved([], later)
    assert not DOUBT.resolved([frame("OTHER", 10, 2)], later)
