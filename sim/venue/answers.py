"""What the venue says: SoupBinTCP 3.00 packets with OUCH 4.2 messages, appended to the log in compiled code."""

from __future__ import annotations

from typing import Any

from sim.uncounted import inner
from sim.venue.state import ENTER_LENGTH, TOKEN_AT, TOKEN_LENGTH, Fill, Mine, Now, Sent
from wire import ouch42, soupbintcp
from wire.layout import Record
from wire.soupbintcp import HEADER_LENGTH

ADDED, REMOVED = ord("A"), ord("R")
"""Liquidity flags."""
LIVE = ord("L")
"""Order state."""

_ENTER, _ACCEPTED, _REPLACED = ouch42.ENTER_ORDER, ouch42.ACCEPTED, ouch42.REPLACED
_CANCELED, _EXECUTED, _REJECTED, _MODIFIED = (
    ouch42.CANCELED,
    ouch42.EXECUTED,
    ouch42.REJECTED,
    ouch42.ORDER_MODIFIED,
)
ACCEPTED_LENGTH, REPLACED_LENGTH = _ACCEPTED.length, _REPLACED.length
CANCELED_LENGTH, EXECUTED_LENGTH = _CANCELED.length, _EXECUTED.length
REJECTED_LENGTH, MODIFIED_LENGTH = _REJECTED.length, _MODIFIED.length

_type = _ACCEPTED.writer("type")
_timestamp = _ACCEPTED.writer("timestamp")
_shares = _ACCEPTED.writer("shares")
_reference = _ACCEPTED.writer("order_reference")
_state = _ACCEPTED.writer("order_state")
_accepted_weight = _ACCEPTED.writer("bbo_weight_indicator")
_replaced_weight = _REPLACED.writer("bbo_weight_indicator")
_decrement = _CANCELED.writer("decrement_shares")
_cancel_reason = _CANCELED.writer("reason")
_executed_shares = _EXECUTED.writer("executed_shares")
_execution_price = _EXECUTED.writer("execution_price")
_liquidity = _EXECUTED.writer("liquidity_flag")
_match = _EXECUTED.writer("match_number")
_reject_reason = _REJECTED.writer("reason")
_modified_shares = _MODIFIED.writer("shares")
_modified_side = _MODIFIED.writer("side")
_S, _H = ord("S"), ord("H")


def _block(source: Record, first: str, last: str, target: Record) -> tuple[int, int, int]:
    """Where the fields ``first`` to ``last`` of one record stand in it and in the other: (from, to, bytes)."""
    names = [f.name for f in source.fields]
    chosen = names[names.index(first) : names.index(last) + 1]
    begin, to = source.offset(chosen[0]), target.offset(chosen[0])
    for name in chosen:
        other = name if name in {f.name for f in target.fields} else "intermarket_sweep"
        if target.offset(other) - to != source.offset(name) - begin:
            raise ValueError(f"{target.name} does not repeat {chosen} of {source.name}")
    return begin, to, source[chosen[-1]].end - begin


# Accepted and Replaced repeat Enter Order in two blocks.
_HEAD_FROM, _HEAD_TO, _HEAD_LENGTH = _block(_ENTER, "side", "display", _ACCEPTED)
_TAIL_FROM, _TAIL_TO, _TAIL_LENGTH = _block(_ENTER, "capacity", "cross_type", _ACCEPTED)
if _block(_ENTER, "side", "display", _REPLACED)[1] != _HEAD_TO:
    raise ValueError("Replaced and Accepted differ")
_TO_TOKEN, _TO_PREVIOUS = _ACCEPTED.offset("order_token"), _REPLACED.offset("previous_order_token")
if {r.offset("order_token") for r in (_CANCELED, _EXECUTED, _REJECTED, _MODIFIED)} != {_TO_TOKEN}:
    raise ValueError("the order token does not stand at the same place in all messages")


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
def message(wire: Any, now: Any, code: int, length: int, text: Any, token_at: int) -> int:
    """Begins a sequenced OUCH message with the token at ``token_at`` of ``text``."""
    wire.sent[now[Now.SEQUENCE], Sent.NTH] = now[Now.LOG_END]
    now[Now.SEQUENCE] += 1
    at = packet(wire, now, _S, length)
    _type(wire.log, at, code)
    _timestamp(wire.log, at, now[Now.TIME])
    copy(text, token_at, wire.log, at + _TO_TOKEN, TOKEN_LENGTH)
    return at


@inner
def in_book(wire: Any, now: Any, own: Any, mine: int, previous: int, shares: int) -> None:
    """Accepted, or Replaced if ``previous`` is not -1; ``shares`` are open now."""
    text = mine * ENTER_LENGTH
    new = previous < 0
    code, length = (65, ACCEPTED_LENGTH) if new else (85, REPLACED_LENGTH)
    at = message(wire, now, code, length, own.text, text + TOKEN_AT)
    copy(own.text, text + _HEAD_FROM, wire.log, at + _HEAD_TO, _HEAD_LENGTH)
    copy(own.text, text + _TAIL_FROM, wire.log, at + _TAIL_TO, _TAIL_LENGTH)
    _shares(wire.log, at, shares)
    _reference(wire.log, at, own.orders[mine, Mine.REFERENCE])
    _state(wire.log, at, LIVE)
    if new:
        _accepted_weight(wire.log, at, 32)
    else:
        copy(own.text, previous * ENTER_LENGTH + TOKEN_AT, wire.log, at + _TO_PREVIOUS, TOKEN_LENGTH)
        _replaced_weight(wire.log, at, 32)


@inner
def canceled(wire: Any, now: Any, own: Any, mine: int, shares: int, reason: int) -> None:
    """Canceled: so many shares less."""
    at = message(wire, now, 67, CANCELED_LENGTH, own.text, mine * ENTER_LENGTH + TOKEN_AT)
    _decrement(wire.log, at, shares)
    _cancel_reason(wire.log, at, reason)
    now[Now.CANCELLED] += 1


@inner
def executed(
    wire: Any, now: Any, own: Any, mine: int, price: int, shares: int, flag: int, tape: int, against: int
) -> None:
    """Executed, and the fill that goes with it."""
    now[Now.MATCH] += 1
    at = message(wire, now, 69, EXECUTED_LENGTH, own.text, mine * ENTER_LENGTH + TOKEN_AT)
    _executed_shares(wire.log, at, shares)
    _execution_price(wire.log, at, price)
    _liquidity(wire.log, at, flag)
    _match(wire.log, at, now[Now.MATCH])
    n, fills = now[Now.FILL_COUNT], wire.fills
    fills[n, Fill.TIME], fills[n, Fill.ORDER], fills[n, Fill.PRICE] = now[Now.TIME], mine, price
    fills[n, Fill.SHARES], fills[n, Fill.MATCH] = shares, now[Now.MATCH]
    fills[n, Fill.MESSAGE], fills[n, Fill.AGAINST] = tape, against
    now[Now.FILL_COUNT] = n + 1


@inner
def rejected(wire: Any, now: Any, token_at: int, reason: int) -> None:
    """Rejected; the token stands in what came in."""
    at = message(wire, now, 74, REJECTED_LENGTH, wire.inbound, token_at)
    _reject_reason(wire.log, at, reason)
    now[Now.REJECTED] += 1


@inner
def modified(wire: Any, now: Any, own: Any, mine: int, side: int, shares: int) -> None:
    """Order Modified."""
    at = message(wire, now, 77, MODIFIED_LENGTH, own.text, mine * ENTER_LENGTH + TOKEN_AT)
    _modified_side(wire.log, at, side)
    _modified_shares(wire.log, at, shares)


@inner
def heartbeat(wire: Any, now: Any) -> None:
    """Server Heartbeat."""
    packet(wire, now, _H, 0)
