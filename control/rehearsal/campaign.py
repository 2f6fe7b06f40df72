"""Many seeds, several at a time; what they did together."""

from __future__ import annotations

import logging
import multiprocessing
import os
import sys
import time
import traceback
from collections import Counter
from collections.abc import Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor, as_completed
from dataclasses import dataclass, field
from typing import Any

import orjson
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn, TimeRemainingColumn
from rich.table import Table

from control.rehearsal.world import Outcome, play

FAULT = "fault: "
SHOWN = 10


@dataclass
class Campaign:
    """What seeds came to. ``failed``: those with violations."""

    seeds: int = 0
    counts: Counter[str] = field(default_factory=Counter)
    failed: list[Outcome] = field(default_factory=list)
    seconds: float = 0.0

    def add(self, outcome: Outcome) -> None:
        """One more."""
        self.seeds += 1
        self.counts += outcome.counts
        if outcome.violations:
            self.failed.append(outcome)

    @property
    def faults(self) -> dict[str, int]:
        """Faults that were injected, by kind."""
        return {name.removeprefix(FAULT): number for name, number in sorted(self.counts.items()) if name.startswith(FAULT)}

    def as_dict(self) -> dict[str, Any]:
        """For JSON."""
        return {
            "seeds": self.seeds,
            "seconds": round(self.seconds, 1),
            "seeds_per_hour": round(3_600 * self.seeds / self.seconds) if self.seconds else None,
            "faults": sum(self.faults.values()),
            "faults_by_kind": self.faults,
            "orders_asked": self.counts["orders asked"],
            "packets_to_the_exchange": self.counts["packets to the exchange"],
            "violations": sum(len(outcome.violations) for outcome in self.failed),
            "failed": [outcome.as_dict() for outcome in sorted(self.failed, key=lambda outcome: outcome.seed)],
            "counts": {name: number for name, number in sorted(self.counts.items()) if not name.startswith(FAULT)},
        }


def run(seeds: Sequence[int], processes: int | None = None) -> Iterator[Outcome]:
    """The outcomes of seeds, as they come. A seed that ends with an exception has it as its violation."""
    workers = min(processes or os.cpu_count() or 1, len(seeds))
    if workers == 1:
        yield from map(_one, seeds)
        return
    with ProcessPoolExecutor(workers, mp_context=multiprocessing.get_context("spawn")) as pool:
        for done in as_completed([pool.submit(_one, seed) for seed in seeds]):
            yield done.result()


def _one(seed: int) -> Outcome:
    logging.disable(logging.CRITICAL)  # a day of faults is a day of warnings
    try:
        return play(seed)
    except Exception:
        return Outcome(seed, [], Counter(), [traceback.format_exc()])


def show(seeds: Sequence[int], processes: int | None, out: Console, err: Console, *, json: bool) -> bool:
    """Run seeds, with progress; then a table or JSON. Whether nothing was violated."""
    campaign, began = Campaign(), time.monotonic()
    columns = TextColumn("seeds"), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn(), TimeRemainingColumn()
    with Progress(*columns, TextColumn("{task.fields[failed]} failed"), console=err) as progress:
        task = progress.add_task("", total=len(seeds), failed=0)
        for outcome in run(seeds, processes):
            campaign.add(outcome)
            if outcome.violations:
                err.print(f"seed {outcome.seed}: {outcome.violations[0]}", highlight=False, soft_wrap=True, markup=False)
            progress.update(task, advance=1, failed=len(campaign.failed))
            if not err.is_terminal and campaign.seeds % max(len(seeds) // 10, 1) == 0:
                err.print(f"{campaign.seeds} of {len(seeds)} seeds, {len(campaign.failed)} failed", highlight=False)
    campaign.seconds = time.monotonic() - began
    if json:
        sys.stdout.buffer.write(orjson.dumps(campaign.as_dict(), option=orjson.OPT_INDENT_2 | orjson.OPT_APPEND_NEWLINE))
        sys.stdout.buffer.flush()
    else:
        _tables(campaign, out)
    return not campaign.failed


def _tables(campaign: Campaign, out: Console) -> None:
    told = campaign.as_dict()
    table = Table("fault", "injected", box=None)
    for name, number in campaign.faults.items():
        table.add_row(name, f"{number:,}")
    out.print(table)
    out.print(
        f"{campaign.seeds:,} seeds, {told['faults']:,} faults, {told['orders_asked']:,} orders of clients, "
        f"{told['packets_to_the_exchange']:,} packets to the exchange, {told['seeds_per_hour']:,} seeds an hour: "
        f"{told['violations']} violations",
        highlight=False,
    )
    for outcome in campaign.failed[:SHOWN]:
        out.print(f"seed {outcome.seed}:", highlight=False)
        for line in outcome.violations[:SHOWN]:
            out.print(f"  {line}", highlight=False, soft_wrap=True, markup=False)
