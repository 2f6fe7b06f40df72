"""A primary in a process of its own, for tests to kill. Prints one JSON object a line.

    python -m tests.control.failover.node FOLDER '{"servers": [...], ...}' [MUTATION...]

Appends entries for ever, some at a time, and says which were acknowledged. Mutations break it on purpose:

- ``no-lease``: does not notice that it lost the lease.
- ``no-expected``: its messages do not say what has to stand before them.
- ``stuck``: publishes no more after 20 entries.
"""

import asyncio
import json
import sys
import threading
import time
from collections import deque
from concurrent.futures import Future
from pathlib import Path

from control.configuration import Replication
from control.failover.lease import Machine
from control.failover.primary import Primary
from control.failover.publisher import Publisher
from control.failover.stream import Stream
from control.store import JournalError
from tests.control.journal_crashes import SEGMENT_RECORDS, entry

IN_FLIGHT = 24


def say(**event) -> None:
    sys.stdout.write(json.dumps(event) + "\n")
    sys.stdout.flush()


def mutate(names: list[str]) -> None:
    if "no-lease" in names:
        Machine.expire = lambda self, now: None
        Machine._lose = lambda self, reason: None
    if "no-expected" in names:

        async def publish(self, message, after):
            return (await self._answer(self._js.publish(self.name, message.pack()))).seq

        real = Stream.publish
        Stream.publish = lambda self, message, after: (publish if message.size else real)(self, message, after)
    if "stuck" in names:
        real_publish = Publisher._publish

        async def some(self) -> None:
            if self._published > 20:
                await asyncio.Event().wait()
            await real_publish(self)

        Publisher._publish = some


def main(folder: Path, settings: Replication, mutations: list[str]) -> None:
    mutate(mutations)
    stopped = threading.Event()

    def lost(reason: str) -> None:
        say(event="lost", reason=reason, at=time.monotonic())
        stopped.set()

    try:
        primary = Primary(folder, settings, lost, segment_records=SEGMENT_RECORDS, patience=30)
    except JournalError as error:
        say(event="refused", reason=str(error), kind=type(error).__name__)
        return
    journal = primary.committer.journal
    number = max((each.timestamp - 999 for each in journal.records(max(1, journal.acknowledged - 3))), default=0)
    say(event="primary", epoch=primary.promotion.epoch, entries=number)
    threading.Thread(target=finish, args=(stopped,), daemon=True).start()
    waiting: deque = deque()
    try:
        while not stopped.is_set():
            while len(waiting) < IN_FLIGHT:
                waiting.append((number, primary.committer.append(*entry(number))))
                number += 1
            acknowledged(primary, *waiting.popleft())
            time.sleep(0.001)
        primary.close()
        while waiting:
            acknowledged(primary, *waiting.popleft())
    except JournalError as error:
        say(event="failed", reason=str(error), kind=type(error).__name__)
        primary.close()
    say(event="closed", lag=primary.lag().records, published=primary.published)


def acknowledged(primary: Primary, number: int, done: Future) -> None:
    done.result(60)
    say(event="acknowledged", entry=number, lag=primary.lag().records, at=time.monotonic())


def finish(stopped: threading.Event) -> None:
    """The end of standard input is the wish to end well."""
    sys.stdin.read()
    stopped.set()


if __name__ == "__main__":
    main(Path(sys.argv[1]), Replication.model_validate_json(sys.argv[2]), sys.argv[3:])
