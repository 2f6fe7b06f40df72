"""The order session of a device that is gone: log in to it, take its orders out of the market, learn where we stand.

A machine without a socket. It logs in from the session's first message on, so that what it knows in the end is the exchange's
account and nobody's memory. Orders that are known to be open are cancelled before that account has been read; those that it
shows besides, as soon as they are seen. An order that it does not show is entered again, for no shares: so it has an answer,
for a device that may still wait for one, and cannot come after all. It is done when the exchange has no order of ours left and
then was silent long enough to send a heartbeat: nothing that the old owner sent can still be on its way to it. Until then no
new order may go out.

The caller has fenced the old owner before: the session is lost to it, or it has stopped by itself, as a card does whose host is
silent (docs/architecture.md, HOST_HEARTBEAT).
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from enum import StrEnum

from control.failover.view import ExchangeView
from control.gateway.ouch import Name, Ouch
from control.gateway.soupbin import Client, Ended, Event, Idle, LoggedIn, Message, Refused
from wire.errors import WireError

_TRIES = 5
"""How often an order that does not show is entered for no shares: an exchange may ignore that."""


class Phase(StrEnum):
    """How far it is."""

    CONNECTING = "connecting"
    CANCELLING = "cancelling"
    SETTLING = "settling"  # nothing is open as far as we know; waiting for the exchange to have nothing to say
    DONE = "done"
    ENDED = "ended"  # the exchange ended the session: it has no orders of ours


class Takeover:
    """Takes one order session.

    Parameters
    ----------
    client : Client
        Of the session, with ``sequence`` 1.
    ouch : Ouch
    known : iterable of int
        Ids of orders that may be open.
    quiet_ns : int
        After so long without a message, orders that the account shows open are cancelled although more of it may come.
    patience_ns : int
        A cancel that was not answered for so long is sent again.

    Attributes
    ----------
    view : ExchangeView
    times : dict
        When each phase began, ns.
    messages : int
        Cancels and orders of no shares that were sent.
    malformed : int
        Messages that are no OUCH.
    refused : str or None
        Why the last login was not accepted.
    """

    def __init__(
        self,
        client: Client,
        ouch: Ouch,
        known: Iterable[int],
        now: int,
        *,
        quiet_ns: int = 5_000_000,
        patience_ns: int = 200_000_000,
    ) -> None:
        if client.sequence != 1:
            raise ValueError(f"a client that begins with message {client.sequence}: the account has to be read from message 1 on")
        self._client, self._ouch, self._known = client, ouch, tuple(known)
        self._quiet, self._patience = quiet_ns, patience_ns
        self._asked: dict[int, int] = {}
        self._heard = now
        self._is_idle = False
        self.view = ExchangeView()
        self.phase = Phase.CONNECTING
        self.times = {Phase.CONNECTING: now}
        self.messages = self.malformed = self._tries = 0
        self.refused: str | None = None

    # -- in and out --------------------------------------------------------------------------------

    def connected(self, now: int) -> bytes:
        """A connection was opened, the first or another one; what to send."""
        self._asked.clear()  # what was asked on a connection that is gone may not have come
        self._is_idle = False
        return self._client.connect(now)

    def receive(self, data: bytes, now: int) -> bytes:
        """Bytes of the exchange; what to send.

        Raises
        ------
        SessionError
            They are no SoupBinTCP: open another connection.
        """
        out = bytearray()
        for event in self._client.receive(data, now):
            out += self._take(event, now)
        return bytes(out + self._go_on(now))

    def tick(self, now: int) -> bytes:
        """Time goes on; what to send.

        Raises
        ------
        SessionError
            The exchange is silent for too long: open another connection.
        """
        if self.phase is Phase.CONNECTING or not self._client.logged_in:
            return b""
        out = bytearray(self._client.tick(now))
        if now - self._heard >= self._quiet:
            out += self._cancel((seen.order_id for seen in self.view.open), now)
        return bytes(out + self._go_on(now))

    # -- what follows ------------------------------------------------------------------------------

    @property
    def is_done(self) -> bool:
        """Whether the session is ours and empty."""
        return self.phase in (Phase.DONE, Phase.ENDED)

    @property
    def session(self) -> str:
        """The session, for the next owner's login."""
        return self._client.session

    @property
    def sequence(self) -> int:
        """The next message, for the next owner's login."""
        return self._client.sequence

    @property
    def never_arrived(self) -> list[int]:
        """Orders that were known, and of which the exchange has said nothing."""
        return [each for each in self._known if each not in self.view.orders and each not in self.view.rejected]

    # -- steps -------------------------------------------------------------------------------------

    def _take(self, event: Event, now: int) -> bytes:
        match event:
            case LoggedIn():
                self.refused = None
                self._enter(Phase.CANCELLING, now)
                self._heard = now
                return self._cancel(self._known, now)
            case Message(payload=payload):
                self._heard, self._is_idle = now, False
                try:
                    self.view.take(self._ouch.read(payload))
                except WireError:
                    self.malformed += 1
            case Idle():
                self._is_idle = True
                return self._cancel((seen.order_id for seen in self.view.open), now)
            case Refused(reason=reason):
                self.refused = reason
            case Ended():
                self._enter(Phase.ENDED, now)
        return b""

    def _go_on(self, now: int) -> bytes:
        """The next phase, if it is time; cancels again that were not answered."""
        if self.phase not in (Phase.CANCELLING, Phase.SETTLING):
            return b""
        left = [seen.order_id for seen in self.view.open]
        if left:
            self._enter(Phase.CANCELLING, now)
            return self._cancel((each for each in left if each in self._asked), now)
        if all(each in self.view.orders for each in self._known) or self._is_idle:
            self._enter(Phase.SETTLING, now)
        if not self._is_idle:
            return b""
        waiting = self.never_arrived
        voids = self._say(waiting, self._ouch.enter_nothing, now) if self._tries < _TRIES else b""
        if not waiting or self._tries >= _TRIES:
            self._enter(Phase.DONE, now)
        self._tries += bool(voids)
        return voids

    def _enter(self, phase: Phase, now: int) -> None:
        if phase is not self.phase:
            self.phase = phase
            self.times[phase] = now

    def _cancel(self, order_ids: Iterable[int], now: int) -> bytes:
        return self._say(order_ids, self._ouch.cancel, now)

    def _say(self, order_ids: Iterable[int], message: Callable[[Name], bytes], now: int) -> bytes:
        """A message for each order about which none was sent in the last while."""
        out = bytearray()
        for order_id in order_ids:
            asked = self._asked.get(order_id)
            if asked is None or now - asked >= self._patience:
                self._asked[order_id] = now
                self.messages += 1
                out += self._client.send(message(self._ouch.name(order_id)), now)
        return bytes(out)
