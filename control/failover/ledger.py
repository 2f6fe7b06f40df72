"""Orders and positions of a device, as its events say: what is known of them when it is gone.

The device's own snapshot has to say the same (:meth:`Ledger.differences`). That is half of the digest of its state; the other
half is the market (:mod:`control.failover.market`).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from drivers.device import OpenOrder, Position, Snapshot
from wire.records import SLOT_BITS, Action, EventType, Side, SlotState

_SENT, _ACCEPTED, _REPLACED = int(EventType.ORDER_SENT), int(EventType.ACCEPTED), int(EventType.REPLACED)
_EXECUTED, _CANCELLED, _REJECT = int(EventType.EXECUTED), int(EventType.CANCELLED), int(EventType.EXCHANGE_REJECT)
_KINDS = np.array([_SENT, _ACCEPTED, _REPLACED, _EXECUTED, _CANCELLED, _REJECT], np.uint8)
DEAD = ord("D")
ORDER_REJECTED = ord("J")


@dataclass(slots=True)
class Entry:
    """An order that is not done, with the fields of `drivers.device.OpenOrder`."""

    order_id: int
    symbol: int
    side: Side
    price: int
    remaining: int
    strategy: int
    tag: int
    state: SlotState = SlotState.PENDING_NEW
    executed: int = 0
    pending_id: int = 0
    pending_price: int = 0
    pending_quantity: int = 0

    @property
    def worst(self) -> int:
        """Shares that may still trade, whatever becomes of a replace that is under way."""
        return max(self.remaining, self.pending_quantity) if self.state is SlotState.PENDING_REPLACE else self.remaining


@dataclass(slots=True)
class Holding:
    """Shares, and cash in 1e-4 x shares."""

    position: int = 0
    cash: int = 0


@dataclass(slots=True)
class Ledger:
    """What a device did, by its events.

    Attributes
    ----------
    orders : dict
        Open orders by id.
    holdings : dict
        By symbol.
    executed_notional : int
        1e-4 x shares, of all executions.
    generation : int
        Highest that an order had.
    answers : int
        Messages of the order session that an event told of. The session may have had more, not less.
    strays : int
        Events about orders that are not here: some were lost before them.
    """

    orders: dict[int, Entry] = field(default_factory=dict)
    holdings: dict[int, Holding] = field(default_factory=dict)
    executed_notional: int = 0
    generation: int = 0
    answers: int = 0
    strays: int = 0
    _pending: dict[int, int] = field(default_factory=dict)

    def see(self, events: NDArray[np.void]) -> None:
        """Take in a batch of events."""
        for event in events[np.isin(events["type"], _KINDS)]:
            kind, order_id = int(event["type"]), int(event["order_id"])
            if kind == _SENT:
                self._sent(event, order_id)
                continue
            self.answers += 1
            entry = self.orders.get(self._pending.get(order_id, order_id))
            if entry is None:
                self.strays += 1
            elif kind == _EXECUTED:
                self._executed(entry, event)
            else:
                self._answered(entry, event, kind, order_id)

    def _sent(self, event: np.void, order_id: int) -> None:
        action, price, quantity = int(event["info"]) & 0xFF, int(event["price"]), int(event["quantity"])
        if action == Action.NEW:
            self.orders[order_id] = Entry(
                order_id, int(event["symbol"]), Side(int(event["side"])), price, quantity,
                int(event["info"]) >> 16 & 0xFF, int(event["tag"]),
            )  # fmt: skip
        entry = self.orders.get(order_id if action != Action.REPLACE else int(event["value"]))
        self.generation = max(self.generation, order_id >> SLOT_BITS)
        if entry is None:
            self.strays += 1
        elif action == Action.REPLACE:
            entry.state, entry.pending_id = SlotState.PENDING_REPLACE, order_id
            entry.pending_price, entry.pending_quantity = price, quantity
            self._pending[order_id] = entry.order_id
        elif action == Action.CANCEL:
            entry.state = SlotState.PENDING_CANCEL

    def _executed(self, entry: Entry, event: np.void) -> None:
        shares, price = int(event["quantity"]), int(event["price"])
        signed = shares if entry.side is Side.BUY else -shares
        holding = self.holdings.setdefault(entry.symbol, Holding())
        holding.position += signed
        holding.cash -= signed * price
        self.executed_notional += shares * price
        entry.executed += shares
        entry.pending_quantity = max(entry.pending_quantity - shares, 0)
        self._left(entry, int(event["quantity2"]))

    def _answered(self, entry: Entry, event: np.void, kind: int, order_id: int) -> None:
        if kind == _ACCEPTED:
            entry.price = int(event["price"])
            if entry.state is SlotState.PENDING_NEW:
                entry.state = SlotState.LIVE
            self._left(entry, 0 if int(event["info"]) == DEAD else int(event["quantity"]))
        elif kind == _REPLACED:
            self._settle(entry)
            del self.orders[entry.order_id]
            entry.order_id, entry.price = order_id, int(event["price"])
            self.orders[order_id] = entry
            self._left(entry, 0 if int(event["info"]) == DEAD else int(event["quantity"]))
        elif kind == _CANCELLED:
            if entry.state is SlotState.PENDING_CANCEL:
                entry.state = SlotState.LIVE
            self._left(entry, int(event["quantity2"]))
        elif int(event["info"]) >> 8 == ORDER_REJECTED:
            if order_id == entry.pending_id:
                self._settle(entry)
            elif entry.state is SlotState.PENDING_NEW:
                self._left(entry, 0)
        elif entry.state is SlotState.PENDING_CANCEL:
            entry.state = SlotState.LIVE

    def _settle(self, entry: Entry) -> None:
        """No replace is under way any more."""
        self._pending.pop(entry.pending_id, None)
        entry.state = SlotState.LIVE
        entry.pending_id = entry.pending_price = entry.pending_quantity = 0

    def _left(self, entry: Entry, shares: int) -> None:
        entry.remaining = shares
        if shares == 0:
            self._pending.pop(entry.pending_id, None)
            self.orders.pop(entry.order_id, None)

    @property
    def positions(self) -> dict[int, int]:
        """Shares by symbol."""
        return {symbol: holding.position for symbol, holding in self.holdings.items()}

    def differences(self, positions: Mapping[int, Position], orders: tuple[OpenOrder, ...]) -> list[str]:
        """Where a snapshot of the device, taken after the last event, says something else; a line each."""
        found = []
        for symbol, theirs in positions.items():
            ours = self.holdings.get(symbol, Holding())
            if (ours.position, ours.cash) != (theirs.position, theirs.cash):
                found.append(
                    f"symbol {symbol}: {ours.position} shares, cash {ours.cash} by the events,"
                    f" {theirs.position} and {theirs.cash} by the device"
                )
        device = {order.order_id: order for order in orders}
        for order_id in sorted(self.orders.keys() | device.keys()):
            entry, order = self.orders.get(order_id), device.get(order_id)
            if entry is None or order is None:
                found.append(f"order {order_id:X}: known to the {'device' if entry is None else 'events'} only")
                continue
            for name in ("symbol", "side", "state", "price", "remaining", "pending_id", "pending_price"):
                ours, theirs = getattr(entry, name), getattr(order, name)
                if ours != theirs:
                    found.append(f"order {order_id:X}: {name} {ours} by the events, {theirs} by the device")
        return found

    def restore(self, snapshot: Snapshot) -> None:
        """Events were lost: orders and positions are those of a snapshot. What traded meanwhile is in no sum."""
        self.orders = {
            order.order_id: Entry(
                order.order_id, order.symbol, order.side, order.price, order.remaining, order.strategy, order.tag,
                order.state, order.executed, order.pending_id, order.pending_price, order.remaining if order.pending_id else 0,
            )
            for order in snapshot.orders
        }  # fmt: skip
        self._pending = {order.pending_id: order.order_id for order in snapshot.orders if order.pending_id}
        self.holdings = {symbol: Holding(each.position, each.cash) for symbol, each in snapshot.positions.items()}
        for order_id in (*self.orders, *self._pending):
            self.generation = max(self.generation, order_id >> SLOT_BITS)

    def start(self, symbol: int, position: int, cash: int) -> None:
        """Where a symbol stands before the first event, as SET_POSITION told the device."""
        self.holdings[symbol] = Holding(position, cash)
