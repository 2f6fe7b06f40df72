"""The report as one HTML page that asks nobody for anything: text, tables and plots, with Plotly inside.

``page.html`` is the frame; style, script, Plotly and the data are put into it.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from importlib.resources import files
from typing import Any

import numpy as np
import orjson

from control.report import Report
from control.series import POINTS, Steps, SymbolSeries, thin

_HERE = files("control.page")


def render(report: Report, series: Mapping[str, SymbolSeries]) -> str:
    """The page.

    Parameters
    ----------
    report : Report
    series : stock -> what happened to it over time, of the first device of the report
    """
    from plotly.offline import get_plotlyjs

    data = {
        "report": report.model_dump(mode="json", by_alias=True),
        "series": {stock: _drawn(each) for stock, each in series.items()},
        "thinned": {stock: points for stock, each in series.items() if (points := _thinned(each))},
    }
    parts = {
        "style": _HERE.joinpath("page.css").read_text(),
        "script": _HERE.joinpath("page.js").read_text(),
        "plotly": get_plotlyjs(),
        "data": orjson.dumps(data).decode().replace("<", "\\u003c"),
    }
    page = _HERE.joinpath("page.html").read_text()
    for name, text in parts.items():
        before, _, after = page.partition(f"/*{{{{{name}}}}}*/")
        page = before + text + after
    return page


def _lines(series: SymbolSeries) -> dict[str, Steps]:
    return {
        "bid": series.bid,
        "ask": series.ask,
        "our_bid": series.our_bid,
        "our_ask": series.our_ask,
        "position": series.position,
        "pnl": series.pnl,
    }


def _thinned(series: SymbolSeries) -> int:
    """How many points the longest line has, where it is too long to be drawn as it is; else 0."""
    longest = max(len(line) for line in _lines(series).values())
    return longest if longest > POINTS else 0


def _drawn(series: SymbolSeries) -> dict[str, Any]:
    """A symbol's lines and fills as the script takes them: currency, and null where nothing is."""
    last = max((int(line.at[-1]) for line in _lines(series).values() if len(line)), default=0)
    drawn: dict[str, Any] = {
        name: _line(thin(line), last, 1 if name == "position" else 1e-4) for name, line in _lines(series).items()
    }
    drawn["fills"] = {
        "at": series.fills.at.tolist(),
        "side": series.fills.side.tolist(),
        "price": _rounded(series.fills.price * 1e-4),
        "quantity": series.fills.quantity.astype(int).tolist(),
    }
    drawn["untrusted"] = series.untrusted
    return drawn


def _line(steps: Steps, last: int, scale: float) -> dict[str, Any]:
    """A stepped line up to the end of the run."""
    at, values = steps.at.tolist(), _rounded(steps.values * scale)
    if at and at[-1] < last:
        at.append(last)
        values.append(values[-1])
    return {"at": at, "value": values}


def _rounded(values: np.ndarray[Any, np.dtype[np.float64]]) -> list[float | None]:
    return [None if math.isnan(value) else round(value, 4) for value in values.tolist()]
