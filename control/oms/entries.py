"""What is written about orders: the request or report, and its bytes in the journal.

Numbers are whole: prices in 1e-4, shares, ns since the epoch. Every report has the exchange's own number for it, by which it is
known when it comes twice.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import ClassVar, Self

from control.oms.rules import What
from wire.layout import Record, field
from wire.records import Side

ORDER_KIND, REQUEST_KIND, REPORT_KIND = 16, 17, 18
"""Kinds of the journal's entries."""

_ORDERED = Record(
    "Ordered",
    field("order_id", 8),
    field("parent_id", 8, "int", "0: no child"),
    field("client", 16, "alpha", "who asked"),
    field("client_order_id", 36, "alpha", "the client's own id, once per client"),
    field("stock", 8, "alpha"),
    field("side", 1, "int", "Side"),
    field("strategy", 1),
    field("is_parent", 1, "int", "1: it is worked by children and never sent itself"),
    field("reserved", 1),
    field("time_in_force", 4, "int", "OUCH 4.2, seconds"),
    field("price", 4),
    field("quantity", 8),
    order="little",
)
_REQUEST = Record(
    "Asked",
    field("order_id", 8),
    field("what", 2, "int", "What"),
    field("venue", 2),
    field("number", 4, "int", "of the request: 0 for the order itself, then 1, 2, ..."),
    field("venue_order_id", 8, "int", "the id under which the exchange knows it from here on"),
    field("price", 4),
    field("reserved", 4),
    field("quantity", 8, "int", "of a replace: all shares of the order, those executed among them"),
    order="little",
)
_REPORT = Record(
    "Report",
    field("order_id", 8),
    field("what", 2, "int", "What"),
    field("venue", 2),
    field("number", 4, "int", "of the request that it answers"),
    field("report_id", 8, "int", "the exchange's number: match number, or that of the message"),
    field("price", 4),
    field("reason", 4),
    field("quantity", 8),
    order="little",
)


class _Entry:
    """What goes into the journal: its fields are those of its record, by name."""

    __slots__ = ()
    RECORD: ClassVar[Record]

    def pack(self) -> bytes:
        """Its bytes.

        Raises
        ------
        FieldError
            Something does not fit its field.
        """
        return self.RECORD.pack({each.name: getattr(self, each.name) for each in self.RECORD.fields if each.name != "reserved"})

    @classmethod
    def unpack(cls, data: bytes) -> Self:
        """From its bytes."""
        found = cls.RECORD.unpack(data)
        found.pop("reserved", None)
        for name, kind in (("side", Side), ("what", What), ("is_parent", bool)):
            if name in found:
                found[name] = kind(found[name])
        return cls(**found)


@dataclass(frozen=True, slots=True)
class Ordered(_Entry):
    """An order as it was asked for."""

    RECORD: ClassVar[Record] = _ORDERED
    order_id: int
    client: str
    client_order_id: str
    stock: str
    side: Side
    price: int
    quantity: int
    strategy: int = 0
    time_in_force: int = 0
    parent_id: int = 0
    is_parent: bool = False

    def __post_init__(self) -> None:
        if not self.client_order_id or not self.client:
            raise ValueError("client and client_order_id: not empty")
        if self.quantity < 1:
            raise ValueError(f"quantity {self.quantity}: at least 1")
        if self.side not in (Side.BUY, Side.SELL):
            raise ValueError(f"side {self.side!r}: buy or sell")

    def same_as(self, other: Ordered) -> bool:
        """Whether both ask for the same; their numbers may differ."""
        return replace(self, order_id=0) == replace(other, order_id=0)


@dataclass(frozen=True, slots=True)
class Asked(_Entry):
    """A request about an order."""

    RECORD: ClassVar[Record] = _REQUEST
    order_id: int
    what: What
    number: int
    venue: int = 0
    venue_order_id: int = 0
    price: int = 0
    quantity: int = 0


@dataclass(frozen=True, slots=True)
class Report(_Entry):
    """What the exchange, or the gate, said of an order.

    Parameters
    ----------
    number : int
        Of the request that it is about: of a replace that was confirmed or rejected, of a cancel that was rejected; of an
        execution or a cancel the one whose terms were in force.
    report_id : int
        For EXECUTED the match number, for BUSTED that of the execution which is void. For the others the exchange's number of
        the message. With ``venue`` and ``what`` it is unique.
    quantity : int
        EXECUTED: shares of the execution. CANCELLED: shares that are no longer open. ACCEPTED, REPLACED: all shares of the order.
    reason : int
        REFUSED: mask of ``wire.reasons``. REJECTED, CANCELLED, ...: the exchange's code.
    """

    RECORD: ClassVar[Record] = _REPORT
    order_id: int
    what: What
    report_id: int
    venue: int = 0
    number: int = 0
    price: int = 0
    quantity: int = 0
    reason: int = 0

    @property
    def key(self) -> tuple[int, int, int]:
        """By which it is known when it comes again."""
        return self.venue, self.what, self.report_id
