"""OUCH 5.0 order entry (April 2023): Enter, Replace, Cancel, Modify, Account Query and what is answered.

Of the options it knows Firm, MaxFloor (a reserve's display), PostOnly and ExpireTime; minimum quantities, pegs
and discretion are refused. UserRefNums rise: one that does not is a repetition, and ignored.
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
    MARKET_PRICE,
    ON_CLOSE,
    ON_OPEN,
    POST_ONLY,
    SELL,
    Reason,
    Reject,
)
from sim.exchange.ouch42 import CROSSES, NO_SYMBOL, REASONS, REFUSED, REJECTS, firm_key, liquidity
from wire import appendage, ouch50
from wire.errors import WireError

NUMBERS = {"C": 0x02, "D": 0x03, "H": 0x07, "N": 0x0D, "O": 0x0F, "Z": 0x13, "S": 0x17, "X": 0x1D, "R": 0x0F}
"""Appendix D's number for each of 4.2's letters."""
MARKET_FROM = 2_000_000_000
"""A price of $200,000 and more is a market order, as 0x7FFFFFFF is."""
NOT_DONE = ("minimum_quantity", "price_type", "peg_offset", "discretion_price", "discretion_price_type", "discretion_peg_offset")
DAY_SECONDS = 86_400


class Ouch50(OrderEntry):
    """One OUCH 5.0 port."""

    last = 0
    """The highest UserRefNum so far."""

    def receive(self, message: bytes) -> None:
        try:
            _, fields, options = appendage.unpack(ouch50.INBOUND, message)
        except WireError:
            self.malformed += 1
            return
        kind, number = fields["type"], fields.get("user_reference_number", 0)
        if kind == "Q":
            self._say(ouch50.ACCOUNT_QUERY_RESPONSE, next_user_reference_number=self.last + 1)
        elif kind == "X":
            self.cancel(number, fields["quantity"])
        elif kind == "M":
            self.cancel(number, fields["quantity"], {"side": fields["side"]})
        elif number <= self.last:
            self.account.counts["ignored"] += 1
        else:
            self.last = number
            fields["options"] = options
            if kind == "O":
                self.enter(number, self._terms(fields, options), fields)
                return
            old = fields["original_user_reference_number"]
            was = self.by_name.get(old)
            kept = was.fields if was is not None else {}
            names = ("side", "symbol", "capacity", "cross_type")
            fields |= {name: kept.get(name, "") for name in names}
            self.replace(old, number, self._terms(fields, options), fields)

    def _terms(self, fields: dict[str, Any], options: dict[str, Any]) -> Terms:
        shown = {"A": ALL_SHOWN, "Y": ALL_SHOWN, "N": 0}.get(fields["display"], REFUSED)
        floor = options.get("max_floor", 0)
        if floor and shown > 0 and floor < fields["quantity"]:
            shown = floor
        flags = ATTRIBUTED if fields["display"] == "A" else 0
        if options.get("post_only") == "P":
            flags |= POST_ONLY
        if fields["time_in_force"] == ouch50.IMMEDIATE_OR_CANCEL:
            flags |= IMMEDIATE
        flags |= CROSSES.get(fields["cross_type"], ON_OPEN | ON_CLOSE)
        refused = any(options.get(name) for name in NOT_DONE)
        seconds = 0
        if fields["time_in_force"] == ouch50.UNTIL_TIME:
            now = self.venue.time // 1_000_000_000
            seconds = options.get("expire_time", 0) - now
            refused = refused or seconds <= 0
        price = fields["price"]
        side = BUY if fields["side"] == "B" else SELL if fields["side"] in tuple("STE") else 2
        return Terms(
            self.venue.symbols.get(fields["symbol"], NO_SYMBOL),
            side,
            fields["quantity"],
            MARKET_PRICE if price >= MARKET_FROM else price,
            REFUSED if refused else shown,
            flags,
            firm_key(options.get("firm", "") or self.account.firm),
            max(seconds, 0),
        )

    def _say(self, record: Any, options: dict[str, Any] | None = None, **fields: Any) -> None:
        fields["timestamp"] = self.venue.time
        if appendage.has_appendage(record):
            self.say(appendage.pack(record, fields, options))
        else:
            self.say(record.pack(fields))

    def _book_fields(self, ticket: Ticket) -> dict[str, Any]:
        said = ticket.fields
        copied = (
            "side", "symbol", "price", "time_in_force", "display", "capacity", "intermarket_sweep_eligibility",
            "cross_type", "client_order_id",
        )  # fmt: skip
        return {name: said[name] for name in copied} | {
            "user_reference_number": ticket.name,
            "quantity": ticket.open,
            "order_reference": ticket.reference,
            "order_state": "L",
        }

    def accepted(self, ticket: Ticket) -> None:
        self._say(ouch50.ORDER_ACCEPTED, ticket.fields["options"], **self._book_fields(ticket))

    def replaced(self, ticket: Ticket) -> None:
        assert ticket.replaces is not None
        old = ticket.replaces.name
        fields = self._book_fields(ticket)
        self._say(ouch50.ORDER_REPLACED, ticket.fields["options"], original_user_reference_number=old, **fields)

    def canceled(self, ticket: Ticket, shares: int, reason: Reason) -> None:
        self._say(
            ouch50.ORDER_CANCELED, user_reference_number=ticket.name, quantity=shares, reason=REASONS[reason]
        )

    def executed(self, ticket: Ticket, fill: Fill) -> None:
        self._say(
            ouch50.ORDER_EXECUTED, user_reference_number=ticket.name, quantity=fill.shares, price=fill.price,
            liquidity_flag=liquidity(fill), match_number=fill.match,
        )  # fmt: skip

    def refused(self, name: Hashable, reason: Reject, fields: dict[str, Any]) -> None:
        self._say(
            ouch50.REJECTED, user_reference_number=name, reason=NUMBERS[REJECTS.get(reason, "O")],
            client_order_id=fields["client_order_id"],
        )  # fmt: skip

    def modified(self, ticket: Ticket) -> None:
        assert ticket.modifies is not None
        ticket.fields |= ticket.modifies
        self._say(
            ouch50.ORDER_MODIFIED, user_reference_number=ticket.name, side=ticket.fields["side"], quantity=ticket.open
        )

    def refreshed(self, ticket: Ticket, shown: int, displayed: int) -> None:
        self._say(
            ouch50.ORDER_RESTATED,
            {"display_quantity": displayed, "secondary_order_reference": shown},
            user_reference_number=ticket.name,
            reason="R",
        )

    def system_event(self, code: str) -> None:
        self._say(ouch50.SYSTEM_EVENT, event_code=code)
