"""``hairpin journal``: what a journal holds, and whether its chain is whole. Nothing is written, and it may be in use."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import orjson
from rich.console import Console
from rich.table import Table

from control.entries import described
from control.store import Record, segment
from control.store.journal import LOCK
from control.store.mark import read
from control.store.record import SEGMENT_KIND, Parsed, parse
from control.store.scan import Place, scan
from control.store.segment import CorruptJournalError

_COMMON = ("sequence", "timestamp_ns", "time", "kind")


@dataclass(frozen=True)
class Verdict:
    """What `verify` found.

    Parameters
    ----------
    good : bool
        Everything that was acknowledged is there as it was written.
    records, entries, segments : int
        That are whole, from the beginning.
    digest : str
        Of the last whole record, in hex: it stands for all before it.
    detail : str
        What is wrong, or torn, and where.
    """

    good: bool
    records: int
    entries: int
    segments: int
    digest: str
    detail: str


def entries(folder: Path) -> Iterator[Record]:
    """The whole entries of a journal, up to the first record that is none.

    Raises
    ------
    FileNotFoundError
        There is no journal.
    CorruptJournalError
        A segment is missing.
    """
    _exists(folder)
    parts: list[bytes] = []
    for _, record in _links(folder):
        if record is None:
            return
        if record.kind == SEGMENT_KIND:
            continue
        parts.append(record.payload)
        if record.part == record.parts - 1:
            yield Record(record.sequence, record.timestamp, record.kind, b"".join(parts))
            parts = []


def verify(folder: Path) -> Verdict:
    """Follow the chain from its beginning.

    Records behind the last one that was acknowledged may be torn: the next start takes them away.

    Raises
    ------
    FileNotFoundError
        There is no journal.
    """
    _exists(folder)
    acknowledged = _acknowledged(folder)
    records = found = 0
    digest, detail, good = bytes(32), "", True
    try:
        for place, record in _links(folder):
            if record is None:
                good = acknowledged <= records
                what = "torn, and never acknowledged" if good else f"broken, and record {acknowledged} was acknowledged"
                detail = f"{place.named(folder)}: {what}"
                break
            records, digest = record.sequence, record.digest
            found += record.kind != SEGMENT_KIND and record.part == record.parts - 1
        segments = len(segment.numbers(folder))
    except CorruptJournalError as error:
        return Verdict(False, records, found, 0, digest.hex(), str(error))
    if good and acknowledged > records:
        good, detail = False, f"{folder}: ends with record {records}, and {acknowledged} was acknowledged"
    return Verdict(good, records, found, segments, digest.hex(), detail)


def _links(folder: Path) -> Iterator[tuple[Place, Parsed | None]]:
    """Every record and where it lies; None for what is no link of the chain, which ends it.

    Raises
    ------
    CorruptJournalError
        A segment is missing.
    """
    for block in scan(folder):
        for row, record in enumerate(block.records):
            yield Place(block.place.segment, block.place.row + row), parse(record.tobytes())
        if block.broken:
            yield block.end, None


def _exists(folder: Path) -> None:
    if not (folder / LOCK).exists():
        raise FileNotFoundError(f"{folder}: no journal")


def _acknowledged(folder: Path) -> int:
    file = os.open(folder / LOCK, os.O_RDONLY)
    try:
        marked = read(file)
    finally:
        os.close(file)
    return 0 if marked is None else marked.sequence


# -- the command ---------------------------------------------------------------------------------


def show(folder: Path, out: Console, *, first: int, last: int | None, json: bool) -> None:
    """Print the entries from ``first`` to ``last``: a table, or one JSON object a line.

    Raises
    ------
    FileNotFoundError, CorruptJournalError
    """
    chosen = (each for each in entries(folder) if each.sequence >= first and (last is None or each.sequence <= last))
    if json:
        for record in chosen:
            sys.stdout.buffer.write(orjson.dumps(described(record), option=orjson.OPT_APPEND_NEWLINE))
        sys.stdout.buffer.flush()
        return
    table = Table("number", "time (UTC)", "entry", "what it says")
    for record in chosen:
        told = described(record)
        table.add_row(str(told["sequence"]), told["time"], str(told["kind"]), _words(told))
    out.print(table)


def _words(told: dict[str, Any]) -> str:
    return "  ".join(f"{name}={_text(value)}" for name, value in told.items() if name not in _COMMON)


def _text(value: Any) -> str:
    if isinstance(value, dict):
        return ",".join(f"{name}:{each}" for name, each in value.items())
    return ",".join(value) if isinstance(value, list) else str(value)


def tell(verdict: Verdict, out: Console, *, json: bool) -> None:
    """Print what `verify` found."""
    if json:
        sys.stdout.buffer.write(orjson.dumps(asdict(verdict), option=orjson.OPT_APPEND_NEWLINE))
        sys.stdout.buffer.flush()
        return
    word = "whole" if verdict.good else "corrupt"
    out.print(
        f"{word}: {verdict.records:,} records, {verdict.entries:,} entries, {verdict.segments} segments, digest"
        f" {verdict.digest}",
        highlight=False,
        soft_wrap=True,
    )
    if verdict.detail:
        out.print(verdict.detail, highlight=False, soft_wrap=True, markup=False)
