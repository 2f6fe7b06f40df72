"""What became of orders while there was no order connection, and an end for those that nobody will answer.

What was sent last before a connection was lost may never have reached the exchange: no answer will come, and the device waits
for ever. So before the device logs in again, the host does: it reads what the device will read later, and to each order without
an answer it says something that cannot trade. An order that may be unknown is entered again under its own name, for no shares:
known, it is a repetition and ignored; unknown, it is rejected. An order that was to be replaced or cancelled is cancelled, which
leaves alone what is not open any more. The answers are in the session, and the device gets them when it logs in: all of it by the
exchange's own rules.
"""

from __future__ import annotations

from collections.abc import Iterable
from contextlib import suppress
from dataclasses import dataclass, field

from control.failover.view import ExchangeView
from control.gateway.ouch import Kind, Name, Ouch, Told
from control.gateway.soupbin import Client
from control.wired.conversation import Address, Conversation, newest
from drivers.device import OpenOrder
from wire.errors import WireError
from wire.records import SLOT_BITS, OuchVersion, SlotState


class NewSessionError(RuntimeError):
    """The exchange's session is not the one that it was: what we know of orders is about another one."""


@dataclass(frozen=True)
class Account:
    """Who trades, and how orders are named.

    Parameters
    ----------
    username, password : str
    ouch : OuchVersion
    prefix : str
        First two characters of order tokens.
    """

    username: str
    password: str
    ouch: OuchVersion
    prefix: str

    @property
    def speech(self) -> Ouch:
        """How it speaks."""
        return Ouch(self.ouch, self.prefix)


@dataclass
class Orders:
    """An account's orders as its session tells them."""

    open: dict[Name, int] = field(default_factory=dict)
    """Shares by name."""
    seen: set[Name] = field(default_factory=set)
    """Names that the exchange has accepted, rejected, cancelled, executed."""
    done: set[Name] = field(default_factory=set)
    last: int = 0
    """The highest generation."""

    def take(self, told: Told) -> None:
        """A message of the session."""
        name, kind = told.name, told.kind
        if not name:
            return
        self.seen.add(name)
        self.last = max(self.last, told.order_id >> SLOT_BITS)
        if kind in (Kind.ACCEPTED, Kind.REPLACED):
            self.open[name] = told.quantity
            if kind is Kind.REPLACED:
                self.open.pop(told.previous, None)
                self.done.add(told.previous)
        elif kind in (Kind.CANCELLED, Kind.EXECUTED) and name in self.open:
            self.open[name] -= told.quantity
        elif kind is Kind.REJECTED:
            self.done.add(name)
        if name in self.open and self.open[name] <= 0:
            del self.open[name]
            self.done.add(name)


@dataclass(frozen=True)
class Settled:
    """What came of it.

    Parameters
    ----------
    session : str
    sequence : int
        Number of the session's next message when it began.
    last : int
        Highest generation of an order that the session names.
    cancelled, entered : int
        Orders that were cancelled, and entered for no shares.
    view : ExchangeView
        The account of the whole session, where it was read.
    """

    session: str
    sequence: int
    last: int
    cancelled: int = 0
    entered: int = 0
    view: ExchangeView = field(default_factory=ExchangeView)


def clear(address: Address, account: Account, seconds: float) -> Settled:
    """Cancel all that an earlier life has left open, before a device trades that does not know of it.

    Raises
    ------
    UnreachableError, RefusedError
    """
    now = newest(address, account.username, account.password, "", seconds)
    orders, view, ouch = Orders(), ExchangeView(), account.speech
    if now.sequence == 1:
        return Settled(now.session, 1, 0)

    def take(message: bytes) -> None:
        with suppress(WireError):  # what is no OUCH is left to the device, which tells and counts it
            told = ouch.read(message)
            orders.take(told)
            view.take(told)

    with Conversation(address, Client(account.username, account.password, session=now.session), seconds) as talk:
        while talk.sequence < now.sequence:
            take(talk.message())
        left = list(orders.open)
        for name in left:
            talk.send(ouch.cancel(name))
        while any(name in orders.open for name in left):
            take(talk.message())
        return Settled(now.session, talk.sequence, orders.last, cancelled=len(left), view=view)


def settle(
    address: Address, account: Account, session: str, sequence: int, unanswered: Iterable[OpenOrder], seconds: float
) -> Settled:
    """See to it that every order will be answered from message ``sequence`` of the session on.

    Raises
    ------
    UnreachableError, RefusedError
    NewSessionError
        It is another session, or one that has not come as far as the one before.
    """
    now = newest(address, account.username, account.password, "", seconds)
    if now.session != session:
        raise NewSessionError(f"{address}: the session is {now.session!r}, and was {session!r}")
    if now.sequence < sequence:
        raise NewSessionError(f"{address}: message {now.sequence} of {session!r} is next, and {sequence - 1} came already")
    ouch, waiting = account.speech, sorted(unanswered, key=lambda order: order.order_id)
    if not waiting:
        return Settled(session, now.sequence, 0)
    known = {ouch.name(order.order_id): order.remaining for order in waiting if order.state is not SlotState.PENDING_NEW}
    orders = Orders(known)

    def take(message: bytes) -> None:
        with suppress(WireError):
            orders.take(ouch.read(message))

    with Conversation(address, Client(account.username, account.password, session=session, sequence=sequence), seconds) as talk:
        while talk.sequence < now.sequence:
            take(talk.message())
        cancelled, entered = [], []
        for order in waiting:
            name = ouch.name(order.order_id)
            if order.state is SlotState.PENDING_NEW and name not in orders.seen:
                talk.send(ouch.enter_nothing(name))
                entered.append(name)
            elif order.state in (SlotState.PENDING_REPLACE, SlotState.PENDING_CANCEL):
                answered = order.state is SlotState.PENDING_REPLACE and ouch.name(order.pending_id) in orders.seen
                if name not in orders.done and not answered:
                    talk.send(ouch.cancel(name))
                    cancelled.append(name)
        while not (orders.seen.issuperset(entered) and orders.done.issuperset(cancelled)):
            take(talk.message())
    return Settled(session, now.sequence, orders.last, cancelled=len(cancelled), entered=len(entered))
