"""Disk and clock of a host in the small world."""

from __future__ import annotations

import errno
import random
from collections import Counter
from collections.abc import Callable
from concurrent.futures import Future
from pathlib import Path

from control.store import Journal, JournalFailedError
from sim.faults.clockwork import Clockwork, Life

SLOWEST = 1_000_000
"""ns of a sync, at most."""


class Disk:
    """A journal whose syncs take time, in the place of `control.store.Committer`: one group is on its way, the next one gathers.

    Parameters
    ----------
    clockwork : Clockwork
    dice : Random
    life : Life
        Of the process.
    counts : Counter
    folder : Path
        Its bytes outlast the process, but not what was still gathering.

    Attributes
    ----------
    is_full : bool
        No sync succeeds any more.
    replicate : callable or None
        ``replicate(sequence, done)``: an entry is acknowledged when that calls ``done``.
    acknowledged : int
        Last record that was.
    """

    def __init__(self, clockwork: Clockwork, dice: random.Random, life: Life, counts: Counter[str], folder: Path) -> None:
        self._clockwork, self._dice, self._life, self._counts = clockwork, dice, life, counts
        self.is_full = False
        self.journal = Journal(folder, segment_records=2_048, sync=self._sync)
        self.replicate: Callable[[int, Callable[[], None]], None] | None = None
        self.acknowledged = self.journal.acknowledged
        self._waiting: list[tuple[int, bytes, int, Future[int]]] = []
        self._is_busy = False
        self._failure = ""

    def _sync(self, _: int) -> None:
        if self.is_full:
            raise OSError(errno.ENOSPC, "no space left on device")

    def append(self, kind: int, payload: bytes, timestamp: int) -> Future[int]:
        """Add an entry; see `control.store.Committer.append`."""
        if self._failure:
            raise JournalFailedError(self._failure)
        done: Future[int] = Future()
        self._waiting.append((kind, payload, timestamp, done))
        if not self._is_busy:
            self._begin()
        return done

    def _begin(self) -> None:
        self._is_busy = True
        self._clockwork.after(self._dice.randrange(50_000, SLOWEST), self._end, life=self._life)

    def _end(self) -> None:
        group, self._waiting = self._waiting, []
        try:
            numbers = [self.journal.append(kind, payload, timestamp) for kind, payload, timestamp, _ in group]
            self.journal.commit()
        except (JournalFailedError, OSError) as error:
            self._failure = str(error)
            failed, self._waiting = [*group, *self._waiting], []
            for *_, done in failed:
                done.set_exception(JournalFailedError(self._failure))
            return
        self._is_busy = False
        self._counts["groups written"] += 1
        futures = [(done, number) for (*_, done), number in zip(group, numbers, strict=True)]
        if self.replicate is None:
            self._acknowledge(futures)
        else:
            self.replicate(numbers[-1], lambda: self._acknowledge(futures))
        if self._waiting and not self._is_busy:
            self._begin()

    def _acknowledge(self, group: list[tuple[Future[int], int]]) -> None:
        self.acknowledged = group[-1][1]
        for done, number in group:
            done.set_result(number)

    def close(self) -> None:
        """The process is gone."""
        self.journal.close()
