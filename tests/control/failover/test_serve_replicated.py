"""``serve`` with a standby: what a client was told is on the other machine; who is not primary any more is stopped."""

from __future__ import annotations

import time
from collections.abc import Callable
from pathlib import Path

from rich.console import Console

from control.configuration import Configuration, Replication
from control.live import Owner
from control.oms import Ordered
from control.screen import Lines
from control.server import prepare
from tests.control.failover.cluster import Cluster
from tests.control.small_market import small_configuration
from wire.records import Side


def _configuration(folder: Path, replication: Replication) -> Configuration:
    made = small_configuration(
        input={"symbols": ["HPNA"], "speed": 1}, serve={"state": str(folder), "minutes": 1, "rate": 50}
    )
    return made.model_copy(update={"replication": replication})


def _served(folder: Path, replication: Replication) -> Owner:
    owner = prepare(_configuration(folder, replication), "software", Lines(Console(quiet=True)))
    owner.start()
    return owner


def _end(owner: Owner) -> None:
    owner.stop()
    owner.desk.keeper.close()


def _until(done: Callable[[], object]) -> None:
    end = time.monotonic() + 30
    while not done():
        assert time.monotonic() < end
        time.sleep(0.02)


def test_an_order_that_was_acknowledged_is_an_order_of_whoever_is_primary_next(
    tmp_path: Path, replicated: Replication
) -> None:
    first = _served(tmp_path / "first", replicated)
    price = first.desk.setup("HPNA").base_price + 100 * first.desk.setup("HPNA").tick
    asked = Ordered(0, "somebody", "o1", "HPNA", Side.BUY, price, 7, 1, 99_999)
    order = first.ask(lambda _: first.flow.submit(asked)).result(30).result(30)
    _end(first)

    second = _served(tmp_path / "second", replicated)
    try:
        found, number = second.flow.oms.by_client("somebody", "o1") or (None, None)
        assert found is not None
        assert (number, found.ordered.quantity, found.order_id) == (0, 7, order.order_id)
        assert second.flow.run == 2
    finally:
        _end(second)


def test_a_primary_that_cannot_renew_its_lease_is_killed(tmp_path: Path, replicated: Replication, cluster: Cluster) -> None:
    owner = _served(tmp_path / "alone", replicated)
    try:
        assert not owner.desk.watch.killed
        cluster.kill()
        _until(lambda: owner.desk.watch.killed)
        assert "not renewed" in owner.desk.keeper.failure
    finally:
        owner.stop()
        cluster.start()
        cluster.ready(replicated.stream)
        owner.desk.keeper.close()
