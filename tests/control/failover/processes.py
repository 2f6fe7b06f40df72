"""Primaries and standbys as processes: what they print, and signals for them."""

import json
import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from pathlib import Path

from control.configuration import Replication
from control.store import Journal
from control.store.scan import Reader
from tests.control.journal_crashes import SEGMENT_RECORDS, entry

ROOT = Path(__file__).resolve().parents[3]
PATIENCE = 60.0
"""Seconds that anything may take before a test gives up."""


class Process:
    """One of our processes and the events that it printed."""

    def __init__(self, arguments: list[str]) -> None:
        self.events: list[dict] = []
        self._errors = ""
        self._changed = threading.Condition()
        self._process = subprocess.Popen(
            [sys.executable, "-m", *arguments], cwd=ROOT, text=True, stdin=subprocess.PIPE, stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
        )  # fmt: skip
        self._reader = threading.Thread(target=self._read, daemon=True)
        self._reader.start()

    def _read(self) -> None:
        for line in self._process.stdout:
            with self._changed:
                self.events.append(json.loads(line))
                self._changed.notify_all()
        with self._changed:
            self._changed.notify_all()

    def wait(self, wanted: Callable[[dict], bool], what: str) -> dict:
        """The first event that is wanted, as soon as it is there."""
        seen, end = 0, time.monotonic() + PATIENCE
        with self._changed:
            while True:
                for event in self.events[seen:]:
                    if wanted(event):
                        return event
                seen = len(self.events)
                if not self._reader.is_alive() or time.monotonic() > end:
                    break
                self._changed.wait(0.2)
        raise AssertionError(f"{what} did not come; the last events: {self.events[-3:]}; {self.errors()}")

    def event(self, name: str) -> dict:
        return self.wait(lambda event: event["event"] == name, name)

    def errors(self) -> str:
        """Standard error, once it has ended."""
        if self._process.poll() is not None:
            self.ended()
        return self._errors

    def signal(self, number: int) -> None:
        os.kill(self._process.pid, number)

    def kill(self) -> None:
        if self._process.poll() is None:
            self.signal(signal.SIGKILL)
        self.ended()

    def ended(self) -> int:
        """Wait for its end; its exit code."""
        code = self._process.wait(PATIENCE)
        self._reader.join(PATIENCE)
        self._errors = self._process.stderr.read() if not self._process.stderr.closed else self._errors
        for pipe in (self._process.stdin, self._process.stdout, self._process.stderr):
            if not pipe.closed:
                pipe.close()
        return code

    def close(self) -> int:
        """End it well."""
        self._process.stdin.close()
        return self.ended()


class Primary(Process):
    """Appends entries for ever: `tests.control.failover.node`."""

    def __init__(self, folder: Path, settings: Replication, *mutations: str) -> None:
        super().__init__(["tests.control.failover.node", str(folder), settings.model_dump_json(), *mutations])

    @property
    def acknowledged(self) -> int:
        """Entries 0 to this, less one, were acknowledged."""
        return max((event["entry"] + 1 for event in list(self.events) if event["event"] == "acknowledged"), default=0)

    def reach(self, entries: int) -> None:
        self.wait(lambda event: event.get("entry", -1) >= entries, f"entry {entries}")


class Standby(Process):
    """``hairpin standby`` on a journal with small segments."""

    def __init__(self, folder: Path, settings: Replication, *options: str) -> None:
        servers = [option for url in settings.servers for option in ("--nats", url)]
        config = folder.with_name(f"{folder.name}.toml")
        config.write_text(
            f'[replication]\nmode = "{settings.mode}"\nttl_ms = {settings.ttl_ms}\nmargin_ms = {settings.margin_ms}\n'
            f"replicas = {settings.replicas}\n"
        )
        super().__init__(
            ["tests.control.failover.small_standby", "standby", "--journal", str(folder), "--stream", settings.stream, "--json",
             "--every", "0.1", "--config", str(config), *servers, *options]
        )  # fmt: skip

    def reach(self, record: int) -> dict:
        return self.wait(lambda event: event.get("record", -1) >= record, f"record {record}")


def entries(folder: Path) -> list[tuple[int, bytes, int]]:
    """What is in a journal that nobody writes."""
    with Journal(folder, segment_records=SEGMENT_RECORDS) as journal:
        return [(each.kind, each.payload, each.timestamp) for each in journal.records()]


def last_record(folder: Path) -> int:
    with Journal(folder, segment_records=SEGMENT_RECORDS) as journal:
        return journal.acknowledged


def check(acknowledged: int, folder: Path, beside: Path) -> dict:
    """Every entry that was acknowledged is in a journal; and that, as far as it goes, is the other one, by its digests."""
    found = entries(folder)
    lost = sum(n >= len(found) or found[n] != entry(n) for n in range(acknowledged))
    ours, theirs = last_record(folder), last_record(beside)
    both = min(ours, theirs)
    same = Reader(folder).digest(both) == Reader(beside).digest(both)
    return {"acknowledged": acknowledged, "entries": len(found), "lost": lost, "same": same, "ahead": theirs - ours}
