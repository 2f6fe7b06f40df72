"""Every order of every source on its way: journal, gate, exchange, and back.

A client's order is written into the journal first. When it is on the disk it goes to the device, whose gate lets it out or not;
what the gate said is written too, and then the client is told. So no order is at the exchange that the journal does not know, and
one that comes again is known. The owner's thread never waits for the disk: what is next runs when a future is done.

What the device does by itself (quotes, takes, cancels) is written when its events say so: it has happened, and is not asked for.
An order of a client has its own number as the command's tag, from which the device's first event finds it; every later event
finds its order by the id under which the exchange knows it.
"""

from __future__ import annotations

import logging
from collections.abc import Callable
from concurrent.futures import Future
from dataclasses import dataclass
from dataclasses import replace as changed

from control.desk import Desk, UnknownOrderError
from control.oms.entries import DEVICE_ERROR, NO_SUCH_ORDER, ORDER_BUSY, Asked, Ordered, Report
from control.oms.events import VENUE, EventReader, identity
from control.oms.oms import IllegalRequestError, Oms
from control.oms.oms import UnknownOrderError as OmsUnknownOrderError
from control.oms.order import Order
from control.oms.rules import Status, What
from drivers import commands
from drivers.device import Batch, DeviceError
from wire.records import CommandError

log = logging.getLogger("hairpin.orders")

_ERRORS = {CommandError.UNKNOWN_ORDER: NO_SUCH_ORDER, CommandError.ORDER_PENDING: ORDER_BUSY}

Later = Callable[[Callable[[], None]], None]


class NotKeptError(RuntimeError):
    """The journal has failed: no new order is taken. Cancels are."""


class UnreconciledError(RuntimeError):
    """The order was open when its device died: what became of it the exchange has to say first."""


@dataclass(frozen=True, slots=True)
class Heard:
    """A report that was new.

    Parameters
    ----------
    order : Order
        As it is with the report; it goes on changing.
    report : Report
    timestamp : int
        ns since the epoch.
    kept : Future of int
        Done when the report is on the disk, with its number in the journal.
    """

    order: Order
    report: Report
    timestamp: int
    kept: Future[int]


Listener = Callable[[Heard], None]


class OrderFlow:
    """Connects orders, journal and device. All of it runs on the thread that owns the device.

    Parameters
    ----------
    oms : Oms
        Appends to the desk's keeper.
    desk : Desk
        The flow hears every event of its device from now on.
    run : int
        Which life of the device this is, from 1: ids of an earlier one never mean an order of this one.
    later : callable
        Has a function called on the owner's thread; without one, at once.

    Attributes
    ----------
    unreconciled : dict
        Open orders of which nobody knows what became, as their device died or failed, by number, until `reconcile`.
    strangers : int
        Events about orders that the OMS does not know.
    """

    def __init__(self, oms: Oms, desk: Desk, *, run: int = 1, later: Later | None = None) -> None:
        self.oms, self.desk, self.run = oms, desk, run
        self.later: Later = later or (lambda function: function())
        self.unreconciled: dict[int, Order] = {order.order_id: order for order in oms if _is_open(order)}
        self.strangers = 0
        self.replacing: dict[int, int] = {}  # numbers of the replaces that the device has, by order
        self._answers: dict[int, Future[Order]] = {}
        self._listeners: list[Listener] = []
        self._events = EventReader(self)
        desk.market.device.subscribe(self._see)
        desk.keeper.on_failure(self._stop)

    def subscribe(self, listener: Listener) -> Callable[[], None]:
        """Call ``listener`` with every new report, on the owner's thread. Calling the answer ends it."""
        self._listeners.append(listener)
        return lambda: self._listeners.remove(listener)

    # -- what is asked ---------------------------------------------------------------------------

    def submit(self, ordered: Ordered) -> Future[Order]:
        """Take an order, once: the same one again, by its client's id, has the first one's answer.

        The future is done when what the gate said is on the disk: the order is sent, or has ended with REFUSED.

        Raises
        ------
        NotKeptError, DuplicateOrderError, UnknownStockError
        FieldError
            A value that no command, or no entry of the journal, can hold.
        """
        known = self.oms.by_client(ordered.client, ordered.client_order_id)
        if known is None:
            self._must_keep()
            self._command(ordered)  # refuses what no command can say before it is written
        order = self.oms.order(ordered, self.desk.clock())
        if known is not None:
            waiting = self._answers.get(order.order_id)
            if waiting is None and order.sent is None and order.ended is None and order.order_id not in self.unreconciled:
                self._must_keep()  # it never came to the disk, and so never went out, even if it was taken back since
            return waiting or _done(order)
        answer = self._answers[order.order_id] = Future[Order]()
        answer.add_done_callback(lambda _: self._answers.pop(order.order_id, None))
        self._when_kept(answer, lambda: self._send(order, answer))
        return answer

    def cancel(self, order: Order, client_order_id: str = "") -> Future[Order]:
        """Take an order back: the device is told at once, the future is done when the request is on the disk.

        One that is being taken back already, and without an id of its own, has the same answer.

        Raises
        ------
        IllegalRequestError, DuplicateOrderError, UnreconciledError
        UnknownOrderError
            The device does not have it.
        """
        self._must_be_reconciled(order)
        if order.sent is None and (answer := self._answers.get(order.order_id)) is not None:
            return self._after(answer, lambda: self.cancel(order, client_order_id))
        if not client_order_id and order.status is Status.PENDING_CANCEL:
            return self._told(order)
        request = self.oms.cancel(order.order_id, self.desk.clock(), client_order_id)
        if order.sent is None:
            return self._told(order)  # it never went out, and never will
        try:
            self.desk.cancel(identity(order.venue_order_id))
        except UnknownOrderError:
            self.refuse(order, What.CANCEL_REJECTED, request.number, NO_SUCH_ORDER)
            raise
        return self._told(order)

    def replace(self, order: Order, price: int, quantity: int, client_order_id: str = "") -> Future[Order]:
        """Change price and all shares of an order. It goes to the device when it is on the disk; the future is done when
        what the gate said is, too.

        Raises
        ------
        IllegalRequestError, DuplicateOrderError, UnreconciledError, NotKeptError
        FieldError
            A value that no command can hold.
        """
        self._must_keep()
        self._must_be_reconciled(order)
        commands.replace_order(0, price, max(quantity, 0))
        request = self.oms.replace(
            order.order_id, price=price, quantity=quantity, timestamp=self.desk.clock(), client_order_id=client_order_id
        )
        answer: Future[Order] = Future()
        self._when_kept(answer, lambda: self._replace(order, request, answer))
        return answer

    def find(self, device_id: int) -> Order:
        """The open order that the device knows by an id.

        Raises
        ------
        UnknownOrderError
            There is none, or it has another id by now.
        """
        name = self.name(device_id)
        try:
            order, _ = self.oms.find(VENUE, name)
        except OmsUnknownOrderError:
            raise UnknownOrderError(f"{device_id:012X}") from None
        if order.venue_order_id != name or order.status.is_final:
            raise UnknownOrderError(f"{device_id:012X}")
        return order

    def reconcile(self, order_id: int, *reports: Report) -> Order:
        """What the exchange, or who asked it, says became of an order whose device died. It counts as reconciled with that.

        Raises
        ------
        UnknownOrderError
        """
        order = self.oms[order_id]
        for report in reports:
            self.hear(changed(report, order_id=order_id))
        self.unreconciled.pop(order_id, None)
        return order

    def settle(self, order_id: int) -> Future[Order]:
        """Somebody who asked the exchange says that nothing of an order is open any more, and that all executions are known.

        Raises
        ------
        IllegalRequestError
            It is none of those whose device died.
        """
        if order_id not in self.unreconciled:
            raise IllegalRequestError(f"order {order_id}: it is not one whose device died")
        order = self.unreconciled[order_id]
        if order.sent is None:
            told = Report(order_id, What.REFUSED, 0, VENUE, reason=NO_SUCH_ORDER)
        else:
            told = Report(order_id, What.CANCELLED, self.name(0), VENUE, order.terms, order.price, order.open, ord("R"))
        return self._told(self.reconcile(order_id, told))

    # -- on the way ------------------------------------------------------------------------------

    def _command(self, ordered: Ordered) -> bytes:
        return commands.new_order(
            self.desk.symbol(ordered.stock),
            ordered.side,
            ordered.price,
            ordered.quantity,
            strategy=ordered.strategy,
            time_in_force=ordered.time_in_force,
            tag=ordered.order_id,
        )

    def _send(self, order: Order, answer: Future[Order]) -> None:
        """The order is on the disk: now to the gate."""
        if self.desk.keeper.failure:
            answer.set_exception(NotKeptError(self.desk.keeper.failure))
            return
        try:
            said = self.desk.market.command(self._command(order.ordered))
        except DeviceError:  # it may be out
            self.unreconciled[order.order_id] = order
            raise
        if order.sent is None and order.ended is None:  # the events have not said it
            if said.ok:
                self.sent(order, said.order_id)
            else:
                self.refuse(order, What.REFUSED, 0, said.refused_by or DEVICE_ERROR)
        self._told(order, answer)

    def _replace(self, order: Order, request: Asked, answer: Future[Order]) -> None:
        """The replace is on the disk: now to the gate, with the shares that are to be open."""
        if self.desk.keeper.failure:
            answer.set_exception(NotKeptError(self.desk.keeper.failure))
            return
        shares = request.quantity - order.traded
        if order.status is not Status.PENDING_REPLACE or shares < 1:  # it traded, or was taken back meanwhile
            self.refuse(order, What.REFUSED, request.number, NO_SUCH_ORDER)
        else:
            self.replacing[order.order_id] = request.number
            said = self.desk.replace(identity(order.venue_order_id), request.price, shares)
            if self.replacing.pop(order.order_id, None) is not None:
                if said.ok:
                    went_out = Asked(order.order_id, What.SEND, request.number, VENUE, self.name(said.order_id))
                    self.oms.note(went_out, self.desk.clock())
                else:
                    self.refuse(
                        order, What.REFUSED, request.number, said.refused_by or _ERRORS.get(said.error, DEVICE_ERROR)
                    )
        self._told(order, answer)

    def _must_keep(self) -> None:
        if self.desk.keeper.failure:
            raise NotKeptError(f"the journal has failed, and no order is taken: {self.desk.keeper.failure}")

    def _must_be_reconciled(self, order: Order) -> None:
        if order.order_id in self.unreconciled:
            text = f"order {order.order_id} was open when its device died: what became of it is not known yet"
            raise UnreconciledError(text)

    def _when_kept(self, answer: Future[Order], following: Callable[[], None]) -> None:
        """Go on, on the owner's thread, when what was appended last is on the disk."""

        def guarded() -> None:
            try:
                following()
            except Exception as error:
                answer.set_exception(error)

        def go_on(kept: Future[int]) -> None:
            error = kept.exception()
            if error is not None:
                answer.set_exception(NotKeptError(str(error)))
                return
            try:
                self.later(guarded)
            except RuntimeError as stopped:  # the owner has ended
                answer.set_exception(stopped)

        self.desk.keeper.newest.add_done_callback(go_on)

    def _told(self, order: Order, answer: Future[Order] | None = None) -> Future[Order]:
        """An answer that is given when all that was appended so far is on the disk; or never will be."""
        told = answer or Future[Order]()
        self.desk.keeper.newest.add_done_callback(lambda _: told.set_result(order))
        return told

    def _after(self, answer: Future[Order], following: Callable[[], Future[Order]]) -> Future[Order]:
        """What follows once the first answer is there."""
        second: Future[Order] = Future()

        def guarded() -> None:
            try:
                following().add_done_callback(lambda done: _pass_on(done, second))
            except Exception as error:
                second.set_exception(error)

        answer.add_done_callback(lambda _: self.later(guarded))
        return second

    # -- what is heard ---------------------------------------------------------------------------

    def _see(self, batch: Batch) -> None:
        self._events.read(batch.events)
        if batch.events_lost:
            known = {self.name(each.order_id) for each in batch.recovered.orders} if batch.recovered else set()
            lost = {each.order_id: each for each in self.oms if _is_open(each) and each.venue_order_id not in known}
            self.unreconciled |= lost
            log.error("%d events of the device were lost: %d orders are not known", batch.events_lost, len(lost))

    def name(self, device_id: int) -> int:
        """The id of an order for ever: which life of the device, and the device's id."""
        return self.run << 48 | device_id

    def sent(self, order: Order, device_id: int, marking: int = 0, stamp: int = 0) -> None:
        """An order went out."""
        self.oms.send(
            order.order_id,
            venue=VENUE,
            venue_order_id=self.name(device_id),
            timestamp=self.desk.clock(),
            marking=marking,
            stamp=stamp,
        )

    def refuse(self, order: Order, what: What, number: int, reason: int) -> None:
        """An order, or a request, that the device did not take."""
        self.hear(Report(order.order_id, what, 0, VENUE, number, reason=reason))

    def hear(self, report: Report) -> None:
        """Take a report, and tell it if it is new."""
        now = self.desk.clock()
        if self.oms.report(report, now) and self._listeners:
            heard = Heard(self.oms[report.order_id], report, now, self.desk.keeper.newest)
            for listener in self._listeners:
                listener(heard)

    def correct(self, stock: str) -> None:
        """An execution became void, which the device does not count: it is told where the stock stands."""

        def tell() -> None:
            position, cash = self.oms.positions().get(stock, 0), self.oms.cash().get(stock, 0)
            self.desk.set_position(stock, position, cash, self.oms.marks.get(stock, 0))

        self.later(tell)

    def _stop(self, reason: str) -> None:
        """The journal has failed: everything is killed. What is open is taken back, and nothing new goes out."""
        log.critical("the journal has failed, everything is killed: %s", reason)
        try:
            self.later(lambda: self.desk.kill(f"the journal has failed: {reason}", who="journal"))
        except RuntimeError:
            log.exception("no owner to kill the device")


def _is_open(order: Order) -> bool:
    """Whether something of an order may be at the exchange."""
    return not order.ordered.is_parent and not order.status.is_final


def _done(order: Order) -> Future[Order]:
    future: Future[Order] = Future()
    future.set_result(order)
    return future


def _pass_on(done: Future[Order], to: Future[Order]) -> None:
    error = done.exception()
    if error is None:
        to.set_result(done.result())
    else:
        to.set_exception(error)
