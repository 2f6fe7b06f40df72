"""The first difference between two devices' answers, in words."""

from typing import Any

import numpy as np

from wire import frames, itch, moldudp64, ouch, soupbintcp
from wire.counters import COUNTERS
from wire.errors import WireError
from wire.records import COMMANDS, EVENT, NO_SYMBOL, EventType, Opcode, Port, Side


def first_difference(inputs: Any, buffer: Any, ours: Any, theirs: Any, names=("engine", "twin")) -> str | None:
    """None if events and outputs of two batches are equal; else a text to read.

    It shows the first event and the first output that differ, what went before, and the inputs they may come of.
    """
    parts = []
    for what, left, right, show in (
        ("event", ours.events, theirs.events, event_text),
        ("output", packets(ours), packets(theirs), packet_text),
    ):
        place = _first(left, right)
        if place is None:
            continue
        lines = [f"{what} {place} of {len(left)} ({names[0]}) and {len(right)} ({names[1]}):"]
        for each in range(max(0, place - 3), place):
            lines.append(f"  both {each}: {show(left[each])}")
        for name, side in zip(names, (left, right), strict=True):
            lines += [f"  {name:>6} {each}: {show(side[each])}" for each in range(place, min(place + 3, len(side)))]
            if place >= len(side):
                lines.append(f"  {name:>6}: nothing more")
        stamps = {int(_stamp(side[place])) for side in (left, right) if place < len(side)}
        lines += [f"  input {i}: {input_text(inputs[i], buffer)}" for i in _about(inputs, stamps)]
        parts.append("\n".join(lines))
    return "\n\n".join(parts) or None


def counter_difference(ours: dict[str, int], theirs: dict[str, int]) -> str | None:
    """None if all counters are equal, else each that is not."""
    wrong = [name for name in COUNTERS if ours[name] != theirs[name]]
    return "\n".join(f"counter {name}: engine {ours[name]}, twin {theirs[name]}" for name in wrong) or None


def packets(batch: Any) -> list[tuple[int, int, bytes]]:
    """Stamp, cause and bytes of every output."""
    payload = batch.payload.tobytes()
    return [
        (int(o["timestamp"]), int(o["cause"]), payload[int(o["offset"]) : int(o["offset"]) + int(o["length"])])
        for o in batch.outputs
    ]


def _first(left: Any, right: Any) -> int | None:
    common = min(len(left), len(right))
    if isinstance(left, np.ndarray):
        rows = [np.ascontiguousarray(side[:common]).view(np.uint8).reshape(common, -1) for side in (left, right)]
        wrong = np.flatnonzero((rows[0] != rows[1]).any(axis=1)) if common else []
        place = int(wrong[0]) if len(wrong) else common
    else:
        place = next((i for i in range(common) if left[i] != right[i]), common)
    return place if place < max(len(left), len(right)) else None


def _stamp(item: Any) -> int:
    return item[0] if isinstance(item, tuple) else item["timestamp"]


def _about(inputs: Any, stamps: set[int]) -> list[int]:
    found = np.flatnonzero(np.isin(inputs["timestamp"], list(stamps)))
    return found[:6].tolist()


def _name(enum: Any, value: int) -> str:
    try:
        return enum(value).name
    except ValueError:
        return str(value)


def event_text(event: Any) -> str:
    """An event: its type and every field that is not its default."""
    quiet = {"sequence": None, "type": None, "side": int(Side.NONE), "symbol": NO_SYMBOL}
    fields = {name: int(event[name]) for name in EVENT.dtype.names}
    shown = " ".join(
        f"{name}={value:#x}" if name in {"order_id", "info"} else f"{name}={value}"
        for name, value in fields.items()
        if value != quiet.get(name, 0) and name not in {"sequence", "type"}
    )
    more = ""
    if fields["type"] == EventType.COMMAND:
        more = f" ({_name(Opcode, fields['value'])})"
    return f"#{fields['sequence']} {_name(EventType, fields['type'])}{more} {shown}"


def packet_text(item: tuple[int, int, bytes]) -> str:
    """An output: stamp, cause and message."""
    stamp, cause, data = item
    try:
        if data[2:3] == b"U":
            body = ouch.unpack(data[soupbintcp.HEADER_LENGTH :])
            said = " ".join(f"{name}={value}" for name, value in body.items())
        else:
            said = repr(data)
    except WireError as error:
        said = f"{error}: {data.hex()}"
    return f"at {stamp} cause {cause}: {said}"


def input_text(record: Any, buffer: Any) -> str:
    """An input: port, stamp and what its bytes say."""
    port, at, length = Port(int(record["port"])), int(record["offset"]), int(record["length"])
    data = bytes(buffer[at : at + length])
    head = f"{port.name} at {int(record['timestamp'])}"
    try:
        if port is Port.COMMAND:
            values = COMMANDS[Opcode(data[0])].unpack(data)
            return f"{head} {Opcode(data[0]).name} {({k: v for k, v in values.items() if v})}"
        if port <= Port.RECOVERY:
            packet = moldudp64.unpack(frames.parse(data).payload)
            said = "; ".join(_message_text(each) for each in packet.messages)
            return f"{head} sequence {packet.sequence_number}: {said}"
    except (WireError, KeyError, ValueError) as error:
        return f"{head} {data.hex()} ({error})"
    return f"{head} {data!r}"


def _message_text(message: bytes) -> str:
    try:
        values = itch.ITCH.unpack(message)
    except WireError:
        return message.hex()
    return " ".join(str(value) for name, value in values.items() if name not in {"tracking_number", "timestamp"})
