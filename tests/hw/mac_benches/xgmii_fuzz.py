"""XgmiiReceiver under words that no transmitter sends, against a receiver that takes them byte by byte."""

from __future__ import annotations

import random
import zlib
from collections import Counter
from dataclasses import dataclass, field

import cocotb
from cocotb.triggers import RisingEdge

from tests.hw.cocotb_runner import parameters
from tests.hw.mac_benches.monitor import ERROR, IDLE, IDLE_WORD, SEQUENCE, START, TERMINATE, Bench

PREAMBLE = bytes(6 * [0x55] + [0xD5])


@dataclass
class Reference:
    """IEEE 802.3 clauses 3.2, 4.2.9 and 46.2 taken literally: a character at a time.

    ``frames`` has what a frame held and why it is bad, or None. A word counts at most one coding error.
    """

    maximum: int
    frames: list[tuple[bytes, str | None]] = field(default_factory=list)
    counts: Counter[str] = field(default_factory=Counter)
    _preamble: bytes | None = None  # what is missing of it
    _frame: bytearray | None = None

    def word(self, data: int, control: int) -> None:
        octets = [(data >> 8 * lane & 0xFF, bool(control >> lane & 1)) for lane in range(8)]
        faults = [[(SEQUENCE, True), (0, False), (0, False), (kind, False)] for kind in (1, 2)]
        self.counts["faults"] += octets[:4] in faults or octets[4:] in faults
        coding_error = False
        for lane, (octet, is_control) in enumerate(octets):
            if self._preamble is not None:
                if is_control or octet != self._preamble[0]:
                    coding_error, self._preamble = True, None
                else:
                    self._preamble = self._preamble[1:]
                    if not self._preamble:
                        self._preamble, self._frame = None, bytearray()
                    continue
            elif self._frame is not None and not is_control:
                self._frame.append(octet)
                if len(self._frame) > self.maximum:
                    self._end("oversize")
                continue
            elif self._frame is not None and octet == TERMINATE:
                good = zlib.crc32(self._frame[:-4]).to_bytes(4, "little") == self._frame[-4:]
                self._end("runts" if len(self._frame) < 64 else None if good else "fcs_errors")
                continue
            elif self._frame is not None:
                self._end("coding_errors")
                coding_error = True
            if is_control and octet == START:
                if lane % 4:
                    coding_error = True
                else:
                    self._preamble = PREAMBLE
        self.counts["coding_errors"] += coding_error

    def _end(self, why: str | None) -> None:
        self.frames.append((bytes(self._frame), why))
        self._frame = None
        if why != "coding_errors":
            self.counts[why or "frames_received"] += 1


def stream(rng: random.Random, maximum: int) -> list[int]:
    """Characters of a line, 256 + the octet for a control character: frames, then what goes wrong with them."""
    line: list[int] = []

    def control(character: int) -> int:
        return 256 + character

    for _ in range(60):
        line += [control(IDLE)] * rng.choice([0, 1, 4, 8, 11, 12, 13, 20])
        if rng.random() < 0.9:
            line += [control(IDLE)] * (-len(line) % 4)
        size = rng.choice([rng.randrange(0, 12), rng.randrange(50, 80), 60, maximum - 4, maximum + rng.randrange(-12, 24)])
        frame = rng.randbytes(size)
        frame += zlib.crc32(frame).to_bytes(4, "little")
        line += [control(START), *PREAMBLE, *frame, control(TERMINATE)]
    if rng.random() < 0.8:
        for _ in range(rng.randrange(1, 40)):
            at = rng.randrange(len(line))
            kind = rng.choice([0, 0, 0, 0, 1, 2, 3, 4, 5])
            if kind == 0:
                line[at] = rng.randrange(256)
            elif kind == 1:
                line[at] = control(rng.choice([IDLE, START, TERMINATE, ERROR, SEQUENCE, rng.randrange(256)]))
            elif kind == 2:
                del line[at : at + rng.choice([1, 4, 8, rng.randrange(40)])]
            elif kind == 3:
                at = at & ~3
                line[at:at] = [control(SEQUENCE), 0, 0, rng.choice([1, 2, 3])] * rng.randrange(1, 3)
            elif kind == 4:
                at = at & ~rng.choice([0, 3, 7])
                line[at:at] = [control(START), *PREAMBLE, *rng.randbytes(rng.randrange(20))]
            else:
                at = at & ~rng.choice([0, 3, 7])
                line[at : at + 8] = [control(START), *PREAMBLE]
    line += [control(IDLE)] * (8 - len(line) % 8)
    return line


@cocotb.test()
async def any_words(dut):
    """Every frame, verdict and counter as the byte by byte receiver has them; one end for each beginning."""
    maximum, streams = parameters()["maximum"], parameters()["streams"]
    rng, seen = random.Random(parameters()["seed"]), Counter()
    bench = await Bench(dut).start()
    dut.rx_data.value, dut.rx_control.value = IDLE_WORD
    edge = RisingEdge(dut.clk)
    await bench.wait(10)
    for _ in range(streams):
        reference = Reference(maximum)
        bench.got.clear()
        bench.counts.clear()
        line = stream(rng, maximum)
        words = [line[n : n + 8] for n in range(0, len(line), 8)] + 2 * [8 * [256 + IDLE]]
        for word in words:
            data = int.from_bytes([each & 0xFF for each in word], "little")
            control = sum((each >> 8) << lane for lane, each in enumerate(word))
            reference.word(data, control)
            await edge
            dut.rx_data.value, dut.rx_control.value = data, control
        await bench.wait(8)
        assert bench.none_open()
        assert len(bench.got) == len(reference.frames)
        for got, (frame, why) in zip(bench.got, reference.frames, strict=True):
            assert got.bad == (why is not None), why
            if why == "oversize":
                assert frame.startswith(got.data)
            else:
                assert got.data == frame[: max(len(frame) - 4, 0)], why
            seen[why] += 1
        assert bench.counts == reference.counts
    assert all(seen[why] > streams // 2 for why in (None, "coding_errors", "fcs_errors", "runts", "oversize")), seen
