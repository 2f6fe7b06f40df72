"""What a person sets: limits, quoter and portfolio limits, in currency, shares and messages per second.

The same models are read from TOML, answered by the API and sent to the device. Prices and money are exact:
a decimal text, a whole number or a TOML decimal, never a binary float.
"""

from __future__ import annotations

from decimal import ROUND_CEILING, Decimal
from typing import Annotated, Any, Self

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, WithJsonSchema, model_validator

from drivers import settings

NANOSECONDS = 1_000_000_000


def exact(value: Any) -> Any:
    """``value``, unless it is a number that is not exact."""
    if isinstance(value, float):
        raise ValueError(f'a binary float is not exact; write it as text, "{value}", or as a whole number')
    if isinstance(value, bool):
        raise ValueError("a number is expected, not true or false")
    return value


def _schema(example: str, *, signed: bool = False) -> WithJsonSchema:
    """What the OpenAPI page says of an exact amount: decimal text or whole number."""
    pattern = f"^{'-?' if signed else ''}(0|[1-9][0-9]*)(\\.[0-9]{{1,4}})?$"
    return WithJsonSchema(
        {"anyOf": [{"type": "string", "pattern": pattern}, {"type": "integer"}], "examples": [example]}
    )


_EXACT = Field(max_digits=19, decimal_places=4, allow_inf_nan=False)
Price = Annotated[Decimal, BeforeValidator(exact), _EXACT, Field(ge=0, le=Decimal("199999.9900")), _schema("0.0200")]
SignedPrice = Annotated[
    Decimal, BeforeValidator(exact), _EXACT, Field(ge=-100_000, le=100_000), _schema("0.0000", signed=True)
]
Money = Annotated[
    Decimal, BeforeValidator(exact), _EXACT, Field(ge=0, le=Decimal(900_000_000_000_000)), _schema("250000")
]
Count16 = Annotated[int, BeforeValidator(exact), Field(ge=0, le=0xFFFF)]
Count32 = Annotated[int, BeforeValidator(exact), Field(ge=0, le=0xFFFF_FFFF)]
Nanoseconds = Annotated[int, BeforeValidator(exact), Field(ge=0, lt=1 << 63)]


def currency(amount: int) -> Decimal:
    """The amount in currency of the device's whole number of 1e-4."""
    return Decimal(amount).scaleb(-4)


class Parameters(BaseModel):
    """Frozen, and refuses names it does not know."""

    model_config = ConfigDict(frozen=True, extra="forbid", validate_default=True, use_attribute_docstrings=True)


class Rate(Parameters):
    """Message rate by token bucket."""

    rate: Annotated[int, BeforeValidator(exact), Field(ge=0, le=NANOSECONDS)] = 0
    """messages per second, sustained; 0 is no limit"""
    burst: Annotated[int, BeforeValidator(exact), Field(ge=1, le=1_000_000)] = 1
    """messages that may leave at once"""

    @model_validator(mode="after")
    def _fits(self) -> Self:
        if self.rate_burst > 0xFFFF_FFFF:
            raise ValueError(
                f"burst: {self.burst} messages at {self.rate} per second are {self.rate_burst} ns of "
                "tolerance, and the device holds 2^32 - 1"
            )
        return self

    @property
    def rate_interval(self) -> int:
        """Nanoseconds that one message uses up: rounded up, so that the rate is never exceeded."""
        return -(-NANOSECONDS // self.rate) if self.rate else 0

    @property
    def rate_burst(self) -> int:
        """Nanoseconds of tolerance: ``burst`` messages at once pass, one more does not."""
        return (self.burst - 1) * self.rate_interval


class Limits(Rate):
    """Pre-trade limits of one symbol. A value equal to its limit passes, one more is refused."""

    max_quantity: Count32 = 1_000
    """shares, one order"""
    max_notional: Money = Decimal(1_000_000)
    """currency, one order"""
    max_position: Annotated[int, BeforeValidator(exact), Field(ge=0, le=0x7FFF_FFFF)] = 2_000
    """shares, long or short, worst case: position, open orders and the order itself"""
    loss_limit: Money = Decimal(25_000)
    """currency, realised and marked, the symbol"""
    collar: Price = Decimal("1.0000")
    """currency; how far beyond the best bid and offer an order may be priced"""
    locate_quantity: Count32 = 2_000
    """shares that may be sold short"""
    duplicate_window_ns: Count32 = 0
    """ns in which the same side, price and quantity is a duplicate; 0 is no check"""
    max_repeats: Count16 = 0
    """identical orders in a row; 0 is no check"""
    max_open_orders: Count16 = 8
    """orders, both sides"""
    rate: Annotated[int, BeforeValidator(exact), Field(ge=0, le=NANOSECONDS)] = 2_000
    """messages per second, sustained; 0 is no limit"""
    burst: Annotated[int, BeforeValidator(exact), Field(ge=1, le=1_000_000)] = 50
    """messages that may leave at once"""

    def settings(self) -> settings.Limits:
        """The same in the device's integers."""
        return settings.Limits(
            max_quantity=self.max_quantity,
            max_position=self.max_position,
            max_notional=settings.price(self.max_notional),
            loss_limit=settings.price(self.loss_limit),
            collar=settings.price(self.collar),
            max_open_orders=self.max_open_orders,
            locate_quantity=self.locate_quantity,
            rate_interval=self.rate_interval,
            rate_burst=self.rate_burst,
            duplicate_window=self.duplicate_window_ns,
            max_repeats=self.max_repeats,
        )


class Quoter(Parameters):
    """The two-sided quoter of one symbol."""

    enabled: bool = True
    """whether it quotes"""
    half_spread: Price = Decimal("0.0200")
    """currency; distance of each quote from the fair value"""
    offset: SignedPrice = Decimal(0)
    """currency; fair value above the microprice"""
    skew: SignedPrice = Decimal("0.0100")
    """currency per 100 shares of position, by which the fair value falls"""
    size: Annotated[int, BeforeValidator(exact), Field(ge=0, le=999_999)] = 100
    """shares of each quote"""
    min_change: Price = Decimal("0.0100")
    """currency; smaller moves leave the order where it is"""
    min_life_ns: Count32 = 0
    """ns; a quote stays where it is for as long after the last order of its side"""
    half_life_ns: Annotated[int, BeforeValidator(exact), Field(ge=1_000, le=1_000_000_000_000)] = NANOSECONDS
    """ns in which order flow, trade flow and variance fade to a half, to the device's nearest power of two"""
    order_flow: SignedPrice = Decimal(0)
    """currency by which the fair value rises per 100 shares of order flow imbalance"""
    trade_flow: SignedPrice = Decimal(0)
    """currency by which the fair value rises per 100 shares that buyers took more than sellers"""
    variance: Price = Decimal(0)
    """currency by which the half spread grows per squared currency of realised variance"""

    def settings(self, tick: Decimal) -> settings.Quoter:
        """The same in the device's integers: ticks of the ladder as Q16.16, to the nearest.

        Raises
        ------
        ValueError
            A value that does not fit the device at this tick; the text begins with its name.
        """
        fixed = {
            "half_spread": settings.ticks(self.half_spread / tick),
            "offset": settings.ticks(self.offset / tick),
            "skew": settings.ticks(self.skew / tick / 100),
            "order_flow": settings.ticks(self.order_flow / tick / 100),
            "trade_flow": settings.ticks(self.trade_flow / tick / 100),
            "variance": settings.ticks(self.variance * tick / 4),  # of a squared half tick, in ticks
        }
        for name, value in fixed.items():
            if not -(1 << 31) <= value < 1 << (32 if name in ("half_spread", "variance") else 31):
                raise ValueError(f"{name}: {getattr(self, name)} is too many ticks of {tick}")
        return settings.Quoter(
            half_spread=fixed["half_spread"],
            offset=fixed["offset"],
            skew=fixed["skew"],
            ofi_weight=fixed["order_flow"],
            trade_weight=fixed["trade_flow"],
            variance_weight=fixed["variance"],
            size=self.size,
            min_change=int((self.min_change / tick).to_integral_value(ROUND_CEILING)),
            min_life=self.min_life_ns,
            decay=settings.decay(self.half_life_ns),
            enabled=self.enabled,
        )


class Taker(Parameters):
    """The taker of one symbol: it hits what is past the host's theoretical value, immediate or cancel."""

    enabled: bool = False
    """whether it takes"""
    value: Price = Decimal(0)
    """currency; what the stock is held to be worth"""
    edge: Price = Decimal("0.0200")
    """currency; it buys at ``value - edge`` and below, and sells at ``value + edge`` and above"""
    size: Annotated[int, BeforeValidator(exact), Field(ge=0, le=999_999)] = 100
    """shares of an order, at most"""
    max_age_ns: Nanoseconds = NANOSECONDS
    """ns for which the value holds, from when the device got it; 0: for ever"""

    def settings(self) -> settings.Taker:
        """The same in the device's integers."""
        return settings.Taker(
            value=settings.price(self.value),
            edge=settings.price(self.edge),
            size=self.size,
            max_age=self.max_age_ns,
            enabled=self.enabled,
        )


class PortfolioLimits(Rate):
    """Limits over all symbols."""

    max_gross: Money = Decimal(50_000_000)
    """currency; open orders and positions of all symbols"""
    credit: Money = Decimal(1_000_000_000)
    """currency; open orders and executions of the day"""
    loss_limit: Money = Decimal(100_000)
    """currency, realised and marked, all symbols"""
    stale_ns: Nanoseconds = 5 * NANOSECONDS
    """ns without a packet from the feed; 0 is no check"""
    heartbeat_ns: Nanoseconds = 3 * NANOSECONDS
    """ns without a heartbeat from the host; 0 is no check"""
    rate: Annotated[int, BeforeValidator(exact), Field(ge=0, le=NANOSECONDS)] = 10_000
    """messages per second, sustained; 0 is no limit"""
    burst: Annotated[int, BeforeValidator(exact), Field(ge=1, le=1_000_000)] = 200
    """messages that may leave at once"""

    def settings(self, firm: str, token_prefix: str) -> settings.GlobalLimits:
        """The same in the device's integers, with what signs the orders."""
        return settings.GlobalLimits(
            max_gross=settings.price(self.max_gross),
            credit=settings.price(self.credit),
            loss_limit=settings.price(self.loss_limit),
            stale_ns=self.stale_ns,
            heartbeat_ns=self.heartbeat_ns,
            rate_interval=self.rate_interval,
            rate_burst=self.rate_burst,
            firm=firm,
            token_prefix=token_prefix,
        )
