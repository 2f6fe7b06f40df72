"""A snapshot brought into a device, whatever its books hold: by commands and messages that every device takes.

The device goes on to a private session of the feed, in which the host alone speaks, at the recovery port: a Delete for every
order that is alive in it, then what the snapshot says. Then it goes back to the exchange's session, at the number that the
snapshot names, and is given what went by meanwhile: the feeds' own packets, which were copied since before the snapshot was asked
for. Nothing of the exchange's can come between the host's messages, and a message that is missing afterwards is a gap like any
other.

SET_FEED makes every book trusted. So for as long as it takes, no stock is enabled: quotes are pulled, nothing new goes out, and
the orders that the host has in the market stay.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, replace
from itertools import count

import numpy as np

from control.wired.snapshot import Snapshot
from drivers import commands
from drivers.device import Batch, DeviceError
from drivers.settings import Feed
from drivers.sockets import SocketDevice
from wire import frames, itch, moldudp64
from wire.records import INPUT, RECORD_LENGTH, CommandError, EventType, Port

PRIVATE_SESSION = "@SNAPSHOT@"
PAYLOAD = 1_400
CATCH_UP_SECONDS = 2.0
_CLOSED = b"MEC"


@dataclass(frozen=True)
class Brought:
    """What was done.

    Parameters
    ----------
    deleted, added : int
        Orders.
    replayed : int
        Packets that went by meanwhile.
    sequence : int
        Number of the message that is expected now.
    whole : bool
        Whether nothing is missing so far as is known; otherwise the device has declared a gap.
    seconds : float
        From the first command to the last.
    """

    deleted: int
    added: int
    replayed: int
    sequence: int
    whole: bool
    seconds: float


def bring(
    device: SocketDevice, snapshot: Snapshot, feed: Feed, locates: Mapping[int, int], enabled: Iterable[int]
) -> Brought:
    """Make the books those of a snapshot, and go on from there.

    The device has been copying its feeds to the tape since before the snapshot was asked for.

    Parameters
    ----------
    device : SocketDevice
    snapshot : Snapshot
    feed : Feed
        The exchange's; its ``start_sequence`` does not count.
    locates : mapping
        Stock locate by symbol.
    enabled : iterable of int
        Symbols that are to trade afterwards.

    Raises
    ------
    DeviceError
        It refused something, or did not come as far as the feeds. Then no stock is enabled.
    """
    begun = time.monotonic()
    gaps = 0

    def see(batch: Batch) -> None:
        nonlocal gaps
        gaps += int((batch.events["type"] == EventType.GAP).sum())

    stop = device.subscribe(see)
    try:
        with device.replacing_books():
            send(device, [commands.set_trading(symbol, enabled=False) for symbol in locates])
            send(device, [commands.set_feed(replace(feed, session=PRIVATE_SESSION, start_sequence=1, strict=False))])
            alive = device.alive()
            deletes = [
                itch.ORDER_DELETE.pack(stock_locate=locates[symbol], order_reference=reference)
                for reference, symbol in zip(alive.references.tolist(), alive.symbols.tolist(), strict=True)
            ]
            told = [_market(each) if each[0] == ord("S") else each for each in snapshot.of(set(locates.values()))]
            device.inject(_packets([*deletes, *told]))
            before = gaps
            send(device, [commands.set_feed(replace(feed, start_sequence=snapshot.sequence))])
            replayed, sequence, whole = _catch_up(device, feed.session, snapshot.sequence, lambda: gaps > before)
        send(device, [commands.set_trading(symbol, enabled=True) for symbol in enabled])
    finally:
        stop()
    added = sum(each[0] in b"AF" for each in told)
    return Brought(len(deletes), added, replayed, sequence, whole, time.monotonic() - begun)


def send(device: SocketDevice, made: list[bytes]) -> None:
    """Hand over commands, one after the other.

    Raises
    ------
    DeviceError
        One was refused.
    """
    inputs = np.zeros(len(made), INPUT)
    inputs["length"], inputs["port"] = RECORD_LENGTH, Port.COMMAND
    inputs["offset"] = np.arange(len(made)) * RECORD_LENGTH
    events = device.process(inputs, b"".join(made)).events
    answers = events[events["type"] == EventType.COMMAND]
    refused = answers[answers["info"] != CommandError.NONE]
    if len(refused):
        first = refused[0]
        error = CommandError(int(first["info"])).name
        raise DeviceError(f"command {int(first['value'])} for symbol {int(first['symbol'])}: {error}")


def _market(event: bytes) -> bytes:
    """The system event that says whether the market is open: what follows its close says that it is closed."""
    fields = itch.SYSTEM_EVENT.unpack(event)
    return itch.SYSTEM_EVENT.pack(fields | {"event_code": "M"}) if fields["event_code"].encode() in _CLOSED else event


def _packets(messages: list[bytes]) -> list[bytes]:
    """Messages of the private session, from 1 on, in packets that a device takes."""
    packets: list[bytes] = []
    first = 0
    while first < len(messages):
        size, end = moldudp64.HEADER_LENGTH, first
        while end < len(messages) and end - first < moldudp64.MOST_MESSAGES:
            size += moldudp64.BLOCK_LENGTH + len(messages[end])
            if size > PAYLOAD:
                break
            end += 1
        packets.append(moldudp64.packet(PRIVATE_SESSION, first + 1, messages[first:end]))
        first = end
    return packets


def _catch_up(device: SocketDevice, session: str, sequence: int, gap: Callable[[], bool]) -> tuple[int, int, bool]:
    """Replay the tape until the device is as far as it, or has declared a gap that the tape does not close.

    Packets replayed, what is expected, and whether it is as far.
    """
    waiting: dict[int, tuple[int, bytes]] = {}
    replayed, newest, is_told, end = 0, sequence, False, time.monotonic() + CATCH_UP_SECONDS
    ready: list[bytes] = []
    for turn in count():
        for frame in device.tape():
            packet = moldudp64.unpack(frames.parse(frame, verify=False).payload)
            if packet.session == session and packet.next_sequence_number > sequence:
                newest = max(newest, packet.next_sequence_number)
                waiting[packet.sequence_number] = packet.next_sequence_number, frame
        # What came while the last packets were replayed, and found the device's places full, is on the tape by now.
        if turn and (sequence >= newest or (gap() and not ready)):
            break
        ready = _ready(waiting, sequence)
        if not ready and waiting and not is_told:
            # A message is missing: the last packet tells the device so, and what is in between is asked for with it.
            ready, is_told = [waiting[max(waiting)][1]], True
        if ready:
            device.inject_frames(ready)
            replayed += len(ready)
        beats = device.heartbeat().events
        sequence = max(sequence, int(beats[beats["type"] == EventType.HEARTBEAT]["value"].max(initial=0)))
        if time.monotonic() > end:
            raise DeviceError(f"message {sequence} is expected, {newest} was to be after {CATCH_UP_SECONDS} s")
    device.record(False)
    return replayed, sequence, sequence >= newest


def _ready(waiting: dict[int, tuple[int, bytes]], sequence: int) -> list[bytes]:
    """Take out the packets that follow each other from a message on: a device holds few of those that come before their turn."""
    ready = []
    for first in sorted(waiting):
        if first > sequence:
            break
        end, frame = waiting.pop(first)
        if end > sequence:
            ready.append(frame)
            sequence = end
    return ready
