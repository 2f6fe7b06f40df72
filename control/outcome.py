"""What one device made of a run, and the part of the report that tells it."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from control.events import identity as order_id
from control.events import price
from control.parity import Answer
from control.report import (
    ClockReport,
    DeviceReport,
    DeviceTiming,
    Distribution,
    FeedReport,
    LevelReport,
    OpenOrderReport,
    OrdersReport,
    SymbolReport,
)
from drivers.device import Book, Identity, Level, OpenOrder, Snapshot
from wire import reasons
from wire.counters import ITCH_PREFIX, REFUSED_PREFIX
from wire.reasons import Reason
from wire.records import EventType, Side, TrustCause

Name = Literal["software", "twin"]


@dataclass(frozen=True)
class Outcome:
    """One device's run: its answer, what it is, and how long it took."""

    name: Name
    identity: Identity
    answer: Answer
    timing: DeviceTiming
    latency: Distribution | None = None
    clock: ClockReport | None = None

    def report(self, stocks: Sequence[str]) -> DeviceReport:
        """The device's part of the report; ``stocks`` by symbol index."""
        answer = self.answer
        counters, snapshot = answer.counters, answer.snapshot
        return DeviceReport(
            name=self.name,
            identity={**asdict(self.identity), "version": ".".join(map(str, self.identity.version))},
            events=len(answer.events),
            events_sha256=hashlib.sha256(answer.events.tobytes()).hexdigest(),
            outputs=len(answer.outputs),
            outputs_sha256=hashlib.sha256(answer.output_bytes()).hexdigest(),
            feed=_feed(answer.events, counters),
            orders=_orders(counters),
            rejects={
                reason.name.lower(): counters[f"{REFUSED_PREFIX}{reason.name.lower()}"]
                for reason in Reason
                if counters[f"{REFUSED_PREFIX}{reason.name.lower()}"]
            },
            symbols=[_symbol(stock, symbol, answer.events, snapshot) for symbol, stock in enumerate(stocks)],
            pnl=price(sum(each.pnl for each in snapshot.positions.values())),
            cash=price(sum(each.cash for each in snapshot.positions.values())),
            counters=dict(counters),
            latency=self.latency,
            clock=self.clock,
            timing=self.timing,
        )


def _feed(events: NDArray[np.void], counters: Mapping[str, int]) -> FeedReport:
    kinds, info = events["type"], events["info"]
    gaps = (kinds == EventType.GAP) & (info == 0)
    lost, regained = kinds == EventType.TRUST_LOST, kinds == EventType.TRUST_REGAINED
    by_type = {
        name.removeprefix(ITCH_PREFIX): count
        for name, count in counters.items()
        if name.startswith(ITCH_PREFIX) and count
    }
    names = ("frames", "packets_a", "packets_b", "packets_recovery", "packets_duplicate", "packets_held")
    return FeedReport(
        **{name: counters[name] for name in names},
        packets_dropped=counters["packets_dropped"],
        gaps=counters["gaps"],
        lost=int(events["quantity"][gaps].astype(np.int64).sum()),
        recovered=int((regained & (info == TrustCause.GAP)).sum()),
        abandoned=int((lost & (info == TrustCause.RESUMED)).sum()),
        trust_lost=int(lost.sum()),
        trust_regained=int(regained.sum()),
        messages=counters["messages"],
        by_type=dict(sorted(by_type.items(), key=lambda item: -item[1])),
    )


def _orders(counters: Mapping[str, int]) -> OrdersReport:
    sent = {name: counters[f"orders_{name}"] for name in ("new", "replace", "cancel", "refused")}
    names = ("accepted", "replaced", "executed", "cancelled", "rejected", "cancel_rejected")
    return OrdersReport(**sent, **{name: counters[name] for name in names})


def _symbol(stock: str, symbol: int, events: NDArray[np.void], snapshot: Snapshot) -> SymbolReport:
    own = events[events["symbol"] == symbol]
    kinds = own["type"]
    done = own[kinds == EventType.EXECUTED]
    quantity, bought = done["quantity"].astype(np.int64), done["side"] == Side.BUY
    position = snapshot.positions[symbol]
    blocked = reasons.names(position.blocked_by)
    book = snapshot.books.get(symbol, Book((), ()))
    return SymbolReport(
        stock=stock,
        trusted=not position.blocked_by & Reason.BOOK_UNTRUSTED.bit,
        bids=_levels(book.bids),
        asks=_levels(book.asks),
        position=position.position,
        cash=price(position.cash),
        mark=price(position.mark),
        pnl=price(position.pnl),
        bought=int(quantity[bought].sum()),
        sold=int(quantity[~bought].sum()),
        fills=len(done),
        orders_sent=int((kinds == EventType.ORDER_SENT).sum()),
        orders_refused=int((kinds == EventType.ORDER_REFUSED).sum()),
        open_orders=[_open(each) for each in snapshot.orders if each.symbol == symbol],
        blocked_by=blocked,
    )


def _levels(levels: Sequence[Level]) -> list[LevelReport]:
    return [LevelReport(price=price(each.price), quantity=each.quantity, orders=each.orders) for each in levels]


def _open(order: OpenOrder) -> OpenOrderReport:
    return OpenOrderReport(
        id=order_id(order.order_id),
        side="buy" if order.side == Side.BUY else "sell",
        state=order.state.name.lower(),
        price=price(order.price),
        remaining=order.remaining,
        strategy=order.strategy,
    )
