"""Whether a feed is still the one that it was, after the order session was lost.

Whoever cut the order session may have begun the feed anew, and a device takes packets of such a feed for what it knows already.
So nobody logs in before the feed has told, or announced, something new.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from control.wired.settlement import NewSessionError
from wire import frames, moldudp64

PATIENCE_NS = 2_000_000_000
"""For so long the feed may tell nothing but what was known: packets are late, and a silent feed speaks once a second."""


@dataclass(frozen=True)
class Doubt:
    """The order session was lost ``since``, ns, when message ``expected`` of the feed's ``session`` was to come."""

    session: str
    since: int
    expected: int

    def resolved(self, told: Sequence[bytes], now: int) -> bool:
        """Whether the frames that came since show that it is the same feed.

        Raises
        ------
        NewSessionError
            They show that it is not.
        """
        packets = [moldudp64.unpack(frames.parse(frame, verify=False).payload) for frame in told]
        newest = max((each.next_sequence_number for each in packets if each.session == self.session), default=0)
        if 0 < newest < self.expected and now - self.since > PATIENCE_NS:
            raise NewSessionError(f"the feed is at message {newest}, and {self.expected - 1} came already")
        return newest >= self.expected
