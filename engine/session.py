"""The order session, inward: SoupBinTCP packets out of the stream, and what OUCH says about our orders.

Semantics section 10. The stream may be cut anyhow: bytes of a packet that is not complete wait in ``stream``.
"""

from __future__ import annotations

from typing import Any

from engine.events import NO_SIDE, SESSION, claim, write_fault
from engine.ouch import fields, is_whole, order_id
from engine.own_orders import IDLE, LIVE, PENDING_CANCEL, PENDING_NEW, PENDING_REPLACE, book_execution, revalue
from engine.risk import UP
from engine.stage import stage
from engine.state import SIDES
from engine.trader import evaluate, sweep
from engine.unsigned import ONE, word
from wire.counters import NUMBER
from wire.records import NO_SYMBOL, SLOT_BITS, SLOTS, EventType, Fault, SessionState
from wire.soupbintcp import HEADER_LENGTH, LENGTH_BYTES, read_length

DOWN = SessionState.DOWN.value
UNKNOWN_TOKEN, SESSION_MALFORMED = Fault.UNKNOWN_TOKEN.value, Fault.SESSION_MALFORMED.value
BROKEN, CORRECTED = Fault.BROKEN_TRADE.value, Fault.TRADE_CORRECTION.value
ACCEPTED_EVENT, REPLACED_EVENT = EventType.ACCEPTED.value, EventType.REPLACED.value
EXECUTED_EVENT, CANCELLED_EVENT = EventType.EXECUTED.value, EventType.CANCELLED.value
EXCHANGE_REJECT = EventType.EXCHANGE_REJECT.value

SESSION_PACKETS, MALFORMED = NUMBER["session_packets"], NUMBER["session_malformed"]
N_ACCEPTED, N_REPLACED, N_EXECUTED = NUMBER["accepted"], NUMBER["replaced"], NUMBER["executed"]
N_CANCELLED, N_REJECTED = NUMBER["cancelled"], NUMBER["rejected"]
N_CANCEL_REJECTED, N_OTHER = NUMBER["cancel_rejected"], NUMBER["ouch_other"]
N_UNKNOWN_TOKEN = NUMBER["unknown_token"]

# SoupBinTCP from a server
DEBUG, LOGIN_ACCEPTED, LOGIN_REJECTED, SEQUENCED, HEARTBEAT, END_OF_SESSION = b"+AJSHZ"
# OUCH from an exchange; R and Q are of 5.0 only, G, F and N of 4.2
_A, _U, _E, _G, _C, _D, _J, _I, _B, _S, _P, _T, _M, _N, _R, _Q = b"AUEGCDJIBSPTMNRQ"
DEAD = ord("D")


# -- the stream ------------------------------------------------------------------------------------


@stage
def collect(core: Any, stream: Any, buffer: Any) -> bool:
    """Moves bytes from the input to ``stream`` until a packet is whole there; whether one is."""
    while True:
        have = core.stream_length
        need = LENGTH_BYTES if have < LENGTH_BYTES else LENGTH_BYTES + read_length(stream, 0)
        if have >= LENGTH_BYTES and have == need:
            core.stream_length = 0
            return True
        taken = min(need - have, core.stream_left)
        if taken == 0:
            return False
        for position in range(taken):
            stream[have + position] = buffer[core.stream_at + position]
        core.stream_at += taken
        core.stream_left -= taken
        core.stream_length += taken


@stage
def set_session(core: Any, out: Any, session: int, reason: int) -> None:
    """The session's new state, told to the host."""
    core.session = session
    event = out.events[claim(core, out, SESSION, NO_SIDE, NO_SYMBOL)]
    event.value = reason
    event.info = session


@stage
def receive(core: Any, out: Any, symbols: Any, stream: Any) -> None:
    """The SoupBinTCP packet in ``stream``."""
    size = read_length(stream, 0)
    code = word(stream[LENGTH_BYTES]) if size > 0 else 0
    core.counters[SESSION_PACKETS] += ONE
    core.last_received = core.stamp
    if code == SEQUENCED and size > 0:
        core.session_sequence += 1
        _sequenced(core, out, symbols, stream, HEADER_LENGTH, size - 1)
    elif code == LOGIN_ACCEPTED:
        set_session(core, out, UP, 0)
        sweep(core, out, symbols)
    elif code == LOGIN_REJECTED or code == END_OF_SESSION:
        set_session(core, out, DOWN, word(stream[HEADER_LENGTH]) if size > 1 else 0)
    elif code != DEBUG and code != HEARTBEAT:
        _malformed(core, out, code)


@stage
def _malformed(core: Any, out: Any, code: int) -> None:
    core.counters[MALFORMED] += ONE
    write_fault(core, out, SESSION_MALFORMED, 0, code)


# -- OUCH ------------------------------------------------------------------------------------------


@stage
def _sequenced(core: Any, out: Any, symbols: Any, stream: Any, at: int, length: int) -> None:
    """One OUCH message."""
    code = word(stream[at]) if length > 0 else 0
    if not is_whole(core, stream, at, length):
        _malformed(core, out, code)
        return
    if code == _S or code == _P or code == _T or code == _M or code == _N or code == _R or code == _Q:
        core.counters[N_OTHER] += ONE
        return
    identity, named = order_id(core, stream, at)
    if not (named and _is_ours(symbols, code, identity)):
        core.counters[N_UNKNOWN_TOKEN] += ONE
        write_fault(core, out, UNKNOWN_TOKEN, identity, code)
        return
    shares, price, value, info = fields(core, stream, at)
    number = identity & ((1 << SLOT_BITS) - 1)
    symbol = symbols[number // (SIDES * SLOTS)]
    slot = symbol.slots[number % (SIDES * SLOTS)]
    if code == _A:
        _accepted(core, out, symbol, slot, shares, price, value, info)
    elif code == _U:
        _replaced(core, out, symbol, slot, shares, price, value, info)
    elif code == _E or code == _G:
        _executed(core, out, symbol, slot, shares, price, value, info)
    elif code == _C or code == _D:
        _cancelled(core, out, symbol, slot, shares, info)
    elif code == _J:
        _rejected(core, out, symbol, slot, identity, info)
    elif code == _I:
        _cancel_rejected(core, out, symbol, slot, identity)
    else:
        core.counters[N_OTHER] += ONE
        write_fault(core, out, BROKEN if code == _B else CORRECTED, identity, value)
        return
    revalue(core, slot)
    evaluate(core, out, symbol)


@stage
def _is_ours(symbols: Any, code: int, identity: int) -> bool:
    """Whether a message of this type can be about the order of this id."""
    number = identity & ((1 << SLOT_BITS) - 1)
    if number >= len(symbols) * SIDES * SLOTS:
        return False
    slot = symbols[number // (SIDES * SLOTS)].slots[number % (SIDES * SLOTS)]
    pending = slot.state == PENDING_REPLACE and identity == slot.pending_id
    if code == _U:
        return pending
    if code == _J and pending:
        return True
    return slot.state != IDLE and identity == slot.id


@stage
def _tell(core: Any, out: Any, kind: int, symbol: Any, slot: Any, order_id: int, info: int) -> int:
    """Place of a new event about a slot."""
    place = claim(core, out, kind, slot.side, symbol.number)
    event = out.events[place]
    event.order_id = order_id
    event.tag = slot.tag
    event.info = info
    return place


@stage
def _accepted(
    core: Any, out: Any, symbol: Any, slot: Any, shares: int, price: int, value: int, info: int
) -> None:
    core.counters[N_ACCEPTED] += ONE
    slot.price = price
    slot.remaining = shares
    if info == DEAD:
        slot.state = IDLE
    elif slot.state == PENDING_NEW:
        slot.state = LIVE
    event = out.events[_tell(core, out, ACCEPTED_EVENT, symbol, slot, slot.id, info)]
    event.value = value
    event.price = slot.price
    event.quantity = slot.remaining


@stage
def _replaced(
    core: Any, out: Any, symbol: Any, slot: Any, shares: int, price: int, value: int, info: int
) -> None:
    core.counters[N_REPLACED] += ONE
    slot.id = slot.pending_id
    slot.price = price
    slot.remaining = shares
    slot.state = IDLE if info == DEAD or slot.remaining == 0 else LIVE
    event = out.events[_tell(core, out, REPLACED_EVENT, symbol, slot, slot.id, info)]
    event.value = value
    event.price = slot.price
    event.quantity = slot.remaining


@stage
def _executed(
    core: Any, out: Any, symbol: Any, slot: Any, shares: int, price: int, value: int, info: int
) -> None:
    core.counters[N_EXECUTED] += ONE
    shares = min(shares, slot.remaining)
    book_execution(core, symbol, slot, shares, price)
    if slot.remaining == 0:
        slot.state = IDLE
    event = out.events[_tell(core, out, EXECUTED_EVENT, symbol, slot, slot.id, info)]
    event.value = value
    event.price = price
    event.quantity = shares
    event.quantity2 = slot.remaining


@stage
def _cancelled(core: Any, out: Any, symbol: Any, slot: Any, shares: int, reason: int) -> None:
    core.counters[N_CANCELLED] += ONE
    shares = min(shares, slot.remaining)
    slot.remaining -= shares
    if slot.remaining == 0:
        slot.state = IDLE
    elif slot.state == PENDING_CANCEL:
        slot.state = LIVE
    event = out.events[_tell(core, out, CANCELLED_EVENT, symbol, slot, slot.id, reason)]
    event.price = slot.price
    event.quantity = shares
    event.quantity2 = slot.remaining


@stage
def _rejected(core: Any, out: Any, symbol: Any, slot: Any, order_id: int, reason: int) -> None:
    core.counters[N_REJECTED] += ONE
    if order_id == slot.id:
        if slot.state == PENDING_NEW:
            slot.state = IDLE
    else:
        slot.state = LIVE
    _tell(core, out, EXCHANGE_REJECT, symbol, slot, order_id, reason | _J << 8)


@stage
def _cancel_rejected(core: Any, out: Any, symbol: Any, slot: Any, order_id: int) -> None:
    core.counters[N_CANCEL_REJECTED] += ONE
    if slot.state == PENDING_CANCEL:
        slot.state = LIVE
    _tell(core, out, EXCHANGE_REJECT, symbol, slot, order_id, _I << 8)
