"""Ingest against the compiled parsers of ``wire`` and ``engine``, frame by frame, counters and buffers
included."""

from __future__ import annotations

import random
from collections import Counter

import numpy as np
import pytest

from engine.ingest import ingest as engine_ingest
from engine.state import create
from hw.net.ingest import COUNTERS, Ingest
from tests.hw.frames import ADDRESS, PORT, SESSION, random_frame
from tests.hw.verilated import Model
from wire.counters import COUNTERS as NAMES
from wire.records import Port

pytestmark = pytest.mark.gateware


@pytest.fixture(scope="module")
def model() -> Model:
    model = Model(Ingest())
    model["session"].value = int.from_bytes(SESSION, "little")
    model["address"].value, model["port"].value = ADDRESS, PORT
    model["packet__ready"].value = 0
    return model


def beats(data: bytes) -> list[int]:
    """Payloads of the stream that carries ``data``."""
    pieces = [data[n : n + 8] for n in range(0, max(len(data), 1), 8)]
    last = len(pieces) - 1
    return [int.from_bytes(piece, "little") | (n == last) << 64 | len(piece) << 65 for n, piece in enumerate(pieces)]


def send(model: Model, data: bytes, stamp: int, seed: random.Random, counts: Counter[str]) -> tuple[int, bytes] | None:
    """Hands a frame in, with holes between its beats; the packet that comes out, if one does, as payload and
    blocks."""
    waiting = beats(data)
    found = None
    idle = 0
    model["stamp"].value = stamp
    while idle < 40:
        model["i__valid"].value = bool(waiting) and seed.random() < 0.8
        if waiting:
            model["i__payload"].value = waiting[0]
        model.settle()
        for name in ("packets", *COUNTERS):
            counts[name] += model[f"count_{name}"].value
        taken = model["i__valid"].value and model["i__ready"].value
        offered = model["packet__valid"].value
        model.step()
        if taken:
            waiting.pop(0)
            model["stamp"].value = stamp + 1  # only the first beat's counts
        idle = idle + 1 if not waiting else 0
        if offered:
            found = model["packet__payload"].value
            length = found >> 144
            words = b""
            for word in range(-(-length // 8)):
                model["read_word"].value = word
                model.step()
                words += model["read_data"].value.to_bytes(8, "little")
            model["packet__ready"].value = 1
            model.step()
            model["packet__ready"].value = 0
            found = found & ((1 << 144) - 1), words[:length]
    assert not model["busy"].value
    return found


@pytest.mark.fuzz
def test_every_frame_is_judged_as_the_engine_judges_it(model):
    seed = random.Random(1)
    state = create(symbols=1, levels=64, orders=64)
    core = state.core[0]
    core["address_a"], core["port_a"] = ADDRESS, PORT
    core["session_head"], core["session_tail"] = int.from_bytes(SESSION[:8], "big"), int.from_bytes(SESSION[8:], "big")
    counts: Counter[str] = Counter()
    kinds: Counter[str] = Counter()
    for number in range(3000):
        data = random_frame(seed)
        model["filling"].value = model["read_buffer"].value = number % 5
        before = core["counters"].copy()
        good = engine_ingest(state.core[0], np.frombuffer(data + bytes(8), np.uint8), 0, len(data), Port.FEED_A.value)
        counts.clear()
        found = send(model, data, number << 20, seed, counts)
        expected = {
            name.replace("packets_a", "packets"): int(after - old)
            for name, after, old in zip(NAMES, core["counters"], before, strict=True)
            if after != old
        }
        kinds.update(expected)
        assert {name: count for name, count in counts.items() if count} == expected, data.hex()
        assert (found is not None) == good
        if found is not None:
            at, length = int(core["frame"][0]), int(core["frame"][1])
            payload = data[at : at + length]
            header, blocks = found
            assert blocks == payload[20:]
            sequence, count = (int.from_bytes(payload[a:b], "big") for a, b in ((10, 18), (18, 20)))
            assert header == number << 20 | sequence << 64 | count << 128
    assert all(kinds[name] > 10 for name in ("packets", *COUNTERS)), kinds
