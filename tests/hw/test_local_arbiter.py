"""The frame arbiter: whole frames, in order, by priority, and how long each input waits."""

from __future__ import annotations

import gc
import random
import warnings
from collections import deque

import pytest
from amaranth.hdl import UnusedElaboratable

from hw.formal import assert_formal, check
from hw.formal.frames import FramesStayWhole
from hw.net.local.arbiter import FrameArbiter
from tests.hw.verilated import Model

pytestmark = [pytest.mark.gateware, pytest.mark.twin]

INPUTS = 3


def payloads(source: int, number: int, beats: int, count: int) -> list[int]:
    """A frame whose every beat says whose it is."""
    return [
        source | number << 8 | n << 40 | (n == beats - 1) << 64 | (count if n == beats - 1 else 8) << 65
        for n in range(beats)
    ]


class Line:
    """An arbiter with queues of frames at its inputs; ``out`` has (cycle, payload) of what was taken from it."""

    def __init__(self, seed: int):
        self.model, self.seed = Model(FrameArbiter(INPUTS)), random.Random(seed)
        self.queues: list[deque[int]] = [deque() for _ in range(INPUTS)]
        self.inside = [False] * INPUTS
        self.shares = [1.0] * INPUTS  # of the cycles between frames in which an input begins the next
        self.ready = 1.0
        self.out: list[tuple[int, int]] = []
        self.offered: list[list[bool]] = []
        self.now = 0

    def cycle(self) -> None:
        model, offered = self.model, []
        for n, queue in enumerate(self.queues):
            valid = model[f"i__{n}__valid"]
            if not valid.value and queue:
                valid.value = self.inside[n] or self.seed.random() < self.shares[n]
            if valid.value:
                model[f"i__{n}__payload"].value = queue[0]
            offered.append(bool(valid.value))
        model["o__ready"].value = self.seed.random() < self.ready
        model.settle()
        taken = [n for n in range(INPUTS) if model[f"i__{n}__valid"].value and model[f"i__{n}__ready"].value]
        leaves = model["o__valid"].value and model["o__ready"].value
        assert len(taken) == leaves
        if leaves:
            payload = model["o__payload"].value
            (source,) = taken
            assert payload == self.queues[source].popleft()
            self.out.append((self.now, payload))
            self.inside[source] = not payload >> 64 & 1
        self.offered.append(offered)
        model.step()
        for n in taken:
            model[f"i__{n}__valid"].value = self.inside[n]  # a frame goes on without a hole
        self.now += 1


def frames(out: list[tuple[int, int]]) -> list[tuple[int, list[int]]]:
    """First cycle and beats of each frame on the line."""
    found: list[tuple[int, list[int]]] = []
    ended = True
    for cycle, payload in out:
        if ended:
            found.append((cycle, []))
        found[-1][1].append(payload)
        ended = bool(payload >> 64 & 1)
    assert ended
    return found


@pytest.mark.fuzz
@pytest.mark.parametrize("ready", [1.0, 0.5])
@pytest.mark.parametrize("busy", [0.02, 0.2, 1.0])
def test_frames_are_whole_and_in_order_and_the_higher_goes_first(ready, busy):
    line = Line(seed=7)
    line.ready, line.shares = ready, [busy / 4, busy / 2, busy]
    seed = random.Random(5)
    given = [
        [payloads(n, number, seed.choice((1, 1, 2, 3, 8, 24)), seed.randrange(1, 9)) for number in range(120)]
        for n in range(INPUTS)
    ]
    for n, list_of in enumerate(given):
        line.queues[n].extend(payload for frame in list_of for payload in frame)
    while any(line.queues):
        line.cycle()
    got = frames(line.out)
    for n in range(INPUTS):
        assert [beats for _, beats in got if beats[0] & 0xFF == n] == given[n]
    assert len(got) == 3 * 120
    # Who is let in is decided a cycle before: a higher one was not there then.
    appeared = {}
    ends = -1
    for (begun, beats), (end, _) in zip(got, [p for p in line.out if p[1] >> 64 & 1], strict=True):
        source = beats[0] & 0xFF
        decided = next(t for t in range(ends + 1, begun + 1) if line.offered[t][source])
        appeared[source] = appeared.get(source, 0) + 1
        for higher in range(source):
            assert not line.offered[max(decided, ends + 1)][higher], (begun, source)
        ends = end
    assert set(appeared) == {0, 1, 2}


def test_an_idle_line_takes_the_first_input_at_once_and_the_others_a_cycle_later():
    for source, latency in ((0, 0), (1, 1), (2, 1)):
        line = Line(seed=1)
        for _ in range(5):
            line.cycle()
        line.queues[source].extend(payloads(source, 0, 4, 8))
        start = line.now
        for _ in range(10):
            line.cycle()
        assert [cycle - start for cycle, _ in line.out] == [latency + n for n in range(4)]


def test_the_first_input_waits_for_no_more_than_the_frame_that_has_begun():
    line = Line(seed=1)
    line.queues[1].extend(p for number in range(4) for p in payloads(1, number, 190, 8))
    for _ in range(3):
        line.cycle()
    line.queues[0].extend(payloads(0, 0, 8, 8))
    came = line.now
    while line.queues[0]:
        line.cycle()
    (first, _), (order, _) = frames(line.out)
    assert (first, order) == (1, 191)  # back in the cycle after the last beat
    assert order - came <= 190


def test_lower_inputs_wait_as_long_as_the_first_has_frames():
    line = Line(seed=1)
    line.queues[0].extend(p for number in range(50) for p in payloads(0, number, 3, 8))
    line.queues[2].extend(payloads(2, 0, 3, 8))
    while any(line.queues):
        line.cycle()
    assert [beats[0] & 0xFF for _, beats in frames(line.out)] == [0] * 50 + [2]
    assert line.out[149][0] == 149  # and the first has no cycle between its frames


@pytest.mark.timeout(600)
def test_frames_stay_whole_is_proved():
    assert_formal(FramesStayWhole(), depth=4)


@pytest.mark.timeout(600)
@pytest.mark.parametrize("mutation", ["last", "ready", "priority"])
def test_the_proof_catches(mutation):
    assert check(FramesStayWhole(mutation), depth=4).holds is False


@pytest.mark.parametrize("inputs", [1, 9])
def test_the_number_of_inputs_is_checked(inputs):
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", UnusedElaboratable)
        with pytest.raises(ValueError, match=f"not {inputs}"):
            FrameArbiter(inputs)
        gc.collect()
