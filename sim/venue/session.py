"""The venue's loop: the tape, our packets, expiries and heartbeats, one after the other as they happen."""

from __future__ import annotations

from enum import IntEnum
from typing import Any

import numpy as np

from sim.venue import answers, answers50, columns, matching, requests
from sim.venue.state import (
    BUY,
    CLIENT_LENGTH,
    CLOSED,
    ENTER_LENGTH,
    LONGEST_ANSWER,
    MARGIN,
    NEVER,
    NONE,
    OPEN,
    SELL,
    TEXT_LENGTH,
    TOKEN_AT,
    TOKEN_LENGTH,
    Mine,
    Now,
    Real,
    Sent,
    Stock,
    token_slot,
)
from wire import ouch42, soupbintcp
from wire.buffers import reader
from wire.compiled import inner, uncounted
from wire.records import (
    IMMEDIATE_OR_CANCEL,
    MAX_ORDER_PRICE,
    MAX_ORDER_QUANTITY,
    TIME_IN_FORCE_DAY,
    TIME_IN_FORCE_SYSTEM,
    OuchVersion,
)
from wire.soupbintcp import CLIENT_LENGTHS, HEADER_LENGTH

IMMEDIATE, MARKET_HOURS, SYSTEM_HOURS = IMMEDIATE_OR_CANCEL, TIME_IN_FORCE_DAY, TIME_IN_FORCE_SYSTEM
V5_0 = OuchVersion.V5_0.value
NANOSECONDS = 1_000_000_000


class Status(IntEnum):
    """Why :func:`advance` stopped."""

    DONE = 0
    LOG_FULL = 1
    OWN_FULL = 2
    LOGIN = 3
    """The packet before ``IN_HEAD`` is a login request, to be answered."""


# reasons, OUCH 4.2
BAD_STOCK, BAD_SHARES, BAD_PRICE, MARKET_CLOSED, HALTED, BAD_DISPLAY, BAD_MINIMUM, OTHER = (
    ord(c) for c in "SZXCHDNO"
)
USER, IMMEDIATE_CANCEL, TIMEOUT = (ord(c) for c in "UIT")

_O, _U, _X, _M, _Q, _L, _OUT = (ord(c) for c in "OUXMQLO")
_DATA = ord("U")
_DISPLAYS = np.zeros(256, np.bool_)
_DISPLAYS[[ord(c) for c in "AYNPIMWLOTQmn"]] = True

_side = ouch42.ENTER_ORDER.reader("side")
_shares = ouch42.ENTER_ORDER.reader("shares")
_stock = reader(ouch42.ENTER_ORDER.offset("stock"), 8, True, "big")
_price = ouch42.ENTER_ORDER.reader("price")
_time_in_force = ouch42.ENTER_ORDER.reader("time_in_force")
_display = ouch42.ENTER_ORDER.reader("display")
_minimum = ouch42.ENTER_ORDER.reader("minimum_quantity")
_set_shares = ouch42.ENTER_ORDER.writer("shares")
_set_price = ouch42.ENTER_ORDER.writer("price")
_set_time_in_force = ouch42.ENTER_ORDER.writer("time_in_force")
_set_minimum = ouch42.ENTER_ORDER.writer("minimum_quantity")
_set_side = ouch42.ENTER_ORDER.writer("side")
_set_display = ouch42.ENTER_ORDER.writer("display")
_set_sweep = ouch42.ENTER_ORDER.writer("intermarket_sweep_eligibility")
_replacement_at = ouch42.REPLACE_ORDER.offset("replacement_order_token")
_new_shares = ouch42.REPLACE_ORDER.reader("shares")
_new_price = ouch42.REPLACE_ORDER.reader("price")
_new_time_in_force = ouch42.REPLACE_ORDER.reader("time_in_force")
_new_minimum = ouch42.REPLACE_ORDER.reader("minimum_quantity")
_new_display = ouch42.REPLACE_ORDER.reader("display")
_new_sweep = ouch42.REPLACE_ORDER.reader("intermarket_sweep_eligibility")
_left_shares = ouch42.CANCEL_ORDER.reader("shares")
_modified_side = ouch42.MODIFY_ORDER.reader("side")
_modified_shares = ouch42.MODIFY_ORDER.reader("shares")


@inner
def submit(wire: Any, now: Any, arrival: int, packet: Any, at: int, length: int) -> None:
    """A packet of ours that arrives at ``arrival``, but never before the one before it."""
    arrival = max(arrival, now[Now.LAST_ARRIVAL])
    now[Now.LAST_ARRIVAL] = arrival
    if now[Now.IN_HEAD] == now[Now.IN_TAIL]:
        now[Now.IN_HEAD] = now[Now.IN_TAIL] = now[Now.IN_END] = 0
    n, to = now[Now.IN_TAIL], now[Now.IN_END]
    wire.arrivals[n, 0], wire.arrivals[n, 1], wire.arrivals[n, 2] = arrival, to, length
    for k in range(length):
        wire.inbound[to + k] = packet[at + k]
    now[Now.IN_TAIL] = n + 1
    now[Now.IN_END] = to + length


@uncounted
def advance(book: Any, own: Any, wire: Any, now: Any, until: int, answered: int) -> int:
    """Everything that happens before ``until``, and a :class:`Status`: what has to be done before it can go on.

    At the same time first the tape, then expiries, then what came in, then heartbeats. ``answered`` is the number of
    packets whose arrival we have seen: nothing happens that an order of ours, sent when the next packet arrives, could
    still come before.
    """
    messages = len(book.messages)
    while True:
        tape = book.messages[now[Now.CURSOR], columns.TIME] if now[Now.CURSOR] < messages else NEVER
        waiting = now[Now.IN_HEAD] < now[Now.IN_TAIL]
        inbound = wire.arrivals[now[Now.IN_HEAD], 0] if waiting else NEVER
        beating = now[Now.HEARTBEAT] > 0 and now[Now.LOGGED_IN] == 1
        beat = now[Now.LAST_SENT] + now[Now.HEARTBEAT] if beating else NEVER
        first = min(min(tape, inbound), min(now[Now.NEXT_EXPIRY], beat))
        if answered < now[Now.LOG_COUNT]:
            until = min(until, wire.sent[answered, Sent.TIME] + now[Now.ORDER_LATENCY])
        if first >= until:
            return Status.DONE.value
        room = MARGIN + now[Now.LIVE]
        if (
            now[Now.LOG_COUNT] + room > len(wire.sent)
            or now[Now.LOG_END] + room * LONGEST_ANSWER > len(wire.log)
            or now[Now.FILL_COUNT] + room > len(wire.fills)
        ):
            return Status.LOG_FULL.value
        now[Now.TIME] = max(now[Now.TIME], first)
        if tape == first:
            i = now[Now.CURSOR]
            now[Now.CURSOR] = i + 1
            if book.messages[i, columns.KIND] != 0:
                _follow(book, own, wire, now, i)
        elif now[Now.NEXT_EXPIRY] == first:
            _withdraw(book, own, wire, now, 0)
        elif inbound == first:
            if now[Now.OWN_COUNT] + 1 >= len(own.orders):
                return Status.OWN_FULL.value
            n = now[Now.IN_HEAD]
            now[Now.IN_HEAD] = n + 1
            if _receive(book, own, wire, now, wire.arrivals[n, 1], wire.arrivals[n, 2]):
                return Status.LOGIN.value
        else:
            answers.heartbeat(wire, now)


# -- the tape --------------------------------------------------------------------------------------


@inner
def _follow(book: Any, own: Any, wire: Any, now: Any, i: int) -> None:
    """One message of the tape."""
    messages = book.messages
    kind, stock = messages[i, columns.KIND], messages[i, columns.STOCK]
    value, shares = messages[i, columns.VALUE], messages[i, columns.SHARES]
    if kind == 83:  # S
        if value == 81:  # Q
            now[Now.MARKET] = OPEN
        elif value == 77:  # M
            now[Now.MARKET] = CLOSED
            _withdraw(book, own, wire, now, MARKET_HOURS)
        elif value == 69:  # E
            _withdraw(book, own, wire, now, SYSTEM_HOURS)
        return
    if stock < 0:
        return
    if kind == 72:  # H
        book.stocks[stock, Stock.TRADING] = value
        return
    o, created, used = messages[i, columns.ORDER], messages[i, columns.CREATED], np.int64(0)
    # What comes to our resting orders: to which of them, at which price, how much.
    side, price, against = BUY, value, o
    executed = kind == 69 or kind == 67  # E, C
    hidden = kind == 80  # P
    if o != NONE:
        side, price = book.orders[o, Real.SIDE], book.prices[book.orders[o, Real.LEVEL]]
        if executed or kind == 88:  # X
            shares = matching.reduce(book, own, o, shares)
        else:  # D, U
            if book.orders[o, Real.QUANTITY] == 0:
                return
            used = book.orders[o, Real.QUANTITY] - book.orders[o, Real.AVAILABLE]
            matching.reduce(book, own, o, book.orders[o, Real.QUANTITY])
    if created != NONE:
        matching.enter(book, created, shares, min(used, shares))
        now[Now.CAME_IN] = created + 1
        side = SELL if book.orders[created, Real.SIDE] == BUY else BUY
        price, against = book.prices[book.orders[created, Real.LEVEL]], created
        shares = book.orders[created, Real.AVAILABLE]
    if book.stocks[stock, Stock.FIRST_OWN] == NONE or not (executed or hidden or created != NONE):
        return
    for _ in range(2 if hidden else 1):
        traded = matching.trade_resting(
            book, own, wire, now, stock, side, price, shares, i, against, executed, hidden
        )
        if created != NONE and traded > 0:
            matching.use(book, own, created, traded)
        shares, side = shares - traded, SELL


@inner
def _withdraw(book: Any, own: Any, wire: Any, now: Any, hours: int) -> None:
    """Cancels orders that were good for these hours, or whose seconds are over; finds when the next are."""
    following = np.int64(NEVER)
    for stock in range(len(book.stocks)):
        mine = book.stocks[stock, Stock.FIRST_OWN]
        while mine != NONE:
            after, due = own.orders[mine, Mine.NEXT], own.orders[mine, Mine.EXPIRY]
            good = _time_in_force(own.text, mine * TEXT_LENGTH)
            over = due <= now[Now.TIME] or good == hours or (hours == SYSTEM_HOURS and good != MARKET_HOURS)
            if over:
                matching.cancel(book, own, wire, now, mine, own.orders[mine, Mine.REMAINING], TIMEOUT)
            else:
                following = min(following, due)
            mine = after
    now[Now.NEXT_EXPIRY] = following


# -- what comes in ---------------------------------------------------------------------------------


@inner
def _receive(book: Any, own: Any, wire: Any, now: Any, at: int, length: int) -> bool:
    """One packet of ours; True if it is a login request."""
    if soupbintcp.next_packet(wire.inbound, at, at + length, CLIENT_LENGTHS) != length:
        now[Now.MALFORMED] += 1
        return False
    code = wire.inbound[at + 2]
    if code == _L:
        return True
    if code == _OUT:
        now[Now.LOGGED_IN] = 0
    elif code == _DATA:
        payload, size = at + HEADER_LENGTH, length - HEADER_LENGTH
        if now[Now.LOGGED_IN] == 0:
            now[Now.IGNORED] += 1
        elif not requests.read(wire, now, payload, size):
            now[Now.MALFORMED] += 1
        else:
            _order(book, own, wire, now)
    return False


@inner
def _order(book: Any, own: Any, wire: Any, now: Any) -> None:
    """The OUCH message at hand. What is ignored is counted."""
    code, mine = wire.message[0], NONE
    if (code == _O or code == _U) and not _rises(wire, now):
        now[Now.IGNORED] += 1
    elif code == _O:
        mine = _enter(book, own, wire, now)
    elif code == _U:
        mine = _replace(book, own, wire, now)
    elif code == _X:
        found = _living(own, wire)
        left = _left_shares(wire.message, 0)
        if found != NONE and left < own.orders[found, Mine.REMAINING]:
            matching.cancel(book, own, wire, now, found, own.orders[found, Mine.REMAINING] - left, USER)
        else:
            now[Now.IGNORED] += 1
    elif code == _M:
        _modify(own, wire, now)
    elif code == _Q:
        answers50.account(wire, now)
    else:
        now[Now.IGNORED] += 1
    if mine != NONE:
        _match(book, own, wire, now, mine)


@inner
def _rises(wire: Any, now: Any) -> bool:
    """Whether an order gets a UserRefNum above all before it; it is used up then. A token need not rise."""
    if now[Now.OUCH] != V5_0:
        return True
    number = requests.user_reference(wire)
    if number <= now[Now.LAST_USER_REFERENCE]:
        return False
    now[Now.LAST_USER_REFERENCE] = number
    return True


@inner
def _living(own: Any, wire: Any) -> int:
    """The live order that the message at hand is about, -1 for none."""
    mine = np.int64(own.table[token_slot(own.text, own.table, wire.message, TOKEN_AT)])
    return mine if mine != NONE and own.orders[mine, Mine.ALIVE] == 1 else NONE


@inner
def _allowed_price(price: int) -> bool:
    """At least a cent apart from a dollar on."""
    return 0 < price <= MAX_ORDER_PRICE and (price < 10_000 or price % 100 == 0)


@inner
def _enter(book: Any, own: Any, wire: Any, now: Any) -> int:
    """Enter Order: refused, or accepted; the new order, -1 if there is none."""
    message = wire.message
    slot = token_slot(own.text, own.table, message, TOKEN_AT)
    if own.table[slot] != NONE:  # a token that was used: ignored
        now[Now.IGNORED] += 1
        return NONE
    stock, key = NONE, _stock(message, 0)
    for s in range(len(book.stocks)):
        if book.stocks[s, Stock.KEY] == key:
            stock = s
    side, shares, price = _side(message, 0), _shares(message, 0), _price(message, 0)
    good, minimum = _time_in_force(message, 0), _minimum(message, 0)
    reason = 0
    if stock == NONE:
        reason = BAD_STOCK
    elif now[Now.MARKET] != OPEN:
        reason = MARKET_CLOSED
    elif book.stocks[stock, Stock.TRADING] != 84:  # T
        reason = HALTED
    elif shares == 0 or shares > MAX_ORDER_QUANTITY:
        reason = BAD_SHARES
    elif not _allowed_price(price):
        reason = BAD_PRICE
    elif not _DISPLAYS[_display(message, 0)]:
        reason = BAD_DISPLAY
    elif minimum > shares or (minimum > 0 and good != IMMEDIATE):
        reason = BAD_MINIMUM
    elif (side != 66 and side != 83 and side != 84 and side != 69) or good > SYSTEM_HOURS:  # B S T E
        reason = OTHER
    if reason != 0:
        answers.rejected(wire, now, reason)
        return NONE
    mine = now[Now.OWN_COUNT]
    answers.copy(message, 0, own.text, mine * TEXT_LENGTH, TEXT_LENGTH)
    own.table[slot] = mine
    _begin(own, now, mine, stock, BUY if side == 66 else SELL, price, shares, 0)
    answers.in_book(wire, now, own, mine, NONE, shares)
    now[Now.ACCEPTED] += 1
    return mine


@inner
def _begin(
    own: Any, now: Any, mine: int, stock: int, side: int, price: int, shares: int, executed: int
) -> None:
    now[Now.OWN_COUNT] = mine + 1
    now[Now.REFERENCE] += 1
    now[Now.PRIORITY] += 1
    orders = own.orders
    orders[mine, Mine.STOCK], orders[mine, Mine.SIDE], orders[mine, Mine.PRICE] = stock, side, price
    orders[mine, Mine.REMAINING], orders[mine, Mine.EXECUTED] = shares, executed
    orders[mine, Mine.ENTERED], orders[mine, Mine.REFERENCE] = now[Now.TIME], now[Now.REFERENCE]
    orders[mine, Mine.RANK], orders[mine, Mine.EXPIRY] = now[Now.PRIORITY], NEVER


@inner
def _match(book: Any, own: Any, wire: Any, now: Any, mine: int) -> None:
    """Takes what can be taken; what is left rests, or is cancelled if it is immediate or cancel."""
    text = mine * TEXT_LENGTH
    good, minimum = _time_in_force(own.text, text), _minimum(own.text, text)
    shares = own.orders[mine, Mine.REMAINING]
    enough = minimum == 0 or matching.take(book, own, wire, now, mine, minimum, 0) == 0
    left = matching.take(book, own, wire, now, mine, shares, MARGIN - 64) if enough else shares
    if left == 0:
        return
    if good == IMMEDIATE:
        answers.canceled(wire, now, own, mine, left, IMMEDIATE_CANCEL)
        own.orders[mine, Mine.REMAINING] = 0
        return
    if good < MARKET_HOURS:
        own.orders[mine, Mine.EXPIRY] = now[Now.TIME] + good * NANOSECONDS
        now[Now.NEXT_EXPIRY] = min(now[Now.NEXT_EXPIRY], own.orders[mine, Mine.EXPIRY])
    matching.rest(book, own, now, mine)


@inner
def _replace(book: Any, own: Any, wire: Any, now: Any) -> int:
    """Replace Order: the old one leaves, the new one comes in behind all others; the new order, -1 if there is none.

    Shares are those of the whole chain. Ignored if the old one is not live or the new token was used. If the new values
    are not allowed, or the chain has executed that many shares, the old one is cancelled and the new token stays unused.
    """
    message = wire.message
    old = _living(own, wire)
    slot = token_slot(own.text, own.table, message, _replacement_at)
    if old == NONE or own.table[slot] != NONE:
        now[Now.IGNORED] += 1
        return NONE
    executed, stock, side = own.orders[old, Mine.EXECUTED], own.orders[old, Mine.STOCK], own.orders[old, Mine.SIDE]
    shares, price, good = _new_shares(message, 0), _new_price(message, 0), _new_time_in_force(message, 0)
    display, minimum, left = _new_display(message, 0), _new_minimum(message, 0), shares - executed
    allowed = shares <= MAX_ORDER_QUANTITY and left > 0 and _allowed_price(price)
    allowed = allowed and good <= SYSTEM_HOURS and _DISPLAYS[display]
    allowed = allowed and (minimum == 0 or (good == IMMEDIATE and minimum <= left))
    if not allowed:
        matching.cancel(book, own, wire, now, old, own.orders[old, Mine.REMAINING], USER)
        return NONE
    mine = now[Now.OWN_COUNT]
    text = mine * TEXT_LENGTH
    answers.copy(own.text, old * TEXT_LENGTH, own.text, text, ENTER_LENGTH)
    answers.copy(message, _replacement_at, own.text, text + TOKEN_AT, TOKEN_LENGTH)
    answers.copy(message, ENTER_LENGTH, own.text, text + ENTER_LENGTH, CLIENT_LENGTH)
    _set_shares(own.text, text, shares)
    _set_price(own.text, text, price)
    _set_time_in_force(own.text, text, good)
    _set_minimum(own.text, text, minimum)
    _set_display(own.text, text, display)
    _set_sweep(own.text, text, _new_sweep(message, 0))
    own.table[slot] = mine
    matching.remove(book, own, now, old)
    _begin(own, now, mine, stock, side, price, left, executed)
    answers.in_book(wire, now, own, mine, old, left)
    now[Now.REPLACED] += 1
    return mine


@inner
def _modify(own: Any, wire: Any, now: Any) -> None:
    """Modify Order: another marking of a sale, or fewer shares; priority stays."""
    mine = _living(own, wire)
    side, shares = _modified_side(wire.message, 0), _modified_shares(wire.message, 0)
    if mine == NONE or own.orders[mine, Mine.SIDE] == BUY or (side != 83 and side != 84 and side != 69):
        now[Now.IGNORED] += 1
        return
    _set_side(own.text, mine * TEXT_LENGTH, side)
    if 0 < shares < own.orders[mine, Mine.REMAINING]:
        own.orders[mine, Mine.REMAINING] = shares
    answers.modified(wire, now, own, mine, side, own.orders[mine, Mine.REMAINING])
