"""The journal: what was acknowledged is there, what was torn is gone, what was changed is found."""

import errno
import json
import os
import random
import subprocess
import sys
import threading
from itertools import pairwise
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from control.store import (
    CorruptJournalError,
    ForkError,
    Journal,
    JournalFailedError,
    JournalFullError,
    JournalLockedError,
    mark,
    segment,
)
from control.store.committer import Committer
from control.store.journal import LOCK
from control.store.record import PAYLOAD_BYTES, RECORD_BYTES, build
from control.store.scan import Reader
from tests.control.journal_crashes import SEGMENT_RECORDS, entry

ENTRIES = st.lists(st.tuples(st.integers(1, 0xFFFF), st.binary(max_size=600), st.integers(0, 2**64 - 1)), max_size=40)


def small(folder: Path, **options) -> Journal:
    return Journal(folder, segment_records=8, **options)


def contents(journal: Journal) -> list[tuple[int, bytes, int]]:
    return [(each.kind, each.payload, each.timestamp) for each in journal.records()]


def fill(folder: Path, groups: list[int]) -> list[tuple[int, bytes, int]]:
    """A journal with groups of so many entries; what is in it."""
    entries = [entry(n) for n in range(sum(groups))]
    rest = iter(entries)
    with small(folder) as journal:
        for size in groups:
            for _ in range(size):
                journal.append(*next(rest))
            journal.commit()
    return entries


def without_mark(folder: Path) -> None:
    """As after a loss of power: what was not synced is not there."""
    (folder / LOCK).write_bytes(b"")


@settings(max_examples=60, deadline=None)
@given(entries=ENTRIES, cuts=st.sets(st.integers(0, 40)))
def test_what_goes_in_comes_out_again(tmp_path_factory: pytest.TempPathFactory, entries, cuts) -> None:
    folder = tmp_path_factory.mktemp("journal")
    with small(folder) as journal:
        for n, each in enumerate(entries):
            journal.append(*each)
            if n in cuts:
                journal.commit()
        journal.commit()
        assert contents(journal) == entries
        digest = journal.digest
    with small(folder) as journal:
        assert (contents(journal), journal.digest, journal.repaired) == (entries, digest, None)


def test_the_digest_does_not_depend_on_how_entries_were_gathered(tmp_path: Path) -> None:
    digests = set()
    for name, groups in {"one": [30], "each": [1] * 30, "some": [7, 3, 20]}.items():
        fill(tmp_path / name, groups)
        with small(tmp_path / name) as journal:
            digests.add(journal.digest)
    assert len(digests) == 1


def test_what_was_not_committed_is_gone(tmp_path: Path) -> None:
    entries = fill(tmp_path, [3])
    with small(tmp_path) as journal:
        journal.append(*entry(99))
        assert journal.pending
        assert contents(journal) == entries
    with small(tmp_path) as journal:
        assert contents(journal) == entries


# -- after a crash -------------------------------------------------------------------------------------


@settings(max_examples=80, deadline=None)
@given(data=st.data(), groups=st.lists(st.integers(1, 12), min_size=1, max_size=6), last=st.integers(1, 20))
def test_any_part_of_the_last_group_may_be_missing_after_a_loss_of_power(
    tmp_path_factory: pytest.TempPathFactory, data, groups, last
) -> None:
    """The last group was not acknowledged: any of its sectors may be there, or not, or hold something else."""
    folder = tmp_path_factory.mktemp("journal")
    entries = fill(folder, groups)
    before = {path: path.read_bytes() for path in folder.glob("*.journal")}
    more = fill_more(folder, len(entries), last)
    for path in folder.glob("*.journal"):
        old, new = before.get(path, b"").ljust(path.stat().st_size, b"\0"), path.read_bytes()
        spoiled = bytearray(new)
        for at in range(0, len(new), 64):
            if old[at : at + 64] != new[at : at + 64]:
                spoiled[at : at + 64] = data.draw(st.sampled_from((old[at : at + 64], new[at : at + 64], b"\xa5" * 64)))
        path.write_bytes(spoiled)
    without_mark(folder)
    with small(folder) as journal:
        found = contents(journal)
        assert found[: len(entries)] == entries
        assert found == (entries + more)[: len(found)]
        journal.append(*entry(1234))  # and it goes on
        journal.commit()
        assert contents(journal) == [*found, entry(1234)]
    with small(folder) as journal:
        assert journal.repaired is None


def fill_more(folder: Path, first: int, count: int) -> list[tuple[int, bytes, int]]:
    entries = [entry(n) for n in range(first, first + count)]
    with small(folder) as journal:
        for each in entries:
            journal.append(*each)
        journal.commit()
    return entries


def run_crashes(count: int, seed: int) -> dict:
    command = [sys.executable, "-m", "tests.control.journal_crashes", str(count), str(seed)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    return json.loads(done.stdout)


def test_nothing_acknowledged_is_lost_when_the_writer_is_killed() -> None:
    result = run_crashes(300, 1)
    assert (result["lost"], result["crashes"]) == (0, 300)
    assert result["entries"] > 300
    assert result["repaired"] > 0, "no group was torn: the test has lost its teeth"


@pytest.mark.slow
@pytest.mark.parametrize("seed", [2, 3, 4, 5])
def test_nothing_acknowledged_is_lost_in_thousands_of_kills(seed: int) -> None:
    assert run_crashes(2_000, seed)["lost"] == 0


# -- what was acknowledged and is no longer there ------------------------------------------------------------


@settings(max_examples=80, deadline=None)
@given(where=st.floats(0, 1, exclude_max=True), bit=st.integers(0, 7))
def test_any_changed_bit_of_what_was_acknowledged_is_found(tmp_path_factory: pytest.TempPathFactory, where, bit) -> None:
    folder = tmp_path_factory.mktemp("journal")
    fill(folder, [5, 9, 1, 4])
    with small(folder) as journal:
        records = journal.acknowledged
    at = int(where * records * RECORD_BYTES)
    path = segment.path_of(folder, 1 + at // (8 * RECORD_BYTES))
    data = bytearray(path.read_bytes())
    data[at % (8 * RECORD_BYTES)] ^= 1 << bit
    path.write_bytes(data)
    with pytest.raises(CorruptJournalError, match=r"\.journal, record \d+ \(byte \d+\): broken"):
        small(folder)


def test_without_the_mark_a_broken_record_before_the_last_group_is_still_found(tmp_path: Path) -> None:
    fill(tmp_path, [3, 3])
    path = segment.path_of(tmp_path, 1)
    data = bytearray(path.read_bytes())
    data[2 * RECORD_BYTES + 50] ^= 1
    path.write_bytes(data)
    without_mark(tmp_path)
    with pytest.raises(CorruptJournalError, match="was written after it was acknowledged"):
        small(tmp_path)


def test_an_entry_cannot_be_left_out(tmp_path: Path) -> None:
    fill(tmp_path, [1] * 4)
    path = segment.path_of(tmp_path, 1)
    data = path.read_bytes()
    path.write_bytes(data[: 2 * RECORD_BYTES] + data[3 * RECORD_BYTES :] + bytes(RECORD_BYTES))
    with pytest.raises(CorruptJournalError):
        small(tmp_path)


def test_a_segment_that_is_missing_is_named(tmp_path: Path) -> None:
    fill(tmp_path, [30])
    segment.path_of(tmp_path, 2).unlink()
    with pytest.raises(CorruptJournalError, match="segment 2 is missing, 3 is there"):
        small(tmp_path)


# -- limits, errors, threads ---------------------------------------------------------------------------


def test_there_is_one_writer(tmp_path: Path) -> None:
    with small(tmp_path), pytest.raises(JournalLockedError, match="written by another process"):
        small(tmp_path)
    small(tmp_path).close()


@pytest.mark.parametrize(
    ("arguments", "text"),
    [((0, b"", 1), "kind 0"), ((0x10000, b"", 1), "kind 65536"), ((1, b"", -1), "timestamp -1"), ((1, b"", 1 << 64), "64 bits")],
)
def test_an_entry_that_cannot_be_written_says_why(tmp_path: Path, arguments, text) -> None:
    with small(tmp_path) as journal:
        with pytest.raises(ValueError, match=text):
            journal.append(*arguments)
        with pytest.raises(ValueError, match="at most"):
            journal.append(1, bytes(0x10000 * PAYLOAD_BYTES), 1)
        journal.append(*entry(1))
        journal.commit()
        assert contents(journal) == [entry(1)]


def test_a_failed_sync_acknowledges_nothing_and_ends_the_journal(tmp_path: Path) -> None:
    """After it the kernel may have dropped what it could not write: only reading again tells."""
    entries = fill(tmp_path, [3])

    def fails(file: int) -> None:
        raise OSError(errno.EIO, os.strerror(errno.EIO))

    with small(tmp_path, sync=fails) as journal:
        journal.append(*entry(50))
        with pytest.raises(JournalFailedError, match="Input/output error"):
            journal.commit()
        for use in (journal.commit, lambda: journal.append(*entry(51))):
            with pytest.raises(JournalFailedError, match="open the journal anew"):
                use()
        assert contents(journal) == entries
    with small(tmp_path) as journal:
        assert contents(journal)[:3] == entries


def test_a_full_disk_is_met_before_anything_depends_on_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    entries = fill(tmp_path, [3])
    real = segment.write_all

    def full(file: int, data: bytes, at: int) -> None:
        if os.readlink(f"/proc/self/fd/{file}").endswith(".part"):
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
        real(file, data, at)

    monkeypatch.setattr(segment, "write_all", full)
    with small(tmp_path) as journal:
        for n in range(3, 20):
            journal.append(*entry(n))
        with pytest.raises(JournalFullError, match="No space left on device"):
            journal.commit()
    monkeypatch.undo()
    assert not list(tmp_path.glob("*.part"))
    with small(tmp_path) as journal:
        assert contents(journal)[:3] == entries


def test_many_threads_share_a_sync_and_keep_their_order(tmp_path: Path) -> None:
    threads, each = 8, 200
    with Committer(Journal(tmp_path, segment_records=SEGMENT_RECORDS)) as committer:

        def work(number: int) -> None:
            waiting = [committer.append(number + 1, n.to_bytes(4, "little"), n) for n in range(each)]
            sequences = [one.result(30) for one in waiting]
            assert sequences == sorted(set(sequences))

        workers = [threading.Thread(target=work, args=(n,)) for n in range(threads)]
        for worker in workers:
            worker.start()
        for worker in workers:
            worker.join()
        assert 0 < committer.groups < threads * each
    with Journal(tmp_path) as journal:
        found = contents(journal)
    assert len(found) == threads * each
    for number in range(threads):
        mine = [int.from_bytes(payload, "little") for kind, payload, _ in found if kind == number + 1]
        assert mine == list(range(each))


def test_a_committer_tells_everybody_that_the_journal_failed(tmp_path: Path) -> None:
    def fails(file: int) -> None:
        raise OSError(errno.EIO, os.strerror(errno.EIO))

    fill(tmp_path, [1])
    with Committer(small(tmp_path, sync=fails)) as committer:
        with pytest.raises(JournalFailedError):
            committer.append(*entry(1)).result(10)
        with pytest.raises(JournalFailedError):
            committer.append(*entry(2))


def test_a_mark_that_is_not_whole_is_none(tmp_path: Path) -> None:
    path = tmp_path / "mark"
    path.write_bytes(random.Random(1).randbytes(100))
    file = os.open(path, os.O_RDWR)
    assert mark.read(file) is None
    mark.write(file, 7, bytes(32))
    assert mark.read(file) == (7, bytes(32))
    os.close(file)


# -- adopted from another journal ----------------------------------------------------------------------


@settings(max_examples=40, deadline=None)
@given(data=st.data(), count=st.integers(1, 60))
def test_an_adopted_journal_has_the_same_chain_however_it_is_cut(
    tmp_path_factory: pytest.TempPathFactory, data, count
) -> None:
    root = tmp_path_factory.mktemp("adopted")
    given_entries = fill(root / "a", [count])
    reader = Reader(root / "a")
    with small(root / "a") as ours, small(root / "b") as other:
        ends = [record.sequence for record in ours.records()]
        cuts = sorted({data.draw(st.sampled_from(ends)) for _ in range(5)} | {ends[-1]})
        for cut in cuts:
            other.adopt(reader.read(other.acknowledged + other.pending + 1, cut))
            if data.draw(st.booleans()):
                other.commit()
        other.commit()
        assert (other.digest, other.acknowledged) == (ours.digest, ours.acknowledged)
    with small(root / "b") as other:
        assert (contents(other), other.repaired) == (given_entries, None)
        assert [reader.digest(n) for n in (0, 1, ends[-1])] == [Reader(root / "b").digest(n) for n in (0, 1, ends[-1])]


def test_what_does_not_belong_to_a_journal_is_not_adopted(tmp_path: Path) -> None:
    fill(tmp_path / "a", [20])
    fill(tmp_path / "b", [3, 30])
    with small(tmp_path / "a") as ours, small(tmp_path / "b") as other:
        last, before = ours.acknowledged, other.acknowledged
        ends = [record.sequence for record in other.records()]
        reader = Reader(tmp_path / "b")
        with pytest.raises(ForkError, match=f"record {last + 1} is not the one that follows record {last} here"):
            ours.adopt(bytearray(build(bytes(32), last + 1, 0, 1, b"", 1)))
        torn = bytearray(reader.read(1, ends[-1]))
        torn[5 * RECORD_BYTES + 60] ^= 1
        long = next(end for first, end in pairwise(ends) if end - first > 1)
        with small(tmp_path / "c") as empty:
            with pytest.raises(CorruptJournalError, match="record 6 of what is to be adopted is torn"):
                empty.adopt(torn)
            with pytest.raises(CorruptJournalError, match=f"the entry of record {long - 1} is not all there"):
                empty.adopt(reader.read(1, long - 1))
            assert empty.pending == 0
        with Journal(tmp_path / "d", segment_records=9) as empty:
            with pytest.raises(ForkError, match="at record 9 a segment begins there and not here: segments have another length"):
                empty.adopt(reader.read(1, ends[-1]))
            assert empty.pending == 0
        assert (ours.acknowledged, ours.pending, other.acknowledged) == (last, 0, before)


def test_a_torn_entry_that_goes_on_in_the_next_segment_is_taken_away_whole(tmp_path: Path) -> None:
    """Its first record and the next segment's head are there: neither may stay."""
    with small(tmp_path) as journal:
        for n in range(6):
            journal.append(1, b"x", n)
        journal.commit()
        journal.append(2, bytes(600), 9)  # row 7, and three records of segment 2
        journal.commit()
    path = segment.path_of(tmp_path, 2)
    path.write_bytes(path.read_bytes()[:RECORD_BYTES] + bytes(7 * RECORD_BYTES))
    without_mark(tmp_path)
    with small(tmp_path) as journal:
        assert (len(contents(journal)), journal.repaired) == (6, (8, 2))
        journal.append(3, b"after", 10)
        journal.commit()
    with small(tmp_path) as journal:
        assert contents(journal)[6:] == [(3, b"after", 10)]


def test_who_appends_hears_of_it_when_the_committed_hook_says_so(tmp_path: Path) -> None:
    held = []
    with Committer(small(tmp_path), lambda sequence, done: held.append((sequence, done))) as committer:
        first, second = committer.append(*entry(1)), committer.append(*entry(2))
        while not held or held[-1][0] < 3:
            pass
        assert not first.done()
        for _, done in held:
            done(None)
        assert first.result(10) < second.result(10)
        held.clear()
        third = committer.append(*entry(3))
        while not held:
            pass
        held[0][1](JournalFailedError("fenced"))
        with pytest.raises(JournalFailedError, match="fenced"):
            third.result(10)
        committer.refuse("no primary any more")
        with pytest.raises(JournalFailedError, match="no primary any more"):
            committer.append(*entry(4))
