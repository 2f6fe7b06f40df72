"""Time of a small world: what is to happen when, in one order that the seed decides."""

from __future__ import annotations

import heapq
from collections.abc import Callable
from typing import Any


class Life:
    """Something that can end, a process for example; what it had still to do is not done."""

    def __init__(self, name: str) -> None:
        self.name, self.is_over = name, False

    def end(self) -> None:
        """It is killed, in the middle of whatever it does."""
        self.is_over = True


class Clockwork:
    """A queue of calls.

    Parameters
    ----------
    now : int
        ns.

    Attributes
    ----------
    steps : int
        Calls that were made.
    """

    def __init__(self, now: int) -> None:
        self.now, self.steps = now, 0
        self._queue: list[tuple[int, int, Life | None, Callable[..., Any], tuple[Any, ...]]] = []
        self._count = 0

    def at(self, time: int, call: Callable[..., Any], *arguments: Any, life: Life | None = None) -> None:
        """Call something at a time, if ``life`` has not ended by then; what is over means now."""
        self._count += 1
        heapq.heappush(self._queue, (max(time, self.now), self._count, life, call, arguments))

    def after(self, delay: int, call: Callable[..., Any], *arguments: Any, life: Life | None = None) -> None:
        """The same, so many ns from now."""
        self.at(self.now + delay, call, *arguments, life=life)

    def every(self, period: int, call: Callable[[], Any], *, life: Life | None = None) -> None:
        """Call something now and then, the first time after one period."""

        def again() -> None:
            call()
            self.after(period, again, life=life)

        self.after(period, again, life=life)

    def run(self, until: int) -> None:
        """Everything before ``until``; then it is now."""
        queue = self._queue
        while queue and queue[0][0] < until:
            time, _, life, call, arguments = heapq.heappop(queue)
            self.now = time
            if life is None or not life.is_over:
                self.steps += 1
                call(*arguments)
        self.now = until
