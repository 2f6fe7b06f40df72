"""Several venues at once: as fast as they go, without a socket; or on sockets, in one process or one for each."""

from __future__ import annotations

import asyncio
import multiprocessing
import time
from collections.abc import Callable
from concurrent.futures import ProcessPoolExecutor
from typing import Any

from sim.exchange.config import ExchangeConfig, VenueConfig
from sim.exchange.day import Day
from sim.exchange.server import Plug, Server

Say = Callable[[dict[str, Any]], None]


def offline(config: ExchangeConfig) -> list[dict[str, Any]]:
    """Every venue's day without ports, as fast as it goes; the same configuration gives the same state hash."""
    found = []
    for venue in config.venues:
        day = Day(venue)
        begin = time.perf_counter()
        day.run()
        found.append({**day.result(), "seconds": round(time.perf_counter() - begin, 3)})
    return found


async def serve(
    config: ExchangeConfig, seconds: float | None, ready: Say, progress: Say, plug: Plug | None = None
) -> list[dict[str, Any]]:
    """Every venue's day on sockets in this process. ``ready`` is told each one's ports, ``progress`` how it goes;
    ``plug`` is what FIX ports are carried by, see :class:`~sim.exchange.server.Server`.
    """
    servers = [Server(Day(venue), plug) for venue in config.venues]
    for server in servers:
        ready(await server.start())

    def say(server: Server) -> None:
        counters = server.day.venue.core.counters
        progress({"venue": server.config.name, "messages": len(server.packer.publication), **counters})

    try:
        await asyncio.gather(*(server.run(seconds, say) for server in servers))
    finally:
        for server in servers:
            await server.stop()
    return [server.result() for server in servers]


def _alone(venue: VenueConfig, seconds: float | None, plug: Plug | None) -> dict[str, Any]:
    """One venue in a process of its own, which tells its ports on standard error."""
    import json
    import sys

    def ready(ports: dict[str, Any]) -> None:
        print(json.dumps(ports), file=sys.stderr, flush=True)

    return asyncio.run(serve(ExchangeConfig(venues=(venue,)), seconds, ready, lambda _: None, plug))[0]


def in_processes(config: ExchangeConfig, seconds: float | None, plug: Plug | None = None) -> list[dict[str, Any]]:
    """Every venue's day on sockets, each in a process of its own; ``plug`` is a function of a module."""
    context = multiprocessing.get_context("spawn")
    with ProcessPoolExecutor(len(config.venues), mp_context=context) as pool:
        return list(pool.map(_alone, config.venues, [seconds] * len(config.venues), [plug] * len(config.venues)))
