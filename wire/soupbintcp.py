"""SoupBinTCP 3.00 (2017-02-22): messages in sequence over TCP.

A packet on the wire is a 2-byte big-endian length, then that many bytes: the type character and the payload.
The records here begin at the type character, so a record's length is the value of the length field. TCP
splits and merges packets as it likes: :class:`Splitter` takes them out of a stream, :func:`next_packet` does
so in compiled code.

Session and numbers in the login packets are padded on the left by the specification, on the right by some
peers: written on the left, read with both sides trimmed.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from enum import IntEnum
from typing import Any

import numpy as np

from wire.compiled import compiled
from wire.errors import FieldError, LengthError, TypeCodeError
from wire.layout import Family, Record, field

LENGTH = Record("SoupBinTCP Length", field("length", 2, "int", "bytes that follow: type and payload"))

DEBUG = Record("Debug", field("type", 1, "alpha"), code="+")
LOGIN_ACCEPTED = Record(
    "Login Accepted",
    field("type", 1, "alpha"),
    field("session", 10, "alpha", "padded on the left"),
    field("sequence_number", 20, "alpha", "ASCII digits, padded on the left: of the next sequenced message"),
    code="A",
)
LOGIN_REJECTED = Record(
    "Login Rejected",
    field("type", 1, "alpha"),
    field("reason", 1, "alpha", "A not authorized, S session not available; the server closes"),
    code="J",
)
SEQUENCED_DATA = Record("Sequenced Data", field("type", 1, "alpha"), code="S")
SERVER_HEARTBEAT = Record("Server Heartbeat", field("type", 1, "alpha"), code="H")
END_OF_SESSION = Record("End of Session", field("type", 1, "alpha"), code="Z")
LOGIN_REQUEST = Record(
    "Login Request",
    field("type", 1, "alpha"),
    field("username", 6, "alpha", "padded on the right, case does not matter"),
    field("password", 10, "alpha", "padded on the right, case does not matter"),
    field("requested_session", 10, "alpha", "padded on the left; blank is the current one"),
    field("requested_sequence_number", 20, "alpha", "ASCII digits: 0 the most recent, 1 from the start"),
    code="L",
)
UNSEQUENCED_DATA = Record("Unsequenced Data", field("type", 1, "alpha"), code="U")
CLIENT_HEARTBEAT = Record("Client Heartbeat", field("type", 1, "alpha"), code="R")
LOGOUT_REQUEST = Record("Logout Request", field("type", 1, "alpha"), code="O")

SERVER = Family(
    "SoupBinTCP server",
    DEBUG,
    LOGIN_ACCEPTED,
    LOGIN_REJECTED,
    SEQUENCED_DATA,
    SERVER_HEARTBEAT,
    END_OF_SESSION,
)
CLIENT = Family("SoupBinTCP client", DEBUG, LOGIN_REQUEST, UNSEQUENCED_DATA, CLIENT_HEARTBEAT, LOGOUT_REQUEST)
EITHER = Family("SoupBinTCP", *SERVER.records, *(record for record in CLIENT.records if record is not DEBUG))

LENGTH_BYTES = LENGTH.length
HEADER_LENGTH = LENGTH_BYTES + 1
MAX_PAYLOAD = 0xFFFF - 1
WITH_PAYLOAD = frozenset("+SU")
"""Types whose packets carry a payload of any length; all others have the length of their record."""

read_length = LENGTH.reader("length")
write_length = LENGTH.writer("length")


@dataclass(frozen=True, slots=True)
class Packet:
    """One packet: type character and what follows it."""

    code: str
    payload: bytes

    @property
    def body(self) -> bytes:
        """Type and payload, as the records here lay them out."""
        return self.code.encode("latin-1") + self.payload


@dataclass(frozen=True, slots=True)
class LoginRequest:
    """Who wants which session from which message on: blank is the current one, 0 the most recent message."""

    username: str
    password: str
    session: str
    sequence_number: int


@dataclass(frozen=True, slots=True)
class LoginAccepted:
    """Which session it is and the number of the next sequenced message."""

    session: str
    sequence_number: int


def packet(code: str, payload: bytes = b"") -> bytes:
    """The bytes of a packet on the wire.

    Raises
    ------
    TypeCodeError
        SoupBinTCP has no such type.
    LengthError
        The payload does not have the type's length, or is over 65,534 bytes.
    """
    record = EITHER.of(code.encode("latin-1", "replace"))
    size = 1 + len(payload)
    _check_length(record, size, 0)
    if size > MAX_PAYLOAD + 1:
        raise LengthError(record.name, 0, expected=MAX_PAYLOAD + 1, found=size)
    return LENGTH.pack(length=size) + code.encode("latin-1") + payload


def sequenced(message: bytes) -> bytes:
    """A message from the server; its number is implied, one more than the last."""
    return packet("S", message)


def unsequenced(message: bytes) -> bytes:
    """A message from the client."""
    return packet("U", message)


def debug(text: str) -> bytes:
    """Text for humans; both sides ignore it."""
    return packet("+", text.encode("ascii", "replace"))


def server_heartbeat() -> bytes:
    """Sent by the server when it sent nothing for one second."""
    return packet("H")


def client_heartbeat() -> bytes:
    """Sent by the client when it sent nothing for one second."""
    return packet("R")


def end_of_session() -> bytes:
    """The server's last packet of a session."""
    return packet("Z")


def logout_request() -> bytes:
    """The client's wish that the server closes."""
    return packet("O")


def login_request(username: str, password: str, session: str = "", sequence_number: int = 0) -> bytes:
    """The client's first packet.

    Raises
    ------
    FieldError
        A value that does not fit its field.
    """
    body = LOGIN_REQUEST.pack(
        username=username,
        password=password,
        requested_session=_left_padded(LOGIN_REQUEST, "requested_session", session),
        requested_sequence_number=_left_padded(
            LOGIN_REQUEST, "requested_sequence_number", _digits(LOGIN_REQUEST, sequence_number)
        ),
    )
    return packet("L", body[1:])


def login_accepted(session: str, sequence_number: int) -> bytes:
    """The server's answer: the session and the number of the next sequenced message.

    Raises
    ------
    FieldError
        A value that does not fit its field.
    """
    body = LOGIN_ACCEPTED.pack(
        session=_left_padded(LOGIN_ACCEPTED, "session", session),
        sequence_number=_left_padded(
            LOGIN_ACCEPTED, "sequence_number", _digits(LOGIN_ACCEPTED, sequence_number)
        ),
    )
    return packet("A", body[1:])


def login_rejected(reason: str) -> bytes:
    """The server's refusal: A not authorized, S session not available."""
    return packet("J", LOGIN_REJECTED.pack(reason=reason)[1:])


def parse_login_request(packet_: Packet) -> LoginRequest:
    """What a Login Request says, padding trimmed.

    Raises
    ------
    TypeCodeError, LengthError, FieldError
        Another packet, another length, or a number that is not one.
    """
    fields = LOGIN_REQUEST.unpack(packet_.body)
    return LoginRequest(
        fields["username"].strip(),
        fields["password"].strip(),
        fields["requested_session"].strip(),
        _number(LOGIN_REQUEST, "requested_sequence_number", fields["requested_sequence_number"]),
    )


def parse_login_accepted(packet_: Packet) -> LoginAccepted:
    """What a Login Accepted says, padding trimmed.

    Raises
    ------
    TypeCodeError, LengthError, FieldError
        Another packet, another length, or a number that is not one.
    """
    fields = LOGIN_ACCEPTED.unpack(packet_.body)
    number = _number(LOGIN_ACCEPTED, "sequence_number", fields["sequence_number"])
    return LoginAccepted(fields["session"].strip(), number)


class Splitter:
    """Packets out of a TCP stream, however it is cut.

    Parameters
    ----------
    family : Family
        What the other side may send: ``SERVER``, ``CLIENT`` or ``EITHER``.

    After an error the stream has lost its framing for good: the connection is to be closed.
    """

    def __init__(self, family: Family = EITHER) -> None:
        self.family = family
        self.position = 0
        """Bytes of the stream taken out so far."""
        self._held = bytearray()

    @property
    def held(self) -> int:
        """Bytes of a packet that is not complete yet."""
        return len(self._held)

    def feed(self, data: bytes | bytearray | memoryview) -> Iterator[Packet]:
        """The packets that ``data`` completes.

        Raises
        ------
        LengthError
            A length that the type does not have, or 0. ``offset`` counts from the start of the stream.
        TypeCodeError
            A type that the family does not have.
        """
        self._held += data
        while (size := self._size()) and len(self._held) >= LENGTH_BYTES + size:
            found = Packet(
                chr(self._held[LENGTH_BYTES]), bytes(self._held[HEADER_LENGTH : LENGTH_BYTES + size])
            )
            del self._held[: LENGTH_BYTES + size]
            self.position += LENGTH_BYTES + size
            yield found

    def close(self) -> None:
        """The stream has ended.

        Raises
        ------
        LengthError
            Inside a packet.
        """
        if self._held:
            size = self._size() or 1
            raise LengthError(
                self.family.name, self.position, expected=LENGTH_BYTES + size, found=len(self._held)
            )

    def _size(self) -> int:
        """Value of the length field, 0 while it, or the type after it, is not there yet."""
        if len(self._held) < LENGTH_BYTES:
            return 0
        size = int.from_bytes(self._held[:LENGTH_BYTES], "big")
        if size == 0:
            raise LengthError(self.family.name, self.position, expected=1, found=0)
        if len(self._held) > LENGTH_BYTES:
            found = self._held[LENGTH_BYTES]
            record = self.family.by_code.get(found)
            if record is None:
                known = "".join(map(chr, self.family.by_code))
                raise TypeCodeError(
                    self.family.name, self.position + LENGTH_BYTES, expected=known, found=found
                )
            _check_length(record, size, self.position)
        return size


def packets(data: bytes | bytearray | memoryview, family: Family = EITHER) -> list[Packet]:
    """All packets of a whole stream; errors as :meth:`Splitter.feed` and :meth:`Splitter.close`."""
    splitter = Splitter(family)
    found = list(splitter.feed(data))
    splitter.close()
    return found


def _check_length(record: Record, size: int, offset: int) -> None:
    if record.code not in WITH_PAYLOAD and size != record.length:
        raise LengthError(record.name, offset, expected=record.length, found=size)


def _left_padded(record: Record, name: str, text: str) -> str:
    f = record[name]
    if len(text) > f.width:
        raise FieldError(record.name, name, f.offset, text, f"longer than {f.width} bytes")
    return text.rjust(f.width)


def _digits(record: Record, number: int) -> str:
    if number < 0:
        raise FieldError(record.name, record.fields[-1].name, record.fields[-1].offset, number, "negative")
    return str(number)


def _number(record: Record, name: str, text: str) -> int:
    trimmed = text.strip()
    if not (trimmed.isascii() and trimmed.isdigit()):
        raise FieldError(record.name, name, record[name].offset, text, "not a number in ASCII digits")
    return int(trimmed)


# -- compiled --------------------------------------------------------------------------------------


class StreamStatus(IntEnum):
    """What :func:`next_packet` says when there is no packet; a packet's total length is positive."""

    INCOMPLETE = 0
    EMPTY = -1
    UNKNOWN_TYPE = -2
    WRONG_LENGTH = -3


def _length_table(family: Family) -> np.ndarray[Any, np.dtype[np.int64]]:
    """Length field by type: exact, 0 for any (payload), -1 for a type that the family does not have."""
    table = np.full(256, -1, np.int64)
    for code, record in family.by_code.items():
        table[code] = 0 if record.code in WITH_PAYLOAD else record.length
    table.flags.writeable = False
    return table


SERVER_LENGTHS = _length_table(SERVER)
CLIENT_LENGTHS = _length_table(CLIENT)
EITHER_LENGTHS = _length_table(EITHER)


@compiled
def next_packet(buffer: Any, at: int, end: int, lengths: Any) -> int:
    """Total length of the packet that begins at ``at``, or a :class:`StreamStatus`, 0 or less.

    ``end`` is where the received bytes end. ``lengths`` says what may come: ``SERVER_LENGTHS``,
    ``CLIENT_LENGTHS`` or ``EITHER_LENGTHS``. The type stands at ``at + 2``, the payload from ``at + 3`` on.
    """
    if end - at < LENGTH_BYTES:
        return StreamStatus.INCOMPLETE.value
    size = read_length(buffer, at)
    if size == 0:
        return StreamStatus.EMPTY.value
    if end - at > LENGTH_BYTES:
        expected = lengths[buffer[at + LENGTH_BYTES]]
        if expected < 0:
            return StreamStatus.UNKNOWN_TYPE.value
        if expected > 0 and size != expected:
            return StreamStatus.WRONG_LENGTH.value
    if end - at < LENGTH_BYTES + size:
        return StreamStatus.INCOMPLETE.value
    return LENGTH_BYTES + size


@compiled
def write_header(buffer: Any, at: int, code: int, payload_length: int) -> int:
    """Writes length and type at ``at``; the payload goes to the position returned."""
    write_length(buffer, at, payload_length + 1)
    buffer[at + LENGTH_BYTES] = code
    return at + HEADER_LENGTH
