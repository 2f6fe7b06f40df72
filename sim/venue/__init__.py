"""The built-in venue: accepts our orders and fills them against a replayed tape.

OUCH 4.2 or 5.0 in SoupBinTCP 3.00 packets in and out; price-time priority, as our orders would have had it among the real ones
(see :mod:`sim.venue.matching`). Whole numbers only: the same orders at the same stamps get the same answers.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from sim.sources.randomness import below, seeded
from sim.sources.tape import Tape, Vector
from sim.venue import session, state
from sim.venue.columns import Columns, resolve
from sim.venue.session import Status
from sim.venue.state import ENTER_LENGTH, TEXT_LENGTH, Mine, Now, Sent
from wire import soupbintcp
from wire.compiled import compiled
from wire.errors import WireError
from wire.ouch42 import ENTER_ORDER
from wire.records import OUTPUT, OuchVersion

NANOSECONDS = 1_000_000_000

FILL = np.dtype(
    [
        ("timestamp", "<i8"),
        ("order", "<i8"),
        ("price", "<i8"),
        ("shares", "<i8"),
        ("match_number", "<i8"),
        ("message", "<i8"),
        ("against", "<i8"),
    ]
)
"""A fill. ``order`` is an index of :attr:`Venue.orders`; ``message`` the place on the tape of what a resting order of
ours traded with, -1 when ours took what was displayed; ``against`` the order of the tape, -1 for a hidden one."""

ORDER = np.dtype(
    [
        ("alive", "?"),
        ("stock", "<i8"),
        ("side", "S1"),
        ("price", "<i8"),
        ("remaining", "<i8"),
        ("executed", "<i8"),
        ("ahead", "<i8"),
        ("entered", "<i8"),
        ("reference", "<i8"),
        ("token", "S14"),
    ]
)
"""An order of ours. ``executed`` is that of its whole chain of replacements, ``ahead`` what was ahead of it when it
was last in the book. ``token`` is the client order id where orders are known by UserRefNums."""


@dataclass(frozen=True, slots=True)
class VenueConfig:
    """How the venue is reached.

    Parameters
    ----------
    order_latency_ns, answer_latency_ns : int
        From our stamp to the matching, and from there back to us.
    jitter_ns : int
        At most so much more on the way there, uniform from the seed; orders keep their sequence.
    heartbeat_ns : int
        A heartbeat after so long a silence; 0 for none.
    session : str
        SoupBinTCP session.
    ouch : OuchVersion
        What it speaks.
    username, password : str
        What a login must say, capitals or not; an empty user name lets everybody in.
    """

    order_latency_ns: int = 10_000
    answer_latency_ns: int = 10_000
    jitter_ns: int = 0
    heartbeat_ns: int = NANOSECONDS
    session: str = "HAIRPIN"
    username: str = ""
    password: str = ""
    ouch: OuchVersion = OuchVersion.V4_2

    def __post_init__(self) -> None:
        for name in ("order_latency_ns", "answer_latency_ns", "jitter_ns", "heartbeat_ns"):
            if getattr(self, name) < 0:
                raise ValueError(f"{name} {getattr(self, name)}: not negative")
        if self.order_latency_ns + self.answer_latency_ns < 1:
            raise ValueError("order and answer latency together: at least 1 ns")
        widths = {"session": 10, "username": 6, "password": 10}
        for name, width in widths.items():
            value = getattr(self, name)
            if len(value) > width or not value.isascii():
                raise ValueError(f"{name} {value!r}: at most {width} ASCII characters")

    @property
    def latency_ns(self) -> int:
        """The soonest that anything comes back after a stamp."""
        return self.order_latency_ns + self.answer_latency_ns


class Venue:
    """One day of the venue.

    Parameters
    ----------
    day : Tape or Columns
        What really happened; ``resolve(tape)`` once for many venues.
    config : VenueConfig
    seed : int
        For the jitter.
    """

    def __init__(self, day: Tape | Columns, config: VenueConfig | None = None, seed: int = 0) -> None:
        self.columns = day if isinstance(day, Columns) else resolve(day)
        self.config = config or VenueConfig()
        self.book, self.own, self.wire = state.create_book(self.columns), state.create_own(), state.create_wire()
        self.now = now = np.zeros(len(Now), np.int64)
        now[Now.ORDER_LATENCY] = self.config.order_latency_ns
        now[Now.ANSWER_LATENCY] = self.config.answer_latency_ns
        now[Now.OUCH] = self.config.ouch
        now[Now.HEARTBEAT] = self.config.heartbeat_ns
        now[Now.NEXT_EXPIRY] = state.NEVER
        now[Now.REFERENCE], now[Now.MATCH] = self.columns.last_reference, self.columns.last_match
        self._random = seeded(seed, 0x5E55)

    def submit(self, stamp: int, packet: bytes) -> None:
        """One SoupBinTCP packet that we sent at ``stamp``; stamps never go back."""
        output = np.zeros(1, OUTPUT)
        output["timestamp"], output["length"] = stamp, len(packet)
        self.submit_all(output, np.frombuffer(packet, np.uint8))

    def submit_all(self, outputs: Vector, payload: Vector) -> None:
        """All packets of a batch: ``outputs`` are :data:`wire.records.OUTPUT`, their bytes lie in ``payload``."""
        wire, tail = self.wire, int(self.now[Now.IN_TAIL]) + len(outputs)
        end = int(self.now[Now.IN_END]) + int(outputs["length"].sum())
        if tail > len(wire.arrivals) or end > len(wire.inbound):
            arrivals, inbound = state.grown(wire.arrivals, tail), state.grown(wire.inbound, end)
            self.wire = wire = wire._replace(arrivals=arrivals, inbound=inbound)
        _submit_all(wire, self.now, self._random, self.config.jitter_ns, outputs, payload)

    def advance(self, until: int, answered: int = state.NEVER) -> None:
        """Lets everything happen that happens before ``until``, ns since midnight.

        With ``answered``, the number of packets that arrived at our side already, it stops where an order of ours, sent
        when the next one arrives, could still come before.
        """
        while True:
            status = session.advance(self.book, self.own, self.wire, self.now, until, answered)
            if status == Status.DONE:
                return
            if status == Status.LOGIN:
                self._login()
            elif status == Status.OWN_FULL:
                self.own = state.grown_own(self.own, int(self.now[Now.OWN_COUNT]))
            else:
                self._grow_log(state.MARGIN + int(self.now[Now.LIVE]))

    def _grow_log(self, packets: int) -> None:
        wire, now = self.wire, self.now
        count = int(now[Now.LOG_COUNT]) + packets
        self.wire = wire._replace(
            log=state.grown(wire.log, int(now[Now.LOG_END]) + packets * state.LONGEST_ANSWER),
            sent=state.grown(wire.sent, count),
            fills=state.grown(wire.fills, count),
        )

    def _login(self) -> None:
        """Answers the login request that came last; what was sent since the number that it names is sent again."""
        _, at, length = self.wire.arrivals[self.now[Now.IN_HEAD] - 1].tolist()
        packet = soupbintcp.packets(self.wire.inbound[at : at + length].tobytes())[0]
        config, sent = self.config, int(self.now[Now.SEQUENCE])
        try:
            request = soupbintcp.parse_login_request(packet)
        except WireError:
            self.now[Now.MALFORMED] += 1
            return
        said = (request.username.upper(), request.password.upper())
        if config.username and said != (config.username.upper(), config.password.upper()):
            self._append(soupbintcp.login_rejected("A"))
            return
        if request.session not in ("", config.session.strip()) or request.sequence_number > sent + 1:
            self._append(soupbintcp.login_rejected("S"))
            return
        first = request.sequence_number or sent + 1
        self._grow_log(sent - first + 2 + state.MARGIN)
        self.now[Now.LOGGED_IN] = 1
        self.now[Now.LOGINS] += 1
        self._append(soupbintcp.login_accepted(config.session, first))
        for nth in range(first - 1, sent):
            begin = int(self.wire.sent[nth, Sent.NTH])
            size = soupbintcp.LENGTH_BYTES + soupbintcp.read_length(self.wire.log, begin)
            self._append(self.wire.log[begin : begin + size].tobytes())

    def _append(self, packet: bytes) -> None:
        """Sends a packet now."""
        at, n = int(self.now[Now.LOG_END]), int(self.now[Now.LOG_COUNT])
        self.wire.log[at : at + len(packet)] = np.frombuffer(packet, np.uint8)
        time = int(self.now[Now.TIME]) + self.config.answer_latency_ns
        self.wire.sent[n, : Sent.NTH] = time, at, len(packet)
        self.now[Now.LOG_END], self.now[Now.LOG_COUNT] = at + len(packet), n + 1
        self.now[Now.LAST_SENT] = self.now[Now.TIME]

    @property
    def answer_count(self) -> int:
        """Packets sent so far."""
        return int(self.now[Now.LOG_COUNT])

    def answer(self, i: int) -> tuple[int, bytes]:
        """When packet ``i`` arrives at our side, and its bytes."""
        time, at, length = self.wire.sent[i, : Sent.NTH].tolist()
        return time, self.wire.log[at : at + length].tobytes()

    def answers(self, first: int = 0) -> list[tuple[int, soupbintcp.Packet]]:
        """Packets from ``first`` on, taken apart; for tests and by hand."""
        found = []
        for i in range(first, self.answer_count):
            time, data = self.answer(i)
            found.append((time, soupbintcp.packets(data, soupbintcp.SERVER)[0]))
        return found

    @property
    def fills(self) -> Vector:
        """All fills so far, :data:`FILL`."""
        return np.ascontiguousarray(self.wire.fills[: self.now[Now.FILL_COUNT]]).view(FILL).ravel()

    @property
    def orders(self) -> Vector:
        """All orders that were accepted so far, :data:`ORDER`."""
        count = int(self.now[Now.OWN_COUNT])
        rows, found = self.own.orders[:count], np.zeros(count, ORDER)
        lines = self.own.text[: count * TEXT_LENGTH].reshape(count, TEXT_LENGTH)
        text = np.ascontiguousarray(lines[:, :ENTER_LENGTH]).view(ENTER_ORDER.dtype).ravel()
        for name in ("alive", "stock", "price", "remaining", "executed", "ahead", "entered", "reference"):
            found[name] = rows[:, Mine[name.upper()]]
        found["side"], found["token"] = text["side"], text["order_token"]
        if self.config.ouch is OuchVersion.V5_0:
            found["token"] = np.ascontiguousarray(lines[:, ENTER_LENGTH:]).view("S14").ravel()
        return found

    @property
    def counters(self) -> dict[str, int]:
        """What was done, by name."""
        names = ("LOGINS", "ACCEPTED", "REPLACED", "CANCELLED", "REJECTED", "IGNORED", "MALFORMED")
        found = {name.lower(): int(self.now[Now[name]]) for name in names}
        return {**found, "fills": int(self.now[Now.FILL_COUNT]), "sequenced": int(self.now[Now.SEQUENCE])}


@compiled
def _submit_all(wire: Any, now: Any, random: Any, jitter: int, outputs: Any, payload: Any) -> None:
    for i in range(len(outputs)):
        arrival = np.int64(outputs[i]["timestamp"]) + now[Now.ORDER_LATENCY]
        if jitter > 0:
            arrival += below(random, jitter + 1)
        at, length = np.int64(outputs[i]["offset"]), np.int64(outputs[i]["length"])
        session.submit(wire, now, arrival, payload, at, length)
