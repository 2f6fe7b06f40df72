"""A host's memory on AXI, cycle by cycle, for tests/hw/verilated.py: it takes the channels in any order, answers late, and
answers writers in another order than they came, but for those of one identifier.
"""

from __future__ import annotations

import random
from collections import defaultdict, deque
from collections.abc import Callable, Iterator

from tests.hw.verilated import Model

PAGE = 4096
ERRORS = (2, 3)  # SLVERR, DECERR


class Channel:
    """What a manager must keep to on a channel: once offered, a payload stays as it is until it is taken."""

    def __init__(self, model: Model, prefix: str, valid: str, ready: str, names: tuple[str, ...]):
        self._valid, self._ready = model[f"{prefix}__{valid}"], model[f"{prefix}__{ready}"]
        self._payload = [model[f"{prefix}__{name}"] for name in names]
        self._offered: list[int] | None = None

    def ready(self, value: bool) -> None:
        self._ready.value = value

    def taken(self) -> list[int] | None:
        """The payload, if it moves in this cycle."""
        payload = [each.value for each in self._payload] if self._valid.value else None
        assert self._offered in (None, payload), f"{self._offered} was withdrawn, now {payload}"
        moves = payload is not None and self._ready.value
        self._offered = None if moves else payload
        return payload if moves else None


class WriteMemory:
    """The write channels.

    ``land`` is told of every word that reaches memory: for data as late as the protocol allows, with the response, for what
    ``early`` picks out as early, with its last beat. ``refuse`` says which bursts are answered with an error, and do not land.
    """

    def __init__(
        self,
        model: Model,
        prefix: str,
        rng: random.Random,
        land: Callable[[int, int], None],
        *,
        early: Callable[[int], bool] = lambda address: False,
        refuse: Callable[[int], bool] = lambda address: False,
        identified: bool = True,
        pace: float = 0.7,
        delay: int = 30,
    ):
        self._rng, self._land, self._early, self._refuse = rng, land, early, refuse
        self._identified, self.pace, self.delay = identified, pace, delay
        names = ("awaddr", "awlen", "awsize", "awburst", *(("awid",) if identified else ()))
        self._address = Channel(model, prefix, "awvalid", "awready", names)
        self._data = Channel(model, prefix, "wvalid", "wready", ("wdata", "wstrb", "wlast"))
        self._model, self._prefix = model, prefix
        self._addresses: deque[tuple[int, int, int]] = deque()
        self._words: list[int] = []
        self._whole: deque[list[int]] = deque()
        self._answers: dict[int, deque[tuple[int, int, list[tuple[int, int]]]]] = defaultdict(deque)
        self.now, self.bursts, self.errors, self.most = 0, 0, 0, 0

    @property
    def under_way(self) -> int:
        return len(self._addresses) + len(self._whole) + sum(map(len, self._answers.values()))

    def drive(self) -> None:
        """What the subordinate puts on its outputs in this cycle."""
        rng, model, prefix = self._rng, self._model, self._prefix
        self._address.ready(rng.random() < self.pace)
        self._data.ready(rng.random() < self.pace)
        self._answer = None
        due = [number for number, queue in self._answers.items() if queue and queue[0][0] <= self.now]
        if due and rng.random() < self.pace:
            self._answer = number = rng.choice(due)
            _, response, words = self._answers[number].popleft()
            if self._identified:
                model[f"{prefix}__bid"].value = number
            model[f"{prefix}__bresp"].value = response
            for address, word in words:
                self._land(address, word)
        model[f"{prefix}__bvalid"].value = self._answer is not None

    def sample(self) -> None:
        """What moved in this cycle."""
        assert self._model[f"{self._prefix}__bready"].value or self._answer is None
        if (taken := self._address.taken()) is not None:
            address, length, size, burst, *number = taken
            assert size == 3
            assert burst == 1
            assert address % 8 == 0
            assert address % PAGE + 8 * (length + 1) <= PAGE, f"{address:#x} + {length + 1} beats crosses 4 KiB"
            self._addresses.append((address, length + 1, number[0] if number else 0))
        if (taken := self._data.taken()) is not None:
            word, strobes, last = taken
            assert strobes == 0xFF
            self._words.append(word)
            if last:
                self._whole.append(self._words)
                self._words = []
        while self._whole and self._addresses:
            self._finish(*self._addresses.popleft(), self._whole.popleft())
        self.most = max(self.most, self.under_way)
        self.now += 1

    def _finish(self, address: int, length: int, number: int, words: list[int]) -> None:
        assert len(words) == length, f"{len(words)} beats for a burst of {length}"
        self.bursts += 1
        late, response = [(address + 8 * n, word) for n, word in enumerate(words)], self._rng.choice((0, 1))
        if self._refuse(address):
            late, response = [], self._rng.choice(ERRORS)
            self.errors += 1
        elif self._early(address):
            for each in late:
                self._land(*each)
            late = []
        self._answers[number].append((self.now + 1 + self._rng.randrange(self.delay + 1), response, late))


class ReadMemory:
    """The read channels: words come in order, late and with holes. ``look`` is asked when a word goes out."""

    def __init__(
        self,
        model: Model,
        prefix: str,
        rng: random.Random,
        look: Callable[[int], int],
        *,
        refuse: Callable[[int], bool] = lambda address: False,
        pace: float = 0.7,
        delay: int = 30,
    ):
        self._rng, self._look, self._refuse, self.pace, self.delay = rng, look, refuse, pace, delay
        self._address = Channel(model, prefix, "arvalid", "arready", ("araddr", "arlen", "arsize", "arburst"))
        self._model, self._prefix = model, prefix
        self._queue: deque[tuple[int, Iterator[tuple[int, bool]]]] = deque()
        self.now, self.bursts, self.errors = 0, 0, 0

    @property
    def under_way(self) -> int:
        return len(self._queue)

    def drive(self) -> None:
        model, prefix = self._model, self._prefix
        self._address.ready(self._rng.random() < self.pace)
        going = bool(self._queue) and self._queue[0][0] <= self.now and self._rng.random() < self.pace
        model[f"{prefix}__rvalid"].value = going
        if not going:
            return
        address, last = next(self._queue[0][1])
        bad = self._refuse(address)
        self.errors += bad
        model[f"{prefix}__rdata"].value = self._rng.getrandbits(64) if bad else self._look(address)
        model[f"{prefix}__rresp"].value = self._rng.choice(ERRORS) if bad else 0
        model[f"{prefix}__rlast"].value = last
        if last:
            self._queue.popleft()

    def sample(self) -> None:
        assert self._model[f"{self._prefix}__rready"].value
        if (taken := self._address.taken()) is not None:
            address, length, size, burst = taken
            assert size == 3
            assert burst == 1
            assert address % PAGE + 8 * (length + 1) <= PAGE, f"{address:#x} + {length + 1} beats crosses 4 KiB"
            words = iter([(address + 8 * n, n == length) for n in range(length + 1)])
            self._queue.append((self.now + 1 + self._rng.randrange(self.delay + 1), words))
            self.bursts += 1
        self.now += 1
