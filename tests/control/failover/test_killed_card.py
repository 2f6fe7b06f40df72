"""A card's process killed with its quotes in the market: real processes, real sockets. `make bench ONLY=failover` measures it."""

from __future__ import annotations

from bench.failover import once


def test_the_engine_goes_on_with_the_exchanges_positions_and_nothing_of_the_card_is_left_open() -> None:
    found = once()
    assert found["open_orders"] >= 2
    assert found["left_open"] == 0
    assert found["positions"] == found["exchange"]
    assert any(found["exchange"].values())
    assert len(found["alarms"]) == 1
    assert found["detected_ms"] <= found["fenced_ms"] <= found["cancelled_ms"] <= found["taken_over_ms"]
