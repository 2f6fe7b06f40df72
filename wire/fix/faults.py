"""Every way a FIX message can be malformed: what it is called, and what the reader of a stream does about it."""

from __future__ import annotations

from enum import IntEnum


class Fault(IntEnum):
    """What is wrong with a message; ``NONE`` for a good one.

    Up to ``CHECKSUM`` the frame itself is broken and the message is garbled: a session ignores it. The faults
    after it are of single fields, in a frame whose length and checksum are right.
    """

    NONE = 0
    LEADING = 1
    """Bytes between two messages that begin none."""
    BEGIN_STRING = 2
    """The first field has no end, or is too long to be a BeginString."""
    BODY_LENGTH_MISSING = 3
    """The second field is not BodyLength (9)."""
    BODY_LENGTH_FORMAT = 4
    """BodyLength is no number of 1 to 6 digits."""
    BODY_LENGTH_LIMIT = 5
    """BodyLength is over ``MAX_BODY``."""
    BODY_LENGTH_WRONG = 6
    """No CheckSum (10) stands where BodyLength says."""
    CHECKSUM_FORMAT = 7
    """CheckSum has not exactly three digits."""
    MESSAGE_TYPE_MISSING = 8
    """The third field is not MsgType (35), or is empty."""
    CHECKSUM = 9
    """CheckSum is not the sum of the bytes."""
    TAG_FORMAT = 10
    """A field does not begin with a number and an equals sign."""
    DATA_LENGTH = 11
    """A data field does not end where its length field says."""
    FIELD_LIMIT = 12
    """More fields than one message may have."""
    TEXT_LENGTH = 13
    """A text is longer than its column."""
    CHARACTER = 14
    """A field of one character has none, or more."""
    NUMBER_FORMAT = 15
    """No number, or more digits behind the point than 1e-4 can tell."""
    NUMBER_RANGE = 16
    """A number that 32 bits do not hold."""
    TIME_FORMAT = 17
    """No UTC timestamp."""
    REPEATED = 18
    """A field stands twice."""
    REQUIRED = 19
    """A field that the columns need is missing; ``where`` is its tag."""
