"""What is written about orders: the request or report, and its bytes in the journal.

Numbers are whole: prices in 1e-4, shares, ns since the epoch. Every report has the exchange's own number for it, by which it is
known when it comes twice.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import cache
from operator import attrgetter
from struct import Struct
from struct import error as StructError
from typing import Any, ClassVar, Self

from control.oms.rules import What
from wire import reasons
from wire.errors import LengthError
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
    field("marking", 1, "int", "of the order that went out: character of OUCH, 0: not said"),
    field("reserved", 3),
    field("quantity", 8, "int", "of a replace: all shares of the order, those executed among them"),
    field("stamp", 8, "int", "ns of the device's clock when it went out, 0: not said"),
    field("client_order_id", 36, "alpha", "the client's own id of the request, once per client"),
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
    field("stamp", 8, "int", "ns of the device's clock when it was told, 0: not said"),
    order="little",
)

NO_SUCH_ORDER, ORDER_BUSY, DEVICE_ERROR = 1 << 31, 1 << 30, 1 << 29
"""Reasons of REFUSED beside those of the risk gate (``wire.reasons``), which have the low bits: the device has no such order
that is open, the order waits for the exchange, the device could not take the command."""


def reason_names(mask: int) -> list[str]:
    """The names of the reasons in the mask of a REFUSED."""
    ours = ((NO_SUCH_ORDER, "no_such_order"), (ORDER_BUSY, "order_busy"), (DEVICE_ERROR, "device_error"))
    return [*reasons.names(mask), *(name for bit, name in ours if mask & bit)]



@cache
def _plan(record: Record) -> tuple[Struct, Callable[[Any], tuple[Any, ...]], tuple[str, ...], tuple[tuple[int, int], ...]]:
    """What packs a record at once: its bytes, its values out of an entry, their names, place and width of texts."""
    letters = {1: "B", 2: "H", 4: "I", 8: "Q"}
    parts: list[str] = ["<"]
    names: list[str] = []
    texts: list[tuple[int, int]] = []
    for each in record.fields:
        if each.name == "reserved":
            parts.append(f"{each.width}x")
            continue
        if each.kind == "alpha":
            texts.append((len(names), each.width))
        names.append(each.name)
        parts.append(f"{each.width}s" if each.kind == "alpha" else letters[each.width])
    return Struct("".join(parts)), attrgetter(*names), tuple(names), tuple(texts)


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
        octets, values_of, names, texts = _plan(self.RECORD)
        values = list(values_of(self))
        try:
            for at, width in texts:
                text = values[at].encode("ascii")
                if len(text) > width:
                    raise StructError
                values[at] = text.ljust(width)
            return octets.pack(*values)
        except (StructError, UnicodeEncodeError):  # the record says what is wrong
            return self.RECORD.pack(dict(zip(names, values_of(self), strict=True)))

    @classmethod
    def unpack(cls, data: bytes) -> Self:
        """From its bytes.

        Raises
        ------
        LengthError
            They are none of such an entry.
        """
        octets, _, names, texts = _plan(cls.RECORD)
        if len(data) != octets.size:
            raise LengthError(cls.RECORD.name, 0, expected=octets.size, found=len(data))
        values = list(octets.unpack(data))
        for at, _ in texts:
            values[at] = values[at].decode("ascii").rstrip(" ")
        found = dict(zip(names, values, strict=True))
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
    """A request about an order.

    A SEND with a number above 0 says under which id of the exchange the replace of that number went out.
    """

    RECORD: ClassVar[Record] = _REQUEST
    order_id: int
    what: What
    number: int
    venue: int = 0
    venue_order_id: int = 0
    price: int = 0
    quantity: int = 0
    marking: int = 0
    stamp: int = 0
    client_order_id: str = ""


@dataclass(frozen=True, slots=True)
class Report(_Entry):
    """What the exchange, or the gate, said of an order.

    Parameters
    ----------
    number : int
        Of the request that it is about: of a replace that was confirmed or rejected, of a cancel that was rejected; of an
        execution or a cancel the one whose terms were in force.
    report_id : int
        For EXECUTED the match number, for BUSTED that of the execution which is void, for CANCELLED
        `control.oms.events.cancel_id`. Of one order it is unique with ``venue`` and ``what``.
    quantity : int
        EXECUTED: shares of the execution. CANCELLED: shares that are no longer open. ACCEPTED, REPLACED: all shares of the order.
    reason : int
        REFUSED: mask of ``wire.reasons`` and the bits above. REJECTED, CANCELLED, ...: the exchange's code.
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
    stamp: int = 0

    @property
    def key(self) -> tuple[int, int, int]:
        """By which it is known when it comes again."""
        return self.venue, self.what, self.report_id
