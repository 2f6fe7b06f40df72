"""Frames that were changed on the way: engine and card give one answer to every one, and none of them stops the card."""

import numpy as np
import pytest

from drivers import commands
from drivers.settings import Feed
from sim import publisher
from sim.sources.flow import FlowConfig, flow
from tests.parity.mutated import mutated, recording
from tests.parity.test_random_sessions import SIZES, setups

pytestmark = [pytest.mark.parity, pytest.mark.fuzz, pytest.mark.twin, pytest.mark.gateware]

ROUND = 20_000
DROPPED = (
    "not_ipv4", "not_udp", "fragment", "bad_ip_checksum", "bad_udp_checksum", "truncated", "filtered", "oversize",
    "packets_malformed", "packets_other_session",
)  # fmt: skip


def one_round(power_on, seed: int) -> tuple[int, dict[str, int]]:
    """Runs a day of which half the frames come changed first; how many were, and the counters."""
    rng = np.random.default_rng([seed, 0xF0])
    tape = flow(FlowConfig(seed=seed, messages=ROUND, stocks=("AAPL", "MSFT"), levels=256))
    frames, changed = mutated(tape, 1.0, rng)
    where = {"address_a": publisher.FEED_A.address, "port_a": publisher.FEED_A.port, "address_b": publisher.FEED_A.address}
    feed = commands.set_feed(Feed(start_sequence=1, hold_ns=10_000, session=publisher.SESSION, port_b=0, **where))
    symbols = setups(tape, SIZES["levels"])
    setup = [feed, *(commands.set_symbol(number, each, SIZES["levels"]) for number, each in symbols.items())]
    pair = power_on(**SIZES)
    pair.run(recording(frames, setup))
    return changed, pair.software.counters()


def test_changed_frames_have_one_answer(power_on, request):
    changed, counters = one_round(power_on, 1000 + request.config.getoption("seed"))
    assert changed > ROUND // 4
    assert counters["messages"] > ROUND // 2
    assert [name for name in (*DROPPED, "itch_unknown", "itch_bad_length", "packets_held") if counters[name] == 0] == []


@pytest.mark.soak
@pytest.mark.timeout(0)
def test_a_million_changed_frames_have_one_answer(power_on, request, capsys):
    total = number = 0
    while total < 1_000_000:
        changed, _ = one_round(power_on, 10_000 * (1 + request.config.getoption("seed")) + number)
        total, number = total + changed, number + 1
        with capsys.disabled():
            print(f"\r{total:,} changed frames", end="", flush=True)
