"""The whole path in software: packets of both feeds in, books, quotes and gate, OUCH packets out; nothing left out.

The inputs of a run against the built-in venue are recorded and given to the engine once more, as `hairpin run` does to
time it. What is counted is the wall time of the engine alone, on one core.
"""

import statistics
import time

from bench.figures import Figure, write
from control.layers import load
from control.market import open_device, source, start, world
from engine.path import Engine

COMMAND = "make bench ONLY=path"
MESSAGES, RUNS, AT_ONCE = 200_000, 15, 512


def main() -> None:
    """Measure, print, keep the figures."""
    market = {"messages": MESSAGES, "symbols": ["HPNA", "HPNB", "HPNC", "HPND"], "seed": 5}
    configuration = load(environment={}, flags={"input": market})
    what = source(configuration)
    with open_device("software", configuration, print) as device:
        run = start(world(configuration, what.tape), device, configuration, what.setups, record=True)
        run.finish()
    inputs, buffer = run.inputs()
    sizes, seconds = configuration.device, []
    for _ in range(RUNS):
        engine = Engine(sizes.symbols, sizes.levels, sizes.orders)
        begin = time.perf_counter()
        for first in range(0, len(inputs), AT_ONCE):
            engine.process(inputs[first : first + AT_ONCE], buffer)
        seconds.append(time.perf_counter() - begin)
    taken, orders = statistics.median(seconds), len(run.outputs)
    print(f"{len(inputs):,} inputs with {MESSAGES:,} messages, {orders:,} packets out: {taken * 1e9 / len(inputs):.0f} ns each")
    write(
        "bench",
        [
            Figure("whole path in software, per input", round(taken * 1e9 / len(inputs)), "ns", COMMAND),
            Figure("whole path in software", round(MESSAGES / taken / 1e6, 2), "million messages/s", COMMAND),
        ],
    )


if __name__ == "__main__":
    main()
