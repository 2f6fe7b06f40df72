"""``make twin``: build the simulated card, say what it is and how fast it runs."""

import argparse
import time

import numpy as np

from hw.parameters import PROFILES
from sim.twin import Twin
from wire.records import INPUT, Port

TICKS = 2_000


def main() -> None:
    """Command line."""
    parser = argparse.ArgumentParser(prog="make twin ARGS=...", description=main.__doc__)
    parser.add_argument("--profile", default="twin", choices=sorted(PROFILES))
    parser.add_argument("--trace", action="store_true", help="a model that can write waveforms")
    parser.add_argument("--waveform", metavar="FILE.fst", help="write one of a few clock ticks; implies --trace")
    chosen = parser.parse_args()
    with Twin(PROFILES[chosen.profile], trace=chosen.trace or bool(chosen.waveform)) as twin:
        if chosen.waveform:
            twin.start_trace(chosen.waveform)
        ticks = np.array([(1 + i, 0, 0, Port.TICK) for i in range(TICKS)], INPUT)
        before, start = twin.cycles, time.perf_counter()
        twin.process(ticks, b"")
        rate = (twin.cycles - before) / (time.perf_counter() - start)
        print(f"{PROFILES[chosen.profile]}\n{twin.library}\n{rate:,.0f} clock cycles per second")


if __name__ == "__main__":
    main()
