"""The application: every route under ``/api/v1``, described by OpenAPI at ``/api/v1/openapi.json``."""

from __future__ import annotations

from fastapi import APIRouter, Depends, FastAPI, Security
from fastapi.security import HTTPBearer

from control import VERSION
from control.api import problems
from control.api.context import Context, authorised
from control.api.routes import events, history, operations, safety, settings, trading
from control.api.writes import Memory

PREFIX = "/api/v1"
ABOUT = """
Commands a trading device, card or software, while it trades.

* **Units.** Prices and money are decimal texts in currency (`"220.5100"`, 4 decimals) or whole numbers,
  never floats. Quantities are shares. Times are ns since midnight of the market's day.
* **Acknowledged.** A write is answered after the device acknowledged it: a limit that was changed holds for
  the next order. Without an answer in time it is 503, and what happened is not known.
* **Where it comes from.** Positions, P&L, books and orders are the device's own snapshots, taken for the
  request. Session, trading state and kills follow the device's events. Limits and quoters are what the
  device acknowledged last.
* **Kept.** Orders, limits, quoters, takers and kills are in a journal: a write is answered when it is on the disk,
  and a restart begins where the last process ended. The `Idempotency-Key` of an order holds for ever.
* **Writes** honour `Idempotency-Key`; limits and quoters have an `ETag` and honour `If-Match`.
* **Errors** are problem details (RFC 9457) that name the field.
"""


def create(context: Context) -> FastAPI:
    """The application around a running owner."""
    app = FastAPI(
        title="Hairpin",
        version=VERSION,
        description=ABOUT,
        openapi_url=f"{PREFIX}/openapi.json",
        docs_url=None,  # their pages load scripts from elsewhere
        redoc_url=None,
        responses=problems.RESPONSES,
    )
    app.state.context = context
    app.state.writes = Memory()
    problems.install(app)
    guarded = APIRouter(
        prefix=PREFIX,
        dependencies=[
            Security(HTTPBearer(auto_error=False, description="the token of the state folder")),
            Depends(authorised),
        ],
    )
    for each in (operations.router, settings.router, history.router, trading.router, safety.router, events.router):
        guarded.include_router(each)
    app.include_router(guarded)
    app.include_router(operations.open_router, prefix=PREFIX)
    app.include_router(events.sockets, prefix=PREFIX)
    return app
