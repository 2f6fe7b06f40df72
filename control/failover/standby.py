"""``hairpin standby``: a journal that follows, tells how far it is, and is promoted when the lease is free."""

from __future__ import annotations

import asyncio
import signal
import sys
from pathlib import Path
from typing import Any

import orjson
from rich.console import Console

from control.configuration import Replication
from control.failover.lease import Lease, LeaseHeldError
from control.failover.primary import machine, open_stream, process_name, promote
from control.failover.replica import WAIT, Promotion, Replica
from control.failover.stream import Stream, UnreachableError
from control.store.journal import Journal

PATIENCE = 30.0
RETRY_SECONDS = 0.2


class Standby:
    """Follows until it is promoted or stopped.

    Parameters
    ----------
    journal : Journal
        Written by nobody else.
    settings : Replication
        ``[replication]`` of the configuration.
    take : bool
        Become primary when the lease is free.
    force, accept_loss : bool
        See :class:`control.failover.primary.Primary`.
    """

    def __init__(self, journal: Journal, settings: Replication, *, take: bool, force: bool, accept_loss: bool) -> None:
        self.journal, self._settings, self._take, self._force, self._accept_loss = journal, settings, take, force, accept_loss
        self._holder, self._known, self._failure = "", 0, ""
        self._replica: Replica | None = None

    async def run(self, say: Any, seconds: float) -> Promotion | None:
        """Follow; ``say`` is given the status every so many seconds, and whenever NATS comes or goes.

        Raises
        ------
        ForkError, GapError, ReplicationError
            The journal cannot follow this stream.
        """
        stream = await open_stream(self._settings, PATIENCE)
        telling = asyncio.create_task(self._tell(say, seconds))
        try:
            self._replica = Replica(self.journal, stream)
            while True:
                try:
                    if self._replica.position == 0:
                        await self._replica.find()
                    promotion = await self._follow(stream, self._replica)
                    if promotion is not None:
                        return promotion
                except UnreachableError as error:
                    if self._failure != str(error):
                        self._failure = str(error)
                        say(self.status())
                    await asyncio.sleep(RETRY_SECONDS)
        finally:
            telling.cancel()
            await stream.close()

    def status(self) -> dict[str, Any]:
        """How far it is."""
        behind, seconds = self._replica.lag(self._known) if self._replica else (0, 0.0)
        return {
            "event": "status",
            "record": self.journal.acknowledged,
            "digest": self.journal.digest.hex(),
            "message": self._replica.position if self._replica else 0,
            "epoch": self._replica.epoch if self._replica else 0,
            "records_behind": behind,
            "seconds_behind": round(seconds, 3),
            "refused": self._replica.refused if self._replica else 0,
            "primary": self._holder,
            "failure": self._failure,
        }

    async def _tell(self, say: Any, seconds: float) -> None:
        while True:
            say(self.status())
            await asyncio.sleep(seconds)

    async def _follow(self, stream: Stream, replica: Replica) -> Promotion | None:
        lease = Lease(stream, machine(self._settings, process_name()), lambda reason: None)
        lease.machine.forced = self._force
        lease.start()
        try:
            async for batch in stream.follow(replica.position, WAIT):
                replica.take(batch)
                self._failure = ""
                seen = lease.machine.seen
                self._holder, self._known = (seen.holder, seen.acknowledged) if seen else ("", 0)
                if self._take and not batch and lease.looks_free():
                    patience = self._settings.ttl_ms / 1000
                    return await promote(replica, lease, patience, force=self._force, accept_loss=self._accept_loss)
        except LeaseHeldError as error:  # somebody else was quicker
            self._failure = str(error)
        finally:
            await lease.release()
        return None


def show(
    journal: Path,
    settings: Replication,
    out: Console,
    err: Console,
    *,
    take: bool,
    force: bool,
    accept_loss: bool,
    seconds: float,
    json: bool,
) -> None:
    """Follow until promoted or interrupted; errors as :meth:`Standby.run` and :class:`Journal`."""

    def say(status: dict[str, Any]) -> None:
        if json:
            sys.stdout.buffer.write(orjson.dumps(status, option=orjson.OPT_APPEND_NEWLINE))
            sys.stdout.buffer.flush()
        elif status["event"] == "promoted":
            out.print(f"promoted: epoch {status['epoch']}, record {status['record']}, digest {status['digest']}", highlight=False)
        else:
            err.print(
                f"record {status['record']}, {status['records_behind']} behind for {status['seconds_behind']:.1f} s, epoch"
                f" {status['epoch']}, primary {status['primary'] or 'none'}{status['failure'] and '; ' + status['failure']}",
                highlight=False, soft_wrap=True, markup=False,
            )  # fmt: skip

    async def follow() -> Promotion | None:
        task = asyncio.ensure_future(standby.run(say, seconds))
        asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, task.cancel)
        return await task

    with Journal(journal) as writer:
        standby = Standby(writer, settings, take=take, force=force, accept_loss=accept_loss)
        try:
            promotion = asyncio.run(follow())
        except asyncio.CancelledError:
            return
        if promotion is not None:
            say(
                {
                    "event": "promoted",
                    "epoch": promotion.epoch,
                    "record": promotion.sequence,
                    "digest": promotion.digest.hex(),
                    "message": promotion.number,
                }
            )
