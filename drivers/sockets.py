"""What a device on sockets has besides the verbs of every device: a clock of its own, an order connection that it is given, and
a copy of its feeds.
"""

from __future__ import annotations

import socket
from abc import abstractmethod
from contextlib import AbstractContextManager, nullcontext

import numpy as np
from numpy.typing import NDArray

from drivers.commanded import CommandedDevice
from drivers.device import Batch
from engine.references import Alive
from wire.frames import udp_frame
from wire.records import INPUT, Port

FeedSockets = tuple[socket.socket, socket.socket]


class SocketDevice(CommandedDevice):
    """Takes feeds and order connection by itself, and stamps what comes.

    `process` takes commands and frames of the recovery port, whatever stamps they have. What was told in the meantime is there at
    the next call, or at `poll`.
    """

    @property
    @abstractmethod
    def now(self) -> int:
        """What it would stamp now, ns since midnight UTC when it was made, never back."""

    @abstractmethod
    def poll(self) -> Batch:
        """Take what was told since the last call, and hand it to the subscribers."""

    @abstractmethod
    def restart(self) -> None:
        """Have a new engine in the place of the old one, which is not configured and knows of no order, position or session.

        The numbers of events and of orders go on. The order connection is closed.
        """

    @abstractmethod
    def connect(self, order: socket.socket | None) -> None:
        """Take over an order connection that has no login yet, and close the one before. None: have none."""

    @property
    @abstractmethod
    def session_messages(self) -> int:
        """Sequenced messages of the order session that were ever taken, over all connections."""

    @property
    @abstractmethod
    def generation(self) -> int:
        """Number of the last order."""

    @abstractmethod
    def begin_after(self, generation: int) -> None:
        """Number the next order behind ``generation``: the ids before it may be known to the exchange from an earlier life.

        Raises
        ------
        ValueError
            There are later orders already.
        """

    @abstractmethod
    def record(self, on: bool) -> None:
        """Copy the feeds' packets to the tape, or no more. What it held before is thrown away when it begins."""

    @abstractmethod
    def tape(self) -> list[bytes]:
        """Take the frames that were copied since."""

    @abstractmethod
    def alive(self) -> Alive:
        """Orders in the books. To be asked only while the feed cannot change them: behind a SET_FEED to another session."""

    def replacing_books(self) -> AbstractContextManager[None]:
        """Something that is entered while a snapshot is brought into the books."""
        return nullcontext()

    def inject(self, payloads: list[bytes]) -> Batch:
        """Hand MoldUDP64 packets to the recovery port, in this order, and take what comes out."""
        frames = [
            udp_frame(each, source=0, destination=0, source_port=0, destination_port=0, checksummed=False) for each in payloads
        ]
        return self.inject_frames(frames)

    def inject_frames(self, frames: list[bytes]) -> Batch:
        """Hand Ethernet frames to the recovery port, in this order, and take what comes out."""
        lengths = np.array([len(each) for each in frames], np.int64)
        inputs = np.zeros(len(frames), INPUT)
        inputs["length"], inputs["offset"], inputs["port"] = lengths, np.cumsum(lengths) - lengths, Port.RECOVERY
        return self.process(inputs, b"".join(frames))

    def _check(self, inputs: NDArray[np.void], length: int) -> None:
        wrong = ~np.isin(inputs["port"], (Port.RECOVERY, Port.COMMAND))
        if wrong.any():
            port = int(inputs["port"][wrong.argmax()])
            raise ValueError(
                f"input {int(wrong.argmax())}: port {port}; a device on sockets takes commands and recovery frames, "
                "feeds, order session and clock it has by itself"
            )
        ends = inputs["offset"].astype(np.uint64) + inputs["length"]
        if len(inputs) and int(ends.max()) > length:
            raise ValueError(f"input {int(ends.argmax())}: behind the buffer of {length} bytes")

    def _answers(self, events: NDArray[np.void], data: bytes) -> NDArray[np.void]:
        """Those of the same kind: a loop has a command of its own, SESSION_DOWN, when the order connection is lost."""
        answers = super()._answers(events, data)
        return answers[answers["value"] == data[0]][-1:]
