"""GmiiReceiver behind cocotbext-eth's GmiiSource."""

from __future__ import annotations

import random
import zlib

import cocotb
from cocotb.triggers import RisingEdge
from cocotbext.eth import GmiiFrame, GmiiSource

from tests.hw.cocotb_runner import parameters
from tests.hw.mac_benches.monitor import Bench

SIZES = [*range(60, 129), 512, 1514, 1518, 1522]


async def begin(dut) -> tuple[Bench, GmiiSource]:
    source = GmiiSource(dut.rx_data, dut.rx_error, dut.rx_valid, dut.clk, dut.rst)
    bench = await Bench(dut, wire=(dut.rx_data, dut.rx_valid, dut.rx_error)).start(8)
    await bench.wait(10)
    return bench, source


async def drain(bench: Bench, source: GmiiSource) -> None:
    await source.wait()
    await bench.wait(10)
    assert bench.none_open()


def check_all(bench: Bench, expected: list[bytes], **counts: int) -> None:
    """What came out, when, and every counter."""
    assert [got.data for got in bench.got if not got.bad] == expected
    for got, sent in zip(bench.got, bench.sent, strict=True):
        first = sent.cycle + sent.data.index(0xD5) + 1  # the cycle of the first byte
        assert got.sfd == first
        # A beat 6 cycles after its last byte, the last one 1 cycle after the first without a byte.
        assert got.cycles[:-1] == [first + 8 * n + 7 + 6 for n in range(len(got.cycles) - 1)]
        assert got.cycles[-1] == sent.end_cycle + 1
    assert dict(bench.counts) == {name: count for name, count in counts.items() if count}


@cocotb.test()
async def sizes(dut):
    bench, source = await begin(dut)
    rng, expected = random.Random(1), []
    for size in SIZES:
        expected.append(rng.randbytes(size))
        source.ifg = rng.choice([12, 12, rng.randrange(1, 40)])
        await source.send(GmiiFrame.from_payload(expected[-1]))
    await drain(bench, source)
    check_all(bench, expected, frames_received=len(expected))


@cocotb.test()
async def oversize(dut):
    maximum = parameters()["maximum"]
    bench, source = await begin(dut)
    rng, expected, too_long = random.Random(2), [], 0
    for length in [maximum - 4 + n for n in (-1, 0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 16)] + [9214]:
        frame, after = rng.randbytes(length), rng.randbytes(61)
        await source.send(GmiiFrame.from_payload(frame))
        await source.send(GmiiFrame.from_payload(after))
        await drain(bench, source)
        if length + 4 <= maximum:
            expected.append(frame)
        else:
            too_long += 1
            assert bench.got[-2].bad
            assert bench.got[-2].data == frame[: maximum - 4]
        expected.append(after)
    assert [got.data for got in bench.got if not got.bad] == expected
    assert dict(bench.counts) == {"frames_received": len(expected), "oversize": too_long}


@cocotb.test()
async def runts(dut):
    bench, source = await begin(dut)
    rng = random.Random(3)
    for length in range(60):
        await source.send(GmiiFrame.from_payload(rng.randbytes(length), min_len=0))
    for length in range(4):
        await source.send(GmiiFrame.from_raw_payload(rng.randbytes(length)))
    await drain(bench, source)
    check_all(bench, [], runts=64)
    for got, sent in zip(bench.got, bench.sent, strict=True):
        assert got.data == bytes(sent.data[8:-4] if len(sent.data) > 12 else b"")


@cocotb.test()
async def bit_errors(dut):
    """One bit wrong anywhere is caught."""
    bench, source = await begin(dut)
    rng = random.Random(4)
    for bit in range(8 * 65):
        frame = bytearray(rng.randbytes(61))
        frame += zlib.crc32(frame).to_bytes(4, "little")
        frame[bit // 8] ^= 1 << bit % 8
        await source.send(GmiiFrame.from_raw_payload(frame))
    await drain(bench, source)
    check_all(bench, [], fcs_errors=8 * 65)


@cocotb.test()
async def errors(dut):
    """An error anywhere in a frame or a preamble."""
    bench, source = await begin(dut)
    rng, good = random.Random(5), bytes(range(60))
    for at in range(8 + 64):
        frame = GmiiFrame.from_payload(rng.randbytes(60))
        frame.error = [0] * at + [1] + [0] * (len(frame.data) - at - 1)
        await source.send(frame)
        await source.send(GmiiFrame.from_payload(good))
    await drain(bench, source)
    assert [got.data for got in bench.got if not got.bad] == [good] * 72
    assert sum(got.bad for got in bench.got) == 64  # in the preamble it is no frame
    assert dict(bench.counts) == {"frames_received": 72, "coding_errors": 72}


@cocotb.test()
async def preambles(dut):
    """A preamble of any length is taken; one with another byte, or without an end, is not."""
    bench, source = await begin(dut)
    rng, expected = random.Random(6), []
    for length in range(20):
        frame = rng.randbytes(60)
        whole = frame + zlib.crc32(frame).to_bytes(4, "little")
        await source.send(GmiiFrame(bytes(length * [0x55]) + b"\xd5" + whole))
        expected.append(frame)
    wrong = [bytes(n * [0x55]) + bytes([0x55 ^ 1 << bit]) for n in range(7) for bit in range(8)]
    wrong = [preamble for preamble in wrong if preamble[-1] != 0xD5]
    for preamble in wrong:
        await source.send(GmiiFrame(preamble + b"\xd5" + bytes(64)))
        await source.send(GmiiFrame.from_payload(expected[0]))
        expected.append(expected[0])
    for length in range(1, 10):
        await source.send(GmiiFrame(bytes(length * [0x55])))
    await drain(bench, source)
    assert [(got.data, got.bad) for got in bench.got] == [(frame, False) for frame in expected]
    assert dict(bench.counts) == {"frames_received": len(expected), "coding_errors": len(wrong) + 9}


@cocotb.test()
async def false_carriers(dut):
    bench, source = await begin(dut)
    edge, after = RisingEdge(dut.clk), GmiiFrame.from_payload(bytes(60))
    for length in (1, 2, 5, 40):
        dut.rx_error.value, dut.rx_data.value = 1, 0x0E
        for _ in range(length):
            await edge
        dut.rx_error.value = 0
        await bench.wait(3)
        dut.rx_error.value, dut.rx_data.value = 1, 0x0F  # carrier extension is none
        await bench.wait(3)
        dut.rx_error.value = 0
        await source.send(after)
        await drain(bench, source)
    assert dict(bench.counts) == {"frames_received": 4, "faults": 4}
