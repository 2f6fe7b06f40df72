"""The loop in a thread of its own, on a core of its own."""

from __future__ import annotations

import os
import socket
import threading
import time
from typing import Any

import numpy as np

from engine.live.loop import BUFFER, COMMAND_AT, PENDING, Control, Wires, loop, new_inputs
from engine.live.rings import Ring
from engine.live.transport import BATCH, PLACE, receiver
from engine.path import Engine
from wire.records import RECORD_LENGTH, Opcode, command

DAY_NS = 86_400_000_000_000
_CONTROL_WORDS = 32


class LiveEngine:
    """An engine on sockets.

    Parameters
    ----------
    engine : Engine
        Nobody else uses it while the loop runs.
    feed_a, feed_b : socket
        UDP sockets, bound, members of their groups.
    commands, events : Ring
        In and out, 64 bytes each (`wire.records`).
    tick_ns : int
        Between two ticks.
    offset : int, optional
        Added to CLOCK_MONOTONIC for stamps. As it is, they are ns since midnight UTC at the beginning, and go on from
        there whatever happens to the clock of the day.
    """

    def __init__(
        self,
        engine: Engine,
        feed_a: socket.socket,
        feed_b: socket.socket,
        commands: Ring,
        events: Ring,
        *,
        tick_ns: int = 100_000_000,
        offset: int | None = None,
    ) -> None:
        self.engine, self._sockets = engine, (feed_a, feed_b)
        self._order: socket.socket | None = None
        words = np.zeros(BUFFER // 8, np.int64)
        buffer = words.view(np.uint8)
        down = np.frombuffer(command(Opcode.SESSION_DOWN), np.uint8)
        buffer[COMMAND_AT + RECORD_LENGTH : COMMAND_AT + 2 * RECORD_LENGTH] = down
        self.control = np.zeros(_CONTROL_WORDS, np.int64)
        self.control[Control.ORDER_FILE] = -1
        self.control[Control.TICK_NS] = tick_ns
        if offset is None:
            offset = time.time_ns() % DAY_NS - time.monotonic_ns()
        self.control[Control.OFFSET] = offset
        self.wires = Wires(
            control=self.control,
            a=receiver(feed_a, buffer, 0),
            b=receiver(feed_b, buffer, BATCH * PLACE),
            commands=commands.words,
            events=events.words,
            inputs=new_inputs(),
            buffer=buffer,
            words=words,
            pending=np.zeros(PENDING, np.uint8),
            scratch=np.zeros(2, np.int64),
            event_limit=engine.event_limit,
            output_limit=engine.output_limit,
        )
        inputs, octets = self.wires.inputs.view(), buffer.view()
        inputs.flags.writeable = octets.flags.writeable = False
        self._arguments: tuple[Any, ...] = (engine.state, self.wires, inputs, octets)
        self._thread: threading.Thread | None = None
        self.error: BaseException | None = None

    def connect(self, order: socket.socket | None) -> None:
        """Give the loop the order connection, which has no login yet; None takes it away.

        From here on the loop alone reads from it and writes to it.
        """
        if order is not None:
            order.setblocking(False)
            order.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self._order = order
        self.control[Control.ORDER_FILE] = -1 if order is None else order.fileno()

    @property
    def connected(self) -> bool:
        """Whether the loop has an order connection."""
        return bool(self.control[Control.ORDER_FILE] >= 0)

    def turn(self, turns: int = 1) -> int:
        """Runs so many turns here and now; how many of them had inputs."""
        state, wires, inputs, octets = self._arguments
        return int(loop(state, wires, inputs, octets, turns))

    def start(self, core: int | None = None) -> None:
        """Run until `stop`, pinned to a core."""
        self.turn(1)  # it is compiled before anything is urgent
        self.control[Control.STOP] = 0
        self._thread = threading.Thread(target=self._run, args=(core,), name="live engine", daemon=True)
        self._thread.start()

    def _run(self, core: int | None) -> None:
        try:
            if core is not None:
                os.sched_setaffinity(0, {core})
            state, wires, inputs, octets = self._arguments
            loop(state, wires, inputs, octets, 0)
        except BaseException as error:
            self.error = error
            raise

    def stop(self, seconds: float = 5.0) -> None:
        """End the loop, and wait for it."""
        self.control[Control.STOP] = 1
        if self._thread is not None:
            self._thread.join(seconds)
            if self._thread.is_alive():
                raise TimeoutError(f"the loop did not end in {seconds} s")
            self._thread = None
