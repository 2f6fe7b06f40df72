"""A block of registers in stages: every register of the host interface's part of the map."""

from __future__ import annotations

import random

import pytest

from hw.host.interface import OWN
from hw.host.register_block import RegisterBlock
from tests.hw.host_benches.tops import shown
from tests.hw.simulation import simulate

pytestmark = pytest.mark.gateware


def test_registers_read_back_and_only_host_fields_can_be_written(seed):
    dut, rng = RegisterBlock(OWN), random.Random(seed)
    single = [each for each in OWN if not each.external]
    arrays = [each for each in OWN if each.external]
    assert {each.name for each in arrays} == {"histogram", "interrupt_pending"}

    def written(ctx, register) -> bool:
        strobe = getattr(dut, f"{register.name}_written", None)
        return strobe is not None and bool(ctx.get(strobe))

    async def process(ctx):
        async def read(address):
            ctx.set(dut.address, address)
            await ctx.tick().repeat(3)
            return ctx.get(dut.read_data)

        async def write(address, value):
            ctx.set(dut.address, address)
            await ctx.tick()
            ctx.set(dut.write_data, value)
            ctx.set(dut.write, 1)
            await ctx.tick()
            ctx.set(dut.write, 0)
            ctx.set(dut.write_data, 0)
            assert ctx.get(dut.written_data) == value
            # Exactly the register that was written says so, and only for this cycle.
            said = {each.name for each in OWN if written(ctx, each)}
            expected = {each.name for each in OWN if each.address <= address < each.address + 4 * each.count}
            assert said == {name for name in expected if hasattr(dut, f"{name}_written")}
            await ctx.tick()
            assert not any(written(ctx, each) for each in OWN)

        for register in single:
            for each in register.fields:
                if each.source == "card":
                    ctx.set(getattr(dut, f"{register.name}_{each.name}"), each.of(shown(register)))
        values = {each.name: shown(each) for each in single}
        for register in single:
            assert await read(register.address) == values[register.name], register.name
        for value in (0xFFFFFFFF, 0, 0x5A5A5A5A):
            for register in rng.sample(single, len(single)):
                mask = sum(each.mask for each in register.fields if each.source == "host")
                await write(register.address, value)
                values[register.name] = value & mask | values[register.name] & ~mask
                assert await read(register.address) == values[register.name], register.name
        for register in single:
            assert await read(register.address) == values[register.name], register.name
        for register in arrays:
            for element in rng.sample(range(register.count), min(register.count, 20)):
                ctx.set(getattr(dut, f"{register.name}_data"), element + 77)
                assert await read(register.address + 4 * element) == element + 77
                assert ctx.get(getattr(dut, f"{register.name}_index")) == element
                await write(register.address + 4 * element, element)
        last = OWN[-1]
        assert await read(last.address + 4 * last.count) == 0
        assert await read(OWN[0].address - 4) == 0

    simulate(dut, process)
