"""Registers of one part of the card, in stages: for many registers at the full clock."""

from collections.abc import Sequence

from amaranth.hdl import Cat, Const, Module, Mux, Signal, Value
from amaranth.lib import wiring
from amaranth.lib.wiring import In, Out

from hw.host.register_map import Register

GROUP = 8  # registers that are put together in one stage


def members(registers: Sequence[Register]) -> dict[str, wiring.Member]:
    """The members of a :class:`RegisterBlock` that belong to its registers."""
    found: dict[str, wiring.Member] = {}
    for register in registers:
        if any(each.source == "host" for each in register.fields):
            found[f"{register.name}_written"] = Out(1)
        if register.external:
            found |= {f"{register.name}_index": Out(range(max(register.count, 2))), f"{register.name}_data": In(32)}
            continue
        for each in register.fields:
            if each.source != "constant":
                member = In(each.width) if each.source == "card" else Out(each.width, init=each.reset)
                found[f"{register.name}_{each.name}"] = member
    return found


class RegisterBlock(wiring.Component):
    """Registers, as :class:`hw.host.bank.RegisterBank` has them, behind a bus that holds its address.

    Parameters
    ----------
    registers : sequence of Register
        Which ones.

    Members
    -------
    address : In(16)
        Byte address; the low two bits are ignored.
    write, write_data : In(1), In(32)
        A write, with an address that was there in the cycle before. It takes effect with the next clock.
    read_data : Out(32)
        The register at the address, 3 cycles later. It follows the address and needs no strobe: reading changes nothing. 0
        where nothing is.
    written_data : Out(32)
        What was written last.
    <register>_<field> : In or Out
        In for what the gateware reports, Out for what the host has written.
    <register>_written : Out(1)
        For a register with fields of the host: it was written, and has its new value in this cycle for the first time.
    <register>_index, <register>_data : Out, In(32)
        For an external array: the element addressed, 1 cycle after the address; and its value, any time later. The value comes
        out of ``read_data`` a cycle after that.

    Latency 3 cycles to read, 1 to write.
    """

    def __init__(self, registers: Sequence[Register]):
        self.registers = tuple(registers)
        super().__init__(
            {
                "address": In(16),
                "write": In(1),
                "write_data": In(32),
                "read_data": Out(32),
                "written_data": Out(32),
                **members(self.registers),
            }
        )

    def elaborate(self, platform):
        m = Module()
        word, terms = self.address[2:], []
        m.d.sync += self.written_data.eq(self.write_data)
        for register in self.registers:
            first = register.address >> 2
            chosen = Signal(name=f"chosen_{register.name}")
            m.d.sync += chosen.eq((word >= first) & (word < first + register.count))
            if any(each.source == "host" for each in register.fields):
                m.d.sync += getattr(self, f"{register.name}_written").eq(self.write & chosen)
            if register.external:
                m.d.sync += getattr(self, f"{register.name}_index").eq(word - first)
                terms.append(Mux(chosen, getattr(self, f"{register.name}_data"), 0))
                continue
            terms.append(Mux(chosen, self._value(register), 0))
            for each in register.fields:
                if each.source == "host":
                    with m.If(self.write & chosen):
                        m.d.sync += getattr(self, f"{register.name}_{each.name}").eq(self.write_data[each.low :][: each.width])

        groups = []
        for at in range(0, len(terms), GROUP):
            group = Signal(32, name=f"group_{at // GROUP}")
            m.d.sync += group.eq(_any(terms[at : at + GROUP]))
            groups.append(group)
        m.d.sync += self.read_data.eq(_any(groups))
        return m

    def _value(self, register: Register) -> Value:
        bits = [Const(0, 1)] * 32
        for each in register.fields:
            constant = Const(each.reset, each.width)
            field = constant if each.source == "constant" else getattr(self, f"{register.name}_{each.name}")
            bits[each.low : each.low + each.width] = list(field)
        return Cat(*bits)


def _any(words: list[Value]) -> Value:
    """Bit by bit, whether any word has it."""
    value = words[0]
    for each in words[1:]:
        value = value | each
    return value
