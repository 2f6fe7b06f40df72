"""Ingest: one Ethernet frame of a feed, checked down to its MoldUDP64 message blocks.

Semantics section 1. The first check that fails counts, and nothing else is left of the frame.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from engine.stage import stage
from engine.unsigned import ONE, word
from wire.buffers import reader
from wire.counters import NUMBER
from wire.ingress import (
    DESTINATION,
    DESTINATION_PORT,
    PAYLOAD_AT,
    PAYLOAD_LENGTH,
    FrameStatus,
    udp_checksum,
    udp_header,
)
from wire.moldudp64 import DOWNSTREAM, HEADER_LENGTH, PacketStatus, check, read_sequence_number, within_limits
from wire.records import MAX_PAYLOAD, Port

OK = FrameStatus.OK.value
PACKET_OK = PacketStatus.OK.value
FEED_A, FEED_B = Port.FEED_A.value, Port.FEED_B.value
BLANK_HEAD, BLANK_TAIL = 0x2020202020202020, 0x2020

FRAMES, FILTERED, OVERSIZE = NUMBER["frames"], NUMBER["filtered"], NUMBER["oversize"]
MALFORMED, OTHER_SESSION = NUMBER["packets_malformed"], NUMBER["packets_other_session"]
PACKETS_A = NUMBER["packets_a"]  # packets_b and packets_recovery follow, in the order of the ports

COUNTER_OF_STATUS = np.array([NUMBER.get(status.name.lower(), -1) for status in FrameStatus], np.int64)
COUNTER_OF_STATUS.flags.writeable = False

read_session_head = reader(DOWNSTREAM.offset("session"), 8, False, "big")
read_session_tail = reader(DOWNSTREAM.offset("session") + 8, 2, False, "big")


@stage
def ingest(core: Any, buffer: Any, at: int, length: int, port: int) -> bool:
    """Whether the frame of ``length`` bytes at ``at`` is good; then ``core.frame`` says where its payload is."""
    counters, frame = core.counters, core.frame
    counters[FRAMES] += ONE
    status = udp_header(buffer, at, length, frame)
    if status != OK:
        counters[COUNTER_OF_STATUS[status]] += ONE
        return False
    if not _wanted(core, port, frame[DESTINATION], frame[DESTINATION_PORT]):
        counters[FILTERED] += ONE
        return False
    if frame[PAYLOAD_LENGTH] > MAX_PAYLOAD:
        counters[OVERSIZE] += ONE
        return False
    if frame[PAYLOAD_LENGTH] < HEADER_LENGTH:
        counters[MALFORMED] += ONE
        return False
    status = udp_checksum(buffer, frame)
    if status != OK:
        counters[COUNTER_OF_STATUS[status]] += ONE
        return False
    counter = _packet_fault(core, buffer, frame[PAYLOAD_AT], frame[PAYLOAD_LENGTH])
    if counter >= 0:
        counters[counter] += ONE
        return False
    counters[PACKETS_A + port] += ONE
    return True


@stage
def _wanted(core: Any, port: int, address: int, udp_port: int) -> bool:
    """Whether a destination is the configured one of the feed; 0 is any."""
    if port == FEED_A:
        wanted_address, wanted_port = core.address_a, core.port_a
    elif port == FEED_B:
        wanted_address, wanted_port = core.address_b, core.port_b
    else:
        return True
    return (wanted_address == 0 or wanted_address == address) and (wanted_port == 0 or wanted_port == udp_port)


@stage
def _packet_fault(core: Any, buffer: Any, at: int, length: int) -> int:
    """The counter of what is wrong with a MoldUDP64 packet, -1 if nothing is."""
    head, tail = word(read_session_head(buffer, at)), read_session_tail(buffer, at)
    blank = core.session_head == BLANK_HEAD and core.session_tail == BLANK_TAIL
    if not blank and (head != core.session_head or tail != core.session_tail):
        return OTHER_SESSION
    if word(read_sequence_number(buffer, at)) < 0 or check(buffer, at, length) != PACKET_OK:
        return MALFORMED
    return -1 if within_limits(buffer, at) else MALFORMED
