"""The inputs of one batch: three streams that are in order, merged into one."""

from __future__ import annotations

from typing import Any

import numpy as np

from sim.venue.state import Sent
from wire.compiled import uncounted
from wire.records import Port

_SESSION = int(Port.SESSION)
_NEVER = np.iinfo(np.int64).max


@uncounted
def merge(
    known: Any, sent: Any, log: Any, others: Any, octets: Any, until: int, merged: Any, buffer: Any, scratch: int,
    scratch_end: int, taken: Any,
) -> int:  # fmt: skip
    """Number of inputs before ``until``, written to ``merged``; at most as many as it has room for.

    ``known`` and ``others`` are ``wire.records.INPUT`` in order of time and port; ``known`` lies in ``buffer`` already, the
    bytes of the session's packets (in ``log``, indexed by ``sent``) and of ``others`` (in ``octets``) are copied
    to ``buffer`` from ``scratch`` on. ``taken`` says how many rows of ``known``, ``sent`` and ``others`` were used:
    in, those that are over and how many of ``sent`` there are; out, those that are over now.
    """
    i, j, k, end = taken[0], taken[1], taken[2], taken[3]
    n, at = 0, scratch
    while n < len(merged):
        first = np.int64(known[i]["timestamp"]) << 3 | np.int64(known[i]["port"]) if i < len(known) else _NEVER
        second = sent[j, Sent.TIME] << 3 | _SESSION if j < end else _NEVER
        third = np.int64(others[k]["timestamp"]) << 3 | np.int64(others[k]["port"]) if k < len(others) else _NEVER
        key = min(first, min(second, third))
        if key >> 3 >= until:
            break
        row = merged[n]
        if key == first:
            row["timestamp"], row["offset"] = known[i]["timestamp"], known[i]["offset"]
            row["length"], row["port"] = known[i]["length"], known[i]["port"]
            i += 1
        else:
            begin, length = sent[j, Sent.AT], sent[j, Sent.LENGTH]
            if key != second:
                begin, length = np.int64(others[k]["offset"]), np.int64(others[k]["length"])
            if at + length > scratch_end:
                break
            if key == second:
                for b in range(length):
                    buffer[at + b] = log[begin + b]
                j += 1
            else:
                for b in range(length):
                    buffer[at + b] = octets[begin + b]
                k += 1
            row["timestamp"], row["offset"], row["length"], row["port"] = key >> 3, at, length, key & 7
            at += length
        n += 1
    taken[0], taken[1], taken[2], taken[3] = i, j, k, at
    return n
