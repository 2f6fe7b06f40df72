"""The primary's side: what is committed is published, by a task that nobody waits for.

The publisher has no queue of records: it reads behind the journal's writer, from the files. So it may be behind as far as it
has to, and after an outage it goes on where it was; what it is behind by is told. One message is under way at a time, and
holds whatever was committed in the meantime.
"""

from __future__ import annotations

import asyncio
import time
from collections import deque
from collections.abc import Callable
from typing import NamedTuple

from control.failover.message import MOST_RECORDS, Message
from control.failover.replica import Promotion
from control.failover.stream import MovedError, ReplicationError, Stream, UnreachableError
from control.store.record import RECORD_BYTES
from control.store.run import as_records, whole_entries
from control.store.scan import Reader
from control.store.segment import JournalFailedError

RETRY_SECONDS = 0.1


class FencedError(ReplicationError, JournalFailedError):
    """Another primary has begun its epoch: nothing that this one writes counts any more."""


class Lag(NamedTuple):
    """What a stream is behind its primary."""

    records: int
    seconds: float
    """since the oldest of them was committed, at most"""
    failures: int
    """attempts to publish that had no answer, since the start"""
    last_failure: str
    """why the stream cannot be reached now; empty when it can"""


class Publisher:
    """Publishes a journal behind its writer. Lives in an event loop; `committed` comes from another thread.

    Parameters
    ----------
    stream : Stream
        Connected.
    reader : Reader
        Of the journal.
    promotion : Promotion
        By which its journal became the primary's.
    replicated : bool
        Whether entries are acknowledged when the stream has them, or when the journal has.
    """

    def __init__(self, stream: Stream, reader: Reader, promotion: Promotion, *, replicated: bool) -> None:
        self._stream, self._reader, self._replicated = stream, reader, replicated
        self._epoch, self._number = promotion.epoch, promotion.number
        self._published, self._before = promotion.published, reader.digest(promotion.published)
        self._committed = promotion.sequence
        self._loop = asyncio.get_running_loop()
        self._wake = asyncio.Event()
        self._wake.set()
        self._waiting: deque[tuple[int, Callable[[Exception | None], None]]] = deque()
        self._behind_since = time.monotonic()
        self._failures, self._last_failure = 0, ""
        self._ended: Exception | None = None

    @property
    def published(self) -> int:
        """Last record that the stream has."""
        return self._published

    @property
    def acknowledged(self) -> int:
        """Last record that was acknowledged to who appended it, and may not be lost."""
        return self._published if self._replicated else self._committed

    def lag(self) -> Lag:
        """What the stream is behind. From any thread."""
        records = self._committed - self._published
        seconds = time.monotonic() - self._behind_since if records > 0 else 0.0
        return Lag(max(0, records), seconds, self._failures, self._last_failure)

    def committed(self, sequence: int, done: Callable[[Exception | None], None]) -> None:
        """Records up to ``sequence`` are in the journal; ``done`` is called when they are acknowledged, or will not be.

        Called by the journal's thread, which does not wait.
        """
        if self._published == self._committed:
            self._behind_since = time.monotonic()
        self._committed = sequence
        if not self._replicated:
            done(None)
        try:
            self._loop.call_soon_threadsafe(self._more, sequence, done if self._replicated else None)
        except RuntimeError:  # the loop is closed
            if self._replicated:
                done(FencedError("replication has ended"))

    async def run(self) -> None:
        """Publish for ever.

        Raises
        ------
        FencedError
            Another primary has begun.
        """
        while True:
            await self._wake.wait()
            self._wake.clear()
            while self._published < self._committed:
                await self._publish()

    async def drain(self, seconds: float) -> bool:
        """Wait until the stream has everything; whether it has."""
        end = time.monotonic() + seconds
        while self._published < self._committed and self._ended is None and time.monotonic() < end:
            await asyncio.sleep(0.01)
        return self._published >= self._committed

    def end(self, error: Exception) -> None:
        """Acknowledge nothing any more."""
        self._ended = error
        while self._waiting:
            self._waiting.popleft()[1](error)

    def _more(self, sequence: int, done: Callable[[Exception | None], None] | None) -> None:
        if done is not None:
            if self._ended is not None:
                done(self._ended)
                return
            if sequence <= self._published:  # it was read and stored before this call came
                done(None)
                return
            self._waiting.append((sequence, done))
        self._wake.set()

    async def _publish(self) -> None:
        first, began = self._published + 1, time.monotonic()
        data = self._reader.read(first, min(self._committed, self._published + MOST_RECORDS))
        count = whole_entries(as_records(data))
        if count == 0:
            raise ReplicationError(f"record {first}: its entry takes more than the {MOST_RECORDS} records of a message")
        message = Message(self._epoch, first, self._before, time.time_ns(), data[: count * RECORD_BYTES])
        self._number = await self._store(message)
        self._published, self._before, self._behind_since = message.last, message.digest, began
        while self._waiting and self._waiting[0][0] <= self._published:
            self._waiting.popleft()[1](None)

    async def _store(self, message: Message) -> int:
        """Store it, however long that takes; its number."""
        while True:
            try:
                number = await self._stored(message)
            except UnreachableError as error:
                self._failures, self._last_failure = self._failures + 1, str(error)
                number = 0
            if number:
                self._last_failure = ""
                return number
            await asyncio.sleep(RETRY_SECONDS)

    async def _stored(self, message: Message) -> int:
        """Its number; 0 if it has to be sent again."""
        try:
            return await self._stream.publish(message, self._number)
        except MovedError as error:
            last = await self._stream.last()
            if last is None or last.number == self._number:
                return 0
            if last.message.name == message.name:
                return last.number  # it was stored, and the answer was lost
            raise FencedError(
                f"epoch {self._epoch}: stream {self._stream.name} is at epoch {last.message.epoch}, record {last.message.last};"
                f" {self._committed - self._published} records from {message.first} on are here and not there"
            ) from error
