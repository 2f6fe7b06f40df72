"""What is missing between the next expected number and the messages that came after it."""

from __future__ import annotations

from wire.fix.message import Message


class Gap:
    """The gap of one session: what was asked for, and what waits until it has come.

    Parameters
    ----------
    limit : int
        Messages that may wait; what comes beyond them is asked for again later.
    """

    def __init__(self, limit: int) -> None:
        self._limit = limit
        self.asked: tuple[int, int] | None = None
        """First and last number of what was asked for and has not come."""
        self.since = 0
        """When it was asked for."""
        self._waiting: dict[int, tuple[Message | None, int]] = {}

    def clear(self) -> None:
        """Nothing is missing, nothing waits."""
        self.asked = None
        self._waiting.clear()

    def keep(self, number: int, message: Message | None, now: int) -> None:
        """Keeps a message that came too early, with the time when it came; None for one that was answered already."""
        if len(self._waiting) < self._limit:
            self._waiting[number] = (None if message is None else message.copy(), now)

    def take(self, expected: int) -> tuple[Message | None, int] | None:
        """What waited for this number to be the next, if anything did."""
        return self._waiting.pop(expected, None)

    def must_ask(self, number: int, expected: int, duplicate: bool) -> bool:
        """Whether a message with a number beyond the expected one is a reason to ask.

        Once is enough for all that follows; but what is sent again and still comes too early, after some of it had
        come, says that a piece in between was lost.
        """
        if self.asked is None or number < self.asked[0]:
            return True
        return duplicate and expected > self.asked[0]

    def ask(self, expected: int, last: int, now: int) -> None:
        """Everything from ``expected`` on has been asked for; it ends with ``last``, or with a later end known before."""
        self.asked, self.since = (expected, max(last, self.asked[1] if self.asked else 0)), now

    def reached(self, number: int) -> None:
        """The message with this number has come in its turn."""
        if self.asked and number >= self.asked[1]:
            self.asked = None

    def skip_to(self, expected: int) -> None:
        """Numbers below ``expected`` will not come."""
        for number in [number for number in self._waiting if number < expected]:
            del self._waiting[number]
        self.reached(expected - 1)
