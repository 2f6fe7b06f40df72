"""Orders through the control plane: a quote's events into the OMS, and a client's order from the request to the gate's word.

Times are of the processor, so that what else runs on the machine does not count; the journal lies under ``build/``. There is no
peer: no package that could be called beside it does the same.
"""

from __future__ import annotations

import statistics
import sys
import tempfile
import time
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from bench.figures import BUILD, Figure, write
from control.desk import Desk
from control.keeper import Keeper
from control.oms import Oms, Ordered
from control.oms.flow import OrderFlow
from control.store import Journal
from control.store.committer import Committer
from tests.control.small_market import SmallMarket, small_configuration
from wire.records import EVENT, IMMEDIATE_OR_CANCEL, Action, EventType, Side

COMMAND = "make bench ONLY=orders"
REPLACES, ORDERS, BATCH, ROUNDS = 10_000, 1_000, 64, 5
BUY = ord("B") << 8


def quote(replaces: int) -> NDArray[np.void]:
    """The events of a quote that is replaced again and again."""
    events = np.zeros(2 * replaces + 2, EVENT.dtype)
    count = np.arange(len(events), dtype=np.uint64)
    events["sequence"], events["timestamp"] = count, count
    events["price"], events["quantity"] = 2_195_000, 100
    events["order_id"] = (count // 2 + 1) << np.uint64(12)
    events["type"][0::2], events["info"][0::2] = EventType.ORDER_SENT, Action.REPLACE | BUY
    events["value"][2::2] = events["order_id"][0:-2:2]
    events["type"][1::2], events["info"][1::2] = EventType.REPLACED, ord("L")
    events["type"][:2], events["info"][0] = (EventType.ORDER_SENT, EventType.ACCEPTED), Action.NEW | BUY
    return events


def flow_over(keeper: Keeper) -> tuple[OrderFlow, SmallMarket]:
    """A flow over a small market without limits on its rate."""
    free = {"rate": 0, "stale_ns": 0}
    configuration = small_configuration(quoter={"enabled": False}, limits={"rate": 0}, **{"global": free})
    market = SmallMarket(configuration)
    desk = Desk(market, configuration, keeper)
    flow = OrderFlow(Oms(keeper.append), desk)
    market.open()
    return flow, market


def events_per_second(keeper: Keeper) -> tuple[float, float]:
    """Events per second of the owner's processor time, and of the whole process's."""
    flow, market = flow_over(keeper)
    events = quote(REPLACES)
    thread, process = time.thread_time(), time.process_time()
    for begin in range(0, len(events), BATCH):
        flow._events.read(events[begin : begin + BATCH])
    owner = time.thread_time() - thread
    keeper.newest.result(120)
    whole = time.process_time() - process
    if flow.strangers or flow.oms.violations or flow.oms[1].terms != REPLACES:
        raise RuntimeError("the events were not taken as what they are")
    market.device.close()
    return len(events) / owner, len(events) / whole


def orders_per_second() -> float:
    """Orders of a client per second of processor time, the device's command among it."""
    flow, market = flow_over(Keeper())
    begin = time.process_time()
    for number in range(ORDERS):
        ordered = Ordered(0, "bench", str(number), "AMZN", Side.BUY, 2_195_000, 100, 5, IMMEDIATE_OR_CANCEL)
        flow.submit(ordered).result(0)
    spent = time.process_time() - begin
    market.device.close()
    return ORDERS / spent


def main() -> int:
    """Measure, print the table, keep the figures."""
    rates: dict[str, list[float]] = {}
    for _ in range(ROUNDS):
        rates.setdefault("order events into the OMS, without a disk", []).append(events_per_second(Keeper())[0])
        BUILD.mkdir(exist_ok=True)
        with tempfile.TemporaryDirectory(dir=BUILD) as folder:
            keeper = Keeper(Committer(Journal(Path(folder) / "journal")))
            owner, whole = events_per_second(keeper)
            keeper.close()
        rates.setdefault("order events into OMS and journal, the owner's thread", []).append(owner)
        rates.setdefault("order events into OMS and journal, both threads", []).append(whole)
        rates.setdefault("client orders through journal and gate of the software device", []).append(orders_per_second())
    print(f"{'per second and core':<66}{'median':>9}{'lowest':>9}{'highest':>9}")
    for name, found in rates.items():
        print(f"{name:<66}{statistics.median(found):>9,.0f}{min(found):>9,.0f}{max(found):>9,.0f}")
    found = [Figure(name, round(statistics.median(each)), "per second and core", COMMAND) for name, each in rates.items()]
    path = write("bench", found, orders={name: sorted(map(round, each)) for name, each in rates.items()})
    print(f"figures in {path.relative_to(BUILD.parent)}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
