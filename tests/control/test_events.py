"""Events in words, and the log that keeps the newest of them."""

import threading

import numpy as np
import pytest

from control.event_log import EventLog
from control.events import described, identity, raw
from wire.reasons import Reason
from wire.records import EVENT, NO_SYMBOL, EventType, Side

STOCKS = ("AMZN", "AAPL")


def event(kind: EventType, **fields: int) -> np.ndarray:
    values = {"type": int(kind), "symbol": NO_SYMBOL, "side": int(Side.NONE)} | fields
    return np.frombuffer(EVENT.pack(values), EVENT.dtype)


def some(first: int, count: int, kind: EventType = EventType.HEARTBEAT) -> np.ndarray:
    return np.concatenate([event(kind, sequence=(first + i) % 2**32) for i in range(count)])


def test_raw_reads_the_fields_that_the_declaration_has() -> None:
    values = {f.name: 7 + i for i, f in enumerate(EVENT.fields)}
    assert raw(EVENT.pack(values)) == values == raw(np.frombuffer(EVENT.pack(values), EVENT.dtype)[0])


@pytest.mark.parametrize("kind", EventType)
def test_every_type_has_words_and_no_raw_field_names(kind: EventType) -> None:
    found = described(event(kind, sequence=4, timestamp=5)[0], STOCKS)
    assert found["type"] == kind.name.lower()
    assert (found["sequence"], found["timestamp_ns"]) == (4, 5)
    assert not found.keys() & {"value", "info", "price2", "quantity2", "order_id"} or kind is EventType.FAULT


def test_a_book_top_names_the_side_that_is_not_there() -> None:
    found = described(event(EventType.BOOK_TOP, symbol=1, price=2_205_100, quantity=300, info=0b101)[0], STOCKS)
    assert found["stock"] == "AAPL"
    assert (found["bid"], found["ask"]) == ({"price": "220.5100", "quantity": 300}, None)
    assert found["trusted"] is True


REJECTS = [(ord("J") << 8 | ord("Z"), "Z"), (ord("J") << 8 | 0x27, "39"), (ord("I") << 8, None)]


@pytest.mark.parametrize(("info", "words"), REJECTS)
def test_a_reject_has_the_letter_of_ouch_42_or_the_number_of_50(info: int, words: str | None) -> None:
    assert described(event(EventType.EXCHANGE_REJECT, info=info)[0], STOCKS).get("reason") == words


def test_a_refusal_has_every_reason_in_bit_order() -> None:
    mask = Reason.POSITION.bit | Reason.KILL_GLOBAL.bit | Reason.SHORT_MARKING.bit
    info = 2 | ord("T") << 8 | 3 << 16
    found = described(
        event(EventType.ORDER_REFUSED, symbol=0, side=1, value=mask, info=info, order_id=0x2008)[0], STOCKS
    )
    assert found["reasons"] == ["kill_global", "position", "short_marking"]
    assert (found["action"], found["marking"], found["strategy"], found["side"]) == (
        "replace",
        "T",
        3,
        "sell",
    )
    assert found["id"] == identity(0x2008) == "000000002008"


def test_a_position_is_signed() -> None:
    found = described(
        event(EventType.POSITION, symbol=0, quantity=2**32 - 300, value=2**64 - 5, order_id=2**64 - 1)[0],
        STOCKS,
    )
    assert (found["position"], found["cash"], found["pnl"]) == (-300, "-0.0005", "-0.0001")


def test_what_no_release_knew_is_shown_raw_and_not_refused() -> None:
    found = described(event(EventType.TRADE, info=9)[0].tobytes().replace(b"\x02", b"\xee", 1), STOCKS)
    assert found["type"] == "238"
    assert found["info"] == 9


# -- the log -------------------------------------------------------------------------------------


def test_a_reader_gets_every_event_once_by_cursor() -> None:
    log = EventLog(100, STOCKS)
    log.append(some(0, 30))
    seen: list[int] = []
    cursor = None
    while True:
        page = log.read(cursor, 7)
        seen += [each["sequence"] for each in page.events]
        cursor = page.next
        if not page.more:
            break
    assert seen == list(range(30))
    assert log.read(cursor, 7).events == []


def test_numbers_go_on_where_the_devices_sequence_wraps() -> None:
    log = EventLog(100, STOCKS)
    log._next = 2**32 - 3  # as if so many had come
    log.append(some(2**32 - 3, 6))
    assert [each["sequence"] for each in log.read(None, 10).events] == [2**32 - 3 + i for i in range(6)]


def test_a_hole_in_the_devices_sequence_stays_a_hole() -> None:
    log = EventLog(100, STOCKS)
    log.append(np.concatenate([some(0, 2), some(5, 2)]))
    log.append(some(9, 1))
    assert [each["sequence"] for each in log.read(None, 10).events] == [0, 1, 5, 6, 9]


def test_who_is_too_late_gets_the_newest_and_the_number_lost() -> None:
    log = EventLog(10, STOCKS)
    for first in range(0, 95, 5):
        log.append(some(first, 5))
    page = log.read(3, 100)
    assert [each["sequence"] for each in page.events] == list(range(85, 95))
    assert page.lost == 81  # 4 to 84
    assert log.read(page.next, 100).lost == 0


def test_a_backlog_takes_a_slow_reader_forward() -> None:
    log = EventLog(1000, STOCKS)
    log.append(some(0, 500))
    page = log.read(9, 1000, backlog=20)
    assert [each["sequence"] for each in page.events] == list(range(480, 500))
    assert page.lost == 470


def test_a_batch_larger_than_the_log_leaves_its_end() -> None:
    log = EventLog(10, STOCKS)
    log.append(some(0, 35))
    assert [each["sequence"] for each in log.read(None, 100).events] == list(range(25, 35))


def test_types_choose_and_answers_to_snapshots_are_only_for_who_asks() -> None:
    log = EventLog(100, STOCKS)
    log.append(np.concatenate([some(0, 2), some(2, 2, EventType.BOOK_LEVEL), some(4, 1, EventType.TRADE)]))
    assert [each["type"] for each in log.read(None, 10).events] == ["heartbeat", "heartbeat", "trade"]
    page = log.read(None, 10, {EventType.BOOK_LEVEL})
    assert [each["sequence"] for each in page.events] == [2, 3]
    assert page.next == 4


def test_one_thread_writes_while_others_read() -> None:
    log, total = EventLog(5_000, STOCKS), 20_000
    wrong: list[str] = []

    def read() -> None:
        cursor, seen = -1, 0
        while cursor < total - 1:
            page = log.read(cursor, 500)
            numbers = [each["sequence"] for each in page.events]
            if numbers != list(range(cursor + 1 + page.lost, cursor + 1 + page.lost + len(numbers))):
                wrong.append(f"{cursor} {page.lost} {numbers[:3]}")
            seen += len(numbers) + page.lost
            cursor = page.next
        if seen != total:
            wrong.append(f"{seen} of {total}")

    readers = [threading.Thread(target=read) for _ in range(2)]
    for reader in readers:
        reader.start()
    for first in range(0, total, 250):
        log.append(some(first, 250))
    for reader in readers:
        reader.join(60)
    assert wrong == []
