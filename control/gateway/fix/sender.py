"""The sending half of a session: headers, numbers, the store, and sending again what the peer missed."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from control.gateway.fix.store import Store
from wire.errors import FieldError
from wire.fix.dictionary import Dictionary
from wire.fix.message import Message
from wire.fix.numbers import timestamp
from wire.fix.validate import zones
from wire.fix.write import Value, message

SESSION_TYPES = frozenset((b"0", b"1", b"2", b"3", b"4", b"5", b"A"))
"""Messages of the session layer: they are never sent again, a gap fill stands for them."""
MESSAGE_TYPE, NUMBER, SENDER, TARGET, SENDING_TIME, POSSIBLE_DUPLICATE, ORIGINAL_TIME = 35, 34, 49, 56, 52, 43, 122
GAP_FILL, NEW_NUMBER = 123, 36
FRAME_TAGS = frozenset((8, 9, 10))
OURS = FRAME_TAGS | {MESSAGE_TYPE, NUMBER, SENDER, TARGET, SENDING_TIME, POSSIBLE_DUPLICATE, ORIGINAL_TIME}
"""What the sender fills in."""

Fields = Iterable[tuple[int, Value]]


class Sender:
    """Numbers, records and frames messages, and collects their bytes in ``output``.

    What is in ``output`` is in the store already: it may go out at any time, or be lost with the connection, and be
    asked for again.
    """

    def __init__(self, dictionary: Dictionary, sender: str, target: str, store: Store) -> None:
        self.dictionary, self.store = dictionary, store
        self._sides = ((SENDER, sender), (TARGET, target))
        self.output = bytearray()
        self.last_sent = 0
        """When, in nanoseconds since the epoch."""
        self.connected = False
        """Whether session messages may go out."""
        self._open = False
        self._held: list[bytes] = []

    def connect(self, speaking: bool) -> None:
        """A connection was made; ``speaking`` if we are the one to begin."""
        self.disconnect()
        self.connected = speaking

    def open(self, now: int) -> None:
        """Both sides are logged on: what the application sent since the connection was made goes out."""
        self._open = True
        for octets in self._held:
            self._put(octets, now)
        self._held.clear()

    def disconnect(self) -> None:
        """Nothing goes out until the next connection."""
        self.output.clear()
        self._held.clear()
        self.connected = self._open = False

    def send(self, message_type: bytes, body: Fields, now: int, header: Fields = ()) -> int:
        """Sends a message, or only records it while there is no connection; its number.

        ``body`` goes out in the order given.

        Raises
        ------
        FieldError
            A value that cannot stand in a message, or a field that is the session's to fill in.
        """
        number, body = self.store.next_sent, list(body)
        for tag, value in body:
            if tag in self.dictionary.header_tags or tag in self.dictionary.trailer_tags:
                raise FieldError("FIX", str(tag), None, value, "no field of a body")
        octets = self.compose(message_type, body, number, now, header)
        ours = message_type in SESSION_TYPES
        self.store.sent(number, None if ours else octets)
        if ours or self._open:
            self._put(octets, now)
        elif self.connected:
            self._held.append(octets)
        return number

    def compose(
        self, message_type: bytes, body: Fields, number: int, now: int, header: Fields = (), original: bytes | None = None
    ) -> bytes:
        """The bytes of a message; ``original`` is the first SendingTime of one that is sent again."""
        extra = [(tag, value) for tag, value in header]
        for tag, value in extra:
            if tag in OURS or tag not in self.dictionary.header_tags:
                raise FieldError("FIX", str(tag), None, value, "no field of the header that an application may set")
        fields: list[tuple[int, Value]] = [(NUMBER, number), (SENDING_TIME, timestamp(now)), *self._sides, *extra]
        if original is not None:
            fields += [(POSSIBLE_DUPLICATE, b"Y"), (ORIGINAL_TIME, original)]
        fields.sort(key=lambda each: each[0])
        return message(self.dictionary.begin_string, [(MESSAGE_TYPE, message_type), *fields, *body])

    def _put(self, octets: bytes, now: int) -> None:
        if self.connected:
            self.output += octets
            self.last_sent = now

    def resend(self, first: int, last: int, now: int, wanted: Iterator[tuple[int, Message]]) -> int:
        """Sends again what ``wanted`` has of ``first`` to ``last``, and gap fills for the rest; how many messages."""
        count, next_number = 0, first
        for number, stored in wanted:
            if number > next_number:
                self._fill_gap(next_number, number, now)
            self._put(self._again(stored, number, now), now)
            next_number = number + 1
            count += 1
        if next_number <= last:
            self._fill_gap(next_number, last + 1, now)
        return count

    def _fill_gap(self, first: int, following: int, now: int) -> None:
        body: Fields = ((NEW_NUMBER, following), (GAP_FILL, b"Y"))
        self._put(self.compose(b"4", body, first, now, original=timestamp(now)), now)

    def _again(self, stored: Message, number: int, now: int) -> bytes:
        """A stored message with PossDupFlag, a new SendingTime, and its first one as OrigSendingTime."""
        head, tail = zones(stored, self.dictionary)
        fields = [(tag, bytes(value)) for tag, value in stored]
        header = [(tag, value) for tag, value in fields[:head] if tag not in OURS]
        return self.compose(stored.type, fields[head:tail], number, now, header, bytes(stored[SENDING_TIME]))
