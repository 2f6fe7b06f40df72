"""The store: what it keeps, what it repairs, and that a kill -9 at any point loses nothing that went out."""

import os
import random
import signal
import subprocess
import sys
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from control.gateway.fix.store import MAGIC, FileStore, MemoryStore
from tests.shared_data import ROOT

KILLS = 25

steps = st.lists(
    st.one_of(
        st.tuples(st.just("sent"), st.one_of(st.none(), st.binary(max_size=40))),
        st.tuples(st.just("expect"), st.integers(1, 1 << 40)),
        st.tuples(st.just("set_next"), st.integers(1, 50)),
        st.tuples(st.just("reset"), st.integers(0, 1 << 60)),
    ),
    max_size=30,
)


def apply(store: MemoryStore | FileStore, step: tuple) -> None:
    name, value = step
    if name == "sent":
        store.sent(store.next_sent, value)
    else:
        getattr(store, name)(value)


def state(store: MemoryStore | FileStore) -> tuple:
    return store.next_sent, store.next_expected, store.created, list(store.messages(1, 100))


@given(steps, st.integers(0, 60), st.binary(max_size=30))
def test_a_torn_file_is_repaired_to_the_last_whole_record(
    tmp_path_factory: pytest.TempPathFactory, several: list, cut: int, noise: bytes
) -> None:
    path = tmp_path_factory.mktemp("store") / "session"
    store, model = FileStore(path), MemoryStore()
    states, sizes = [state(model)], [path.stat().st_size]
    for step in several:
        apply(store, step)
        apply(model, step)
        assert state(store) == state(model)
        states.append(state(model))
        sizes.append(path.stat().st_size)
    store.close()
    size = max(path.stat().st_size - cut, len(MAGIC))
    os.truncate(path, size)
    with path.open("ab") as file:
        file.write(noise)
    again = FileStore(path)
    whole = max(n for n, each in enumerate(sizes) if each <= size)
    assert state(again) == states[whole]
    assert again.repaired == size - sizes[whole] + len(noise)
    apply(again, ("sent", b"more"))
    expected = state(again)
    again.close()
    last = FileStore(path)
    assert (state(last), last.repaired) == (expected, 0)
    last.close()


def test_a_changed_byte_ends_the_file_there(tmp_path: Path) -> None:
    store = FileStore(tmp_path / "session")
    for n in range(1, 6):
        store.sent(n, b"message %d" % n)
    store.close()
    octets = bytearray(store.path.read_bytes())
    octets[octets.index(b"message 3")] ^= 1
    store.path.write_bytes(octets)
    again = FileStore(store.path)
    assert [n for n, _ in again.messages(1, 9)] == [1, 2]
    again.close()


def test_another_file_is_not_taken_for_a_store(tmp_path: Path) -> None:
    path = tmp_path / "letter"
    path.write_text("Dear Sir or Madam, this is no store of anything at all.")
    with pytest.raises(ValueError, match="no store"):
        FileStore(path)


def test_two_processes_do_not_share_a_store(tmp_path: Path) -> None:
    first = FileStore(tmp_path / "session")
    with pytest.raises(BlockingIOError):
        FileStore(tmp_path / "session")
    first.close()
    FileStore(tmp_path / "session").close()


def test_a_large_file_gives_way_at_a_reset(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("control.gateway.fix.store.COMPACT_BYTES", 1_000)
    store = FileStore(tmp_path / "session", durable=True)
    for n in range(1, 50):
        store.sent(n, b"x" * 50)
    store.reset(77)
    assert store.path.stat().st_size < 100
    store.sent(1, b"first")
    store.close()
    again = FileStore(store.path)
    assert state(again) == (2, 1, 77, [(1, b"first")])
    again.close()


WRITER = """
import os, sys
from pathlib import Path
from control.gateway.fix.store import FileStore
store = FileStore(Path(sys.argv[1]))
while True:
    n = store.next_sent
    store.sent(n, b"message %d " % n + b"x" * (n % 300))
    os.write(1, b"s%d\\n" % n)
    store.expect(store.next_expected + 1)
    os.write(1, b"e%d\\n" % store.next_expected)
"""


def test_a_kill_at_any_point_loses_nothing_that_went_out(tmp_path: Path, seed: int) -> None:
    rng, path = random.Random(seed), tmp_path / "session"
    sent = expected = 0
    for _ in range(KILLS):
        lines, wanted = list[bytes](), rng.randrange(1, 400)
        with subprocess.Popen([sys.executable, "-c", WRITER, path], stdout=subprocess.PIPE, cwd=ROOT) as process:
            assert process.stdout is not None
            while len(lines) < wanted:
                lines.append(process.stdout.readline())
            process.send_signal(signal.SIGKILL)
            lines += process.stdout.readlines()
        whole = [line for line in lines if line.endswith(b"\n")]
        sent = max([sent, *(int(line[1:]) for line in whole if line.startswith(b"s"))])
        expected = max([expected, *(int(line[1:]) for line in whole if line.startswith(b"e"))])
        store = FileStore(path)
        assert sent < store.next_sent <= sent + 2
        assert expected <= store.next_expected <= expected + 1
        kept = dict(store.messages(1, store.next_sent))
        assert sorted(kept) == list(range(1, store.next_sent))
        assert all(octets == b"message %d " % n + b"x" * (n % 300) for n, octets in kept.items())
        sent = store.next_sent - 1
        store.close()
