"""Whether the other side is alive: when to send a heartbeat, when to ask, when to give up."""

from __future__ import annotations

from enum import Enum

from control.gateway.fix.settings import SECOND


class Due(Enum):
    """What is due."""

    NOTHING = 0
    HEARTBEAT = 1
    TEST_REQUEST = 2
    END = 3


class Pulse:
    """The heartbeats of one connection.

    Silence of 1.2 intervals is answered with a TestRequest, of 2.4 with the end. While a TestRequest is not answered no
    heartbeat goes out: it says as much. An interval of 0 is none at all.
    """

    def __init__(self) -> None:
        self.interval = 0
        """HeartBtInt in seconds."""
        self._heard = 0
        self._asked = 0

    def heard(self, now: int) -> None:
        """Something came in."""
        self._heard, self._asked = now, 0

    def deadline(self, last_sent: int) -> int | None:
        """When something is due next, None for never."""
        beat = self.interval * SECOND
        if not beat:
            return None
        silence = self._heard + min(beat * 12 * (self._asked + 1) // 10, beat * 24 // 10)
        return silence if self._asked else min(silence, last_sent + beat)

    def due(self, last_sent: int, now: int) -> Due:
        """What is due now; a TestRequest counts as sent."""
        silent, beat = now - self._heard, self.interval * SECOND
        if not beat:
            return Due.NOTHING
        if silent * 10 >= beat * 24:
            return Due.END
        if silent * 10 >= beat * 12 * (self._asked + 1):
            self._asked += 1
            return Due.TEST_REQUEST
        return Due.HEARTBEAT if now - last_sent >= beat and not self._asked else Due.NOTHING
