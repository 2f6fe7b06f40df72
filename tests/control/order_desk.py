"""A small market with a desk, orders and a journal in memory whose disk does what it is told."""

from collections.abc import Sequence
from concurrent.futures import Future
from typing import cast

from control.desk import Desk
from control.keeper import Keeper
from control.oms import Ordered
from control.oms.flow import Heard, Listener, OrderFlow
from control.past import hold, past_of, restore
from control.store import JournalFailedError, Record
from control.store.committer import Committer
from tests.control.small_market import STEP, SmallMarket, small_configuration
from wire.records import TIME_IN_FORCE_DAY, Side


class Disk:
    """A committer without one: entries are kept at once, or when `write` is called, or never again after `fail`."""

    def __init__(self, entries: Sequence[Record] = (), *, slow: bool = False) -> None:
        self.entries = list(entries)
        self.waiting: list[tuple[Record, Future[int]]] = []
        self.slow, self.failed, self._count = slow, False, len(entries)

    def append(self, kind: int, payload: bytes, timestamp: int) -> Future[int]:
        if self.failed:
            raise JournalFailedError("no room")
        self._count += 1
        future: Future[int] = Future()
        self.waiting.append((Record(self._count, timestamp, kind, payload), future))
        if not self.slow:
            self.write()
        return future

    def write(self) -> None:
        """What waits is on the disk now."""
        waiting, self.waiting = self.waiting, []
        self.entries += [record for record, _ in waiting]
        for record, future in waiting:
            future.set_result(record.sequence)

    def fail(self) -> None:
        self.failed = True
        waiting, self.waiting = self.waiting, []
        for _, future in waiting:
            future.set_exception(JournalFailedError("no room"))


class Trading:
    """All of it. `later` is what the owner's queue would have; `run` does it, as the owner does between two moments."""

    def __init__(
        self,
        *,
        slow: bool = False,
        entries: Sequence[Record] = (),
        hear: Listener | None = None,
        **sections: dict[str, object],
    ) -> None:
        configuration = small_configuration(**{"quoter": {"enabled": False}} | sections)
        self.disk, self.market = Disk(entries, slow=slow), SmallMarket(configuration)
        self.clock = 1_795_733_411_000_000_000
        self.keeper = Keeper(cast(Committer, self.disk))
        self.desk = Desk(self.market, configuration, self.keeper, self._now)
        self.later: list = []
        past = past_of(entries, self.keeper, hear)
        self.oms = past.oms
        self.flow = OrderFlow(self.oms, self.desk, run=past.runs + (2 if entries else 1), later=self.later.append)
        self.heard: list[Heard] = []
        self.said: list[str] = []
        self.flow.subscribe(self.heard.append)
        hold(self.desk)
        self.market.open()
        restore(past, self.desk, self.said.append)
        self.run()

    def _now(self) -> int:
        self.clock += 1
        return self.clock

    def run(self) -> None:
        while self.later:
            self.later.pop(0)()

    def advance(self, steps: int = 1) -> None:
        for _ in range(steps):
            self.market.advance(self.market.now + STEP)
            self.run()

    def order(self, client_order_id: str = "A", **fields) -> Ordered:
        usual = {"order_id": 0, "client": "desk", "stock": "AMZN", "side": Side.BUY, "price": 2_195_000, "quantity": 100}
        usual |= {"strategy": 5, "time_in_force": TIME_IN_FORCE_DAY}
        return Ordered(client_order_id=client_order_id, **{**usual, **fields})

    def submit(self, client_order_id: str = "A", **fields):
        answer = self.flow.submit(self.order(client_order_id, **fields))
        self.run()
        return answer

    def best(self, stock: str = "AMZN") -> tuple[int, int]:
        book = self.desk.books(stock, 1)
        return book.bids[0].price, book.asks[0].price

    def close(self) -> None:
        self.market.device.close()
