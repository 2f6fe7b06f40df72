"""A client of a host in the small world: orders, cancels and replaces by chance, each until it is acknowledged."""

from __future__ import annotations

import random
from collections import Counter
from collections.abc import Callable
from concurrent.futures import Future

from control.desk import DeviceRefusedError, UnknownOrderError
from control.oms import OmsError, Order, Ordered
from control.oms.flow import NotKeptError, UnreconciledError
from control.rehearsal.host import Host
from drivers.device import DeviceError
from sim.faults.clockwork import Clockwork
from wire.records import Side

PATIENCE = 100_000_000
"""ns until an order that was not acknowledged is sent again, as the same order."""
NAME = "client"


class Client:
    """Somebody who trades.

    Parameters
    ----------
    clockwork : Clockwork
    dice : Random
    counts : Counter
    host : callable
        The host there is now, if any.
    stocks : tuple of str
    middle : callable
        A price near which a stock trades, 1e-4.

    Attributes
    ----------
    acknowledged : set of str
        Orders that a host said it keeps.
    """

    def __init__(
        self,
        clockwork: Clockwork,
        dice: random.Random,
        counts: Counter[str],
        host: Callable[[], Host | None],
        stocks: tuple[str, ...],
        middle: Callable[[str], int],
    ) -> None:
        self._clockwork, self._dice, self._counts, self._host = clockwork, dice, counts, host
        self._stocks, self._middle = stocks, middle
        self._number = 0
        self.acknowledged: set[str] = set()
        self.is_trading = True
        self._wait()

    def _wait(self) -> None:
        self._clockwork.after(self._dice.randrange(1_000_000, 40_000_000), self._act)

    def _act(self) -> None:
        if not self.is_trading:
            return
        self._wait()
        host, dice = self._host(), self._dice
        what = dice.random()
        if what < 0.5 or host is None:
            self._order()
            return
        mine = [order for order in host.oms if order.ordered.client == NAME and order.open and not order.status.is_final]
        if not mine:
            return
        order = dice.choice(mine)
        try:
            if what < 0.8:
                host.flow.cancel(order)
                self._counts["cancels asked"] += 1
            else:
                price = self._price(order.ordered.stock, order.ordered.side)
                host.flow.replace(order, price, order.executed + dice.randrange(1, 300))
                self._counts["replaces asked"] += 1
        except (OmsError, UnknownOrderError, UnreconciledError, NotKeptError, DeviceRefusedError, DeviceError):
            self._counts["requests refused"] += 1

    def _price(self, stock: str, side: Side) -> int:
        away = self._dice.randrange(-2, 12) * 100
        return self._middle(stock) + (-away if side is Side.BUY else away)

    def _order(self) -> None:
        dice = self._dice
        self._number += 1
        stock, side = dice.choice(self._stocks), dice.choice((Side.BUY, Side.SELL))
        ordered = Ordered(0, NAME, f"c{self._number}", stock, side, self._price(stock, side), dice.randrange(1, 300), 1, 99_999)
        self._counts["orders asked"] += 1
        self._send(ordered, 0)

    def _send(self, ordered: Ordered, tries: int) -> None:
        if ordered.client_order_id in self.acknowledged or tries > 20:
            return
        host = self._host()
        if host is not None:
            try:
                host.flow.submit(ordered).add_done_callback(lambda done: self._told(ordered, done))
            except (OmsError, NotKeptError, DeviceError):
                self._counts["orders refused"] += 1
        self._clockwork.after(PATIENCE, self._send, ordered, tries + 1)

    def _told(self, ordered: Ordered, done: Future[Order]) -> None:
        if done.exception() is None:
            self.acknowledged.add(ordered.client_order_id)
