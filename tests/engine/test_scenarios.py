"""Scenarios that any device must pass, on the engine."""

import pytest

from engine.path import Engine
from tests.scenarios import commands, ingest, ouch50, session
from tests.scenarios.build import Scenario, run

SCENARIOS = [*ingest.SCENARIOS, *session.SCENARIOS, *commands.SCENARIOS, *ouch50.SCENARIOS]


@pytest.mark.parametrize("scenario", SCENARIOS, ids=lambda scenario: scenario.name)
def test_scenario(scenario: Scenario) -> None:
    scenario.check(run(Engine(scenario.symbols, scenario.levels, scenario.orders), scenario.script))


def test_names_are_unique() -> None:
    names = [scenario.name for scenario in SCENARIOS]
    assert len(set(names)) == len(names)
