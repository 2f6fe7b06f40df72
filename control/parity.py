"""Whether two devices gave one answer: every output byte, every event byte, every counter, every snapshot."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from control.events import described
from control.report import Difference, ParityReport
from drivers.device import Snapshot
from wire import ouch, soupbintcp
from wire.errors import WireError


@dataclass(frozen=True)
class Answer:
    """All that a device gave.

    Parameters
    ----------
    events : array of wire.records.EVENT
    outputs : array of wire.records.OUTPUT, offsets into ``payload``
    payload : uint8
    counters : name -> value
    snapshot : books, positions and open orders at the end
    """

    events: NDArray[np.void]
    outputs: NDArray[np.void]
    payload: NDArray[np.uint8]
    counters: Mapping[str, int]
    snapshot: Snapshot

    def output(self, i: int) -> bytes:
        """The bytes of one output."""
        at = int(self.outputs[i]["offset"])
        return self.payload[at : at + int(self.outputs[i]["length"])].tobytes()

    def output_bytes(self) -> bytes:
        """Outputs, each with stamp, cause and length, as they are compared."""
        heads = np.zeros(len(self.outputs), self.outputs.dtype)
        for name in ("timestamp", "cause", "length"):
            heads[name] = self.outputs[name]
        return heads.tobytes() + b"".join(self.output(i) for i in range(len(self.outputs)))


def compare(software: Answer, twin: Answer, stocks: Sequence[str]) -> ParityReport:
    """Compare everything; the first difference is decoded, outputs before events before the rest."""
    first = (
        _outputs(software, twin)
        or _events(software.events, twin.events, stocks)
        or _counters(software.counters, twin.counters)
        or _snapshots(software, twin, stocks)
    )
    return ParityReport(
        agree=first is None,
        outputs_compared=max(len(software.outputs), len(twin.outputs)),
        events_compared=max(len(software.events), len(twin.events)),
        counters_compared=len(software.counters),
        snapshots_compared=len(software.snapshot.positions),
        first_difference=first,
    )


def packet(data: bytes) -> dict[str, Any]:
    """An order packet in words, or as hex digits where it is none."""
    try:
        record = soupbintcp.CLIENT.of(data, soupbintcp.LENGTH_BYTES)
        if record is soupbintcp.UNSEQUENCED_DATA:
            return ouch.unpack(data[soupbintcp.HEADER_LENGTH :])
        return {"packet": record.name, **record.unpack(data, soupbintcp.LENGTH_BYTES)}
    except WireError as error:
        return {"bytes": data.hex(), "error": str(error)}


def _outputs(software: Answer, twin: Answer) -> Difference | None:
    for i in range(min(len(software.outputs), len(twin.outputs))):
        ours, theirs = _output(software, i), _output(twin, i)
        if ours != theirs:
            return Difference(what="output", where=f"order packet {i}", software=_said(ours), twin=_said(theirs))
    if len(software.outputs) == len(twin.outputs):
        return None
    i = min(len(software.outputs), len(twin.outputs))
    return Difference(
        what="output",
        where=f"order packet {i}, which only one of them sent",
        software=_said(_output(software, i)) if i < len(software.outputs) else None,
        twin=_said(_output(twin, i)) if i < len(twin.outputs) else None,
    )


def _output(answer: Answer, i: int) -> tuple[int, int, bytes]:
    row = answer.outputs[i]
    return int(row["timestamp"]), int(row["cause"]), answer.output(i)


def _said(output: tuple[int, int, bytes]) -> dict[str, Any]:
    timestamp, cause, data = output
    return {"timestamp_ns": timestamp, "cause": cause, **packet(data)}


def _events(software: NDArray[np.void], twin: NDArray[np.void], stocks: Sequence[str]) -> Difference | None:
    common = min(len(software), len(twin))
    rows = [np.frombuffer(each[:common].tobytes(), np.uint8).reshape(common, -1) for each in (software, twin)]
    wrong = np.flatnonzero((rows[0] != rows[1]).any(axis=1)) if common else np.zeros(0, np.int64)
    if not len(wrong) and len(software) == len(twin):
        return None
    i = int(wrong[0]) if len(wrong) else common
    there = "" if len(wrong) else ", which only one of them has"
    return Difference(
        what="event",
        where=f"event {i}{there}",
        software=described(software[i], stocks) if i < len(software) else None,
        twin=described(twin[i], stocks) if i < len(twin) else None,
    )


def _counters(software: Mapping[str, int], twin: Mapping[str, int]) -> Difference | None:
    for name in dict.fromkeys([*software, *twin]):
        if software.get(name) != twin.get(name):
            return Difference(what="counter", where=name, software=software.get(name), twin=twin.get(name))
    return None


def _snapshots(software: Answer, twin: Answer, stocks: Sequence[str]) -> Difference | None:
    for name in ("books", "positions"):
        ours, theirs = getattr(software.snapshot, name), getattr(twin.snapshot, name)
        for symbol in sorted(ours.keys() | theirs.keys()):
            if ours.get(symbol) != theirs.get(symbol):
                stock = stocks[symbol] if symbol < len(stocks) else f"#{symbol}"
                return Difference(
                    what="snapshot",
                    where=f"{stock}: {name}",
                    software=_words(ours.get(symbol)),
                    twin=_words(theirs.get(symbol)),
                )
    if software.snapshot.orders != twin.snapshot.orders:
        return Difference(
            what="snapshot",
            where="open orders",
            software=[_words(order) for order in software.snapshot.orders],
            twin=[_words(order) for order in twin.snapshot.orders],
        )
    return None


def _words(part: Any) -> Any:
    return None if part is None else asdict(part)
