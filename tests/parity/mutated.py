"""Frames of a feed, many of them changed on the way: what a broken switch, a cut cable or an enemy would send."""

from __future__ import annotations

import numpy as np

from sim import publisher
from sim.sources.tape import Tape
from tests.parity.stimulus import Recording
from wire import checksum
from wire.records import INPUT, Port

IP, UDP, MOLD, BLOCKS = 14, 34, 42, 62
"""Where the layers begin in a frame without tags and options."""

CODES = b"SRHYLVWKJhAFECXDUPQBINO?\0\xff"


def mutated(tape: Tape, share: float, rng: np.random.Generator) -> tuple[list[bytes], int]:
    """The frames of a tape; the given share of them comes once more, changed, before the right one.

    Returns the frames and how many of them were changed.
    """
    packets = publisher.publish(tape, publisher.FeedConfig(address=publisher.FEED_A.address, window_ns=3_000))
    buffer, out, changed = packets.buffer.tobytes(), [], 0
    for at, length in zip(packets.offsets.tolist(), packets.lengths.tolist(), strict=True):
        frame = buffer[at : at + length]
        if rng.random() < share:
            out.append(_changed(frame, rng))
            changed += 1
        out.append(frame)
    return out, changed


def _changed(frame: bytes, rng: np.random.Generator) -> bytes:
    new = bytearray(frame)
    kind = int(rng.integers(14))

    def put(at: int, width: int, value: int) -> None:
        new[at : at + width] = (value % (1 << 8 * width)).to_bytes(width)

    def near(at: int) -> int:
        value = int.from_bytes(new[at : at + 2])
        return int(rng.choice([value - 1, value + 1, value + int(rng.integers(-9, 10)), rng.integers(1 << 16)]))

    if kind == 0:  # cut
        return bytes(new[: int(rng.integers(1, len(new)))])
    if kind == 1:  # with more behind it
        return bytes(new) + rng.bytes(int(rng.integers(1, 70)))
    if kind == 2:  # any byte
        new[int(rng.integers(len(new)))] = int(rng.integers(256))
        return bytes(new)
    if kind == 3:  # a checksum
        put(int(rng.choice([IP + 10, UDP + 6])), 2, int(rng.integers(1, 1 << 16)))
        return bytes(new)
    if kind == 4:  # lengths
        put(IP + 2, 2, near(IP + 2))
    elif kind == 5:
        put(UDP + 4, 2, near(UDP + 4))
    elif kind == 6:  # number of messages
        put(MOLD + 18, 2, near(MOLD + 18) if rng.random() < 0.8 else int(rng.choice([0, 0xFFFF])))
    elif kind == 7:  # length of a message
        put(BLOCKS, 2, near(BLOCKS))
    elif kind == 8 and len(new) > BLOCKS + 2:  # type of a message
        new[BLOCKS + 2] = CODES[int(rng.integers(len(CODES)))]
    elif kind == 9:  # sequence number
        put(MOLD + 10, 8, int(rng.choice([rng.integers(1 << 63), rng.integers(1000), (1 << 63) + 5])))
    elif kind == 10:  # a header of another shape, a fragment, another protocol
        new[IP + int(rng.choice([0, 6, 7, 9]))] = int(rng.integers(256))
    elif kind == 11:  # another session
        new[MOLD + int(rng.integers(10))] = int(rng.integers(256))
    elif kind == 12:  # more than a datagram of the feed has
        new.extend(rng.bytes(int(rng.integers(1_400, 1_600))))
        put(IP + 2, 2, len(new) - IP)
        put(UDP + 4, 2, len(new) - UDP)
    elif len(new) > BLOCKS + 4:  # what a message says
        at = int(rng.integers(BLOCKS + 2, len(new)))
        new[at : at + 4] = rng.bytes(len(new[at : at + 4]))
    # What was changed is to be found where it is, not by a sum in front of it.
    put(IP + 10, 2, 0)
    put(IP + 10, 2, int(checksum.checksum(np.frombuffer(bytes(new), np.uint8), IP, 20, 0)))
    put(UDP + 6, 2, 0)
    return bytes(new)


def recording(frames: list[bytes], setup: list[bytes], start: int = 34_200_000_000_000) -> Recording:
    """Commands, then the frames, every third on feed B, and a tick now and then."""
    rows, buffer = [], bytearray()

    def put(stamp: int, port: Port, data: bytes) -> None:
        rows.append((stamp, len(buffer), len(data), port))
        buffer.extend(data)

    for each in setup:
        put(start, Port.COMMAND, each)
    for number, frame in enumerate(frames):
        stamp = start + 1_000 * number
        put(stamp, Port.FEED_A if number % 3 else Port.FEED_B, frame)
        if number % 500 == 0:
            put(stamp, Port.TICK, b"")
    return Recording(np.array(rows, INPUT), np.frombuffer(bytes(buffer), np.uint8))
