"""A TCP peer in Python, written from RFC 9293 for what a test wants of it: any window, any cut, any time-out, from a seed.

It keeps segments that come out of order, so that it is not the mirror image of the card, and cuts what it sends again
anew. :class:`Witness` watches the card's frames and says what must hold for each.
"""

from __future__ import annotations

import random
from dataclasses import dataclass

from tests.hw.tcp_card import LOCAL_ADDRESS, LOCAL_MAC, LOCAL_PORT, REMOTE_ADDRESS, REMOTE_MAC, REMOTE_PORT
from wire.frames import Frame, build
from wire.ipv4 import TCP_PROTOCOL
from wire.tcp import Flag

WRAP = 1 << 32


def distance(after: int, before: int) -> int:
    """How far one sequence number is behind another, negative if it is before it."""
    return (after - before + (WRAP >> 1)) % WRAP - (WRAP >> 1)


class Witness:
    """What the card may send, and what it has sent.

    Numbers count from the SYN on, so that they do not wrap. ``edge`` is the highest number that the peer has opened.
    """

    def __init__(self, initial: int):
        self.initial = initial
        self.stream = bytearray()  # first transmissions, without the SYN
        self.next = 0
        self.edge = 1
        self.fin: int | None = None
        self.acknowledged, self.offered = 0, 0
        self.repeated = 0

    def open(self, frame: Frame) -> None:
        """A segment has come to the card and taken effect."""
        self.edge = max(self.edge, distance(frame.acknowledgment_number, self.initial) + frame.window)

    def see(self, frame: Frame) -> None:
        """A frame has left the card.

        Raises
        ------
        AssertionError
            It should not have.
        """
        number = distance(frame.sequence_number, self.initial)
        if frame.flags & Flag.SYN:
            assert (number, frame.payload) == (0, b"")
            self.repeated += self.next > 0
            self.next = max(self.next, 1)
            return
        end = number + len(frame.payload)
        if frame.payload:
            assert self.next >= 1
            if number == self.next:
                assert end <= self.edge, f"{number}..{end} is beyond the window's edge {self.edge}"
                assert self.fin is None, "data behind the FIN"
                self.stream += frame.payload
                self.next = end
            else:
                assert end <= self.next, f"{number}..{end} leaves a hole behind {self.next}"
                assert bytes(self.stream[number - 1 : end - 1]) == frame.payload, "other bytes with the same number"
                self.repeated += 1
        if frame.flags & Flag.FIN:
            assert self.fin in (None, end)
            self.repeated += self.fin is not None
            self.fin = end
            self.next = end + 1
        elif not frame.payload and not frame.flags & Flag.RST:
            assert number in (self.next, self.next - 1), f"a segment without data has number {number}, not {self.next}"
        if frame.flags & Flag.ACK:
            if not self.acknowledged:
                self.acknowledged, self.offered = frame.acknowledgment_number, frame.acknowledgment_number
            assert distance(frame.acknowledgment_number, self.acknowledged) >= 0, "an acknowledgement is taken back"
            edge = frame.acknowledgment_number + frame.window
            assert distance(edge, self.offered) >= 0, "the window shrinks"
            self.acknowledged, self.offered = frame.acknowledgment_number, edge % WRAP


@dataclass
class Habits:
    """How a peer behaves."""

    buffer: int = 4000  # bytes it receives before it takes any
    takes: float = 0.5  # the chance that it does so when it is asked
    longest: int = 1460  # bytes of a segment
    time_out: int = 4000  # cycles
    idle: float = 0.5  # the chance that it sends nothing when it is asked
    chatter: float = 0.02  # the chance of a segment that says nothing new


class ModelPeer:
    """The far end.

    ``received`` is what it got from the card, in order.
    """

    def __init__(self, draw: random.Random, stream: bytes, habits: Habits):
        self.draw, self.stream, self.habits = draw, stream, habits
        self.initial = draw.choice((draw.randrange(WRAP), WRAP - draw.randrange(1, 2000)))
        self.next, self.unacknowledged, self.highest = 0, 0, 0  # of its own numbers, from its SYN on
        self.edge, self.sent_at = 0, 0
        self.expected: int | None = None  # of the card's
        self.received = bytearray()
        self.held: dict[int, bytes] = {}
        self.waiting = 0  # bytes received and not taken
        self.due = False
        self.closing, self.fin_seen = False, False

    # -- in -------------------------------------------------------------------------------------------------------

    def hear(self, frame: Frame) -> None:
        """A segment came from the card."""
        if frame.flags & Flag.SYN:
            self.expected = (frame.sequence_number + 1) % WRAP
            self.due = True
            return
        if self.expected is None:
            return
        acknowledged = distance(frame.acknowledgment_number, self.initial)
        assert acknowledged <= self.highest, "an acknowledgement of what was not sent"
        if acknowledged > self.unacknowledged:
            self.unacknowledged = acknowledged
            self.next = max(self.next, acknowledged)
            self.sent_at = 0
        self.edge = max(self.edge, acknowledged + frame.window)
        payload, start = frame.payload, distance(frame.sequence_number, self.expected)
        if payload or frame.flags & Flag.FIN:
            self.due = True
        if payload and start <= self._room():
            self.held[frame.sequence_number] = max(self.held.get(frame.sequence_number, b""), payload, key=len)
        fin = frame.flags & Flag.FIN and (frame.sequence_number + len(payload)) % WRAP
        self._collect()
        if fin and fin == self.expected and not self.fin_seen:
            self.fin_seen = True
            self.expected = (self.expected + 1) % WRAP

    def _collect(self) -> None:
        """Takes what follows what it has."""
        found = True
        while found:
            found = False
            for number in list(self.held):
                behind = distance(self.expected, number)
                if behind >= 0:
                    payload = self.held.pop(number)[behind:][: self._room()]
                    if payload:
                        self.received += payload
                        self.waiting += len(payload)
                        self.expected = (self.expected + len(payload)) % WRAP
                        found = True

    def _room(self) -> int:
        return self.habits.buffer - self.waiting

    # -- out ------------------------------------------------------------------------------------------------------

    def _segment(self, flags: int, start: int, payload: bytes = b"") -> bytes:
        self.due = False
        self.highest = max(self.highest, start + len(payload) + bool(flags & (Flag.SYN | Flag.FIN)))
        options = b"\x02\x04\x05\xb4" if flags & Flag.SYN else b"\x01" * 4 * self.draw.choice((0, 0, 0, 3, 10))
        data = build(
            Frame(
                destination_mac=LOCAL_MAC,
                source_mac=REMOTE_MAC,
                protocol=TCP_PROTOCOL,
                source=REMOTE_ADDRESS,
                destination=LOCAL_ADDRESS,
                source_port=REMOTE_PORT,
                destination_port=LOCAL_PORT,
                sequence_number=(self.initial + start) % WRAP,
                acknowledgment_number=self.expected or 0,
                flags=flags,
                window=self._room(),
                tcp_options=options,
                payload=payload,
            )
        )
        return data.ljust(60, b"\0")

    def speak(self, now: int) -> list[bytes]:
        """What it sends now."""
        if self.expected is None:
            return []
        draw, habits = self.draw, self.habits
        if self.waiting and draw.random() < habits.takes:
            before = self._room()
            self.waiting -= draw.randrange(self.waiting + 1)
            self.due |= before < 64 <= self._room()
        said = []
        if self.unacknowledged == 0:
            if self.due or now - self.sent_at > habits.time_out:
                said.append(self._segment(Flag.SYN | Flag.ACK, 0))
                self.next, self.sent_at = 1, now
            return said
        if self.next > self.unacknowledged:
            self.sent_at = self.sent_at or now
            if now - self.sent_at > habits.time_out:
                self.next, self.sent_at = self.unacknowledged, now
        end = 1 + len(self.stream)
        left = min(end, self.edge) - self.next
        if left > 0 and draw.random() > habits.idle:
            length = min(left, draw.randrange(1, habits.longest + 1))
            flags = Flag.ACK
            if self.closing and self.next + length == end and draw.random() < 0.5:
                flags |= Flag.FIN
            said.append(self._segment(flags, self.next, self.stream[self.next - 1 : self.next - 1 + length]))
            self.next += length + bool(flags & Flag.FIN)
        elif self.closing and self.next == end:
            said.append(self._segment(Flag.ACK | Flag.FIN, end))
            self.next += 1
        elif self.due or draw.random() < habits.chatter:
            said.append(self._segment(Flag.ACK, self.next))
        if draw.random() < habits.chatter:
            # Something old once more, cut elsewhere: a keep-alive if it is the last byte.
            start = max(1, self.next - draw.choice((1, draw.randrange(1, 500))))
            length = min(draw.randrange(100), self.next - start)
            said.append(self._segment(Flag.ACK, start, self.stream[start - 1 : start - 1 + length]))
        return said
