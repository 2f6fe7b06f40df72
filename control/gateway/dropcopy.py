"""The drop copy out by FIX: every execution and every bust, of all clients and of the device's own orders."""

from __future__ import annotations

from control.gateway.execution import FIX_42, Told, told
from control.gateway.fix.application import BusinessReason, Refused
from control.gateway.fix.session import Session
from control.gateway.reports import Reporting
from control.oms import What
from control.oms.flow import Heard
from wire.fix.message import Message

ACCOUNT, COPY = 1, 797


class DropCopy(Reporting):
    """A session that hears of every execution as its client does. Account (1) says whose order it is."""

    def message_of(self, heard: Heard) -> Told | None:
        """See `Reporting`."""
        if heard.report.what not in (What.EXECUTED, What.BUSTED):
            return None
        message = told(heard.order, heard.report, heard.timestamp, self.version)
        if message is None:
            return None
        marks = [(ACCOUNT, heard.order.ordered.client), *([] if self.version == FIX_42 else [(COPY, "Y")])]
        return message._replace(fields=[*message.fields, *marks])

    def on_message(self, session: Session, message: Message) -> None:
        """See `Application`: a drop copy takes none."""
        raise Refused(BusinessReason.UNSUPPORTED_MESSAGE_TYPE, "a drop copy takes no orders", message.text(11))
