"""A card that has made almost as many orders as OUCH 5.0 has numbers for."""

import pytest

from drivers.card import CardDevice
from drivers.software import SoftwareDevice
from hw.parameters import PROFILES
from sim.twin import Twin, appliance
from tests.parity.conftest import Pair
from tests.parity.differences import packets
from tests.parity.stimulus import Recording
from tests.scenarios.build import Result
from tests.scenarios.ouch50 import EXHAUSTED, STARTED

pytestmark = [pytest.mark.parity, pytest.mark.twin, pytest.mark.gateware]

SIZES = {"symbols": 2, "levels": 64, "orders": 64}
# The number of orders so far, in the Verilog of hw/trader: what a reset makes of it.
LATE = (r"( generation <= )([^\n;]+);", rf"\1rst ? 36'd{STARTED} : \2;")


@pytest.fixture(scope="module")
def late_card():
    from dataclasses import replace

    with Twin(appliance(replace(PROFILES["twin"], **SIZES), patch=LATE)) as twin:
        yield twin


@pytest.mark.parametrize("scenario", EXHAUSTED, ids=lambda scenario: scenario.name)
def test_card_and_engine_come_to_the_end_alike(late_card, scenario):
    late_card.reset()
    pair = Pair(SoftwareDevice(**SIZES), CardDevice(late_card, kind="twin"))
    pair.software._running.state.core["generation"] = STARTED
    _, theirs = pair.run(Recording(*scenario.script.arrays()))
    scenario.check(Result(theirs.events, tuple(data for _, _, data in packets(theirs)), {}))
