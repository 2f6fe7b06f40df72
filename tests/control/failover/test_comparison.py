"""The market as two devices tell it, compared event by event: what is held, what is left out, what differs."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from control.failover.market import Comparison
from wire.records import EVENT, EventType

CARD, SHADOW = 0, 1
PATIENCE = 1_000


def tops(*told: tuple[int, int]) -> NDArray[np.void]:
    """BOOK_TOP events, each by its message and its bid."""
    events = np.zeros(len(told), EVENT.dtype)
    events["type"] = EventType.BOOK_TOP
    events["cause"], events["price"] = [each[0] for each in told], [each[1] for each in told]
    events["sequence"] = np.arange(len(told)) + 7
    return events


def test_the_same_in_other_pieces_is_the_same() -> None:
    comparison = Comparison(PATIENCE)
    assert comparison.see(CARD, tops((1, 100), (2, 101), (3, 99)), 0) is None
    assert comparison.see(SHADOW, tops((1, 100)), 1) is None
    assert comparison.see(SHADOW, tops((2, 101), (3, 99)), 2) is None
    assert (comparison.compared, comparison.waiting) == (3, (0, 0))


def test_another_price_is_told_with_its_message() -> None:
    comparison = Comparison(PATIENCE)
    comparison.see(CARD, tops((1, 100), (2, 101)), 0)
    found = comparison.see(SHADOW, tops((1, 100), (2, 102)), 1)
    assert found is not None
    assert found.message == 2
    assert "price 101 by the card, 102 by the shadow" in found.text


def test_one_that_stays_behind_is_told_when_patience_ends() -> None:
    comparison = Comparison(PATIENCE)
    comparison.see(CARD, tops((4, 100)), 0)
    assert comparison.tick(PATIENCE) is None
    found = comparison.tick(PATIENCE + 1)
    assert found is not None
    assert (found.message, "the shadow has said nothing" in found.text) == (4, True)


def test_while_held_nothing_differs_and_afterwards_only_what_is_behind() -> None:
    comparison = Comparison(PATIENCE)
    comparison.see(CARD, tops((1, 100)), 0)
    comparison.hold()
    assert comparison.see(CARD, tops((2, 55)), 1) is None
    assert comparison.see(SHADOW, tops((3, 66)), 1) is None
    assert comparison.tick(50 * PATIENCE) is None
    comparison.hold()  # what was told in between is of books that are no more
    assert comparison.see(SHADOW, tops((9, 98), (10, 97)), 60 * PATIENCE) is None
    comparison.go_on(9)
    assert comparison.see(CARD, tops((10, 97)), 60 * PATIENCE) is None
    assert comparison.compared == 1
    assert comparison.see(CARD, tops((11, 1)), 60 * PATIENCE) is None
    found = comparison.see(SHADOW, tops((11, 2)), 60 * PATIENCE)
    assert found is not None
    assert found.message == 11
