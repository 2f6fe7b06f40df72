"""Positions, P&L, books and orders: read from the device's own snapshots; orders sent and taken back."""

from __future__ import annotations

import hashlib
import re
import uuid
from concurrent.futures import Future
from typing import Annotated

from fastapi import APIRouter, Header, Path, Query, Response

from control.api.context import Parts
from control.api.models import (
    BookAnswer,
    BookLevelAnswer,
    CancelWanted,
    NewOrder,
    OpenOrder,
    OrderChange,
    OrdersAnswer,
    OrderSent,
    PnlAnswer,
    PositionAnswer,
    PositionsAnswer,
)
from control.api.problems import FieldProblem, Problem
from control.api.writes import HEADER, REPLAYED, Route
from control.configuration import Stock
from control.desk import Desk
from control.events import identity, price
from control.oms import Order, Ordered, Status
from control.oms import events as oms_events
from control.oms.entries import DEVICE_ERROR, reason_names
from control.oms.flow import OrderFlow
from drivers import device, settings
from wire import reasons
from wire.records import IMMEDIATE_OR_CANCEL, TIME_IN_FORCE_DAY, SessionState, Side

router = APIRouter(route_class=Route, tags=["trading"])
CLIENT = "api"
"""The client of all orders of this API."""
_PLAIN_KEY = re.compile(r"^[\x21-\x7e]{1,36}$")
_ORDER_ID = re.compile(r"^[0-9A-Fa-f]{1,12}$")


@router.get("/positions")
async def get_positions(parts: Parts) -> PositionsAnswer:
    """Positions of all stocks, from the device's snapshots, all at one moment."""

    def read(desk: Desk) -> PositionsAnswer:
        found = [
            PositionAnswer(
                stock=stock,
                position=each.position,
                cash=price(each.cash),
                mark=price(each.mark),
                pnl=price(each.pnl),
                blocked_by=reasons.names(each.blocked_by),
            )
            for stock, each in desk.positions().items()
        ]
        return PositionsAnswer(at_ns=desk.market.now, positions=found)

    return await parts.ask(read)


@router.get("/pnl")
async def get_pnl(parts: Parts) -> PnlAnswer:
    """P&L and exposure, from the device's snapshots."""

    def read(desk: Desk) -> PnlAnswer:
        found = desk.positions()
        values = [each.position * each.mark for each in found.values()]
        return PnlAnswer(
            at_ns=desk.market.now,
            total=price(sum(each.pnl for each in found.values())),
            gross=price(sum(map(abs, values))),
            net=price(sum(values)),
            by_stock={stock: price(each.pnl) for stock, each in found.items()},
        )

    return await parts.ask(read)


@router.get("/books/{stock}")
async def get_book(
    parts: Parts,
    stock: Stock,
    depth: Annotated[int, Query(ge=1, le=255, description="levels per side")] = 10,
) -> BookAnswer:
    """The book of a stock as the device has it."""

    def levels(side: tuple[device.Level, ...]) -> list[BookLevelAnswer]:
        return [BookLevelAnswer(price=price(x.price), quantity=x.quantity, orders=x.orders) for x in side]

    def read(desk: Desk) -> BookAnswer:
        book = desk.books(stock, depth)
        return BookAnswer(stock=stock, at_ns=desk.market.now, bids=levels(book.bids), asks=levels(book.asks))

    return await parts.ask(read)


@router.get("/orders")
async def get_orders(parts: Parts, stock: Annotated[Stock | None, Query()] = None) -> OrdersAnswer:
    """Our open orders, from the device's snapshots."""

    def read(desk: Desk) -> OrdersAnswer:
        wanted = None if stock is None else desk.symbol(stock)
        found = [_open(desk, each) for each in desk.orders() if wanted in (None, each.symbol)]
        return OrdersAnswer(at_ns=desk.market.now, orders=found)

    return await parts.ask(read)


def _open(desk: Desk, order: device.OpenOrder) -> OpenOrder:
    return OpenOrder(
        id=identity(order.order_id),
        stock=desk.stocks[order.symbol],
        side="buy" if order.side == Side.BUY else "sell",
        state=order.state.name.lower(),
        price=price(order.price),
        remaining=order.remaining,
        executed=order.executed,
        strategy=order.strategy,
        slot=order.slot,
        cancel_wanted=order.cancel_wanted,
        tag=order.tag,
        pending_id=identity(order.pending_id) if order.pending_id else None,
        pending_price=price(order.pending_price) if order.pending_id else None,
    )


@router.post("/orders", status_code=201)
async def post_order(
    parts: Parts,
    response: Response,
    order: NewOrder,
    key: Annotated[str | None, Header(alias=HEADER, description="the order's id: it happens once, also after a restart")] = None,
) -> OrderSent:
    """Send an order through the risk gate. 409 with all ``reasons`` where the gate refuses it.

    It is on the disk before it goes to the gate, and what the gate said is before this answers.
    """
    ordered = Ordered(
        order_id=0,
        client=CLIENT,
        client_order_id=_client_order_id(key),
        stock=order.stock,
        side=Side.BUY if order.side == "buy" else Side.SELL,
        price=settings.price(order.price),
        quantity=order.quantity,
        strategy=order.strategy,
        time_in_force=IMMEDIATE_OR_CANCEL if order.time_in_force == "immediate" else TIME_IN_FORCE_DAY,
    )
    again = False

    def submit(flow: OrderFlow) -> Future[Order]:
        nonlocal again
        again = flow.oms.by_client(CLIENT, ordered.client_order_id) is not None
        return flow.submit(ordered)

    taken = await parts.order(submit)
    if again:
        response.headers[REPLAYED] = "true"
    sent = _sent(taken)
    response.headers["Location"] = f"/api/v1/orders/{sent.id}"
    return sent


def _client_order_id(key: str | None) -> str:
    """The key as the client's order id: as it is where that fits, else its hash."""
    if key is None:
        return uuid.uuid4().hex
    return key if _PLAIN_KEY.match(key) else hashlib.blake2b(key.encode("latin-1"), digest_size=16).hexdigest()


def _sent(order: Order) -> OrderSent:
    if order.sent is None:
        _refused(0 if order.ended is None else order.ended.reason)
        raise Problem(
            409, "unreconciled", "The order is not reconciled", f"order {order.order_id}: whether it was sent is not known"
        )
    return OrderSent(
        id=identity(oms_events.identity(order.sent.venue_order_id)),
        number=order.order_id,
        stock=order.ordered.stock,
        side="buy" if order.ordered.side == Side.BUY else "sell",
        price=price(order.ordered.price),
        quantity=order.ordered.quantity,
        marking=chr(order.sent.marking or ord(" ")),
        at_ns=order.sent.stamp,
        tag=order.order_id,
    )


def _refused(mask: int) -> None:
    """Raise the problem that a refusal's mask is, if it is one."""
    names = reason_names(mask)
    if mask & DEVICE_ERROR:
        raise Problem(409, "device-refused", "The device refused the command", f"it says {', '.join(names)}", reasons=names)
    if mask:
        detail = f"it fails: {', '.join(names)}"
        raise Problem(409, "refused", "The risk gate refused the order", detail, reasons=names)


def _order_id(text: str) -> int:
    if not _ORDER_ID.match(text):
        field = FieldProblem(pointer="path.id", detail="an order id has up to 12 hex digits")
        raise Problem(422, "invalid", "A field is wrong", f"{field.pointer}: {field.detail}", errors=[field])
    return int(text, 16)


Id = Annotated[str, Path(description="up to 12 hex digits", examples=["000000002008"])]


@router.get("/orders/{id}")
async def get_order(parts: Parts, id: Id) -> OpenOrder:
    """One open order, by the id it has now."""
    wanted = _order_id(id)

    def read(desk: Desk) -> OpenOrder:
        for each in desk.orders():
            if each.order_id == wanted:
                return _open(desk, each)
        raise Problem(404, "unknown-order", "No such order", f"no open order has the id {identity(wanted)}")

    return await parts.ask(read)


@router.patch("/orders/{id}", status_code=202)
async def patch_order(parts: Parts, id: Id, change: OrderChange) -> CancelWanted:
    """Replace an order: its price, and all its shares, those executed among them. It gets a new id with it.

    409 with all ``reasons`` where the gate refuses it; the order stays as it was then.
    """
    wanted = _order_id(id)
    number = 0

    def replace(flow: OrderFlow) -> Future[Order]:
        nonlocal number
        order = flow.find(wanted)
        new = order.price if change.price is None else settings.price(change.price)
        number = len(order.requests) + 1
        return flow.replace(order, new, order.quantity if change.quantity is None else change.quantity)

    order = await parts.order(replace)
    if number in order.failed:
        _refused(order.failed[number].reason)
    return CancelWanted(id=identity(wanted), sent=True)


@router.delete("/orders/{id}", status_code=202)
async def delete_order(parts: Parts, id: Id) -> CancelWanted:
    """Take an order back. Where the exchange has yet to answer something, the cancel leaves right after."""
    wanted = _order_id(id)

    def cancel(desk: Desk) -> CancelWanted:
        order = parts.flow.find(wanted)
        at_once = desk.watch.session is SessionState.UP and order.status in (Status.LIVE, Status.PARTIALLY_FILLED)
        parts.flow.cancel(order)
        return CancelWanted(id=identity(wanted), sent=at_once)

    return await parts.ask(cancel, safety=True)
