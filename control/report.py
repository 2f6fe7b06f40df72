"""The report of a run: what happened, how fast each device was, and whether they agree.

One JSON object of schema ``hairpin.report/1``. What depends on this machine and moment stands under
``timing`` and ``created``; all the rest is the same whenever the same configuration runs. Prices and money
are decimal texts in currency, times ns, quantities shares.
"""

from __future__ import annotations

from typing import Any, Literal

import orjson
from pydantic import BaseModel, ConfigDict, Field

SCHEMA = "hairpin.report/1"


class Part(BaseModel):
    """A part of the report."""

    model_config = ConfigDict(frozen=True, extra="forbid", use_attribute_docstrings=True)


class InputReport(Part):
    """What came in."""

    source: str
    """``synthetic`` or the file"""
    description: str
    """in words"""
    seed: int
    stocks: list[str]
    """stocks by symbol index"""
    messages: int
    """messages published"""
    by_type: dict[str, int]
    """messages published, by ITCH type"""
    first_ns: int
    """ns since midnight of the first message"""
    last_ns: int
    """ns since midnight of the last one"""
    inputs: int
    """frames, session bytes, commands and ticks that each device was given"""
    digest: str
    """SHA-256 of messages and times"""


class FeedReport(Part):
    """How the feed was received."""

    frames: int
    packets_a: int
    packets_b: int
    packets_recovery: int
    packets_duplicate: int
    packets_held: int
    packets_dropped: int
    gaps: int
    """gaps declared"""
    lost: int
    """messages that the gaps were about"""
    recovered: int
    """gaps that were closed by the re-request server"""
    abandoned: int
    """gaps that were given up"""
    trust_lost: int
    trust_regained: int
    messages: int
    """messages taken in sequence"""
    by_type: dict[str, int]


class LevelReport(Part):
    """One price level."""

    price: str
    quantity: int
    orders: int


class OpenOrderReport(Part):
    """One of our own orders that is still open."""

    id: str
    side: Literal["buy", "sell"]
    state: str
    price: str
    remaining: int
    strategy: int


class SymbolReport(Part):
    """One stock at the end."""

    stock: str
    trusted: bool
    """the book could be believed"""
    bids: list[LevelReport]
    asks: list[LevelReport]
    position: int
    cash: str
    mark: str
    pnl: str
    bought: int
    """shares"""
    sold: int
    """shares"""
    fills: int
    orders_sent: int
    orders_refused: int
    open_orders: list[OpenOrderReport]
    blocked_by: list[str]
    """what keeps the quoter from quoting now"""


class OrdersReport(Part):
    """Order messages, and what the exchange answered."""

    new: int
    replace: int
    cancel: int
    refused: int
    accepted: int
    replaced: int
    executed: int
    cancelled: int
    rejected: int
    cancel_rejected: int

    @property
    def sent(self) -> int:
        """Order messages that left."""
        return self.new + self.replace + self.cancel


class Distribution(Part):
    """How long things took."""

    what: str
    """what was measured, and how"""
    unit: Literal["ns", "cycles"]
    count: int
    minimum: float
    median: float
    p99: float
    p999: float
    maximum: float
    histogram: list[tuple[float, int]]
    """lower edge of a bucket, and how many fell into it"""


class ClockReport(Part):
    """The clock that the card's cycles are counted in."""

    mhz: float | None
    """None where the card has not been placed and routed"""
    source: str


class DeviceTiming(Part):
    """How fast it was, here and now."""

    seconds: float
    """wall time inside the device"""
    inputs_per_second: float
    messages_per_second: float
    latency: Distribution | None = None
    """software: wall time, ns"""
    cycles: int | None = None
    """the card: clock cycles simulated"""
    cycles_per_second: float | None = None


class DeviceReport(Part):
    """One device."""

    name: Literal["software", "twin"]
    identity: dict[str, Any]
    events: int
    events_sha256: str
    outputs: int
    outputs_sha256: str
    feed: FeedReport
    orders: OrdersReport
    rejects: dict[str, int]
    """orders refused, by reason; an order has every reason that it failed"""
    symbols: list[SymbolReport]
    pnl: str
    cash: str
    counters: dict[str, int]
    latency: Distribution | None = None
    """the card: trigger to order in clock cycles, which are the same whenever the same run is made"""
    clock: ClockReport | None = None
    timing: DeviceTiming


class Difference(Part):
    """The first place where two devices part."""

    what: Literal["output", "event", "counter", "snapshot"]
    where: str
    """in words: which one of them, and when"""
    software: Any
    twin: Any


class ParityReport(Part):
    """Whether the devices gave one answer."""

    agree: bool
    outputs_compared: int
    events_compared: int
    counters_compared: int
    snapshots_compared: int
    first_difference: Difference | None = None


class Report(Part):
    """A run."""

    report_schema: Literal["hairpin.report/1"] = Field(default="hairpin.report/1", alias="schema")
    version: str
    created: str
    """UTC, ISO 8601"""
    input: InputReport
    devices: list[DeviceReport]
    parity: ParityReport | None = None
    """only where both ran"""
    configuration: dict[str, Any]

    model_config = ConfigDict(populate_by_name=True)

    @property
    def good(self) -> bool:
        """Whether nothing that ran contradicts anything else."""
        return self.parity is None or self.parity.agree


def to_json(report: Report) -> bytes:
    """The report as one JSON object, indented, with a newline."""
    return orjson.dumps(
        report.model_dump(mode="json", by_alias=True), option=orjson.OPT_INDENT_2 | orjson.OPT_APPEND_NEWLINE
    )


def without_timing(report: dict[str, Any]) -> dict[str, Any]:
    """A report's JSON without what depends on machine and moment."""

    def bare(value: Any) -> Any:
        if isinstance(value, dict):
            return {name: bare(each) for name, each in value.items() if name not in ("timing", "created")}
        return [bare(each) for each in value] if isinstance(value, list) else value

    cleaned: dict[str, Any] = bare(report)
    return cleaned
