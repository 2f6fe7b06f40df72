"""Nasdaq ITCH 5.0 files as a tape: with or without length prefix, gzip or plain, told from their first bytes."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

import numpy as np

from sim.sources.tape import Tape, from_messages, joined
from wire import binaryfile


def read(path: str | Path, stocks: Iterable[str] | None = None, messages: int | None = None) -> Tape:
    """The messages of a file.

    Parameters
    ----------
    path : path
        A BinaryFILE.
    stocks : stocks or None
        Keep only these (and what belongs to no stock); the file is then read piece by piece, so that a whole
        day of all stocks need not fit into memory.
    messages : int or None
        Stop after so many messages of the file.

    Raises
    ------
    wire.errors.WireError
        Not such a file, or a damaged one; see :func:`wire.binaryfile.read`.
    ValueError
        A stock that the file does not list.
    """
    if stocks is None and messages is None:
        whole = binaryfile.read(path)
        return from_messages(whole.buffer, whole.offsets, whole.lengths)
    left = np.iinfo(np.int64).max if messages is None else messages
    wanted = None if stocks is None else set(stocks)
    listed: dict[str, int] = {}
    parts: list[Tape] = []
    for piece in binaryfile.chunks(path):
        tape = from_messages(piece.buffer, piece.offsets, piece.lengths).part(0, left)
        left -= len(tape)
        if wanted is not None:
            listed.update((item.stock, item.stock_locate) for item in tape.listings())
            kept = np.isin(tape.locates, [0, *(listed[stock] for stock in wanted & listed.keys())])
            chosen = np.flatnonzero(kept | (tape.types == ord("S")))
            tape = Tape(tape.buffer, tape.offsets[chosen], tape.lengths[chosen], tape.timestamps[chosen])
        parts.append(tape.packed())
        if left == 0:
            break
    if wanted is not None and wanted - listed.keys():
        raise ValueError(f"{path} lists no {', '.join(sorted(wanted - listed.keys()))}")
    return joined(*parts) if parts else from_messages(np.zeros(0, np.uint8), np.zeros(0, np.int64), np.zeros(0, np.int32))


def write(path: str | Path, tape: Tape, *, compress: bool = False) -> None:
    """A tape as a BinaryFILE with length prefixes."""
    binaryfile.write(path, tape, compress=compress)
