"""What the runner itself is tested with: a test that passes, one that fails, one that ends the simulator."""

import os

import cocotb
from cocotb.clock import Clock
from cocotb.triggers import RisingEdge

from tests.hw.cocotb_runner import parameters


@cocotb.test()
async def passes(dut):
    cocotb.start_soon(Clock(dut.clk, 10, "ns").start())
    for port, value in {"rst": 1, "i__valid": 1, "i__payload": parameters()["payload"], "o__ready": 1}.items():
        getattr(dut, port).value = value
    await RisingEdge(dut.clk)
    dut.rst.value = 0
    await RisingEdge(dut.clk)
    await RisingEdge(dut.clk)
    assert dut.o__valid.value == 1
    assert int(dut.o__payload.value) == parameters()["payload"]
    assert os.environ["BENCH_COLOUR"] == "green"
    assert {each._name for each in dut} == {
        *("clk", "rst", "i__payload", "i__valid", "i__ready", "o__payload", "o__valid", "o__ready")
    }


@cocotb.test()
async def fails(dut):
    value = 4
    assert value == 5, "four is not five"


@cocotb.test()
async def dies(dut):
    os._exit(3)
