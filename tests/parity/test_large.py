"""The profile ``sim_large``: 64 books, room for 512k orders."""

import numpy as np
import pytest

from hw.parameters import PROFILES
from sim.sources.flow import FlowConfig, flow
from tests.parity.stimulus import Config, record
from tests.parity.test_random_sessions import setups

pytestmark = [pytest.mark.parity, pytest.mark.twin, pytest.mark.gateware, pytest.mark.slow]

SIZES = {name: getattr(PROFILES["sim_large"], name) for name in ("symbols", "levels", "orders")}


@pytest.mark.timeout(3600)
def test_sixty_four_books_with_a_hundred_thousand_orders_have_one_answer(power_on):
    stocks = tuple(f"HP{number:02}" for number in range(SIZES["symbols"]))
    tape = flow(FlowConfig(seed=64, messages=40_000, stocks=stocks, orders=1_600, levels=1024))
    config = Config(seed=64, symbols=setups(tape, SIZES["levels"]), levels=SIZES["levels"], common_loss=0.0, host_orders=500)
    recording = record(tape, config, symbols=SIZES["symbols"], orders=SIZES["orders"])
    pair = power_on(**SIZES)
    ours, _ = pair.run(recording)
    counters = pair.software.counters()
    assert counters["order_overflow"] == 0
    assert pair.software.snapshot(depth=1).counters["orders_added"] > 100_000
    assert len(ours.outputs) > 1_000
    assert len(np.unique(ours.events["symbol"])) > SIZES["symbols"]
