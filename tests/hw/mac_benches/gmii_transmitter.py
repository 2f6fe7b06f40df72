"""GmiiTransmitter before cocotbext-eth's GmiiSink."""

from __future__ import annotations

import random
from itertools import pairwise

import cocotb
from cocotb.triggers import RisingEdge
from cocotbext.eth import GmiiSink

from tests.hw.mac_benches.monitor import ERROR, Bench, Sender, beats

SIZES = [*range(1, 129), 512, 1514, 1518, 9214]


async def begin(dut) -> tuple[Bench, Sender, GmiiSink]:
    sink = GmiiSink(dut.tx_data, dut.tx_error, dut.tx_enable, dut.clk, dut.rst)
    bench = await Bench(dut, wire=(dut.tx_data, dut.tx_enable, dut.tx_error)).start(8)
    await bench.wait(10)
    return bench, Sender(bench), sink


def check_frames(bench: Bench, sink: GmiiSink, expected: list[bytes]) -> None:
    for frame in expected:
        got = sink.recv_nowait()
        assert got.error is None
        assert got.check_fcs()
        assert got.get_payload() == frame.ljust(60, b"\0")
    assert sink.empty()
    # The peer leaves out the first byte, so the whole preamble is looked for on the wire.
    assert all(sent.data.startswith(bytes(7 * [0x55] + [0xD5])) for sent in bench.sent)
    assert bench.sfd == [sent.cycle + 7 for sent in bench.sent]
    assert dict(bench.counts) == {"frames_sent": len(expected)}


def gaps(bench: Bench) -> list[int]:
    return [after.cycle - before.end_cycle for before, after in pairwise(bench.sent)]


@cocotb.test()
async def back_to_back(dut):
    """Every size, and the gap is 12 bytes."""
    bench, sender, sink = await begin(dut)
    rng = random.Random(1)
    expected = [rng.randbytes(size) for size in [*SIZES, *rng.choices(range(60, 100), k=60)]]
    for frame in expected:
        await sender.send(frame)
    await bench.wait(120)
    check_frames(bench, sink, expected)
    assert set(gaps(bench)) == {12}


@cocotb.test()
async def idle_line(dut):
    """The preamble a cycle after the first beat was offered, always."""
    bench, sender, sink = await begin(dut)
    rng, expected = random.Random(2), []
    for _ in range(80):
        expected.append(rng.randbytes(rng.randrange(1, 140)))
        await sender.send(expected[-1])
        await bench.wait(rng.randrange(100, 120))
    check_frames(bench, sink, expected)
    assert [sent.cycle for sent in bench.sent] == [cycle + 1 for cycle in bench.offered]


@cocotb.test()
async def now_and_then(dut):
    bench, sender, sink = await begin(dut)
    rng, expected = random.Random(3), []
    for _ in range(150):
        expected.append(rng.randbytes(rng.randrange(1, 140)))
        await sender.send(expected[-1])
        await bench.wait(rng.randrange(0, 100))
    await bench.wait(150)
    check_frames(bench, sink, expected)
    assert min(gaps(bench)) == 12


@cocotb.test()
async def an_empty_last_beat(dut):
    """A frame whose last beat has no bytes ends with the beat before it."""
    bench, sender, sink = await begin(dut)
    rng, expected = random.Random(4), [b""]
    await sender.send_payloads([1 << 64])
    for size in (8, 16, 56, 64, 72):
        expected.append(rng.randbytes(size))
        await sender.send_payloads([*(each & ~(1 << 64) for each in beats(expected[-1])), 1 << 64])
    await bench.wait(150)
    check_frames(bench, sink, expected)


@cocotb.test()
async def holes(dut):
    """No beat when it was needed: four bytes with an error, the rest is dropped, the next frame is good."""
    bench, sender, sink = await begin(dut)
    rng, good, broken = random.Random(5), [], 0
    edge = RisingEdge(dut.clk)
    for _ in range(100):
        frame = rng.randbytes(rng.randrange(9, 140))
        payloads = beats(frame)
        hole = rng.choice([None, rng.randrange(1, len(payloads))])
        if hole is None:
            await sender.send(frame)
            good.append(frame)
        else:
            await sender.send_payloads(payloads[:hole])
            await bench.wait(rng.randrange(20, 60))
            await sender.send_payloads(payloads[hole:])
            broken += 1
        await edge
    await bench.wait(150)
    received = [sink.recv_nowait() for _ in range(100)]
    assert sink.empty()
    whole = [each for each in received if each.error is None]
    assert [bytes(each.get_payload()) for each in whole] == [frame.ljust(60, b"\0") for frame in good]
    assert all(each.check_fcs() for each in whole)
    assert all(each.error[-4:] == [1] * 4 for each in received if each.error is not None)
    assert sum(sent.end == ERROR for sent in bench.sent) == broken
    assert dict(bench.counts) == {"frames_sent": len(good), "underruns": broken}
    assert min(gaps(bench)) >= 12
