"""The order session in OUCH 5.0: what leaves, what comes in, and when one protocol may follow the other."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from tests import dialect
from tests.scenarios import commands, reasons, session
from tests.scenarios.build import FIRM, PREFIX, Result, Scenario, Script, order_id
from tests.scenarios.reasons import ASK, BID, LEVELS, market
from tests.scenarios.session import FIRST, conversation, faults, states
from wire import ouch42, ouch50, soupbintcp
from wire.appendage import pack
from wire.layout import Record
from wire.reasons import Reason
from wire.records import (
    LAST_GENERATION,
    CommandError,
    EventType,
    Fault,
    Opcode,
    OuchVersion,
    SessionState,
    Side,
    token,
)

V4_2, V5_0 = OuchVersion
MINE = FIRST & 0xFFFF_FFFF
WITH_PRICE = (ouch50.ORDER_ACCEPTED, ouch50.ORDER_REPLACED, ouch50.ORDER_EXECUTED)
WITH_APPENDAGE = (*WITH_PRICE, ouch50.ORDER_RESTATED)
ONLY_42 = (ouch42.EXECUTED_WITH_REFERENCE_PRICE, ouch42.TRADE_CORRECTION, ouch42.TRADE_NOW)
OPTIONS = {"secondary_order_reference": 1 << 63, "firm": "ABC", "post_only": "N"}


def trading() -> Script:
    """A market in which we are logged in with OUCH 5.0."""
    return dialect.spoken(market())


def sent() -> Script:
    """And have an order of 10 that was sent and not yet answered."""
    return trading().new_order(0, Side.BUY, BID, 10, tag=0xBEEF)


def says(script: Script, record: Record, values: dict[str, Any], **options: Any) -> Script:
    """One message of the exchange, with an appendage if it has one."""
    whole = pack(record, values, options) if record in WITH_APPENDAGE else record.pack(values)
    return script.session(soupbintcp.sequenced(whole))


def about(identity: int = MINE, **values: Any) -> dict[str, Any]:
    return {"timestamp": 5, "user_reference_number": identity} | values


def _case(name: str, script: Script, check: Callable[[Result], None]) -> Scenario:
    return Scenario(f"OUCH 5.0: {name}", script, check, levels=LEVELS)


# -- out -------------------------------------------------------------------------------------------


def _entered() -> list[Scenario]:
    """Orders on the wire, byte for byte."""
    day, week = 86_400, 7 * 86_400
    letters = {0: "3", 1: "6", day - 1: "6", day: "5", 99_997: "5", 99_998: "0", 99_999: "5", week: "5", 2**32 - 1: "5"}

    def case(good: int, letter: str, side: Side, marking: str) -> Scenario:
        identity = order_id(1, 0, side, 1)
        expiry = {"expire_time": good} if letter == "6" else {}
        message = pack(
            ouch50.ENTER_ORDER,
            {
                "user_reference_number": identity,
                "side": marking,
                "quantity": 10,
                "symbol": "SYM0",
                "price": BID if side is Side.BUY else ASK,
                "time_in_force": letter,
                "display": "Y",
                "capacity": "P",
                "intermarket_sweep_eligibility": "N",
                "cross_type": "N",
                "client_order_id": token(PREFIX, identity),
            },
            {"firm": FIRM} | expiry,
        )

        def check(result: Result) -> None:
            assert result.packets[1:] == (soupbintcp.unsequenced(message),)

        script = trading().command(Opcode.SET_POSITION, 0, position=10 if marking == "S" else 0)
        script.new_order(0, side, BID if side is Side.BUY else ASK, 10, time_in_force=good)
        return _case(f"{marking} that is good for {good}", script, check)

    found = [case(good, letter, Side.BUY, "B") for good, letter in letters.items()]
    return [*found, case(99_998, "0", Side.SELL, "S"), case(99_998, "0", Side.SELL, "T")]


def _changed() -> list[Scenario]:
    """A replace and a cancel, byte for byte; a blank firm is sent too."""
    new = order_id(2, 0, Side.BUY, 1)

    def case(good: int, letter: str) -> Scenario:
        replace = pack(
            ouch50.REPLACE_ORDER_REQUEST,
            {
                "original_user_reference_number": MINE,
                "user_reference_number": new,
                "quantity": 3 + 20,
                "price": BID - 100,
                "time_in_force": letter,
                "display": "Y",
                "intermarket_sweep_eligibility": "N",
                "client_order_id": token(PREFIX, new),
            },
            {"expire_time": good} if letter == "6" else {},
        )
        cancel = ouch50.CANCEL_ORDER_REQUEST.pack(user_reference_number=new, quantity=0)

        def check(result: Result) -> None:
            assert result.packets[2:] == (soupbintcp.unsequenced(replace), soupbintcp.unsequenced(cancel))

        script = trading().new_order(0, Side.BUY, BID, 10, time_in_force=good)
        says(script, ouch50.ORDER_ACCEPTED, about(quantity=10, price=BID, order_state="L"))
        says(script, ouch50.ORDER_EXECUTED, about(quantity=3, price=BID))
        script.command(Opcode.REPLACE_ORDER, order_id=FIRST, price=BID - 100, quantity=20)
        replaced = {"original_user_reference_number": MINE, "quantity": 20, "price": BID - 100, "order_state": "L"}
        says(script, ouch50.ORDER_REPLACED, about(new, **replaced))
        script.command(Opcode.CANCEL_ORDER, order_id=new)
        return _case(f"replaced and cancelled, good for {good}", script, check)

    def blank(result: Result) -> None:
        assert result.packets[-1][2 + 1 + 47 :] == b"\x05\x02    "

    no_firm = trading().set_global(firm="").new_order(0, Side.BUY, BID, 10)
    return [case(99_998, "0"), case(3_600, "6"), case(99_999, "5"), _case("a blank firm", no_firm, blank)]


# -- in --------------------------------------------------------------------------------------------


def _answered() -> list[Scenario]:
    """The event that each message makes, with and without an appendage."""

    def case(name: str, script: Script, kind: EventType, **expected: int) -> Scenario:
        def check(result: Result) -> None:
            assert faults(result) == []
            event = result.of(kind)[-1]
            assert {field: int(event[field]) for field in expected} == expected

        return _case(name, script, check)

    found = []
    for options in ({}, OPTIONS):
        with_ = " with options" if options else ""
        live = about(quantity=10, price=BID, order_state="L", order_reference=(1 << 64) - 2)
        dead = live | {"order_state": "D"}
        fill = about(quantity=4, price=BID - 7, liquidity_flag="R", match_number=1 << 63)
        known = {"order_id": FIRST, "tag": 0xBEEF, "side": Side.BUY}
        taken = {"price": BID, "quantity": 10, "value": (1 << 64) - 2}
        accepted = says(sent(), ouch50.ORDER_ACCEPTED, live, **options)
        found += [
            case(f"accepted{with_}", accepted, EventType.ACCEPTED, **known, **taken, info=ord("L")),
            case(
                f"accepted and dead{with_}",
                says(sent(), ouch50.ORDER_ACCEPTED, dead, **options),
                EventType.ACCEPTED,
                **known,
                **taken,
                info=ord("D"),
            ),
            case(
                f"executed{with_}",
                says(sent(), ouch50.ORDER_EXECUTED, fill, **options),
                EventType.EXECUTED,
                **known,
                price=BID - 7,
                quantity=4,
                quantity2=6,
                value=1 << 63,
                info=ord("R"),
            ),
        ]
        new = order_id(2, 0, Side.BUY, 1)
        moved = says(sent(), ouch50.ORDER_ACCEPTED, live)
        moved.command(Opcode.REPLACE_ORDER, order_id=FIRST, price=BID - 100, quantity=8)
        values = {"original_user_reference_number": 77, "quantity": 8, "price": BID - 200, "order_state": "L"}
        says(moved, ouch50.ORDER_REPLACED, about(new, **values, order_reference=3), **options)
        replaced = {"order_id": new, "price": BID - 200, "quantity": 8, "value": 3, "info": ord("L")}
        found.append(case(f"replaced{with_}", moved, EventType.REPLACED, **replaced))

    def simple(name: str, record: Record, kind: EventType, values: dict[str, Any], **expected: int) -> None:
        found.append(case(name, says(sent(), record, about(**values)), kind, order_id=FIRST, **expected))

    cut = {"quantity": 6, "quantity2": 4}
    simple("cancelled", ouch50.ORDER_CANCELED, EventType.CANCELLED, {"quantity": 6, "reason": "e"}, **cut, info=ord("e"))
    crossed = {"decrement_shares": 6, "reason": "Q", "execution_price": 1 << 40}
    simple("cancelled for self-trade", ouch50.AIQ_CANCELED, EventType.CANCELLED, crossed, **cut, info=ord("Q"))
    for reason in (0x0017, 0x002A, 0x1234):
        told = ord("J") << 8 | reason & 0xFF
        simple(f"rejected for {reason}", ouch50.REJECTED, EventType.EXCHANGE_REJECT, {"reason": reason}, info=told)
    simple("cancel rejected", ouch50.CANCEL_REJECT, EventType.EXCHANGE_REJECT, {}, info=ord("I") << 8)
    return found


def _malformed() -> list[Scenario]:
    """What is no message; the packet behind it is read."""

    def case(name: str, message: bytes) -> Scenario:
        def check(result: Result) -> None:
            assert faults(result) == [(Fault.SESSION_MALFORMED, message[0], 0)]
            assert result.counters["session_malformed"] == 1
            assert states(result)[-1] == (SessionState.DOWN, 0)
            assert len(result.of(EventType.ORDER_SENT)) == 1

        data = soupbintcp.sequenced(message) + soupbintcp.end_of_session()
        return _case(f"malformed: {name}", sent().session(data), check)

    found = []
    for record in ouch50.OUTBOUND.records:
        whole = record.pack({"user_reference_number": MINE} if record not in _NAMELESS else {})
        found += [case(f"{record.name} cut", whole[:-1]), case(f"{record.name} and a byte", whole + b"\0")]
        if record in WITH_APPENDAGE:
            longer = pack(record, about(), {"firm": "ABCD"})
            found += [
                case(f"{record.name}, appendage cut", longer[:-1]),
                case(f"{record.name}, appendage and a byte", longer + b"\0"),
                case(f"{record.name}, appendage that is not there", record.pack(about(appendage_length=6))),
                case(f"{record.name}, appendage of 65,535", record.pack(about(appendage_length=0xFFFF))),
                case(f"{record.name}, appendage not said", record.pack(about()) + bytes(6)),
            ]
    for record in WITH_PRICE:
        for price in (1 << 32, 1 << 63, (1 << 64) - 1):
            found.append(case(f"{record.name} at {price}", record.pack(about(price=price, quantity=5))))
    for old in (*ONLY_42, ouch42.ACCEPTED, ouch42.CANCELED):
        found.append(case(f"{old.name} of 4.2", old.pack(order_token=token(PREFIX, FIRST))))
    found.append(case("a request", ouch50.ENTER_ORDER.pack()))
    return found


_NAMELESS = (ouch50.SYSTEM_EVENT, ouch50.ACCOUNT_QUERY_RESPONSE)


def _unknown() -> list[Scenario]:
    """UserRefNums that are of no order of ours, in every message that has one and matters."""
    told = (
        ouch50.ORDER_ACCEPTED,
        ouch50.ORDER_REPLACED,
        ouch50.ORDER_EXECUTED,
        ouch50.ORDER_CANCELED,
        ouch50.AIQ_CANCELED,
        ouch50.REJECTED,
        ouch50.CANCEL_REJECT,
        ouch50.BROKEN_TRADE,
    )

    def case(name: str, record: Record, number: int) -> Scenario:
        def check(result: Result) -> None:
            assert faults(result) == [(Fault.UNKNOWN_TOKEN, ord(record.code or ""), number)]
            assert result.counters["unknown_token"] == 1
            assert "session_malformed" not in result.counters

        return _case(f"{record.name} of {name}", says(sent(), record, about(number)), check)

    numbers = {
        "no order": 0,
        "a slot that does not exist": order_id(1, 2, Side.BUY, 1),
        "the last slot of all": dialect.NOBODY,
        "a slot that is free": order_id(1, 0, Side.BUY, 2),
        "an order of the same slot later": order_id(2, 0, Side.BUY, 1),
    }
    found = [case(name, ouch50.ORDER_CANCELED, number) for name, number in numbers.items()]
    found += [case("another order", record, numbers["a slot that is free"]) for record in told]
    return [*found, case("an order that is not being replaced", ouch50.ORDER_REPLACED, MINE)]


def _other() -> list[Scenario]:
    """What is only counted, whatever it names, and a broken trade, which is told."""
    counted = (
        ouch50.SYSTEM_EVENT,
        ouch50.CANCEL_PENDING,
        ouch50.ORDER_PRIORITY_UPDATE,
        ouch50.ORDER_MODIFIED,
        ouch50.ORDER_RESTATED,
        ouch50.ACCOUNT_QUERY_RESPONSE,
    )

    def only(*expected: tuple[int, int, int]) -> Callable[[Result], None]:
        def check(result: Result) -> None:
            assert faults(result) == list(expected)
            assert result.counters["ouch_other"] == 1
            assert "unknown_token" not in result.counters
            assert "session_malformed" not in result.counters

        return check

    found = []
    for record in counted:
        values = {"timestamp": 5} if record in _NAMELESS else about(dialect.NOBODY)
        found.append(_case(f"{record.name} is only counted", says(sent(), record, values), only()))
    shown = {"display_quantity": 5, "display_price": 1 << 40}
    restated = says(sent(), ouch50.ORDER_RESTATED, about(reason="P"), **shown)
    far = says(sent(), ouch50.ORDER_PRIORITY_UPDATE, about(price=1 << 63))
    broken = says(sent(), ouch50.BROKEN_TRADE, about(match_number=77, reason="E"))
    return [
        *found,
        _case("Order Restated with options is only counted", restated, only()),
        _case("Order Priority Update at any price is only counted", far, only()),
        _case("a broken trade is told", broken, only((Fault.BROKEN_TRADE, 77, FIRST))),
    ]


def _pieces() -> list[Scenario]:
    """The conversation of the scenarios of 4.2, cut anyhow."""
    script, data = conversation()
    start, said = dialect.spoken(script), dialect.session(data)

    def check(result: Result) -> None:
        assert result.counters["session_packets"] == 10
        executed = result.of(EventType.EXECUTED)
        assert [(int(e["quantity"]), int(e["quantity2"])) for e in executed] == [(30, 70), (65, 0)]

    found = []
    for size in (1, 2, 3, 7, 64, len(said)):
        pieces = dialect.spoken(start)
        for begin in range(0, len(said), size):
            pieces.session(said[begin : begin + size])
        found.append(_case(f"in pieces of {size}", pieces, check))
    return found


# -- log in ----------------------------------------------------------------------------------------


def _logins() -> list[Scenario]:
    def log_in(script: Script, ouch: int) -> Script:
        return script.command(Opcode.LOGIN, tag=9, username="USER", sequence="1".rjust(20), ouch=ouch)

    def answered(error: CommandError, state: SessionState) -> Callable[[Result], None]:
        def check(result: Result) -> None:
            (answer,) = (e for e in result.of(EventType.COMMAND) if e["tag"] == 9)
            assert (answer["value"], answer["info"]) == (Opcode.LOGIN, error)
            assert states(result)[-1] == (state, 0)
            requests = [packet for packet in result.packets if packet[2:3] == b"L"]
            assert len(requests) == (2 if state is SessionState.LOGIN_SENT else 1)

        return check

    def gone(script: Script) -> Script:
        return says(script, ouch50.ORDER_CANCELED, about(quantity=10, reason="U"))

    sent_42 = market().new_order(0, Side.BUY, BID, 10)
    gone_42 = market().new_order(0, Side.BUY, BID, 10).cancelled(FIRST, 10)
    done, busy = CommandError.NONE, CommandError.BUSY
    again, up = SessionState.LOGIN_SENT, SessionState.UP
    down = sent().command(Opcode.SESSION_DOWN)

    def closed(result: Result) -> None:
        answered_down = states(result)[-1]
        assert answered_down == (SessionState.DOWN, 0)
        assert result.of(EventType.COMMAND)[-1]["info"] == busy

    def changes(ouch: int, letters: str) -> Scenario:
        """The version is that of the login before, whatever it was earlier."""

        def check(result: Result) -> None:
            *_, first, last = result.packets
            lengths = {"4": ouch42.ENTER_ORDER.length, "5": ouch50.ENTER_ORDER.length + 6}
            assert [len(first) - 3, len(last) - 3] == [lengths[letter] for letter in letters]

        script = trading() if letters[0] == "5" else market()
        script.new_order(0, Side.BUY, BID, 10)
        answer = gone if letters[0] == "5" else lambda each: each.cancelled(FIRST, 10)
        log_in(answer(script), ouch).session(soupbintcp.login_accepted("", 1))
        return _case(f"from {letters[0]} to {letters[1]}", script.new_order(0, Side.BUY, BID - 100, 10), _last_two(check))

    return [
        _case("a version that does not exist", log_in(trading(), 2), answered(CommandError.BAD_VALUE, up)),
        _case("the last one of those", log_in(trading(), 255), answered(CommandError.BAD_VALUE, up)),
        _case("no such version, and orders", log_in(sent(), 7), answered(CommandError.BAD_VALUE, up)),
        _case("4.2 with orders of 5.0", log_in(sent(), V4_2), answered(busy, up)),
        _case("5.0 with orders of 5.0", log_in(sent(), V5_0), answered(done, again)),
        _case("5.0 with orders of 4.2", log_in(sent_42, V5_0), answered(busy, up)),
        _case("4.2 when those of 5.0 are gone", log_in(gone(sent()), V4_2), answered(done, again)),
        _case("5.0 when those of 4.2 are gone", log_in(gone_42, V5_0), answered(done, again)),
        _case("4.2 with orders of 5.0, when down", log_in(down, V4_2), closed),
        changes(V4_2, "54"),
        changes(V5_0, "45"),
        changes(V5_0, "55"),
    ]


def _last_two(check: Callable[[Result], None]) -> Callable[[Result], None]:
    """Of the orders alone."""

    def on_orders(result: Result) -> None:
        orders = tuple(packet for packet in result.packets if packet[2:3] == b"U")
        assert len(orders) == 2
        check(Result(result.events, orders, result.counters))

    return on_orders


# -- the last UserRefNums --------------------------------------------------------------------------

STARTED = LAST_GENERATION - 3
"""Orders that a device had made before ``EXHAUSTED``."""
SESSION_STATE = Reason.SESSION_STATE.bit


def _id(generation: int, side: Side, slot: int) -> int:
    return order_id(STARTED + generation, 0, side, slot)


def _references(result: Result) -> list[int]:
    """UserRefNums of the orders that left."""
    return [int.from_bytes(p[4:8] if p[3:4] == b"O" else p[8:12]) for p in result.packets if p[3:4] in (b"O", b"U")]


def _exhausted() -> list[Scenario]:
    def told(*expected: tuple[EventType, int]) -> Callable[[Result], None]:
        """Orders sent and refused, with id or mask; no UserRefNum twice."""

        def check(result: Result) -> None:
            events = result.of(EventType.ORDER_SENT, EventType.ORDER_REFUSED)
            seen = [(e["type"], e["value" if e["type"] == EventType.ORDER_REFUSED else "order_id"]) for e in events]
            assert seen == list(expected)
            references = _references(result)
            assert references == sorted(set(references))

        return check

    new, refused = EventType.ORDER_SENT, (EventType.ORDER_REFUSED, SESSION_STATE)
    buy, sell = Side.BUY, Side.SELL

    def three() -> Script:
        """All three that are left, by the host; the first one is alive."""
        script = trading().new_order(0, buy, BID, 10).new_order(0, sell, ASK, 10).new_order(0, buy, BID - 100, 10)
        return says(script, ouch50.ORDER_ACCEPTED, about(_id(1, buy, 1), quantity=10, price=BID, order_state="L"))

    sent_three = [(new, _id(1, buy, 1)), (new, _id(2, sell, 1)), (new, _id(3, buy, 2))]
    replaced = three().command(Opcode.REPLACE_ORDER, order_id=_id(1, buy, 1), price=BID - 200, quantity=10)
    cancelled = three().command(Opcode.CANCEL_ORDER, order_id=_id(1, buy, 1)).tick()

    # A quoter that has one UserRefNum left buys, and does not ask for a second one; at the next look its quote goes.
    quoter = trading().new_order(0, buy, BID - 500, 10).new_order(0, sell, ASK + 500, 10)
    quoter.command(Opcode.SET_QUOTER, 0, enabled=1, size=10, half_spread=1 << 16, min_change=1_000)
    quote = _id(3, buy, 0)
    says(quoter, ouch50.ORDER_ACCEPTED, about(quote, quantity=10, price=BID, order_state="L")).tick()
    quoted = [(new, _id(1, buy, 1)), (new, _id(2, sell, 1)), (new, quote), (new, quote)]

    # The taker uses the last one up before the quoter comes to it.
    taker = trading().new_order(0, buy, BID - 500, 10).new_order(0, sell, ASK + 500, 10)
    taker.command(Opcode.SET_TAKER, 0, value=ASK + 100, size=10, enabled=1)
    says(taker, ouch50.ORDER_CANCELED, about(_id(3, buy, 3), quantity=10, reason="I"))
    taker.command(Opcode.SET_QUOTER, 0, enabled=1, size=10, half_spread=1 << 16).tick()
    taken = [(new, _id(1, buy, 1)), (new, _id(2, sell, 1)), (new, _id(3, buy, 3))]

    # In OUCH 4.2 it goes on, and can't go back.
    on = three()
    for identity in (_id(1, buy, 1), _id(2, sell, 1), _id(3, buy, 2)):
        says(on, ouch50.ORDER_CANCELED, about(identity, quantity=10, reason="U"))
    on.log_in().new_order(0, buy, BID - 300, 10).cancelled(_id(4, buy, 1), 10)
    back = on.command(Opcode.LOGIN, sequence="1".rjust(20), ouch=V5_0).session(soupbintcp.login_accepted("", 1))

    def still_named(result: Result) -> None:
        events = result.of(new, EventType.ORDER_REFUSED)
        assert [int(e["type"]) for e in events] == [new] * 4 + [EventType.ORDER_REFUSED]
        assert events["order_id"][3] == _id(4, buy, 1)
        assert events["value"][4] == SESSION_STATE

    return [
        _case("the last numbers", three().new_order(0, sell, ASK, 10), told(*sent_three, refused)),
        _case("no number for a replace", replaced, told(*sent_three, refused)),
        _case("a cancel needs no number", cancelled, told(*sent_three, (new, _id(1, buy, 1)))),
        _case("the quoter's last number", quoter, told(*quoted)),
        _case("the taker's last number", taker, told(*taken)),
        _case("on with 4.2", back.new_order(0, sell, ASK, 10), still_named),
    ]


EXHAUSTED: list[Scenario] = _exhausted()
"""For a device that has made ``STARTED`` orders."""

# What is said about tokens, and what is cut, has scenarios of its own above.
_SESSION = [
    each
    for each in session.SCENARIOS
    if not any(word in each.name for word in ("token", "pieces", "OUCH", "told", "Trade Now", "half a packet"))
]

SCENARIOS: list[Scenario] = [
    *_entered(),
    *_changed(),
    *_answered(),
    *_malformed(),
    *_unknown(),
    *_other(),
    *_pieces(),
    *_logins(),
    *map(dialect.repeated, (*_SESSION, *commands.SCENARIOS, *reasons.SCENARIOS)),
]
