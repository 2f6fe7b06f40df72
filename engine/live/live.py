"""The loop in a thread of its own, on a core of its own."""

from __future__ import annotations

import os
import socket
import threading
import time
from typing import Any, NamedTuple

import numpy as np

from engine.intrinsics import zeros
from engine.live import transport, xdp
from engine.live.loop import BUFFER, COMMAND_AT, PENDING, XDP_FRAMES, Control, Wires, loop, new_inputs
from engine.live.rings import FIRST, PacketRing, Ring, Vector
from engine.live.transport import BATCH, PLACE
from engine.path import Engine
from wire.records import RECORD_LENGTH, Opcode, command

DAY_NS = 86_400_000_000_000
CONTROL_WORDS = 32
_NO_RING = np.zeros(FIRST, np.int64)
"""In the place of a ring that is not there: always empty."""


class Interface(NamedTuple):
    """Where both feeds come in past the kernel's stack: UDP frames for these ports, in one queue.

    The interface has to take in what the feeds are sent to: a group that a socket of this machine has joined, or its own address.
    """

    name: str
    port_a: int
    port_b: int
    queue: int = 0
    zero_copy: bool = False


class LiveEngine:
    """An engine on sockets.

    Parameters
    ----------
    engine : Engine
        Nobody else uses it while the loop runs.
    feeds : pair of socket, or Interface
        UDP sockets of feeds A and B, bound, members of their groups; or the interface that they come in by.
    commands, events : Ring
        In and out, 64 bytes each (`wire.records`).
    recovery : PacketRing, optional
        Ethernet frames for the recovery port, one a turn.
    tape : PacketRing, optional
        Where the feeds' packets are copied to while `record` says so.
    tick_ns : int
        Between two ticks.
    idle_us : int
        Microseconds that the loop sleeps after a turn without inputs; 0: it polls, and has a core to itself.
    offset : int, optional
        Added to CLOCK_MONOTONIC for stamps. As it is, they are ns since midnight UTC at the beginning, and go on from
        there whatever happens to the clock of the day.
    control : int64, optional
        Where the words of `Control` are, `CONTROL_WORDS` of them, for others to see too.
    """

    def __init__(
        self,
        engine: Engine,
        feeds: tuple[socket.socket, socket.socket] | Interface,
        commands: Ring,
        events: Ring,
        *,
        recovery: PacketRing | None = None,
        tape: PacketRing | None = None,
        tick_ns: int = 100_000_000,
        idle_us: int = 0,
        offset: int | None = None,
        control: Vector | None = None,
    ) -> None:
        self.engine, self._feeds = engine, feeds  # the loop knows the files only: they are kept open here
        self._order: socket.socket | None = None
        self._xdp: xdp.XdpSocket | None = None
        buffer = zeros(BUFFER)
        words = buffer.view(np.int64)
        down = np.frombuffer(command(Opcode.SESSION_DOWN), np.uint8)
        buffer[COMMAND_AT + RECORD_LENGTH : COMMAND_AT + 2 * RECORD_LENGTH] = down
        self.control = np.zeros(CONTROL_WORDS, np.int64) if control is None else control
        self.control[:] = 0
        self.control[Control.ORDER_FILE] = -1
        self.control[Control.TICK_NS] = tick_ns
        self.control[Control.IDLE_US] = idle_us
        self._tape = tape
        if offset is None:
            offset = time.time_ns() % DAY_NS - time.monotonic_ns()
        self.control[Control.OFFSET] = offset
        a = b = transport.NO_RECEIVER
        past = xdp.NO_RECEIVER
        if isinstance(feeds, Interface):
            ports = (feeds.port_a, feeds.port_b)
            self._xdp = xdp.XdpSocket(
                feeds.name, ports, buffer, 0, queue=feeds.queue, size=XDP_FRAMES, zero_copy=feeds.zero_copy
            )
            past = self._xdp.receiver
            self.control[Control.XDP] = 1
        else:
            a, b = (transport.receiver(sock, buffer, n * BATCH * PLACE) for n, sock in enumerate(feeds))
        self.wires = Wires(
            control=self.control,
            a=a,
            b=b,
            xdp=past,
            commands=commands.words,
            events=events.words,
            recovery=_NO_RING if recovery is None else recovery.words,
            recovery_octets=_NO_RING.view(np.uint8) if recovery is None else recovery.octets,
            tape=_NO_RING if tape is None else tape.words,
            tape_octets=_NO_RING.view(np.uint8) if tape is None else tape.octets,
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

    def record(self, on: bool) -> None:
        """Copy the feeds' packets to the tape from now on, or no more.

        Raises
        ------
        ValueError
            There is no tape.
        """
        if on and self._tape is None:
            raise ValueError("there is no tape to copy to")
        self.control[Control.TAPE] = on

    @property
    def running(self) -> bool:
        """Whether the loop runs."""
        return self._thread is not None and self._thread.is_alive()

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

    def close(self) -> None:
        """End the loop, and give back what was opened here: sockets and rings are their owner's."""
        self.stop()
        if self._xdp is not None:
            self._xdp.close()
            self._xdp = None
