"""What a device misses of the feed, asked for until it has it."""

from __future__ import annotations

import logging
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from control.wired.conversation import Address
from control.wired.rerequests import Rerequests
from drivers.commanded import CommandedDevice
from drivers.device import Batch
from drivers.sockets import SocketDevice
from wire.records import NO_SYMBOL, CommandError, EventType, Opcode, TrustCause

log = logging.getLogger("hairpin.recovery")

_HEARD = (EventType.GAP, EventType.TRUST_REGAINED, EventType.COMMAND)


@dataclass(frozen=True)
class Recovered:
    """A gap that is closed: ``by`` what, and ns from its declaration until the books were trusted again."""

    by: str
    ns: int


class Gaps:
    """The gaps of one device.

    Parameters
    ----------
    device : CommandedDevice
        Whose gaps they are.
    into : SocketDevice
        What comes is handed to it: the device, or the pair that it is of.
    servers : sequence of Address
        Re-request servers.
    session : str
        MoldUDP64 session.
    recovered : list of Recovered
        What is closed is added there.

    Attributes
    ----------
    needs_snapshot : bool
        No server has what is missing.
    """

    def __init__(
        self,
        device: CommandedDevice,
        into: SocketDevice,
        servers: Sequence[Address],
        session: str,
        recovered: list[Recovered],
    ) -> None:
        self.device, self._into, self._recovered = device, into, recovered
        self._rerequests = Rerequests(servers, session)
        self._news: list[NDArray[np.void]] = []
        self._since: int | None = None
        self.needs_snapshot = False
        self._unsubscribe = device.subscribe(self._see)

    def close(self) -> None:
        """Ask for nothing any more."""
        self._unsubscribe()
        self._rerequests.close()

    @property
    def requests(self) -> int:
        """Requests that were sent."""
        return self._rerequests.recovery.requests

    def _see(self, batch: Batch) -> None:
        """Keep what the device told until it is looked at: here nothing may be asked of it."""
        heard = batch.events[np.isin(batch.events["type"], _HEARD)]
        if len(heard):
            self._news.append(heard)

    def poll(self, now: int) -> None:
        """Hear what the device told, ask for what it misses, and hand over what came."""
        news, self._news = self._news, []
        for events in news:
            for event in events:
                self._heard(event, now)
        packets, wanted = self._rerequests.poll(now)
        if packets:
            self._into.inject(packets)
        self.needs_snapshot = self.needs_snapshot or wanted is not None

    def _heard(self, event: np.void, now: int) -> None:
        kind, info = event["type"], int(event["info"])
        if kind == EventType.GAP:
            if self._since is None:
                self._since = int(event["timestamp"])
                log.warning("messages %d to %d are missing", event["value"], event["value"] + event["quantity"] - 1)
            if self._rerequests.gap(int(event["value"]), int(event["quantity"]), now):
                self.needs_snapshot = True
        elif kind == EventType.TRUST_REGAINED and event["symbol"] == NO_SYMBOL and info == TrustCause.GAP:
            self._rerequests.recovery.whole()
            self._closed("re-request", int(event["timestamp"]))
        elif kind == EventType.COMMAND and event["value"] == Opcode.SET_FEED and info == CommandError.NONE:
            self._rerequests.recovery.whole()

    def bridged(self, now: int, *, whole: bool) -> None:
        """A snapshot was brought into the device's books; ``whole``: what it missed in between was on the tape."""
        self.needs_snapshot = False
        if whole:
            self._news.clear()
            self._rerequests.recovery.whole()
            self._closed("snapshot", now)

    def forget(self) -> None:
        """The device is a new one."""
        self._news.clear()
        self._rerequests.recovery.whole()
        self._since, self.needs_snapshot = None, False

    def _closed(self, by: str, at: int) -> None:
        if self._since is not None:
            self._recovered.append(Recovered(by, at - self._since))
            log.info("nothing is missing any more, by %s after %.3f ms", by, (at - self._since) / 1e6)
            self._since = None
