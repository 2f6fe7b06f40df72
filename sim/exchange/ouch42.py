"""OUCH 4.2 order entry (revision 2018-12-07): Enter, Replace, Cancel, Modify and what is answered.

Display A is attributed, Y displayed, N hidden, P post-only; the others (pegs, midpoint, retail) are refused as is a
minimum quantity. 4.2 has no reserve. Prices of 0x7FFFFFFF are market orders.
"""

from __future__ import annotations

from collections.abc import Hashable
from typing import Any

from sim.exchange.entry import Fill, OrderEntry, Terms, Ticket
from sim.exchange.matching.state import (
    ALL_SHOWN,
    ATTRIBUTED,
    BUY,
    IMMEDIATE,
    ON_CLOSE,
    ON_OPEN,
    POST_ONLY,
    SELL,
    Reason,
    Reject,
)
from wire import ouch42
from wire.errors import WireError
from wire.records import TIME_IN_FORCE_DAY

REJECTS = {
    Reject.SYMBOL: "S",
    Reject.SHARES: "Z",
    Reject.PRICE: "X",
    Reject.HALTED: "H",
    Reject.DISPLAY: "D",
    Reject.CROSS: "R",
}
"""All others are O, other."""
REASONS = {
    Reason.USER: "U",
    Reason.IMMEDIATE: "I",
    Reason.SELF_TRADE: "Q",
    Reason.BAND: "K",
    Reason.CROSS: "C",
    Reason.SYSTEM: "Z",
    Reason.TIME: "T",
    Reason.DISCONNECT: "S",
    Reason.HALTED: "H",
}
CROSSES = {"N": 0, "O": ON_OPEN, "C": ON_CLOSE}
LIQUIDITY = {"O": "O", "C": "C", "H": "K"}
NO_SYMBOL = -1
REFUSED = -1
"""A display size that is no size: the core refuses it as a wrong display."""


def firm_key(firm: str) -> int:
    """A firm's name as the integer that the core and the feed know it by; 0 for none."""
    return int.from_bytes(firm.ljust(4).encode("ascii"), "big") if firm.strip() else 0


def liquidity(fill: Fill) -> str:
    """A added, J added without being seen, R removed, O, C and K in the opening, closing and a halt's cross."""
    if fill.kind:
        return LIQUIDITY[fill.kind]
    return "R" if fill.is_taker else "J" if fill.was_hidden else "A"


class Ouch42(OrderEntry):
    """One OUCH 4.2 port."""

    def receive(self, message: bytes) -> None:
        try:
            fields = ouch42.INBOUND.unpack(message)
        except WireError:
            self.malformed += 1
            return
        kind = fields["type"]
        if kind == "O":
            self.enter(fields["order_token"], self._terms(fields), fields)
        elif kind == "U":
            was = self.by_name.get(fields["existing_order_token"])
            kept = was.fields if was is not None else {}
            known = {name: kept.get(name, "") for name in ("side", "stock", "firm", "capacity", "cross_type")}
            fields |= known
            self.replace(fields["existing_order_token"], fields["replacement_order_token"], self._terms(fields), fields)
        elif kind == "X":
            self.cancel(fields["order_token"], fields["shares"])
        elif kind == "M":
            self.cancel(fields["order_token"], fields["shares"], {"side": fields["side"]})
        else:
            self.account.counts["ignored"] += 1

    def _terms(self, fields: dict[str, Any]) -> Terms:
        shown = {"A": ALL_SHOWN, "Y": ALL_SHOWN, "P": ALL_SHOWN, "N": 0}.get(fields["display"], REFUSED)
        flags = {"A": ATTRIBUTED, "P": POST_ONLY}.get(fields["display"], 0)
        if fields["time_in_force"] == 0:
            flags |= IMMEDIATE
        flags |= CROSSES.get(fields["cross_type"], ON_OPEN | ON_CLOSE)
        seconds = fields["time_in_force"] if 0 < fields["time_in_force"] < TIME_IN_FORCE_DAY else 0
        symbol = self.venue.symbols.get(fields.get("stock", ""), NO_SYMBOL)
        firm = firm_key(fields["firm"] or self.account.firm)
        side = BUY if fields["side"] == "B" else SELL if fields["side"] in tuple("STE") else 2
        if fields["minimum_quantity"]:
            shown = REFUSED
        return Terms(symbol, side, fields["shares"], fields["price"], shown, flags, firm, seconds)

    def _say(self, record: Any, ticket: Ticket | None, **fields: Any) -> None:
        name = {} if ticket is None else {"order_token": ticket.name}
        self.say(record.pack({"timestamp": self.venue.time} | name | fields))

    def _book_fields(self, ticket: Ticket) -> dict[str, Any]:
        said = ticket.fields
        copied = ("side", "stock", "price", "time_in_force", "display", "capacity", "minimum_quantity", "cross_type")
        return {name: said[name] for name in copied} | {
            "shares": ticket.open,
            "firm": said["firm"] or self.account.firm,
            "order_reference": ticket.reference,
            "intermarket_sweep": said["intermarket_sweep_eligibility"],
            "order_state": "L",
        }

    def accepted(self, ticket: Ticket) -> None:
        self._say(ouch42.ACCEPTED, ticket, **self._book_fields(ticket))

    def replaced(self, ticket: Ticket) -> None:
        assert ticket.replaces is not None
        names = {"replacement_order_token": ticket.name, "previous_order_token": ticket.replaces.name}
        self._say(ouch42.REPLACED, None, **names, **self._book_fields(ticket))

    def canceled(self, ticket: Ticket, shares: int, reason: Reason) -> None:
        self._say(ouch42.CANCELED, ticket, decrement_shares=shares, reason=REASONS[reason])

    def executed(self, ticket: Ticket, fill: Fill) -> None:
        self._say(
            ouch42.EXECUTED, ticket, executed_shares=fill.shares, execution_price=fill.price,
            liquidity_flag=liquidity(fill), match_number=fill.match,
        )  # fmt: skip

    def refused(self, name: Hashable, reason: Reject, fields: dict[str, Any]) -> None:
        self._say(ouch42.REJECTED, None, order_token=name, reason=REJECTS.get(reason, "O"))

    def modified(self, ticket: Ticket) -> None:
        assert ticket.modifies is not None
        ticket.fields |= ticket.modifies
        self._say(ouch42.ORDER_MODIFIED, ticket, side=ticket.fields["side"], shares=ticket.open)

    def system_event(self, code: str) -> None:
        self._say(ouch42.SYSTEM_EVENT, None, event_code=code)
