"""Real processes and SIGKILL: nothing that was acknowledged is lost, and no two primaries write.

``python -m tests.control.failover.campaign 20 1`` does the same with as many seeds as are asked for.
"""

from pathlib import Path

import pytest

from control.configuration import Replication
from tests.control.failover import scenarios
from tests.control.failover.cluster import Cluster


def good(result: dict) -> None:
    assert result["lost"] == 0
    assert result["same"], "the journals have different digests at the same record"
    assert result["acknowledged"] >= 20


def test_a_killed_primary_is_followed_by_its_standby(
    tmp_path: Path, cluster: Cluster, replicated: Replication, seed: int
) -> None:
    result = scenarios.primary_killed(cluster, tmp_path, replicated, seed)
    good(result)
    assert result["epoch"] == 2
    assert result["ahead"] >= 0, "the standby's journal is a beginning of the primary's"


def test_a_primary_that_was_paused_writes_nothing_more(
    tmp_path: Path, cluster: Cluster, replicated: Replication, seed: int
) -> None:
    result = scenarios.primary_paused(cluster, tmp_path, replicated, seed)
    good(result)
    assert result["failure"]["kind"] == "FencedError"
    assert len(result["told"]) == 1


@pytest.mark.slow
def test_a_primary_that_does_not_notice_that_it_was_paused_is_refused_by_the_stream(
    tmp_path: Path, cluster: Cluster, replicated: Replication, seed: int
) -> None:
    result = scenarios.primary_paused(cluster, tmp_path, replicated, seed, "no-lease")
    good(result)
    assert result["failure"]["kind"] == "FencedError"
    assert "is at epoch 2" in result["failure"]["reason"]


@pytest.mark.slow
def test_without_what_is_expected_before_each_message_the_loss_is_found(
    tmp_path: Path, cluster: Cluster, replicated: Replication, seed: int
) -> None:
    """The mutation: it shows that the tests above can fail."""
    result = scenarios.primary_paused(cluster, tmp_path, replicated, seed, "no-lease", "no-expected")
    assert result["failure"]["event"] == "acknowledged"
    assert result["lost"] > 0


def test_all_servers_killed_lose_nothing_that_was_acknowledged(
    tmp_path: Path, cluster: Cluster, replicated: Replication, seed: int
) -> None:
    result = scenarios.all_servers_killed(cluster, tmp_path, replicated, seed)
    good(result)
    assert result["stopped"] == "FencedError"


def test_without_servers_a_local_primary_goes_on_and_the_standby_catches_up(
    tmp_path: Path, cluster: Cluster, local: Replication, seed: int
) -> None:
    result = scenarios.outage(cluster, tmp_path, local, seed)
    good(result)
    assert result["entries"] == result["acknowledged"]
    assert result["lag"] > 100
    assert "stream" in result["told"]


@pytest.mark.slow
def test_a_killed_standby_catches_up(tmp_path: Path, cluster: Cluster, replicated: Replication, seed: int) -> None:
    result = scenarios.standby_killed(cluster, tmp_path, replicated, seed)
    good(result)
    assert result["entries"] == result["acknowledged"]


@pytest.mark.slow
def test_a_killed_server_stops_nothing_for_longer_than_an_election(
    tmp_path: Path, cluster: Cluster, replicated: Replication, seed: int
) -> None:
    result = scenarios.server_killed(cluster, tmp_path, replicated, seed)
    good(result)
    assert result["entries"] == result["acknowledged"]
