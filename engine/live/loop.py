"""The loop: poll, handle, send. Nothing in it allocates or takes a lock, and it waits only where it was told to.

One turn takes what is there: packets of both feeds, one packet of the recovery ring, bytes of the order connection, one command,
and a tick when it is due. All of a turn have one stamp, read once. Then the path handles them, and what came out is sent before
anything else is looked at.
"""

from __future__ import annotations

from enum import IntEnum
from typing import Any, NamedTuple

import numpy as np

from engine.live import rings, xdp
from engine.live.kernel import (
    EAGAIN,
    EINTR,
    MSG_DONTWAIT,
    MSG_NOSIGNAL,
    last_error,
    load_acquire,
    monotonic,
    recv,
    send,
    store_release,
    usleep,
)
from engine.live.transport import BATCH, PLACE, Receiver, frame_length, receive
from engine.path import run
from engine.unsigned import word
from wire.compiled import uncounted
from wire.records import INPUT, RECORD_LENGTH, Port

Vector = np.ndarray[Any, np.dtype[Any]]

FEED_A, FEED_B, RECOVERY = Port.FEED_A.value, Port.FEED_B.value, Port.RECOVERY.value
SESSION, COMMAND, TICK = Port.SESSION.value, Port.COMMAND.value, Port.TICK.value
STREAM = 1 << 16
"""Bytes of the order connection that one turn takes."""
INPUTS = 2 * BATCH + 5
XDP_FRAMES = 256
"""Frames that are shared with the kernel, where it gives them past its stack."""
STREAM_AT = max(2 * BATCH, XDP_FRAMES) * PLACE
COMMAND_AT = STREAM_AT + STREAM
RECOVERY_AT = COMMAND_AT + 2 * RECORD_LENGTH + rings.PACKET_AT
BUFFER = RECOVERY_AT + PLACE
PENDING = 1 << 20
"""Bytes for the exchange that the connection did not take yet; more than that and it is given up."""
WORDS = RECORD_LENGTH // 8


class Control(IntEnum):
    """Words that are shared with whoever watches the loop: ``STOP``, ``ORDER_FILE``, ``TAPE`` and ``IDLE_US`` are its, the
    others the loop's.
    """

    STOP = 0
    ORDER_FILE = 1  # of the order connection, -1 if there is none
    OFFSET = 2  # from the monotonic clock to stamps
    TICK_NS = 3
    STAMP = 4  # of the last turn that had inputs
    TURNS = 5
    BUSY_TURNS = 6
    PACKETS = 7
    COMMANDS = 8
    RECEIVED = 9  # bytes of the order connection
    SENT = 10
    SENDS = 11
    PENDING_BYTES = 12
    CONNECTIONS_LOST = 13
    ERROR = 14  # errno of the last connection that was lost, 0 if the other side closed it
    NEXT_TICK = 15
    PENDING_AT = 16
    GIVEN_UP = 17  # the exchange takes nothing: the connection is to be lost in the next turn
    XDP = 18  # frames come by AF_XDP, not by sockets
    TAPE = 19  # packets of the feeds go to the tape too
    IDLE_US = 20  # to sleep after a turn without inputs; 0 polls
    RECOVERED = 21  # packets of the recovery ring


class Wires(NamedTuple):
    """Everything that the loop touches but the engine's state. Behind the place of a command stands SESSION_DOWN."""

    control: Vector
    a: Receiver
    b: Receiver
    xdp: xdp.XdpReceiver
    commands: Vector
    events: Vector
    recovery: Vector
    recovery_octets: Vector  # the same memory
    tape: Vector
    tape_octets: Vector
    inputs: Vector
    buffer: Vector
    words: Vector  # ``buffer`` as int64
    pending: Vector
    scratch: Vector
    event_limit: int
    output_limit: int


@uncounted
def loop(state: Any, wires: Any, inputs: Any, buffer: Any, turns: int) -> int:
    """Runs until ``Control.STOP`` is set, or for so many turns (0: no end); turns that had inputs.

    ``inputs`` and ``buffer`` are those of ``wires``, read only, as the path is compiled for them.
    """
    control, busy, turn = wires.control, 0, 0
    while (turns == 0 or turn < turns) and load_acquire(control, Control.STOP.value) == 0:
        turn += 1
        stamp = monotonic(wires.scratch) + control[Control.OFFSET.value]
        count = _gather(wires, stamp)
        if count > 0:
            busy += 1
            control[Control.STAMP.value] = stamp
            control[Control.BUSY_TURNS.value] += 1
            if control[Control.TAPE.value]:
                _record(wires, inputs, count)
            state.core[0].next_input = 0
            done = False
            while not done:
                done = run(state, inputs[:count], buffer, wires.event_limit, wires.output_limit)
                _hand_out(wires, state.out)
            if control[Control.XDP.value]:
                xdp.give_back(wires.xdp)
        elif control[Control.IDLE_US.value] > 0:
            usleep(np.uint32(control[Control.IDLE_US.value]))
        if control[Control.PENDING_BYTES.value] > 0:
            _send(wires)
        store_release(control, Control.TURNS.value, control[Control.TURNS.value] + 1)
    return busy


@uncounted
def _gather(wires: Any, stamp: int) -> int:
    """Inputs of this turn."""
    control, count = wires.control, 0
    if control[Control.XDP.value]:
        count = xdp.take_frames(wires.xdp, wires.buffer, wires.inputs, count, stamp)
        control[Control.PACKETS.value] += count
    else:
        count = _feed(wires, wires.a, FEED_A, stamp, count)
        count = _feed(wires, wires.b, FEED_B, stamp, count)
    length = rings.take_packet(wires.recovery, wires.recovery_octets, wires.buffer, RECOVERY_AT)
    if length > 0:
        control[Control.RECOVERED.value] += 1
        count = _add(wires.inputs, count, RECOVERY, stamp, RECOVERY_AT, length)
    file = load_acquire(control, Control.ORDER_FILE.value)
    if file >= 0 and control[Control.GIVEN_UP.value]:
        control[Control.GIVEN_UP.value] = 0
        count = _lose(wires, EAGAIN, stamp, count)
    elif file >= 0:
        at, flags = wires.buffer.ctypes.data + STREAM_AT, np.int32(MSG_DONTWAIT)
        got = word(recv(np.int32(file), at, np.uint64(STREAM), flags))
        if got > 0:
            control[Control.RECEIVED.value] += got
            count = _add(wires.inputs, count, SESSION, stamp, STREAM_AT, got)
        elif got == 0:
            count = _lose(wires, 0, stamp, count)
        else:
            error = last_error()
            if error != EAGAIN and error != EINTR:
                count = _lose(wires, error, stamp, count)
    if rings.take(wires.commands, wires.words, COMMAND_AT // 8):
        control[Control.COMMANDS.value] += 1
        count = _add(wires.inputs, count, COMMAND, stamp, COMMAND_AT, RECORD_LENGTH)
    if stamp >= control[Control.NEXT_TICK.value]:
        control[Control.NEXT_TICK.value] = stamp + control[Control.TICK_NS.value]
        count = _add(wires.inputs, count, TICK, stamp, 0, 0)
    return count


@uncounted
def _feed(wires: Any, receiver: Any, port: int, stamp: int, count: int) -> int:
    """Packets of one feed."""
    packets = receive(receiver, wires.buffer)
    for n in range(packets):
        count = _add(wires.inputs, count, port, stamp, receiver.at + n * PLACE, frame_length(receiver, n))
    if packets > 0:
        wires.control[Control.PACKETS.value] += packets
    return count


@uncounted
def _record(wires: Any, inputs: Any, count: int) -> None:
    """Copies this turn's packets of the feeds to the tape."""
    for n in range(count):
        port = word(inputs[n].port)
        if port == FEED_A or port == FEED_B:
            at, length = word(inputs[n].offset), word(inputs[n].length)
            rings.put_packet(wires.tape, wires.tape_octets, wires.buffer, at, length, port)


@uncounted
def _add(inputs: Any, count: int, port: int, stamp: int, at: int, length: int) -> int:
    record = inputs[count]
    record.timestamp = stamp
    record.offset = at
    record.length = length
    record.port = port
    return count + 1


@uncounted
def _lose(wires: Any, error: int, stamp: int, count: int) -> int:
    """The order connection is lost: the path is told, and what was not sent is gone."""
    control = wires.control
    store_release(control, Control.ORDER_FILE.value, -1)
    control[Control.CONNECTIONS_LOST.value] += 1
    control[Control.ERROR.value] = error
    control[Control.PENDING_BYTES.value] = 0
    return _add(wires.inputs, count, COMMAND, stamp, COMMAND_AT + RECORD_LENGTH, RECORD_LENGTH)


@uncounted
def _hand_out(wires: Any, out: Any) -> None:
    """Packets to the exchange, then events to the ring; ``out`` is empty after it."""
    control, first = wires.control, out[0]
    length = first.payload_length
    if length > 0:
        held = control[Control.PENDING_BYTES.value]
        begin = control[Control.PENDING_AT.value] if held > 0 else 0
        if begin + held + length > PENDING and held > 0:
            for n in range(held):
                wires.pending[n] = wires.pending[begin + n]
            begin = 0
        control[Control.PENDING_AT.value] = begin
        if control[Control.ORDER_FILE.value] < 0:
            control[Control.PENDING_BYTES.value] = 0  # lost in this turn: there is nobody to send it to
        elif held + length <= PENDING:
            for n in range(length):
                wires.pending[begin + held + n] = first.payload[n]
            control[Control.PENDING_BYTES.value] = held + length
            _send(wires)
        else:
            control[Control.GIVEN_UP.value] = 1
    words = first.events.view(np.int64)
    for n in range(first.event_count):
        rings.put(wires.events, words, n * WORDS)
    first.event_count = 0
    first.output_count = 0
    first.payload_length = 0


@uncounted
def _send(wires: Any) -> None:
    """As much of what is pending as the connection takes."""
    control = wires.control
    file = control[Control.ORDER_FILE.value]
    begin, held = control[Control.PENDING_AT.value], control[Control.PENDING_BYTES.value]
    if file < 0:
        control[Control.PENDING_BYTES.value] = 0
        return
    at, flags = wires.pending.ctypes.data + begin, np.int32(MSG_DONTWAIT | MSG_NOSIGNAL)
    sent = word(send(np.int32(file), at, np.uint64(held), flags))
    control[Control.SENDS.value] += 1
    if sent > 0:
        control[Control.SENT.value] += sent
        control[Control.PENDING_AT.value] = begin + sent
        control[Control.PENDING_BYTES.value] = held - sent


def new_inputs() -> Vector:
    """Places for the inputs of a turn."""
    return np.zeros(INPUTS, INPUT)
