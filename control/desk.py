"""What an operator does with a device while it trades, and what he set it to.

Everything here runs on the one thread that owns the device (:mod:`control.live`). A setting is kept only
after the device acknowledged it; positions, books and orders are read from the device's own snapshots.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from decimal import Decimal
from typing import Any, Generic, Protocol, TypeVar

from control.configuration import Configuration
from control.entries import Changed, Cleared, Entry, Killed, SettingName
from control.keeper import Keeper
from control.parameters import Limits, Parameters, PortfolioLimits, Quoter, Taker
from control.watch import Watch
from drivers import commands, settings
from drivers.device import Answer, Batch, Book, Device, OpenOrder, Position, Snapshot
from drivers.snapshots import read_snapshot
from wire.records import (
    CommandError,
    SnapshotPart,
)

P = TypeVar("P")
OWN_TAGS = 1 << 31
"""Tags of the desk's commands have this bit; those below are numbers of orders (`control.oms.flow`)."""


class Market(Protocol):
    """A world with a device in it, whose time somebody else moves on."""

    @property
    def device(self) -> Device:
        """The device."""
        ...

    @property
    def now(self) -> int:
        """The market's time, ns since midnight."""
        ...

    @property
    def finished(self) -> bool:
        """Whether nothing will happen any more by itself."""
        ...

    @property
    def setups(self) -> Mapping[int, settings.SymbolSetup]:
        """The ladder of every symbol that the device follows."""
        ...

    def advance(self, to: int) -> None:
        """Let everything happen up to a time."""
        ...

    def command(self, data: bytes) -> Answer:
        """Hand the device a command now; orders that it causes reach the venue."""
        ...


class UnknownStockError(LookupError):
    """The device does not follow that stock."""


class UnknownOrderError(LookupError):
    """No open order has that id."""


class StaleVersionError(RuntimeError):
    """Somebody else changed it meanwhile; ``version`` is the current one."""

    def __init__(self, version: int) -> None:
        super().__init__(f"the current version is {version}")
        self.version = version


class DeviceRefusedError(RuntimeError):
    """The device answered a command with an error."""

    def __init__(self, command: str, answer: Answer) -> None:
        super().__init__(f"{command}: {answer.error.name.lower()}")
        self.command, self.answer = command, answer


@dataclass(frozen=True)
class Setting(Generic[P]):
    """Something that was set: the value, and how often it was."""

    value: P
    version: int = 1

    def next(self, value: P) -> Setting[P]:
        """The setting after a change."""
        return Setting(value, self.version + 1)


class Desk:
    """The operator's side of a device.

    Parameters
    ----------
    market : Market
        Its device has been configured from ``configuration`` already.
    configuration : Configuration
    keeper : Keeper, optional
        Told of every change that the device acknowledged, and of every kill.
    clock : callable
        ns since the epoch, for the entries.
    """

    def __init__(
        self,
        market: Market,
        configuration: Configuration,
        keeper: Keeper | None = None,
        clock: Callable[[], int] = time.time_ns,
    ) -> None:
        self.market, self.configuration = market, configuration
        self.keeper, self.clock = keeper or Keeper(), clock
        self.watch = Watch()
        self.symbols = {setup.stock: symbol for symbol, setup in sorted(market.setups.items())}
        self.limits = {stock: Setting[Limits](configuration.symbol(stock).limits) for stock in self.symbols}
        self.quoters = {stock: Setting[Quoter](configuration.symbol(stock).quoter) for stock in self.symbols}
        self.takers = {stock: Setting[Taker](Taker()) for stock in self.symbols}
        self.enabled = {stock: Setting(market.setups[symbol].enabled) for stock, symbol in self.symbols.items()}
        general = configuration.portfolio
        self.portfolio = Setting[PortfolioLimits](
            PortfolioLimits(**general.model_dump(include=set(PortfolioLimits.model_fields)))
        )
        self._tag = 0
        market.device.subscribe(self._see)

    def _see(self, batch: Batch) -> None:
        self.watch.see(batch.events)

    @property
    def stocks(self) -> tuple[str, ...]:
        """The stocks that the device follows, by symbol."""
        return tuple(self.symbols)

    def symbol(self, stock: str) -> int:
        """A stock's index in the device.

        Raises
        ------
        UnknownStockError
            The device does not follow it.
        """
        if stock not in self.symbols:
            raise UnknownStockError(stock)
        return self.symbols[stock]

    def setup(self, stock: str) -> settings.SymbolSetup:
        """A stock's ladder."""
        return self.market.setups[self.symbol(stock)]

    def tick(self, stock: str) -> Decimal:
        """A stock's price step, in currency."""
        return self.setup(stock).tick * settings.PRICE_UNIT

    # -- settings ------------------------------------------------------------------------------

    def set_limits(
        self, stock: str, limits: Limits, *, version: int | None = None, who: str = "api"
    ) -> Setting[Limits]:
        """Change a symbol's limits; from the next order on the device enforces them.

        Raises
        ------
        UnknownStockError, StaleVersionError, DeviceRefusedError
        """
        self.symbol(stock)
        return self._change("limits", stock, self._next(self.limits[stock], limits, version), who)

    def set_quoter(
        self, stock: str, quoter: Quoter, *, version: int | None = None, who: str = "api"
    ) -> Setting[Quoter]:
        """Change a symbol's quoter.

        Raises
        ------
        UnknownStockError, StaleVersionError, DeviceRefusedError
        ValueError
            A value that does not fit at the symbol's tick; the text begins with its name.
        """
        self.symbol(stock)
        return self._change("quoter", stock, self._next(self.quoters[stock], quoter, version), who)

    def set_taker(self, stock: str, taker: Taker, *, version: int | None = None, who: str = "api") -> Setting[Taker]:
        """Change a symbol's taker. The age of its value counts from here.

        Raises
        ------
        UnknownStockError, StaleVersionError, DeviceRefusedError
        """
        self.symbol(stock)
        return self._change("taker", stock, self._next(self.takers[stock], taker, version), who)

    def set_portfolio(
        self, limits: PortfolioLimits, *, version: int | None = None, who: str = "api"
    ) -> Setting[PortfolioLimits]:
        """Change the limits over all symbols.

        Raises
        ------
        StaleVersionError, DeviceRefusedError
        """
        return self._change("portfolio", "", self._next(self.portfolio, limits, version), who)

    def enable(self, stock: str, enabled: bool, *, who: str = "api") -> None:
        """Let orders of a stock through, or none.

        Raises
        ------
        UnknownStockError, DeviceRefusedError
        """
        self.symbol(stock)
        self._change("enabled", stock, self.enabled[stock].next(enabled), who)

    def restore(self, entry: Changed) -> None:
        """Set what an earlier process had set. It is in the journal already.

        Raises
        ------
        UnknownStockError, DeviceRefusedError, ValueError
        """
        kinds = {"limits": Limits, "quoter": Quoter, "taker": Taker, "portfolio": PortfolioLimits}
        kind = kinds.get(entry.setting)
        value = entry.value["enabled"] if kind is None else kind(**entry.value)
        self._put(entry.setting, entry.stock, Setting(value, entry.version))

    def _change(self, what: SettingName, stock: str, setting: Setting[P], who: str) -> Setting[P]:
        self._put(what, stock, setting)
        value = setting.value
        plain = value.model_dump(mode="json") if isinstance(value, Parameters) else {"enabled": value}
        self._keep(Changed(setting=what, stock=stock, value=plain, version=setting.version, who=who))
        return setting

    def _put(self, what: SettingName, stock: str, setting: Setting[Any]) -> None:
        """Have the device set to something; kept once it acknowledged."""
        value, tag = setting.value, self._new_tag()
        if what == "portfolio":
            general = self.configuration.portfolio
            made = value.settings(general.firm, general.token_prefix)
            self._do("set_global", commands.set_global(made, tag=tag))
            self.portfolio = setting
            return
        symbol = self.symbol(stock)
        if what == "limits":
            self._do("set_limits", commands.set_limits(symbol, value.settings(), tag=tag))
            self.limits[stock] = setting
        elif what == "quoter":
            self._do("set_quoter", commands.set_quoter(symbol, value.settings(self.tick(stock)), tag=tag))
            self.quoters[stock] = setting
        elif what == "taker":
            self._do("set_taker", commands.set_taker(symbol, value.settings(), tag=tag))
            self.takers[stock] = setting
        else:
            self._do("set_trading", commands.set_trading(symbol, enabled=value, tag=tag))
            self.enabled[stock] = setting

    @staticmethod
    def _next(old: Setting[P], value: P, version: int | None) -> Setting[P]:
        if version is not None and version != old.version:
            raise StaleVersionError(old.version)
        return old.next(value)

    # -- orders --------------------------------------------------------------------------------

    def cancel(self, order_id: int) -> Answer:
        """Take an order back, by the id that it has at the exchange.

        Raises
        ------
        UnknownOrderError, DeviceRefusedError
        """
        data = commands.cancel_order(order_id, tag=self._new_tag())
        answer = self._do("cancel_order", data, allow=CommandError.UNKNOWN_ORDER)
        if answer.error is CommandError.UNKNOWN_ORDER:
            raise UnknownOrderError(f"{order_id:012X}")
        return answer

    def replace(self, order_id: int, price: int, quantity: int) -> Answer:
        """Another price, and so many shares open, for an order; what the device says of it is in the answer."""
        return self.market.command(commands.replace_order(order_id, price, quantity, tag=self._new_tag()))

    def set_position(self, stock: str, position: int, cash: int, mark: int) -> None:
        """Tell the device where a stock stands: shares, cash in 1e-4 x shares, mark in 1e-4.

        Raises
        ------
        UnknownStockError, DeviceRefusedError
        """
        data = commands.set_position(self.symbol(stock), position=position, cash=cash, mark=mark, tag=self._new_tag())
        self._do("set_position", data)

    # -- kill ----------------------------------------------------------------------------------

    def kill(
        self, reason: str, *, stock: str | None = None, strategy: int | None = None, who: str = "api"
    ) -> None:
        """Stop everything, a stock or a strategy.

        Raises
        ------
        UnknownStockError, DeviceRefusedError
        """
        killed = Killed(stock=stock or "", strategy=strategy, reason=reason, who=who)
        self.throw(killed)
        self._keep(killed)

    def throw(self, killed: Killed) -> None:
        """Throw a kill switch that is in the journal already.

        Raises
        ------
        UnknownStockError, DeviceRefusedError
        """
        symbol = self.symbol(killed.stock) if killed.stock else None
        self._do("kill", commands.kill(symbol=symbol, strategy=killed.strategy, tag=self._new_tag()))
        self.watch.kill_reasons[scope_name(killed.stock or None, killed.strategy)] = killed.reason

    def clear_kill(self, *, stock: str | None = None, strategy: int | None = None, who: str = "api") -> None:
        """Undo a kill of the same scope.

        Raises
        ------
        UnknownStockError, DeviceRefusedError
        """
        symbol = None if stock is None else self.symbol(stock)
        self._do("clear_kill", commands.clear_kill(symbol=symbol, strategy=strategy, tag=self._new_tag()))
        self.watch.kill_reasons.pop(scope_name(stock, strategy), None)
        self._keep(Cleared(stock=stock or "", strategy=strategy, who=who))

    # -- snapshots -----------------------------------------------------------------------------

    def books(self, stock: str, depth: int) -> Book:
        """A stock's book from the device.

        Raises
        ------
        UnknownStockError, DeviceRefusedError
        """
        symbol = self.symbol(stock)
        return self._snapshot([symbol], SnapshotPart.BOOK, depth).books[symbol]

    def positions(self) -> dict[str, Position]:
        """All positions from the device, by stock."""
        found = self._snapshot(self.symbols.values(), SnapshotPart.POSITION).positions
        return {stock: found[symbol] for stock, symbol in self.symbols.items()}

    def orders(self) -> tuple[OpenOrder, ...]:
        """All open orders from the device."""
        return self._snapshot(self.symbols.values(), SnapshotPart.ORDERS).orders

    def _snapshot(self, symbols: Iterable[int], parts: SnapshotPart, depth: int = 0) -> Snapshot:
        answers = [
            self._do("snapshot", commands.snapshot(symbol, parts, depth=depth, tag=self._new_tag()))
            for symbol in symbols
        ]
        return read_snapshot([answer.batch.events for answer in answers], {})

    def _do(self, name: str, data: bytes, *, allow: CommandError = CommandError.NONE) -> Answer:
        answer = self.market.command(data)
        if answer.error not in (CommandError.NONE, allow):
            raise DeviceRefusedError(name, answer)
        return answer

    def _new_tag(self) -> int:
        self._tag = (self._tag + 1) % OWN_TAGS
        return OWN_TAGS | self._tag

    def _keep(self, entry: Entry) -> None:
        self.keeper.append(entry.KIND, entry.pack(), self.clock())


def scope_name(stock: str | None, strategy: int | None) -> str:
    """What a kill switch is called: ``global``, ``strategy 0``, ``symbol AMZN``."""
    if stock is not None:
        return f"symbol {stock}"
    return "global" if strategy is None else f"strategy {strategy}"
