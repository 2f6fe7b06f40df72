"""Block RAM without what yosys puts around it."""

from amaranth.hdl import Module, Signal, Value, ValueLike
from amaranth.lib.memory import Memory


def read_block(m: Module, store: Memory, address: Value, enable: ValueLike = 1) -> Signal:
    """What ``store`` has at ``address``, a cycle later; without ``enable`` what was read before.

    A read port with a clock promises what was there before, also when that is written at the same time, which a block of
    RAM does not: yosys then compares addresses and keeps what is written, some 40 LUTs and 48 registers for every 18 bits. A port
    without one and a register behind it become the same block, and with ``-no-rw-check`` nothing else. So whoever
    reads what is being written must know it from somewhere else.
    """
    port = store.read_port(domain="comb")
    data = Signal.like(port.data, name="read", reset_less=True)
    m.d.comb += port.addr.eq(address)
    with m.If(enable):
        m.d.sync += data.eq(port.data)
    return data
