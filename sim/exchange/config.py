"""What an exchange is made of: venues, each with its fees, latencies, feeds and order ports."""

from __future__ import annotations

import tomllib
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError, model_validator

Port = Annotated[int, Field(ge=0, le=65_535)]
_COMP_ID = r"^[A-Za-z0-9_.-]*$"
"""CompIDs stand in a file's name, too."""
Microseconds = Annotated[float, Field(ge=0, le=10_000_000)]


class Section(BaseModel):
    """Keys that nobody knows are mistakes."""

    model_config = ConfigDict(extra="forbid", frozen=True)


class OrderPort(Section):
    """One order port and the account behind it. A second login while one is there is refused.

    The same session can be reached at ``backup_port``, too: whoever loses one of them goes on at the other. A FIX session's
    names are ``sender`` (ours, without one the venue's name) and ``target`` (the client's, without one the account's);
    its numbers and messages are kept in the directory ``store``, without one in memory.
    """

    protocol: Literal["ouch42", "ouch50", "fix42", "fix44", "fix50"] = "ouch42"
    port: Port = 0
    backup_port: Port | None = None
    username: str = Field("", max_length=6)
    password: str = Field("", max_length=10)
    firm: str = Field("FIRM", max_length=4)
    prevention: Literal["none", "cancel newest", "cancel oldest", "cancel both"] = "none"
    cancel_on_disconnect: bool = False
    sender: str = Field("", max_length=32, pattern=_COMP_ID)
    target: str = Field("", max_length=32, pattern=_COMP_ID)
    store: Path | None = None

    @property
    def is_fix(self) -> bool:
        """Whether the protocol needs a FIX session."""
        return self.protocol.startswith("fix")


class Feed(Section):
    """One of the two feeds: where its packets go, and how late they are."""

    address: str = "127.0.0.1"
    port: Port = 0
    delay_us: Microseconds = 0
    jitter_us: Microseconds = 0
    loss: float = Field(0.0, ge=0, lt=1)


class Fees(Section):
    """Per share, in 1e-4 of the currency; negative is a rebate."""

    maker: float = -20.0
    taker: float = 30.0


class Threshold(Section):
    """How far from the middle of bid and offer a cross may be: so many percent, but ``least`` (1e-4) at any rate."""

    percent: float = Field(10.0, ge=0, le=1000)
    least: int = Field(5_000, ge=0, le=0x7FFFFFFF)


class Flow(Section):
    """Who else trades there: order flow from a seed, or a recorded file; ``none`` leaves the book to the ports."""

    source: str = "synthetic"
    seed: int = 1
    rate: float = Field(2_000.0, gt=0)
    orders: int = Field(400, ge=16)
    messages: int = Field(100_000, ge=0)
    speed: float = Field(1.0, gt=0)


class VenueConfig(Section):
    """A venue. ``luld_tiers`` are the symbols' tiers of the Limit Up-Limit Down plan; without them there are no bands."""

    name: str = Field("HAIRPIN", min_length=1, max_length=10, pattern=r"^[A-Z0-9]+$")
    host: str = "127.0.0.1"
    symbols: tuple[str, ...] = ("HPNA", "HPNB")
    prices: tuple[int, ...] = ()
    levels: int = Field(4096, ge=256, le=1 << 18)
    tick: int = Field(50, ge=1)
    orders: int = Field(1 << 17, ge=1, le=(1 << 22) - 1)
    auction: bool = True
    cross_threshold: Threshold = Threshold()
    luld_tiers: tuple[Literal[1, 2], ...] = ()
    order_latency_us: Microseconds = 0
    answer_latency_us: Microseconds = 0
    fees: Fees = Fees()
    flow: Flow = Flow()
    ports: tuple[OrderPort, ...] = (OrderPort(), OrderPort(protocol="ouch50"))
    feeds: tuple[Feed, Feed] = (Feed(), Feed())
    rerequest_ports: tuple[Port, ...] = Field((0, 0), min_length=1)
    snapshot_port: Port = 0
    drop_copy_port: Port = 0

    @model_validator(mode="after")
    def _prices_fit(self) -> VenueConfig:
        if self.prices and len(self.prices) != len(self.symbols):
            raise ValueError(f"{len(self.prices)} prices for {len(self.symbols)} symbols")
        if self.luld_tiers and len(self.luld_tiers) != len(self.symbols):
            raise ValueError(f"{len(self.luld_tiers)} luld_tiers for {len(self.symbols)} symbols")
        if not self.symbols or len(set(self.symbols)) != len(self.symbols):
            raise ValueError("symbols: at least one, each once")
        named = [(port.protocol, *self.fix_names(n)) for n, port in enumerate(self.ports) if port.is_fix]
        if len(set(named)) != len(named):
            raise ValueError(f"ports: FIX sessions {named}: each once")
        return self

    @property
    def accounts(self) -> tuple[str, ...]:
        """The name of each port's account."""
        return tuple(port.username or f"PORT{n}" for n, port in enumerate(self.ports, 1))

    def fix_names(self, n: int) -> tuple[str, str]:
        """SenderCompID and TargetCompID of what port ``n`` (from 0) sends."""
        return self.ports[n].sender or self.name, self.ports[n].target or self.accounts[n]


class ExchangeConfig(Section):
    """All venues."""

    venues: tuple[VenueConfig, ...] = (VenueConfig(),)

    @model_validator(mode="after")
    def _names_differ(self) -> ExchangeConfig:
        names = [venue.name for venue in self.venues]
        if not names or len(set(names)) != len(names):
            raise ValueError(f"venues {names}: at least one, each name once")
        return self


class ConfigError(ValueError):
    """A file that can't be used; the message says where and why, a line for each mistake."""


def load(path: Path | None) -> ExchangeConfig:
    """The configuration in a TOML file, or the default one.

    Raises
    ------
    ConfigError
        The file can't be read, is no TOML, or says something that is not possible.
    """
    if path is None:
        return ExchangeConfig()
    try:
        given: dict[str, Any] = tomllib.loads(path.read_text())
        return ExchangeConfig.model_validate(given)
    except (OSError, tomllib.TOMLDecodeError) as error:
        raise ConfigError(f"{path}: {error}") from error
    except ValidationError as error:
        lines = [f"{path}: {'.'.join(map(str, each['loc'])) or 'file'}: {each['msg']}" for each in error.errors()]
        raise ConfigError("\n".join(lines)) from error
