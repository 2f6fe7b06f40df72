"""Registers on AXI4-Lite: cocotbext-axi's master in front of every register of the map."""

from __future__ import annotations

import gc
import random
import warnings

import pytest
from amaranth.hdl import Signal, UnusedElaboratable
from amaranth.lib import wiring
from amaranth.lib.wiring import In, Out

from hw.host.axi import Response
from hw.host.axi_lite import AxiLite, spans
from hw.host.register_map import CONTROL, COUNTER, IDENTIFICATION, REGISTERS, VERSION
from tests.hw.cocotb_runner import run
from tests.hw.host_benches import axi_lite as bench
from tests.hw.host_benches.tops import LiteTop
from tests.hw.simulation import simulate

pytestmark = [pytest.mark.gateware, pytest.mark.twin]


def test_every_register_is_read_and_written(seed):
    run(LiteTop(), bench, tests=["every_register"], parameters={"seed": seed})


def test_random_order_with_pauses_on_every_channel(seed):
    run(LiteTop(), bench, tests=["random_order"], parameters={"seed": seed, "rounds": 12})


def test_the_channels_do_not_wait_for_each_other(seed):
    run(LiteTop(), bench, tests=["addresses_and_data_come_apart"], parameters={"seed": seed})


def test_an_address_above_the_registers_is_none():
    """With 20 bits of address, register 0x0004 is not there again at 0x10004."""
    dut, got = AxiLite(20), []

    async def read(ctx):
        ctx.set(dut.axi.rready, 1)
        for high in (0, 0x10000, 0x80000, 0):
            ctx.set(dut.axi.araddr, high | VERSION.address)
            ctx.set(dut.axi.arvalid, 1)
            await ctx.tick().until(dut.axi.arready)
            ctx.set(dut.axi.arvalid, 0)
            (response,) = await ctx.tick().sample(dut.axi.rresp).until(dut.axi.rvalid)
            got.append(Response(response))

    simulate(dut, read)
    assert got == [Response.OKAY, Response.DECERR, Response.DECERR, Response.OKAY]


@pytest.mark.parametrize("patience", [1, 4])
def test_latencies_are_those_of_the_docstring(patience):
    dut, at = AxiLite(patience=patience), {}

    async def process(ctx):
        for write in (True, False):
            ctx.set(dut.axi.awaddr if write else dut.axi.araddr, CONTROL.address)
            ctx.set(dut.axi.wstrb, 15)
            valid = (dut.axi.awvalid, dut.axi.wvalid) if write else (dut.axi.arvalid,)
            for each in valid:
                ctx.set(each, 1)
            ctx.set(dut.axi.bready, 1)
            ctx.set(dut.axi.rready, 1)
            for cycle in range(20):
                watched = {"write": dut.write, "answer": dut.axi.bvalid, "read": dut.read, "value": dut.axi.rvalid}
                for name, signal in watched.items():
                    if ctx.get(signal):
                        at.setdefault(name, cycle)
                await ctx.tick()
                for each in valid:
                    ctx.set(each, 0)

    simulate(dut, process)
    assert at == {"write": 5, "answer": 5, "read": 5, "value": patience + 6}


def test_no_output_follows_an_input_within_the_cycle(seed):
    dut, rng = AxiLite(), random.Random(seed)
    ports = [(flow, signal) for _, flow, signal in flat(dut)]
    inputs = [signal for flow, signal in ports if flow is In]
    outputs = [signal for flow, signal in ports if flow is Out]
    assert (len(inputs), len(outputs)) == (12, 12)

    async def shake(ctx):
        for _ in range(400):
            seen = []
            for _ in range(3):
                for signal in inputs:
                    ctx.set(signal, rng.getrandbits(len(signal)) & (0x9FFC if len(signal) == 16 else -1))
                seen.append([ctx.get(signal) for signal in outputs])
            assert seen[0] == seen[1] == seen[2]
            await ctx.tick()

    simulate(dut, shake)


def flat(dut: wiring.Component) -> list[tuple[object, object, Signal]]:
    """Path, flow and signal of each port."""
    return [
        (path, member.flow, port if isinstance(port, Signal) else port.as_value())
        for path, member, port in dut.signature.flatten(dut)
    ]


def test_spans_are_the_registers_without_holes():
    found = [4 * word for first, last in spans(REGISTERS) for word in range(first, last + 1)]
    assert found == sorted(each.address + 4 * n for each in REGISTERS for n in range(each.count))
    assert spans([VERSION, IDENTIFICATION]) == [(0, 1)]
    assert spans([COUNTER]) == [(COUNTER.address // 4, COUNTER.address // 4 + COUNTER.count - 1)]


@pytest.mark.parametrize("wrong", [{"address_bits": 15}, {"patience": 0}])
def test_what_cannot_be_is_refused(wrong):
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", UnusedElaboratable)
        with pytest.raises(ValueError, match=str(*wrong.values())):
            AxiLite(**wrong)
        gc.collect()
