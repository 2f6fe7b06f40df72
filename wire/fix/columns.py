"""FIX messages of one type straight into NumPy columns, without rows of fields in between.

A :class:`Selection` says which fields of a message type become columns and of what kind; :func:`parse` fills
them. ``NEW_ORDERS`` and ``EXECUTIONS`` are the selections of NewOrderSingle (D) and ExecutionReport (8).
"""

from __future__ import annotations

from collections.abc import Mapping
from enum import IntEnum
from typing import Any

import numpy as np

from wire import buffers
from wire.compiled import uncounted
from wire.fix.faults import Fault
from wire.fix.inlined import inlined, signed, zeros_below
from wire.fix.numbers import LOW_BYTES, read_decimal, read_timestamp
from wire.fix.scan import (
    DATA_OF,
    INCOMPLETE,
    SOH,
    TRAILER,
    frame,
    kind_of,
    plain_number,
    read_8,
    tag_of,
    type_at,
    value_end,
)

TEXT_WIDTH = 24
"""Bytes of a text in its column, filled up with zeros."""


class Kind(IntEnum):
    """What a column holds."""

    TEXT = 0
    """Fixed bytes, ``S24``."""
    CHARACTER = 1
    """``uint8``: one character's code, 0 where the field is missing."""
    WHOLE = 2
    """``uint32``: a number of shares, a sequence number; ``100.00`` is 100, ``0.5`` is a fault."""
    PRICE = 3
    """``uint32`` in units of 1e-4, exactly."""
    TIME = 4
    """``int64``: nanoseconds since the epoch, UTC."""


TEXT, CHARACTER, WHOLE, PRICE, TIME = (kind.value for kind in Kind)
BIT_SHIFT, BASE_SHIFT = 3, 9
"""A plan's entry: kind, bit in ``present``, and where the column begins in the memory of all columns."""
TAGS = 2_048
WIDTHS = (TEXT_WIDTH, 1, 4, 4, 8)
DTYPES = (f"S{TEXT_WIDTH}", "u1", "u4", "u4", "i8")

write_8 = buffers.writer(0, 8, "little")
write_4 = buffers.writer(0, 4, "little")


class Selection:
    """The fields of one message type that become columns.

    Parameters
    ----------
    message_type : str
        MsgType (35).
    **fields
        ``name=(tag, kind)``, or ``name=(tag, kind, "optional")``; up to 63, tags below 2,048.

    Raises
    ------
    ValueError
        A tag that has no place in the table, or too many fields.
    """

    def __init__(self, message_type: str, **fields: tuple[int, Kind] | tuple[int, Kind, str]) -> None:
        self.kind = kind_of(message_type)
        self.fields = {name: (tag, kind) for name, (tag, kind, *_) in fields.items()}
        self.required = 0
        """Bit by place in the declaration."""
        for n, (name, (tag, _, *optional)) in enumerate(fields.items()):
            if not 0 < tag < TAGS or n > 62:
                raise ValueError(f"{name}: tag {tag} does not fit the table")
            self.required |= 0 if optional else 1 << n

    def columns(self, rows: int) -> Columns:
        """Empty columns of ``rows`` rows."""
        return Columns(self, rows)


NEW_ORDERS = Selection(
    "D",
    sequence_number=(34, Kind.WHOLE),
    sender=(49, Kind.TEXT),
    client_order_id=(11, Kind.TEXT),
    account=(1, Kind.TEXT, "optional"),
    symbol=(55, Kind.TEXT),
    side=(54, Kind.CHARACTER),
    order_type=(40, Kind.CHARACTER),
    time_in_force=(59, Kind.CHARACTER, "optional"),
    quantity=(38, Kind.WHOLE),
    price=(44, Kind.PRICE, "optional"),
    transact_time=(60, Kind.TIME),
)
EXECUTIONS = Selection(
    "8",
    sequence_number=(34, Kind.WHOLE),
    order_id=(37, Kind.TEXT),
    client_order_id=(11, Kind.TEXT, "optional"),
    execution_id=(17, Kind.TEXT),
    execution_type=(150, Kind.CHARACTER),
    order_status=(39, Kind.CHARACTER),
    symbol=(55, Kind.TEXT, "optional"),
    side=(54, Kind.CHARACTER),
    quantity=(38, Kind.WHOLE, "optional"),
    price=(44, Kind.PRICE, "optional"),
    last_quantity=(32, Kind.WHOLE, "optional"),
    last_price=(31, Kind.PRICE, "optional"),
    leaves_quantity=(151, Kind.WHOLE),
    cumulative_quantity=(14, Kind.WHOLE),
    average_price=(6, Kind.PRICE),
    transact_time=(60, Kind.TIME, "optional"),
)


class Columns(Mapping[str, np.ndarray[Any, Any]]):
    """Columns by name, and for every row ``begin``, ``end``, ``fault``, ``where`` and ``present``.

    ``present`` has a bit for each field of the selection, in its order. A row whose ``fault`` is not 0 keeps
    what was read before the fault.
    """

    def __init__(self, selection: Selection, rows: int) -> None:
        self.selection, self.rows = selection, rows
        room = -(-rows // 8) * 8  # columns of any width stay aligned
        self.memory = np.zeros(room * sum(WIDTHS[kind] for _, kind in selection.fields.values()), np.uint8)
        self.plan = np.full(TAGS, -1, np.int64)
        """By tag, for compiled code; -1 where no column is."""
        self.clearing = np.zeros((len(selection.fields), 3), np.int64)
        """By bit: where the column begins, its width, its tag."""
        self._by_name: dict[str, np.ndarray[Any, Any]] = {}
        base = 0
        for n, (name, (tag, kind)) in enumerate(selection.fields.items()):
            width = WIDTHS[kind]
            self.plan[tag] = kind | n << BIT_SHIFT | base << BASE_SHIFT
            self.clearing[n] = base, width, tag
            self._by_name[name] = self.memory[base : base + rows * width].view(DTYPES[kind])
            base += room * width
        self.frames = np.zeros((5, rows), np.int64)
        self.begin, self.end, self.fault, self.where, self.present = self.frames

    def __getitem__(self, name: str) -> np.ndarray[Any, Any]:
        return self._by_name[name]

    def __iter__(self) -> Any:
        return iter(self._by_name)

    def __len__(self) -> int:
        return len(self._by_name)


def parse(
    buffer: np.ndarray[Any, Any], columns: Columns, result: np.ndarray[Any, Any], at: int = 0, end: int = -1
) -> int:
    """Messages of the columns' type in ``buffer[at:end]`` into rows from 0 on; how many rows were filled.

    ``result`` (``int64[2]``) gets the position after the last message looked at, and how many messages of
    other types were passed over. Malformed messages take a row, with their fault. It ends where a message
    is not whole yet, or when the columns are full.
    """
    chosen, stop = columns.selection, len(buffer) if end < 0 else end
    return int(
        fill(
            buffer, at, stop, chosen.kind, chosen.required, columns.plan, columns.clearing, columns.memory, columns.frames,
            result,
        )
    )  # fmt: skip


@uncounted
def fill(
    buffer: Any, at: int, end: int, kind: int, required: int, plan: Any, clearing: Any, memory: Any, frames: Any, result: Any
) -> int:
    """:func:`parse`, compiled."""
    row, others, rows = 0, 0, frames.shape[1]
    every = (signed(1) << len(clearing)) - 1
    while row < rows:
        fault, where, stop, body = frame(buffer, at, end)
        if stop == INCOMPLETE:
            break
        present = signed(0)
        if fault == 0:
            if type_at(buffer, body + 3) != kind:
                at = stop
                others += 1
                continue
            fault, where, present = fields_into(buffer, body, stop - TRAILER, plan, memory, row)
            missing = required & ~present
            if fault == 0 and missing != 0:
                fault, where = Fault.REQUIRED.value, clearing[signed(zeros_below(missing)), 2]
        absent = every & ~present
        while absent != 0:
            n = signed(zeros_below(absent))
            absent &= absent - 1
            width = clearing[n, 1]
            to = clearing[n, 0] + row * width
            for i in range(to, to + width):
                memory[i] = 0
        frames[0, row], frames[1, row], frames[2, row], frames[3, row], frames[4, row] = at, stop, fault, where, present
        row += 1
        at = stop
    result[0], result[1] = at, others
    return row


@inlined
def fields_into(buffer: Any, at: int, check: int, plan: Any, memory: Any, row: int) -> tuple[int, int, int]:
    """The selected fields of one framed message into its row: ``(fault, where, present)``."""
    present, data_tag, data_length = signed(0), 0, 0
    while at < check:
        tag, value = tag_of(buffer, at)
        if value < 0:
            return Fault.TAG_FORMAT.value, at, present
        if tag == data_tag and tag > 0:
            place = value + data_length
            if place >= check or buffer[place] != SOH:
                return Fault.DATA_LENGTH.value, value, present
        else:
            place = value_end(buffer, value)
        data_tag = 0
        if tag > 0 and tag < TAGS:
            entry = plan[tag]
            if entry >= 0:
                bit = signed(1) << ((entry >> BIT_SHIFT) & 63)
                if present & bit:
                    return Fault.REPEATED.value, at, present
                fault = store(buffer, value, place, entry & 7, memory, entry >> BASE_SHIFT, row)
                if fault != 0:
                    return fault, value, present
                present |= bit
            elif tag >= 90 and DATA_OF[tag] > 0:
                data_length = plain_number(buffer, value, place)
                data_tag = signed(DATA_OF[tag]) if data_length >= 0 else 0
        at = place + 1
    return 0, at, present


@inlined
def store(buffer: Any, value: int, place: int, kind: int, memory: Any, base: int, row: int) -> int:
    """One value into its column; the fault, or 0."""
    length = place - value
    if kind == TEXT:
        if length > TEXT_WIDTH or length == 0:
            return Fault.TEXT_LENGTH.value
        to = base + row * TEXT_WIDTH
        if value + TEXT_WIDTH <= len(buffer):  # without a branch on the length: it is never the same twice
            write_8(memory, to, read_8(buffer, value) & LOW_BYTES[min(length, 8)])
            write_8(memory, to + 8, read_8(buffer, value + 8) & LOW_BYTES[min(max(length - 8, 0), 8)])
            write_8(memory, to + 16, read_8(buffer, value + 16) & LOW_BYTES[max(length - 16, 0)])
            return 0
        for i in range(TEXT_WIDTH):
            memory[to + i] = buffer[value + i] if i < length else 0
        return 0
    if kind == CHARACTER:
        if length != 1:
            return Fault.CHARACTER.value
        memory[base + row] = buffer[value]
        return 0
    if kind == TIME:
        nanoseconds = read_timestamp(buffer, value, place)
        if nanoseconds < 0:
            return Fault.TIME_FORMAT.value
        write_8(memory, base + 8 * row, nanoseconds)
        return 0
    number = read_decimal(buffer, value, place, 4 if kind == PRICE else 0)
    if number < 0:
        return -number
    write_4(memory, base + 4 * row, number)
    return 0
