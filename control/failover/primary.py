"""The journal of a process that may be primary: committed, published, and fenced when another takes over.

Everything of NATS happens in a thread of its own. Who appends never waits for it, but for the future of an entry if it wants to.
"""

from __future__ import annotations

import asyncio
import os
import socket
import threading
from collections.abc import Callable, Coroutine
from pathlib import Path
from typing import Any, TypeVar

from control.configuration import Replication
from control.failover.lease import Lease, Machine
from control.failover.message import MOST_PARTS
from control.failover.publisher import FencedError, Lag, Publisher
from control.failover.replica import Promotion, Replica
from control.failover.stream import ReplicationError, Stream, connect
from control.store.committer import Committer
from control.store.journal import SEGMENT_RECORDS, Journal

Answer = TypeVar("Answer")


def process_name() -> str:
    """A name that no other process has."""
    return f"{socket.gethostname()}:{os.getpid()}:{os.urandom(4).hex()}"


def machine(settings: Replication, name: str) -> Machine:
    """The lease's decisions as configured: a primary that acknowledges alone goes on when NATS is silent."""
    return Machine(
        name,
        settings.ttl_ms * 1_000_000,
        margin_ns=settings.margin_ms * 1_000_000,
        stops=settings.mode == "replicated",
    )


async def open_stream(settings: Replication, patience: float) -> Stream:
    """The configured stream; errors as :func:`control.failover.stream.connect`."""
    if not settings.servers:
        raise ReplicationError("replication.servers: empty, so there is no stream")
    return await connect(
        settings.servers, settings.stream, settings.replicas, settings.timeout_ms / 1000, patience
    )


class Primary:
    """A journal with its place secured: when this is made, no older primary can write to the stream.

    Parameters
    ----------
    folder : Path
        The journal's; it is caught up from the stream first.
    settings : Replication
        ``[replication]`` of the configuration.
    lost : callable
        Told why, once, when this stops being primary by itself: stop the heartbeats of the device. With ``mode =
        "replicated"`` at the latest ``ttl_ms`` after the last renewal was sent that was stored. Called in the replication's
        thread; must not block.
    patience : float
        Seconds to wait for NATS and for the lease.
    force : bool
        Take the lease from a primary of mode ``local`` that is silent. It may still trade: whoever says so knows that it is dead.
    accept_loss : bool
        Go without what the primary before acknowledged and neither the stream nor this journal has.
    segment_records : int
        As for :class:`Journal`; the same on both sides.

    Attributes
    ----------
    committer : Committer
        Where entries go.
    promotion : Promotion
        Epoch, and where the journal stood.

    Raises
    ------
    LeaseHeldError
        Another is primary.
    BehindError
        The primary before acknowledged more than there is.
    ForkError, GapError
        The journal does not belong to the stream.
    UnreachableError
        NATS does not answer.
    """

    def __init__(
        self,
        folder: Path,
        settings: Replication,
        lost: Callable[[str], None],
        *,
        name: str | None = None,
        patience: float = 30.0,
        force: bool = False,
        accept_loss: bool = False,
        segment_records: int = SEGMENT_RECORDS,
    ) -> None:
        self.name = name or process_name()
        self._settings, self._tell = settings, lost
        self._patience, self._force, self._accept_loss = patience, force, accept_loss
        self._ended = False
        journal = Journal(folder, segment_records=segment_records, most_parts=MOST_PARTS)
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, name="replication", daemon=True)
        self._thread.start()
        try:
            self.promotion = self._call(self._promote(journal))
        except BaseException:
            self._end()
            journal.close()
            raise
        self.committer = Committer(journal, self._publisher.committed)
        self._call(self._begin())

    def lag(self) -> Lag:
        """What the stream is behind."""
        return self._publisher.lag()

    @property
    def published(self) -> int:
        """Last record that the stream has."""
        return self._publisher.published

    def close(self, drain: float = 5.0) -> None:
        """Publish what is committed, for so many seconds at most, give the lease back, and close the journal."""
        self.committer.close()
        self._call(self._finish(drain))
        self._end()

    def __enter__(self) -> Primary:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    # -- in the replication's thread -----------------------------------------------------------

    async def _promote(self, journal: Journal) -> Promotion:
        self._stream = await open_stream(self._settings, self._patience)
        self._lease = Lease(self._stream, machine(self._settings, self.name), self._lost)
        try:
            replica = Replica(journal, self._stream)
            await replica.find()
            await replica.catch_up()
            promotion = await promote(
                replica, self._lease, self._patience, force=self._force, accept_loss=self._accept_loss
            )
        except BaseException:
            await self._lease.release()
            await self._stream.close()
            raise
        self._publisher = Publisher(
            self._stream, journal.reader(), promotion, replicated=self._settings.mode == "replicated"
        )
        return promotion

    async def _begin(self) -> None:
        self._tasks = [asyncio.create_task(self._publish()), asyncio.create_task(self._report())]
        if self._ended:  # lost since it was promoted
            self._stop(FencedError(self._lease.machine.reason))

    async def _publish(self) -> None:
        try:
            await self._publisher.run()
        except Exception as error:
            self._stop(error)

    async def _report(self) -> None:
        """What may not be lost goes with each renewal of the lease."""
        while True:
            self._note()
            await asyncio.sleep(self._settings.ttl_ms / 6000)

    def _note(self) -> None:
        """It never falls: a life before this one may have acknowledged more than the stream has yet."""
        known = self._lease.machine.acknowledged or 0
        self._lease.machine.acknowledged = max(known, self._publisher.acknowledged)

    def _lost(self, reason: str) -> None:
        self._stop(FencedError(reason))

    def _stop(self, error: Exception) -> None:
        """No primary any more: say so before anything else."""
        if not self._ended:
            self._ended = True
            self._tell(str(error))
            self._lease.stop()
        if hasattr(self, "committer"):
            self.committer.refuse(str(error))
            self._publisher.end(error)
            for task in self._tasks:
                task.cancel()

    async def _finish(self, drain: float) -> None:
        if not self._ended:
            await self._publisher.drain(drain)
            self._note()
        self._ended = True
        self._publisher.end(FencedError("closed"))
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        await self._lease.release()
        await self._stream.close()

    # -- its thread ----------------------------------------------------------------------------

    def _call(self, work: Coroutine[Any, Any, Answer]) -> Answer:
        return asyncio.run_coroutine_threadsafe(work, self._loop).result()

    def _end(self) -> None:
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join()
        self._loop.close()


async def promote(
    replica: Replica, lease: Lease, seconds: float, *, force: bool = False, accept_loss: bool = False
) -> Promotion:
    """Take the lease when it is free, and make a journal the primary's; errors as :class:`Primary`."""
    lease.machine.floor, lease.machine.forced = replica.epoch, force
    lease.start()
    epoch = await lease.acquire(seconds)
    before = lease.machine.previous.acknowledged if lease.machine.previous else 0
    promotion = await replica.promote(epoch, before, accept_loss=accept_loss)
    lease.machine.acknowledged = min(promotion.sequence, max(before, promotion.published))
    return promotion
