"""The session of a device that is gone, taken from an exchange that is real but for its sockets."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from control.failover.takeover import Phase, Takeover
from control.failover.view import ExchangeView
from control.gateway.ouch import Ouch
from control.gateway.soupbin import Client
from sim.exchange.config import Flow, OrderPort, VenueConfig
from sim.exchange.day import Day
from sim.exchange.matching.state import BUY, SELL
from sim.exchange.soup import SoupServer
from wire import ouch42, ouch50
from wire.records import OuchVersion, Side

MS = 1_000_000
PREFIX = "HP"
DETAILS: dict[str, Any] = {
    "time_in_force": 99_998, "firm": "FIRM", "display": "Y", "capacity": "P", "intermarket_sweep_eligibility": "N",
    "cross_type": "N", "customer_type": " ",
}  # fmt: skip
VERSIONS = {"ouch42": OuchVersion.V4_2, "ouch50": OuchVersion.V5_0}


class Desk:
    """Two accounts of one venue, ours and a counterpart, and a connection to ours that can be cut."""

    def __init__(self, protocol: str) -> None:
        ports = (OrderPort(protocol=protocol), OrderPort(protocol="ouch42"))
        self.day = Day(VenueConfig(flow=Flow(source="none"), auction=False, ports=ports, prices=(1_000_000, 500_000)))
        self.day.advance(self.day.open + 1)
        self.ours, self.other = self.day.entries
        self.version = VERSIONS[protocol]
        self.now, self.generation, self.names = 1_000 * MS, 0, 0
        self.server = self._server()

    def _server(self) -> SoupServer:
        return SoupServer("HAIRPIN", lambda _: self.ours.account.journal, self.now / 1e9)

    def enter(self, side: int, price: int, shares: int, stock: str = "HPNA") -> int:
        """An order as a device sends it."""
        self.generation += 1
        order_id = self.generation << 12 | side << 2
        letter = "B" if side == BUY else "S"
        if self.version is OuchVersion.V4_2:
            message = ouch42.ENTER_ORDER.pack(
                order_token=f"{PREFIX}{order_id:012X}", side=letter, shares=shares, stock=stock, price=price, **DETAILS
            )
        else:
            message = ouch50.ENTER_ORDER.pack(
                user_reference_number=order_id, side=letter, quantity=shares, symbol=stock, price=price, time_in_force="0",
                display="Y", capacity="P", intermarket_sweep_eligibility="N", cross_type="N", client_order_id=f"{order_id:X}",
            )  # fmt: skip
        self.ours.receive(message)
        return order_id

    def counter(self, side: int, price: int, shares: int) -> None:
        self.names += 1
        self.other.receive(
            ouch42.ENTER_ORDER.pack(
                order_token=f"C{self.names}", side="B" if side == BUY else "S", shares=shares, stock="HPNA", price=price,
                **{**DETAILS, "time_in_force": 0},
            )
        )  # fmt: skip

    def open_shares(self) -> int:
        return sum(ticket.open for ticket in self.ours.by_key.values())

    def position(self) -> int:
        return sum(
            (1 if ticket.terms.side == BUY else -1) * ticket.executed for ticket in self.ours.by_key.values()
        )


def _takeover(desk: Desk, known: tuple[int, ...]) -> Takeover:
    return Takeover(Client("", "", sequence=1), Ouch(desk.version, PREFIX), known, desk.now)


def _drive(desk: Desk, takeover: Takeover, ms: int, cut: Any = None) -> None:
    """Lets exchange and machine talk, a millisecond a step."""
    out = takeover.connected(desk.now)
    for step in range(ms):
        desk.now += MS
        if cut is not None and cut(step):
            desk.server, out = desk._server(), takeover.connected(desk.now)
            continue
        for message in desk.server.receive(out, desk.now / 1e9) if out else ():
            desk.ours.receive(message)
        data = desk.server.pump(desk.now / 1e9)
        out = takeover.receive(data, desk.now) if data else b""
        out += takeover.tick(desk.now)
        if takeover.is_done:
            return


@pytest.mark.parametrize("protocol", sorted(VERSIONS))
@pytest.mark.parametrize("seed", range(6))
def test_afterwards_nothing_is_open_and_position_and_cash_are_the_exchanges(protocol: str, seed: int) -> None:
    rng = np.random.default_rng(seed)
    desk, known = Desk(protocol), []
    for _ in range(60):
        side = int(rng.integers(2))
        price = 1_000_000 + (-1 if side == BUY else 1) * int(rng.integers(1, 20)) * 100
        order_id = desk.enter(side, price, int(rng.integers(1, 500)))
        if rng.random() < 0.8:  # the event of some was lost
            known.append(order_id)
        if rng.random() < 0.5:
            desk.counter(SELL if side == BUY else BUY, 1_000_000 + (-1 if side == BUY else 1) * 2_000, int(rng.integers(1, 300)))
    assert desk.open_shares() > 0
    assert desk.position() != 0
    takeover = _takeover(desk, (*known, 999 << 12))
    _drive(desk, takeover, 3_000, cut=(lambda step: step in (3, 30)) if seed % 2 else None)
    assert takeover.is_done
    assert takeover.phase is Phase.DONE
    assert desk.open_shares() == 0 == len(takeover.view.open)
    assert takeover.view.positions().get("HPNA", 0) == desk.position()
    assert takeover.never_arrived == []
    assert list(takeover.view.rejected) == [999 << 12]  # it has its answer
    assert takeover.sequence == len(desk.ours.account.journal) + 1
    assert takeover.view.generation == 999
    assert takeover.malformed == 0
    assert takeover.view.foreign == 0
    traded = sum(each.quantity for each in takeover.view.executions.values())
    assert traded == sum(ticket.executed for ticket in desk.ours.by_key.values()) > 0


def test_cancels_of_known_orders_go_out_with_the_login_and_before_the_account_is_read() -> None:
    desk = Desk("ouch42")
    order_id = desk.enter(BUY, 990_000, 100)
    takeover = _takeover(desk, (order_id,))
    for _ in desk.server.receive(takeover.connected(desk.now), 1.0):
        pass
    data = desk.server.pump(1.0)
    accepted = data[: 3 + 30]  # Login Accepted alone
    out = takeover.receive(accepted, desk.now)
    assert takeover.messages == 1
    assert takeover.view.orders == {}
    assert out[3:] == Ouch(desk.version, PREFIX).cancel(f"{PREFIX}{order_id:012X}")


def test_an_order_that_was_still_on_its_way_is_cancelled_when_it_comes() -> None:
    desk = Desk("ouch42")
    takeover = _takeover(desk, ())
    _drive(desk, takeover, 600)
    assert takeover.phase is Phase.SETTLING
    assert not takeover.is_done
    late = desk.enter(SELL, 1_010_000, 70)
    out = b""
    for _ in range(3_000):
        desk.now += MS
        for message in desk.server.receive(out, desk.now / 1e9) if out else ():
            desk.ours.receive(message)
        data = desk.server.pump(desk.now / 1e9)
        out = (takeover.receive(data, desk.now) if data else b"") + takeover.tick(desk.now)
        if takeover.is_done:
            break
    assert takeover.is_done
    assert desk.open_shares() == 0
    assert late in takeover.view.orders


def test_it_is_not_done_while_an_order_is_open_however_often_the_exchange_is_idle() -> None:
    desk = Desk("ouch42")
    desk.enter(BUY, 990_000, 100)
    takeover = _takeover(desk, ())
    out = takeover.connected(desk.now)
    for _ in range(4_000):  # the exchange hears no cancel
        desk.now += MS
        for _ in desk.server.receive(out[:0] if takeover.phase is not Phase.CONNECTING else out, desk.now / 1e9):
            pass
        data = desk.server.pump(desk.now / 1e9)
        out = (takeover.receive(data, desk.now) if data else b"") + takeover.tick(desk.now)
    assert not takeover.is_done
    assert takeover.messages > 10


def test_the_account_has_to_be_read_from_its_beginning() -> None:
    with pytest.raises(ValueError, match="begins with message 5"):
        Takeover(Client("", "", sequence=5), Ouch(OuchVersion.V4_2, PREFIX), (), 0)


def test_orders_with_names_of_somebody_else_are_counted() -> None:
    view, ouch = ExchangeView(), Ouch(OuchVersion.V4_2, PREFIX)
    fields: dict[str, Any] = {"side": "B", "shares": 5, "stock": "X", "price": 1, "order_state": "L"}
    view.take(ouch.read(ouch42.ACCEPTED.pack(order_token="HP00000000100G", **fields)))
    view.take(ouch.read(ouch42.ACCEPTED.pack(order_token="OTHER", **fields)))
    view.take(ouch.read(ouch42.ACCEPTED.pack(order_token="HP000000001004", **fields)))
    assert view.foreign == 2
    assert list(view.orders) == [0x1004]
    assert view.orders[0x1004].side is Side.BUY
