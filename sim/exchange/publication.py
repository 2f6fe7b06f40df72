"""What the core says, as the public is told: ITCH 5.0.

A displayed order is added (A, F), executed (E), executed in an auction without being printed (C), reduced (X), removed (D)
and replaced (U); a trade with a hidden order is a P, an auction a Q, its outlook an I; halts are H, price bands of
a symbol that does not trade J, system events S. What nobody is to see gives no message: hidden orders, orders
on open and close, refusals.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from sim.exchange.matching.state import (
    BUY,
    E_ATTRIBUTION,
    E_DETAIL,
    E_DISPLAYED,
    E_LEFT,
    E_MATCH,
    E_OTHER,
    E_PRICE,
    E_REFERENCE,
    E_SHARES,
    E_SHOWN,
    KIND,
    PAUSED,
    SELL,
    SIDE,
    SYMBOL,
    TIME,
    TRADING,
    Event,
    Vector,
)
from sim.sources import messages
from wire import itch
from wire.compiled import inner, uncounted

ACCEPTED, ADDED, EXECUTED, CANCELLED = (
    Event.ACCEPTED.value,
    Event.ADDED.value,
    Event.EXECUTED.value,
    Event.CANCELLED.value,
)
REPLACED, REFRESHED, CROSSED, CROSS = (
    Event.REPLACED.value,
    Event.REFRESHED.value,
    Event.CROSSED.value,
    Event.CROSS.value,
)
IMBALANCE, STATE, BANDS, SYSTEM = (
    Event.IMBALANCE.value,
    Event.STATE.value,
    Event.BANDS.value,
    Event.SYSTEM.value,
)

_B, _S, _N, _O, _BLANK = ord("B"), ord("S"), ord("N"), ord("O"), ord(" ")
_set_type = itch.ADD_ORDER.writer("type")
_set_attribution = itch.ADD_ORDER_ATTRIBUTED.writer("attribution")
_set_far, _set_near = itch.NET_ORDER_IMBALANCE.writer("far_price"), itch.NET_ORDER_IMBALANCE.writer("near_price")
_set_kind = itch.NET_ORDER_IMBALANCE.writer("cross_type")
_set_variation = itch.NET_ORDER_IMBALANCE.writer("price_variation_indicator")
_set_stock = itch.LULD_AUCTION_COLLAR.writer("stock")
_set_reference = itch.LULD_AUCTION_COLLAR.writer("auction_collar_reference_price")
_set_upper = itch.LULD_AUCTION_COLLAR.writer("upper_auction_collar_price")
_set_lower = itch.LULD_AUCTION_COLLAR.writer("lower_auction_collar_price")
_set_extension = itch.LULD_AUCTION_COLLAR.writer("auction_collar_extension")
_set_event = itch.SYSTEM_EVENT.writer("event_code")
_set_reason = itch.TRADING_ACTION.writer("reason")
_VOLATILITY = int.from_bytes(b"LUDP", "big")
_J, _F = ord("J"), ord("F")
_COLLAR_LENGTH, _SYSTEM_LENGTH = itch.LULD_AUCTION_COLLAR.length, itch.SYSTEM_EVENT.length
_VARIATIONS = np.frombuffer(b"L123456789" + b"A" * 10 + b"B" * 10 + b"C", np.uint8)


class Publication:
    """The messages of a day: message ``i`` (from 0) is ``buffer[offsets[i] : offsets[i + 1]]``.

    Parameters
    ----------
    stocks : names
        Symbol 0, 1 and so on; their stock locates are 1, 2 and so on.
    """

    def __init__(self, stocks: tuple[str, ...]) -> None:
        self.stocks = stocks
        self.buffer = np.zeros(1 << 16, np.uint8)
        self.offsets = np.zeros(1 << 10, np.int64)
        self.count = 0
        self._keys = np.array([messages.stock_key(stock) for stock in stocks], np.int64)

    def __len__(self) -> int:
        return self.count

    def __getitem__(self, i: int) -> bytes:
        if not 0 <= i < self.count:
            raise IndexError(i)
        return self.buffer[self.offsets[i] : self.offsets[i + 1]].tobytes()

    def add(self, events: Vector) -> int:
        """Publishes events; how many messages there are then."""
        self._grow(len(events), len(events) * messages.LONGEST)
        self.count = int(write(events, self._keys, self.buffer, self.offsets, self.count))
        return self.count

    def append(self, message: bytes) -> None:
        """Publishes a message that is no event of the core."""
        self._grow(1, len(message))
        at = int(self.offsets[self.count])
        self.buffer[at : at + len(message)] = np.frombuffer(message, np.uint8)
        self.count += 1
        self.offsets[self.count] = at + len(message)

    def opening(self, time: int, firms: tuple[str, ...] = (), state: str = "T") -> None:
        """What a day begins with: directory, states, restrictions, and the market makers that ``firms`` are."""
        listed = list(enumerate(self.stocks, 1))
        halted = frozenset(self.stocks) if state != "T" else frozenset()
        text = messages.opening(listed, time, halted=halted)
        for message in messages.tape_of(np.frombuffer(text, np.uint8)):
            if message[0] == ord("H") and state != "T":
                message = itch.TRADING_ACTION.pack({**itch.TRADING_ACTION.unpack(message), "trading_state": state})
            self.append(message)
        for locate, stock in listed:
            for firm in firms:
                fields = {"timestamp": time, "stock_locate": locate, "stock": stock, "mpid": firm}
                self.append(
                    itch.MARKET_PARTICIPANT_POSITION.pack(
                        fields, primary_market_maker="N", market_maker_mode="N", market_participant_state="A"
                    )
                )

    def _grow(self, count: int, size: int) -> None:
        used = int(self.offsets[self.count])
        if used + size > len(self.buffer):
            self.buffer = np.concatenate([self.buffer, np.zeros(len(self.buffer) + size, np.uint8)])
        if self.count + count + 1 > len(self.offsets):
            self.offsets = np.concatenate([self.offsets, np.zeros(len(self.offsets) + count, np.int64)])


@uncounted
def write(events: Any, stocks: Any, buffer: Any, offsets: Any, count: int) -> int:
    """Writes the messages of all events behind ``count`` others; how many there are then."""
    at = offsets[count]
    for n in range(len(events)):
        begin = at
        at = one(events[n], stocks, buffer, at)
        if at > begin:
            count += 1
            offsets[count] = at
    return count


@inner
def one(event: Any, stocks: Any, buffer: Any, at: int) -> int:
    """The message that an event is to the public, if it is any; the position behind it."""
    kind, symbol, time = event[KIND], event[SYMBOL], event[TIME]
    locate, shown, shares = symbol + 1, event[E_SHOWN], event[E_SHARES]
    if kind == ACCEPTED or kind == ADDED or kind == REFRESHED:
        return add(event, shown, stocks, buffer, at) if shown != 0 else at
    if kind == EXECUTED:
        if shown != 0:
            return messages.execute(buffer, at, locate, time, shown, shares, event[E_MATCH])
        return messages.trade(buffer, at, locate, time, _B, shares, stocks[symbol], event[E_PRICE], event[E_MATCH])
    if kind == CANCELLED:
        if shown == 0:
            return at
        if event[E_LEFT] == 0:
            return messages.delete(buffer, at, locate, time, shown)
        gone = event[E_DISPLAYED]
        return messages.cancel(buffer, at, locate, time, shown, gone) if gone > 0 else at
    if kind == REPLACED:
        return replace(event, stocks, buffer, at)
    if kind == CROSSED:
        if shown == 0:
            return at
        return messages.execute_at(buffer, at, locate, time, shown, shares, event[E_MATCH], _N, event[E_PRICE])
    if kind == CROSS:
        return messages.cross(
            buffer, at, locate, time, shares, stocks[symbol], event[E_PRICE], event[E_MATCH], event[E_DETAIL]
        )
    if kind == IMBALANCE:
        return imbalance(event, stocks, buffer, at)
    if kind == STATE:
        end = messages.trading_action(buffer, at, locate, time, stocks[symbol], event[E_DETAIL])
        if event[E_DETAIL] == PAUSED:
            _set_reason(buffer, at, _VOLATILITY)
        return end
    if kind == BANDS:
        return collar(event, stocks, buffer, at)
    if kind == SYSTEM:
        messages.head(buffer, at, _S, 0, time)
        _set_event(buffer, at, event[E_DETAIL])
        return at + _SYSTEM_LENGTH
    return at


@inner
def add(event: Any, shown: int, stocks: Any, buffer: Any, at: int) -> int:
    """An order appears."""
    symbol, side = event[SYMBOL], _S if event[SIDE] == SELL else _B
    end = messages.add(
        buffer, at, symbol + 1, event[TIME], shown, side, event[E_DISPLAYED], stocks[symbol], event[E_PRICE]
    )
    if event[E_ATTRIBUTION] != 0:
        _set_type(buffer, at, _F)
        _set_attribution(buffer, at, event[E_ATTRIBUTION])
        end = at + messages.ATTRIBUTED
    return end


@inner
def replace(event: Any, stocks: Any, buffer: Any, at: int) -> int:
    """An order changes: in place, with a new place, out of sight, or into sight."""
    locate, time, old, new = event[SYMBOL] + 1, event[TIME], event[E_SHOWN], event[E_MATCH]
    if event[E_OTHER] == event[E_REFERENCE]:
        gone = event[E_DETAIL]
        return messages.cancel(buffer, at, locate, time, old, gone) if gone > 0 else at
    if old != 0 and new != 0:
        return messages.replace(buffer, at, locate, time, old, new, event[E_DISPLAYED], event[E_PRICE])
    if old != 0:
        return messages.delete(buffer, at, locate, time, old)
    return add(event, new, stocks, buffer, at) if new != 0 else at


@inner
def imbalance(event: Any, stocks: Any, buffer: Any, at: int) -> int:
    """What an auction would give: direction N if nothing is over, O if there is no price to say it for."""
    symbol, near, reference = event[SYMBOL], event[E_PRICE], event[E_MATCH]
    direction = _O
    if reference > 0:
        direction = _N if event[SIDE] < 0 else (_B if event[SIDE] == BUY else _S)
    end = messages.imbalance(
        buffer, at, symbol + 1, event[TIME], stocks[symbol], event[E_SHARES], event[E_LEFT], direction, reference
    )
    _set_far(buffer, at, event[E_OTHER])
    _set_near(buffer, at, near)
    _set_kind(buffer, at, event[E_DETAIL])
    if near > 0 and reference > 0:
        _set_variation(buffer, at, _VARIATIONS[min(abs(near - reference) * 100 // reference, 30)])
    return end


@inner
def collar(event: Any, stocks: Any, buffer: Any, at: int) -> int:
    """Price bands of a symbol that does not trade are those of its coming auction."""
    if event[E_DETAIL] == TRADING:
        return at
    symbol = event[SYMBOL]
    messages.head(buffer, at, _J, symbol + 1, event[TIME])
    _set_stock(buffer, at, stocks[symbol])
    _set_reference(buffer, at, event[E_MATCH])
    _set_upper(buffer, at, event[E_OTHER])
    _set_lower(buffer, at, event[E_PRICE])
    _set_extension(buffer, at, event[E_SHARES])
    return at + _COLLAR_LENGTH
