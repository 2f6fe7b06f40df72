"""OUCH 5.0 beyond the scenarios: names that only rise, and what is done when there are none left."""

import numpy as np
import pytest

from engine.path import Engine
from tests.engine.test_own_orders import OwnOrders
from tests.scenarios.build import Scenario, run
from tests.scenarios.ouch50 import EXHAUSTED, STARTED
from wire import ouch50
from wire.records import OuchVersion


class OwnOrders50(OwnOrders):
    """The same own orders, the same model, in the other protocol."""

    ouch = OuchVersion.V5_0
    last_reference = 0

    def check_packets(self, packets: tuple[bytes, ...]) -> None:
        """UserRefNums of new orders rise; a cancel names one that was."""
        for packet in packets:
            if packet[2:3] != b"U":
                continue
            record = ouch50.INBOUND.of(packet, 3)
            number = record.unpack(packet, 3, exact=False)["user_reference_number"]
            if record is ouch50.CANCEL_ORDER_REQUEST:
                assert number in self.seen
            else:
                assert number > self.last_reference
                self.last_reference = number


TestOwnOrders50 = OwnOrders50.TestCase


@pytest.mark.parametrize("scenario", EXHAUSTED, ids=lambda scenario: scenario.name)
def test_without_a_user_reference_number_left_nothing_leaves_but_cancels(scenario: Scenario) -> None:
    engine = Engine(scenario.symbols, scenario.levels, scenario.orders)
    engine.state.core["generation"] = np.int64(STARTED)
    scenario.check(run(engine, scenario.script))
