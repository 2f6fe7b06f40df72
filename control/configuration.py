"""What a run is made of: one TOML file, environment variables and flags, checked before anything starts.

Defaults give way to the file, the file to ``HAIRPIN_*`` (``HAIRPIN_INPUT__SEED=7``), those to flags. A key or
value that is wrong is an :class:`ConfigurationError` with file, line, key and reason for each.
"""

from __future__ import annotations

import re
from decimal import Decimal
from ipaddress import IPv4Address
from pathlib import Path
from typing import Annotated, Any, Literal, Self

from pydantic import (
    AfterValidator,
    BeforeValidator,
    Field,
    PlainSerializer,
    WithJsonSchema,
    model_validator,
)
from pydantic_settings import BaseSettings, PydanticBaseSettingsSource, SettingsConfigDict

from control.parameters import (
    Limits,
    Nanoseconds,
    Parameters,
    PortfolioLimits,
    Price,
    Quoter,
    Rate,
    exact,
)
from wire.records import OuchVersion

STOCK = re.compile(r"^[A-Z][A-Z0-9.\-+=^#]{0,7}$")
SYNTHETIC = "synthetic"


def _stock(name: str) -> str:
    if not STOCK.match(name):
        raise ValueError("a stock symbol is 1 to 8 characters, capitals first: AMZN, BRK.B")
    return name


def _listed(value: Any) -> Any:
    """``AMZN,AAPL`` as the environment and the command line write it."""
    return [each.strip() for each in value.split(",") if each.strip()] if isinstance(value, str) else value


Positive = Annotated[int, BeforeValidator(exact), Field(ge=1)]
Stock = Annotated[str, AfterValidator(_stock), Field(examples=["AMZN"])]
Address = Annotated[
    IPv4Address,
    PlainSerializer(str, return_type=str),
    WithJsonSchema({"type": "string", "format": "ipv4", "examples": ["233.54.12.111"]}),
]
Probability = Annotated[
    Decimal,
    Field(ge=0, le=1),
    PlainSerializer(str, return_type=str),
    WithJsonSchema({"type": "number", "minimum": 0, "maximum": 1}),
]
Speed = Annotated[
    Decimal,
    Field(gt=0, le=1_000_000),
    PlainSerializer(str, return_type=str),
    WithJsonSchema({"type": "number", "exclusiveMinimum": 0, "maximum": 1_000_000}),
]
Server = Annotated[
    str, Field(pattern=r"^(nats|tls)://[^/\s]+:\d{1,5}$", examples=["nats://10.0.0.1:4222"])
]
Text10 = Annotated[str, Field(max_length=10, pattern=r"^[\x21-\x7e]*$")]


class Input(Parameters):
    """What comes in."""

    source: str = SYNTHETIC
    """``synthetic``, or a file: ITCH 5.0 BinaryFILE (plain or gz), LOBSTER csv or zip, pcap of MoldUDP64"""
    seed: Annotated[int, BeforeValidator(exact), Field(ge=0, lt=1 << 63)] = 1
    """everything that is drawn at random starts here"""
    symbols: Annotated[tuple[Stock, ...], BeforeValidator(_listed)] = ()
    """stocks that are followed and quoted; empty: the source's own, as many as the device holds"""
    messages: Annotated[int, BeforeValidator(exact), Field(ge=0)] = 50_000
    """messages that are taken from the source; 0: all of a file"""
    rate: Positive = 2_000
    """synthetic: messages per second, mean over bursts and pauses"""
    orders: Annotated[int, BeforeValidator(exact), Field(ge=16, le=100_000)] = 48
    """synthetic: live orders per stock around which their number stays"""
    speed: Speed = Decimal(1)
    """``serve``: seconds of the market per second"""


class Faults(Parameters):
    """What the network does to one feed, drawn from a seed."""

    loss: Probability = Decimal(0)
    """share of the packets that never arrive"""
    duplication: Probability = Decimal(0)
    """share of the packets that arrive twice"""
    reordering: Probability = Decimal(0)
    """share of the packets that are overtaken"""
    delay_ns: Nanoseconds = 1_000
    """ns of every packet's way"""
    corruption: Probability = Decimal(0)
    """share of the packets in which one bit is flipped"""
    jitter_ns: Nanoseconds = 0
    """at most so much further delay, drawn evenly; packets keep their order"""
    late_ns: Positive = 50_000
    """ns by which a reordered packet, or a second copy, comes late at most"""


class CommonLoss(Parameters):
    """The same messages lost on both feeds, which is what makes gaps."""

    rate: Probability = Decimal("0.00002")
    """share of the messages at which a hole begins"""
    messages: Positive = 3
    """mean length of a hole"""


class Feed(Parameters):
    """The market-data feed as it is published and received."""

    session: Text10 = "HAIRPIN001"
    """MoldUDP64 session"""
    address_a: Address = IPv4Address("233.54.12.111")
    """destination of feed A"""
    port_a: Annotated[int, Field(ge=0, le=65535)] = 26477
    """UDP port of feed A"""
    address_b: Address = IPv4Address("233.49.196.111")
    """destination of feed B"""
    port_b: Annotated[int, Field(ge=0, le=65535)] = 26478
    """UDP port of feed B"""
    hold_ns: Nanoseconds = 1_000_000
    """ns that a packet ahead of sequence waits before the gap is declared"""
    packing_ns: Nanoseconds = 0
    """ns within which messages share a packet; 0: only messages of one stamp"""
    strict: bool = True
    """an unknown order reference makes the symbol untrusted"""
    recovery_ns: Nanoseconds = 50_000
    """ns from the declaration of a gap to the re-request server's answer; 0: there is none"""
    a: Faults = Faults(loss=Decimal("0.001"))
    b: Faults = Faults(loss=Decimal("0.001"), delay_ns=6_000)
    common: CommonLoss = CommonLoss()


def _endpoint(text: str) -> str:
    endpoint(text)
    return text


def endpoint(text: str) -> tuple[str, int]:
    """Host and port of ``host:port``.

    Raises
    ------
    ValueError
        It is not that.
    """
    host, colon, port = text.rpartition(":")
    if not (host and colon and port.isascii() and port.isdecimal() and 0 < int(port) <= 0xFFFF):
        raise ValueError(f"an address is host:port, 10.0.0.1:26400, and not {text!r}")
    return host, int(port)


Endpoint = Annotated[str, AfterValidator(_endpoint), Field(examples=["10.0.0.1:26400"])]
Endpoints = Annotated[tuple[Endpoint, ...], BeforeValidator(_listed)]


class Market(Parameters):
    """Where ``serve`` trades: in the demo market, or at an exchange on sockets, whose feeds ``[feed]`` names and whose account
    ``[venue]``.
    """

    kind: Literal["demo", "live"] = "demo"
    """``demo``: the market is made, or played back, here; ``live``: it is out there"""
    interface: Address = IPv4Address("0.0.0.0")
    """address of the interface on which the feeds' groups are joined"""
    xdp: Annotated[str, Field(max_length=15)] = ""
    """name of the interface, where frames are to come past the kernel's stack (AF_XDP); empty: by sockets"""
    rerequests: Endpoints = ()
    """re-request servers, in the order in which they are asked"""
    snapshot: Endpoint | None = None
    """snapshot server"""
    orders: Endpoints = ()
    """order ports of the account, in the order in which they are tried"""
    drop_copy: Endpoint | None = None
    """drop copy of the account's executions"""
    core: Annotated[int, Field(ge=-1)] = -1
    """core that the loop has to itself; -1: none"""
    idle_us: Annotated[int, BeforeValidator(exact), Field(ge=0, le=10_000)] = 0
    """us that the loop sleeps when there is nothing to do; 0: it polls, and needs a core"""
    process_patience_ns: Nanoseconds = 250_000_000
    """ns after which the engine's process that does not answer is given up, where it has one of its own (``--device pair``)"""
    patience_ns: Nanoseconds = 2_000_000_000
    """ns for which an execution may be known to the device or to the drop copy only"""

    @model_validator(mode="after")
    def _is_whole(self) -> Self:
        for name in ("rerequests", "snapshot", "orders", "drop_copy"):
            if self.kind == "live" and not getattr(self, name):
                raise ValueError(f"{name}: a live market needs one")
        return self

    @property
    def rerequest_addresses(self) -> list[tuple[str, int]]:
        """Host and port of each."""
        return [endpoint(each) for each in self.rerequests]

    @property
    def order_addresses(self) -> list[tuple[str, int]]:
        """Host and port of each."""
        return [endpoint(each) for each in self.orders]

    @property
    def snapshot_address(self) -> tuple[str, int]:
        """Host and port."""
        return endpoint(self.snapshot or "")

    @property
    def drop_copy_address(self) -> tuple[str, int]:
        """Host and port."""
        return endpoint(self.drop_copy or "")


class Venue(Parameters):
    """The built-in venue, or the account at an exchange."""

    order_latency_ns: Nanoseconds = 10_000
    """ns from an order leaving to the venue"""
    answer_latency_ns: Positive = 10_000
    """ns from the venue back"""
    jitter_ns: Nanoseconds = 0
    """at most so much more on the way there, drawn evenly"""
    username: Annotated[str, Field(min_length=1, max_length=6)] = "HAIRPN"
    """SoupBinTCP username"""
    password: Annotated[str, Field(max_length=10)] = "demo"
    """SoupBinTCP password of the demo venue"""
    ouch: Literal["4.2", "5.0"] = "4.2"
    """OUCH that the order session speaks"""

    @property
    def version(self) -> OuchVersion:
        """The same, as a login says it."""
        return OuchVersion[f"V{self.ouch.replace('.', '_')}"]


class Symbol(Parameters):
    """One stock's own values; what is not said is as in ``[limits]`` and ``[quoter]``."""

    limits: Limits = Limits()
    quoter: Quoter = Quoter()
    enabled: bool = True
    """whether orders for it are let through at all"""
    tick: Annotated[Price, Field(gt=0)] | None = None
    """currency; price step of the ladder; left out: a cent, 0.0001 below a dollar"""
    base_price: Price | None = None
    """currency; price of ladder level 0; left out: centred on the source's first prices"""


class Portfolio(PortfolioLimits):
    """Limits over all symbols, and how orders are signed."""

    firm: Annotated[str, Field(max_length=4, pattern=r"^[A-Z0-9]*$")] = "HPIN"
    """OUCH firm"""
    token_prefix: Annotated[str, Field(min_length=2, max_length=2, pattern=r"^[A-Z0-9]{2}$")] = "HP"
    """first two characters of every order token"""


class Device(Parameters):
    """What the device is built for."""

    symbols: Annotated[int, Field(ge=1, le=512)] = 16
    """symbols that it can follow"""
    levels: Annotated[int, Field(ge=64, le=4096)] = 4096
    """price levels per side of each ladder"""
    orders: Annotated[int, Field(ge=64, le=1 << 20)] = 16_384
    """orders that its table holds"""
    tick_ns: Annotated[int, BeforeValidator(exact), Field(ge=1_000_000)] = 100_000_000
    """ns between two ticks of its clock"""


class Serve(Parameters):
    """The server."""

    host: str = "127.0.0.1"
    """address it listens on"""
    port: Annotated[int, Field(ge=0, le=65535)] = 8717
    """TCP port; 0: any free one"""
    state: Path = Path("build/state")
    """folder of token, journal and FIX stores, 0700"""
    minutes: Annotated[int, Field(ge=1, le=390)] = 30
    """length of the synthetic market"""
    rate: Positive = 500
    """messages per second of the synthetic market"""
    acknowledge_seconds: Annotated[int, Field(ge=1, le=60)] = 5
    """seconds that a request waits for the device's answer"""
    mailbox: Positive = 4096
    """events kept per WebSocket client; older ones give way"""
    history: Positive = 65_536
    """events kept for ``GET /events``"""


class FixSession(Rate):
    """One counterparty that connects by FIX."""

    kind: Literal["orders", "drop_copy"] = "orders"
    """``orders``: it sends orders, and hears of its own; ``drop_copy``: it hears of every execution of everybody"""
    version: Literal["FIX.4.2", "FIX.4.4", "FIX.5.0SP2"] = "FIX.4.4"
    """FIX 5.0 SP2 on FIXT 1.1"""
    sender: Annotated[str, Field(min_length=1, max_length=32, pattern=r"^[\x21-\x7e]+$")] = "HAIRPIN"
    """our CompID"""
    target: Annotated[str, Field(min_length=1, max_length=32, pattern=r"^[\x21-\x7e]+$")]
    """its CompID"""
    strategy: Annotated[int, Field(ge=0, le=15)] = 1
    """whose orders its orders are, for the gate"""
    reset_on_logon: bool = False
    """whether both numbers begin at 1 with every logon"""


class Fix(Parameters):
    """The FIX port; there is none without sessions."""

    host: str = "127.0.0.1"
    """address it listens on"""
    port: Annotated[int, Field(ge=0, le=65535)] = 9878
    """TCP port; 0: any free one"""
    store: Path | None = None
    """folder of the sessions' numbers and messages; left out: ``fix`` in the state folder"""
    durable: bool = False
    """whether a message waits for the disk before it goes out: it survives a loss of power, not only the process"""
    sessions: dict[Annotated[str, Field(pattern=r"^[a-z][a-z0-9_\-]{0,15}$")], FixSession] = Field(default_factory=dict)
    """client -> its session"""

    @model_validator(mode="after")
    def _told_apart(self) -> Self:
        for name in ("api", "device"):
            if name in self.sessions:
                raise ValueError(f"sessions: {name} is the name of a client that is there already")
        seen: dict[tuple[str, ...], str] = {}
        for name, each in self.sessions.items():
            other = seen.setdefault((each.version, each.sender, each.target), name)
            if other != name:
                raise ValueError(f"sessions: {other} and {name} have the same version and CompIDs")
        return self


class Replication(Parameters):
    """The standby: what goes to it, and what an acknowledgement means."""

    servers: Annotated[tuple[Server, ...], BeforeValidator(_listed)] = ()
    """NATS servers; empty: there is no replication"""
    stream: Annotated[str, Field(pattern=r"^[A-Za-z0-9_-]{1,32}$")] = "hairpin"
    """stream of the journal, its subject, and the beginning of the bucket's name"""
    replicas: Literal[1, 3, 5] = 3
    """servers that keep the stream"""
    mode: Literal["local", "replicated"] = "replicated"
    """``local``: acknowledged when the journal is synced, and goes on without NATS; ``replicated``: when the stream has it too"""
    ttl_ms: Annotated[int, BeforeValidator(exact), Field(ge=200, le=60_000)] = 12_000
    """ms for which a renewal of the lease is good; servers that elect a leader do not answer for up to 10 s"""
    margin_ms: Annotated[int, BeforeValidator(exact), Field(ge=50, le=60_000)] = 3_000
    """ms that a standby waits longer than that"""
    timeout_ms: Annotated[int, BeforeValidator(exact), Field(ge=50, le=60_000)] = 1_000
    """ms that any answer of NATS may take"""


class Configuration(BaseSettings):
    """A run, whole. `load` makes one; every part of it is frozen."""

    model_config = SettingsConfigDict(
        frozen=True,
        extra="forbid",
        validate_default=True,
        populate_by_name=True,
        use_attribute_docstrings=True,
    )

    input: Input = Input()
    feed: Feed = Feed()
    market: Market = Market()
    venue: Venue = Venue()
    limits: Limits = Limits()
    """of every symbol that says nothing else"""
    quoter: Quoter = Quoter()
    """of every symbol that says nothing else"""
    portfolio: Annotated[Portfolio, Field(alias="global")] = Portfolio()
    symbols: dict[Stock, Symbol] = {}
    """stock -> its own values"""
    device: Device = Device()
    serve: Serve = Serve()
    fix: Fix = Fix()
    replication: Replication = Replication()

    @classmethod
    def settings_customise_sources(
        cls,
        settings_cls: type[BaseSettings],
        init_settings: PydanticBaseSettingsSource,
        env_settings: PydanticBaseSettingsSource,
        dotenv_settings: PydanticBaseSettingsSource,
        file_secret_settings: PydanticBaseSettingsSource,
    ) -> tuple[PydanticBaseSettingsSource, ...]:
        """What `load` hands over, no more: it reads the rest itself, and knows where each is."""
        return (init_settings,)

    @model_validator(mode="before")
    @classmethod
    def _symbols_start_from_the_defaults(cls, values: Any) -> Any:
        if not isinstance(values, dict) or not isinstance(values.get("symbols"), dict):
            return values
        return values | {"symbols": {stock: _over(values, own) for stock, own in values["symbols"].items()}}

    @model_validator(mode="after")
    def _fits_the_device(self) -> Self:
        if len(self.input.symbols) > self.device.symbols:
            raise ValueError(
                f"input.symbols: {len(self.input.symbols)} stocks, and the device holds "
                f"{self.device.symbols} (device.symbols)"
            )
        return self

    def symbol(self, stock: str) -> Symbol:
        """A stock's own values, the defaults where it has none."""
        return self.symbols.get(stock) or Symbol(limits=self.limits, quoter=self.quoter)


def _over(values: dict[str, Any], own: Any) -> Any:
    """A symbol's table, laid over the tables of the same name for all."""
    if not isinstance(own, dict):
        return own
    merged = dict(own)
    for name in ("limits", "quoter"):
        general, special = values.get(name, {}), own.get(name, {})
        if isinstance(general, dict) and isinstance(special, dict):
            merged[name] = general | special
        elif name not in own and general:
            merged[name] = general
    return merged
