"""A device told by commands: all verbs of `Device` over the one thing that devices differ in, taking
inputs.
"""

from __future__ import annotations

import dataclasses
from abc import ABC, abstractmethod
from collections.abc import Callable
from typing import Any, Self

import numpy as np
from numpy.typing import NDArray

from drivers import commands
from drivers.device import Answer, Batch, CommandRefusedError, DeviceError, Identity, Octets, Snapshot
from drivers.settings import Feed, GlobalLimits, Limits, Quoter, SymbolSetup, Taker
from drivers.snapshots import read_snapshot
from wire.records import (
    COMMANDS,
    INPUT,
    NO_SYMBOL,
    TIME_IN_FORCE_DAY,
    CommandError,
    EventType,
    Opcode,
    OuchVersion,
    Port,
    Side,
    SnapshotPart,
)

EVERYTHING = SnapshotPart.BOOK | SnapshotPart.POSITION | SnapshotPart.ORDERS
_WRAP = 1 << 32  # of event sequence numbers


class CommandedDevice(ABC):
    """Everything of `drivers.device.Device` but `identify`, `counters`, `close` and the exchange itself.

    Parameters
    ----------
    next_event : int
        Sequence number of the device's next event: 0, unless it has been running before.
    """

    def __init__(self, *, next_event: int = 0) -> None:
        self._clock = 0
        self._next_event = next_event
        self._events_lost = 0
        self._recovering = False
        self._mapped: dict[int, None] = {}
        self._listeners: list[Callable[[Batch], None]] = []

    @abstractmethod
    def identify(self) -> Identity:
        """What the device is."""

    @abstractmethod
    def counters(self) -> dict[str, int]:
        """Every counter by name."""

    @abstractmethod
    def close(self) -> None:
        """Give back what the device holds."""

    @abstractmethod
    def _exchange(self, inputs: NDArray[np.void], buffer: NDArray[np.uint8]) -> Batch:
        """Hand over inputs that were checked."""

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    # -- inputs and what comes out -------------------------------------------------------------

    @property
    def clock(self) -> int:
        """Stamp of the last input, ns."""
        return self._clock

    @property
    def events_lost(self) -> int:
        """Events that were lost since the device was opened."""
        return self._events_lost

    @property
    def mapped(self) -> tuple[int, ...]:
        """The symbols that have a stock, in ascending order."""
        return tuple(sorted(self._mapped))

    def process(self, inputs: NDArray[np.void], buffer: Octets) -> Batch:
        """Hand over inputs, in this order, and take what comes out.

        Holes in the sequence of events are counted, and answered with a snapshot in ``recovered``.

        Raises
        ------
        ValueError
            A stamp goes back, or an input reaches behind the buffer.
        """
        inputs = np.ascontiguousarray(inputs, dtype=INPUT)
        octets = np.frombuffer(buffer, np.uint8) if len(buffer) else np.zeros(0, np.uint8)
        self._check(inputs, len(octets))
        batch = self._exchange(inputs, octets)
        if len(inputs):
            self._clock = int(inputs["timestamp"][-1])
        return self._deliver(batch)

    def _deliver(self, batch: Batch) -> Batch:
        """Look for holes in what came out, and hand it to the listeners."""
        self._note_mapped(batch.events)
        lost = self._holes(batch.events)
        if lost:
            self._events_lost += lost
            batch = dataclasses.replace(batch, events_lost=lost)
            if not self._recovering:
                self._recovering = True
                try:
                    batch = dataclasses.replace(batch, recovered=self.snapshot())
                finally:
                    self._recovering = False
        for listener in tuple(self._listeners):
            listener(batch)
        return batch

    def subscribe(self, listener: Callable[[Batch], None]) -> Callable[[], None]:
        """Call ``listener`` with every batch, whoever caused it. Calling the answer ends it."""
        self._listeners.append(listener)
        return lambda: self._listeners.remove(listener)

    def _check(self, inputs: NDArray[np.void], length: int) -> None:
        if not len(inputs):
            return
        stamps = inputs["timestamp"]
        back = np.flatnonzero(stamps[1:] < stamps[:-1])
        if len(back) or int(stamps[0]) < self._clock:
            first, before = (
                (int(back[0]) + 1, int(stamps[back[0]]))
                if int(stamps[0]) >= self._clock
                else (0, self._clock)
            )
            raise ValueError(f"input {first}: stamp {int(stamps[first])} is before {before}")
        ports = inputs["port"]
        ends = inputs["offset"].astype(np.uint64) + inputs["length"]
        wrong = (ports > max(Port)) | (ports != Port.TICK) & ((ends > length) | (ends < inputs["offset"]))
        if wrong.any():
            first = int(np.flatnonzero(wrong)[0])
            raise ValueError(
                f"input {first} ({inputs[first]}): no such port, or behind the buffer of {length} bytes"
            )

    def _holes(self, events: NDArray[np.void]) -> int:
        if not len(events):
            return 0
        numbers = events["sequence"].astype(np.int64)
        steps = np.diff(numbers, prepend=self._next_event - 1) % _WRAP
        self._next_event = (int(numbers[-1]) + 1) % _WRAP
        return int((steps - 1).sum())

    def _note_mapped(self, events: NDArray[np.void]) -> None:
        done = (
            (events["type"] == EventType.COMMAND)
            & (events["value"] == Opcode.SET_SYMBOL)
            & (events["info"] == 0)
        )
        for symbol in events["symbol"][done]:
            self._mapped[int(symbol)] = None

    # -- commands ------------------------------------------------------------------------------

    def command(self, data: bytes, at: int | None = None) -> Answer:
        """Hand over one command from `drivers.commands`."""
        batch = self._one(Port.COMMAND, data, at)
        events = batch.events
        answers = self._answers(events, data)
        if len(answers) != 1:
            if batch.events_lost:
                raise DeviceError(
                    f"the answer to {_opcode(data)} was among {batch.events_lost} events that were lost"
                )
            raise DeviceError(f"{_opcode(data)} was answered {len(answers)} times")
        refusals = events[events["type"] == EventType.ORDER_REFUSED]
        error = CommandError(int(answers[0]["info"]))
        refused_by = int(refusals[0]["value"]) if error is CommandError.REFUSED and len(refusals) else 0
        return Answer(error, int(answers[0]["order_id"]), refused_by, batch)

    def _answers(self, events: NDArray[np.void], data: bytes) -> NDArray[np.void]:
        """The answers to a command among what came out with it."""
        return events[events["type"] == EventType.COMMAND]

    def _one(self, port: Port, data: bytes, at: int | None) -> Batch:
        stamp = self._clock if at is None else at
        return self.process(np.array([(stamp, 0, len(data), port)], INPUT), data)

    def _do(self, data: bytes, at: int | None) -> Answer:
        answer = self.command(data, at)
        if not answer.ok:
            raise CommandRefusedError(_opcode(data), answer)
        return answer

    def configure_symbol(self, symbol: int, setup: SymbolSetup, *, at: int | None = None) -> Answer:
        """Map a stock to a book."""
        return self._do(commands.set_symbol(symbol, setup, self.identify().levels), at)

    def configure_limits(self, symbol: int, limits: Limits, *, at: int | None = None) -> Answer:
        """Set a symbol's limits."""
        return self._do(commands.set_limits(symbol, limits), at)

    def configure_quoter(self, symbol: int, quoter: Quoter, *, at: int | None = None) -> Answer:
        """Set a symbol's quoter."""
        return self._do(commands.set_quoter(symbol, quoter), at)

    def configure_taker(self, symbol: int, taker: Taker, *, at: int | None = None) -> Answer:
        """Set a symbol's taker. The value's age counts from here."""
        return self._do(commands.set_taker(symbol, taker), at)

    def configure_global(self, limits: GlobalLimits, *, at: int | None = None) -> Answer:
        """Set the limits over all symbols."""
        return self._do(commands.set_global(limits), at)

    def configure_feed(self, feed: Feed, *, at: int | None = None) -> Answer:
        """Start the feed anew."""
        return self._do(commands.set_feed(feed), at)

    def set_trading(self, symbol: int = NO_SYMBOL, *, at: int | None = None, **state: Any) -> Answer:
        """Set what may trade; ``state`` as in `drivers.commands.set_trading`."""
        return self._do(commands.set_trading(symbol, **state), at)

    def set_position(
        self, symbol: int, *, position: int, cash: int = 0, mark: int = 0, at: int | None = None
    ) -> Answer:
        """Say where a symbol stands."""
        return self._do(commands.set_position(symbol, position=position, cash=cash, mark=mark), at)

    def submit(
        self,
        symbol: int,
        side: Side,
        price: int,
        quantity: int,
        *,
        strategy: int = 1,
        time_in_force: int = TIME_IN_FORCE_DAY,
        tag: int = 0,
        at: int | None = None,
    ) -> Answer:
        """Send an order through the risk gate."""
        data = commands.new_order(
            symbol, side, price, quantity, strategy=strategy, time_in_force=time_in_force, tag=tag
        )
        return self.command(data, at)

    def replace(
        self, order_id: int, price: int, quantity: int, *, tag: int = 0, at: int | None = None
    ) -> Answer:
        """Change an order's price and open quantity, through the risk gate."""
        return self.command(commands.replace_order(order_id, price, quantity, tag=tag), at)

    def cancel(self, order_id: int, *, tag: int = 0, at: int | None = None) -> Answer:
        """Take an order back."""
        return self.command(commands.cancel_order(order_id, tag=tag), at)

    def cancel_all(self, symbol: int = NO_SYMBOL, *, at: int | None = None) -> Answer:
        """Take back all orders, or all of a symbol."""
        return self._do(commands.cancel_all(symbol), at)

    def login(
        self,
        username: str,
        password: str,
        *,
        session: str = "",
        sequence: int = 1,
        ouch: OuchVersion = OuchVersion.V4_2,
        at: int | None = None,
    ) -> Answer:
        """Log in to the order session, to speak ``ouch``."""
        return self._do(commands.login(username, password, session=session, sequence=sequence, ouch=ouch), at)

    def logout(self, *, at: int | None = None) -> Answer:
        """End the order session."""
        return self._do(commands.logout(), at)

    def session_down(self, *, at: int | None = None) -> Answer:
        """Say that the order session's connection is lost."""
        return self._do(commands.session_down(), at)

    def resume_feed(self, sequence: int, *, at: int | None = None) -> Answer:
        """Give up what is missing of the feed before ``sequence``."""
        return self._do(commands.resume_feed(sequence), at)

    def trust(self, symbol: int = NO_SYMBOL, *, at: int | None = None) -> Answer:
        """Vouch for a book, or for all."""
        return self._do(commands.trust(symbol), at)

    def heartbeat(self, *, at: int | None = None) -> Batch:
        """Say that the host is alive."""
        return self._one(Port.COMMAND, commands.heartbeat(), at)

    def expected(self) -> int:
        """The next message of the feed that the device expects, as its answer to a heartbeat says.

        Raises
        ------
        DeviceError
            It did not answer.
        """
        events = self.heartbeat().events
        told = events["value"][events["type"] == EventType.HEARTBEAT]
        if not len(told):
            raise DeviceError("a heartbeat was not answered")
        return int(told[-1])

    def tick(self, at: int) -> Batch:
        """Let the clock go on to ``at``."""
        return self._one(Port.TICK, b"", at)

    def kill(
        self, *, symbol: int | None = None, strategy: int | None = None, at: int | None = None
    ) -> Answer:
        """Stop everything, one symbol or one strategy; open orders are taken back."""
        return self._do(commands.kill(symbol=symbol, strategy=strategy), at)

    def clear_kill(
        self, *, symbol: int | None = None, strategy: int | None = None, at: int | None = None
    ) -> Answer:
        """Undo `kill` of the same scope."""
        return self._do(commands.clear_kill(symbol=symbol, strategy=strategy), at)

    def snapshot(self, *, depth: int = 5, at: int | None = None) -> Snapshot:
        """Books to ``depth`` levels, positions, open orders and counters of every mapped symbol."""
        counters = self.counters()
        events = [
            self._do(commands.snapshot(symbol, EVERYTHING, depth=depth), at).batch.events
            for symbol in self.mapped
        ]
        return read_snapshot(events, counters)


def _opcode(data: bytes) -> str:
    number = data[0]
    return COMMANDS[Opcode(number)].name if number in COMMANDS else f"opcode {number}"
