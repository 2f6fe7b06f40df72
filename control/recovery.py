"""What is missing of the feed, asked for again: a machine without a socket.

The device tells a gap and takes what is missing at its recovery port; trust in the books returns when the device itself says that
the sequence is whole. In between this machine asks the re-request servers (MoldUDP64, "Request Packet"), for what is missing from
the first missing message on; an answer is one packet, so it goes on until nothing is missing. Once it is known how much goes into
a packet, the packets behind it are asked for with it. A server that does not answer in time is left for the next one; when all of
them have been asked in vain for several rounds, it wants a snapshot.
"""

from __future__ import annotations

from dataclasses import dataclass

MOST_MESSAGES = 0xFFFE
"""Of one request: 0xFFFF says in an answer that the session has ended."""


@dataclass(frozen=True, slots=True)
class Request:
    """Ask a server for messages ``first`` to ``first + count - 1``."""

    server: int
    first: int
    count: int


@dataclass(frozen=True, slots=True)
class Snapshot:
    """Messages before ``end`` are not to be had: the books have to come from a snapshot."""

    end: int


class Recovery:
    """One feed's missing messages.

    Parameters
    ----------
    servers : int
        Re-request servers.
    timeout_ns : int
        So long may an answer take.
    rounds : int
        How often all servers are asked in vain, with nothing coming from any, until a snapshot is wanted.
    window : int
        Packets that are asked for at a time.

    Attributes
    ----------
    requests, answers, timeouts, snapshots : int
        How often.
    """

    def __init__(self, servers: int = 2, *, timeout_ns: int = 5_000_000, rounds: int = 3, window: int = 1) -> None:
        if min(servers, timeout_ns, rounds, window) < 1:
            raise ValueError(f"servers {servers}, timeout_ns {timeout_ns}, rounds {rounds}, window {window}: at least 1 each")
        self._servers, self._timeout, self._rounds, self._window = servers, timeout_ns, rounds, window
        self._asked: list[int] = []  # first messages of packets that are on their way
        self._first = self._end = 0  # missing; nothing if equal
        self._server = self._failures = 0
        self._asked_at: int | None = None
        self._wants_snapshot = False
        self.requests = self.answers = self.timeouts = self.snapshots = 0

    @property
    def missing(self) -> range:
        """Numbers of the messages that did not come yet, as far as is known here."""
        return range(self._first, self._end)

    @property
    def server(self) -> int:
        """The one that is asked now, or would be."""
        return self._server

    def gap(self, first: int, count: int, now: int) -> list[Request | Snapshot]:
        """The device says that messages are missing. It says so again as long as they are; that may say more, or less."""
        self._first, self._end = first, first + count
        if self._wants_snapshot or (self._asked_at is not None and now - self._asked_at < self._timeout):
            return []
        return self._ask(now)

    def answered(self, first: int, count: int, now: int) -> list[Request | Snapshot]:
        """A packet with messages ``first`` to ``first + count - 1`` came from a server, and went to the device."""
        if not self.missing or self._wants_snapshot or not first <= self._first < first + count:
            return []
        self.answers += 1
        self._failures = 0
        self._first = min(first + count, self._end)
        self._asked_at = None
        return self._go_on(count, now) if self.missing else []

    def whole(self) -> None:
        """The device says that nothing is missing, whoever brought it."""
        self._first = self._end
        self._asked_at = None
        self._failures = 0
        self._wants_snapshot = False

    def tick(self, now: int) -> list[Request | Snapshot]:
        """Time goes on."""
        if self._asked_at is None or now - self._asked_at < self._timeout:
            return []
        self.timeouts += 1
        self._failures += 1
        self._server = (self._server + 1) % self._servers
        if self._failures >= self._servers * self._rounds:
            self._wants_snapshot, self._asked_at = True, None
            self.snapshots += 1
            return [Snapshot(self._end)]
        return self._ask(now)

    def _ask(self, now: int) -> list[Request | Snapshot]:
        """Ask for the first packet."""
        self._asked = []
        return self._ask_from([self._first], now)

    def _go_on(self, size: int, now: int) -> list[Request | Snapshot]:
        """Ask for so many packets of ``size`` messages that there are as many on their way as may be."""
        self._asked = [first for first in self._asked if first >= self._first]
        if self._asked[:1] != [self._first]:  # none is, or the last one was shorter than those before
            self._asked = []
        begin = self._asked[-1] + size if self._asked else self._first
        wanted = range(begin, self._end, size)[: self._window - len(self._asked)]
        return self._ask_from(list(wanted), now)

    def _ask_from(self, wanted: list[int], now: int) -> list[Request | Snapshot]:
        self._asked_at = now
        self._asked += wanted
        self.requests += len(wanted)
        return [Request(self._server, first, min(self._end - first, MOST_MESSAGES)) for first in wanted]
