"""Order ports: what OUCH 4.2 and 5.0 clients are told, message by message, on both sides of a trade."""

from typing import Any

import pytest

from sim.exchange.matching.core import Core
from sim.exchange.matching.state import Command, Prevention, Reason
from sim.exchange.ouch42 import Ouch42
from sim.exchange.ouch50 import Ouch50
from sim.exchange.venue import DROP_COPY, Venue
from wire import appendage, ouch42, ouch50

BASE, MIDDLE = 900_000, 1_000_000


class Ports:
    """A venue with a port of either protocol."""

    def __init__(self, prevention: int = 0) -> None:
        core = Core(1, 4096, 256)
        core.open_symbol(0, BASE, 100, MIDDLE)
        self.venue = Venue(("AAA",), core)
        self.venue.time = 34_200_000_000_000
        self.old = Ouch42(self.venue, self.venue.account("OLD", "FRMA", prevention))
        self.new = Ouch50(self.venue, self.venue.account("NEW", "FRMB", prevention))

    def told(self, entry: Any) -> list[dict[str, Any]]:
        """What a port has said since the last call."""
        found = []
        for message in entry.account.journal:
            if isinstance(entry, Ouch42):
                found.append(ouch42.OUTBOUND.unpack(message))
            else:
                _, fields, options = appendage.unpack(ouch50.OUTBOUND, message)
                found.append({**fields, **options})
        entry.account.journal.clear()
        return found

    def types(self, entry: Any) -> str:
        return "".join(fields["type"] for fields in self.told(entry))


def enter42(token: str, side: str = "B", shares: int = 100, price: int = MIDDLE, **values: Any) -> bytes:
    fields = {
        "order_token": token, "side": side, "shares": shares, "stock": "AAA", "price": price,
        "time_in_force": 99_998, "firm": "FRMA", "display": "Y", "capacity": "P",
        "intermarket_sweep_eligibility": "N", "minimum_quantity": 0, "cross_type": "N", "customer_type": " ",
    }  # fmt: skip
    return ouch42.ENTER_ORDER.pack(fields | values)


def enter50(number: int, side: str = "B", quantity: int = 100, price: int = MIDDLE, **values: Any) -> bytes:
    options = {name: values.pop(name) for name in list(values) if name in appendage.BY_NAME}
    fields = {
        "user_reference_number": number, "side": side, "quantity": quantity, "symbol": "AAA", "price": price,
        "time_in_force": "0", "display": "Y", "capacity": "P", "intermarket_sweep_eligibility": "N",
        "cross_type": "N", "client_order_id": f"ID{number}",
    }  # fmt: skip
    return appendage.pack(ouch50.ENTER_ORDER, fields | values, options)


def replace42(old: str, new: str, shares: int, price: int = MIDDLE) -> bytes:
    return ouch42.REPLACE_ORDER.pack(
        existing_order_token=old, replacement_order_token=new, shares=shares, price=price, time_in_force=99_998,
        display="Y", intermarket_sweep_eligibility="N",
    )  # fmt: skip


def test_a_trade_between_the_two_protocols_is_told_on_both_sides_with_one_match_number() -> None:
    ports = Ports()
    ports.old.receive(enter42("A1", "B", 100))
    ports.new.receive(enter50(1, "S", 150))
    old, new = ports.told(ports.old), ports.told(ports.new)
    assert [fields["type"] for fields in old] == ["A", "E"]
    assert [fields["type"] for fields in new] == ["A", "E"]
    assert old[0]["order_token"] == "A1"
    assert (old[0]["shares"], old[0]["order_state"], old[0]["firm"]) == (100, "L", "FRMA")
    assert (old[1]["executed_shares"], old[1]["execution_price"], old[1]["liquidity_flag"]) == (100, MIDDLE, "A")
    assert (new[1]["quantity"], new[1]["price"], new[1]["liquidity_flag"]) == (100, MIDDLE, "R")
    assert old[1]["match_number"] == new[1]["match_number"] == 1
    copies = [DROP_COPY.unpack(message) for message in ports.venue.drop_copy]
    assert [(copy["account"], copy["side"], copy["role"], copy["shares"]) for copy in copies] == [
        ("OLD", "B", "A", 100), ("NEW", "S", "R", 100),
    ]  # fmt: skip


def test_a_repeated_token_is_ignored() -> None:
    ports = Ports()
    for _ in range(2):
        ports.old.receive(enter42("A1"))
        ports.new.receive(enter50(1))
    assert (ports.types(ports.old), ports.types(ports.new)) == ("A", "A")
    assert ports.venue.core.counters["orders_open"] == 2


def test_cancels_go_down_to_a_size_that_counts_what_has_traded() -> None:
    ports = Ports()
    ports.old.receive(enter42("A1", "B", 100))
    ports.new.receive(enter50(1, "S", 30))
    ports.old.receive(ouch42.CANCEL_ORDER.pack(order_token="A1", shares=50))
    ports.old.receive(ouch42.CANCEL_ORDER.pack(order_token="A1", shares=50))
    ports.old.receive(ouch42.CANCEL_ORDER.pack(order_token="A1"))
    ports.old.receive(ouch42.CANCEL_ORDER.pack(order_token="A1"))
    told = [fields for fields in ports.told(ports.old) if fields["type"] == "C"]
    assert [(fields["decrement_shares"], fields["reason"]) for fields in told] == [(50, "U"), (20, "U")]


def test_a_replacement_names_what_the_whole_chain_may_trade() -> None:
    ports = Ports()
    ports.old.receive(enter42("A1", "B", 100))
    ports.new.receive(enter50(1, "S", 30))
    ports.old.receive(replace42("A1", "A2", 120))
    ports.new.receive(enter50(2, "S", 50))
    ports.old.receive(replace42("A2", "A3", 90, MIDDLE - 100))
    ports.old.receive(replace42("A3", "A4", 80, MIDDLE - 100))
    told = ports.told(ports.old)
    assert [fields["type"] for fields in told] == ["A", "E", "U", "E", "U", "C"]
    assert [fields["shares"] for fields in told if fields["type"] == "U"] == [90, 10]
    assert told[2]["previous_order_token"] == "A1"
    assert ports.venue.core.counters["orders_open"] == 0


def test_a_replacement_that_only_shrinks_keeps_its_reference_and_its_place() -> None:
    ports = Ports()
    ports.old.receive(enter42("A1", "B", 100))
    ports.new.receive(enter50(1, "B", 100))
    ports.old.receive(replace42("A1", "A2", 60))
    accepted, replaced = ports.told(ports.old)
    assert replaced["order_reference"] == accepted["order_reference"]
    assert [order.open for order in ports.venue.core.queue(0, 0)] == [60, 100]


@pytest.mark.parametrize(
    ("values", "letter", "number"),
    [
        ({"stock": "ZZZ"}, "S", 0x17),
        ({"price": MIDDLE + 1}, "X", 0x1D),
        ({"shares": 0}, "Z", 0x13),
        ({"display": "M"}, "D", None),
        ({"minimum_quantity": 10}, "D", 0x03),
        ({"cross_type": "S"}, "R", 0x0F),
    ],
)
def test_what_is_refused_is_refused_in_both_protocols(values: dict[str, Any], letter: str, number: int | None) -> None:
    ports = Ports()
    ports.old.receive(enter42("A1", **values))
    assert [(f["type"], f["reason"]) for f in ports.told(ports.old)] == [("J", letter)]
    if number is not None:
        names = {"stock": "symbol", "shares": "quantity"}
        ports.new.receive(enter50(1, **{names.get(name, name): value for name, value in values.items()}))
        told = ports.told(ports.new)
        assert [(f["type"], f["reason"], f["client_order_id"]) for f in told] == [("J", number, "ID1")]


def test_immediate_post_only_hidden_and_halted() -> None:
    ports = Ports()
    ports.old.receive(enter42("A1", "S", 100, display="N"))
    ports.new.receive(enter50(1, "B", 50, post_only="P"))
    ports.new.receive(enter50(2, "B", 150, time_in_force="3"))
    assert ports.types(ports.new) == "JAEC"
    assert [f.get("liquidity_flag") for f in ports.told(ports.old)] == [None, "J"]
    ports.venue.submit(Command.STATE, value=ord("H"))
    ports.old.receive(enter42("A2"))
    assert [(f["type"], f["reason"]) for f in ports.told(ports.old)] == [("J", "H")]


def test_a_reserve_is_restated_each_time_it_shows_more() -> None:
    ports = Ports()
    ports.new.receive(enter50(1, "S", 250, max_floor=100))
    ports.old.receive(enter42("A1", "B", 220, time_in_force=0))
    told = ports.told(ports.new)
    assert [f["type"] for f in told] == ["A", "E", "R", "E", "R", "E"]
    assert [f["display_quantity"] for f in told if f["type"] == "R"] == [100, 50]
    assert told[0]["max_floor"] == 100


def test_one_firm_does_not_trade_with_itself() -> None:
    ports = Ports(Prevention.CANCEL_OLDEST)
    ports.old.receive(enter42("A1", "B", 100))
    ports.new.receive(enter50(1, "S", 60, firm="FRMA"))
    assert [(f["type"], f.get("reason")) for f in ports.told(ports.old)] == [("A", None), ("C", "Q")]
    assert ports.types(ports.new) == "A"
    assert ports.venue.core.counters["matches"] == 0


def test_orders_expire_and_leave_with_their_port() -> None:
    ports = Ports()
    ports.old.receive(enter42("A1", time_in_force=5))
    ports.old.receive(enter42("A2"))
    second = 1_000_000_000
    ports.venue.advance(ports.venue.time + 4 * second)
    assert ports.types(ports.old) == "AA"
    ports.venue.advance(ports.venue.time + 2 * second)
    ports.old.cancel_everything(Reason.DISCONNECT)
    assert [(f["order_token"], f["reason"]) for f in ports.told(ports.old)] == [("A1", "T"), ("A2", "S")]


def test_modify_and_account_query() -> None:
    ports = Ports()
    ports.new.receive(enter50(7, "S"))
    ports.new.receive(ouch50.MODIFY_ORDER_REQUEST.pack(user_reference_number=7, side="T", quantity=40))
    ports.new.receive(ouch50.ACCOUNT_QUERY_REQUEST.pack())
    told = ports.told(ports.new)
    assert [f["type"] for f in told] == ["A", "M", "Q"]
    assert (told[1]["side"], told[1]["quantity"]) == ("T", 40)
    assert told[2]["next_user_reference_number"] == 8


def test_on_open_orders_trade_in_the_cross_with_its_flag() -> None:
    ports = Ports()
    ports.venue.submit(Command.STATE, value=ord("Q"))
    ports.old.receive(enter42("A1", "B", 100, cross_type="O", price=0x7FFFFFFF))
    ports.new.receive(enter50(1, "S", 60))
    ports.venue.submit(Command.CROSS, value=ord("O"))
    assert [(f["type"], f.get("liquidity_flag"), f.get("reason")) for f in ports.told(ports.old)] == [
        ("A", None, None), ("E", "O", None), ("C", None, "C"),
    ]  # fmt: skip
    assert ports.types(ports.new) == "AE"


@pytest.mark.parametrize("message", [b"", b"O", b"?" * 49, enter42("A1")[:-1]])
def test_what_is_no_message_is_counted(message: bytes) -> None:
    ports = Ports()
    ports.old.receive(message)
    ports.new.receive(message)
    assert (ports.old.malformed, ports.new.malformed) == (1, 1)
    assert ports.venue.core.counters["commands"] == 0


def test_fees_follow_who_added_and_who_removed() -> None:
    ports = Ports()
    ports.old.receive(enter42("A1", "B", 100))
    ports.new.receive(enter50(1, "S", 100))
    assert (ports.old.account.fees, ports.new.account.fees) == (-2000.0, 3000.0)
