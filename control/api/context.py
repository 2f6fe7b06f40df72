"""What every route has at hand: the device's owner, the events, the token; and how a question becomes an
answer.
"""

from __future__ import annotations

import asyncio
import re
from collections.abc import Callable
from concurrent.futures import Future
from dataclasses import dataclass
from typing import Annotated, Any, Literal, TypeVar

from fastapi import Depends, Header, Request, Response

from control.api import auth
from control.api.problems import FieldProblem, Problem
from control.configuration import Configuration
from control.desk import (
    Desk,
    DeviceRefusedError,
    Setting,
    StaleVersionError,
    UnknownOrderError,
    UnknownStockError,
)
from control.live import Owner, StoppedError
from control.oms import DuplicateOrderError, IllegalRequestError, Order
from control.oms.flow import NotKeptError, OrderFlow, UnreconciledError
from control.store import JournalFailedError
from drivers.device import DeviceError

T = TypeVar("T")


@dataclass(frozen=True)
class Context:
    """The application's parts."""

    owner: Owner
    token: auth.Token
    configuration: Configuration
    device: Literal["software", "twin", "pair"]

    @property
    def flow(self) -> OrderFlow:
        """The orders; only for what `ask` calls."""
        return self.owner.flow

    async def ask(self, question: Callable[[Desk], T], *, safety: bool = False) -> T:
        """Have the owner's thread answer, which it does after the device acknowledged. What it wrote is on the disk then.

        With ``safety`` the answer is given even if the journal fails: what takes risk away happens without it.

        Raises
        ------
        Problem
            404, 409, 412, 422 by what it found; 503 where no answer came in time, or it is not on the disk.
        """
        keeper = self.owner.desk.keeper

        def asked(desk: Desk) -> tuple[T, Future[int] | None]:
            before = keeper.count
            return question(desk), keeper.newest if keeper.count > before else None

        answer, written = await self._answer(lambda: self.owner.ask(asked), take_back=True)
        if written is not None:
            try:
                await self._answer(lambda: written)
            except Problem:
                if not (safety and keeper.failure):
                    raise
        return answer

    async def order(self, request: Callable[[OrderFlow], Future[Order]]) -> Order:
        """Have something done with an order; the answer is there when it is on the disk.

        Raises
        ------
        Problem
            As `ask`.
        """
        answer = await self._answer(lambda: self.owner.ask(lambda _: request(self.flow)), take_back=True)
        return await self._answer(lambda: answer)

    async def _answer(self, future_of: Callable[[], Future[T]], *, take_back: bool = False) -> T:
        """What a future gives, its errors as problems; ``take_back``: a question that was not begun in time is not asked."""
        seconds = self.configuration.serve.acknowledge_seconds
        try:
            future = asyncio.wrap_future(future_of())
            return await asyncio.wait_for(future if take_back else asyncio.shield(future), seconds)
        except TimeoutError as error:
            detail = f"no answer within {seconds} s; it may still happen: read the state before trying again"
            raise Problem(
                503, "no-answer", "The device did not answer in time", detail, headers={"Retry-After": "1"}
            ) from error
        except StoppedError as error:
            raise Problem(503, "stopped", "The device is not running", str(error)) from error
        except NotKeptError as error:
            raise Problem(503, "journal-failed", "The journal has failed, and takes no order", str(error)) from error
        except JournalFailedError as error:
            detail = f"it happened, and will not be known after a restart: {error}"
            raise Problem(503, "journal-failed", "The journal has failed", detail) from error
        except DuplicateOrderError as error:
            raise Problem(409, "key-reused", "The key is in use", f"{error}: take a new key") from error
        except IllegalRequestError as error:
            raise Problem(409, "not-now", "The order's status does not allow it", str(error)) from error
        except UnreconciledError as error:
            raise Problem(409, "unreconciled", "The order is not reconciled", str(error)) from error
        except UnknownStockError as error:
            known = ", ".join(self.owner.desk.stocks)
            detail = f"the device does not follow {error}; it follows {known}"
            raise Problem(404, "unknown-stock", "No such stock", detail) from error
        except UnknownOrderError as error:
            detail = f"no open order has the id {error}: it is done, was replaced, or never was"
            raise Problem(404, "unknown-order", "No such order", detail) from error
        except StaleVersionError as error:
            detail = f'it was changed meanwhile: read it again; its ETag is "{error.version}"'
            raise Problem(
                412, "stale", "If-Match names another version", detail, headers={"ETag": f'"{error.version}"'}
            ) from error
        except DeviceRefusedError as error:
            raise Problem(409, "device-refused", "The device refused the command", str(error)) from error
        except DeviceError as error:
            raise Problem(503, "device-failed", "The device failed", str(error)) from error
        except ValueError as error:
            raise wrong_value(error) from error


def wrong_value(error: ValueError) -> Problem:
    """A value that no model could know to be wrong: the text begins with the field's name."""
    named = re.match(r"^([a-z_]+): (.*)$", str(error), re.DOTALL)
    if named is None:
        return Problem(422, "invalid", "A value is wrong", str(error))
    field = FieldProblem(pointer=f"body.{named[1]}", detail=named[2])
    return Problem(422, "invalid", "A field is wrong", f"{field.pointer}: {field.detail}", errors=[field])


def context(request: Request) -> Context:
    """The application's parts, for a route."""
    parts = request.app.state.context
    if not isinstance(parts, Context):
        raise TypeError("this application was not made by control.api.app.create")
    return parts


Parts = Annotated[Context, Depends(context)]


async def authorised(parts: Parts, authorization: Annotated[str | None, Header()] = None) -> None:
    """Let through who has the token."""
    auth.check(authorization, parts.token)


def version(if_match: str | None) -> int | None:
    """The version that If-Match names; None where any will do.

    Raises
    ------
    Problem
        422: not an ETag of ours.
    """
    if if_match is None or if_match.strip() == "*":
        return None
    found = re.fullmatch(r'\s*"(\d{1,18})"\s*', if_match)
    if found is None:
        detail = f'{if_match!r} is no ETag that this server gave; those are "1", "2", ...'
        raise Problem(
            422,
            "invalid",
            "A header is wrong",
            f"header.If-Match: {detail}",
            errors=[FieldProblem(pointer="header.If-Match", detail=detail)],
        )
    return int(found[1])


def tagged(response: Response, setting: Setting[Any]) -> None:
    """Answer with the version of a setting as ETag."""
    response.headers["ETag"] = f'"{setting.version}"'


IfMatch = Annotated[
    str | None,
    Header(description='ETag of the version that is to be changed, such as "3"; without it any is'),
]
