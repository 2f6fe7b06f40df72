"""Rings in shared memory: records come out as they went in, between processes, and what is lost is counted."""

import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from engine.live.rings import MAGIC, Ring, RingError
from wire.records import RECORD_LENGTH


def record(number: int) -> bytes:
    return number.to_bytes(8, "little") * (RECORD_LENGTH // 8)


def numbers(rows: np.ndarray) -> list[int]:
    words = np.ascontiguousarray(rows).view(np.int64)
    assert (words == words[:, :1]).all(), "a record is torn"
    return words[:, 0].tolist()


@settings(max_examples=100, deadline=None)
@given(steps=st.lists(st.tuples(st.booleans(), st.integers(1, 12)), max_size=60))
def test_a_ring_is_a_queue_that_loses_what_has_no_room(tmp_path_factory: pytest.TempPathFactory, steps) -> None:
    ring = Ring(tmp_path_factory.mktemp("ring") / "ring", 8)
    model: list[int] = []
    next_number = lost = 0
    for puts, count in steps:
        if puts:
            for _ in range(count):
                fits = len(model) < 8
                assert ring.put(record(next_number)) == fits
                if fits:
                    model.append(next_number)
                lost += not fits
                next_number += 1
        else:
            assert numbers(ring.take(count)) == model[:count]
            del model[:count]
        assert (len(ring), ring.lost) == (len(model), lost)


PRODUCER = """
import sys
from pathlib import Path
from engine.live.rings import Ring
ring, count = Ring(Path(sys.argv[1])), int(sys.argv[2])
for n in range(count):
    while not ring.put(n.to_bytes(8, "little") * 8):
        pass
"""


def test_records_between_processes_come_whole_and_in_order(tmp_path: Path) -> None:
    count = 100_000
    ring = Ring(tmp_path / "ring", 64)
    with subprocess.Popen([sys.executable, "-c", PRODUCER, str(ring.path), str(count)]) as producer:
        expected = 0
        while expected < count:
            got = numbers(ring.take())
            assert got == list(range(expected, expected + len(got)))
            expected += len(got)
            assert producer.poll() in (None, 0)
    assert len(ring) == 0


def test_what_is_no_ring_is_not_taken_for_one(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="capacity of 3 records"):
        Ring(tmp_path / "ring", 3)
    with pytest.raises(FileNotFoundError):
        Ring(tmp_path / "ring")
    Ring(tmp_path / "ring", 4)
    data = bytearray((tmp_path / "ring").read_bytes())
    assert int.from_bytes(data[:8], "little") == MAGIC
    data[8] += 1
    (tmp_path / "other").write_bytes(data)
    with pytest.raises(RingError, match="no ring of 64-byte records"):
        Ring(tmp_path / "other")
    (tmp_path / "short").write_bytes(b"x")
    with pytest.raises(RingError, match="1 bytes are no ring"):
        Ring(tmp_path / "short")
