"""Auctions: books that are crossed before the open or carry orders on close, priced by a model that tries every price."""

from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from sim.exchange.config import Flow, Threshold, VenueConfig
from sim.exchange.day import SECOND, Day
from sim.exchange.matching.state import ALL_SHOWN, MARKET_PRICE
from tests.sim.exchange.driving import LAST, PRICES, Pair, cross, imbalance
from tests.sim.exchange.test_exchange_ports import enter42
from wire import itch

few = st.sampled_from(PRICES[3:9])
order = st.tuples(
    st.just("enter"), st.just(1), st.just(0), st.integers(0, 1), st.one_of(few, few, few, st.just(MARKET_PRICE)),
    st.sampled_from([10, 10, 20, 30]), st.sampled_from([ALL_SHOWN, ALL_SHOWN, 0, 10]), st.sampled_from([0, 0, 8, 16]), st.just(0),
)  # fmt: skip


asks = st.lists(st.one_of(imbalance, cross), min_size=1, max_size=3)


@given(st.sampled_from("QT"), st.lists(order, min_size=3, max_size=14), asks)
@settings(max_examples=250)
def test_a_cross_and_its_indicator_are_what_trying_every_price_gives(
    state: str, orders: list[tuple[Any, ...]], asked: list[tuple[Any, ...]]
) -> None:
    pair = Pair(state_=state)
    for action in [*orders, *asked]:
        pair.do(action)
        pair.agree()


def priced(*orders: tuple[int, int, int], threshold: tuple[int, int] = (0, 0), last: int = LAST) -> tuple[int, int, str]:
    """Price and shares of the opening cross of limit orders on open (side, price, shares), and what is left of the book."""
    pair = Pair(state_="Q")
    pair.model.last = last
    for side, price, shares in orders:
        pair.do(("enter", 1, 0, side, price, shares, ALL_SHOWN, 8, 0))
    pair.do(("cross", "O", last, threshold))
    said = [entry for entry in pair.said() if entry[0] == "cross"]
    return said[0][2], said[0][3], said[0][1]


P = PRICES[4]


def test_each_rule_decides_where_those_before_it_do_not() -> None:
    most = priced((0, P + 200, 10), (0, P, 30), (1, P, 20), last=P + 200)
    assert most == (P, 20, "O"), "(A) the most shares, however far away"
    least = priced((0, P + 200, 20), (1, P, 20), (1, P + 200, 10), last=P + 200)
    assert least == (P + 100, 20, "O"), "(B) the least imbalance"
    entered = priced((0, P + 300, 30), (1, P, 20), last=P)
    assert entered == (P + 300, 20, "O"), "(C) where the buyer who is left over stands"
    near = priced((0, P + 300, 20), (1, P, 20), last=P + 100)
    assert near == (P + 100, 20, "O"), "(D) nearest to the benchmark, nobody being left over"
    within = priced((0, P + 300, 30), (1, P, 20), last=P, threshold=(0, 100))
    assert within == (P, 20, "O"), "(E) within the threshold nobody stands who is left over, so (D) decides"


def test_the_indicator_comes_at_its_times_and_early_without_prices() -> None:
    config = VenueConfig(symbols=("AAA",), flow=Flow(source="none"), cross_threshold=Threshold(percent=5, least=100))
    day = Day(config)
    day.start = day.venue.time = day.open - 400 * SECOND
    day._timetable = day._plan()
    entry = day.entries[0]
    day.advance(day.start + SECOND)
    for side in (0, 1):
        for letter, distance in (("O", 0), ("N", 200)):
            price = 1_000_000 + (distance if side else -distance)
            token = f"{side}{letter}"
            entry.receive(enter42(token, "BS"[side], 100, price, cross_type=letter))
    day.advance(day.open + SECOND)
    for letter, side in (("C", "B"), ("C", "S")):
        entry.receive(enter42(f"{side}{letter}", side, 100, 1_000_000, cross_type="C"))
    day.run()
    told = [itch.ITCH.unpack(day.venue.publication[i]) for i in range(len(day.venue.publication))]
    found = [each for each in told if each["type"] == "I"]
    opening, closing = ([each for each in found if each["cross_type"] == kind] for kind in "OC")
    for each, early, late, end in ((opening, 300, 120, day.open), (closing, 600, 300, day.close)):
        wanted = [*range(early, late, -10), *range(late, 0, -1)]
        assert [(end - one["timestamp"]) // SECOND for one in each] == wanted
        whole = [one for one in each if end - one["timestamp"] <= late * SECOND]
        assert {one["near_price"] for one in whole} == {1_000_000}
        assert {one["far_price"] for one in whole} == {1_000_000}
        assert {one["near_price"] for one in each if one not in whole} == {0}
        assert {one["paired_shares"] for one in each} == {100}
        assert {one["current_reference_price"] for one in each} == {1_000_000}
