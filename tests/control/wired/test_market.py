"""A market on sockets, whatever fails: books are the exchange's, positions the drop copy's, and no limit is broken."""

from collections.abc import Iterator
from decimal import Decimal
from pathlib import Path
from typing import Any

import httpx
import pytest

from control.gateway.soupbin import Message
from control.live import Owner
from control.wired.conversation import Address, UnreachableError, everything, newest
from control.wired.orders import UNANSWERED
from control.wired.settlement import Orders
from sim.exchange.venue import DROP_COPY
from tests.control.wired.checks import agree, fills, same_books, trade
from tests.control.wired.venue import STOCKS, Exchange, Ways, serving, until


@pytest.fixture
def exchange(tmp_path: Path) -> Iterator[Exchange]:
    made = Exchange(tmp_path, loss=0.15)
    yield made
    made.close()


def test_ports_and_servers_that_die_cost_nothing(exchange: Exchange, ways: Ways, tmp_path: Path) -> None:
    with serving(ways.configuration(), tmp_path / "state") as (client, owner, market):
        until(lambda: market.device.counters()["accepted"] > 3, "no quotes")
        until(lambda: trade(client, "HPNA", "buy").status_code == 201 and fills(exchange), "no execution")
        until(lambda: len(market.recovered) > 2, "no gap was closed")
        ways.rerequests[0].dead = True
        asked = len(market.recovered)
        until(lambda: len(market.recovered) > asked + 1, "no gap was closed by the other server")
        ways.orders[0].cut()
        until(lambda: market.orders.connections == 2, "not logged in again")
        assert market.orders.at is not None
        assert market.orders.at.port == ways.orders[1].port
        until(lambda: trade(client, "HPNB", "sell").status_code == 201 and len(fills(exchange)) > 1, "no execution")
        assert same_books(owner, ways)
        agree(owner, market, exchange, {}, 500)
        counters = market.device.counters()
        assert (counters["unknown_token"], counters["session_malformed"], counters["rejected"]) == (0, 0, 0)
        assert market.brought[0].deleted == 0
        assert len(market.brought) == 1
        where = Address("127.0.0.1", exchange.ports["order"])
        # Every message of the session came once: the quoter is stopped first, so that there are no more.
        assert client.post("kill", json={"reason": "count"}).status_code < 300
        until(lambda: not owner.ask(lambda desk: desk.orders()).result(20), "orders stay open")
        ways.orders[1].cut()
        until(lambda: newest_or_none(where) == market.orders.sequence, "the session's messages do not add up")


def newest_or_none(where: Address) -> int:
    try:
        return newest(where, "HAIR", "PIN", "ALPHA", 5).sequence
    except (UnreachableError, RuntimeError):
        return -1


def test_a_killed_exchange_stops_everything_until_somebody_says_go(exchange: Exchange, ways: Ways, tmp_path: Path) -> None:
    configuration = ways.configuration(quoter={"enabled": False})
    with serving(configuration, tmp_path / "state") as (client, owner, market):
        # Before there are any orders, which the account's session would be recognised by.
        until(lambda: market.device.counters()["messages"] > 400, "no feed")
        exchange.kill()
        exchange.start()
        until(lambda: market.sessions == 2 and status(client)["session"] == "up", "it did not come back")
        assert "the feed is at message" in client.get("kill").json()["reasons"]["global"]
        assert client.delete("kill").status_code == 200
        for stock in STOCKS:
            assert client.patch(f"symbols/{stock}/quoter", json={"enabled": True}).status_code == 200
        until(lambda: trade(client, "HPNA", "buy").status_code == 201 and len(fills(exchange)) > 1, "no execution")
        assert client.patch("symbols/HPNB/quoter", json={"size": 30}).status_code == 200
        until(lambda: market.orders.sequence > 10, "no quotes")
        agree(owner, market, exchange, {}, 500)
        lost = market.orders.lost
        exchange.kill()
        until(lambda: market.orders.lost == lost + 1, "the loss was not seen")
        carried = {stock: each.position for stock, each in owner.ask(lambda _: market.positions()).result(20).items()}
        before = market.device.counters()["orders_new"]
        assert any(carried.values())
        exchange.start()
        until(lambda: market.sessions == 3 and status(client)["session"] == "up", "it did not come back")
        until(lambda: status(client)["feed_whole"] and len(market.brought) > 2, "no books")
        told = client.get("kill").json()
        assert told["everything"]
        assert "another session of the exchange" in told["reasons"]["global"]
        assert same_books(owner, ways)
        agree(owner, market, exchange, carried, 500)
        assert market.device.counters()["orders_new"] == 0 < before
        refused = trade(client, "HPNA", "sell")
        assert refused.status_code == 422 or "kill_global" in refused.text
        assert client.get("symbols/HPNB/quoter").json()["device"]["size"] == 30
        assert client.delete("kill").status_code == 200
        until(lambda: market.device.counters()["accepted"] > 1, "no quotes in the new session")
        until(lambda: trade(client, "HPNA", "sell").status_code == 201 and fills(exchange), "no execution")
        agree(owner, market, exchange, carried, 500)
        numbers = [event["sequence"] for event in client.get("events?after=0&limit=1000").json()["events"]]
        assert numbers == sorted(numbers)
        assert numbers[-1] < 1 << 32


def status(client: httpx.Client) -> dict[str, Any]:
    found: dict[str, Any] = client.get("status").json()
    return found


def test_without_rerequests_books_come_by_snapshot_and_a_second_life_finds_what_the_first_one_left(
    exchange: Exchange, ways: Ways, tmp_path: Path
) -> None:
    for each in ways.rerequests:
        each.dead = True
    with serving(ways.configuration(), tmp_path / "state") as (client, owner, market):
        until(lambda: sum(each.by == "snapshot" for each in market.recovered) > 1, "no gap was closed by a snapshot")
        assert max(brought.deleted for brought in market.brought) > 10
        assert same_books(owner, ways)
        until(lambda: trade(client, "HPNA", "buy").status_code == 201 and fills(exchange), "no execution")
        until(lambda: owner.ask(lambda desk: desk.orders()).result(20), "no quotes")
        agree(owner, market, exchange, {}, 500)
        open_before = [order.order_id for order in owner.flow.oms if not order.status.is_final]
        assert open_before
        last = market.device.counters()["orders_new"]
        market.device.close()  # as a crash would: nothing is cancelled, nobody logs out
    for each in ways.rerequests:
        each.dead = False
    with serving(ways.configuration(), tmp_path / "state") as (client, owner, market):
        agree(owner, market, exchange, {}, 500)
        oms = owner.flow.oms
        assert all(oms[each].status.is_final for each in open_before)  # the account says what became of them
        assert owner.flow.unreconciled == {}
        assert oms.violations == []
        assert any(each.position for each in owner.ask(lambda _: market.positions()).result(20).values())
        until(lambda: market.device.counters()["accepted"] > 1, "no quotes")
        assert market.device.counters()["unknown_token"] == 0
        assert owner.ask(lambda _: market._device.generation).result(20) > last
        assert same_books(owner, ways)
        exchange.end()
        until(lambda: status(client)["finished"], "the end of the session was not seen")
        until(lambda: status(client)["session"] == "down", "the session is not over")
        assert not client.get("kill").json()["everything"]


def test_a_second_life_has_the_credit_that_the_first_one_left(exchange: Exchange, ways: Ways, tmp_path: Path) -> None:
    def spent() -> Decimal:
        return sum((Decimal(abs(fill.shares) * fill.price) for fill in fills(exchange)), Decimal(0)) / 10_000

    quiet = {"quoter": {"enabled": False}}
    with serving(ways.configuration(**quiet), tmp_path / "state") as (client, owner, market):
        until(lambda: trade(client, "HPNA", "buy").status_code == 201 and spent(), "no execution")
        agree(owner, market, exchange, {}, 500)
    credit = spent()
    few = {"max_gross": "50000000", "credit": str(credit + 1)}
    with serving(ways.configuration(**quiet, **{"global": few}), tmp_path / "state") as (client, owner, market):
        refused = trade(client, "HPNA", "buy")
        assert refused.status_code == 409
        assert "credit" in refused.json()["reasons"]
        assert client.patch("limits", json={"credit": str(3 * credit)}).status_code == 200
        assert trade(client, "HPNA", "buy").status_code == 201
        assert client.patch("limits", json={"credit": str(credit + 2)}).status_code == 200
        assert trade(client, "HPNA", "buy").status_code == 409


def test_orders_that_never_arrived_are_settled_and_an_execution_that_nobody_knows_stops_its_stock(
    exchange: Exchange, ways: Ways, tmp_path: Path
) -> None:
    with serving(ways.configuration(), tmp_path / "state") as (client, owner, market):
        until(lambda: len(owner.ask(lambda desk: desk.orders()).result(20)) > 1, "no quotes")
        ways.orders[0].swallow = True
        sent = client.post("orders", json={"stock": "HPNA", "side": "buy", "price": bid(client), "quantity": 1})
        assert sent.status_code == 201
        until(lambda: waiting(owner) > 1, "nothing is on its way")
        ways.orders[0].cut()
        until(lambda: market.orders.connections == 2, "not logged in again")
        assert client.post("kill", json={"reason": "quiet"}).status_code < 300
        until(lambda: not owner.ask(lambda desk: desk.orders()).result(20), "orders wait for ever")
        counters = market.device.counters()
        assert counters["rejected"] >= 1
        assert (counters["unknown_token"], counters["session_malformed"]) == (0, 0)
        account = Orders()
        ways.orders[1].cut()
        where = Address("127.0.0.1", exchange.ports["order"])
        until(lambda: newest_or_none(where) > 0, "the port is not free")
        _, messages = everything(where, "HAIR", "PIN", 20)
        for message in messages:
            account.take(market._account.speech.read(message))
        assert not account.open
        agree(owner, market, exchange, {}, 500)

        copies = market._copies
        assert copies is not None
        copies.reconciler.patience_ns = 0
        names = {"account": "HAIR", "firm": "HRPN", "stock": "HPNB", "side": "B"}
        told = DROP_COPY.pack(names, shares=7, match_number=99, order_reference=4711)
        copies._events.put(Message(1, told))
        reasons = until(lambda: client.get("kill").json()["reasons"].get("symbol HPNB"), "the stock is not stopped")
        assert reasons == "HPNB, order 4711: execution 99 of venue 0: we do not know it"
        pages = client.get("events?type=kill").json()["events"]
        assert pages[-1]["stock"] == "HPNB"


def bid(client: httpx.Client) -> str:
    price: str = client.get("books/HPNA").json()["bids"][-1]["price"]
    return price


def waiting(owner: Owner) -> int:
    return sum(order.state in UNANSWERED for order in owner.ask(lambda desk: desk.orders()).result(20))
