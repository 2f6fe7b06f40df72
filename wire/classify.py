"""Which message of a family some bytes are, compiled and table-driven: by type character, then by length."""

from __future__ import annotations

from enum import IntEnum
from typing import Any

from wire.compiled import compiled
from wire.itch import ITCH

ITCH_LENGTHS, ITCH_INDICES = ITCH.lengths, ITCH.indices


class MessageStatus(IntEnum):
    """Why bytes are no message of a family; a message's index in ``family.records`` is 0 or more."""

    EMPTY = -1
    UNKNOWN_TYPE = -2
    WRONG_LENGTH = -3


@compiled
def classify(buffer: Any, at: int, length: int, lengths: Any, indices: Any) -> int:
    """Index of the message of ``length`` bytes at ``at`` in the family of the tables, or a
    :class:`MessageStatus`.

    ``lengths`` and ``indices`` are ``Family.lengths`` and ``Family.indices``; pass them as globals or
    arguments.
    """
    if length <= 0:
        return MessageStatus.EMPTY.value
    code = buffer[at]
    expected = int(lengths[code])
    if expected == 0:
        return MessageStatus.UNKNOWN_TYPE.value
    if length != expected:
        return MessageStatus.WRONG_LENGTH.value
    return int(indices[code])


@compiled
def classify_itch(buffer: Any, at: int, length: int) -> int:
    """:func:`classify` for ITCH 5.0: the index in ``ITCH.records``."""
    return classify(buffer, at, length, ITCH_LENGTHS, ITCH_INDICES)
