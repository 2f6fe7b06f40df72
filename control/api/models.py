"""What the API takes and gives. Prices and money are decimal texts in currency, or whole numbers; never
floats.
"""

from __future__ import annotations

from decimal import Decimal
from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field, create_model, model_validator
from pydantic.fields import FieldInfo

from control.configuration import Stock
from control.parameters import Limits, Parameters, PortfolioLimits, Price, Quoter, Taker

Side = Literal["buy", "sell"]


def example(**values: Any) -> ConfigDict:
    """Configuration of a model that shows ``values`` in the OpenAPI page."""
    return ConfigDict(
        frozen=True,
        extra="forbid",
        use_attribute_docstrings=True,
        json_schema_extra={"examples": [values]},
    )


class Answer(BaseModel):
    """Something that the API gives."""

    model_config = ConfigDict(frozen=True, extra="forbid", use_attribute_docstrings=True)


# -- limits and quoter ---------------------------------------------------------------------------

LIMITS_EXAMPLE = {
    "max_quantity": 1000,
    "max_notional": "1000000",
    "max_position": 2000,
    "loss_limit": "25000",
    "collar": "1.0000",
    "locate_quantity": 2000,
    "duplicate_window_ns": 0,
    "max_repeats": 0,
    "max_open_orders": 8,
    "rate": 2000,
    "burst": 50,
}
QUOTER_EXAMPLE = {
    "enabled": True,
    "half_spread": "0.0200",
    "offset": "0",
    "skew": "0.0050",
    "size": 100,
    "min_change": "0.0100",
    "min_life_ns": 0,
    "half_life_ns": 1_000_000_000,
    "order_flow": "0.0002",
    "trade_flow": "0.0005",
    "variance": "10",
}
TAKER_EXAMPLE = {"enabled": True, "value": "230.0150", "edge": "0.0200", "size": 100, "max_age_ns": 1_000_000_000}
PORTFOLIO_EXAMPLE = {
    "max_gross": "50000000",
    "credit": "1000000000",
    "loss_limit": "100000",
    "stale_ns": 5_000_000_000,
    "heartbeat_ns": 3_000_000_000,
    "rate": 10000,
    "burst": 200,
}


def _partial(name: str, model: type[Parameters], **shown: Any) -> Any:
    """The same fields, none of which must be there."""
    fields: dict[str, Any] = {
        field: (_annotated(info), Field(default=None, description=info.description))
        for field, info in model.model_fields.items()
    }
    return create_model(
        name,
        __config__=ConfigDict(frozen=True, extra="forbid", json_schema_extra={"examples": [shown]}),
        __doc__="Only the fields that are to change.",
        **fields,
    )


def _annotated(field: FieldInfo) -> Any:
    """A field's type with its bounds and checks."""
    return Annotated[field.annotation, *field.metadata] if field.metadata else field.annotation


def _whole(name: str, model: type[Parameters], **shown: Any) -> Any:
    """The same fields, all of which must be there."""
    fields: dict[str, Any] = {
        field: (_annotated(info), Field(description=info.description)) for field, info in model.model_fields.items()
    }
    return create_model(
        name,
        __base__=model,
        __cls_kwargs__={"json_schema_extra": {"examples": [shown]}},
        __doc__="All of it: a field that is left out is an error.",
        **fields,
    )


LimitsBody = _whole("Limits", Limits, **LIMITS_EXAMPLE)
QuoterBody = _whole("Quoter", Quoter, **QUOTER_EXAMPLE)
TakerBody = _whole("Taker", Taker, **TAKER_EXAMPLE)
PortfolioBody = _whole("PortfolioLimits", PortfolioLimits, **PORTFOLIO_EXAMPLE)
LimitsPatch = _partial("LimitsPatch", Limits, max_position=500)
QuoterPatch = _partial("QuoterPatch", Quoter, half_spread="0.0300")
TakerPatch = _partial("TakerPatch", Taker, value="230.0250")
PortfolioPatch = _partial("PortfolioPatch", PortfolioLimits, max_gross="10000000")


class LimitsAnswer(Answer):
    """Limits of one symbol as the device acknowledged them."""

    stock: str
    limits: LimitsBody  # type: ignore[valid-type]
    device: dict[str, int]
    """the same in the device's integers: prices and money in 1e-4, times in ns"""

    model_config = example(
        stock="AMZN",
        limits=LIMITS_EXAMPLE,
        device={"max_position": 2000, "collar": 10000, "rate_interval": 500000},
    )


class QuoterAnswer(Answer):
    """The quoter of one symbol as the device acknowledged it."""

    stock: str
    quoter: QuoterBody  # type: ignore[valid-type]
    device: dict[str, int]
    """the same in the device's integers: ticks of the ladder as Q16.16, ``size`` in shares, ``min_change`` in
    ticks
    """

    model_config = example(
        stock="AMZN",
        quoter=QUOTER_EXAMPLE,
        device={"half_spread": 131072, "offset": 0, "skew": 328, "size": 100},
    )


class TakerAnswer(Answer):
    """The taker of one symbol as the device acknowledged it."""

    stock: str
    taker: TakerBody  # type: ignore[valid-type]
    device: dict[str, int]
    """the same in the device's integers: prices in 1e-4, ``size`` in shares, ``max_age`` in ns"""

    model_config = example(
        stock="AMZN",
        taker=TAKER_EXAMPLE,
        device={"value": 2300150, "edge": 200, "size": 100, "max_age": 1000000000},
    )


class PortfolioAnswer(Answer):
    """Limits over all symbols as the device acknowledged them."""

    limits: PortfolioBody  # type: ignore[valid-type]
    device: dict[str, int]
    """the same in the device's integers"""

    model_config = example(limits=PORTFOLIO_EXAMPLE, device={"max_gross": 500_000_000_000})


# -- symbols -------------------------------------------------------------------------------------


class SymbolChange(Answer):
    """What of a symbol can be changed while it trades."""

    enabled: bool
    """whether orders for it are let through at all"""

    model_config = example(enabled=False)


class SymbolAnswer(Answer):
    """One stock that the device follows."""

    stock: str
    symbol: int
    """the device's index"""
    stock_locate: int
    enabled: bool
    tick: str
    """currency; price step of the ladder"""
    base_price: str
    """currency; price of ladder level 0"""
    trading_state: str
    """H halted, P paused, Q quotation only, T trading"""
    operational_halt: bool
    reg_sho: str
    """0 no restriction, 1 or 2 short-sale restriction"""

    model_config = example(
        stock="AMZN",
        symbol=0,
        stock_locate=7,
        enabled=True,
        tick="0.0100",
        base_price="203.5200",
        trading_state="T",
        operational_halt=False,
        reg_sho="0",
    )


class SymbolsAnswer(Answer):
    """All stocks that the device follows."""

    symbols: list[SymbolAnswer]


# -- positions, books, orders --------------------------------------------------------------------


class PositionAnswer(Answer):
    """Position of one stock, out of the device's snapshot."""

    stock: str
    position: int
    """shares, negative when short"""
    cash: str
    mark: str
    """the price at which it is valued"""
    pnl: str
    """realised and marked"""
    blocked_by: list[str]
    """reasons for which the gate lets no order of the quoter pass now"""

    model_config = example(
        stock="AMZN", position=300, cash="-66120.0000", mark="220.5100", pnl="33.0000", blocked_by=[]
    )


class PositionsAnswer(Answer):
    """Positions of all stocks, one snapshot each, all at the same moment."""

    at_ns: int
    """the market's time of the snapshots, ns since midnight"""
    positions: list[PositionAnswer]


class PnlAnswer(Answer):
    """P&L over all stocks and per stock."""

    at_ns: int
    total: str
    gross: str
    """positions at their marks, long and short added"""
    net: str
    """positions at their marks, short taken from long"""
    by_stock: dict[str, str]

    model_config = example(
        at_ns=34_260_000_000_000,
        total="33.0000",
        gross="66153.0000",
        net="66153.0000",
        by_stock={"AMZN": "33.0000"},
    )


class BookLevelAnswer(Answer):
    """One price level."""

    price: str
    quantity: int
    orders: int

    model_config = example(price="220.5100", quantity=700, orders=4)


class BookAnswer(Answer):
    """The book of one stock, out of the device's snapshot, best prices first."""

    stock: str
    at_ns: int
    bids: list[BookLevelAnswer]
    asks: list[BookLevelAnswer]


class OpenOrder(Answer):
    """One of our own orders that is open, out of the device's snapshot."""

    id: str
    """12 hex digits, the end of its OUCH token; a replace gives it a new one"""
    stock: str
    side: Side
    state: str
    """pending_new, live, pending_replace or pending_cancel"""
    price: str
    remaining: int
    executed: int
    strategy: int
    """0 is the quoter"""
    slot: int
    cancel_wanted: bool
    tag: int
    pending_id: str | None = None
    pending_price: str | None = None

    model_config = example(
        id="000000002008",
        stock="AMZN",
        side="buy",
        state="live",
        price="220.4900",
        remaining=100,
        executed=0,
        strategy=0,
        slot=0,
        cancel_wanted=False,
        tag=0,
    )


class OrdersAnswer(Answer):
    """All our open orders."""

    at_ns: int
    orders: list[OpenOrder]


class NewOrder(Parameters):
    """An order of the host. It passes the same gate as the quoter's."""

    stock: Stock
    side: Side
    price: Price
    """currency, 4 decimals"""
    quantity: Annotated[int, Field(ge=1, le=999_999, strict=True)]
    """shares"""
    strategy: Annotated[int, Field(ge=0, le=15, strict=True)] = 1
    """whose order it is; 0 is the quoter"""
    time_in_force: Literal["day", "immediate"] = "day"
    """``day`` rests until the close, ``immediate`` is cancelled where it does not trade at once"""

    model_config = example(stock="AMZN", side="buy", price="220.4500", quantity=100, strategy=1, time_in_force="day")


class OrderSent(Answer):
    """An order that the gate let through and the device sent."""

    id: str
    number: int
    """its number in ``orders/history``"""
    stock: str
    side: Side
    price: str
    quantity: int
    marking: str
    """B buy, S long sale, T short sale"""
    at_ns: int
    tag: int
    """comes back in every event of this order"""

    model_config = example(
        id="000000005009",
        number=17,
        stock="AMZN",
        side="buy",
        price="220.4500",
        quantity=100,
        marking="B",
        at_ns=34_260_000_000_000,
        tag=17,
    )


class OrderChange(Parameters):
    """What is to be different: one of them, or both."""

    price: Price | None = None
    """currency, 4 decimals"""
    quantity: Annotated[int, Field(ge=1, le=999_999, strict=True)] | None = None
    """all shares of the order, those executed among them"""

    model_config = example(price="220.4600", quantity=200)

    @model_validator(mode="after")
    def _changes_something(self) -> OrderChange:
        if self.price is None and self.quantity is None:
            raise ValueError("price: price or quantity is needed")
        return self


class CancelWanted(Answer):
    """A cancel or replace that the device sent, or will send as soon as the exchange has answered what is under way."""

    id: str
    sent: bool
    """whether it left at once"""

    model_config = example(id="000000005009", sent=True)


# -- kill ----------------------------------------------------------------------------------------


class Kill(Parameters):
    """Stop: open orders in the scope are cancelled, and none passes the gate until it is cleared."""

    scope: Literal["global", "strategy", "symbol"] = "global"
    stock: Stock | None = None
    """which, for scope ``symbol``"""
    strategy: Annotated[int, Field(ge=0, le=15)] | None = None
    """which, for scope ``strategy``; 0 is the quoter"""
    reason: Annotated[str, Field(min_length=1, max_length=200)]
    """why, in words; kept with the state"""

    model_config = example(scope="global", reason="fills look wrong")

    @model_validator(mode="after")
    def _scoped(self) -> Kill:
        _check_scope(self.scope, self.stock, self.strategy)
        return self


def _check_scope(scope: str, stock: str | None, strategy: int | None) -> None:
    """Raise ValueError where a scope lacks its object, or has another's."""
    for name, value in (("symbol", stock), ("strategy", strategy)):
        field = "stock" if name == "symbol" else name
        if scope == name and value is None:
            raise ValueError(f"{field}: scope {scope} needs it")
        if scope != name and value is not None:
            raise ValueError(f"{field}: scope {scope} has none")


class ClearKill(Parameters):
    """What is let loose again."""

    scope: Literal["global", "strategy", "symbol"] = "global"
    stock: Stock | None = None
    strategy: Annotated[int, Field(ge=0, le=15)] | None = None

    @model_validator(mode="after")
    def _scoped(self) -> ClearKill:
        _check_scope(self.scope, self.stock, self.strategy)
        return self


class KillState(Answer):
    """What is killed, as the device says."""

    everything: bool
    """scope ``global``"""
    strategies: list[int]
    stocks: list[str]
    reasons: dict[str, str]
    """why, by scope: ``global``, ``strategy 0``, ``symbol AMZN``"""

    model_config = example(everything=True, strategies=[], stocks=[], reasons={"global": "fills look wrong"})


# -- the rest ------------------------------------------------------------------------------------


class CountersAnswer(Answer):
    """The device's counters."""

    counters: dict[str, int]
    refused: dict[str, int]
    """orders refused by the risk gate, by reason; an order counts for every reason that it failed"""
    meanings: dict[str, str]

    model_config = example(
        counters={"frames": 1204, "orders_new": 17, "refused_position": 2},
        refused={"position": 2},
        meanings={"frames": "frames that came in on a feed or recovery port"},
    )


class EventPage(Answer):
    """Events in the order in which the device made them. See the type of each for its fields."""

    events: list[dict[str, Any]]
    next: int
    """give it as ``after`` to go on behind the last of these"""
    lost: int
    """events behind ``after`` that are kept no more: take a snapshot (books, positions, orders)"""

    model_config = example(
        events=[
            {
                "sequence": 5120,
                "type": "executed",
                "timestamp_ns": 34_260_000_000_000,
                "stock": "AMZN",
                "side": "buy",
                "id": "000000002008",
                "match_number": 77,
                "price": "220.4900",
                "quantity": 100,
                "remaining": 0,
                "liquidity": "A",
            }
        ],
        next=5120,
        lost=0,
    )


class StatusAnswer(Answer):
    """The server and its device at a glance."""

    version: str
    device: Literal["software", "twin", "pair"]
    identity: dict[str, Any]
    source: str
    speed: Decimal
    """seconds of the market per second that were asked for"""
    running_seconds: float
    market_ns: int
    """the market's time, ns since midnight"""
    behind_ns: int
    """how far the market lags behind what ``speed`` asks for"""
    session: str
    """the order session: down, login_sent or up"""
    market_open: bool
    feed_whole: bool
    """no gap is open"""
    messages: int
    """messages taken from the feed"""
    events: int
    """number of the last event"""
    orders_sent: int
    orders_refused: int
    pnl: str
    kill: KillState
    finished: bool
    """the market has come to its end"""


class Check(Answer):
    """One thing that has to be right for trading."""

    name: str
    good: bool
    detail: str

    model_config = example(name="session", good=True, detail="up")


class Health(Answer):
    """Whether it is alive and ready, and why not."""

    live: bool
    ready: bool
    checks: list[Check]


class Alive(Answer):
    """Alive or ready, without details."""

    status: Literal["ok", "not ready"]

    model_config = example(status="ok")
