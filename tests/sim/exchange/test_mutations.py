"""The comparison with the plain model can fail: a rule that is changed in the model is found by a few orders."""

import pytest

from sim.exchange.matching.state import ALL_SHOWN
from tests.sim.exchange.driving import PRICES, Pair
from tests.sim.exchange.plain_market import Order, PlainMarket


class HiddenFirst(PlainMarket):
    """Hidden orders before displayed ones."""

    def book(self, side: int) -> list[Order]:
        resting = [o for o in self.orders if o.side == side and not o.waits]
        return sorted(resting, key=lambda o: ((-o.price if side == 0 else o.price), o.displayed != 0, o.arrival))


class ReserveKeepsItsPlace(PlainMarket):
    """A reserve that is shown again stays where it was."""

    def reduce_resting(self, order: Order, shares: int) -> None:
        arrival = order.arrival
        super().reduce_resting(order, shares)
        order.arrival = arrival


class NewestFirst(PlainMarket):
    """The last one at a price trades first."""

    def book(self, side: int) -> list[Order]:
        resting = [o for o in self.orders if o.side == side and not o.waits]
        return sorted(resting, key=lambda o: ((-o.price if side == 0 else o.price), o.displayed == 0, -o.arrival))


class ShrinkingLosesPriority(PlainMarket):
    """A replacement that only goes down in size goes to the end."""

    def replace(self, token: int, owner: int, new: int, price: int, shares: int, display: int, flags: int) -> None:
        super().replace(token, owner, new, price, shares, display, flags)
        if (order := self.find(new, owner)) is not None:
            order.arrival = self.now()


class BandsForgotten(PlainMarket):
    """Price bands hold nobody back."""

    def outside(self, order: Order) -> bool:
        return False


class HighestPrice(PlainMarket):
    """Of the prices at which as much trades, the highest."""

    def best_of(self, prices: list[int], part: list[Order], middle: float) -> int:
        return super().best_of(prices, part, 1 << 30)


class NobodyRemains(PlainMarket):
    """Of the prices with the least imbalance, the nearest to the middle, whether anybody's order is left over there or not."""

    def best_of(self, prices: list[int], part: list[Order], middle: float) -> int:
        rounded = [Order(o.token, o.owner, o.firm, o.side, o.price + 1 - 2 * o.side, o.open, 0, 0, 0) for o in part]
        return super().best_of(prices, rounded, middle)


class NoThreshold(PlainMarket):
    """A cross at any distance from the middle."""

    def chosen(
        self, kind: str, given: int, threshold: tuple[int, int] = (0, 0), *, book: bool = True
    ) -> tuple[int, int, int]:
        return super().chosen(kind, given, book=book)


P = PRICES[4]


def order(side: int, price: int, shares: int, display: int = ALL_SHOWN, flags: int = 0) -> tuple:
    return ("enter", 1, 0, side, price, shares, display, flags, 0)


REVEALING = {
    HiddenFirst: [order(0, P, 10, 0), order(0, P, 20), order(1, P, 15)],
    ReserveKeepsItsPlace: [order(0, P, 40, 10), order(0, P, 20), order(1, P, 15)],
    NewestFirst: [order(0, P, 10), order(0, P, 20), order(1, P, 15)],
    ShrinkingLosesPriority: [order(0, P, 10), order(0, P, 20), ("resize", 8, 5), order(1, P, 7)],
    BandsForgotten: [("bands", (P, P + 200)), order(0, P + 300, 10)],
    NobodyRemains: [
        ("state", "Q"), order(0, P + 300, 20), order(1, P, 10), order(1, P + 500, 10), ("cross", "O", P, (0, 0)),
    ],
    NoThreshold: [
        ("state", "Q"), order(0, P + 500, 20), order(1, P + 500, 10), order(1, P + 400, 5), ("cross", "O", P, (0, 400)),
    ],
    HighestPrice: [("state", "Q"), order(0, P + 300, 10), order(1, P, 10), ("cross", "O", P, (0, 0))],
}  # fmt: skip


def agrees(actions: list[tuple], model: type[PlainMarket]) -> bool:
    pair = Pair()
    pair.model.__class__ = model
    try:
        for action in actions:
            pair.do(action)
            pair.agree()
    except AssertionError:
        return False
    return True


@pytest.mark.parametrize("mutant", REVEALING)
def test_a_changed_rule_is_found(mutant: type[PlainMarket]) -> None:
    assert agrees(REVEALING[mutant], PlainMarket)
    assert not agrees(REVEALING[mutant], mutant)
