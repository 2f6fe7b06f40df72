"""Kill and clear-kill. What is killed is what the device said last."""

from __future__ import annotations

from typing import Annotated, Literal

from fastapi import APIRouter, Query
from pydantic import ValidationError

from control.api.context import Parts
from control.api.models import ClearKill, Kill, KillState
from control.api.problems import invalid
from control.api.writes import Route
from control.configuration import Stock
from control.desk import Desk
from wire.records import STRATEGIES

router = APIRouter(route_class=Route, tags=["safety"])


def kill_state(desk: Desk) -> KillState:
    """What is killed, as the device's events say."""
    watch = desk.watch
    return KillState(
        everything=watch.killed,
        strategies=[n for n in range(STRATEGIES) if watch.killed_strategies >> n & 1],
        stocks=[stock for stock, symbol in desk.symbols.items() if symbol in watch.killed_symbols],
        reasons=dict(watch.kill_reasons),
    )


@router.get("/kill")
async def get_kill(parts: Parts) -> KillState:
    """What is killed."""
    return await parts.ask(kill_state)


@router.post("/kill")
async def post_kill(parts: Parts, kill: Kill) -> KillState:
    """Stop: orders in the scope are cancelled and none passes the gate. Answered once the device did it."""

    def stop(desk: Desk) -> KillState:
        desk.kill(kill.reason, stock=kill.stock, strategy=kill.strategy)
        return kill_state(desk)

    return await parts.ask(stop, safety=True)


@router.delete("/kill")
async def delete_kill(
    parts: Parts,
    scope: Literal["global", "strategy", "symbol"] = "global",
    stock: Annotated[Stock | None, Query(description="which, for scope symbol")] = None,
    strategy: Annotated[int | None, Query(ge=0, le=15, description="which, for scope strategy")] = None,
) -> KillState:
    """Undo a kill of the same scope; other kills stay."""
    try:
        clear = ClearKill(scope=scope, stock=stock, strategy=strategy)
    except ValidationError as error:
        raise invalid([{**each, "loc": ("query", *each["loc"])} for each in error.errors()]) from error

    def resume(desk: Desk) -> KillState:
        desk.clear_kill(stock=clear.stock, strategy=clear.strategy)
        return kill_state(desk)

    return await parts.ask(resume)
