"""Engine and twin over real Nasdaq order flow: AMZN on 2012-06-21, the messages of `shared/data`."""

import pytest

from drivers.settings import Feed, SymbolSetup
from sim.sources import itch_file
from tests.lobster import AMZN, BOOKS, after, answered, asked, differences, order_book
from tests.parity.stimulus import Config, Recording, record
from tests.shared_data import shared_data

pytestmark = [pytest.mark.parity, pytest.mark.twin, pytest.mark.gateware]

SIZES = {"symbols": 16, "levels": 4096, "orders": 16384}  # the profile `twin`
SETUP = SymbolSetup(stock="AMZN", stock_locate=1, base_price=2_000_000, tick=100)
DEPTH = 5


def tape(messages):
    return itch_file.read(shared_data(f"itch/{AMZN}.itch.gz"), messages=messages)


@pytest.mark.timeout(3600)
def test_a_hundred_thousand_messages_with_loss_have_one_answer(power_on):
    config = Config(
        seed=2012, symbols={0: SETUP}, tick_ns=250_000_000, common_loss=0.0001, strict=False,
        host_orders=2_000, host_changes=200, odd_frames=1_000, revivals=1_000,
    )  # fmt: skip
    recording = record(tape(101_000), config, symbols=SIZES["symbols"], orders=SIZES["orders"])
    pair = power_on(**SIZES)
    ours, _ = pair.run(recording)
    counters = pair.software.counters()
    assert counters["messages"] >= 100_000
    assert counters["packets_duplicate"] > 0
    assert counters["gaps"] > 0
    assert len(ours.outputs) > 20_000
    assert counters["orders_refused"] > 5_000


@pytest.mark.oracle
@pytest.mark.timeout(3600)
def test_books_equal_lobster_after_fifty_thousand_messages(power_on):
    count = 50_000
    messages = tape(count)
    ends = [end for end in after(AMZN) if end <= count]
    pair = power_on(**SIZES)
    for device in (pair.software, pair.card):
        device.configure_feed(Feed(), at=1)
        device.configure_symbol(0, SETUP)

    recording = Recording(*asked(messages, ends, DEPTH))
    _, twin = pair.run(recording)
    assert differences(answered(twin.events, DEPTH), order_book(BOOKS[AMZN])[: len(ends)]) == []
    assert len(ends) > 40_000
