"""What an application is to a FIX session: four calls, and one exception to refuse a message with."""

from __future__ import annotations

from enum import IntEnum
from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from control.gateway.fix.session import Session
    from wire.fix.message import Message


class BusinessReason(IntEnum):
    """BusinessRejectReason (380)."""

    OTHER = 0
    UNKNOWN_ID = 1
    UNKNOWN_SECURITY = 2
    UNSUPPORTED_MESSAGE_TYPE = 3
    APPLICATION_NOT_AVAILABLE = 4
    REQUIRED_FIELD_MISSING = 5
    NOT_AUTHORIZED = 6
    DELIVER_TO_NOT_AVAILABLE = 7


BUSINESS_TEXTS = {
    BusinessReason.OTHER: "Other",
    BusinessReason.UNKNOWN_ID: "Unknown ID",
    BusinessReason.UNKNOWN_SECURITY: "Unknown Security",
    BusinessReason.UNSUPPORTED_MESSAGE_TYPE: "Unsupported Message Type",
    BusinessReason.APPLICATION_NOT_AVAILABLE: "Application not available",
    BusinessReason.REQUIRED_FIELD_MISSING: "Conditionally required field missing",
    BusinessReason.NOT_AUTHORIZED: "Not authorized",
    BusinessReason.DELIVER_TO_NOT_AVAILABLE: "DeliverTo firm not available at this time",
}


class Refused(Exception):
    """Raised by an application that does not take a message: the session answers with a BusinessMessageReject (j).

    ``text`` is the standard one of the reason unless it is given; ``reference`` is the message's business id.
    """

    def __init__(self, reason: BusinessReason, text: str = "", reference: str = "") -> None:
        super().__init__(text or BUSINESS_TEXTS[reason])
        self.reason, self.text, self.reference = reason, text or BUSINESS_TEXTS[reason], reference


class Application(Protocol):
    """What a session calls. None of it may block; each may call ``session.send``."""

    def on_logon(self, session: Session) -> None:
        """Both sides are logged on."""

    def on_message(self, session: Session, message: Message) -> None:
        """One valid application message, in order, once.

        The view is good during the call; ``message.copy()`` keeps it.

        Raises
        ------
        Refused
            The message is not taken.
        """

    def on_logout(self, session: Session, reason: str) -> None:
        """The session has ended, or the connection was lost. What is sent now goes out after the next logon."""

    def may_resend(self, session: Session, message: Message) -> bool:
        """Whether a message of ours may be sent again when the peer asks for it; if not, the gap is filled.

        An order that is too old to be sent again is for the application to know.
        """
        return True
