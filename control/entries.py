"""What is written about the desk: starts, settings, kills; who did it, and why. Beside the orders' own (`control.oms.entries`).

These are rare and of no fixed length: the payload is the JSON text of the model.
"""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any, ClassVar, Literal, Self

from pydantic import BaseModel, ConfigDict

from control.oms.entries import ORDER_KIND, REPORT_KIND, REQUEST_KIND, Asked, Ordered, Report, reason_names
from control.oms.rules import What
from control.parameters import currency
from control.store import Record

STARTED_KIND, CHANGED_KIND, KILLED_KIND, CLEARED_KIND = 32, 33, 34, 35
"""Kinds of the journal's entries."""

SettingName = Literal["limits", "quoter", "taker", "portfolio", "enabled"]


class _Entry(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")
    KIND: ClassVar[int]

    def pack(self) -> bytes:
        """Its bytes."""
        return self.model_dump_json().encode()

    @classmethod
    def unpack(cls, data: bytes) -> Self:
        """From its bytes.

        Raises
        ------
        pydantic.ValidationError
            They are none of such an entry.
        """
        return cls.model_validate_json(data)


class Started(_Entry):
    """A process took the journal over, with a device that knows of no order. ``run`` counts them from 1."""

    KIND = STARTED_KIND
    run: int
    device: str
    version: str


class Changed(_Entry):
    """A setting that the device acknowledged: ``value`` as the API gives it, ``version`` how often it was set."""

    KIND = CHANGED_KIND
    setting: SettingName
    stock: str = ""
    value: dict[str, Any]
    version: int
    who: str


class Killed(_Entry):
    """A kill switch that was thrown. ``stock`` "" and ``strategy`` None: everything."""

    KIND = KILLED_KIND
    stock: str = ""
    strategy: int | None = None
    reason: str
    who: str


class Cleared(_Entry):
    """A kill switch that was taken back."""

    KIND = CLEARED_KIND
    stock: str = ""
    strategy: int | None = None
    who: str


Entry = Started | Changed | Killed | Cleared
_KINDS: dict[int, type[Entry]] = {each.KIND: each for each in (Started, Changed, Killed, Cleared)}
_ORDERS: dict[int, type[Ordered] | type[Asked] | type[Report]] = {
    ORDER_KIND: Ordered,
    REQUEST_KIND: Asked,
    REPORT_KIND: Report,
}
_NAMES = {ORDER_KIND: "order", REQUEST_KIND: "request", REPORT_KIND: "report"}


def read(record: Record) -> Entry | None:
    """The entry of the desk that a record is; None if it is another's."""
    kind = _KINDS.get(record.kind)
    return None if kind is None else kind.unpack(record.payload)


def described(record: Record) -> dict[str, Any]:
    """An entry of the journal in words: prices as decimal text, times in UTC and ns, ids in hex."""
    moment = datetime.fromtimestamp(record.timestamp // 1_000_000_000, UTC)
    told: dict[str, Any] = {
        "sequence": record.sequence,
        "timestamp_ns": record.timestamp,
        "time": f"{moment:%Y-%m-%d %H:%M:%S}.{record.timestamp % 1_000_000_000:09}",
    }
    entry = read(record)
    if entry is not None:
        return told | {"kind": type(entry).__name__.lower(), **entry.model_dump(mode="json")}
    kind = _ORDERS.get(record.kind)
    if kind is None:
        return told | {"kind": record.kind, "payload": record.payload.hex()}
    return told | {"kind": _NAMES[record.kind], **_order(kind.unpack(record.payload))}


def _order(entry: Ordered | Asked | Report) -> dict[str, Any]:
    found: dict[str, Any] = {each.name: getattr(entry, each.name) for each in entry.RECORD.fields if each.name != "reserved"}
    for name in ("side", "what"):
        if name in found:
            found[name] = found[name].name.lower()
    found["price"] = str(currency(found["price"]))
    if "venue_order_id" in found:
        found["venue_order_id"] = f"{found['venue_order_id']:016X}"
    if isinstance(entry, Report) and entry.what is What.REFUSED:
        found["reasons"] = reason_names(entry.reason)
    return {name: value for name, value in found.items() if value not in (0, "", False) or name == "number"}
