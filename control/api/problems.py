"""Errors as problem details (RFC 9457): what is wrong, with which field, and what to do about it."""

from __future__ import annotations

import re
from collections.abc import Sequence
from http import HTTPStatus
from typing import Any

from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse
from pydantic import BaseModel, ConfigDict, Field
from starlette.exceptions import HTTPException

MEDIA_TYPE = "application/problem+json"
_NAMED = re.compile(r"^([a-z_]+): (.*)$", re.DOTALL)


class FieldProblem(BaseModel):
    """One field that is wrong."""

    pointer: str = Field(description="where it is: body, query, path or header, then its name, dots between")
    detail: str = Field(description="why it can't be used")

    model_config = ConfigDict(
        json_schema_extra={
            "examples": [
                {
                    "pointer": "body.max_position",
                    "detail": "Input should be greater than or equal to 0",
                }
            ]
        }
    )


class ProblemDetails(BaseModel):
    """RFC 9457."""

    type: str = Field(description="what kind of problem, as a URI reference that stays")
    title: str = Field(description="the kind in words")
    status: int = Field(description="HTTP status")
    detail: str = Field(description="what went wrong this time, and what to do")
    instance: str = Field(description="the request's path")
    errors: list[FieldProblem] = Field(default=[], description="the fields that are wrong")
    reasons: list[str] = Field(default=[], description="the risk gate's reasons, where it refused")

    model_config = ConfigDict(
        json_schema_extra={
            "examples": [
                {
                    "type": "/problems/invalid",
                    "title": "A field is wrong",
                    "status": 422,
                    "detail": "body.max_position: Input should be greater than or equal to 0",
                    "instance": "/api/v1/symbols/AMZN/limits",
                    "errors": [
                        {
                            "pointer": "body.max_position",
                            "detail": "Input should be greater than or equal to 0",
                        }
                    ],
                    "reasons": [],
                }
            ]
        }
    )


class Problem(Exception):
    """An error to be answered; `kind` is the last part of its ``type``."""

    def __init__(
        self,
        status: int,
        kind: str,
        title: str,
        detail: str,
        *,
        errors: Sequence[FieldProblem] = (),
        reasons: Sequence[str] = (),
        headers: dict[str, str] | None = None,
    ) -> None:
        super().__init__(detail)
        self.status, self.kind, self.title, self.detail = status, kind, title, detail
        self.errors, self.reasons, self.headers = list(errors), list(reasons), headers


def answer(problem: Problem, request: Request) -> JSONResponse:
    """The response of a problem."""
    details = ProblemDetails(
        type=f"/problems/{problem.kind}",
        title=problem.title,
        status=problem.status,
        detail=problem.detail,
        instance=request.url.path,
        errors=problem.errors,
        reasons=problem.reasons,
    )
    return JSONResponse(details.model_dump(), problem.status, headers=problem.headers, media_type=MEDIA_TYPE)


def invalid(errors: Sequence[Any]) -> Problem:
    """What the check of a request found, as pydantic lists it.

    A check of several fields together says in its text which of them is wrong: ``burst: too many``.
    """
    fields = []
    for error in errors:
        where, text = [str(part) for part in error["loc"]], str(error["msg"]).removeprefix("Value error, ")
        if error["type"] == "value_error" and (named := _NAMED.match(text)):
            where, text = [*where, named[1]], named[2]
        fields.append(FieldProblem(pointer=".".join(where), detail=text))
    detail = "; ".join(f"{field.pointer}: {field.detail}" for field in fields)
    return Problem(422, "invalid", "A field is wrong", detail, errors=fields)


def install(app: FastAPI) -> None:
    """Every error of the application is answered as problem details."""

    @app.exception_handler(Problem)
    async def ours(request: Request, error: Problem) -> JSONResponse:
        return answer(error, request)

    @app.exception_handler(RequestValidationError)
    async def validation(request: Request, error: RequestValidationError) -> JSONResponse:
        return answer(invalid(error.errors()), request)

    @app.exception_handler(HTTPException)
    async def http(request: Request, error: HTTPException) -> JSONResponse:
        phrase = HTTPStatus(error.status_code).phrase
        kind = phrase.lower().replace(" ", "-")
        detail = {404: f"there is nothing at {request.url.path}"}.get(error.status_code, str(error.detail))
        headers = dict(error.headers) if error.headers else None
        return answer(Problem(error.status_code, kind, phrase, detail, headers=headers), request)

    @app.exception_handler(Exception)
    async def unexpected(request: Request, error: Exception) -> JSONResponse:
        detail = f"{type(error).__name__}: see the server's log"
        return answer(Problem(500, "internal", "A fault of this program", detail), request)


RESPONSES: dict[int | str, dict[str, Any]] = {
    code: {"model": ProblemDetails, "description": text, "content": {MEDIA_TYPE: {}}}
    for code, text in (
        (401, "no token, or a wrong one"),
        (404, "no such stock or order"),
        (409, "the device refused the command, or the Idempotency-Key belongs to another request"),
        (412, "If-Match names a version that is not the current one"),
        (422, "a field is wrong"),
        (503, "the device did not answer in time"),
    )
}
