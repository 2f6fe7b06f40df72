"""Commands: what each refuses, what it changes, and the order of its events."""

from __future__ import annotations

from collections.abc import Callable

from tests.scenarios.build import Result, Scenario, Script, add, delete, operational_halt, order_id, system_event
from tests.scenarios.reasons import ASK, BASE, BID, LEVELS, LOCATE, TICK, market
from wire.records import (
    NO_SYMBOL,
    CommandError,
    EventType,
    KillScope,
    Opcode,
    Port,
    Side,
    SlotState,
    SnapshotPart,
    TrustCause,
)

BUY, SELL = Side.BUY, Side.SELL
BUY_1, SELL_1 = order_id(1, 0, BUY, 1), order_id(2, 0, SELL, 1)


def _case(name: str, script: Script, check: Callable[[Result], None]) -> Scenario:
    return Scenario(f"command: {name}", script, check, levels=LEVELS)


def _answers(error: CommandError) -> Callable[[Result], None]:
    """A check of the last answer."""

    def check(result: Result) -> None:
        last = result.of(EventType.COMMAND)[-1]
        assert CommandError(last["info"]) is error
        assert result.counters.get("commands_refused", 0) == (error is not CommandError.NONE)

    return check


def _symbol(name: str, error: CommandError, **changes: int) -> Scenario:
    script = market().set_symbol(1, LOCATE + 1, **({"base": BASE, "tick": TICK, "levels": LEVELS} | changes))
    return _case(f"SET_SYMBOL {name}", script, _answers(error))


def _set_symbol() -> list[Scenario]:
    bad, none = CommandError.BAD_VALUE, CommandError.NONE
    live = market().set_symbol(0, LOCATE, base=BASE, tick=TICK, levels=LEVELS)
    ours = market().feed(delete(LOCATE, 1)).new_order(0, SELL, ASK, 1).feed(delete(LOCATE, 2))
    ours.set_symbol(0, LOCATE, base=BASE, tick=TICK, levels=LEVELS)
    far = market().feed(add(LOCATE, 9, "B", 1, 1), delete(LOCATE, 1), delete(LOCATE, 2))
    far.set_symbol(0, LOCATE, base=BASE, tick=TICK, levels=LEVELS)
    empty = market().feed(delete(LOCATE, 1), delete(LOCATE, 2)).set_symbol(0, 33, base=BASE, tick=TICK, levels=LEVELS)
    freed = market().feed(delete(LOCATE, 1), delete(LOCATE, 2)).set_symbol(0, 33, base=BASE, tick=TICK, levels=LEVELS)
    freed.set_symbol(1, LOCATE, base=BASE, tick=TICK, levels=LEVELS)
    many = Script().set_symbol(2, LOCATE, base=BASE, tick=TICK, levels=LEVELS)
    top = (1 << 32) - 1 - LEVELS * TICK
    wide = 8_191  # 64 * tick * tick stays below 2^32 up to here
    return [
        _case("SET_SYMBOL with orders in the book", live, _answers(CommandError.BUSY)),
        _case("SET_SYMBOL with an order outside the ladder", far, _answers(CommandError.BUSY)),
        _case("SET_SYMBOL with an own order", ours, _answers(CommandError.BUSY)),
        _case("SET_SYMBOL anew", empty, _answers(none)),
        _case("SET_SYMBOL takes a locate that was freed", freed, _answers(none)),
        _case("SET_SYMBOL beyond the symbols", many, _answers(CommandError.BAD_SYMBOL)),
        _symbol("good", none),
        _tick_zero(),
        _symbol("tick 1", bad, tick=1, tick_reciprocal=0),
        _symbol("tick 2", none, tick=2),
        _symbol("the widest tick", none, tick=wide, base=1),
        _symbol("a tick too wide", bad, tick=wide + 1, base=1),
        _symbol("span too short", bad, span=LEVELS * TICK - TICK),
        _symbol("span too long", bad, span=LEVELS * TICK + TICK),
        _symbol("reciprocal too low", bad, tick_reciprocal=(1 << 32) // TICK),
        _symbol("reciprocal too high", bad, tick_reciprocal=(1 << 32) // TICK + 2),
        _symbol("the highest base", none, base=top),
        _symbol("a base too high", bad, base=top + 1),
        _symbol("locate 0", bad, stock_locate=0),
        _symbol("a locate too high", bad, stock_locate=16_384),
        _symbol("another symbol's locate", bad, stock_locate=LOCATE),
        _symbol("enabled 2", bad, enabled=2),
    ]


def _tick_zero() -> Scenario:
    values = {"stock_locate": LOCATE + 1, "enabled": 1, "base_price": BASE, "tick_reciprocal": 1}
    return _case(
        "SET_SYMBOL tick 0", market().command(Opcode.SET_SYMBOL, 1, **values), _answers(CommandError.BAD_VALUE)
    )


def _errors() -> list[Scenario]:
    unknown = Script().input(Port.COMMAND, bytes([22]) + bytes(63))
    none = Script().input(Port.COMMAND, bytes(64))
    needed = (Opcode.SET_LIMITS, Opcode.SET_QUOTER, Opcode.SET_POSITION, Opcode.NEW_ORDER, Opcode.SNAPSHOT)
    either = (Opcode.SET_TRADING, Opcode.CANCEL_ALL, Opcode.TRUST)
    bad_symbol, fine = _answers(CommandError.BAD_SYMBOL), _answers(CommandError.NONE)
    found = [
        _case("opcode 22", unknown, _answers(CommandError.UNKNOWN_OPCODE)),
        _case("opcode 0", none, _answers(CommandError.UNKNOWN_OPCODE)),
        *(_case(f"{op.name} of an unmapped symbol", market().command(op, 1), bad_symbol) for op in needed + either),
        *(_case(f"{op.name} beyond the symbols", market().command(op, 2), bad_symbol) for op in needed + either),
        *(_case(f"{op.name} without a symbol", market().command(op), bad_symbol) for op in needed),
        *(_case(f"{op.name} of all symbols", market().command(op), fine) for op in either),
    ]
    for op in (Opcode.KILL, Opcode.CLEAR_KILL):
        for name, symbol, values, error in (
            ("of an unmapped symbol", 1, {"scope": KillScope.SYMBOL}, CommandError.BAD_SYMBOL),
            ("of strategy 15", NO_SYMBOL, {"scope": KillScope.STRATEGY, "strategy": 15}, CommandError.NONE),
            ("of strategy 16", NO_SYMBOL, {"scope": KillScope.STRATEGY, "strategy": 16}, CommandError.BAD_VALUE),
            ("of scope 3", NO_SYMBOL, {"scope": 3}, CommandError.BAD_VALUE),
        ):
            found.append(_case(f"{op.name} {name}", market().command(op, symbol, **values), _answers(error)))
    pending = market().new_order(0, BUY, BID, 10)
    replaced = {"price": BID, "quantity": 10}
    found += [
        _case(
            "SET_QUOTER enabled 2", market().command(Opcode.SET_QUOTER, 0, enabled=2), _answers(CommandError.BAD_VALUE)
        ),
        _case("NEW_ORDER of no side", market().new_order(0, Side.NONE, BID, 1), _answers(CommandError.BAD_VALUE)),
        _case("NEW_ORDER refused", market().new_order(0, BUY, BID, 0), _answers(CommandError.REFUSED)),
        _case(
            "REPLACE_ORDER of no order",
            market().command(Opcode.REPLACE_ORDER, order_id=BUY_1, **replaced),
            _answers(CommandError.UNKNOWN_ORDER),
        ),
        _case(
            "REPLACE_ORDER of an id with more bits",
            market().new_order(0, BUY, BID, 10).command(Opcode.REPLACE_ORDER, order_id=1 << 60 | BUY_1, **replaced),
            _answers(CommandError.UNKNOWN_ORDER),
        ),
        _case(
            "REPLACE_ORDER of a slot that does not exist",
            market().command(Opcode.REPLACE_ORDER, order_id=order_id(1, 2, BUY, 1), **replaced),
            _answers(CommandError.UNKNOWN_ORDER),
        ),
        _case(
            "REPLACE_ORDER of an order that is pending",
            pending.command(Opcode.REPLACE_ORDER, order_id=BUY_1, **replaced),
            _answers(CommandError.ORDER_PENDING),
        ),
        _case(
            "CANCEL_ORDER of no order",
            market().command(Opcode.CANCEL_ORDER, order_id=BUY_1),
            _answers(CommandError.UNKNOWN_ORDER),
        ),
    ]
    return found


def _sent(result: Result) -> list[str]:
    """Types of the OUCH messages that left."""
    return [order["type"] for order in result.orders]


def _cancels() -> list[Scenario]:
    def orders() -> Script:
        script = market().new_order(0, BUY, BID, 10).new_order(0, SELL, ASK, 10)
        return script.accepted(BUY_1, 10, BID)

    def leave(*expected: str) -> Callable[[Result], None]:
        def check(result: Result) -> None:
            assert _sent(result) == ["O", "O", *expected]

        return check

    def wanted(result: Result) -> None:
        """The one that was pending is cancelled as soon as it is accepted."""
        assert _sent(result) == ["O", "O", "X", "X"]
        assert result.events[-1]["type"] == EventType.ORDER_SENT

    cancel = Opcode.CANCEL_ORDER
    down = orders().command(Opcode.SESSION_DOWN).command(cancel, order_id=BUY_1)
    retried = orders().command(cancel, order_id=BUY_1).command(cancel, order_id=BUY_1).cancel_rejected(BUY_1)
    return [
        _case("CANCEL_ORDER of a live order", orders().command(cancel, order_id=BUY_1), leave("X")),
        _case("CANCEL_ORDER of a pending order", orders().command(cancel, order_id=SELL_1), leave()),
        _case("CANCEL_ORDER when the session is down", down, leave()),
        _waits(),
        _case("CANCEL_ORDER twice, the first rejected", retried, leave("X", "X")),
        _case("CANCEL_ALL", orders().command(Opcode.CANCEL_ALL), leave("X")),
        _case("CANCEL_ALL of a symbol", orders().command(Opcode.CANCEL_ALL, 0), leave("X")),
        _case(
            "CANCEL_ALL reaches what is accepted later",
            orders().command(Opcode.CANCEL_ALL).accepted(SELL_1, 10, ASK),
            wanted,
        ),
    ]


def _waits() -> Scenario:
    script = market().new_order(0, BUY, BID, 10).accepted(BUY_1, 10, BID).command(Opcode.SESSION_DOWN)

    def check(result: Result) -> None:
        assert _sent(result) == ["O", "X"]

    return _case(
        "CANCEL_ORDER waits for the session", script.command(Opcode.CANCEL_ORDER, order_id=BUY_1).log_in(), check
    )


def _kills() -> list[Scenario]:
    """Every kill pulls what it is about, and nothing leaves afterwards."""

    def case(name: str, scope: KillScope, symbol: int, info: int, **values: int) -> Scenario:
        script = market().command(Opcode.SET_QUOTER, 0, enabled=1, size=10, half_spread=1 << 16, min_change=1_000)
        for identity, price in ((1, BID), (2, ASK)):  # the quotes; the host's order is the third
            script.accepted(order_id(identity, 0, identity - 1, 0), 10, price)
        script.new_order(0, BUY, BID - 500, 10, strategy=3).accepted(order_id(3, 0, BUY, 1), 10, BID - 500)
        script.command(Opcode.KILL, symbol, scope=scope, **values)
        script.new_order(0, SELL, ASK + 500, 10, strategy=3).feed(add(LOCATE, 30, "B", 500, BID + 100))
        script.command(Opcode.REPLACE_ORDER, order_id=order_id(3, 0, BUY, 1), price=BID, quantity=5).tick()

        def check(result: Result) -> None:
            (kill,) = result.of(EventType.KILL)
            assert (kill["info"], kill["symbol"]) == (info, symbol)
            place = int((result.events["type"] == EventType.KILL).argmax())
            after = result.events[place:]
            left = after[after["type"] == EventType.ORDER_SENT]
            strategies = {0, 3} if scope is not KillScope.STRATEGY else {3}
            cancelled = {int(e["info"]) >> 16 for e in left if int(e["info"]) & 0xFF == 3}
            assert cancelled == strategies
            assert not any(int(e["info"]) & 0xFF != 3 and int(e["info"]) >> 16 in strategies for e in left)
            assert (after["type"] == EventType.ORDER_REFUSED).any()

        return _case(f"KILL {name}", script, check)

    killed = market().command(Opcode.KILL, scope=KillScope.GLOBAL).command(Opcode.CLEAR_KILL, scope=KillScope.GLOBAL)

    def cleared(result: Result) -> None:
        assert [int(e["info"]) for e in result.of(EventType.KILL)] == [1, 0]
        assert _sent(result) == ["O"]

    return [
        case("of everything", KillScope.GLOBAL, NO_SYMBOL, 1),
        case("of a symbol", KillScope.SYMBOL, 0, 2),
        case("of a strategy", KillScope.STRATEGY, NO_SYMBOL, 1 << 3 + 16, strategy=3),
        _case("CLEAR_KILL", killed.new_order(0, BUY, BID, 1), cleared),
    ]


def _trust() -> list[Scenario]:
    def trust(result: Result) -> list[tuple[int, int, int]]:
        kinds = (EventType.TRUST_LOST, EventType.TRUST_REGAINED)
        return [(int(e["type"]), int(e["symbol"]), int(e["info"])) for e in result.of(*kinds)]

    lost, regained = EventType.TRUST_LOST, EventType.TRUST_REGAINED
    broken = (lost, 0, TrustCause.BAD_VALUE)
    mended = (regained, 0, TrustCause.HOST)

    def case(name: str, script: Script, *expected: tuple[int, int, int]) -> Scenario:
        def check(result: Result) -> None:
            assert trust(result) == list(expected)

        return _case(f"TRUST given back: {name}", script, check)

    def doubtful() -> Script:
        return market().feed(add(LOCATE, 9, "B", 0, BID))

    beyond = market().feed(add(LOCATE, 9, "B", 1, BASE + LEVELS * TICK), add(LOCATE, 10, "B", 0, BID))
    beyond_ends = (regained, 0, TrustCause.BEYOND)
    return [
        case("of a symbol", doubtful().command(Opcode.TRUST, 0), broken, mended),
        case("of all symbols", doubtful().command(Opcode.TRUST), broken, mended),
        case("of what is trusted", market().command(Opcode.TRUST, 0)),
        case(
            "with an order beyond the ladder",
            beyond.command(Opcode.TRUST, 0).feed(delete(LOCATE, 9)),
            (lost, 0, TrustCause.BEYOND),
            beyond_ends,
        ),
    ]


def _snapshots() -> list[Scenario]:
    parts = SnapshotPart.BOOK | SnapshotPart.POSITION | SnapshotPart.ORDERS
    script = market().feed(
        add(LOCATE, 3, "B", 50, BID), add(LOCATE, 4, "B", 7, BID - 300), add(LOCATE, 5, "S", 9, ASK + 100)
    )
    script.command(Opcode.SET_POSITION, 0, position=-3, cash=-1_000, mark=BID)
    script.new_order(0, BUY, BID, 10, tag=5).accepted(BUY_1, 10, BID).executed(BUY_1, 4, BID)
    script.command(Opcode.REPLACE_ORDER, order_id=BUY_1, price=BID - 100, quantity=20)
    script.command(Opcode.CANCEL_ORDER, order_id=BUY_1)
    script.command(Opcode.SNAPSHOT, 0, 99, parts=parts, depth=2)

    def check(result: Result) -> None:
        levels = result.of(EventType.BOOK_LEVEL)
        assert [tuple(int(v) for v in e[["side", "price", "quantity", "quantity2", "info"]]) for e in levels] == [
            (BUY, BID, 150, 2, 0),
            (BUY, BID - 300, 7, 1, 1),
            (SELL, ASK, 200, 1, 0),
            (SELL, ASK + 100, 9, 1, 1),
        ]
        (position,) = result.of(EventType.POSITION)
        cash = -1_000 - 4 * BID
        assert position["quantity"].astype("i4") == 1
        assert position["value"].astype("i8") == cash
        assert position["price"] == BID
        assert position["order_id"].astype("i8") == cash + BID
        assert position["info"] == 0
        (order,) = result.of(EventType.OPEN_ORDER)
        named = ["side", "order_id", "value", "price", "quantity", "price2", "quantity2", "tag"]
        assert [int(v) for v in order[named]] == [BUY, BUY_1, order_id(2, 0, BUY, 1), BID, 6, BID - 100, 4, 5]
        assert order["info"] == SlotState.PENDING_REPLACE | 1 << 8 | 1 << 16 | 1 << 24
        end, answer = result.events[-2:]
        assert (end["type"], end["tag"]) == (EventType.SNAPSHOT_END, 99)
        assert (answer["type"], answer["tag"]) == (EventType.COMMAND, 99)

    def nothing(result: Result) -> None:
        assert [EventType(t) for t in result.events["type"][-2:]] == [EventType.SNAPSHOT_END, EventType.COMMAND]
        assert not len(result.of(EventType.BOOK_LEVEL, EventType.POSITION, EventType.OPEN_ORDER))

    return [
        _case("SNAPSHOT", script, check),
        _case("SNAPSHOT of nothing", market().command(Opcode.SNAPSHOT, 0, parts=0, depth=9), nothing),
        _case("SNAPSHOT of no depth", market().command(Opcode.SNAPSHOT, 0, parts=1, depth=0), nothing),
    ]


def _feed_state() -> list[Scenario]:
    """Trading state from the feed."""

    def states(*expected: tuple[int, int]) -> Callable[[Result], None]:
        def check(result: Result) -> None:
            found = [(int(e["symbol"]), int(e["info"])) for e in result.of(EventType.TRADING_STATE)]
            assert found == list(expected)

        return check

    trading = ord("T") | ord("0") << 16
    return [
        _case(
            "S: the market closes once",
            market().feed(system_event("M"), system_event("M")),
            states((NO_SYMBOL, ord("M"))),
        ),
        _case("S: other codes", market().feed(*(system_event(c) for c in "OSEC")), states()),
        _case("h: halted at Nasdaq", market().feed(operational_halt(LOCATE, "Q", "H")), states((0, trading | 1 << 8))),
        _case(
            "h: halted and resumed",
            market().feed(operational_halt(LOCATE, "Q", "H"), operational_halt(LOCATE, "Q", "T")),
            states((0, trading | 1 << 8), (0, trading)),
        ),
        _case("h: halted elsewhere", market().feed(operational_halt(LOCATE, "B", "H")), states()),
        _case("h: of a symbol that is not mapped", market().feed(operational_halt(99, "Q", "H")), states()),
    ]


def _heartbeat(result: Result) -> None:
    beat = result.events[-1]
    assert (beat["type"], beat["tag"], beat["value"]) == (EventType.HEARTBEAT, 7, 3)
    assert not (result.of(EventType.COMMAND)["value"] == Opcode.HEARTBEAT).any()


SCENARIOS: list[Scenario] = [
    *_set_symbol(),
    *_errors(),
    *_cancels(),
    *_kills(),
    *_trust(),
    *_snapshots(),
    *_feed_state(),
    _case("HEARTBEAT", market().command(Opcode.HEARTBEAT, tag=7), _heartbeat),
]
