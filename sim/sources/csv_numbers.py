"""Tables of decimal numbers in text, parsed in compiled code and exactly: integers, or one column scaled to integers."""

from __future__ import annotations

from typing import Any

import numpy as np

from sim.sources.tape import Vector
from wire.compiled import compiled


def parse(text: bytes, *, scaled_column: int = -1, scale: int = 0) -> Vector:
    """An ``int64`` table, a row per line, as many columns as the first line has.

    The numbers of ``scaled_column`` are multiplied by ``10**scale``, digits beyond that cut off; other columns have no
    decimal point.

    Raises
    ------
    ValueError
        A line with another number of columns, or something that is not a number; the line is named.
    """
    data = np.frombuffer(text, np.uint8)
    columns = text[: text.find(b"\n")].count(b",") + 1 if b"\n" in text else text.count(b",") + 1
    lines = int(np.count_nonzero(data == ord("\n"))) + 1
    table = np.zeros((lines, columns), np.int64)
    rows = _parse(data, table, scaled_column, scale)
    if rows < 0:
        line = text.split(b"\n")[-1 - rows][:80]
        raise ValueError(f"line {-rows}: {line!r} is not {columns} numbers")
    return table[:rows]


@compiled
def _parse(data: Any, table: Any, scaled_column: int, scale: int) -> int:
    """Number of rows, or minus the number of the first wrong line, counted from 1."""
    row, column, line = 0, 0, 1
    value, digits, places = np.int64(0), 0, -1
    negative = False
    for i in range(len(data) + 1):
        c = data[i] if i < len(data) else np.uint8(10)
        if 48 <= c <= 57:
            if places < 0:
                value = value * 10 + (np.int64(c) - 48)
            elif places < scale:
                value = value * 10 + (np.int64(c) - 48)
                places += 1
            digits += 1
        elif c == 45 and digits == 0 and not negative:
            negative = True
        elif c == 46 and places < 0 and column == scaled_column:
            places = 0
        elif c == 44 or c == 10:
            if digits == 0:
                if c == 10 and column == 0 and not negative:  # an empty line
                    line += 1
                    continue
                return -line
            if column >= table.shape[1] or (c == 10 and column != table.shape[1] - 1):
                return -line
            if column == scaled_column:
                for _ in range(scale - max(places, 0)):
                    value *= 10
            table[row, column] = -value if negative else value
            value, digits, places, negative = np.int64(0), 0, -1, False
            column += 1
            if c == 10:
                row, column, line = row + 1, 0, line + 1
        elif c != 13 and c != 32:
            return -line
    return row
