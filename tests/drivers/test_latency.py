"""Trigger to order is counted from the beat with the message's last byte."""

import numpy as np
import pytest

from drivers.device import Batch
from drivers.latency import trigger_to_order
from tests.scenarios.build import add, delete, mold_frame
from wire.records import EVENT, INPUT, OUTPUT, Port

ADD, DELETE = add(1, 5, "B", 100, 10_000), delete(1, 5)


def batch(frames, cycles, outputs):
    """Inputs of frames (port, bytes), their first and last cycles, and outputs (cause, cycle, the frame that let it go)."""
    records, data = [], b""
    for port, frame in frames:
        records.append((1000 + 100 * len(records), len(data), len(frame), port))
        data += frame
    sent = np.zeros(len(outputs), OUTPUT)
    sent["cause"] = [cause for cause, _, _ in outputs]
    sent["timestamp"] = [1003 + 100 * number for _, _, number in outputs]
    came = Batch(
        np.zeros(0, EVENT.dtype), sent, np.zeros(0, np.uint8),
        np.array(cycles, np.uint64), np.array([cycle for _, cycle, _ in outputs], np.uint64),
    )  # fmt: skip
    return np.array(records, INPUT), data, came


def test_counts_from_the_last_byte_of_the_message_that_caused_the_order():
    # Ethernet 14, IPv4 20, UDP 8, MoldUDP64 20, length 2: the Add is bytes 64 to 99, beats 8 to 12,
    # the Delete behind it 102 to 120, beats 12 to 15.
    frame = mold_frame(10, [ADD, DELETE])
    sent = [(10, 1030, 0), (10, 1034, 0), (11, 1040, 0), (0, 1050, 0)]
    inputs, data, came = batch([(Port.FEED_A, frame)], [(1000, 1015)], sent)
    rows = trigger_to_order(inputs, data, came)
    assert rows["output"].tolist() == [0, 1, 2]
    assert rows["type"].tolist() == [b"A", b"A", b"D"]
    assert rows["rank"].tolist() == [0, 1, 0]
    assert rows["cycles"].tolist() == [1030 - 1012, 1034 - 1012, 1040 - 1015]
    assert rows["frame_cycles"].tolist() == [15, 19, 25]
    assert rows["stalled"].tolist() == [0, 0, 0]


def test_the_frame_that_came_first_counts():
    early, late = mold_frame(1, [ADD]), mold_frame(1, [ADD, DELETE])
    inputs, data, came = batch(
        [(Port.FEED_B, late), (Port.FEED_A, early)], [(100, 118), (99, 111)], [(1, 125, 1), (2, 131, 0)]
    )
    rows = trigger_to_order(inputs, data, came)
    assert rows["input"].tolist() == [1, 0]
    assert rows["stalled"].tolist() == [0, 3]


def test_messages_that_had_to_wait_are_left_out():
    inputs, data, came = batch(
        [(Port.FEED_A, mold_frame(n, [message])) for n, message in ((1, ADD), (3, DELETE), (2, ADD))],
        [(0, 12), (20, 30), (40, 52)],
        [(1, 15, 0), (2, 60, 2), (3, 65, 2)],
    )
    assert trigger_to_order(inputs, data, came)["cause"].tolist() == [1, 2]


def test_messages_that_waited_for_one_of_an_earlier_batch_are_left_out():
    # Message 2 was lost on feed A before this batch: 3 waits, though it is the first that comes here.
    inputs, data, came = batch(
        [(Port.FEED_A, mold_frame(3, [DELETE])), (Port.FEED_B, mold_frame(2, [ADD])), (Port.FEED_A, mold_frame(4, [DELETE]))],
        [(0, 10), (20, 32), (80, 90)],
        [(3, 60, 1), (4, 120, 2)],
    )
    assert trigger_to_order(inputs, data, came)["cause"].tolist() == [4]


def test_software_has_no_cycles():
    inputs, data, came = batch([], np.zeros((0, 2)), [])
    with pytest.raises(ValueError, match="no cycle stamps"):
        trigger_to_order(inputs, data, Batch(came.events, came.outputs, came.payload))
