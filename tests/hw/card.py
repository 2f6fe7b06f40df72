"""The whole card in Amaranth's own simulator: slow, but it needs no compiler and no build."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from amaranth.sim import Simulator

from hw.appliance import Appliance
from hw.host import register_map
from hw.parameters import Parameters
from wire.counters import COUNTERS
from wire.records import EVENT, OUTPUT, Port

PATIENCE = 20_000


@dataclass
class Answer:
    """What came out, as the engine's batch has it; and the counters."""

    events: np.ndarray
    outputs: np.ndarray
    payload: np.ndarray
    counters: dict[str, int]
    cycles: int


def run(parameters: Parameters, inputs: Any, buffer: Any) -> Answer:
    """Hands the inputs to a card that was just powered on, each when it is idle."""
    card = Appliance(parameters)
    beats, packets, counters = [], [], {}
    data = bytes(buffer)
    cycle = 0
    ports = {
        Port.FEED_A: card.feed_a,
        Port.FEED_B: card.feed_b,
        Port.RECOVERY: card.recovery,
        Port.SESSION: card.session_in,
        Port.COMMAND: card.command,
    }

    async def tick(ctx):
        nonlocal cycle
        cycle += 1
        if cycle > limit[0]:
            raise TimeoutError(f"nothing came to rest in {PATIENCE} cycles")
        await ctx.tick()

    async def settle(ctx):
        while not ctx.get(card.idle):
            await tick(ctx)

    async def offer(ctx, port, content):
        for at in range(0, len(content), 8):
            piece = content[at : at + 8]
            last = at + 8 >= len(content)
            ctx.set(port.payload, {"data": int.from_bytes(piece, "little"), "last": last, "count": len(piece)})
            ctx.set(port.valid, 1)
            while not ctx.get(port.ready):
                await tick(ctx)
            await tick(ctx)
        ctx.set(port.valid, 0)

    async def drive(ctx):
        limit[0] = cycle + PATIENCE
        await settle(ctx)
        for record in inputs:
            limit[0] = cycle + PATIENCE
            ctx.set(card.now, int(record["timestamp"]))
            port, at = Port(int(record["port"])), int(record["offset"])
            if port is Port.TICK:
                ctx.set(card.tick.valid, 1)
                while not ctx.get(card.tick.ready):
                    await tick(ctx)
                await tick(ctx)
                ctx.set(card.tick.valid, 0)
            else:
                await offer(ctx, ports[port], data[at : at + int(record["length"])])
            await settle(ctx)
        for number, name in enumerate(COUNTERS):
            ctx.set(card.csr_address, register_map.COUNTER.address + 4 * number)
            ctx.set(card.csr_read, 1)
            await tick(ctx)
            counters[name] = ctx.get(card.csr_read_data)

    async def take_events(ctx):
        ctx.set(card.event.ready, 1)
        while True:
            _, _, valid, beat = await ctx.tick().sample(card.event.valid, card.event.payload)
            if valid:
                beats.append(beat)

    async def take_orders(ctx):
        ctx.set(card.order.ready, 1)
        packet = b""
        while True:
            _, _, valid, beat, stamp, cause = await ctx.tick().sample(
                card.order.valid, card.order.payload, card.order_stamp, card.order_cause
            )
            if valid:
                packet += beat.data.to_bytes(8, "little")[: beat.count]
                if beat.last:
                    packets.append((stamp, cause, packet))
                    packet = b""

    limit = [PATIENCE]
    simulator = Simulator(card)
    simulator.add_clock(6.4e-9)
    simulator.add_testbench(drive)
    simulator.add_testbench(take_events, background=True)
    simulator.add_testbench(take_orders, background=True)
    simulator.run()

    events = np.frombuffer(b"".join(beat.to_bytes(8, "little") for beat in beats), EVENT.dtype)
    payload = b"".join(packet for _, _, packet in packets)
    ends = np.cumsum([0, *(len(packet) for _, _, packet in packets)])
    rows = [(stamp, cause, int(end), len(p), 0) for (stamp, cause, p), end in zip(packets, ends, strict=False)]
    return Answer(events, np.array(rows, OUTPUT), np.frombuffer(payload, np.uint8), counters, cycle)

