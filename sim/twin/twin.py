"""The simulated card as an object: batches of inputs in, events and order packets out, with cycle stamps."""

from __future__ import annotations

import re
from collections.abc import Callable
from enum import IntEnum
from functools import cache
from pathlib import Path
from typing import Any, NamedTuple

import cffi
import numpy as np
from numpy.typing import NDArray

from sim.twin.build import Design, appliance, build
from wire.records import EVENT, INPUT, OUTPUT, RECORD_LENGTH, Port

SLICE_CYCLES = 1_000_000  # per call into the library: how long a Ctrl-C waits
PATIENCE = 5_000_000


class Mode(IntEnum):
    """How the inputs of a batch meet the card."""

    SERIAL = 0  # one at a time, each when the card is idle: the order is what the semantics say
    STREAMING = 1  # each port as fast as it takes them, all at once
    PACED = 2  # each at its time stamp, the clock at 156.25 MHz: for throughput and latency under load


class TwinStuckError(RuntimeError):
    """The card neither took input nor became idle; the message names the ports and where they stood."""


class Run(NamedTuple):
    """What came out of a batch.

    ``events`` is of ``wire.records.EVENT.dtype``, ``outputs`` of ``OUTPUT`` with offsets into ``payload``.
    ``input_cycles`` has the cycles in which each input's first and last beat were taken, ``output_cycles``
    the cycle of each output's first beat.
    """

    events: NDArray[np.void]
    outputs: NDArray[np.void]
    payload: NDArray[np.uint8]
    input_cycles: NDArray[np.uint64]
    output_cycles: NDArray[np.uint64]


@cache
def _library(path: Path) -> tuple[Any, Any]:
    header = (Path(__file__).parent / "abi.h").read_text()
    ffi = cffi.FFI()
    ffi.cdef(re.sub(r"/\*.*?\*/", "", header, flags=re.DOTALL))
    return ffi, ffi.dlopen(str(path))


class Twin:
    """A Verilated card.

    Parameters
    ----------
    design : Design or hw.parameters.Parameters, optional
        The card; without one the appliance of the profile ``twin``.
    trace : bool
        Whether waveforms can be written (`start_trace`).
    report : callable, optional
        Told about the progress of a build; by default it is printed to standard error.
    capacity : int
        Events and outputs that are fetched from the card at a time.
    patience : int
        Cycles without movement after which the card counts as stuck.

    Raises
    ------
    BuildError
        The card could not be built.
    """

    def __init__(
        self,
        design: Any = None,
        *,
        trace: bool = False,
        report: Callable[[str], None] | None = None,
        capacity: int = 65536,
        patience: int = PATIENCE,
    ) -> None:
        self.design = design if isinstance(design, Design) else appliance(design)
        arguments = {} if report is None else {"report": report}
        self.library = build(self.design, trace=trace, **arguments)
        self._ffi, self._code = _library(self.library)
        self._card = self._ffi.gc(self._code.twin_create(), self._code.twin_destroy)
        self._capacity, self.patience = capacity, patience

    def __enter__(self) -> Twin:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """Give back the model's memory; a waveform is ended."""
        if self._card is not None:
            self._ffi.release(self._card)
            self._card = None

    @property
    def _live(self) -> Any:
        if self._card is None:
            raise ValueError("the twin is closed")
        return self._card

    @property
    def cycles(self) -> int:
        """Clock cycles since power on."""
        return int(self._code.twin_cycles(self._live))

    def reset(self) -> None:
        """Power off and on: registers, memories and the cycle counter start anew."""
        self._code.twin_reset(self._live)

    def csr_read(self, address: int) -> int:
        """A register, by byte address. Takes a clock cycle."""
        return int(self._code.twin_csr_read(self._live, address))

    def csr_write(self, address: int, value: int) -> None:
        """Write a register. Takes a clock cycle."""
        self._code.twin_csr_write(self._live, address, value)

    def start_trace(self, path: Path | str) -> None:
        """Write a waveform (FST) from here on.

        Raises
        ------
        ValueError
            The twin was made without ``trace=True``, or the file cannot be written.
        """
        if not self._code.twin_trace_start(self._live, str(path).encode()):
            raise ValueError(f"no waveform to {path}: not writable, or the twin was made without trace=True")

    def stop_trace(self) -> None:
        """End the waveform."""
        self._code.twin_trace_stop(self._live)

    def process(
        self,
        inputs: NDArray[np.void],
        buffer: bytes | bytearray | memoryview | NDArray[np.uint8],
        *,
        mode: Mode = Mode.SERIAL,
        progress: Callable[[int], None] | None = None,
    ) -> Run:
        """Run a batch through the card, until it is idle again.

        Parameters
        ----------
        inputs : array of wire.records.INPUT
            Time stamps must not go back.
        buffer : bytes
            What the inputs' offsets point into.
        progress : callable, optional
            Told now and then how many inputs are through.

        Raises
        ------
        ValueError
            An input reaches behind the buffer, has no such port, or is a command of another length.
        TwinStuckError
            The card stopped moving. It is not usable after that, but by `reset`.
        """
        ffi, code, card = self._ffi, self._code, self._live
        inputs = np.ascontiguousarray(inputs, dtype=INPUT)
        octets = np.frombuffer(buffer, np.uint8) if len(buffer) else np.zeros(1, np.uint8)
        _check(inputs, len(buffer))
        cycles = np.zeros((len(inputs), 2), np.uint64)
        code.twin_start(
            card,
            ffi.cast("twin_input *", inputs.ctypes.data),
            len(inputs),
            ffi.cast("uint8_t *", octets.ctypes.data),
            ffi.cast("uint64_t *", cycles.ctypes.data),
            int(mode),
        )
        parts: list[tuple[NDArray[Any], ...]] = []
        payload_length = 0
        status = code.TWIN_PAUSED
        while status != code.TWIN_DONE:
            results = _Results(ffi, self._capacity)
            status = code.TWIN_PAUSED
            while status == code.TWIN_PAUSED:
                status = code.twin_run(card, results.pointer, SLICE_CYCLES, self.patience)
                if progress is not None:
                    progress(int(code.twin_progress(card)))
            if status == code.TWIN_STUCK:
                raise TwinStuckError(ffi.string(code.twin_message(card)).decode())
            part = results.taken()
            part[1]["offset"] += payload_length
            payload_length += len(part[2])
            parts.append(part)
        events, outputs, payload, output_cycles = (np.concatenate(each) for each in zip(*parts, strict=True))
        return Run(events, outputs, payload, cycles, output_cycles)


class _Results:
    """Arrays that the library fills, and the struct that points at them."""

    PAYLOAD = 64  # bytes per output on average; what does not fit waits for the next round

    def __init__(self, ffi: Any, capacity: int) -> None:
        self._events = np.empty(capacity, EVENT.dtype)
        self._outputs = np.empty(capacity, OUTPUT)
        self._cycles = np.empty(capacity, np.uint64)
        self._payload = np.empty(max(capacity * self.PAYLOAD, 65536), np.uint8)
        self.pointer = ffi.new("twin_results *")
        self.pointer.events = ffi.cast("uint8_t *", self._events.ctypes.data)
        self.pointer.outputs = ffi.cast("twin_output *", self._outputs.ctypes.data)
        self.pointer.output_cycles = ffi.cast("uint64_t *", self._cycles.ctypes.data)
        self.pointer.payload = ffi.cast("uint8_t *", self._payload.ctypes.data)
        self.pointer.event_capacity = self.pointer.output_capacity = capacity
        self.pointer.payload_capacity = len(self._payload)

    def taken(self) -> tuple[NDArray[Any], ...]:
        filled = self.pointer
        return (
            self._events[: filled.event_count].copy(),
            self._outputs[: filled.output_count].copy(),
            self._payload[: filled.payload_length].copy(),
            self._cycles[: filled.output_count].copy(),
        )


def _check(inputs: NDArray[np.void], length: int) -> None:
    """Raise ValueError for an input that the harness could not hand over."""

    def refuse(wrong: NDArray[np.bool_], why: str) -> None:
        if wrong.any():
            first = int(np.flatnonzero(wrong)[0])
            raise ValueError(f"input {first} ({inputs[first]}): {why}")

    refuse(inputs["port"] > max(Port), f"ports are 0 to {max(Port)}")
    bytes_wanted = inputs["port"] != Port.TICK
    end = inputs["offset"] + inputs["length"]
    refuse(
        bytes_wanted & ((end > length) | (end < inputs["offset"])),
        f"reaches behind the buffer of {length} bytes",
    )
    refuse(
        (inputs["port"] == Port.COMMAND) & (inputs["length"] != RECORD_LENGTH),
        f"a command has {RECORD_LENGTH} bytes",
    )


def power_on(
    *,
    waveform: Path | str | None = None,
    report: Callable[[str], None] | None = None,
    patience: int = PATIENCE,
    **sizes: int,
) -> Twin:
    """A card with sizes of `hw.parameters.Parameters`; those that are not given are of the profile ``twin``.
    With ``waveform`` all its signals are written to that file (FST).

    Raises
    ------
    BuildError, ValueError
        As `Twin` and `Twin.start_trace` have it.
    """
    from dataclasses import replace

    from hw.parameters import PROFILES

    twin = Twin(replace(PROFILES["twin"], **sizes), trace=waveform is not None, report=report, patience=patience)
    if waveform is not None:
        try:
            twin.start_trace(waveform)
        except ValueError:
            twin.close()
            raise
    return twin
