"""A machine in the small world: it follows the journal as a standby, or has the lease, and with it a host that trades."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from control.failover.lease import Machine as Lease
from control.failover.lease import State, unpack
from control.failover.replica import BehindError, Promotion, Replica
from control.failover.stream import ReplicationError, UnreachableError
from control.rehearsal.board import Board, Driver
from control.rehearsal.host import Host, Site
from control.rehearsal.replication import Nats, Publisher, now
from control.store.journal import Journal
from control.store.segment import ForkError, JournalError
from sim.faults.clockwork import Life

MILLISECOND = 1_000_000
LOOK = 20 * MILLISECOND
"""ns between two looks at lease and stream."""
TTL, MARGIN = 300 * MILLISECOND, 100 * MILLISECOND
SEGMENT_RECORDS = 2_048


class Machine:
    """One of two.

    Parameters
    ----------
    name : str
    site : Site
    nats : Nats
    folder : Path
        Of its journal.
    card : Board
        A machine without a card has one without power.
    board : callable
        Makes the board of a shadow.

    Attributes
    ----------
    host : Host or None
        While it has the lease.
    is_on : bool
        Whether it has power.
    promotions : int
    """

    def __init__(self, name: str, site: Site, nats: Nats, folder: Path, card: Board, board: Callable[[Life], Board]) -> None:
        self.name, self._site, self._nats, self.folder, self.card, self._board = name, site, nats, folder, card, board
        self.host: Host | None = None
        self.is_on = True
        self.promotions = self._lives = 0
        self._life = Life(name)
        self._life.end()
        self._journal: Journal | None = None

    # -- a process ---------------------------------------------------------------------------------

    @property
    def runs(self) -> bool:
        """Whether its process lives."""
        return not self._life.is_over

    def start(self) -> None:
        """Start its process, as a standby that takes the lease when it is free."""
        if self.runs or not self.is_on:
            return
        self._lives += 1
        self._life = Life(self.name)
        self._let_go()
        self._lease = Lease(f"{self.name}-{self._lives}", TTL, margin_ns=MARGIN, stops=True)
        self._follow()
        self._site.clockwork.every(LOOK, self._look, life=self._life)

    def _let_go(self) -> None:
        """A card that was left trading lets go of the session: another machine may be about to take it."""
        driver = Driver(self.card, self._life)
        if driver.is_there and self.card.is_set:
            driver.kill()
            driver.logout()
            self.card.hang_up()

    def _follow(self) -> None:
        self._journal = Journal(self.folder, segment_records=SEGMENT_RECORDS)
        self._replica = Replica(self._journal, self._nats)  # type: ignore[arg-type]
        self._is_placed = False

    def end(self) -> None:
        """Its process is killed."""
        self._life.end()
        if self.host is not None:
            self.host.end()
            self.host = None
        if self._journal is not None:
            self._journal.close()
            self._journal = None

    def power_off(self) -> None:
        """It is gone, with its card."""
        self.card.power_off()
        if self.host is not None:
            self.host.vanish()
        self.end()
        self.is_on = False

    # -- lease and stream --------------------------------------------------------------------------

    def _look(self) -> None:
        self._renew()
        if self.host is not None:
            if self._lease.state is State.LOST:
                self._stop()
            return
        if self._lease.state is State.LOST:  # a new process, with a new name
            self.end()
            self.start()
            return
        try:
            if not self._is_placed:
                now(self._replica.find())
                self._is_placed = True
            now(self._replica.catch_up())
        except UnreachableError:
            return
        except ForkError:
            self._set_aside()
            return
        if self._lease.state is State.HELD:
            self._promote()
        else:
            self._lease.wanted = True

    def _set_aside(self) -> None:
        """A primary that died had records that nobody else has; they were not acknowledged. Somebody puts its journal away."""
        self._site.counts["journals set aside"] += 1
        self.end()
        self.folder.rename(self.folder.with_name(f"{self.folder.name}-aside-{self._lives}"))
        self._site.clockwork.after(LOOK, self.start)

    def _renew(self) -> None:
        """Renew it, or look who has it."""
        lease, time = self._lease, self._site.clockwork.now
        if self.host is not None:
            lease.acknowledged = self.host.disk.acknowledged
        write = lease.poll(time)
        try:
            if write is not None:
                lease.answer(time, self._nats.write_lease(write.entry.pack(), write.revision))
            if lease.reads:
                revision, content = self._nats.read_lease()
                lease.observe(time, revision, unpack(content))
        except UnreachableError:
            lease.silence(time)

    def _promote(self) -> None:
        previous = self._lease.previous
        try:
            promotion = now(self._replica.promote(self._lease.epoch, previous.acknowledged if previous is not None else 0))
        except UnreachableError:
            return
        except BehindError:
            self._site.counts["promotions refused: behind"] += 1
            self._stop()
            return
        except (ReplicationError, JournalError) as error:
            self._site.alarms.append(f"{self.name}: {error}")
            self._site.counts["promotions refused"] += 1
            self._stop()
            return
        assert self._journal is not None
        self._journal.close()
        self._journal = None
        self.promotions += 1
        life = self._life
        self.host = Host(self._site, self.folder, self.card, self._board(life), life)
        self.host.disk.replicate = self._publisher(promotion, life).committed

    def _publisher(self, promotion: Promotion, life: Life) -> Publisher:
        assert self.host is not None
        site = self._site
        return Publisher(
            site.clockwork, site.dice, life, self._nats, self.host.disk.journal, epoch=promotion.epoch,
            number=promotion.number, published=promotion.published, fenced=self._stop,
        )  # fmt: skip

    def _stop(self) -> None:
        """It may not be primary: its process ends, and comes back as a standby."""
        self._site.counts["stood down"] += 1
        self.end()
        self._site.clockwork.after(LOOK, self.start)
