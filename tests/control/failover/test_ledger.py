"""What is known of a device by its events is what it says itself."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import drivers
from control import market
from control.failover.ledger import Ledger
from control.layers import load
from drivers.device import Batch, Device
from wire.records import EventType, Side


def _run(seed: int, ouch: str) -> tuple[Any, Device, Any]:
    values: dict[str, Any] = {
        "input": {"seed": seed, "messages": 6_000, "symbols": ["HPNA", "HPNB"], "rate": 20_000},
        "device": {"symbols": 2, "levels": 4096, "orders": 4096},
        "quoter": {"enabled": True, "size": 100},
        "limits": {"max_position": 100_000, "max_open_orders": 8},
        "venue": {"ouch": ouch, "jitter_ns": 200_000},
    }
    configuration = load(environment={}, flags=values)
    source = market.source(configuration)
    device = drivers.open("software", symbols=2, levels=4096, orders=4096)
    return configuration, device, source


@pytest.mark.parametrize("ouch", ["4.2", "5.0"])
@pytest.mark.parametrize("seed", [1, 2])
def test_orders_and_positions_by_the_events_are_those_of_the_snapshot_at_every_moment(seed: int, ouch: str) -> None:
    configuration, device, source = _run(seed, ouch)
    ledger = Ledger()
    seen: list[np.ndarray[Any, Any]] = []

    def see(batch: Batch) -> None:
        ledger.see(batch.events)
        seen.append(batch.events)

    device.subscribe(see)
    world = market.world(configuration, source.tape)
    run = market.start(world, device, configuration, source.setups, keep_events=False)
    rng, had_orders, had_pending = np.random.default_rng(seed), 0, 0
    for message in range(900, len(source.tape) - 1, 40):
        run.advance(int(source.tape.timestamps[message]))
        snapshot = device.snapshot(at=max(run.now, device.clock))
        for side, levels in ((Side.BUY, snapshot.books[0].bids), (Side.SELL, snapshot.books[0].asks)):
            if levels and rng.random() < 0.5:
                device.submit(0, side, levels[rng.integers(len(levels))].price, int(rng.integers(1, 90)), at=device.clock)
        for order in snapshot.orders:
            if order.tag == 0 and order.slot and rng.random() < 0.2:
                device.cancel(order.order_id, at=device.clock)
        snapshot = device.snapshot(at=device.clock)
        assert ledger.differences(snapshot.positions, snapshot.orders) == []
        had_orders += len(snapshot.orders)
        had_pending += sum(order.pending_id > 0 for order in snapshot.orders)
    events = np.concatenate(seen)
    executed = events[events["type"] == EventType.EXECUTED]
    assert len(executed) > 20
    assert had_orders > 100
    assert had_pending > 0
    notional = int((executed["price"].astype(np.int64) * executed["quantity"]).sum())
    assert ledger.executed_notional == notional
    assert ledger.strays == 0
    sent = events[events["type"] == EventType.ORDER_SENT]
    assert ledger.generation == int(sent["order_id"].max()) >> 12


def test_an_order_that_the_device_forgot_is_named() -> None:
    configuration, device, source = _run(3, "4.2")
    ledger = Ledger()
    device.subscribe(lambda batch: ledger.see(batch.events))
    world = market.world(configuration, source.tape)
    run = market.start(world, device, configuration, source.setups, keep_events=False)
    run.advance(int(source.tape.timestamps[3_000]))
    best = device.snapshot(at=max(run.now, device.clock)).books[0].bids[-1].price
    assert device.submit(0, Side.BUY, best, 10).ok
    snapshot = device.snapshot()
    assert snapshot.orders
    missing = snapshot.orders[0]
    found = ledger.differences(snapshot.positions, snapshot.orders[1:])
    assert found == [f"order {missing.order_id:X}: known to the events only"]
