"""Captures of MoldUDP64 packets as a tape: pcap or pcapng, one feed or both of them."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from sim.sources.tape import Tape, from_messages
from wire import ingress, moldudp64, pcap
from wire.buffers import reader
from wire.checksum import checksum
from wire.compiled import compiled
from wire.ipv4 import IPV4
from wire.moldudp64 import BLOCK_LENGTH, END_OF_SESSION, HEADER_LENGTH, PacketStatus

_session_head = reader(0, 8, False, "big")
_session_tail = reader(8, 2, False, "big")
_version_length = IPV4.reader("version_length")
_write_ip_checksum = IPV4.writer("checksum")
_OK, _BAD_IP = ingress.FrameStatus.OK.value, ingress.FrameStatus.BAD_IP_CHECKSUM.value
_HEADER, _OUT = HEADER_LENGTH, ingress.OUT_SIZE


@dataclass(frozen=True, slots=True)
class Capture:
    """What a capture file holds of one MoldUDP64 session.

    ``first_sequence`` is the number of the tape's first message. ``missing`` counts the numbers between its first and
    last message that are in no packet: the tape goes on behind them. ``packets`` are those of the session, ``ignored``
    all others. ``bad_checksums`` of the session's packets have a wrong IPv4 or UDP checksum: a capture on the sender's
    side has them, and one whose addresses were changed afterwards.
    """

    tape: Tape
    session: str
    first_sequence: int
    missing: int
    packets: int
    ignored: int
    bad_checksums: int


def read(path: str | Path) -> Tape:
    """The tape alone of the first session in the file; errors as :func:`capture`."""
    return capture(path).tape


def capture(path: str | Path, session: str | None = None, *, verify: bool = False) -> Capture:
    """The messages of a session in sequence, each once, whichever feed it came on.

    Parameters
    ----------
    path : path
    session : str or None
        None takes that of the first MoldUDP64 packet.
    verify : bool
        Leave out packets with a wrong checksum.

    Raises
    ------
    wire.errors.WireError
        Not a capture file, or a damaged one.
    ValueError
        No packet of the session.
    """
    packets = pcap.read(path)
    lengths = np.array([len(packet.data) for packet in packets], np.int64)
    offsets = np.cumsum(lengths) - lengths
    buffer = np.frombuffer(bytearray(b"".join(packet.data for packet in packets)), np.uint8)
    wanted = np.frombuffer((session or "").ljust(10).encode("ascii"), np.uint8)
    found = np.zeros((len(packets), 4), np.int64)
    chosen = np.array(wanted)
    kept = _packets(buffer, offsets, lengths, session is None, verify, chosen, found)
    if kept == 0:
        raise ValueError(f"{path}: no MoldUDP64 packet of session {session or 'any'!r}")
    found = found[:kept]
    if not found[:, 0].any():  # numbers blanked out, as in published samples: the order of the file is all there is
        found[:, 0] = np.cumsum(found[:, 1]) - found[:, 1]
    name = chosen.tobytes().decode("ascii", "replace").strip(" \0")
    room = int(found[:, 1].sum())
    numbers, places, sizes = np.empty(room, np.int64), np.empty(room, np.int64), np.empty(room, np.int32)
    _messages(buffer, found, numbers, places, sizes)
    unique, first = np.unique(numbers, return_index=True)
    tape = from_messages(buffer, places[first], sizes[first]).packed()
    missing = int(unique[-1] - unique[0]) + 1 - len(unique) if len(unique) else 0
    begin = int(unique[0]) if len(unique) else int(found[0, 0])
    return Capture(tape, name, begin, missing, kept, len(packets) - kept, int(found[:, 3].sum()))


@compiled
def _packets(buffer: Any, offsets: Any, lengths: Any, any_session: bool, verify: bool, session: Any, found: Any) -> int:
    """Sequence number, message count, place of the payload and wrong checksum of each packet of the session."""
    out = np.zeros(_OUT, np.int64)
    n = 0
    for i in range(len(offsets)):
        bad = 0
        status = ingress.udp_header(buffer, offsets[i], lengths[i], out)
        if status == _BAD_IP:
            bad = 1
            position = ingress.ip_position(buffer, offsets[i], lengths[i])
            _write_ip_checksum(buffer, position, 0)
            header_length = 4 * (_version_length(buffer, position) & 15)
            _write_ip_checksum(buffer, position, checksum(buffer, position, header_length, 0))
            status = ingress.udp_header(buffer, offsets[i], lengths[i], out)
        if status != _OK:
            continue
        bad = max(bad, np.int64(ingress.udp_checksum(buffer, out) != _OK))
        at, length = out[ingress.PAYLOAD_AT], out[ingress.PAYLOAD_LENGTH]
        if (verify and bad > 0) or moldudp64.check(buffer, at, length) != PacketStatus.OK.value:
            continue
        if any_session:
            for k in range(10):
                session[k] = buffer[at + k]
            any_session = False
        same = _session_head(buffer, at) == _session_head(session, 0)
        if not same or _session_tail(buffer, at) != _session_tail(session, 0):
            continue
        count = moldudp64.read_message_count(buffer, at)
        found[n, 0] = np.int64(moldudp64.read_sequence_number(buffer, at))
        found[n, 1] = 0 if count == END_OF_SESSION else count
        found[n, 2] = at
        found[n, 3] = bad
        n += 1
    return n


@compiled
def _messages(buffer: Any, found: Any, numbers: Any, places: Any, sizes: Any) -> None:
    n = 0
    for i in range(len(found)):
        at = found[i, 2] + _HEADER
        for k in range(found[i, 1]):
            length = moldudp64.read_block_length(buffer, at)
            numbers[n] = found[i, 0] + k
            places[n] = at + BLOCK_LENGTH
            sizes[n] = length
            n += 1
            at += BLOCK_LENGTH + length

