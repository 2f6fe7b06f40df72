"""FIX order entry: 4.2, 4.4 and 5.0 SP2, as the exchange understands them; the session layer is somebody else's.

NewOrderSingle (D), OrderCancelRequest (F), OrderCancelReplaceRequest (G) and OrderStatusRequest (H) come in;
ExecutionReport (8), OrderCancelReject (9) and BusinessMessageReject (j) go out, through whatever :meth:`Fix.plug` was
given. What comes in is valid by the dictionary of its version: a session layer has seen to that.

What an order may be stands in :mod:`~sim.exchange.fix_terms`.

OrderID (37) stays with an order through its replacements; SecondaryOrderID (198) is the reference that it has now, as on
ITCH if it is displayed and no reserve. ExecIDs do not repeat within a day. AvgPx is rounded to 1e-4.
"""

from __future__ import annotations

from collections.abc import Callable, Hashable
from typing import Any

from sim.exchange.entry import Fill, OrderEntry, Terms, Ticket
from sim.exchange.fix_terms import (
    BROKER_OPTION,
    DUPLICATE,
    LAST_REASON_42,
    REFUSALS,
    UNKNOWN_ORDER,
    Dialect,
    MissingField,
    RefusedOrder,
    terms_of,
)
from sim.exchange.matching.state import MARKET_PRICE, Reason, Reject
from sim.exchange.ouch42 import firm_key
from sim.exchange.venue import Account, Venue
from wire.errors import FieldError
from wire.fix.message import Message
from wire.fix.numbers import price_text, timestamp
from wire.fix.write import Value

Fields = list[tuple[int, Value]]
Outlet = Callable[[str, Fields], object]
"""Takes a message's type and its body."""

NEW, PARTLY_FILLED, FILLED, CANCELED, REPLACED, REJECTED, EXPIRED = "0", "1", "2", "4", "5", "8", "C"
"""OrdStatus, and the ExecType of the same name."""
TOO_LATE, NO_SUCH_ORDER, EXCHANGE_OPTION, DUPLICATE_REQUEST = 0, 1, 2, 6
"""CxlRejReason (102); 4.2 ends with 3."""
UNSUPPORTED_TYPE, FIELD_MISSING = 3, 5
"""BusinessRejectReason (380)."""
TO_CANCEL, TO_REPLACE = 1, 2
"""CxlRejResponseTo (434)."""

class Fix(OrderEntry):
    """One FIX port.

    Parameters
    ----------
    venue : Venue
    account : Account
    dialect : Dialect
    """

    def __init__(self, venue: Venue, account: Account, dialect: Dialect) -> None:
        super().__init__(venue, account)
        self.dialect = dialect
        self._outlet: Outlet | None = None
        self._midnight, self._run, self._reports = 0, "", 0
        self._names: set[str] = set()
        self._by_id: dict[str, Ticket] = {}
        self._request = ""
        """ClOrdID of the request that is being worked on."""

    def plug(self, outlet: Outlet, midnight: int = 0, run: str = "") -> None:
        """Lets what is said go out: without an outlet nobody hears it.

        ``midnight`` is what the venue's times count from, ns since the epoch; ``run`` begins every ExecID, so that they
        differ from those of an exchange that ran before.
        """
        self._outlet, self._midnight, self._run = outlet, midnight, run

    # -- what comes in ---------------------------------------------------------------------------------

    def receive(self, message: bytes) -> None:
        try:
            parsed = Message.parse(message)
        except FieldError:
            self.malformed += 1
            return
        self.take(parsed)

    def take(self, message: Message) -> None:
        """One message of the client, valid by its dictionary."""
        handler = _HANDLERS.get(message.type)
        try:
            if handler is not None:
                handler(self, message)
            elif message.type != b"j":
                self._refuse_message(message, UNSUPPORTED_TYPE, "Unsupported Message Type")
        except MissingField as missing:
            self._refuse_message(message, FIELD_MISSING, f"Conditionally required field missing: {missing}")

    def _new(self, message: Message) -> None:
        name = message.text(11)
        if name in self._names:
            known = self.by_name.get(name)
            if message.flag(97) and known is not None:
                self._tell_status(known, name)
            else:
                self._refuse_order(message, DUPLICATE, f"ClOrdID {name} was used before")
            return
        try:
            terms, fields = self._terms(message)
        except RefusedOrder as refused:
            self._names.add(name)
            self._refuse_order(message, refused.reason, refused.text)
            return
        self._names.add(name)
        self.enter(name, terms, fields)

    def _cancel(self, message: Message) -> None:
        name = message.text(11)
        ticket = self._target(message, name, TO_CANCEL)
        if ticket is not None:
            self._names.add(name)
            self._request = name
            self.cancel(ticket.name, 0)
            self._request = ""

    def _replace(self, message: Message) -> None:
        name = message.text(11)
        was = self._target(message, name, TO_REPLACE)
        if was is None:
            return
        try:
            terms, fields = self._terms(message)
        except RefusedOrder as refused:
            self._refuse_request(message, TO_REPLACE, EXCHANGE_OPTION, refused.text, was)
            return
        self._names.add(name)
        if terms.shares > was.chain_executed + was.executed:
            self.replace(was.name, name, terms, fields)
        else:
            self.cancel(was.name, 0, fields)

    def _status(self, message: Message) -> None:
        name = message.text(11)
        ticket = self.by_name.get(name) or self._by_id.get(message.text(37))
        extra: Fields = [(790, message.text(790))] if 790 in message else []
        if ticket is None:
            self._say_unknown(message, name, extra)
            return
        while (following := ticket.fields.get("following")) is not None:
            ticket = following
        self._tell_status(ticket, str(ticket.name), extra)

    def _target(self, message: Message, name: str, request: int) -> Ticket | None:
        """The open order that a request is about; None if the request has been refused."""
        original = message.text(41)
        if not original and 37 not in message:
            raise MissingField("OrigClOrdID (41)")
        ticket = self.by_name.get(original) if original else self._by_id.get(message.text(37))
        if name in self._names:
            self._refuse_request(message, request, DUPLICATE_REQUEST, f"ClOrdID {name} was used before", ticket)
        elif ticket is None or not ticket.reference:
            self._refuse_request(message, request, NO_SUCH_ORDER, "no such order", None)
        elif not ticket.open:
            self._refuse_request(message, request, TOO_LATE, "the order is not open any more", ticket)
        elif (message.text(55), message.text(54)) != (ticket.fields["symbol"], ticket.fields["side"]):
            self._refuse_request(message, request, EXCHANGE_OPTION, "Symbol (55) or Side (54) is not the order's", ticket)
        else:
            return ticket
        return None

    def _terms(self, message: Message) -> tuple[Terms, dict[str, Any]]:
        """What an order is to be, and what of it is said again in every report."""
        terms = terms_of(message, self.dialect, self.venue.symbols, firm_key(self.account.firm))
        is_market = terms.price == MARKET_PRICE
        return terms, {
            "name": message.text(11), "symbol": message.text(55), "side": message.text(54), "type": message.text(40),
            "order_quantity": terms.shares, "price": b"" if is_market else price_text(terms.price),
            "lifetime": message.text(59, "0"), "account": message.text(1), "notional": 0, "status": NEW,
        }  # fmt: skip

    # -- what goes out ---------------------------------------------------------------------------------

    def _tell(self, kind: str, body: Fields) -> None:
        self.account.counts["messages"] += 1
        if self._outlet is not None:
            self._outlet(kind, body)

    def _refuse_message(self, message: Message, reason: int, text: str) -> None:
        body: Fields = [(45, message.number(34) or 0), (372, message.type), (380, reason), (58, text)]
        if 11 in message:
            body.append((379, message.text(11)))
        self._tell("j", body)

    def _refuse_request(self, message: Message, request: int, reason: int, text: str, ticket: Ticket | None) -> None:
        known = ticket is not None and "id" in ticket.fields
        body: Fields = [(37, ticket.fields["id"] if ticket is not None and known else "NONE"), (11, message.text(11))]
        if message.text(41):
            body.append((41, message.text(41)))
        reason = EXCHANGE_OPTION if self.dialect.transactions and reason == DUPLICATE_REQUEST else reason
        status = ticket.fields["status"] if ticket is not None else REJECTED
        body += [(39, status), (434, request), (102, reason), (60, self._now), (58, text)]
        self._tell("9", body)

    def _refuse_order(self, message: Message, reason: int, text: str) -> None:
        """A NewOrderSingle that the core does not get to see."""
        fields = {"name": message.text(11), "symbol": message.text(55), "side": message.text(54)}
        self._say_rejected(fields, reason, text)

    def _say_rejected(self, fields: dict[str, Any], reason: int, text: str) -> None:
        body = self._begin("NONE", REJECTED, REJECTED) + self._order_fields(fields)
        self._tell("8", [*body, (151, 0), (14, 0), (6, 0), (103, self._reason(reason)), (60, self._now), (58, text)])

    def _say_unknown(self, message: Message, name: str, extra: Fields) -> None:
        """The answer to who asks for an order that there is not."""
        fields = {"name": name, "symbol": message.text(55), "side": message.text(54)}
        body = self._begin("NONE", "I", REJECTED, is_status=True) + self._order_fields(fields)
        self._tell("8", [*body, *extra, (151, 0), (14, 0), (6, 0), (103, UNKNOWN_ORDER), (58, "no such order")])

    def _reason(self, reason: int) -> int:
        return BROKER_OPTION if self.dialect.transactions and reason > LAST_REASON_42 else reason

    @property
    def _now(self) -> bytes:
        return timestamp(self._midnight + self.venue.time)

    def _begin(self, order_id: str, kind: str, status: str, *, is_status: bool = False) -> Fields:
        """OrderID, ExecID, what has happened, and how the order stands."""
        old = self.dialect.transactions
        if is_status:
            # 4.2 tells a status by ExecTransType, and has no ExecID for it.
            kind = status if old else "I"
        if is_status and old:
            number = "0"
        else:
            self._reports += 1
            number = f"{self._run}{self.account.owner}-{self._reports}"
        body: Fields = [(37, order_id), (17, number), (150, kind), (39, status)]
        return [*body, (20, "3" if is_status else "0")] if old else body

    @staticmethod
    def _order_fields(fields: dict[str, Any]) -> Fields:
        body: Fields = [(11, fields["name"])] if fields["name"] else []
        body += [(55, fields["symbol"]), (54, fields["side"])]
        told = ((38, "order_quantity"), (40, "type"), (44, "price"), (59, "lifetime"), (1, "account"))
        return body + [(tag, fields[name]) for tag, name in told if fields.get(name)]

    def _report(
        self, ticket: Ticket, kind: str, status: str, extra: Fields, *, name: str = "", is_status: bool = False
    ) -> None:
        """An ExecutionReport of an order; ``name`` is the ClOrdID it answers, if that is not the order's own."""
        fields = ticket.fields
        fields["status"] = status
        done = ticket.chain_executed + ticket.executed
        average = price_text((2 * fields["notional"] + done) // (2 * done)) if done else b"0"
        body = self._begin(fields["id"], kind, status, is_status=is_status)
        body += [(198, ticket.reference), *self._order_fields({**fields, "name": name or ticket.name})]
        self._tell("8", [*body, *extra, (151, ticket.open), (14, done), (6, average), (60, self._now)])

    def _tell_status(self, ticket: Ticket, name: str, extra: Fields | None = None) -> None:
        if "id" in ticket.fields:
            self._report(ticket, "I", ticket.fields["status"], extra or [], name=name, is_status=True)
        else:
            body = self._begin("NONE", "I", REJECTED, is_status=True) + self._order_fields(ticket.fields)
            self._tell("8", [*body, *(extra or []), (151, 0), (14, 0), (6, 0)])

    def accepted(self, ticket: Ticket) -> None:
        ticket.fields["id"] = str(ticket.reference)
        self._by_id[ticket.fields["id"]] = ticket
        self._report(ticket, NEW, NEW, [])

    def replaced(self, ticket: Ticket) -> None:
        assert ticket.replaces is not None
        was = ticket.replaces
        was.fields["following"] = ticket
        ticket.fields |= {name: was.fields[name] for name in ("id", "notional")}
        self._by_id[ticket.fields["id"]] = ticket
        self._say_replaced(ticket, str(was.name))

    def modified(self, ticket: Ticket) -> None:
        """A replacement by no more than has traded already: the order ends, and has what it has."""
        assert ticket.modifies is not None
        kept = {name: ticket.fields[name] for name in ("id", "notional")}
        original, ticket.name = str(ticket.name), ticket.modifies["name"]
        ticket.fields |= ticket.modifies | kept | {"order_quantity": ticket.chain_executed + ticket.executed}
        self.by_name[ticket.name] = ticket
        self._say_replaced(ticket, original)

    def _say_replaced(self, ticket: Ticket, original: str) -> None:
        traded = ticket.chain_executed + ticket.executed
        # 4.4 and later know no order that is "replaced".
        untouched = REPLACED if self.dialect.transactions else NEW
        status = (PARTLY_FILLED if traded else untouched) if ticket.open else FILLED
        self._report(ticket, REPLACED, status, [(41, original)])

    def canceled(self, ticket: Ticket, shares: int, reason: Reason) -> None:
        kind = EXPIRED if reason in (Reason.SYSTEM, Reason.TIME) else CANCELED
        told: Fields = [(41, ticket.name)] if self._request else []
        if reason != Reason.USER:
            told.append((58, reason.name.lower().replace("_", " ")))
        self._report(ticket, kind, kind, told, name=self._request)

    def executed(self, ticket: Ticket, fill: Fill) -> None:
        ticket.fields["notional"] += fill.shares * fill.price
        status = PARTLY_FILLED if ticket.open else FILLED
        told: Fields = [(32, fill.shares), (31, price_text(fill.price))]
        if not self.dialect.transactions:
            told.append((self.dialect.match_tag, fill.match))
            if not fill.kind:
                told.append((851, 2 if fill.is_taker else 1))
        self._report(ticket, status if self.dialect.transactions else "F", status, told)

    def refused(self, name: Hashable, reason: Reject, fields: dict[str, Any]) -> None:
        text, was = reason.name.lower().replace("_", " "), self.by_name[name].replaces
        if was is None:
            fields["status"] = REJECTED
            self._say_rejected(fields, REFUSALS.get(reason, BROKER_OPTION), text)
            return
        late = reason is Reject.UNKNOWN_ORDER
        body: Fields = [(37, was.fields["id"]), (11, str(name)), (41, str(was.name)), (39, was.fields["status"])]
        code = TOO_LATE if late else EXCHANGE_OPTION
        self._tell("9", [*body, (434, TO_REPLACE), (102, code), (60, self._now), (58, text)])


_HANDLERS = {b"D": Fix._new, b"F": Fix._cancel, b"G": Fix._replace, b"H": Fix._status}
