"""Orders entered, matched, cancelled and replaced; what a halt and price bands do.

Matching stops in the middle where the event buffer is full: PENDING keeps the incoming order's slot, and
:func:`resume` goes on with it. Nothing else is taken on until then.

Price bands are those of the LULD plan in this: nothing trades outside. An order that would have to is executed
as far as the band and the rest of it cancelled; when a band moves, what rests on its wrong side is cancelled.
"""

from __future__ import annotations

from typing import Any

from sim.exchange.matching.ladder import append, best_at, level_at, order_at, symbol_at
from sim.exchange.matching.orders import (
    attribution,
    begin,
    begin_for,
    cancel,
    cross_queue,
    drop_incoming,
    end,
    fill,
    fill_incoming,
    find,
    new_reference,
    reduce,
    rest,
    take_slot,
    withdraw,
)
from sim.exchange.matching.state import (
    ALL_SHOWN,
    BAND,
    BASE,
    BUY,
    CANCELLED,
    DISPLAY,
    E_ATTRIBUTION,
    E_DETAIL,
    E_DISPLAYED,
    E_LEFT,
    E_MATCH,
    E_OTHER,
    E_OTHER_OWNER,
    E_OTHER_TOKEN,
    E_OWNER,
    E_PRICE,
    E_REFERENCE,
    E_SHARES,
    E_SHOWN,
    E_TOKEN,
    ENTERED,
    EVENTS,
    FIRM,
    FIRST,
    FLAGS,
    GIVEN,
    HALTED,
    HIDDEN,
    IMMEDIATE,
    IN_SYMBOL,
    LAST_PRICE,
    LAST_REFERENCE,
    LEVEL_COUNT,
    LIVE,
    LOWER,
    MARKET,
    MARKET_PRICE,
    MATCHES,
    MAX_SHARES,
    NOW,
    O_DISPLAY,
    O_DISPLAYED,
    O_FIRM,
    O_FLAGS,
    O_KEY,
    O_OPEN,
    O_OWNER,
    O_PREVENTION,
    O_REFERENCE,
    O_SHOWN,
    O_SIDE,
    O_SYMBOL,
    O_TIME,
    O_TOKEN,
    ON_CROSS,
    OPENED,
    OWNER,
    PAUSED,
    PENDING,
    POST_ONLY,
    PREVENTION,
    PRICE,
    REFERENCE,
    SHARES,
    SIDE,
    STATE,
    SYMBOL,
    SYMBOL_COUNT,
    TICK,
    TOKEN,
    TRADING,
    UPPER,
    USED,
    VALUE,
    Event,
    Prevention,
    Reason,
    Reject,
)
from wire.compiled import inner, merged

MATCH_ROOM = 6
"""Events that one step of matching and the end of an order write at most."""

_ACCEPTED, _REJECTED, _ADDED, _EXECUTED = (
    Event.ACCEPTED.value,
    Event.REJECTED.value,
    Event.ADDED.value,
    Event.EXECUTED.value,
)
_CANCELLED, _REPLACED, _STATE, _BANDS = (
    Event.CANCELLED.value,
    Event.REPLACED.value,
    Event.STATE.value,
    Event.BANDS.value,
)
_BAD_SYMBOL, _BAD_SHARES, _BAD_PRICE, _BAD_DISPLAY = (
    Reject.SYMBOL.value,
    Reject.SHARES.value,
    Reject.PRICE.value,
    Reject.DISPLAY.value,
)
_HALTED, _WOULD_TAKE, _UNKNOWN, _FULL = (
    Reject.HALTED.value,
    Reject.POST_ONLY.value,
    Reject.UNKNOWN_ORDER.value,
    Reject.FULL.value,
)
_BAD_SIDE, _BAD_CROSS = Reject.SIDE.value, Reject.CROSS.value
_USER, _NOT_NOW, _SELF_TRADE, _BAND = (
    Reason.USER.value,
    Reason.IMMEDIATE.value,
    Reason.SELF_TRADE.value,
    Reason.BAND.value,
)
_OLDEST, _BOTH = Prevention.CANCEL_OLDEST.value, Prevention.CANCEL_BOTH.value


@merged
def mirrored(memory: Any, key: int) -> int:
    """The key that a level has on the other side."""
    return memory[LEVEL_COUNT] - 1 - key


@inner
def key_of(memory: Any, symbol: int, side: int, price: int) -> int:
    """The key of a limit price, -1 where the ladder has no such level."""
    at = symbol_at(memory, symbol)
    distance, tick = price - memory[at + BASE], memory[at + TICK]
    if distance < tick:
        return -1
    index = distance // tick
    if index * tick != distance or index >= memory[LEVEL_COUNT] - 1:
        return -1
    return index ^ (-side & (memory[LEVEL_COUNT] - 1))


@merged
def would_take(memory: Any, symbol: int, side: int, key: int) -> bool:
    """Whether an order at this key would meet another, displayed or hidden."""
    top = memory[best_at(memory, symbol * 2 + 1 - side)]
    return top != 0 and memory[LEVEL_COUNT] - top <= key


@inner
def objection(memory: Any, command: Any, symbol: int, side: int, replaces: bool) -> int:
    """A :class:`Reject` for an order as it stands in a command."""
    if symbol < 0 or symbol >= memory[SYMBOL_COUNT] or memory[symbol_at(memory, symbol) + TICK] == 0:
        return _BAD_SYMBOL
    if side != BUY and side != 1:
        return _BAD_SIDE
    state = memory[symbol_at(memory, symbol) + STATE]
    if state == HALTED or state == PAUSED:
        return _HALTED
    shares, display, flags = command[SHARES], command[DISPLAY], command[FLAGS]
    if shares < 1 or shares > MAX_SHARES:
        return _BAD_SHARES
    if display < 0 or (display > 0 and display * 1024 < shares):
        return _BAD_DISPLAY
    if flags & ~GIVEN:
        return _BAD_CROSS
    crosses = flags & ON_CROSS
    if crosses == ON_CROSS or (crosses and (flags & (POST_ONLY | IMMEDIATE) or (replaces and not crosses))):
        return _BAD_CROSS
    if command[PRICE] == MARKET_PRICE:
        return _BAD_PRICE if flags & POST_ONLY else 0
    key = key_of(memory, symbol, side, command[PRICE])
    if key < 0:
        return _BAD_PRICE
    if flags & POST_ONLY and state == TRADING and would_take(memory, symbol, side, key):
        return _WOULD_TAKE
    return 0


@inner
def refuse(memory: Any, events: Any, command: Any, symbol: int, reason: int) -> None:
    """Says no."""
    n = begin(memory, events, _REJECTED)
    events[n, SYMBOL], events[n, SIDE] = symbol, command[SIDE]
    events[n, E_REFERENCE], events[n, E_PRICE], events[n, E_SHARES] = command[REFERENCE], command[PRICE], command[SHARES]
    events[n, E_OWNER], events[n, E_TOKEN], events[n, E_DETAIL] = command[OWNER], command[TOKEN], reason
    memory[LAST_REFERENCE] = 0


@inner
def enter(memory: Any, events: Any, command: Any) -> None:
    """A new order: refused, or accepted, matched as far as it goes, and what is left put into the book."""
    symbol, side = command[SYMBOL], command[SIDE]
    reason = objection(memory, command, symbol, side, False)
    slot = take_slot(memory) if reason == 0 else 0
    if slot == 0:
        refuse(memory, events, command, symbol, reason if reason != 0 else _FULL)
        return
    order = order_at(memory, slot)
    memory[LIVE] += 1
    memory[symbol_at(memory, symbol) + IN_SYMBOL] += 1
    memory[order + O_SYMBOL], memory[order + O_SIDE] = symbol, side
    memory[order + O_FIRM], memory[order + O_OWNER] = command[FIRM], command[OWNER]
    memory[order + O_PREVENTION] = command[PREVENTION]
    memory[order + O_REFERENCE] = new_reference(memory, slot)
    n = set_terms(memory, events, slot, command, _ACCEPTED)
    place(memory, events, slot, n)


@inner
def set_terms(memory: Any, events: Any, slot: int, command: Any, kind: int) -> int:
    """Gives an order what a command says it is to be; the event that tells it, an ACCEPTED or REPLACED."""
    order = order_at(memory, slot)
    flags, shares, side = command[FLAGS], command[SHARES], memory[order + O_SIDE]
    if command[PRICE] == MARKET_PRICE:
        flags |= MARKET
        key = memory[LEVEL_COUNT] - 1
    else:
        key = key_of(memory, memory[order + O_SYMBOL], side, command[PRICE])
    memory[order + O_FLAGS], memory[order + O_KEY] = flags, key
    memory[order + O_OPEN], memory[order + O_DISPLAYED], memory[order + O_SHOWN] = shares, 0, 0
    memory[order + O_DISPLAY] = 0 if flags & ON_CROSS else min(command[DISPLAY], ALL_SHOWN)
    memory[order + O_TOKEN], memory[order + O_TIME] = command[TOKEN], memory[NOW]
    memory[ENTERED] += shares
    memory[OPENED] += shares
    memory[LAST_REFERENCE] = memory[order + O_REFERENCE]
    n = begin_for(memory, events, kind, order)
    events[n, E_SHARES], events[n, E_ATTRIBUTION] = shares, attribution(memory, order)
    return n


@inner
def place(memory: Any, events: Any, slot: int, n: int) -> None:
    """An order that stands in no queue goes where it belongs: its auction, the book at once, or against the book.

    ``n`` is the event by which it came; an order that goes into the book at once is shown by that one.
    """
    order = order_at(memory, slot)
    flags, symbol, side = memory[order + O_FLAGS], memory[order + O_SYMBOL], memory[order + O_SIDE]
    at = symbol_at(memory, symbol)
    if flags & ON_CROSS:
        append(memory, cross_queue(memory, symbol, flags), slot, memory[order + O_OPEN])
        return
    trades = memory[at + STATE] == TRADING
    key = memory[order + O_KEY]
    plain = flags & (IMMEDIATE | MARKET) == 0 and key <= memory[at + BAND + side]
    if plain and not (trades and would_take(memory, symbol, side, key)):
        rest(memory, slot)
        show(memory, events, order, n)
        return
    resume(memory, events, slot)


@merged
def show(memory: Any, events: Any, order: int, n: int) -> None:
    """Lets event ``n`` say how an order that has come to rest is seen."""
    shown = memory[order + O_SHOWN]
    if events[n, 0] == _REPLACED:
        events[n, E_MATCH] = shown
    else:
        events[n, E_SHOWN] = shown
    events[n, E_DISPLAYED] = memory[order + O_DISPLAYED]


@inner
def resume(memory: Any, events: Any, slot: int) -> None:
    """Matches an order that stands in no queue and puts what is left where it belongs, or stops and is PENDING."""
    order = order_at(memory, slot)
    symbol, side, flags = memory[order + O_SYMBOL], memory[order + O_SIDE], memory[order + O_FLAGS]
    at = symbol_at(memory, symbol)
    row, levels = symbol * 2 + 1 - side, memory[LEVEL_COUNT]
    key, band = memory[order + O_KEY], memory[at + BAND + side]
    limit = min(key, band) if memory[at + STATE] == TRADING else -1
    best = best_at(memory, row)
    room = len(events) - MATCH_ROOM
    memory[PENDING] = slot
    while memory[order + O_OPEN] > 0:
        if memory[EVENTS] > room:
            return
        top = memory[best]
        if top == 0 or levels - top > limit:
            break
        level = level_at(memory, row, top - 1)
        maker = memory[level + FIRST]
        if maker == 0:
            maker = memory[level + HIDDEN + FIRST]
        other = order_at(memory, maker)
        prevention = memory[order + O_PREVENTION]
        if prevention != 0 and memory[order + O_FIRM] == memory[other + O_FIRM] and memory[order + O_FIRM] != 0:
            if prevention == _OLDEST or prevention == _BOTH:
                cancel(memory, events, maker, memory[other + O_OPEN], _SELF_TRADE)
            if prevention == _OLDEST:
                continue
            drop_incoming(memory, events, slot, _SELF_TRADE)
            memory[PENDING] = 0
            return
        displayed = memory[other + O_DISPLAYED]
        shares = min(memory[order + O_OPEN], displayed if displayed > 0 else memory[other + O_OPEN])
        fill_incoming(memory, order, shares)
        memory[MATCHES] += 1
        n = begin_for(memory, events, _EXECUTED, other)
        events[n, E_SHARES], events[n, E_LEFT] = shares, memory[other + O_OPEN] - shares
        events[n, E_MATCH] = memory[MATCHES]
        events[n, E_OTHER], events[n, E_DETAIL] = memory[order + O_REFERENCE], memory[order + O_OPEN]
        events[n, E_OTHER_OWNER], events[n, E_OTHER_TOKEN] = memory[order + O_OWNER], memory[order + O_TOKEN]
        memory[at + LAST_PRICE] = events[n, E_PRICE]
        fill(memory, events, maker, shares)
    memory[PENDING] = 0
    if memory[order + O_OPEN] == 0:
        end(memory, slot)
    elif flags & (IMMEDIATE | MARKET):
        drop_incoming(memory, events, slot, _NOT_NOW)
    elif key > band:
        drop_incoming(memory, events, slot, _BAND)
    else:
        rest(memory, slot)
        n = begin_for(memory, events, _ADDED, order)
        events[n, E_SHARES], events[n, E_DISPLAYED] = memory[order + O_OPEN], memory[order + O_DISPLAYED]
        events[n, E_ATTRIBUTION] = attribution(memory, order)


@inner
def owned(memory: Any, command: Any) -> int:
    """The slot of the order that a command is about, 0 if its owner has none such."""
    slot = find(memory, command[REFERENCE])
    return slot if slot != 0 and memory[order_at(memory, slot) + O_OWNER] == command[OWNER] else 0


@inner
def cancel_down(memory: Any, events: Any, command: Any) -> None:
    """Reduces an order to a number of open shares; to 0 it ends."""
    slot = owned(memory, command)
    if slot == 0:
        refuse(memory, events, command, -1, _UNKNOWN)
        return
    surplus = memory[order_at(memory, slot) + O_OPEN] - max(command[SHARES], 0)
    if surplus > 0:
        cancel(memory, events, slot, surplus, command[VALUE] if command[VALUE] != 0 else _USER)


@inner
def replace(memory: Any, events: Any, command: Any) -> None:
    """New terms for an order, which keeps its place and its reference if only its size goes down.

    A replacement that is refused leaves the order as it is.
    """
    slot = owned(memory, command)
    if slot == 0:
        refuse(memory, events, command, -1, _UNKNOWN)
        return
    order = order_at(memory, slot)
    symbol, side, flags = memory[order + O_SYMBOL], memory[order + O_SIDE], command[FLAGS]
    reason = objection(memory, command, symbol, side, True)
    if reason == 0 and (flags ^ memory[order + O_FLAGS]) & ON_CROSS:
        reason = _BAD_CROSS
    if reason != 0:
        refuse(memory, events, command, symbol, reason)
        return
    old, shown, before = memory[order + O_REFERENCE], memory[order + O_SHOWN], memory[order + O_OPEN]
    is_market = command[PRICE] == MARKET_PRICE
    key = memory[LEVEL_COUNT] - 1 if is_market else key_of(memory, symbol, side, command[PRICE])
    same = key == memory[order + O_KEY] and flags & ~POST_ONLY == memory[order + O_FLAGS] & GIVEN & ~POST_ONLY
    display = 0 if flags & ON_CROSS else min(command[DISPLAY], ALL_SHOWN)
    if same and command[SHARES] <= before and display == memory[order + O_DISPLAY]:
        surplus = before - command[SHARES]
        displayed = memory[order + O_DISPLAYED]
        seen = max(surplus - (before - displayed), 0) if displayed > 0 else 0
        reduce(memory, order, surplus, seen)
        memory[CANCELLED] += surplus
        memory[OPENED] -= surplus
        memory[order + O_TOKEN], memory[LAST_REFERENCE] = command[TOKEN], old
        n = begin_for(memory, events, _REPLACED, order)
        events[n, E_SHARES], events[n, E_OTHER], events[n, E_MATCH] = memory[order + O_OPEN], old, shown
        events[n, E_DISPLAYED] = memory[order + O_DISPLAYED]
        events[n, E_DETAIL] = seen
        return
    withdraw(memory, slot)
    memory[CANCELLED] += before
    memory[OPENED] -= before
    memory[order + O_REFERENCE] = new_reference(memory, slot)
    n = set_terms(memory, events, slot, command, _REPLACED)
    events[n, E_OTHER], events[n, E_SHOWN] = old, shown
    place(memory, events, slot, n)


@inner
def set_state(memory: Any, events: Any, symbol: int, state: int) -> None:
    """A halt, a pause, quoting only, or trading. Trading does not begin by itself what a crossed book would give: a
    cross does.
    """
    memory[symbol_at(memory, symbol) + STATE] = state
    n = begin(memory, events, _STATE)
    events[n, SYMBOL], events[n, E_DETAIL] = symbol, state


@inner
def set_bands(memory: Any, events: Any, symbol: int, lower: int, upper: int) -> None:
    """Between which prices a symbol trades; prices that are no level's count as the next one inside."""
    at, levels = symbol_at(memory, symbol), memory[LEVEL_COUNT]
    base, tick = memory[at + BASE], memory[at + TICK]
    least, most = 0, levels - 1
    if upper > 0:
        least = min(max((lower - base + tick - 1) // tick, 0), levels - 1)
        most = min(max((upper - base) // tick, 0), levels - 1)
    memory[at + BAND], memory[at + BAND + 1] = most, levels - 1 - least
    memory[at + LOWER], memory[at + UPPER] = lower, upper
    n = begin(memory, events, _BANDS)
    events[n, SYMBOL], events[n, E_PRICE], events[n, E_OTHER] = symbol, lower, upper
    events[n, E_MATCH], events[n, E_DETAIL] = memory[at + LAST_PRICE], memory[at + STATE]
    for side in range(2):
        row = symbol * 2 + side
        while memory[best_at(memory, row)] > memory[at + BAND + side] + 1:
            level = level_at(memory, row, memory[best_at(memory, row)] - 1)
            slot = memory[level + FIRST]
            if slot == 0:
                slot = memory[level + HIDDEN + FIRST]
            cancel(memory, events, slot, memory[order_at(memory, slot) + O_OPEN], _BAND)


@inner
def cancel_all(memory: Any, events: Any, symbol: int, owner: int, reason: int) -> None:
    """Cancels every order of a symbol, of an owner, or of both; -1 is any. In the order of their slots."""
    for slot in range(1, memory[USED] + 1):
        order = order_at(memory, slot)
        if memory[order + O_REFERENCE] == 0:
            continue
        if (symbol < 0 or memory[order + O_SYMBOL] == symbol) and (owner < 0 or memory[order + O_OWNER] == owner):
            cancel(memory, events, slot, memory[order + O_OPEN], reason)
