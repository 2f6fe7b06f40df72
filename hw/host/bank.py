"""The register bank: every register of ``register_map`` behind one 32-bit bus."""

from amaranth.hdl import Cat, Const, Module, Signal, Value
from amaranth.lib import wiring
from amaranth.lib.wiring import In, Out

from hw.host.register_map import REGISTERS


def _members(registers):
    members = {
        "address": In(16),
        "write": In(1),
        "write_data": In(32),
        "read": In(1),
        "read_data": Out(32),
    }
    for register in registers:
        if register.external:
            members[f"{register.name}_index"] = Out(range(max(register.count, 2)))
            members[f"{register.name}_data"] = In(32)
            continue
        for each in register.fields:
            if each.source != "constant":
                flow = In(each.width) if each.source == "card" else Out(each.width, init=each.reset)
                members[f"{register.name}_{each.name}"] = flow
    return members


class RegisterBank(wiring.Component):
    """The registers that the host sees, as ``registers.rdl`` declares them.

    Parameters
    ----------
    registers : tuple of Register
        Those that are kept here; the others read as 0.

    Members
    -------
    address : In(16)
        Byte address; the low two bits are ignored.
    write, write_data : In(1), In(32)
        A write takes effect with the next clock. Only fields of the host change.
    read, read_data : In(1), Out(32)
        The register's value, one cycle after ``read``; then held. Reading changes nothing.
    <register>_<field> : In or Out
        In for what the gateware reports, Out for what the host has written.
    <register>_index, <register>_data : Out, In(32)
        For an external array: the element addressed, and its value one cycle later.

    Latency 1 cycle, one access per cycle.
    """

    def __init__(self, registers=REGISTERS):
        self.registers = registers
        super().__init__(_members(registers))

    def elaborate(self, platform):
        m = Module()
        word = self.address[2:]
        value, external = Signal(32), Signal(range(1 + sum(each.external for each in self.registers)))
        arrays = [Const(0, 32)]

        def kept(register) -> Value:
            bits = [Const(0, 1)] * 32
            for each in register.fields:
                if each.source == "constant":
                    field = Const(each.reset, each.width)
                else:
                    field = getattr(self, f"{register.name}_{each.name}")
                bits[each.low : each.low + each.width] = list(field)
            return Cat(*bits)

        with m.If(self.read):
            m.d.sync += [value.eq(0), external.eq(0)]
        for register in self.registers:
            first = register.address >> 2
            if register.external:
                index = getattr(self, f"{register.name}_index")
                m.d.comb += index.eq(word - first)
                arrays.append(getattr(self, f"{register.name}_data"))
                with m.If(self.read & (word >= first) & (word < first + register.count)):
                    m.d.sync += external.eq(len(arrays) - 1)
                continue
            with m.If(self.read & (word == first)):
                m.d.sync += value.eq(kept(register))
            for each in register.fields:
                if each.source == "host":
                    field = getattr(self, f"{register.name}_{each.name}")
                    with m.If(self.write & (word == first)):
                        m.d.sync += field.eq(self.write_data[each.low : each.low + each.width])
        with m.Switch(external):
            for number, data in enumerate(arrays):
                with m.Case(number):
                    m.d.comb += self.read_data.eq(data if number else value)
        return m
