"""How long things took, and at which clock the card's cycles run."""

from __future__ import annotations

import json
import statistics
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from control.report import ClockReport, Distribution

ROOT = Path(__file__).resolve().parents[1]
SYNTH = ROOT / "build" / "synth.json"
BUCKETS_PER_DECADE = 24


def of_cycles(cycles: NDArray[Any], what: str) -> Distribution | None:
    """Clock cycles, each value a bucket of its own where they are few; None for no cycles."""
    if not len(cycles):
        return None
    values, counts = np.unique(cycles.astype(np.int64), return_counts=True)
    if len(values) > 64:
        edges = np.unique(np.linspace(values[0], values[-1] + 1, 65).astype(np.int64))
        counts, _ = np.histogram(cycles, edges)
        values = edges[:-1]
    histogram = [(float(v), int(c)) for v, c in zip(values, counts, strict=True)]
    return _distribution(what, "cycles", cycles.astype(np.float64), np.ones(len(cycles), np.int64), histogram)


def of_batches(nanoseconds: NDArray[Any], sizes: NDArray[Any], what: str) -> Distribution | None:
    """Wall time per item of batches: a batch of n items that took t ns counts n times as t / n."""
    filled = np.asarray(sizes) > 0
    sizes = np.asarray(sizes, np.int64)[filled]
    if not len(sizes):
        return None
    each = np.maximum(np.asarray(nanoseconds, np.float64)[filled] / sizes, 0.1)
    low, high = np.floor(np.log10(each.min()) * BUCKETS_PER_DECADE), np.log10(each.max()) * BUCKETS_PER_DECADE
    edges = 10 ** (np.arange(low, np.floor(high) + 2) / BUCKETS_PER_DECADE)
    counts, _ = np.histogram(each, edges, weights=sizes)
    histogram = [(round(float(e), 3), int(c)) for e, c in zip(edges[:-1], counts, strict=True)]
    return _distribution(what, "ns", each, sizes, histogram)


def _distribution(
    what: str,
    unit: Any,
    values: NDArray[np.float64],
    weights: NDArray[np.int64],
    histogram: list[tuple[float, int]],
) -> Distribution:
    order = np.argsort(values, kind="stable")
    ordered, ranks = values[order], np.cumsum(weights[order])
    total = int(ranks[-1])

    def quantile(share: float) -> float:
        """The least value that at least this share of all does not exceed."""
        return round(float(ordered[np.searchsorted(ranks, share * total)]), 1)

    return Distribution(
        what=what,
        unit=unit,
        count=total,
        minimum=round(float(ordered[0]), 1),
        median=quantile(0.5),
        p99=quantile(0.99),
        p999=quantile(0.999),
        maximum=round(float(ordered[-1]), 1),
        histogram=histogram,
    )


def routed_clock(path: Path = SYNTH) -> ClockReport:
    """The clock that place and route reached: the median of the seeds of the fastest speed grade that was
    routed.
    """
    try:
        routed = json.loads(path.read_text()).get("routed") or []
        grades: dict[tuple[int, str], list[float]] = {}
        for run in routed:
            target = run["target"]
            grades.setdefault((int(target["speed"]), str(target["device"])), []).append(float(run["mhz"]))
    except (OSError, ValueError, KeyError, TypeError, AttributeError):
        grades = {}
    if not grades:
        return ClockReport(mhz=None, source="The card has not been placed and routed here yet: make synth.")
    (speed, device), reached = max(grades.items())
    seeds = f"median of {len(reached)} seeds" if len(reached) > 1 else "one seed"
    return ClockReport(
        mhz=round(statistics.median(reached), 2),
        source=f"Clock: what nextpnr reached for {device}, speed grade {speed}, {seeds} (build/synth.json).",
    )
