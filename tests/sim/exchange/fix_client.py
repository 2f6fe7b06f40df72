"""A FIX client of a venue without a session: messages that its dictionary allows, and reports that it does."""

from __future__ import annotations

from typing import Any

from sim.exchange.fix import Fields, Fix
from sim.exchange.fix_terms import DIALECTS
from sim.exchange.venue import Venue
from wire.fix.dictionary import dictionary
from wire.fix.message import Message
from wire.fix.validate import validate
from wire.fix.write import Value, message

NOON = "20261127-12:00:00"


class FixClient:
    """One port and who speaks there. Prices are text, as FIX has them."""

    def __init__(self, venue: Venue, name: str, firm: str = "FRMC", prevention: int = 0) -> None:
        self.entry = Fix(venue, venue.account(name.upper(), firm, prevention), DIALECTS[name])
        self.dictionary = dictionary(self.entry.dialect.version)
        self.entry.plug(self._take)
        self.name, self.sent, self.said = name, 0, list[Message]()

    def _framed(self, kind: str, body: Fields) -> Message:
        head: list[tuple[int, Value]] = [(35, kind), (34, max(self.sent, 1)), (49, "A"), (52, NOON), (56, "B")]
        found = Message.parse(message(self.dictionary.begin_string, [*head, *body]))
        validate(found, self.dictionary)
        return found

    def _take(self, kind: str, body: Fields) -> None:
        self.said.append(self._framed(kind, body))

    def send(self, kind: str, fields: dict[int, Any]) -> None:
        """A message with these fields, those whose value is None left out."""
        self.sent += 1
        body: Fields = [(tag, str(value)) for tag, value in fields.items() if value is not None]
        extra = [pair for pair in body if pair[0] == 97]
        found = self._framed(kind, [*extra, *(pair for pair in body if pair[0] != 97)])
        self.entry.receive(bytes(found))

    def new(self, name: str, side: str = "1", shares: Any = 100, price: str | None = "100", **more: Any) -> None:
        """A NewOrderSingle; ``t59="3"`` is a field by its tag."""
        fields = {11: name, 21: "1", 55: "AAA", 54: side, 60: NOON, 38: shares, 40: "2" if price else "1", 44: price}
        self.send("D", fields | tags(more))

    def replace(self, old: str, name: str, shares: Any = 100, price: str | None = "100", **more: Any) -> None:
        fields = {41: old, 11: name, 21: "1", 55: "AAA", 54: "1", 60: NOON, 38: shares, 40: "2", 44: price}
        self.send("G", fields | tags(more))

    def cancel(self, old: str, name: str, **more: Any) -> None:
        self.send("F", {41: old, 11: name, 55: "AAA", 54: "1", 60: NOON, 38: 100} | tags(more))

    def status(self, name: str, **more: Any) -> None:
        self.send("H", {11: name, 55: "AAA", 54: "1"} | tags(more))

    def told(self) -> list[Message]:
        """What was said since the last call."""
        found, self.said = self.said, []
        return found

    def brief(self, *wanted: int) -> list[tuple[str, ...]]:
        """Of what was said since the last call, the type and the values of some tags."""
        return [(each.type.decode(), *(each.text(tag) for tag in wanted)) for each in self.told()]


def tags(more: dict[str, Any]) -> dict[int, Any]:
    return {int(name[1:]): value for name, value in more.items()}
