"""From a killed process to a trading shadow, as `hairpin serve --device pair` has them: how long each step takes.

An exchange, the engine's process that trades, and this process with its shadow, all on this machine. The engine's process is
killed with SIGKILL while its quotes stand in the market. Then positions are compared with the exchange's drop copy.
"""

from __future__ import annotations

import json
import os
import signal
import statistics
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

from bench.figures import Figure, write
from bench.recovery import run
from control.failover.pair import Pair
from control.failover.takeover import Phase
from control.wired.market import LiveMarket
from drivers.process import EngineProcess
from tests.control.wired.venue import HOST, Exchange, Ways
from wire.records import EventType, SessionState, SlotState

COMMAND = "make bench ONLY=failover"
RUNS = 5
GROUPS = ("239.7.1.1", "239.7.1.2")
RATE = 800.0


class Scene:
    """The market, and what happens in it."""

    def __init__(self, market: LiveMarket) -> None:
        assert market.pair is not None
        self.market, self.pair = market, market.pair
        self.traded = 0
        self.pair.subscribe(lambda batch: self._count(batch.events))

    def _count(self, events: Any) -> None:
        self.traded += int((events["type"] == EventType.EXECUTED).sum())

    def until(self, done: Callable[[], bool], what: str) -> int:
        """Look after the market until something is so; when that was, ns."""
        run(self.market, done, what)
        return self.pair.now

    def run(self) -> dict[str, Any]:
        """Kill the process with quotes in the market, and have its shadow take over."""
        pair, orders = self.pair, self.market.orders
        self.until(lambda: self.traded >= 10 and _quotes(pair) >= 2 and pair.checks > 0, "quotes in the market")
        known, before = len(pair.ledger.orders), self.traded
        assert isinstance(pair.card, EngineProcess)
        killed = pair.now
        os.kill(pair.card.pid, signal.SIGKILL)
        detected = self.until(lambda: pair.failed is not None, "detection")
        handed = self.until(lambda: pair.active is pair.shadow, "take-over")
        logged_in = self.until(lambda: orders.state is SessionState.UP, "login")
        self.until(lambda: self.traded > before + 3, "executions")
        takeover = self.market.succession.takeover if self.market.succession is not None else None
        assert takeover is not None
        self.until(self._agrees, "the exchange's positions")
        return {
            "open_orders": known,
            "detected_ms": (detected - killed) / 1e6,
            "cancelled_ms": (takeover.times[Phase.SETTLING] - killed) / 1e6,
            "taken_over_ms": (handed - killed) / 1e6,
            "logged_in_ms": (logged_in - killed) / 1e6,
            "left_open": len(takeover.view.open),
            "account_messages": takeover.sequence - 1,
            "positions": self.market.status()["positions"],
        }

    def _agrees(self) -> bool:
        status = self.market.status()
        return not status["drop_copy"]["waiting"] and all(
            each["device"] == each["drop_copy"] for each in status["positions"].values()
        )


def _quotes(pair: Pair) -> int:
    return sum(entry.state is SlotState.LIVE for entry in pair.ledger.orders.values())


def once() -> dict[str, Any]:
    """One kill."""
    with tempfile.TemporaryDirectory(dir="/dev/shm") as name:
        exchange = Exchange(Path(name), rate=RATE, groups=GROUPS)
        ways = Ways(exchange)
        configuration = ways.configuration(
            market={"orders": [f"{HOST}:{exchange.ports['order']}"], "idle_us": 50, "process_patience_ns": 5_000_000_000},
            quoter={"enabled": True, "size": 100},
            limits={"max_position": 50_000},
        )
        try:
            market = LiveMarket(configuration, lambda text: None, pair=True)
            try:
                market.open()
                return Scene(market).run()
            finally:
                market.close()
        finally:
            ways.close()
            exchange.kill()


def main() -> None:
    """Measure, and write the figures."""
    found = []
    for number in range(RUNS):
        print(f"failover: {number + 1} of {RUNS}", file=sys.stderr, flush=True)
        found.append(once())
    names = {
        "detected_ms": "Failover: engine's process killed to detection",
        "cancelled_ms": "Failover: killed to all its orders cancelled",
        "logged_in_ms": "Failover: killed to the shadow logged in with the exchange's positions",
    }
    write("bench", [
        Figure(text, round(statistics.median(each[name] for each in found), 1), "ms", COMMAND) for name, text in names.items()
    ])  # fmt: skip
    print(json.dumps(found, indent=2))


if __name__ == "__main__":
    main()
