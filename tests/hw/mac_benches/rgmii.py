"""RgmiiReceiver and RgmiiTransmitter with pins on both edges, behind and before cocotbext-eth's models."""

from __future__ import annotations

import random

import cocotb
from cocotb.triggers import FallingEdge, RisingEdge, Timer
from cocotbext.eth import GmiiFrame, RgmiiSink, RgmiiSource

from tests.hw.mac_benches.monitor import Bench, Sender

SIZES = [*range(60, 80), 512, 1518]


async def late_clock(dut) -> None:
    """TXC, 2 ns behind the clock."""
    while True:
        await RisingEdge(dut.clk)
        await Timer(2, "ns")
        dut.txc.value = 1
        await FallingEdge(dut.clk)
        await Timer(2, "ns")
        dut.txc.value = 0


@cocotb.test()
async def receives(dut):
    source = RgmiiSource(dut.rxd, dut.rx_ctl, dut.clk, dut.rst)
    bench = await Bench(dut).start(8)
    rng, expected, errors = random.Random(1), [], 0
    await bench.wait(10)
    for size in SIZES * 2:
        frame = rng.randbytes(size)
        sent = GmiiFrame.from_payload(frame)
        if rng.random() < 0.3:
            sent.error = [0] * len(sent.data)
            sent.error[rng.randrange(8, len(sent.data))] = 1
            errors += 1
        else:
            expected.append(frame)
        await source.send(sent)
    await source.wait()
    await bench.wait(20)
    assert bench.none_open()
    assert [got.data for got in bench.got if not got.bad] == expected
    assert dict(bench.counts) == {"frames_received": len(expected), "coding_errors": errors}


@cocotb.test()
async def sends(dut):
    cocotb.start_soon(late_clock(dut))
    sink = RgmiiSink(dut.txd, dut.tx_ctl, dut.txc, dut.rst)
    bench = await Bench(dut).start(8)
    sender, rng = Sender(bench), random.Random(2)
    await bench.wait(10)
    expected, broken = [], 0
    for size in SIZES * 2:
        frame = rng.randbytes(size)
        if rng.random() < 0.3:
            payload = int.from_bytes(frame[:8], "little") | 8 << 65
            await sender.send_payloads([payload])
            await bench.wait(30)
            await sender.send_payloads([payload | 1 << 64])
            expected.append(None)
            broken += 1
        else:
            await sender.send(frame)
            expected.append(frame)
    await bench.wait(40)
    for frame in expected:
        got = sink.recv_nowait()
        if frame is None:
            assert got.error[-4:] == [1] * 4
        else:
            assert got.error is None
            assert got.check_fcs()
            assert got.get_payload() == frame
    assert sink.empty()
    assert dict(bench.counts) == {"frames_sent": len(expected) - broken, "underruns": broken}
