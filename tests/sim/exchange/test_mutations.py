"""The comparison with the plain model can fail: a rule that is changed in the model is found within a few sequences."""

import pytest
from hypothesis import HealthCheck, Phase, find, settings

from tests.sim.exchange.driving import Pair, steps
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

    def chosen(self, kind: str, reference: int, *, book: bool = True) -> tuple[int, int, int]:
        return super().chosen(kind, 1 << 30, book=book)


MUTANTS = (HiddenFirst, ReserveKeepsItsPlace, NewestFirst, ShrinkingLosesPriority, BandsForgotten, HighestPrice)
SEARCH = settings(
    max_examples=3000, phases=[Phase.generate], database=None, derandomize=True, suppress_health_check=list(HealthCheck)
)


@pytest.mark.parametrize("mutant", MUTANTS)
def test_a_changed_rule_is_found(mutant: type[PlainMarket]) -> None:
    def disagrees(actions: list[tuple]) -> bool:
        pair = Pair()
        pair.model.__class__ = mutant
        try:
            for action in actions:
                pair.do(action)
                pair.agree()
        except AssertionError:
            return True
        return False

    assert find(steps, disagrees, settings=SEARCH)
