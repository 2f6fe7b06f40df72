"""The device's events: asked for by cursor, or streamed over a WebSocket. Both give the same JSON."""

from __future__ import annotations

import asyncio
import contextlib
from typing import Annotated, Any

import orjson
from fastapi import APIRouter, Query, WebSocket, WebSocketDisconnect
from pydantic import BaseModel, ConfigDict, Field, ValidationError

from control.api.auth import check, same_origin
from control.api.context import Context, Parts
from control.api.models import EventPage
from control.api.problems import FieldProblem, Problem
from control.event_log import EventLog
from wire.records import EventType

router = APIRouter(tags=["events"])
sockets = APIRouter()

EVENTS_PER_MESSAGE = 500
PAUSE_SECONDS = 0.01  # between two messages, so that a burst travels as one
FIRST_MESSAGE_SECONDS = 5.0
POLICY_VIOLATION = 1008

After = Annotated[
    int | None, Query(ge=-1, description="number of the last event seen; without it, from the oldest kept")
]
Types = Annotated[
    list[str] | None,
    Query(
        alias="type",
        description="only these types; repeat it for several. Without it all but answers to snapshots",
    ),
]


def _numbers(types: list[str] | None) -> frozenset[int] | None:
    """Event types by name.

    Raises
    ------
    Problem
        422: no such type.
    """
    if types is None:
        return None
    known = {each.name.lower(): int(each) for each in EventType}
    unknown = [each for each in types if each not in known]
    if unknown:
        detail = f"there is no event type {unknown[0]!r}; there are {', '.join(known)}"
        field = FieldProblem(pointer="query.type", detail=detail)
        raise Problem(422, "invalid", "A field is wrong", f"{field.pointer}: {detail}", errors=[field])
    return frozenset(known[each] for each in types)


@router.get("/events")
async def get_events(
    parts: Parts,
    after: After = None,
    type: Types = None,
    limit: Annotated[int, Query(ge=1, le=10_000)] = 1_000,
) -> EventPage:
    """Events behind a cursor. Ask again with ``after`` = ``next``; ``lost`` says what came too late."""
    page = await asyncio.to_thread(parts.owner.events.read, after, limit, _numbers(type))
    return EventPage(events=page.events, next=page.next, lost=page.lost)


class Subscription(BaseModel):
    """What a client may say first on the WebSocket; with the token in the header it need not say anything."""

    model_config = ConfigDict(extra="forbid")

    token: str | None = None
    after: Annotated[int | None, Field(ge=-1)] = None
    types: list[str] | None = None


@sockets.websocket("/events")
async def stream_events(socket: WebSocket) -> None:
    """Stream pages of events, from ``after`` on (default: from now).

    The token comes in the Authorization header or in the first message, as ``{"token": ..., "after": ...,
    "types": [...]}``. A client that is too slow gets the newest events, and in ``lost`` how many it missed.
    """
    parts: Context = socket.app.state.context
    log = parts.owner.events
    if not same_origin(socket.headers.get("origin"), socket.headers.get("host")):
        await socket.close(POLICY_VIOLATION, "this Origin may not")  # before it is accepted: 403
        return
    await socket.accept()
    try:
        wanted, types = await _subscription(socket, parts)
    except (Problem, ValidationError, TimeoutError) as error:
        detail = error.detail if isinstance(error, Problem) else "no first message that could be read"
        await socket.close(POLICY_VIOLATION, detail[:120])
        return
    except WebSocketDisconnect:
        return
    reading = asyncio.create_task(_until_closed(socket))
    writing = asyncio.create_task(
        _write(socket, log, log.last if wanted is None else wanted, types, parts.configuration.serve.mailbox)
    )
    _, pending = await asyncio.wait((reading, writing), return_when=asyncio.FIRST_COMPLETED)
    for task in pending:
        task.cancel()
    for task in (reading, writing):
        with contextlib.suppress(asyncio.CancelledError, WebSocketDisconnect, RuntimeError):
            await task


async def _subscription(socket: WebSocket, parts: Context) -> tuple[int | None, frozenset[int] | None]:
    header = socket.headers.get("authorization")
    if header is not None:
        check(header, parts.token)
        after = socket.query_params.get("after")
        asked = Subscription.model_validate({"after": after, "types": socket.query_params.getlist("type") or None})
    else:
        first = await asyncio.wait_for(socket.receive(), FIRST_MESSAGE_SECONDS)
        if first["type"] == "websocket.disconnect":
            raise WebSocketDisconnect(first.get("code", 1005))
        asked = Subscription.model_validate_json(first.get("text") or first.get("bytes") or b"")
        check(f"Bearer {asked.token or ''}", parts.token)
    return asked.after, _numbers(asked.types)


async def _until_closed(socket: WebSocket) -> None:
    """Read, and forget, until the client goes."""
    while (await socket.receive())["type"] != "websocket.disconnect":
        pass


async def _write(socket: WebSocket, log: EventLog, cursor: int, types: frozenset[int] | None, backlog: int) -> None:
    loop, fresh = asyncio.get_running_loop(), asyncio.Event()

    def wake() -> None:
        if not fresh.is_set():
            loop.call_soon_threadsafe(fresh.set)

    stop = log.listen(wake)
    try:
        await _send(socket, {"events": [], "next": cursor, "lost": 0})
        while True:
            fresh.clear()
            page = await asyncio.to_thread(log.read, cursor, EVENTS_PER_MESSAGE, types, backlog)
            cursor = page.next
            if page.events or page.lost:
                await _send(socket, {"events": page.events, "next": page.next, "lost": page.lost})
            if not page.more:
                await fresh.wait()
                await asyncio.sleep(PAUSE_SECONDS)
    finally:
        stop()


async def _send(socket: WebSocket, page: dict[str, Any]) -> None:
    await socket.send_text(orjson.dumps(page).decode())
