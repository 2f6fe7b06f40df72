"""What trades at an exchange on sockets: an engine, or two of them."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from control.configuration import Configuration
from control.wired.feeds import Feeds
from control.wired.pair import WiredPair
from drivers.live import LiveDevice
from drivers.process import EngineProcess
from drivers.sockets import SocketDevice

SHADOW_IDLE_US = 50
"""A shadow need not be quick: it always sleeps a little."""
DIVERGENCE_NS = 5_000_000_000
"""How long one device of a pair may know of the market what the other does not: it may have to ask again for it."""


def device_for(
    configuration: Configuration, alarm: Callable[[str], None], *, pair: bool
) -> tuple[SocketDevice, list[Feeds]]:
    """The device, and the feeds that it hears; both are the caller's to close.

    Parameters
    ----------
    configuration : Configuration
    alarm : callable
        As `WiredPair` takes it.
    pair : bool
        Whether an engine in a process of its own trades, with one here as its shadow.

    Raises
    ------
    OSError, RuntimeError
        A feed that can't be heard, an engine that does not start.
    ValueError
        Sizes that are not possible, or feeds that two can't hear.
    """
    market, feed, sizes = configuration.market, configuration.feed, configuration.device
    if pair and (market.xdp or not (feed.address_a.is_multicast and feed.address_b.is_multicast)):
        raise ValueError("a pair hears the feeds twice: they have to come to groups, and by sockets")
    options: dict[str, Any] = {"symbols": sizes.symbols, "levels": sizes.levels, "orders": sizes.orders, "tick_ns": sizes.tick_ns}
    core = None if market.core < 0 else market.core
    feeds: list[Feeds] = []
    process: EngineProcess | None = None
    try:
        feeds.append(Feeds(configuration))
        if not pair:
            return LiveDevice(feeds[0].source, **options, idle_us=market.idle_us, core=core), feeds
        feeds.append(Feeds(configuration))
        patience = market.process_patience_ns / 1e9
        process = EngineProcess(feeds[0].sockets, **options, idle_us=market.idle_us, core=core, patience=patience)
        shadow = LiveDevice(feeds[1].source, **options, idle_us=max(market.idle_us, SHADOW_IDLE_US))
        return WiredPair(process, shadow, alarm, patience_ns=DIVERGENCE_NS), feeds
    except BaseException:
        if process is not None:
            process.close()
        for each in feeds:
            each.close()
        raise
