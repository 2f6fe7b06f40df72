"""Engine and twin over whole sessions made from seeds, with a network that loses and an exchange that surprises."""

import struct

import numpy as np
import pytest

from drivers.settings import SymbolSetup
from sim.sources.flow import FlowConfig, flow
from tests.parity.differences import packets
from tests.parity.oddities import disturbed
from tests.parity.stimulus import Config, record
from wire import ouch50
from wire.records import OuchVersion

pytestmark = [pytest.mark.parity, pytest.mark.twin, pytest.mark.gateware]

SIZES = {"symbols": 16, "levels": 4096, "orders": 16384}  # the profile `twin`, so that one model does for all
MESSAGES = 5_000


def setups(tape, levels, tick=100):
    """A ladder for every stock of a tape, around the first price of each."""
    first = {}
    for message in tape:
        if message[:1] in b"AF":
            locate, price = struct.unpack_from(">H", message, 1)[0], struct.unpack_from(">I", message, 32)[0]
            first.setdefault(locate, price)
    return {
        symbol: SymbolSetup(
            stock=each.stock,
            stock_locate=each.stock_locate,
            base_price=max(0, first[each.stock_locate] // tick - levels // 2) * tick,
            tick=tick,
        )
        for symbol, each in enumerate(tape.listings())
    }


def ouch_of(seed):
    return OuchVersion.V5_0 if seed % 5 in {1, 3} else OuchVersion.V4_2


def session(seed):
    """The recorded inputs of one seed. Every fourth has ladders so narrow that prices leave them, every third a
    tape with messages in it that make no sense; two of five are in OUCH 5.0.
    """
    tape = flow(FlowConfig(seed=seed, messages=MESSAGES, stocks=("AAPL", "MSFT", "AMZN"), levels=1024))
    symbols = setups(tape, SIZES["levels"])
    if seed % 3 == 2:
        tape = disturbed(tape, 0.02, np.random.default_rng([seed, 0x0DD]))
    if seed % 4 == 3:
        symbols = {
            number: SymbolSetup(
                stock=each.stock,
                stock_locate=each.stock_locate,
                base_price=each.base_price + (SIZES["levels"] // 2 - 20) * each.tick,
                tick=each.tick,
            )
            for number, each in symbols.items()
        }
    return record(
        tape, Config(seed=seed, symbols=symbols, levels=SIZES["levels"], strict=seed % 2 == 0, ouch=ouch_of(seed)),
        symbols=SIZES["symbols"], orders=SIZES["orders"],
    )  # fmt: skip


@pytest.mark.parametrize("number", range(20))
def test_a_session_has_one_answer(power_on, number, request):
    seed = 100 * request.config.getoption("seed") + number
    ours, _ = power_on(**SIZES).run(session(seed))
    if ouch_of(seed) is OuchVersion.V5_0:
        orders = [data[3:] for _, _, data in packets(ours) if data[2:4] in {b"UO", b"UU"}]
        references = [ouch50.INBOUND.of(each).unpack(each, exact=False)["user_reference_number"] for each in orders]
        assert references == sorted(set(references))
    assert len(ours.outputs) > 50
    assert len(ours.events) > 500
