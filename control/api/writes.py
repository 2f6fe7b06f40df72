"""Routes that change something: Idempotency-Key, and a limit to the size of a request.

A write that is sent twice with one key happens once; the second gets the first's answer. As in
draft-ietf-httpapi-idempotency-key-header: another request under a used key is refused, and so is a second
one while the first is under way.
"""

from __future__ import annotations

import hashlib
import time
from collections import OrderedDict
from collections.abc import Callable, Coroutine
from dataclasses import dataclass
from typing import Any

from fastapi import Request, Response
from fastapi.routing import APIRoute

from control.api.auth import check
from control.api.context import context
from control.api.problems import FieldProblem, Problem, answer

HEADER = "Idempotency-Key"
REPLAYED = "Idempotent-Replayed"
LONGEST_KEY = 128
LARGEST_BODY = 64 * 1024
KEPT, KEPT_SECONDS = 4096, 24 * 3600
WRITES = frozenset(("POST", "PUT", "PATCH", "DELETE"))

Handler = Callable[[Request], Coroutine[Any, Any, Response]]


@dataclass
class Remembered:
    """A write under a key: what was asked, and the answer once there is one."""

    asked: str
    at: float
    response: Response | None = None


class Memory:
    """Writes by key, the oldest forgotten first."""

    def __init__(self) -> None:
        self._writes: OrderedDict[str, Remembered] = OrderedDict()

    def get(self, key: str) -> Remembered | None:
        """What is remembered under a key."""
        found = self._writes.get(key)
        if found is not None and time.monotonic() - found.at > KEPT_SECONDS:
            del self._writes[key]
            return None
        return found

    def begin(self, key: str, asked: str) -> Remembered:
        """Remember a write that is under way."""
        while len(self._writes) >= KEPT:
            self._writes.popitem(last=False)
        self._writes[key] = Remembered(asked, time.monotonic())
        return self._writes[key]

    def forget(self, key: str) -> None:
        """Let a write be tried again: it had no effect."""
        self._writes.pop(key, None)


class Route(APIRoute):
    """A route whose writes honour ``Idempotency-Key``."""

    def get_route_handler(self) -> Handler:
        """The route's handler with what comes before it."""
        handle = super().get_route_handler()

        async def handler(request: Request) -> Response:
            if request.method not in WRITES:
                return await handle(request)
            return await _write(request, handle)

        return handler


async def _write(request: Request, handle: Handler) -> Response:
    check(request.headers.get("Authorization"), context(request).token)
    if int(request.headers.get("Content-Length") or 0) > LARGEST_BODY or len(await request.body()) > LARGEST_BODY:
        raise Problem(413, "too-large", "The request is too large", f"at most {LARGEST_BODY} bytes")
    key = request.headers.get(HEADER)
    if key is None:
        return await handle(request)
    if not 1 <= len(key) <= LONGEST_KEY:
        detail = f"1 to {LONGEST_KEY} characters"
        field = FieldProblem(pointer=f"header.{HEADER}", detail=detail)
        raise Problem(422, "invalid", "A header is wrong", f"{field.pointer}: {detail}", errors=[field])
    memory: Memory = request.app.state.writes
    head = f"{request.method} {request.url.path}?{request.url.query} {request.headers.get('If-Match')}\n"
    asked = hashlib.sha256(head.encode() + await request.body()).hexdigest()
    known = memory.get(key)
    if known is not None:
        return _again(known, asked, key)
    entry = memory.begin(key, asked)
    try:
        response = await handle(request)
    except Problem as problem:
        if problem.status >= 500:  # what happened is not known: the next try is a new one
            memory.forget(key)
        else:
            entry.response = answer(problem, request)
        raise
    except BaseException:
        memory.forget(key)
        raise
    entry.response = response
    return response


def _again(known: Remembered, asked: str, key: str) -> Response:
    if known.asked != asked:
        detail = f"{HEADER} {key!r} belongs to another request: take a new one"
        raise Problem(409, "key-reused", "The key is in use", detail)
    if known.response is None:
        detail = f"the first request with {HEADER} {key!r} is not answered yet: try again"
        raise Problem(409, "under-way", "The request is under way", detail, headers={"Retry-After": "1"})
    first = known.response
    headers = {name: value for name, value in first.headers.items() if name.lower() != "content-length"}
    return Response(bytes(first.body), first.status_code, {**headers, REPLAYED: "true"})
