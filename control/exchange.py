"""``hairpin exchange``: venues started, FIX plugged in, their ports told, what happened shown."""

from __future__ import annotations

import asyncio
import sys
from typing import Any

import orjson
from rich.console import Console
from rich.table import Table

from sim.exchange.config import ExchangeConfig

_COLUMNS = ("commands", "orders_open", "matches", "shares_executed", "messages", "state_hash")


def show(
    config: ExchangeConfig,
    out: Console,
    err: Console,
    *,
    offline: bool,
    seconds: float | None,
    processes: bool,
    json: bool,
) -> None:
    """Run the venues and print what happened: a table, or one JSON object on standard output.

    Raises
    ------
    OSError, ValueError
        A port that is taken, a file that can't be read, a symbol that it lacks.
    """
    from control.exchange_fix import FixGateway
    from sim.exchange import run

    def ready(ports: dict[str, Any]) -> None:
        err.print(orjson.dumps(ports).decode(), highlight=False, soft_wrap=True, markup=False)

    def progress(state: dict[str, Any]) -> None:
        err.print(
            f"{state['venue']}: {state['messages']:,} messages, {state['matches']:,} matches,"
            f" {state['orders_open']:,} orders open",
            highlight=False,
        )

    if offline:
        found = run.offline(config)
    elif processes:
        found = run.in_processes(config, seconds, FixGateway)
    else:
        found = asyncio.run(run.serve(config, seconds, ready, progress, FixGateway))
    if json:
        sys.stdout.buffer.write(orjson.dumps({"venues": found}, option=orjson.OPT_INDENT_2 | orjson.OPT_APPEND_NEWLINE))
        sys.stdout.buffer.flush()
        return
    table = Table(*("venue", *(name.replace("_", " ") for name in _COLUMNS)))
    for each in found:
        cells = (each[name] for name in _COLUMNS)
        table.add_row(each["venue"], *(f"{cell:,}" if isinstance(cell, int) else str(cell) for cell in cells))
    out.print(table)
