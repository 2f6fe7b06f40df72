"""``ports.h``: how C++ reaches the ports of a card, derived from the component's signature.

Amaranth flattens a stream ``feed_a`` into ``feed_a__payload``, ``feed_a__valid``, ``feed_a__ready``, a
struct payload being one port; Verilator writes ``__`` in names as ``___05F`` and keeps a port of more than
64 bits as an array of 32-bit words.
"""

from __future__ import annotations

from typing import Any

from amaranth.hdl import Shape
from amaranth.lib import data, stream, wiring

from wire.records import Port

# Name of the port or stream -> whether the card takes it (In) or gives it (Out).
STREAMS_IN = (
    "feed_a",
    "feed_b",
    "recovery",
    "session_in",
    "command",
    "tick",
)  # in the order of wire.records.Port
STREAMS_OUT = ("order", "event")
SIGNALS_IN = {"now": 64, "csr_address": 16, "csr_write": 1, "csr_write_data": 32, "csr_read": 1}
SIGNALS_OUT = {"order_stamp": 64, "order_cause": 64, "csr_read_data": 32, "idle": 1}

assert len(STREAMS_IN) == len(Port)

_ACCESS = """\
// Generated from the component's signature by sim/twin/ports.py.
#pragma once
#include "Vcard.h"

using Model = Vcard;

// Bits low .. low + width - 1 of a port of up to 64 bits, or of one kept in 32-bit words.
template <typename T> inline void put(T &port, unsigned low, unsigned width, uint64_t value) {
    const uint64_t mask = (width < 64 ? (uint64_t{1} << width) - 1 : ~uint64_t{0}) << low;
    port = static_cast<T>((port & ~mask) | ((value << low) & mask));
}
template <std::size_t N> inline void put(VlWide<N> &port, unsigned low, unsigned width, uint64_t value) {
    for (unsigned done = 0; done < width;) {
        const unsigned at = low + done, bit = at % 32, bits = std::min(32 - bit, width - done);
        const uint32_t mask = static_cast<uint32_t>(((uint64_t{1} << bits) - 1) << bit);
        port[at / 32] = (port[at / 32] & ~mask) | (static_cast<uint32_t>(value >> done) << bit & mask);
        done += bits;
    }
}
template <typename T> inline uint64_t get(const T &port, unsigned low, unsigned width) {
    return (static_cast<uint64_t>(port) >> low) & (width < 64 ? (uint64_t{1} << width) - 1 : ~uint64_t{0});
}
template <std::size_t N> inline uint64_t get(const VlWide<N> &port, unsigned low, unsigned width) {
    uint64_t value = 0;
    for (unsigned done = 0; done < width;) {
        const unsigned at = low + done, bit = at % 32, bits = std::min(32 - bit, width - done);
        value |= (port[at / 32] >> bit & ((uint64_t{1} << bits) - 1)) << done;
        done += bits;
    }
    return value;
}

struct InputPort {
    const char *name;
    void (*drive)(Model &, bool valid, uint64_t data, bool last, uint64_t count);
    bool (*ready)(Model &);
};
"""


def verilated_name(port: str) -> str:
    """Name of a port in the C++ model."""
    return port.replace("__", "___05F")


def header(signature: wiring.Signature) -> str:
    """The text of ``ports.h``.

    Raises
    ------
    ValueError
        A port that a card must have is missing, or has another direction or width.
    """
    lines = [_ACCESS]
    for name in STREAMS_IN:
        lines.append(_input(name, _stream(signature, name, wiring.In)))
    lines.append("static const InputPort input_ports[] = {")
    lines += [f'    {{"{name}", drive_{name}, ready_{name}}},' for name in STREAMS_IN]
    lines.append("};\n")
    for name in STREAMS_OUT:
        port = f"{name}__"
        lines.append(_getter(f"{name}_valid", f"{port}valid", 0, 1))
        lines.append(_setter(f"{name}_ready", f"{port}ready", 0, 1))
        for field, (low, width) in _stream(signature, name, wiring.Out).items():
            lines.append(_getter(f"{name}_{field}", f"{port}payload", low, width))
    for names, flow, accessor in ((SIGNALS_IN, wiring.In, _setter), (SIGNALS_OUT, wiring.Out, _getter)):
        for name, width in names.items():
            _check_signal(signature, name, flow, width)
            lines.append(accessor(name, name, 0, width))
    return "\n".join(lines) + "\n"


def _member(signature: wiring.Signature, name: str, flow: wiring.Flow) -> Any:
    if name not in signature.members:
        raise ValueError(f"the card has no port {name}; it has {', '.join(signature.members)}")
    member = signature.members[name]
    if member.flow != flow:
        raise ValueError(f"port {name} is {member.flow}, not {flow}")
    return member


def _check_signal(signature: wiring.Signature, name: str, flow: wiring.Flow, width: int) -> None:
    member = _member(signature, name, flow)
    if not member.is_port or Shape.cast(member.shape).width != width:
        raise ValueError(f"port {name} is {member!r}, not {width} bits wide")


def _stream(signature: wiring.Signature, name: str, flow: wiring.Flow) -> dict[str, tuple[int, int]]:
    """Bits of a stream's payload: field -> (offset, width); a payload that is no struct is the field
    ``payload``.
    """
    member = _member(signature, name, flow)
    if not (member.is_signature and isinstance(member.signature, stream.Signature)):
        raise ValueError(f"port {name} is {member!r}, not a stream")
    shape = member.signature.members["payload"].shape
    if isinstance(shape, type) and issubclass(shape, data.Struct):
        shape = shape.as_shape()
    if not isinstance(shape, data.Layout):
        return {"payload": (0, Shape.cast(shape).width)}
    return {str(key): (field.offset, field.width) for key, field in shape}


def _input(name: str, fields: dict[str, tuple[int, int]]) -> str:
    body = []
    if name != "tick":
        for field, value in {"data": "data", "last": "last", "count": "count"}.items():
            if field not in fields:
                raise ValueError(f"stream {name} has no payload field {field}; it has {', '.join(fields)}")
            low, width = fields[field]
            body.append(f"put(m.{verilated_name(f'{name}__payload')}, {low}, {width}, {value});")
    valid, ready = verilated_name(f"{name}__valid"), verilated_name(f"{name}__ready")
    arguments = "uint64_t data, bool last, uint64_t count" if body else "uint64_t, bool, uint64_t"
    return (
        f"inline void drive_{name}(Model &m, bool valid, {arguments}) {{\n"
        f"    {' '.join([f'm.{valid} = valid;', *body])}\n}}\n"
        f"inline bool ready_{name}(Model &m) {{ return m.{ready}; }}\n"
    )


def _getter(name: str, port: str, low: int, width: int) -> str:
    return f"inline uint64_t get_{name}(Model &m) {{ return get(m.{verilated_name(port)}, {low}, {width}); }}"


def _setter(name: str, port: str, low: int, width: int) -> str:
    where = f"m.{verilated_name(port)}, {low}, {width}"
    return f"inline void set_{name}(Model &m, uint64_t value) {{ put({where}, value); }}"
