"""What goes wrong when: a list of faults from a seed."""

from __future__ import annotations

import random
from dataclasses import dataclass
from enum import StrEnum

MILLISECOND = 1_000_000


class Kind(StrEnum):
    """What can go wrong."""

    LOSS_A = "loss on feed A"
    LOSS_B = "loss on feed B"
    LOSS = "loss on both feeds"
    DUPLICATION = "duplication on both feeds"
    REORDERING = "reordering on both feeds"
    CORRUPTION = "corruption on both feeds"
    RE_REQUEST_SERVER = "a re-request server is gone"
    CUT = "order connection cut"
    CUT_BEFORE_ACK = "order connection cut between send and ack"
    HALF_OPEN = "half-open order connection"
    SLOW = "slow exchange"
    EXCHANGE = "exchange killed and restarted"
    CLOCK = "wall clock stepped"
    DISK = "disk full"
    CONTROL = "control plane killed"
    DRIVER = "driver killed"
    ENGINE = "engine killed"
    CARD = "card without power"
    NATS = "NATS down"
    STANDBY = "standby killed"
    MACHINE = "primary machine without power"


@dataclass(frozen=True, slots=True)
class Fault:
    """One of them, from ``at`` on for ``duration`` ns; what it does to is by its kind. ``size`` is a number from 0 to 1."""

    kind: Kind
    at: int
    duration: int
    size: float


def plan(dice: random.Random, begin: int, end: int, count: int, kinds: tuple[Kind, ...] = tuple(Kind)) -> list[Fault]:
    """So many faults between two times, in their order. What can't happen twice comes once at most.

    Parameters
    ----------
    dice : Random
    begin, end : int
        ns; every fault is over by ``end``, but for those that stay.
    count : int
    kinds : tuple of Kind
    """
    once = {Kind.DISK, Kind.CARD, Kind.MACHINE}
    found: list[Fault] = []
    for _ in range(count):
        kind = dice.choice(kinds)
        if kind in once and any(fault.kind is kind for fault in found):
            continue
        at = dice.randrange(begin, end)
        longest = min(end - at, 1_500 * MILLISECOND)
        found.append(Fault(kind, at, dice.randrange(MILLISECOND, max(longest, 2 * MILLISECOND)), dice.random()))
    return sorted(found, key=lambda fault: fault.at)
