"""What we say to the venue: OUCH messages of either version, brought into the form of 4.2."""

from __future__ import annotations

from typing import Any

import numpy as np

from sim.venue.packets import copy
from sim.venue.state import CLIENT_LENGTH, ENTER_LENGTH, TOKEN_AT, TOKEN_LENGTH, Now
from wire import appendage, ouch42, ouch50
from wire.appendage import AppendageStatus
from wire.buffers import reader
from wire.compiled import inner
from wire.records import IMMEDIATE_OR_CANCEL, TIME_IN_FORCE_DAY, TIME_IN_FORCE_SYSTEM, OuchVersion

V5_0 = OuchVersion.V5_0.value
LENGTHS_42, LENGTHS_50 = ouch42.INBOUND.lengths, ouch50.INBOUND.lengths
DAY, IMMEDIATE, EXTENDED, UNTIL, AFTER = (
    ord(each) for each in (ouch50.DAY, ouch50.IMMEDIATE_OR_CANCEL, ouch50.EXTENDED_HOURS, ouch50.UNTIL_TIME, "E")
)
NO_TIME = TIME_IN_FORCE_SYSTEM + 1  # refused
TOO_MUCH = 0xFFFFFFFF  # a price that is refused
OK = AppendageStatus.OK.value
FIRM, MINIMUM, CUSTOMER, EXPIRY = (
    appendage.BY_NAME[name].tag for name in ("firm", "minimum_quantity", "customer_type", "expire_time")
)
REFERENCE_LENGTH = ouch50.ENTER_ORDER["user_reference_number"].width
BLANK = ord(" ")

_O, _U, _X, _M = b"OUXM"
_number = reader(0, 4, False, "big")
_ENTER, _REPLACE = ouch50.ENTER_ORDER, ouch50.REPLACE_ORDER_REQUEST
_CANCEL, _MODIFY = ouch50.CANCEL_ORDER_REQUEST, ouch50.MODIFY_ORDER_REQUEST
OLD_ENTER, OLD_REPLACE = ouch42.ENTER_ORDER, ouch42.REPLACE_ORDER
ENTER_REFERENCE, ENTER_CLIENT = _ENTER.offset("user_reference_number"), _ENTER.offset("client_order_id")
ORIGINAL, REPLACEMENT = _REPLACE.offset("original_user_reference_number"), _REPLACE.offset("user_reference_number")
REPLACE_CLIENT, REPLACE_TOKEN = _REPLACE.offset("client_order_id"), OLD_REPLACE.offset("replacement_order_token")
CANCEL_REFERENCE, MODIFY_REFERENCE = (r.offset("user_reference_number") for r in (_CANCEL, _MODIFY))
if {r.offset("order_token") for r in (OLD_ENTER, ouch42.CANCEL_ORDER, ouch42.MODIFY_ORDER)} != {TOKEN_AT} or (
    OLD_REPLACE.offset("existing_order_token") != TOKEN_AT
):
    raise AssertionError("the token of the order in question stands at the same place in all messages")


def _same(new: Any, old: Any, **names: str) -> tuple[tuple[int, int, int], ...]:
    """Fields that are as they were: (from, to, bytes), by their names in 5.0 and in 4.2."""
    return tuple((new.offset(name), old.offset(was), old[was].width) for name, was in names.items())


_COMMON = {"display": "display", "intermarket_sweep_eligibility": "intermarket_sweep_eligibility", "quantity": "shares"}
_OF_ENTER = _same(_ENTER, OLD_ENTER, side="side", symbol="stock", capacity="capacity", cross_type="cross_type", **_COMMON)
_OF_REPLACE = _same(_REPLACE, OLD_REPLACE, **_COMMON)
_OF_CANCEL = _same(_CANCEL, ouch42.CANCEL_ORDER, quantity="shares")
_OF_MODIFY = _same(_MODIFY, ouch42.MODIFY_ORDER, side="side", quantity="shares")
_enter_price, _enter_time_in_force = _ENTER.reader("price"), _ENTER.reader("time_in_force")
_replace_price, _replace_time_in_force = _REPLACE.reader("price"), _REPLACE.reader("time_in_force")
_set_price, _set_time_in_force = OLD_ENTER.writer("price"), OLD_ENTER.writer("time_in_force")
_set_minimum, _set_customer = OLD_ENTER.writer("minimum_quantity"), OLD_ENTER.writer("customer_type")
_set_new_price, _set_new_time_in_force = OLD_REPLACE.writer("price"), OLD_REPLACE.writer("time_in_force")
_set_new_minimum = OLD_REPLACE.writer("minimum_quantity")
_TO_FIRM, _FIRM_WIDTH = OLD_ENTER.offset("firm"), OLD_ENTER["firm"].width


@inner
def read(wire: Any, now: Any, at: int, size: int) -> bool:
    """Brings so many bytes into ``wire.message``; whether they are a message."""
    code = wire.inbound[at] if size > 0 else 0
    wire.message[:] = BLANK
    if now[Now.OUCH] != V5_0:
        if size == 0 or LENGTHS_42[code] != size:
            return False
        copy(wire.inbound, at, wire.message, 0, size)
        return True
    fixed = np.int64(LENGTHS_50[code])
    appended = code == _O or code == _U
    if fixed == 0 or size < fixed or (size > fixed and not appended):
        return False
    if appended and not _has_appendage(wire.inbound, at + fixed, size - fixed):
        return False
    wire.message[0] = code
    if code == _O:
        _enter(wire.inbound, at, size, wire.message)
    elif code == _U:
        _replace(wire.inbound, at, size, wire.message)
    elif code == _X:
        _name(wire.inbound, at + CANCEL_REFERENCE, wire.message, TOKEN_AT)
        _repeat(wire.inbound, at, wire.message, _OF_CANCEL)
    elif code == _M:
        _name(wire.inbound, at + MODIFY_REFERENCE, wire.message, TOKEN_AT)
        _repeat(wire.inbound, at, wire.message, _OF_MODIFY)
    return True


@inner
def user_reference(wire: Any) -> int:
    """The UserRefNum that the message at hand gives to an order."""
    return _number(wire.message, REPLACE_TOKEN if wire.message[0] == _U else TOKEN_AT)


@inner
def _has_appendage(inbound: Any, at: int, length: int) -> bool:
    """Whether an appendage of this length stands at ``at``, behind the two bytes that say how long it is."""
    said = np.int64(inbound[at - 2]) << 8 | np.int64(inbound[at - 1])
    return said == length and appendage.check(inbound, at, length) == OK


@inner
def _name(inbound: Any, begin: int, message: Any, to: int) -> None:
    """The token of the order with the UserRefNum at ``begin``."""
    copy(inbound, begin, message, to, REFERENCE_LENGTH)
    message[to + REFERENCE_LENGTH : to + TOKEN_LENGTH] = BLANK


@inner
def _repeat(inbound: Any, at: int, message: Any, fields: Any) -> None:
    for begin, to, length in fields:
        copy(inbound, at + begin, message, to, length)


@inner
def _option(inbound: Any, at: int, length: int, tag: int, otherwise: int) -> int:
    """An option of four bytes of an appendage."""
    begin = appendage.find(inbound, at, length, tag)
    return otherwise if begin < 0 else _number(inbound, begin)


@inner
def _seconds(letter: int, inbound: Any, at: int, length: int) -> int:
    """The time in force of 4.2 that is meant by a letter, and by the appendage at ``at``."""
    if letter == IMMEDIATE:
        return IMMEDIATE_OR_CANCEL
    if letter == DAY:
        return TIME_IN_FORCE_DAY
    if letter == EXTENDED or letter == AFTER:
        return TIME_IN_FORCE_SYSTEM
    return _option(inbound, at, length, EXPIRY, NO_TIME) if letter == UNTIL else NO_TIME


@inner
def _enter(inbound: Any, at: int, size: int, message: Any) -> None:
    options, length = at + LENGTHS_50[_O], size - LENGTHS_50[_O]
    _name(inbound, at + ENTER_REFERENCE, message, TOKEN_AT)
    _repeat(inbound, at, message, _OF_ENTER)
    _set_price(message, 0, min(_enter_price(inbound, at), np.uint64(TOO_MUCH)))
    _set_time_in_force(message, 0, _seconds(_enter_time_in_force(inbound, at), inbound, options, length))
    _set_minimum(message, 0, _option(inbound, options, length, MINIMUM, 0))
    customer, firm = appendage.find(inbound, options, length, CUSTOMER), appendage.find(inbound, options, length, FIRM)
    _set_customer(message, 0, BLANK if customer < 0 else np.int64(inbound[customer]))
    if firm >= 0:
        copy(inbound, firm, message, _TO_FIRM, _FIRM_WIDTH)
    copy(inbound, at + ENTER_CLIENT, message, ENTER_LENGTH, CLIENT_LENGTH)


@inner
def _replace(inbound: Any, at: int, size: int, message: Any) -> None:
    options, length = at + LENGTHS_50[_U], size - LENGTHS_50[_U]
    _name(inbound, at + ORIGINAL, message, TOKEN_AT)
    _name(inbound, at + REPLACEMENT, message, REPLACE_TOKEN)
    _repeat(inbound, at, message, _OF_REPLACE)
    _set_new_price(message, 0, min(_replace_price(inbound, at), np.uint64(TOO_MUCH)))
    _set_new_time_in_force(message, 0, _seconds(_replace_time_in_force(inbound, at), inbound, options, length))
    _set_new_minimum(message, 0, _option(inbound, options, length, MINIMUM, 0))
    copy(inbound, at + REPLACE_CLIENT, message, ENTER_LENGTH, CLIENT_LENGTH)
