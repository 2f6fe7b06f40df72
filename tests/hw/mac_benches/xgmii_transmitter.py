"""XgmiiTransmitter before cocotbext-eth's XgmiiSink."""

from __future__ import annotations

import random
from itertools import pairwise

import cocotb
from cocotbext.eth import XgmiiSink

from tests.hw.mac_benches.monitor import ERROR, SEQUENCE, START, TERMINATE, Bench, Sender

SIZES = [*range(60, 129), 512, 1514, 1518, 9214]


async def begin(dut) -> tuple[Bench, Sender, XgmiiSink]:
    sink = XgmiiSink(dut.tx_data, dut.tx_control, dut.clk, dut.rst)
    dut.local_fault.value = dut.remote_fault.value = 0
    bench = await Bench(dut, wire=(dut.tx_data, dut.tx_control)).start()
    await bench.wait(10)
    return bench, Sender(bench), sink


def check_frames(bench: Bench, sink: XgmiiSink, expected: list[bytes]) -> None:
    """What the peer got: frame check sequences right, padded with zeros."""
    for frame in expected:
        got = sink.recv_nowait()
        assert got.get_preamble() == bytes(7 * [0x55] + [0xD5])
        assert got.ctrl is None
        assert got.check_fcs()
        assert got.get_payload() == frame.ljust(60, b"\0")
    assert sink.empty()
    assert all(sent.end == TERMINATE for sent in bench.sent)
    # The delimiter is the seventh byte behind the start.
    assert bench.sfd == [(sent.position + 7) // 8 for sent in bench.sent]
    assert dict(bench.counts) == {"frames_sent": len(expected)}


def check_gaps(bench: Bench) -> list[int]:
    """No gap is more than 3 bytes too short, and never are more than 3 owed."""
    gaps = [after.position - before.end_position for before, after in pairwise(bench.sent)]
    owed = 0
    for gap in gaps:
        owed = max(0, owed + 12 - gap)
        assert gap >= 9
        assert owed <= 3
    return gaps


@cocotb.test()
async def idle_line(dut):
    """Preamble a cycle after the first beat was offered, the beats a cycle behind it: always."""
    bench, sender, sink = await begin(dut)
    rng, expected = random.Random(1), []
    for size in SIZES:
        frame = rng.randbytes(size)
        await sender.send(frame)
        expected.append(frame)
        await bench.wait(rng.randrange(8, 20))
    await bench.wait(10)
    check_frames(bench, sink, expected)
    assert [(sent.cycle, sent.lane) for sent in bench.sent] == [(cycle + 1, 0) for cycle in bench.offered]
    # Beats are taken at once, then one a cycle.
    assert bench.taken == [cycle + n for cycle, size in zip(bench.offered, SIZES, strict=True) for n in range(-(-size // 8))]


@cocotb.test()
async def padding(dut):
    """Frames shorter than 60 bytes, even of one, are filled with zeros."""
    bench, sender, sink = await begin(dut)
    rng = random.Random(2)
    expected = [rng.randbytes(size) for size in range(1, 61)] + [rng.randbytes(rng.randrange(1, 70)) for _ in range(200)]
    for frame in expected:
        await sender.send(frame)
    await bench.wait(20)
    check_frames(bench, sink, expected)
    check_gaps(bench)


@cocotb.test()
async def gaps(dut):
    """Thousands of frames back to back: the gap is 12 bytes on average, and a start is in both lanes."""
    bench, sender, sink = await begin(dut)
    rng = random.Random(3)
    sizes = [size for size in SIZES if size < 1000] * 3 + [rng.randrange(60, 140) for _ in range(2500)]
    expected = [rng.randbytes(size) for size in sizes]
    for frame in expected:
        await sender.send(frame)
    await bench.wait(30)
    check_frames(bench, sink, expected)
    found = check_gaps(bench)
    assert 12 * len(found) - 3 <= sum(found) <= 12 * len(found)
    assert set(found) == set(range(9, 16))
    assert {(sent.lane, sent.end_lane) for sent in bench.sent} == {(s, e) for s in (0, 4) for e in range(8)}


@cocotb.test()
async def now_and_then(dut):
    """Frames with pauses of 0 to some cycles between."""
    bench, sender, sink = await begin(dut)
    rng = random.Random(4)
    expected = [rng.randbytes(rng.randrange(1, 140)) for _ in range(1500)]
    for frame in expected:
        await sender.send(frame)
        await bench.wait(rng.choice([0, 0, 0, 1, 2, 3, 4, 5, 6, 7]))
    await bench.wait(30)
    check_frames(bench, sink, expected)
    check_gaps(bench)


@cocotb.test()
async def holes(dut):
    """A hole within a frame: error characters, the rest is dropped, the next frame is good."""
    bench, sender, sink = await begin(dut)
    rng, good, broken = random.Random(5), [], 0
    for _ in range(400):
        frame = rng.randbytes(rng.randrange(9, 140))
        beats = -(-len(frame) // 8)
        hole = rng.choice([None, rng.randrange(1, beats), beats - 1])
        await sender.send(frame, hole=hole)
        if hole is None:
            good.append(frame)
        else:
            broken += 1
        await bench.wait(rng.choice([0, 0, 3, 10]))
    await bench.wait(30)
    received = [sink.recv_nowait() for _ in range(400)]
    assert sink.empty()
    whole = [each for each in received if each.ctrl is None]
    assert [bytes(each.get_payload()) for each in whole] == [frame.ljust(60, b"\0") for frame in good]
    assert all(each.check_fcs() for each in whole)
    assert all(each.data[-1] == ERROR for each in received if each.ctrl is not None)
    assert dict(bench.counts) == {"frames_sent": len(good), "underruns": broken}
    assert len(bench.sfd) == 400
    for before, after in pairwise(bench.sent):  # terminate is behind four error characters
        assert after.position - before.end_position >= 9 + (4 if before.end == ERROR else 0)


@cocotb.test()
async def faults(dut):
    """While the link has a fault no frame begins; a local one is answered."""
    bench, sender, sink = await begin(dut)
    rng = random.Random(6)
    for local, remote, word in (
        (1, 0, (int.from_bytes(2 * bytes([SEQUENCE, 0, 0, 2]), "little"), 0x11)),
        (0, 1, (0x0707070707070707, 0xFF)),
    ):
        first, second = rng.randbytes(100), rng.randbytes(100)
        sending = cocotb.start_soon(sender.send(first))
        await bench.wait(5)
        dut.local_fault.value, dut.remote_fault.value = local, remote  # the frame that has begun is ended
        await sending
        sending = cocotb.start_soon(sender.send(second))
        await bench.wait(12)
        for _ in range(100):
            assert (int(dut.tx_data.value), int(dut.tx_control.value)) == word
            await bench.wait(1)
        assert sink.recv_nowait().get_payload() == first
        assert sink.empty()
        dut.local_fault.value = dut.remote_fault.value = 0
        await sending
        await bench.wait(20)
        assert sink.recv_nowait().get_payload() == second
        assert sink.get_os()[0] == (2 if local else None)
    assert START not in (sent.end for sent in bench.sent)
    assert dict(bench.counts) == {"frames_sent": 4}
