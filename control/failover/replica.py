"""A journal that follows a stream, and can be promoted to the one that others follow.

Nothing but the journal is kept: where in the stream it stands is found again by its digests. The journal of a primary that
starts again goes the same way as a standby's that is promoted, so there is one way to become primary.
"""

from __future__ import annotations

import time
from collections.abc import Iterable
from typing import NamedTuple

from control.failover.message import Message
from control.failover.stream import MovedError, ReplicationError, Stored, Stream, UnreachableError
from control.store.journal import Journal
from control.store.record import DIGEST_AT, RECORD_BYTES
from control.store.segment import ForkError

WAIT = 0.25
"""Seconds that a follower waits for messages before it looks whether any are missing."""
ATTEMPTS = 10


class GapError(ReplicationError):
    """Records are missing between a journal and a stream."""


class BehindError(ReplicationError):
    """A journal that has not all of what was acknowledged; its promotion would lose the rest."""


class Promotion(NamedTuple):
    """A journal became the one that others follow."""

    epoch: int
    sequence: int
    """its last record"""
    digest: bytes
    number: int
    """of the message that says so"""
    published: int
    """last record that is in the stream"""


class Replica:
    """A journal and its place in the stream.

    Parameters
    ----------
    journal : Journal
        Written by nobody else.
    stream : Stream
        Connected.

    Attributes
    ----------
    position : int
        Number of the last message that was looked at.
    epoch : int
        Of the last message that counts.
    published : int
        Last record that is in the stream, as far as it was read.
    refused : int
        Messages of an epoch that was over: they count for nothing.
    """

    def __init__(self, journal: Journal, stream: Stream) -> None:
        self.journal, self.stream = journal, stream
        self.position = self.epoch = self.published = self.refused = 0
        self._digest = bytes(32)  # of the record `published`
        self._reader = journal.reader()
        self._even_at = time.monotonic()

    # -- following -----------------------------------------------------------------------------

    async def find(self) -> None:
        """Find the journal's place: behind the last message whose beginning it has.

        Raises
        ------
        ForkError, GapError
            The journal has no place in this stream.
        """
        first, last = await self.stream.bounds()
        low, high = first, last + 1  # the place is in low..high, and the journal does not have the beginning of `high`
        while low < high:
            middle = (low + high) // 2
            message = await self.stream.message(middle)
            low, high = (middle + 1, high) if self._has(message) else (low, middle)
        self.position = low - 1
        if low > first:  # what this message holds may be news
            await self._begin_at(low - 1)
        elif last >= first:
            message = await self.stream.message(first)
            if message.first - 1 > self.journal.acknowledged:
                raise GapError(
                    f"{self.journal.folder}: ends with record {self.journal.acknowledged}, and stream {self.stream.name} begins"
                    f" with {message.first}"
                )
            raise ForkError(
                f"{self.journal.folder}: record {message.first - 1} is not the one that is in stream {self.stream.name}"
            )

    async def catch_up(self) -> None:
        """Take all that the stream has now."""
        _, last = await self.stream.bounds()
        if self.position > last:
            raise GapError(f"stream {self.stream.name}: ends with message {last}, and {self.position} was there already")
        while self.position < last:
            async for batch in self.stream.follow(self.position, WAIT):
                self.take(batch)
                if self.position >= last:
                    break

    def take(self, batch: Iterable[Stored]) -> None:
        """Write what messages hold, all of it with one fsync.

        Raises
        ------
        ForkError, GapError
            The stream does not go on where the journal ends. What came before is written.
        """
        try:
            for number, message in batch:
                self._take(message)
                self.position = number
        finally:
            self.journal.commit()

    def lag(self, known: int) -> tuple[int, float]:
        """Records that are missing of those up to ``known``, and for how many seconds any were."""
        behind = max(0, max(known, self.published) - self.journal.acknowledged)
        now = time.monotonic()
        if behind == 0:
            self._even_at = now
        return behind, now - self._even_at

    # -- promotion -----------------------------------------------------------------------------

    async def promote(self, epoch: int, acknowledged: int, *, accept_loss: bool = False) -> Promotion:
        """Close all older epochs, and begin this one. Whose lease it is, its holder sees to.

        Parameters
        ----------
        epoch : int
            Of the lease.
        acknowledged : int
            Sequence of the last record that the primary before is known to have acknowledged.
        accept_loss : bool
            Go without what is missing of that.

        Raises
        ------
        BehindError
            Acknowledged records are missing here, and in the stream.
        ReplicationError
            The epoch is not higher than the stream's, or the stream goes on all the time.
        """
        for attempt in range(ATTEMPTS):
            await self.catch_up()
            if attempt and self.epoch == epoch:  # it was stored, and the answer was lost
                return self._promoted()
            if self.journal.acknowledged < acknowledged and not accept_loss:
                raise BehindError(
                    f"{self.journal.folder}: ends with record {self.journal.acknowledged}, and the primary acknowledged"
                    f" {acknowledged}: {acknowledged - self.journal.acknowledged} records would be lost; --accept-loss goes"
                    " without them"
                )
            if epoch <= self.epoch:
                raise ReplicationError(f"epoch {epoch}: stream {self.stream.name} is at epoch {self.epoch} already")
            begin = Message(epoch, self.published + 1, self._digest, time.time_ns())
            try:
                number = await self.stream.publish(begin, self.position)
            except (MovedError, UnreachableError):
                continue  # somebody wrote in between, or this was stored: that has to be taken first
            self.position, self.epoch = number, epoch
            return self._promoted()
        raise ReplicationError(f"stream {self.stream.name}: goes on all the time, the journal never was at its end")

    # -- inside --------------------------------------------------------------------------------

    def _promoted(self) -> Promotion:
        return Promotion(self.epoch, self.journal.acknowledged, self.journal.digest, self.position, self.published)

    def _has(self, message: Message) -> bool:
        """Whether the journal has all that stands before a message."""
        known = message.first - 1
        return known <= self.journal.acknowledged and self._reader.digest(known) == message.before

    async def _begin_at(self, number: int) -> None:
        message = await self.stream.message(number)
        self.epoch = message.epoch
        self.take([Stored(number, message)])

    def _take(self, message: Message) -> None:
        if message.epoch < self.epoch:
            self.refused += 1
            return
        if message.epoch > self.epoch and message.size:
            raise ReplicationError(
                f"stream {self.stream.name}: record {message.first} is of epoch {message.epoch}, which did not begin: it is epoch"
                f" {self.epoch}"
            )
        here = self.journal.acknowledged + self.journal.pending
        if message.first > here + 1:
            raise GapError(
                f"{self.journal.folder}: ends with record {here}, and stream {self.stream.name} goes on with {message.first}"
            )
        known = min(here - message.first + 1, message.size)
        if self.journal.pending and (known or not message.size):
            self.journal.commit()  # what is compared is read from the disk
        self._compare(message, known)
        if known < message.size:
            self.journal.adopt(message.records[known * RECORD_BYTES :])
        self.epoch = message.epoch
        self.published, self._digest = message.last, message.digest

    def _compare(self, message: Message, known: int) -> None:
        """That the first records of a message are those of the journal, and the one before them."""
        if message.first - 1 <= self.journal.acknowledged and self._reader.digest(message.first - 1) != message.before:
            self._forked(message.first - 1)
        if not known:
            return
        ours = self._reader.read(message.first, message.first + known - 1)
        for at in range(0, len(ours), RECORD_BYTES):
            if ours[at + DIGEST_AT : at + RECORD_BYTES] != message.records[at + DIGEST_AT : at + RECORD_BYTES]:
                self._forked(message.first + at // RECORD_BYTES)

    def _forked(self, sequence: int) -> None:
        raise ForkError(
            f"{self.journal.folder}: record {sequence} is not the one that is in stream {self.stream.name}: two primaries wrote"
        )
