"""The 64-byte commands of `wire.records`, built from typed settings.

What the device would answer with BAD_VALUE is found here first: every function raises
`wire.errors.FieldError` for a value that does not fit, and that names command, field, value and why.
"""

from __future__ import annotations

from dataclasses import asdict
from typing import Any

from drivers.settings import Feed, GlobalLimits, Limits, Quoter, SymbolSetup, Taker
from wire.errors import FieldError
from wire.records import (
    NO_SYMBOL,
    STRATEGIES,
    TIME_IN_FORCE_DAY,
    KillScope,
    Opcode,
    OuchVersion,
    Side,
    SnapshotPart,
    command,
)

MAX_STOCK_LOCATE = 16383
LEAVE = 2  # of a yes or no in SET_TRADING


def _require(holds: bool, opcode: Opcode, field: str, value: Any, reason: str) -> None:
    if not holds:
        raise FieldError(opcode.name, field, None, value, reason)


def _check_strategy(opcode: Opcode, strategy: int) -> None:
    _require(0 <= strategy < STRATEGIES, opcode, "strategy", strategy, f"0 to {STRATEGIES - 1}")


def heartbeat(*, tag: int = 0) -> bytes:
    """The host is alive."""
    return command(Opcode.HEARTBEAT, tag=tag)


def set_symbol(symbol: int, setup: SymbolSetup, levels: int, *, tag: int = 0) -> bytes:
    """Map a stock to a book; ``levels`` is the device's. The reciprocal and the span of the ladder follow
    from it.
    """
    opcode = Opcode.SET_SYMBOL
    span = setup.tick * levels
    _require(
        setup.tick >= 2, opcode, "tick", setup.tick, "at least 2: the reciprocal of 1 does not fit 32 bits"
    )
    _require(
        span * setup.tick < 1 << 32,
        opcode,
        "tick",
        setup.tick,
        f"tick * tick * {levels} levels is 2^32 or more",
    )
    fits = setup.base_price >= 0 and setup.base_price + span < 1 << 32
    reason = f"the ladder of {levels} levels begins below 0, or ends at 2^32 or above"
    _require(fits, opcode, "base_price", setup.base_price, reason)
    _require(
        1 <= setup.stock_locate <= MAX_STOCK_LOCATE,
        opcode, "stock_locate", setup.stock_locate, f"1 to {MAX_STOCK_LOCATE}",
    )  # fmt: skip
    _require(
        setup.trading_state in set("HPQT"), opcode, "trading_state", setup.trading_state, "one of H P Q T"
    )
    return command(
        opcode,
        symbol,
        tag,
        stock=setup.stock,
        stock_locate=setup.stock_locate,
        enabled=setup.enabled,
        trading_state=setup.trading_state,
        base_price=setup.base_price,
        tick=setup.tick,
        tick_reciprocal=(1 << 32) // setup.tick + 1,
        span=span,
    )


def set_limits(symbol: int, limits: Limits, *, tag: int = 0) -> bytes:
    """Limits of a symbol, all at once."""
    return command(Opcode.SET_LIMITS, symbol, tag, **asdict(limits))


def set_quoter(symbol: int, quoter: Quoter, *, tag: int = 0) -> bytes:
    """The quoter of a symbol, all at once."""
    return command(Opcode.SET_QUOTER, symbol, tag, **asdict(quoter))


def set_taker(symbol: int, taker: Taker, *, tag: int = 0) -> bytes:
    """The taker of a symbol, all at once. The value's age counts from here."""
    return command(Opcode.SET_TAKER, symbol, tag, **asdict(taker))


def set_global(limits: GlobalLimits, *, tag: int = 0) -> bytes:
    """Limits over all symbols, all at once."""
    prefix = limits.token_prefix
    _require(len(prefix) == 2, Opcode.SET_GLOBAL, "token_prefix", prefix, "two characters")
    return command(Opcode.SET_GLOBAL, NO_SYMBOL, tag, **asdict(limits))


def set_feed(feed: Feed, *, tag: int = 0) -> bytes:
    """Start the feed anew."""
    start = feed.start_sequence
    _require(0 <= start < 1 << 63, Opcode.SET_FEED, "start_sequence", start, "0 to 2^63 - 1")
    return command(Opcode.SET_FEED, NO_SYMBOL, tag, **asdict(feed))


def set_trading(
    symbol: int = NO_SYMBOL,
    *,
    enabled: bool | None = None,
    trading_state: str | None = None,
    reg_sho: str | None = None,
    market_open: bool | None = None,
    tag: int = 0,
) -> bytes:
    """What may trade. None leaves a value as it is; without a symbol only ``market_open`` counts."""
    opcode = Opcode.SET_TRADING
    _require(trading_state in {None, *"HPQT"}, opcode, "trading_state", trading_state, "one of H P Q T")
    _require(reg_sho in {None, *"012"}, opcode, "reg_sho", reg_sho, "one of 0 1 2")
    return command(
        opcode,
        symbol,
        tag,
        enabled=LEAVE if enabled is None else enabled,
        trading_state=trading_state or "",
        reg_sho=reg_sho or "",
        market_open=LEAVE if market_open is None else market_open,
    )


def set_position(symbol: int, *, position: int, cash: int = 0, mark: int = 0, tag: int = 0) -> bytes:
    """Where a symbol stands: shares (signed), cash in 1e-4 x shares (signed), mark in 1e-4."""
    return command(Opcode.SET_POSITION, symbol, tag, position=position, cash=cash, mark=mark)


def new_order(
    symbol: int,
    side: Side,
    price: int,
    quantity: int,
    *,
    strategy: int = 1,
    time_in_force: int = TIME_IN_FORCE_DAY,
    tag: int = 0,
) -> bytes:
    """An order of the host: price in 1e-4, ``time_in_force`` in seconds (0: immediate or cancel, 99998:
    market hours).
    """
    _require(side in {Side.BUY, Side.SELL}, Opcode.NEW_ORDER, "side", side, "BUY or SELL")
    return command(
        Opcode.NEW_ORDER,
        symbol,
        tag,
        side=int(side),
        strategy=strategy,
        price=price,
        quantity=quantity,
        time_in_force=time_in_force,
    )


def replace_order(order_id: int, price: int, quantity: int, *, tag: int = 0) -> bytes:
    """Another price and quantity for an order: shares to be open after it."""
    return command(Opcode.REPLACE_ORDER, NO_SYMBOL, tag, order_id=order_id, price=price, quantity=quantity)


def cancel_order(order_id: int, *, tag: int = 0) -> bytes:
    """Take an order back, now or as soon as the exchange has answered what is pending."""
    return command(Opcode.CANCEL_ORDER, NO_SYMBOL, tag, order_id=order_id)


def cancel_all(symbol: int = NO_SYMBOL, *, tag: int = 0) -> bytes:
    """Take back every order, or every order of a symbol."""
    return command(Opcode.CANCEL_ALL, symbol, tag)


def _scope(opcode: Opcode, symbol: int | None, strategy: int | None, tag: int) -> bytes:
    if symbol is not None and strategy is not None:
        raise FieldError(opcode.name, "scope", None, (symbol, strategy), "a symbol or a strategy, not both")
    if strategy is not None:
        _check_strategy(opcode, strategy)
        return command(opcode, NO_SYMBOL, tag, scope=int(KillScope.STRATEGY), strategy=strategy)
    if symbol is not None:
        return command(opcode, symbol, tag, scope=int(KillScope.SYMBOL))
    return command(opcode, NO_SYMBOL, tag, scope=int(KillScope.GLOBAL))


def kill(*, symbol: int | None = None, strategy: int | None = None, tag: int = 0) -> bytes:
    """Stop everything, one symbol or one strategy."""
    return _scope(Opcode.KILL, symbol, strategy, tag)


def clear_kill(*, symbol: int | None = None, strategy: int | None = None, tag: int = 0) -> bytes:
    """Undo `kill` of the same scope."""
    return _scope(Opcode.CLEAR_KILL, symbol, strategy, tag)


def login(
    username: str,
    password: str,
    *,
    session: str = "",
    sequence: int = 1,
    ouch: OuchVersion = OuchVersion.V4_2,
    tag: int = 0,
) -> bytes:
    """Log in to the order session, to speak ``ouch``; ``sequence`` is the next sequenced message wanted, 0 the newest."""
    _require(0 <= sequence < 10**20, Opcode.LOGIN, "sequence", sequence, "0 to 20 digits")
    return command(
        Opcode.LOGIN,
        NO_SYMBOL,
        tag,
        username=username,
        password=password,
        session=f"{session:>10}",
        sequence=f"{sequence:>20}",
        ouch=int(ouch),
    )


def logout(*, tag: int = 0) -> bytes:
    """End the order session."""
    return command(Opcode.LOGOUT, NO_SYMBOL, tag)


def session_down(*, tag: int = 0) -> bytes:
    """The connection of the order session is lost."""
    return command(Opcode.SESSION_DOWN, NO_SYMBOL, tag)


def resume_feed(sequence: int, *, tag: int = 0) -> bytes:
    """Give up what is missing before ``sequence``."""
    _require(0 <= sequence < 1 << 63, Opcode.RESUME_FEED, "sequence", sequence, "0 to 2^63 - 1")
    return command(Opcode.RESUME_FEED, NO_SYMBOL, tag, sequence=sequence)


def trust(symbol: int = NO_SYMBOL, *, tag: int = 0) -> bytes:
    """The host vouches for a book, or for all."""
    return command(Opcode.TRUST, symbol, tag)


def snapshot(symbol: int, parts: SnapshotPart, *, depth: int = 5, tag: int = 0) -> bytes:
    """Ask for a symbol's book levels, position and open orders."""
    return command(Opcode.SNAPSHOT, symbol, tag, parts=int(parts), depth=depth)
