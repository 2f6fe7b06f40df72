"""Replication: how long an acknowledgement takes when a quorum has the entry, and how fast a standby catches up.

Three NATS servers on this machine share its disk and its cores, with ``sync_interval: always``: figures of real servers are
better. Beside it in the same run: the client alone, one message of the same size after the other into a stream of the same kind.
"""

import asyncio
import statistics
import tempfile
import threading
import time
from pathlib import Path

import nats

from bench.figures import BUILD, Figure, times_better, write
from bench.journal import PAYLOAD, at
from control.configuration import Replication
from control.failover.primary import Primary, open_stream
from control.failover.replica import Replica
from control.store import Journal
from control.store.record import RECORD_BYTES
from tests.control.failover.cluster import Cluster

COMMAND = "make bench ONLY=replication"
WRITERS = {1: 300, 64: 40}
CATCH_UP = 100_000


def latencies(primary: Primary, writers: int, each: int) -> list[float]:
    """Seconds from append to acknowledgement, sorted."""
    found: list[float] = []

    def work() -> None:
        for n in range(each):
            begin = time.perf_counter()
            primary.committer.append(1, PAYLOAD, n).result(60)
            found.append(time.perf_counter() - begin)

    threads = [threading.Thread(target=work) for _ in range(writers)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return sorted(found)


async def bare(servers: tuple[str, ...], count: int) -> list[float]:
    """Seconds of JetStream's own acknowledgements, sorted."""
    client = await nats.connect(list(servers))
    stream = client.jetstream(timeout=10)
    await stream.add_stream(name="bare", subjects=["bare"], num_replicas=3)
    found = []
    for _ in range(count):
        begin = time.perf_counter()
        await stream.publish("bare", bytes(RECORD_BYTES))
        found.append(time.perf_counter() - begin)
    await client.close()
    return sorted(found)


async def caught_up(settings: Replication, folder: Path) -> float:
    """Records per second of a standby that begins with nothing."""
    async with await open_stream(settings, 30) as stream:
        with Journal(folder) as journal:
            replica = Replica(journal, stream)
            begin = time.perf_counter()
            await replica.find()
            await replica.catch_up()
            return journal.acknowledged / (time.perf_counter() - begin)


def main() -> None:
    """Measure, print, keep the figures."""
    BUILD.mkdir(exist_ok=True)
    figures = []
    with tempfile.TemporaryDirectory(dir=BUILD) as name, Cluster(Path(name)) as cluster:
        cluster.ready("bench")
        settings = Replication(servers=cluster.urls, stream="bench")
        alone = asyncio.run(bare(cluster.urls, WRITERS[1]))
        with Primary(Path(name) / "primary", settings, print) as primary:
            for writers, each in WRITERS.items():
                found = latencies(primary, writers, each)
                told = ", ".join(f"p{100 * share:g} {at(found, share) * 1e3:.1f}" for share in (0.5, 0.99))
                print(f"{writers} writers: replicated after {told}, max {found[-1] * 1e3:.1f} ms")
                peer = f"JetStream's own acknowledgement, nats-py, {at(alone, 0.5) * 1e3:.1f}" if writers == 1 else None
                ratio = round(times_better(at(found, 0.5), at(alone, 0.5), better="lower"), 2) if peer else None
                title = f"Journal, replicated to a quorum, {writers} writers, p50"
                figures.append(Figure(title, round(at(found, 0.5) * 1e3, 1), "ms", COMMAND, peer, ratio))
            print(f"JetStream alone: p50 {at(alone, 0.5) * 1e3:.1f}, p99 {at(alone, 0.99) * 1e3:.1f} ms")
            for n in range(CATCH_UP):
                last = primary.committer.append(1, PAYLOAD, n)
            last.result(120)
        rates = [asyncio.run(caught_up(settings, Path(name) / f"standby{n}")) for n in range(3)]
        print(f"a standby catches up with {statistics.median(rates):,.0f} records/s")
        figures.append(Figure("Standby catching up", round(statistics.median(rates)), "records/s", COMMAND))
    write("bench", figures)


if __name__ == "__main__":
    main()
