"""A device's missing messages, asked for again in the small world."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np

from control.recovery import Recovery, Request
from control.rehearsal.board import Driver
from drivers.device import Batch
from sim.faults.clockwork import Life
from wire import moldudp64
from wire.errors import WireError
from wire.frames import udp_frame
from wire.records import EventType, Port, TrustCause

if TYPE_CHECKING:
    from control.rehearsal.host import Site

MILLISECOND = 1_000_000
ROUNDS = 1_000_000
"""Servers are asked until they answer: they have the whole day."""


class Feed:
    """Recovery of one device.

    Parameters
    ----------
    driver : Driver
    site : Site
    life : Life
        Of the host.
    """

    def __init__(self, driver: Driver, site: Site, life: Life) -> None:
        self._driver, self._site, self._life = driver, site, life
        self.recovery = Recovery(2, timeout_ns=3 * MILLISECOND, rounds=ROUNDS)
        driver.subscribe(self._see)

    def tick(self) -> None:
        """Time goes on."""
        self._ask(self.recovery.tick(self._site.clockwork.now))

    def _see(self, batch: Batch) -> None:
        for event in batch.events[np.isin(batch.events["type"], (EventType.GAP, EventType.TRUST_REGAINED))]:
            if event["type"] == EventType.GAP:
                self._ask(self.recovery.gap(int(event["value"]), int(event["quantity"]), self._site.clockwork.now))
            elif event["info"] == TrustCause.GAP:
                self.recovery.whole()

    def _ask(self, wanted: Sequence[object]) -> None:
        for each in wanted:
            if isinstance(each, Request):
                payload = moldudp64.request(self._site.exchange.packer.session, each.first, each.count)
                self._site.ask_again(each.server, payload, self._answer, self._life)

    def _answer(self, payload: bytes) -> None:
        try:
            packet = moldudp64.unpack(payload)
        except WireError:
            return
        if self._driver.is_there:
            frame = udp_frame(payload, source=1, source_port=1, destination=1, destination_port=1)
            self._driver.board.put(Port.RECOVERY, frame)
            now = self._site.clockwork.now
            self._ask(self.recovery.answered(packet.sequence_number, len(packet.messages), now))
