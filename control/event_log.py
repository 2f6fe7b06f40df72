"""The newest events of a device, kept for whoever reads them: numbered without wrap, asked for by number."""

from __future__ import annotations

import threading
from collections.abc import Callable, Collection, Sequence
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from control.events import described
from wire.records import EVENT, EventType

SNAPSHOT_TYPES = frozenset(
    (EventType.BOOK_LEVEL, EventType.POSITION, EventType.SIGNALS, EventType.OPEN_ORDER, EventType.SNAPSHOT_END)
)
"""Answers to somebody's question: shown to those who ask for them by name."""
_WRAP = 1 << 32


class Page(NamedTuple):
    """Events behind a cursor.

    ``next`` is the cursor behind the last of them, ``lost`` how many behind the old cursor are kept no
    more, ``more`` whether there is more to read at once.
    """

    events: list[dict[str, Any]]
    next: int
    lost: int
    more: bool


class EventLog:
    """The newest ``capacity`` events. One thread appends, any may read.

    Readers keep a cursor and nothing here: a reader that is too slow finds the newest events and how many
    it lost.
    """

    def __init__(self, capacity: int, stocks: Sequence[str]) -> None:
        self._capacity, self._stocks = capacity, tuple(stocks)
        self._events = np.zeros(2 * capacity, EVENT.dtype)
        self._numbers = np.zeros(2 * capacity, np.int64)
        self._begin = self._end = 0
        self._next = 0
        self._lock = threading.Lock()
        self._listeners: list[Callable[[], None]] = []

    @property
    def last(self) -> int:
        """Number of the newest event, -1 before the first."""
        return self._next - 1

    def append(self, events: NDArray[np.void]) -> None:
        """Take a batch of the device's events, in its order."""
        if not len(events):
            return
        raw = events["sequence"].astype(np.int64)
        steps = np.diff(raw, prepend=(self._next - 1) % _WRAP) % _WRAP
        numbers = self._next - 1 + np.cumsum(steps)
        kept = min(len(events), self._capacity)
        with self._lock:
            if self._end + kept > len(self._events):
                stay = min(self._end - self._begin, self._capacity)
                for ring in (self._events, self._numbers):
                    ring[:stay] = ring[self._end - stay : self._end].copy()
                self._begin, self._end = 0, stay
            self._events[self._end : self._end + kept] = events[-kept:]
            self._numbers[self._end : self._end + kept] = numbers[-kept:]
            self._end += kept
            self._begin = max(self._begin, self._end - self._capacity)
            self._next = int(numbers[-1]) + 1
        for listener in tuple(self._listeners):
            listener()

    def read(
        self, after: int | None, limit: int, types: Collection[int] | None = None, backlog: int | None = None
    ) -> Page:
        """Up to ``limit`` events behind number ``after`` (None: behind the oldest kept).

        ``types`` chooses some types; without it all but those of `SNAPSHOT_TYPES`. With ``backlog`` a
        reader that is further behind is taken forward, and what it misses is lost to it.
        """
        with self._lock:
            numbers = self._numbers[self._begin : self._end]
            oldest = int(numbers[0]) if len(numbers) else self._next
            cursor = oldest - 1 if after is None else min(after, self._next - 1)
            least = max(oldest - 1, self._next - 1 - backlog if backlog is not None else oldest - 1)
            lost = max(0, least - cursor)
            cursor = max(cursor, least)
            first = int(np.searchsorted(numbers, cursor, side="right"))
            rows = self._events[self._begin + first : self._end]
            kinds = rows["type"]
            chosen = ~np.isin(kinds, tuple(SNAPSHOT_TYPES)) if types is None else np.isin(kinds, tuple(types))
            places = np.flatnonzero(chosen)
            more = len(places) > limit
            places = places[:limit]
            found = rows[places].copy()
            found_numbers = numbers[first:][places].tolist()
            end = self._next - 1
        following = found_numbers[-1] if more else max(end, cursor)
        events = [described(event, self._stocks, number) for event, number in zip(found, found_numbers, strict=True)]
        return Page(events, following, lost, more)

    def listen(self, listener: Callable[[], None]) -> Callable[[], None]:
        """Call ``listener`` after every append, on the thread that appends. Calling the answer ends it."""
        self._listeners.append(listener)
        return lambda: self._listeners.remove(listener)
