"""The tape: what an exchange published, message by message, in the order and at the time it did."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np

from wire.compiled import compiled
from wire.itch import ADD_ORDER, ITCH, STOCK_DIRECTORY

Vector = np.ndarray[Any, np.dtype[Any]]

_LENGTHS = ITCH.lengths
_read_locate = STOCK_DIRECTORY.reader("stock_locate")
_read_timestamp = STOCK_DIRECTORY.reader("timestamp")
_read_directory_stock = STOCK_DIRECTORY.reader("stock")
_read_added_stock = ADD_ORDER.reader("stock")
LOCATES = 1 << 16


@dataclass(frozen=True, slots=True)
class Listing:
    """A stock and the number that stands for it in the messages of the day."""

    stock_locate: int
    stock: str


@dataclass(frozen=True)
class Tape:
    """ITCH messages in sequence: message ``i`` is ``buffer[offsets[i] : offsets[i] + lengths[i]]``.

    Attributes
    ----------
    buffer : uint8
    offsets : int64
    lengths : int32
    timestamps : int64
        ns since midnight of each message's publication, never going back: the message's own time, or that of
        the one before where it has none or an earlier one.

    The arrays are made read-only: a tape is shared by publisher, venue and runs.
    """

    buffer: Vector
    offsets: Vector
    lengths: Vector
    timestamps: Vector

    def __post_init__(self) -> None:
        kinds = {"buffer": np.uint8, "offsets": np.int64, "lengths": np.int32, "timestamps": np.int64}
        for name, kind in kinds.items():
            vector = np.ascontiguousarray(getattr(self, name), kind)
            vector = vector.view()
            vector.flags.writeable = False
            object.__setattr__(self, name, vector)
        if not len(self.offsets) == len(self.lengths) == len(self.timestamps):
            raise ValueError(
                f"{len(self.offsets)} offsets, {len(self.lengths)} lengths, {len(self.timestamps)} timestamps"
            )

    def __len__(self) -> int:
        return len(self.offsets)

    def __getitem__(self, i: int) -> bytes:
        at = int(self.offsets[i])
        return self.buffer[at : at + int(self.lengths[i])].tobytes()

    def __iter__(self) -> Iterator[bytes]:
        return (self[i] for i in range(len(self)))

    @cached_property
    def types(self) -> Vector:
        """Type byte of each message, 0 for an empty one."""
        types = np.zeros(len(self), np.uint8)
        filled = self.lengths > 0
        types[filled] = self.buffer[self.offsets[filled]]
        return types

    @cached_property
    def locates(self) -> Vector:
        """Stock locate of each message, 0 where it has none."""
        return _locates(self.buffer, self.offsets, self.lengths)

    def counts(self) -> dict[str, int]:
        """How many messages there are of each type, most first."""
        counts = np.bincount(self.types, minlength=256)
        order = np.argsort(-counts, kind="stable")
        return {chr(code): int(counts[code]) for code in order if counts[code]}

    def part(self, first: int, last: int) -> Tape:
        """Messages ``first`` up to, without, ``last``; the bytes are shared."""
        chosen = slice(first, last)
        return Tape(self.buffer, self.offsets[chosen], self.lengths[chosen], self.timestamps[chosen])

    def only(self, stocks: Iterable[str]) -> Tape:
        """The messages of some stocks and those of none (locate 0); the bytes are shared.

        Raises
        ------
        ValueError
            A stock that the tape does not list.
        """
        wanted, listed = list(stocks), {listing.stock: listing.stock_locate for listing in self.listings()}
        missing = [stock for stock in wanted if stock not in listed]
        if missing:
            raise ValueError(f"the tape lists no {', '.join(missing)}; it has {', '.join(sorted(listed))}")
        chosen = np.zeros(LOCATES, bool)
        chosen[[0] + [listed[stock] for stock in wanted]] = True
        kept = np.flatnonzero(chosen[self.locates] | (self.types == ord("S")))
        return Tape(self.buffer, self.offsets[kept], self.lengths[kept], self.timestamps[kept])

    def listings(self) -> list[Listing]:
        """The stocks of the day by locate: from the directory, or from the orders of a piece without one."""
        stocks = np.zeros(LOCATES, np.uint64)
        _list_stocks(self.buffer, self.offsets, self.lengths, stocks)
        found = np.flatnonzero(stocks)
        return [
            Listing(int(locate), int(stocks[locate]).to_bytes(8, "big").decode("ascii", "replace").strip())
            for locate in found
        ]

    def packed(self) -> Tape:
        """The same messages in a buffer of their own, one after the other."""
        ends = np.cumsum(self.lengths, dtype=np.int64)
        buffer = np.empty(int(ends[-1]) if len(ends) else 0, np.uint8)
        _pack(self.buffer, self.offsets, self.lengths, buffer)
        return Tape(buffer, ends - self.lengths, self.lengths, self.timestamps)

    def digest(self) -> str:
        """SHA-256 of messages and times."""
        packed = self.packed()
        parts = (packed.buffer, packed.lengths, packed.timestamps)
        return hashlib.sha256(b"".join(part.tobytes() for part in parts)).hexdigest()


def from_messages(buffer: Vector, offsets: Vector, lengths: Vector) -> Tape:
    """A tape of messages that lie in ``buffer``, their times read from them."""
    timestamps = np.empty(len(offsets), np.int64)
    _read_timestamps(buffer, offsets, np.asarray(lengths, np.int32), timestamps)
    return Tape(buffer, offsets, lengths, timestamps)


def from_bytes(messages: Sequence[bytes]) -> Tape:
    """A tape of single messages, for tests and by hand."""
    lengths = np.array([len(message) for message in messages], np.int32)
    ends = np.cumsum(lengths, dtype=np.int64)
    return from_messages(np.frombuffer(b"".join(messages), np.uint8), ends - lengths, lengths)


def joined(*tapes: Tape) -> Tape:
    """One tape after the other."""
    packed = [tape.packed() for tape in tapes]
    begins = np.cumsum([0] + [len(tape.buffer) for tape in packed])
    return Tape(
        np.concatenate([tape.buffer for tape in packed]),
        np.concatenate([tape.offsets + begin for tape, begin in zip(packed, begins, strict=False)]),
        np.concatenate([tape.lengths for tape in packed]),
        np.maximum.accumulate(np.concatenate([tape.timestamps for tape in packed])),
    )


@compiled
def _read_timestamps(buffer: Any, offsets: Any, lengths: Any, timestamps: Any) -> None:
    last = np.int64(0)
    for i in range(len(offsets)):
        if lengths[i] >= 11 and _LENGTHS[buffer[offsets[i]]] > 0:
            last = max(last, _read_timestamp(buffer, offsets[i]))
        timestamps[i] = last


@compiled
def _locates(buffer: Any, offsets: Any, lengths: Any) -> Any:
    locates = np.zeros(len(offsets), np.int64)
    for i in range(len(offsets)):
        if lengths[i] >= 3:
            locates[i] = _read_locate(buffer, offsets[i])
    return locates


@compiled
def _list_stocks(buffer: Any, offsets: Any, lengths: Any, stocks: Any) -> None:
    """Directory messages decide; an added order speaks where they are silent."""
    listed = np.zeros(len(stocks), np.bool_)
    for i in range(len(offsets)):
        at = offsets[i]
        if lengths[i] == 0 or lengths[i] != _LENGTHS[buffer[at]]:
            continue
        locate = _read_locate(buffer, at)
        if buffer[at] == 82:  # R
            stocks[locate] = _read_directory_stock(buffer, at)
            listed[locate] = True
        elif not listed[locate] and (buffer[at] == 65 or buffer[at] == 70):  # A, F
            stocks[locate] = _read_added_stock(buffer, at)


@compiled
def _pack(source: Any, offsets: Any, lengths: Any, target: Any) -> None:
    to = 0
    for i in range(len(offsets)):
        at = offsets[i]
        for k in range(lengths[i]):
            target[to + k] = source[at + k]
        to += lengths[i]
