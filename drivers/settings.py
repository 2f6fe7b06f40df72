"""What a device is set to, in the device's own units.

Prices are whole numbers of 1e-4 of the currency, money those times shares, quantities shares, time
nanoseconds. Values in ticks of the ladder that may be fractions (offset, half spread, skew) are Q16.16:
`ticks` makes them, `in_ticks` undoes it. Every field is checked when a command is built from it, and the
error names field and value.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from decimal import ROUND_HALF_EVEN, Decimal

from wire.records import MAX_DECAY

FRACTION_BITS = 16
PRICE_UNIT = Decimal("0.0001")


def decay(half_life_ns: int) -> int:
    """The device's decay whose half-life is nearest to this one, by ratio: 7/8 in each period of 2^(8 + decay) ns."""
    period = half_life_ns * math.log(8 / 7) / math.log(2)
    return min(max(round(math.log2(period)) - 8, 0), MAX_DECAY)


def ticks(value: Decimal | float | str) -> int:
    """``value`` ticks as Q16.16, to the nearest, halves to even.

    Raises
    ------
    ValueError
        Not a finite number.
    """
    number = value if isinstance(value, Decimal) else Decimal(str(value))
    if not number.is_finite():
        raise ValueError(f"{value!r} is not a finite number of ticks")
    return int((number * (1 << FRACTION_BITS)).to_integral_value(ROUND_HALF_EVEN))


def in_ticks(fixed: int) -> float:
    """The number of ticks that a Q16.16 integer stands for; exact."""
    return math.ldexp(fixed, -FRACTION_BITS)


def price(value: Decimal | float | str) -> int:
    """``value`` of the currency in units of 1e-4.

    A float stands for the decimal number that Python prints for it.

    Raises
    ------
    ValueError
        It is no whole number of 1e-4, or not a number.
    """
    number = value if isinstance(value, Decimal) else Decimal(str(value))
    scaled = number / PRICE_UNIT
    if not scaled.is_finite() or scaled != scaled.to_integral_value():
        raise ValueError(f"{value!r} is no whole number of {PRICE_UNIT}")
    return int(scaled)


@dataclass(frozen=True, slots=True, kw_only=True)
class SymbolSetup:
    """A stock and its ladder.

    Parameters
    ----------
    stock : str
        As in OUCH, up to 8 characters.
    stock_locate : int
        The exchange's number for it on this day, 1 to 16383.
    base_price, tick : int
        1e-4: price of ladder level 0, and the step from level to level.
    enabled : bool
        Whether orders are let through at all.
    trading_state : str
        ``T`` trading, ``H`` halted, ``P`` paused, ``Q`` quotation only: the state until the feed says one.
    """

    stock: str
    stock_locate: int
    base_price: int
    tick: int
    enabled: bool = True
    trading_state: str = "T"


@dataclass(frozen=True, slots=True, kw_only=True)
class Limits:
    """Pre-trade limits of one symbol. A value equal to its limit passes.

    Parameters
    ----------
    max_quantity, max_position : int
        Shares: of one order; long or short in the worst case.
    max_notional, loss_limit : int
        1e-4 x shares: of one order; realised and marked loss.
    collar : int
        1e-4: distance beyond the best bid and offer.
    max_open_orders : int
        Both sides together.
    locate_quantity : int
        Shares that may be sold short.
    rate_interval, rate_burst : int
        ns per message, sustained (0: no limit), and ns of tolerance.
    duplicate_window : int
        ns in which side, price and quantity may not come again; 0: no check.
    max_repeats : int
        Identical orders in a row; 0: no check.
    """

    max_quantity: int
    max_position: int
    max_notional: int
    loss_limit: int
    collar: int
    max_open_orders: int
    locate_quantity: int = 0
    rate_interval: int = 0
    rate_burst: int = 0
    duplicate_window: int = 0
    max_repeats: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Quoter:
    """The two-sided quoter of one symbol.

    Parameters
    ----------
    half_spread : int
        Ticks, Q16.16: from the fair value to each quote.
    size : int
        Shares of each quote.
    offset : int
        Ticks, Q16.16, signed: fair value above the microprice.
    skew : int
        Ticks per share of position, Q16.16, signed: by which the fair value falls.
    min_change : int
        Whole ticks: smaller moves leave the order where it is.
    enabled : bool
    decay : int
        0 to 31: the flow signals lose an eighth in 2^(8 + decay) ns.
    min_life : int
        ns: a quote stays where it is for as long after the last order of its side.
    ofi_weight, trade_weight : int
        Ticks, Q16.16, signed: by which the fair value rises per share of order flow imbalance and of trade imbalance.
    variance_weight : int
        Ticks, Q16.16: by which the half spread grows per half tick squared of realised variance.
    """

    half_spread: int
    size: int
    offset: int = 0
    skew: int = 0
    min_change: int = 1
    enabled: bool = True
    decay: int = 20
    min_life: int = 0
    ofi_weight: int = 0
    trade_weight: int = 0
    variance_weight: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Taker:
    """The taker of one symbol: immediate-or-cancel orders for what is past the host's theoretical value.

    Parameters
    ----------
    value : int
        1e-4: what the host holds the stock to be worth.
    edge : int
        1e-4: it buys at ``value - edge`` and below, and sells at ``value + edge`` and above.
    size : int
        Shares of an order, at most.
    max_age : int
        ns for which the value holds; 0: for ever.
    enabled : bool
    """

    value: int
    edge: int
    size: int
    max_age: int = 0
    enabled: bool = True


@dataclass(frozen=True, slots=True, kw_only=True)
class GlobalLimits:
    """Limits over all symbols, and how orders are signed.

    Parameters
    ----------
    max_gross, credit, loss_limit : int
        1e-4 x shares: open orders and positions; open orders and executions of the day; realised and marked
        loss.
    stale_ns, heartbeat_ns : int
        ns without a packet of the feed, without a heartbeat of the host; 0: no check.
    rate_interval, rate_burst : int
        ns per message, sustained (0: no limit), and ns of tolerance.
    firm : str
        OUCH firm, up to 4 characters.
    token_prefix : str
        First two characters of every order token.
    """

    max_gross: int
    credit: int
    loss_limit: int
    stale_ns: int = 0
    heartbeat_ns: int = 0
    rate_interval: int = 0
    rate_burst: int = 0
    firm: str = ""
    token_prefix: str = "HP"


@dataclass(frozen=True, slots=True, kw_only=True)
class Feed:
    """The market-data feed.

    Parameters
    ----------
    start_sequence : int
        Number of the first message; 0 joins at the first packet, and the books are not trusted until the
        host says so.
    hold_ns : int
        ns that a packet ahead of sequence waits before the gap is declared.
    session : str
        MoldUDP64 session; blank takes any.
    address_a, port_a, address_b, port_b : int
        Destination of the feeds, IPv4 and UDP; 0: any.
    strict : bool
        Whether an unknown order reference makes its symbol untrusted.
    """

    start_sequence: int = 1
    hold_ns: int = 1_000_000
    session: str = ""
    address_a: int = 0
    port_a: int = 0
    address_b: int = 0
    port_b: int = 0
    strict: bool = True
