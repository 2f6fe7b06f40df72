"""The arbiter: every message of the feeds once and in order, or a gap that is declared.

Semantics section 2. It keeps packets in hold slots and says what may be played; :mod:`engine.path` plays it. Sequence
numbers are unsigned 64-bit.
"""

from __future__ import annotations

from typing import Any

from engine.stage import stage
from engine.state import HOLDS
from engine.unsigned import ONE, above, larger, word
from wire.counters import NUMBER
from wire.moldudp64 import (
    BLOCK_LENGTH,
    END_OF_SESSION,
    HEADER_LENGTH,
    read_block_length,
    read_message_count,
    read_sequence_number,
)
from wire.records import HOLD_SLOTS, MAX_PAYLOAD

PACKETS_HEARTBEAT, PACKETS_END_OF_SESSION = NUMBER["packets_heartbeat"], NUMBER["packets_end_of_session"]
PACKETS_DUPLICATE, PACKETS_HELD = NUMBER["packets_duplicate"], NUMBER["packets_held"]
PACKETS_DROPPED, GAPS = NUMBER["packets_dropped"], NUMBER["gaps"]

NOTHING, NEW_GAP, OLD_GAP = 0, 1, 2


@stage
def reset(core: Any, start_sequence: int) -> None:
    """The arbiter as SET_FEED leaves it: nothing held, joined unless ``start_sequence`` is 0."""
    for number in range(HOLDS):
        core.holds[number].used = 0
    core.expected = start_sequence
    core.highest = start_sequence
    core.joined = 0 if start_sequence == 0 else 1
    core.recovering = 0
    core.waiting = 0


@stage
def advance(core: Any) -> None:
    """The item's stamp, never behind that of an earlier packet or tick."""
    core.last_stamp = larger(core.last_stamp, core.stamp)
    core.stamp = core.last_stamp


@stage
def timer(core: Any) -> int:
    """Declares a gap that has been waited for long enough: ``NEW_GAP``, ``OLD_GAP`` (again) or ``NOTHING``."""
    if not core.waiting or above(core.hold_ns, core.stamp - core.wait_since):
        return NOTHING
    core.wait_since = core.stamp
    if core.recovering:
        return OLD_GAP
    core.counters[GAPS] += ONE
    core.recovering = 1
    return NEW_GAP


@stage
def join(core: Any, buffer: Any, at: int) -> bool:
    """Starts at the packet at ``at`` if there is no start yet; whether it did."""
    if core.joined:
        return False
    core.joined = 1
    core.expected = core.highest = word(read_sequence_number(buffer, at))
    return True


@stage
def hold(core: Any, packets: Any, buffer: Any, at: int, length: int, port: int) -> bool:
    """Takes the packet at ``at``; whether it only says that the feed is alive."""
    counters = core.counters
    sequence, count = word(read_sequence_number(buffer, at)), read_message_count(buffer, at)
    if count == 0 or count == END_OF_SESSION:
        core.highest = larger(core.highest, sequence)
        counters[PACKETS_HEARTBEAT if count == 0 else PACKETS_END_OF_SESSION] += ONE
        return True
    end = sequence + count
    core.highest = larger(core.highest, end)
    if not above(end, core.expected):
        counters[PACKETS_DUPLICATE] += ONE
        return False
    number, last = port * HOLD_SLOTS, (port + 1) * HOLD_SLOTS - 1
    while number < last and core.holds[number].used:
        number += 1
    if core.holds[number].used:
        counters[PACKETS_DROPPED] += ONE
        # What is expected now is never dropped: else slots full of what comes later would keep it out for ever.
        if above(sequence, core.expected):
            return False
    slot = core.holds[number]
    slot.used = 1
    slot.sequence = sequence
    slot.end = end
    begin = number * MAX_PAYLOAD - HEADER_LENGTH - at
    for position in range(at + HEADER_LENGTH, at + length):
        packets[begin + position] = buffer[position]
    if above(sequence, core.expected):
        counters[PACKETS_HELD] += ONE
    return False


@stage
def playable(core: Any) -> int:
    """The first hold slot with the message that is expected, -1 if there is none; frees what has been played."""
    for number in range(HOLDS):
        slot = core.holds[number]
        if slot.used:
            if not above(slot.end, core.expected):
                slot.used = 0
                core.counters[PACKETS_DUPLICATE] += ONE
            elif not above(slot.sequence, core.expected):
                return number
    return -1


@stage
def load(core: Any, packets: Any, number: int) -> None:
    """Makes a hold slot the packet that is played, from the message that is expected on."""
    slot = core.holds[number]
    at = number * MAX_PAYLOAD
    for _ in range(core.expected - slot.sequence):
        at += BLOCK_LENGTH + read_block_length(packets, at)
    core.play_slot = number
    core.play_at = at
    core.play_left = slot.end - core.expected


@stage
def settle(core: Any) -> bool:
    """What follows a drain: goes on waiting, or not; whether the feed is whole again.

    ``core.before`` is the number that was expected when the input came.
    """
    if above(core.highest, core.expected):
        if not core.waiting or core.expected != core.before:
            core.waiting = 1
            core.wait_since = core.stamp
        return False
    core.waiting = 0
    whole = core.recovering == 1
    core.recovering = 0
    return whole
