"""Orders of clients by FIX: NewOrderSingle (D), cancel (F), replace (G), status (H), through the same OMS and gate as all others.

A message counts as received, on record, when what it asks for is on the disk (`HeldStore`): a process that is killed before gets
it again. What came before, by the client's id of it, never happens twice:

* with PossDupFlag (43) it is the session's repetition: its report went out, or will, and nothing is answered;
* with PossResend (97) the client asks whether it arrived: it is answered with the order's status;
* with neither it is a mistake, and rejected as a duplicate.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Callable
from concurrent.futures import Future
from pathlib import Path

from control.desk import UnknownOrderError, UnknownStockError
from control.gateway import execution
from control.gateway.execution import CANCEL_REJECT, EXECUTION_REPORT, Fields, Told
from control.gateway.fix.application import BusinessReason, Refused
from control.gateway.fix.link import Clock
from control.gateway.fix.session import Session
from control.gateway.fix.settings import Settings
from control.gateway.reports import Reporting
from control.live import StoppedError
from control.oms import DuplicateOrderError, IllegalRequestError, Order, Ordered, Status
from control.oms.flow import Heard, NotKeptError, OrderFlow, UnreconciledError
from wire.errors import WireError
from wire.fix.message import Message
from wire.fix.numbers import price_units
from wire.records import IMMEDIATE_OR_CANCEL, TIME_IN_FORCE_DAY, Side

log = logging.getLogger("hairpin.fix")

CLIENT_ORDER_ID, ORIGINAL, ORDER_ID, QUANTITY, TYPE, PRICE, SIDE, SYMBOL, TIME_IN_FORCE = 11, 41, 37, 38, 40, 44, 54, 55, 59
SEQUENCE, POSSIBLE_DUPLICATE, POSSIBLE_RESEND = 34, 43, 97
SIDES = {"1": Side.BUY, "2": Side.SELL, "5": Side.SELL}  # the device marks short sales itself
TIMES_IN_FORCE = {"": TIME_IN_FORCE_DAY, "0": TIME_IN_FORCE_DAY, "3": IMMEDIATE_OR_CANCEL}
UNSUPPORTED = {18: "ExecInst", 99: "StopPx", 110: "MinQty", 111: "MaxFloor", 152: "CashOrderQty", 210: "MaxShow"}
LONGEST_ID = 36


class Rejected(Exception):
    """A message that is not taken; ``reason`` is an OrdRejReason or CxlRejReason."""

    def __init__(self, reason: int, text: str) -> None:
        super().__init__(text)
        self.reason, self.text = reason, text


class OrderEntry(Reporting):
    """A client's session.

    Parameters
    ----------
    settings, folder, name, durable, clock
        See `Reporting`; ``name`` is the client of its orders.
    strategy : int
        Of its orders.
    interval, tolerance : int
        ns that each order or replace uses up of ``tolerance`` (0: no limit); one beyond it is rejected. Cancels are not counted.
    """

    def __init__(
        self,
        settings: Settings,
        folder: Path,
        name: str,
        *,
        durable: bool = False,
        clock: Clock = time.time_ns,
        strategy: int = 1,
        interval: int = 0,
        tolerance: int = 0,
    ) -> None:
        super().__init__(settings, folder, name, durable=durable, clock=clock)
        self._strategy, self._interval, self._tolerance = strategy, interval, tolerance
        self._arrival = 0
        self._handlers = {b"D": self._new, b"F": self._cancel, b"G": self._replace, b"H": self._status}

    def message_of(self, heard: Heard) -> Told | None:
        """See `Reporting`."""
        if heard.order.ordered.client != self.name:
            return None
        return execution.told(heard.order, heard.report, heard.timestamp, self.version)

    def begin(self) -> None:
        """Say of every order that was open when its device died that it was, as it is known: there is no fact to tell."""
        for order in self._flow.unreconciled.values():
            if order.ordered.client == self.name:
                self._answer(EXECUTION_REPORT, self._state(order, self.owner.desk.clock()))

    def on_message(self, session: Session, message: Message) -> None:
        """See `Application`."""
        handler = self._handlers.get(message.type)
        if handler is None:
            raise Refused(BusinessReason.UNSUPPORTED_MESSAGE_TYPE, "", message.text(CLIENT_ORDER_ID))
        kept = message.copy()
        again = kept.flag(POSSIBLE_DUPLICATE) or kept.flag(POSSIBLE_RESEND)
        too_many = message.type in (b"D", b"G") and not again and not self._in_time()
        number = kept.number(SEQUENCE) or 0
        token = self.store.hold(number)

        def work() -> None:
            """On the owner's thread; the message is safe with all that was written for it."""
            try:
                if too_many:
                    raise Rejected(execution.OTHER, "more orders than this session may send")
                handler(kept)
            except Rejected as rejected:
                self._reject(kept, rejected)
            except Exception as error:
                log.exception("FIX %s: %s", self.name, kept)
                self._reject(kept, Rejected(execution.OTHER, f"{type(error).__name__}: see the log"))
            safe = self.owner.desk.keeper.newest
            safe.add_done_callback(lambda _: self.later(lambda: self.store.release(number, token)))

        try:
            self.owner.ask(lambda _: work())
        except StoppedError as error:
            self.store.release(number, token)
            raise Refused(BusinessReason.APPLICATION_NOT_AVAILABLE, str(error), kept.text(CLIENT_ORDER_ID)) from error

    def _in_time(self) -> bool:
        now = self.clock()
        if self._interval and self._arrival > now + self._tolerance:
            return False
        self._arrival = max(self._arrival, now) + self._interval
        return True

    # -- on the owner's thread -----------------------------------------------------------------------

    @property
    def _flow(self) -> OrderFlow:
        return self.owner.flow

    def _new(self, message: Message) -> None:
        client_order_id = _client_order_id(message)
        known = self._flow.oms.by_client(self.name, client_order_id)
        if known is not None:
            self._again(message, known[0])
            return
        ordered = self._ordered(message, client_order_id)
        self._going(lambda: self._flow.submit(ordered), message)

    def _ordered(self, message: Message, client_order_id: str) -> Ordered:
        price, quantity = self._terms(message)
        side, force = SIDES.get(message.text(SIDE)), TIMES_IN_FORCE.get(message.text(TIME_IN_FORCE))
        if side is None:
            raise Rejected(execution.UNSUPPORTED, f"Side (54) {message.text(SIDE)}: 1, 2 or 5")
        if force is None:
            raise Rejected(execution.UNSUPPORTED, f"TimeInForce (59) {message.text(TIME_IN_FORCE)}: 0 (day) or 3 (immediate)")
        return Ordered(0, self.name, client_order_id, message.text(SYMBOL), side, price, quantity, self._strategy, force)

    def _terms(self, message: Message) -> tuple[int, int]:
        if message.text(TYPE) != "2":
            raise Rejected(execution.UNSUPPORTED, f"OrdType (40) {message.text(TYPE)}: 2 (limit)")
        for tag, name in UNSUPPORTED.items():
            if tag in message:
                raise Rejected(execution.UNSUPPORTED, f"{name} ({tag}) is not supported")
        text = message.text(QUANTITY)
        whole, _, rest = text.partition(".")
        if not whole.isdigit() or rest.strip("0") or not 0 < int(whole) < 1 << 31:
            raise Rejected(execution.OTHER, f"OrderQty (38) {text!r}: a whole number of shares")
        try:
            return price_units(message.get(PRICE) or b""), int(whole)
        except WireError as error:
            raise Rejected(execution.OTHER, f"Price (44) {message.text(PRICE)!r}: a decimal number in steps of 0.0001") from error

    def _cancel(self, message: Message) -> None:
        client_order_id = _client_order_id(message)
        known = self._flow.oms.by_client(self.name, client_order_id)
        if known is not None:
            self._again(message, known[0])
            return
        order = self._named(message)
        self._going(lambda: self._flow.cancel(order, client_order_id), message)

    def _replace(self, message: Message) -> None:
        client_order_id = _client_order_id(message)
        known = self._flow.oms.by_client(self.name, client_order_id)
        if known is not None:
            self._again(message, known[0])
            return
        order = self._named(message)
        if (message.text(SYMBOL), SIDES.get(message.text(SIDE))) != (order.ordered.stock, order.ordered.side):
            raise Rejected(execution.CANCEL_OTHER, "Symbol (55) and Side (54) can't be replaced")
        price, quantity = self._terms(message)
        self._going(lambda: self._flow.replace(order, price, quantity, client_order_id), message)

    def _status(self, message: Message) -> None:
        found = self._flow.oms.by_client(self.name, message.text(CLIENT_ORDER_ID))
        at = self.owner.desk.clock()
        if found is None:
            raise Rejected(execution.UNKNOWN_ORDER, "no such order")
        self._answer(EXECUTION_REPORT, self._state(found[0], at))

    def _state(self, order: Order, at: int) -> Fields:
        lost = order.order_id in self._flow.unreconciled
        text = "as before a restart: what became of it the exchange has to say" if lost else ""
        return execution.status_report(order, at, self.version, text)

    def _again(self, message: Message, order: Order) -> None:
        """A message whose id was used before."""
        if message.flag(POSSIBLE_DUPLICATE):
            return
        if message.flag(POSSIBLE_RESEND):
            self._answer(EXECUTION_REPORT, self._state(order, self.owner.desk.clock()), [(POSSIBLE_RESEND, b"Y")])
            return
        reason = execution.DUPLICATE if message.type == b"D" else execution.CANCEL_DUPLICATE
        raise Rejected(reason, f"ClOrdID (11) {message.text(CLIENT_ORDER_ID)} was used before")

    def _named(self, message: Message) -> Order:
        """The client's order that a message is about."""
        found = self._flow.oms.by_client(self.name, message.text(ORIGINAL))
        if found is not None:
            return found[0]
        number = message.text(ORDER_ID)
        order = self._flow.oms.orders.get(int(number)) if not message.text(ORIGINAL) and number.isdigit() else None
        if order is None or order.ordered.client != self.name:
            raise Rejected(execution.CANCEL_UNKNOWN, f"OrigClOrdID (41) {message.text(ORIGINAL)}: no such order")
        return order

    def _going(self, request: Callable[[], Future[Order]], message: Message) -> None:
        """What the OMS is asked for; a refusal that is no fact in the journal is answered here."""
        try:
            request().add_done_callback(lambda done: self._done(done, message))
        except UnknownStockError as error:
            raise Rejected(execution.UNKNOWN_SYMBOL, f"Symbol (55) {error}: not traded here") from error
        except UnknownOrderError:
            return  # the OMS has written, and told, that the cancel was rejected
        except IllegalRequestError as error:
            order = self._named(message)
            pending = order.status in (Status.PENDING_CANCEL, Status.PENDING_REPLACE)
            raise Rejected(execution.ALREADY_PENDING if pending else execution.TOO_LATE, str(error)) from error
        except (DuplicateOrderError, NotKeptError, UnreconciledError, WireError, ValueError) as error:
            raise Rejected(execution.CANCEL_OTHER, str(error)) from error

    def _done(self, done: Future[Order], message: Message) -> None:
        error = done.exception()
        if error is not None:
            self._reject(message, Rejected(execution.OTHER, str(error)))

    # -- answers that are no facts -----------------------------------------------------------------------

    def _answer(self, kind: bytes, fields: Fields, header: Fields | None = None) -> None:
        def send() -> None:
            self.session.send(kind, fields, header=header or ())

        self.later(send)

    def _reject(self, message: Message, rejected: Rejected) -> None:
        """Says that nothing was done."""
        at, id_ = self.clock(), message.text(CLIENT_ORDER_ID)
        if message.type in (b"F", b"G"):
            found = self.owner.flow.oms.by_client(self.name, message.text(ORIGINAL))
            body = execution.cancel_reject(
                found[0] if found else None, id_, is_replace=message.type == b"G", reason=rejected.reason, text=rejected.text,
                at=at, version=self.version, original=message.text(ORIGINAL),
            )  # fmt: skip
            self._answer(CANCEL_REJECT, body)
            return
        asked: Fields = [(tag, value) for tag in (CLIENT_ORDER_ID, SYMBOL, SIDE, QUANTITY, PRICE) if (value := message.get(tag))]
        is_status = message.type == b"H"

        def send() -> None:
            number = "0" if is_status else f"R{self.store.created}-{self.store.next_sent}"
            body = execution.rejection(asked, number, rejected.reason, rejected.text, at, self.version, is_status=is_status)
            self.session.send(EXECUTION_REPORT, body)

        self.later(send)


def _client_order_id(message: Message) -> str:
    found = message.text(CLIENT_ORDER_ID)
    if len(found) > LONGEST_ID or not found.isascii() or found != found.strip():
        raise Rejected(execution.OTHER, f"ClOrdID (11): up to {LONGEST_ID} characters of ASCII, no blank at its ends")
    return found
