"""XgmiiTransmitter into XgmiiReceiver."""

from __future__ import annotations

import random

import cocotb

from tests.hw.mac_benches.monitor import Bench, Sender


@cocotb.test()
async def what_is_sent_is_received(dut):
    bench = await Bench(dut).start()
    sender, rng = Sender(bench), random.Random(1)
    sizes = [rng.choice([rng.randrange(1, 140), rng.randrange(60, 70), 1522]) for _ in range(600)]
    expected, broken = [], 0
    for size in sizes:
        frame = rng.randbytes(size)
        hole = rng.randrange(1, -(-size // 8)) if size > 8 and rng.random() < 0.1 else None
        await sender.send(frame, hole=hole)
        if hole is None:
            expected.append(frame.ljust(60, b"\0"))
        broken += hole is not None
        await bench.wait(rng.choice([0, 0, 0, 1, 2, 3, 5, 20]))
    await bench.wait(20)
    assert bench.none_open()
    assert [got.data for got in bench.got if not got.bad] == expected
    assert sum(got.bad for got in bench.got) == broken
    assert dict(bench.counts) == {
        "frames_sent": len(expected),
        "frames_received": len(expected),
        "underruns": broken,
        "coding_errors": broken,
    }
