"""Capture files of what happened on the lines around a device: the two feeds, and the order session in TCP."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from sim.faults import Arrivals
from sim.publisher import Packets
from sim.run import Run
from sim.venue.state import Now, Sent
from wire import frames, ipv4, pcap
from wire.tcp import Flag

CLIENT, SERVER = ipv4.address("10.0.0.2"), ipv4.address("10.10.9.1")
CLIENT_PORT, SERVER_PORT = 40_000, 25_000
_FIRST = (1_000, 500_000)
"""Initial sequence numbers of client and server."""


def write_feeds(path: str | Path, *feeds: Arrivals | Packets, midnight: int = 0) -> int:
    """The packets of feeds in one file, in the order of their time; how many they are.

    ``midnight`` is that of the day, ns since the epoch.
    """
    times = np.concatenate([feed.timestamps for feed in feeds])
    which = np.concatenate([np.full(len(feed), i) for i, feed in enumerate(feeds)])
    row = np.concatenate([np.arange(len(feed)) for feed in feeds])
    order = np.argsort(times, kind="stable")
    buffers = [feed.buffer.data for feed in feeds]
    with pcap.Writer(path) as writer:
        for time, i, n in zip(times[order].tolist(), which[order].tolist(), row[order].tolist(), strict=True):
            at = int(feeds[i].offsets[n])
            writer.write(midnight + time, bytes(buffers[i][at : at + int(feeds[i].lengths[n])]))
    return len(times)


def write_session(path: str | Path, run: Run, *, midnight: int = 0) -> int:
    """The order session as seen at the device, a SoupBinTCP packet to a segment, connection set-up first.

    How many segments it has.
    """
    venue = run.venue
    sent = venue.wire.sent[: venue.now[Now.LOG_COUNT]]
    sent = sent[sent[:, Sent.TIME] < run.now]
    outputs = run.outputs
    times = np.concatenate([outputs["timestamp"].astype(np.int64), sent[:, Sent.TIME]])
    order = np.argsort(times, kind="stable").tolist()
    numbers = list(_FIRST)
    begin = int(times[order[0]]) if order else run.world.begin
    with pcap.Writer(path) as writer:

        def write(time: int, sender: int, flags: Flag, data: bytes = b"") -> None:
            client = sender == 0
            acknowledged = 0 if flags == Flag.SYN else numbers[1 - sender]
            frame = frames.tcp_frame(
                data,
                source=CLIENT if client else SERVER,
                destination=SERVER if client else CLIENT,
                source_port=CLIENT_PORT if client else SERVER_PORT,
                destination_port=SERVER_PORT if client else CLIENT_PORT,
                sequence_number=numbers[sender] & 0xFFFFFFFF,
                acknowledgment_number=acknowledged & 0xFFFFFFFF,
                flags=int(flags),
                source_mac=0x020000000000 | (CLIENT if client else SERVER),
                destination_mac=0x020000000000 | (SERVER if client else CLIENT),
            )
            writer.write(midnight + time, frame)
            numbers[sender] += len(data) + bool(flags & Flag.SYN)

        write(begin - 3, 0, Flag.SYN)
        write(begin - 2, 1, Flag.SYN | Flag.ACK)
        write(begin - 1, 0, Flag.ACK)
        for i in order:
            if i < len(outputs):
                at, length = int(outputs["offset"][i]), int(outputs["length"][i])
                data = run.payload[at : at + length].tobytes()
                write(int(times[i]), 0, Flag.PSH | Flag.ACK, data)
            else:
                _, at, length, _ = sent[i - len(outputs)].tolist()
                data = venue.wire.log[at : at + length].tobytes()
                write(int(times[i]), 1, Flag.PSH | Flag.ACK, data)
    return len(order) + 3
