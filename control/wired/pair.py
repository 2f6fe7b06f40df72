"""An engine in a process of its own and another one here that follows it, as one device on sockets.

The process stands where a card would: it can be killed, or hang, without taking the control plane along, and the other way
round. Two take the feeds, each with sockets of its own; one has the order connection.
"""

from __future__ import annotations

import socket
from collections.abc import Callable
from contextlib import AbstractContextManager
from typing import Any

import numpy as np

from control.failover.pair import Pair, joined
from drivers.device import Batch, DeviceError
from drivers.live import LiveDevice
from drivers.process import EngineProcess
from drivers.sockets import SocketDevice
from engine.references import Alive


class WiredPair(Pair, SocketDevice):
    """Two engines on sockets, of which one trades.

    Parameters
    ----------
    process : EngineProcess
        Trades first.
    shadow : LiveDevice
        Of the same sizes, on sockets of its own.
    alarm : callable
        As `Pair` takes it, and on the same terms: nothing may be asked of the device in it.
    options
        Of `Pair`.
    """

    def __init__(
        self, process: EngineProcess, shadow: LiveDevice, alarm: Callable[[str], None], **options: Any
    ) -> None:
        super().__init__(process, shadow, alarm, shadow.begin_after, **options)
        self._process, self._engine = process, shadow
        self._messages = 0

    @property
    def is_orphaned(self) -> bool:
        """Whether nobody has the order session: the process is given up, and the shadow not promoted."""
        return self.failed is not None and self.active is self.card

    @property
    def now(self) -> int:
        """What the shadow would stamp now, ns."""
        return self._engine.now

    def poll(self) -> Batch:
        """Take what both told since the last call, compare, and hand it to the subscribers."""
        self._told = []
        try:
            if self.failed is None:
                try:
                    self._process.poll()
                except DeviceError as error:
                    self.give_up(str(error))
            self._engine.poll()
        finally:
            told, self._told = self._told, None
        batch = joined(told)
        if len(batch.events):
            self._deliver(batch)
        self.check()
        return batch

    def restart(self) -> None:
        """Have new engines in the places of both; numbers of events and orders go on, and the process trades again."""
        last = max(self.ledger.generation, self._engine.generation)
        self._process.restart()
        self._engine.restart()
        self.begin_anew()
        self._process.begin_after(max(last, self._process.generation))
        self._messages = 0

    def let_go(self) -> None:
        """The process is killed: it does not have the order connection any more."""
        self._process.kill_process()

    # -- of the one that trades --------------------------------------------------------------------

    def connect(self, order: socket.socket | None) -> None:
        """Hand over an order connection that has no login yet, and have the one before closed. None: have none."""
        if self.active is self.shadow:
            self._engine.connect(order)
        elif self.failed is None:
            try:
                self._process.connect(order)
            except DeviceError as error:
                self.give_up(str(error))
        elif order is not None:
            order.close()

    @property
    def session_messages(self) -> int:
        """Sequenced messages of the order session that the one that trades has taken; of one that is gone, as far as is known."""
        if self.active is self.shadow:
            return self._engine.session_messages
        if self.failed is None:
            try:
                self._messages = self._process.session_messages
            except DeviceError as error:
                self.give_up(str(error))
        return max(self._messages, self.ledger.answers)  # of each answer an event told; there may have been more messages

    @property
    def generation(self) -> int:
        """Number of the last order, by the events of the one that trades."""
        return max(self.ledger.generation, self._engine.generation)

    def begin_after(self, generation: int) -> None:
        """Number the next order behind ``generation``."""
        (self._engine if self.active is self.shadow else self._process).begin_after(generation)

    # -- of the feed -------------------------------------------------------------------------------

    def record(self, on: bool) -> None:
        """Copy the feeds' packets to the tape, as the shadow hears them."""
        self._engine.record(on)

    def tape(self) -> list[bytes]:
        """Take the frames that were copied since."""
        return self._engine.tape()

    def alive(self) -> Alive:
        """Orders in the books of either: one may have missed what the other has heard."""
        ours = self._engine.alive()
        if self.failed is not None:
            return ours
        try:
            its = self._process.alive()
        except DeviceError as error:
            self.give_up(str(error))
            return ours
        only = ~np.isin(its.references, ours.references)
        return Alive(
            np.concatenate([ours.references, its.references[only]]), np.concatenate([ours.symbols, its.symbols[only]])
        )

    def replacing_books(self) -> AbstractContextManager[None]:
        """While a snapshot is brought into the books, they are not compared."""
        return self.uncompared()
