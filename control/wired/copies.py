"""The exchange's drop copy, read all day and compared with what the device says was executed."""

from __future__ import annotations

import asyncio
import logging
import queue
import threading
import time
from collections.abc import Callable, Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from control.failover.view import ExchangeView
from control.gateway.soupbin import Client, Ended, Event, Idle, Link, LoggedIn, Message, Refused, SessionError
from control.oms.reconcile import Break, Fill, Reconciler
from control.wired.conversation import Address
from sim.exchange.venue import DROP_COPY
from wire.records import SLOT_BITS, EventType, Side

log = logging.getLogger("hairpin.copies")

VENUE = 0
_SLOT = (1 << SLOT_BITS) - 1
_SIDES = {"B": Side.BUY, "S": Side.SELL}


def read(message: bytes, account: str) -> Fill | None:
    """An execution of the account's, None if it is another's.

    Raises
    ------
    wire.errors.WireError
        No message of a drop copy.
    """
    fields = DROP_COPY.unpack(message)
    if fields["account"].strip().upper() != account.upper():
        return None
    return Fill(
        VENUE, fields["match_number"], str(fields["order_reference"]), fields["stock"].strip(),
        _SIDES[fields["side"]], fields["shares"], fields["price"],
    )  # fmt: skip


class Copies:
    """The drop copy of an account, on a thread of its own, and the device's executions beside it.

    Parameters
    ----------
    address : Address
    account : str
        Whose executions count.
    session : str
    sequence : int
        Of the first message that is to be compared.
    stocks : mapping
        By symbol.
    alarm, stop : callable
        As `Reconciler` takes them.
    clock : callable
        ns, never back.
    patience_ns : int
        How long an execution may be known to one side only.
    """

    def __init__(
        self,
        address: Address,
        account: str,
        session: str,
        sequence: int,
        stocks: Mapping[int, str],
        alarm: Callable[[Break], None],
        stop: Callable[[str], None],
        clock: Callable[[], int],
        *,
        patience_ns: int = 2_000_000_000,
    ) -> None:
        self.reconciler = Reconciler(alarm, stop, patience_ns)
        self.account, self._stocks, self._clock = account, stocks, clock
        self._references: dict[int, int] = {}
        self._events: queue.SimpleQueue[Event | BaseException] = queue.SimpleQueue()
        self._client = Client("", "", session=session, sequence=sequence)
        self._link = Link(self._client, [address], self._take, time.monotonic_ns)
        self._loop = asyncio.new_event_loop()
        self._task: asyncio.Task[None] | None = None
        self._thread = threading.Thread(target=self._run, name="drop copy", daemon=True)
        self.is_up = self.ended = False
        self.error: BaseException | None = None

    def start(self) -> None:
        """Connect."""
        self._thread.start()

    def close(self) -> None:
        """End, and wait for it."""
        if self._thread.is_alive():
            self._loop.call_soon_threadsafe(self._cancel)
            self._thread.join(5)

    def executed(self, events: NDArray[np.void]) -> None:
        """What the device told, in its order."""
        kinds = (EventType.ACCEPTED, EventType.REPLACED, EventType.EXECUTED)
        for event in events[np.isin(events["type"], kinds)]:
            order, value = int(event["order_id"]), int(event["value"])
            if event["type"] != EventType.EXECUTED:
                self._references[order & _SLOT] = value
                continue
            reference = str(self._references.get(order & _SLOT, 0))
            stock = self._stocks.get(int(event["symbol"]), "")
            fill = Fill(VENUE, value, reference, stock, Side(int(event["side"])), int(event["quantity"]), int(event["price"]))
            self.reconciler.ours(fill, self._clock())

    def inherited(self, account: ExchangeView, before: ExchangeView) -> None:
        """What the account of the order session has and no device may have told, without what it had when the day was opened."""
        for key, each in account.executions.items():
            if key not in before.executions:
                reference = str(account.orders[each.order_id].reference)
                fill = Fill(VENUE, each.match_number, reference, each.stock, each.side, each.quantity, each.price)
                self.reconciler.ours(fill, self._clock())

    def poll(self) -> None:
        """Take what the exchange told, and see what is overdue.

        Raises
        ------
        SessionError
            The exchange does not know the session any more, or tells what is no drop copy.
        """
        while not self._events.empty():
            event = self._events.get()
            if isinstance(event, Message):
                fill = read(event.payload, self.account)
                if fill is not None:
                    self.reconciler.theirs(fill, self._clock())
            elif isinstance(event, LoggedIn):
                self.is_up = True
            elif isinstance(event, Ended):
                self.ended = True
            elif isinstance(event, SessionError):
                raise event
            elif not isinstance(event, Refused | Idle):
                raise SessionError(f"drop copy: {event!r}")
        self.reconciler.tick(self._clock())

    def positions(self) -> dict[str, int]:
        """Shares by stock since the first message."""
        return {stock: self.reconciler.position(stock)[1] for stock in self._stocks.values()}

    def status(self) -> dict[str, Any]:
        """How it stands, for people and programs."""
        found = self.reconciler
        return {"matched": found.matched, "waiting": found.waiting, "breaks": [str(each) for each in found.breaks]}

    # -- on its thread -----------------------------------------------------------------------------

    async def _take(self, event: Event) -> None:
        self._events.put(event)

    def _run(self) -> None:
        asyncio.set_event_loop(self._loop)
        self._task = self._loop.create_task(self._link.run())
        try:
            self._loop.run_until_complete(self._task)
        except asyncio.CancelledError:
            pass
        except Exception as error:
            self._events.put(error)
        finally:
            self._loop.close()

    def _cancel(self) -> None:
        if self._task is not None:
            self._task.cancel()
