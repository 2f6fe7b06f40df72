"""What holds of a market on sockets, as the exchange itself tells it."""

from typing import Any

import httpx

from control.desk import Desk
from control.live import Owner
from control.wired.conversation import Address, everything
from control.wired.copies import read
from control.wired.market import LiveMarket
from control.wired.snapshot import fetch
from tests.control.wired.venue import STOCKS, Exchange, Ways, until
from wire import itch
from wire.records import EventType

Levels = list[tuple[int, int, int]]


def theirs(ways: Ways) -> tuple[int, dict[str, tuple[Levels, Levels]]]:
    """The displayed books by the exchange's snapshot, added up here, and the number of the message that is next."""
    snapshot = fetch(ways.snapshot, 20)
    names = {locate: stock for stock, locate in snapshot.locates.items()}
    sides: dict[tuple[str, str], dict[int, list[int]]] = {(stock, side): {} for stock in STOCKS for side in "BS"}
    for message in snapshot.messages:
        if message[0] in b"AF":
            record = itch.ADD_ORDER if message[0] == ord("A") else itch.ADD_ORDER_ATTRIBUTED
            fields = record.unpack(message)
            level = sides[names[fields["stock_locate"]], fields["side"]].setdefault(fields["price"], [0, 0])
            level[0] += fields["shares"]
            level[1] += 1
    return snapshot.sequence, {
        stock: (
            [(price, *level) for price, level in sorted(sides[stock, "B"].items(), reverse=True)],
            [(price, *level) for price, level in sorted(sides[stock, "S"].items())],
        )
        for stock in STOCKS
    }


def same_books(owner: Owner, ways: Ways) -> bool:
    """Whether the device's books are the exchange's; False where messages came between the two looks."""

    def ours(desk: Desk) -> tuple[int, dict[str, Any], int]:
        def expected() -> int:
            beats = desk.market.device.heartbeat().events
            return int(beats[beats["type"] == EventType.HEARTBEAT]["value"][0])

        return expected(), {stock: desk.books(stock, 255) for stock in STOCKS}, expected()

    for _ in range(300):
        sequence, books = theirs(ways)
        before, found, after = owner.ask(ours).result(20)
        if before == after == sequence:
            told = {
                stock: tuple([(each.price, each.quantity, each.orders) for each in side] for side in (book.bids, book.asks))
                for stock, book in found.items()
            }
            assert told == {stock: tuple(side[:255] for side in sides) for stock, sides in books.items()}
            return True
    return False


def fills(exchange: Exchange) -> list[Any]:
    _, messages = everything(Address("127.0.0.1", exchange.ports["drop_copy"]), "", "", 20)
    return [fill for fill in (read(message, "HAIR") for message in messages) if fill is not None]


def agree(owner: Owner, market: LiveMarket, exchange: Exchange, carried: dict[str, int], limit: int) -> None:
    """Positions are those of the drop copy, read from its beginning here; no execution took one over its limit."""

    def settled() -> bool:
        status = owner.ask(lambda _: market.status()).result(20)
        shares = dict(carried)
        for fill in fills(exchange):
            shares[fill.stock] = shares.get(fill.stock, 0) + fill.shares
            assert abs(shares[fill.stock]) <= limit
        return all(
            each["device"] == each["drop_copy"] == shares.get(stock, 0) for stock, each in status["positions"].items()
        ) and not status["drop_copy"]["waiting"]

    until(settled, "positions differ")
    assert owner.ask(lambda _: market.status()).result(20)["drop_copy"]["breaks"] == []


def trade(client: httpx.Client, stock: str, side: str) -> Any:
    """A marketable order by the API."""
    top = client.get(f"books/{stock}").json()
    price = top["asks" if side == "buy" else "bids"][0]["price"]
    body = {"stock": stock, "side": side, "price": price, "quantity": 50, "time_in_force": "immediate"}
    return client.post("orders", json=body)
