"""The comparison of two devices: what is equal agrees, and of what is not the first difference is told in words."""

from dataclasses import replace

import numpy as np
import pytest

from control.parity import Answer, compare, packet
from drivers.device import Book, Level, Position, Snapshot
from wire import ouch42
from wire.records import EVENT, OUTPUT, EventType
from wire.soupbintcp import HEADER_LENGTH

STOCKS = ("AMZN",)


def enter(shares: int) -> bytes:
    order = ouch42.ENTER_ORDER.pack(
        order_token="HP000000001000", side="B", shares=shares, stock="AMZN", price=2_200_000
    )
    return (len(order) + 1).to_bytes(2, "big") + b"U" + order


def answer(*, shares: tuple[int, ...] = (100, 200), sizes: tuple[int, ...] = (5, 6, 7)) -> Answer:
    packets = [enter(each) for each in shares]
    outputs = np.zeros(len(packets), OUTPUT)
    outputs["timestamp"], outputs["cause"] = 1000, 7
    outputs["length"] = [len(each) for each in packets]
    outputs["offset"] = np.cumsum([0, *outputs["length"][:-1]])
    events = np.zeros(len(sizes), EVENT.dtype)
    events["type"], events["sequence"], events["quantity"] = EventType.TRADE, np.arange(len(sizes)), sizes
    book = Book((Level(2_200_000, 100, 1),), ())
    return Answer(
        events,
        outputs,
        np.frombuffer(b"".join(packets), np.uint8),
        {"orders_new": len(packets), "ticks": 3},
        Snapshot({0: book}, {0: Position(5, 6, 7, 8, 0)}, (), {}),
    )


def test_equal_answers_agree_wherever_their_bytes_lie() -> None:
    ours, theirs = answer(), answer()
    shifted = np.concatenate([np.zeros(11, np.uint8), theirs.payload])
    moved = theirs.outputs.copy()
    moved["offset"] += 11
    found = compare(ours, replace(theirs, outputs=moved, payload=shifted), STOCKS)
    assert found.agree
    assert (found.outputs_compared, found.events_compared, found.counters_compared) == (2, 3, 2)
    assert ours.output_bytes() == replace(theirs, outputs=moved, payload=shifted).output_bytes()


def test_an_order_that_differs_is_decoded() -> None:
    found = compare(answer(), answer(shares=(100, 201)), STOCKS).first_difference
    assert found is not None
    assert (found.what, found.where) == ("output", "order packet 1")
    assert (found.software["shares"], found.twin["shares"]) == (200, 201)
    assert found.software["order_token"] == "HP000000001000"


def test_an_order_that_only_one_sent_is_told_as_such() -> None:
    found = compare(answer(), answer(shares=(100,)), STOCKS).first_difference
    assert found is not None
    assert found.where == "order packet 1, which only one of them sent"
    assert found.twin is None


def test_a_stamp_counts_as_much_as_bytes() -> None:
    late = answer()
    late.outputs["timestamp"][1] += 1
    found = compare(answer(), late, STOCKS).first_difference
    assert found is not None
    assert (found.software["timestamp_ns"], found.twin["timestamp_ns"]) == (1000, 1001)


@pytest.mark.parametrize("name", EVENT.dtype.names)
def test_one_bit_of_any_field_of_an_event_is_found(name: str) -> None:
    other = answer()
    other.events[name][1] ^= 1
    found = compare(answer(), other, STOCKS).first_difference
    assert found is not None
    assert (found.what, found.where) == ("event", "event 1")


def test_a_missing_event_is_found() -> None:
    found = compare(answer(), answer(sizes=(5, 6)), STOCKS).first_difference
    assert found is not None
    assert found.where == "event 2, which only one of them has"


def test_counters_and_snapshots_are_compared_too() -> None:
    other = replace(answer(), counters={"orders_new": 2, "ticks": 4})
    found = compare(answer(), other, STOCKS).first_difference
    assert found is not None
    assert (found.what, found.where, found.software, found.twin) == ("counter", "ticks", 3, 4)
    state = answer().snapshot
    other = replace(answer(), snapshot=replace(state, positions={0: Position(5, 6, 7, 9, 0)}))
    found = compare(answer(), other, STOCKS).first_difference
    assert found is not None
    assert (found.what, found.where, found.twin["pnl"]) == ("snapshot", "AMZN: positions", 9)
    other = replace(answer(), snapshot=replace(state, books={0: Book((), ())}))
    assert not compare(answer(), other, STOCKS).agree


def test_a_packet_that_is_none_is_shown_as_bytes() -> None:
    assert packet(b"\0\2U?")["bytes"] == "0002553f"
    assert len(enter(1)) == HEADER_LENGTH + ouch42.ENTER_ORDER.length
