"""The stream and the bucket of NATS in the small world, and a publisher: the same answers as `control.failover.stream`, without a
server. Its coroutines never wait, so they are run at once.
"""

from __future__ import annotations

import random
from collections.abc import AsyncIterator, Callable, Coroutine
from typing import Any, TypeVar

from control.failover.message import Message
from control.failover.stream import MovedError, Stored, UnreachableError
from control.store.journal import Journal
from control.store.scan import Reader
from sim.faults.clockwork import Clockwork, Life

T = TypeVar("T")
RETRY = 20_000_000
"""ns until a message that was not stored is sent again."""


def now(coroutine: Coroutine[Any, Any, T]) -> T:
    """What a coroutine returns that never waits for anything."""
    try:
        coroutine.send(None)
    except StopIteration as done:
        result: T = done.value
        return result
    raise RuntimeError("it waits")


class Nats:
    """Stream and bucket; whether anybody answers is up to the faults.

    Attributes
    ----------
    is_up : bool
    messages : list of Message
    """

    name = "rehearsal"

    def __init__(self) -> None:
        self.is_up = True
        self.messages: list[Message] = []
        self._revision, self._content = 0, b""

    def _reach(self) -> None:
        if not self.is_up:
            raise UnreachableError("NATS is down")

    async def bounds(self) -> tuple[int, int]:
        """Numbers of the first and the last message."""
        self._reach()
        return 1, len(self.messages)

    async def message(self, number: int) -> Message:
        """A message."""
        self._reach()
        return self.messages[number - 1]

    async def last(self) -> Stored | None:
        """The last message."""
        self._reach()
        return Stored(len(self.messages), self.messages[-1]) if self.messages else None

    async def publish(self, message: Message, number: int) -> int:
        """Store a message behind that of this number; its own."""
        self._reach()
        if number != len(self.messages):
            raise MovedError(f"the last message is {len(self.messages)}, and not {number}")
        self.messages.append(message)
        return len(self.messages)

    async def follow(self, position: int, wait: float) -> AsyncIterator[list[Stored]]:
        """What comes behind a message."""
        self._reach()
        yield [Stored(n, self.messages[n - 1]) for n in range(position + 1, len(self.messages) + 1)]

    def read_lease(self) -> tuple[int, bytes]:
        """The bucket's revision and content."""
        self._reach()
        return self._revision, self._content

    def write_lease(self, content: bytes, revision: int) -> int | None:
        """Store, if this is the revision that stands there; the new one, or None."""
        self._reach()
        if revision != self._revision:
            return None
        self._revision, self._content = self._revision + 1, content
        return self._revision


class Publisher:
    """Puts committed records into the stream, one message at a time.

    Parameters
    ----------
    clockwork : Clockwork
    dice : Random
    life : Life
    nats : Nats
    journal : Journal
    epoch, number, published : int
        Of the promotion: number of its message, last record in the stream.
    fenced : callable
        Called when somebody else has begun an epoch.
    """

    def __init__(
        self,
        clockwork: Clockwork,
        dice: random.Random,
        life: Life,
        nats: Nats,
        journal: Journal,
        *,
        epoch: int,
        number: int,
        published: int,
        fenced: Callable[[], None],
    ) -> None:
        self._clockwork, self._dice, self._life, self._nats, self._fenced = clockwork, dice, life, nats, fenced
        self._reader: Reader = journal.reader()
        self._epoch, self._number = epoch, number
        self.published = published
        self._before = self._reader.digest(published)
        self._committed = published
        self._waiting: list[tuple[int, Callable[[], None]]] = []
        self._is_busy = False

    def committed(self, sequence: int, done: Callable[[], None]) -> None:
        """Records up to ``sequence`` are in the journal; ``done`` is called when the stream has them too."""
        self._committed = sequence
        self._waiting.append((sequence, done))
        self._send()

    def _send(self) -> None:
        if not self._is_busy and self.published < self._committed:
            self._is_busy = True
            self._clockwork.after(self._dice.randrange(200_000, 800_000), self._store, life=self._life)

    def _store(self) -> None:
        first = self.published + 1
        message = Message(self._epoch, first, self._before, self._clockwork.now, self._reader.read(first, self._committed))
        try:
            self._number = now(self._nats.publish(message, self._number))
        except UnreachableError:
            self._clockwork.after(RETRY, self._store, life=self._life)
            return
        except MovedError:
            self._fenced()
            return
        self.published, self._before, self._is_busy = message.last, message.digest, False
        while self._waiting and self._waiting[0][0] <= self.published:
            self._waiting.pop(0)[1]()
        self._send()
