"""Arbitration: every message once and in order, or a gap that is declared; whatever the feeds do.

The reference below is Semantics section 2 written a second time, in plain Python with lists.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from itertools import pairwise

import hypothesis.strategies as st
import numpy as np
from hypothesis import event, example, given

from engine.path import Engine
from tests.scenarios.build import Script, run
from wire import itch
from wire.records import HOLD_SLOTS, EventType, Opcode, Port, TrustCause

LOCATE, LEVELS = 10, 64
HOLD_NS = 1_000


def trade(number: int) -> bytes:
    """A message that shows as a TRADE event, and who it is."""
    return itch.TRADE.pack(stock_locate=LOCATE, side="B", shares=number, stock="ANY", price=1, match_number=number)


@dataclass
class Reference:
    """The arbiter, told by packets (sequence, messages) and ticks; ``said`` is what came out of it."""

    start: int
    said: list[tuple[object, ...]] = field(default_factory=list)
    counts: dict[str, int] = field(default_factory=dict)
    recovering: bool = False
    waiting: bool = False
    wait_since: int = 0
    time: int = 0

    def __post_init__(self) -> None:
        self.expected = self.highest = self.start
        self.joined = self.start != 0
        self.held: list[list[tuple[int, int]]] = [[], [], []]  # sequence, end; in the order of the slots
        self.slots: list[list[tuple[int, int] | None]] = [[None] * HOLD_SLOTS for _ in range(3)]

    def count(self, name: str) -> None:
        self.counts[name] = self.counts.get(name, 0) + 1

    def timer(self, t: int) -> None:
        self.time = t
        if self.waiting and t - self.wait_since >= HOLD_NS:
            self.said.append(("gap", self.expected, self.highest - self.expected, self.recovering))
            if not self.recovering:
                self.count("gaps")
            self.recovering, self.wait_since = True, t

    def packet(self, t: int, port: int, sequence: int, count: int) -> None:
        self.timer(t)
        before = self.expected
        if not self.joined:
            self.joined, self.expected, self.highest = True, sequence, sequence
            self.said.append(("joined",))
        end = sequence + count
        self.highest = max(self.highest, end)
        if count == 0:
            self.count("packets_heartbeat")
        elif end <= self.expected:
            self.count("packets_duplicate")
        elif None in self.slots[port]:
            self.slots[port][self.slots[port].index(None)] = (sequence, end)
            if sequence > self.expected:
                self.count("packets_held")
        else:
            self.count("packets_dropped")
            if sequence <= self.expected:
                self.slots[port][-1] = (sequence, end)
        self.drain(before)

    def drain(self, before: int) -> None:
        while self.play():
            pass
        if self.expected < self.highest:
            if not self.waiting or self.expected != before:
                self.waiting, self.wait_since = True, self.time
            return
        self.waiting = False
        if self.recovering:
            self.recovering = False
            self.said.append(("whole",))

    def play(self) -> bool:
        for slots in self.slots:
            for n, packet in enumerate(slots):
                if packet is None:
                    continue
                sequence, end = packet
                if end <= self.expected:
                    slots[n] = None
                    self.count("packets_duplicate")
                elif sequence <= self.expected:
                    self.said += [("message", number) for number in range(self.expected, end)]
                    self.expected = end
                    slots[n] = None
                    return True
        return False

    def resume(self, t: int, sequence: int) -> None:
        before, self.time = self.expected, t
        self.expected = max(self.expected, sequence)
        self.highest = max(self.highest, self.expected)
        self.recovering = False
        self.said.append(("resumed",))
        self.drain(before)


def configured(start: int) -> Script:
    script = Script().set_symbol(0, LOCATE, base=10_000, tick=100, levels=LEVELS)
    return script.command(Opcode.SET_FEED, start_sequence=start, hold_ns=HOLD_NS)


def said(events: np.ndarray) -> list[tuple[object, ...]]:
    """What a device's events tell of its arbiter."""
    out: list[tuple[object, ...]] = []
    for e in events:
        match EventType(e["type"]), int(e["info"]):
            case EventType.TRADE, _:
                assert e["cause"] == e["value"] == e["quantity"]
                out.append(("message", int(e["cause"])))
            case EventType.GAP, repeat:
                out.append(("gap", int(e["value"]), int(e["quantity"]), bool(repeat)))
            case EventType.TRUST_LOST, TrustCause.JOINED:
                out.append(("joined",))
            case EventType.TRUST_LOST, TrustCause.RESUMED:
                out.append(("resumed",))
            case EventType.TRUST_REGAINED, TrustCause.GAP:
                out.append(("whole",))
            case EventType.TRUST_LOST, TrustCause.GAP:
                assert out[-1][0] == "gap"
                assert not out[-1][3]
    return out


@dataclass(frozen=True)
class Step:
    """Something that happens ``after`` ns: a packet (port, first, count), a tick or a resume (first)."""

    kind: str
    after: int
    port: int = 0
    first: int = 0
    count: int = 0


PACKETS = st.tuples(
    st.sampled_from([1, 2, 3, 4, 9, 0]),  # messages
    st.sampled_from([0, 1, HOLD_NS // 2, HOLD_NS]),  # ns after what came before
    st.sampled_from([1, 1, 1, 1, 0, 2]),  # copies
    st.sampled_from([0, 0, 0, 1.5, 2.5, 7.5]),  # places too late
)


@st.composite
def lossy_feeds(draw: st.DrawFn) -> list[Step]:
    """One row of messages over three ports, each cut its own way, with loss, repeats and wrong order."""
    start, length = draw(st.integers(1, 5)), draw(st.integers(1, 40))
    steps: list[tuple[float, Step]] = []
    for port in range(draw(st.integers(1, 3))):
        cuts = draw(st.lists(PACKETS, max_size=20))
        at, place = start, 0.0
        for count, after, copies, late in cuts:
            step = Step("packet", after, port, at, min(count, start + length - at))
            for _ in range(copies):
                place += 1
                steps.append((place + late, step))
            at += step.count
    for _ in range(draw(st.integers(0, 4))):
        steps.append((draw(st.integers(0, 25)), Step("tick", draw(st.sampled_from([1, HOLD_NS])))))
    for _ in range(draw(st.sampled_from([0, 0, 0, 1]))):
        first = start + draw(st.integers(0, length))
        steps.append((draw(st.integers(0, 25)), Step("resume", 1, first=first)))
    return [step for _, step in sorted(steps, key=lambda pair: pair[0])]


def both(start: int, steps: list[Step]) -> tuple[Reference, list[tuple[object, ...]], dict[str, int]]:
    """What reference and engine say of the same steps."""
    script, reference = configured(start), Reference(start)
    for step in steps:
        script.wait(step.after)
        match step.kind:
            case "packet":
                messages = [trade(number) for number in range(step.first, step.first + step.count)]
                script.packet(step.first, *messages, port=Port(step.port))
                reference.packet(script.now, step.port, step.first, step.count)
            case "tick":
                script.tick()
                reference.timer(script.now)
            case "resume":
                script.command(Opcode.RESUME_FEED, sequence=step.first)
                reference.resume(script.now, step.first)
    result = run(Engine(1, LEVELS, 64), script)
    counts = {k: n for k, n in result.counters.items() if k.startswith("packets_") and k[8:] not in PORTS}
    return reference, said(result.events), counts | ({"gaps": g} if (g := result.counters.get("gaps")) else {})


PORTS = ("a", "b", "recovery")


@given(st.integers(0, 5), lossy_feeds())
@example(1, [Step("packet", 0, 0, 2, 1)] * 6 + [Step("tick", HOLD_NS), Step("tick", HOLD_NS)])
@example(1, [*(Step("packet", 0, 2, first, 2) for first in (3, 5, 7, 9)), Step("packet", 0, 2, 1, 2)])
def test_the_engine_says_what_the_reference_says(start: int, steps: list[Step]) -> None:
    reference, heard, counts = both(start, steps)
    assert heard == reference.said
    assert counts == reference.counts
    kinds = {each[0] for each in heard}
    event(" ".join(sorted(str(k) for k in kinds)))


@given(lossy_feeds())
def test_no_message_twice_none_out_of_order_and_none_missing_without_a_gap(steps: list[Step]) -> None:
    _, heard, _ = both(1, steps)
    expected, gaps = 1, False
    for kind, *rest in heard:
        if kind == "message":
            number = rest[0]
            assert number == expected or gaps, "skipped without a word"
            assert int(str(number)) >= expected
            expected, gaps = int(str(number)) + 1, False
        elif kind == "gap":
            assert rest[0] == expected or gaps
        elif kind == "resumed":
            gaps = True


@given(lossy_feeds())
def test_recovery_fills_every_gap(steps: list[Step]) -> None:
    """Whatever the feeds lost, the re-request server's answers make it whole, and trust comes back."""
    steps = [step for step in steps if step.kind != "resume" and step.port != Port.RECOVERY]
    highest = max((step.first + step.count for step in steps if step.kind == "packet"), default=1)
    for first in range(1, highest, 7):
        steps.append(Step("packet", 1, Port.RECOVERY, first, min(7, highest - first)))
    _, heard, _ = both(1, [*steps, Step("tick", 10 * HOLD_NS)])
    assert [each[1] for each in heard if each[0] == "message"] == list(range(1, highest))
    gaps = [each for each in heard if each[0] in ("gap", "whole")]
    assert not gaps or gaps[-1] == ("whole",)
    assert all(gap[3] for first, gap in pairwise(gaps) if first[0] == gap[0] == "gap")
