"""The application that the acceptance definitions talk to: it sends orders and securities back."""

from control.gateway.fix.application import BusinessReason, Refused
from control.gateway.fix.session import Session
from wire.fix.dictionary import Members
from wire.fix.message import Message
from wire.fix.validate import zones

ECHOED = (b"D", b"d")
POSSIBLE_RESEND, ORDER_ID = 97, 11


def in_order_of_tags(rows: list[tuple[int, bytes]], members: Members) -> list[tuple[int, bytes]]:
    """Fields sorted by tag, each repeating group behind its count as it came."""
    pieces: list[list[tuple[int, bytes]]] = []
    inside: frozenset[int] = frozenset()
    for row in rows:
        if row[0] in inside:
            pieces[-1].append(row)
            continue
        group = members.tags.get(row[0])
        inside = frozenset(group.every_tag()) if group is not None else frozenset()
        pieces.append([row])
    return [row for piece in sorted(pieces, key=lambda piece: piece[0][0]) for row in piece]


class Echo:
    """Sends NewOrderSingle (D) and SecurityDefinition (d) back with their fields sorted; refuses every other type.

    What may have been sent before (PossResend) and has an id that was seen is dropped.
    """

    def __init__(self) -> None:
        self.seen: set[bytes] = set()
        self.events: list[str] = []

    def on_logon(self, session: Session) -> None:
        self.seen.clear()
        self.events.append("logon")

    def on_logout(self, session: Session, reason: str) -> None:
        self.events.append(f"logout: {reason}")

    def may_resend(self, session: Session, message: Message) -> bool:
        return True

    def on_message(self, session: Session, message: Message) -> None:
        if message.type not in ECHOED:
            raise Refused(BusinessReason.UNSUPPORTED_MESSAGE_TYPE)
        resent = message.flag(POSSIBLE_RESEND)
        order_id = message.get(ORDER_ID)
        if order_id is not None:
            if resent and order_id in self.seen:
                return
            self.seen.add(order_id)
        head, tail = zones(message, session.dictionary)
        fields = [(tag, bytes(value)) for tag, value in message][head:tail]
        body = in_order_of_tags(fields, session.dictionary.messages[message.type])
        session.send(message.type, body, header=[(POSSIBLE_RESEND, b"Y")] if resent else [])
