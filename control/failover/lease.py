"""Who may be primary: a lease that is written by compare and set, and an epoch that only rises.

No clock is compared with another. A holder counts from the moment at which it *sent* the last renewal that it knows to be stored,
and stops after ``ttl``. Who contends counts from the moment at which it *saw* the last renewal, which is later, and waits for
``ttl`` and a margin. So they never overlap while clocks run at about the same rate and processes run at all; for the others,
a paused process above all, there is the epoch: the stream takes nothing from an older one.

:class:`Machine` decides and does nothing else: it is given the time and what was seen, and says what to write. :class:`Lease`
gives it NATS and the clock.
"""

from __future__ import annotations

import asyncio
import json
import time
from collections.abc import Callable
from dataclasses import asdict, dataclass, replace
from enum import Enum
from typing import NamedTuple

from control.failover.stream import ReplicationError, Stream, UnreachableError


class LeaseHeldError(ReplicationError):
    """Somebody else is primary, or may be."""


@dataclass(frozen=True)
class Entry:
    """What stands in the bucket."""

    holder: str
    """whose it is; empty: it was given back"""
    epoch: int
    """+1 with every holder"""
    renewal: int
    """+1 with every renewal"""
    ttl_ns: int
    """ns for which it is good"""
    acknowledged: int
    """sequence of the last record that its holder acknowledged to anybody"""
    stops: bool
    """whether its holder stops when it cannot renew"""

    def pack(self) -> bytes:
        """As bytes."""
        return json.dumps(asdict(self)).encode()


def unpack(content: bytes) -> Entry | None:
    """An entry; None of nothing.

    Raises
    ------
    ReplicationError
        It is none.
    """
    if not content:
        return None
    try:
        return Entry(**json.loads(content))
    except (ValueError, TypeError) as error:
        raise ReplicationError(f"lease: {content[:200]!r} is none: {error}") from error


class Write(NamedTuple):
    """An entry to be stored if the bucket has this revision; 0: nothing."""

    entry: Entry
    revision: int


class State(Enum):
    """What a contender is."""

    FOLLOWING = "following"
    HELD = "held"
    LOST = "lost"


class Machine:
    """The lease's decisions. Times are ns of any clock that never goes back.

    Parameters
    ----------
    name : str
        Of this process; no other, not even its own successor, has the same.
    ttl_ns, margin_ns : int
        How long a renewal is good, and how much longer a contender waits.
    stops : bool
        Whether it is lost when it is not renewed in time. If not, it is lost only when another has it, and no
        contender takes it from a holder that is silent unless it is forced to.

    Attributes
    ----------
    wanted : bool
        Take it when it is free.
    forced : bool
        Take it from a silent holder that does not stop.
    floor : int
        The epoch is higher than this one.
    acknowledged : int or None
        Sequence for the next entry; None while this one acknowledges nothing: what the holder before did stays known.
    """

    def __init__(self, name: str, ttl_ns: int, *, margin_ns: int, stops: bool) -> None:
        self.name, self.ttl_ns, self.margin_ns, self.stops = name, ttl_ns, margin_ns, stops
        self.wanted = self.forced = False
        self.floor = 0
        self.acknowledged: int | None = None
        self.state = State.FOLLOWING
        self.reason = ""
        self.epoch = 0
        self.seen: Entry | None = None
        self.previous: Entry | None = None  # whose place was taken
        self._revision = -1  # nothing seen yet
        self._changed_at = 0
        self._sent: Entry | None = None  # a write of which it is not known what became of it
        self._sent_at = self._confirmed_at = 0
        self._unanswered = False

    @property
    def deadline(self) -> int | None:
        """When it is lost unless it is renewed; None if it is not held, or not lost by silence."""
        return self._confirmed_at + self.ttl_ns if self.state is State.HELD and self.stops else None

    @property
    def reads(self) -> bool:
        """Whether it has to see what stands in the bucket."""
        return self.state is State.FOLLOWING or self._unanswered

    def held(self, now: int) -> bool:
        """Whether it is held at this moment."""
        return self.state is State.HELD and (self.deadline is None or now < self.deadline)

    def free(self, now: int) -> bool:
        """Whether nobody has it, as far as was seen."""
        if self._revision < 0:
            return False
        if self.seen is None or not self.seen.holder:
            return True
        silent = now - self._changed_at >= self.seen.ttl_ns + self.margin_ns
        return silent and (self.seen.stops or self.forced)

    def poll(self, now: int) -> Write | None:
        """What to write now, to be answered by :meth:`answer`, :meth:`silence` before it is asked again."""
        self.expire(now)
        if self._unanswered or self.state is State.LOST:
            return None
        if self.state is State.HELD and now - self._confirmed_at >= self.ttl_ns // 3:
            assert self.seen is not None
            entry = replace(self.seen, renewal=self.seen.renewal + 1, acknowledged=self._known())
        elif self.state is State.FOLLOWING and self.wanted and self.free(now):
            epoch = max(self.floor, self.seen.epoch if self.seen else 0) + 1
            entry = Entry(self.name, epoch, 1, self.ttl_ns, self._known(), self.stops)
        else:
            return None
        if self._sent is None or not _same(self._sent, entry):
            self._sent_at = now  # of the first attempt: an earlier one may be what is stored in the end
        self._sent, self._unanswered = entry, True
        return Write(entry, max(0, self._revision))

    def answer(self, now: int, revision: int | None) -> None:
        """The write was stored with this revision; None: refused, and what stands there has to be seen."""
        if revision is not None and self._sent is not None:
            self._stored(self._sent, revision)
        self.expire(now)

    def silence(self, now: int) -> None:
        """No answer to a write or a read."""
        self.expire(now)

    def observe(self, now: int, revision: int, entry: Entry | None) -> None:
        """What stands in the bucket. An older revision than the one that is known is an answer that came late."""
        if revision < self._revision:
            return
        self._unanswered = False
        if revision != self._revision:
            if entry is not None and self._sent is not None and _same(entry, self._sent):
                self._stored(entry, revision)
            else:
                self._revision, self.seen, self._changed_at = revision, entry, now
                if self.state is State.HELD:
                    self._lose(f"epoch {entry.epoch if entry else '?'} belongs to {entry.holder if entry else 'nobody'}")
        self.expire(now)

    def expire(self, now: int) -> None:
        """Lose it if it was not renewed in time."""
        if self.deadline is not None and now >= self.deadline:
            self._lose(f"epoch {self.epoch} was not renewed for {self.ttl_ns / 1e9:g} s")

    def released(self) -> Write | None:
        """What to write to give it back; it is lost with that."""
        if self.state is not State.HELD or self.seen is None:
            return None
        self._lose("given back")
        return Write(replace(self.seen, holder="", acknowledged=self._known()), self._revision)

    def _stored(self, entry: Entry, revision: int) -> None:
        if self.state is State.FOLLOWING:
            self.state, self.epoch, self.previous = State.HELD, entry.epoch, self.seen
        self._revision, self.seen, self._sent, self._unanswered = revision, entry, None, False
        self._confirmed_at = self._sent_at

    def _known(self) -> int:
        if self.acknowledged is not None:
            return self.acknowledged
        return self.seen.acknowledged if self.seen else 0

    def _lose(self, reason: str) -> None:
        self.state, self.reason = State.LOST, reason


def _same(one: Entry, other: Entry) -> bool:
    """Whether two entries are one attempt: it may have been sent twice, with another sequence."""
    return (one.holder, one.epoch, one.renewal) == (other.holder, other.epoch, other.renewal)


class Lease:
    """The lease in a stream's bucket.

    Parameters
    ----------
    stream : Stream
        Whose primary it is about.
    machine : Machine
        Decides.
    lost : callable
        Told why, once, when a lease that was held is lost: at the latest ``ttl`` after the last renewal was sent that was
        stored, or at once when another is seen to have it. Called in the event loop's thread; must not block.
    clock : callable
        ns of a clock that never goes back.
    """

    def __init__(
        self, stream: Stream, machine: Machine, lost: Callable[[str], None], clock: Callable[[], int] = time.monotonic_ns
    ) -> None:
        self.machine = machine
        self._stream, self._lost, self._clock = stream, lost, clock
        self._changed = asyncio.Event()
        self._told = False
        self._tasks: list[asyncio.Task[None]] = []

    def start(self) -> None:
        """Observe, and take or renew what is wanted, from now on."""
        if not self._tasks:
            self._tasks = [asyncio.create_task(self._talk()), asyncio.create_task(self._watch())]

    async def acquire(self, seconds: float) -> int:
        """Take it; the epoch.

        Raises
        ------
        LeaseHeldError
            Somebody else has it after so many seconds.
        """
        self.machine.wanted = True
        try:
            async with asyncio.timeout(seconds):
                while self.machine.state is State.FOLLOWING:
                    self._changed.clear()
                    await self._changed.wait()
        except TimeoutError:
            self.machine.wanted = False
            if self.machine.state is State.FOLLOWING:
                raise LeaseHeldError(f"lease: {self.described()}") from None
        if self.machine.state is State.LOST:
            raise LeaseHeldError(f"lease: {self.machine.reason}")
        return self.machine.epoch

    def stop(self) -> None:
        """Renew it no more: it runs out, while its holder stops whatever it has to. ``lost`` is not called."""
        self._told = True
        for task in self._tasks:
            task.cancel()

    async def release(self) -> None:
        """Give it back if it is held, and end. ``lost`` is not called."""
        self.stop()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        write = self.machine.released()
        if write is not None:
            try:
                await self._stream.write_lease(write.entry.pack(), write.revision)
            except UnreachableError:
                return  # it runs out by itself

    def looks_free(self) -> bool:
        """Whether nobody has it, as far as was seen."""
        return self.machine.free(self._clock())

    def described(self) -> str:
        """Who has it, in words."""
        seen = self.machine.seen
        if seen is None:
            return "nobody had it yet" if self.machine.reads else "not seen yet"
        if not seen.holder:
            return f"free since epoch {seen.epoch}"
        silent = "" if seen.stops else "; when it is silent it does not stop: only --force takes it"
        return f"{seen.holder} has it, epoch {seen.epoch}{silent}"

    async def _talk(self) -> None:
        pause = self.machine.ttl_ns / 1e9 / 6
        while self.machine.state is not State.LOST:
            write = self.machine.poll(self._clock())
            try:
                if write is not None:
                    revision = await self._stream.write_lease(write.entry.pack(), write.revision)
                    self.machine.answer(self._clock(), revision)
                    self._changed.set()
                if self.machine.reads:
                    revision, content = await self._stream.read_lease()
                    self.machine.observe(self._clock(), revision, unpack(content))
                    self._changed.set()
            except ReplicationError:  # unreachable, or not understood: it is not renewed
                self.machine.silence(self._clock())
            self._tell()
            await asyncio.sleep(pause)

    async def _watch(self) -> None:
        """Time passes while an answer is missing."""
        while self.machine.state is not State.LOST:
            deadline, now = self.machine.deadline, self._clock()
            wait = self.machine.ttl_ns // 6 if deadline is None else max(0, deadline - now)
            await asyncio.sleep(wait / 1e9)
            self.machine.expire(self._clock())
            self._tell()

    def _tell(self) -> None:
        if self.machine.state is State.LOST and not self._told:
            self._told = True
            self._changed.set()
            self._lost(self.machine.reason)
