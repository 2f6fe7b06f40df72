"""Amaranth's own simulator, for small components."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any

from amaranth.lib import wiring
from amaranth.sim import Simulator


def simulate(dut: wiring.Component, *testbenches: Callable[[Any], Any]) -> None:
    """Runs testbenches side by side until all are done; a clock cycle is 10 ns."""
    simulator = Simulator(dut)
    simulator.add_clock(1e-8)
    for each in testbenches:
        simulator.add_testbench(each)
    simulator.run()


async def put(ctx: Any, stream: Any, payload: Any) -> None:
    """Hands one payload to a stream."""
    ctx.set(stream.payload, payload)
    ctx.set(stream.valid, 1)
    await ctx.tick().until(stream.ready)
    ctx.set(stream.valid, 0)


async def take(ctx: Any, stream: Any) -> Any:
    """Takes one payload from a stream."""
    ctx.set(stream.ready, 1)
    (payload,) = await ctx.tick().sample(stream.payload).until(stream.valid)
    ctx.set(stream.ready, 0)
    return payload


def beats(data: bytes, cuts: Iterable[int] = ()) -> list[dict[str, int]]:
    """Payloads of a stream that carries ``data``, cut into chunks of these lengths and those into beats."""
    out, at = [], 0
    for length in [*cuts, len(data)]:
        chunk, at = data[at : at + length], at + length
        for n in range(0, len(chunk), 8):
            piece = chunk[n : n + 8]
            last = n + 8 >= len(chunk)
            out.append({"data": int.from_bytes(piece, "little"), "count": len(piece), "last": int(last)})
    return out
