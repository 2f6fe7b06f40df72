"""The ways to an exchange, of whichever kind a test has."""

from collections.abc import Iterator

import pytest

from tests.control.wired.venue import Exchange, Ways


@pytest.fixture
def ways(exchange: Exchange) -> Iterator[Ways]:
    made = Ways(exchange)
    yield made
    made.close()
