"""The matching core against a slow and obvious model, order by order, with every kind of order and command."""

import numpy as np
import pytest
from hypothesis import given, settings

from sim.exchange.matching.core import Core, command
from sim.exchange.matching.state import ALL_SHOWN, MARKET_PRICE, WIDTH, Command, Event, create, list_symbol
from tests.sim.exchange.driving import BASE, LAST, LEVELS, PRICES, TICK, Pair, steps


@given(steps)
@settings(max_examples=400)
def test_everything_that_happens_happens_in_the_model(actions: list[tuple]) -> None:
    pair = Pair()
    for action in actions:
        pair.do(action)
        pair.agree()


@given(steps)
@settings(max_examples=150)
def test_a_book_that_was_crossed_before_the_open_is_not_after_its_cross(actions: list[tuple]) -> None:
    pair = Pair(state_="Q")
    for action in [a for a in actions if a[0] not in ("state", "cross")]:
        pair.do(action)
    pair.do(("cross", "O", 0, (0, 0)))
    pair.agree()
    best = [pair.core.queue(0, side) for side in (0, 1)]
    assert not (best[0] and best[1]) or best[0][0].price < best[1][0].price


def random_commands(rng: np.random.Generator, count: int, symbols: int) -> np.ndarray:
    """Entered, cancelled and replaced at random, references guessed from the slots that there must be."""
    rows = np.zeros((count, WIDTH), np.int64)
    for i in range(count):
        if rng.random() < 0.9:
            rows[i] = command(
                Command.ENTER, time=i, symbol=int(rng.integers(symbols)), side=int(rng.integers(2)), token=i,
                price=int(PRICES[rng.integers(len(PRICES))]), shares=int(rng.integers(1, 500)), owner=1,
                display=int(rng.choice([ALL_SHOWN, ALL_SHOWN, 0, 50])), flags=int(rng.choice([0, 0, 0, 1, 2, 8])),
            )  # fmt: skip
        else:
            rows[i] = command(
                Command.CROSS, time=i, symbol=int(rng.integers(symbols)), value=ord(str(rng.choice(list("OCH"))))
            )
    return rows


def core_of(symbols: int, events: int) -> Core:
    core = Core(symbols, LEVELS, 4096, events)
    for symbol in range(symbols):
        core.open_symbol(symbol, BASE, TICK, LAST)
    return core


def test_how_large_the_event_buffer_is_changes_nothing(rng: np.random.Generator) -> None:
    commands = random_commands(rng, 1500, 3)
    large, small = core_of(3, 1 << 16), core_of(3, 32)
    wanted = large.process(commands)
    parts = [small.process(commands[i : i + 7]) for i in range(0, len(commands), 7)]
    assert np.array_equal(np.concatenate(parts), wanted)
    assert small.hash == large.hash
    assert small.counters == large.counters


def test_a_copy_of_the_memory_is_a_copy_of_the_exchange(rng: np.random.Generator) -> None:
    commands = random_commands(rng, 800, 2)
    one, other = core_of(2, 4096), core_of(2, 4096)
    one.process(commands[:400])
    other.memory[:] = one.memory
    assert other.hash == one.hash
    assert np.array_equal(one.process(commands[400:]), other.process(commands[400:]))
    assert other.hash == one.hash


def test_the_hash_sees_priority() -> None:
    hashes = set()
    for first, second in ((30, 40), (40, 30)):
        core = core_of(1, 64)
        for shares in (first, second):
            core.one(Command.ENTER, price=PRICES[0], shares=shares, display=ALL_SHOWN)
        hashes.add(core.hash)
    assert len(hashes) == 2


def test_one_order_takes_a_reserve_many_times_over_with_a_small_event_buffer() -> None:
    core = core_of(1, 32)
    core.one(Command.ENTER, side=1, price=PRICES[0], shares=50_000, display=50, token=1)
    core.one(Command.ENTER, side=1, price=PRICES[0], shares=70, display=0, token=2)
    events = core.one(Command.ENTER, side=0, price=MARKET_PRICE, shares=60_000, display=0, token=3)
    kinds = np.bincount(events[:, 0], minlength=16)
    assert kinds[Event.EXECUTED] == 1001
    assert kinds[Event.REFRESHED] == 999
    assert events[events[:, 0] == Event.CANCELLED][:, 7].tolist() == [60_000 - 50_070]
    assert core.counters["orders_open"] == 0


def test_a_full_pool_refuses() -> None:
    core = Core(1, LEVELS, 2)
    core.open_symbol(0, BASE, TICK, LAST)
    kinds = [int(core.one(Command.ENTER, price=PRICES[0], shares=1, display=1)[0, 0]) for _ in range(3)]
    assert kinds == [Event.ACCEPTED, Event.ACCEPTED, Event.REJECTED]


def test_references_rise_and_are_never_used_twice(rng: np.random.Generator) -> None:
    events = core_of(3, 4096).process(random_commands(rng, 2000, 3))
    references = events[events[:, 0] == Event.ACCEPTED][:, 4]
    assert (np.diff(references) > 0).all()


@pytest.mark.parametrize(("symbols", "levels", "orders"), [(0, 64, 1), (1, 0, 1), (1, 1 << 19, 1), (1, 64, 1 << 22)])
def test_a_size_that_is_none_is_refused(symbols: int, levels: int, orders: int) -> None:
    with pytest.raises(ValueError, match="at least 1"):
        create(symbols, levels, orders)


def test_a_ladder_that_prices_do_not_fit_is_refused() -> None:
    memory = create(1, 64, 1)
    with pytest.raises(ValueError, match="symbol 1"):
        list_symbol(memory, 1, BASE, TICK, LAST)
    with pytest.raises(ValueError, match="levels of 100"):
        list_symbol(memory, 0, 0x7FFFFFFF - 6000, TICK, LAST)
