"""What can happen to a primary, a standby and their servers; each returns what became of it.

Every scenario is given the cluster, a folder and settings with a stream of its own, and a seed that says when things happen.
"""

import asyncio
import random
import signal
import time
from pathlib import Path

from control.configuration import Replication
from control.failover.primary import open_stream
from control.failover.replica import Replica
from control.store import Journal
from tests.control.failover.cluster import Cluster
from tests.control.failover.processes import PATIENCE, Primary, Standby, check, last_record
from tests.control.journal_crashes import SEGMENT_RECORDS


def begun(folder: Path, settings: Replication, *mutations: str) -> Primary:
    primary = Primary(folder / "primary", settings, *mutations)
    primary.event("primary")
    return primary


def followed(folder: Path, settings: Replication) -> None:
    """The standby's journal takes all that the stream has."""

    async def follow(journal: Journal) -> None:
        async with await open_stream(settings, PATIENCE) as stream:
            replica = Replica(journal, stream)
            await replica.find()
            await replica.catch_up()

    with Journal(folder / "standby", segment_records=SEGMENT_RECORDS) as journal:
        asyncio.run(follow(journal))


def primary_killed(cluster: Cluster, folder: Path, settings: Replication, seed: int) -> dict:
    """SIGKILL; the standby takes over."""
    draw = random.Random(seed)
    primary = begun(folder, settings)
    standby = Standby(folder / "standby", settings, "--promote")
    primary.reach(draw.randrange(20, 300))
    primary.kill()
    promoted = standby.event("promoted")
    assert standby.ended() == 0, standby.errors()
    return check(primary.acknowledged, folder / "standby", folder / "primary") | {"epoch": promoted["epoch"]}


def primary_paused(cluster: Cluster, folder: Path, settings: Replication, seed: int, *mutations: str) -> dict:
    """SIGSTOP; the standby takes over; SIGCONT. What it acknowledges then is counted in ``late`` unless the standby has it."""
    draw = random.Random(seed)
    primary = begun(folder, settings, *mutations)
    standby = Standby(folder / "standby", settings, "--promote")
    primary.reach(draw.randrange(20, 200))
    primary.signal(signal.SIGSTOP)
    promoted = standby.event("promoted")
    assert standby.ended() == 0, standby.errors()
    before = len(primary.events)
    primary.signal(signal.SIGCONT)
    failure = primary.wait(
        lambda event: event["event"] == "failed" or (event["event"] == "acknowledged" and event in primary.events[before + 60 :]),
        "what became of the primary",
    )
    primary.kill()
    told = [event for event in primary.events if event["event"] == "lost"]
    return check(primary.acknowledged, folder / "standby", folder / "primary") | {
        "epoch": promoted["epoch"], "failure": failure, "told": told,
    }  # fmt: skip


def standby_killed(cluster: Cluster, folder: Path, settings: Replication, seed: int) -> dict:
    """SIGKILL of the standby, again and again; in the end it has everything."""
    draw = random.Random(seed)
    primary = begun(folder, settings)
    for _ in range(3):
        standby = Standby(folder / "standby", settings)
        standby.reach(1)
        primary.reach(primary.acknowledged + draw.randrange(5, 100))
        standby.kill()
    assert primary.close() == 0, primary.errors()
    followed(folder, settings)
    return check(primary.acknowledged, folder / "standby", folder / "primary")


def server_killed(cluster: Cluster, folder: Path, settings: Replication, seed: int) -> dict:
    """SIGKILL of one server: acknowledgements go on; then of another one. A lease that outlives the election of a leader."""
    draw = random.Random(seed)
    settings = settings.model_copy(update={"ttl_ms": 30_000})
    primary = begun(folder, settings)
    longest = 0.0
    for number in draw.sample(range(3), 2):
        primary.reach(primary.acknowledged + draw.randrange(5, 100))
        cluster.kill(number)
        begin = time.monotonic()
        primary.reach(primary.acknowledged + 60)  # more than can be on its way
        longest = max(longest, time.monotonic() - begin)
        cluster.start()
        cluster.ready(settings.stream)
    assert primary.close() == 0, primary.errors()
    followed(folder, settings)
    return check(primary.acknowledged, folder / "standby", folder / "primary") | {"longest": longest}


def all_servers_killed(cluster: Cluster, folder: Path, settings: Replication, seed: int) -> dict:
    """SIGKILL of all servers: in mode ``replicated`` the primary stops; after a restart nothing acknowledged is missing."""
    draw = random.Random(seed)
    primary = begun(folder, settings)
    primary.reach(draw.randrange(20, 300))
    cluster.kill()
    lost = primary.event("lost")
    stopped = primary.event("failed")
    primary.kill()
    cluster.start()
    cluster.ready(settings.stream)
    standby = Standby(folder / "standby", settings, "--promote")
    standby.event("promoted")
    assert standby.ended() == 0, standby.errors()
    last = max(event["at"] for event in primary.events if event["event"] == "acknowledged")
    return check(primary.acknowledged, folder / "standby", folder / "primary") | {
        "stopped": stopped["kind"], "after": lost["at"] - last,
    }  # fmt: skip


def outage(cluster: Cluster, folder: Path, settings: Replication, seed: int) -> dict:
    """SIGKILL of all servers in mode ``local``: entries are acknowledged all the time, and a standby that runs on catches up."""
    draw = random.Random(seed)
    primary = Primary(folder / "primary", settings)
    standby = Standby(folder / "standby", settings)
    primary.event("primary")
    standby.reach(draw.randrange(20, 200))
    cluster.kill()
    down = primary.acknowledged
    primary.reach(down + 200)
    most = max(event["lag"] for event in primary.events if event["event"] == "acknowledged")
    told = standby.wait(lambda event: event["failure"], "that the servers are away")
    cluster.start()
    cluster.ready(settings.stream)
    begin = len(primary.events)
    primary.wait(
        lambda event: event["event"] == "acknowledged" and event["lag"] < 100 and event in primary.events[begin:],
        "the end of the lag",
    )
    assert primary.close() == 0, primary.errors()
    standby.reach(last_record(folder / "primary"))
    standby.kill()
    return check(primary.acknowledged, folder / "standby", folder / "primary") | {"lag": most, "told": told["failure"]}


REPLICATED = {each.__name__: each for each in (primary_killed, primary_paused, standby_killed, server_killed, all_servers_killed)}
LOCAL = {outage.__name__: outage}
