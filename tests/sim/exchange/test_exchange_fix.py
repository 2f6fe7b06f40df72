"""What FIX clients of the three versions are told, report by report, each valid by its version's dictionary."""

from collections import Counter
from decimal import Decimal
from typing import Any

import numpy as np
import pytest

from sim.exchange.matching.core import Core
from sim.exchange.matching.state import Command, Reason
from sim.exchange.ouch42 import Ouch42
from sim.exchange.venue import Venue
from tests.sim.exchange.fix_client import FixClient
from tests.sim.exchange.test_exchange_ports import BASE, MIDDLE, enter42, replace42
from wire import ouch42

VERSIONS = ["fix42", "fix44", "fix50"]
FILLS = {"fix42": ("1", "2"), "fix44": ("F", "F"), "fix50": ("F", "F")}


def venue_of() -> Venue:
    core = Core(1, 4096, 256)
    core.open_symbol(0, BASE, 100, MIDDLE)
    venue = Venue(("AAA",), core)
    venue.time = 34_200_000_000_000
    return venue


@pytest.fixture(params=VERSIONS)
def client(request: pytest.FixtureRequest) -> FixClient:
    return FixClient(venue_of(), request.param)


@pytest.fixture
def other(client: FixClient) -> Ouch42:
    return Ouch42(client.entry.venue, client.entry.venue.account("OLD", "FRMA"))


def test_an_order_its_fills_and_its_averages(client: FixClient, other: Ouch42) -> None:
    other.receive(enter42("S1", "S", 30, MIDDLE - 100))
    other.receive(enter42("S2", "S", 30, MIDDLE))
    client.new("C1", shares=100, t1="ACC")
    other.receive(enter42("S3", "S", 40, MIDDLE))
    told = client.told()
    partly, full = FILLS[client.name]
    assert [each.text(150) for each in told] == ["0", partly, partly, full]
    assert [each.text(39) for each in told] == ["0", "1", "1", "2"]
    assert [each.text(32) for each in told] == ["", "30", "30", "40"]
    assert [each.text(31) for each in told] == ["", "99.99", "100", "100"]
    assert [each.text(151) for each in told] == ["100", "70", "40", "0"]
    assert [each.text(14) for each in told] == ["0", "30", "60", "100"]
    assert [each.text(6) for each in told] == ["0", "99.99", "99.995", "99.997"]
    assert {each.text(11) for each in told} == {"C1"}
    assert {(each.text(1), each.text(55), each.text(38), each.text(44)) for each in told} == {("ACC", "AAA", "100", "100")}
    assert len({each.text(37) for each in told}) == 1
    assert len({each.text(17) for each in told}) == 4, "ExecIDs do not repeat"
    assert {each.text(20) for each in told} == ({"0"} if client.name == "fix42" else {""})
    if client.name != "fix42":
        assert [each.text(851) for each in told] == ["", "2", "2", "1"]
        tag = 527 if client.name == "fix44" else 880
        assert [each.text(tag) for each in told] == ["", "1", "2", "3"]


def test_a_chain_of_replacements_counts_what_it_has_traded(client: FixClient, other: Ouch42) -> None:
    client.new("C1")
    client.replace("C1", "C2", 120, "99")
    other.receive(enter42("S1", "S", 50, MIDDLE - 10_000))
    client.replace("C2", "C3", 80)
    other.receive(enter42("S2", "S", 10, MIDDLE))
    client.cancel("C3", "X1")
    told = client.told()
    untouched = "5" if client.name == "fix42" else "0"
    partly = FILLS[client.name][0]
    wanted = [
        ("0", "0", "C1", "", "100", "0"), ("5", untouched, "C2", "C1", "120", "0"), (partly, "1", "C2", "", "70", "50"),
        ("5", "1", "C3", "C2", "30", "50"), (partly, "1", "C3", "", "20", "60"), ("4", "4", "X1", "C3", "0", "60"),
    ]  # fmt: skip
    assert [tuple(each.text(tag) for tag in (150, 39, 11, 41, 151, 14)) for each in told] == wanted
    assert told[4].text(6) == "99.1667", "50 at 99 and 10 at 100"
    assert len({each.text(37) for each in told}) == 1, "one OrderID for the whole chain"
    assert [each.text(38) for each in told] == ["100", "120", "120", "80", "80", "80"]
    assert client.entry.venue.core.counters["orders_open"] == 0


@pytest.mark.parametrize("shares", [60, 40])
def test_a_replacement_to_no_more_than_has_traded_ends_the_order_filled(
    client: FixClient, other: Ouch42, shares: int
) -> None:
    client.new("C1")
    other.receive(enter42("S1", "S", 60, MIDDLE))
    client.told()
    client.replace("C1", "C2", shares)
    (report,) = client.told()
    assert [report.text(tag) for tag in (150, 39, 11, 41, 38, 151, 14)] == ["5", "2", "C2", "C1", "60", "0", "60"]
    assert client.entry.venue.core.counters["orders_open"] == 0
    client.status("C2")
    assert client.brief(39, 14, 11) == [("8", "2", "60", "C2")]
    client.cancel("C2", "X1")
    assert client.brief(102, 39) == [("9", "0", "2")]


def test_what_a_chain_has_traded_before_counts_when_it_is_replaced_to_less(client: FixClient, other: Ouch42) -> None:
    client.new("C1")
    other.receive(enter42("S1", "S", 30, MIDDLE))
    client.replace("C1", "C2", 100)
    other.receive(enter42("S2", "S", 30, MIDDLE))
    client.told()
    client.replace("C2", "C3", 40)
    (report,) = client.told()
    assert [report.text(tag) for tag in (150, 39, 11, 41, 38, 151, 14)] == ["5", "2", "C3", "C2", "60", "0", "60"]


def test_requests_that_cannot_be_met_are_refused_with_their_reason(client: FixClient, other: Ouch42) -> None:
    duplicate = "2" if client.name == "fix42" else "6"
    client.cancel("NONE", "X1")
    client.new("C1", shares=100)
    client.cancel("C1", "C1")
    client.cancel("C1", "X2", t54="2")
    client.replace("C1", "C2", 100, "100.005")
    client.replace("C1", "C3", 100, "100", t110="50")
    other.receive(enter42("S1", "S", 100, MIDDLE))
    client.replace("C1", "C4", 200)
    told = [each for each in client.told() if each.type == b"9"]
    assert [each.text(434) for each in told] == ["1", "1", "1", "2", "2", "2"]
    assert [each.text(102) for each in told] == ["1", duplicate, "2", "2", "2", "0"]
    assert [each.text(39) for each in told] == ["8", "0", "0", "0", "0", "2"]
    assert [each.text(37) == "NONE" for each in told] == [True, False, False, False, False, False]


def test_a_replacement_that_the_core_refuses_leaves_the_order(client: FixClient) -> None:
    client.new("C1")
    client.entry.venue.submit(Command.STATE, value=ord("H"))
    client.replace("C1", "C2", 50)
    client.entry.venue.submit(Command.STATE, value=ord("T"))
    told = client.told()
    assert [each.type for each in told] == [b"8", b"9"]
    assert (told[1].text(434), told[1].text(41), told[1].text(39), told[1].text(58)) == ("2", "C1", "0", "halted")
    assert [each.open for each in client.entry.venue.core.queue(0, 0)] == [100]
    client.replace("C1", "C2", 50)
    assert client.brief(102)[0][0] == "9", "its ClOrdID was used up"
    client.replace("C1", "C3", 50)
    assert client.brief(150, 151) == [("8", "5", "50")]


REFUSED: list[tuple[dict[str, Any], str, str]] = [
    ({"t55": "ZZZ"}, "1", "1"),
    ({"price": "100.005"}, "0", "0"),
    ({"price": "100.00001"}, "0", "0"),
    ({"price": "214748.3647"}, "0", "0"),
    ({"shares": "10.5"}, "0", "13"),
    ({"shares": 1_000_000}, "0", "13"),
    ({"shares": 0}, "0", "13"),
    ({"t110": 10}, "0", "11"),
    ({"t59": "1"}, "0", "11"),
    ({"t18": "6 G"}, "0", "11"),
    ({"t54": "7"}, "0", "11"),
    ({"t40": "3", "t99": "90"}, "0", "11"),
]


@pytest.mark.parametrize(("values", "old", "new"), REFUSED)
def test_orders_that_are_not_offered_are_rejected(client: FixClient, values: dict[str, Any], old: str, new: str) -> None:
    client.new("C1", **values)
    (report,) = client.told()
    assert [report.text(tag) for tag in (150, 39, 37, 151)] == ["8", "8", "NONE", "0"]
    assert report.text(103) == (old if client.name == "fix42" else new)
    assert report.text(58)
    assert client.entry.venue.core.counters["orders_open"] == 0
    client.new("C1")
    assert client.brief(103) == [("8", "6")], "its ClOrdID was used up"


def test_a_repeated_order_is_a_duplicate_and_a_possible_resend_is_told_how_it_stands(client: FixClient) -> None:
    client.new("C1")
    client.new("C1")
    client.new("C1", t97="Y")
    told = client.told()
    assert [(each.text(39), each.text(103)) for each in told] == [("0", ""), ("8", "6"), ("0", "")]
    assert told[2].text(20 if client.name == "fix42" else 150) == ("3" if client.name == "fix42" else "I")
    assert client.entry.venue.core.counters["orders_open"] == 1


def test_a_status_is_that_of_the_order_that_took_its_place(client: FixClient, other: Ouch42) -> None:
    client.status("C1")
    client.new("C1")
    client.replace("C1", "C2", 100, "99")
    other.receive(enter42("S1", "S", 30, MIDDLE - 10_000))
    client.told()
    client.status("C1")
    (report,) = client.told()
    assert [report.text(tag) for tag in (39, 11, 151, 14, 6)] == ["1", "C2", "70", "30", "99"]
    if client.name == "fix42":
        assert [report.text(tag) for tag in (20, 17, 150)] == ["3", "0", "1"]
    else:
        assert report.text(150) == "I"
    client.entry.cancel_everything(Reason.SYSTEM)
    assert client.brief(150, 39, 58) == [("8", "C", "C", "system")]


def test_an_unknown_order_has_no_status(client: FixClient) -> None:
    client.status("C9")
    assert client.brief(37, 39, 103) == [("8", "NONE", "8", "5")]


def test_immediate_post_only_hidden_reserve_and_market_orders(client: FixClient, other: Ouch42) -> None:
    shown = "t1138" if client.name == "fix50" else "t111"
    client.new("R1", "2", 250, **{shown: 100})
    client.new("H1", "2", 50, "100.01", t111="0")
    assert client.entry.venue.core.depth(0, 1) == [(MIDDLE, 100, 1)]
    client.told()
    client.new("P1", "1", 10, t18="6")
    assert client.brief(39, 58) == [("8", "8", "post only")]
    other.receive(enter42("B1", "B", 260, MIDDLE + 100, time_in_force=0))
    told = client.told()
    assert [(each.text(11), each.text(32), each.text(39)) for each in told] == [
        ("R1", "100", "1"), ("R1", "100", "1"), ("R1", "50", "2"), ("H1", "10", "1"),
    ]  # fmt: skip
    client.new("M1", "1", 100, None)
    (accepted, maker, taker, rest) = client.told()
    assert (accepted.text(40), accepted.text(44)) == ("1", "")
    assert (maker.text(11), taker.text(11), taker.text(32)) == ("H1", "M1", "40")
    assert [rest.text(tag) for tag in (150, 39, 151, 14, 58)] == ["4", "4", "0", "40", "immediate"]
    client.new("I1", "1", 100, t59="3")
    assert client.brief(150, 151) == [("8", "0", "100"), ("8", "4", "0")]


def test_orders_for_the_opening_and_the_closing(client: FixClient, other: Ouch42) -> None:
    venue = client.entry.venue
    venue.submit(Command.STATE, value=ord("Q"))
    client.new("O1", "1", 100, None, t59="2")
    other.receive(enter42("S1", "S", 60))
    venue.submit(Command.CROSS, value=ord("O"))
    told = client.told()
    assert [(each.text(39), each.text(32), each.text(58)) for each in told] == [
        ("0", "", ""), ("1", "60", ""), ("4", "", "cross"),
    ]  # fmt: skip
    if client.name == "fix42":
        client.new("L1", "1", 100, "100", t40="B")
        client.new("L2", "1", 100, None, t40="5")
    else:
        client.new("L1", "1", 100, "100", t59="7")
        client.new("L2", "1", 100, None, t59="7")
    other.receive(enter42("S2", "S", 150, MIDDLE))
    venue.submit(Command.CROSS, value=ord("C"))
    told = client.told()
    assert [(each.text(11), each.text(32)) for each in told[2:]] == [("L2", "100"), ("L1", "50"), ("L1", "")]


def test_what_is_not_offered_at_all_is_a_business_reject(client: FixClient) -> None:
    client.send("c", {320: "R1", 321: "0", 55: "AAA"})
    client.new("C1", price=None, t40="2")
    client.send("j", {45: 1, 372: "8", 380: 0})
    told = client.told()
    assert [(each.type, each.text(380), each.text(372)) for each in told] == [(b"j", "3", "c"), (b"j", "5", "D")]
    assert (told[0].text(45), told[1].text(45), told[1].text(379)) == ("1", "2", "C1")
    client.entry.receive(b"no message")
    assert client.entry.malformed == 1


def test_a_cancel_of_50_may_name_the_exchanges_id() -> None:
    client = FixClient(venue_of(), "fix50")
    client.new("C1")
    (report,) = client.told()
    client.cancel("", "X1", t41=None, t37=report.text(37))
    client.cancel("", "X2", t41=None)
    assert client.brief(11, 39, 380) == [("8", "X1", "4", ""), ("j", "", "", "5")]


@pytest.mark.parametrize("name", VERSIONS)
def test_the_same_orders_by_ouch_and_by_fix_leave_the_same_state(name: str) -> None:
    by_fix, by_ouch = FixClient(venue_of(), name, "FRMA"), venue_of()
    old = Ouch42(by_ouch, by_ouch.account(name.upper(), "FRMA"))
    others = [Ouch42(venue, venue.account("OTHER", "FRMB")) for venue in (by_fix.entry.venue, by_ouch)]

    def both(message: bytes) -> None:
        for each in others:
            each.receive(message)

    by_fix.new("C1", "1", 100)
    old.receive(enter42("C1", "B", 100))
    both(enter42("S1", "S", 30, MIDDLE))
    by_fix.replace("C1", "C2", 120, "99")
    old.receive(replace42("C1", "C2", 120, MIDDLE - 10_000))
    by_fix.new("C3", "2", 70, "101", t111="0")
    old.receive(enter42("C3", "S", 70, MIDDLE + 10_000, display="N"))
    by_fix.new("C4", "5", 70, "102", t18="6")
    old.receive(enter42("C4", "T", 70, MIDDLE + 20_000, display="P"))
    by_fix.new("C5", "1", 200, None)
    old.receive(enter42("C5", "B", 200, 0x7FFFFFFF, time_in_force=0))
    by_fix.cancel("C2", "X1")
    old.receive(ouch42.CANCEL_ORDER.pack(order_token="C2", shares=0))
    by_fix.new("C6", "1", 40)
    old.receive(enter42("C6", "B", 40))
    both(enter42("S2", "S", 25, MIDDLE))
    by_fix.replace("C6", "C7", 20)
    old.receive(replace42("C6", "C7", 20))
    first, second = by_fix.entry.venue, by_ouch
    assert first.core.counters["matches"] > 3
    assert first.core.counters == second.core.counters
    assert first.core.hash == second.core.hash
    published = [[venue.publication[i] for i in range(len(venue.publication))] for venue in (first, second)]
    assert published[0] == published[1]


def test_ids_begin_with_the_run_and_times_count_from_its_midnight() -> None:
    client = FixClient(venue_of(), "fix44")
    client.entry.plug(client._take, 1_795_737_600_000_000_000, "5f-")
    client.new("C1")
    client.new("C2")
    assert client.brief(17, 60) == [("8", "5f-1-1", "20261127-09:30:00.000"), ("8", "5f-1-2", "20261127-09:30:00.000")]


@pytest.mark.parametrize("name", VERSIONS)
def test_any_orders_by_ouch_and_by_fix_are_the_same_and_every_report_adds_up(name: str, rng: np.random.Generator) -> None:
    by_fix, by_ouch = FixClient(venue_of(), name, "FRMA"), venue_of()
    old = Ouch42(by_ouch, by_ouch.account(name.upper(), "FRMA"))
    others = [Ouch42(venue, venue.account("OTHER", "FRMB")) for venue in (by_fix.entry.venue, by_ouch)]
    sides: dict[str, int] = {}
    for n in range(400):
        side, shares = int(rng.integers(2)), int(rng.integers(1, 20)) * 10
        price = MIDDLE + int(rng.integers(-4, 5)) * 100
        text = f"{price / 10_000:.2f}"
        what, target = rng.random(), f"N{rng.integers(max(n - 30, 0), n + 1)}"
        if what < 0.35:
            for other in others:
                other.receive(enter42(f"O{n}", "BS"[side], shares, price))
        elif what < 0.65 or target not in sides:
            hidden, immediate = bool(rng.random() < 0.2), bool(rng.random() < 0.2)
            sides[f"N{n}"] = side
            by_fix.new(f"N{n}", "12"[side], shares, text, t111=0 if hidden else None, t59=3 if immediate else None)
            display, lives = "N" if hidden else "Y", 0 if immediate else 99_998
            old.receive(enter42(f"N{n}", "BS"[side], shares, price, display=display, time_in_force=lives))
        elif what < 0.85:
            side = sides[f"N{n}"] = sides[target]
            by_fix.replace(target, f"N{n}", shares, text, t54="12"[side])
            old.receive(replace42(target, f"N{n}", shares, price))
        else:
            by_fix.cancel(target, f"X{n}", t54="12"[sides[target]])
            old.receive(ouch42.CANCEL_ORDER.pack(order_token=target, shares=0))
    first, second = by_fix.entry.venue, by_ouch
    assert first.core.counters == second.core.counters
    assert first.core.hash == second.core.hash
    assert first.core.counters["matches"] > 50
    published = [[venue.publication[i] for i in range(len(venue.publication))] for venue in (first, second)]
    assert published[0] == published[1]
    reports = [each for each in by_fix.told() if each.type == b"8" and each.text(37) != "NONE"]
    assert len({each.text(17) for each in reports}) == len(reports)
    fills: dict[str, list[tuple[int, Decimal]]] = {}
    kinds = Counter(each.text(150) for each in reports)
    assert kinds["5"] > 10
    assert kinds["4"] > 10
    for each in reports:
        chain = fills.setdefault(each.text(37), [])
        if 32 in each:
            chain.append((int(each.text(32)), Decimal(each.text(31))))
        done, left = sum(shares for shares, _ in chain), int(each.text(151))
        assert int(each.text(14)) == done
        assert done + left == int(each.text(38)) or left == 0
        average = sum(shares * price for shares, price in chain) / done if done else Decimal(0)
        assert abs(Decimal(each.text(6)) - average) <= Decimal("0.00005")
        status = each.text(39)
        assert (left == 0) == (status in "248"), "4 and 2 end an order"
        assert (status == "1") == (left > 0 and done > 0)
