"""Everything that knows the registers, made from ``registers.rdl`` (SystemRDL 2.0).

``python -m hw.host.generate`` writes the files, ``--check`` says whether they are current and names those that are not.
"""

from __future__ import annotations

import sys
from dataclasses import dataclass
from pathlib import Path

from systemrdl import RDLCompiler
from systemrdl.node import AddrmapNode, RegNode
from systemrdl.rdltypes import AccessType

from hw.network_counters import NETWORK_COUNTERS
from wire.counters import COUNTER_COUNT, COUNTERS
from wire.records import EventType

ROOT = Path(__file__).resolve().parents[2]
SOURCE = Path(__file__).with_name("registers.rdl")
ORIGIN = "hw/host/registers.rdl"
NETWORK = 0xA000
"""Registers from here on are those of the network edge, which a card of streams does not have."""


@dataclass(frozen=True)
class Field:
    """Bits ``low`` to ``low + width - 1`` of a register.

    ``source`` says where the value lives: ``constant`` (``reset``, for good), ``card`` (the gateware drives it) or
    ``host`` (the host writes it, the gateware reads it).
    """

    name: str
    low: int
    width: int
    reset: int
    source: str
    meaning: str


@dataclass(frozen=True)
class Register:
    """One 32-bit register, or ``count`` of them in a row, at a byte address."""

    name: str
    address: int
    count: int
    external: bool
    title: str
    meaning: str
    fields: tuple[Field, ...]


def _words(text: str | None) -> str:
    return " ".join((text or "").split())


def _field(node) -> Field:
    software, hardware = node.get_property("sw"), node.get_property("hw")
    if software is AccessType.rw and hardware is AccessType.r:
        source = "host"
    elif software is AccessType.r:
        source = "card" if hardware is AccessType.w else "constant"
    else:
        raise ValueError(f"{node.get_path()}: no gateware for sw = {software.name}, hw = {hardware.name}")
    return Field(
        node.inst_name,
        node.low,
        node.width,
        node.get_property("reset") or 0,
        source,
        _words(node.get_property("desc")),
    )


def _register(node: RegNode) -> Register:
    return Register(
        node.inst_name,
        node.raw_absolute_address if node.is_array else node.absolute_address,
        node.array_dimensions[0] if node.is_array and node.array_dimensions else 1,
        node.external,
        _words(node.get_property("name")),
        _words(node.get_property("desc")),
        tuple(_field(each) for each in node.fields()),
    )


def read(source: Path = SOURCE) -> list[Register]:
    """The registers in address order.

    Raises
    ------
    systemrdl.RDLCompileError
        The source is not SystemRDL.
    ValueError
        An access that the register bank does not have.
    """
    compiler = RDLCompiler()
    compiler.compile_file(str(source))
    top = compiler.elaborate(parameters={"COUNTERS": COUNTER_COUNT, "NETWORK_COUNTERS": len(NETWORK_COUNTERS)}).top
    assert isinstance(top, AddrmapNode)
    return sorted((_register(node) for node in top.registers()), key=lambda each: each.address)


# -- Python ----------------------------------------------------------------------------------------

_CLASSES = '''
from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Field:
    """Bits of a register. ``source``: ``constant``, ``card`` (driven by the gateware) or ``host`` (written by it)."""

    name: str
    low: int
    width: int
    reset: int
    source: str

    @property
    def mask(self) -> int:
        """The field's bits, in place."""
        return ((1 << self.width) - 1) << self.low

    def of(self, word: int) -> int:
        """The field's value in a register's value."""
        return (word & self.mask) >> self.low

    def put(self, word: int, value: int) -> int:
        """A register's value with the field changed."""
        if value < 0 or value >> self.width:
            raise ValueError(f"{self.name}: {value} does not fit {self.width} bits")
        return word & ~self.mask | value << self.low


@dataclass(frozen=True, slots=True)
class Register:
    """A 32-bit register, or ``count`` in a row, at a byte address. ``external``: not kept by the register bank."""

    name: str
    address: int
    count: int
    external: bool
    fields: tuple[Field, ...]

    def __getitem__(self, name: str) -> Field:
        for each in self.fields:
            if each.name == name:
                return each
        raise KeyError(f"{self.name} has no field {name}")

    @property
    def reset(self) -> int:
        """The value after reset, as far as the declaration says it."""
        return sum(each.reset << each.low for each in self.fields)
'''


def python(registers: list[Register]) -> str:
    """The register map as a Python module; drivers and gateware get the same."""
    lines = [
        f'"""The card\'s registers: addresses in bytes, fields in bits. Made from {ORIGIN} by hw.host.generate."""',
        _CLASSES,
        "",
    ]
    for register in registers:
        lines.append(f"{register.name.upper()} = Register(")
        lines.append(f'    "{register.name}",')
        lines.append(f"    0x{register.address:04X},")
        lines.append(f"    {register.count},")
        lines.append(f"    {register.external},")
        lines.append("    (")
        for each in register.fields:
            reset = f"0x{each.reset:X}" if each.reset > 9 else str(each.reset)
            lines.append(f'        Field("{each.name}", {each.low}, {each.width}, {reset}, "{each.source}"),')
        lines.append("    ),")
        lines.append(")")
        if register.meaning:
            lines.append(f'"""{register.meaning}"""')
        lines.append("")
    for name, beyond in (("REGISTERS", False), ("NETWORK_REGISTERS", True)):
        lines.append(f"{name}: tuple[Register, ...] = (")
        lines += [f"    {register.name.upper()}," for register in registers if (register.address >= NETWORK) is beyond]
        lines.append(")")
    lines.append("NETWORK_COUNTER_NAMES: tuple[str, ...] = (")
    lines += [f'    "{name}",' for name in NETWORK_COUNTERS]
    lines.append(")")
    return "\n".join(lines) + "\n"


# -- C ---------------------------------------------------------------------------------------------


def header(registers: list[Register]) -> str:
    """The register map as a C header of macros."""
    lines = [
        f"/* The card's registers: addresses in bytes, 32 bits each. Made from {ORIGIN} by hw.host.generate. */",
        "#ifndef HAIRPIN_REGISTERS_H",
        "#define HAIRPIN_REGISTERS_H",
        "",
    ]
    for register in registers:
        name = f"HAIRPIN_{register.name.upper()}"
        lines.append(f"/* {register.title or register.name}. {register.meaning} */")
        lines.append(f"#define {name} 0x{register.address:04X}u")
        if register.count > 1:
            lines.append(f"#define {name}_COUNT {register.count}u")
        for each in register.fields:
            part = f"{name}_{each.name.upper()}"
            lines.append(f"#define {part}_SHIFT {each.low}")
            lines.append(f"#define {part}_MASK 0x{((1 << each.width) - 1) << each.low:08X}u")
            if each.source != "card":
                lines.append(f"#define {part}_RESET 0x{each.reset:X}u")
        lines.append("")
    lines.append("/* Numbers of the counters (wire/counters.py). */")
    lines += [f"#define HAIRPIN_COUNT_{name.upper()} {i}u" for i, name in enumerate(COUNTERS)]
    lines.append("/* Numbers of the network counters (hw/network_counters.py). */")
    lines += [f"#define HAIRPIN_NETWORK_COUNT_{name.upper()} {i}u" for i, name in enumerate(NETWORK_COUNTERS)]
    lines += ["", "#endif"]
    return "\n".join(lines) + "\n"


# -- documentation ---------------------------------------------------------------------------------

_ACCESS = {"constant": "constant", "card": "read", "host": "read, write"}


def page(registers: list[Register]) -> str:
    """The register map as a page of Markdown."""
    lines = [
        "# Registers",
        "",
        f"Made from `{ORIGIN}` by `python -m hw.host.generate`; do not edit. Addresses in bytes, registers of 32 bits.",
        "A read of an address that is not here gives 0, a write to it does nothing.",
        "",
        "| address | register | what it is |",
        "|---|---|---|",
    ]
    for register in registers:
        last = register.address + 4 * (register.count - 1)
        span = f"`0x{register.address:04X}`" + (f" to `0x{last:04X}`" if register.count > 1 else "")
        lines.append(f"| {span} | [`{register.name}`](#{register.name}) | {register.meaning} |")
    for register in registers:
        lines += ["", f"## {register.name}", "", f"{register.title}. {register.meaning}", ""]
        lines += ["| bits | field | access | after reset | meaning |", "|---|---|---|---|---|"]
        for each in register.fields:
            bits = f"{each.low + each.width - 1}:{each.low}" if each.width > 1 else str(each.low)
            reset = "" if each.source == "card" else f"`0x{each.reset:X}`"
            lines.append(
                f"| {bits} | `{each.name}` | {_ACCESS[each.source]} | {reset} | {each.meaning} |".replace("|  |", "| |")
            )
    lines += ["", "## Events", "", "Bits of `event_enable`.", "", "| bit | event |", "|---|---|"]
    lines += [f"| {each.value} | {each.name} |" for each in EventType]
    base = next(each.address for each in registers if each.name == "counter")
    lines += ["", "## Counters", "", "| number | address | counter | counts |", "|---|---|---|---|"]
    lines += [
        f"| {i} | `0x{base + 4 * i:04X}` | `{name}` | {meaning} |" for i, (name, meaning) in enumerate(COUNTERS.items())
    ]
    base = next(each.address for each in registers if each.name == "network_counter")
    lines += ["", "## Network counters", "", "| number | address | counter |", "|---|---|---|"]
    lines += [f"| {i} | `0x{base + 4 * i:04X}` | `{name}` |" for i, name in enumerate(NETWORK_COUNTERS)]
    return "\n".join(lines) + "\n"


def files() -> dict[Path, str]:
    """Every generated file and what it should hold."""
    registers = read()
    return {
        ROOT / "hw" / "host" / "register_map.py": python(registers),
        ROOT / "drivers" / "registers.py": python(registers),
        ROOT / "firmware" / "registers.h": header(registers),
        ROOT / "docs" / "registers.md": page(registers),
    }


def stale() -> list[Path]:
    """The generated files that are missing or differ from what the declaration says."""
    return [path for path, text in files().items() if not path.exists() or path.read_text() != text]


def main(arguments: list[str]) -> int:
    """Command line: writes the files, or with ``--check`` names those that are not current."""
    if arguments == ["--check"]:
        old = stale()
        for path in old:
            print(f"{path.relative_to(ROOT)} is not current: run python -m hw.host.generate", file=sys.stderr)
        return 1 if old else 0
    for path, text in files().items():
        path.write_text(text)
        print(path.relative_to(ROOT))
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
