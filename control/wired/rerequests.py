"""What is missing of the feed, asked for over UDP: the sockets of `control.recovery`."""

from __future__ import annotations

import contextlib
import logging
import socket
from collections.abc import Sequence

from control.recovery import Recovery, Request, Snapshot
from control.wired.conversation import Address
from wire import moldudp64
from wire.errors import WireError
from wire.records import HOLD_SLOTS

log = logging.getLogger("hairpin.recovery")


class Rerequests:
    """Re-request servers of one feed.

    Parameters
    ----------
    servers : sequence of Address
    session : str
        MoldUDP64 session.
    timeout_ns, rounds : int
        As `Recovery` takes them.
    """

    def __init__(self, servers: Sequence[Address], session: str, *, timeout_ns: int = 5_000_000, rounds: int = 3) -> None:
        self.session = session
        self.recovery = Recovery(len(servers), timeout_ns=timeout_ns, rounds=rounds, window=HOLD_SLOTS)
        self._sockets: list[socket.socket] = []
        for server in servers:
            made = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
            made.setblocking(False)
            made.connect(server)
            self._sockets.append(made)

    def gap(self, first: int, count: int, now: int) -> Snapshot | None:
        """The device misses messages. A snapshot, if it has to be one."""
        return self._do(self.recovery.gap(first, count, now))

    def poll(self, now: int) -> tuple[list[bytes], Snapshot | None]:
        """Packets that came and go to the recovery port; and a snapshot, if it has to be one."""
        packets, wanted = [], self._do(self.recovery.tick(now))
        for made in self._sockets:
            while (payload := _received(made)) is not None:
                try:
                    packet = moldudp64.unpack(payload)
                except WireError as error:
                    log.warning("%s: no answer to a re-request: %s", made.getpeername(), error)
                    continue
                if packet.session != self.session or not packet.messages:
                    continue
                packets.append(payload)
                wanted = self._do(self.recovery.answered(packet.sequence_number, len(packet.messages), now)) or wanted
        return packets, wanted

    def close(self) -> None:
        """Give the sockets back."""
        for made in self._sockets:
            made.close()

    def _do(self, wishes: list[Request | Snapshot]) -> Snapshot | None:
        wanted = None
        for wish in wishes:
            if isinstance(wish, Snapshot):
                wanted = wish
            else:
                # What a dead server's host says to an earlier request (ECONNREFUSED) is told here; the next one is asked in time.
                with contextlib.suppress(OSError):
                    self._sockets[wish.server].send(moldudp64.request(self.session, wish.first, wish.count))
        return wanted


def _received(made: socket.socket) -> bytes | None:
    try:
        return made.recv(1 << 16)
    except BlockingIOError:
        return None
    except OSError:  # the server's host says that nobody listens
        return None
