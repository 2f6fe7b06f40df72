"""Faults of every kind, from seeds: nothing is lost, no limit is broken. `hairpin faults -n 1000` plays more of them."""

from __future__ import annotations

import json
import subprocess
import sys
from typing import Any

import pytest

import control.rehearsal.host
from control.failover.pair import Pair
from control.rehearsal.world import play
from sim.faults.plan import Kind

SEEDS = (3, 6, 9, 14, 105)


@pytest.mark.parametrize("seed", SEEDS)
def test_nothing_is_lost_and_no_limit_broken(seed: int) -> None:
    outcome = play(seed)
    assert outcome.violations == []
    assert outcome.counts["packets to the exchange"] > 100
    assert sum(number for name, number in outcome.counts.items() if name.startswith("fault: ")) == len(outcome.faults)


def test_a_seed_gives_the_same_journal_again_and_another_seed_another_one() -> None:
    first, again, other = play(2), play(2), play(21)
    assert first.journal == again.journal != other.journal
    assert first.as_dict() == again.as_dict()


@pytest.mark.parametrize(
    "kind",
    [Kind.CARD, Kind.DRIVER, Kind.CONTROL, Kind.DISK, Kind.CUT_BEFORE_ACK, Kind.EXCHANGE, Kind.MACHINE, Kind.NATS],
    ids=lambda kind: kind.name,
)
def test_one_kind_of_fault_over_and_over(kind: Kind) -> None:
    outcome = play(5, (kind,))
    assert outcome.violations == []
    assert outcome.counts[f"fault: {kind}"] >= 1


def test_a_host_that_does_not_settle_is_found(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(control.rehearsal.host, "settle_flow", lambda *_, **__: None)
    outcome = play(5, (Kind.CARD,))
    assert any("executions" in line or "open orders" in line for line in outcome.violations)


def test_a_shadow_that_does_not_inherit_positions_is_found(monkeypatch: pytest.MonkeyPatch) -> None:
    promote = Pair.promote

    def forgetful(pair: Pair, inherited: Any) -> None:
        nothing = {symbol: (0, 0, mark) for symbol, (_, _, mark) in inherited.positions.items()}
        promote(pair, type(inherited)(nothing, inherited.executed_notional, inherited.generation, "", inherited.sequence))

    monkeypatch.setattr(Pair, "promote", forgetful)
    outcome = play(5, (Kind.CARD,))
    assert any("shares by the device" in line for line in outcome.violations)


def test_the_command_reports_what_was_played() -> None:
    command = [sys.executable, "-m", "control.cli", "faults", "--seeds", "1", "--first", "6", "--json"]
    done = subprocess.run(command, capture_output=True, check=True)
    told = json.loads(done.stdout)
    assert (told["seeds"], told["violations"], told["failed"]) == (1, 0, [])
    assert told["faults"] == sum(told["faults_by_kind"].values()) > 0
    assert told["orders_asked"] > 100
