"""A publication as MoldUDP64 packets, and the answers of the re-request server; without a socket."""

from __future__ import annotations

from sim.exchange.publication import Publication
from wire import moldudp64
from wire.moldudp64 import BLOCK_LENGTH, HEADER_LENGTH, MOST_MESSAGES

MAX_PAYLOAD = 1400
HEARTBEAT = 1.0


class Packer:
    """Cuts a publication into packets; every feed has the same ones.

    Parameters
    ----------
    publication : Publication
    session : str
    """

    def __init__(self, publication: Publication, session: str) -> None:
        self.publication, self.session = publication, session
        self.sent = 0
        self._last = 0.0

    def packets(self, now: float) -> list[bytes]:
        """The packets of what is new; a heartbeat after a second without any."""
        out = []
        while self.sent < len(self.publication):
            found = self._messages(self.sent, len(self.publication) - self.sent)
            out.append(moldudp64.packet(self.session, self.sent + 1, found))
            self.sent += len(found)
        if not out and now - self._last >= HEARTBEAT:
            out.append(moldudp64.heartbeat(self.session, self.sent + 1))
        if out:
            self._last = now
        return out

    def _messages(self, first: int, count: int) -> list[bytes]:
        """The messages of one packet, from index ``first`` on: as many as fit and not more than ``count``."""
        size, found = HEADER_LENGTH, []
        for i in range(first, min(first + min(count, MOST_MESSAGES), len(self.publication))):
            message = self.publication[i]
            size += BLOCK_LENGTH + len(message)
            if found and size > MAX_PAYLOAD:
                break
            found.append(message)
        return found

    def answer(self, payload: bytes) -> bytes:
        """The packet that answers a re-request; b"" for another session, or where there is nothing to repeat.

        Only what has gone out already is repeated.

        Raises
        ------
        wire.errors.WireError
            Not a request packet.
        """
        wanted = moldudp64.REQUEST.unpack(payload)
        first, count = wanted["sequence_number"] - 1, wanted["message_count"]
        if wanted["session"].strip() != self.session.strip() or count == 0 or not 0 <= first < self.sent:
            return b""
        return moldudp64.packet(self.session, first + 1, self._messages(first, min(count, self.sent - first)))

    def end(self) -> bytes:
        """The packet that ends the session."""
        return moldudp64.end_of_session(self.session, self.sent + 1)
