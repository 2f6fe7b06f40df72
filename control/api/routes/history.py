"""Orders as the order management knows them: of every source, open or done, of this process and of those before it."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Path, Query

from control.api.context import Parts
from control.api.problems import Problem
from control.api.records import Fact, OrderHistory, OrderRecord
from control.api.writes import Route
from control.configuration import Stock
from control.events import identity, price
from control.oms import Order, Report, Status, What
from control.oms import events as oms_events
from control.oms.entries import Asked, reason_names
from control.oms.flow import OrderFlow
from wire.records import Side

router = APIRouter(route_class=Route, tags=["trading"])
_STATUSES = f"^({'|'.join(Status)})$"


@router.get("/orders/history")
async def get_history(
    parts: Parts,
    after: Annotated[int, Query(ge=0, description="only orders with a higher number")] = 0,
    limit: Annotated[int, Query(ge=1, le=1_000)] = 100,
    client: Annotated[str | None, Query(description="only of this client")] = None,
    stock: Annotated[Stock | None, Query()] = None,
    status: Annotated[str | None, Query(pattern=_STATUSES, description="new, live, filled, cancelled, ...")] = None,
    unreconciled: Annotated[bool, Query(description="only those that were open when their device died")] = False,
) -> OrderHistory:
    """Orders by their number, oldest first."""

    def read(flow: OrderFlow) -> OrderHistory:
        found: list[OrderRecord] = []
        last = after
        for order in flow.oms:
            if order.order_id <= after:
                continue
            last = order.order_id
            asked = order.ordered
            if client not in (None, asked.client) or stock not in (None, asked.stock) or status not in (None, order.status.value):
                continue
            if unreconciled and order.order_id not in flow.unreconciled:
                continue
            found.append(_record(flow, order))
            if len(found) == limit:
                break
        return OrderHistory(orders=found, next=last)

    return await parts.ask(lambda _: read(parts.flow))


@router.get("/orders/history/{number}")
async def get_record(parts: Parts, number: Annotated[int, Path(ge=1)]) -> OrderRecord:
    """One order, with every fact about it."""

    def read(flow: OrderFlow) -> OrderRecord:
        order = flow.oms.orders.get(number)
        if order is None:
            raise Problem(404, "unknown-order", "No such order", f"there is no order {number}")
        asked = [each for each in (order.sent, *order.requests) if each is not None]
        heard = [each for each in (order.accepted, order.ended) if each is not None]
        heard += [*order.executions.values(), *order.replaced.values(), *order.failed.values(), *order.cancels.values()]
        busts = [_fact(Report(number, What.BUSTED, match, venue)) for venue, match in sorted(order.busts)]
        facts = (*map(_fact, asked), *map(_fact, sorted(heard, key=lambda each: each.stamp)), *busts)
        return _record(flow, order).model_copy(update={"facts": facts})

    return await parts.ask(lambda _: read(parts.flow))


@router.post("/orders/history/{number}/settle")
async def settle(parts: Parts, number: Annotated[int, Path(ge=1)]) -> OrderRecord:
    """Say of an order whose device died that nothing of it is open any more, and that all of its executions are known.

    Ask the exchange first: an execution that nobody knows of is a position that nobody knows of.
    """
    order = await parts.order(lambda flow: flow.settle(number))
    return await parts.ask(lambda _: _record(parts.flow, order))


def _record(flow: OrderFlow, order: Order) -> OrderRecord:
    name = order.venue_order_id
    average = price(round(order.notional / order.executed)) if order.executed else "0.0000"
    return OrderRecord(
        number=order.order_id,
        client=order.ordered.client,
        client_order_id=order.ordered.client_order_id,
        id=identity(oms_events.identity(name)) if name and flow.name(oms_events.identity(name)) == name else None,
        stock=order.ordered.stock,
        side="buy" if order.ordered.side is Side.BUY else "sell",
        price=price(order.price),
        quantity=order.quantity,
        status=order.status.value,
        executed=order.executed,
        open=order.open,
        average_price=average,
        strategy=order.ordered.strategy,
        unreconciled=order.order_id in flow.unreconciled,
    )


def _fact(entry: Asked | Report) -> Fact:
    what = entry.what
    reason = entry.reason if isinstance(entry, Report) else 0
    names = reason_names(reason) if what is What.REFUSED else [chr(reason) if 0x20 < reason < 0x7F else str(reason)]
    return Fact(
        what=what.name.lower(),
        number=entry.number,
        price=price(entry.price) if entry.price else None,
        quantity=entry.quantity or None,
        reasons=tuple(names) if reason else (),
        match_number=entry.report_id if what in (What.EXECUTED, What.BUSTED) and isinstance(entry, Report) else None,
        client_order_id=(entry.client_order_id or None) if isinstance(entry, Asked) else None,
    )
