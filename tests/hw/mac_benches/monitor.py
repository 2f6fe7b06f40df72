"""What the benches watch: frames at a receiver's output, XGMII words, counters; all with the cycle they were seen in."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from typing import Any

import cocotb
from cocotb.clock import Clock
from cocotb.triggers import ClockCycles, RisingEdge

IDLE, START, TERMINATE, ERROR, SEQUENCE = 0x07, 0xFB, 0xFD, 0xFE, 0x9C
IDLE_WORD = (int.from_bytes([IDLE] * 8, "little"), 0xFF)


@dataclass
class Got:
    """A frame from a receiver: its bytes, the verdict, the cycle of each beat, and of the pulse ``sfd`` before it."""

    data: bytes
    bad: bool
    cycles: list[int]
    sfd: int


@dataclass
class Sent:
    """A frame on the wire: bytes behind the start character of XGMII, or all of GMII; where it began, what ended it."""

    lane: int
    cycle: int
    data: bytearray = field(default_factory=bytearray)
    end_cycle: int = -1
    end_lane: int = -1
    end: int = -1

    @property
    def position(self) -> int:
        return 8 * self.cycle + self.lane

    @property
    def end_position(self) -> int:
        return 8 * self.end_cycle + self.end_lane

    def frame(self) -> bytes:
        """What is behind preamble and delimiter."""
        return bytes(self.data[7:])


class Bench:
    """A device with its clock running, and everything that happens at its ports.

    ``got`` has the frames at a stream ``o`` of ``Received``, ``sent`` those on ``wire``, (data, control) of XGMII or (data,
    valid, error) of GMII, ``offered``
    and ``taken`` the cycles in which the first beat of each frame was offered at ``i`` and every beat was taken,
    ``counts`` the sum of each counter.
    """

    def __init__(self, dut, *, wire: tuple[Any, ...] = ()):
        self.dut, self.cycle = dut, 0
        names = {each._name for each in dut}
        self._counters = {n.removeprefix("count_"): getattr(dut, n) for n in names if n.startswith("count_")}
        self.counts: Counter[str] = Counter()
        self.got: list[Got] = []
        self.sent: list[Sent] = []
        self.taken: list[int] = []
        self.offered: list[int] = []
        self.sfd: list[int] = []
        self._output = (dut.o__valid, dut.o__payload) if "o__valid" in names else None
        self._input = (dut.i__valid, dut.i__ready, dut.i__payload) if "i__valid" in names else None
        self._wire = wire
        self._sfd = dut.sfd if "sfd" in names else None
        self._between = True  # the next beat at the input is a first one
        self._open: Sent | None = None
        self._begun: list[int] = []  # cycles of delimiters whose frame is not ended yet
        self._bytes, self._cycles = bytearray(), []

    async def start(self, period: float = 6.4) -> Bench:
        dut = self.dut
        dut.rst.value = 1
        if self._input:
            self._input[0].value = 0
        cocotb.start_soon(Clock(dut.clk, period, "ns").start())
        await ClockCycles(dut.clk, 3)
        dut.rst.value = 0
        await RisingEdge(dut.clk)
        cocotb.start_soon(self._watch())
        return self

    async def wait(self, cycles: int) -> None:
        await ClockCycles(self.dut.clk, cycles)

    async def _watch(self) -> None:
        edge = RisingEdge(self.dut.clk)
        while True:
            await edge
            self.cycle += 1
            for name, pulse in self._counters.items():
                if pulse.value == 1:
                    self.counts[name] += 1
            if self._output and self._output[0].value == 1:
                self._beat(int(self._output[1].value))
            if self._sfd is not None and self._sfd.value == 1:
                self.sfd.append(self.cycle)
                if self._output:
                    self._begun.append(self.cycle)
            if len(self._wire) == 3:
                self._octet(*(int(each.value) for each in self._wire))
            elif self._wire:
                word = int(self._wire[0].value), int(self._wire[1].value)
                if word != IDLE_WORD:
                    self._word(*word)
            if self._input and self._input[0].value == 1:
                if self._between:
                    self.offered.append(self.cycle)
                self._between = False
                if self._input[1].value == 1:
                    self.taken.append(self.cycle)
                    self._between = bool(int(self._input[2].value) >> 64 & 1)

    def _beat(self, payload: int) -> None:
        """A beat of ``Received``: data, last, count, bad from bit 0 on."""
        data, last, count, bad = payload & (1 << 64) - 1, payload >> 64 & 1, payload >> 65 & 15, payload >> 69
        assert self._begun, "a beat of a frame that did not begin"
        assert count <= 8 if last else count == 8, f"{count} bytes in a beat with last = {last}"
        self._bytes += data.to_bytes(8, "little")[:count]
        self._cycles.append(self.cycle)
        if last:
            self.got.append(Got(bytes(self._bytes), bool(bad), self._cycles, self._begun.pop(0)))
            self._bytes, self._cycles = bytearray(), []
        assert len(self._begun) <= 1, "a frame begins within another"

    def _word(self, data: int, control: int) -> None:
        for lane in range(8):
            octet, is_control = data >> 8 * lane & 0xFF, control >> lane & 1
            if self._open is not None and not is_control:
                self._open.data.append(octet)
            elif self._open is not None:
                self._open.end_cycle, self._open.end_lane, self._open.end = self.cycle, lane, octet
                self.sent.append(self._open)
                self._open = None
            if is_control and octet == START:
                assert lane in (0, 4), f"start in lane {lane}"
                self._open = Sent(lane, self.cycle)

    def _octet(self, octet: int, valid: int, error: int) -> None:
        if valid:
            if self._open is None:
                self._open = Sent(0, self.cycle)
            self._open.data.append(octet)
            if error:
                self._open.end = ERROR
        elif self._open is not None:
            self._open.end_cycle = self.cycle
            self.sent.append(self._open)
            self._open = None

    def none_open(self) -> bool:
        """Every frame that began at the output has ended."""
        return not self._begun and not self._bytes


def beats(frame: bytes) -> list[int]:
    """Payloads of a stream of ``Beat`` that carries a frame; bytes that mean nothing are not 0."""
    out = []
    for n in range(0, len(frame), 8):
        piece = frame[n : n + 8]
        last = n + 8 >= len(frame)
        out.append(int.from_bytes(piece.ljust(8, b"\xa5"), "little") | last << 64 | len(piece) << 65)
    return out


class Sender:
    """Offers frames at ``i``, a beat a cycle."""

    def __init__(self, bench: Bench):
        self.dut = bench.dut

    async def send(self, frame: bytes, *, hole: int | None = None) -> None:
        """One frame; ``hole`` is the beat before which ``valid`` is low for a cycle."""
        payloads = beats(frame)
        await self.send_payloads(payloads[:hole])
        if hole is not None:
            await RisingEdge(self.dut.clk)
            await self.send_payloads(payloads[hole:])

    async def send_payloads(self, payloads: list[int]) -> None:
        dut, edge = self.dut, RisingEdge(self.dut.clk)
        for payload in payloads:
            dut.i__payload.value = payload
            dut.i__valid.value = 1
            await edge
            while dut.i__ready.value == 0:
                await edge
        dut.i__valid.value = 0
