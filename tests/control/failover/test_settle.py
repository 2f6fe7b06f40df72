"""After a take-over our orders are what the exchange says, whatever we had heard of them before."""

from __future__ import annotations

import random

import pytest

from control.failover.settle import settle
from control.failover.view import ExchangeView
from control.gateway.ouch import Kind, Told
from control.oms import Asked, Oms, Ordered, Report, Status, What
from control.oms.events import cancel_id
from wire.records import Side

VENUE = 3


class Exchange:
    """A session by chance: what it says, and the reports that an attentive listener would have made of it."""

    def __init__(self, seed: int) -> None:
        self.dice, self.said, self.heard = random.Random(seed), ExchangeView(), list[Report]()
        self.oms = Oms(lambda kind, payload, time: None)
        self.match = self.reference = self.generation = 0
        self.position = 0

    def _id(self) -> int:
        self.generation += 1
        return self.generation << 12

    def order(self) -> None:
        dice = self.dice
        side, shares, name = dice.choice([Side.BUY, Side.SELL]), dice.randrange(1, 500), self._id()
        order = self.oms.order(Ordered(0, "c", f"o{name:X}", "HPNA", side, 1_000, shares), 0)
        self.oms.send(order.order_id, venue=VENUE, venue_order_id=name, timestamp=0)
        fate = dice.random()
        if fate < 0.1:  # it never arrives
            return
        if fate < 0.2:
            self._say(Told(Kind.REJECTED, 0, name, reason="Z"), Report(order.order_id, What.REJECTED, name, VENUE))
            return
        self.reference += 1
        entered = Told(Kind.ACCEPTED, 0, name, side, "HPNA", 1_000, shares, reference=self.reference)
        self._say(entered, Report(order.order_id, What.ACCEPTED, self.reference, VENUE, 0, 1_000, shares))
        left, number, traded = shares, 0, 0
        for _ in range(dice.randrange(5)):
            what = dice.random()
            if left and what < 0.4:
                part = dice.randrange(1, left + 1)
                self.match += 1
                self._say(
                    Told(Kind.EXECUTED, 0, name, side, price=999, quantity=part, match_number=self.match),
                    Report(order.order_id, What.EXECUTED, self.match, VENUE, number, 999, part),
                )
                left, traded = left - part, traded + part
                self.position += part if side is Side.BUY else -part
            elif left and what < 0.7:
                new, number, before = self._id(), len(order.requests) + 1, name
                asked = Asked(order.order_id, What.REPLACE, number, VENUE, new, 1_001, traded + left + 50)
                self.oms.note(asked, 0)  # a quoter's: whatever we have heard so far
                if dice.random() < 0.3:  # rejected, or never there
                    number = order.terms
                    continue
                left, name = left + 50, new
                self.reference += 1
                self._say(
                    Told(Kind.REPLACED, 0, name, side, "HPNA", 1_001, left, previous_id=before, reference=self.reference),
                    Report(order.order_id, What.REPLACED, self.reference, VENUE, number, 1_001, traded + left),
                )
        if left:  # the take-over cancels what is open
            self._say(
                Told(Kind.CANCELLED, 0, name, quantity=left, reason="U"),
                Report(order.order_id, What.CANCELLED, cancel_id(number, 0), VENUE, number, quantity=left),
            )

    def _say(self, told: Told, report: Report) -> None:
        self.said.take(told)
        if self.dice.random() < 0.5:  # we had heard of it
            self.oms.report(report, 0)


@pytest.mark.parametrize("seed", range(40))
def test_no_order_is_open_and_positions_are_the_exchanges(seed: int) -> None:
    exchange = Exchange(seed)
    for _ in range(60):
        exchange.order()
    oms = exchange.oms
    done = settle(oms, exchange.said, venue=VENUE, timestamp=7)
    assert {order.status for order in oms} <= {Status.FILLED, Status.CANCELLED, Status.REJECTED}
    assert oms.positions().get("HPNA", 0) == exchange.position == exchange.said.positions().get("HPNA", 0)
    assert done.reports > 50
    assert done.never_arrived > 0
    assert settle(oms, exchange.said, venue=VENUE, timestamp=8).reports == 0  # it says nothing new


def test_orders_that_nobody_here_knew_are_taken_in_with_all_that_happened_to_them() -> None:
    exchange = Exchange(1)
    for _ in range(30):
        exchange.order()
    fresh = Oms(lambda kind, payload, time: None)
    done = settle(fresh, exchange.said, venue=VENUE, timestamp=7)
    assert done.adopted == len(exchange.said.orders)
    assert fresh.positions() == exchange.said.positions()
    assert fresh.violations == []
    assert all(order.status.is_final for order in fresh)


def test_a_broken_trade_is_taken_out_of_the_position() -> None:
    exchange = Exchange(2)
    while not exchange.said.executions:
        exchange.order()
    oms = exchange.oms
    settle(oms, exchange.said, venue=VENUE, timestamp=0)
    execution = next(iter(exchange.said.executions.values()))
    exchange.said.take(Told(Kind.BROKEN, 0, match_number=execution.match_number))
    settle(oms, exchange.said, venue=VENUE, timestamp=1)
    assert oms.positions().get("HPNA", 0) == exchange.position - execution.shares
