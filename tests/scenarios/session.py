"""The order session: log in and out, what is malformed, heartbeats, time-outs, and a stream that is cut anyhow."""

from __future__ import annotations

from collections.abc import Callable

from tests.scenarios.build import LOGIN_TAG, PREFIX, Result, Scenario, Script, order_id
from tests.scenarios.reasons import BID, LEVELS, market
from wire import ouch42, soupbintcp
from wire.records import (
    NO_SYMBOL,
    SESSION_HEARTBEAT_NS,
    SESSION_TIMEOUT_NS,
    EventType,
    Fault,
    Opcode,
    SessionState,
    Side,
    token,
)

FIRST = order_id(1, 0, Side.BUY, 1)
DOWN, LOGIN_SENT, UP = SessionState.DOWN, SessionState.LOGIN_SENT, SessionState.UP


def states(result: Result) -> list[tuple[int, int]]:
    """(state, reason) of every SESSION event."""
    return [(int(e["info"]), int(e["value"])) for e in result.of(EventType.SESSION)]


def faults(result: Result) -> list[tuple[int, int, int]]:
    """(fault, value, order id) of every FAULT event."""
    return [(int(e["info"]), int(e["value"]), int(e["order_id"])) for e in result.of(EventType.FAULT)]


def _case(name: str, script: Script, check: Callable[[Result], None]) -> Scenario:
    return Scenario(f"session: {name}", script, check, levels=LEVELS)


def _says(*expected: tuple[int, int]) -> Callable[[Result], None]:
    def check(result: Result) -> None:
        assert states(result) == [(LOGIN_SENT, 0), *expected]

    return check


def _log_in() -> list[Scenario]:
    def login_request(result: Result) -> None:
        packet = soupbintcp.packets(result.packets[0])[0]
        assert soupbintcp.parse_login_request(packet) == soupbintcp.LoginRequest("USER", "SECRET", "", 1)
        assert states(result) == [(LOGIN_SENT, 0), (UP, 0)]
        answered = result.of(EventType.SESSION, EventType.COMMAND)
        assert [int(e["tag"]) for e in answered] == [0, LOGIN_TAG, 0]

    def logged_out(result: Result) -> None:
        assert result.packets[-1] == soupbintcp.logout_request()
        assert states(result)[-1] == (DOWN, 0)

    def down_silently(result: Result) -> None:
        assert len(result.packets) == 1
        assert states(result)[-1] == (DOWN, 0)

    end = soupbintcp.end_of_session()
    return [
        _case("log in", Script().log_in(), login_request),
        _case("rejected", _asked().session(soupbintcp.login_rejected("A")), _says((DOWN, ord("A")))),
        _case("rejected without a reason", _asked().session(b"\0\1J"), _says((DOWN, 0))),
        _case("end of session", Script().log_in().session(end), _says((UP, 0), (DOWN, 0))),
        _case("log out", Script().log_in().command(Opcode.LOGOUT), logged_out),
        _case(
            "log out when down", Script().log_in().command(Opcode.SESSION_DOWN).command(Opcode.LOGOUT), down_silently
        ),
        _case("down", Script().log_in().command(Opcode.SESSION_DOWN), down_silently),
    ]


def _asked() -> Script:
    return Script().command(Opcode.LOGIN, username="USER", password="SECRET", sequence="1".rjust(20))


def _timers() -> list[Scenario]:
    def heartbeats(count: int) -> Callable[[Result], None]:
        def check(result: Result) -> None:
            assert list(result.packets[1:]) == [soupbintcp.client_heartbeat()] * count

        return check

    def after(ns: int) -> Script:
        return Script().log_in().wait(ns).tick()

    def times_out(name: str, script: Script, is_down: bool) -> Scenario:
        def check(result: Result) -> None:
            assert (states(result)[-1] == (DOWN, 0)) == is_down

        return _case(f"time-out {name}", script, check)

    before, due = SESSION_TIMEOUT_NS - 1, SESSION_TIMEOUT_NS
    put_off = Script().log_in().wait(before).session(soupbintcp.server_heartbeat()).wait(before).tick()
    return [
        _case("no heartbeat before a second", after(SESSION_HEARTBEAT_NS - 1), heartbeats(0)),
        _case("heartbeat after a second", after(SESSION_HEARTBEAT_NS), heartbeats(1)),
        _case("one heartbeat in a second", after(SESSION_HEARTBEAT_NS).tick(), heartbeats(1)),
        _case(
            "no heartbeat when down", Script().log_in().command(Opcode.SESSION_DOWN).wait(10**9).tick(), heartbeats(0)
        ),
        _case("no heartbeat before the log in is answered", _asked().wait(10**9).tick(), heartbeats(0)),
        times_out("not yet", Script().log_in().wait(before).tick(), False),
        times_out("is due", Script().log_in().wait(due).tick().tick(), True),
        times_out("put off", put_off, False),
        times_out("of a log in", _asked().wait(due).tick(), True),
    ]


def _malformed() -> list[Scenario]:
    def fault(value: int, packets: int = 2) -> Callable[[Result], None]:
        def check(result: Result) -> None:
            assert faults(result) == [(Fault.SESSION_MALFORMED, value, 0)]
            assert result.counters["session_malformed"] == 1
            assert result.counters["session_packets"] == packets + 1
            assert states(result)[-1] == (DOWN, 0), "the packet behind it was read"

        return check

    def case(name: str, data: bytes, value: int) -> Scenario:
        return _case(name, Script().log_in().session(data + soupbintcp.end_of_session()), fault(value))

    accepted = ouch42.ACCEPTED.pack()
    return [
        case("an empty packet", b"\0\0", 0),
        case("a type that nobody sends", b"\0\3?xy", ord("?")),
        case("a type that a client sends", soupbintcp.unsequenced(b"abc"), ord("U")),
        case("a long one of an unknown type", b"\xff\xff?" + b"x" * 0xFFFE, ord("?")),
        case("no OUCH message", soupbintcp.sequenced(b""), 0),
        case("an OUCH type that does not exist", soupbintcp.sequenced(b"?" + accepted[1:]), ord("?")),
        case("an OUCH message that a client sends", soupbintcp.sequenced(ouch42.ENTER_ORDER.pack()), ord("O")),
        case("an OUCH message cut", soupbintcp.sequenced(accepted[:-1]), ord("A")),
        case("an OUCH message and a byte", soupbintcp.sequenced(accepted + b" "), ord("A")),
    ]


def _tokens() -> list[Scenario]:
    """Tokens that are not of an order of ours, seen from an order that waits to be accepted."""
    kind = ord("C")

    def case(name: str, text: str, value: int) -> Scenario:
        def check(result: Result) -> None:
            assert faults(result) == [(Fault.UNKNOWN_TOKEN, kind, value)]
            assert result.counters["unknown_token"] == 1
            assert "cancelled" not in result.counters

        script = market().new_order(0, Side.BUY, BID, 10)
        return _case(f"token: {name}", script.ouch(ouch42.CANCELED, order_token=text, decrement_shares=10), check)

    far = order_id(1, 2, Side.BUY, 1)
    return [
        case("another prefix", token("HQ", FIRST), FIRST),
        case("no hex digits", PREFIX + "00000000000G", 0),
        case("lower case", token(PREFIX, 0xA << 12 | FIRST & 0xFFF).lower().replace("hp", PREFIX), 0),
        case("blank", "", 0),
        case("a slot that does not exist", token(PREFIX, far), far),
        case("a slot that is free", token(PREFIX, order_id(1, 0, Side.BUY, 2)), order_id(1, 0, Side.BUY, 2)),
        case(
            "an order of the same slot later", token(PREFIX, order_id(2, 0, Side.BUY, 1)), order_id(2, 0, Side.BUY, 1)
        ),
    ]


def _other() -> list[Scenario]:
    def only(counter: str, *expected: tuple[int, int, int]) -> Callable[[Result], None]:
        def check(result: Result) -> None:
            assert faults(result) == list(expected)
            assert result.counters[counter] == 1
            assert "unknown_token" not in result.counters
            assert "session_malformed" not in result.counters

        return check

    def sent() -> Script:
        return market().new_order(0, Side.BUY, BID, 10)

    name = token(PREFIX, FIRST)
    ignored = (ouch42.CANCEL_PENDING, ouch42.ORDER_PRIORITY_UPDATE, ouch42.ORDER_MODIFIED, ouch42.TRADE_NOW)
    found = [_case(f"{r.name} is only counted", sent().ouch(r, order_token="?"), only("ouch_other")) for r in ignored]
    return [
        *found,
        _case("a system event is only counted", sent().ouch(ouch42.SYSTEM_EVENT, event_code="S"), only("ouch_other")),
        _case(
            "a broken trade is told",
            sent().ouch(ouch42.BROKEN_TRADE, order_token=name, match_number=77),
            only("ouch_other", (Fault.BROKEN_TRADE, 77, FIRST)),
        ),
        _case(
            "a corrected trade is told",
            sent().ouch(ouch42.TRADE_CORRECTION, order_token=name, match_number=78),
            only("ouch_other", (Fault.TRADE_CORRECTION, 78, FIRST)),
        ),
        _case("debug text is nothing", sent().session(soupbintcp.debug("hello")), only("orders_new")),
    ]


def conversation() -> tuple[Script, bytes]:
    """An order that lives through all that can happen to one, and the exchange's bytes of it."""
    script = market().new_order(0, Side.BUY, BID, 100)
    answer = Script()
    answer.accepted(FIRST, 100, BID).executed(FIRST, 30, BID).cancelled(FIRST, 5).ouch(ouch42.SYSTEM_EVENT)
    answer.session(soupbintcp.debug("x" * 70)).session(soupbintcp.server_heartbeat()).session(b"\0\0")
    answer.session(b"\0\1?").executed(FIRST, 65, BID - 100)
    return script, answer.arrays()[1].tobytes()


def _pieces() -> list[Scenario]:
    _, data = conversation()

    def check(result: Result) -> None:
        assert result.counters["executed"] == 2
        assert result.counters["session_packets"] == 10
        executed = result.of(EventType.EXECUTED)
        assert [(int(e["quantity"]), int(e["quantity2"])) for e in executed] == [(30, 70), (65, 0)]
        assert (executed["symbol"] != NO_SYMBOL).all()

    found = []
    for size in (1, 2, 3, 7, 64, len(data)):
        script, _ = conversation()
        for begin in range(0, len(data), size):
            script.session(data[begin : begin + size])
            script.session(b"")
        found.append(_case(f"in pieces of {size}", script, check))

    def forgotten(result: Result) -> None:
        assert result.counters["session_packets"] == 2
        assert states(result)[-1] == (UP, 0)

    half = Script().log_in().session(data[:9]).command(Opcode.SESSION_DOWN).log_in()
    found.append(_case("half a packet is forgotten when the session goes down", half, forgotten))
    return found


SCENARIOS: list[Scenario] = [*_log_in(), *_timers(), *_malformed(), *_tokens(), *_other(), *_pieces()]
