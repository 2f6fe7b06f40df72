"""A venue: the core, what it publishes, and the accounts that trade there. No clock and no socket of its own.

Commands come in with their time; what they cause goes to the public (:class:`~sim.exchange.publication.Publication`)
and to the accounts that it is about. The order flow has owner 0 and hears nothing.
"""

from __future__ import annotations

import heapq
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass
from dataclasses import field as default
from typing import Protocol

import numpy as np

from sim.exchange.config import Fees
from sim.exchange.matching.core import Core, command
from sim.exchange.matching.state import (
    E_DETAIL,
    E_MATCH,
    E_OTHER,
    E_OTHER_OWNER,
    E_OWNER,
    E_PRICE,
    E_REFERENCE,
    E_SHARES,
    KIND,
    SIDE,
    SYMBOL,
    TIME,
    Command,
    Event,
    Reason,
    Vector,
)
from sim.exchange.publication import Publication
from wire.layout import Record, field

FLOW_OWNER = 0
DROP_COPY = Record(
    "Drop Copy Execution",
    field("type", 1, "alpha"),
    field("timestamp", 8, "int", "ns since midnight"),
    field("account", 8, "alpha"),
    field("firm", 4, "alpha"),
    field("stock", 8, "alpha"),
    field("side", 1, "alpha", "B S"),
    field("shares", 4),
    field("price", 4, "int", "1e-4"),
    field("match_number", 8),
    field("order_reference", 8),
    field("role", 1, "alpha", "A added, R removed, O C H in that cross"),
    code="E",
)
"""An execution of one account, for its firm's back office: one message per SoupBinTCP packet, ours alone."""
_PRIVATE = np.zeros(len(Event) + 1, bool)
_PRIVATE[
    [Event.ACCEPTED, Event.REJECTED, Event.EXECUTED, Event.CANCELLED, Event.REPLACED, Event.REFRESHED, Event.CROSSED]
] = True


class Listener(Protocol):
    """What an account has to hear with: an order protocol's encoder."""

    def hear(self, event: list[int], incoming: bool) -> None:
        """An event of one of the account's orders; ``incoming``: of an EXECUTED, it is the OTHER order."""


@dataclass
class Account:
    """One participant's port: its number as an owner, its journal of sequenced messages, what it traded."""

    owner: int
    name: str
    firm: str
    prevention: int = 0
    journal: list[bytes] = default(default_factory=list)
    listener: Listener | None = None
    counts: Counter[str] = default(default_factory=Counter)
    fees: float = 0.0


class Venue:
    """One venue.

    Parameters
    ----------
    stocks : names
        Symbols 0, 1 and so on.
    core : Core
        With these symbols listed.
    fees : Fees
    """

    def __init__(self, stocks: tuple[str, ...], core: Core, fees: Fees | None = None) -> None:
        self.core, self.stocks, self.fees = core, stocks, fees or Fees()
        self.symbols = {stock: symbol for symbol, stock in enumerate(stocks)}
        self.publication = Publication(stocks)
        self.accounts: list[Account | None] = [None]
        self.drop_copy: list[bytes] = []
        self.time = 0
        self.system_event = ""
        """Code of the last one."""
        self.observer: Callable[[Vector], None] | None = None
        """Who sees all events, the flow's, too."""
        self._keys = 0
        self._expiries: list[tuple[int, int, int]] = []

    def account(self, name: str, firm: str, prevention: int = 0) -> Account:
        """A new account."""
        made = Account(len(self.accounts), name, firm, prevention)
        self.accounts.append(made)
        return made

    def key(self) -> int:
        """A number for an order that no other has: the TOKEN by which the core calls it."""
        self._keys += 1
        return self._keys

    def submit(self, kind: Command, **fields: int) -> Vector:
        """One command, now; its events."""
        if kind is Command.SYSTEM:
            self.system_event = chr(fields["value"])
        return self.process(command(kind, time=self.time, **fields)[None])

    def process(self, commands: Vector) -> Vector:
        """Commands, and everything they cause: the events."""
        events = self.core.process(commands)
        self.spread(events)
        return events

    def spread(self, events: Vector) -> None:
        """Lets the public and the accounts know."""
        if not len(events):
            return
        self.publication.add(events)
        if self.observer is not None:
            self.observer(events)
        theirs = (events[:, E_OWNER] > 0) | ((events[:, KIND] == Event.EXECUTED) & (events[:, E_OTHER_OWNER] > 0))
        for event in events[theirs & _PRIVATE[events[:, KIND]]].tolist():
            if event[E_OWNER] > 0:
                self._tell(event[E_OWNER], event, False)
            if event[KIND] == Event.EXECUTED and event[E_OTHER_OWNER] > 0:
                self._tell(event[E_OTHER_OWNER], event, True)

    def _tell(self, owner: int, event: list[int], incoming: bool) -> None:
        account = self.accounts[owner]
        assert account is not None
        kind = Event(event[KIND])
        account.counts[kind.name.lower()] += 1
        if kind in (Event.EXECUTED, Event.CROSSED):
            shares = event[E_SHARES]
            account.counts["taken_shares" if incoming else "made_shares"] += shares
            account.counts["notional"] += shares * event[E_PRICE]
            self.drop_copy.append(self._copy(account, event, incoming))
            if kind is Event.EXECUTED:
                account.fees += shares * (self.fees.taker if incoming else self.fees.maker)
        if account.listener is not None:
            account.listener.hear(event, incoming)

    def _copy(self, account: Account, event: list[int], incoming: bool) -> bytes:
        """What the drop copy says of an execution."""
        return DROP_COPY.pack(
            timestamp=event[TIME],
            account=account.name[:8],
            firm=account.firm,
            stock=self.stocks[event[SYMBOL]],
            side="BS"[1 - event[SIDE] if incoming else event[SIDE]],
            shares=event[E_SHARES],
            price=event[E_PRICE],
            match_number=event[E_MATCH],
            order_reference=event[E_OTHER if incoming else E_REFERENCE],
            role=chr(event[E_DETAIL]) if event[KIND] == Event.CROSSED else "R" if incoming else "A",
        )

    def expire(self, time: int, owner: int, reference: int) -> None:
        """Lets an order end at a time."""
        heapq.heappush(self._expiries, (time, owner, reference))

    def advance(self, time: int) -> None:
        """Time goes on; what is due expires."""
        while self._expiries and self._expiries[0][0] <= time:
            due, owner, reference = heapq.heappop(self._expiries)
            self.time = max(self.time, due)
            if self.is_live(reference):
                self.submit(Command.CANCEL, owner=owner, reference=reference, value=Reason.TIME)
        self.time = max(self.time, time)

    def is_live(self, reference: int) -> bool:
        """Whether an order of this reference is open."""
        return self.core.is_live(reference)

    def result(self) -> dict[str, object]:
        """What happened, for people and programs."""
        return {
            **self.core.counters,
            "messages": len(self.publication),
            "state_hash": f"{self.core.hash:016x}",
            "accounts": {
                each.name: {"messages": len(each.journal), **each.counts, "fees": round(each.fees, 4)}
                for each in self.accounts
                if each is not None
            },
        }
