"""How long what fails takes to be good again: a gap until the books are trusted, an order connection until it is logged in.

`hairpin exchange` in a process of its own publishes on two feeds that lose packets; the live market of this process asks again,
takes snapshots where nobody answers, and logs in at the other port when one dies. All of it over loopback, so the figures are
what our own code takes, on a machine that runs the exchange too.
"""

from __future__ import annotations

import logging
import statistics
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import orjson

from bench.figures import Figure, write
from control.wired.market import LiveMarket
from tests.control.wired.venue import Exchange, Ways
from wire.records import SessionState

COMMAND = "make bench ONLY=recovery"
GAPS, SNAPSHOTS, LOGINS = 100, 30, 30
LOSS, RATE = 0.2, 1_000.0
SECONDS = 180.0


def run(market: LiveMarket, done: Callable[[], bool], what: str) -> None:
    """Look after the market until something is so."""
    end = time.monotonic() + SECONDS
    while not done():
        market.advance(0)
        time.sleep(LiveMarket.IDLE_SECONDS)
        if time.monotonic() > end:
            raise SystemExit(f"{what}: not in {SECONDS} s")


def gaps(market: LiveMarket, by: str, count: int) -> list[int]:
    """Nanoseconds of so many gaps that were closed so from now on."""
    before = len(market.recovered)

    def found() -> list[int]:
        return [each.ns for each in market.recovered[before:] if each.by == by]

    run(market, lambda: len(found()) >= count, f"gaps closed by {by}")
    return found()[:count]


def logins(market: LiveMarket, ways: Ways, count: int) -> list[int]:
    """Nanoseconds of so many ways back, each after the port in use was cut."""
    for _ in range(count):
        before = len(market.orders.back_ns)
        assert market.orders.at is not None
        used = next(way for way in ways.orders if way.port == market.orders.at.port)
        used.cut()
        run(market, lambda before=before: len(market.orders.back_ns) > before, "logins")  # type: ignore[misc]
        used.open()
        run(market, lambda: market.orders.state is SessionState.UP, "sessions")
    return market.orders.back_ns[-count:]


def main() -> None:
    """Measure, print as JSON, keep the figures."""
    logging.disable(logging.WARNING)
    with tempfile.TemporaryDirectory() as folder:
        exchange = Exchange(Path(folder), loss=LOSS, rate=RATE)
        ways = Ways(exchange)
        market = LiveMarket(ways.configuration(market={"idle_us": 50}), lambda told: print(f"  {told}", file=sys.stderr))
        try:
            market.open()
            print("  re-requests", file=sys.stderr)
            found: dict[str, list[int]] = {"gap to trust, by re-request": gaps(market, "re-request", GAPS)}
            print("  snapshots", file=sys.stderr)
            for each in ways.rerequests:
                each.dead = True
            before = len(market.brought)
            found["gap to trust, by snapshot"] = gaps(market, "snapshot", SNAPSHOTS)
            brought = market.brought[before:]
            for each in ways.rerequests:
                each.dead = False
            print("  logins", file=sys.stderr)
            found["order connection lost to logged in"] = logins(market, ways, LOGINS)
        finally:
            market.close()
            ways.close()
            exchange.kill()
    told: dict[str, Any] = {}
    figures = []
    for name, times in found.items():
        milliseconds = sorted(ns / 1e6 for ns in times)
        told[name] = {
            "count": len(times),
            "p50_ms": round(statistics.median(milliseconds), 3),
            "p90_ms": round(milliseconds[len(milliseconds) * 9 // 10], 3),
            "maximum_ms": round(milliseconds[-1], 3),
        }
        for what, key in (("p50", "p50_ms"), ("maximum", "maximum_ms")):
            figures.append(Figure(f"{name}, {what}", told[name][key], "ms", COMMAND))
    told["snapshot into the device"] = {
        "orders": round(statistics.median(each.added for each in brought)),
        "p50_ms": round(statistics.median(each.seconds for each in brought) * 1e3, 3),
    }
    sys.stdout.buffer.write(orjson.dumps(told, option=orjson.OPT_INDENT_2 | orjson.OPT_APPEND_NEWLINE))
    sys.stdout.flush()
    write("bench", figures)


if __name__ == "__main__":
    main()
