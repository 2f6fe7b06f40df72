"""What the venue says in OUCH 4.2."""

from __future__ import annotations

from typing import Any

from sim.venue.packets import LIVE, copy, message
from sim.venue.state import TEXT_LENGTH, TOKEN_AT, TOKEN_LENGTH, Mine, Now
from wire import ouch42
from wire.compiled import inner
from wire.layout import Record

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
def _message(wire: Any, now: Any, code: int, length: int, text: Any, token_at: int) -> int:
    """Begins a message with the token at ``token_at`` of ``text``."""
    at = message(wire, now, code, length)
    copy(text, token_at, wire.log, at + _TO_TOKEN, TOKEN_LENGTH)
    return at


@inner
def in_book(wire: Any, now: Any, own: Any, mine: int, previous: int, shares: int) -> None:
    """Accepted, or Replaced if ``previous`` is not -1; ``shares`` are open now."""
    text = mine * TEXT_LENGTH
    new = previous < 0
    code, length = (65, ACCEPTED_LENGTH) if new else (85, REPLACED_LENGTH)
    at = _message(wire, now, code, length, own.text, text + TOKEN_AT)
    copy(own.text, text + _HEAD_FROM, wire.log, at + _HEAD_TO, _HEAD_LENGTH)
    copy(own.text, text + _TAIL_FROM, wire.log, at + _TAIL_TO, _TAIL_LENGTH)
    _shares(wire.log, at, shares)
    _reference(wire.log, at, own.orders[mine, Mine.REFERENCE])
    _state(wire.log, at, LIVE)
    if new:
        _accepted_weight(wire.log, at, 32)
    else:
        copy(own.text, previous * TEXT_LENGTH + TOKEN_AT, wire.log, at + _TO_PREVIOUS, TOKEN_LENGTH)
        _replaced_weight(wire.log, at, 32)


@inner
def canceled(wire: Any, now: Any, own: Any, mine: int, shares: int, reason: int) -> None:
    """Canceled: so many shares less."""
    at = _message(wire, now, 67, CANCELED_LENGTH, own.text, mine * TEXT_LENGTH + TOKEN_AT)
    _decrement(wire.log, at, shares)
    _cancel_reason(wire.log, at, reason)


@inner
def executed(wire: Any, now: Any, own: Any, mine: int, price: int, shares: int, flag: int) -> None:
    """Executed."""
    at = _message(wire, now, 69, EXECUTED_LENGTH, own.text, mine * TEXT_LENGTH + TOKEN_AT)
    _executed_shares(wire.log, at, shares)
    _execution_price(wire.log, at, price)
    _liquidity(wire.log, at, flag)
    _match(wire.log, at, now[Now.MATCH])


@inner
def rejected(wire: Any, now: Any, reason: int) -> None:
    """Rejected, the message at hand."""
    at = _message(wire, now, 74, REJECTED_LENGTH, wire.message, TOKEN_AT)
    _reject_reason(wire.log, at, reason)


@inner
def modified(wire: Any, now: Any, own: Any, mine: int, side: int, shares: int) -> None:
    """Order Modified."""
    at = _message(wire, now, 77, MODIFIED_LENGTH, own.text, mine * TEXT_LENGTH + TOKEN_AT)
    _modified_side(wire.log, at, side)
    _modified_shares(wire.log, at, shares)
