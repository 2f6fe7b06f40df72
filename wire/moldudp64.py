"""MoldUDP64 1.00: messages in sequence, many to a UDP packet.

A downstream packet is the header and ``message_count`` blocks of a 2-byte length and that many bytes. The
blocks fill the payload exactly, or the packet is malformed as a whole: none of its messages can be trusted.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from enum import IntEnum, StrEnum
from typing import Any

from wire.compiled import compiled
from wire.errors import FieldError, LengthError
from wire.layout import Record, field

DOWNSTREAM = Record(
    "MoldUDP64 Downstream",
    field("session", 10, "alpha"),
    field("sequence_number", 8, "int", "of the first message; heartbeat and end of session: of the next one"),
    field("message_count", 2, "int", "0 heartbeat, 0xFFFF end of session"),
)
REQUEST = Record(
    "MoldUDP64 Request",
    field("session", 10, "alpha"),
    field("sequence_number", 8, "int", "of the first message wanted"),
    field("message_count", 2, "int", "messages wanted; the server sends what fits one packet"),
)
BLOCK = Record(
    "MoldUDP64 Message Block", field("length", 2, "int", "bytes of message after these two; 0 is legal")
)

HEADER_LENGTH = DOWNSTREAM.length
BLOCK_LENGTH = BLOCK.length
SESSION_LENGTH = DOWNSTREAM["session"].width
HEARTBEAT = 0
END_OF_SESSION = 0xFFFF
MAX_MESSAGES = END_OF_SESSION - 1
LEAST_MESSAGE, MOST_MESSAGES = 8, 102
"""What a card takes. No ITCH message is shorter than 12 bytes, and only a packet of nothing but System Events has more."""

read_sequence_number = DOWNSTREAM.reader("sequence_number")
read_message_count = DOWNSTREAM.reader("message_count")
read_block_length = BLOCK.reader("length")
write_sequence_number = DOWNSTREAM.writer("sequence_number")
write_message_count = DOWNSTREAM.writer("message_count")
write_block_length = BLOCK.writer("length")


class Kind(StrEnum):
    """What a downstream packet is."""

    DATA = "data"
    HEARTBEAT = "heartbeat"
    END_OF_SESSION = "end of session"


class PacketStatus(IntEnum):
    """What compiled code finds in a downstream packet."""

    OK = 0
    SHORT_HEADER = 1
    BLOCK_OVERRUN = 2
    TRAILING_BYTES = 3


@dataclass(frozen=True, slots=True)
class Packet:
    """A downstream packet. ``sequence_number`` is that of ``messages[0]``; without any, of the next one."""

    session: str
    sequence_number: int
    messages: tuple[bytes, ...]
    kind: Kind

    @property
    def next_sequence_number(self) -> int:
        """Number of the message after this packet."""
        return self.sequence_number + len(self.messages)


def packet(session: str, sequence_number: int, messages: Sequence[bytes]) -> bytes:
    """The payload that carries ``messages``; without any it is a heartbeat.

    Raises
    ------
    FieldError
        More than 65,534 messages, a message of more than 65,535 bytes, or a session or number that does not
        fit.
    """
    if len(messages) > MAX_MESSAGES:
        raise FieldError(DOWNSTREAM.name, "message_count", 18, len(messages), f"more than {MAX_MESSAGES}")
    parts = [DOWNSTREAM.pack(session=session, sequence_number=sequence_number, message_count=len(messages))]
    for message in messages:
        parts += (BLOCK.pack(length=len(message)), message)
    return b"".join(parts)


def heartbeat(session: str, next_sequence_number: int) -> bytes:
    """The payload that says only which message is next, sent about once per second when nothing else is."""
    return packet(session, next_sequence_number, ())


def end_of_session(session: str, next_sequence_number: int) -> bytes:
    """The payload that ends a session."""
    return DOWNSTREAM.pack(
        session=session, sequence_number=next_sequence_number, message_count=END_OF_SESSION
    )


def request(session: str, sequence_number: int, message_count: int) -> bytes:
    """The payload that asks the re-request server for messages."""
    return REQUEST.pack(session=session, sequence_number=sequence_number, message_count=message_count)


def unpack(payload: bytes | bytearray | memoryview) -> Packet:
    """The downstream packet in a whole UDP payload.

    Raises
    ------
    LengthError
        Shorter than a header, a block that runs over the end, or bytes left over.
    FieldError
        A session that is not ASCII.
    """
    head = DOWNSTREAM.unpack(payload, exact=False)
    count, at, messages = head["message_count"], HEADER_LENGTH, []
    kind = {HEARTBEAT: Kind.HEARTBEAT, END_OF_SESSION: Kind.END_OF_SESSION}.get(count, Kind.DATA)
    for _ in range(count if kind is Kind.DATA else 0):
        size = BLOCK.unpack(payload, at, exact=False)["length"]
        begin = at + BLOCK_LENGTH
        if begin + size > len(payload):
            raise LengthError(BLOCK.name, at, expected=BLOCK_LENGTH + size, found=len(payload) - at)
        messages.append(bytes(payload[begin : begin + size]))
        at = begin + size
    if at != len(payload):
        raise LengthError(DOWNSTREAM.name, at, expected=0, found=len(payload) - at)
    return Packet(head["session"], head["sequence_number"], tuple(messages), kind)


@compiled
def message_blocks(buffer: Any, at: int, length: int, count: int) -> int:
    """``count`` if just that many blocks fill the ``length`` bytes from ``at``.

    Otherwise ``-1 - n``, where ``n`` blocks were whole before the one that runs over the end, or before bytes
    left over.
    """
    position, end = at, at + length
    for n in range(count):
        if position + BLOCK_LENGTH > end:
            return -1 - n
        position += BLOCK_LENGTH + read_block_length(buffer, position)
        if position > end:
            return -1 - n
    return count if position == end else -1 - count


@compiled
def check(buffer: Any, at: int, length: int) -> int:
    """A :class:`PacketStatus` for ``length`` bytes of payload at ``at``; only ``OK`` ones may be walked."""
    if length < HEADER_LENGTH:
        return PacketStatus.SHORT_HEADER.value
    count = read_message_count(buffer, at)
    if count == END_OF_SESSION:
        count = 0
    blocks = message_blocks(buffer, at + HEADER_LENGTH, length - HEADER_LENGTH, count)
    if blocks == count:
        return PacketStatus.OK.value
    return PacketStatus.TRAILING_BYTES.value if blocks == -1 - count else PacketStatus.BLOCK_OVERRUN.value


@compiled
def within_limits(buffer: Any, at: int) -> bool:
    """Whether a card takes a payload at ``at`` that :func:`check` accepts: LEAST_MESSAGE and MOST_MESSAGES."""
    count = read_message_count(buffer, at)
    if count == END_OF_SESSION:
        return True
    position = at + HEADER_LENGTH
    for _ in range(count):
        size = read_block_length(buffer, position)
        if size < LEAST_MESSAGE:
            return False
        position += BLOCK_LENGTH + size
    return count <= MOST_MESSAGES


@compiled
def split(buffer: Any, at: int, length: int, offsets: Any, lengths: Any) -> int:
    """Number of messages in a payload that :func:`check` accepts, -1 in another.

    ``offsets`` and ``lengths`` (integer vectors) take where each message begins in ``buffer`` and its length;
    messages beyond their size are counted, not written.
    """
    if check(buffer, at, length) != PacketStatus.OK.value:
        return -1
    count = read_message_count(buffer, at)
    if count == END_OF_SESSION:
        return 0
    position = at + HEADER_LENGTH
    for n in range(count):
        size = read_block_length(buffer, position)
        if n < len(offsets):
            offsets[n] = position + BLOCK_LENGTH
            lengths[n] = size
        position += BLOCK_LENGTH + size
    return count
