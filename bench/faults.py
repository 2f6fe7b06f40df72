"""A site through faults from seeds (`hairpin faults`): how many seeds an hour, and what they came to. It takes half an hour."""

from __future__ import annotations

import json
import sys
import time
from typing import Any

from bench.figures import Figure, write
from control.rehearsal.campaign import Campaign, run

SEEDS = 1_000
COMMAND = "make bench ONLY=faults"


def figures(told: dict[str, Any]) -> list[Figure]:
    """The figures of a campaign."""
    return [
        Figure("faults from seeds: days of a site played", told["seeds"], "seeds", COMMAND),
        Figure("faults from seeds: seeds an hour, two cores", told["seeds_per_hour"], "seeds/hour", COMMAND),
        Figure("faults from seeds: faults injected", told["faults"], "faults", COMMAND),
        Figure("faults from seeds: orders of clients", told["orders_asked"], "orders", COMMAND),
        Figure("faults from seeds: violations", told["violations"], "", COMMAND),
    ]


def main() -> None:
    """Play, and write the figures."""
    campaign, began = Campaign(), time.monotonic()
    for outcome in run(range(1, SEEDS + 1)):
        campaign.add(outcome)
        if campaign.seeds % 100 == 0:
            print(f"faults: {campaign.seeds} of {SEEDS} seeds", file=sys.stderr, flush=True)
    campaign.seconds = time.monotonic() - began
    told = campaign.as_dict()
    write("bench", figures(told))
    print(json.dumps(told, indent=2))


if __name__ == "__main__":
    main()
