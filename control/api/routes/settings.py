"""Symbols, their limits and quoters, and the limits over all symbols: read, and changed while it trades.

A change is answered when the device acknowledged it; the next order is checked by it.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import asdict
from typing import Any, TypeVar

from fastapi import APIRouter, Body, Response
from pydantic import BaseModel, ValidationError

from control.api.context import Context, IfMatch, Parts, tagged, version
from control.api.models import (
    LimitsAnswer,
    LimitsBody,
    LimitsPatch,
    PortfolioAnswer,
    PortfolioBody,
    PortfolioPatch,
    QuoterAnswer,
    QuoterBody,
    QuoterPatch,
    SymbolAnswer,
    SymbolChange,
    SymbolsAnswer,
    TakerAnswer,
    TakerBody,
    TakerPatch,
)
from control.api.problems import invalid
from control.api.writes import Route
from control.configuration import Stock
from control.desk import Desk, Setting
from control.events import price
from control.parameters import Limits, Parameters, PortfolioLimits, Quoter, Taker
from control.watch import TradingState

router = APIRouter(route_class=Route, tags=["settings"])
M = TypeVar("M", bound=Parameters)
A = TypeVar("A")


def _changed(model: type[M], current: Parameters, patch: BaseModel) -> M:
    """``current`` with what a patch says, checked as a whole."""
    try:
        return model.model_validate(current.model_dump() | patch.model_dump(exclude_unset=True))
    except ValidationError as error:
        errors = [{**each, "loc": ("body", *each["loc"])} for each in error.errors()]
        raise invalid(errors) from error


def _integers(values: object) -> dict[str, int]:
    """The device's form of a setting: its numbers, flags as 0 and 1."""
    found = asdict(values)  # type: ignore[call-overload]
    return {name: int(value) for name, value in found.items() if isinstance(value, int)}


# -- symbols -------------------------------------------------------------------------------------


def _symbol(desk: Desk, stock: str) -> SymbolAnswer:
    symbol, setup = desk.symbol(stock), desk.setup(stock)
    state = desk.watch.trading.get(symbol) or TradingState(setup.trading_state)
    return SymbolAnswer(
        stock=stock,
        symbol=symbol,
        stock_locate=setup.stock_locate,
        enabled=desk.enabled[stock].value,
        tick=price(setup.tick),
        base_price=price(setup.base_price),
        trading_state=state.trading_state,
        operational_halt=state.operational_halt,
        reg_sho=state.reg_sho,
    )


def _symbols(desk: Desk) -> SymbolsAnswer:
    return SymbolsAnswer(symbols=[_symbol(desk, stock) for stock in desk.stocks])


@router.get("/symbols")
async def get_symbols(parts: Parts) -> SymbolsAnswer:
    """All stocks that the device follows."""
    return await parts.ask(_symbols)


@router.patch("/symbols")
async def patch_symbols(
    parts: Parts,
    changes: dict[Stock, SymbolChange] = Body(examples=[{"AMZN": {"enabled": False}}]),
) -> SymbolsAnswer:
    """Change several stocks; either all are known, or none is changed."""

    def change(desk: Desk) -> SymbolsAnswer:
        for stock in changes:
            desk.symbol(stock)
        for stock, each in changes.items():
            desk.enable(stock, each.enabled)
        return _symbols(desk)

    return await parts.ask(change)


@router.get("/symbols/{stock}")
async def get_symbol(parts: Parts, stock: Stock) -> SymbolAnswer:
    """One stock."""
    return await parts.ask(lambda desk: _symbol(desk, stock))


@router.patch("/symbols/{stock}")
async def patch_symbol(parts: Parts, stock: Stock, change: SymbolChange) -> SymbolAnswer:
    """Let orders of a stock through, or none. Its quotes are withdrawn with it."""

    def enable(desk: Desk) -> SymbolAnswer:
        desk.enable(stock, change.enabled)
        return _symbol(desk, stock)

    return await parts.ask(enable)


async def _answered(parts: Context, response: Response, work: Callable[[Desk], tuple[Setting[Any], A]]) -> A:
    """What is answered about a setting, with its version as ETag."""
    setting, answer = await parts.ask(work)
    tagged(response, setting)
    return answer


# -- limits of a symbol --------------------------------------------------------------------------


def _limits(stock: str, limits: Limits) -> LimitsAnswer:
    return LimitsAnswer(stock=stock, limits=LimitsBody(**limits.model_dump()), device=_integers(limits.settings()))


@router.get("/symbols/{stock}/limits")
async def get_limits(parts: Parts, response: Response, stock: Stock) -> LimitsAnswer:
    """The limits of a stock, with their version as ETag."""

    def read(desk: Desk) -> tuple[Setting[Limits], LimitsAnswer]:
        desk.symbol(stock)
        setting = desk.limits[stock]
        return setting, _limits(stock, setting.value)

    return await _answered(parts, response, read)


@router.put("/symbols/{stock}/limits")
async def put_limits(
    parts: Parts,
    response: Response,
    stock: Stock,
    limits: LimitsBody,
    if_match: IfMatch = None,
) -> LimitsAnswer:
    """Replace the limits of a stock as a whole."""
    return await _set_limits(parts, response, stock, if_match, lambda _: limits)


@router.patch("/symbols/{stock}/limits")
async def patch_limits(
    parts: Parts,
    response: Response,
    stock: Stock,
    patch: LimitsPatch,
    if_match: IfMatch = None,
) -> LimitsAnswer:
    """Change some limits of a stock."""
    return await _set_limits(parts, response, stock, if_match, lambda old: _changed(Limits, old, patch))


async def _set_limits(parts: Context, response: Response, stock: str, if_match: str | None, make: Any) -> LimitsAnswer:
    wanted = version(if_match)

    def change(desk: Desk) -> tuple[Setting[Limits], LimitsAnswer]:
        desk.symbol(stock)
        setting = desk.set_limits(stock, make(desk.limits[stock].value), version=wanted)
        return setting, _limits(stock, setting.value)

    return await _answered(parts, response, change)


# -- quoter of a symbol --------------------------------------------------------------------------


def _quoter(desk: Desk, stock: str, quoter: Quoter) -> QuoterAnswer:
    return QuoterAnswer(
        stock=stock,
        quoter=QuoterBody(**quoter.model_dump()),
        device=_integers(quoter.settings(desk.tick(stock))),
    )


@router.get("/symbols/{stock}/quoter")
async def get_quoter(parts: Parts, response: Response, stock: Stock) -> QuoterAnswer:
    """The quoter of a stock, with its version as ETag."""

    def read(desk: Desk) -> tuple[Setting[Quoter], QuoterAnswer]:
        desk.symbol(stock)
        setting = desk.quoters[stock]
        return setting, _quoter(desk, stock, setting.value)

    return await _answered(parts, response, read)


@router.put("/symbols/{stock}/quoter")
async def put_quoter(
    parts: Parts,
    response: Response,
    stock: Stock,
    quoter: QuoterBody,
    if_match: IfMatch = None,
) -> QuoterAnswer:
    """Replace the quoter of a stock as a whole."""
    return await _set_quoter(parts, response, stock, if_match, lambda _: quoter)


@router.patch("/symbols/{stock}/quoter")
async def patch_quoter(
    parts: Parts,
    response: Response,
    stock: Stock,
    patch: QuoterPatch,
    if_match: IfMatch = None,
) -> QuoterAnswer:
    """Change some of a stock's quoter."""
    return await _set_quoter(parts, response, stock, if_match, lambda old: _changed(Quoter, old, patch))


async def _set_quoter(parts: Context, response: Response, stock: str, if_match: str | None, make: Any) -> QuoterAnswer:
    wanted = version(if_match)

    def change(desk: Desk) -> tuple[Setting[Quoter], QuoterAnswer]:
        desk.symbol(stock)
        setting = desk.set_quoter(stock, make(desk.quoters[stock].value), version=wanted)
        return setting, _quoter(desk, stock, setting.value)

    return await _answered(parts, response, change)


# -- taker of a symbol ---------------------------------------------------------------------------


def _taker(stock: str, taker: Taker) -> TakerAnswer:
    return TakerAnswer(stock=stock, taker=TakerBody(**taker.model_dump()), device=_integers(taker.settings()))


@router.get("/symbols/{stock}/taker")
async def get_taker(parts: Parts, response: Response, stock: Stock) -> TakerAnswer:
    """The taker of a stock, with its version as ETag."""

    def read(desk: Desk) -> tuple[Setting[Taker], TakerAnswer]:
        desk.symbol(stock)
        setting = desk.takers[stock]
        return setting, _taker(stock, setting.value)

    return await _answered(parts, response, read)


@router.put("/symbols/{stock}/taker")
async def put_taker(
    parts: Parts, response: Response, stock: Stock, taker: TakerBody, if_match: IfMatch = None
) -> TakerAnswer:
    """Replace the taker of a stock as a whole. The age of its value counts from here."""
    return await _set_taker(parts, response, stock, if_match, lambda _: taker)


@router.patch("/symbols/{stock}/taker")
async def patch_taker(
    parts: Parts, response: Response, stock: Stock, patch: TakerPatch, if_match: IfMatch = None
) -> TakerAnswer:
    """Change some of a stock's taker. The age of its value counts from here."""
    return await _set_taker(parts, response, stock, if_match, lambda old: _changed(Taker, old, patch))


async def _set_taker(parts: Context, response: Response, stock: str, if_match: str | None, make: Any) -> TakerAnswer:
    wanted = version(if_match)

    def change(desk: Desk) -> tuple[Setting[Taker], TakerAnswer]:
        desk.symbol(stock)
        setting = desk.set_taker(stock, make(desk.takers[stock].value), version=wanted)
        return setting, _taker(stock, setting.value)

    return await _answered(parts, response, change)


# -- limits over all symbols ---------------------------------------------------------------------


def _portfolio(desk: Desk, limits: PortfolioLimits) -> PortfolioAnswer:
    general = desk.configuration.portfolio
    return PortfolioAnswer(
        limits=PortfolioBody(**limits.model_dump()),
        device=_integers(limits.settings(general.firm, general.token_prefix)),
    )


@router.get("/limits")
async def get_portfolio(parts: Parts, response: Response) -> PortfolioAnswer:
    """The limits over all symbols, with their version as ETag."""
    return await _answered(parts, response, lambda desk: (desk.portfolio, _portfolio(desk, desk.portfolio.value)))


@router.put("/limits")
async def put_portfolio(
    parts: Parts,
    response: Response,
    limits: PortfolioBody,
    if_match: IfMatch = None,
) -> PortfolioAnswer:
    """Replace the limits over all symbols as a whole."""
    return await _set_portfolio(parts, response, if_match, lambda _: limits)


@router.patch("/limits")
async def patch_portfolio(
    parts: Parts,
    response: Response,
    patch: PortfolioPatch,
    if_match: IfMatch = None,
) -> PortfolioAnswer:
    """Change some limits over all symbols."""
    return await _set_portfolio(parts, response, if_match, lambda old: _changed(PortfolioLimits, old, patch))


async def _set_portfolio(parts: Context, response: Response, if_match: str | None, make: Any) -> PortfolioAnswer:
    wanted = version(if_match)

    def change(desk: Desk) -> tuple[Setting[PortfolioLimits], PortfolioAnswer]:
        setting = desk.set_portfolio(make(desk.portfolio.value), version=wanted)
        return setting, _portfolio(desk, setting.value)

    return await _answered(parts, response, change)
