"""Trigger to order, in clock cycles: from the beat with the last byte of the ITCH message to the first beat
of the order.

The message is found by the order's cause, its feed sequence number, in the frame that brought it first. A
card that checks a whole frame before it believes any of it cannot act before the frame's last beat, so that
is given too.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from drivers.device import Batch, Octets
from wire.ingress import OUT_SIZE, PAYLOAD_AT, PAYLOAD_LENGTH, udp_payload
from wire.moldudp64 import (
    BLOCK_LENGTH,
    DOWNSTREAM,
    MAX_MESSAGES,
    read_block_length,
    read_message_count,
    read_sequence_number,
)
from wire.records import Port

BEAT_BYTES = 8
STAMP_NS = 7
"""A card may stamp a frame so much later than its wire did: a cycle of its clock, at 156.25 MHz."""

LATENCY = np.dtype(
    [
        ("output", "<i8"),
        ("input", "<i8"),
        ("cause", "<u8"),
        ("type", "S1"),
        ("rank", "<i8"),
        ("cycles", "<i8"),
        ("frame_cycles", "<i8"),
        ("stalled", "<i8"),
    ]
)
"""One order: ``output`` and ``input`` are places in the batch, ``type`` the ITCH message's, ``rank`` 0 for
the first order that the message caused. ``cycles`` is trigger to order; ``frame_cycles`` counts from the
last beat of the frame. ``stalled``: cycles that the card held up the frame while it came in."""


def trigger_to_order(inputs: NDArray[np.void], buffer: Octets, batch: Batch) -> NDArray[np.void]:
    """Latency of every order that a market-data message caused, one row of `LATENCY` each.

    Orders whose message did not come in this batch, or waited for what a gap had lost, are left out: the
    latter have the stamp of the frame that filled the gap.

    Raises
    ------
    ValueError
        The batch has no cycles: it did not come from a card.
    """
    if batch.input_cycles is None or batch.output_cycles is None:
        raise ValueError("the batch has no cycle stamps: it does not come from a card")
    octets = np.frombuffer(buffer, np.uint8)
    frames = _frames(inputs, octets, batch.input_cycles)
    rows: list[tuple[int, int, int, bytes, int, int, int, int]] = []
    ranks: dict[int, int] = {}
    for number, output in enumerate(batch.outputs):
        cause = int(output["cause"])
        place = int(np.searchsorted(frames["end"], cause, side="right")) if cause else len(frames)
        if place == len(frames) or int(frames["first"][place]) > cause:
            continue
        frame = frames[place]
        rank = ranks[cause] = ranks.get(cause, -1) + 1
        index = int(frame["input"])
        if int(output["timestamp"]) - int(inputs["timestamp"][index]) > STAMP_NS:
            continue
        message, end = _message(octets, int(frame["payload"]), cause - int(frame["sequence"]))
        beat = (end - 1 - int(inputs["offset"][index])) // BEAT_BYTES
        begun, ended = int(batch.input_cycles[index, 0]), int(batch.input_cycles[index, 1])
        left = int(batch.output_cycles[number])
        if left < begun:
            continue
        stalled = ended - begun - (int(inputs["length"][index]) - 1) // BEAT_BYTES
        kind = bytes(octets[message : message + 1])
        rows.append((number, index, cause, kind, rank, left - (begun + beat), left - ended, stalled))
    return np.array(rows, LATENCY)


_FRAME = np.dtype([("input", "i8"), ("sequence", "i8"), ("first", "i8"), ("end", "i8"), ("payload", "i8")])


def _frames(
    inputs: NDArray[np.void], octets: NDArray[np.uint8], cycles: NDArray[np.uint64]
) -> NDArray[np.void]:
    """The frames that brought messages first, by sequence number.

    Each brings ``first`` to ``end - 1`` of what begins with ``sequence``; frames that were ahead are left
    out.
    """
    found = np.zeros(OUT_SIZE, np.int64)
    rows = []
    expected = None
    for index in np.argsort(cycles[:, 1], kind="stable"):
        each = inputs[index]
        if (
            each["port"] > Port.RECOVERY
            or udp_payload(octets, int(each["offset"]), int(each["length"]), found) != 0
        ):
            continue
        at, length = int(found[PAYLOAD_AT]), int(found[PAYLOAD_LENGTH])
        if length < DOWNSTREAM.length:
            continue
        sequence, count = int(read_sequence_number(octets, at)), int(read_message_count(octets, at))
        end = sequence + count
        if not 0 < count <= MAX_MESSAGES or (expected is not None and end <= expected):
            continue
        if expected is None or sequence <= expected:
            first = sequence if expected is None else expected
            rows.append((int(index), sequence, first, end, at))
            expected = end
    return np.array(rows, _FRAME)


def _message(octets: NDArray[np.uint8], payload: int, number: int) -> tuple[int, int]:
    """Where message ``number`` of a MoldUDP64 packet begins and ends."""
    at = payload + DOWNSTREAM.length
    for _ in range(number):
        at += BLOCK_LENGTH + int(read_block_length(octets, at))
    return at + BLOCK_LENGTH, at + BLOCK_LENGTH + int(read_block_length(octets, at))
