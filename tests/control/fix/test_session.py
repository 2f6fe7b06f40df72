"""What a session does beyond the acceptance definitions, message by message."""

from datetime import UTC, datetime
from datetime import time as of_day

import pytest

from control.gateway.fix.application import BusinessReason, Refused
from control.gateway.fix.connection import Connection
from control.gateway.fix.schedule import Schedule
from control.gateway.fix.session import Session, State
from control.gateway.fix.settings import SECOND, Identity, Settings
from control.gateway.fix.store import MemoryStore
from tests.control.fix.pair import START, Inbox, Pair
from tests.wire.fix.streams import build
from wire.errors import FieldError
from wire.fix.message import Garbled, Message, Reader
from wire.fix.numbers import timestamp

ORDER = [(11, b"ID"), (55, b"MSFT"), (54, b"1"), (60, b"20261126-12:00:00"), (38, b"100"), (40, b"1")]
Fields = list[tuple[int, bytes]]


class Bench:
    """An acceptor's session, and whoever talks to it."""

    def __init__(self, **settings: object) -> None:
        self.inbox, self.store, self.now = Inbox(), MemoryStore(), START
        identity = Identity("FIX.4.4", "US", "THEM")
        self.session = Session(Settings(identity, **settings), self.store, self.inbox, clock=lambda: self.now)  # type: ignore[arg-type]
        self.connection = Connection(choose=lambda message: self.session)

    def say(self, kind: bytes, number: int, body: Fields, sender: bytes = b"THEM", **header: bytes) -> list[Message]:
        """Sends a message; what comes back."""
        extra = [(int(tag[1:]), value) for tag, value in header.items()]
        fields = [(34, b"%d" % number), (49, sender), (52, timestamp(self.now)), (56, b"US"), *extra]
        self.connection.receive(build(b"FIX.4.4", [(35, kind), *fields, *body]), self.now)
        return self.answers()

    def answers(self) -> list[Message]:
        found = []
        for each in Reader().feed(self.connection.take_output()):
            assert not isinstance(each, Garbled)
            found.append(each.copy())
        return found

    def log_on(self, number: int = 1, **fields: bytes) -> list[Message]:
        body = [(98, b"0"), (108, b"30"), *((int(tag[1:]), value) for tag, value in fields.items())]
        return self.say(b"A", number, body)


def texts(messages: list[Message]) -> list[tuple[bytes, str]]:
    return [(each.type, each.text(58)) for each in messages]


def test_an_old_number_at_logon_is_refused_with_a_reason() -> None:
    bench = Bench()
    bench.store.expect(5)
    assert texts(bench.log_on()) == [(b"5", "MsgSeqNum too low, expecting 5 but received 1")]
    assert bench.connection.closing


@pytest.mark.parametrize(
    ("number", "fields", "reason"),
    [
        (1, {"_98": b"1"}, "EncryptMethod"),
        (3, {"_141": b"Y"}, "ResetSeqNumFlag"),
        (1, {"_108": b"x"}, "Incorrect data format"),
    ],
)
def test_a_logon_that_cannot_be_taken_ends_the_connection(number: int, fields: dict[str, bytes], reason: str) -> None:
    bench = Bench()
    body = {98: b"0", 108: b"30"} | {int(tag[1:]): value for tag, value in fields.items()}
    assert bench.say(b"A", number, list(body.items())) == []
    assert bench.connection.closing
    assert reason in bench.session.reason


def test_a_second_logon_ends_the_session() -> None:
    bench = Bench()
    bench.log_on()
    assert texts(bench.log_on(2)) == [(b"5", "Logon while logged on")]


def test_another_name_opens_no_gap() -> None:
    bench = Bench()
    bench.log_on()
    answers = bench.say(b"D", 9, ORDER, sender=b"OTHERS")
    assert texts(answers) == [(b"3", "CompID problem"), (b"5", "")]
    assert bench.session.counters["gaps"] == 0


def test_a_message_without_a_number_ends_the_session() -> None:
    bench = Bench()
    bench.log_on()
    bench.connection.receive(build(b"FIX.4.4", [(35, b"0"), (49, b"THEM"), (56, b"US")]), bench.now)
    assert texts(bench.answers()) == [(b"5", "Required tag missing: MsgSeqNum")]
    assert bench.connection.closing


def test_what_waited_for_long_is_judged_by_when_it_came() -> None:
    bench = Bench(resend_timeout=10_000)
    bench.log_on()
    bench.say(b"D", 3, ORDER)
    bench.now += 600 * SECOND
    bench.say(b"D", 2, ORDER, _43=b"Y", _122=timestamp(bench.now))
    assert len(bench.inbox.texts) == 2
    assert bench.session.state == State.LOGGED_ON


def test_a_piece_that_is_lost_from_a_resend_is_asked_for_again() -> None:
    bench = Bench()
    bench.log_on()
    assert [each.number(7) for each in bench.say(b"D", 9, ORDER)] == [2]
    bench.say(b"D", 2, ORDER, _43=b"Y", _122=timestamp(bench.now))
    answers = bench.say(b"D", 4, ORDER, _43=b"Y", _122=timestamp(bench.now))
    assert [(each.type, each.number(7)) for each in answers] == [(b"2", 3)]
    assert bench.say(b"D", 5, ORDER, _43=b"Y", _122=timestamp(bench.now)) == []


def test_a_known_type_that_we_do_not_speak_is_refused() -> None:
    bench = Bench()
    bench.log_on()
    (answer,) = bench.say(b"V", 2, [(262, b"R")])
    assert (answer.type, answer.number(380), answer.text(372)) == (b"j", 3, "V")
    assert bench.store.next_expected == 3


def test_an_application_refuses_with_a_reason_and_an_id(monkeypatch: pytest.MonkeyPatch) -> None:
    bench = Bench()
    bench.log_on()

    def refuse(session: Session, message: Message) -> None:
        raise Refused(BusinessReason.NOT_AUTHORIZED, "not you", message.text(11))

    monkeypatch.setattr(bench.inbox, "on_message", refuse)
    (answer,) = bench.say(b"D", 2, ORDER)
    assert (answer.number(380), answer.text(58), answer.text(379)) == (6, "not you", "ID")
    assert bench.session.counters["refused: not_authorized"] == 1


def test_a_full_queue_asks_again_for_the_rest() -> None:
    bench = Bench(queue_limit=2)
    bench.log_on()
    for number in range(3, 8):
        bench.say(b"D", number, ORDER)
    bench.say(b"D", 2, ORDER, _43=b"Y", _122=timestamp(bench.now))
    assert bench.store.next_expected == 5
    assert [each.number(7) for each in bench.say(b"D", 8, ORDER)] == [5]


@pytest.mark.parametrize(("tag", "value"), [(34, "9"), (10, "0"), (11, "ID")])
def test_an_application_cannot_set_what_the_session_sets(tag: int, value: str) -> None:
    bench = Bench()
    with pytest.raises(FieldError, match=str(tag)):
        bench.session.send("D", ORDER, header=[(tag, value)])
    assert bench.store.next_sent == 1


def test_orders_of_an_initiator_wait_for_the_logon() -> None:
    pair = Pair()
    one, two = pair.sides
    pair.connect()
    one.order(pair.now)
    pair.collect()
    assert b"\x0135=D\x01" not in pair.flying[1]
    pair.settle()
    assert two.inbox.texts == one.sent
    assert two.session.counters["gaps"] == 0


def at(day: int, hour: int, minute: int = 0) -> int:
    return int(datetime(2026, 11, day, hour, minute, tzinfo=UTC).timestamp()) * SECOND


def test_periods_of_a_schedule() -> None:
    day = Schedule(of_day(8), of_day(17))
    assert day.period(at(26, 8)) == day.period(at(26, 16, 59)) == at(26, 8)
    assert [day.period(at(26, hour)) for hour in (7, 17)] == [None, None]
    assert day.period(at(28, 9)) is None  # a Saturday
    night = Schedule(of_day(22), of_day(21, 30), (6, 0, 1, 2, 3))
    assert night.period(at(26, 3)) == at(25, 22)
    assert night.period(at(26, 21, 45)) is None
    assert night.end_of(at(25, 22)) == at(26, 21, 30)
    with pytest.raises(ValueError, match="days"):
        Schedule(of_day(8), of_day(17), (7,))


def test_a_session_ends_with_its_period_and_begins_the_next_one_anew() -> None:
    pair = Pair(schedule=Schedule(of_day(8), of_day(17)))
    pair.now = at(26, 16)
    pair.settle()
    pair.sides[0].order(pair.now)
    pair.settle()
    assert pair.sides[0].session.deadline() is not None
    pair.tick(3_600)
    assert {side.session.state for side in pair.sides} == {State.LOGGING_OUT}
    pair.cut()
    pair.connect()
    assert pair.sides[0].session.closing
    pair.cut()
    pair.now = at(27, 8, 1)
    pair.settle()
    assert [(side.store.next_sent, side.store.created) for side in pair.sides] == [(2, pair.now)] * 2
