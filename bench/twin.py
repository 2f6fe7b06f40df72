"""The simulated card in its world: clock cycles and messages per second, and trigger to order in cycles by trigger type.

The card quotes three stocks of a synthetic market against the built-in venue, as in `hairpin run`. Inputs come one at a
time, each when the card is idle, so the cycles are those of an idle card and the same in every run.
"""

import numpy as np

from bench.figures import Figure, write
from control.layers import load
from control.market import open_device, source, start, world
from control.run import Stopwatch
from wire.itch import ITCH

COMMAND = "make bench ONLY=twin"
MESSAGES = 50_000
TRIGGERS = b"ADEU"


def main() -> None:
    """Measure, print the table, keep the figures."""
    market = {"messages": MESSAGES, "symbols": ["HPNA", "HPNB", "HPNC"], "seed": 5}
    configuration = load(environment={}, flags={"input": market})
    what = source(configuration)
    device = open_device("twin", configuration, print)
    watch = Stopwatch(device, cycles=True)
    run = start(world(configuration, what.tape), watch, configuration, what.setups)
    before = device.cycles
    run.finish()
    cycles, counters = device.cycles - before, device.counters()
    device.close()

    rows = np.concatenate(watch.latencies)
    print(f"{counters['messages']:,} messages, {cycles:,} cycles, {watch.seconds:.1f} s, {len(rows):,} orders")
    figures = [
        Figure("twin: clock cycles per second", round(cycles / watch.seconds / 1000), "thousand cycles/s", COMMAND),
        Figure("twin: messages per second, one at a time", round(counters["messages"] / watch.seconds), "messages/s", COMMAND),
    ]
    first = rows[rows["rank"] == 0]
    table = {}
    for kind in np.unique(first["type"]):
        chosen = first[first["type"] == kind]
        whole, frame = chosen["cycles"], chosen["frame_cycles"]
        name = ITCH.by_code[kind[0]].name
        low, middle, high = int(whole.min()), float(np.median(whole)), int(whole.max())
        table[kind.decode()] = {
            "orders": len(chosen),
            "minimum": low,
            "median": middle,
            "maximum": high,
            "from_frame_end": [int(frame.min()), float(np.median(frame)), int(frame.max())],
        }
        print(f"  {kind.decode()} {name}: {len(chosen)} orders, {low} / {middle:g} / {high} cycles")
        if kind in TRIGGERS:
            figures += [
                Figure(f"twin: trigger to order, {name} ({kind.decode()}), {which}", value, "cycles", COMMAND)
                for which, value in (("median", middle), ("maximum", high))
            ]
    write("bench", figures, trigger_to_order=table)


if __name__ == "__main__":
    main()
