"""The exchange's side of the feed: a tape as MoldUDP64 packets in frames, and the server that repeats them.

MoldUDP64 1.00 over UDP over IPv4 multicast. Both feeds carry the same sequence; where one packet ends and the next begins
may differ between them.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from sim.sources.tape import Tape, Vector
from wire import ethernet, frames, ingress, ipv4, moldudp64
from wire.compiled import compiled
from wire.moldudp64 import BLOCK_LENGTH, END_OF_SESSION
from wire.records import MAX_PAYLOAD
from wire.udp import UDP

NANOSECONDS = 1_000_000_000
SESSION = "HAIRPIN001"
FIRST_SEQUENCE = 1
_HEADERS = ethernet.ETHERNET.length + ipv4.IPV4.length + UDP.length
_MOLD = moldudp64.HEADER_LENGTH
LONGEST_MESSAGE = MAX_PAYLOAD - _MOLD - BLOCK_LENGTH


@dataclass(frozen=True, slots=True)
class FeedConfig:
    """One of the two feeds.

    Parameters
    ----------
    address, port : int
        IPv4 multicast group and UDP port.
    source : int
        IPv4 address of the sender.
    window_ns : int
        How long a packet waits for more messages; 0 puts only those of the same nanosecond together.
    max_payload : int
        Bytes of UDP payload.
    checksummed : bool
        Whether UDP checksums are sent.
    """

    address: int = ipv4.address("233.54.12.111")
    port: int = 26477
    source: int = ipv4.address("10.10.1.1")
    window_ns: int = 0
    max_payload: int = MAX_PAYLOAD
    checksummed: bool = True

    def __post_init__(self) -> None:
        if not _MOLD + BLOCK_LENGTH < self.max_payload <= MAX_PAYLOAD:
            raise ValueError(f"max_payload {self.max_payload}: {_MOLD + BLOCK_LENGTH + 1} to {MAX_PAYLOAD}")
        if self.window_ns < 0:
            raise ValueError(f"window_ns {self.window_ns}: not negative")


FEED_A = FeedConfig()
FEED_B = FeedConfig(address=ipv4.address("233.49.196.111"), port=26478, source=ipv4.address("10.10.2.1"))
RECOVERY = FeedConfig(address=ipv4.address("10.0.0.2"), port=26479, source=ipv4.address("10.10.3.1"))
"""Answers of the re-request server: unicast, from it to us."""


@dataclass(frozen=True, slots=True)
class Packets:
    """Frames in the order of departure: frame ``i`` is ``buffer[offsets[i] : offsets[i] + lengths[i]]``.

    ``timestamps`` are ns since midnight at which they leave, ``sequences`` the number of the first message (of the next
    one, where there is none), ``counts`` the messages in them: 0 for a heartbeat and the end of session.
    """

    buffer: Vector
    offsets: Vector
    lengths: Vector
    timestamps: Vector
    sequences: Vector
    counts: Vector

    def __len__(self) -> int:
        return len(self.offsets)

    def __getitem__(self, i: int) -> bytes:
        at = int(self.offsets[i])
        return self.buffer[at : at + int(self.lengths[i])].tobytes()


def publish(
    tape: Tape,
    feed: FeedConfig = FEED_A,
    *,
    session: str = SESSION,
    first_sequence: int = FIRST_SEQUENCE,
    heartbeat_ns: int = NANOSECONDS,
    end_packets: int = 3,
) -> Packets:
    """All packets of a day on one feed.

    Parameters
    ----------
    tape : Tape
    feed : FeedConfig
    session : str
        MoldUDP64 session.
    first_sequence : int
        Number of the tape's first message.
    heartbeat_ns : int
        A heartbeat packet after so long a silence; 0 for none.
    end_packets : int
        End of session packets, one heartbeat interval (or a second) apart, behind the last message.

    Raises
    ------
    ValueError
        A message that does not fit ``feed.max_payload``.
    """
    begins, times = _packed(tape, feed.window_ns, feed.max_payload)
    counts = np.diff(np.append(begins, len(tape)))
    sequences = begins + first_sequence
    marks = counts.copy()
    beat = heartbeat_ns or NANOSECONDS
    if heartbeat_ns and len(times):
        silent = (np.diff(times) - 1) // heartbeat_ns
        silent = np.maximum(silent, 0)
        before = np.repeat(np.arange(len(silent)), silent)
        nth = np.arange(len(before)) - np.repeat(np.cumsum(silent) - silent, silent) + 1
        times = np.concatenate([times, times[before] + nth * heartbeat_ns])
        sequences = np.concatenate([sequences, sequences[before + 1]])
        begins = np.concatenate([begins, begins[before + 1]])
        counts = np.concatenate([counts, np.zeros(len(before), np.int64)])
        order = np.argsort(times, kind="stable")
        times, sequences, begins, counts = times[order], sequences[order], begins[order], counts[order]
        marks = counts.copy()
    if end_packets:
        last = int(times[-1]) if len(times) else 0
        times = np.append(times, last + beat * np.arange(1, end_packets + 1))
        sequences = np.append(sequences, np.full(end_packets, first_sequence + len(tape)))
        begins = np.append(begins, np.full(end_packets, len(tape)))
        counts = np.append(counts, np.zeros(end_packets, np.int64))
        marks = np.append(marks, np.full(end_packets, END_OF_SESSION))
    return _framed(tape, feed, session, begins, counts, marks, sequences, times)


class Store:
    """The re-request server: every message of the day, by sequence number.

    Parameters
    ----------
    tape : Tape
    session, first_sequence
        As published.
    feed : FeedConfig
        Addresses of its answers.
    """

    def __init__(
        self,
        tape: Tape,
        *,
        session: str = SESSION,
        first_sequence: int = FIRST_SEQUENCE,
        feed: FeedConfig = RECOVERY,
    ) -> None:
        self.tape, self.session, self.first_sequence, self.feed = tape, session, first_sequence, feed

    def answer(self, first: int, count: int) -> Packets:
        """The packets that bring messages ``first`` to ``first + count - 1``, as far as they exist; times are 0.

        A client sends one request after the other, each answered by what fits one packet; these are all the answers.
        """
        begin = min(max(first - self.first_sequence, 0), len(self.tape))
        end = min(max(first - self.first_sequence + count, begin), len(self.tape))
        part = self.tape.part(begin, end)
        still = Tape(part.buffer, part.offsets, part.lengths, np.zeros(len(part), np.int64))
        begins, times = _packed(still, 0, self.feed.max_payload)
        counts = np.diff(np.append(begins, len(still)))
        sequences = begins + self.first_sequence + begin
        return _framed(still, self.feed, self.session, begins, counts, counts, sequences, times)

    def request(self, payload: bytes) -> bytes:
        """The UDP payload that answers a request packet: what fits one packet; b"" for another session or nothing.

        Raises
        ------
        wire.errors.WireError
            Not a request packet.
        """
        wanted = moldudp64.REQUEST.unpack(payload)
        if wanted["session"] != self.session.strip():
            return b""
        packets = self.answer(wanted["sequence_number"], min(wanted["message_count"], END_OF_SESSION - 1))
        return packets[0][_HEADERS:] if len(packets) else b""


def _packed(tape: Tape, window_ns: int, max_payload: int) -> tuple[Vector, Vector]:
    """Index of each packet's first message, and when it leaves: when it is full, or when its window ends."""
    begins, times = np.empty(len(tape), np.int64), np.empty(len(tape), np.int64)
    n = _pack(tape.lengths, tape.timestamps, window_ns, max_payload, begins, times)
    if n < 0:
        i = -1 - n
        raise ValueError(f"message {i} of {tape.lengths[i]} bytes does not fit a payload of {max_payload}")
    return begins[:n], times[:n]


def _framed(
    tape: Tape, feed: FeedConfig, session: str, begins: Vector, counts: Vector, marks: Vector, sequences: Vector, times: Vector
) -> Packets:
    blocks = np.append(0, np.cumsum(tape.lengths + BLOCK_LENGTH, dtype=np.int64))
    sizes = _HEADERS + _MOLD + blocks[begins + counts] - blocks[begins]
    ends = np.cumsum(sizes, dtype=np.int64)
    empty = frames.udp_frame(
        moldudp64.heartbeat(session, 0),
        source=feed.source,
        destination=feed.address,
        source_port=feed.port,
        destination_port=feed.port,
        source_mac=0x020000000000 | feed.source & 0xFFFFFFFF,
        destination_mac=_mac_of(feed.address),
        time_to_live=16,
    )
    buffer = np.empty(int(ends[-1]) if len(ends) else 0, np.uint8)
    template = np.frombuffer(empty[: _HEADERS + _MOLD], np.uint8)
    _frame(
        tape.buffer, tape.offsets, tape.lengths, template, feed.checksummed, begins, counts, marks, sequences,
        ends - sizes, sizes, buffer,
    )  # fmt: skip
    return Packets(buffer, ends - sizes, sizes, times, sequences, counts)


def _mac_of(address: int) -> int:
    """The MAC address of a group; of a single host one that is made up from its address."""
    return ethernet.multicast_mac(address) if address >> 28 == 0xE else 0x020000000000 | address


@compiled
def _pack(lengths: Any, timestamps: Any, window_ns: int, max_payload: int, begins: Any, times: Any) -> int:
    """Number of packets, or ``-1 - i`` where message ``i`` is too long."""
    n, i = 0, 0
    while i < len(lengths):
        begins[n] = i
        closes = timestamps[i] + window_ns
        size = _MOLD + BLOCK_LENGTH + lengths[i]
        if size > max_payload:
            return -1 - i
        i += 1
        full = False
        while i < len(lengths) and timestamps[i] <= closes:
            size += BLOCK_LENGTH + lengths[i]
            if size > max_payload:
                full = True
                break
            i += 1
        times[n] = timestamps[i - 1] if full else closes
        n += 1
    return n


@compiled
def _frame(
    source: Any, message_offsets: Any, message_lengths: Any, template: Any, checksummed: bool, begins: Any, counts: Any,
    marks: Any, sequences: Any, offsets: Any, sizes: Any, buffer: Any,
) -> None:  # fmt: skip
    """Writes all frames, checksums and all."""
    for n in range(len(begins)):
        frame = offsets[n]
        for k in range(len(template)):
            buffer[frame + k] = template[k]
        mold = frame + _HEADERS
        moldudp64.write_sequence_number(buffer, mold, sequences[n])
        moldudp64.write_message_count(buffer, mold, marks[n])
        at = mold + _MOLD
        for i in range(begins[n], begins[n] + counts[n]):
            length = message_lengths[i]
            moldudp64.write_block_length(buffer, at, length)
            at += BLOCK_LENGTH
            begin = message_offsets[i]
            for k in range(length):
                buffer[at + k] = source[begin + k]
            at += length
        ingress.seal(buffer, frame, sizes[n])
        if not checksummed:
            _clear_checksum(buffer, mold - UDP_LENGTH)


UDP_LENGTH = UDP.length
_clear_udp = UDP.writer("checksum")


@compiled
def _clear_checksum(buffer: Any, at: int) -> None:
    _clear_udp(buffer, at, 0)
