"""Commands of the host. Semantics section 11.

A command has an effect, then it is answered, then the symbols that it touched are evaluated. RESUME_FEED is answered
when what it lets through has been played: :mod:`engine.path` does that.
"""

from __future__ import annotations

from typing import Any

from engine import arbiter
from engine.book import levels, live_orders, map_symbol, set_strict, set_symbol_ok, symbol_of
from engine.events import COMMAND, KILL, NO_SIDE, TRUST_REGAINED, claim, write
from engine.feed import refresh, refresh_trust, resumed, trust_all
from engine.own_orders import (
    IDLE,
    LIVE,
    PENDING_REPLACE,
    free_slot,
    has_orders,
    send_cancel,
    submit_new,
    submit_replace,
    value_position,
)
from engine.risk import UP, state_mask
from engine.session import DOWN, set_session
from engine.signals import are_valid, imbalance, microprice
from engine.soupbin import LOGOUT_TYPE, write_login, write_plain
from engine.stage import stage
from engine.state import LOCATES, SIDES
from engine.trader import evaluate, sweep
from engine.unsigned import ONE, larger, word
from wire import records
from wire.buffers import reader
from wire.counters import NUMBER
from wire.records import (
    MAX_DECAY,
    NO_SYMBOL,
    QUOTER_STRATEGY,
    SLOT_BITS,
    SLOTS,
    STRATEGIES,
    CommandError,
    EventType,
    KillScope,
    Opcode,
    OuchVersion,
    SessionState,
    Side,
    SnapshotPart,
    TrustCause,
)

COMMANDS, COMMANDS_REFUSED = NUMBER["commands"], NUMBER["commands_refused"]

HEARTBEAT, SET_SYMBOL, SET_LIMITS, SET_QUOTER = (
    Opcode.HEARTBEAT.value,
    Opcode.SET_SYMBOL.value,
    Opcode.SET_LIMITS.value,
    Opcode.SET_QUOTER.value,
)
SET_GLOBAL, SET_FEED, SET_TRADING = Opcode.SET_GLOBAL.value, Opcode.SET_FEED.value, Opcode.SET_TRADING.value
SET_POSITION, NEW_ORDER = Opcode.SET_POSITION.value, Opcode.NEW_ORDER.value
REPLACE_ORDER, CANCEL_ORDER, CANCEL_ALL = (
    Opcode.REPLACE_ORDER.value,
    Opcode.CANCEL_ORDER.value,
    Opcode.CANCEL_ALL.value,
)
SET_KILL, CLEAR_KILL = Opcode.KILL.value, Opcode.CLEAR_KILL.value
LOGIN, LOGOUT, SESSION_DOWN = Opcode.LOGIN.value, Opcode.LOGOUT.value, Opcode.SESSION_DOWN.value
RESUME_FEED, TRUST, SNAPSHOT = Opcode.RESUME_FEED.value, Opcode.TRUST.value, Opcode.SNAPSHOT.value
SET_TAKER = Opcode.SET_TAKER.value

NONE, UNKNOWN_OPCODE = CommandError.NONE.value, CommandError.UNKNOWN_OPCODE.value
BAD_SYMBOL, BAD_VALUE, BUSY = CommandError.BAD_SYMBOL.value, CommandError.BAD_VALUE.value, CommandError.BUSY.value
UNKNOWN_ORDER, ORDER_PENDING = CommandError.UNKNOWN_ORDER.value, CommandError.ORDER_PENDING.value
REFUSED = CommandError.REFUSED.value

# What comes after the answer
NOTHING, EVALUATE, SWEEP = 0, 1, 2

GLOBAL, STRATEGY, SYMBOL = KillScope.GLOBAL.value, KillScope.STRATEGY.value, KillScope.SYMBOL.value
PART_BOOK, PART_POSITION = SnapshotPart.BOOK.value, SnapshotPart.POSITION.value
PART_ORDERS, PART_SIGNALS = SnapshotPart.ORDERS.value, SnapshotPart.SIGNALS.value
HEARTBEAT_EVENT, BOOK_LEVEL = EventType.HEARTBEAT.value, EventType.BOOK_LEVEL.value
POSITION_EVENT, OPEN_ORDER = EventType.POSITION.value, EventType.OPEN_ORDER.value
SNAPSHOT_END, SIGNALS = EventType.SNAPSHOT_END.value, EventType.SIGNALS.value
BUY, SELL = Side.BUY.value, Side.SELL.value
LOGIN_SENT = SessionState.LOGIN_SENT.value
CAUSE_HOST = TrustCause.HOST.value
BLANK = ord(" ")
NOT_RESTRICTED = ord("0")
NEWEST_OUCH = OuchVersion.V5_0.value
LEAVE = 2
MASK_32 = 0xFFFFFFFF

read_opcode = records.HEARTBEAT.reader("opcode")
read_symbol = records.HEARTBEAT.reader("symbol")
read_tag = records.HEARTBEAT.reader("tag")

_stock = reader(records.SET_SYMBOL.offset("stock"), 8, True, "big")
_stock_locate = records.SET_SYMBOL.reader("stock_locate")
_symbol_enabled = records.SET_SYMBOL.reader("enabled")
_symbol_state = records.SET_SYMBOL.reader("trading_state")
_base_price = records.SET_SYMBOL.reader("base_price")
_tick = records.SET_SYMBOL.reader("tick")
_tick_reciprocal = records.SET_SYMBOL.reader("tick_reciprocal")
_span = records.SET_SYMBOL.reader("span")
_max_notional = records.SET_LIMITS.reader("max_notional")
_symbol_loss_limit = records.SET_LIMITS.reader("loss_limit")
_max_quantity = records.SET_LIMITS.reader("max_quantity")
_max_position = records.SET_LIMITS.reader("max_position")
_collar = records.SET_LIMITS.reader("collar")
_locate_quantity = records.SET_LIMITS.reader("locate_quantity")
_symbol_rate_interval = records.SET_LIMITS.reader("rate_interval")
_symbol_rate_burst = records.SET_LIMITS.reader("rate_burst")
_duplicate_window = records.SET_LIMITS.reader("duplicate_window")
_max_repeats = records.SET_LIMITS.reader("max_repeats")
_max_open_orders = records.SET_LIMITS.reader("max_open_orders")
_offset = records.SET_QUOTER.reader("offset")
_half_spread = records.SET_QUOTER.reader("half_spread")
_skew = records.SET_QUOTER.reader("skew")
_size = records.SET_QUOTER.reader("size")
_min_change = records.SET_QUOTER.reader("min_change")
_quoter_enabled = records.SET_QUOTER.reader("enabled")
_decay = records.SET_QUOTER.reader("decay")
_min_life = records.SET_QUOTER.reader("min_life")
_ofi_weight = records.SET_QUOTER.reader("ofi_weight")
_trade_weight = records.SET_QUOTER.reader("trade_weight")
_variance_weight = records.SET_QUOTER.reader("variance_weight")
_value = records.SET_TAKER.reader("value")
_edge = records.SET_TAKER.reader("edge")
_taker_size = records.SET_TAKER.reader("size")
_taker_enabled = records.SET_TAKER.reader("enabled")
_max_age = records.SET_TAKER.reader("max_age")
_max_gross = records.SET_GLOBAL.reader("max_gross")
_credit = records.SET_GLOBAL.reader("credit")
_loss_limit = records.SET_GLOBAL.reader("loss_limit")
_stale_ns = records.SET_GLOBAL.reader("stale_ns")
_heartbeat_ns = records.SET_GLOBAL.reader("heartbeat_ns")
_rate_interval = records.SET_GLOBAL.reader("rate_interval")
_rate_burst = records.SET_GLOBAL.reader("rate_burst")
_firm = reader(records.SET_GLOBAL.offset("firm"), 4, False, "big")
_token_prefix = reader(records.SET_GLOBAL.offset("token_prefix"), 2, False, "big")
_start_sequence = records.SET_FEED.reader("start_sequence")
_hold_ns = records.SET_FEED.reader("hold_ns")
_session_head = reader(records.SET_FEED.offset("session"), 8, True, "big")
_session_tail = reader(records.SET_FEED.offset("session") + 8, 2, False, "big")
_port_a = records.SET_FEED.reader("port_a")
_address_a = records.SET_FEED.reader("address_a")
_address_b = records.SET_FEED.reader("address_b")
_port_b = records.SET_FEED.reader("port_b")
_strict = records.SET_FEED.reader("strict")
_trading_enabled = records.SET_TRADING.reader("enabled")
_trading_state = records.SET_TRADING.reader("trading_state")
_trading_reg_sho = records.SET_TRADING.reader("reg_sho")
_market_open = records.SET_TRADING.reader("market_open")
_cash = records.SET_POSITION.reader("cash")
_position = records.SET_POSITION.reader("position")
_mark = records.SET_POSITION.reader("mark")
_new_side = records.NEW_ORDER.reader("side")
_new_strategy = records.NEW_ORDER.reader("strategy")
_new_price = records.NEW_ORDER.reader("price")
_new_quantity = records.NEW_ORDER.reader("quantity")
_new_time_in_force = records.NEW_ORDER.reader("time_in_force")
_order_id = records.REPLACE_ORDER.reader("order_id")  # CANCEL_ORDER's too
_replace_price = records.REPLACE_ORDER.reader("price")
_replace_quantity = records.REPLACE_ORDER.reader("quantity")
_scope = records.KILL.reader("scope")  # CLEAR_KILL's too
_kill_strategy = records.KILL.reader("strategy")
_ouch = records.LOGIN.reader("ouch")
_sequence = records.RESUME_FEED.reader("sequence")
_parts = records.SNAPSHOT.reader("parts")
_depth = records.SNAPSHOT.reader("depth")
if records.CANCEL_ORDER.offset("order_id") != records.REPLACE_ORDER.offset("order_id"):
    raise AssertionError("CANCEL_ORDER has the order id where REPLACE_ORDER has it")


@stage
def answer(core: Any, out: Any, opcode: int, symbol: int, tag: int, error: int, order_id: int) -> None:
    """The COMMAND event."""
    if error != NONE:
        core.counters[COMMANDS_REFUSED] += ONE
    event = out.events[claim(core, out, COMMAND, NO_SIDE, symbol)]
    event.order_id = order_id
    event.value = opcode
    event.tag = tag
    event.info = error


@stage
def command(core: Any, out: Any, symbols: Any, book: Any, buffer: Any, at: int) -> bool:
    """One command of 64 bytes at ``at``; whether the arbiter has to drain before it is answered (RESUME_FEED)."""
    core.counters[COMMANDS] += ONE
    opcode, number, tag = read_opcode(buffer, at), read_symbol(buffer, at), read_tag(buffer, at)
    if opcode == HEARTBEAT:
        core.last_heartbeat = core.stamp
        event = out.events[claim(core, out, HEARTBEAT_EVENT, NO_SIDE, NO_SYMBOL)]
        event.value = core.expected
        event.tag = tag
        return False
    if opcode == RESUME_FEED:
        _resume_feed(core, out, symbols, book, word(_sequence(buffer, at)), number, tag)
        return True
    order_id, error, after = 0, _symbol_error(core, symbols, opcode, number, buffer, at), NOTHING
    if error == NONE:
        if opcode == NEW_ORDER:
            order_id, error = _new_order(core, out, symbols[number], buffer, at, tag)
        elif opcode == REPLACE_ORDER:
            order_id, error = _replace_order(core, out, symbols, buffer, at)
        elif opcode == CANCEL_ORDER:
            error = _cancel_order(core, out, symbols, buffer, at)
        elif opcode == CANCEL_ALL:
            _cancel_all(core, out, symbols, number)
        elif opcode == LOGIN or opcode == LOGOUT or opcode == SESSION_DOWN:
            error = _session(core, out, symbols, opcode, buffer, at)
        elif opcode == SNAPSHOT:
            _snapshot(core, out, symbols[number], book, _parts(buffer, at), _depth(buffer, at), tag)
        else:
            error, after = _configure(core, out, symbols, book, opcode, number, buffer, at)
    answer(core, out, opcode, number, tag, error, order_id)
    if error == NONE and after == EVALUATE:
        evaluate(core, out, symbols[number])
    elif error == NONE and after == SWEEP:
        sweep(core, out, symbols)
    return False


@stage
def _symbol_error(core: Any, symbols: Any, opcode: int, number: int, buffer: Any, at: int) -> int:
    """UNKNOWN_OPCODE, or BAD_SYMBOL if the command needs a symbol and has none."""
    if opcode < HEARTBEAT or opcode > SET_TAKER:
        return UNKNOWN_OPCODE
    if opcode == SET_SYMBOL:
        return NONE if number < core.symbols else BAD_SYMBOL
    needed = opcode == SET_LIMITS or opcode == SET_QUOTER or opcode == SET_POSITION
    needed = needed or opcode == NEW_ORDER or opcode == SNAPSHOT or opcode == SET_TAKER
    if opcode == SET_TRADING or opcode == CANCEL_ALL or opcode == TRUST:
        needed = number != NO_SYMBOL
    elif opcode == SET_KILL or opcode == CLEAR_KILL:
        needed = _scope(buffer, at) == SYMBOL
    return BAD_SYMBOL if needed and not (number < core.symbols and symbols[number].mapped) else NONE


# -- configuration ---------------------------------------------------------------------------------


@stage
def _configure(
    core: Any, out: Any, symbols: Any, book: Any, opcode: int, number: int, buffer: Any, at: int
) -> tuple[int, int]:
    """Error of a command that changes configuration or state, and what comes after its answer."""
    if opcode == SET_GLOBAL:
        _set_global(core, buffer, at)
        return NONE, SWEEP
    if opcode == SET_FEED:
        _set_feed(core, symbols, book, buffer, at)
        return NONE, SWEEP
    if opcode == SET_KILL or opcode == CLEAR_KILL:
        return _kill(core, out, symbols, opcode == SET_KILL, number, buffer, at), SWEEP
    if opcode == SET_TRADING:
        return NONE, _set_trading(core, symbols, number, buffer, at)
    if opcode == TRUST:
        _trust(core, out, symbols, book, number)
        return NONE, SWEEP if number == NO_SYMBOL else EVALUATE
    symbol = symbols[number]
    error = NONE
    if opcode == SET_SYMBOL:
        error = _set_symbol(core, symbol, book, buffer, at)
    elif opcode == SET_LIMITS:
        _set_limits(symbol, buffer, at)
    elif opcode == SET_QUOTER:
        error = _set_quoter(symbol, buffer, at)
    elif opcode == SET_TAKER:
        error = _set_taker(core, symbol, buffer, at)
    else:
        symbol.cash = _cash(buffer, at)
        symbol.position = _position(buffer, at)
        symbol.mark = _mark(buffer, at)
        value_position(core, symbol, symbol.mark)
    return error, EVALUATE


@stage
def _set_symbol(core: Any, symbol: Any, book: Any, buffer: Any, at: int) -> int:
    locate, enabled = _stock_locate(buffer, at), _symbol_enabled(buffer, at)
    base, tick, span = _base_price(buffer, at), _tick(buffer, at), _span(buffer, at)
    if live_orders(book, symbol.number) > 0 or has_orders(symbol):
        return BUSY
    if tick == 0 or span != core.levels * tick or _tick_reciprocal(buffer, at) != (1 << 32) // max(tick, 1) + 1:
        return BAD_VALUE
    # both factors are below 2^32, and 2^16 keeps the product of these from wrapping
    if span >= 1 << 32 or tick >= 1 << 16 or span * tick >= 1 << 32 or base + span > MASK_32:
        return BAD_VALUE
    if locate == 0 or locate >= LOCATES or enabled > 1:
        return BAD_VALUE
    other = symbol_of(book, locate)
    if other >= 0 and other != symbol.number:
        return BAD_VALUE
    map_symbol(book, symbol.number, locate, base, tick, span)
    symbol.mapped = 1
    symbol.stock = _stock(buffer, at)
    symbol.enabled = enabled
    symbol.base_price = base
    symbol.tick = tick
    symbol.trading_state = _symbol_state(buffer, at)
    symbol.operational_halt = 0
    symbol.reg_sho = NOT_RESTRICTED
    symbol.kill = 0
    symbol.arrival = 0
    symbol.ofi = symbol.trades = symbol.variance = 0
    for side in range(SIDES):
        symbol.last[side].valid = 0
    refresh(book, symbol)
    return NONE


@stage
def _set_limits(symbol: Any, buffer: Any, at: int) -> None:
    symbol.max_notional = _max_notional(buffer, at)
    symbol.loss_limit = _symbol_loss_limit(buffer, at)
    symbol.max_quantity = _max_quantity(buffer, at)
    symbol.max_position = _max_position(buffer, at)
    symbol.collar = _collar(buffer, at)
    symbol.locate_quantity = _locate_quantity(buffer, at)
    symbol.rate_interval = _symbol_rate_interval(buffer, at)
    symbol.rate_burst = _symbol_rate_burst(buffer, at)
    symbol.duplicate_window = _duplicate_window(buffer, at)
    symbol.max_repeats = _max_repeats(buffer, at)
    symbol.max_open_orders = _max_open_orders(buffer, at)


@stage
def _set_quoter(symbol: Any, buffer: Any, at: int) -> int:
    if _quoter_enabled(buffer, at) > 1 or _decay(buffer, at) > MAX_DECAY:
        return BAD_VALUE
    symbol.offset = _offset(buffer, at)
    symbol.half_spread = _half_spread(buffer, at)
    symbol.skew = _skew(buffer, at)
    symbol.size = _size(buffer, at)
    symbol.min_change = _min_change(buffer, at)
    symbol.quoter_enabled = _quoter_enabled(buffer, at)
    symbol.decay = _decay(buffer, at)
    symbol.min_life = _min_life(buffer, at)
    symbol.ofi_weight = _ofi_weight(buffer, at)
    symbol.trade_weight = _trade_weight(buffer, at)
    symbol.variance_weight = _variance_weight(buffer, at)
    return NONE


@stage
def _set_taker(core: Any, symbol: Any, buffer: Any, at: int) -> int:
    if _taker_enabled(buffer, at) > 1:
        return BAD_VALUE
    value, edge, max_age = _value(buffer, at), _edge(buffer, at), word(_max_age(buffer, at))
    symbol.taker_enabled = _taker_enabled(buffer, at)
    symbol.highest_buy = value - edge
    symbol.lowest_sell = value + edge
    symbol.taker_size = _taker_size(buffer, at)
    symbol.expiry = -1 if max_age == 0 else core.stamp + max_age  # -1: the last of all stamps
    return NONE


@stage
def _set_global(core: Any, buffer: Any, at: int) -> None:
    core.max_gross = _max_gross(buffer, at)
    core.credit = _credit(buffer, at)
    core.loss_limit = _loss_limit(buffer, at)
    core.stale_ns = _stale_ns(buffer, at)
    core.heartbeat_ns = _heartbeat_ns(buffer, at)
    core.rate_interval = _rate_interval(buffer, at)
    core.rate_burst = _rate_burst(buffer, at)
    core.firm = _firm(buffer, at)
    core.token_prefix = _token_prefix(buffer, at)


@stage
def _set_feed(core: Any, symbols: Any, book: Any, buffer: Any, at: int) -> None:
    core.hold_ns = _hold_ns(buffer, at)
    core.session_head = _session_head(buffer, at)
    core.session_tail = _session_tail(buffer, at)
    core.address_a = _address_a(buffer, at)
    core.port_a = _port_a(buffer, at)
    core.address_b = _address_b(buffer, at)
    core.port_b = _port_b(buffer, at)
    set_strict(book, _strict(buffer, at) != 0)
    arbiter.reset(core, word(_start_sequence(buffer, at)))
    core.feed_whole = 1
    trust_all(book, symbols, True)


@stage
def _set_trading(core: Any, symbols: Any, number: int, buffer: Any, at: int) -> int:
    """What comes after the answer."""
    market_open = _market_open(buffer, at)
    if market_open < LEAVE:
        core.market_open = market_open
    if number == NO_SYMBOL:
        return SWEEP
    symbol = symbols[number]
    enabled, state, reg_sho = _trading_enabled(buffer, at), _trading_state(buffer, at), _trading_reg_sho(buffer, at)
    if enabled < LEAVE:
        symbol.enabled = enabled
    if state != BLANK:
        symbol.trading_state = state
    if reg_sho != BLANK:
        symbol.reg_sho = reg_sho
    return EVALUATE if market_open == LEAVE else SWEEP


@stage
def _kill(core: Any, out: Any, symbols: Any, kill: bool, number: int, buffer: Any, at: int) -> int:
    scope, strategy = _scope(buffer, at), _kill_strategy(buffer, at)
    flag = 1 if kill else 0
    symbol_flag, about = 0, NO_SYMBOL
    if scope == GLOBAL:
        core.kill = flag
    elif scope == STRATEGY:
        if strategy >= STRATEGIES:
            return BAD_VALUE
        core.strategy_kills = (core.strategy_kills & ~(1 << strategy)) | flag << strategy
    elif scope == SYMBOL:
        symbols[number].kill = flag
        symbol_flag, about = flag, number
    else:
        return BAD_VALUE
    write(core, out, KILL, about, core.kill | symbol_flag << 1 | core.strategy_kills << 16)
    return NONE


@stage
def _trust(core: Any, out: Any, symbols: Any, book: Any, number: int) -> None:
    for n in range(len(symbols)):
        symbol = symbols[n]
        if symbol.mapped and (number == NO_SYMBOL or number == n):
            set_symbol_ok(book, n, True)
            if refresh_trust(book, symbol):
                write(core, out, TRUST_REGAINED, n, CAUSE_HOST)


@stage
def _resume_feed(core: Any, out: Any, symbols: Any, book: Any, sequence: int, number: int, tag: int) -> None:
    """Gives up what is missing before ``sequence``. The drain and the answer follow."""
    core.before = core.expected
    core.expected = larger(core.expected, sequence)
    core.highest = larger(core.highest, core.expected)
    core.recovering = 0
    resumed(core, out, symbols, book)
    core.resuming = 1
    core.resume_symbol = number
    core.resume_tag = tag


# -- orders ----------------------------------------------------------------------------------------


@stage
def _new_order(core: Any, out: Any, symbol: Any, buffer: Any, at: int, tag: int) -> tuple[int, int]:
    """Order id and error."""
    side = _new_side(buffer, at)
    if side > SELL:
        return 0, BAD_VALUE
    price, quantity = _new_price(buffer, at), _new_quantity(buffer, at)
    strategy, time_in_force = _new_strategy(buffer, at), _new_time_in_force(buffer, at)
    place = free_slot(symbol, side)
    if not submit_new(core, out, symbol, side, place, price, quantity, strategy, tag, time_in_force):
        return 0, REFUSED
    return symbol.slots[place].id, NONE


@stage
def _slot_number(symbols: Any, order_id: int) -> int:
    """Number of the slot that holds this id, -1 if none does."""
    number = order_id & ((1 << SLOT_BITS) - 1)
    if number >= len(symbols) * SIDES * SLOTS:
        return -1
    slot = symbols[number // (SIDES * SLOTS)].slots[number % (SIDES * SLOTS)]
    return number if slot.state != IDLE and slot.id == order_id else -1


@stage
def _replace_order(core: Any, out: Any, symbols: Any, buffer: Any, at: int) -> tuple[int, int]:
    """Order id and error."""
    number = _slot_number(symbols, word(_order_id(buffer, at)))
    if number < 0:
        return 0, UNKNOWN_ORDER
    symbol, place = symbols[number // (SIDES * SLOTS)], number % (SIDES * SLOTS)
    if symbol.slots[place].state != LIVE:
        return 0, ORDER_PENDING
    if not submit_replace(core, out, symbol, place, _replace_price(buffer, at), _replace_quantity(buffer, at)):
        return 0, REFUSED
    return symbol.slots[place].pending_id, NONE


@stage
def _withdraw(core: Any, out: Any, symbol: Any, slot: Any) -> None:
    """Cancels a slot now, or as soon as it can be."""
    if slot.state == LIVE and core.session == UP:
        send_cancel(core, out, symbol, slot)
    else:
        slot.cancel_wanted = 1


@stage
def _cancel_order(core: Any, out: Any, symbols: Any, buffer: Any, at: int) -> int:
    number = _slot_number(symbols, word(_order_id(buffer, at)))
    if number < 0:
        return UNKNOWN_ORDER
    symbol = symbols[number // (SIDES * SLOTS)]
    _withdraw(core, out, symbol, symbol.slots[number % (SIDES * SLOTS)])
    return NONE


@stage
def _cancel_all(core: Any, out: Any, symbols: Any, number: int) -> None:
    for n in range(len(symbols)):
        if number == NO_SYMBOL or number == n:
            for place in range(SIDES * SLOTS):
                slot = symbols[n].slots[place]
                if slot.state != IDLE:
                    _withdraw(core, out, symbols[n], slot)


# -- session ---------------------------------------------------------------------------------------


@stage
def _session(core: Any, out: Any, symbols: Any, opcode: int, buffer: Any, at: int) -> int:
    if opcode == LOGIN:
        return _log_in(core, out, symbols, buffer, at)
    if opcode == LOGOUT and core.session == UP:
        write_plain(core, out, LOGOUT_TYPE)
    if opcode == SESSION_DOWN:
        core.stream_length = 0
    set_session(core, out, DOWN, 0)
    return NONE


@stage
def _log_in(core: Any, out: Any, symbols: Any, buffer: Any, at: int) -> int:
    version = _ouch(buffer, at)
    if version > NEWEST_OUCH:
        return BAD_VALUE
    if version != core.ouch:
        for n in range(len(symbols)):
            if has_orders(symbols[n]):
                return BUSY
    core.ouch = version
    core.last_sent = core.last_received = core.stamp
    set_session(core, out, LOGIN_SENT, 0)
    write_login(core, out, buffer, at)
    return NONE


# -- snapshot --------------------------------------------------------------------------------------


@stage
def _snapshot(core: Any, out: Any, symbol: Any, book: Any, parts: int, depth: int, tag: int) -> None:
    if parts & PART_BOOK:
        for side in range(SIDES):
            for rank in range(levels(book, symbol.number, side, depth, core.ranks)):
                event = out.events[claim(core, out, BOOK_LEVEL, side, symbol.number)]
                event.price = core.ranks[rank, 0]
                event.quantity = core.ranks[rank, 1]
                event.quantity2 = core.ranks[rank, 2]
                event.info = rank
    if parts & PART_POSITION:
        event = out.events[claim(core, out, POSITION_EVENT, NO_SIDE, symbol.number)]
        event.order_id = symbol.pnl
        event.value = symbol.cash
        event.price = symbol.mark
        event.quantity = symbol.position & MASK_32
        event.info = state_mask(core, symbol, QUOTER_STRATEGY)
    if parts & PART_SIGNALS:
        _signals(core, out, symbol)
    if parts & PART_ORDERS:
        for place in range(SIDES * SLOTS):
            if symbol.slots[place].state != IDLE:
                _open_order(core, out, symbol, symbol.slots[place], place % SLOTS)
    event = out.events[claim(core, out, SNAPSHOT_END, NO_SIDE, symbol.number)]
    event.tag = tag


@stage
def _signals(core: Any, out: Any, symbol: Any) -> None:
    event = out.events[claim(core, out, SIGNALS, NO_SIDE, symbol.number)]
    event.value = word(symbol.ofi & MASK_32 | symbol.trades << 32)
    event.price = symbol.variance
    if are_valid(symbol):
        event.order_id = word(microprice(symbol))
        event.quantity = imbalance(symbol) & MASK_32
        event.quantity2 = symbol.ask_index - symbol.bid_index
        event.info = 1


@stage
def _open_order(core: Any, out: Any, symbol: Any, slot: Any, number: int) -> None:
    event = out.events[claim(core, out, OPEN_ORDER, slot.side, symbol.number)]
    event.order_id = slot.id
    event.price = slot.price
    event.quantity = slot.remaining
    event.quantity2 = slot.chain_executed
    event.tag = slot.tag
    event.info = slot.state | number << 8 | slot.strategy << 16 | slot.cancel_wanted << 24
    if slot.state == PENDING_REPLACE:
        event.value = slot.pending_id
        event.price2 = slot.pending_price
