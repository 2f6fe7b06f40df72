"""What makes a session: who talks to whom, in which version, and how long it waits."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from control.gateway.fix.schedule import Schedule

SECOND = 1_000_000_000


@dataclass(frozen=True, slots=True)
class Identity:
    """A session's name: version and both sides, as we see them. ``sender`` is us."""

    version: str
    sender: str
    target: str

    def __str__(self) -> str:
        return f"{self.version}:{self.sender}->{self.target}"


@dataclass(frozen=True, slots=True)
class Settings:
    """How a session behaves; times in seconds.

    Parameters
    ----------
    initiator : bool
        We connect and log on first.
    heartbeat : int
        HeartBtInt of our Logon; an acceptor takes the initiator's.
    reset_on_logon : bool
        Both numbers begin at 1 with every Logon; an initiator says so with ResetSeqNumFlag.
    clock_tolerance : float
        How far SendingTime may be from our clock.
    logon_timeout, logout_timeout : float
        How long the answer to each may take before we disconnect.
    resend_timeout : float
        How long a gap may stay open before it is asked for again.
    queue_limit : int
        Messages kept while a gap is open; what comes beyond them is asked for again later.
    schedule : Schedule or None
        When it may be connected, and when its numbers begin anew; None is always and never.
    user_defined : bool
        Tags from 5,000 on may stand in a body.
    """

    identity: Identity
    initiator: bool = False
    heartbeat: int = 30
    reset_on_logon: bool = False
    clock_tolerance: float = 120.0
    logon_timeout: float = 10.0
    logout_timeout: float = 2.0
    resend_timeout: float = 30.0
    queue_limit: int = 10_000
    schedule: Schedule | None = None
    user_defined: bool = False
