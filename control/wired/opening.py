"""What has to be known before a device can trade: the day's stocks, what an earlier life left behind, what was executed."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field

from control.configuration import Configuration
from control.wired.conversation import Address, RefusedError, UnreachableError, everything
from control.wired.copies import read
from control.wired.settlement import Account, Settled, clear
from control.wired.snapshot import Snapshot, fetch
from drivers.settings import SymbolSetup, price

SECONDS, PATIENCE_SECONDS, AGAIN_SECONDS = 10.0, 20.0, 0.2
log = logging.getLogger("hairpin.opening")


class UnpricedError(RuntimeError):
    """A stock without orders at the exchange, and without a configured price: where its ladder has to be nobody knows yet."""


@dataclass
class Holding:
    """A position: shares, cash in 1e-4 x shares, and the price of the last execution."""

    shares: int = 0
    cash: int = 0
    mark: int = 0


@dataclass(frozen=True)
class Opening:
    """What was found.

    Parameters
    ----------
    snapshot : Snapshot
        Of which the stocks and their prices count; the books will have changed.
    setups : dict
        The ladder of every symbol.
    orders : Settled
        The order session; nothing of the account's is open in it.
    copies_session : str
    copies_sequence : int
        Where the drop copy goes on.
    holdings : dict
        What the account has by the drop copy, by stock.
    """

    snapshot: Snapshot
    setups: dict[int, SymbolSetup]
    orders: Settled
    copies_session: str
    copies_sequence: int
    holdings: dict[str, Holding] = field(default_factory=dict)

    def held(self, before: Mapping[str, Holding]) -> dict[str, Holding]:
        """What the account has, if it had something before this session."""
        both = dict(before)
        for stock, holding in self.holdings.items():
            old = both.get(stock, Holding())
            both[stock] = Holding(old.shares + holding.shares, old.cash + holding.cash, holding.mark)
        return both


def prepare(configuration: Configuration, account: Account, stocks: Sequence[str] | None) -> Opening:
    """Ask the exchange.

    Parameters
    ----------
    configuration : Configuration
    account : Account
    stocks : sequence of str, optional
        By symbol; without them, those that the configuration names, or the first that the exchange lists.

    Raises
    ------
    UnreachableError, RefusedError
        A server that does not answer.
    UnpricedError
        A stock without orders yet.
    ValueError
        A stock that the exchange does not list.
    """
    market = configuration.market
    snapshot = fetch(Address(*market.snapshot_address), SECONDS)
    orders = _cleared([Address(*each) for each in market.order_addresses], account)
    now, copies = everything(Address(*market.drop_copy_address), "", "", SECONDS)
    holdings: dict[str, Holding] = {}
    for message in copies:
        fill = read(message, account.username)
        if fill is not None:
            holding = holdings.setdefault(fill.stock, Holding())
            holding.shares += fill.shares
            holding.cash -= fill.shares * fill.price
            holding.mark = fill.price
    return Opening(snapshot, _setups(configuration, snapshot, stocks), orders, now.session, now.sequence, holdings)


def patiently(configuration: Configuration, account: Account, say: Callable[[str], None]) -> Opening:
    """`prepare`, of an exchange that may be about to open itself, and with its errors."""
    end, told = time.monotonic() + PATIENCE_SECONDS, ""
    while True:
        try:
            return prepare(configuration, account, None)
        except (UnreachableError, UnpricedError, RefusedError) as error:
            # S may be an earlier life's connection that the exchange has not missed yet.
            if time.monotonic() > end or getattr(error, "reason", "S") != "S":
                raise
            if str(error) != told:
                told = str(error)
                say(f"{told}; waiting for up to {PATIENCE_SECONDS:.0f} s")
        time.sleep(AGAIN_SECONDS)


def _cleared(addresses: list[Address], account: Account) -> Settled:
    """Nothing of the account's is open; by the first port that answers."""
    *others, last = addresses
    for address in others:
        try:
            return clear(address, account, SECONDS)
        except (UnreachableError, RefusedError) as error:
            log.warning("%s", error)
    return clear(last, account, SECONDS)


def _setups(configuration: Configuration, snapshot: Snapshot, stocks: Sequence[str] | None) -> dict[int, SymbolSetup]:
    from sim.ladder import ladder_for

    chosen = list(stocks or configuration.input.symbols)
    setups: dict[int, SymbolSetup] = {}
    for stock in chosen or list(snapshot.locates)[: configuration.device.symbols]:
        own = configuration.symbol(stock)
        if stock not in snapshot.locates:
            raise ValueError(f"{stock}: the exchange lists {', '.join(list(snapshot.locates)[:20])}")
        tick, base = None if own.tick is None else price(own.tick), None if own.base_price is None else price(own.base_price)
        if tick is None or base is None:
            try:
                ladder = ladder_for(snapshot.tape, stock, levels=configuration.device.levels, tick=tick)
            except ValueError as error:
                raise UnpricedError(f"{stock}: no orders yet; with tick and base_price configured it need not wait") from error
            tick, base = ladder.tick, ladder.base_price if base is None else base
        setups[len(setups)] = SymbolSetup(
            stock=stock, stock_locate=snapshot.locates[stock], base_price=base, tick=tick, enabled=own.enabled
        )
    if not setups:
        raise ValueError("the exchange lists no stock")
    return setups
