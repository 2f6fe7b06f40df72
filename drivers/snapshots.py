"""A `Snapshot` out of the events that answer SNAPSHOT commands."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
from numpy.typing import NDArray

from drivers.device import Book, Level, OpenOrder, Position, Snapshot
from wire.records import EventType, Side, SlotState


def _signed(value: int, bits: int) -> int:
    return value - (1 << bits) if value >> (bits - 1) else value


def read_snapshot(answers: Sequence[NDArray[np.void]], counters: Mapping[str, int]) -> Snapshot:
    """The state that the events say, one array of events per symbol that was asked for."""
    books: dict[int, Book] = {}
    positions: dict[int, Position] = {}
    orders: list[OpenOrder] = []
    for events in answers:
        for event in events[events["type"] == EventType.SNAPSHOT_END]:
            books.setdefault(int(event["symbol"]), Book((), ()))
        levels = events[events["type"] == EventType.BOOK_LEVEL]
        for symbol in books.keys() & {int(each) for each in levels["symbol"]}:
            books[symbol] = read_book(levels[levels["symbol"] == symbol])
        for event in events[events["type"] == EventType.POSITION]:
            positions[int(event["symbol"])] = _position(event)
        orders += [_order(event) for event in events[events["type"] == EventType.OPEN_ORDER]]
    return Snapshot(books, positions, tuple(orders), dict(counters))


def read_book(levels: NDArray[np.void]) -> Book:
    """The book of BOOK_LEVEL events of one symbol."""

    def side(side: Side) -> tuple[Level, ...]:
        return tuple(
            Level(int(each["price"]), int(each["quantity"]), int(each["quantity2"]))
            for each in levels[levels["side"] == side]
        )

    return Book(side(Side.BUY), side(Side.SELL))


def _position(event: np.void) -> Position:
    return Position(
        position=_signed(int(event["quantity"]), 32),
        cash=_signed(int(event["value"]), 64),
        mark=int(event["price"]),
        pnl=_signed(int(event["order_id"]), 64),
        blocked_by=int(event["info"]),
    )


def _order(event: np.void) -> OpenOrder:
    info = int(event["info"])
    return OpenOrder(
        order_id=int(event["order_id"]),
        symbol=int(event["symbol"]),
        side=Side(int(event["side"])),
        slot=info >> 8 & 0xFF,
        state=SlotState(info & 0xFF),
        strategy=info >> 16 & 0xFF,
        price=int(event["price"]),
        remaining=int(event["quantity"]),
        executed=int(event["quantity2"]),
        pending_id=int(event["value"]),
        pending_price=int(event["price2"]),
        tag=int(event["tag"]),
        cancel_wanted=bool(info >> 24 & 1),
    )
