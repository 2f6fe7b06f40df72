"""A feed port against the compiled parsers of ``wire`` and ``engine``, frame by frame: counters, packets, messages."""

from __future__ import annotations

import random
from collections import Counter

import numpy as np
import pytest
from amaranth.hdl import Shape
from amaranth.lib import data

from engine.ingest import ingest
from engine.state import create
from hw.itch.collector import BAD_LENGTH, FIELDS, UNKNOWN, Stored
from hw.net.port import COUNTERS, FeedPort, Packet
from tests.hw.frames import ADDRESS, PORT, SESSION, frame, packet, random_frame
from tests.hw.verilated import Model
from wire.counters import COUNTERS as NAMES
from wire.itch import ITCH
from wire.records import Port, Side

pytestmark = pytest.mark.gateware

LATENCY = 5


def beats(frame_: bytes) -> list[int]:
    pieces = [frame_[n : n + 8] for n in range(0, max(len(frame_), 1), 8)]
    last = len(pieces) - 1
    return [int.from_bytes(piece, "little") | (n == last) << 64 | len(piece) << 65 for n, piece in enumerate(pieces)]


def fields(struct: type[data.Struct], number: int) -> dict[str, int]:
    layout = data.Layout.cast(struct)
    return {
        name: number >> field.offset & ((1 << Shape.cast(field.shape).width) - 1) for name, field in layout
    }


def stored(message: bytes) -> dict[str, int]:
    """What is kept of a message, by the codec."""
    kept = dict.fromkeys(data.Layout.cast(Stored).members, 0) | {"side": Side.NONE}
    record = ITCH.by_code.get(message[0]) if message else None
    if record is None:
        return {"index": UNKNOWN}
    if len(message) != record.length:
        return {"index": BAD_LENGTH}
    values = record.unpack(message)
    kept |= {"index": ITCH.records.index(record), "stock_locate": values["stock_locate"]}
    for name, sources in FIELDS.items():
        if record.code in sources:
            value = values[sources[record.code]]
            if name == "code":
                kept["price"] |= ord(value or " ")
            elif name == "action":
                kept["price"] |= ord(value or " ") << 8
            else:
                kept[name] = value
    if record.code in "AFP":
        kept["side"] = {"B": Side.BUY, "S": Side.SELL}.get(values["side"], Side.NONE)
    kept["printable"] = int(record.code in "EP" or (record.code == "C" and values["printable"] == "Y"))
    return kept


class PortModel:
    """A port, the frames it is given, and what came out."""

    def __init__(self) -> None:
        self.model = Model(FeedPort())
        self.model["session"].value = int.from_bytes(SESSION, "little")
        self.model["address"].value, self.model["port"].value = ADDRESS, PORT
        self.model["read"].value = self.model["read_advance"].value = 1
        self.counts: Counter[str] = Counter()
        self.packets: list[tuple[dict[str, int], int]] = []

    def step(self) -> None:
        model = self.model
        model.settle()
        for name in ("packets", "packets_dropped", *COUNTERS):
            self.counts[name] += model[f"count_{name}"].value
        if model["packet__valid"].value and model["packet__ready"].value:
            self.packets.append((fields(Packet, model["packet__payload"].value), model.cycles))
        model.step()

    def send(self, content: bytes, stamp: int, seed: random.Random | None = None) -> int:
        """A frame, with holes between its beats if there is a seed; the cycle of its last beat."""
        model, cycle = self.model, 0
        for n, beat in enumerate(beats(content)):
            while seed is not None and seed.random() < 0.2:
                model["i__valid"].value, model["i__payload"].value = 0, seed.randrange(1 << 69)
                self.step()
            model["i__valid"].value, model["i__payload"].value = 1, beat
            model["stamp"].value = stamp + (n > 0)  # only the first beat's counts
            cycle = model.cycles
            self.step()
        model["i__valid"].value = 0
        return cycle

    def settle(self) -> None:
        for _ in range(100):
            if not self.model["busy"].value:
                return
            self.step()
        raise AssertionError("the port is busy for ever")

    def messages(self, of: dict[str, int]) -> list[dict[str, int]]:
        found = []
        for number in range(of["count"]):
            self.model["read_buffer"].value, self.model["read_number"].value = of["buffer"], number
            self.step()
            self.step()
            found.append(fields(Stored, self.model["message"].value))
        return found

    def give_back(self, of: dict[str, int]) -> None:
        if 0 < of["count"] < 0xFFFF:
            self.model["give_back"].value, self.model["give_back_buffer"].value = 1, of["buffer"]
            self.step()
            self.model["give_back"].value = 0


@pytest.fixture
def port() -> PortModel:
    return PortModel()


class Judge:
    """The engine's ingest, set up like the port."""

    def __init__(self) -> None:
        self.state = create(symbols=1, levels=64, orders=64)
        core = self.core = self.state.core[0]
        core["address_a"], core["port_a"] = ADDRESS, PORT
        core["session_head"], core["session_tail"] = int.from_bytes(SESSION[:8], "big"), int.from_bytes(SESSION[8:], "big")

    def judge(self, content: bytes) -> tuple[dict[str, int], bytes | None]:
        """Counters that went up, and the payload of a good packet."""
        core, before = self.core, self.core["counters"].copy()
        buffer = np.frombuffer(content + bytes(8), np.uint8)
        good = ingest(self.state.core[0], buffer, 0, len(content), Port.FEED_A.value)
        counted = {
            name.replace("packets_a", "packets"): int(after - old)
            for name, after, old in zip(NAMES, core["counters"], before, strict=True)
            if after != old
        }
        at, length = int(core["frame"][0]), int(core["frame"][1])
        return counted, content[at : at + length] if good else None


def messages_of(payload: bytes) -> list[bytes]:
    found, at = [], 20
    while at < len(payload):
        length = int.from_bytes(payload[at : at + 2], "big")
        found.append(payload[at + 2 : at + 2 + length])
        at += 2 + length
    return found


def check(found: tuple[dict[str, int], int], payload: bytes, stamp: int, messages: list[dict[str, int]]) -> None:
    header, _ = found
    sequence, count = (int.from_bytes(payload[a:b], "big") for a, b in ((10, 18), (18, 20)))
    assert (header["stamp"], header["sequence"], header["count"]) == (stamp, sequence, count)
    expected = [stored(message) for message in messages_of(payload)]
    for got, wanted in zip(messages, expected, strict=True):
        assert {name: got[name] for name in wanted} == wanted


@pytest.mark.fuzz
@pytest.mark.parametrize("holes", [True, False])
def test_every_frame_is_judged_as_the_engine_judges_it(port: PortModel, holes: bool) -> None:
    seed, judge = random.Random(1 + holes), Judge()
    port.model["packet__ready"].value = 1
    kinds: Counter[str] = Counter()
    for number in range(3000):
        content = random_frame(seed) or b"\0"
        expected, payload = judge.judge(content)
        kinds.update(expected)
        port.counts.clear()
        port.packets.clear()
        last = port.send(content, number << 20, seed if holes else None)
        port.settle()
        assert {name: count for name, count in port.counts.items() if count} == expected, content.hex()
        assert len(port.packets) == (payload is not None)
        if payload is not None:
            assert port.packets[0][1] - last == LATENCY
            found = port.packets[0]
            carried = found[0] if found[0]["count"] < 0xFFFF else found[0] | {"count": 0}
            check(found, payload, number << 20, port.messages(carried))
            port.give_back(found[0])
    assert all(kinds[name] > 10 for name in ("packets", *COUNTERS)), kinds


def test_what_a_cut_frame_began_does_not_go_on_in_the_next(port: PortModel) -> None:
    seed, judge = random.Random(3), Judge()
    port.model["packet__ready"].value = 1
    for first in range(8):
        messages = [seed.randbytes(12 + first), *(seed.randbytes(seed.randrange(12, 45)) for _ in range(5))]
        payload = packet(7, messages)
        good = frame(payload)
        for cut in range(60, len(good)):
            counted, whole = judge.judge(good[:cut])
            assert whole is None
            assert "truncated" in counted
            port.packets.clear()
            port.send(good[:cut], 0)
            port.send(good, 5 << 20)  # without a gap
            port.settle()
            (found,) = port.packets
            check(found, payload, 5 << 20, port.messages(found[0]))
            port.give_back(found[0])
