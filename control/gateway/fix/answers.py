"""What a session answers to a message that it does not take: Reject (3) and BusinessMessageReject (j)."""

from __future__ import annotations

from control.gateway.fix.application import Refused
from wire.fix.message import Message
from wire.fix.validate import TEXTS, RejectReason
from wire.fix.write import Value

Fields = list[tuple[int, Value]]
ROUTES = ((115, 128), (116, 129), (144, 145), (128, 115), (129, 116), (145, 144))
"""An answer goes back the way that the message came: OnBehalfOf becomes DeliverTo, and the other way round."""
LAST_REASON_42 = RejectReason.INVALID_TYPE
"""FIX 4.2 knows no SessionRejectReason beyond this one."""


def route_back(message: Message) -> Fields:
    """The header fields that send an answer back."""
    return [(to, value) for at, to in ROUTES if (value := message.get(at))]


def reject(message: Message, number: int, reason: RejectReason, tag: int | None, version: str) -> Fields:
    """The body of a Reject."""
    body: Fields = [(45, number), (58, TEXTS[reason])]
    if tag is not None:
        body.append((371, tag))
    body.append((372, message.type))
    if version != "FIX.4.2" or reason <= LAST_REASON_42:
        body.append((373, reason.value))
    return body


def refuse(message: Message, number: int, refused: Refused) -> Fields:
    """The body of a BusinessMessageReject."""
    body: Fields = [(45, number), (58, refused.text), (372, message.type)]
    if refused.reference:
        body.append((379, refused.reference))
    body.append((380, refused.reason.value))
    return body
