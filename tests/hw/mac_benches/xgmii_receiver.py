"""XgmiiReceiver behind cocotbext-eth's XgmiiSource."""

from __future__ import annotations

import random
import zlib

import cocotb
from cocotbext.eth import XgmiiFrame, XgmiiSource

from tests.hw.cocotb_runner import parameters
from tests.hw.mac_benches.monitor import Bench, Got, Sent

SIZES = [*range(60, 129), 512, 1514, 1518, 1522]


async def begin(dut) -> tuple[Bench, XgmiiSource]:
    source = XgmiiSource(dut.rx_data, dut.rx_control, dut.clk, dut.rst)
    source.log.setLevel("WARNING")
    bench = await Bench(dut, wire=(dut.rx_data, dut.rx_control)).start()
    await bench.wait(10)
    return bench, source


async def drain(bench: Bench, source: XgmiiSource) -> None:
    await source.wait()
    await bench.wait(10)
    assert bench.none_open()


def check_latency(got: Got, sent: Sent) -> None:
    """Bytes leave 2 cycles after the word that completes their beat, the last beat 3 after the one with terminate."""
    first = sent.position + 8  # where on the wire the first byte was
    assert got.sfd == (sent.position + 7) // 8 + 2
    for n, cycle in enumerate(got.cycles[:-1]):
        assert cycle == (first + 8 * n + 7) // 8 + 2, f"beat {n} of a frame from lane {sent.lane}"
    assert got.cycles[-1] == sent.end_cycle + 3


def check_all(bench: Bench, expected: list[bytes], **counts: int) -> None:
    assert [got.data for got in bench.got if not got.bad] == expected
    for got, sent in zip(bench.got, bench.sent, strict=True):
        check_latency(got, sent)
    assert len(bench.got) == len(bench.sfd)
    assert dict(bench.counts) == {name: count for name, count in counts.items() if count}


@cocotb.test()
async def sizes(dut):
    """Every size in every start lane, back to back and with random gaps."""
    bench, source = await begin(dut)
    rng, expected = random.Random(1), []
    for gap in (12, None):
        for offset in (False, True):
            source.force_offset_start = offset
            for size in SIZES:
                frame = rng.randbytes(size)
                source.ifg = rng.randrange(12, 40) if gap is None else gap
                await source.send(XgmiiFrame.from_payload(frame))
                expected.append(frame)
                if gap is None:
                    await drain(bench, source)
            await drain(bench, source)
    check_all(bench, expected, frames_received=len(expected))
    assert {sent.lane for sent in bench.sent} == {0, 4}
    assert {(sent.lane, sent.end_lane) for sent in bench.sent} == {(s, e) for s in (0, 4) for e in range(8)}
    assert min(b.position - a.end_position for a, b in zip(bench.sent, bench.sent[1:], strict=False)) <= 12


@cocotb.test()
async def smallest_gap(dut):
    """Frames that follow the terminate character at once, in the next possible lane."""
    bench, source = await begin(dut)
    rng, expected = random.Random(2), []
    source.ifg, source.enable_dic = 1, False
    for size in [*range(60, 80), *rng.choices(range(60, 90), k=200)]:
        frame = rng.randbytes(size)
        await source.send(XgmiiFrame.from_payload(frame))
        expected.append(frame)
    await drain(bench, source)
    check_all(bench, expected, frames_received=len(expected))
    assert min(b.position - a.end_position for a, b in zip(bench.sent, bench.sent[1:], strict=False)) <= 4


@cocotb.test()
async def oversize(dut):
    """Beyond the maximum nothing is passed on, and the next frame is good."""
    maximum = parameters()["maximum"]
    bench, source = await begin(dut)
    rng = random.Random(3)
    lengths = [maximum - 4 + n for n in (-1, 0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 16)] + [max(9214, 2 * maximum)]
    expected, too_long = [], 0
    for offset in (False, True):
        source.force_offset_start = offset
        for length in lengths:
            frame, after = rng.randbytes(length), rng.randbytes(61)
            await source.send(XgmiiFrame.from_payload(frame))
            await source.send(XgmiiFrame.from_payload(after))
            await drain(bench, source)
            if length + 4 <= maximum:
                expected.append(frame)
            else:
                too_long += 1
                got = bench.got[-2]
                assert got.bad
                assert frame.startswith(got.data)
                assert maximum - 16 < len(got.data) <= maximum
            expected.append(after)
    assert [got.data for got in bench.got if not got.bad] == expected
    assert dict(bench.counts) == {"frames_received": len(expected), "oversize": too_long}


@cocotb.test()
async def runts(dut):
    """Whatever is shorter than 64 bytes is bad, with a right frame check sequence too."""
    bench, source = await begin(dut)
    rng = random.Random(4)
    for offset in (False, True):
        source.force_offset_start = offset
        for length in range(60):
            frame = rng.randbytes(length)
            await source.send(XgmiiFrame.from_payload(frame, min_len=0))
        for length in range(4):
            await source.send(XgmiiFrame.from_raw_payload(rng.randbytes(length)))
    await drain(bench, source)
    check_all(bench, [], runts=2 * 64)
    assert all(got.data == sent.frame()[:-4] for got, sent in zip(bench.got, bench.sent, strict=True))


@cocotb.test()
async def bit_errors(dut):
    """One bit wrong anywhere: the frame check sequence catches it, and the frames around are good."""
    bench, source = await begin(dut)
    rng, good = random.Random(5), 0
    wrong = [(length, bit) for length in (60, 61, 67) for bit in range(8 * (length + 4))]
    for length, bit in [*wrong, *((rng.choice(SIZES), None) for _ in range(50))]:
        frame = bytearray(rng.randbytes(length))
        frame += zlib.crc32(frame).to_bytes(4, "little")
        at = rng.randrange(8 * len(frame)) if bit is None else bit
        frame[at // 8] ^= 1 << at % 8
        await source.send(XgmiiFrame.from_raw_payload(frame))
        if rng.random() < 0.1:
            await source.send(XgmiiFrame.from_payload(rng.randbytes(60)))
            good += 1
    await drain(bench, source)
    assert sum(not got.bad for got in bench.got) == good
    assert dict(bench.counts) == {"frames_received": good, "fcs_errors": len(wrong) + 50}


@cocotb.test()
async def error_characters(dut):
    """A control character within a frame ends it, wherever it is."""
    bench, source = await begin(dut)
    rng = random.Random(6)
    for offset in (False, True):
        source.force_offset_start = offset
        for at in range(1, 8 + 64 + 1):
            frame = XgmiiFrame.from_payload(rng.randbytes(60))
            frame.data = frame.data[:at] + bytes([0xFE]) + frame.data[at + 1 :]
            frame.ctrl = [0] * at + [1] + [0] * (len(frame.data) - at - 1)
            await source.send(frame)
            await source.send(XgmiiFrame.from_payload(bytes(range(60))))
    await drain(bench, source)
    # In the preamble it is no frame; behind the last byte it is no error character but one too many.
    assert [got.data for got in bench.got if not got.bad] == [bytes(range(60))] * 2 * 72
    assert sum(got.bad for got in bench.got) == 2 * (72 - 7)
    assert dict(bench.counts) == {"frames_received": 2 * 72, "coding_errors": 2 * 72}


@cocotb.test()
async def preambles(dut):
    """A preamble too short, too long, without delimiter or with a wrong byte: no frame, and a coding error."""
    bench, source = await begin(dut)
    rng = random.Random(7)
    whole = bytes(7 * [0x55] + [0xD5])
    wrong = [whole[:n] + whole[n + 1 :] for n in (1, 7)] + [whole[:1] + whole, bytes(8 * [0x55])]
    wrong += [whole[:n] + bytes([whole[n] ^ 1 << bit]) + whole[n + 1 :] for n in range(1, 8) for bit in range(8)]
    for offset in (False, True):
        source.force_offset_start = offset
        for preamble in wrong:
            frame = XgmiiFrame.from_payload(rng.randbytes(60))
            await source.send(XgmiiFrame(preamble + bytes(frame.data[8:])))
            await source.send(XgmiiFrame.from_payload(bytes(range(60))))
    await drain(bench, source)
    count = 2 * len(wrong)
    assert [(got.data, got.bad) for got in bench.got] == [(bytes(range(60)), False)] * count
    assert dict(bench.counts) == {"frames_received": count, "coding_errors": count}


@cocotb.test()
async def link_faults(dut):
    """Four ordered sets make a fault, 128 columns without any end it; a frame in between is received."""
    bench, source = await begin(dut)
    for kind, port, other in ((1, dut.local_fault, dut.remote_fault), (2, dut.remote_fault, dut.local_fault)):
        before = bench.counts["faults"]
        source.set_seq_os(kind)
        for _ in range(20):
            await bench.wait(1)
            if port.value == 1:
                break
        assert port.value == 1
        assert other.value == 0
        assert bench.counts["faults"] - before in (1, 2)  # two sets in each of two words
        await bench.wait(50)
        source.set_seq_os(None)
        await bench.wait(3)
        seen = bench.counts["faults"]
        await bench.wait(30)
        await source.send(XgmiiFrame.from_payload(bytes(range(60))))
        await bench.wait(30)
        assert port.value == 1
        await bench.wait(10)
        assert port.value == 0
        assert bench.counts["faults"] == seen
    assert [got.data for got in bench.got] == [bytes(range(60))] * 2
    assert bench.counts["frames_received"] == 2


@cocotb.test()
async def other_ordered_sets(dut):
    """Ordered sets that are no fault change nothing."""
    bench, source = await begin(dut)
    source.set_seq_os(0)
    await bench.wait(50)
    source.set_seq_os(0x010001)
    await bench.wait(50)
    source.set_sig_os(1)
    await bench.wait(50)
    assert not bench.counts
    assert dut.local_fault.value == 0
    assert dut.remote_fault.value == 0
