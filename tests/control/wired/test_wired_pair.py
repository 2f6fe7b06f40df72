"""An engine in a process of its own at an exchange, its shadow here: whatever happens to the process, trading goes on from where
the exchange says that we stand.
"""

import os
import signal
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest

from control.desk import Desk
from control.live import Owner
from control.market import RunError
from control.oms.rules import Status
from control.wired.conversation import Address, everything
from control.wired.market import LiveMarket
from control.wired.pair import WiredPair
from control.wired.settlement import Orders
from drivers.live import LiveDevice
from drivers.process import EngineProcess
from tests.control.wired.checks import agree, fills, same_books, trade
from tests.control.wired.venue import HOST, STOCKS, Exchange, Ways, serving, until
from wire import itch, moldudp64

GROUPS = ("239.7.3.1", "239.7.3.2")


@pytest.fixture
def exchange(tmp_path: Path) -> Iterator[Exchange]:
    made = Exchange(tmp_path, loss=0.05, groups=GROUPS)
    yield made
    made.close()


def configured(ways: Ways, **market: Any) -> Any:
    patient = {"process_patience_ns": 20_000_000_000} | market
    return ways.configuration(market=patient, quoter={"enabled": True, "size": 50})


def process(market: LiveMarket) -> EngineProcess:
    assert market.pair is not None
    assert isinstance(market.pair.card, EngineProcess)
    return market.pair.card


def status(owner: Owner, market: LiveMarket) -> Any:
    return owner.ask(lambda _: market.status()).result(30)


def rested(client: httpx.Client) -> Any:
    """An order that stands, far from the market."""
    price = client.get("books/HPNA").json()["bids"][-1]["price"]
    body = {"stock": "HPNA", "side": "buy", "price": price, "quantity": 7}
    told = client.post("orders", json=body)
    assert told.status_code == 201, told.text
    return told.json()


def nothing_is_open(exchange: Exchange, market: LiveMarket) -> None:
    """The exchange knows of no order of ours that is open."""
    where = Address(HOST, exchange.ports["order"])
    account = Orders()
    _, messages = everything(where, "HAIR", "PIN", 20)
    for message in messages:
        account.take(market._account.speech.read(message))
    assert not account.open


def traded_on(client: httpx.Client, owner: Owner, market: LiveMarket, exchange: Exchange) -> None:
    """Both stocks trade again, and everybody has the same positions."""
    before = len(fills(exchange))
    for side in ("buy", "sell", "buy"):
        for stock in STOCKS:
            told = trade(client, stock, side)
            assert told.status_code in (201, 409, 422), told.text
    until(lambda: len(fills(exchange)) > before, "nothing trades any more")
    agree(owner, market, exchange, {}, 500)


@pytest.mark.parametrize("how", ["killed", "hanging", "killed without a connection"])
def test_the_shadow_takes_over_from_a_process_that_is_gone(exchange: Exchange, ways: Ways, tmp_path: Path, how: str) -> None:
    with serving(configured(ways), tmp_path / "state", "pair") as (client, owner, market):
        pair = market.device
        assert isinstance(pair, WiredPair)
        traded_on(client, owner, market, exchange)
        until(lambda: status(owner, market)["pair"]["checks"], "never compared")
        order = rested(client)
        assert status(owner, market)["pair"]["trading"] == "process"
        if how == "hanging":
            process(market)._patience = 0.2
        if how == "killed without a connection":
            for way in ways.orders:
                way.cut()
        os.kill(process(market).pid, signal.SIGSTOP if how == "hanging" else signal.SIGKILL)
        if how == "killed without a connection":
            until(lambda: status(owner, market)["pair"]["trading"] == "nobody", "it is not missed")
            for way in ways.orders:
                way.open()
        until(lambda: status(owner, market)["pair"]["trading"] == "shadow", "nobody took over")
        told = status(owner, market)["pair"]
        assert told["take_overs"] == 1
        assert ("SIGKILL" in told["failed"]) is (how != "hanging")
        until(lambda: owner.flow.oms[order["number"]].status is Status.CANCELLED, "the order is not told of")
        traded_on(client, owner, market, exchange)
        assert same_books(owner, ways)
        assert client.get("kill").json()["reasons"] == {}
        assert process(market).has_ended
    nothing_is_open(exchange, market)


def test_an_exchange_that_comes_back_has_a_pair_again(exchange: Exchange, ways: Ways, tmp_path: Path) -> None:
    with serving(configured(ways), tmp_path / "state", "pair") as (client, owner, market):
        traded_on(client, owner, market, exchange)
        carried = {stock: each["device"] for stock, each in status(owner, market)["positions"].items()}
        before = process(market).pid
        os.kill(before, signal.SIGKILL)
        exchange.kill()
        exchange.start()
        until(lambda: market.sessions == 2 and status(owner, market)["books"] == "good", "not back")
        until(lambda: status(owner, market)["orders"]["connections"] >= 2, "not logged in")
        told = status(owner, market)
        assert told["pair"]["trading"] == "process"
        assert process(market).pid != before
        client.delete("kill")
        agree(owner, market, exchange, carried, 500)
        assert same_books(owner, ways)


def test_books_that_differ_stop_both(exchange: Exchange, ways: Ways, tmp_path: Path) -> None:
    """The shadow alone is told of an order that there is not."""
    with serving(configured(ways), tmp_path / "state", "pair") as (client, owner, market):
        pair = market.pair
        assert pair is not None
        until(lambda: status(owner, market)["pair"]["checks"], "never compared")
        assert client.get("kill").json()["reasons"] == {}

        def lie(desk: Desk) -> bool:
            if pair.diverged is None:
                best = desk.books("HPNA", 1).bids[0]
                add = itch.ADD_ORDER.pack(
                    {"side": "B", "stock": "HPNA"}, stock_locate=market.setups[0].stock_locate, order_reference=1 << 40,
                    shares=100, price=best.price,
                )  # fmt: skip
                shadow = pair.shadow
                assert isinstance(shadow, LiveDevice)
                shadow.inject([moldudp64.packet("ALPHA", shadow.expected(), [add])])
            return pair.diverged is not None

        until(lambda: owner.ask(lie).result(30), "nobody sees it")
        reasons = until(lambda: client.get("kill").json()["reasons"], "nothing is stopped")
        assert any("process and shadow differ: " in text for text in reasons.values())
        assert trade(client, "HPNA", "buy").status_code != 201


def test_addresses_that_two_cannot_share_are_refused(tmp_path: Path) -> None:
    alone = Exchange(tmp_path)
    ways = Ways(alone)
    try:
        with pytest.raises(RunError, match="a pair hears the feeds twice"), serving(
            ways.configuration(), tmp_path / "state", "pair"
        ):
            pass
    finally:
        ways.close()
        alone.close()
