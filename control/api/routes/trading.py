"""Positions, P&L, books and orders: read from the device's own snapshots; orders sent and taken back."""

from __future__ import annotations

import re
from typing import Annotated

from fastapi import APIRouter, Path, Query, Response

from control.api.context import Parts
from control.api.models import (
    BookAnswer,
    BookLevelAnswer,
    CancelWanted,
    NewOrder,
    OpenOrder,
    OrdersAnswer,
    OrderSent,
    PnlAnswer,
    PositionAnswer,
    PositionsAnswer,
)
from control.api.problems import FieldProblem, Problem
from control.api.writes import Route
from control.configuration import Stock
from control.desk import Desk
from control.events import identity, price
from drivers import device, settings
from wire import reasons
from wire.records import Action, CommandError, EventType, Side

router = APIRouter(route_class=Route, tags=["trading"])
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
async def post_order(parts: Parts, response: Response, order: NewOrder) -> OrderSent:
    """Send an order through the risk gate. 409 with all ``reasons`` where the gate refuses it."""
    side = Side.BUY if order.side == "buy" else Side.SELL

    def send(desk: Desk) -> OrderSent:
        answer, tag = desk.submit(
            order.stock,
            side,
            settings.price(order.price),
            order.quantity,
            order.strategy,
            order.time_in_force == "immediate",
        )
        if answer.error is CommandError.REFUSED:
            text = ", ".join(answer.reasons)
            raise Problem(
                409, "refused", "The risk gate refused the order", f"it fails: {text}", reasons=answer.reasons
            )
        events = answer.batch.events
        sent = events[events["type"] == EventType.ORDER_SENT]
        info = int(sent[(sent["info"] & 0xFF) == Action.NEW][0]["info"])
        return OrderSent(
            id=identity(answer.order_id),
            stock=order.stock,
            side=order.side,
            price=price(settings.price(order.price)),
            quantity=order.quantity,
            marking=chr(info >> 8 & 0xFF),
            at_ns=desk.market.now,
            tag=tag,
        )

    sent = await parts.ask(send)
    response.headers["Location"] = f"/api/v1/orders/{sent.id}"
    return sent


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


@router.delete("/orders/{id}", status_code=202)
async def delete_order(parts: Parts, id: Id) -> CancelWanted:
    """Take an order back. Where the exchange has yet to answer something, the cancel leaves right after."""
    wanted = _order_id(id)

    def cancel(desk: Desk) -> CancelWanted:
        events = desk.cancel(wanted).batch.events
        sent = events[events["type"] == EventType.ORDER_SENT]
        return CancelWanted(id=identity(wanted), sent=bool(len(sent) and (sent[0]["info"] & 0xFF) == Action.CANCEL))

    return await parts.ask(cancel)
