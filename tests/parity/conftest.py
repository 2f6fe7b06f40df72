"""The two devices that parity compares."""

import os
from collections.abc import Callable
from dataclasses import dataclass

import pytest

from drivers.card import CardDevice
from drivers.software import SoftwareDevice
from tests.parity.differences import counter_difference, first_difference
from tests.parity.stimulus import Recording

# A stand-in for the twin, to try the tests themselves: HAIRPIN_PARITY=engine compares the engine with itself.
_ITSELF = os.environ.get("HAIRPIN_PARITY") == "engine"


@dataclass
class Pair:
    """Engine and simulated card of the same sizes, both just powered on."""

    software: SoftwareDevice
    card: CardDevice

    def run(self, recording: Recording, depth: int = 20):
        """Both answers to the same inputs, which must be the same; what is left inside too."""
        ours = self.software.process(recording.inputs, recording.buffer)
        theirs = self.card.process(recording.inputs, recording.buffer)
        difference = first_difference(recording.inputs, recording.buffer, ours, theirs)
        assert difference is None, f"the answers differ\n{difference}"
        wrong = counter_difference(self.software.counters(), self.card.counters())
        assert wrong is None, f"the counters differ\n{wrong}"
        assert self.software.snapshot(depth=depth) == self.card.snapshot(depth=depth)
        assert theirs.events_lost == 0
        return ours, theirs


@pytest.fixture(scope="session")
def _cards():
    """Models that were loaded, by size: one per process, powered off and on in between."""
    loaded = {}
    yield loaded
    for each in loaded.values():
        each.close()


@pytest.fixture
def power_on(_cards) -> Callable[..., Pair]:
    """Makes a `Pair` of given ``symbols``, ``levels`` and ``orders``."""

    def make(**sizes: int) -> Pair:
        key = tuple(sorted(sizes.items()))
        if _ITSELF:
            from tests.drivers.engine_card import EngineCard

            return Pair(SoftwareDevice(**sizes), CardDevice(EngineCard(**sizes)))
        if key not in _cards:
            from sim.twin import power_on

            _cards[key] = power_on(**sizes)
        else:
            _cards[key].reset()
        return Pair(SoftwareDevice(**sizes), CardDevice(_cards[key], kind="twin"))

    return make
