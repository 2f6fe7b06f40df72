"""Both feeds at the rate of the wire: nothing is lost, nothing waits, and every message comes once and in order."""

from __future__ import annotations

import random

import pytest
from amaranth.lib import data

from hw.feed import Feed
from hw.items import Item, ItemKind
from tests.hw.frames import SESSION, frame, packet
from tests.hw.front import Fields, item
from tests.hw.verilated import Model
from wire import itch
from wire.records import Opcode, command

pytestmark = [pytest.mark.gateware, pytest.mark.twin]

GAP = 3  # beats: frame check sequence, 12 bytes between frames, preamble
BEHIND = 40  # beats that feed B is behind feed A
LATENCY = 10  # docstring of hw.feed.Feed

COUNTED = ("packets_dropped", "packets_duplicate", "packets_held", "gaps", "messages", "packets_a", "packets_b")


def beats(content: bytes) -> list[int]:
    pieces = [content[n : n + 8] for n in range(0, len(content), 8)]
    return [
        int.from_bytes(piece, "little") | (n == len(pieces) - 1) << 64 | len(piece) << 65 for n, piece in enumerate(pieces)
    ]


def on_the_wire(messages: list[bytes], sizes: list[int]) -> list[int | None]:
    """Beats of a feed, one per cycle; None between frames."""
    out: list[int | None] = []
    at = n = 0
    while at < len(messages):
        part = messages[at : at + sizes[n % len(sizes)]]
        out += [*beats(frame(packet(at + 1, part))), *[None] * GAP]
        at, n = at + len(part), n + 1
    return out


class FeedModel:
    """The feed handler, what goes in per cycle, and the items and counts that come out."""

    def __init__(self, hold_ns: int = 1000) -> None:
        self.model = Model(Feed())
        self.layout = data.Layout.cast(Item)
        self.items: list[tuple[int, Fields]] = []
        self.counts = dict.fromkeys(COUNTED, 0)
        self.model["o__ready"].value = 1
        feed = command(Opcode.SET_FEED, start_sequence=1, hold_ns=hold_ns, session=SESSION.decode())
        self.model["control__payload"].value = item(ItemKind.COMMAND, 1, feed)
        self.model["control__valid"].value = 1
        while True:
            self.model.settle()
            taken = self.model["control__ready"].value
            self.step()
            if taken:
                break
        self.model["control__valid"].value = 0
        for _ in range(20):
            self.step()
        assert [each.kind for _, each in self.items] == [ItemKind.COMMAND.value]
        self.items.clear()

    def step(self) -> None:
        model = self.model
        model.settle()
        if model["o__valid"].value:
            self.items.append((model.cycles, Fields(self.layout, model["o__payload"].value)))
        for name in COUNTED:
            self.counts[name] += model[f"count_{name}"].value
        model.step()

    def run(self, a: list[int | None], b: list[int | None]) -> None:
        model = self.model
        for cycle in range(max(len(a), len(b)) + 200):
            for port, line in (("a", a), ("b", b)):
                beat = line[cycle] if cycle < len(line) else None
                model[f"{port}__valid"].value = beat is not None
                if beat is not None:
                    model[f"{port}__payload"].value = beat
                    model.settle()
                    assert model[f"{port}__ready"].value, "the wire waits"
            model["stamp"].value = cycle + 1
            self.step()


def deletes(count: int) -> list[bytes]:
    return [itch.ORDER_DELETE.pack(stock_locate=7, timestamp=n, order_reference=n * n + 1) for n in range(count)]


@pytest.mark.parametrize(
    ("count", "sizes_a", "sizes_b"),
    [(300, [1], [1]), (3_000, [69], [69]), (1_500, [1, 69, 2, 30], [5]), (2_000, [102], [1, 2, 3])],
)
def test_the_smallest_messages_at_the_rate_of_the_wire(count: int, sizes_a: list[int], sizes_b: list[int]) -> None:
    if max(sizes_a) > 69:  # System Events are smaller still
        messages = [itch.SYSTEM_EVENT.pack(timestamp=n, event_code="O") for n in range(count)]
    else:
        messages = deletes(count)
    feed = FeedModel()
    feed.run(on_the_wire(messages, sizes_a), [*[None] * BEHIND, *on_the_wire(messages, sizes_b)])
    assert [each.cause for _, each in feed.items] == list(range(1, count + 1))
    if max(sizes_a) <= 69:
        assert [each.payload.message.order_reference for _, each in feed.items] == [n * n + 1 for n in range(count)]
    assert feed.counts["messages"] == count
    assert (feed.counts["packets_dropped"], feed.counts["gaps"]) == (0, 0)
    assert feed.counts["packets_a"] > 0
    assert feed.counts["packets_b"] > 0


def test_a_packet_in_sequence_is_played_at_once_and_a_message_per_cycle() -> None:
    seed, feed = random.Random(1), FeedModel()
    sequence = 1
    for size in (1, 1, 2, 69, 1, 30, 5):
        line = [*[None] * seed.randrange(1, 20), *beats(frame(packet(sequence, deletes(size))))]
        begin = feed.model.cycles
        feed.run(line, [])
        first = feed.items[0][0]
        assert first - (begin + len(line) - 1) == LATENCY
        assert [cycle for cycle, _ in feed.items] == list(range(first, first + size))
        feed.items.clear()
        sequence += size


@pytest.mark.parametrize("behind", range(1, 16))
def test_a_duplicate_on_the_heels_of_a_packet_ahead_of_sequence_tells_the_gap(behind: int) -> None:
    feed = FeedModel(hold_ns=0)
    first, ahead = beats(frame(packet(1, deletes(1)))), beats(frame(packet(5, deletes(1))))
    feed.run([*first, *[None] * 100, *ahead], [*[None] * (len(first) + 100 + behind), *first])
    kinds = [each.kind for _, each in feed.items]
    assert kinds.count(ItemKind.GAP.value) == 1
    assert feed.counts["gaps"] == feed.counts["packets_held"] == feed.counts["packets_duplicate"] == 1
