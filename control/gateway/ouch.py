"""What the exchange says in OUCH 4.2 or 5.0, in words that are the same for both; and what is said to it past a device, which
cannot trade: cancel, and enter for no shares.

Orders go by the device's ids: in 4.2 the token has the id in hexadecimal behind a prefix, in 5.0 it is the user reference number
(docs/architecture.md, section 9).
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum
from typing import Any

from wire import appendage, ouch42, ouch50
from wire.records import ORDER_ID_BITS, USER_REFERENCE_BITS, OuchVersion, Side, token

_DIGITS = ORDER_ID_BITS // 4
_REFERENCE = (1 << USER_REFERENCE_BITS) - 1
Name = str | int
"""An order token of 4.2, or a user reference number of 5.0."""


class Kind(Enum):
    """What is said."""

    ACCEPTED = "accepted"
    REPLACED = "replaced"
    EXECUTED = "executed"
    CANCELLED = "cancelled"
    BROKEN = "broken"
    REJECTED = "rejected"
    CANCEL_REJECTED = "cancel rejected"
    OTHER = "other"


@dataclass(frozen=True, slots=True)
class Told:
    """A message of the exchange. What a kind does not have is 0, or empty.

    Parameters
    ----------
    order_id : int
        -1 for a name that no device gives.
    name, previous : Name
        What the exchange calls the order; of a REPLACED, what it called the one whose place that has taken.
    price : int
        1e-4.
    quantity : int
        Shares: open ones of ACCEPTED and REPLACED, else those that the message is about.
    previous_id : int
        What a REPLACED has taken the place of.
    reference : int
        The exchange's own number of the order.
    is_dead : bool
        ACCEPTED or REPLACED, and gone at once.
    reason : str
        Of CANCELLED, REJECTED, BROKEN.
    """

    kind: Kind
    timestamp: int
    order_id: int = -1
    side: Side = Side.BUY
    stock: str = ""
    price: int = 0
    quantity: int = 0
    previous_id: int = 0
    match_number: int = 0
    reference: int = 0
    is_dead: bool = False
    reason: str = ""
    name: Name = ""
    previous: Name = ""


_KINDS = {
    "A": Kind.ACCEPTED,
    "U": Kind.REPLACED,
    "E": Kind.EXECUTED,
    "G": Kind.EXECUTED,
    "C": Kind.CANCELLED,
    "D": Kind.CANCELLED,
    "B": Kind.BROKEN,
    "J": Kind.REJECTED,
    "I": Kind.CANCEL_REJECTED,
}
_QUANTITIES = ("shares", "quantity", "executed_shares", "decrement_shares")
_PRICES = ("price", "execution_price")


class Ouch:
    """A version of OUCH, and how orders are called in it.

    Parameters
    ----------
    version : OuchVersion
    prefix : str
        Two characters in front of the id in a token of 4.2.
    """

    def __init__(self, version: OuchVersion, prefix: str) -> None:
        self.version, self.prefix = version, prefix

    def read(self, message: bytes) -> Told:
        """What a message says.

        Raises
        ------
        WireError
            It is none of this version.
        """
        fields = self._unpack(message)
        kind = _KINDS.get(fields["type"], Kind.OTHER)
        if kind is Kind.OTHER:
            return Told(kind, fields["timestamp"])
        name, previous = self._names(fields, kind)
        return Told(
            kind,
            fields["timestamp"],
            order_id=self._id(name),
            side=Side.BUY if fields.get("side", "B") == "B" else Side.SELL,
            stock=fields.get("stock", fields.get("symbol", "")),
            price=next((fields[name] for name in _PRICES if name in fields), 0),
            quantity=next((fields[name] for name in _QUANTITIES if name in fields), 0),
            previous_id=self._id(previous) if previous else 0,
            match_number=fields.get("match_number", 0),
            reference=fields.get("order_reference", 0),
            is_dead=fields.get("order_state") == "D",
            reason=str(fields.get("reason", "")),
            name=name,
            previous=previous,
        )

    def _unpack(self, message: bytes) -> dict[str, Any]:
        if self.version is OuchVersion.V4_2:
            return ouch42.OUTBOUND.unpack(message)
        _, fields, _ = appendage.unpack(ouch50.OUTBOUND, message)
        return fields

    def _names(self, fields: dict[str, Any], kind: Kind) -> tuple[Name, Name]:
        is_replaced = kind is Kind.REPLACED
        if self.version is OuchVersion.V5_0:
            return fields["user_reference_number"], fields["original_user_reference_number"] if is_replaced else ""
        if is_replaced:
            return fields["replacement_order_token"], fields["previous_order_token"]
        return fields["order_token"], ""

    def _id(self, name: Name) -> int:
        if isinstance(name, int):
            return name
        digits = name[len(self.prefix) :]
        if not name.startswith(self.prefix) or len(digits) != _DIGITS:
            return -1
        try:
            return int(digits, 16)
        except ValueError:
            return -1

    def name(self, order_id: int) -> Name:
        """What the exchange calls an order of a device."""
        return token(self.prefix, order_id) if self.version is OuchVersion.V4_2 else order_id & _REFERENCE

    def cancel(self, name: Name) -> bytes:
        """The message that takes an order back whole."""
        if self.version is OuchVersion.V5_0:
            return ouch50.CANCEL_ORDER_REQUEST.pack(user_reference_number=name, quantity=0)
        return ouch42.CANCEL_ORDER.pack(order_token=name, shares=0)

    def enter_nothing(self, name: Name) -> bytes:
        """An order of no shares, which is rejected; or ignored, if its name is known: a repetition.

        So an order that may never have arrived gets an answer, and will not trade if it arrives after all.
        """
        words: dict[str, Any] = {"side": "B", "price": 10_000, "display": "Y", "capacity": "P", "cross_type": "N"}
        words["intermarket_sweep_eligibility"] = "N"
        if self.version is OuchVersion.V5_0:
            return appendage.pack(ouch50.ENTER_ORDER, words | {"user_reference_number": name, "time_in_force": "3"})
        return ouch42.ENTER_ORDER.pack(words | {"order_token": name, "customer_type": " "})
