"""Order entry: what every order protocol has in common.

A protocol is a subclass of :class:`OrderEntry`. It turns a client's message into :meth:`~OrderEntry.enter`,
:meth:`~OrderEntry.replace` and :meth:`~OrderEntry.cancel`, and says in its own words what has become of it: ``accepted``,
``replaced``, ``canceled``, ``executed``, ``refused`` and the rest. What it says goes to :meth:`~OrderEntry.say`. OUCH 4.2, OUCH
5.0 and FIX are these.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Hashable
from dataclasses import dataclass, field
from typing import Any

from sim.exchange.matching.state import (
    E_DETAIL,
    E_DISPLAYED,
    E_LEFT,
    E_MATCH,
    E_OTHER_TOKEN,
    E_PRICE,
    E_REFERENCE,
    E_SHARES,
    E_SHOWN,
    E_TOKEN,
    KIND,
    Command,
    Event,
    Reason,
    Reject,
)
from sim.exchange.venue import Account, Venue

SECOND = 1_000_000_000


@dataclass
class Terms:
    """What an order is to be. ``shares`` are open ones; ``seconds`` to live, 0 for the whole day."""

    symbol: int
    side: int
    shares: int
    price: int
    display: int
    flags: int = 0
    firm: int = 0
    seconds: int = 0


@dataclass
class Ticket:
    """An order as its port knows it: ``name`` is the client's, ``fields`` what the client said."""

    name: Hashable
    terms: Terms
    fields: dict[str, Any]
    key: int
    reference: int = 0
    open: int = 0
    executed: int = 0
    chain_executed: int = 0
    """Executed before it was replaced by this one."""
    replaces: Ticket | None = None
    modifies: dict[str, Any] | None = field(default=None)


@dataclass(frozen=True)
class Fill:
    """One execution. ``kind`` is the cross it happened in, "" for none."""

    shares: int
    price: int
    match: int
    is_taker: bool
    was_hidden: bool
    kind: str


class OrderEntry(ABC):
    """The port of one account.

    Parameters
    ----------
    venue : Venue
    account : Account
        Its ``listener`` is this, from now on.
    """

    def __init__(self, venue: Venue, account: Account) -> None:
        self.venue, self.account = venue, account
        self.by_name: dict[Hashable, Ticket] = {}
        self.by_key: dict[int, Ticket] = {}
        self.malformed = 0
        account.listener = self

    # -- what a protocol calls -------------------------------------------------------------------------

    def say(self, message: bytes) -> None:
        """A sequenced message to the client."""
        self.account.journal.append(message)

    def enter(self, name: Hashable, terms: Terms, fields: dict[str, Any]) -> None:
        """A new order; a name that was used before is a repetition, and ignored."""
        if name in self.by_name:
            self.account.counts["ignored"] += 1
            return
        ticket = self._ticket(name, terms, fields)
        self._submit(Command.ENTER, ticket)

    def replace(self, old: Hashable, name: Hashable, terms: Terms, fields: dict[str, Any]) -> None:
        """New terms; ``terms.shares`` is what the whole chain may trade, what it has traded included."""
        was = self.by_name.get(old)
        if was is None or not was.open or name in self.by_name:
            self.account.counts["ignored"] += 1
            return
        terms.shares -= was.chain_executed + was.executed
        if terms.shares <= 0:
            self.cancel(old, was.executed)
            return
        terms.symbol, terms.side, terms.firm = was.terms.symbol, was.terms.side, was.terms.firm
        ticket = self._ticket(name, terms, fields)
        ticket.replaces, ticket.chain_executed = was, was.chain_executed + was.executed
        self._submit(Command.REPLACE, ticket, was.reference)

    def cancel(self, name: Hashable, size: int, modifies: dict[str, Any] | None = None) -> None:
        """Reduces an order to ``size`` shares, what it has traded included; one that is not open is left alone."""
        ticket = self.by_name.get(name)
        if ticket is None or not ticket.open:
            self.account.counts["ignored"] += 1
            return
        ticket.modifies = modifies
        keep = max(size - ticket.executed, 0)
        owner = self.account.owner
        self.venue.submit(Command.CANCEL, owner=owner, reference=ticket.reference, shares=keep, token=ticket.key)
        if ticket.modifies is not None:
            self.modified(ticket)
            ticket.modifies = None

    def cancel_everything(self, reason: Reason = Reason.DISCONNECT) -> None:
        """All open orders of the account."""
        self.venue.submit(Command.CANCEL_ALL, symbol=-1, owner=self.account.owner, value=reason)

    def _ticket(self, name: Hashable, terms: Terms, fields: dict[str, Any]) -> Ticket:
        ticket = Ticket(name, terms, fields, self.venue.key())
        self.by_name[name] = self.by_key[ticket.key] = ticket
        return ticket

    def _submit(self, kind: Command, ticket: Ticket, reference: int = 0) -> None:
        terms = ticket.terms
        self.venue.submit(
            kind, symbol=terms.symbol, side=terms.side, price=terms.price, shares=terms.shares, display=terms.display,
            flags=terms.flags, firm=terms.firm, owner=self.account.owner, token=ticket.key, reference=reference,
            prevention=self.account.prevention,
        )  # fmt: skip
        if terms.seconds and ticket.open:
            self.venue.expire(self.venue.time + terms.seconds * SECOND, self.account.owner, ticket.reference)

    # -- what the venue calls --------------------------------------------------------------------------

    def hear(self, event: list[int], incoming: bool) -> None:
        """An event of an order of this account."""
        kind = event[KIND]
        ticket = self.by_key.get(event[E_OTHER_TOKEN] if incoming and kind == Event.EXECUTED else event[E_TOKEN])
        if ticket is None:
            return
        if kind == Event.ACCEPTED:
            ticket.reference, ticket.open = event[E_REFERENCE], event[E_SHARES]
            self.accepted(ticket)
        elif kind == Event.REPLACED:
            ticket.reference, ticket.open = event[E_REFERENCE], event[E_SHARES]
            if ticket.replaces is not None:
                ticket.replaces.open = 0
            self.replaced(ticket)
        elif kind == Event.REJECTED:
            if event[E_DETAIL] != Reject.UNKNOWN_ORDER or ticket.replaces is not None:
                self.refused(ticket.name, Reject(event[E_DETAIL]), ticket.fields)
        elif kind in (Event.EXECUTED, Event.CROSSED):
            ticket.open -= event[E_SHARES]
            ticket.executed += event[E_SHARES]
            cross = chr(event[E_DETAIL]) if kind == Event.CROSSED else ""
            hidden = not incoming and event[E_SHOWN] == 0
            self.executed(ticket, Fill(event[E_SHARES], event[E_PRICE], event[E_MATCH], incoming, hidden, cross))
        elif kind == Event.CANCELLED:
            ticket.open = event[E_LEFT]
            if ticket.modifies is None:
                self.canceled(ticket, event[E_SHARES], Reason(event[E_DETAIL]))
        elif kind == Event.REFRESHED:
            self.refreshed(ticket, event[E_SHOWN], event[E_DISPLAYED])

    # -- what a protocol says --------------------------------------------------------------------------

    @abstractmethod
    def receive(self, message: bytes) -> None:
        """One message of the client."""

    @abstractmethod
    def accepted(self, ticket: Ticket) -> None:
        """A new order is in."""

    @abstractmethod
    def replaced(self, ticket: Ticket) -> None:
        """An order has taken the place of ``ticket.replaces``."""

    @abstractmethod
    def canceled(self, ticket: Ticket, shares: int, reason: Reason) -> None:
        """So many shares of an order are no more."""

    @abstractmethod
    def executed(self, ticket: Ticket, fill: Fill) -> None:
        """An execution."""

    @abstractmethod
    def refused(self, name: Hashable, reason: Reject, fields: dict[str, Any]) -> None:
        """An order or a replacement is refused; what was to be replaced stays."""

    @abstractmethod
    def modified(self, ticket: Ticket) -> None:
        """An order has other fields, ``ticket.modifies``, and ``ticket.open`` shares."""

    def refreshed(self, ticket: Ticket, shown: int, displayed: int) -> None:  # noqa: B027
        """A reserve shows its next part under another reference. Not every protocol has a word for it."""

    def system_event(self, code: str) -> None:  # noqa: B027
        """The day begins (S) or ends (E)."""
