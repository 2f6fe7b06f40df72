"""Ethernet frames with MoldUDP64 packets, good and bad, from a seed."""

from __future__ import annotations

import random
import struct

from wire.frames import Frame, build

ADDRESS, PORT, SESSION = 0xE9360C6F, 26477, b"20260731AB"


def packet(sequence: int, messages: list[bytes], session: bytes = SESSION, count: int | None = None) -> bytes:
    """A MoldUDP64 packet."""
    body = b"".join(struct.pack(">H", len(message)) + message for message in messages)
    return session + struct.pack(">QH", sequence, len(messages) if count is None else count) + body


def frame(payload: bytes, **fields: object) -> bytes:
    """A frame for the feed's address and port."""
    given = {"destination": ADDRESS, "destination_port": PORT, "source": 0x0A000001, "source_port": 4000}
    return build(Frame(payload=payload, **(given | fields)))


def random_frame(seed: random.Random) -> bytes:
    """A frame that is good, or wrong in one or two ways."""
    lengths = [seed.choice((0, 1, 2, 5, 6, 7, 12, 19, 23, 36, 50)) for _ in range(seed.randrange(0, 12))]
    messages = [seed.randbytes(length) for length in lengths]
    if seed.random() < 0.05:
        messages = [seed.randbytes(seed.randrange(700)) for _ in range(4)]
    payload = packet(seed.randrange(1, 1 << 40), messages)
    fields: dict[str, object] = {}
    if seed.random() < 0.3:
        tags = [(seed.choice((0x8100, 0x88A8)), seed.randrange(1 << 16)) for _ in range(2)]
        fields["tags"] = tuple(tags[: seed.randrange(3)])
    if seed.random() < 0.2:
        fields["ip_options"] = seed.randbytes(4 * seed.randrange(11))
    if seed.random() < 0.2:
        fields["trailer"] = seed.randbytes(seed.randrange(30))
    if seed.random() < 0.1:
        fields["rest"] = seed.randbytes(seed.randrange(20))
    if seed.random() < 0.1:
        fields["transport_checksum"] = 0
    if seed.random() < 0.1:
        payload = packet(seed.randrange(1 << 63), [], count=seed.choice((0, 0xFFFF)))
    fault = seed.randrange(14)
    if fault == 0:
        fields["destination"] = seed.choice((ADDRESS + 1, ADDRESS))
        fields["destination_port"] = seed.choice((PORT + 1, PORT))
    elif fault == 1:
        fields["flags_fragment"] = seed.choice((0x2000, 0x4000, 0x0001, 0x8000, 0x1FFF))
    elif fault == 2:
        fields["protocol"] = 6
    elif fault == 3:
        payload = payload[: seed.randrange(len(payload) + 1)]
    elif fault == 4:
        payload += seed.randbytes(seed.randrange(1, 9))
    elif fault == 5:
        count = seed.choice((0, 0xFFFF, 0xFFFE, None))
        payload = packet(seed.choice((0, 1 << 63, (1 << 63) - 1)), messages, count=count)
    elif fault == 6:
        session = seed.choice((SESSION, b"X" + SESSION[1:], SESSION[:9] + b"X"))
        payload = packet(7, [], session, count=seed.choice((0, 0xFFFF)))
    elif fault == 7:
        payload = payload.ljust(seed.choice((1471, 1472, 1473, 1600)), b"\0")
    data = bytearray(frame(payload, **fields))
    if seed.random() < 0.15:
        for _ in range(seed.choice((1, 1, 2))):
            data[seed.randrange(12, min(len(data), 70))] ^= 1 << seed.randrange(8)
    if seed.random() < 0.1:
        data = data[: seed.randrange(len(data) + 1)]
    return bytes(data)
