"""The gate refuses for every reason at its limit + 1, and says all reasons at once."""

import pytest

from engine.path import Engine
from tests.scenarios import reasons
from tests.scenarios.build import Scenario, run
from wire.reasons import Reason


@pytest.mark.parametrize("scenario", reasons.SCENARIOS, ids=lambda scenario: scenario.name)
def test_the_mask_has_every_reason_and_no_other(scenario: Scenario) -> None:
    scenario.check(run(Engine(scenario.symbols, scenario.levels, scenario.orders), scenario.script))


def test_every_reason_is_provoked() -> None:
    assert set(reasons.NEW_REASONS) | set(reasons.REPLACE_REASONS) == set(Reason)
