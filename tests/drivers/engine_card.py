"""A transport to a card that is no card: the engine behind the register map, so that the driver is tested alone."""

from typing import Any, NamedTuple

import numpy as np

from drivers import registers
from engine.path import Engine
from wire.counters import COUNTER_COUNT
from wire.records import HOLD_SLOTS, SLOTS


class Results(NamedTuple):
    events: Any
    outputs: Any
    payload: Any
    input_cycles: Any = None
    output_cycles: Any = None


class EngineCard:
    """``registers`` may be overridden by address; the events whose number is in ``lose`` never arrive."""

    def __init__(self, symbols=4, levels=1024, orders=1024):
        self.engine = Engine(symbols, levels, orders)
        slots = registers.SLOTS["hold_slots"].put(registers.SLOTS["order_slots"].put(0, SLOTS), HOLD_SLOTS)
        self.registers = {
            registers.IDENTIFICATION.address: registers.IDENTIFICATION.reset,
            registers.VERSION.address: registers.VERSION.reset,
            registers.BUILD.address: 0xC0FFEE,
            registers.SYMBOLS.address: symbols,
            registers.LEVELS.address: levels,
            registers.ORDERS.address: orders,
            registers.SLOTS.address: slots,
            registers.COUNTERS.address: COUNTER_COUNT,
        }
        self.lose: set[int] = set()
        self.closed = False

    def process(self, inputs, buffer):
        events, outputs, payload = self.engine.process(inputs, buffer)
        return Results(events[~np.isin(events["sequence"], list(self.lose))], outputs, payload)

    def csr_read(self, address):
        base = registers.COUNTER.address
        if base <= address < base + 4 * COUNTER_COUNT:
            return int(self.engine.counters[(address - base) // 4]) & 0xFFFFFFFF
        return self.registers.get(address, 0)

    def csr_write(self, address, value):
        self.registers[address] = value

    def close(self):
        self.closed = True
