"""Clockwork, lines and plans of the small world."""

from __future__ import annotations

import random
from collections import Counter

import pytest

from sim.faults.clockwork import Clockwork, Life
from sim.faults.network import Line, Stream
from sim.faults.plan import Kind, plan

MS = 1_000_000


class End:
    def __init__(self) -> None:
        self.data, self.losses = b"", 0

    def received(self, data: bytes) -> None:
        self.data += data

    def lost(self) -> None:
        self.losses += 1


def _stream(seed: int = 1) -> tuple[Clockwork, Stream, End, End]:
    clockwork = Clockwork(0)
    stream = Stream(clockwork, random.Random(seed))
    ends = End(), End()
    for side, end in enumerate(ends):
        stream.attach(side, end)
    return clockwork, stream, *ends


def test_calls_come_in_their_order_and_those_of_an_ended_life_not_at_all() -> None:
    clockwork, life, seen = Clockwork(10), Life("x"), list[str]()
    for time, name in ((30, "c"), (20, "a"), (20, "b")):
        clockwork.at(time, seen.append, name)
    clockwork.at(25, seen.append, "never", life=life)
    clockwork.at(21, life.end)
    clockwork.every(15, lambda: seen.append(f"every {clockwork.now}"), life=None)
    clockwork.run(41)
    assert seen == ["a", "b", "every 25", "c", "every 40"]
    assert (clockwork.now, clockwork.steps) == (41, 6)


def test_a_stream_keeps_bytes_in_order_whatever_their_way_takes() -> None:
    clockwork, stream, client, server = _stream()
    sent = bytes(range(200))
    for byte in sent:
        stream.send(0, bytes([byte]))
        clockwork.run(clockwork.now + 7_000)
    stream.close(0)
    clockwork.run(clockwork.now + MS)
    assert server.data == sent
    assert (server.losses, client.losses) == (1, 0)


def test_a_stream_that_is_cut_loses_what_is_on_its_way_and_both_are_told() -> None:
    clockwork, stream, client, server = _stream()
    stream.send(0, b"first")
    clockwork.run(MS)
    stream.send(0, b"second")
    stream.cut()
    stream.send(1, b"third")
    clockwork.run(10 * MS)
    assert (server.data, client.data) == (b"first", b"")
    assert (server.losses, client.losses) == (1, 1)


def test_nobody_is_told_of_a_half_open_stream() -> None:
    clockwork, stream, client, server = _stream()
    stream.is_half_open = True
    stream.send(0, b"lost")
    stream.close(0)
    clockwork.run(10 * MS)
    assert server.data == b""
    assert (server.losses, client.losses) == (0, 0)


@pytest.mark.parametrize(
    ("name", "count"), [("loss", "packets lost"), ("duplication", "packets duplicated"), ("corruption", "packets corrupted")]
)
def test_a_line_does_to_packets_what_its_weather_says(name: str, count: str) -> None:
    clockwork, counts, came = Clockwork(0), Counter[str](), list[bytes]()
    line = Line(clockwork, random.Random(4), came.append, counts)
    setattr(line.weather, name, 0.25)
    sent = [2 * number.to_bytes(4, "big") for number in range(1_000)]
    for payload in sent:
        line.send(payload)
    clockwork.run(100 * MS)
    assert 180 < counts[count] < 320
    assert len(came) == 1_000 + {"loss": -1, "duplication": 1, "corruption": 0}[name] * counts[count]
    assert len(set(sent) - set(came)) == (0 if name == "duplication" else counts[count])


def test_packets_keep_their_order_unless_they_are_reordered() -> None:
    for reordering in (0.0, 0.2):
        clockwork, counts, came = Clockwork(0), Counter[str](), list[bytes]()
        line = Line(clockwork, random.Random(4), came.append, counts)
        line.weather.reordering = reordering
        for number in range(500):
            line.send(number.to_bytes(4, "big"))
            clockwork.run(clockwork.now + 10_000)
        clockwork.run(100 * MS)
        assert (came == sorted(came)) == (reordering == 0.0)
        assert len(came) == 500


def test_a_plan_is_its_seeds_and_what_stays_comes_once() -> None:
    plans = [plan(random.Random(seed), 100 * MS, 900 * MS, 40) for seed in (1, 1, 2)]
    assert plans[0] == plans[1] != plans[2]
    for faults in plans:
        assert all(100 * MS <= fault.at < 900 * MS for fault in faults)
        assert faults == sorted(faults, key=lambda fault: fault.at)
        for kind in (Kind.DISK, Kind.CARD, Kind.MACHINE):
            assert sum(fault.kind is kind for fault in faults) <= 1
