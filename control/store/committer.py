"""Group commit: whoever appends waits for the next fsync, and all who wait share it."""

from __future__ import annotations

import threading
from collections.abc import Callable
from concurrent.futures import Future
from typing import NamedTuple

from control.store.journal import Journal
from control.store.segment import JournalFailedError

Acknowledge = Callable[[Exception | None], None]


class _Entry(NamedTuple):
    kind: int
    payload: bytes
    timestamp: int
    done: Future[int]


class Committer:
    """A journal for many threads. While one group is on its way to the disk the next one gathers.

    Parameters
    ----------
    journal : Journal
        Used by the committer's thread alone from now on.
    committed : callable, optional
        Given the last sequence that is on the disk, and what to call when it is acknowledged (None) or will not be (why);
        without it that is at once. Called in the committer's thread; must not block.
    """

    def __init__(self, journal: Journal, committed: Callable[[int, Acknowledge], None] | None = None) -> None:
        self.journal = journal
        self._committed = committed
        self._waiting: list[_Entry] = []
        self._changed = threading.Condition()
        self._stopping = False
        self._failure: str | None = None
        self.groups = 0
        self._thread = threading.Thread(target=self._run, name="journal committer", daemon=True)
        self._thread.start()

    def append(self, kind: int, payload: bytes, timestamp: int) -> Future[int]:
        """Add an entry; the future gives the sequence of its last record when it is on the disk.

        Entries of one thread are in the order in which it appends them. A future that fails with
        :class:`JournalFailedError` says that the entry was not acknowledged; what became of it, opening the journal tells.

        Raises
        ------
        JournalFailedError
            The journal takes no more.
        """
        done: Future[int] = Future()
        done.set_running_or_notify_cancel()  # what was appended cannot be called back
        with self._changed:
            if self._failure is not None or self._stopping:
                raise JournalFailedError(self._failure or f"{self.journal.folder}: closed")
            self._waiting.append(_Entry(kind, payload, timestamp, done))
            self._changed.notify()
        return done

    def refuse(self, reason: str) -> None:
        """Take no more entries. Those that wait are still committed."""
        with self._changed:
            self._failure = self._failure or reason

    def close(self) -> None:
        """Commit what waits, and end; the journal is closed."""
        with self._changed:
            self._stopping = True
            self._changed.notify()
        self._thread.join()
        self.journal.close()

    def __enter__(self) -> Committer:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def _run(self) -> None:
        while True:
            with self._changed:
                while not self._waiting and not self._stopping:
                    self._changed.wait()
                group, self._waiting = self._waiting, []
            if not group:
                return
            self._commit(group)

    def _commit(self, group: list[_Entry]) -> None:
        accepted: list[tuple[_Entry, int]] = []
        for each in group:
            try:
                accepted.append((each, self.journal.append(each.kind, each.payload, each.timestamp)))
            except (ValueError, JournalFailedError) as error:  # this one cannot be written; it is no fault of the others
                each.done.set_exception(error)
        try:
            self.journal.commit()
        except Exception as error:
            with self._changed:
                self._failure = str(error)
                late, self._waiting = self._waiting, []
            for each in [each for each, _ in accepted] + late:
                each.done.set_exception(JournalFailedError(str(error)))
            return
        self.groups += 1

        def acknowledge(error: Exception | None) -> None:
            for each, sequence in accepted:
                if error is None:
                    each.done.set_result(sequence)
                else:
                    each.done.set_exception(error)

        if self._committed is None:
            acknowledge(None)
        else:
            self._committed(self.journal.acknowledged, acknowledge)
