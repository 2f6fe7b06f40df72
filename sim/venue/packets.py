"""Packets of the venue: SoupBinTCP 3.00, appended to the log in compiled code."""

from __future__ import annotations

from typing import Any

from sim.venue.state import Now, Sent
from wire import ouch42, ouch50, soupbintcp
from wire.compiled import inner
from wire.soupbintcp import HEADER_LENGTH

ADDED, REMOVED = ord("A"), ord("R")
"""Liquidity flags."""
LIVE = ord("L")
"""Order state."""

_type = ouch42.ACCEPTED.writer("type")
_timestamp = ouch42.ACCEPTED.writer("timestamp")
for _record in (*ouch42.OUTBOUND.records, *ouch50.OUTBOUND.records):
    if (_record.offset("type"), _record.offset("timestamp")) != (0, 1):
        raise AssertionError(f"{_record.name} does not begin with type and time stamp")
_S, _H = ord("S"), ord("H")


@inner
def copy(source: Any, begin: int, target: Any, to: int, length: int) -> None:
    """Bytes from one buffer to another."""
    for k in range(length):
        target[to + k] = source[begin + k]


@inner
def packet(wire: Any, now: Any, code: int, length: int) -> int:
    """Begins a packet with ``length`` bytes of payload; where they go. It leaves now and arrives a latency later."""
    at, n = now[Now.LOG_END], now[Now.LOG_COUNT]
    total = HEADER_LENGTH + length
    wire.sent[n, Sent.TIME] = now[Now.TIME] + now[Now.ANSWER_LATENCY]
    wire.sent[n, Sent.AT] = at
    wire.sent[n, Sent.LENGTH] = total
    now[Now.LOG_COUNT] = n + 1
    now[Now.LOG_END] = at + total
    now[Now.LAST_SENT] = now[Now.TIME]
    return soupbintcp.write_header(wire.log, at, code, length)


@inner
def message(wire: Any, now: Any, code: int, length: int) -> int:
    """Begins a sequenced OUCH message; where it is."""
    wire.sent[now[Now.SEQUENCE], Sent.NTH] = now[Now.LOG_END]
    now[Now.SEQUENCE] += 1
    at = packet(wire, now, _S, length)
    _type(wire.log, at, code)
    _timestamp(wire.log, at, now[Now.TIME])
    return at


@inner
def heartbeat(wire: Any, now: Any) -> None:
    """Server Heartbeat."""
    packet(wire, now, _H, 0)
