"""A card and the engine that follows it, as one device.

Both take the feed and everything that sets them; orders and the order session are the card's alone, and the shadow, whose session
is down, cannot send any. :meth:`Pair.promote` makes it the device, with the risk state that the exchange's account gives it.
"""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from control.failover.ledger import Ledger
from control.failover.market import Comparison
from drivers.commanded import CommandedDevice
from drivers.device import Batch, DeviceError, Identity
from wire.records import EVENT, OUTPUT, SET_GLOBAL, SET_POSITION, EventType, Opcode, Port

ORDERS = frozenset(
    {
        Opcode.NEW_ORDER, Opcode.REPLACE_ORDER, Opcode.CANCEL_ORDER, Opcode.CANCEL_ALL, Opcode.LOGIN, Opcode.LOGOUT,
        Opcode.SESSION_DOWN, Opcode.SNAPSHOT, Opcode.SET_POSITION,
    }
)  # fmt: skip
"""What only the device that has the order session is told."""
_SNAPSHOT = (EventType.BOOK_LEVEL, EventType.POSITION, EventType.OPEN_ORDER, EventType.SIGNALS, EventType.SNAPSHOT_END)
_ANSWERS = np.array([EventType.HEARTBEAT, *_SNAPSHOT], np.uint8)
CARD, SHADOW = 0, 1
DEPTH = 255
"""Levels of a book that are compared, as many as SNAPSHOT gives."""


@dataclass(frozen=True, slots=True)
class Inheritance:
    """What a device begins with that goes on where another one ended.

    Parameters
    ----------
    positions : mapping
        By symbol: shares, cash in 1e-4 x shares, mark in 1e-4.
    executed_notional : int
        1e-4 x shares that the day's credit was used for.
    generation : int
        Highest of all order ids so far.
    session : str
    sequence : int
        Next message of the order session.
    """

    positions: Mapping[int, tuple[int, int, int]]
    executed_notional: int
    generation: int
    session: str
    sequence: int


class Pair(CommandedDevice):
    """Two devices, of which one trades.

    Parameters
    ----------
    card, shadow : CommandedDevice
        Of the same sizes, and set alike so far. Nobody else uses them.
    alarm : callable
        Told in words of a divergence, and of the card's failure.
    begin_after : callable
        Sets the generation that the shadow's order ids come after.
    patience_ns : int
        How long one of them may know what the other does not.
    check_ns : int
        Between two comparisons of books, positions and open orders.
    behind : int
        Message of the feed behind which what they tell is compared: a card may have had a host before this one.

    Attributes
    ----------
    active : CommandedDevice
        The one that trades.
    failed : str or None
        Why the card is given up. Until the shadow is promoted nobody trades.
    diverged : str or None
        In what they differ; both were stopped by the kill switch.
    ledger : Ledger
        What is known of the orders of the one that trades.
    checks, skipped : int
        Comparisons of whole states that were the same; that could not be made, as one of them was ahead in the feed.
    """

    def __init__(
        self,
        card: CommandedDevice,
        shadow: CommandedDevice,
        alarm: Callable[[str], None],
        begin_after: Callable[[int], None],
        *,
        patience_ns: int = 50_000_000,
        check_ns: int = 1_000_000_000,
        behind: int = 0,
    ) -> None:
        super().__init__()
        mine, its = card.identify(), shadow.identify()
        if (mine.symbols, mine.levels) != (its.symbols, its.levels):
            raise ValueError(f"card: {mine.symbols} symbols, {mine.levels} levels; shadow: {its.symbols}, {its.levels}")
        self.card, self.shadow, self._alarm, self._begin_after = card, shadow, alarm, begin_after
        self.active: CommandedDevice = card
        self.failed: str | None = None
        self.diverged: str | None = None
        self.ledger = Ledger()
        self.checks = self.skipped = 0
        self._patience = patience_ns
        self._market = Comparison(patience_ns, behind)
        self._check_every, self._next_check = check_ns, 0
        self._global: dict[str, Any] | None = None
        self._spent = 0  # of the day's credit, by the card
        self._number = 0
        self._kill_due = self._is_checking = False
        self._told: list[Batch] | None = None  # while inputs are handed over
        card.subscribe(self._from_card)
        shadow.subscribe(self._from_shadow)

    @property
    def clock(self) -> int:
        """Stamp of the last input of the one that trades, ns."""
        return self.active.clock

    @property
    def mapped(self) -> tuple[int, ...]:
        """The symbols that have a stock, in ascending order."""
        return self.active.mapped

    def identify(self) -> Identity:
        """What the one that trades is."""
        return self.active.identify()

    def counters(self) -> dict[str, int]:
        """Every counter of the one that trades, by name."""
        return self.active.counters()

    def close(self) -> None:
        """Give both back."""
        self.card.close()
        self.shadow.close()

    # -- inputs ------------------------------------------------------------------------------------

    def _deliver(self, batch: Batch) -> Batch:
        """To the listeners; then what was found to differ is stopped."""
        batch = super()._deliver(batch)
        if self._kill_due:
            self._kill_due = False
            self.kill()
        return batch

    def heartbeat(self, *, at: int | None = None) -> Batch:
        """Say that the host is alive. A card that does not answer is given up."""
        batch = super().heartbeat(at=at)
        if not (batch.events["type"] == EventType.HEARTBEAT).any():
            self.give_up("no answer to a heartbeat")
        return batch

    def _exchange(self, inputs: NDArray[np.void], buffer: NDArray[np.uint8]) -> Batch:
        self._told = []
        self._note(inputs, buffer)
        try:
            if self.active is self.shadow:
                self.shadow.process(*self._with_credit(inputs, buffer))
            else:
                self._hand_to_both(inputs, buffer)
        finally:
            told, self._told = self._told, None
        return told[0] if len(told) == 1 else joined(told)

    def _hand_to_both(self, inputs: NDArray[np.void], buffer: NDArray[np.uint8]) -> None:
        shared = np.array([self._is_shared(each, buffer) for each in inputs], bool)
        if self.failed is None:
            try:
                self.card.process(inputs, buffer)
            except DeviceError as error:
                self.give_up(str(error))
        if self.failed is not None and (inputs["port"][~shared] == Port.COMMAND).any():
            raise DeviceError(f"the card failed ({self.failed}), and nobody has taken over yet")
        self.shadow.process(inputs[shared], buffer)

    def _from_card(self, batch: Batch) -> None:
        if self.active is not self.card or self.failed is not None:
            return
        self._keep(batch)
        if batch.recovered is not None:
            self._market.resume()
        self._compare(CARD, batch.events)
        self._tell(replace(batch, events=_unasked(batch.events)) if self._is_checking else batch)

    def _from_shadow(self, batch: Batch) -> None:
        if self.active is self.shadow:
            self._keep(batch)
            self._tell(batch)
        elif self.failed is not None:
            self._tell(batch)
        elif batch.recovered is not None:
            self._market.resume()
        else:
            self._compare(SHADOW, batch.events)

    def _keep(self, batch: Batch) -> None:
        """What the one that trades did."""
        self.ledger.see(batch.events)
        if batch.recovered is not None:
            self.ledger.restore(batch.recovered)

    def _tell(self, batch: Batch) -> None:
        """On to the pair's own listeners: at once, or with the rest of what inputs have caused."""
        numbered = self._numbered(batch)
        if self._told is not None:
            self._told.append(numbered)
        else:
            self._deliver(numbered)

    def _is_shared(self, given: np.void, buffer: NDArray[np.uint8]) -> bool:
        port = int(given["port"])
        if port != Port.COMMAND:
            return port != Port.SESSION
        return int(buffer[int(given["offset"])]) not in ORDERS

    def _note(self, inputs: NDArray[np.void], buffer: NDArray[np.uint8]) -> None:
        """What the next owner is to be told too, and where positions begin."""
        for given in inputs[inputs["port"] == Port.COMMAND]:
            data = buffer[int(given["offset"]) : int(given["offset"]) + int(given["length"])].tobytes()
            if data[0] == Opcode.SET_GLOBAL:
                self._global = SET_GLOBAL.unpack(data)
            elif data[0] == Opcode.SET_POSITION:
                fields = SET_POSITION.unpack(data)
                self.ledger.start(fields["symbol"], fields["position"], fields["cash"])

    def _with_credit(self, inputs: NDArray[np.void], buffer: NDArray[np.uint8]) -> tuple[NDArray[np.void], NDArray[np.uint8]]:
        """Inputs for a device that does not know what the card has spent of the credit."""
        changed = buffer
        for given in inputs[inputs["port"] == Port.COMMAND]:
            at = int(given["offset"])
            if buffer[at] == Opcode.SET_GLOBAL:
                changed = buffer.copy() if changed is buffer else changed
                fields = SET_GLOBAL.unpack(buffer[at : at + int(given["length"])].tobytes())
                changed[at : at + int(given["length"])] = np.frombuffer(self._reduced(fields), np.uint8)
        return inputs, changed

    def _reduced(self, fields: dict[str, Any]) -> bytes:
        return SET_GLOBAL.pack({**fields, "credit": max(fields["credit"] - self._spent, 0)})

    def _numbered(self, batch: Batch) -> Batch:
        """The events with numbers of the pair's own, which go on when the device changes. A hole stays a hole."""
        events = batch.events.copy()
        self._number += batch.events_lost
        events["sequence"] = (self._number + np.arange(len(events), dtype=np.uint64)) % (1 << 32)
        self._number = (self._number + len(events)) % (1 << 32)
        return replace(batch, events=events)

    # -- the two of them ---------------------------------------------------------------------------

    def _compare(self, side: int, events: NDArray[np.void]) -> None:
        now = self.card.clock
        divergence = self._market.see(side, events, now) or self._market.tick(now)
        if divergence is not None:
            self._stop(str(divergence))

    def check(self) -> None:
        """Compare whole states, if it is time for it. What differs stops trading, as a divergence of events does."""
        if self.failed is not None or self.diverged is not None or self.active is self.shadow or self.clock < self._next_check:
            return
        self._next_check = self.clock + self._check_every
        self._is_checking = True
        try:
            at = self.card.expected()
            card = self.card.snapshot(depth=DEPTH)
            is_still = at == self.card.expected()
        except DeviceError as error:
            self.give_up(str(error))
            return
        finally:
            self._is_checking = False
        shadow = self.shadow.snapshot(depth=DEPTH)
        if not is_still or at != self.shadow.expected():
            self.skipped += 1
            return
        found = self.ledger.differences(card.positions, card.orders)
        found += [f"the book of symbol {symbol}" for symbol, book in card.books.items() if book != shadow.books.get(symbol)]
        if found:
            self._stop("; ".join(found))
            self._kill_due = False
            self.kill()
        else:
            self.checks += 1

    def _stop(self, text: str) -> None:
        if self.diverged is not None:
            return
        self.diverged = text
        self._alarm(f"card and shadow differ: {text}")
        self._kill_due = True

    @contextlib.contextmanager
    def uncompared(self) -> Iterator[None]:
        """While this lasts, both are given other books: what they held before need not have been the same."""
        self._market.hold()
        try:
            yield
        finally:
            self._market.hold()
            self._market.go_on(max(self._expected_by(self.card), self._expected_by(self.shadow)) - 1)

    def _expected_by(self, device: CommandedDevice) -> int:
        if device is self.card and (self.failed is not None or self.active is self.shadow):
            return 0
        try:
            return device.expected()
        except DeviceError as error:
            if device is not self.card:
                raise
            self.give_up(str(error))
            return 0

    # -- from one to the other ---------------------------------------------------------------------

    def give_up(self, reason: str) -> None:
        """The card is not to be trusted any more. It is told to stop, should it still hear; nobody trades until `promote`."""
        if self.failed is not None or self.active is self.shadow:
            return
        self.failed = reason
        self._alarm(f"the card is given up: {reason}")
        with contextlib.suppress(DeviceError):  # then it stops by itself, as it hears no heartbeat
            self.card.kill()

    def promote(self, inherited: Inheritance) -> None:
        """The shadow is the device from now on. Its session is down; log in with the inheritance's session and sequence.

        Limits, kill switches and what the feed said about trading it has already: it was told them as the card was. Of what the
        card had spent of its message rates and of its repetition counts it knows nothing: both begin anew.

        Raises
        ------
        DeviceError
            The card was not given up: there would be two owners of one session.
        """
        if self.failed is None:
            raise DeviceError("the card was not given up")
        self._begin_after(inherited.generation)
        self.ledger = Ledger(generation=inherited.generation)
        for symbol, (position, cash, mark) in inherited.positions.items():
            self.ledger.start(symbol, position, cash)
            self.shadow.set_position(symbol, position=position, cash=cash, mark=mark)
        self._spent = inherited.executed_notional
        if self._global is not None:
            self.shadow.command(self._reduced(self._global))
        self.active = self.shadow

    def begin_anew(self) -> None:
        """Both were restarted: the card trades again, and of orders, positions and the market nothing is known."""
        self.active, self.failed, self.diverged = self.card, None, None
        self.ledger = Ledger(generation=self.ledger.generation)
        self._market = Comparison(self._patience)
        self._global, self._spent, self._kill_due = None, 0, False


def joined(batches: list[Batch]) -> Batch:
    """Several batches as one, in their order."""
    if not batches:
        return Batch(np.zeros(0, EVENT.dtype), np.zeros(0, OUTPUT), np.zeros(0, np.uint8))
    outputs, at = [], 0
    for batch in batches:
        moved = batch.outputs.copy()
        moved["offset"] += np.uint64(at)
        outputs.append(moved)
        at += len(batch.payload)
    return Batch(
        np.concatenate([batch.events for batch in batches]),
        np.concatenate(outputs),
        np.concatenate([batch.payload for batch in batches]),
        events_lost=sum(batch.events_lost for batch in batches),
    )


def _unasked(events: NDArray[np.void]) -> NDArray[np.void]:
    """Events without the answers to what `Pair.check` asks."""
    kinds, values = events["type"], events["value"]
    asked: NDArray[np.bool_] = np.isin(kinds, _ANSWERS) | (kinds == EventType.COMMAND) & (values == Opcode.SNAPSHOT)
    return events[~asked]
