"""What a FIX order is to be: the fields of a NewOrderSingle or a replacement as :class:`~sim.exchange.entry.Terms`.

Orders are limit or market; for the day, immediate or cancel, at the opening, at the close (4.2 says that by OrdType 5
and B, for it has no such TimeInForce); post-only by ExecInst 6; a reserve by MaxFloor (111) or DisplayQty (1138), hidden
where that is 0. Anything else is refused, by name.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

from sim.exchange.entry import Terms
from sim.exchange.matching.state import ALL_SHOWN, BUY, IMMEDIATE, MARKET_PRICE, ON_CLOSE, ON_OPEN, POST_ONLY, SELL, Reject
from sim.exchange.ouch42 import NO_SYMBOL
from wire.errors import FieldError
from wire.fix.message import Message
from wire.fix.numbers import price_text

NOT_OFFERED = {
    99: "StopPx", 110: "MinQty", 126: "ExpireTime", 152: "CashOrderQty", 168: "EffectiveTime", 210: "MaxShow",
    211: "PegOffsetValue", 388: "DiscretionInst", 432: "ExpireDate", 847: "TargetStrategy", 1084: "DisplayMethod",
    1100: "TriggerType",
}  # fmt: skip
"""Refused unless it is 0."""
SIDES = {"1": BUY, "2": SELL, "5": SELL, "6": SELL}
LIFETIMES = {"": 0, "0": 0, "2": ON_OPEN, "3": IMMEDIATE, "7": ON_CLOSE}
BROKER_OPTION, CLOSED, UNKNOWN_ORDER, DUPLICATE, UNSUPPORTED, QUANTITY = 0, 2, 5, 6, 11, 13
"""OrdRejReason (103)."""
LAST_REASON_42 = 8
REFUSALS = {
    Reject.SYMBOL: 1,
    Reject.SHARES: QUANTITY,
    Reject.HALTED: CLOSED,
    Reject.DISPLAY: UNSUPPORTED,
    Reject.CROSS: UNSUPPORTED,
}
"""What the core refuses; all others are BROKER_OPTION."""
_QUANTITY = re.compile(rb"0*(\d{1,12})(?:\.0*)?")


@dataclass(frozen=True)
class Dialect:
    """Where the versions differ."""

    version: str
    transactions: bool = False
    """ExecTransType (20), and fills by ExecType 1 and 2 instead of F."""
    order_types: tuple[tuple[str, bool, int], ...] = (("1", True, 0), ("2", False, 0))
    """OrdType, whether it is a market order, the flags it sets."""
    display: tuple[int, ...] = (111,)
    """The tags by which an order says what is to be seen of it; the first one that it has counts."""
    match_tag: int = 0
    """Where a fill has its match number; 4.2 has no place for it."""


DIALECTS = {
    "fix42": Dialect(
        "FIX.4.2",
        transactions=True,
        order_types=(("1", True, 0), ("2", False, 0), ("5", True, ON_CLOSE), ("B", False, ON_CLOSE)),
    ),
    "fix44": Dialect("FIX.4.4", match_tag=527),
    "fix50": Dialect("FIX.5.0SP2", display=(1138, 111), match_tag=880),
}


class RefusedOrder(Exception):
    """An order that does not get as far as the core: OrdRejReason and text."""

    def __init__(self, reason: int, text: str) -> None:
        super().__init__(text)
        self.reason, self.text = reason, text


class MissingField(Exception):
    """A field that this message cannot do without, though its dictionary would allow it."""


def terms_of(message: Message, dialect: Dialect, symbols: dict[str, int], firm: int) -> Terms:
    """The terms in a message that is valid by its dictionary.

    Raises
    ------
    RefusedOrder
        It asks for something that is not offered.
    MissingField
        No OrderQty, or a limit order without a Price.
    """
    for tag, name in NOT_OFFERED.items():
        if tag in message and message.text(tag).strip("0."):
            raise RefusedOrder(UNSUPPORTED, f"{name} ({tag}) is not offered")
    kind, lifetime, side = message.text(40), message.text(59), message.text(54)
    found = next((each for each in dialect.order_types if each[0] == kind), None)
    if found is None:
        raise RefusedOrder(UNSUPPORTED, f"OrdType (40) {kind} is not offered")
    if lifetime not in LIFETIMES:
        raise RefusedOrder(UNSUPPORTED, f"TimeInForce (59) {lifetime} is not offered")
    if side not in SIDES:
        raise RefusedOrder(UNSUPPORTED, f"Side (54) {side} is not offered")
    instructions = message.text(18).split()
    if set(instructions) - {"6"}:
        raise RefusedOrder(UNSUPPORTED, f"ExecInst (18) {' '.join(instructions)} is not offered, only 6")
    _, is_market, flags = found
    flags |= LIFETIMES[lifetime] | (POST_ONLY if instructions else 0)
    shares = _quantity(message, 38)
    floor = next((tag for tag in dialect.display if tag in message), 38)
    shown = _quantity(message, floor)
    price = MARKET_PRICE if is_market else _price(message)
    display = shown if shown < shares else ALL_SHOWN
    return Terms(symbols.get(message.text(55), NO_SYMBOL), SIDES[side], shares, price, display, flags, firm)


def _quantity(message: Message, tag: int) -> int:
    if tag not in message:
        raise MissingField(f"OrderQty ({tag})")
    found = _QUANTITY.fullmatch(bytes(message[tag]))
    if found is None:
        raise RefusedOrder(QUANTITY, f"{message.text(tag)} in tag {tag} is no whole number of shares")
    return int(found[1])


def _price(message: Message) -> int:
    if 44 not in message:
        raise MissingField("Price (44)")
    try:
        price = message.price(44)
    except FieldError as error:
        raise RefusedOrder(BROKER_OPTION, f"Price (44) {message.text(44)} is no number of 1e-4 of 32 bits") from error
    if price >= MARKET_PRICE:
        raise RefusedOrder(BROKER_OPTION, f"Price (44) {message.text(44)}: below {price_text(MARKET_PRICE).decode()}")
    return price
