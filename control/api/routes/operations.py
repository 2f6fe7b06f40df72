"""Status, health and counters."""

from __future__ import annotations

import time
from dataclasses import asdict
from typing import Annotated

from fastapi import APIRouter, Query, Response

from control import VERSION
from control.api.context import Context, Parts
from control.api.models import Alive, Check, CountersAnswer, Health, StatusAnswer
from control.api.problems import FieldProblem, Problem
from control.api.routes.safety import kill_state
from control.desk import Desk
from control.events import price
from wire.counters import COUNTERS, REFUSED_PREFIX
from wire.records import SessionState

router = APIRouter(tags=["operations"])
open_router = APIRouter(tags=["operations"])


@router.get("/status")
async def get_status(parts: Parts) -> StatusAnswer:
    """The server and its device at a glance."""
    owner = parts.owner

    def read(desk: Desk) -> StatusAnswer:
        counters = desk.market.device.counters()
        watch = desk.watch
        return StatusAnswer(
            version=VERSION,
            device=parts.device,
            identity=asdict(desk.market.device.identify()),
            source=parts.configuration.input.source,
            speed=parts.configuration.input.speed,
            running_seconds=round(time.monotonic() - owner.started, 3),
            market_ns=desk.market.now,
            behind_ns=owner.behind,
            session=watch.session.name.lower(),
            market_open=watch.market_open,
            feed_whole=watch.feed_whole,
            messages=counters["messages"],
            events=owner.events.last,
            orders_sent=sum(counters[f"orders_{kind}"] for kind in ("new", "replace", "cancel")),
            orders_refused=counters["orders_refused"],
            pnl=price(sum(each.pnl for each in desk.positions().values())),
            kill=kill_state(desk),
            finished=desk.market.finished,
        )

    return await parts.ask(read)


@router.get("/counters")
async def get_counters(
    parts: Parts,
    name: Annotated[list[str] | None, Query(description="only these; repeat it for several")] = None,
) -> CountersAnswer:
    """The device's counters by name, and what the gate refused by reason."""
    wanted = COUNTERS.keys() if name is None else name
    unknown = [each for each in wanted if each not in COUNTERS]
    if unknown:
        errors = [FieldProblem(pointer="query.name", detail=f"there is no counter {each!r}") for each in unknown]
        raise Problem(422, "invalid", "A field is wrong", errors[0].detail, errors=errors)
    found = await parts.ask(lambda desk: desk.market.device.counters())
    chosen = {each: found[each] for each in wanted}
    return CountersAnswer(
        counters=chosen,
        refused={
            each.removeprefix(REFUSED_PREFIX): count
            for each, count in chosen.items()
            if each.startswith(REFUSED_PREFIX)
        },
        meanings={each: COUNTERS[each] for each in chosen},
    )


async def _health(parts: Context) -> Health:
    alive = parts.owner.alive
    checks = [Check(name="device", good=alive, detail="its owner runs" if alive else str(parts.owner.error))]
    if alive:
        try:
            checks += await parts.ask(_checks)
        except Problem as problem:
            checks.append(Check(name="answer", good=False, detail=problem.detail))
    return Health(live=alive, ready=all(check.good for check in checks), checks=checks)


def _checks(desk: Desk) -> list[Check]:
    watch = desk.watch
    blocked = [stock for stock, each in desk.positions().items() if each.blocked_by]
    failure = desk.keeper.failure
    return [
        Check(name="session", good=watch.session is SessionState.UP, detail=watch.session.name.lower()),
        Check(name="feed", good=watch.feed_whole, detail="whole" if watch.feed_whole else "a gap is open"),
        Check(
            name="market",
            good=watch.market_open and not desk.market.finished,
            detail="over" if desk.market.finished else "open" if watch.market_open else "closed",
        ),
        Check(name="kill", good=not watch.killed, detail="killed" if watch.killed else "not killed"),
        Check(
            name="symbols",
            good=len(blocked) < max(len(desk.stocks), 1),
            detail=f"blocked: {', '.join(blocked)}" if blocked else "all may trade",
        ),
        *([Check(name="journal", good=False, detail=failure)] if failure else []),
    ]


@router.get("/health")
async def get_health(parts: Parts) -> Health:
    """Whether it is alive and ready, and why not."""
    return await _health(parts)


@open_router.get("/health/livez")
async def get_livez(parts: Parts, response: Response) -> Alive:
    """200 while the thread that owns the device runs, else 503. Needs no token and tells no details."""
    if parts.owner.alive:
        return Alive(status="ok")
    response.status_code = 503
    return Alive(status="not ready")


@open_router.get("/health/readyz")
async def get_readyz(parts: Parts, response: Response) -> Alive:
    """200 when it can trade, else 503. Needs no token and tells no details."""
    if (await _health(parts)).ready:
        return Alive(status="ok")
    response.status_code = 503
    return Alive(status="not ready")
