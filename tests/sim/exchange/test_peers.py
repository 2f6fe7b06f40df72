"""The matching core beside nanobook from PyPI: the same trades, in the same order, and the same book.

Limit and immediate orders only: what nanobook 0.19.2 does after a cancel is no oracle, see `bench.exchange`.
"""

import numpy as np
import pytest

from bench import exchange, peers

pytestmark = pytest.mark.oracle


@pytest.mark.parametrize("number", range(3))
def test_trades_and_book_are_those_of_nanobook(number: int, rng: np.random.Generator) -> None:
    if not peers.PYTHON.exists():
        pytest.skip(f"no peers' environment at {peers.PYTHON}: `make bench` makes it, HAIRPIN_PEERS names another")
    rows = exchange.load(4000, int(rng.integers(1 << 30)), cancels=False)
    core = exchange.core_of(1 << 14)
    ours = exchange.trades(core.process(rows))
    answer = exchange.peer(rows, 1)
    assert answer["trades"] == ours
    assert answer["book"] == [[list(row) for row in core.depth(0, side)] for side in (0, 1)]
    assert len(ours) > 100
