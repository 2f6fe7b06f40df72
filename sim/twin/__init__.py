"""The Verilated card in this process.

``build`` turns the gateware into a shared library (Amaranth, Verilator, g++; cached by the hash of what it
was made from), ``Twin`` loads it and runs batches of inputs through it: every clock cycle is stepped in C++
(``harness.cpp``), none in Python. ``python -m sim.twin`` builds it and says how fast it is.
"""

from sim.twin.build import BuildError, Design, appliance, build
from sim.twin.twin import Mode, Run, Twin, TwinStuckError, power_on

__all__ = ["BuildError", "Design", "Mode", "Run", "Twin", "TwinStuckError", "appliance", "build", "power_on"]
