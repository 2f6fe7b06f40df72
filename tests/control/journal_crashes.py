"""A journal's writer killed with SIGKILL at random moments, as often as is asked for. Prints one JSON object.

    python -m tests.control.journal_crashes CRASHES SEED

A child appends entries in groups of random size and says, through a pipe, what was acknowledged. The parent kills it, now and
then spoils what a group that was never acknowledged may have left, opens the journal, and looks for every entry.
"""

import json
import os
import random
import select
import signal
import sys
import tempfile
import time
from pathlib import Path

from control.store import Journal

SEGMENT_RECORDS = 64


def entry(number: int) -> tuple[int, bytes, int]:
    """Kind, payload and time of entry ``number``: anybody can make it again."""
    seed = random.Random(number)
    return 1 + number % 9, seed.randbytes(seed.choice((0, 8, 64, 184, 185, 400))), 1_000 + number


def write(folder: Path, first: int, seed: int, say: int) -> None:
    """Appends for ever."""
    choose = random.Random(seed)
    journal = Journal(folder, segment_records=SEGMENT_RECORDS)
    number = first
    while True:
        for _ in range(choose.choice((1, 1, 2, 5, 40, 130))):
            journal.append(*entry(number))
            number += 1
        journal.commit()
        os.write(say, number.to_bytes(8, "little"))


def crash(folder: Path, first: int, seed: int) -> int:
    """One life of a writer; how many entries were acknowledged to its end."""
    hear, say = os.pipe()
    child = os.fork()
    if child == 0:
        os.close(hear)
        write(folder, first, seed, say)
    os.close(say)
    choose = random.Random(seed)
    if choose.random() < 0.7:  # in the middle of writing, however slow the machine is; else at any time, its start among them
        select.select([hear], [], [], 10)
    time.sleep(choose.expovariate(1 / 0.006))
    os.kill(child, signal.SIGKILL)
    os.waitpid(child, 0)
    acknowledged = first
    with os.fdopen(hear, "rb") as pipe:
        data = pipe.read()
    if len(data) >= 8:
        acknowledged = int.from_bytes(data[len(data) // 8 * 8 - 8 : len(data) // 8 * 8], "little")
    return acknowledged


def main(crashes: int, seed: int) -> dict:
    lost, found, repaired, acknowledged = 0, 0, 0, 0
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name) / "journal"
        for life in range(crashes):
            if life % 100 == 0:
                print(f"{life} of {crashes} crashes, {found} entries", file=sys.stderr, flush=True)
            acknowledged = max(acknowledged, crash(folder, found, seed * 1_000_003 + life))
            with Journal(folder, segment_records=SEGMENT_RECORDS) as journal:
                repaired += journal.repaired is not None
                if life % 50 == 49 or life == crashes - 1:  # all of them, else the newest
                    entries = [(each.kind, each.payload, each.timestamp) for each in journal.records()]
                    found = len(entries)
                    lost += sum(got != entry(n) for n, got in enumerate(entries))
                else:
                    last = list(journal.records(max(1, journal.acknowledged - 3)))
                    found = last[-1].timestamp - 1_000 + 1 if last else found
                lost += max(0, acknowledged - found)
    return {"crashes": crashes, "seed": seed, "entries": found, "repaired": repaired, "lost": lost}


if __name__ == "__main__":
    result = main(int(sys.argv[1]), int(sys.argv[2]))
    print(json.dumps(result))
    sys.exit(result["lost"] > 0)
