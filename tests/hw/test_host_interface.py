"""The whole host interface, as a driver meets it: registers, rings in the host's memory, interrupt, clock, histogram."""

from __future__ import annotations

import pytest

from tests.hw.cocotb_runner import run
from tests.hw.host_benches import interface as bench
from tests.hw.host_benches.tops import InterfaceTop

pytestmark = [pytest.mark.gateware, pytest.mark.twin]


def go(seed: int, *names: str, **chosen: int) -> None:
    run(InterfaceTop(), bench, tests=names, parameters={"seed": seed, **chosen})


def test_the_registers_do_what_their_page_says(seed):
    go(seed, "blocks_say_what_they_are", "wrong_setups_and_clean_stops", "clock", "histogram", "other_causes")


def test_events_and_commands_go_by_the_interrupt_with_pauses_everywhere(seed):
    go(seed, "traffic", events=300)


def test_events_at_full_speed(seed):
    go(seed, "full_speed", events=3000)


def test_an_overrun_is_told_and_recovered_from(seed):
    go(seed, "overrun_and_recovery", turns=6)


def test_errors_on_the_bus_stop_a_ring_and_a_reset_makes_it_whole(seed):
    go(seed, "errors", turns=8)


@pytest.mark.slow
def test_many_thousand_events_and_commands(seed):
    go(seed, "traffic", events=20_000)
    go(seed, "full_speed", events=50_000)
    go(seed, "overrun_and_recovery", turns=60)
    go(seed, "errors", turns=80)
