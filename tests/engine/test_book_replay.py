"""A replay, which looks ahead, leaves the book that one message at a time leaves, byte for byte."""

import numpy as np
import pytest

from bench.itch_mix import TICK, Load, make
from engine import book
from engine.memory import BLOCK
from engine.replay import LOOK_AHEAD_FROM, replay
from wire.counters import COUNTER_COUNT, NUMBER

LEVELS = 1_024
LIVE = LOOK_AHEAD_FROM + 1_000


class Run:
    """An empty book for a load, and what goes with it."""

    def __init__(self, load: Load) -> None:
        self.book = book.create(len(load.middles), LEVELS, 2 * LIVE)
        for symbol, middle in enumerate(load.middles.tolist()):
            base = max(middle - LEVELS // 2 * TICK, 0)
            book.map_symbol(self.book, symbol, symbol + 1, base, TICK, LEVELS * TICK)
        self.counters = np.zeros(COUNTER_COUNT, np.uint64)
        self.result = np.zeros(book.RESULT_LENGTH, np.int64)
        self.stop = np.zeros(1, np.int64)

    def replay(self, data: np.ndarray, limit: int) -> int:
        return replay(self.book, data, int(self.stop[0]), len(data), limit, self.counters, self.result, self.stop)

    def apply(self, data: np.ndarray, begin: int, length: int) -> None:
        book.apply(self.book, data, begin, length, self.counters, self.result)

    def memory(self) -> np.ndarray:
        """The book, without what a replay noted for itself."""
        return np.delete(self.book.memory, np.s_[self.book.ahead : self.book.located])


def apply_one_by_one(run: Run, data: np.ndarray) -> int:
    at, n, octets = 0, 0, data.tobytes()
    while at < len(data):
        length = int.from_bytes(octets[at : at + 2])
        run.apply(data, at + 2, length)
        at, n = at + 2 + length, n + 1
    return n


@pytest.fixture(scope="module")
def load() -> Load:
    return make(symbols=50, messages=20_000, live=LIVE)


@pytest.mark.parametrize("limit", [1, BLOCK - 1, BLOCK, BLOCK + 1, 1 << 40])
def test_a_replay_in_pieces_of_any_size_is_one_message_after_another(load: Load, limit: int) -> None:
    one, other = Run(load), Run(load)
    assert apply_one_by_one(one, load.data) == load.messages
    taken = 0
    while n := other.replay(load.data, limit):
        taken += n
    assert (taken, int(other.stop[0])) == (load.messages, len(load.data))
    assert one.counters.tolist() == other.counters.tolist()
    assert one.counters[NUMBER["unknown_reference"]] == 0
    assert np.array_equal(one.memory(), other.memory())


def test_damaged_messages_do_the_same_ahead_of_time(load: Load, rng: np.random.Generator) -> None:
    """What a look-ahead reads may be nonsense; it only ever asks for memory."""
    data = load.data.copy()
    begins = np.cumsum([0, *(2 + length for length in lengths_of(data)[:-1])])
    for begin in rng.choice(begins, 5_000, replace=False).tolist():
        place = begin + 2 + int(rng.integers(0, data[begin + 1]))
        data[place] ^= 1 << int(rng.integers(0, 8))
    one, other = Run(load), Run(load)
    apply_one_by_one(one, data)
    other.replay(data, 1 << 40)
    for name in ("unknown_reference", "itch_unknown", "out_of_band", "duplicate_reference", "over_execution"):
        assert one.counters[NUMBER[name]] > 0, name
    assert one.counters.tolist() == other.counters.tolist()
    assert np.array_equal(one.memory(), other.memory())


@pytest.mark.parametrize("cut", [1, 2, 19, 20, 21, 50])
def test_a_replay_leaves_a_message_that_is_not_whole(load: Load, cut: int) -> None:
    run = Run(load)
    n = run.replay(load.data[:-cut], 1 << 40)
    assert n < load.messages
    assert run.replay(load.data, 1 << 40) == load.messages - n
    assert int(run.stop[0]) == len(load.data)


def test_a_length_of_0_ends_a_replay(load: Load) -> None:
    middle = sum(2 + length for length in lengths_of(load.data)[: 1_000 + LIVE])
    data = np.concatenate([load.data[:middle], np.zeros(2, np.uint8), load.data[middle:]])
    run = Run(load)
    assert run.replay(data, 1 << 40) == 1_000 + LIVE
    assert int(run.stop[0]) == middle


def test_a_length_beyond_the_end_is_no_message_wherever_it_stands(load: Load) -> None:
    data = load.data.copy()
    begin = sum(2 + int(length) for length in lengths_of(data)[:-100])
    data[begin] = 0xFF
    run = Run(load)
    assert run.replay(data, 1 << 40) == load.messages - 100
    assert int(run.stop[0]) == begin
    assert run.counters[NUMBER["itch_bad_length"]] == 0


def lengths_of(data: np.ndarray) -> list[int]:
    found, at = [], 0
    while at < len(data):
        found.append(int(data[at + 1]))
        at += 2 + found[-1]
    return found
