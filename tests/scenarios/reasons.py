"""Every reason of the risk gate at its exact boundary: alone, in pairs, all at once, for NEW and REPLACE.

One world, whose numbers are worked out here by hand. In it *every* limit is met exactly, so that the order passes; a
reason is broken by moving its limit by one. Orders that stand in the market wait for their acceptance, so that nothing
pulls them while the world is being broken.
"""

from __future__ import annotations

from collections.abc import Callable, Collection
from dataclasses import dataclass, replace
from itertools import combinations

from tests.scenarios.build import (
    UNLIMITED_32,
    Result,
    Scenario,
    Script,
    add,
    decides,
    delete,
    order_id,
    reg_sho,
    trading_action,
)
from wire.reasons import Reason, names
from wire.records import EventType, KillScope, Opcode, Side

LOCATE, BASE, TICK, LEVELS = 10, 990_000, 100, 64
BID, ASK = 992_000, 993_000
MS = 1_000_000

# The order in question: a short sale of 100 below the bid
PRICE, QUANTITY, STRATEGY = 991_500, 100, 1
NOTIONAL = PRICE * QUANTITY

# What stands before it
BUY_PRICE = PRICE - 1  # our own bid of 40, of which 15 have traded at 991,000: one tick higher and we'd trade with it
BUY_OPEN, BUY_EXECUTED = 25, 15 * 991_000
SELL_PRICE, SELL_OPEN = 994_000, 30
POSITION, MARK, LOSS = -50, 992_500, 7
CASH = 50 * ASK - LOSS
WORST = 50 + SELL_OPEN + QUANTITY  # how far short we could get
POSITION_NOTIONAL = 50 * MARK
OPEN_NOTIONAL = BUY_OPEN * BUY_PRICE + SELL_OPEN * SELL_PRICE
INTERVAL_GLOBAL, INTERVAL_SYMBOL = 10 * MS, 7 * MS
SINCE_LAST, SINCE_HEARTBEAT, SINCE_FEED = 4 * MS, 3 * MS, 1 * MS

# For REPLACE: its target, 60 of which 10 have traded
TARGET_PRICE, TARGET_OPEN, TARGET_EXECUTED = 994_500, 50, 10 * 994_500
TARGET_ID = order_id(2, 0, Side.SELL, 2)


@dataclass(frozen=True)
class World:
    """What decides about the order. As it is, everything is at its limit and the order passes."""

    is_replace: bool = False
    buy_price: int = BUY_PRICE
    position_before: int = POSITION
    kill_global: bool = False
    kill_strategy: bool = False
    kill_symbol: bool = False
    enabled: int = 1
    trading_state: str = "T"
    trusted: bool = True
    stale_ns: int = SINCE_FEED
    heartbeat_ns: int = SINCE_HEARTBEAT
    collar: int = BID - PRICE
    max_quantity: int = QUANTITY
    max_notional: int = NOTIONAL
    max_position: int = WORST
    slack_gross: int = 0
    slack_credit: int = 0
    burst_global: int = 2 * INTERVAL_GLOBAL - SINCE_LAST
    burst_symbol: int = 2 * INTERVAL_SYMBOL - SINCE_LAST
    duplicate_window: int = SINCE_LAST
    max_repeats: int = 2
    reg_sho: str = "0"
    locate_quantity: int = WORST
    max_open_orders: int = 3
    loss_limit: int = LOSS
    session_down: bool = False
    strategy: int = STRATEGY

    @property
    def exposure(self) -> int:
        """Notional of all open orders once the order stands."""
        base = BUY_OPEN * self.buy_price + SELL_OPEN * SELL_PRICE
        if not self.is_replace:
            return base + NOTIONAL
        return base + max(NOTIONAL, TARGET_OPEN * TARGET_PRICE)

    @property
    def executed(self) -> int:
        return BUY_EXECUTED + (TARGET_EXECUTED if self.is_replace else 0)


BREAKS: dict[Reason, Callable[[World], World]] = {
    Reason.KILL_GLOBAL: lambda w: replace(w, kill_global=True),
    Reason.KILL_STRATEGY: lambda w: replace(w, kill_strategy=True),
    Reason.KILL_SYMBOL: lambda w: replace(w, kill_symbol=True),
    Reason.SYMBOL_DISABLED: lambda w: replace(w, enabled=0),
    Reason.SYMBOL_HALTED: lambda w: replace(w, trading_state="P"),
    Reason.BOOK_UNTRUSTED: lambda w: replace(w, trusted=False),
    Reason.STALE_MARKET_DATA: lambda w: replace(w, stale_ns=w.stale_ns - 1),
    Reason.PRICE_COLLAR: lambda w: replace(w, collar=w.collar - 1),
    Reason.MAX_QUANTITY: lambda w: replace(w, max_quantity=w.max_quantity - 1),
    Reason.MAX_NOTIONAL: lambda w: replace(w, max_notional=w.max_notional - 1),
    Reason.POSITION: lambda w: replace(w, max_position=w.max_position - 1),
    Reason.GROSS_EXPOSURE: lambda w: replace(w, slack_gross=-1),
    Reason.CREDIT: lambda w: replace(w, slack_credit=-1),
    Reason.RATE_GLOBAL: lambda w: replace(w, burst_global=w.burst_global - 1),
    Reason.RATE_SYMBOL: lambda w: replace(w, burst_symbol=w.burst_symbol - 1),
    Reason.DUPLICATE_ORDER: lambda w: replace(w, duplicate_window=w.duplicate_window + 1),
    Reason.REPETITION: lambda w: replace(w, max_repeats=w.max_repeats - 1),
    Reason.SELF_TRADE: lambda w: replace(w, buy_price=w.buy_price + 1),
    Reason.SHORT_SALE_RESTRICTION: lambda w: replace(w, reg_sho="1"),
    Reason.LOCATE: lambda w: replace(w, locate_quantity=w.locate_quantity - 1),
    Reason.MAX_OPEN_ORDERS: lambda w: replace(w, max_open_orders=w.max_open_orders - 1),
    Reason.LOSS_LIMIT: lambda w: replace(w, loss_limit=w.loss_limit - 1),
    Reason.SESSION_STATE: lambda w: replace(w, session_down=True),
    Reason.HOST_HEARTBEAT: lambda w: replace(w, heartbeat_ns=w.heartbeat_ns - 1),
    Reason.INVALID_ORDER: lambda w: replace(w, strategy=16),
    Reason.SHORT_MARKING: lambda w: replace(w, position_before=1_000),
}
# Strategies that do not exist can't be killed; a replace keeps its strategy and its place.
NEW_REASONS = tuple(r for r in Reason if r is not Reason.SHORT_MARKING)
REPLACE_REASONS = tuple(r for r in Reason if r not in (Reason.MAX_OPEN_ORDERS, Reason.INVALID_ORDER))
# What would pull the target before it is replaced, as long as the session is up
PULLS = (Reason.KILL_GLOBAL, Reason.KILL_STRATEGY, Reason.KILL_SYMBOL, Reason.LOSS_LIMIT)


def market() -> Script:
    """One symbol with a bid and an offer, nothing limited, the session up."""
    script = Script().set_global().set_symbol(0, LOCATE, base=BASE, tick=TICK, levels=LEVELS).set_limits(0)
    script.command(Opcode.SET_FEED, start_sequence=1).open_market().log_in()
    return script.feed(add(LOCATE, 1, "B", 100, BID), add(LOCATE, 2, "S", 200, ASK))


def attempt(world: World) -> Script:
    """The script that makes a world, and tries the order in it."""
    rates = {"rate_interval": INTERVAL_GLOBAL, "rate_burst": UNLIMITED_32}
    script = market().set_global(**rates).set_limits(0, rate_interval=INTERVAL_SYMBOL, rate_burst=UNLIMITED_32)
    script.command(Opcode.SET_POSITION, 0, position=world.position_before, mark=MARK)

    # our own orders; the same order once before, which the exchange rejects; two messages at SINCE_LAST
    script.new_order(0, Side.SELL, SELL_PRICE, SELL_OPEN, strategy=2).wait(20 * MS)
    if world.is_replace:
        script.new_order(0, Side.SELL, TARGET_PRICE, 60, strategy=STRATEGY).wait(20 * MS)
        script.accepted(TARGET_ID, 60, TARGET_PRICE).executed(TARGET_ID, 10, TARGET_PRICE)
    number, slot = (3, 3) if world.is_replace else (2, 2)
    script.new_order(0, Side.SELL, PRICE, QUANTITY, strategy=3).rejected(order_id(number, 0, Side.SELL, slot))
    script.new_order(0, Side.BUY, world.buy_price, 40, strategy=2)
    script.executed(order_id(number + 1, 0, Side.BUY, 1), 15, 991_000)

    # the world as it shall be
    script.wait(SINCE_LAST - SINCE_HEARTBEAT).command(Opcode.HEARTBEAT)
    script.wait(SINCE_HEARTBEAT - SINCE_FEED)
    script.feed(trading_action(LOCATE, world.trading_state), reg_sho(LOCATE, world.reg_sho))
    if not world.trusted:
        script.feed(add(LOCATE, 3, "B", 0, BID))
    if world.session_down:
        script.command(Opcode.SESSION_DOWN)
    script.command(Opcode.SET_TRADING, 0, enabled=world.enabled, trading_state=" ", reg_sho=" ", market_open=2)
    script.command(Opcode.SET_POSITION, 0, position=POSITION, mark=MARK, cash=CASH)
    script.set_limits(
        0,
        max_notional=world.max_notional,
        loss_limit=world.loss_limit,
        max_quantity=world.max_quantity,
        max_position=world.max_position,
        collar=world.collar,
        locate_quantity=world.locate_quantity,
        rate_interval=INTERVAL_SYMBOL,
        rate_burst=world.burst_symbol,
        duplicate_window=world.duplicate_window,
        max_repeats=world.max_repeats,
        max_open_orders=world.max_open_orders,
    )
    # SET_POSITION took the mark for the position's notional; since then nothing traded
    script.set_global(
        max_gross=POSITION_NOTIONAL + world.exposure + world.slack_gross,
        credit=world.executed + world.exposure + world.slack_credit,
        stale_ns=world.stale_ns,
        heartbeat_ns=world.heartbeat_ns,
        rate_interval=INTERVAL_GLOBAL,
        rate_burst=world.burst_global,
    )
    if world.kill_global:
        script.command(Opcode.KILL, scope=KillScope.GLOBAL)
    if world.kill_strategy:
        script.command(Opcode.KILL, scope=KillScope.STRATEGY, strategy=STRATEGY)
    if world.kill_symbol:
        script.command(Opcode.KILL, 0, scope=KillScope.SYMBOL)

    script.wait(SINCE_FEED)
    if world.is_replace:
        return script.command(Opcode.REPLACE_ORDER, order_id=TARGET_ID, price=PRICE, quantity=QUANTITY)
    return script.new_order(0, Side.SELL, PRICE, QUANTITY, strategy=world.strategy)


def broken(world: World, reasons: Collection[Reason]) -> World:
    """The world with these reasons against the order."""
    for reason in reasons:
        world = BREAKS[reason](world)
    return world


def _counts(reasons: Collection[Reason]) -> Callable[[Result], None]:
    """A check of mask and counters."""
    expected = {f"refused_{name}": 1 for name in names(sum(r.bit for r in reasons))}

    def check(result: Result) -> None:
        decides(sum(r.bit for r in reasons))(result)
        assert {k: n for k, n in result.counters.items() if k.startswith("refused_")} == expected
        assert result.counters.get("orders_refused", 0) == (1 if reasons else 0)
        assert len(result.of(EventType.ORDER_REFUSED)) == (1 if reasons else 0)

    return check


def _case(title: str, world: World, reasons: Collection[Reason]) -> Scenario:
    return Scenario(title, attempt(broken(world, reasons)), _counts(reasons), levels=LEVELS)


def _compatible(reasons: Collection[Reason]) -> bool:
    return not {Reason.INVALID_ORDER, Reason.KILL_STRATEGY} <= set(reasons)


def _new() -> list[Scenario]:
    found = [_case("new: everything at its limit", World(), ())]
    found += [_case(f"new: {r.name.lower()}", World(), (r,)) for r in NEW_REASONS]
    found += [
        _case(f"new: {a.name.lower()} and {b.name.lower()}", World(), (a, b))
        for a, b in combinations(NEW_REASONS, 2)
        if _compatible((a, b))
    ]
    for left_out in (Reason.INVALID_ORDER, Reason.KILL_STRATEGY):
        reasons = [r for r in NEW_REASONS if r is not left_out]
        found.append(_case(f"new: all but {left_out.name.lower()}", World(), reasons))
    return found


def _replace() -> list[Scenario]:
    world = World(is_replace=True, max_open_orders=0)  # which are no matter of a replace
    alone = [r for r in REPLACE_REASONS if r not in PULLS]
    found = [_case("replace: everything at its limit", world, ())]
    found += [_case(f"replace: {r.name.lower()}", world, (r,)) for r in alone]
    found += [_case(f"replace: {r.name.lower()} and session_state", world, (r, Reason.SESSION_STATE)) for r in PULLS]
    found += [
        _case(f"replace: {a.name.lower()} and {b.name.lower()}", world, (a, b)) for a, b in combinations(alone, 2)
    ]
    found.append(_case("replace: all", world, REPLACE_REASONS))
    return found


# -- boundaries that one world can't show ----------------------------------------------------------


def _single(title: str, script: Script, *reasons: Reason) -> Scenario:
    return Scenario(title, script, decides(sum(r.bit for r in reasons)), levels=LEVELS)


def _order(
    title: str, *reasons: Reason, side: Side = Side.BUY, price: int = BID, quantity: int = 1, **more: int
) -> Scenario:
    return _single(title, market().new_order(0, side, price, quantity, **more), *reasons)


def _validity() -> list[Scenario]:
    invalid = Reason.INVALID_ORDER
    return [
        _order("valid: 1 share", quantity=1),
        _order("invalid: 0 shares", invalid, quantity=0),
        _order("valid: 999,999 shares", quantity=999_999),
        _order("invalid: 1,000,000 shares", invalid, quantity=1_000_000),
        _order("valid: the lowest price", price=1),
        _order("invalid: price 0", invalid, price=0),
        _order("valid: the highest price", price=1_999_999_900),
        _order("invalid: above the highest price", invalid, price=1_999_999_901),
        _order("invalid: all the bits of a price and a quantity", invalid, price=UNLIMITED_32, quantity=UNLIMITED_32),
        _order("valid: strategy 15", strategy=15),
        _order("invalid: strategy 16", invalid, strategy=16),
        _order("invalid: strategy 255", invalid, strategy=255),
    ]


def _collar() -> list[Scenario]:
    reason = Reason.PRICE_COLLAR

    def case(title: str, price: int, *reasons: Reason, remove: tuple[int, ...] = (), collar: int = 150) -> Scenario:
        script = market().set_limits(0, collar=collar)
        for reference in remove:
            script.feed(delete(LOCATE, reference))
        return _single(f"collar: {title}", script.new_order(0, Side.BUY, price, 1), *reasons)

    return [
        case("at the top", ASK + 150),
        case("above the top", ASK + 151, reason),
        case("at the bottom", BID - 150),
        case("below the bottom", BID - 151, reason),
        case("no offer: the bid is the top too", BID + 150, remove=(2,)),
        case("no offer: above the bid", BID + 151, reason, remove=(2,)),
        case("no bid: the offer is the bottom too", ASK - 150, remove=(1,)),
        case("no bid: below the offer", ASK - 151, reason, remove=(1,)),
        case("no market", BID, reason, remove=(1, 2)),
        case("no market, no limit", BID, reason, remove=(1, 2), collar=UNLIMITED_32),
    ]


def _sides() -> list[Scenario]:
    """Buys, where the world above sells."""

    def case(title: str, script: Script, side: Side, price: int, quantity: int, *reasons: Reason) -> Scenario:
        return _single(title, script.new_order(0, side, price, quantity), *reasons)

    def holding(shares: int, **limits: int) -> Script:
        script = market().set_limits(0, **limits)
        return script.command(Opcode.SET_POSITION, 0, position=shares, mark=MARK)

    selling = order_id(1, 0, Side.SELL, 1)
    position, crossed = Reason.POSITION, Reason.SELF_TRADE
    restriction = Reason.SHORT_SALE_RESTRICTION
    found = [
        case("position: bought up to the limit", holding(60, max_position=100), Side.BUY, BID, 40),
        case("position: bought above the limit", holding(60, max_position=100), Side.BUY, BID, 41, position),
        case("position: sold down through zero to the limit", holding(60, max_position=100), Side.SELL, ASK, 160),
        case("position: sold below the limit", holding(60, max_position=100), Side.SELL, ASK, 161, position),
        case("position: from the shortest there is", holding(-(1 << 31)), Side.BUY, BID, 1),
        case("locate: a long sale needs none", holding(100, locate_quantity=0), Side.SELL, ASK, 100),
        case("locate: one share short", holding(100, locate_quantity=0), Side.SELL, ASK, 101, Reason.LOCATE),
    ]
    for title, price, *reasons in (("below", ASK - 1), ("at", ASK, crossed), ("above", ASK + 1, crossed)):
        script = market().new_order(0, Side.SELL, ASK, 10).accepted(selling, 10, ASK)
        found.append(case(f"self trade: a buy {title} our offer", script, Side.BUY, int(price), 1, *reasons))
        pending = market().new_order(0, Side.SELL, ASK + 500, 10).accepted(selling, 10, ASK + 500)
        pending.command(Opcode.REPLACE_ORDER, order_id=selling, price=ASK, quantity=10)
        found.append(
            case(f"self trade: a buy {title} our offer's next price", pending, Side.BUY, int(price), 1, *reasons)
        )
        pending = market().new_order(0, Side.SELL, ASK, 10).accepted(selling, 10, ASK)
        pending.command(Opcode.REPLACE_ORDER, order_id=selling, price=ASK + 500, quantity=10)
        found.append(
            case(f"self trade: a buy {title} our offer's old price", pending, Side.BUY, int(price), 1, *reasons)
        )
    for action in "012":
        fails = () if action == "0" else (restriction,)
        for title, price, *reasons in (("at", BID, *fails), ("above", BID + 1)):
            script = market().feed(reg_sho(LOCATE, action))
            found.append(
                case(f"reg sho {action}: a short sale {title} the bid", script, Side.SELL, int(price), 1, *reasons)
            )
        script = holding(1).feed(reg_sho(LOCATE, action))
        found.append(case(f"reg sho {action}: a long sale at the bid", script, Side.SELL, BID, 1))
    return found


def _loss() -> list[Scenario]:
    """The loss of all symbols together, and losses that only the market makes."""
    loss = Reason.LOSS_LIMIT

    def case(title: str, script: Script, *reasons: Reason) -> Scenario:
        return _single(f"loss: {title}", script.new_order(0, Side.BUY, BID, 1), *reasons)

    def two(limit: int) -> Script:
        script = market().set_symbol(1, LOCATE + 1, base=BASE, tick=TICK, levels=LEVELS)
        script.command(Opcode.SET_POSITION, 0, cash=-30).command(Opcode.SET_POSITION, 1, cash=-12)
        return script.set_global(loss_limit=limit)

    def marked(limit: int) -> Script:
        script = market().set_limits(0, loss_limit=limit)
        script.command(Opcode.SET_POSITION, 0, position=10, cash=-10 * BID, mark=BID)
        return script.feed(add(LOCATE, 5, "B", 5, BID - 100), delete(LOCATE, 1))

    return [
        case("all symbols, at the limit", two(42)),
        case("all symbols, above the limit", two(41), loss),
        case("the bid falls to the limit", marked(1_000)),
        case("the bid falls below the limit", marked(999), loss),
    ]


def _slots() -> list[Scenario]:
    """Three places for the host's orders on each side, whatever the limit."""
    script = market()
    for n in range(3):
        script.new_order(0, Side.BUY, BID - n, 1)
    third = market().new_order(0, Side.BUY, BID, 1).new_order(0, Side.BUY, BID, 2)
    other = market()
    for n in range(3):
        other.new_order(0, Side.BUY, BID - n, 1)
    return [
        _single("slots: the third", third.new_order(0, Side.BUY, BID, 3)),
        _single("slots: the fourth", script.new_order(0, Side.BUY, BID, 4), Reason.MAX_OPEN_ORDERS),
        _single("slots: the other side's first", other.new_order(0, Side.SELL, ASK, 4)),
    ]


SCENARIOS: list[Scenario] = [
    *_new(),
    *_replace(),
    *_validity(),
    *_collar(),
    *_sides(),
    *_loss(),
    *_slots(),
]
