"""Every scenario of `tests/scenarios` on engine and twin: one answer, and the one that the scenario demands."""

import importlib
import pkgutil

import numpy as np
import pytest

from tests import scenarios
from tests.parity.differences import counter_difference, first_difference, packets
from tests.scenarios.build import Result
from wire.counters import COUNTERS

pytestmark = [pytest.mark.parity, pytest.mark.twin, pytest.mark.gateware]

SCENARIOS = [
    pytest.param(scenario, id=f"{name}-{scenario.name}")
    for _, name, _ in pkgutil.iter_modules(scenarios.__path__)
    for scenario in getattr(importlib.import_module(f"tests.scenarios.{name}"), "SCENARIOS", [])
]


@pytest.mark.parametrize("scenario", SCENARIOS)
def test_scenario_has_one_answer(power_on, scenario):
    pair = power_on(symbols=scenario.symbols, levels=scenario.levels, orders=scenario.orders)
    inputs, buffer = scenario.script.arrays()
    ours = pair.software.process(inputs, buffer)
    theirs = pair.card.process(inputs, buffer)
    difference = first_difference(inputs, buffer, ours, theirs)
    assert difference is None, f"the answers differ\n{difference}"
    counters = pair.card.counters()
    wrong = counter_difference(pair.software.counters(), counters)
    assert wrong is None, f"the counters differ\n{wrong}"
    sent = tuple(data for _, _, data in packets(theirs))
    scenario.check(Result(theirs.events, sent, {name: counters[name] for name in COUNTERS if counters[name]}))
    assert pair.software.snapshot() == pair.card.snapshot()
    assert np.array_equal(ours.payload, theirs.payload)
