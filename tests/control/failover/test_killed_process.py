"""An engine's process killed with its quotes in the market: real processes and sockets. `bench.failover` measures it."""

from __future__ import annotations

from bench.failover import once


def test_the_shadow_goes_on_with_the_exchanges_positions_and_nothing_is_left_open() -> None:
    found = once()
    assert found["open_orders"] >= 2
    assert found["left_open"] == 0
    positions = found["positions"].values()
    assert all(each["device"] == each["drop_copy"] for each in positions)
    assert any(each["device"] for each in positions)
    assert found["detected_ms"] <= found["cancelled_ms"] <= found["taken_over_ms"] <= found["logged_in_ms"]
