"""The journal: records per second, how long an acknowledgement takes, how fast a journal is verified.

Beside it in the same run, on the same disk and with the same bytes: SQLite with a write-ahead log and ``synchronous=FULL`` (one
table of sequence, time, kind, payload), and the least that any log does, ``write`` and ``fdatasync`` of 256 bytes per record into
a file that has its length already. Rounds of all of them alternate; the middle one counts.
"""

import os
import shutil
import sqlite3
import statistics
import tempfile
import threading
import time
from collections.abc import Callable
from pathlib import Path

from bench.figures import BUILD, Figure, times_better, write
from control.store import Journal
from control.store.committer import Committer
from control.store.record import RECORD_BYTES
from control.store.segment import write_all

COMMAND = "make bench ONLY=journal"
PAYLOAD = bytes(range(64))
ROUNDS = 5
BATCHES = {1: 300, 64: 100, 1024: 20}
"""Records per sync: syncs per round."""
WRITERS = {1: 600, 8: 300, 64: 100}
"""Writers: records of each."""
VERIFIED = 100_000


def entries(count: int) -> list[tuple[int, bytes, int]]:
    return [(1 + n % 9, PAYLOAD, n) for n in range(count)]


def journal_rate(folder: Path, batch: int, syncs: int, sync: Callable[[int], None] = os.fdatasync) -> float:
    """Records per second; one entry a record."""
    made = entries(batch)
    with Journal(folder, sync=sync) as journal:
        append = journal.append
        append(*made[0])
        journal.commit()  # its segment is there
        begin = time.perf_counter()
        for _ in range(syncs):
            for kind, payload, timestamp in made:
                append(kind, payload, timestamp)
            journal.commit()
        return batch * syncs / (time.perf_counter() - begin)


def sqlite_rate(folder: Path, batch: int, syncs: int) -> float:
    """The same into SQLite."""
    made = [(timestamp, kind, payload) for kind, payload, timestamp in entries(batch)]
    database = sqlite3.connect(folder.with_suffix(".sqlite"), isolation_level=None)
    database.execute("pragma journal_mode=wal")
    database.execute("pragma synchronous=full")
    database.execute("create table record (sequence integer primary key, timestamp int, kind int, payload blob)")
    begin = time.perf_counter()
    for _ in range(syncs):
        database.execute("begin immediate")
        database.executemany("insert into record (timestamp, kind, payload) values (?, ?, ?)", made)
        database.execute("commit")
    seconds = time.perf_counter() - begin
    database.close()
    return batch * syncs / seconds


def plain_rate(folder: Path, batch: int, syncs: int) -> float:
    """The same bytes, written and synced."""
    data = bytes(batch * RECORD_BYTES)
    file = os.open(folder.with_suffix(".plain"), os.O_RDWR | os.O_CREAT)
    write_all(file, bytes(len(data) * syncs), 0)
    os.fsync(file)
    begin = time.perf_counter()
    for n in range(syncs):
        write_all(file, data, n * len(data))
        os.fdatasync(file)
    seconds = time.perf_counter() - begin
    os.close(file)
    return batch * syncs / seconds


def latencies(folder: Path, writers: int, each: int) -> list[float]:
    """Seconds from append to acknowledgement, sorted; every writer waits for one before it appends the next."""
    found: list[float] = []
    with Committer(Journal(folder)) as committer:
        committer.append(1, PAYLOAD, 0).result()

        def work() -> None:
            mine = []
            for n in range(each):
                begin = time.perf_counter()
                committer.append(1, PAYLOAD, n).result()
                mine.append(time.perf_counter() - begin)
            found.extend(mine)

        threads = [threading.Thread(target=work) for _ in range(writers)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
    return sorted(found)


def verified_rates(folder: Path) -> tuple[float, float]:
    """Records per second: verified at opening; and read as entries."""
    with Journal(folder) as journal:
        for entry in entries(VERIFIED):
            journal.append(*entry)
        journal.commit()
    begin = time.perf_counter()
    with Journal(folder) as journal:
        opened = time.perf_counter()
        count = sum(1 for _ in journal.records())
        return count / (opened - begin), count / (time.perf_counter() - opened)


def sqlite_read_rate(folder: Path) -> float:
    """Rows per second, after ``pragma integrity_check``, which is the nearest that it has."""
    sqlite_rate(folder, VERIFIED, 1)
    database = sqlite3.connect(folder.with_suffix(".sqlite"))
    begin = time.perf_counter()
    assert database.execute("pragma integrity_check").fetchone() == ("ok",)
    count = sum(1 for _ in database.execute("select * from record order by sequence"))
    seconds = time.perf_counter() - begin
    database.close()
    return count / seconds


def at(sorted_values: list[float], share: float) -> float:
    """The value below which this share of them is."""
    return sorted_values[min(len(sorted_values) - 1, int(share * len(sorted_values)))]


def main() -> None:
    """Measure, print, keep the figures."""
    BUILD.mkdir(exist_ok=True)
    root = Path(tempfile.mkdtemp(dir=BUILD))  # on the disk of the checkout, not in memory
    figures, number = [], 0

    def fresh() -> Path:
        nonlocal number
        number += 1
        return root / str(number)

    try:
        for batch, syncs in BATCHES.items():
            rates: dict[str, list[float]] = {"journal": [], "SQLite": [], "write": [], "unsynced": []}
            for _ in range(ROUNDS):
                rates["journal"].append(journal_rate(fresh(), batch, syncs))
                rates["SQLite"].append(sqlite_rate(fresh(), batch, syncs))
                rates["write"].append(plain_rate(fresh(), batch, syncs))
                rates["unsynced"].append(journal_rate(fresh(), batch, syncs, sync=lambda file: None))
            ours, sqlite, plain, unsynced = (statistics.median(each) for each in rates.values())
            print(
                f"{batch} records a sync: journal {ours:,.0f}/s, SQLite {sqlite_version()} {sqlite:,.0f}/s, write and fdatasync"
                f" {plain:,.0f}/s; journal without the sync {unsynced:,.0f}/s"
            )
            figures.append(
                Figure(
                    f"Journal, {batch:,} records a sync", round(ours), "records/s", COMMAND,
                    f"SQLite {sqlite_version()}, WAL, synchronous=FULL, {sqlite:,.0f}; write and fdatasync {plain:,.0f}",
                    round(times_better(ours, sqlite, better="higher"), 2),
                )
            )  # fmt: skip
        for writers, each in WRITERS.items():
            found = latencies(fresh(), writers, each)
            shares = {"p50": 0.5, "p99": 0.99, "p99.9": 0.999, "max": 1.0}
            told = ", ".join(f"{name} {at(found, share) * 1e6:,.0f}" for name, share in shares.items())
            print(f"{writers} writers: acknowledged after {told} us")
            figures.append(
                Figure(f"Journal, acknowledged to {writers} writers, p50", round(at(found, 0.5) * 1e6), "us", COMMAND)
            )
        verified, read, sqlite_read = [], [], []
        for _ in range(ROUNDS):
            opened, entered = verified_rates(fresh())
            verified.append(opened)
            read.append(entered)
            sqlite_read.append(sqlite_read_rate(fresh()))
        ours, entered, sqlite = (statistics.median(each) for each in (verified, read, sqlite_read))
        print(f"verified {ours:,.0f} records/s, read {entered:,.0f} entries/s; SQLite checked and read {sqlite:,.0f} rows/s")
        figures.append(
            Figure(
                "Journal, verified at opening", round(ours), "records/s", COMMAND,
                f"SQLite {sqlite_version()}, integrity_check and read, {sqlite:,.0f}",
                round(times_better(ours, sqlite, better="higher"), 2),
            )
        )  # fmt: skip
    finally:
        shutil.rmtree(root)
    write("bench", figures)


def sqlite_version() -> str:
    return sqlite3.sqlite_version


if __name__ == "__main__":
    main()
