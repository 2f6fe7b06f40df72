"""Hostile bytes: no compiled parser crashes, and each says what the Python API says of the same bytes."""

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from wire import appendage, binaryfile, frames, ingress, itch, moldudp64, ouch42, soupbintcp
from wire.appendage import AppendageStatus
from wire.classify import MessageStatus, classify
from wire.errors import ChecksumError, FieldError, LengthError, TypeCodeError, WireError
from wire.frames import Frame
from wire.ingress import FrameStatus
from wire.moldudp64 import PacketStatus
from wire.soupbintcp import StreamStatus

pytestmark = pytest.mark.fuzz
ROUNDS = 4000


def mutated(rng: np.random.Generator, seeds: list[bytes]) -> bytes:
    """One of the seeds with bytes changed, cut, repeated or put in; sometimes noise."""
    data = bytearray(seeds[rng.integers(len(seeds))])
    for _ in range(rng.integers(0, 4)):
        at = int(rng.integers(0, len(data) + 1))
        match rng.integers(6):
            case 0:
                data[at : at + 1] = rng.bytes(1)
            case 1:
                del data[at : at + int(rng.integers(1, 9))]
            case 2:
                data[at:at] = rng.bytes(int(rng.integers(1, 9)))
            case 3:
                data[at:at] = data[: int(rng.integers(0, 30))]
            case 4:
                data[at : at + 1] = rng.choice([0, 1, 0x7F, 0x80, 0xFF], 1).astype(np.uint8).tobytes()
            case _:
                del data[at:]
    return bytes(data) if rng.integers(20) else rng.bytes(int(rng.integers(0, 80)))


def judged(parse: Callable[[bytes], Any], data: bytes) -> WireError | None:
    """What the Python API raises: a typed error with a place inside or just behind the bytes, or nothing."""
    error: WireError | None = None
    try:
        parse(data)
    except WireError as raised:
        error = raised
    assert error is None or error.offset is None or 0 <= error.offset <= len(data)
    return error


def surrounded(data: bytes) -> np.ndarray[Any, np.dtype[np.uint8]]:
    """The bytes between others that would be read if a parser left its bounds."""
    return np.frombuffer(b"\xa5" * 7 + data + b"\xa5" * 7, np.uint8)


UDP = Frame(source=1, destination=2, source_port=3, destination_port=4, payload=b"payload")
FRAMES = [
    frames.build(UDP),
    frames.build(
        Frame(source=1, destination=2, tags=((0x88A8, 1), (0x8100, 2)), ip_options=bytes(8), trailer=b"x" * 9)
    ),
    frames.build(Frame(source=1, destination=2, protocol=6, tcp_options=bytes(4), payload=b"abc")),
    frames.build(Frame(source=1, destination=2, transport_checksum=0, rest=b"zz", payload=b"abc")),
]


def frame_status(error: WireError | None) -> FrameStatus:
    """The counter that an error of ``frames.parse`` belongs to."""
    match error:
        case None:
            return FrameStatus.OK
        case ChecksumError(record="IPv4"):
            return FrameStatus.BAD_IP_CHECKSUM
        case ChecksumError(record="UDP"):
            return FrameStatus.BAD_UDP_CHECKSUM
        case ChecksumError():
            return FrameStatus.BAD_TCP_CHECKSUM
        case LengthError():
            return FrameStatus.TRUNCATED
        case FieldError(field="flags_fragment"):
            return FrameStatus.FRAGMENT
        case FieldError(field="protocol"):
            return FrameStatus.NOT_UDP
        case _:
            return FrameStatus.NOT_IPV4


def test_frames(rng: np.random.Generator) -> None:
    out = np.zeros(ingress.OUT_SIZE, np.int64)
    seen = set()
    for _ in range(ROUNDS):
        data = mutated(rng, FRAMES)
        if rng.integers(2):  # past the checksums, so that what lies behind them is reached
            sealed = np.frombuffer(data, np.uint8).copy()
            ingress.seal(sealed, 0, len(sealed))
            data = sealed.tobytes()
        error = judged(frames.parse, data)
        expected, buffer = frame_status(error), surrounded(data)
        udp = FrameStatus(ingress.udp_payload(buffer, 7, len(data), out))
        if udp is FrameStatus.OK:
            begin, length = out[ingress.PAYLOAD_AT], out[ingress.PAYLOAD_LENGTH]
            assert 7 <= begin <= begin + length <= 7 + len(data)
            assert frames.parse(data).payload == buffer[begin : begin + length].tobytes()
        tcp = FrameStatus(ingress.tcp_payload(buffer, 7, len(data), out))
        if tcp is FrameStatus.OK:
            begin, length = out[ingress.PAYLOAD_AT], out[ingress.PAYLOAD_LENGTH]
            assert 7 <= begin <= begin + length <= 7 + len(data)
            assert frames.parse(data).payload == buffer[begin : begin + length].tobytes()
        seen |= {udp, tcp}
        judges = {udp} - {FrameStatus.NOT_UDP} | {tcp} - {
            FrameStatus.NOT_TCP
        }  # of the frame's own protocol, if any
        assert judges == ({expected} if expected is not FrameStatus.NOT_UDP else set())
        if error is None:
            assert frames.build(frames.parse(data)) == data
    assert seen == set(FrameStatus)


def test_moldudp64(rng: np.random.Generator) -> None:
    seeds = [
        moldudp64.packet("S1", 1, [b"abc", b"", b"defgh"]),
        moldudp64.heartbeat("S1", 9),
        moldudp64.end_of_session("S1", 9),
    ]
    offsets, lengths = np.zeros(4, np.int64), np.zeros(4, np.int64)
    for _ in range(ROUNDS):
        data = mutated(rng, seeds)
        error, buffer = judged(moldudp64.unpack, data), surrounded(data)
        status = PacketStatus(moldudp64.check(buffer, 7, len(data)))
        count = moldudp64.split(buffer, 7, len(data), offsets, lengths)
        if isinstance(error, FieldError):  # a session that is not ASCII: the compiled path compares its bytes
            continue
        assert (error is None) == (status is PacketStatus.OK) == (count >= 0)
        if error is None:
            found = [buffer[o : o + n].tobytes() for o, n in zip(offsets, lengths, strict=True)][:count]
            messages = moldudp64.unpack(data).messages
            assert len(messages) == count
            assert list(messages[:4]) == found
        elif error.record == moldudp64.BLOCK.name:
            assert status is PacketStatus.BLOCK_OVERRUN
        else:
            short = len(data) < moldudp64.HEADER_LENGTH
            assert status is (PacketStatus.SHORT_HEADER if short else PacketStatus.TRAILING_BYTES)


def test_soupbintcp(rng: np.random.Generator) -> None:
    seeds = [
        soupbintcp.login_request("user", "pass")
        + soupbintcp.unsequenced(b"abc")
        + soupbintcp.logout_request(),
        soupbintcp.login_accepted("S1", 1) + soupbintcp.sequenced(b"message") + soupbintcp.server_heartbeat(),
    ]
    tables = [(soupbintcp.SERVER, soupbintcp.SERVER_LENGTHS), (soupbintcp.CLIENT, soupbintcp.CLIENT_LENGTHS)]
    for i in range(ROUNDS):
        data, (family, lengths) = mutated(rng, seeds), tables[i % 2]
        splitter, buffer, at, found = soupbintcp.Splitter(family), surrounded(data), 7, []
        packets: list[soupbintcp.Packet] = []
        error = judged(lambda d, s=splitter, p=packets: p.extend(s.feed(d)), data)  # type: ignore[misc]
        while (size := soupbintcp.next_packet(buffer, at, 7 + len(data), lengths)) > 0:
            found.append(buffer[at + 2 : at + size].tobytes())
            at += size
        expected = StreamStatus.INCOMPLETE
        if isinstance(error, TypeCodeError):
            expected = StreamStatus.UNKNOWN_TYPE
        elif isinstance(error, LengthError):
            expected = StreamStatus.EMPTY if error.found == 0 else StreamStatus.WRONG_LENGTH
        assert StreamStatus(size) is expected
        assert at - 7 == splitter.position
        if error is None:
            assert [packet.body for packet in packets] == found
            assert splitter.held == len(data) - splitter.position


@pytest.mark.parametrize("family", [itch.ITCH, ouch42.INBOUND, ouch42.OUTBOUND], ids=lambda f: f.name)
def test_messages(family: Any, rng: np.random.Generator) -> None:
    seeds = [record.pack() for record in family.records]
    for _ in range(ROUNDS):
        data = mutated(rng, seeds)
        error = judged(family.unpack, data)
        found = classify(surrounded(data), 7, len(data), family.lengths, family.indices)
        if isinstance(error, TypeCodeError):
            assert found == MessageStatus.UNKNOWN_TYPE
        elif isinstance(error, LengthError):
            assert found == (MessageStatus.WRONG_LENGTH if data else MessageStatus.EMPTY)
        else:  # text that is not ASCII is no matter of framing
            assert family.records[found] is family.of(data)
        if error is None:
            record = family.of(data)
            assert record.pack(record.unpack(data)) == data


def test_appendages(rng: np.random.Generator) -> None:
    seeds = [
        appendage.encode(
            {
                o.name: o.values[0] if o.values else (1 if o.kind != "alpha" else "X")
                for o in appendage.OPTIONS
            }
        )
    ]
    seeds.append(appendage.encode({"firm": "LIME", "post_only": "P", "expire_time": 86_399}))
    for _ in range(ROUNDS):
        data = mutated(rng, seeds)
        error, buffer = judged(appendage.decode, data), surrounded(data)
        status = AppendageStatus(appendage.check(buffer, 7, len(data)))
        assert (error is None) == (status is AppendageStatus.OK)
        for option in appendage.OPTIONS:
            at = appendage.find(buffer, 7, len(data), option.tag)
            assert at == -1 or 9 <= at <= 8 + len(data)
            if error is None:
                assert (at >= 0) == (option.name in appendage.decode(data))
        if error is None:
            assert appendage.decode(appendage.encode(appendage.decode(data))) == appendage.decode(data)
        elif isinstance(error, TypeCodeError):
            assert status is AppendageStatus.UNKNOWN_TAG
        elif isinstance(error, LengthError):
            assert status in (AppendageStatus.OVERRUN, AppendageStatus.WRONG_LENGTH)
        else:
            assert status in (AppendageStatus.BAD_VALUE, AppendageStatus.REPEATED_TAG)


def test_binary_files(rng: np.random.Generator) -> None:
    messages = [record.pack() for record in itch.ITCH.records[:5]]
    prefixed = b"".join(len(m).to_bytes(2, "big") + m for m in messages)
    for framing, seed_bytes in (
        (binaryfile.Framing.PREFIXED, prefixed),
        (binaryfile.Framing.BARE, b"".join(messages)),
    ):
        for _ in range(ROUNDS // 4):
            data = mutated(rng, [seed_bytes, seed_bytes + b"\0\0"])
            found: list[bytes] = []

            def collect(
                size: int, data: bytes = data, framing: Any = framing, found: list[bytes] = found
            ) -> None:
                pieces = (data[i : i + size] for i in range(0, len(data), size))
                for part in binaryfile._framed(pieces, framing):
                    found.extend(part)

            whole = judged(lambda d, framing=framing: binaryfile.frame_bytes(d, framing), data)
            small = judged(lambda d: collect(int(rng.integers(1, 50))), data)
            assert type(whole) is type(small)
            if whole is None:
                assert list(binaryfile.frame_bytes(data, framing)) == found
            else:
                assert small is not None
                assert whole.offset == small.offset
