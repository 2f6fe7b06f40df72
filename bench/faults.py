"""A site through faults from seeds (`hairpin faults`): how many seeds an hour, and what they came to. The seeds are 1 to 100, or
to as many as are asked for: ``python -m bench.faults 1000``.
"""

from __future__ import annotations

import json
import sys
import time
from typing import Any

from bench.figures import Figure, write
from control.rehearsal.campaign import Campaign, run

SEEDS = 100


def figures(told: dict[str, Any]) -> list[Figure]:
    """The figures of a campaign."""
    command = f"python -m bench.faults {told['seeds']}"
    return [
        Figure("faults from seeds: days of a site played", told["seeds"], "seeds", command),
        Figure("faults from seeds: seeds an hour, two cores", told["seeds_per_hour"], "seeds/hour", command),
        Figure("faults from seeds: faults injected", told["faults"], "faults", command),
        Figure("faults from seeds: orders of clients", told["orders_asked"], "orders", command),
        Figure("faults from seeds: violations", told["violations"], "", command),
    ]


def main() -> None:
    """Play, and write the figures."""
    seeds = int(sys.argv[1]) if len(sys.argv) > 1 else SEEDS
    campaign, began = Campaign(), time.monotonic()
    for outcome in run(range(1, seeds + 1)):
        campaign.add(outcome)
        if campaign.seeds % max(seeds // 10, 1) == 0:
            print(f"faults: {campaign.seeds} of {seeds} seeds", file=sys.stderr, flush=True)
    campaign.seconds = time.monotonic() - began
    told = campaign.as_dict()
    write("bench", figures(told))
    print(json.dumps(told, indent=2))


if __name__ == "__main__":
    main()
