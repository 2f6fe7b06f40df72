"""A journal as those see it who must not wait for it: appending takes no time, a future says when it is kept."""

from __future__ import annotations

import threading
from collections.abc import Callable
from concurrent.futures import Future

from control.store.committer import Committer
from control.store.segment import JournalFailedError


class Keeper:
    """What is to outlast the process.

    Appending never raises: once the journal has failed an entry's future says so, and what it is about still happens. A cancel
    goes out and an execution is counted, whatever the disk does; what must not happen without a journal asks `failure` first.

    Parameters
    ----------
    committer : Committer or None
        Its journal. None keeps nothing: all is as if it were kept at once.
    close : callable, optional
        Closes it, where more than the committer has to be closed.

    Attributes
    ----------
    newest : Future of int
        Of the entry that was appended last: the sequence of its last record.
    count : int
        Entries appended.
    failure : str
        Why nothing is kept any more, "" while all is.
    """

    def __init__(self, committer: Committer | None = None, close: Callable[[], None] | None = None) -> None:
        self._committer, self._close = committer, close
        self.newest: Future[int] = kept(0)
        self.count = 0
        self.failure = ""
        self._listeners: list[Callable[[str], None]] = []
        self._lock = threading.Lock()

    @property
    def lasts(self) -> bool:
        """Whether there is a journal at all."""
        return self._committer is not None

    def append(self, kind: int, payload: bytes, timestamp: int) -> Future[int]:
        """Add an entry; see `newest`."""
        self.count += 1
        if self._committer is None:
            self.newest = kept(self.count)
            return self.newest
        try:
            self.newest = self._committer.append(kind, payload, timestamp)
        except JournalFailedError as error:
            self.newest = Future()
            self.newest.set_exception(error)
        self.newest.add_done_callback(self._look)
        return self.newest

    def on_failure(self, listener: Callable[[str], None]) -> None:
        """Call ``listener`` once when the journal fails, with the reason, on whatever thread finds out."""
        self._listeners.append(listener)

    def _look(self, future: Future[int]) -> None:
        error = future.exception()
        if error is not None:
            self.fail(str(error))

    def fail(self, reason: str) -> None:
        """Nothing is kept any more: the listeners are told, once. On any thread."""
        with self._lock:
            first, self.failure = not self.failure, self.failure or reason
        if first:
            for listener in self._listeners:
                listener(self.failure)

    def close(self) -> None:
        """Commit what waits, and close the journal."""
        if self._close is not None:
            self._close()
        elif self._committer is not None:
            self._committer.close()


def kept(sequence: int) -> Future[int]:
    """The future of an entry that is kept already."""
    future: Future[int] = Future()
    future.set_result(sequence)
    return future
