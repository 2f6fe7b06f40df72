"""A journal on disks that fail as real ones do: a file system that is full, and a sync that the kernel refuses (strace)."""

from __future__ import annotations

import errno
import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from control.store import Journal, JournalFullError
from tests.control.journal_crashes import SEGMENT_RECORDS, entry

ROOT = Path(__file__).parents[2]
SYNCS = 25
WRITER = """
import sys
from pathlib import Path
from tests.control.journal_crashes import write

write(Path(sys.argv[1]), 0, 7, 1)
"""


def contents(folder: Path) -> list[tuple[int, bytes, int]]:
    with Journal(folder, segment_records=SEGMENT_RECORDS) as journal:
        return [(each.kind, each.payload, each.timestamp) for each in journal.records()]


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    """A file system of 256 KiB."""
    folder = tmp_path / "disk"
    folder.mkdir()
    done = subprocess.run(
        ["mount", "-t", "tmpfs", "-o", "size=256k", "hairpin", str(folder)], capture_output=True, text=True, check=False
    )
    if done.returncode:
        pytest.skip(f"no file system can be mounted here: {done.stderr.strip()}")
    yield folder
    subprocess.run(["umount", str(folder)], check=True)


def test_a_disk_that_is_full_costs_nothing_that_was_acknowledged(small_disk: Path) -> None:
    acknowledged = 0

    def fill() -> None:
        nonlocal acknowledged
        with Journal(small_disk / "journal", segment_records=SEGMENT_RECORDS) as journal:
            while True:
                for number in range(acknowledged, acknowledged + 10):
                    journal.append(*entry(number))
                journal.commit()
                acknowledged += 10

    with pytest.raises(JournalFullError, match="No space left on device") as caught:
        fill()
    assert isinstance(caught.value.__cause__, OSError)
    assert caught.value.__cause__.errno == errno.ENOSPC
    assert acknowledged > 100
    subprocess.run(["mount", "-o", "remount,size=4m", str(small_disk)], check=True)
    found = contents(small_disk / "journal")
    assert found[:acknowledged] == [entry(n) for n in range(acknowledged)]
    assert found == [entry(n) for n in range(len(found))]
    with Journal(small_disk / "journal", segment_records=SEGMENT_RECORDS) as journal:
        journal.append(*entry(len(found)))
        journal.commit()
    assert contents(small_disk / "journal") == [entry(n) for n in range(len(found) + 1)]


@pytest.mark.parametrize("error", ["EIO", "ENOSPC"])
def test_a_sync_that_the_kernel_refuses_ends_the_writer(tmp_path: Path, error: str) -> None:
    """What a failed sync has left on the disk nobody knows: the writer stops, and what it had acknowledged is there."""
    if shutil.which("strace") is None:
        pytest.skip("strace is not installed")
    inject = f"inject=fdatasync:error={error}:when={SYNCS}+"
    done = subprocess.run(
        ["strace", "-f", "-qq", "-o", os.devnull, "-e", "trace=fdatasync", "-e", inject,
         sys.executable, "-c", WRITER, str(tmp_path / "journal")],
        capture_output=True, check=False, cwd=ROOT, timeout=120,
    )  # fmt: skip
    told = done.stderr.decode()
    if "ptrace" in told and not done.stdout:
        pytest.skip(f"no process can be traced here: {told.strip()}")
    assert done.returncode == 1
    assert "JournalFailedError" in told or "JournalFullError" in told
    assert os.strerror(getattr(errno, error)) in told
    acknowledged = int.from_bytes(done.stdout[-8:], "little")
    assert acknowledged > 0
    found = contents(tmp_path / "journal")
    assert found[:acknowledged] == [entry(n) for n in range(acknowledged)]
    assert found == [entry(n) for n in range(len(found))]
