"""What the venue says, in the OUCH that it speaks, and what is kept of it."""

from __future__ import annotations

from typing import Any

from sim.venue import answers42, answers50
from sim.venue.packets import ADDED, REMOVED, copy, heartbeat
from sim.venue.state import Fill, Now
from wire.compiled import inner
from wire.records import OuchVersion

__all__ = ["ADDED", "REMOVED", "canceled", "copy", "executed", "heartbeat", "in_book", "modified", "rejected"]

V5_0 = OuchVersion.V5_0.value


@inner
def in_book(wire: Any, now: Any, own: Any, mine: int, previous: int, shares: int) -> None:
    """Accepted, or Replaced if ``previous`` is not -1; ``shares`` are open now."""
    if now[Now.OUCH] == V5_0:
        answers50.in_book(wire, now, own, mine, previous, shares)
    else:
        answers42.in_book(wire, now, own, mine, previous, shares)


@inner
def canceled(wire: Any, now: Any, own: Any, mine: int, shares: int, reason: int) -> None:
    """Canceled: so many shares less."""
    if now[Now.OUCH] == V5_0:
        answers50.canceled(wire, now, own, mine, shares, reason)
    else:
        answers42.canceled(wire, now, own, mine, shares, reason)
    now[Now.CANCELLED] += 1


@inner
def executed(
    wire: Any, now: Any, own: Any, mine: int, price: int, shares: int, flag: int, tape: int, against: int
) -> None:
    """Executed, and the fill that goes with it."""
    now[Now.MATCH] += 1
    if now[Now.OUCH] == V5_0:
        answers50.executed(wire, now, own, mine, price, shares, flag)
    else:
        answers42.executed(wire, now, own, mine, price, shares, flag)
    n, fills = now[Now.FILL_COUNT], wire.fills
    fills[n, Fill.TIME], fills[n, Fill.ORDER], fills[n, Fill.PRICE] = now[Now.TIME], mine, price
    fills[n, Fill.SHARES], fills[n, Fill.MATCH] = shares, now[Now.MATCH]
    fills[n, Fill.MESSAGE], fills[n, Fill.AGAINST] = tape, against
    now[Now.FILL_COUNT] = n + 1


@inner
def rejected(wire: Any, now: Any, reason: int) -> None:
    """Rejected, the message at hand, for a reason of OUCH 4.2."""
    if now[Now.OUCH] == V5_0:
        answers50.rejected(wire, now, reason)
    else:
        answers42.rejected(wire, now, reason)
    now[Now.REJECTED] += 1


@inner
def modified(wire: Any, now: Any, own: Any, mine: int, side: int, shares: int) -> None:
    """Order Modified."""
    if now[Now.OUCH] == V5_0:
        answers50.modified(wire, now, own, mine, side, shares)
    else:
        answers42.modified(wire, now, own, mine, side, shares)
