"""Several writers at one port: every burst whole, each writer's in order, every response to its writer, nobody starved."""

from __future__ import annotations

import gc
import random
import warnings
from collections import deque

import pytest
from amaranth.hdl import UnusedElaboratable

from hw.host.write_arbiter import WriteArbiter
from tests.hw.host_benches.memory import WriteMemory
from tests.hw.verilated import Model

pytestmark = [pytest.mark.gateware, pytest.mark.twin]

PORTS = 3


@pytest.fixture(scope="module")
def model() -> Model:
    return Model(WriteArbiter(PORTS))


class Writer:
    """Bursts of random lengths: the address before, with or after the data, as it likes."""

    def __init__(self, model: Model, number: int, rng: random.Random, eager: float):
        self.number, self.rng, self.eager = number, rng, eager
        self.port = {name: model[f"i__{number}__{name}"] for name in (
            "awaddr", "awlen", "awvalid", "awready", "wdata", "wstrb", "wlast", "wvalid", "wready", "bready", "bvalid", "bresp"
        )}  # fmt: skip
        self.port["bready"].value, self.port["wstrb"].value = 1, 0xFF
        self.addresses: deque[tuple[int, int]] = deque()
        self.words: deque[tuple[int, int]] = deque()
        self.bursts, self.answers, self.bad, self.waited, self.longest = 0, 0, 0, 0, 0

    def drive(self, more: bool) -> None:
        rng, port = self.rng, self.port
        if more and len(self.addresses) < 2 and rng.random() < self.eager:
            length = rng.choice([1, 1, 2, 8, 8, 16])
            # An address tells the writer and the number of its burst.
            self.addresses.append((self.number << 40 | self.bursts << 12, length))
            self.words.extend((self.number << 56 | self.bursts << 8 | n, n == length - 1) for n in range(length))
            self.bursts += 1
        if not port["awvalid"].value and self.addresses:
            port["awvalid"].value = 1
            port["awaddr"].value, port["awlen"].value = self.addresses[0][0], self.addresses[0][1] - 1
        if not port["wvalid"].value and self.words and rng.random() < 0.7:
            port["wvalid"].value = 1
            port["wdata"].value, port["wlast"].value = self.words[0]

    def sample(self) -> None:
        port = self.port
        self.taken = [name for name in ("aw", "w") if port[f"{name}valid"].value and port[f"{name}ready"].value]
        self.waited = 0 if "aw" in self.taken else self.waited + port["awvalid"].value
        self.longest = max(self.longest, self.waited)
        if port["bvalid"].value:
            self.answers += 1
            self.bad += port["bresp"].value >> 1

    def after(self) -> None:
        if "aw" in self.taken:
            self.addresses.popleft()
            self.port["awvalid"].value = 0
        if "w" in self.taken:
            self.words.popleft()
            self.port["wvalid"].value = 0


@pytest.mark.parametrize("pace", [1.0, 0.6, 0.2])
@pytest.mark.parametrize("eager", [(1.0, 1.0, 1.0), (1.0, 0.01, 0.01), (0.05, 0.05, 0.05)])
def test_bursts_come_whole_and_answers_go_home(model, seed, pace, eager):
    rng = random.Random(seed)
    landed: dict[int, list[int]] = {number: [] for number in range(PORTS)}
    spoilt: set[int] = set()

    def land(address: int, word: int) -> None:
        number, burst = address >> 40, address >> 12 & 0xFFFFFFF
        assert word == number << 56 | burst << 8 | (address & 0xFFF) // 8
        landed[number].append(word)

    def refuse(address: int) -> bool:
        bad = rng.random() < 0.05
        if bad:
            spoilt.add(address)
        return bad

    memory = WriteMemory(model, "o", rng, land, early=lambda _: True, refuse=refuse, pace=pace)
    writers = [Writer(model, number, rng, each) for number, each in enumerate(eager)]
    for cycle in range(12_000):
        more = cycle < 10_000
        for each in writers:
            each.drive(more)
        memory.drive()
        model.settle()
        memory.sample()
        for each in writers:
            each.sample()
        model.step()
        for each in writers:
            each.after()
        if not more and memory.under_way == 0 and not any(each.words for each in writers):
            break
    for _ in range(3):
        memory.drive()
        model.settle()
        memory.sample()
        for each in writers:
            each.sample()
        model.step()
    assert sum(each.bursts for each in writers) == memory.bursts > 50
    for each in writers:
        assert each.answers == each.bursts
        assert each.bad == sum(1 for address in spoilt if address >> 40 == each.number)
        assert landed[each.number] == sorted(landed[each.number])
    if pace == 1.0:
        # One burst of each other writer, with the writers' own pauses, and not more.
        assert all(each.longest < 3 * 16 / 0.5 for each in writers)


@pytest.mark.parametrize("ports", [1, 5])
def test_an_impossible_number_of_writers_is_refused(ports):
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", UnusedElaboratable)
        with pytest.raises(ValueError, match=f"ports is {ports}"):
            WriteArbiter(ports)
        gc.collect()
