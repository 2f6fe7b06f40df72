"""A message held against its dictionary: the first thing that is wrong, as FIX's session level names it."""

from __future__ import annotations

import re
from collections.abc import Callable
from enum import IntEnum

from wire.fix.dictionary import Dictionary, FieldDefinition, Members
from wire.fix.message import Message


class RejectReason(IntEnum):
    """SessionRejectReason (373)."""

    INVALID_TAG = 0
    REQUIRED_TAG_MISSING = 1
    TAG_NOT_DEFINED_FOR_TYPE = 2
    UNDEFINED_TAG = 3
    NO_VALUE = 4
    VALUE_INCORRECT = 5
    FORMAT_INCORRECT = 6
    DECRYPTION = 7
    SIGNATURE = 8
    COMP_ID = 9
    SENDING_TIME = 10
    INVALID_TYPE = 11
    REPEATED_TAG = 13
    OUT_OF_ORDER = 14
    GROUP_OUT_OF_ORDER = 15
    GROUP_COUNT = 16
    DELIMITER_IN_VALUE = 17


TEXTS = {
    RejectReason.INVALID_TAG: "Invalid tag number",
    RejectReason.REQUIRED_TAG_MISSING: "Required tag missing",
    RejectReason.TAG_NOT_DEFINED_FOR_TYPE: "Tag not defined for this message type",
    RejectReason.UNDEFINED_TAG: "Undefined Tag",
    RejectReason.NO_VALUE: "Tag specified without a value",
    RejectReason.VALUE_INCORRECT: "Value is incorrect (out of range) for this tag",
    RejectReason.FORMAT_INCORRECT: "Incorrect data format for value",
    RejectReason.DECRYPTION: "Decryption problem",
    RejectReason.SIGNATURE: "Signature problem",
    RejectReason.COMP_ID: "CompID problem",
    RejectReason.SENDING_TIME: "SendingTime accuracy problem",
    RejectReason.INVALID_TYPE: "Invalid MsgType",
    RejectReason.REPEATED_TAG: "Tag appears more than once",
    RejectReason.OUT_OF_ORDER: "Tag specified out of required order",
    RejectReason.GROUP_OUT_OF_ORDER: "Repeating group fields out of order",
    RejectReason.GROUP_COUNT: "Incorrect NumInGroup count for repeating group",
    RejectReason.DELIMITER_IN_VALUE: "Non-data value includes field delimiter",
}
"""Text (58) of a Reject, as the acceptance definitions have it."""

USER_DEFINED = 5_000
"""Tags from here on are for two parties to agree on."""


class Violation(Exception):
    """What a message does that its dictionary does not allow: why, and at which tag, if at one."""

    def __init__(self, reason: RejectReason, tag: int | None = None) -> None:
        super().__init__(TEXTS[reason] if tag is None else f"{TEXTS[reason]}: {tag}")
        self.reason, self.tag = reason, tag


class UnsupportedType(Exception):
    """A MsgType that the version has and we do not speak."""


_INTEGER = re.compile(rb"-?\d{1,18}")
_DECIMAL = re.compile(rb"-?(?:\d+\.?\d*|\.\d+)")
_DATE = re.compile(rb"[12]\d{3}(?:0[1-9]|1[0-2])(?:0[1-9]|[12]\d|3[01])")
_CLOCK = rb"(?:[01]\d|2[0-3]):[0-5]\d"
_SECOND = rb":(?:[0-5]\d|60)"
_FRACTION = rb"(?:\.(?:\d{3}|\d{6}|\d{9}))?"
_ZONE = rb"(?:Z|[+-]\d\d(?::[0-5]\d)?)?"
_TIME = re.compile(_CLOCK + _SECOND + _FRACTION)
_TIMESTAMP = re.compile(_DATE.pattern + rb"-" + _CLOCK + _SECOND + _FRACTION)
_MONTH = re.compile(rb"[12]\d{3}(?:0[1-9]|1[0-2])(?:0[1-9]|[12]\d|3[01]|w[1-5])?")
_ANY = re.compile(rb"(?s:.+)")

FORMATS: dict[str, re.Pattern[bytes]] = {
    **dict.fromkeys(("INT", "NUMINGROUP", "SEQNUM", "LENGTH", "TAGNUM"), _INTEGER),
    **dict.fromkeys(("FLOAT", "QTY", "PRICE", "PRICEOFFSET", "AMT", "PERCENTAGE"), _DECIMAL),
    "CHAR": re.compile(rb"[^\x01]"),
    "BOOLEAN": re.compile(rb"[YN]"),
    "UTCTIMESTAMP": _TIMESTAMP,
    "UTCTIMEONLY": _TIME,
    **dict.fromkeys(("UTCDATE", "UTCDATEONLY", "LOCALMKTDATE"), _DATE),
    "LOCALMKTTIME": re.compile(_CLOCK + _SECOND),
    "MONTHYEAR": _MONTH,
    "DAYOFMONTH": re.compile(rb"0?[1-9]|[12]\d|3[01]"),
    "CURRENCY": re.compile(rb"[A-Za-z0-9]{3}"),
    "COUNTRY": re.compile(rb"[A-Za-z]{2}"),
    "MULTIPLECHARVALUE": re.compile(rb"[^\x01 ](?: [^\x01 ])*"),
    "TZTIMEONLY": re.compile(_CLOCK + rb"(?:" + _SECOND + rb")?" + _FRACTION + _ZONE),
    "TZTIMESTAMP": re.compile(_DATE.pattern + rb"-" + _CLOCK + _SECOND + _FRACTION + _ZONE),
}
"""How the values of a type look; a type without an entry holds any text."""

SEVERAL = frozenset(("MULTIPLEVALUESTRING", "MULTIPLECHARVALUE", "MULTIPLESTRINGVALUE"))


def validate(message: Message, dictionary: Dictionary, *, user_defined: bool = False) -> None:
    """Raises what is wrong first: order, type, required fields, then field by field.

    ``user_defined`` lets tags from 5,000 on pass anywhere in the body.

    Raises
    ------
    Violation
        With reason and tag.
    UnsupportedType
        A MsgType that the version has and we do not.
    """
    rows, data = message.rows, message.data
    head, tail = zones(message, dictionary)
    message_type = message.type
    body = dictionary.messages.get(message_type)
    if body is None:
        if message_type in dictionary.types:
            raise UnsupportedType(message_type.decode("latin-1"))
        raise Violation(RejectReason.INVALID_TYPE)
    places = message.places
    for members in (dictionary.header, body, dictionary.trailer):
        for tag in members.required:
            if tag not in places:
                raise Violation(RejectReason.REQUIRED_TAG_MISSING, tag)
    check = _checker(dictionary, data, user_defined)
    for members, first, last in ((dictionary.header, 0, head), (body, head, tail), (dictionary.trailer, tail, len(rows))):
        at, seen = first, set[int]()
        while at < last:
            tag = rows[at][0]
            check(rows[at])
            if tag in seen:
                raise Violation(RejectReason.REPEATED_TAG, tag)
            seen.add(tag)
            if tag not in members.tags:
                if not (user_defined and tag >= USER_DEFINED):
                    raise Violation(RejectReason.TAG_NOT_DEFINED_FOR_TYPE, tag)
                at += 1
                continue
            group = members.tags[tag]
            at = at + 1 if group is None else _group(rows, at, last, group, data, check)


def zones(message: Message, dictionary: Dictionary) -> tuple[int, int]:
    """Where the body and the trailer begin, as places in the message's rows.

    Raises
    ------
    Violation
        A field of the header behind the first one of the body, or one behind the trailer.
    """
    rows, header, trailer = message.rows, dictionary.header_tags, dictionary.trailer_tags
    head, last = 0, len(rows)
    while head < last and rows[head][0] in header:
        head += 1
    tail = head
    while tail < last and rows[tail][0] not in trailer:
        if rows[tail][0] in header:
            raise Violation(RejectReason.OUT_OF_ORDER, rows[tail][0])
        tail += 1
    for row in rows[tail:]:
        if row[0] not in trailer:
            raise Violation(RejectReason.OUT_OF_ORDER, row[0])
    return head, tail


Check = Callable[[list[int]], None]


def _checker(dictionary: Dictionary, data: memoryview, user_defined: bool) -> Check:
    """Checks one field: that it is known, has a value, and one of its type and list."""
    known = dictionary.fields

    def check(row: list[int]) -> None:
        tag, offset, length = row
        definition = known.get(tag)
        if length == 0:
            raise Violation(RejectReason.NO_VALUE if definition or tag > 0 else RejectReason.INVALID_TAG, tag)
        if definition is None:
            if not (user_defined and tag >= USER_DEFINED):
                raise Violation(RejectReason.INVALID_TAG, tag)
            return
        _check_value(definition, data[offset : offset + length])

    return check


def _check_value(definition: FieldDefinition, value: memoryview) -> None:
    pattern = FORMATS.get(definition.type)
    if pattern is not None and not pattern.fullmatch(value):
        raise Violation(RejectReason.FORMAT_INCORRECT, definition.tag)
    if definition.values:
        octets = bytes(value)
        pieces = octets.split(b" ") if definition.type in SEVERAL else (octets,)
        if any(piece not in definition.values for piece in pieces):
            raise Violation(RejectReason.VALUE_INCORRECT, definition.tag)


def _group(rows: list[list[int]], at: int, last: int, group: Members, data: memoryview, check: Check) -> int:
    """Checks the repeating group whose count stands at ``at``; the place of the first field after it."""
    count_tag, offset, length = rows[at]
    announced = int(bytes(data[offset : offset + length]))
    found, at, seen = 0, at + 1, set[int]()
    while at < last and rows[at][0] in group.tags:
        tag = rows[at][0]
        check(rows[at])
        if tag == group.first:
            found += 1
            _check_entry(group, seen, found > 1)
            seen = set()
        elif not found:
            raise Violation(RejectReason.GROUP_OUT_OF_ORDER if announced else RejectReason.GROUP_COUNT, count_tag)
        elif tag in seen:
            raise Violation(RejectReason.REPEATED_TAG, tag)
        seen.add(tag)
        inner = group.tags[tag]
        at = at + 1 if inner is None else _group(rows, at, last, inner, data, check)
    _check_entry(group, seen, found > 0)
    if found != announced:
        raise Violation(RejectReason.GROUP_COUNT, count_tag)
    return at


def _check_entry(group: Members, seen: set[int], is_entry: bool) -> None:
    if is_entry:
        for tag in group.required:
            if tag not in seen:
                raise Violation(RejectReason.REQUIRED_TAG_MISSING, tag)
