"""Series out of events: against a walk through the same events, one by one."""

import numpy as np
import pytest

from control.series import Steps, of_symbol, thin, total
from wire.records import EVENT, EventType, Side

BID, ASK = 2_000_000, 2_000_200


def events_of_a_day(rng: np.random.Generator, count: int) -> np.ndarray:
    rows = np.zeros(count, EVENT.dtype)
    rows["sequence"] = np.arange(count)
    rows["timestamp"] = np.cumsum(rng.integers(0, 3, count)) * 1000
    rows["symbol"] = rng.integers(0, 2, count)
    kinds = (EventType.BOOK_TOP, EventType.EXECUTED, EventType.ACCEPTED, EventType.CANCELLED, EventType.TRADE)
    rows["type"] = rng.choice(kinds, count)
    rows["side"] = rng.integers(0, 2, count)
    rows["order_id"] = rows["symbol"].astype(np.uint64) << 3 | rows["side"].astype(np.uint64) << 2 | (4096 * 7)
    rows["price"] = BID + 100 * rng.integers(-20, 20, count)
    rows["price2"] = rows["price"] + 200
    rows["quantity"] = rng.integers(1, 300, count)
    rows["quantity2"] = rng.integers(0, 2, count) * 50
    rows["info"] = rng.integers(0, 8, count)
    return rows


@pytest.mark.parametrize("symbol", [0, 1])
def test_position_and_pnl_are_those_of_a_walk_through_the_fills(rng: np.random.Generator, symbol: int) -> None:
    events = events_of_a_day(rng, 3000)
    series = of_symbol(events, symbol)
    position = cash = mark = 0
    bid = ask = None
    walked: dict[int, tuple[int, int]] = {}
    for event in events[events["symbol"] == symbol]:
        if event["type"] == EventType.BOOK_TOP:
            bid = int(event["price"]) if event["info"] & 1 else None
            ask = int(event["price2"]) if event["info"] & 2 else None
        elif event["type"] == EventType.EXECUTED:
            quantity = int(event["quantity"]) * (1 if event["side"] == Side.BUY else -1)
            position += quantity
            cash -= quantity * int(event["price"])
        walked[int(event["timestamp"])] = (position, cash)
    at = np.array(sorted(walked))
    assert np.nan_to_num(series.position.when(at)).tolist() == [walked[t][0] for t in at]
    assert len(series.fills.at) == int(((events["symbol"] == symbol) & (events["type"] == EventType.EXECUTED)).sum())
    mark = bid if position > 0 else ask
    if mark is not None:
        assert series.pnl.values[-1] == cash + position * mark


def test_a_quote_ends_where_it_is_gone(rng: np.random.Generator) -> None:
    rows = np.zeros(5, EVENT.dtype)
    rows["type"] = [
        EventType.ACCEPTED,
        EventType.REPLACED,
        EventType.EXECUTED,
        EventType.EXECUTED,
        EventType.ACCEPTED,
    ]
    rows["timestamp"] = [10, 20, 30, 40, 50]
    rows["price"] = [BID, BID + 100, BID + 100, BID + 100, BID]
    rows["quantity2"] = [0, 0, 60, 0, 0]
    rows["info"] = [ord("L"), ord("L"), 0, 0, ord("D")]
    found = of_symbol(rows, 0).our_bid
    assert found.at.tolist() == [10, 20, 40, 50]
    assert found.values[:2].tolist() == [BID, BID + 100]
    assert np.isnan(found.values[2:]).all()


def test_thinning_keeps_first_last_and_every_extreme_of_each_stretch(rng: np.random.Generator) -> None:
    at = np.cumsum(rng.integers(1, 50, 50_000)).astype(np.int64)
    values = np.cumsum(rng.standard_normal(50_000))
    values[rng.integers(0, 50_000, 20)] += 500  # spikes of one step
    steps = Steps(at, values)
    drawn = thin(steps, 1000)
    assert len(drawn) <= 1100
    assert (drawn.at[0], drawn.at[-1]) == (at[0], at[-1])
    assert set(zip(drawn.at.tolist(), drawn.values.tolist(), strict=True)) <= set(
        zip(at.tolist(), values.tolist(), strict=True)
    )
    edges = np.linspace(at[0], at[-1] + 1, 251)
    for low, high in zip(edges[:-1:25], edges[25::25], strict=True):
        inside, kept = (at >= low) & (at < high), (drawn.at >= low) & (drawn.at < high)
        if inside.any():
            assert drawn.values[kept].max() == values[inside].max()
            assert drawn.values[kept].min() == values[inside].min()


def test_short_series_are_not_thinned() -> None:
    steps = Steps(np.arange(10), np.arange(10.0))
    assert thin(steps, 10) is steps


def test_a_total_is_the_sum_at_every_move() -> None:
    a = Steps(np.array([1, 5]), np.array([10.0, 20.0]))
    b = Steps(np.array([3, 5, 9]), np.array([1.0, 2.0, 3.0]))
    found = total([a, b, Steps(np.zeros(0, np.int64), np.zeros(0))])
    assert found.at.tolist() == [1, 3, 5, 9]
    assert found.values.tolist() == [10.0, 11.0, 22.0, 23.0]


def test_untrusted_stretches_run_from_loss_to_return() -> None:
    rows = np.zeros(5, EVENT.dtype)
    rows["type"], rows["timestamp"] = EventType.BOOK_TOP, [1, 2, 3, 4, 5]
    rows["info"] = [7, 3, 3, 7, 3]
    assert of_symbol(rows, 0).untrusted == [(2, 4), (5, 5)]
