"""The whole path in software: inputs in, events and packets out, in one compiled loop.

The loop is the sequencer. It handles one item completely, then looks what is next: the rest of a packet that is
played, the drain of the arbiter, the rest of the session's bytes, the next input. Between items it can stop and go on,
which it does when Python has to take what came out.
"""

from __future__ import annotations

import hashlib
from typing import Any, NamedTuple

import numpy as np

from engine import arbiter, feed
from engine.arbiter import NOTHING, OLD_GAP
from engine.commands import NONE, RESUME_FEED, answer, command
from engine.ingest import ingest
from engine.risk import UP
from engine.session import DOWN, collect, receive, set_session
from engine.soupbin import HEARTBEAT_TYPE, write_plain
from engine.stage import stage
from engine.state import EVENT_CAPACITY, OUTPUT_CAPACITY, State, create, item_events, item_outputs
from engine.trader import sweep
from engine.unsigned import ONE, above, word
from wire.compiled import compiled
from wire.counters import NUMBER
from wire.ingress import PAYLOAD_AT, PAYLOAD_LENGTH
from wire.moldudp64 import BLOCK_LENGTH, read_block_length
from wire.records import (
    EVENT,
    INPUT,
    OUTPUT,
    RECORD_LENGTH,
    SESSION_HEARTBEAT_NS,
    SESSION_TIMEOUT_NS,
    Port,
)

Vector = np.ndarray[Any, np.dtype[Any]]

RECOVERY, SESSION = Port.RECOVERY.value, Port.SESSION.value
COMMAND, TICK = Port.COMMAND.value, Port.TICK.value
MESSAGES, TICKS = NUMBER["messages"], NUMBER["ticks"]
HEARTBEAT_NS, TIMEOUT_NS = SESSION_HEARTBEAT_NS, SESSION_TIMEOUT_NS
COMMAND_LENGTH = RECORD_LENGTH


# -- the sequencer ---------------------------------------------------------------------------------


@compiled
def run(state: Any, inputs: Any, buffer: Any, event_limit: int, output_limit: int) -> bool:
    """Handles inputs from ``core.next_input`` on; False if it stopped because ``out`` has to be emptied first."""
    core, out = state.core[0], state.out[0]
    while out.event_count <= event_limit and out.output_count <= output_limit:
        if core.play_left > 0:
            play(core, out, state.symbols, state.book, state.packets)
        elif core.draining:
            drain(core, out, state.symbols, state.packets)
        elif core.stream_left > 0:
            if collect(core, state.stream, buffer):
                receive(core, out, state.symbols, state.stream)
        elif core.next_input < len(inputs):
            take(core, out, state.symbols, state.book, state.packets, inputs, buffer)
        else:
            return True
    return False


@stage
def take(core: Any, out: Any, symbols: Any, book: Any, packets: Any, inputs: Any, buffer: Any) -> None:
    """The next input."""
    record = inputs[core.next_input]
    at, length, port = word(record.offset), word(record.length), word(record.port)
    core.next_input += 1
    core.stamp = word(record.timestamp)
    core.cause = 0
    if port <= RECOVERY:
        if ingest(core, buffer, at, length, port):
            take_packet(core, out, symbols, book, packets, buffer, port)
    elif port == SESSION:
        core.stream_at = at
        core.stream_left = length
    elif port == COMMAND:
        if length == COMMAND_LENGTH and command(core, out, symbols, book, buffer, at):
            core.draining = 1
    elif port == TICK:
        tick(core, out, symbols)


@stage
def tick(core: Any, out: Any, symbols: Any) -> None:
    """The clock: timers of arbiter and session, then a look at every symbol."""
    core.counters[TICKS] += ONE
    expire(core, out, symbols)
    t = core.stamp
    if core.session == UP and not above(HEARTBEAT_NS, t - core.last_sent):
        write_plain(core, out, HEARTBEAT_TYPE)
        core.last_sent = t
    if core.session != DOWN and not above(TIMEOUT_NS, t - core.last_received):
        set_session(core, out, DOWN, 0)
    sweep(core, out, symbols)


# -- the arbiter's side of it ----------------------------------------------------------------------


@stage
def expire(core: Any, out: Any, symbols: Any) -> None:
    """The arbiter's timer."""
    arbiter.advance(core)
    declared = arbiter.timer(core)
    if declared != NOTHING:
        feed.gap(core, out, symbols, 1 if declared == OLD_GAP else 0)


@stage
def take_packet(core: Any, out: Any, symbols: Any, book: Any, packets: Any, buffer: Any, port: int) -> None:
    """A valid packet, whose place ``core.frame`` says."""
    at, length = core.frame[PAYLOAD_AT], core.frame[PAYLOAD_LENGTH]
    expire(core, out, symbols)
    core.before = core.expected
    if arbiter.join(core, buffer, at):
        feed.joined(core, out, symbols, book)
    if arbiter.hold(core, packets, buffer, at, length, port):
        feed.alive(core)
    core.draining = 1


@stage
def drain(core: Any, out: Any, symbols: Any, packets: Any) -> None:
    """Plays the next packet that can be played, or ends the drain."""
    number = arbiter.playable(core)
    if number >= 0:
        arbiter.load(core, packets, number)
        feed.alive(core)
        return
    core.draining = 0
    if arbiter.settle(core):
        feed.whole(core, out, symbols)
    if core.resuming:
        core.resuming = 0
        answer(core, out, RESUME_FEED, core.resume_symbol, core.resume_tag, NONE, 0)


@stage
def play(core: Any, out: Any, symbols: Any, book: Any, packets: Any) -> None:
    """The next message of the packet that is played."""
    at = core.play_at + BLOCK_LENGTH
    length = read_block_length(packets, core.play_at)
    core.cause = core.expected
    core.expected += 1
    core.counters[MESSAGES] += ONE
    feed.message(core, out, symbols, book, packets, at, length)
    core.cause = 0
    core.play_at = at + length
    core.play_left -= 1
    if core.play_left == 0:
        core.holds[core.play_slot].used = 0


# -- Python's side ---------------------------------------------------------------------------------


class Batch(NamedTuple):
    """What inputs made: ``events`` (``EVENT``), ``outputs`` (``OUTPUT``) and the packets that they index."""

    events: Vector
    outputs: Vector
    payload: Vector


class Engine:
    """The appliance in software.

    Parameters
    ----------
    symbols, levels, orders : int
        As on the card: symbols, price levels per side of each, orders alive in all books together.
    event_capacity : int
        Events that the compiled loop makes before it hands them to Python. It changes no result.

    Raises
    ------
    ValueError
        Sizes that are not possible.
    """

    def __init__(self, symbols: int = 16, levels: int = 4096, orders: int = 16384, event_capacity: int = EVENT_CAPACITY) -> None:
        self.state: State = create(symbols, levels, orders)
        self.symbols, self.levels, self.orders = symbols, levels, orders
        if event_capacity < 1:
            raise ValueError(f"an event capacity of {event_capacity}: at least 1 is needed")
        self.event_limit = min(event_capacity, EVENT_CAPACITY - item_events(symbols))
        self.output_limit = OUTPUT_CAPACITY - item_outputs(symbols)

    @property
    def counters(self) -> Vector:
        """The counters in the order of `wire.counters.COUNTERS`, ``uint64``; a view, not a copy."""
        view: Vector = self.state.core["counters"][0]
        return view

    @property
    def session_messages(self) -> int:
        """Sequenced messages of the order session that were ever taken, over all connections."""
        return int(self.state.core["session_sequence"][0])

    @property
    def generation(self) -> int:
        """Number of the last order."""
        return int(self.state.core["generation"][0])

    def begin_after(self, generation: int) -> None:
        """Lets the ids of orders come after a generation: those up to it are known to the exchange from another life.

        Raises
        ------
        ValueError
            Its own are past that already.
        """
        if generation < self.generation:
            raise ValueError(f"generation {generation}: orders up to {self.generation} have been sent")
        self.state.core["generation"][0] = generation

    def process(self, inputs: Vector, buffer: Vector) -> Batch:
        """Handles inputs in their order; everything that they caused.

        Parameters
        ----------
        inputs : array of ``wire.records.INPUT``
            Their time stamps do not go back, from call to call neither.
        buffer : array of ``uint8``
            The bytes that the inputs index.

        Raises
        ------
        ValueError
            An input that reaches over the end of ``buffer``, a command that has not 64 bytes, or an unknown port.
        """
        inputs, buffer = self._checked(inputs, buffer)
        core, out = self.state.core[0], self.state.out[0]
        core["next_input"] = 0
        batches = []
        while True:
            done = run(self.state, inputs, buffer, self.event_limit, self.output_limit)
            batches.append(self._drain(out))
            if done:
                return batches[0] if len(batches) == 1 else _joined(batches)

    def digest(self) -> str:
        """16 hex digits that two engines have in common when all of their state is the same, however inputs were cut."""
        sha = hashlib.blake2b(digest_size=8)
        core = self.state.core.copy()
        for name in ("next_input", "stream_at", "frame"):  # places in a call's inputs and buffer
            core[name] = 0
        for array in _arrays(self.state._replace(core=core, out=np.zeros(0))):
            sha.update(array.tobytes())
        return sha.hexdigest()

    def _checked(self, inputs: Vector, buffer: Vector) -> tuple[Vector, Vector]:
        """Both as read-only views of the one type that the loop is compiled for."""
        if inputs.dtype != INPUT or buffer.dtype != np.uint8:
            raise ValueError(f"inputs of {inputs.dtype} and a buffer of {buffer.dtype}, not INPUT and uint8")
        ends = inputs["offset"] + inputs["length"]
        if len(inputs) and (ends.max() > len(buffer) or (ends < inputs["offset"]).any()):
            raise ValueError(f"an input ends at byte {ends.max()} of a buffer of {len(buffer)}")
        if inputs["port"].max(initial=0) > TICK:
            raise ValueError(f"port {inputs['port'].max()} does not exist")
        if (inputs["length"][inputs["port"] == COMMAND] != COMMAND_LENGTH).any():
            raise ValueError(f"a command has {COMMAND_LENGTH} bytes")
        inputs, buffer = np.ascontiguousarray(inputs).view(), np.ascontiguousarray(buffer).view()
        inputs.flags.writeable = buffer.flags.writeable = False
        return inputs, buffer

    def _drain(self, out: Any) -> Batch:
        """Takes what stands in ``out``."""
        batch = Batch(
            out["events"][: out["event_count"]].copy(),
            out["outputs"][: out["output_count"]].copy(),
            out["payload"][: out["payload_length"]].copy(),
        )
        out["event_count"] = out["output_count"] = out["payload_length"] = 0
        return batch


def _joined(batches: list[Batch]) -> Batch:
    """Batches one after the other as one."""
    at = 0
    for batch in batches:
        batch.outputs["offset"] += at
        at += len(batch.payload)
    return Batch(*(np.concatenate(parts) for parts in zip(*batches, strict=True)))


def _arrays(value: Any) -> list[Vector]:
    """The arrays in nested tuples, in their order."""
    if isinstance(value, np.ndarray):
        return [value]
    return [array for each in value for array in _arrays(each)] if isinstance(value, tuple) else []


EMPTY = Batch(np.zeros(0, EVENT.dtype), np.zeros(0, OUTPUT), np.zeros(0, np.uint8))
"""Nothing came out."""
