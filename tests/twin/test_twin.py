"""The harness of the twin, over a card that echoes: nothing is lost, nothing is mixed up, and time is
told."""

import threading
import time

import numpy as np
import pytest

from sim.twin import BuildError, Mode, Twin, TwinStuckError, build
from sim.twin.build import cache_directory
from tests.twin.stand_in import MAGIC, stand_in
from wire.records import INPUT, Port

pytestmark = [pytest.mark.twin, pytest.mark.gateware]


def batch(rng, count, ports=tuple(Port), longest=100):
    """Random inputs: array, buffer, and the bytes of each."""
    inputs, pieces, offset = np.zeros(count, INPUT), [], 0
    stamp = 1_000
    for each in inputs:
        port = int(rng.choice(ports))
        length = {Port.COMMAND: 64, Port.TICK: 0}.get(port, int(rng.integers(1, longest)))
        piece = rng.bytes(length)
        stamp += int(rng.integers(0, 1 << 40))
        each["timestamp"], each["offset"], each["length"], each["port"] = stamp, offset, length, port
        pieces.append(piece)
        offset += length
    return inputs, b"".join(pieces), pieces


def packets(run):
    return [bytes(run.payload[o["offset"] : o["offset"] + o["length"]]) for o in run.outputs]


def echoes(inputs, pieces):
    """What comes back as orders and as events."""
    orders = [
        (int(each["timestamp"]), i, piece if each["port"] != Port.TICK else b"\0")
        for i, (each, piece) in enumerate(zip(inputs, pieces, strict=True))
        if each["port"] != Port.COMMAND
    ]
    events = [p for each, p in zip(inputs, pieces, strict=True) if each["port"] == Port.COMMAND]
    return orders, events


@pytest.fixture(scope="module")
def twin():
    with Twin(stand_in()) as twin:
        yield twin


@pytest.mark.parametrize("capacity", [1, 7, 65536])
def test_serial_batch_comes_back_whole_and_in_order(rng, capacity):
    inputs, buffer, pieces = batch(rng, 300)
    orders, events = echoes(inputs, pieces)
    with Twin(stand_in(), capacity=capacity) as twin:
        run = twin.process(inputs, buffer)
    stamps, causes = run.outputs["timestamp"].tolist(), run.outputs["cause"].tolist()
    assert list(zip(stamps, causes, packets(run), strict=True)) == orders
    assert [each.tobytes() for each in run.events] == events


def test_streaming_keeps_each_port_in_order_and_loses_nothing(twin, rng):
    inputs, buffer, pieces = batch(rng, 500)
    run = twin.process(inputs, buffer, mode=Mode.STREAMING)
    orders, events = echoes(inputs, pieces)
    assert sorted(packets(run)) == sorted(piece for _, _, piece in orders)
    assert [each.tobytes() for each in run.events] == events
    for port in (Port.FEED_A, Port.FEED_B, Port.RECOVERY, Port.SESSION):
        sent = [p for each, p in zip(inputs, pieces, strict=True) if each["port"] == port]
        assert [p for p in packets(run) if p in set(sent)] == sent


def test_cycle_stamps_are_those_of_first_and_last_beat(twin):
    inputs = np.array([(5, 0, 64, Port.FEED_A), (6, 64, 3, Port.FEED_B), (7, 67, 9, Port.SESSION)], INPUT)
    run = twin.process(inputs, bytes(76))
    first, last = run.input_cycles[:, 0], run.input_cycles[:, 1]
    assert (last - first).tolist() == [7, 0, 1]
    assert (first[1:] > last[:-1]).all()
    # Taken, written to the queue, read from it: the same for every packet.
    assert len(set((run.output_cycles - first).tolist())) == 1
    assert twin.cycles > run.output_cycles[-1]


def test_serial_waits_until_the_card_is_idle(rng):
    inputs, buffer, _ = batch(rng, 40, ports=(Port.FEED_A, Port.FEED_B))
    with Twin(stand_in(pause=50)) as twin:
        cycles = twin.process(inputs, buffer).input_cycles.astype(int)
    assert (cycles[1:, 0] - cycles[:-1, 1]).min() > 50


def test_an_empty_chunk_is_one_beat_with_no_bytes(twin):
    run = twin.process(np.array([(1, 0, 0, Port.SESSION)], INPUT), b"")
    assert packets(run) == [b""]


def test_batches_follow_each_other_and_reset_starts_anew(rng):
    inputs, buffer, pieces = batch(rng, 20, ports=(Port.FEED_A,))
    with Twin(stand_in()) as twin:
        assert twin.process(inputs, buffer).outputs["cause"].tolist() == list(range(20))
        assert twin.process(inputs, buffer).outputs["cause"].tolist() == list(range(20, 40))
        before = twin.cycles
        twin.reset()
        assert twin.cycles < before
        again = twin.process(inputs, buffer)
    assert again.outputs["cause"].tolist() == list(range(20))
    assert packets(again) == pieces


def test_an_empty_batch_does_nothing(twin):
    run = twin.process(np.zeros(0, INPUT), b"")
    assert [len(each) for each in run] == [0, 0, 0, 0, 0]


def test_registers_are_read_and_written(twin, rng):
    taken = twin.csr_read(4)
    twin.csr_write(8, 0xDEADBEEF)
    inputs, buffer, _ = batch(rng, 10)
    twin.process(inputs, buffer)
    assert (twin.csr_read(0), twin.csr_read(4), twin.csr_read(8)) == (MAGIC, taken + 10, 0xDEADBEEF)


def test_a_card_that_takes_nothing_is_named_with_the_port():
    refusal = pytest.raises(TwinStuckError, match="feed_b was not ready for input 0 at byte 0")
    with Twin(stand_in(deaf=True), patience=1000) as twin, refusal:
        twin.process(np.array([(1, 0, 8, Port.FEED_B)], INPUT), bytes(8))


@pytest.mark.parametrize(
    ("wrong", "message"),
    [
        ((0, 0, 9, Port.FEED_A), "reaches behind the buffer of 8 bytes"),
        ((0, (1 << 64) - 4, 8, Port.FEED_A), "reaches behind the buffer"),
        ((0, 0, 8, 6), "ports are 0 to 5"),
        ((0, 0, 8, Port.COMMAND), "a command has 64 bytes"),
    ],
)
def test_inputs_that_make_no_sense_are_refused(twin, wrong, message):
    with pytest.raises(ValueError, match=message):
        twin.process(np.array([wrong], INPUT), bytes(8))


def test_closed_twin_says_so():
    twin = Twin(stand_in())
    twin.close()
    with pytest.raises(ValueError, match="closed"):
        twin.csr_read(0)


def test_other_threads_run_while_the_card_does(rng):
    inputs, buffer, _ = batch(rng, 20_000, ports=(Port.FEED_A,))
    ticks, stop = [], threading.Event()

    def count():
        while not stop.is_set():
            ticks.append(time.monotonic())
            time.sleep(0.001)

    with Twin(stand_in(pause=40)) as twin:
        thread = threading.Thread(target=count)
        thread.start()
        start = time.monotonic()
        twin.process(inputs, buffer)
        end = time.monotonic()
        stop.set()
        thread.join()
    assert sum(start < each < end for each in ticks) > 50 * (end - start)


def test_second_build_is_found_without_elaboration():
    build(stand_in())
    design = stand_in()
    object.__setattr__(design, "make", None)
    said = []
    assert build(design, report=said.append).exists()
    assert said == []


def test_a_comment_in_the_sources_compiles_nothing(tmp_path):
    library = build(stand_in())
    copy = tmp_path / "stand_in.py"
    copy.write_text("# a comment\n")
    design = stand_in()
    object.__setattr__(design, "sources", (copy,))
    said = []
    assert build(design, report=said.append) == library
    assert not any("g++" in each for each in said)


def test_a_patched_card_is_another_one():
    patched = stand_in(patch=(f"32'd{MAGIC}", f"32'd{MAGIC + 1}"))
    with Twin(patched) as twin:
        assert twin.csr_read(0) == MAGIC + 1
    with pytest.raises(BuildError, match="found nowhere"):
        build(stand_in(patch=("no such text", "")))
    assert cache_directory().is_dir()
